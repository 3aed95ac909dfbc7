"""The bands hold their promise on many held-out series; a forecast knows nothing of the days that it forecasts."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.forecast_bands import look_back
from analysis.forecast_methods import METHODS, paths, prepare
from analysis.forecast_run import run
from benchmarks.forecast import START, made_up


@pytest.fixture(scope="module")
def spend() -> np.ndarray:
    return made_up(800, seed=7)


def test_nine_of_ten_held_out_sums_are_within_the_band_and_it_is_skilful(spend: np.ndarray) -> None:
    lines = {line.days: line for line in run(spend, START, 90).backtest}
    assert sorted(lines) == [7, 30, 60, 90]
    assert lines[90].banded >= 700
    assert lines[90].coverage is not None
    assert 0.87 <= lines[90].coverage <= 0.93
    assert lines[90].skill is not None
    assert lines[90].skill > 0.1
    assert abs(lines[90].bias) < 0.03


def test_the_newest_window_alone_holds_it_too(spend: np.ndarray) -> None:
    before, after = spend[:, :-90], spend[:, -90:].sum(axis=1)
    found = run(before, START, 90)
    band = found.sum_bands[-1]
    assert band is not None
    point = found.daily.sum(axis=1)
    inside = (point * band.low <= after) & (after <= point * band.high)
    assert 0.87 <= inside.mean() <= 0.93


def test_days_after_the_origin_change_no_forecast(spend: np.ndarray) -> None:
    changed = spend[:50].copy()
    changed[:, 600:] *= 7
    for origin in (300, 600):
        now, _ = paths(prepare(spend[:50], START), origin, 90)
        other, _ = paths(prepare(changed, START), origin, 90)
        np.testing.assert_allclose(now, other)


def test_a_series_takes_its_forecast_with_it_into_another_unit(spend: np.ndarray) -> None:
    cents, _ = paths(prepare(spend[:20] * 100, START), 600, 90)
    whole, _ = paths(prepare(spend[:20], START), 600, 90)
    np.testing.assert_allclose(cents, whole * 100)


def test_the_band_is_wider_where_the_past_was_wilder() -> None:
    rng = np.random.default_rng(3)
    calm = 100 * np.exp(rng.normal(0, 0.02, (30, 500)))
    wild = 100 * np.exp(np.cumsum(rng.normal(0, 0.05, (30, 500)), axis=1))
    band = run(np.concatenate([calm, wild]), START, 60).sum_bands[-1]
    assert band is not None
    width = band.high - band.low
    assert width[:30].max() < width[30:].min()


def test_windows_with_many_days_without_a_figure_are_not_judged_by() -> None:
    spend = np.full((1, 300), 10.0)
    spend[0, 200:230] = np.nan
    known = ~np.isnan(spend)
    past = look_back(prepare(spend, START), known, 30, [(0, 30)], 56)
    missing = np.array([np.isnan(spend[0, o : o + 30]).mean() for o in past.origins])
    np.testing.assert_array_equal(past.usable[:, 0], missing <= 0.1)
    assert len(METHODS) == len(past.forecast)
