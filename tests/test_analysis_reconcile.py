"""The bill beside the price book: the verdict on single charges, and that all of them add up."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import ibis
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.bill_prices import CHANGED, NO_CACHE_ACTION, NO_DIRECTION, OTHER_CURRENCY
from analysis.price_list import PROVISIONED
from analysis.reconcile import reconcile
from analysis.reconciled import NO_BOOK_COST, NOTHING_COMPARED, ReconcileRow, Reconciliation
from analysis.result import total
from tests.price_tables import book, dollars, price

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engines import Engine

#: Registered by name before it is imported, so that its assertions are rewritten.
pytest_plugins = ("tests.engines",)
#: Ibis 12 calls a method that DuckDB 1.5 renames.
pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

ONE, TWO, THREE = (date(2026, 7, day) for day in (1, 2, 3))
CUT = datetime(2026, 7, 2, tzinfo=UTC)
NOON = datetime(2026, 7, 2, 12, tzinfo=UTC)
LUNA = {"ModelId": "gpt-5.6-luna"}
MIDDAY = {"ModelId": "gpt-midday"}
PRICES = book(
    [
        price("input", dollars("5")),
        price("cache_read", dollars("0.5")),
        price("cache_write_5m", dollars("6.25")),
        price("output", dollars("30")),
        price("output_audio", dollars("60")),
        price("input", dollars("5.5"), ServingRegion="Regional"),
        price("input", dollars("10"), ContextAbove=272_000),
        price("input", dollars("2.5"), ServiceTier="batch"),
        price("input", dollars("1"), ValidTo=CUT, **LUNA),
        price("input", dollars("0.2"), ValidFrom=CUT, **LUNA),
        price("input", dollars("1"), ValidTo=NOON, **MIDDAY),
        price("input", dollars("0.2"), ValidFrom=NOON, **MIDDAY),
    ]
)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """DuckDB alone: prices are multiplied in its decimals."""
    from tests.engines import Engine  # noqa: PLC0415 - after it was registered

    backend = ibis.duckdb.from_connection(duckdb.connect())
    return Engine("duckdb", backend, tmp_path_factory.mktemp("reconcile"))


def billed(amount: Decimal | str, count: Decimal | str | None = "1000000", **more: Any) -> dict[str, Any]:
    """One row of the token rollup: a million tokens of uncached input, short and of standard tier."""
    return {
        "ChargeDate": ONE,
        "ServiceProviderName": "OpenAI",
        "BillingCurrency": "USD",
        "x_ModelId": "gpt-5.5",
        "x_TokenDirection": "Input",
        "x_TokenCacheAction": "Uncached",
        "x_ServiceTier": "standard",
        "x_ContextWindow": "Short",
        "x_ServingRegion": "Global",
        "Tokens": None if count is None else Decimal(count),
        "TokensFrom": None if count is None else "bill",
        "TokensReason": "no quantity" if count is None else None,
        "BilledCost": Decimal(amount),
        "Charges": 1,
        "x_Connection": "openai",
        "x_LoadId": "l1",
    } | more


def report(tier: str | None, when: date = ONE, **more: Any) -> dict[str, Any]:
    """A day of usage as the seller reports it."""
    start = datetime(when.year, when.month, when.day, tzinfo=UTC)
    return {
        "UsagePeriodStart": start,
        "UsagePeriodEnd": start,
        "Grain": "day",
        "UsageKind": "completions",
        "ServiceProviderName": "OpenAI",
        "ModelId": "gpt-5.5",
        "ServiceTier": tier,
        "x_Connection": "usage",
        "x_LoadId": "l1",
    } | more


def run(engine: Engine, rows: list[dict[str, Any]], *by: str, **more: Any) -> Reconciliation:
    usage = more.pop("usage", [])
    costs, reported = engine.table("daily_token_costs", rows), engine.table("usage", usage)
    return reconcile(costs, reported, PRICES, digest="d1", by=by, **more)


def only(engine: Engine, row: dict[str, Any], **more: Any) -> ReconcileRow:
    (found,) = run(engine, [row], **more).rows
    return found


def reason(engine: Engine, row: dict[str, Any]) -> str:
    found = only(engine, row)
    assert (found.unpriced, found.book_cost) == (row["BilledCost"], None)
    assert (found.explained, found.unexplained, found.calibration) == (0, 0, None)
    assert found.reason == NOTHING_COMPARED
    (part,) = found.remainders
    assert part.tokens == row["Tokens"]
    return part.reason


# The verdict on one charge


@pytest.mark.parametrize(
    ("identity", "expected"),
    [
        ({}, "5"),
        ({"x_ServiceTier": "batch"}, "2.5"),
        ({"x_ServingRegion": "Regional"}, "5.5"),
        ({"x_ContextWindow": "Long"}, "10"),
        ({"x_TokenCacheAction": "Read"}, "0.5"),
        ({"x_TokenCacheAction": "Write", "x_CacheTtl": "5m"}, "6.25"),
        ({"x_TokenDirection": "Output", "x_TokenCacheAction": None}, "30"),
        ({"x_TokenDirection": "Output", "x_TokenCacheAction": None, "x_Modality": "Audio"}, "60"),
        ({"x_ModelId": "gpt-5.6-luna"}, "1"),
        ({"x_ModelId": "gpt-5.6-luna", "ChargeDate": TWO}, "0.2"),
        ({"x_ModelId": "gpt-midday"}, "1"),
        ({"x_ModelId": "gpt-midday", "ChargeDate": THREE}, "0.2"),
    ],
)
def test_a_million_tokens_at_the_price_of_their_day(engine: Engine, identity: dict[str, Any], expected: str) -> None:
    found = only(engine, billed(expected, **identity))

    assert found.book_cost == Decimal(expected)
    assert (found.explained, found.unexplained, found.calibration) == (Decimal(expected), 0, 1)


def test_what_the_bill_has_beyond_the_book_is_unexplained(engine: Engine) -> None:
    found = only(engine, billed("4.8"))

    assert (found.billed, found.book_cost) == (Decimal("4.8"), Decimal(5))
    assert (found.explained, found.unexplained) == (Decimal(5), Decimal("-0.2"))
    assert (found.difference, found.calibration) == (Decimal("-0.2"), Decimal("0.96"))


def test_rounding_is_half_a_cent_for_each_charge(engine: Engine) -> None:
    million = "10000000"

    assert only(engine, billed("50.005", million)).unexplained == 0
    assert only(engine, billed("50.006", million)).unexplained == Decimal("0.006")
    assert only(engine, billed("50.006", million, Charges=2)).unexplained == 0


def test_rounding_is_at_most_a_thousandth(engine: Engine) -> None:
    assert only(engine, billed("5.005", Charges=100)).unexplained == 0
    assert only(engine, billed("5.0051", Charges=100)).unexplained == Decimal("0.0051")


def test_rounding_shows_in_the_factor(engine: Engine) -> None:
    found = only(engine, billed("5.005"))

    assert (found.explained, found.calibration) == (Decimal("5.005"), Decimal("1.001"))


def test_what_the_bill_says_of_credits_and_commitments_is_explained(engine: Engine) -> None:
    effects = {"CreditBilled": Decimal(-1), "CommitmentBilled": Decimal("-0.5")}

    exact = only(engine, billed("3.5", **effects))
    less = only(engine, billed("3", **effects))

    assert (exact.effects, exact.explained, exact.unexplained) == (Decimal("-1.5"), Decimal("3.5"), 0)
    assert (less.explained, less.unexplained, less.calibration) == (Decimal("3.5"), Decimal("-0.5"), Decimal("0.6"))


def test_a_charge_without_tokens_keeps_its_reason(engine: Engine) -> None:
    found = only(engine, billed("7", None))

    assert (found.billed, found.without_tokens, found.unpriced, found.book_cost) == (7, 7, 0, None)
    assert [(part.kind, part.reason, part.tokens) for part in found.remainders] == [
        ("without_tokens", "no quantity", None)
    ]


def test_tokens_that_were_taken_back_have_no_factor(engine: Engine) -> None:
    found = only(engine, billed("-5", "-1000000"))

    assert (found.book_cost, found.explained, found.unexplained) == (-5, -5, 0)
    assert (found.calibration, found.reason, found.spread) == (None, NO_BOOK_COST, None)


@pytest.mark.parametrize(
    ("identity", "expected"),
    [
        ({"x_TokenDirection": None, "x_TokenCacheAction": None}, NO_DIRECTION),
        ({"x_TokenCacheAction": None}, NO_CACHE_ACTION),
        ({"x_TokenCacheAction": "Other"}, NO_CACHE_ACTION),
        ({"x_Modality": "Video"}, "the price book has no price of input video tokens"),
        ({"x_ModelId": None}, "the bill names no model"),
        ({"x_ServiceTier": None}, "the bill states no service tier, and the tiers differ in price"),
        ({"x_ServiceTier": "provisioned"}, PROVISIONED),
        ({"x_TokenCacheAction": "Read", "x_ServiceTier": "batch"}, "no batch price of cache read tokens"),
        ({"x_ServingRegion": "Data Zone"}, "no Data Zone price of it, only Global, Regional"),
        ({"BillingCurrency": "EUR"}, OTHER_CURRENCY.format("USD", "EUR")),
        ({"x_ModelId": "gpt-midday", "ChargeDate": TWO}, CHANGED),
        ({"x_ModelId": "gpt-9"}, "the price book has no price of 'gpt-9' at OpenAI"),
    ],
)
def test_what_has_no_price_is_unpriced_with_its_reason(engine: Engine, identity: dict[str, Any], expected: str) -> None:
    assert expected in reason(engine, billed("5", **identity))


# What the bill leaves open


def test_the_tier_is_that_of_the_sellers_own_reports(engine: Engine) -> None:
    row = billed("2.5", x_ServiceTier=None)
    found = run(engine, [row], "tier", usage=[report("batch"), report("batch", SubAccountId="other")])

    assert [(r.dimensions["tier"], r.book_cost) for r in found.rows] == [("batch", Decimal("2.5"))]
    assert found.notes == ("OpenAI gpt-5.5: the bill names no service tier; the reports of usage do.",)


@pytest.mark.parametrize(
    "usage",
    [
        [report("batch"), report("standard")],
        [report("batch"), report(None)],
        [report("batch", Grain="request")],
        [report("batch", TWO)],
        [report("batch", ModelId="gpt-4.1")],
        [report("batch", ServiceProviderName="Microsoft")],
    ],
    ids=["several", "a part", "a log", "another day", "another model", "another seller"],
)
def test_the_tier_is_not_guessed(engine: Engine, usage: list[dict[str, Any]]) -> None:
    assert only(engine, billed("2.5", x_ServiceTier=None), usage=usage).unpriced == Decimal("2.5")


def test_an_unstated_context_takes_the_lower_price_and_says_so(engine: Engine) -> None:
    found = run(engine, [billed("5", x_ContextWindow=None)])

    assert (found.rows[0].book_cost, found.rows[0].book_highest) == (5, 10)
    assert found.notes == (
        "OpenAI gpt-5.5: the bill does not say how large the requests were; the price of short ones is taken.",
    )


# Groups


def test_the_factor_has_a_spread_over_days(engine: Engine) -> None:
    rows = [billed("4", ChargeDate=ONE), billed("5", ChargeDate=TWO), billed("5.5", ChargeDate=THREE)]
    (row,) = run(engine, [*rows, billed("9", None, ChargeDate=date(2026, 7, 4))], "model").rows

    assert row.spread is not None
    assert (row.spread.lowest, row.spread.highest, row.spread.days) == (Decimal("0.8"), Decimal("1.1"), 3)
    assert row.calibration == Decimal("0.966666666667")


def test_differences_of_both_signs_cancel_in_a_total_and_show_in_its_parts(engine: Engine) -> None:
    (row,) = run(engine, [billed("4"), billed("6", SubAccountId="b")]).rows

    assert (row.calibration, row.unexplained) == (1, 0)
    by_account = run(engine, [billed("4"), billed("6", SubAccountId="b")], "account").rows
    assert [r.unexplained for r in by_account] == [1, -1]


def test_currencies_stand_apart(engine: Engine) -> None:
    found = run(engine, [billed("5"), billed("3", BillingCurrency="EUR")])

    assert [(r.currency, r.billed, r.explained, r.unpriced) for r in found.totals] == [
        ("USD", 5, 5, 0),
        ("EUR", 3, 0, 3),
    ]


def test_tokens_from_usage_are_told_apart(engine: Engine) -> None:
    rows = [billed("5"), billed("10", "2000000", TokensFrom="usage")]
    (row,) = run(engine, rows).rows
    parts = run(engine, rows, "tokens-from").rows

    assert (row.tokens, row.tokens_from_usage) == (3_000_000, 2_000_000)
    assert {(r.dimensions["tokens-from"], r.tokens) for r in parts} == {("bill", 1_000_000), ("usage", 2_000_000)}


def test_only_the_days_asked_for_count(engine: Engine) -> None:
    rows = [billed("5", ChargeDate=day) for day in (ONE, TWO, THREE)]

    assert run(engine, rows, start=TWO, end=THREE).totals[0].billed == 5


def test_no_charge_is_no_row(engine: Engine) -> None:
    assert run(engine, []).rows == ()


def test_an_unknown_dimension_is_refused(engine: Engine) -> None:
    with pytest.raises(ValueError, match=r"cannot be grouped by 'colour'; known dimensions are model, version"):
        run(engine, [], "colour")


AMOUNTS = st.decimals(min_value=-(10**6), max_value=10**6, places=12)
CHARGES = st.builds(
    lambda amount, count, changes: billed(amount, count, **changes),
    AMOUNTS,
    st.one_of(st.none(), st.decimals(min_value=-(10**9), max_value=10**12, places=6)),
    st.fixed_dictionaries(
        {
            "ChargeDate": st.sampled_from([ONE, TWO, THREE, date(2026, 8, 1)]),
            "BillingCurrency": st.sampled_from(["USD", "EUR"]),
            "x_ModelId": st.sampled_from(["gpt-5.5", "gpt-5.6-luna", "gpt-midday", "gpt-9", None]),
            "x_ServiceTier": st.sampled_from(["standard", "batch", None]),
            "x_TokenCacheAction": st.sampled_from(["Uncached", "Read", "Write", None]),
            "CreditBilled": st.one_of(st.none(), AMOUNTS),
            "Charges": st.integers(min_value=1, max_value=1000),
        }
    ),
)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(CHARGES, max_size=12))
def test_the_bill_is_the_sum_of_its_parts_at_every_level(engine: Engine, rows: list[dict[str, Any]]) -> None:
    for by in ((), ("month",), ("model", "token-type"), ("day", "model", "tier", "currency")):
        found = run(engine, rows, *by)
        for row in (*found.rows, *found.totals):
            assert row.billed == total((row.explained, row.unexplained, row.unpriced, row.without_tokens))
        for currency in ("USD", "EUR"):
            of = [row for row in found.rows if row.currency == currency]
            whole = [row for row in found.totals if row.currency == currency]
            assert total(r["BilledCost"] for r in rows if r["BillingCurrency"] == currency) == total(
                r.billed for r in of
            )
            for name in ("billed", "explained", "unexplained", "unpriced", "without_tokens", "tokens"):
                assert total(getattr(r, name) for r in of) == total(getattr(r, name) for r in whole)


def test_the_record_is_exact_and_plain(engine: Engine) -> None:
    (row,) = run(engine, [billed("4.8", ChargeDate=ONE), billed("0.1", None)], "day").rows
    record = row.record()

    assert record["day"] == "2026-07-01"
    assert record["unexplained"] == "-0.2"
    assert record["calibration"] == "0.96"
    assert record["remainders"] == [
        {"kind": "without_tokens", "reason": "no quantity", "cost": "0.1", "tokens": None, "charges": 1}
    ]


# The sample customer


def test_the_sample_reconciles_to_the_book(tmp_path: Path) -> None:
    """All bills of the sample are at the book's prices; Google's credits are the only difference."""
    from connectors.importing import import_files  # noqa: PLC0415 - only here
    from ledger.price_book import book as prices  # noqa: PLC0415
    from sample_data import files  # noqa: PLC0415
    from tests.ledgers import open_lake  # noqa: PLC0415

    with open_lake(tmp_path) as lake:
        import_files(lake, [str(f) for f in files()], synthetic=True)
        known = prices.load(lake=lake)
        costs, usage = lake.tables("daily_token_costs", "usage")
        found = reconcile(costs, usage, known.table, digest=known.digest, by=("provider",))

    rows = {row.dimensions["provider"]: row for row in found.rows}
    for name in ("OpenAI", "Anthropic", "AWS", "Microsoft"):
        assert rows[name].book_cost == rows[name].compared
        assert (rows[name].unexplained, rows[name].unpriced) == (0, 0)
    google = rows["Google Cloud"]
    assert (google.unexplained, google.unpriced) == (0, 0)
    assert google.effects == Decimal("-3339.824346")
    assert (rows["AWS"].without_tokens, rows["AWS"].remainders[0].charges) == (366, 61)
    (whole,) = found.totals
    assert whole.billed == Decimal("558606.454523675")
