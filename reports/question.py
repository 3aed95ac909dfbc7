"""What is asked: a change, its scope and driver, and the two periods; and how they are chosen where nobody does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from analysis.baseline import YEAR
from analysis.savings_gates import LEAST_BASELINE, LEAST_REPORTING
from analysis.savings_planning import HORIZON_DAYS
from analysis.scope import Filter, Scope, parse
from ledger.errors import LedgerError
from reports.claim import Intervention
from reports.records import InterventionRecord, from_moment

if TYPE_CHECKING:
    from datetime import datetime

#: Kinds of interventions that are meant to save, and whether they touch the answers.
LEVERS: Final = {
    "caching": False,
    "batch": False,
    "tier": False,
    "rightsizing": False,
    "scheduling": False,
    "storage": False,
    "routing": True,
    "compression": True,
    "trimming": True,
    "output-limit": True,
}
#: What happens besides; days of a black-out are measured in neither period.
OTHERS: Final = ("vendor-price", "launch", "incident", "holiday", "other")
BLACKOUT: Final = "blackout"
KINDS: Final = (*LEVERS, *OTHERS, BLACKOUT)


class QuestionError(LedgerError):
    """A question that cannot be asked so; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Question:
    """Everything that is chosen before a saving is measured.

    Attributes:
        scope: which charges.
        driver: what cost is measured against.
        change: the intervention in question.
        baseline: first and last day.
        reporting: first and last day.
        others: what else is registered for the scope, with and without a bearing on the two periods.
    """

    scope: Scope
    driver: str
    change: Intervention
    baseline: tuple[date, date]
    reporting: tuple[date, date]
    others: tuple[Intervention, ...]

    @property
    def text(self) -> str:
        """The question in one sentence."""
        about = self.scope.text() or "the whole bill"
        return (
            f'What did the change of {self.change.first_day} ("{self.change.note}") avoid on {about} '
            f"from {self.reporting[0]} to {self.reporting[1]}, for the same {self.driver}?"
        )

    @property
    def blackout(self) -> frozenset[date]:
        """Days that are measured in neither period."""
        days = set[date]()
        for other in self.others:
            if other.kind == BLACKOUT:
                last = other.last_day or other.first_day
                days |= {other.first_day + timedelta(days=n) for n in range((last - other.first_day).days + 1)}
        return frozenset(days)

    @property
    def chosen(self) -> str:
        """All that was chosen, as one text to digest: two attempts are the same where this is."""
        return "\n".join(
            (self.scope.text(), self.driver, str(self.change.first_day), f"{self.baseline}{self.reporting}")
        )


def intervention_of(row: InterventionRecord) -> Intervention:
    """A registered intervention as a claim states it."""
    return Intervention(
        first_day=row.first_day,
        last_day=row.last_day,
        kind=row.kind,
        note=row.note,
        scope=parse(row.scope).filters,
        who=row.who,
        recorded=from_moment(row.recorded_at),
    )


def check_kind(kind: str) -> None:
    """Let a known kind of intervention pass.

    Raises:
        QuestionError: it is none.
    """
    if kind not in KINDS:
        raise QuestionError(f"There is no kind of intervention {kind!r}; there are {', '.join(KINDS)}.")


def may_meet(one: Sequence[Filter], other: Sequence[Filter]) -> bool:
    """Whether two scopes may concern the same charges: no condition rules it out."""
    chosen = {part.dimension: set(part.values) for part in one}
    return all(part.dimension not in chosen or chosen[part.dimension] & set(part.values) for part in other)


def touching(scope: Scope, interventions: Sequence[Intervention]) -> tuple[Intervention, ...]:
    """The interventions that may concern the same charges."""
    return tuple(other for other in interventions if may_meet(scope.filters, other.scope))


def periods(
    change: Intervention,
    others: Sequence[Intervention],
    ledger: tuple[date, date],
    *,
    baseline: tuple[date | None, date | None] = (None, None),
    reporting: tuple[date | None, date | None] = (None, None),
) -> tuple[tuple[date, date], tuple[date, date]]:
    """Both periods, where parts of them are not chosen: as long as other changes and the ledger let them be.

    The baseline is the year before the change, from after the lever before it on where that leaves enough days; the
    reporting period begins with the change and lasts `HORIZON_DAYS` days, until the next lever, and no longer than the
    baseline.

    Args:
        change: the intervention in question.
        others: other interventions on the same charges.
        ledger: first and last day that the ledger has charges of the scope for.
        baseline: first and last day, None for each that is not chosen.
        reporting: likewise.

    Raises:
        QuestionError: a period is empty or the two overlap.
    """
    one = timedelta(days=1)
    levers = sorted(other.first_day for other in others if other.kind in LEVERS)
    last = baseline[1] or change.first_day - one
    first = baseline[0] or max(ledger[0], last - (YEAR - 1) * one)
    before = [day for day in levers if first <= day <= last]
    if baseline[0] is None and before and (last - before[-1]).days >= LEAST_BASELINE:
        first = before[-1] + one
    start = reporting[0] or change.first_day
    end = reporting[1] or min(ledger[1], start + (HORIZON_DAYS - 1) * one, start + (last - first))
    after = [day for day in levers if start < day <= end]
    if reporting[1] is None and after and (after[0] - start).days >= LEAST_REPORTING:
        end = after[0] - one
    if last < first:
        raise QuestionError(
            f"The ledger has charges of this scope from {ledger[0]} on, and the change was on {change.first_day}: "
            "there is no day before it. Load earlier bills, or correct the date."
        )
    if end < start:
        raise QuestionError(
            f"The ledger has charges of this scope up to {ledger[1]}, and the reporting period begins on {start}: "
            "there is no day to report yet. Load newer bills, or wait."
        )
    if start <= last:
        raise QuestionError(f"The baseline ends on {last}, but the reporting period begins on {start} already.")
    return (first, last), (start, end)


def is_prospective(captured: datetime, change: Intervention) -> bool:
    """Whether a baseline was frozen before the day of the change began (UTC)."""
    return captured.date() < change.first_day
