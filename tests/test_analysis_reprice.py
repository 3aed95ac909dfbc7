from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.levers import CONTRADICTORY
from analysis.plan import AS_USED, Plan, PlanError, parse_plan
from analysis.price_list import NO_MODEL, NO_TIER, PROVISIONED
from analysis.reprice import reprice, reprice_each
from analysis.repriced import Repriced
from tests.price_tables import KNOWN, book, dollars, price, request

if TYPE_CHECKING:
    from tests.engines import Engine

pytest_plugins = ("tests.engines",)
pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

CUT = datetime(2026, 7, 30, tzinfo=UTC)
CLAUDE = {"Seller": "Anthropic", "ModelId": "claude-sonnet-4-6"}
MINI = {"ModelId": "gpt-4.1-mini"}
PRICES = [
    price("input", dollars("5")),
    price("cache_read", dollars("0.5")),
    price("output", dollars("30")),
    *(
        price(kind, dollars(of), ContextAbove=272_000)
        for kind, of in (("input", "10"), ("cache_read", "1"), ("output", "45"))
    ),
    *(price(kind, dollars(of), ServiceTier="batch") for kind, of in (("input", "2.5"), ("output", "15"))),
    *(price(kind, dollars(of), **MINI) for kind, of in (("input", "0.4"), ("cache_read", "0.1"), ("output", "1.6"))),
    *(
        price(kind, dollars(of), **CLAUDE)
        for kind, of in (
            ("input", "3"),
            ("cache_read", "0.3"),
            ("cache_write_5m", "3.75"),
            ("cache_write_1h", "6"),
            ("output", "15"),
        )
    ),
]
BOOK = book(PRICES)


def run(engine: Engine, rows: list[dict[str, Any]], plan: str | Plan = AS_USED, *by: str, **more: Any) -> Repriced:
    prices = more.pop("prices", BOOK)
    wanted = plan if isinstance(plan, Plan) else parse_plan(plan)
    return reprice(engine.table("usage", rows), prices, wanted, digest="d1", by=by, **more)


def cost(result: Repriced) -> Decimal | None:
    (row,) = result.rows
    return row.planned and row.planned.amount


# The price of every token kind


@pytest.mark.parametrize(
    ("column", "model", "expected"),
    [
        ("InputUncachedTokens", {}, "0.005"),
        ("CacheReadTokens", {}, "0.0005"),
        ("OutputTokens", {}, "0.03"),
        ("CacheWrite5mTokens", CLAUDE, "0.00375"),
        ("CacheWrite1hTokens", CLAUDE, "0.006"),
    ],
)
def test_a_thousand_tokens_of_each_kind(engine: Engine, column: str, model: dict[str, str], expected: str) -> None:
    names = {"ServiceProviderName": model["Seller"], "ModelId": model["ModelId"]} if model else {}

    result = run(engine, [request(**names, **{column: 1000})])

    assert cost(result) == Decimal(expected)
    assert result.unpriced == ()


def test_parts_of_a_count_are_not_counted_again(engine: Engine) -> None:
    prices = book(
        [
            *PRICES,
            price("input_audio", dollars("40")),
            price("output_audio", dollars("80")),
            price("cache_read_audio", dollars("2")),
        ]
    )
    row = request(
        InputUncachedTokens=1000,
        InputAudioTokens=400,
        InputImageTokens=100,
        CacheReadTokens=500,
        CacheReadAudioTokens=200,
        OutputTokens=300,
        OutputAudioTokens=50,
        ReasoningTokens=100,
    )

    result = run(engine, [row], prices=prices)

    # 600 text and image input, 400 audio; 300 cached text, 200 audio; 250 output with its reasoning, 50 audio.
    assert cost(result) == Decimal("0.003") + Decimal("0.016") + Decimal("0.00015") + Decimal("0.0004") + Decimal(
        "0.0075"
    ) + Decimal("0.004")
    assert result.tokens == 1800
    assert [(f.what, f.kinds) for f in result.priced_as if f.side == "planned"] == [
        ("input", ("input_image",)),
        ("output", ("reasoning",)),
    ]


