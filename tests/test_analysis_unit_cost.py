from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.result import Metric, per_million, plain, quotient, share, total
from analysis.unit_cost import DIMENSIONS, UnitCostTable, unit_cost, with_usage
from ledger.tables import DAILY_TOKENS, USAGE
from ledger.token_usage import (
    BILLED_ALREADY,
    KINDS,
    NO_QUANTITY,
    NO_USAGE,
    PROVISIONED,
    SEVERAL_CURRENCIES,
    SEVERAL_SOURCES,
    TIER_NOT_BILLED,
    TIER_NOT_USED,
)

if TYPE_CHECKING:
    from tests.engines import Engine

#: Registered by name before it is imported, so that its assertions are rewritten.
pytest_plugins = ("tests.engines",)
#: Ibis 12 calls a method that DuckDB 1.5 renames.
pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

ONE = date(2026, 7, 1)


def tokens(
    billed: str, count: str | None, direction: str | None = "Input", action: str | None = "Uncached", **more: Any
) -> dict[str, Any]:
    """One row of the token rollup, its list cost equal to the billed one unless told otherwise."""
    return {
        "ChargeDate": ONE,
        "ServiceProviderName": "OpenAI",
        "BillingCurrency": "USD",
        "x_ModelId": "gpt-5.5",
        "x_TokenDirection": direction,
        "x_TokenCacheAction": action,
        "Tokens": None if count is None else Decimal(count),
        "BilledCost": Decimal(billed),
        "EffectiveCost": Decimal(billed),
        "ListCost": Decimal(billed),
        "Charges": 1,
        "ChargesWithoutList": int("ListCost" in more and more["ListCost"] is None),
        "ChargesWithoutEffective": 0,
        "x_Connection": "openai",
        "x_LoadId": "l1",
    } | more


def used(when: date = ONE, **more: Any) -> dict[str, Any]:
    """One row of usage, a day long."""
    start = datetime(when.year, when.month, when.day, tzinfo=UTC)
    return {
        "UsagePeriodStart": start,
        "UsagePeriodEnd": start,
        "Grain": "day",
        "UsageKind": "completions",
        "ServiceProviderName": "OpenAI",
        "ModelId": "gpt-5.5",
        "x_Connection": "openai",
        "x_LoadId": "l9",
    } | more


def prices(table: UnitCostTable, *names: str) -> list[tuple[Any, ...]]:
    return [(*(r.dimensions[n] for n in names), r.tokens, r.cost_per_million) for r in table.rows]


def joined(engine: Engine, bill: list[dict[str, Any]], usage: list[dict[str, Any]], *by: str) -> UnitCostTable:
    return unit_cost(with_usage(engine.table("daily_tokens", bill), engine.table("usage", usage)), by)


# Cost per million


def test_blended_and_by_token_type(engine: Engine) -> None:
    daily = engine.table(
        "daily_tokens",
        [
            tokens("5.00", "1000000"),
            tokens("0.50", "1000000", "Input", "Read"),
            tokens("2.50", "400000", "Input", "Write"),
            tokens("30.00", "1000000", "Output", "Uncached"),
            tokens("15.00", "500000", "Output", None),
        ],
    )

    assert prices(unit_cost(daily, ["token-type"]), "token-type") == [
        ("Output", Decimal(1500000), Decimal(30)),
        ("Input, Uncached", Decimal(1000000), Decimal(5)),
        ("Input, Write", Decimal(400000), Decimal("6.25")),
        ("Input, Read", Decimal(1000000), Decimal("0.5")),
    ]
    # 53.00 for 3.9 M tokens, each counted once
    assert prices(unit_cost(daily, [])) == [(Decimal(3900000), Decimal("13.589743589744"))]


def test_the_quotient_is_decimal_to_twelve_digits_half_to_even() -> None:
    assert per_million(Decimal(2), Decimal(3)) == Decimal("666666.666666666667")
    assert quotient(Decimal("0.0000000000005"), Decimal(1)) == Decimal(0)
    assert quotient(Decimal("0.0000000000015"), Decimal(1)) == Decimal("0.000000000002")
    assert per_million(Decimal("12345678901234567890.123456789012345678"), Decimal(1)) == Decimal(
        "12345678901234567890123456.789012345678"
    )


