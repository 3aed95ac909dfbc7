from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.bridge import Bridge, Part, combined
from analysis.change import DIMENSIONS, ChangeTable, change, previous
from analysis.change_items import NOT_POSITIVE, Item, Side, bridges
from analysis.change_sums import ITEM, NO_TOKENS
from analysis.period import Period
from analysis.result import Metric, total
from connectors.importing import import_files
from ledger.tables import DAILY_SPEND, DAILY_TOKEN_COSTS
from sample_data import files
from tests.ledgers import open_lake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.lake import Lake
    from tests.engines import Engine

#: Registered by name before it is imported, so that its assertions are rewritten.
pytest_plugins = ("tests.engines",)
#: Ibis 12 calls a method that DuckDB 1.5 renames.
pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

JUNE = Period(date(2026, 6, 1), date(2026, 7, 1))
#: As many days as June.
JULY = Period(date(2026, 7, 1), date(2026, 7, 31))
NOTHING = Side()


def side(tokens: str, cost: str, commitment: str = "0", credit: str = "0") -> Side:
    return Side(Decimal(tokens), Decimal(cost), Decimal(commitment), Decimal(credit))


def item(
    model: str | None, before: Side, after: Side, *, gap: str | None = None, currency: str = "USD", **more: str
) -> Item:
    dimensions = dict.fromkeys(ITEM) | {"provider": "OpenAI", "account": "assistant", "model": model} | more
    return Item(currency, dimensions, gap, before, after)


def parts(bridge: Bridge) -> dict[str, Decimal]:
    """The parts that are not 0."""
    return {str(part): amount for part, amount in bridge.parts.items() if amount}


def one(*items: Item, days: tuple[int, int] = (30, 30)) -> list[dict[str, Decimal]]:
    return [parts(bridge) for _, bridge in bridges(items, *days)]


# The golden case, by hand. One project, two models, 30 days each:
#
#            tokens      price       cost         share of the project
#   large    100 -> 60   10          1000 -> 600  0.25 -> 0.1
#   small    300 -> 540  2 -> 1.5    600 -> 810   0.75 -> 0.9
#   all      400 -> 600              1600 -> 1410
#
# large: the price stands still, so the other two factors share alike:
#   volume (600 - 400) x (0.25 + 0.1)/2 x 10 = 350;  mix (0.1 - 0.25) x (400 + 600)/2 x 10 = -750
# small: of three factors each has 1/3 at either corner and 1/6 at the mixed ones:
#   volume 200 x (0.75 x 2 / 3 + (0.75 x 1.5 + 0.9 x 2)/6 + 0.9 x 1.5 / 3) = 200 x 1.4375 = 287.5
#   mix    0.15 x (400 x 2 / 3 + (400 x 1.5 + 600 x 2)/6 + 600 x 1.5 / 3) = 0.15 x 866.666... = 130
#   rate   -0.5 x (300 / 3 + (400 x 0.9 + 600 x 0.75)/6 + 540 / 3) = -0.5 x 415 = -207.5
LARGE = item("large", side("100", "1000"), side("60", "600"))
SMALL = item("small", side("300", "600"), side("540", "810"))


def test_golden_case() -> None:
    assert one(LARGE, SMALL) == [
        {"volume": Decimal(350), "mix_within": Decimal(-750)},
        {"volume": Decimal("287.5"), "mix_within": Decimal(130), "rate": Decimal("-207.5")},
    ]


def test_new_and_gone_models_leave_the_others_alone() -> None:
    new = item("new", NOTHING, side("200", "80"))
    gone = item("gone", side("50", "250"), NOTHING)

    assert one(LARGE, new, SMALL, gone) == [
        one(LARGE, SMALL)[0],
        {"new": Decimal(80)},
        one(LARGE, SMALL)[1],
        {"gone": Decimal(-250)},
    ]


def test_a_new_token_type_of_a_model_is_mix_and_never_price() -> None:
    # 100 tokens at 3 become 60 at 3 and 40 cached ones at 0.3.
    fresh = item("large", side("100", "300"), side("60", "180"))
    cached = item("large", NOTHING, side("40", "12"), direction="Input")

    assert one(fresh, cached) == [{"mix_within": Decimal(-120)}, {"mix_within": Decimal(12)}]