def test_a_release_with_a_price_of_its_own_in_one_place_has_the_model_s_in_another(engine: Engine) -> None:
    zone = {"ServingRegion": "Data Zone"}
    prices = book([price("input", 7), price("input", 9, ModelVersion="2026-01-01"), price("input", 8, **zone)])

    def paid(**more: str) -> Decimal | None:
        return cost(run(engine, [request(InputUncachedTokens=1000, **more)], prices=prices))

    assert paid(ModelVersion="2026-01-01") == Decimal("0.000000009")
    assert paid(ModelVersion="2026-01-01", **zone) == Decimal("0.000000008")
    assert paid(ModelVersion="2026-02-02") == Decimal("0.000000007")


def test_audio_is_not_taken_for_text(engine: Engine) -> None:
    result = run(engine, [request(InputUncachedTokens=1000, InputAudioTokens=400)])

    assert cost(result) == Decimal("0.003")
    (found,) = [f for f in result.unpriced if f.side == "planned"]
    assert (found.tokens, found.kinds) == (Decimal(400), ("input_audio",))
    assert "no standard price of input audio tokens" in found.what


def test_a_fee_for_each_request(engine: Engine) -> None:
    prices = book([*PRICES, price("request", 14_000_000_000)])

    result = run(engine, [request(InputUncachedTokens=1_000), request(Requests=2)], prices=prices)

    # 3 requests of 1.4 cents, 1,000 tokens of 0.0005 cents
    assert cost(result) == Decimal("0.047")
    assert (result.tokens, result.requests) == (Decimal(1000), Decimal(3))


def test_parts_that_are_more_than_the_whole_have_no_price(engine: Engine) -> None:
    result = run(engine, [request(OutputTokens=100, ReasoningTokens=200), request(OutputTokens=1000)])

    assert cost(result) == Decimal("0.03")
    assert {f.what for f in result.unpriced} == {CONTRADICTORY}


# Context steps


@pytest.mark.parametrize(
    ("step", "uncached", "cached", "expected"),
    [
        (272_000, 272_000, 0, "1.39"),
        (272_000, 272_001, 0, "2.76501"),
        (272_000, 271_000, 1_000, "1.3855"),
        (272_000, 271_000, 1_001, "2.756001"),
        (200_000, 200_000, 0, "1.03"),
        (200_000, 200_001, 0, "2.04501"),
    ],
)
def test_the_whole_request_is_dearer_above_a_step(
    engine: Engine, step: int, uncached: int, cached: int, expected: str
) -> None:
    prices = book([row | ({"ContextAbove": step} if row["ContextAbove"] else {}) for row in PRICES])
    row = request(InputUncachedTokens=uncached, CacheReadTokens=cached, OutputTokens=1000)

    result = run(engine, [row], prices=prices)

    assert cost(result) == Decimal(expected)
    assert result.unstated == ()


def day(**more: Any) -> dict[str, Any]:
    return request(datetime(2026, 7, 1, tzinfo=UTC), Grain="day", Requests=90, **more)


def test_a_day_of_unknown_contexts_is_told_at_both_prices(engine: Engine) -> None:
    result = run(engine, [day(InputUncachedTokens=1_000_000, OutputTokens=10_000)])

    (row,) = result.rows
    assert row.planned is not None
    assert (row.planned.amount, row.planned.highest) == (Decimal("5.3"), Decimal("10.45"))
    (found,) = [f for f in result.unstated if f.side == "planned"]
    assert (found.what, found.tokens, found.cost, found.other_cost) == (
        "context",
        Decimal(1_010_000),
        Decimal("5.3"),
        Decimal("10.45"),
    )


@pytest.mark.parametrize(("window", "expected"), [("Short", "5.3"), ("Long", "10.45")])
def test_a_day_that_states_its_context(engine: Engine, window: str, expected: str) -> None:
    result = run(engine, [day(InputUncachedTokens=1_000_000, OutputTokens=10_000, ContextWindow=window)])

    assert (cost(result), result.unstated) == (Decimal(expected), ())


def test_a_day_too_small_for_any_long_request_is_short(engine: Engine) -> None:
    result = run(engine, [day(InputUncachedTokens=272_000)])

    assert (cost(result), result.unstated) == (Decimal("1.36"), ())


