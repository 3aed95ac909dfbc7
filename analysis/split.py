"""One measured saving split over the changes that stood together, from the days on which each of them joined.

Day by day the cost without any change is modelled and the cost with those made so far is known. So the changes made up
to a day leave the share actual / expected of the cost, and a change that joins leaves what is new of it. From these
shares follow the costs under every set of the changes, and from them the splits of `analysis.attribution`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Final

from analysis.attribution import MOST_INTERVENTIONS, Attribution, attribute, compounded
from analysis.result import ZERO, total
from analysis.savings_gates import LEAST_REPORTING

#: Printed with every split.
BASIS: Final = (
    (
        f"Each change is measured from the day on which it joined, over at least {LEAST_REPORTING} days, against what "
        "those before it had left. It is taken to leave the same share of whatever cost it finds."
    ),
    (
        "By date, an earlier change comes first. Shapley's value is the mean over all orders. Either column adds up to "
        "the total; what a change would avoid by itself overlaps with the others and is never added."
    ),
    "The interval is that of the total; a part has none of its own.",
)
#: Rounding of days may move the total by this share before it would decide about the parts.
_ROUNDED: Final = Fraction(1, 100)
_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class Change:
    """A change that is meant to save: what was done, from when, and until when (None while it lasts)."""

    note: str
    first_day: date
    last_day: date | None


@dataclass(frozen=True, slots=True)
class SplitDay:
    """A measured reporting day: its cost, and what it would have cost without any change (money)."""

    date: date
    cost: Decimal
    expected: Decimal


@dataclass(frozen=True, slots=True)
class Split:
    """A total over several changes, or why it is not split.

    Attributes:
        changes: that share the total, by date; empty for one change alone.
        attribution: the parts, under the places of `changes` as text (`0`, `1`, ...); None where there are none.
        sentences: how it was split, or why it cannot be.
    """

    changes: tuple[Change, ...]
    attribution: Attribution | None
    sentences: tuple[str, ...]


def split(
    changes: Sequence[Change],
    baseline: tuple[date, date],
    reporting: tuple[date, date],
    days: Sequence[SplitDay],
    measured: Decimal | None,
) -> Split:
    """Split a measured total over the changes that stood in the reporting period.

    Args:
        changes: all that are meant to save and may concern the scope, the one in question included.
        baseline: first and last day.
        reporting: first and last day.
        days: the measured days of the reporting period, in order.
        measured: the total, which the parts add up to; None where nothing could be measured.
    """
    standing = tuple(sorted((c for c in changes if _touches(c, baseline, reporting)), key=lambda c: c.first_day))
    if len(standing) < 2:  # noqa: PLR2004 - one change has the whole
        return Split((), None, ())
    reasons = _cannot(standing, baseline, reporting, measured)
    if not reasons and measured is not None:
        spans = _spans(standing, reporting, days)
        reasons = _too_short(standing, spans)
        if not reasons:
            found, reasons = _shared(spans, measured)
            if found is not None:
                return Split(standing, found, BASIS)
    return Split(standing, None, tuple(f"Not split: {reason}" for reason in reasons))


def _touches(change: Change, baseline: tuple[date, date], reporting: tuple[date, date]) -> bool:
    """Whether it stood in one period otherwise than in the other; what lasts through both takes no part."""
    if change.first_day > reporting[1] or (change.last_day is not None and change.last_day < baseline[0]):
        return False
    if change.first_day < baseline[0]:
        return change.last_day is not None and change.last_day < reporting[1]
    between = change.first_day > baseline[1] and change.last_day is not None and change.last_day < reporting[0]
    return not between


def _cannot(
    standing: Sequence[Change], baseline: tuple[date, date], reporting: tuple[date, date], measured: Decimal | None
) -> tuple[str, ...]:
    early = [change for change in standing if baseline[0] <= change.first_day <= baseline[1]]
    ended = [change for change in standing if change.last_day is not None and change.last_day < reporting[1]]
    return (
        *(("nothing could be measured.",) if measured is None else ()),
        *(
            (f"at most {MOST_INTERVENTIONS} changes share a total; these are {len(standing)}.",)
            if len(standing) > MOST_INTERVENTIONS
            else ()
        ),
        *((f"{_named(early)} stood in the baseline already, so its effect is in both periods.",) if early else ()),
        *((f"{_named(ended)} ended before the reporting period did.",) if ended else ()),
    )


def _spans(
    standing: Sequence[Change], reporting: tuple[date, date], days: Sequence[SplitDay]
) -> list[tuple[int, Decimal, Decimal]]:
    """From each change's first reporting day up to the next one's: how many days, their cost, and that expected."""
    starts = [max(change.first_day, reporting[0]) for change in standing]
    ends = [*starts[1:], date.max]
    inside = [[day for day in days if first <= day.date < end] for first, end in zip(starts, ends, strict=True)]
    return [(len(part), total(d.cost for d in part), total(d.expected for d in part)) for part in inside]


def _too_short(standing: Sequence[Change], spans: Sequence[tuple[int, Decimal, Decimal]]) -> tuple[str, ...]:
    found = list[str]()
    for nth, (days, _, _) in enumerate(spans):
        if days >= LEAST_REPORTING:
            continue
        name = _named([standing[nth]])
        rest = f"the next one, {_named([standing[nth + 1]])}" if nth + 1 < len(standing) else "the period's end"
        found.append(
            f"{name} has {days} measured days of its own before {rest}; it takes {LEAST_REPORTING} to tell them apart."
        )
    return tuple(found)


def _shared(
    spans: Sequence[tuple[int, Decimal, Decimal]], measured: Decimal
) -> tuple[Attribution | None, tuple[str, ...]]:
    if any(cost <= ZERO or expected <= ZERO for _, cost, expected in spans):
        return None, ("on some span of days there was no cost, so that no share of it is left.",)
    left = [Fraction(cost) / Fraction(expected) for _, cost, expected in spans]
    alone = [left[0], *(one / before for before, one in pairwise(left))]
    costs = _costs([expected for _, _, expected in spans], alone)
    names = tuple(str(nth) for nth in range(len(spans)))
    saved = costs[frozenset()] - costs[frozenset(names)]
    if abs(saved - Fraction(measured)) > _ROUNDED * abs(Fraction(measured)):
        return None, ("the total is so small beside its parts that rounding would decide about them.",)
    # Days are rounded one by one and the total once; every amount is of the total.
    scale = Fraction(measured) / saved if saved else Fraction(1)
    exponent = measured.as_tuple().exponent
    digits = max(2, -exponent) if isinstance(exponent, int) else 2
    scaled = {some: cost * scale for some, cost in costs.items()}
    return attribute(scaled, names, measured, digits=digits), ()


def _costs(expected: Sequence[Decimal], left: Sequence[Fraction]) -> Mapping[frozenset[str], Fraction]:
    """Cost under every set of the changes: on each span those that had joined leave their shares of what it expects."""
    spans = [
        compounded(amount, {str(at): share if at <= nth else Fraction(1) for at, share in enumerate(left)})
        for nth, amount in enumerate(expected)
    ]
    return {some: sum((span[some] for span in spans), Fraction(0)) for some in spans[0]}


def _named(changes: Sequence[Change]) -> str:
    shown = ", ".join(f'"{change.note}" ({change.first_day})' for change in changes[:_NAMED])
    return shown if len(changes) <= _NAMED else f"{shown} and {len(changes) - _NAMED} more"