def test_tokens_that_move_between_projects_are_no_volume() -> None:
    dear = item("large", side("100", "1000"), side("50", "500"))
    cheap = item("small", side("100", "100"), side("150", "150"), account="search")

    assert one(dear, cheap) == [{"mix_between": Decimal(-500)}, {"mix_between": Decimal(50)}]


def test_a_longer_period_is_no_growth() -> None:
    assert one(item("large", side("28", "280"), side("31", "310")), days=(28, 31)) == [{"days": Decimal(30)}]


def test_a_price_of_zero_is_a_price() -> None:
    assert one(item("free", side("10", "0"), side("20", "0"))) == [{}]
    assert one(item("free", side("10", "0"), side("10", "5"))) == [{"rate": Decimal(5)}]


def test_cost_without_quantity_is_a_plain_difference() -> None:
    unknown = item("large", side("0", "7"), side("0", "9.5"), gap="the unit is not known")

    assert one(unknown) == [{"without_quantity": Decimal("2.5")}]
    assert unknown.reason == "the unit is not known"


@pytest.mark.parametrize("wrong", [side("-5", "1"), side("0", "1"), side("-5", "0")])
def test_tokens_that_corrections_used_up_make_no_price(wrong: Side) -> None:
    corrected = item("large", wrong, side("10", "4"))

    ((_, bridge),) = bridges([corrected], 30, 30)

    assert parts(bridge) == {"without_quantity": total((Decimal(4), wrong.cost.copy_negate()))}
    assert corrected.reason == NOT_POSITIVE


def test_commitments_and_credits_stand_apart_from_the_price() -> None:
    # 3 a token throughout; the commitment takes 40 off the second period, a credit 30 off the first.
    tokens = item("large", side("100", "270", credit="-30"), side("100", "260", commitment="-40"))

    assert one(tokens) == [{"commitment": Decimal(-40), "credit": Decimal(30)}]


def test_currencies_do_not_touch() -> None:
    euros = item("large", side("1000", "1"), side("9000", "9"), currency="EUR")

    assert one(LARGE, euros, SMALL) == [one(LARGE, SMALL)[0], {"volume": Decimal(8)}, one(LARGE, SMALL)[1]]


AMOUNTS = st.decimals(min_value=-(10**9), max_value=10**9, places=18)
TOKENS = st.one_of(st.just(Decimal(0)), st.decimals(min_value=-5, max_value=10**12, places=6))
SIDES = st.one_of(st.just(NOTHING), st.builds(Side, TOKENS, AMOUNTS, st.just(Decimal(0)) | AMOUNTS, AMOUNTS))


@st.composite
def any_items(draw: st.DrawFn) -> list[Item]:
    names = st.sampled_from(["a", "b", None])
    return draw(
        st.lists(
            st.builds(
                item,
                names,
                SIDES,
                SIDES,
                gap=st.sampled_from([None, None, None, "unknown unit"]),
                currency=st.sampled_from(["USD", "USD", "EUR"]),
                account=st.sampled_from(["x", "y"]),
                direction=st.sampled_from(["Input", "Output"]),
            ),
            max_size=12,
        )
    )


DAYS = st.tuples(st.integers(1, 366), st.integers(1, 366))


@settings(deadline=None)
@given(any_items(), DAYS)
def test_parts_add_up_at_every_level(items: list[Item], days: tuple[int, int]) -> None:
    explained = bridges(items, *days)

    for _, bridge in explained:
        assert total(bridge.parts.values()) == bridge.difference
    for level in (lambda i: i.model, lambda i: i.project, lambda i: i.currency, lambda _: None):
        groups = {key: [b for i, b in explained if level(i) == key] for key in {level(i) for i, _ in explained}}
        parents = [combined(members) for members in groups.values()]
        for parent in parents:
            assert total(parent.parts.values()) == parent.difference
        assert combined(parents) == combined(b for _, b in explained)


@settings(deadline=None)
@given(any_items(), DAYS)
def test_exchanging_the_periods_negates_every_part(items: list[Item], days: tuple[int, int]) -> None:
    turned = [replace(i, before=i.after, after=i.before) for i in items]
    renamed = {Part.NEW: Part.GONE, Part.GONE: Part.NEW}

    for (_, there), (_, back) in zip(bridges(items, *days), bridges(turned, *days[::-1]), strict=True):
        assert {part: amount.copy_negate() for part, amount in there.parts.items()} == {
            renamed.get(part, part): amount for part, amount in back.parts.items()
        }


