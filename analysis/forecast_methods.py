"""Four cheap forecasts of daily spend, for many series at once: what a rolling backtest chooses among.

Rows are series, columns are days; nothing is drawn at random. `PROFILE` methods are a level times a weekday profile and
the effect of the first and the last days of a month, from at most 26 weeks winsorised at four times the median of 28
days. The method is in docs/method/forecast.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

#: From the simplest on; ties go to the simpler.
METHODS: Final = ("last week", "four-week average", "profile", "profile with half the trend")
#: Days that a fit needs at least, and windows that it may look at, the longest that is there.
SHORTEST: Final = 56
_WINDOWS: Final = (182, 84, SHORTEST)
_WEEK: Final = 7
_MEDIAN_DAYS: Final = 28
_CAP: Final = 4.0
#: An effect of the first or the last days of a month that is smaller is taken for noise.
_MONTH_EFFECT: Final = 0.08
_LAST_DAYS: Final = 28
_HALF_LIFE: Final = 14.0
_TREND_WEEKS: Final = 13
_SHRINK: Final = 0.5
_DAMPING: Final = 0.985
#: Share of days without spend from which a series is intermittent: its profile is the weekday means of eight weeks.
_INTERMITTENT: Final = 0.05


@dataclass(frozen=True, slots=True)
class Prepared:
    """Series ready for fits at many origins; every column of it looks back only, but `ratio`, by three days.

    Attributes:
        spend: days without a figure bridged.
        first: the first day of each series, as a column.
        capped: winsorised spend.
        ratio: capped spend over its centred seven-day mean; 1 where that is nothing.
        calendar: the date of each column.
    """

    spend: Floats
    first: Ints
    capped: Floats
    ratio: Floats
    calendar: Sequence[date]

    @property
    def days(self) -> int:
        """Columns."""
        return self.spend.shape[1]


def prepare(spend: Floats, start: date) -> Prepared:
    """Series ready for fits.

    Args:
        spend: series by day, not negative; NaN before a series begins and on days without a figure.
        start: date of the first column.
    """
    first = np.argmax(~np.isnan(spend), axis=1).astype(np.int64)
    whole = _bridged(spend)
    capped = np.minimum(whole, _caps(whole))
    around = _centred_mean(capped)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(around > 0, capped / around, 1.0)
    return Prepared(whole, first, capped, ratio, [start + timedelta(days=n) for n in range(spend.shape[1])])


def _bridged(spend: Floats) -> Floats:
    """Days without a figure take that of the nearest week before that has one; before its first day a series has 0."""
    whole = spend.copy()
    for day in range(_WEEK, whole.shape[1]):
        gap = np.isnan(whole[:, day])
        whole[gap, day] = whole[gap, day - _WEEK]
    return np.nan_to_num(whole, nan=0.0)


def _caps(spend: Floats) -> Floats:
    """Four times the median of the last 28 days; no cap where that is nothing."""
    caps = np.full_like(spend, np.inf)
    if spend.shape[1] < _MEDIAN_DAYS:
        return caps
    for rows in np.array_split(np.arange(len(spend)), max(1, len(spend) // 100)):
        windows = np.lib.stride_tricks.sliding_window_view(spend[rows], _MEDIAN_DAYS, axis=1)
        medians = np.median(windows, axis=2)
        caps[rows, _MEDIAN_DAYS - 1 :] = np.where(medians > 0, _CAP * medians, np.inf)
    return caps


def _centred_mean(values: Floats) -> Floats:
    half = _WEEK // 2
    sums = np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1)
    columns = np.arange(values.shape[1])
    low, high = np.maximum(columns - half, 0), np.minimum(columns + half + 1, values.shape[1])
    return (sums[:, high] - sums[:, low]) / (high - low)


def paths(prepared: Prepared, origin: int, horizon: int) -> tuple[Floats, Flags]:
    """Daily forecasts of every method from one origin, knowing only the days before it.

    Args:
        prepared: the series.
        origin: column of the first day that is forecast.
        horizon: days to forecast.

    Returns:
        Methods x series x days, in the order of `METHODS`; and which series had the days that a fit needs.
    """
    count = len(prepared.spend)
    found = np.zeros((len(METHODS), count, horizon))
    history = origin - prepared.first
    able = history >= SHORTEST
    lengths = np.select([history >= length for length in _WINDOWS], _WINDOWS, default=0)
    for length in _WINDOWS:
        rows = np.flatnonzero(lengths == length)
        if rows.size:
            found[:, rows] = _paths(prepared, rows, origin, horizon, length)
    return found, able


def _paths(prepared: Prepared, rows: Ints, origin: int, horizon: int, length: int) -> Floats:
    spend = prepared.spend[rows, origin - length : origin]
    weekday = np.arange(horizon) % _WEEK
    last, month = spend[:, -_WEEK:], spend[:, -4 * _WEEK :].reshape(len(rows), 4, _WEEK).mean(axis=1)
    profile, by_month = _profile(prepared, rows, origin, length)
    seen = prepared.calendar[origin - length : origin]
    ahead = [prepared.calendar[origin - 1] + timedelta(days=n + 1) for n in range(horizon)]
    inside = prepared.capped[rows, origin - length : origin] / (
        np.tile(profile, length // _WEEK) * by_month[:, _month_parts(seen)]
    )
    shape = profile[:, weekday] * by_month[:, _month_parts(ahead)]
    slope = _slope(inside)
    damped = np.cumsum(_DAMPING ** np.arange(1, horizon + 1))
    flat = _level(inside, np.zeros(len(rows)))[:, None] * shape
    trend = _level(inside, slope)[:, None] * np.exp(slope[:, None] * damped) * shape
    rare = (spend == 0).mean(axis=1) > _INTERMITTENT
    means = spend[:, -SHORTEST:].reshape(len(rows), -1, _WEEK).mean(axis=1)[:, weekday]
    flat, trend = (np.where(rare[:, None], means, path) for path in (flat, trend))
    return np.stack([last[:, weekday], month[:, weekday], flat, trend])


def _profile(prepared: Prepared, rows: Ints, origin: int, length: int) -> tuple[Floats, Floats]:
    """Weekday factors from the window's first weekday on, and factors of ordinary, first and last days of a month.

    The last week is left out, since its centred means would know days after the origin.
    """
    window = slice(origin - length, origin - _WEEK)
    ratio = prepared.ratio[rows, window]
    weekday = np.median(ratio.reshape(len(rows), -1, _WEEK), axis=1)
    mean = weekday.mean(axis=1, keepdims=True)
    weekday = np.where(mean > 0, np.maximum(weekday, 1e-3) / np.maximum(mean, 1e-9), 1.0)
    rest = ratio / np.tile(weekday, length // _WEEK - 1)
    parts = _month_parts(prepared.calendar[window])
    factors = np.ones((len(rows), 3))
    for part in (1, 2):
        if (parts == part).any():
            factor = np.median(rest[:, parts == part], axis=1)
            factors[:, part] = np.where(np.abs(factor - 1) > _MONTH_EFFECT, np.maximum(factor, 1e-3), 1.0)
    return weekday, factors


def _month_parts(calendar: Sequence[date]) -> Ints:
    """0 for ordinary days, 1 for the first of a month, 2 from the 28th on."""
    return np.array([1 if d.day == 1 else 2 if d.day >= _LAST_DAYS else 0 for d in calendar], dtype=np.int64)


def _level(inside: Floats, slope: Floats) -> Floats:
    """Exponentially weighted mean, each day brought to the origin along the trend."""
    age = np.arange(inside.shape[1], 0, -1)
    weights = 0.5 ** (age / _HALF_LIFE)
    return (inside * np.exp(slope[:, None] * np.minimum(age, 3 * _HALF_LIFE)) * weights).sum(axis=1) / weights.sum()


def _slope(inside: Floats) -> Floats:
    """Half of the Theil-Sen slope of weekly means in logarithms, for one day; 0 where a week has no spend."""
    weeks = min(_TREND_WEEKS, inside.shape[1] // _WEEK)
    means = inside[:, -weeks * _WEEK :].reshape(len(inside), weeks, _WEEK).mean(axis=2)
    logs = np.log(np.where(means > 0, means, 1.0))
    early, late = np.triu_indices(weeks, 1)
    slopes = np.median((logs[:, late] - logs[:, early]) / (late - early), axis=1) / _WEEK
    return np.where((means > 0).all(axis=1), _SHRINK * slopes, 0.0)
