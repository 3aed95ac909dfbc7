"""What the page on reconciliation asks of the ledger: cached, by workspace and snapshot as every loader (`ui.data`)."""

from __future__ import annotations

from datetime import date
from typing import Final

import streamlit as st

from analysis.reconcile import reconcile
from analysis.reconciled import Reconciliation
from analysis.where import Where, within
from ledger.price_book.book import Book, load
from ui.data import lake_of

_ENTRIES: Final = 60


@st.cache_resource(max_entries=4, show_spinner=False)
def _book(workspace: str, snapshot: int) -> Book:  # noqa: ARG001 - new prices are a new snapshot
    return load(lake=lake_of(workspace))


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def reconciliation(
    workspace: str, snapshot: int, by: tuple[str, ...], start: date | None, end: date | None, where: Where = ()
) -> Reconciliation:
    """`analysis.reconcile.reconcile` with the workspace's own price book; `end` is the day after the last one."""
    known = _book(workspace, snapshot)
    with lake_of(workspace).reading("daily_token_costs", "usage", snapshot=snapshot) as tables:
        costs, usage = (within(table, where) for table in tables)
        return reconcile(costs, usage, known.table, digest=known.digest, by=by, start=start, end=end)
