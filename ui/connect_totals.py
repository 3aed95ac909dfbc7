"""Totals of the providers beside the ledger's, to the cent, and the form for the total of an invoice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation

import streamlit as st

from accounts import totals
from accounts.connections import Connection
from connectors.live import Window
from jobs import reconciling
from ledger.errors import LedgerError
from ui import data, running
from ui.connect_words import total_rows
from ui.markup import plain
from ui.tables import difference_column, money_column, show


def draw(workspace: str, found: Sequence[Connection]) -> None:
    """The totals of these connections, the newest days first."""
    st.header("Against the providers' totals", anchor=False)
    settings = running.current().settings
    held = [(c.name, total) for c in found for total in totals.listed(settings, c)]
    if held:
        st.caption(
            "What the provider states by a second way, or an invoice says, beside the sum of the ledger's rows of "
            "those days. An open period may still change; today is left out."
        )
        show(
            total_rows(held),
            {
                # Measured before the letters are there, the browser makes them too narrow.
                "Days": st.column_config.TextColumn(width=180),
                "Result": st.column_config.TextColumn(width=250),
                "Provider": money_column(),
                "Ledger": money_column("A dash where the ledger holds nothing of these days."),
                "Difference": difference_column("The ledger's figure less the provider's"),
            },
            alt="Totals that providers state beside the ledger's, with the difference and whether the period is closed",
            key="connect-totals",
        )
    else:
        st.caption("No total is compared yet. Each sync compares the months that it changed.")
    _invoice(workspace, found)


def _invoice(workspace: str, found: Sequence[Connection]) -> None:
    with st.expander("Enter the total of an invoice"), st.form("connect-invoice", border=False):
        st.caption("For providers that state no second total of their own. Before tax; the month in UTC.")
        before = datetime.now(UTC).date().replace(day=1) - timedelta(days=1)
        with st.grid(4, min_column_width=160):
            name = st.selectbox("Connection", [c.name for c in found])
            month = st.text_input("Month", value=f"{before:%Y-%m}") or ""
            amount = st.text_input("Total", placeholder="12345.67") or ""
            currency = st.text_input("Currency", value="USD", max_chars=3) or ""
        if not st.form_submit_button("Compare"):
            return
    if not data.exists(workspace):
        st.error("Nothing is in the ledger yet, so there is nothing to compare with. Sync first.")
        return
    try:
        window, stated = _month(month.strip()), _amount(amount)
        connection = next(c for c in found if c.name == name)
        lake, code = data.lake_of(workspace), currency.strip().upper()
        settings, now = running.current().settings, datetime.now(UTC)
        reconciling.enter_invoice(settings, connection, lake, window, stated, code, now)
    except (LedgerError, ValueError) as error:
        st.error(plain(str(error)))
        return
    st.rerun()


def _month(text: str) -> Window:
    try:
        first = date.fromisoformat(f"{text}-01")
    except ValueError as error:
        raise ValueError("Write the month as YYYY-MM.") from error
    return Window(first, date(first.year + first.month // 12, first.month % 12 + 1, 1))


def _amount(text: str) -> Decimal:
    try:
        found = Decimal(text.replace(",", "").strip())
    except InvalidOperation as error:
        raise ValueError("Write the total like 12345.67.") from error
    if not found.is_finite():
        raise ValueError("Write the total like 12345.67.")
    return found