@settings(deadline=None)
@given(any_items(), DAYS, st.randoms(use_true_random=False))
def test_the_order_of_items_has_no_effect(items: list[Item], days: tuple[int, int], random: Any) -> None:
    shuffled = list(enumerate(items))
    random.shuffle(shuffled)

    found = {
        at: bridge for (at, _), (_, bridge) in zip(shuffled, bridges([i for _, i in shuffled], *days), strict=True)
    }

    assert [found[at] for at in range(len(items))] == [bridge for _, bridge in bridges(items, *days)]


@settings(deadline=None)
@given(any_items(), DAYS)
def test_tokens_counted_in_thousands_or_millions_change_nothing(items: list[Item], days: tuple[int, int]) -> None:
    def counted(one_side: Side, exponent: int) -> Side:
        return replace(one_side, tokens=Decimal(str(one_side.tokens) + f"e{exponent}"))

    plainly = [bridge for _, bridge in bridges(items, *days)]
    for exponent in (-3, -6):
        rescaled = [replace(i, before=counted(i.before, exponent), after=counted(i.after, exponent)) for i in items]
        assert [bridge for _, bridge in bridges(rescaled, *days)] == plainly


def charges(when: str, cost: str, tokens: str | None = None, **more: Any) -> dict[str, Any]:
    """One row of either rollup."""
    return {
        "ChargeDate": date.fromisoformat(when),
        "ServiceProviderName": "OpenAI",
        "ServiceName": "OpenAI API",
        "SubAccountId": "assistant",
        "BillingCurrency": "USD",
        "Tokens": None if tokens is None else Decimal(tokens),
        "TokensReason": "no quantity" if tokens is None else None,
        "BilledCost": Decimal(cost),
        "EffectiveCost": Decimal(cost),
        "Charges": 1,
        "ChargesWithoutEffective": 0,
        "ChargesWithoutContracted": 0,
        "x_Connection": "openai",
        "x_LoadId": "l1",
    } | more


#: The golden case over several days; a token type without quantity; a database; a credit; a fee.
TOKEN_ROWS = [
    charges("2026-06-01", "400", "40", x_ModelId="large"),
    charges("2026-06-30", "600", "60", x_ModelId="large"),
    charges("2026-07-01", "600", "60", x_ModelId="large"),
    charges("2026-06-15", "600", "300", x_ModelId="small"),
    charges("2026-07-30", "810", "540", x_ModelId="small"),
    charges("2026-06-02", "5", x_ModelId="large"),
    charges("2026-07-02", "6.5", x_ModelId="large"),
    # Neither period.
    charges("2026-05-31", "1000", "1", x_ModelId="large"),
    charges("2026-07-31", "1000", "1", x_ModelId="large"),
]
OTHER_ROWS = [
    charges("2026-06-03", "11", ServiceProviderName="AWS", ServiceName="Amazon RDS", SubAccountId="prod"),
    charges("2026-07-03", "12", ServiceProviderName="AWS", ServiceName="Amazon RDS", SubAccountId="prod"),
    charges("2026-07-03", "-50", CreditBilled=Decimal(-50), CreditEffective=Decimal(-50)),
    charges("2026-07-04", "30", EffectiveCost=Decimal(0), CommitmentBilled=Decimal(30), CommitmentEffective=Decimal(0)),
    charges("2026-07-05", "2", BillingCurrency="EUR"),
]


def asked(engine: Engine, by: tuple[str, ...] = (), metric: Metric = Metric.BILLED, **periods: Period) -> ChangeTable:
    spend = {c.name for c in DAILY_SPEND}
    tokens = {c.name for c in DAILY_TOKEN_COSTS} - {"TokensFrom", "TokensReason"}

    def only(rows: list[dict[str, Any]], names: set[str]) -> list[dict[str, Any]]:
        return [{name: value for name, value in row.items() if name in names} for row in rows]

    return change(
        engine.table("daily_spend", only([*TOKEN_ROWS, *OTHER_ROWS], spend)),
        engine.table("daily_tokens", only(TOKEN_ROWS, tokens)),
        engine.table("daily_token_costs", TOKEN_ROWS),
        **({"before": JUNE, "after": JULY} | periods),
        by=by,
        metric=metric,
    )


