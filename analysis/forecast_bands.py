"""Which method each series takes, and bands that hold their promise: both from what past forecasts missed by.

A band is split conformal: the quantiles of actual over forecast *sums* in past windows, pooled over the series, each
window measured in the spread of its own series. A band of a sum is never a sum of bands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from analysis.forecast_methods import METHODS, Flags, Floats, Ints, Prepared, paths

#: Fewer past windows carry no percentage.
FEWEST: Final = 20
#: Windows that are enough; origins are as far apart as they may be for it.
_ENOUGH: Final = 600
_STEPS: Final = (28, 14, 7)
#: The pooled error counts as so many windows of a series, in the choice of its method and in its spread.
_PRIOR: Final = 4.0
#: An actual sum of nothing counts as so small a share of the forecast.
_LEAST: Final = 1e-3
#: A window with a larger share of days without a figure is not judged by.
_MISSING: Final = 0.1

#: Half-open range of days from the origin on.
Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Past:
    """Forecasts from past origins, and what came.

    Attributes:
        origins: columns.
        forecast: methods x origins x series x ranges: sums.
        actual: origins x series x ranges.
        usable: origins x series: enough history before, and figures after.
    """

    origins: Ints
    forecast: Floats
    actual: Floats
    usable: Flags

    def until(self, last: int) -> Past:
        """Those of origins up to a column."""
        kept = self.origins <= last
        return Past(self.origins[kept], self.forecast[:, kept], self.actual[kept], self.usable[kept])


def origins_of(prepared: Prepared, horizon: int, shortest: int) -> Ints:
    """Columns to forecast from, each with a whole horizon after it; the last one ends with the data."""
    last, first = prepared.days - horizon, int(prepared.first.min()) + shortest
    wanted = -(-_ENOUGH // len(prepared.spend))
    step = next((step for step in _STEPS if (last - first) // step + 1 >= wanted), _STEPS[-1])
    return np.arange(last, first - 1, -step, dtype=np.int64)[::-1]


def look_back(prepared: Prepared, known: Flags, horizon: int, ranges: Sequence[Range], shortest: int) -> Past:
    """Forecast from every past origin.

    Args:
        prepared: the series.
        known: series x days: whether there is a figure, and not a bridged one.
        horizon: days.
        ranges: days whose sums are judged.
        shortest: days of history that a fit needs.
    """
    origins = origins_of(prepared, horizon, shortest)
    count = len(prepared.spend)
    forecast = np.zeros((len(METHODS), len(origins), count, len(ranges)))
    actual = np.zeros((len(origins), count, len(ranges)))
    usable = np.zeros((len(origins), count), dtype=np.bool_)
    for n, origin in enumerate(origins):
        found, able = paths(prepared, int(origin), horizon)
        forecast[:, n] = ranged(found, ranges)
        actual[n] = ranged(prepared.spend[:, origin : origin + horizon], ranges)
        usable[n] = able & (known[:, origin : origin + horizon].mean(axis=1) >= 1 - _MISSING)
    return Past(origins, forecast, actual, usable)


def ranged(values: Floats, ranges: Sequence[Range]) -> Floats:
    """Sums over ranges of the last axis."""
    sums = np.concatenate([np.zeros((*values.shape[:-1], 1)), np.cumsum(values, axis=-1)], axis=-1)
    return np.stack([sums[..., end] - sums[..., start] for start, end in ranges], axis=-1)


def _misses(forecast: Floats, actual: Floats) -> Floats:
    """Logarithm of actual over forecast; NaN where nothing was forecast."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(forecast > 0, np.log(np.maximum(actual / forecast, _LEAST)), np.nan)


@dataclass(frozen=True, slots=True)
class Choice:
    """The method of each series: for the days to come, and for each past window by the windows that do not touch it."""

    ahead: Ints
    held: Ints
    apart: Floats


def choose(past: Past, horizon: int) -> Choice:
    """Choose by past errors of the last range's sums, drawn to what is best for all series."""
    errors = np.abs(_misses(past.forecast[..., -1], past.actual[..., -1]))
    # A method that forecast nothing where there was spend has failed as far as one can.
    errors = np.where(np.isnan(errors) & (past.actual[..., -1] > 0), -np.log(_LEAST), errors)
    known = past.usable & ~np.isnan(errors)
    sums, counts = np.where(known, errors, 0.0), known.astype(np.float64)
    pooled = sums.sum(axis=(1, 2)) / np.maximum(counts.sum(axis=(1, 2)), 1)
    prior = _PRIOR * pooled[:, None]
    ahead = np.argmin((sums.sum(axis=1) + prior) / (counts.sum(axis=1) + _PRIOR), axis=0)
    apart = (np.abs(past.origins[:, None] - past.origins[None, :]) >= horizon).astype(np.float64)
    held = np.argmin((apart @ sums + prior[:, None]) / (apart @ counts + _PRIOR), axis=0)
    return Choice(ahead.astype(np.int64), held.astype(np.int64), apart)


@dataclass(frozen=True, slots=True)
class Band:
    """Factors that a forecast sum is multiplied with.

    Attributes:
        low, high: by series.
        windows: past windows that it is from.
        promised: its nominal coverage; None where there were fewer than `FEWEST`, and it is their range.
    """

    low: Floats
    high: Floats
    windows: int
    promised: float | None


def band(past: Past, choice: Choice, over: int, promised: float) -> Band | None:
    """The band of one range's sums; None without any past window."""
    forecast = np.take_along_axis(past.forecast[..., over], choice.held[None], axis=0)[0]
    misses = np.where(past.usable, _misses(forecast, past.actual[..., over]), np.nan)
    known = ~np.isnan(misses)
    windows = int(known.sum())
    if windows == 0:
        return None
    squares = np.where(known, misses**2, 0.0)
    counts = known.astype(np.float64)
    prior = _PRIOR * max(float(squares.sum() / windows), 1e-12)
    # The spread that a window is measured in is of windows that do not touch it: else large misses would look small.
    others = np.sqrt((choice.apart @ squares + prior) / (choice.apart @ counts + _PRIOR))
    spread = np.sqrt((squares.sum(axis=0) + prior) / (counts.sum(axis=0) + _PRIOR))
    scores = np.sort((misses / others)[known])
    tail = (1 - promised) / 2
    enough = windows >= FEWEST
    low = scores[max(int(np.floor(tail * (windows + 1))) - 1, 0) if enough else 0]
    high = scores[min(int(np.ceil((1 - tail) * (windows + 1))) - 1, windows - 1) if enough else -1]
    # The forecast itself is in its band, also where every past one was on the same side.
    factors = np.exp(min(low, 0.0) * spread), np.exp(max(high, 0.0) * spread)
    return Band(*factors, windows, promised if enough else None)
