"""Connections: which accounts are followed, how each stands, whether the totals agree, and how to connect one more."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, Literal

import streamlit as st

from accounts import connections, totals
from accounts.connections import Connection
from connectors import sources
from connectors.live import Setup
from ledger.errors import LedgerError
from reports import numbers
from ui import connect_actions, connect_data, connect_form, connect_sync, connect_totals, pages, running
from ui.connect_data import Held
from ui.connect_sync import Standing
from ui.connect_words import Stand, age, as_of, beforehand, counts, moment, progress
from ui.frame import View, page
from ui.markup import plain
from ui.quality import money_by_currency

#: Seconds between two looks at a sync that runs, and at one that may begin elsewhere.
_LIVELY: Final = 2
_CALM: Final = 20
_Colour = Literal["gray", "blue", "green", "red", "orange"]
_COLOURS: Final[Mapping[Stand, _Colour]] = {
    Stand.NEVER: "gray",
    Stand.STARTING: "blue",
    Stand.RUNNING: "blue",
    Stand.DONE: "green",
    Stand.FAILED: "red",
    Stand.STOPPED: "orange",
}


def draw(view: View) -> None:
    """The page below its title."""
    if said := st.session_state.pop("connect-said", None):
        st.toast(said, duration="long")
    settings = running.current().settings
    found = connections.listed(settings, view.workspace)
    if found:
        st.header("Followed accounts", anchor=False)
    for connection in found:
        _card(connection)
    if found:
        connect_totals.draw(view.workspace, found)
    connect_form.draw(view.workspace, held=[connection.name for connection in found])


def _card(connection: Connection) -> None:
    setup = sources.provider(connection.provider).setup
    how = connect_sync.standing(running.current().settings, connection)
    with st.container(border=True):
        st.fragment(_status, run_every=_LIVELY if how.busy else _CALM)(connection, setup, how)
        connect_actions.draw(connection, setup, how)
        _later(connection, setup)


def _status(connection: Connection, setup: Setup, drawn: Standing) -> None:
    """How a connection stands now; the whole page is drawn anew when that is another state than it was drawn for."""
    try:
        how = connect_sync.standing(running.current().settings, connection)
        if how.stand is not drawn.stand:
            st.rerun()
        now = datetime.now(UTC)
        _head(connection, setup, how)
        _told(how, now)
        held = connect_data.charges(connection.workspace).get(connection.source)
        st.caption(f"{as_of(how.done, now, brought=held is not None)} {_last(how)} {_interval(connection)}")
        if first := beforehand(totals.listed(running.current().settings, connection)):
            st.info(plain(first))
        _brought(held, how, setup)
    except LedgerError as error:
        st.error(plain(str(error)))


def _head(connection: Connection, setup: Setup, how: Standing) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(connection.name, anchor=False, width="content")
        st.badge(how.stand.value, color=_COLOURS[how.stand])
        st.markdown(plain(setup.title), width="content")


def _told(how: Standing, now: datetime) -> None:
    """What the newest sync does, or what became of it."""
    run = how.run
    match how.stand:
        case Stand.STARTING:
            st.progress(0.0, "Starting the sync")
        case Stand.RUNNING if run is not None:
            share, words = progress(run)
            st.progress(share, plain(words))
        case Stand.FAILED if how.trouble:
            st.error(f"The sync could not begin. {plain(how.trouble)}")
        case Stand.FAILED if run is not None:
            ended = run.ended_at or run.started_at
            st.error(f"**The sync failed {age(now - ended)} ago, {moment(ended)}.** {plain(run.message)}")
        case Stand.STOPPED if run is not None:
            st.warning(
                f"The sync that began {moment(run.started_at)} was interrupted. What it had fetched is kept; the next "
                "one goes on from there."
            )
        case Stand.DONE if run is not None and run.message:
            st.warning(plain(run.message))
        case _:
            pass


def _brought(held: Held | None, how: Standing, setup: Setup) -> None:
    """What the ledger holds of a connection, with the way to its first chart; no charge is a gap, not a zero."""
    if held is None:
        wait = "The newest month is fetched first." if how.busy else "No other page shows a figure of it."
        st.markdown(f"No charge has arrived from it yet. {wait}")
        return
    whole = " so far" if how.busy else ""
    st.markdown(
        f"**{plain(money_by_currency(held.billed))}** billed{whole} on {numbers.some(held.days, 'day')}, "
        f"{numbers.days(held.first, held.last)}. The last {setup.overlap_days} days are provisional: "
        f"{plain(setup.title)} may still restate them."
    )
    st.page_link(pages.link("spend"), label="See the spend")


def _last(how: Standing) -> str:
    """What the newest sync that has ended fetched."""
    return "" if how.run is None or how.busy else f"The last sync: {plain(counts(how.run))}."


def _interval(connection: Connection) -> str:
    if not connection.every_minutes:
        return "It is synced only when asked."
    hours, rest = divmod(connection.every_minutes, 60)
    every = numbers.some(connection.every_minutes, "minute") if rest else numbers.some(hours, "hour")
    return f"Synced every {every.removeprefix('1 ')} as long as `spendproof worker` runs."


def _later(connection: Connection, setup: Setup) -> None:
    if not setup.later:
        return
    with st.expander("What cannot be seen yet, and from when on it can"):
        st.markdown("\n".join(f"- {plain(sentence)}" for sentence in setup.later))
        st.caption(f"Connected {moment(connection.created_at)}; a day counts from then. {plain(setup.price)}")


PAGE: Final = page(
    "Connections",
    "Which accounts are followed, how fresh is each, and does it agree with its provider?",
    draw,
    needs_charges=False,
    needs_lake=False,
)