def test_a_sum_keeps_more_digits_than_python_does_by_itself() -> None:
    large, small = Decimal(12345678901234567890), Decimal("0.000000000000000001")

    assert total([large, small]) == Decimal("12345678901234567890.000000000000000001")
    assert plain(total([large, small])) == "12345678901234567890.000000000000000001"


def test_plain_writes_no_exponent_and_no_trailing_zero() -> None:
    assert [plain(Decimal(text)) for text in ("4.350", "1E+3", "1E-9", "0.000", "-0.0", "-2.50", "100")] == [
        "4.35",
        "1000",
        "0.000000001",
        "0",
        "0",
        "-2.5",
        "100",
    ]


def test_a_share_of_mixed_signs_is_no_share() -> None:
    assert share(Decimal(1), Decimal(4)) == Decimal("0.25")
    assert share(Decimal(5), Decimal(4)) is None
    assert share(Decimal(-1), Decimal(4)) is None
    assert share(Decimal(1), Decimal(0)) is None


def test_cost_without_tokens_stands_beside_and_never_enters(engine: Engine) -> None:
    daily = engine.table(
        "daily_tokens",
        [
            tokens("10", "2000000"),
            tokens("7", None, x_Unmapped="meter not known: GPT Zap"),
            tokens("900", None, None, None, x_ServiceTier="provisioned", Charges=24),
            tokens("1", None, None, None),
        ],
    )

    (row,) = unit_cost(daily, ["model"]).rows

    assert row.cost_per_million == Decimal(5)
    assert row.reason is None
    assert row.costs.billed == Decimal(10)
    assert row.cost_without_tokens == Decimal(908)
    assert [(g.reason, g.costs.billed, g.costs.charges) for g in row.gaps] == [
        (PROVISIONED, Decimal(900), 24),
        ("meter not known: GPT Zap", Decimal(7), 1),
        (NO_QUANTITY, Decimal(1), 1),
    ]


def test_a_row_without_tokens_has_no_figure_but_a_reason(engine: Engine) -> None:
    daily = engine.table("daily_tokens", [tokens("7", None, x_Unmapped="meter not known: GPT Zap")])

    (row,) = unit_cost(daily, ["model"]).rows

    assert row.cost_per_million is None
    assert row.reason == "no charge has a token quantity: meter not known: GPT Zap"
    assert row.cost_without_tokens == Decimal(7)


def test_corrections_that_take_all_tokens_back_leave_no_figure(engine: Engine) -> None:
    daily = engine.table("daily_tokens", [tokens("7", "1000"), tokens("-6", "-1000")])

    (row,) = unit_cost(daily, []).rows

    assert row.cost_per_million is None
    assert row.reason == "corrections take away as many tokens as there are, or more"


def test_a_partly_unknown_list_cost_gives_no_list_price_and_the_known_share(engine: Engine) -> None:
    daily = engine.table(
        "daily_tokens",
        [
            tokens("3", "1000000", EffectiveCost=Decimal(2), ListCost=Decimal(4)),
            tokens("1", "1000000", ListCost=None, BilledWithoutList=Decimal(1)),
        ],
    )

    (row,) = unit_cost(daily, [], metric=Metric.LIST).rows

    assert row.per_million(Metric.BILLED) == Decimal(2)
    assert row.per_million(Metric.EFFECTIVE) == Decimal("1.5")
    assert row.cost_per_million is None
    assert row.reason == "list cost is not known for 1 USD of billed cost"
    assert row.costs.list_known_share == Decimal("0.75")


def test_a_known_list_cost_gives_a_list_price(engine: Engine) -> None:
    daily = engine.table("daily_tokens", [tokens("3", "1000000", ListCost=Decimal(4))])

    (row,) = unit_cost(daily, [], metric=Metric.LIST).rows

    assert row.cost_per_million == Decimal(4)
    assert row.costs.list_known_share == Decimal(1)


def test_an_unknown_list_cost_of_a_free_charge_is_still_unknown(engine: Engine) -> None:
    daily = engine.table("daily_tokens", [tokens("0", "1000000", ListCost=None, BilledWithoutList=Decimal(0))])

    (row,) = unit_cost(daily, []).rows

    assert row.per_million(Metric.BILLED) == Decimal(0)
    assert row.per_million(Metric.LIST) is None


