"""What travels from page to page and stands in the address: days, what to compare them with, scope and currency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import streamlit as st

from analysis.where import UNNAMED, Where, gathered
from ui import controls, data
from ui.controls import Span
from ui.data import Coverage
from ui.frame import View

_SCOPE_HELP: Final = (
    "Type to search for a provider, service, project or model. Several of one kind are alternatives; several kinds "
    "narrow."
)
_AGAINST_HELP: Final = "What the period is compared with. The period before has as many days, or as many whole months."


@dataclass(frozen=True, slots=True)
class Scope:
    """What a person looks at, on every page alike.

    Attributes:
        span: the days.
        before: the days that they are compared with.
        where: the part of the spend; empty for all of it.
        currency: the one currency.
    """

    span: Span
    before: Span
    where: Where
    currency: str

    @property
    def told(self) -> str:
        """The part of the spend in words; empty for all of it."""
        return in_words(self.where)


def in_words(where: Where) -> str:
    """A part of the spend in words; empty for all of it."""
    return "; ".join(f"{dimension} {' or '.join(value or UNNAMED for value in values)}" for dimension, values in where)


def row() -> Any:  # noqa: ANN401 - Streamlit's container
    """The row that the choices stand in: as many side by side as the width has room for, two on a phone."""
    return st.grid("auto", min_column_width=150)


def controls_of(view: View) -> Scope:
    """The choices that every page shares, drawn where the caller stands."""
    span = controls.span(view.coverage)
    before = compared(view.coverage, span)
    where = chosen(view)
    return Scope(span, before, where, controls.currency(view.coverage))


def compared(coverage: Coverage, span: Span) -> Span:
    """The days to compare with, as the person chose them."""
    name = st.selectbox(
        "Compare with",
        controls.COMPARED,
        key="against",
        bind="query-params",
        help=_AGAINST_HELP,
    )
    if name == controls.YEAR:
        return span.year_before
    if name != controls.CHOSEN or coverage.first is None:
        return span.before
    default = (max(coverage.first, span.before.first), max(coverage.first, span.before.last))
    days = list(
        st.date_input(
            "Days to compare with",
            default,
            min_value=coverage.first,
            max_value=coverage.last,
            format="YYYY-MM-DD",
            key="against-days",
            bind="query-params",
        )
    )
    return Span(days[0], days[-1]) if days else span.before


def chosen(view: View) -> Where:
    """The part of the spend that the person chose; all of it by default."""
    known = data.names(view.workspace, view.snapshot)
    if "scope" in st.session_state:
        # What an address or another ledger named may not be in this one.
        st.session_state["scope"] = [name for name in st.session_state["scope"] if name in known]
    picked: Sequence[str] = st.multiselect(
        "Scope",
        list(known),
        key="scope",
        bind="query-params",
        placeholder="Everything",
        select_all=False,
        help=_SCOPE_HELP,
    )
    return gathered(known[name] for name in picked)
