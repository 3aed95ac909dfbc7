"""The pages by section and in their order. A page whose module is not installed is simply not there."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from functools import cache
from typing import Final

import streamlit as st


@dataclass(frozen=True, slots=True)
class Entry:
    """One page.

    Attributes:
        section: heading under which the navigation lists it.
        title: its name.
        path: its address.
        module: module of `ui` whose `PAGE` draws it.
        hidden: whether it is reached from other pages alone.
    """

    section: str
    title: str
    path: str
    module: str
    hidden: bool = False


#: The first that is there is where one arrives.
ENTRIES: Final = (
    Entry("Value", "Value", "value", "value_page"),
    Entry("Value", "Proofs", "proofs", "proofs_page"),
    Entry("Cost", "Spend", "spend", "spend"),
    Entry("Cost", "Unit cost", "unit-cost", "unit_cost"),
    Entry("Cost", "Why it changed", "change", "change_page"),
    Entry("Cost", "Charges", "charges", "charges_page", hidden=True),
    Entry("Outlook", "What-if", "what-if", "whatif_page"),
    Entry("Outlook", "ROI", "roi", "roi_page"),
    Entry("Outlook", "Forecast", "forecast", "forecast_page"),
    Entry("Data", "Add data", "add-data", "start_page"),
    Entry("Data", "Connections", "connections", "connect_page"),
    Entry("Data", "Reports", "reports", "reports_page"),
    Entry("Data", "Reconciliation", "reconciliation", "reconcile_page"),
    Entry("Data", "Loads and data quality", "loads", "quality"),
    Entry("Data", "How it is computed", "method", "method_page"),
)


@cache
def present() -> tuple[Entry, ...]:
    """The pages that this installation has, in their order."""
    return tuple(entry for entry in ENTRIES if importlib.util.find_spec(f"ui.{entry.module}") is not None)


def has(path: str) -> bool:
    """Whether there is a page at an address."""
    return any(entry.path == path for entry in present())


def title(path: str) -> str:
    """What the page at an address is called.

    Raises:
        StopIteration: there is none.
    """
    return next(entry.title for entry in present() if entry.path == path)


def link(path: str) -> st.Page:
    """The page at an address, as `st.page_link` and `st.switch_page` take it.

    Raises:
        KeyError: there is none.
    """
    first = present()[0]
    for entry in present():
        if entry.path == path:
            return _page(entry, default=entry is first)
    raise KeyError(path)


def navigation() -> dict[str, list[st.Page]]:
    """The pages as `st.navigation` takes them, by section."""
    sections = dict[str, list[st.Page]]()
    first = present()[0]
    for entry in present():
        sections.setdefault(entry.section, []).append(_page(entry, default=entry is first))
    return sections


def warm() -> None:
    """Import what the pages would otherwise import while somebody waits."""
    for name in (
        "ibis",
        "pandas",
        "pyarrow",
        "altair",
        "sqlalchemy",
        "alembic.command",
        "accounts.views",
        "reports.records",
        "jobs.happened",
    ):
        importlib.import_module(name)
    for entry in present():
        importlib.import_module(f"ui.{entry.module}")


def _page(entry: Entry, *, default: bool) -> st.Page:
    return st.Page(
        importlib.import_module(f"ui.{entry.module}").PAGE,
        title=entry.title,
        url_path=entry.path,
        default=default,
        visibility="hidden" if entry.hidden else "visible",
    )
