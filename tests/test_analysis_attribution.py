from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.attribution import Attribution, PortfolioClaim, attribute, compounded, portfolio
from analysis.savings import AvoidedCost, measure_avoided_cost
from tests.savings_days import history, measured

ROUTE, CACHE, BATCH = "routing", "caching", "batch"


def halves() -> dict[frozenset[str], Fraction]:
    """Routing leaves 50 % of 100, caching 80 % of what it finds."""
    return compounded(Decimal(100), {ROUTE: Decimal("0.5"), CACHE: Decimal("0.8")})


def test_by_hand() -> None:
    """Together 60: routing first 50 then caching 10; caching first 20 then routing 40."""
    split = attribute(halves(), (ROUTE, CACHE), Decimal("60.00"))
    assert split.sequential == {ROUTE: Decimal("50.00"), CACHE: Decimal("10.00")}
    assert split.shapley == {ROUTE: Decimal("45.00"), CACHE: Decimal("15.00")}
    assert split.alone == {ROUTE: Decimal("50.00"), CACHE: Decimal("20.00")}
    assert sum(split.alone.values()) != split.total


def test_the_order_decides_the_sequential_split_only() -> None:
    split = attribute(halves(), (CACHE, ROUTE), Decimal("60.00"))
    assert split.sequential == {CACHE: Decimal("20.00"), ROUTE: Decimal("40.00")}
    assert split.shapley == {CACHE: Decimal("15.00"), ROUTE: Decimal("45.00")}


def test_the_measured_total_is_split_and_not_the_computed_one() -> None:
    """The model said 60 and 40 were measured; a third of a cent goes to the largest remainder."""
    split = attribute(halves(), (ROUTE, CACHE), Decimal("40.01"))
    assert sum(split.shapley.values()) == Decimal("40.01")
    assert split.shapley == {ROUTE: Decimal("30.01"), CACHE: Decimal("10.00")}


def test_an_intervention_that_does_nothing_gets_nothing_and_equals_get_the_same() -> None:
    left = {ROUTE: Decimal("0.5"), CACHE: Decimal(1), BATCH: Decimal("0.5")}
    split = attribute(compounded(Decimal(100), left), tuple(left), Decimal("75.00"))
    assert split.shapley == {ROUTE: Decimal("37.50"), CACHE: Decimal("0.00"), BATCH: Decimal("37.50")}


def test_a_loss_and_a_cost_are_shared_as_well() -> None:
    split = attribute(
        compounded(Decimal(100), {ROUTE: Decimal("0.5"), CACHE: Decimal("1.1")}), (ROUTE, CACHE), Decimal("-9.00")
    )
    assert sum(split.sequential.values()) == Decimal("-9.00")
    assert split.shapley[CACHE] > 0 > split.shapley[ROUTE]


def test_nothing_measured_is_split_into_nothing() -> None:
    same = {frozenset[str](): Decimal(5), frozenset({ROUTE}): Decimal(5)}
    assert attribute(same, (ROUTE,), Decimal(0)).shapley == {ROUTE: Decimal(0)}
    with pytest.raises(ValueError, match="nothing says how to split"):
        attribute(same, (ROUTE,), Decimal(1))