def test_currencies_are_priced_apart(engine: Engine) -> None:
    daily = engine.table("daily_tokens", [tokens("3", "1000000"), tokens("4", "1000000", BillingCurrency="EUR")])

    assert {r.currency: r.cost_per_million for r in unit_cost(daily, ["model"]).rows} == {
        "USD": Decimal(3),
        "EUR": Decimal(4),
    }


def test_the_trend_by_month_and_the_period(engine: Engine) -> None:
    rows = [
        tokens("4", "1000000", ChargeDate=date(2026, 6, 30)),
        tokens("3", "1000000"),
        tokens("1", "1000000", ChargeDate=date(2026, 7, 31)),
        tokens("9", "1000000", ChargeDate=date(2026, 8, 1)),
    ]
    daily = engine.table("daily_tokens", rows)

    table = unit_cost(daily, ["month"], end=date(2026, 8, 1))

    assert [(r.record()["month"], r.cost_per_million) for r in table.rows] == [
        ("2026-06", Decimal(4)),
        ("2026-07", Decimal(2)),
    ]


def test_every_dimension_groups(engine: Engine) -> None:
    daily = engine.table("daily_tokens", [tokens("3", "1000000", x_ServiceTier="batch", x_ServingRegion="Global")])
    by = [*DIMENSIONS, "token-type", "day", "month"]

    (row,) = unit_cost(daily, by).rows

    assert list(row.dimensions) == by
    assert row.dimensions["tier"] == "batch"
    assert row.dimensions["region"] == "Global"
    assert row.dimensions["day"] == ONE
    assert row.cost_per_million == Decimal(3)


def test_the_record_is_plain_json(engine: Engine) -> None:
    daily = engine.table("daily_tokens", [tokens("3", "2000000"), tokens("1", None, x_Unmapped="unit not known: Zap")])

    (row,) = unit_cost(daily, ["model"]).rows

    assert row.record() == {
        "model": "gpt-5.5",
        "currency": "USD",
        "tokens": "2000000",
        "tokens_from_usage": "0",
        "billed_cost": "3",
        "effective_cost": "3",
        "list_cost": "3",
        "list_known_share": "1",
        "charges": 1,
        "metric": "billed",
        "cost_per_million": "1.5",
        "billed_per_million": "1.5",
        "effective_per_million": "1.5",
        "list_per_million": "1.5",
        "reason": None,
        "cost_without_tokens": "1",
        "without_tokens": [{"reason": "unit not known: Zap", "cost": "1", "charges": 1}],
    }


def test_an_unknown_dimension_is_refused_with_the_known_ones(duckdb_engine: Engine) -> None:
    with pytest.raises(ValueError, match=r"'modle'; known dimensions are model, .*token-type, day, month"):
        unit_cost(duckdb_engine.table("daily_tokens", []), ["modle"])


def test_names_of_columns_are_those_of_the_ledger() -> None:
    assert set(DIMENSIONS.values()) <= {c.name for c in DAILY_TOKENS}
    assert {name for columns in KINDS.values() for name in columns} <= {c.name for c in USAGE}


# Tokens from usage


def test_usage_gives_the_tokens_that_the_bill_does_not_state(engine: Engine) -> None:
    bill = [
        tokens("5", None, x_Unmapped="the bill states no token quantity: gpt-5.5, input"),
        tokens("1", None, "Input", "Read"),
        tokens("4", None, "Input", "Write"),
        tokens("30", None, "Output", None),
    ]
    usage = [
        used(
            InputUncachedTokens=1_000_000,
            CacheReadTokens=2_000_000,
            CacheWriteTokens=100_000,
            CacheWrite5mTokens=1,
            CacheWrite30mTokens=300_000,
            CacheWrite1hTokens=2,
            CacheWrite12hTokens=399_997,
            OutputTokens=3_000_000,
        )
    ]

    table = joined(engine, bill, usage, "token-type")

    assert prices(table, "token-type") == [
        ("Output", Decimal(3_000_000), Decimal(10)),
        ("Input, Uncached", Decimal(1_000_000), Decimal(5)),
        ("Input, Write", Decimal(800_000), Decimal(5)),
        ("Input, Read", Decimal(2_000_000), Decimal("0.5")),
    ]
    assert all(r.tokens_from_usage == r.tokens and not r.gaps for r in table.rows)


