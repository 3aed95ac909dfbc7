"""Around every page: its title, the sample-data banner, what an empty workspace is told, and errors as sentences."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import streamlit as st

from analysis.where import NotInTableError
from ledger.errors import LedgerError
from ui import carry, data, running

_log: Final = logging.getLogger(__name__)

SYNTHETIC: Final = "Synthetic sample data"


@dataclass(frozen=True, slots=True)
class View:
    """What one run of a page reads: one workspace at one snapshot."""

    workspace: str
    snapshot: int
    coverage: data.Coverage


Body = Callable[[View], None]


def page(
    title: str, question: str, body: Body, *, needs_charges: bool = True, needs_lake: bool = True
) -> Callable[[], None]:
    """A page as `st.Page` takes it.

    Args:
        title: what the page is called.
        question: the one question that it answers.
        body: draws it.
        needs_charges: whether an empty ledger is answered with how to load something.
        needs_lake: whether a workspace without any load is answered so; else `body` is given a view of nothing.
    """

    def run() -> None:
        carry.arrive(title)
        st.title(title, anchor=False)
        st.caption(question)
        _guarded(body, needs_charges=needs_charges, needs_lake=needs_lake)
        carry.keep()

    return run


def _guarded(body: Body, *, needs_charges: bool, needs_lake: bool) -> None:
    try:
        view = _view(running.current().workspace)
        _banner(view.coverage)
        _told()
        if needs_lake and _is_empty(view, needs_charges=needs_charges):
            _guide(view.workspace)
            return
        body(view)
    except NotInTableError as error:
        st.info(str(error))
    except LedgerError as error:
        st.error(str(error))
    except Exception as error:  # a page must never end in a traceback; the log keeps it
        if _is_control_flow(error):
            raise
        reference = secrets.token_hex(4)
        _log.exception("page failed, reference %s", reference)
        st.error(
            "This page could not be made, and nothing in the ledger was changed. Reload it; if it happens again, "
            f"look for {reference} in the server's log."
        )


def _view(workspace: str) -> View:
    """The newest of a workspace; nothing at all where it has no lake, which looking must not make."""
    if not data.exists(workspace):
        return View(workspace, 0, data.Coverage())
    snapshot = data.newest_snapshot(workspace)
    return View(workspace, snapshot, data.coverage(workspace, snapshot))


def _is_empty(view: View, *, needs_charges: bool) -> bool:
    if view.coverage.currencies:
        return False
    exists = data.exists(view.workspace)
    return needs_charges or not exists or not data.lineage(view.workspace, view.snapshot).loads


def _is_control_flow(error: Exception) -> bool:
    """Streamlit ends and restarts a run by exceptions of its own."""
    return type(error).__module__.startswith("streamlit.runtime.scriptrunner")


def _banner(coverage: data.Coverage) -> None:
    if coverage.synthetic:
        beside = " It stands beside other data in this workspace." if coverage.real else ""
        st.warning(f"**{SYNTHETIC}.** The company and every figure are made up.{beside}")


def _told() -> None:
    if "add-data-loaded" in st.session_state:
        from ui import start_page  # noqa: PLC0415 - itself a page within this frame

        start_page.told()


def _guide(workspace: str) -> None:
    """An empty workspace: the three ways in."""
    from ui import start_page  # noqa: PLC0415 - itself a page within this frame

    st.header("No bill is loaded yet", anchor=False)
    st.markdown("Three ways to the first chart, each of them three clicks:")
    start_page.ways(workspace, empty=True)
    st.caption("Everything stays on this machine. The sample customer in a workspace of its own: `spendproof demo`")
