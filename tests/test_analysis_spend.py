from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.period import Period
from analysis.result import Metric, fetch
from analysis.spend import ROLLED, UNROLLED, needs_charges, spend, spend_table
from ledger.tables import CHARGES, DAILY_SPEND

if TYPE_CHECKING:
    from tests.engines import Engine

#: Registered by name before it is imported, so that its assertions are rewritten.
pytest_plugins = ("tests.engines",)
#: Ibis 12 calls a method that DuckDB 1.5 renames.
pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")


def day(
    when: str,
    service: str,
    billed: str,
    *,
    effective: str | None = None,
    listed: str | None = None,
    currency: str = "USD",
    **more: Any,
) -> dict[str, Any]:
    """One row of the rollup; without a list cost the whole amount is `BilledWithoutList`."""
    return {
        "ChargeDate": date.fromisoformat(when),
        "ServiceName": service,
        "BillingCurrency": currency,
        "BilledCost": Decimal(billed),
        "EffectiveCost": Decimal(effective or billed),
        "ListCost": None if listed is None else Decimal(listed),
        "BilledWithoutList": Decimal(billed) if listed is None else None,
        "Charges": 1,
        "ChargesWithoutList": int(listed is None),
        "ChargesWithoutEffective": 0,
        "x_Connection": "aws-main",
        "x_LoadId": "l1",
    } | more


DAYS = [
    day("2026-06-30", "Amazon Bedrock", "10.00", effective="9.00", listed="12.50"),
    day("2026-07-01", "Amazon Bedrock", "0.0000000000000001", listed="0.0000000000000001"),
    day("2026-07-31", "Amazon Bedrock", "4.35", effective="4.00"),
    day("2026-07-31", "Amazon EC2", "7.00", listed="8.00", RegionId="us-east-1"),
    day("2026-07-31", "Amazon EC2", "100.00", currency="EUR", RegionId="eu-west-1"),
]


def charge(when: datetime, billed: str, **more: Any) -> dict[str, Any]:
    return {
        "ChargePeriodStart": when,
        "BillingCurrency": "USD",
        "BilledCost": Decimal(billed),
        "EffectiveCost": Decimal(billed),
        "ListCost": Decimal(billed),
        "x_Connection": "openai",
        "x_LoadId": "l2",
    } | more


def test_a_service_in_two_currencies_has_two_rows(engine: Engine) -> None:
    table = spend_table(engine.table("daily_spend", DAYS), ["service"])

    assert [(r.dimensions["service"], r.currency, r.billed_cost) for r in table.rows] == [
        ("Amazon EC2", "EUR", Decimal(100)),
        ("Amazon Bedrock", "USD", Decimal("14.3500000000000001")),
        ("Amazon EC2", "USD", Decimal("7.00")),
    ]


def test_sixteen_fraction_digits_survive_a_sum(engine: Engine) -> None:
    (dollars,) = [row for row in fetch(spend(engine.table("daily_spend", DAYS), [])) if row["currency"] == "USD"]

    assert dollars["billed_cost"] == Decimal("21.3500000000000001")


def test_unknown_list_cost_is_left_out_and_said(engine: Engine) -> None:
    table = spend_table(engine.table("daily_spend", DAYS), ["service"], start=date(2026, 7, 1))
    bedrock = next(r for r in table.rows if r.dimensions["service"] == "Amazon Bedrock")
    euro = next(r for r in table.rows if r.currency == "EUR")

    assert bedrock.list_cost == Decimal("0.0000000000000001")
    assert bedrock.billed_without_list == Decimal("4.35")
    assert euro.list_cost is None
    assert euro.billed_without_list == Decimal(100)


def test_the_end_of_a_period_is_exclusive(engine: Engine) -> None:
    daily = engine.table("daily_spend", DAYS)

    july = spend_table(daily, [], start=date(2026, 7, 1), end=date(2026, 7, 31))

    assert july.period == Period(date(2026, 7, 1), date(2026, 7, 31))
    assert [(r.billed_cost, r.charges) for r in july.rows] == [(Decimal("0.0000000000000001"), 1)]