def test_tokens_of_the_bill_are_never_added_to(engine: Engine) -> None:
    table = joined(engine, [tokens("5", "1000000")], [used(InputUncachedTokens=999)], "model")

    assert prices(table, "model") == [("gpt-5.5", Decimal(1_000_000), Decimal(5))]
    assert table.rows[0].tokens_from_usage == Decimal(0)


def test_a_key_with_some_tokens_on_the_bill_gets_none_from_usage(engine: Engine) -> None:
    bill = [tokens("5", "1000000", x_ContextWindow="Short"), tokens("8", None, x_ContextWindow="Long")]

    (row,) = joined(engine, bill, [used(InputUncachedTokens=1_500_000)], "model").rows

    assert (row.tokens, row.cost_per_million) == (Decimal(1_000_000), Decimal(5))
    assert [(g.reason, g.costs.billed) for g in row.gaps] == [(BILLED_ALREADY, Decimal(8))]


def test_charges_that_share_a_key_share_its_tokens_once(engine: Engine) -> None:
    bill = [
        tokens("5", None, x_ContextWindow="Short", x_ModelFamily="GPT"),
        tokens("7", None, x_ContextWindow="Long", x_ModelFamily="GPT"),
    ]

    (row,) = joined(engine, bill, [used(InputUncachedTokens=6_000_000)], "model", "context", "family").rows

    assert (row.tokens, row.cost_per_million, row.costs.charges) == (Decimal(6_000_000), Decimal(2), 2)
    assert row.dimensions == {"model": "gpt-5.5", "context": None, "family": "GPT"}


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"ModelId": "gpt-5.5-mini"},
        {"ModelVersion": "2026-04-23"},
        {"ServiceProviderName": "Azure"},
        {"when": date(2026, 7, 2)},
        {"InputUncachedTokens": 0},
        {"InputUncachedTokens": None, "OutputTokens": 5},
    ],
)
def test_without_usage_for_the_key_the_cost_stays_without_tokens(engine: Engine, elsewhere: dict[str, Any]) -> None:
    usage = [used(**{"InputUncachedTokens": 1_000_000} | elsewhere)]

    (row,) = joined(engine, [tokens("5", None)], usage, "model").rows

    assert row.cost_per_million is None
    assert [(g.reason, g.costs.billed) for g in row.gaps] == [(NO_USAGE, Decimal(5))]


def test_without_any_usage_every_cost_is_kept(engine: Engine) -> None:
    (row,) = joined(engine, [tokens("5", None), tokens("2", None, None, None, x_Unmapped="why")], []).rows

    assert [(g.reason, g.costs.billed) for g in row.gaps] == [(NO_USAGE, Decimal(5)), ("why", Decimal(2))]


def test_tiers_meet_where_both_sides_name_them(engine: Engine) -> None:
    bill = [tokens("5", None, x_ServiceTier="standard"), tokens("1", None, x_ServiceTier="batch")]
    usage = [
        used(InputUncachedTokens=1_000_000, ServiceTier="standard"),
        used(InputUncachedTokens=500_000, ServiceTier="batch"),
        used(InputUncachedTokens=77, ServiceTier="flex"),
    ]

    assert prices(joined(engine, bill, usage, "tier"), "tier") == [
        ("standard", Decimal(1_000_000), Decimal(5)),
        ("batch", Decimal(500_000), Decimal(2)),
    ]


def test_a_bill_that_names_no_tier_meets_the_sum_over_tiers(engine: Engine) -> None:
    usage = [
        used(InputUncachedTokens=1_000_000, ServiceTier="standard"),
        used(InputUncachedTokens=3_000_000, ServiceTier="batch"),
    ]

    assert prices(joined(engine, [tokens("8", None)], usage, "tier"), "tier") == [
        (None, Decimal(4_000_000), Decimal(2))
    ]


