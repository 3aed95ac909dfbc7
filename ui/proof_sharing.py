"""Links to a proof for people without an account: made, listed, ended."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from accounts.errors import SignInError
from ledger.errors import LedgerError
from reports.optimization import OptimizationProof
from reports.records import ProofRecord
from reports.shares import DAYS, MOST_DAYS, ShareLink, Shares, ended
from ui import running
from ui.tables import show_text


def draw(proof: OptimizationProof, record: ProofRecord) -> None:
    """The form of a new link, and the links there are."""
    shares = Shares(proof.settings, proof.workspace)
    with st.expander("Share a link"):
        _new(proof, record)
        links = [link for link in shares.links() if link.proof == record.id]
        if links:
            _listed(shares, links)


def _new(proof: OptimizationProof, record: ProofRecord) -> None:
    st.caption(
        "The link opens a copy without account ids, signed as a document of its own. It is shown once and kept nowhere."
    )
    with st.form(f"share-{record.id}", border=False):
        days = st.number_input("Days it lasts", 1, MOST_DAYS, DAYS)
        password = st.text_input("Password, if it is to ask for one", type="password")
        names = st.checkbox("Take out the names of the workspace and of people, too")
        if not st.form_submit_button("Make link"):
            return
    try:
        made = proof.create_shareable_link(
            record, datetime.now(UTC), days=int(days), password=password or None, names=names
        )
    except (LedgerError, SignInError, ValueError) as error:
        st.error(str(error))
        return
    outside = running.current().settings.public_url or st.context.url or ""
    base = outside.split("/proofs")[0].rstrip("/")
    st.code(f"{base}{made.path}", language=None)


def _listed(shares: Shares, links: list[ShareLink]) -> None:
    now = datetime.now(UTC)
    views = shares.views(links)
    rows: list[dict[str, str | None]] = [
        {
            "Link": link.id,
            "Made": link.created_at[:10],
            "State": ended(link, now) or f"open until {link.expires_at[:10]}",
            "Opened": f"{len(views.get(link.id, [])):,}",
            "Password": "yes" if link.password else "no",
        }
        for link in links
    ]
    show_text(rows, alt="Links to this proof: when each was made, its state and how often it was opened")
    open_ = [link.id for link in links if ended(link, now) is None]
    if open_:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            key = st.selectbox("Link to end", open_, key="share-end")
            if st.button("End this link", key="share-revoke") and key:
                shares.revoke(key, now)
                st.rerun()
