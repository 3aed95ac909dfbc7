"""Days that screens and reports are about: named ranges of what is loaded, and what they are compared with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from analysis.period import first_of_month
from reports import numbers

NEWEST: Final = "Newest month"
THREE: Final = "Last 3 months"
TWELVE: Final = "Last 12 months"
ALL: Final = "Everything"
CHOSEN: Final = "Choose days"
RANGES: Final = (NEWEST, THREE, TWELVE, ALL, CHOSEN)
#: What a period is compared with by default.
BEFORE: Final = "Period before"
YEAR: Final = "Same days a year before"
COMPARED: Final = (BEFORE, YEAR, CHOSEN)
_MONTHS: Final = {NEWEST: 1, THREE: 3, TWELVE: 12}
#: From so many days on a chart shows months.
_MONTHLY_FROM: Final = 125


@dataclass(frozen=True, slots=True)
class Span:
    """Days that a page or report is about, both included."""

    first: date
    last: date

    @property
    def end(self) -> date:
        """The day after the last one."""
        return self.last + timedelta(days=1)

    @property
    def before(self) -> Span:
        """The days before, just as many; or as many whole months, where these are whole months."""
        if self.first.day == 1 and self.end.day == 1:
            months = (self.end.year - self.first.year) * 12 + self.end.month - self.first.month
            return Span(months_back(self.first, months), self.first - timedelta(days=1))
        return Span(self.first - (self.end - self.first), self.first - timedelta(days=1))

    @property
    def year_before(self) -> Span:
        """The same days a year before."""
        return Span(_year_back(self.first), _year_back(self.end) - timedelta(days=1))

    @property
    def monthly(self) -> bool:
        """Whether a chart shows months rather than days."""
        return (self.end - self.first).days >= _MONTHLY_FROM

    @property
    def step(self) -> str:
        """What one mark of a chart stands for: `day` or `month`."""
        return "month" if self.monthly else "day"

    def __str__(self) -> str:
        return numbers.days(self.first, self.last)


def months_back(month: date, count: int) -> date:
    """The first day of the month that lies `count` months before that of `month`."""
    number = month.year * 12 + month.month - 1 - count
    return date(number // 12, number % 12 + 1, 1)


def preset(name: str, first: date, last: date) -> Span:
    """The days of a named range, given the first and last day that have charges."""
    if name in _MONTHS:
        return Span(max(first, months_back(first_of_month(last), _MONTHS[name] - 1)), last)
    return Span(first, last)


def _year_back(day: date) -> date:
    return months_back(day, 12) + timedelta(days=day.day - 1)
