"""Days at constant prices: what is a saving's material, and everything that must never look like one."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import ibis
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.constant_prices import CostDays, daily_costs
from analysis.period import Period
from tests.price_tables import book, dollars, price

if TYPE_CHECKING:
    from tests.engines import Engine

pytest_plugins = ("tests.engines",)
pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

FIRST, CHANGE, LAST = date(2026, 6, 29), date(2026, 7, 2), date(2026, 7, 4)
BASELINE, REPORTING = Period(FIRST, CHANGE), Period(CHANGE, LAST + timedelta(days=1))
CUT = datetime(2026, 7, 2, tzinfo=UTC)
PRICES = book(
    [
        price("input", dollars("5"), ValidTo=CUT),
        price("input", dollars("1"), ValidFrom=CUT),
        price("output", dollars("30")),
    ]
)
MILLION = Decimal(1_000_000)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    from tests.engines import Engine  # noqa: PLC0415 - after it was registered

    return Engine("duckdb", ibis.duckdb.from_connection(duckdb.connect()), tmp_path_factory.mktemp("constant"))


def days() -> list[date]:
    return [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]


def spent(on: date, billed: Decimal | str, **more: Any) -> dict[str, Any]:
    """A day's charges of use in the spend rollup."""
    return {
        "ChargeDate": on,
        "ServiceProviderName": "OpenAI",
        "ChargeCategory": "Usage",
        "BillingCurrency": "USD",
        "x_ModelId": "gpt-5.5",
        "BilledCost": Decimal(billed),
        "EffectiveCost": Decimal(billed),
        "Charges": 1,
        "ChargesWithoutContracted": 0,
        "x_Connection": "openai",
        "x_LoadId": "l1",
    } | more


def tokens(on: date, billed: Decimal | str, count: Decimal | str = MILLION, **more: Any) -> dict[str, Any]:
    """The same charges in the token rollup: a million tokens of uncached input."""
    return {
        "ChargeDate": on,
        "ServiceProviderName": "OpenAI",
        "BillingCurrency": "USD",
        "x_ModelId": "gpt-5.5",
        "x_TokenDirection": "Input",
        "x_TokenCacheAction": "Uncached",
        "x_ServiceTier": "standard",
        "x_ServingRegion": "Global",
        "Tokens": Decimal(count),
        "TokensFrom": "bill",
        "BilledCost": Decimal(billed),
        "Charges": 1,
        "x_Connection": "openai",
        "x_LoadId": "l1",
    } | more


def measured(engine: Engine, spend: list[dict[str, Any]], costs: list[dict[str, Any]]) -> CostDays:
    tables = engine.table("daily_spend", spend), engine.table("daily_token_costs", costs), engine.table("usage", [])
    return daily_costs(*tables, PRICES, BASELINE, REPORTING)


def at_list(on: date) -> str:
    return "5" if on < CHANGE else "1"


def test_a_vendors_price_cut_is_no_saving(engine: Engine) -> None:
    spend, costs = [spent(d, at_list(d)) for d in days()], [tokens(d, at_list(d)) for d in days()]
    found = measured(engine, spend, costs)
    assert [day.cost for day in found.days] == [Decimal(1)] * 6
    assert [day.as_billed for day in found.days] == [Decimal(5)] * 3 + [Decimal(1)] * 3
    (change,) = found.price_changes
    assert (change.day, change.before, change.after) == (CHANGE, 5, 1)
    assert found.warnings == ()


def test_a_discount_of_ones_own_stays_where_the_vendors_cut_is_taken_out(engine: Engine) -> None:
    # 20 % off the list before the change, 40 % after it.
    billed = {d: Decimal(at_list(d)) * Decimal("0.8" if d < CHANGE else "0.6") for d in days()}
    found = measured(engine, [spent(d, billed[d]) for d in days()], [tokens(d, billed[d]) for d in days()])
    assert [day.cost for day in found.days] == [Decimal("0.8")] * 3 + [Decimal("0.6")] * 3


def test_a_price_that_falls_within_the_reporting_period_counts_by_its_days(engine: Engine) -> None:
    reporting = Period(date(2026, 7, 1), date(2026, 7, 5))
    spend, costs = [spent(d, at_list(d)) for d in days()], [tokens(d, at_list(d)) for d in days()]
    tables = engine.table("daily_spend", spend), engine.table("daily_token_costs", costs), engine.table("usage", [])
    found = daily_costs(*tables, PRICES, Period(FIRST, date(2026, 7, 1)), reporting)
    # One day at 5 and three at 1: a mean of 2, on every day of both periods.
    assert {day.cost for day in found.days} == {Decimal(2)}