@pytest.mark.parametrize(
    ("order", "total", "said"),
    [
        ((), "1.00", "interventions, each of them once"),
        ((ROUTE, ROUTE), "1.00", "interventions, each of them once"),
        ((ROUTE, BATCH), "1.00", "no cost for batch"),
        ((ROUTE, CACHE), "1.001", "more than 2 fraction digits"),
        (tuple(f"i{nth}" for nth in range(13)), "1.00", "At most 12"),
    ],
)
def test_what_cannot_be_split_is_an_error(order: tuple[str, ...], total: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        attribute(halves(), order, Decimal(total))


def test_a_share_left_is_not_negative() -> None:
    with pytest.raises(ValueError, match="not negative"):
        compounded(Decimal(1), {ROUTE: Decimal(-1)})


MONEY = st.decimals(-(10**9), 10**9, places=6)
NAMES = st.integers(1, 5).map(lambda count: tuple(f"i{nth}" for nth in range(count)))


@st.composite
def worlds(draw: st.DrawFn) -> tuple[dict[frozenset[str], Decimal], tuple[str, ...], Decimal]:
    """Any cost for any set of interventions, of any sign, and any total."""
    names = draw(NAMES)
    sets = [frozenset(some) for size in range(len(names) + 1) for some in combinations(names, size)]
    costs = {some: draw(MONEY) for some in sets}
    if costs[frozenset()] == costs[frozenset(names)]:
        costs[frozenset()] += 1
    return costs, names, draw(st.decimals(-(10**9), 10**9, places=2))


@settings(max_examples=100, deadline=None)
@given(worlds())
def test_parts_add_up_to_the_last_digit(world: tuple[dict[frozenset[str], Decimal], tuple[str, ...], Decimal]) -> None:
    costs, names, total = world
    split = attribute(costs, names, total)
    assert sum(split.sequential.values()) == total
    assert sum(split.shapley.values()) == total
    assert set(split.shapley) == set(names)


@settings(max_examples=100, deadline=None)
@given(worlds())
def test_shapley_does_not_depend_on_the_order(
    world: tuple[dict[frozenset[str], Decimal], tuple[str, ...], Decimal],
) -> None:
    costs, names, total = world
    one, other = (attribute(costs, order, total, digits=2) for order in (names, tuple(reversed(names))))
    assert all(abs(one.shapley[name] - other.shapley[name]) <= Decimal("0.01") for name in names)


def claim(saved: float = 0.2) -> AvoidedCost:
    return measured(history(saved=saved))


def of(*claims: tuple[str, str, AvoidedCost]) -> list[PortfolioClaim]:
    return [PortfolioClaim(*one) for one in claims]


def width(result: AvoidedCost) -> Decimal:
    assert result.high is not None
    assert result.point is not None
    return result.high - result.point


def test_half_widths_of_independent_workloads_add_as_squares() -> None:
    one, other = claim(0.2), claim(0.1)
    result = portfolio(of(("search", "queries", one), ("support", "tickets", other)))
    assert result.point == (one.point or 0) + (other.point or 0)
    assert result.high is not None
    expected = (width(one) ** 2 + width(other) ** 2).sqrt().quantize(Decimal("0.01"))
    assert result.high - (result.point or 0) == expected
    assert (result.point or 0) - (result.low or 0) == expected
    assert result.verified
    assert "bias" in result.limits[0]


def test_one_claim_alone_keeps_its_interval() -> None:
    one = claim()
    result = portfolio(of(("search", "queries", one)))
    assert (result.point, result.low, result.high) == (one.point, one.low, one.high)


def test_a_portfolio_is_verified_only_if_all_of_it_is() -> None:
    result = portfolio(of(("search", "queries", claim()), ("support", "tickets", claim(0.0))))
    assert result.point is not None
    assert not result.verified


def test_what_has_no_sum_is_refused() -> None:
    one = claim()
    euro = measure_avoided_cost(*(frame.assign(currency="EUR") for frame in history()))
    nothing = measure_avoided_cost(*(frame.head(5).assign(currency="USD") for frame in history()))
    for claims, said in (
        ((("search", "queries", one), ("support", "queries", one)), "queries drives several"),
        ((("search", "queries", one), ("search", "tickets", one)), "search stands in it more than once"),
        ((("search", "queries", one), ("support", "tickets", euro)), "EUR and USD have no sum"),
        ((("search", "queries", one), ("support", "tickets", nothing)), "support could not be measured"),
        ((), "no claim"),
    ):
        result = portfolio(of(*claims))
        assert (result.point, result.low, result.verified) == (None, None, False)
        assert said in result.refusals[0]


def test_an_attribution_of_a_claim_shares_point_and_lower_bound() -> None:
    result = claim()
    splits: list[Attribution] = [
        attribute(halves(), (ROUTE, CACHE), amount) for amount in (result.point, result.low) if amount is not None
    ]
    assert [sum(split.shapley.values()) for split in splits] == [result.point, result.low]
