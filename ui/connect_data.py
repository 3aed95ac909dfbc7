"""What the Connections page reads of the ledger: the charges that each connection has brought."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import streamlit as st

from analysis.result import fetch, summed
from ui import data


@dataclass(frozen=True, slots=True)
class Held:
    """Charges of one connection.

    Attributes:
        first: first day with a charge.
        last: last day with a charge.
        days: how many days have one.
        billed: BilledCost by currency, never summed over currencies.
    """

    first: date
    last: date
    days: int
    billed: Mapping[str, Decimal] = field(default_factory=dict[str, Decimal])


def charges(workspace: str) -> Mapping[str, Held]:
    """Charges by the ledger's name of the source, at the newest snapshot; nothing where there is no lake."""
    return _charges(workspace, data.newest_snapshot(workspace)) if data.exists(workspace) else {}


def has_rows(workspace: str, source: str) -> bool:
    """Whether the ledger holds rows of a source, be they charges or usage."""
    if not data.exists(workspace):
        return False
    snapshot = data.newest_snapshot(workspace)
    there = data.held(workspace, snapshot)
    return any(
        load["Connection"] == source and load["LoadId"] in there for load in data.lineage(workspace, snapshot).loads
    )


@st.cache_resource(max_entries=16, show_spinner=False)
def _charges(workspace: str, snapshot: int) -> dict[str, Held]:
    daily = data.lake_of(workspace).table("daily_spend", snapshot=snapshot)
    spans = daily.group_by("x_Connection").aggregate(
        first=daily["ChargeDate"].min(), last=daily["ChargeDate"].max(), days=daily["ChargeDate"].nunique()
    )
    sums = daily.group_by("x_Connection", "BillingCurrency").aggregate(billed=summed(daily, "BilledCost"))
    billed = dict[str, dict[str, Decimal]]()
    for row in fetch(sums):
        billed.setdefault(row["x_Connection"], {})[row["BillingCurrency"]] = row["billed"]
    return {
        row["x_Connection"]: Held(row["first"], row["last"], row["days"], billed[row["x_Connection"]])
        for row in fetch(spans)
    }
