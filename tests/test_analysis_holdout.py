from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.holdout import HoldoutResult, holdout_units, measure_holdout
from analysis.savings import Tier
from tests.savings_days import FIRST


def arms(
    seed: int,
    *,
    days: int = 30,
    requests: int = 8_000,
    drawn: float = 0.05,
    saved: float = 0.2,
    drift: float = 0.0,
    spread: float = 1.0,
) -> tuple[pd.DataFrame, float]:
    """Days of two arms with log-normal request costs, and what the treated ones would have cost."""
    random = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    truth = 0.0
    for nth in range(days):
        held = int(random.binomial(requests, drawn))
        level = 0.01 * np.exp(np.log1p(drift) * nth / 365 - spread**2 / 2)
        plain = level * np.exp(spread * random.standard_normal(requests))
        treated, left = plain[held:] * (1 - saved), plain[:held]
        truth += float(plain[held:].sum())
        rows.append(
            {
                "date": FIRST + timedelta(days=nth),
                "treated_units": len(treated),
                "treated_cost": treated.sum(),
                "treated_squares": (treated**2).sum(),
                "holdout_units": held,
                "holdout_cost": left.sum(),
                "holdout_squares": (left**2).sum(),
            }
        )
    return pd.DataFrame(rows), truth


def two_days(**changed: Any) -> pd.DataFrame:
    """Two days by hand: treated requests cost 1 or 3 (mean 2), held-out ones 2 or 4 (mean 3)."""
    frame = pd.DataFrame(
        {
            "date": [FIRST, FIRST + timedelta(days=1)],
            "treated_units": [1000, 2000],
            "treated_cost": [Decimal("2000.00"), Decimal("4000.00")],
            "treated_squares": [5000.0, 10000.0],
            "holdout_units": [100, 200],
            "holdout_cost": [300.0, 600.0],
            "holdout_squares": [1000.0, 2000.0],
        }
    )
    return frame.assign(**changed)


def test_by_hand() -> None:
    """Variances 1000 / 999 and 100 / 99 of a unit; 1.645 sd of sum n^2 (s_h^2 / n_h + s_t^2 / n_t)."""
    result = measure_holdout(two_days(), drawn=1 / 11)
    assert (result.tier, result.point, result.counterfactual, result.actual) == (
        Tier.HOLDOUT,
        Decimal("3000.00"),
        Decimal("9000.00"),
        Decimal("6000.00"),
    )
    variance = 1e6 * (100 / 99 / 100 + 1000 / 999 / 1000) + 4e6 * (200 / 199 / 200 + 2000 / 1999 / 2000)
    half = Decimal(str(round(1.645 * variance**0.5, 2)))
    assert (result.low, result.high) == (3000 - half, 3000 + half)
    assert result.fraction == Decimal("0.333333")
    assert (result.units, result.held_out) == (3000, 300)
    assert result.sound
    assert result.credited == result.low


@pytest.mark.parametrize(("cv", "share", "units"), [(1.5, 0.03, 6765), (1.0, 0.05, 1082), (2.0, 0.01, 108241)])
def test_the_sample_size_as_published(cv: float, share: float, units: int) -> None:
    assert holdout_units(cv, share) == units


def runs(**world: Any) -> list[tuple[HoldoutResult, float]]:
    drawn = [arms(seed, **world) for seed in range(100)]
    return [(measure_holdout(frame, drawn=0.05), truth) for frame, truth in drawn]


@pytest.mark.parametrize("drift", [0.0, -0.9])
def test_the_interval_covers_the_truth_under_any_drift(drift: float) -> None:
    found = runs(requests=2_000, drift=drift)
    hits = [float(r.low or 0) <= truth - float(r.actual) <= float(r.high or 0) for r, truth in found]
    assert 0.86 <= np.mean(hits) <= 0.98
    errors = [float(r.point or 0) / (truth - float(r.actual)) - 1 for r, truth in found]
    assert abs(np.mean(errors)) < 3 * np.std(errors) / 10