@pytest.mark.parametrize(("window", "expected"), [("Short", "5"), ("Long", "10")])
def test_a_plan_may_state_the_context(engine: Engine, window: str, expected: str) -> None:
    result = run(engine, [day(InputUncachedTokens=1_000_000)], f'[assume]\ncontext = "{window}"')

    assert (cost(result), result.unstated) == (Decimal(expected), ())


# What has no price


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (
            {"ModelId": "gpt-5.6"},
            "the price book has no price of 'gpt-5.6' at OpenAI; similar names are gpt-5.5, gpt-4.1-mini",
        ),
        ({"ModelId": None}, NO_MODEL),
        ({"ServiceProviderName": "Openai"}, "the price book has no seller 'Openai'; it has OpenAI"),
        ({"ServiceTier": "provisioned"}, PROVISIONED),
        ({"ServiceTier": None}, NO_TIER),
        ({"ServiceTier": "flex"}, "no flex price of input tokens for this model (it has batch, standard)"),
        ({"ServingRegion": "Regional"}, "the price book has no Regional price of it, only Global"),
    ],
)
def test_what_is_not_in_the_book_is_listed_and_costs_nothing_known(
    engine: Engine, row: dict[str, Any], reason: str
) -> None:
    result = run(engine, [request(InputUncachedTokens=1000, **row)])

    assert result.rows == ()
    (planned,) = [f for f in result.unpriced if f.side == "planned"]
    assert planned.what.endswith(reason)
    assert (planned.tokens, planned.cost, planned.currency) == (Decimal(1000), None, None)
    assert result.tokens == Decimal(1000)


def test_requests_of_an_unknown_model_are_counted(engine: Engine) -> None:
    result = run(engine, [day(ModelId="nobody-knows", InputUncachedTokens=5)])

    assert {(f.side, f.requests) for f in result.unpriced} == {("used", Decimal(90)), ("planned", Decimal(90))}


def test_a_tier_or_region_that_is_not_stated_may_be_assumed_aloud(engine: Engine) -> None:
    rows = [request(InputUncachedTokens=1_000_000, ServiceTier=None, ServingRegion=None)]

    result = run(engine, rows, '[assume]\ntier = "batch"\nregion = "Global"')

    assert (cost(result), result.unpriced) == (Decimal("2.5"), ())


def test_a_region_that_is_not_stated_is_told_at_both_prices(engine: Engine) -> None:
    prices = book([*PRICES, price("input", dollars("5.5"), ServingRegion="Regional")])

    result = run(engine, [request(InputUncachedTokens=1_000, ServingRegion="eu-west-1")], prices=prices)

    (found,) = [f for f in result.unstated if f.side == "planned"]
    assert (found.what, found.cost, found.other_cost) == ("region", Decimal("0.005"), Decimal("0.0055"))


def test_rows_without_counts_are_told(engine: Engine) -> None:
    result = run(engine, [request(InputUncachedTokens=1000, OutputTokens=None), request(InputUncachedTokens=1000)])

    assert result.incomplete == 1


def test_what_is_not_counted_in_tokens_is_listed(engine: Engine) -> None:
    rows = [
        request(
            UsageKind="images",
            InputUncachedTokens=None,
            OutputTokens=None,
            OtherQuantity=Decimal("2.5"),
            OtherUnit="images",
        ),
        request(InputUncachedTokens=1000),
    ]

    result = run(engine, rows)

    assert [(o.provider, o.model, o.unit, o.quantity) for o in result.others] == [
        ("OpenAI", "gpt-5.5", "images", Decimal("2.5"))
    ]
    assert (cost(result), result.incomplete) == (Decimal("0.005"), 0)


def test_a_request_log_beside_a_report_adds_no_tokens(engine: Engine) -> None:
    result = run(engine, [day(InputUncachedTokens=1000), request(InputUncachedTokens=400)])

    assert result.tokens == Decimal(1000)


def test_no_usage(engine: Engine) -> None:
    result = run(engine, [], AS_USED, "model")

    assert (result.rows, result.tokens, result.first, result.last) == ((), Decimal(0), None, None)