def test_a_price_that_the_bill_moved_without_the_book_is_told(engine: Engine) -> None:
    model = {"x_ModelId": "gpt-unheard-of"}
    spend = [spent(d, at_list(d), **model) for d in days()]
    found = measured(engine, spend, [tokens(d, at_list(d), **model) for d in days()])
    assert [day.cost for day in found.days] == [Decimal(5)] * 3 + [Decimal(1)] * 3
    assert any("moved by -80.0%" in sentence for sentence in found.warnings)
    assert any("18.00 of cost stays at the prices of its days" in sentence for sentence in found.warnings)


def test_credits_taxes_purchases_and_refunds_are_left_out_and_listed(engine: Engine) -> None:
    extra = [
        spent(CHANGE, "-500", ChargeCategory="Credit", CreditBilled=Decimal(-500)),
        spent(CHANGE, "19", ChargeCategory="Tax"),
        spent(FIRST, "1000", ChargeCategory="Purchase", CommitmentBilled=Decimal(1000)),
        spent(CHANGE, "-7", ChargeCategory="Adjustment"),
        spent(CHANGE, "8", CreditBilled=Decimal(-2), x_ModelId="other"),
    ]
    plain = measured(engine, [spent(d, "3") for d in days()], [])
    found = measured(engine, [spent(d, "3") for d in days()] + extra, [])
    assert [day.cost for day in plain.days] == [Decimal(3)] * 6
    # The last one is use: 8 after a credit of 2, so 10 without.
    assert [day.cost for day in found.days] == [3, 3, 3, 13, 3, 3]
    out = {part.what: (part.baseline, part.reporting) for part in found.excluded}
    assert out == {
        "Adjustment": (0, -7),
        "Credit": (0, -500),
        "Credits on use": (0, -2),
        "Purchase": (1000, 0),
        "Tax": (0, 19),
    }


def test_buying_a_commitment_saves_nothing(engine: Engine) -> None:
    """An upfront purchase before, covered use at BilledCost 0 after: the same use costs the same."""
    before = [spent(d, "10") for d in days()[:3]] + [spent(FIRST, "20", ChargeCategory="Purchase")]
    covered = {"EffectiveCost": Decimal(7), "CommitmentBilled": Decimal(-10), "CommitmentEffective": Decimal(-3)}
    after = [spent(d, "0", **covered) for d in days()[3:]]
    found = measured(engine, before + after, [])
    assert [day.cost for day in found.days] == [Decimal(10)] * 6


def test_mixed_currencies_refuse(engine: Engine) -> None:
    spend = [spent(d, "3") for d in days()] + [spent(CHANGE, "3", BillingCurrency="EUR")]
    with pytest.raises(ValueError, match="billed in EUR and USD"):
        measured(engine, spend, [])


def test_a_covered_charge_of_unknown_contract_price_is_told(engine: Engine) -> None:
    found = measured(engine, [spent(d, "3", ChargesWithoutContracted=2) for d in days()], [])
    (sentence,) = found.warnings
    assert sentence.startswith("12 charges are covered by a commitment or hold credits")


def test_an_empty_scope_has_no_days_and_no_currency(engine: Engine) -> None:
    found = measured(engine, [], [])
    assert (found.currency, found.days, found.excluded) == (None, (), ())


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    counts=st.lists(st.integers(1, 10**9), min_size=6, max_size=6),
    off=st.decimals("0.5", "1", places=3),
)
def test_what_is_billed_at_list_costs_tokens_times_the_reference_price(
    engine: Engine, counts: list[int], off: Decimal
) -> None:
    """Whatever the volume and the discount, constant prices leave tokens x reference x discount and nothing else."""
    billed = {d: Decimal(n) * Decimal(at_list(d)) * off / MILLION for d, n in zip(days(), counts, strict=True)}
    spend = [spent(d, billed[d]) for d in days()]
    found = measured(engine, spend, [tokens(d, billed[d], str(n)) for d, n in zip(days(), counts, strict=True)])
    due = [(Decimal(n) * off / MILLION).quantize(Decimal("1e-6")) for n in counts]
    assert [day.cost for day in found.days] == due
    assert [day.tokens for day in found.days] == counts