def test_a_change_without_effect_is_credited_in_at_most_5_percent() -> None:
    found = runs(requests=2_000, saved=0.0)
    assert np.mean([result.credited is not None for result, _ in found]) <= 0.05
    assert np.mean([result.point is not None and result.point < 0 for result, _ in found]) > 0.3


def test_eight_thousand_requests_a_day_give_an_interval_of_about_one_and_a_half_percent() -> None:
    result = measure_holdout(arms(1, days=60, spread=1.1)[0], drawn=0.05)
    assert result.high is not None
    assert result.point is not None
    assert result.counterfactual is not None
    assert 0.010 < float((result.high - result.point) / result.counterfactual) < 0.020


def test_a_negative_result_is_shown() -> None:
    result = measure_holdout(arms(5, saved=-0.3)[0], drawn=0.05)
    assert result.high is not None
    assert result.high < 0
    assert result.sound
    assert result.credited is None
    assert "nothing may have been avoided" in result.refusals[0]


def test_too_few_units_of_a_day_are_refused_with_the_actual_cost() -> None:
    result = measure_holdout(two_days(holdout_units=[29, 200]), drawn=1 / 11)
    assert (result.point, result.low, result.fraction, result.actual) == (None, None, None, Decimal("6000.00"))
    assert [gate.status for gate in result.gates] == ["failed", "failed", "not assessed"]
    assert "1 of 2 days" in result.refusals[0]


def test_arms_that_were_not_drawn_by_chance_are_refused() -> None:
    """5 % were to be held out and 10 % were: something other than the draw decided."""
    result = measure_holdout(two_days(), drawn=0.05)
    assert not result.sound
    assert result.credited is None
    assert "not what was drawn" in result.refusals[0]


def test_a_wide_interval_is_refused() -> None:
    result = measure_holdout(arms(2, days=3, requests=1_000, spread=1.5)[0], drawn=0.05)
    assert result.gates[2].status == "failed"
    assert not result.sound


def test_no_days_are_a_refusal() -> None:
    result = measure_holdout(two_days().head(0), drawn=0.05)
    assert (result.point, result.sound) == (None, False)
    assert "There are no days." in result.refusals


@pytest.mark.parametrize(
    ("frame", "drawn", "said"),
    [
        (two_days().drop(columns="holdout_units"), 0.05, "no column holdout_units"),
        (two_days().iloc[[0, 0]], 0.05, "twice"),
        (two_days().iloc[[1, 0]], 0.05, "out of order"),
        (two_days(holdout_cost=[float("nan"), 1.0]), 0.05, "holdout_cost that is unknown"),
        (two_days(treated_units=[-1, 1]), 0.05, "treated_units that is unknown or negative"),
        (two_days(), 0.0, "between 0 and 1"),
        (two_days(), 1.0, "between 0 and 1"),
    ],
)
def test_wrong_shapes_are_errors(frame: pd.DataFrame, drawn: float, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        measure_holdout(frame, drawn=drawn)


def test_wrong_sizes_are_errors() -> None:
    with pytest.raises(ValueError, match="above zero"):
        holdout_units(0, 0.03)
    with pytest.raises(ValueError, match="between 0"):
        holdout_units(1, 0.03, confidence=2)


@settings(max_examples=50, deadline=None)
@given(st.floats(1e-4, 1e6), st.integers(0, 50))
def test_the_saving_scales_with_the_costs(factor: float, seed: int) -> None:
    frame, _ = arms(seed, days=2, requests=1_000)
    scaled = frame.assign(
        **{f"{arm}_cost": factor * frame[f"{arm}_cost"] for arm in ("treated", "holdout")},
        **{f"{arm}_squares": factor**2 * frame[f"{arm}_squares"] for arm in ("treated", "holdout")},
    )
    one, other = (measure_holdout(f, drawn=0.05) for f in (frame, scaled))
    assert other.fraction == pytest.approx(one.fraction, abs=Decimal("2e-4"))