# Which price holds


def test_a_price_cut_holds_from_its_first_moment(engine: Engine) -> None:
    prices = book(
        [price("input", dollars("1"), ValidTo=CUT), price("input", dollars("0.2"), ValidFrom=CUT)],
    )
    moments = [datetime(2026, 7, 29, 23, 59, 59, 999_999, tzinfo=UTC), CUT]

    result = run(engine, [request(m, InputUncachedTokens=1_000_000) for m in moments], AS_USED, "day", prices=prices)

    assert [(r.dimensions["day"], r.planned and r.planned.amount) for r in result.rows] == [
        (date(2026, 7, 29), Decimal(1)),
        (date(2026, 7, 30), Decimal("0.2")),
    ]


def test_a_price_may_change_within_a_day(engine: Engine) -> None:
    noon = datetime(2026, 7, 30, 12, 30, tzinfo=UTC)
    prices = book([price("input", dollars("1"), ValidTo=noon), price("input", dollars("0.2"), ValidFrom=noon)])
    moments = [datetime(2026, 7, 30, 12, 29, 59, tzinfo=UTC), noon]

    result = run(engine, [request(m, InputUncachedTokens=1_000_000) for m in moments], AS_USED, "day", prices=prices)

    assert [(r.dimensions["day"], r.planned and r.planned.amount) for r in result.rows] == [
        (date(2026, 7, 30), Decimal("1.2"))
    ]


def test_the_prices_of_one_date_for_all_of_the_usage(engine: Engine) -> None:
    prices = book([price("input", dollars("1"), ValidTo=CUT), price("input", dollars("0.2"), ValidFrom=CUT)])
    rows = [request(datetime(2026, month, 1, tzinfo=UTC), InputUncachedTokens=1_000_000) for month in (7, 8)]

    (row,) = run(engine, rows, "prices_at = 2026-07-30", prices=prices).rows

    assert row.used is not None
    assert row.planned is not None
    assert (row.used.amount, row.planned.amount, row.saving) == (Decimal("1.2"), Decimal("0.4"), Decimal("0.8"))


def test_a_correction_counts_from_when_it_was_known(engine: Engine) -> None:
    known = datetime(2026, 9, 1, tzinfo=UTC)
    prices = book([price("input", dollars("1")), price("input", dollars("2"), KnownFrom=known)])
    rows = [request(InputUncachedTokens=1_000_000)]

    assert cost(run(engine, rows, AS_USED, prices=prices)) == Decimal(2)
    assert cost(run(engine, rows, "known_at = 2026-08-31T23:59:59Z", prices=prices)) == Decimal(1)


def test_before_a_price_begins_there_is_none(engine: Engine) -> None:
    prices = book([price("input", dollars("1"), ValidFrom=CUT)])

    result = run(engine, [request(InputUncachedTokens=1)], prices=prices)

    assert {f.what for f in result.unpriced} == {"the price book has no price of this model on 2026-07-01"}


def test_the_negotiated_price_wins(engine: Engine) -> None:
    prices = book([*PRICES, price("input", dollars("4"), Layer="negotiated")])
    rows = [request(InputUncachedTokens=1_000_000), request(InputUncachedTokens=100_000)]

    # Also above the step at which the list has a long-context price.
    assert cost(run(engine, rows, prices=prices)) == Decimal("4.4")


def test_a_release_with_a_price_of_its_own(engine: Engine) -> None:
    prices = book([price("input", dollars("2.5")), price("input", dollars("5"), ModelVersion="2024-05-13")])
    rows = [request(InputUncachedTokens=1_000_000, ModelVersion=v) for v in ("2024-05-13", "2024-08-06", None)]

    result = run(engine, rows, AS_USED, "version", prices=prices)

    assert {r.dimensions["version"]: r.planned and r.planned.amount for r in result.rows} == {
        "2024-05-13": Decimal(5),
        "2024-08-06": Decimal("2.5"),
        None: Decimal("2.5"),
    }


