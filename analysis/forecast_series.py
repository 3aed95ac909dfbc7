"""The ledger's daily spend as series to forecast: what is a figure, what is none, and what is too little."""

# Ibis types `table["x"]` as an abstract column, without the operations of its kind.
# pyright: reportAttributeAccessIssue=false, reportOperatorIssue=false, reportArgumentType=false
# pyright: reportCallIssue=false, reportReturnType=false
from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analysis.forecast_methods import SHORTEST, Flags, Floats
from analysis.result import Metric, fetch

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: What a forecast can be split by, and the columns.
SPLITS: Final[Mapping[str, str]] = {
    "service": "ServiceName",
    "provider": "ServiceProviderName",
    "model": "x_ModelId",
    "account": "SubAccountId",
}
_COSTS: Final = {Metric.BILLED: "BilledCost", Metric.EFFECTIVE: "EffectiveCost"}
#: A provider whose newest charge is older than so many days is not behind but gone, or not loaded.
_BEHIND: Final = 14
#: The newest days that a forecast hangs on, and how many of them may have no figure.
_RECENT: Final = 28
_RECENT_MISSING: Final = 7

#: Days in a row without a charge from which they are no pause; share of shorter pauses that makes them a habit.
_LONG_PAUSE: Final = 4
_SELDOM: Final = 0.05

#: Currency, and the value of what it is split by; None twice over for the whole of a currency.
Key = tuple[str, str | None, bool]


@dataclass(frozen=True, slots=True)
class Refused:
    """A series that is not forecast, and why."""

    currency: str
    name: str | None
    whole: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Series:
    """Series by day, up to the last day that every provider has.

    Attributes:
        keys: currency, value and whether it is the whole of the currency.
        spend: series x days; NaN before a series begins and on days without a figure.
        start: date of the first column.
        credits: days of each series on which credits exceeded charges, which are taken out.
        missing: days of each series, from its first on, without a figure.
        notes: sentences.
    """

    keys: tuple[Key, ...]
    spend: Floats
    start: date
    credits: tuple[int, ...]
    missing: tuple[int, ...]
    notes: tuple[str, ...]

    @property
    def days(self) -> int:
        """Columns."""
        return self.spend.shape[1]

    @property
    def last(self) -> date:
        """The last day that is known."""
        return self.start + timedelta(days=self.days - 1)

    def kept(self, which: Flags) -> Series:
        """Some of the series."""
        places = np.flatnonzero(which)
        of = tuple(tuple(values[n] for n in places) for values in (self.keys, self.credits, self.missing))
        return Series(of[0], self.spend[places], self.start, of[1], of[2], self.notes)


def series(daily_spend: ir.Table, by: str | None, metric: Metric) -> Series | None:
    """Every currency as a whole and, with `by`, each value of it; None where there is no charge.

    A day on which a provider has no charge at all is a day without a figure, unless it pauses as a habit; where it has
    some, a service without one cost nothing. Days after the newest that every provider has are left out.

    Args:
        daily_spend: `ledger.tables.DAILY_SPEND`.
        by: one of `SPLITS`, or None.
        metric: billed or effective.

    Raises:
        ValueError: there is no such split, or the metric is list cost.
    """
    if by is not None and by not in SPLITS:
        raise ValueError(f"A forecast cannot be split by {by!r}; it can by {', '.join(SPLITS)}.")
    if metric not in _COSTS:
        raise ValueError("A forecast is of billed or effective cost; list cost counts commitments twice.")
    keys = {"provider": "ServiceProviderName", "currency": "BillingCurrency", "day": "ChargeDate"}
    keys |= {"name": SPLITS[by]} if by else {}
    rows = fetch(
        daily_spend.group_by(**{name: daily_spend[column] for name, column in keys.items()}).aggregate(
            cost=daily_spend[_COSTS[metric]].sum(), unknown=daily_spend["ChargesWithoutEffective"].sum()
        )
    )
    return _laid_out(rows, by, metric) if rows else None


