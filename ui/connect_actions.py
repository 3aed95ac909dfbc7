"""What can be done with one connection: sync it, test it, replace its secret, remove it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from accounts import credentials
from accounts.connections import Connection
from connectors.errors import ConnectorError
from connectors.live import Diagnosis, Setup
from jobs import connecting
from jobs.sync import Tools
from ledger.errors import LedgerError
from ui import connect_data, connect_sync, data, running
from ui.connect_form import diagnoses, field_input
from ui.connect_sync import Standing
from ui.connect_words import moment
from ui.markup import plain


def draw(connection: Connection, setup: Setup, how: Standing) -> None:
    """The row of actions below a connection, and what the last test of this visit found."""
    key = f"connection-{connection.id}"
    with st.container(horizontal=True):
        st.button(
            "Sync now",
            on_click=_sync,
            args=(connection,),
            key=f"{key}-sync",
            disabled=how.busy,
            help="In the background",
        )
        test = st.button("Test", key=f"{key}-test")
        with st.popover("Replace secret or values"):
            _rotate(connection, setup, key)
        with st.popover("Remove"):
            _remove(connection, key)
    if test:
        _test(connection, key)
    if tested := st.session_state.get(f"{key}-found"):
        title, found = tested
        st.markdown(f"**{title}**")
        diagnoses(found)


def _sync(connection: Connection) -> None:
    connect_sync.start(running.current().settings, connection)


def _test(connection: Connection, key: str) -> None:
    try:
        with st.spinner("Testing"):
            found = connecting.test(running.current().settings, connection, Tools())
    except (ConnectorError, LedgerError) as error:
        st.error(plain(str(error)))
        return
    passed = "everything passed" if connecting.is_sound(found) else "something failed"
    _remember(key, f"Tested {moment(datetime.now(UTC))}: {passed}", found)


def _remember(key: str, title: str, found: Sequence[Diagnosis]) -> None:
    st.session_state[f"{key}-found"] = (title, found)


def _rotate(connection: Connection, setup: Setup, key: str) -> None:
    """Other values for a connection, tested before the old ones go."""
    tries = st.session_state.get(f"{key}-tries", 0)
    shown = credentials.shown(connection, setup.fields)
    st.caption("The new values are tested first; until they pass, the old ones stay. An empty secret stays as it is.")
    with st.form(f"{key}-rotate-{tries}", border=False):
        values = {
            f.name: field_input(f, key=f"{key}-{f.name}-{tries}", value=shown.get(f.name, "")) for f in setup.fields
        }
        if not st.form_submit_button("Test and replace", type="primary"):
            return
    secret = {f.name for f in setup.fields if f.secret}
    given = {name: value for name, value in values.items() if value or name not in secret}
    settings = running.current().settings
    try:
        again = connecting.rotated(settings, connection, given, Tools())
        with st.spinner("Testing"):
            found = connecting.test(settings, again, Tools())
        if sound := connecting.is_sound(found):
            connecting.keep_rotated(settings, again, datetime.now(UTC))
    except (ConnectorError, LedgerError) as error:
        st.error(plain(str(error)))
        return
    name = plain(connection.name)
    _remember(key, f"{name} uses the new values from now on" if sound else f"{name} keeps the values it had", found)
    # The secret's field is made anew, so that nothing of it stays behind.
    st.session_state[f"{key}-tries"] = tries + 1
    st.rerun()


def _remove(connection: Connection, key: str) -> None:
    st.markdown("Its secrets are forgotten. Revoke the key at the provider as well.")
    with_rows = st.checkbox("Take its rows out of the ledger too", key=f"{key}-rows")
    if not st.button(f"Remove {connection.name}", type="primary", key=f"{key}-remove"):
        return
    try:
        forget(connection, with_rows=with_rows)
    except LedgerError as error:
        st.error(plain(str(error)))
        return
    kept = "Its rows are gone from the ledger." if with_rows else "What it brought stays in the ledger."
    st.session_state["connect-said"] = f"{connection.name} and its secrets are forgotten. {kept}"
    st.rerun()


def forget(connection: Connection, *, with_rows: bool) -> None:
    """Remove a connection, and on request what it brought.

    Raises:
        ConnectionsError: a sync of it is running.
    """
    workspace = connection.workspace
    taken = with_rows and connect_data.has_rows(workspace, connection.source)
    connecting.forget(running.current().settings, connection, data.lake_of(workspace) if taken else None)