def test_disputed_money_is_told_with_the_other_sources_cost(engine: Engine) -> None:
    other = {"Disputed": True, "OtherSource": "litellm", "OtherPricePico": dollars("4")}
    prices = book([price("input", dollars("5"), **other), price("output", dollars("30"))])

    result = run(engine, [request(InputUncachedTokens=1_000_000, OutputTokens=1_000_000)], prices=prices)

    (found,) = [f for f in result.disputed if f.side == "planned"]
    assert (found.what, found.kinds, found.cost, found.other_cost) == ("litellm", ("input",), Decimal(5), Decimal(4))
    assert cost(result) == Decimal(35)


def test_currencies_stay_apart(engine: Engine) -> None:
    prices = book([price("input", dollars("5")), price("input", dollars("4"), Currency="EUR", **MINI)])
    rows = [request(InputUncachedTokens=1_000_000), request(InputUncachedTokens=1_000_000, **MINI)]
    plan = (
        '[[lever]]\naction = "route"\nwhere = {model = "gpt-4.1-mini"}\nto = {provider = "OpenAI", model = "gpt-5.5"}'
    )

    used = run(engine, rows, prices=prices)
    routed = run(engine, rows, plan, prices=prices)

    assert [(r.currency, r.planned and r.planned.amount) for r in used.rows] == [
        ("USD", Decimal(5)),
        ("EUR", Decimal(4)),
    ]
    # What was paid in euros and would be paid in dollars is no saving in either.
    assert {r.currency: r.saving for r in routed.rows} == {"USD": Decimal(0), "EUR": None}


# Levers

ROUTE = """
[[lever]]
action = "route"
where = { model = "gpt-5.5" }
share = 0.3
to = { provider = "OpenAI", model = "gpt-4.1-mini" }
"""


def test_routing_a_share(engine: Engine) -> None:
    result = run(engine, [request(InputUncachedTokens=100_000, OutputTokens=1_000)], ROUTE, "model")

    rows = {r.dimensions["model"]: r for r in result.rows}
    # 0.7 x (0.5 + 0.03); 0.3 x (0.04 + 0.0016)
    assert rows["gpt-5.5"].planned is not None
    assert rows["gpt-5.5"].planned.amount == Decimal("0.371")
    mini = rows["gpt-4.1-mini"]
    assert mini.planned is not None
    assert (mini.planned.amount, mini.planned.tokens) == (Decimal("0.01248"), Decimal(30_300))
    assert mini.saving == Decimal("0.159") - Decimal("0.01248")
    assert result.pulled == (Decimal(30_300),)


def test_tokens_are_split_exactly_even_where_they_do_not_divide(engine: Engine) -> None:
    result = run(engine, [request(InputUncachedTokens=1)], ROUTE.replace("0.3", "0.333333"), "model")

    assert {r.dimensions["model"]: r.planned and r.planned.tokens for r in result.rows} == {
        "gpt-5.5": Decimal("0.666667"),
        "gpt-4.1-mini": Decimal("0.333333"),
    }


def test_caching_turns_input_into_reads_and_the_writes_they_cost(engine: Engine) -> None:
    plan = '[[lever]]\naction = "cache"\nreads = 0.45\nwrites = 0.04\nlifetime = "5m"'
    row = request(ServiceProviderName="Anthropic", ModelId="claude-sonnet-4-6", InputUncachedTokens=1_000_000)

    result = run(engine, [row], plan)

    assert {k.kind: (k.cost.tokens, k.cost.amount) for k in result.kinds} == {
        "input": (Decimal(510_000), Decimal("1.53")),
        "cache_read": (Decimal(450_000), Decimal("0.135")),
        "cache_write_5m": (Decimal(40_000), Decimal("0.15")),
    }
    assert result.rows[0].saving == Decimal(3) - Decimal("1.815")


def test_undoing_a_cache(engine: Engine) -> None:
    row = request(
        ServiceProviderName="Anthropic",
        ModelId="claude-sonnet-4-6",
        InputUncachedTokens=510_000,
        CacheReadTokens=450_000,
        CacheWrite5mTokens=40_000,
        OutputTokens=7,
    )

    result = run(engine, [row], '[[lever]]\naction = "uncache"')

    assert cost(result) == Decimal("3.000105")
    assert result.pulled == (Decimal(490_000),)