def _laid_out(rows: Sequence[Mapping[str, Any]], by: str | None, metric: Metric) -> Series:
    days = defaultdict[str, set[date]](set)
    for row in rows:
        days[str(row["provider"])].add(row["day"])
    newest = max(max(found) for found in days.values())
    current = {name: max(found) for name, found in days.items() if (newest - max(found)).days <= _BEHIND}
    start, last = min(min(found) for found in days.values()), min(current.values())
    count = (last - start).days + 1
    known = {name: _figures(found, start, count) for name, found in days.items()}
    parts = defaultdict[Key, dict[str, Floats]](dict)
    for row in rows:
        place = (row["day"] - start).days
        if place < count:
            whole: Key = (row["currency"], None, True)
            for key in (whole, (row["currency"], row["name"], False)) if by else (whole,):
                costs = parts[key].setdefault(str(row["provider"]), np.zeros(count))
                # Money is float from here on: a forecast is statistics, rounded to cents at its edge.
                costs[place] += float(row["cost"] or 0)
    order = sorted(parts, key=lambda key: (key[0], not key[2], str(key[1])))
    laid = [_one(parts[key], known) for key in order]
    spend = np.stack([found for found, _ in laid])
    return Series(
        tuple(order),
        spend,
        start,
        tuple(negative for _, negative in laid),
        tuple(int(np.isnan(row[np.argmax(~np.isnan(row)) :]).sum()) for row in spend),
        tuple(_notes(rows, metric, days, current, last)),
    )


def _figures(days: Iterable[date], start: date, count: int) -> Flags:
    """The days on which a provider has a figure: a charge, or a pause as it is used to.

    One that has charges on nearly every day has no figure on a day without; one that pauses now and then has none in
    longer pauses.
    """
    flags = np.zeros(count, dtype=np.bool_)
    flags[[place for day in days if (place := (day - start).days) < count]] = True
    if not flags.any():
        return flags
    first, last = int(np.argmax(flags)), count - int(np.argmax(flags[::-1]))
    runs = np.split(np.arange(first, last), np.flatnonzero(np.diff(flags[first:last])) + first + 1 - first)
    short = [run for run in runs if len(run) and not flags[run[0]] and len(run) < _LONG_PAUSE]
    paused = sum(len(run) for run in short)
    if paused > _SELDOM * (int(flags.sum()) + paused):
        for run in short:
            flags[run] = True
    return flags


def _one(parts: Mapping[str, Floats], known: Mapping[str, Flags]) -> tuple[Floats, int]:
    """One series and how many of its days credits exceeded charges on."""
    total = sum(parts.values(), np.zeros(len(next(iter(parts.values())))))
    figure = np.ones(len(total), dtype=np.bool_)
    for name, costs in parts.items():
        # Before its first charge a provider costs nothing; from then on a day without any charge is no figure.
        begun = np.arange(len(total)) >= int(np.argmax(costs != 0))
        figure &= known[name] | ~begun
    first = int(np.argmax(total != 0))
    negative = total < 0
    values = np.where(figure & ~negative, total, np.nan)
    values[:first] = np.nan
    return values, int(negative.sum())


def _notes(
    rows: Sequence[Mapping[str, Any]],
    metric: Metric,
    days: Mapping[str, set[date]],
    current: Mapping[str, date],
    last: date,
) -> Iterable[str]:
    for name in sorted(days.keys() - current.keys()):
        yield f"{name} has no charge since {max(days[name])}: what it is a part of is not forecast until it is loaded."
    later = sorted(name for name, day in current.items() if day > last)
    if later:
        yield f"The forecast begins after {last}, the newest day that every provider has; {', '.join(later)} has more."
    unknown = sum(row["unknown"] or 0 for row in rows)
    if metric is Metric.EFFECTIVE and unknown:
        yield f"{unknown} charges have no effective cost and are left out."
    if metric is Metric.BILLED:
        yield "Fees that are billed on single days are no pattern: above four times the usual day they are cut."


def judge(found: Series) -> tuple[Flags, list[Refused]]:
    """Which series can be forecast, and why the others cannot."""
    reasons = [_reason(row, found) for row in found.spend]
    refused = [
        Refused(currency, name, whole, reason)
        for (currency, name, whole), reason in zip(found.keys, reasons, strict=True)
        if reason is not None
    ]
    return np.array([reason is None for reason in reasons], dtype=np.bool_), refused


def _reason(row: Floats, found: Series) -> str | None:
    known = ~np.isnan(row)
    if not known.any():
        return "no day has a cost above nothing"
    history = len(row) - int(np.argmax(known))
    if history < SHORTEST:
        return f"it has {history} days of spend, and a forecast needs {SHORTEST} (eight weeks)"
    recent = row[-_RECENT:]
    missing = int(np.isnan(recent).sum())
    if missing > _RECENT_MISSING:
        return f"{missing} of the {_RECENT} days up to {found.last} have no figure; load them first"
    if not np.nansum(recent):
        return f"nothing was spent in the {_RECENT} days up to {found.last}"
    return None
