"""What the method does where the truth is known: coverage, false claims, power; benchmarks/savings.py has more runs."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import cache

import numpy as np
import pytest

from analysis.savings import AvoidedCost, measure_avoided_cost
from analysis.savings_limits import DRIFT_VERIFIED, WITHSTANDING_VERIFIED
from analysis.savings_result import ROUNDING
from tests import savings_worlds as worlds
from tests.savings_worlds import Draw, World

REPLICATIONS = 100
Run = tuple[Draw, AvoidedCost]


@cache
def runs(world: World, n: int = 180, m: int = 60, replications: int = REPLICATIONS) -> tuple[Run, ...]:
    drawn = [worlds.draw(world, seed, n, m) for seed in range(replications)]
    return tuple((draw, measure_avoided_cost(draw.baseline, draw.reporting)) for draw in drawn)


def share(of: tuple[Run, ...], holds: Callable[[Draw, AvoidedCost], bool]) -> float:
    return float(np.mean([holds(*run) for run in of]))


def covered(draw: Draw, result: AvoidedCost) -> bool:
    assert result.low is not None
    assert result.high is not None
    return float(result.low) <= draw.truth <= float(result.high)


def claimed(_: Draw, result: AvoidedCost) -> bool:
    """What evidence would make a verified saving."""
    return result.statistically_sound and result.shown


def bias(of: tuple[Run, ...]) -> float:
    return float(np.mean([(float(result.point or 0) - draw.truth) / draw.counterfactual for draw, result in of]))


@pytest.mark.parametrize(
    ("name", "n", "m"),
    [
        ("NULL", 180, 60),
        ("NULL", 90, 30),
        ("ROUTING", 180, 60),
        ("JUMP", 180, 60),
        ("CACHE", 180, 60),
        ("GROWTH", 180, 60),
        ("HEAVY", 180, 60),
    ],
)
def test_the_90_percent_interval_covers_86_to_98_percent_where_nothing_drifts(name: str, n: int, m: int) -> None:
    found = runs(getattr(worlds, name), n, m)
    assert 0.86 <= share(found, covered) <= 0.98
    assert abs(bias(found)) < 0.006


@pytest.mark.parametrize(("n", "m"), [(90, 30), (180, 60)])
def test_a_true_null_is_claimed_in_at_most_5_percent(n: int, m: int) -> None:
    assert share(runs(worlds.NULL, n, m), claimed) <= 0.05


def test_a_placebo_is_credited_nothing_on_average() -> None:
    """The mean credit over all do-nothing changes, none of them clipped at zero, and within three standard errors."""
    credited = [float(result.fraction or 0) for _, result in runs(worlds.NULL)]
    assert abs(np.mean(credited)) < 3 * np.std(credited) / np.sqrt(len(credited))
    assert 0.3 < np.mean(np.array(credited) > 0) < 0.7


@pytest.mark.parametrize(("name", "replications"), [("ORGANIC", 100), ("PRICE_CUT", 200), ("GROWTH", 100)])
def test_organic_drift_a_vendor_price_cut_and_growth_are_claimed_in_at_most_3_percent(
    name: str, replications: int
) -> None:
    assert share(runs(getattr(worlds, name), replications=replications), claimed) <= 0.03


def test_costs_that_are_not_at_constant_prices_make_a_price_cut_a_saving() -> None:
    """Why the cost column must be restated: the same histories as they were billed."""
    billed = [
        measure_avoided_cost(draw.paid_baseline, draw.reporting) for draw, _ in runs(worlds.PRICE_CUT, replications=10)
    ]
    assert all(result.low is not None and result.low > 0 for result in billed)


def test_organic_drift_is_caught_by_the_gate_of_components() -> None:
    found = runs(worlds.ORGANIC)
    assert share(found, lambda _, result: result.gate("G4").status == "failed") == 1.0


@pytest.mark.parametrize(
    ("name", "least"), [("ROUTING", 0.75), ("COMPRESSION", 0.75), ("MIDDLE", 0.75), ("SMALL", 0.4)]
)
def test_true_savings_are_found(name: str, least: float) -> None:
    found = [run for run in runs(getattr(worlds, name)) if claimed(*run)]
    assert len(found) >= least * REPLICATIONS
    assert np.mean([float(result.low or 0) > draw.truth for draw, result in found]) <= 0.08
    assert abs(bias(tuple(found))) < 0.016


def test_a_random_walk_is_refused() -> None:
    found = runs(worlds.RANDOM_WALK)
    assert share(found, claimed) <= 0.065
    assert share(found, lambda _, result: result.gate("G7").status == "failed") > 0.85


def test_undeclared_drift_is_claimed_no_more_often_than_the_stated_limit() -> None:
    """The limit that stands on every claim; the noise of 100 histories is allowed for."""
    for (n, m), stated in DRIFT_VERIFIED.items():
        if n > 180:
            continue
        histories = runs(worlds.DRIFT, n, m)
        assert abs(share(histories, claimed) - float(stated)) < 0.10, (n, m)
        stood = share(histories, lambda draw, result: claimed(draw, result) and result.withstands_drift)
        assert stood <= float(WITHSTANDING_VERIFIED) + 0.01
    assert max(DRIFT_VERIFIED.values()) > Decimal("0.10")
    assert "Undeclared drift" in runs(worlds.DRIFT)[0][1].limits[0]


def test_shuffled_days_of_an_unlabelled_history_are_claimed_in_at_most_5_percent() -> None:
    """A permutation of whole weeks: whatever change the labels once had is gone."""
    random = np.random.default_rng(3)
    claims: list[bool] = []
    for draw, _ in runs(worlds.NULL, 168, 56):
        both = np.concatenate([draw.baseline.to_numpy(), draw.reporting.to_numpy()])
        weeks = random.permutation(224 // 7)
        order = (weeks[:, None] * 7 + np.arange(7)).ravel()
        frame = draw.baseline.head(0).reindex(range(224))
        frame["date"] = both[:, 0]
        for at, column in enumerate(frame.columns[1:], start=1):
            frame[column] = both[order, at].astype(float)
        result = measure_avoided_cost(frame[:168], frame[168:].reset_index(drop=True))
        claims.append(claimed(draw, result))
    assert np.mean(claims) <= 0.05


def test_the_rounding_rule_is_named_in_every_record() -> None:
    assert runs(worlds.NULL)[0][1].record()["rounding"] == ROUNDING