def test_a_tier_without_a_cache_takes_reads_as_input_aloud(engine: Engine) -> None:
    row = request(InputUncachedTokens=100_000, CacheReadTokens=100_000, OutputTokens=10_000)

    result = run(engine, [row], '[[lever]]\naction = "tier"\ntier = "batch"')

    # 200,000 at 2.5 and 10,000 at 15
    assert cost(result) == Decimal("0.65")
    assert [(f.side, f.what, f.kinds) for f in result.priced_as] == [("planned", "input", ("cache_read",))]


def test_metered_reads_without_a_price_are_never_taken_for_input(engine: Engine) -> None:
    result = run(engine, [request(ServiceTier="batch", CacheReadTokens=100_000)])

    assert (result.rows, {f.kinds for f in result.unpriced}) == ((), {("cache_read",)})


def test_levers_are_pulled_in_order_on_what_the_ones_before_left(engine: Engine) -> None:
    batch = '[[lever]]\naction = "tier"\nwhere = { model = "gpt-5.5" }\nshare = 0.5\ntier = "batch"\n'
    rows = [request(InputUncachedTokens=100_000)]

    routed_first = run(engine, rows, ROUTE + batch, "model", "tier")
    batched_first = run(engine, rows, batch + ROUTE, "model", "tier")

    def tokens(result: Repriced) -> dict[tuple[Any, ...], Decimal]:
        return {(r.dimensions["model"], r.dimensions["tier"]): r.planned.tokens for r in result.rows if r.planned}

    assert tokens(routed_first) == {
        ("gpt-5.5", "standard"): Decimal(35_000),
        ("gpt-5.5", "batch"): Decimal(35_000),
        ("gpt-4.1-mini", "standard"): Decimal(30_000),
    }
    # What batch holds is routed too, and there is no batch price where it goes.
    assert tokens(batched_first) == {
        ("gpt-5.5", "standard"): Decimal(35_000),
        ("gpt-5.5", "batch"): Decimal(35_000),
        ("gpt-4.1-mini", "standard"): Decimal(15_000),
    }
    assert [(f.side, f.tokens) for f in batched_first.unpriced] == [("planned", Decimal(15_000))]


def test_filters_by_project_and_tag(engine: Engine) -> None:
    plan = ROUTE.replace('{ model = "gpt-5.5" }', '{ project = ["a", "b"], tag = { "user:team" = "search" } }').replace(
        "0.3", "1"
    )
    rows = [
        request(InputUncachedTokens=1, SubAccountId="a", Tags='{"user:team": "search"}'),
        request(InputUncachedTokens=10, SubAccountId="b", Tags='{"user:team": "docs"}'),
        request(InputUncachedTokens=100, SubAccountId="c", Tags='{"user:team": "search"}'),
        request(InputUncachedTokens=1000),
    ]

    result = run(engine, rows, plan, "project", "tag:user:team")

    assert result.pulled == (Decimal(1),)
    assert {(r.dimensions["project"], r.dimensions["tag:user:team"]) for r in result.rows} == {
        ("a", "search"),
        ("b", "docs"),
        ("c", "search"),
        (None, None),
    }


def test_a_lever_that_finds_nothing_says_so(engine: Engine) -> None:
    result = run(engine, [request(InputUncachedTokens=5)], ROUTE.replace('model = "gpt-5.5"', 'model = "gpt5.5"'))

    assert result.pulled == (Decimal(0),)
    assert result.rows[0].saving == Decimal(0)


def test_routing_to_a_model_without_a_price_is_refused(engine: Engine) -> None:
    plan = ROUTE.replace("gpt-4.1-mini", "gpt-4.1-mimi")

    with pytest.raises(
        PlanError, match=r"^Lever 1 routes to a model without a price: .*similar names are gpt-4.1-mini, gpt-5.5\.$"
    ):
        run(engine, [], plan)


