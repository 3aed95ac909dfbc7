"""The split of a claim's saving over the changes that stood in its reporting period, from the claim's own days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from analysis.split import Change, Split, SplitDay, split
from reports.claim_parts import Day, Intervention, Share
from reports.question import LEVERS


def split_of(
    changes: Sequence[Intervention],
    baseline: tuple[date, date],
    reporting: tuple[date, date],
    days: Sequence[Day],
    point: Decimal | None,
) -> Split:
    """A claim's saving over several changes.

    Args:
        changes: the one in question, and after it what else is registered; of these the levers count.
        baseline: first and last day.
        reporting: first and last day.
        days: of both periods, as the claim has them.
        point: the saving.
    """
    levers = [part for nth, part in enumerate(changes) if nth == 0 or part.kind in LEVERS]
    measured = [
        SplitDay(day.date, day.cost, day.expected)
        for day in days
        if day.part == "reporting" and day.expected is not None
    ]
    found = [Change(part.note, part.first_day, part.last_day) for part in levers]
    return split(found, baseline, reporting, measured, point)


def shares_of(found: Split) -> tuple[Share, ...]:
    """The parts as a claim states them, by date; none where the saving is not split."""
    parts = found.attribution
    if parts is None:
        return ()
    return tuple(
        Share(change.note, change.first_day, parts.sequential[str(nth)], parts.shapley[str(nth)], parts.alone[str(nth)])
        for nth, change in enumerate(found.changes)
    )
