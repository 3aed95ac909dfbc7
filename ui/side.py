"""Beside every page: search, saved views, the link to what is shown, and what changed since the last visit."""

from __future__ import annotations

import html
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qs

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from accounts import views
from ledger.errors import LedgerError
from ui import alerts, carry, charges_data, data, drill, pages, person, running, tour
from ui.markup import plain
from ui.views_data import saved

_SEARCH: Final = "search"
_NAME: Final = "view-name"


def draw(page: str) -> None:
    """The tools of the sidebar for the page at an address."""
    workspace = running.current().workspace
    with st.container(horizontal=True, gap="small"):
        if st.button("Search", key="open-search", shortcut="Mod+K", help="A model, service, project, provider or tag"):
            search(workspace)
        alerts.button(workspace)
        tour.button()
        told = "Copy the address of this page, or save it under a name"
        if st.button("Link and views", key="open-views", shortcut="Mod+Shift+L", help=told):
            link_and_views(workspace, page)
    found = saved(running.current().settings, workspace)
    if found:
        st.caption("Saved views")
    for view in found:
        if view.path == page:
            # Within one page Streamlit keeps what is chosen; a new visit reads the address.
            address = html.escape(f"/{view.path}?{view.query}", quote=True)
            st.html(f'<a href="{address}" target="_self" style="color: inherit">{html.escape(view.name)}</a>')
        elif pages.has(view.path):
            st.page_link(pages.link(view.path), label=view.name, query_params=parse_qs(view.query))


@st.dialog("Search")
def search(workspace: str) -> None:
    """Find a model, service, project, provider or tag, and go to its spend or its charges."""
    if not data.exists(workspace):
        st.info("No bill is loaded yet, so there is nothing to find.")
        return
    snapshot = data.newest_snapshot(workspace)
    names = data.names(workspace, snapshot)
    tags = {f"Tag: {key}: {value}": f"{key}: {value}" for key, value in charges_data.tags(workspace, snapshot)}
    picked = st.selectbox(
        "Model, service, project, provider or tag",
        [*names, *tags],
        index=None,
        placeholder="Type a part of its name",
        key=_SEARCH,
    )
    if picked is None:
        return
    if picked in tags:
        asked = {"tag": tags[picked], drill.CURRENCY: data.coverage(workspace, snapshot).currencies[0]}
        drill.link(f"Charges with {tags[picked]}", asked)
        return
    # Chosen for whatever page comes next; Streamlit lets no script write a parameter that a widget holds.
    carry.choose("scope", [picked])
    for path, what in (("spend", "Spend"), ("unit-cost", "Unit cost"), ("change", "Why it changed")):
        st.page_link(pages.link(path), label=f"{what} of {picked}")


@st.dialog("Link and views")
def link_and_views(workspace: str, page: str) -> None:
    """The address of what is shown, to be copied; and views that are kept under a name."""
    query = _query()
    st.markdown("Whoever may open this workspace sees the same page under this address:")
    base = (st.context.url or "").split("?")[0]
    st.code(f"{base}?{query}" if query else base, language=None, wrap_lines=True)
    settings = running.current().settings
    name = st.text_input("Save it as a view named", key=_NAME, max_chars=views.LONGEST_NAME)
    if st.button("Save view", type="primary", key="save-view"):
        try:
            views.save(settings, workspace, name, page, query)
        except LedgerError as error:
            st.error(str(error))
        else:
            st.rerun()
    for view in saved(settings, workspace):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(plain(view.name))
            if st.button("Remove", key=f"remove-view-{view.id}", help=f"Remove the view {view.name}"):
                views.remove(settings, workspace, view.id)
                st.rerun()


def _query() -> str:
    """The query string as the browser has it now; Streamlit's own copy is that of the page's first run."""
    context = get_script_run_ctx()
    return context.query_string if context else ""


def last_seen(workspace: str, snapshot: int) -> views.Seen | None:
    """What this person saw at the visit before this one; None at the first."""
    state = st.session_state
    if "last-seen" not in state:
        served = running.current().settings
        state["last-seen"] = views.visit(served, workspace, person.name(), snapshot, datetime.now(UTC))
    seen: views.Seen | None = state["last-seen"]
    return seen