def test_usage_that_names_no_tier_meets_the_sum_over_the_bills_tiers(engine: Engine) -> None:
    bill = [tokens("5", None, x_ServiceTier="standard"), tokens("1", None, x_ServiceTier="batch")]

    assert prices(joined(engine, bill, [used(InputUncachedTokens=3_000_000)], "tier"), "tier") == [
        (None, Decimal(3_000_000), Decimal(2))
    ]


def test_a_charge_without_tier_beside_others_with_one_is_not_joined(engine: Engine) -> None:
    bill = [tokens("5", None), tokens("6", None, x_ServiceTier="priority")]
    usage = [
        used(InputUncachedTokens=1_000_000, ServiceTier="priority"),
        used(InputUncachedTokens=3_000_000, ServiceTier="batch"),
    ]

    priority, other = sorted(joined(engine, bill, usage, "tier").rows, key=lambda r: str(r.dimensions["tier"]))[::-1]

    assert (priority.dimensions["tier"], priority.cost_per_million) == ("priority", Decimal(6))
    assert [(g.reason, g.costs.billed) for g in other.gaps] == [(TIER_NOT_BILLED, Decimal(5))]


def test_usage_that_names_the_tier_of_a_part_is_not_joined(engine: Engine) -> None:
    bill = [tokens("6", None, x_ServiceTier="batch")]
    usage = [used(InputUncachedTokens=1_000_000, ServiceTier="batch"), used(InputUncachedTokens=1_000_000)]

    (row,) = joined(engine, bill, usage).rows

    assert row.cost_per_million is None
    assert [g.reason for g in row.gaps] == [TIER_NOT_USED]


def test_provisioned_throughput_is_neither_priced_by_usage_nor_lends_its_tokens(engine: Engine) -> None:
    bill = [tokens("900", None, x_ServiceTier="provisioned"), tokens("4", None)]
    usage = [
        used(InputUncachedTokens=5_000_000, ServiceTier="provisioned"),
        used(InputUncachedTokens=2_000_000, ServiceTier="standard"),
    ]

    (row,) = joined(engine, bill, usage).rows

    assert (row.tokens, row.cost_per_million) == (Decimal(2_000_000), Decimal(2))
    assert [(g.reason, g.costs.billed) for g in row.gaps] == [(PROVISIONED, Decimal(900))]


def test_accounts_meet_where_both_sides_name_them(engine: Engine) -> None:
    bill = [tokens("5", None, SubAccountId="proj_a"), tokens("6", None, SubAccountId="proj_b")]
    usage = [
        used(InputUncachedTokens=1_000_000, SubAccountId="proj_a", x_Connection="openai-a"),
        used(InputUncachedTokens=2_000_000, SubAccountId="proj_b", x_Connection="openai-b"),
    ]

    assert prices(joined(engine, bill, usage, "account"), "account") == [
        ("proj_b", Decimal(2_000_000), Decimal(3)),
        ("proj_a", Decimal(1_000_000), Decimal(5)),
    ]


def test_an_account_that_one_side_does_not_name_is_summed_over(engine: Engine) -> None:
    bill = [tokens("5", None, SubAccountId="proj_a"), tokens("7", None, SubAccountId="proj_b")]

    assert prices(joined(engine, bill, [used(InputUncachedTokens=3_000_000)], "account"), "account") == [
        (None, Decimal(3_000_000), Decimal(4))
    ]


def test_a_bill_that_names_some_accounts_meets_the_sum_over_accounts(engine: Engine) -> None:
    bill = [tokens("5", None, SubAccountId="proj_a"), tokens("7", None)]
    usage = [
        used(InputUncachedTokens=1_000_000, SubAccountId="proj_a"),
        used(InputUncachedTokens=2_000_000, SubAccountId="proj_b"),
    ]

    assert prices(joined(engine, bill, usage, "account"), "account") == [(None, Decimal(3_000_000), Decimal(4))]


@pytest.mark.parametrize("second", [{"Grain": "hour"}, {"x_Connection": "gateway"}])
def test_usage_that_may_hold_tokens_twice_is_not_taken(engine: Engine, second: dict[str, Any]) -> None:
    usage = [used(InputUncachedTokens=1_000_000), used(InputUncachedTokens=1_000_000) | second]

    (row,) = joined(engine, [tokens("5", None)], usage).rows

    assert row.cost_per_million is None
    assert [g.reason for g in row.gaps] == [SEVERAL_SOURCES]


