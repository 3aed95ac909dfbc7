"""Saved views as pages read them, and what the ledger gained since a person last looked."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import streamlit as st

from accounts import views
from accounts.home import Settings
from analysis.result import ZERO, Metric, total
from ui import data


@dataclass(frozen=True, slots=True)
class View:
    """A saved view: the page's address and its query string."""

    id: int
    name: str
    path: str
    query: str


def saved(settings: Settings, workspace: str) -> list[View]:
    """The views of a workspace, by name."""
    return [View(view.id, view.name, view.path, view.query) for view in views.listed(settings, workspace)]


@dataclass(frozen=True, slots=True)
class Since:
    """What changed between two snapshots: loads that came, and billed cost by currency where it differs."""

    loads: int
    billed: tuple[tuple[str, Decimal], ...]


@st.cache_resource(max_entries=50, show_spinner=False)
def since(workspace: str, snapshot: int, before: int) -> Since:
    """What a workspace gained or lost from the snapshot `before` to `snapshot`."""
    known = {load["LoadId"] for load in data.lineage(workspace, before).loads}
    came = [load for load in data.lineage(workspace, snapshot).loads if load["LoadId"] not in known]
    then, now = (
        {row.currency: row.billed_cost for row in data.spend(workspace, at, (), None, None, Metric.BILLED).rows}
        for at in (before, snapshot)
    )
    moved = {code: total((now.get(code, ZERO), -then.get(code, ZERO))) for code in sorted(now | then)}
    return Since(len(came), tuple((code, amount) for code, amount in moved.items() if amount))
