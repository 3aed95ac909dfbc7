"""What a person chooses on a page; every choice is in the address, so that a link shows the same page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import streamlit as st

from analysis.period import first_of_month
from analysis.result import Metric
from ui import numbers
from ui.data import Coverage

NEWEST: Final = "Newest month"
THREE: Final = "Last 3 months"
TWELVE: Final = "Last 12 months"
ALL: Final = "Everything"
CHOSEN: Final = "Choose days"
#: What a period is compared with by default.
BEFORE: Final = "Period before"
YEAR: Final = "Same days a year before"
COMPARED: Final = (BEFORE, YEAR, CHOSEN)
RANGES: Final = (NEWEST, THREE, TWELVE, ALL, CHOSEN)
_MONTHS: Final = {NEWEST: 1, THREE: 3, TWELVE: 12}

METRICS: Final = {"Billed": Metric.BILLED, "Effective": Metric.EFFECTIVE, "List": Metric.LIST}
_METRIC_HELP: Final = (
    "Billed is what the invoice says. Effective spreads prepaid commitments over the days they cover. "
    "List is the price without any discount."
)
#: From so many days on a chart shows months.
_MONTHLY_FROM: Final = 125


@dataclass(frozen=True, slots=True)
class Span:
    """Days that a page is about, both included."""

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
    def monthly(self) -> bool:
        """Whether a chart shows months rather than days."""
        return (self.end - self.first).days >= _MONTHLY_FROM

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


def span(coverage: Coverage) -> Span:
    """The days that the person chose; the last three months that have charges by default."""
    if coverage.first is None or coverage.last is None:
        raise ValueError("A workspace without charges has no days to choose from.")
    name = st.selectbox("Period", RANGES, index=1, key="period", bind="query-params")
    default = preset(THREE, coverage.first, coverage.last)
    if name != CHOSEN:
        return preset(name or THREE, coverage.first, coverage.last)
    chosen = st.date_input(
        "Days",
        (default.first, default.last),
        min_value=coverage.first,
        max_value=coverage.last,
        format="YYYY-MM-DD",
        key="days",
        bind="query-params",
    )
    # While a person has picked the first of two days only, that one day is shown.
    days = list(chosen)
    return Span(days[0], days[-1]) if days else default


def metric() -> Metric:
    """Which cost the page is about."""
    name = st.selectbox("Cost", list(METRICS), key="cost", bind="query-params", help=_METRIC_HELP)
    return METRICS[name or "Billed"]


def choice(label: str, options: Sequence[str], key: str) -> str:
    """One of several, the first by default."""
    return st.selectbox(label, options, key=key, bind="query-params") or options[0]


def row(coverage: Coverage) -> Any:  # noqa: ANN401 - Streamlit's container
    """The row that the choices stand in, as wide as it has choices."""
    return st.grid(3 if len(coverage.currencies) == 1 else 4, min_column_width=180)


def currency(coverage: Coverage) -> str:
    """The one currency that the page shows; asked for only where there are several."""
    codes = coverage.currencies
    if len(codes) == 1:
        return codes[0]
    return st.selectbox("Currency", codes, key="currency", bind="query-params") or codes[0]


def provisional_from(coverage: Coverage, today: date) -> date | None:
    """First day of the billing periods that may still change: the newest one, and any that is not over."""
    if coverage.newest_period is None:
        return None
    return min(first_of_month(today), coverage.newest_period)