def test_rollups_give_the_golden_case(engine: Engine) -> None:
    table = asked(engine, ("model",))
    found = {(row.currency, row.dimensions["model"]): parts(row.bridge) for row in table.rows}

    assert found == {
        ("USD", "large"): {
            "volume": Decimal(350),
            "mix_within": Decimal(-750),
            "without_quantity": Decimal("1.5"),
        },
        ("USD", "small"): {"volume": Decimal("287.5"), "mix_within": Decimal(130), "rate": Decimal("-207.5")},
        ("USD", None): {"without_quantity": Decimal(1), "commitment": Decimal(30), "credit": Decimal(-50)},
        ("EUR", None): {"without_quantity": Decimal(2)},
    }
    assert [(row.currency, row.bridge.before, row.bridge.after) for row in table.totals] == [
        ("EUR", Decimal(0), Decimal(2)),
        ("USD", Decimal(1616), Decimal("1408.5")),
    ]
    assert [(row.tokens_before, row.tokens_after) for row in table.totals][1] == (Decimal(400), Decimal(600))


def test_effective_cost_has_its_own_commitment(engine: Engine) -> None:
    (_, dollars) = asked(engine, metric=Metric.EFFECTIVE).totals

    assert dollars.bridge.after == Decimal("1378.5")
    assert dollars.bridge.part(Part.COMMITMENT) == 0
    assert dollars.bridge.part(Part.CREDIT) == Decimal(-50)


def test_cost_without_quantity_is_listed_with_its_reason(engine: Engine) -> None:
    assert [(c.currency, c.reason, c.before, c.after) for c in asked(engine).without_quantity] == [
        ("EUR", NO_TOKENS, Decimal(0), Decimal(2)),
        ("USD", "no quantity", Decimal(5), Decimal("6.5")),
        ("USD", NO_TOKENS, Decimal(11), Decimal(12)),
    ]


def test_days_without_charges_are_told(engine: Engine) -> None:
    assert asked(engine).notes == (
        "AWS has charges on 1 of the 30 days from 2026-06-01 to 2026-06-30.",
        "AWS has charges on 1 of the 30 days from 2026-07-01 to 2026-07-30.",
        "OpenAI has charges on 4 of the 30 days from 2026-06-01 to 2026-06-30.",
        "OpenAI has charges on 6 of the 30 days from 2026-07-01 to 2026-07-30.",
        "Days that were not loaded look like cost that is gone, or new in the other period.",
    )


def test_a_period_that_was_never_loaded_is_refused(duckdb_engine: Engine) -> None:
    with pytest.raises(ValueError, match="no charge from 2025-06-01 to 2025-06-30; load that period"):
        asked(duckdb_engine, before=Period(date(2025, 6, 1), date(2025, 7, 1)))


def test_two_periods_without_charges_have_no_totals(duckdb_engine: Engine) -> None:
    table = asked(
        duckdb_engine,
        before=Period(date(2025, 6, 1), date(2025, 7, 1)),
        after=Period(date(2025, 7, 1), date(2025, 8, 1)),
    )

    assert (table.totals, table.rows, table.notes) == ((), (), ())


def test_what_cannot_be_asked_is_refused(duckdb_engine: Engine) -> None:
    with pytest.raises(ValueError, match="cannot be grouped by 'colour'; known dimensions are provider"):
        asked(duckdb_engine, ("colour",))
    with pytest.raises(ValueError, match="list cost counts commitments twice"):
        asked(duckdb_engine, metric=Metric.LIST)
    with pytest.raises(ValueError, match="each needs its first and its last day"):
        asked(duckdb_engine, before=Period(date(2026, 6, 1)))


def test_rows_of_every_dimension_add_up_to_the_totals(duckdb_engine: Engine) -> None:
    for name in DIMENSIONS:
        table = asked(duckdb_engine, (name,))
        for whole in table.totals:
            assert combined(r.bridge for r in table.rows if r.currency == whole.currency) == whole.bridge


def test_unknown_contracted_cost_is_told(duckdb_engine: Engine) -> None:
    rows = [charges(day, "5", ChargesWithoutContracted=1) for day in ("2026-06-01", "2026-07-01")]
    spend = duckdb_engine.table("daily_spend", [{k: v for k, v in r.items() if k[:6] != "Tokens"} for r in rows])
    empty = duckdb_engine.table("daily_tokens", []), duckdb_engine.table("daily_token_costs", [])

    table = change(spend, *empty, before=JUNE, after=JULY)

    assert table.notes[-1].startswith("2 charges with a commitment or credit have no contracted cost")


def test_the_previous_period_is_as_long_and_ends_where_this_one_begins() -> None:
    assert previous(Period(date(2026, 7, 1), date(2026, 8, 1))) == Period(date(2026, 5, 31), date(2026, 7, 1))