def test_a_saving_is_stated_for_what_has_a_price_on_both_sides_only(engine: Engine) -> None:
    """Audio has a price on one side alone: it enters neither side of the saving, though the costs are told."""
    prices = book([*PRICES, price("input_audio", dollars("40"))])
    row = request(InputUncachedTokens=2_000, InputAudioTokens=1_000)

    result = run(engine, [row], ROUTE.replace("0.3", "1"), prices=prices)

    (row_,) = result.rows
    assert row_.used is not None
    assert row_.planned is not None
    assert row_.both_used is not None
    assert (row_.used.amount, row_.planned.amount) == (Decimal("0.045"), Decimal("0.0004"))
    assert (row_.both_used.amount, row_.saving) == (Decimal("0.005"), Decimal("0.0046"))
    assert [(f.side, f.tokens) for f in result.unpriced] == [("planned", Decimal(1_000))]


def test_a_request_stays_long_where_it_is_routed_to(engine: Engine) -> None:
    plan = (
        '[[lever]]\naction = "route"\nwhere = {model = "gpt-4.1-mini"}\nto = {provider = "OpenAI", model = "gpt-5.5"}'
    )

    assert cost(run(engine, [request(InputUncachedTokens=300_000, **MINI)], plan)) == Decimal(3)


def test_several_plans_are_each_as_if_alone(engine: Engine) -> None:
    usage = engine.table("usage", [request(InputUncachedTokens=1234, SubAccountId="a"), day(OutputTokens=77, **MINI)])
    plans = [AS_USED, parse_plan(ROUTE), parse_plan('[[lever]]\naction = "tier"\ntier = "batch"')]

    together = reprice_each(usage, BOOK, plans, digest="d1", by=["model"])

    assert together == [reprice(usage, BOOK, plan, digest="d1", by=["model"]) for plan in plans]


def test_an_unknown_dimension_is_refused(engine: Engine) -> None:
    with pytest.raises(ValueError, match=r"Usage cannot be told by 'modle'; known dimensions are provider, model"):
        run(engine, [], AS_USED, "modle")


def test_the_period_of_the_usage(engine: Engine) -> None:
    rows = [request(datetime(2026, 7, n, 23, 59, tzinfo=UTC), InputUncachedTokens=10**n) for n in (1, 2, 3)]

    result = run(engine, rows, start=date(2026, 7, 2), end=date(2026, 7, 3))

    assert (result.tokens, result.first, result.last) == (Decimal(100), date(2026, 7, 2), date(2026, 7, 2))


def test_months(engine: Engine) -> None:
    rows = [request(datetime(2026, 7, n, tzinfo=UTC), InputUncachedTokens=1_000_000) for n in (1, 31)]

    result = run(engine, rows, AS_USED, "month")

    assert [r.record()["month"] for r in result.rows] == ["2026-07"]
    # Each request is above the step.
    assert cost(result) == Decimal(20)


def test_sums_beyond_64_bits(engine: Engine) -> None:
    many = 9_000_000_000_000_000

    result = run(engine, [day(InputUncachedTokens=many, ContextWindow="Short", x_LoadId=str(n)) for n in range(3)])

    assert cost(result) == Decimal(27) * 10**15 * 5 / 10**6


def test_json_has_decimal_strings(engine: Engine) -> None:
    record = run(engine, [request(InputUncachedTokens=1)], ROUTE, "model").record()

    assert record["rows"][0]["cost"] == "0.0000035"
    assert (record["tokens"], record["book_digest"], record["from"]) == ("1", "d1", "2026-07-01")
    assert record["levers"] == [{"action": "route", "tokens": "0.3"}]


# Properties

