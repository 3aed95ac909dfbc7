"""What a person chooses on a page; every choice is in the address, so that a link shows the same page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

import streamlit as st

from analysis.period import first_of_month
from analysis.result import Metric
from reports.span import (
    ALL,
    BEFORE,
    CHOSEN,
    COMPARED,
    NEWEST,
    RANGES,
    THREE,
    TWELVE,
    YEAR,
    Span,
    months_back,
    preset,
)
from ui.data import Coverage

__all__ = [
    "ALL",
    "BEFORE",
    "CHOSEN",
    "COMPARED",
    "METRICS",
    "NEWEST",
    "RANGES",
    "THREE",
    "TWELVE",
    "YEAR",
    "Span",
    "choice",
    "currency",
    "metric",
    "months_back",
    "preset",
    "provisional_from",
    "row",
    "span",
]

METRICS: Final = {"Billed": Metric.BILLED, "Effective": Metric.EFFECTIVE, "List": Metric.LIST}
_METRIC_HELP: Final = (
    "Billed is what the invoice says. Effective spreads prepaid commitments over the days they cover. "
    "List is the price without any discount."
)


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