def test_json_carries_periods_by_their_last_day(duckdb_engine: Engine) -> None:
    record = asked(duckdb_engine, ("project",)).record()

    assert (record["before"], record["after"]) == (
        {"from": "2026-06-01", "to": "2026-06-30"},
        {"from": "2026-07-01", "to": "2026-07-30"},
    )
    assert record["rows"][0]["project"] == "assistant"
    assert record["totals"][1]["cost_after"] == "1408.5"
    assert record["totals"][1]["parts"]["volume"] == "637.5"


@pytest.fixture(scope="module")
def customer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    """The sample customer's bills of OpenAI, AWS and Google Cloud."""
    with open_lake(tmp_path_factory.mktemp("change")) as lake:
        import_files(lake, [str(f) for f in files() if any(name in str(f) for name in ("openai", "aws", "gcp"))])
        yield lake


def sample(lake: Lake, before: Period, after: Period) -> dict[tuple[str | None, ...], Bridge]:
    table = change(
        *lake.tables("daily_spend", "daily_tokens", "daily_token_costs"),
        before=before,
        after=after,
        by=("provider", "project", "model"),
    )
    return {tuple(row.dimensions[name] for name in table.by): row.bridge for row in table.rows}  # type: ignore[misc]


def test_the_vendors_price_cut_is_rate_and_of_one_model_only(customer: Lake) -> None:
    # gpt-5.6-luna costs a fifth from 2026-07-30 on; 29 days before and after.
    found = sample(customer, Period(date(2026, 7, 1), date(2026, 7, 30)), Period(date(2026, 7, 30), date(2026, 8, 28)))
    luna = found["OpenAI", "proj_synthetic_search", "gpt-5.6-luna"]

    # At the first period's tokens the cut is worth 80 % of their cost, at the second's four times what they cost now.
    worth = Decimal("0.8") * luna.before, 4 * luna.after
    assert min(worth) < -luna.part(Part.RATE) < max(worth)
    # Google Cloud states costs in millionths, so that its prices differ by rounding.
    cuts = {key for key, bridge in found.items() if abs(bridge.part(Part.RATE)) > Decimal("0.001")}
    assert cuts == {("OpenAI", "proj_synthetic_search", "gpt-5.6-luna")}


def test_routing_to_a_smaller_model_is_mix_within_the_project(customer: Lake) -> None:
    # From 2026-05-12 on, 42 % instead of 10 % of the assistant's tokens go to gpt-4.1-mini.
    found = sample(customer, Period(date(2026, 4, 1), date(2026, 5, 1)), Period(date(2026, 6, 1), date(2026, 7, 1)))
    project = combined(b for (_, project, _), b in found.items() if project == "proj_synthetic_assistant")

    assert found["OpenAI", "proj_synthetic_assistant", "gpt-5.5"].part(Part.MIX_WITHIN) < Decimal(-4000)
    assert found["OpenAI", "proj_synthetic_assistant", "gpt-4.1-mini"].part(Part.MIX_WITHIN) > Decimal(200)
    # It saved 4164.69 in June at June's tokens; the bridge values it at the mean of April's and June's.
    assert abs(project.part(Part.MIX_WITHIN) + Decimal("4164.69")) < Decimal(100)
    assert project.part(Part.RATE) == project.part(Part.NEW) == project.part(Part.GONE) == 0


def test_a_savings_plan_and_a_promotion_are_told_from_prices(customer: Lake) -> None:
    # The plan begins on 2026-04-01: in April a fee of 30 x 24 x 4.5 for what is 30 x 129.024 on demand.
    # The promotion of 3339.824346 ends the day before. 81 days before, 30 after.
    found = sample(customer, Period(date(2026, 1, 10), date(2026, 4, 1)), Period(date(2026, 4, 1), date(2026, 5, 1)))

    def of(provider: str, part: Part) -> Decimal:
        return total(bridge.part(part) for key, bridge in found.items() if key[0] == provider)

    assert of("AWS", Part.COMMITMENT) == Decimal("-630.72")
    assert of("Google Cloud", Part.CREDIT) == Decimal("3339.824346")
    # The credit of 500 on 2026-02-03.
    assert of("OpenAI", Part.CREDIT) == Decimal(500)
    assert abs(of("Google Cloud", Part.RATE)) < Decimal("0.001")