def test_months_come_in_order_and_as_year_and_month(engine: Engine) -> None:
    table = spend_table(engine.table("daily_spend", DAYS), ["month", "currency"])

    assert [r.record() for r in table.rows] == [
        {
            "month": "2026-06",
            "currency": "USD",
            "billed_cost": "10",
            "effective_cost": "9",
            "list_cost": "12.5",
            "billed_without_list": "0",
            "charges": 1,
            "charges_without_effective": 0,
        },
        {
            "month": "2026-07",
            "currency": "EUR",
            "billed_cost": "100",
            "effective_cost": "100",
            "list_cost": None,
            "billed_without_list": "100",
            "charges": 1,
            "charges_without_effective": 0,
        },
        {
            "month": "2026-07",
            "currency": "USD",
            "billed_cost": "11.3500000000000001",
            "effective_cost": "11.0000000000000001",
            "list_cost": "8.0000000000000001",
            "billed_without_list": "4.35",
            "charges": 3,
            "charges_without_effective": 0,
        },
    ]


def test_rows_are_ordered_by_the_metric_asked_for(engine: Engine) -> None:
    rows = [
        day("2026-07-01", "a", "1.00", effective="5.00"),
        day("2026-07-01", "b", "2.00", effective="3.00", listed="2.00"),
    ]
    daily = engine.table("daily_spend", rows)

    assert [r.dimensions["service"] for r in spend_table(daily, ["service"]).rows] == ["b", "a"]
    effective = spend_table(daily, ["service"], metric=Metric.EFFECTIVE)
    assert [r.cost(Metric.EFFECTIVE) for r in effective.rows] == [Decimal(5), Decimal(3)]
    listed = spend_table(daily, ["service"], metric=Metric.LIST)
    assert [r.cost(Metric.LIST) for r in listed.rows] == [Decimal(2), None]


def test_totals_are_by_currency() -> None:
    from analysis.spend import SpendRow, SpendTable  # noqa: PLC0415

    rows = tuple(
        SpendRow({"service": s}, c, Decimal(b), Decimal(b), lc, Decimal(0), 1, 0)
        for s, c, b, lc in [("a", "USD", "1.1", Decimal(2)), ("b", "USD", "2.2", None), ("a", "EUR", "5", None)]
    )

    totals = SpendTable(("service",), Period(), Metric.BILLED, rows).totals()

    assert [(t.currency, t.billed_cost, t.list_cost, t.charges) for t in totals] == [
        ("EUR", Decimal(5), None, 1),
        ("USD", Decimal("3.3"), Decimal(2), 2),
    ]


def test_the_day_of_a_charge_is_its_day_in_utc(engine: Engine) -> None:
    rows = [
        charge(datetime(2026, 7, 31, 23, 59, tzinfo=UTC), "1"),
        charge(datetime.fromisoformat("2026-07-31T20:30:00-04:00"), "2"),
    ]

    table = spend_table(engine.table("charges", rows), ["day"])

    assert [(r.dimensions["day"], r.billed_cost) for r in table.rows] == [
        (date(2026, 7, 31), Decimal(1)),
        (date(2026, 8, 1), Decimal(2)),
    ]


def test_charges_give_the_same_rows_as_the_rollup(engine: Engine) -> None:
    noon = datetime(2026, 7, 31, 12, tzinfo=UTC)
    charges = engine.table(
        "charges",
        [
            charge(noon, "4.35", ServiceName="Amazon Bedrock", ListCost=None, EffectiveCost=Decimal("4.00")),
            charge(noon, "7.00", ServiceName="Amazon EC2", ListCost=Decimal("8.00"), RegionId="us-east-1"),
        ],
    )
    daily = engine.table("daily_spend", [DAYS[2], DAYS[3]])

    assert spend_table(charges, ["service", "region"]) == spend_table(daily, ["service", "region"])


@pytest.mark.parametrize("key", ["team", "user:team", "cost.center", "sp ace", "größe"])
def test_a_tag_key_is_a_name_and_never_a_path(engine: Engine, key: str) -> None:
    noon = datetime(2026, 7, 1, 12, tzinfo=UTC)
    rows = [
        charge(noon, "1", Tags=f'{{"{key}": "search", "user": {{"team": "wrong"}}, "cost": {{"center": "wrong"}}}}'),
        charge(noon, "2", Tags=f'{{"{key}": "search"}}'),
        charge(noon, "4", Tags='{"other": "search"}'),
        charge(noon, "8"),
    ]

    table = spend_table(engine.table("charges", rows), [f"tag:{key}"])

    assert [(r.dimensions[f"tag:{key}"], r.billed_cost) for r in table.rows] == [
        (None, Decimal(12)),
        ("search", Decimal(3)),
    ]