def test_a_request_log_beside_a_report_adds_no_tokens(engine: Engine) -> None:
    log = used(InputUncachedTokens=400_000, Grain="request", x_Connection="file:usage-file")

    beside = joined(engine, [tokens("5", None)], [used(InputUncachedTokens=1_000_000), log]).rows[0]
    alone = joined(engine, [tokens("5", None)], [log]).rows[0]

    assert (beside.tokens, beside.cost_per_million) == (Decimal(1_000_000), Decimal(5))
    assert (alone.tokens, alone.cost_per_million) == (Decimal(400_000), Decimal("12.5"))


def test_tokens_are_not_split_between_currencies(engine: Engine) -> None:
    bill = [tokens("5", None), tokens("6", None, BillingCurrency="EUR")]

    table = joined(engine, bill, [used(InputUncachedTokens=1_000_000)])

    assert [(r.currency, r.cost_per_million, [g.reason for g in r.gaps]) for r in table.rows] == [
        ("EUR", None, [SEVERAL_CURRENCIES]),
        ("USD", None, [SEVERAL_CURRENCIES]),
    ]


def test_hours_of_usage_add_up_to_the_day_in_utc(engine: Engine) -> None:
    usage = [
        used(Grain="hour", UsagePeriodStart=datetime(2026, 7, 1, hour, tzinfo=UTC), InputUncachedTokens=1_000_000)
        for hour in (0, 23)
    ] + [used(Grain="hour", UsagePeriodStart=datetime(2026, 7, 2, tzinfo=UTC), InputUncachedTokens=5)]

    assert prices(joined(engine, [tokens("4", None)], usage)) == [(Decimal(2_000_000), Decimal(2))]


# Properties

money = st.decimals(min_value=0, max_value=10**9, places=18, allow_nan=False, allow_infinity=False)
counts = st.integers(1, 10**12)
bills = st.lists(
    st.builds(
        lambda billed, count, action, model: tokens(
            "0", None, "Input", action, BilledCost=billed, Tokens=count and Decimal(count), x_ModelId=model
        ),
        money,
        st.none() | counts,
        st.sampled_from(["Uncached", "Read", "Write"]),
        st.sampled_from(["gpt-5.5", "gpt-5.5-mini"]),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=12, deadline=None)
@given(rows=bills, by=st.lists(st.sampled_from(["model", "token-type", "day", "tier"]), unique=True))
def test_any_grouping_adds_up_to_the_total(engine: Engine, rows: list[dict[str, Any]], by: list[str]) -> None:
    table = unit_cost(engine.table("daily_tokens", rows), by)

    assert total(r.tokens for r in table.rows) == total(r["Tokens"] or Decimal(0) for r in rows)
    with_tokens = total(r.costs.billed for r in table.rows)
    without = total(g.costs.billed for r in table.rows for g in r.gaps)
    assert with_tokens == total(r["BilledCost"] for r in rows if r["Tokens"] is not None)
    assert without == total(r["BilledCost"] for r in rows if r["Tokens"] is None)


@settings(max_examples=5, deadline=None)
@given(rows=bills, count=counts)
def test_usage_never_changes_cost_nor_the_order_of_rows(engine: Engine, rows: list[dict[str, Any]], count: int) -> None:
    usage = [used(InputUncachedTokens=count, CacheReadTokens=count)]

    forward, backward = joined(engine, rows, usage, "model"), joined(engine, rows[::-1], usage, "model")

    assert forward == backward
    everything = total(total((r.costs.billed, *(g.costs.billed for g in r.gaps))) for r in forward.rows)
    assert everything == total(r["BilledCost"] for r in rows)
    assert total(r.tokens_from_usage for r in forward.rows) in {Decimal(0), Decimal(count), Decimal(2 * count)}


@given(cost=money, thousands=counts)
def test_a_bill_in_millions_costs_what_a_bill_in_thousands_does(cost: Decimal, thousands: int) -> None:
    in_thousands = Decimal(thousands) * 1000
    in_millions = (Decimal(thousands) / 1000) * 1_000_000

    assert per_million(cost, in_thousands) == per_million(cost, in_millions)
