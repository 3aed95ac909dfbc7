"""The pages and their order."""

from __future__ import annotations

import importlib
from typing import Final

import streamlit as st

from ui import change_page, quality, reconcile_page, spend, unit_cost, whatif_page

#: Title, address and page; the first is where one arrives.
PAGES: Final = (
    ("Spend", "spend", spend.PAGE),
    ("Unit cost", "unit-cost", unit_cost.PAGE),
    ("Why it changed", "change", change_page.PAGE),
    ("What-if", "what-if", whatif_page.PAGE),
    ("Reconciliation", "reconciliation", reconcile_page.PAGE),
    ("Loads and data quality", "loads", quality.PAGE),
)


def navigation() -> list[st.Page]:
    """The pages as `st.navigation` takes them."""
    return [
        st.Page(page, title=title, url_path=path, default=number == 0)
        for number, (title, path, page) in enumerate(PAGES)
    ]


def warm() -> None:
    """Import what the first page would otherwise import while somebody waits."""
    for name in ("ibis", "pandas", "pyarrow", "altair"):
        importlib.import_module(name)