counts = st.integers(0, 10**12)
usages = st.lists(
    st.builds(
        lambda model, hour, fresh, read, out, project: request(
            datetime(2026, 7, 29 + hour // 24, hour % 24, tzinfo=UTC),
            InputUncachedTokens=fresh,
            CacheReadTokens=read,
            OutputTokens=out,
            SubAccountId=project,
            ModelId=model,
        ),
        st.sampled_from(["gpt-5.5", "gpt-4.1-mini", "unknown"]),
        st.integers(0, 47),
        counts,
        counts,
        counts,
        st.sampled_from(["a", "b", None]),
    ),
    min_size=1,
    max_size=6,
)
shares = st.integers(0, 1000).map(lambda n: f"{n / 1000:.3f}")


def expected(rows: list[dict[str, Any]], share: Fraction) -> Fraction:
    """The cost in dollars by plain fractions: a share of gpt-5.5 routed to gpt-4.1-mini."""
    total = Fraction()
    for row in rows:
        kinds = [row["InputUncachedTokens"], row["CacheReadTokens"], row["OutputTokens"]]
        long = kinds[0] + kinds[1] > 272_000
        large = [10, 1, 45] if long else [5, Fraction(1, 2), 30]
        small = [Fraction(4, 10), Fraction(1, 10), Fraction(16, 10)]
        for count, dear, cheap in zip(kinds, large, small, strict=True):
            if row["ModelId"] == "gpt-5.5":
                total += count * ((1 - share) * dear + share * cheap)
            elif row["ModelId"] == "gpt-4.1-mini":
                total += count * cheap
    return total / 10**6


@settings(max_examples=25, deadline=None)
@given(rows=usages, share=shares)
def test_costs_are_those_of_plain_fractions(duckdb_engine: Engine, rows: list[dict[str, Any]], share: str) -> None:
    result = run(duckdb_engine, rows, ROUTE.replace("0.3", share))

    assert sum(Fraction(r.planned.amount) for r in result.rows if r.planned) == expected(rows, Fraction(share))
    assert sum(Fraction(r.used.amount) for r in result.rows if r.used) == expected(rows, Fraction(0))


@settings(max_examples=20, deadline=None)
@given(rows=usages, route=shares, cache=shares, batch=shares)
def test_no_plan_loses_or_makes_a_token(
    duckdb_engine: Engine, rows: list[dict[str, Any]], route: str, cache: str, batch: str
) -> None:
    plan = ROUTE.replace("0.3", route) + (
        f'[[lever]]\naction = "cache"\nreads = {cache}\n'
        f'[[lever]]\naction = "tier"\nshare = {batch}\ntier = "batch"\n[[lever]]\naction = "uncache"\nshare = {route}\n'
    )

    result = run(duckdb_engine, rows, plan, "model")

    whole = sum(row["InputUncachedTokens"] + row["CacheReadTokens"] + row["OutputTokens"] for row in rows)
    assert result.tokens == whole
    priced = sum(Fraction(r.planned.tokens) for r in result.rows if r.planned)
    unpriced = sum(Fraction(f.tokens) for f in result.unpriced if f.side == "planned")
    assert priced + unpriced == whole


@settings(max_examples=15, deadline=None)
@given(rows=usages, share=shares, by=st.lists(st.sampled_from(["day", "model", "project", "token-kind"]), unique=True))
def test_order_of_rows_and_grouping_change_no_cost(
    duckdb_engine: Engine, rows: list[dict[str, Any]], share: str, by: list[str]
) -> None:
    plan = ROUTE.replace("0.3", share)

    forward, backward = run(duckdb_engine, rows, plan, *by), run(duckdb_engine, rows[::-1], plan, *by)

    assert forward == backward
    whole = run(duckdb_engine, rows, plan)
    assert sum(Fraction(r.planned.amount) for r in forward.rows if r.planned) == sum(
        Fraction(r.planned.amount) for r in whole.rows if r.planned
    )
    assert forward.unpriced == whole.unpriced


@settings(max_examples=10, deadline=None)
@given(count=st.integers(1, 10**9), parts=st.integers(1, 5))
def test_a_day_in_several_rows_costs_what_it_does_in_one(duckdb_engine: Engine, count: int, parts: int) -> None:
    short = {"ContextWindow": "Short"}
    one = run(duckdb_engine, [day(InputUncachedTokens=count * parts, **short)])
    several = run(duckdb_engine, [day(InputUncachedTokens=count, x_LoadId=str(n), **short) for n in range(parts)])

    assert cost(one) == cost(several)


def test_knowledge_of_prices_is_that_of_the_plan(engine: Engine) -> None:
    result = run(engine, [request(InputUncachedTokens=1000)], "known_at = 2025-12-31")

    assert datetime(2025, 12, 31, tzinfo=UTC) < KNOWN
    assert result.rows == ()
    assert {f.side for f in result.unpriced} == {"used", "planned"}
