"""Series forecast with bands, and the backtest that is published beside them: numbers in, numbers out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from analysis.forecast_bands import Band, Past, Range, band, choose, look_back
from analysis.forecast_methods import SHORTEST, Floats, Ints, paths, prepare

#: Nominal coverage of every band.
PROMISED: Final = 0.9
_WEEK: Final = 7
#: Horizons that the backtest tells apart, in days, up to the one that is asked for.
_TOLD: Final = (7, 30, 60, 90, 180, 365)
#: Origins that the backtest holds out, the newest ones.
_HELD: Final = 8


@dataclass(frozen=True, slots=True)
class Tested:
    """What forecasts missed by in windows that they knew nothing of, all series together.

    Attributes:
        days: length of the window, from the origin on.
        windows: how many.
        banded: how many of them had a band that promised something.
        coverage: share of those whose actual sum was within it; None where there are none.
        error: median of |actual - forecast| / actual; bias: median of (forecast - actual) / actual.
        skill: 1 - sum of errors / that of repeating the last week; below 0 is worse. None where that made no error.
    """

    days: int
    windows: int
    banded: int
    coverage: float | None
    error: float
    bias: float
    skill: float | None


@dataclass(frozen=True, slots=True)
class Run:
    """Forecasts of many series.

    Attributes:
        daily: series x days.
        chosen: method of each series (`METHODS`).
        weeks, sums: ranges of days, single weeks and from the origin on.
        week_bands, sum_bands: by range; None without any past window.
        backtest: by length of the window; empty where no window can be held out.
    """

    daily: Floats
    chosen: Ints
    weeks: tuple[Range, ...]
    sums: tuple[Range, ...]
    week_bands: tuple[Band | None, ...]
    sum_bands: tuple[Band | None, ...]
    backtest: tuple[Tested, ...]


def run(spend: Floats, start: date, horizon: int, promised: float = PROMISED) -> Run:
    """Forecast series.

    Args:
        spend: series x days, not negative; NaN before a series begins and on days without a figure. The last day is
            the last one that is known.
        start: date of the first column.
        horizon: days to forecast.
        promised: nominal coverage of the bands.
    """
    prepared, known = prepare(spend, start), ~np.isnan(spend)
    weeks = tuple((day, min(day + _WEEK, horizon)) for day in range(0, horizon, _WEEK))
    ends = sorted({end for _, end in weeks} | {d for d in _TOLD if d < horizon} | {horizon})
    sums = tuple((0, end) for end in ends)
    ranges = (*weeks, *sums)
    past = look_back(prepared, known, horizon, ranges, SHORTEST)
    choice = choose(past, horizon)
    bands = [band(past, choice, n, promised) for n in range(len(ranges))]
    ahead, _ = paths(prepared, prepared.days, horizon)
    return Run(
        daily=np.take_along_axis(ahead, choice.ahead[None, :, None], axis=0)[0],
        chosen=choice.ahead,
        weeks=weeks,
        sums=sums,
        week_bands=tuple(bands[: len(weeks)]),
        sum_bands=tuple(bands[len(weeks) :]),
        backtest=backtest(past, horizon, ranges, promised),
    )


def backtest(past: Past, horizon: int, ranges: Sequence[Range], promised: float) -> tuple[Tested, ...]:
    """The newest windows of every series, each forecast by what was known when it began: method and band included.

    Args:
        past: forecasts from past origins.
        horizon: days; only windows that ended before another one began are known to it.
        ranges: those of `past`.
        promised: nominal coverage.
    """
    told = {end: n for n, (first, end) in enumerate(ranges) if first == 0 and end in {*_TOLD, horizon}}
    missed = {end: list[tuple[Floats, ...]]() for end in told}
    for held in range(len(past.origins) - 1, -1, -1)[:_HELD]:
        before = past.until(int(past.origins[held]) - horizon)
        if not len(before.origins):
            break
        choice = choose(before, horizon)
        for end, over in told.items():
            limits = band(before, choice, over, promised)
            forecast, actual = past.forecast[:, held, :, over], past.actual[held, :, over]
            mine = np.take_along_axis(forecast, choice.ahead[None, :], axis=0)[0]
            judged = past.usable[held] & (mine > 0) & (actual > 0)
            inside = _within(limits, mine, actual)
            missed[end].append(tuple(values[judged] for values in (mine, forecast[0], actual, inside)))
    return tuple(
        _tested(end, *(np.concatenate(values) for values in zip(*parts, strict=True)))
        for end, parts in sorted(missed.items())
        if parts and sum(len(part[0]) for part in parts)
    )


def _within(limits: Band | None, mine: Floats, actual: Floats) -> Floats:
    """1 inside the band and 0 outside; NaN where there is none."""
    if limits is None or limits.promised is None:
        return np.full(len(mine), np.nan)
    return ((mine * limits.low <= actual) & (actual <= mine * limits.high)).astype(np.float64)


def _tested(days: int, mine: Floats, naive: Floats, actual: Floats, inside: Floats) -> Tested:
    # Relative errors, so that one large series does not decide.
    error, beside = np.abs(mine - actual) / actual, np.abs(naive - actual) / actual
    banded = inside[~np.isnan(inside)]
    return Tested(
        days=days,
        windows=len(actual),
        banded=len(banded),
        coverage=float(banded.mean()) if len(banded) else None,
        error=float(np.median(error)),
        bias=float(np.median((mine - actual) / actual)),
        skill=None if beside.sum() == 0 else float(1 - error.sum() / beside.sum()),
    )
