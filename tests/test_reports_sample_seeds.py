"""A hundred draws of the sample customer: how often the truth lies inside the interval, and what is called verified.

Seeds 0 to 99 had no part in the choice of the method. benchmarks/seeds.py has more of them, and docs/method/savings.md
the rates: at a true coverage of 94 %, as many as 98 of 100 come in one of eighteen such samples, so that each change
alone is held to 99 and all of them together to 97.
"""

from __future__ import annotations

from functools import cache

import pytest

from sample_data.company import CHANGES
from tests.savings_seeds import WITHOUT_EFFECT, Seen, seen

SEEDS = range(100)
TRUE = [change.id for change in CHANGES if change.sets]


@cache
def drawn(change: str) -> tuple[Seen, ...]:
    return tuple(seen(change, seed) for seed in SEEDS)


@pytest.mark.parametrize("change", [*TRUE, WITHOUT_EFFECT])
def test_the_truth_lies_inside_the_interval_as_often_as_it_says(change: str) -> None:
    assert 86 <= sum(one.covered for one in drawn(change)) <= 99


def test_the_truth_of_all_savings_lies_inside_86_to_97_percent_of_the_intervals() -> None:
    inside = [one.covered for change in TRUE for one in drawn(change)]
    assert 0.86 <= sum(inside) / len(inside) <= 0.97


@pytest.mark.parametrize("change", TRUE)
def test_a_true_saving_is_nearly_always_verified(change: str) -> None:
    assert sum(one.verified for one in drawn(change)) >= 97


def test_a_change_without_effect_is_verified_in_at_most_5_of_100() -> None:
    assert sum(one.verified for one in drawn(WITHOUT_EFFECT)) <= 5


def test_an_interval_above_zero_alone_does_not_verify() -> None:
    """Where nothing was saved, some intervals lie above zero; the decisive one holds most of those back."""
    held_back = [one for one in drawn(WITHOUT_EFFECT) if (one.result.low or 0) > 0 and not one.verified]
    assert held_back
    for one in held_back:
        assert not one.result.shown
        assert "of 95% confidence, which decides whether a saving is verified" in one.result.refusals[-1]


def test_a_change_without_effect_is_credited_nothing_on_average() -> None:
    shares = [float(one.result.fraction) for one in drawn(WITHOUT_EFFECT) if one.result.fraction is not None]
    assert len(shares) == len(SEEDS)
    assert abs(sum(shares) / len(shares)) < 0.002
