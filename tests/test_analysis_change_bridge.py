from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.bridge import MEANINGS, Bridge, Part, combined, settled, shapley

FRACTIONS = st.fractions(min_value=-1000, max_value=1000, max_denominator=50)
PAIRS = st.lists(st.tuples(FRACTIONS, FRACTIONS), min_size=1, max_size=5)
ULP = Fraction(1, 10**18)


def product(factors: list[Fraction]) -> Fraction:
    result = Fraction(1)
    for factor in factors:
        result *= factor
    return result


def split(pairs: list[tuple[Fraction, Fraction]]) -> tuple[Fraction, ...]:
    return shapley([a for a, _ in pairs], [b for _, b in pairs])


def by_every_order(pairs: list[tuple[Fraction, Fraction]]) -> list[Fraction]:
    """The definition: the mean over all orders of what each factor's change adds."""
    sums = [Fraction(0)] * len(pairs)
    orders = list(permutations(range(len(pairs))))
    for order in orders:
        now = [a for a, _ in pairs]
        for k in order:
            held = product(now)
            now[k] = pairs[k][1]
            sums[k] += product(now) - held
    return [value / len(orders) for value in sums]


def test_two_factors_share_what_both_changed() -> None:
    # Price 2 to 3, quantity 10 to 20: 20 to 60. Price alone adds 10, quantity alone 20, both together 10 more.
    assert shapley([Fraction(2), Fraction(10)], [Fraction(3), Fraction(20)]) == (15, 25)


@given(PAIRS)
def test_the_closed_form_is_the_mean_over_every_order(pairs: list[tuple[Fraction, Fraction]]) -> None:
    assert list(split(pairs)) == by_every_order(pairs)


@given(PAIRS)
def test_exchanging_the_sides_negates_every_part(pairs: list[tuple[Fraction, Fraction]]) -> None:
    assert split([(b, a) for a, b in pairs]) == tuple(-part for part in split(pairs))


@given(PAIRS, FRACTIONS)
def test_a_factor_that_does_not_change_has_no_part_and_scales_the_others(
    pairs: list[tuple[Fraction, Fraction]], still: Fraction
) -> None:
    assert split([*pairs, (still, still)]) == (*(part * still for part in split(pairs)), 0)


def test_the_last_digit_goes_to_the_largest_remainder() -> None:
    third = Fraction(1, 3)

    # 0.333... three times is 0.99 in cents: of equal remainders the first part gets the missing cent.
    assert settled([third, third, third], Decimal("1.00"), 2) == (Decimal("0.34"), Decimal("0.33"), Decimal("0.33"))
    assert settled([-third, -third, -third], Decimal("-1.00"), 2) == (
        Decimal("-0.34"),
        Decimal("-0.33"),
        Decimal("-0.33"),
    )
    # 0.004 loses 0.4 of a cent, 0.016 loses 0.6.
    assert settled([Fraction("0.004"), Fraction("0.016")], Decimal("0.02"), 2) == (Decimal("0.00"), Decimal("0.02"))
    # What is exact stays.
    assert settled([Fraction("1.5"), Fraction("-0.5")], Decimal(1), 2) == (Decimal("1.50"), Decimal("-0.50"))


@st.composite
def parts_of_a_difference(draw: st.DrawFn) -> tuple[list[Fraction], Decimal]:
    difference = draw(st.decimals(min_value=-(10**19), max_value=10**19, places=18))
    free = draw(st.lists(st.fractions(min_value=-(10**6), max_value=10**6, max_denominator=10**6), max_size=4))
    return [*free, Fraction(difference) - sum(free)], difference


@given(parts_of_a_difference())
def test_settled_parts_add_up_and_none_moves_by_a_whole_digit(given_: tuple[list[Fraction], Decimal]) -> None:
    parts, difference = given_

    result = settled(parts, difference)

    assert sum(Fraction(part) for part in result) == Fraction(difference)
    assert all(abs(Fraction(after) - before) < ULP for before, after in zip(parts, result, strict=True))
    assert all(part.as_tuple().exponent == -18 for part in result)


@given(parts_of_a_difference())
def test_negated_parts_settle_to_the_negated_result(given_: tuple[list[Fraction], Decimal]) -> None:
    parts, difference = given_

    negated = settled([-part for part in parts], difference.copy_negate())

    assert [Fraction(part) for part in negated] == [-Fraction(part) for part in settled(parts, difference)]


def test_a_bridge_in_json_has_every_part_and_all_digits() -> None:
    bridge = Bridge(Decimal("1.10"), Decimal("1.1000000000000000000000000000000000001"), {Part.RATE: Decimal("1E-37")})

    record = bridge.record()

    assert record["difference"] == "0.0000000000000000000000000000000000001"
    assert record["parts"] == {str(part): "0" for part in Part} | {"rate": "0.0000000000000000000000000000000000001"}


def test_bridges_are_added_part_by_part() -> None:
    one = Bridge(Decimal(1), Decimal(3), {Part.RATE: Decimal(2)})
    two = Bridge(Decimal(5), Decimal(4), {Part.RATE: Decimal(1), Part.GONE: Decimal(-2)})

    both = combined([one, two])

    assert (both.before, both.after, both.part(Part.RATE), both.part(Part.GONE)) == (6, 7, 3, -2)
    assert both.part(Part.RATE, Part.GONE) == both.difference == Decimal(1)


@pytest.mark.parametrize("part", list(Part))
def test_every_part_says_what_it_means(part: Part) -> None:
    assert MEANINGS[part]
