"""Numbers that others published of these methods, reproduced by the regression that the product uses.

Days that are put a thousand days apart are independent to it, which makes its generalised least squares ordinary.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import stdtrit

from analysis.savings_model import Fit, fit_unit_cost

COLD, HOT, SEGMENTS, LEAST = 50.0, 65.0, 6, 20


def independent(values: np.ndarray, columns: np.ndarray) -> Fit:
    return fit_unit_cost(values, columns, 1000 * np.arange(len(values), dtype=np.int64))


@pytest.fixture
def loads(shared: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Daily electricity and temperature of kW-Labs/nmecr: baseline and reporting days."""
    folder = shared / "mv" / "nmecr"
    loads, temperatures = (pd.read_csv(folder / f"{what}.csv", parse_dates=["time"]) for what in ("eload", "temp"))
    both = loads.merge(temperatures, on="time")
    first = both[both["time"].between("2012-03-01", "2013-02-27")]
    return first, both[both["time"].between("2014-02-28", "2015-02-27")]


def knots(temperature: np.ndarray) -> list[float]:
    """Six segments with as many days each; a knot needs 20 days beyond it."""
    n = len(temperature)
    at = np.floor(np.sort(n - n / SEGMENTS * np.arange(SEGMENTS + 1)) + 0.001).astype(int)
    result = np.sort(temperature)[at[at > 0] - 1].tolist()
    while (temperature > result[-1]).sum() < LEAST:
        result.pop()
    while (temperature < result[0]).sum() < LEAST:
        result.pop(0)
    return result


def occupied(frame: pd.DataFrame) -> set[int]:
    """Weekdays on which temperature alone underpredicts the load in more than 65 % of cases."""
    temperature, load = frame["temp"].to_numpy(), frame["eload"].to_numpy()
    cold, hot = np.minimum(temperature - COLD, 0), np.maximum(temperature - HOT, 0)
    residual = independent(load, np.column_stack([np.ones(len(load)), cold, hot])).residual
    weekday = weekdays(frame)
    return {day for day in range(7) if np.mean(residual[weekday == day] > 0) > 0.65}


def weekdays(frame: pd.DataFrame) -> np.ndarray:
    return np.array([moment.weekday() for moment in frame["time"]])


def towt(frame: pd.DataFrame, busy: set[int], at: list[float]) -> np.ndarray:
    """Time of week and temperature (Mathieu et al. 2011): weekdays, and a bent line of temperature for each mode."""
    weekday, temperature = weekdays(frame), frame["temp"].to_numpy()
    edges = [0.0, *at, np.inf]
    parts = [np.clip(temperature - low, 0, high - low) for low, high in pairwise(edges)]
    columns = [weekday == day for day in range(7)]
    for mode in (busy, set(range(7)) - busy):
        columns += [part * np.isin(weekday, list(mode)) for part in parts]
    return np.column_stack(columns).astype(float)


def test_nmecr_temperature_alone(loads: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    load, temperature = loads[0]["eload"].to_numpy(), loads[0]["temp"].to_numpy()
    fit = independent(load, np.column_stack([np.ones(len(load)), temperature]))
    assert len(load) - 2 == 362
    assert r_squared(load, fit.residual) == pytest.approx(0.6908902, abs=5e-8)
    assert cv_rmse(load, fit.residual, 2) == pytest.approx(0.1146, abs=5e-5)


def test_nmecr_time_of_week_and_temperature(loads: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    baseline, reporting = loads
    load = baseline["eload"].to_numpy()
    busy, at = occupied(baseline), knots(baseline["temp"].to_numpy())
    columns = towt(baseline, busy, at)
    fit = independent(load, columns)
    n, p = columns.shape
    assert (n, p, n - p) == (364, 19, 345)
    assert r_squared(load, fit.residual) == pytest.approx(0.8964727, abs=5e-8)
    assert cv_rmse(load, fit.residual, p) == pytest.approx(0.06793, abs=5e-6)

    actual = float(reporting["eload"].sum())
    adjusted = float((towt(reporting, busy, at) @ fit.beta).sum())
    assert actual == pytest.approx(5_101_761.6, abs=0.05)
    assert adjusted == pytest.approx(5_509_903.19, abs=0.005)
    assert adjusted - actual == pytest.approx(408_141.59, abs=0.005)
    saved = round((adjusted - actual) / adjusted, 2)
    assert fractional_uncertainty(load, fit.residual, p, len(reporting), saved) == pytest.approx(0.26592009, abs=5e-9)
    assert fractional_uncertainty(load, fit.residual, p, n, 0.1) == pytest.approx(0.1863996, abs=5e-8)


def r_squared(values: np.ndarray, residual: np.ndarray) -> float:
    return 1 - float(residual @ residual) / float(np.sum((values - values.mean()) ** 2))


def cv_rmse(values: np.ndarray, residual: np.ndarray, p: int) -> float:
    return float(np.sqrt(residual @ residual / (len(values) - p)) / values.mean())


def fractional_uncertainty(values: np.ndarray, residual: np.ndarray, p: int, m: int, saved: float) -> float:
    """ASHRAE Guideline 14 with Sun and Baltazar's factor, as nmecr has it (90 %). Too narrow; not our interval."""
    n = len(values)
    rho = float(np.corrcoef(residual[1:], residual[:-1])[0, 1])
    effective = n * (1 - rho) / (1 + rho)
    months = n / 30
    factor = -0.00024 * months**2 + 0.03535 * months + 1.00286
    squares = float(residual @ residual) / (effective - p) * (1 + 2 / effective) * m
    return float(stdtrit(effective - p, 0.95)) * factor / (m * values.mean() * saved) * float(np.sqrt(squares))


#: File, outcome, covariates, first day after, actual sum and cumulative effect with its standard deviation as printed.
PUBLISHED = {
    "arma": ("y", ["X"], 70, 3637, 26.67, 9.1),
    "comparison": ("CHANGED", ["NOT_CHANGED_1", "NOT_CHANGED_2", "NOT_CHANGED_3"], 90, 1_414_340, -11_831, 13_253),
    "google": ("y", ["x1", "x2"], 61, 4687, 804, 134.2),
}


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_causal_impact_in_r_agrees_within_one_of_its_standard_deviations(shared: Path, name: str) -> None:
    outcome, covariates, cut, actual, effect, sd = PUBLISHED[name]
    frame = pd.read_csv(shared / "mv" / "causalimpact" / f"{name}_data.csv")
    values = frame[outcome].to_numpy(float)
    columns = np.column_stack([np.ones(len(frame)), frame[covariates].to_numpy(float)])
    fit = fit_unit_cost(values[:cut], columns[:cut], np.arange(cut, dtype=np.int64))
    assert round(float(values[cut:].sum())) == actual
    ours = float((values[cut:] - columns[cut:] @ fit.beta).sum())
    assert abs(ours - effect) <= sd
