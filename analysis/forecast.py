"""What will be spent: every currency as a whole and by service, model, provider or account, with the band of its sum.

A figure of this module is a forecast (evidence T4): never a measurement, never a saving. Each carries its band, the
number of past windows that the band is from, and stands beside the backtest of the very same procedure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analysis.forecast_bands import Band
from analysis.forecast_methods import METHODS, SHORTEST, Floats, prepare
from analysis.forecast_run import PROMISED, Run, Tested, run
from analysis.forecast_series import Refused, Series, judge, series
from analysis.result import Metric, plain

if TYPE_CHECKING:
    import ibis.expr.types as ir

HORIZON: Final = 90
#: A longer one would rest on a single year.
LONGEST: Final = 366
#: The named rounding rule of forecasts: hundredths, half to even.
_CENT: Final = Decimal("0.01")
_WEEK: Final = 7
#: Weeks of the past that stand beside a forecast.
_PAST_WEEKS: Final = 26
EVIDENCE: Final = "T4 forecast"
NO_CHARGE: Final = "There is no charge to forecast from; load a bill first."


@dataclass(frozen=True, slots=True)
class Figure:
    """A forecast sum and its band.

    Attributes:
        first, last: its days.
        amount: the forecast.
        low, high: the band; None where no past window could be looked at.
        windows: past windows that the band is from.
        promised: the band's nominal coverage; None where the windows are too few, and it is their range.
    """

    first: date
    last: date
    amount: Decimal
    low: Decimal | None
    high: Decimal | None
    windows: int
    promised: float | None

    def record(self) -> dict[str, Any]:
        """The figure as JSON carries it."""
        return {
            "from": self.first.isoformat(),
            "to": self.last.isoformat(),
            "forecast": plain(self.amount),
            "low": plain(self.low),
            "high": plain(self.high),
            "band": band_words(self),
        }


def band_words(figure: Figure) -> str:
    """What the band is: `90 % band, from 512 past windows that overlap`."""
    if figure.low is None:
        return "no band: no past window of this length could be looked at"
    if figure.promised is None:
        return f"range of {figure.windows} past windows that overlap, too few for a percentage"
    return f"{figure.promised:.0%} band, from {figure.windows} past windows that overlap"


@dataclass(frozen=True, slots=True)
class Forecast:
    """One series.

    Attributes:
        currency: ISO 4217 code of every amount.
        name: value of what it is split by; None where the bill does not say, or of the whole.
        whole: whether it is the whole of the currency.
        method: what the backtest chose (`forecast_methods.METHODS`).
        history: first and last day that it is from.
        before: cost of as many days up to the last known one; None where a day has no figure.
        past: first day and cost of the weeks up to the last known day; None where a day has no figure.
        total: the sum of the horizon.
        sums: from the first forecast day on, to the end of each week and of 7, 30, 60, 90, ... days.
        weeks: single weeks; their bands are not those of a sum.
        notes: sentences.
    """

    currency: str
    name: str | None
    whole: bool
    method: str
    history: tuple[date, date]
    before: Decimal | None
    past: tuple[tuple[date, Decimal | None], ...]
    total: Figure
    sums: tuple[Figure, ...]
    weeks: tuple[Figure, ...]
    notes: tuple[str, ...]

    def record(self) -> dict[str, Any]:
        """The series as JSON carries it."""
        return {
            "currency": self.currency,
            "name": self.name,
            "whole": self.whole,
            "evidence": EVIDENCE,
            "method": self.method,
            "history": {"from": self.history[0].isoformat(), "to": self.history[1].isoformat()},
            "cost_of_as_many_days_before": plain(self.before),
            "weeks_before": [{"from": first.isoformat(), "cost": plain(cost)} for first, cost in self.past],
            "total": self.total.record(),
            "sums": [figure.record() for figure in self.sums],
            "weeks": [figure.record() for figure in self.weeks],
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class ForecastTable:
    """The question and its answer.

    Attributes:
        by: what it is split by, or None.
        metric: billed or effective cost.
        horizon: days.
        last: the last known day.
        rows: by currency, the whole first, then the largest.
        refused: what is not forecast, and why.
        backtest: what the same procedure missed by in the past, by length of the window.
        notes: sentences.
    """

    by: str | None
    metric: Metric
    horizon: int
    last: date
    rows: tuple[Forecast, ...]
    refused: tuple[Refused, ...]
    backtest: tuple[Tested, ...]
    notes: tuple[str, ...]

    def record(self) -> dict[str, Any]:
        """The answer as JSON carries it."""
        return {
            "by": self.by,
            "metric": str(self.metric),
            "horizon_days": self.horizon,
            "known_until": self.last.isoformat(),
            "evidence": EVIDENCE,
            "rows": [row.record() for row in self.rows],
            "refused": [
                {"currency": r.currency, "name": r.name, "whole": r.whole, "reason": r.reason} for r in self.refused
            ],
            "backtest": [tested(line) for line in self.backtest],
            "notes": list(self.notes),
        }


def tested(line: Tested) -> Mapping[str, Any]:
    """One line of a backtest as JSON carries it: shares as text with four digits."""
    return {
        "days": line.days,
        "windows": line.windows,
        "windows_with_band": line.banded,
        "promised": f"{PROMISED:.4f}",
        "coverage": _share(line.coverage),
        "median_error": _share(line.error),
        "median_bias": _share(line.bias),
        "skill_beside_last_week": _share(line.skill),
    }


def _share(value: float | None) -> str | None:
    return None if value is None else f"{value:.4f}"


def forecast(
    daily_spend: ir.Table, *, by: str | None = None, metric: Metric = Metric.EFFECTIVE, horizon: int = HORIZON
) -> ForecastTable:
    """Forecast spend for some days from the last known day on.

    Args:
        daily_spend: `ledger.tables.DAILY_SPEND`.
        by: `service`, `model`, `provider`, `account`, or None for each currency as a whole.
        metric: effective (commitments spread over their use) or billed.
        horizon: days.

    Raises:
        ValueError: there is no charge, no such split, the horizon is longer than the data can be tested on, or there is
            nothing that can be forecast; the sentence says what is missing.
    """
    # The parts make the band of the whole too: past windows of one series alone are few.
    found = series(daily_spend, by or "service", metric)
    if found is None:
        raise ValueError(NO_CHARGE)
    able, refused = judge(found)
    if by is None:
        refused = [item for item in refused if item.whole]
    if not (able if by else able & np.array([whole for *_, whole in found.keys])).any():
        first = refused[0]
        raise ValueError(f"{_named(first.name, first.currency, first.whole)} is not forecast: {first.reason}.")
    kept = found.kept(able)
    check_horizon(horizon, kept.days - int(prepare(kept.spend, kept.start).first.min()))
    # A whole that has one part alone is not to be counted twice.
    _, firsts, places = np.unique(np.nan_to_num(kept.spend, nan=-1.0), axis=0, return_index=True, return_inverse=True)
    made = run(kept.spend[firsts], kept.start, horizon)
    rows = [_row(kept, n, made, int(places[n])) for n, (*_, whole) in enumerate(kept.keys) if by is not None or whole]
    rows.sort(key=lambda row: (row.currency, not row.whole, -row.total.amount, str(row.name)))
    return ForecastTable(
        by, metric, horizon, found.last, tuple(rows), tuple(refused), made.backtest, (*found.notes, *_parts(by))
    )


def check_horizon(horizon: int, history: int) -> None:
    """Whether past windows of this length exist.

    Raises:
        ValueError: they do not; the sentence names the longest horizon that the data supports.
    """
    most = min(history - SHORTEST, LONGEST)
    if horizon < 1:
        raise ValueError("A forecast is of at least one day.")
    if most < 1:
        raise ValueError(
            f"There are {history} days of spend; a forecast that can be tested needs more than {SHORTEST}, eight weeks."
        )
    if horizon > most:
        raise ValueError(
            f"{horizon} days ahead is longer than {history} days of spend support: a window of that length after eight "
            f"weeks of history is needed to test it. Ask for at most {most} days."
        )


def _parts(by: str | None) -> tuple[str, ...]:
    return ("Each line is forecast by itself; the parts need not add up to the whole.",) if by else ()


def _named(name: str | None, currency: str, whole: bool) -> str:
    return f"The spend in {currency}" if whole else f"{name or '(not stated)'} in {currency}"


def _row(kept: Series, n: int, made: Run, place: int) -> Forecast:
    currency, name, whole = kept.keys[n]
    daily, known = made.daily[place], kept.spend[n]
    first = kept.start + timedelta(days=int(np.argmax(~np.isnan(known))))
    before = known[-len(daily) :]

    def figure(days: tuple[int, int], band: Band | None) -> Figure:
        amount = float(daily[days[0] : days[1]].sum())
        return Figure(
            first=kept.last + timedelta(days=days[0] + 1),
            last=kept.last + timedelta(days=days[1]),
            amount=_cents(amount),
            low=None if band is None else _cents(amount * float(band.low[place])),
            high=None if band is None else _cents(amount * float(band.high[place])),
            windows=0 if band is None else band.windows,
            promised=None if band is None else band.promised,
        )

    sums = tuple(figure(*pair) for pair in zip(made.sums, made.sum_bands, strict=True))
    return Forecast(
        currency=currency,
        name=name,
        whole=whole,
        method=METHODS[made.chosen[place]],
        history=(first, kept.last),
        before=None if np.isnan(before).any() or len(before) < len(daily) else _cents(float(before.sum())),
        past=tuple(_weeks(known, kept.last)),
        total=sums[-1],
        sums=sums,
        weeks=tuple(figure(*pair) for pair in zip(made.weeks, made.week_bands, strict=True)),
        notes=tuple(_said(kept.credits[n], kept.missing[n])),
    )


def _weeks(known: Floats, last: date) -> Iterator[tuple[date, Decimal | None]]:
    count = min(_PAST_WEEKS, int((~np.isnan(known)).sum()) // _WEEK)
    for back in range(count, 0, -1):
        week = known[len(known) - back * _WEEK :][:_WEEK]
        first = last - timedelta(days=back * _WEEK - 1)
        yield first, None if np.isnan(week).any() else _cents(float(week.sum()))


def _said(negative: int, missing: int) -> list[str]:
    said = list[str]()
    if negative:
        said.append(
            f"On {negative} days credits exceeded charges; those days are left out, and no such credit is forecast."
        )
    if missing - negative > 0:
        said.append(
            f"{missing - negative} days have no figure; the fit takes the same weekday of the week before for them."
        )
    return said


def _cents(amount: float) -> Decimal:
    return Decimal(repr(amount)).quantize(_CENT, ROUND_HALF_EVEN)
