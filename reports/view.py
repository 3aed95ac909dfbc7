"""What a report is over: days by name or a saved view, so that a schedule's report is always of the newest days."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from analysis.period import first_of_month
from analysis.scope import Scope, parse
from analysis.where import UNNAMED, Where, within
from ledger.errors import LedgerError

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from reports.span import Span as Days


class ReportError(LedgerError):
    """A report that cannot be made, or a format that there is none of."""


class Span(StrEnum):
    """Days by name, seen from the day of the report; all end with the day before it."""

    LAST_7 = "last-7-days"
    LAST_30 = "last-30-days"
    LAST_90 = "last-90-days"
    LAST_MONTH = "last-month"
    THIS_MONTH = "this-month"
    LAST_YEAR = "last-12-months"


_DAYS: Final = {Span.LAST_7: 7, Span.LAST_30: 30, Span.LAST_90: 90}
_FIXED: Final = re.compile(r"(\d{4}-\d{2}-\d{2})\.\.(\d{4}-\d{2}-\d{2})")


EVERYTHING: Final = Scope()


@dataclass(frozen=True, slots=True)
class View:
    """What is asked.

    Attributes:
        days: a `Span`, or `2026-10-01..2026-10-31`.
        scope: conditions on charges; none is everything.
        currency: ISO 4217 code; None for the one with the most charges.
        saved: name of a saved view that says all this instead.
        of: the proof or the saved ROI scenario that the report is about, where it is about one.
        where: the part of the spend as screens choose it, besides `scope`.
        against: the days to compare with; None for those before.
    """

    days: str = Span.LAST_MONTH
    scope: Scope = EVERYTHING
    currency: str | None = None
    saved: str | None = None
    of: str | None = None
    where: Where = ()
    against: Days | None = None

    @property
    def needs_charges(self) -> bool:
        """Whether its part of the spend is on a dimension that the daily rollups do not hold."""
        return self.scope.needs_charges

    @property
    def narrowed(self) -> str:
        """Its part of the spend in words; empty for all of it."""
        parts = [self.scope.text()] if self.scope.filters else []
        parts += [f"{name} {' or '.join(value or UNNAMED for value in values)}" for name, values in self.where]
        return "; ".join(parts)

    def within(self, table: ir.Table) -> ir.Table:
        """The rows of charges or of a rollup that it is about."""
        return within(self.scope.charges(table), self.where)

    def bounds(self, today: date) -> tuple[date, date]:
        """First and last day, seen from `today` (UTC).

        Raises:
            ReportError: the name of the days is not known, or the days run backwards.
        """
        if found := _FIXED.fullmatch(self.days):
            first, last = (date.fromisoformat(text) for text in found.groups())
            if last < first:
                raise ReportError(f"The days {self.days} run backwards; write the earlier one first.")
            return first, last
        if self.days not in list(Span):
            names = ", ".join(Span)
            raise ReportError(f"{self.days!r} names no days. Use one of {names}, or 2026-10-01..2026-10-31.")
        return _bounds(Span(self.days), today)

    def record(self) -> dict[str, Any]:
        """The view as JSON carries it: what a person asked, without what only the moment of making decides."""
        return {
            "days": str(self.days),
            "scope": self.scope.text(),
            "currency": self.currency,
            "saved": self.saved,
            "of": self.of,
        }


def view_of(record: Mapping[str, Any]) -> View:
    """The view that `View.record` wrote."""
    scope = parse(record["scope"])
    return View(record["days"], scope, record["currency"], record.get("saved"), record.get("of"))


def _bounds(span: Span, today: date) -> tuple[date, date]:
    last, month = today - timedelta(days=1), first_of_month(today)
    if span in _DAYS:
        return today - timedelta(days=_DAYS[span]), last
    if span is Span.THIS_MONTH:
        return (first_of_month(last), last) if today.day == 1 else (month, last)
    end = month - timedelta(days=1)
    if span is Span.LAST_MONTH:
        return first_of_month(end), end
    return month.replace(year=month.year - 1), end