def test_keys_users_resources_and_skus_come_from_the_charges(engine: Engine) -> None:
    noon = datetime(2026, 7, 1, 12, tzinfo=UTC)
    named = {"x_ApiKeyId": "key_1", "x_UserId": "u1", "ResourceId": "r1", "SkuId": "s1", "x_IamPrincipal": "p1"}
    by = ["key", "user", "resource", "sku", "principal"]

    table = spend_table(engine.table("charges", [charge(noon, "1", **named), charge(noon, "2", **named)]), by)

    assert needs_charges(by)
    assert [(list(r.dimensions.values()), r.billed_cost) for r in table.rows] == [
        (["key_1", "u1", "r1", "s1", "p1"], Decimal(3))
    ]


def test_an_empty_ledger_has_no_rows_and_no_zero(engine: Engine) -> None:
    assert spend_table(engine.table("daily_spend", []), ["service"]).rows == ()


def test_an_unknown_dimension_is_refused_with_the_known_ones(duckdb_engine: Engine) -> None:
    with pytest.raises(ValueError, match=r"'serivce'; known dimensions are service, provider, .*tag:KEY"):
        spend(duckdb_engine.table("daily_spend", DAYS), ["serivce"])


def test_a_dimension_outside_the_rollup_is_refused_on_the_rollup(duckdb_engine: Engine) -> None:
    with pytest.raises(ValueError, match="tag:team: not rolled up by day"):
        spend(duckdb_engine.table("daily_spend", DAYS), ["service", "tag:team"])


def test_a_tag_key_that_no_path_can_name_is_refused(duckdb_engine: Engine) -> None:
    with pytest.raises(ValueError, match="quotation mark"):
        spend(duckdb_engine.table("charges", []), ['tag:a"b'])


def test_a_period_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValueError, match="from 2026-07-01 up to 2026-07-01"):
        Period(date(2026, 7, 1), date(2026, 7, 1))


def test_every_dimension_names_a_column_of_its_table() -> None:
    assert set(ROLLED.values()) <= {c.name for c in DAILY_SPEND}
    assert set(UNROLLED.values()) <= {c.name for c in CHARGES}


amounts = st.decimals(min_value=-(10**9), max_value=10**9, places=18, allow_nan=False, allow_infinity=False)
rollups = st.lists(
    st.builds(
        lambda when, service, model, currency, billed: day(
            f"2026-07-0{when}", service, "0", currency=currency, BilledCost=billed, x_ModelId=model
        ),
        st.integers(1, 9),
        st.sampled_from(["a", "b"]),
        st.sampled_from(["m", None]),
        st.sampled_from(["USD", "EUR"]),
        amounts,
    ),
    max_size=12,
)


@settings(max_examples=15, deadline=None)
@given(rows=rollups, by=st.lists(st.sampled_from(["service", "model", "day", "month", "account"]), unique=True))
def test_any_grouping_adds_up_to_the_total(engine: Engine, rows: list[dict[str, Any]], by: list[str]) -> None:
    expected = dict[str, Decimal]()
    for row in rows:
        currency = row["BillingCurrency"]
        expected[currency] = expected.get(currency, Decimal(0)) + row["BilledCost"]

    totals = spend_table(engine.table("daily_spend", rows), by).totals()

    assert {t.currency: t.billed_cost for t in totals} == expected
    assert sum(t.charges for t in totals) == len(rows)


@settings(max_examples=10, deadline=None)
@given(data=st.data(), rows=rollups)
def test_the_order_of_rows_does_not_matter(engine: Engine, data: st.DataObject, rows: list[dict[str, Any]]) -> None:
    shuffled = data.draw(st.permutations(rows))
    by = ["service", "model", "day"]

    assert spend_table(engine.table("daily_spend", rows), by) == spend_table(engine.table("daily_spend", shuffled), by)
