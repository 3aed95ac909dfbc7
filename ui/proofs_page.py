"""Proofs: what a change avoided, how sure that is, and the signed document that others can check."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import streamlit as st

from analysis.written import MINUS
from reports.claim import State
from reports.known_now import LABEL, KnownNow, known_now
from reports.numbers import money
from reports.optimization import OptimizationProof
from reports.portfolio import together
from reports.proof import charts
from reports.proof.appendices import split_table
from reports.proof.issue import Proof, loaded, rendered
from reports.records import ProofRecord, Store
from reports.stale import judged
from ui import data, proof_sharing, proof_wizard, running
from ui.frame import View, page
from ui.markup import plain
from ui.tables import show_text

_FILES: Final = {"PDF": "pdf", "HTML": "html", "Excel": "xlsx", "CSV": "csv", "JSON": "json"}
_MEDIA: Final = {
    "pdf": "application/pdf",
    "html": "text/html",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv",
    "json": "application/json",
}
#: Above what is known now.
RESTATED: Final = "The bill that this proof cites was restated since. The proof shows what was known then."
_BADGES: Final = {"verified": "green", "provisional": "orange", "not verified": "red"}
#: Of the two pictures where the page is dark.
_DARK: Final[charts.Palette] = {
    "text": 'fill="#e6ebee"',
    "muted": 'fill="#a3afb7"',
    "level": 'fill="#8492a3"',
    "less": 'fill="#3fb388"',
    "more": 'fill="#e08a3c"',
    "band": 'fill="#24405e"',
    "rule": 'stroke="#37434b"',
    "line": 'fill="none" stroke="#6ba6e0" stroke-width="1.4"',
    "whisker": 'stroke="#e6ebee" stroke-width="1.3"',
    "dot": 'fill="#e6ebee"',
}


def draw(view: View) -> None:
    """The page below its title."""
    settings = running.current().settings
    proof = OptimizationProof(data.lake_of(view.workspace), settings, view.workspace)
    kept = proof.store.proofs()
    if kept:
        _chosen(view, proof, kept)
    else:
        st.markdown(
            "A proof begins with a change: say when it was made and to what, and the days before it become the "
            "baseline. What the data cannot carry is refused with the reason."
        )
    proof_wizard.draw(view, proof, expanded=not kept)
    _together(view, kept)
    _baselines(proof)


def _chosen(view: View, proof: OptimizationProof, kept: Sequence[ProofRecord]) -> None:
    names = {record.id: f"{record.created_at[:10]}, {record.state}: {record.question}" for record in kept}
    if (made := st.session_state.pop("proof-made", None)) in names:
        st.session_state["proof"] = made
    key = st.selectbox("Proof", list(names), format_func=names.__getitem__, key="proof", bind="query-params")
    record = next((r for r in kept if r.id == key), kept[0])
    if judged(proof.lake, record, view.snapshot) is not None:
        _known_now(view, record)
    if record.document is None:
        st.info("This proof is a draft that nobody signed. Make it again with a signing key.")
        return
    signed = loaded(record.document.encode())
    _statement(record, signed)
    _pictures(signed)
    _split(signed)
    _gates(signed)
    _hand_over(proof, record, signed)


def _statement(record: ProofRecord, signed: Proof) -> None:
    words: dict[str, str] = signed.document["statement"]
    colour = _BADGES.get(record.state, "gray")
    st.markdown(
        f":{colour}-badge[{record.state.capitalize()}] :gray-badge[{record.proof_class.capitalize()}] "
        f":gray-badge[Tier {record.tier}]"
    )
    st.header(plain(words["headline"]), anchor=False)
    for name in ("interval", "class", "evidence", "quality", "fee"):
        st.markdown(plain(words[name]))
    for sentence in signed.document["claim"]["refusals"][1:]:
        st.error(plain(sentence))


def _pictures(signed: Proof) -> None:
    palette = _DARK if st.context.theme.type == "dark" else charts.INK
    for title, told, picture in (
        ("From the baseline to what was paid", "The bar of what was saved carries its interval.", charts.bridge),
        (
            "Day by day",
            "Each day's cost as a dot; the line is what it would have been without the change, with its band.",
            charts.days,
        ),
    ):
        drawn = picture(signed.document, palette)
        if drawn:
            st.header(title, anchor=False)
            # A picture has no fonts of its page.
            st.image(
                drawn.replace('"Inter"', '"Inter, Helvetica, Arial, sans-serif"'), told, width="stretch", alt=title
            )


def _split(signed: Proof) -> None:
    """The saving split over several changes, or why it is not; nothing where there is one change."""
    table = split_table(signed.document["claim"])
    if not table["sentences"]:
        return
    st.header(table["title"], anchor=False)
    if table["rows"]:
        _figures(table["columns"], table["rows"], table["right"])
    for sentence in table["sentences"]:
        st.caption(plain(sentence))


def _figures(heads: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int]) -> None:
    """A table of figures that stand to the right."""

    def cell(text: str) -> str:
        # Four figures find room on a phone, and a minus sign stays with its digits.
        return f":small[{plain(' '.join(text.split()))}]".replace(MINUS, f"{MINUS}\u2060") if text else ""

    sides = ["--:" if at in right else ":--" for at in range(len(heads))]
    lines = [map(cell, heads), sides, *(map(cell, row) for row in rows)]
    st.markdown("\n".join(f"| {' | '.join(line)} |" for line in lines))


def _known_now(view: View, record: ProofRecord) -> None:
    """The same claim on today's ledger beside the signed one, before anybody supersedes or revokes it."""
    st.warning(RESTATED)
    with st.container(border=True):
        now = _recomputed(view.workspace, view.snapshot, record.id)
        st.markdown(f"**As known then, as known now** :gray-badge[{LABEL}]")
        if now.reason:
            st.markdown(f"It cannot be measured now: {plain(now.reason)}")
            return
        heads = ("Figure", "Then", "Now", "Difference")
        _figures(heads, now.rows(), (1, 2, 3))
        then, today = ("verified" if state else "not verified" for state in (now.then, now.now))
        st.markdown(f"Then {then}; now it would be {today}.")
        if now.refusals:
            with st.expander(f"Why not ({len(now.refusals)})"):
                for sentence in now.refusals:
                    st.markdown(f"- {plain(sentence)}")
        st.caption(
            "Measure the change again to sign what is known now (`spendproof prove ... --supersedes "
            f"{record.id}`), or revoke this proof (`spendproof issuer revoke {record.id} --reason ...`)."
        )


@st.cache_data(max_entries=50, show_spinner=False)
def _restated(workspace: str, snapshot: int, proofs: tuple[str, ...]) -> frozenset[str]:
    store, lake = Store(running.current().settings, workspace), data.lake_of(workspace)
    return frozenset(key for key in proofs if judged(lake, store.proof(key), snapshot) is not None)


@st.cache_data(max_entries=50, show_spinner="Measuring on today's ledger")
def _recomputed(workspace: str, snapshot: int, proof: str) -> KnownNow:
    store = Store(running.current().settings, workspace)
    return known_now(data.lake_of(workspace), store.proof(proof), snapshot)


def _together(view: View, kept: Sequence[ProofRecord]) -> None:
    """All verified proofs as one sum, where there is more than one."""
    verified = tuple(record.id for record in kept if record.state == State.VERIFIED)
    if len(verified) < 2:  # noqa: PLR2004 - one proof is its own sum
        return
    found = together(kept, _restated(view.workspace, view.snapshot, verified))
    with st.expander(f"The {len(found.proofs)} verified proofs together"):
        whole, unit = found.total, found.currency
        if whole.point is not None:
            ends = f"{money(whole.low, unit)} to {money(whole.high, unit)}"
            st.markdown(plain(f"Saved {money(whole.point, unit)} together, interval {ends}."))
        for sentence in (*whole.refusals, *whole.limits):
            st.caption(plain(sentence))


def _gates(signed: Proof) -> None:
    gates: Sequence[dict[str, Any]] = signed.document["claim"]["gates"]
    failed = [gate for gate in gates if gate["state"] != "passed"]
    with st.expander(f"The {len(gates)} gates, {len(gates) - len(failed)} passed", expanded=bool(failed)):
        rows = [
            {
                "Gate": f"{gate['id']} {gate['title']}",
                "State": gate["state"].capitalize(),
                "What was found": gate["sentence"],
            }
            for gate in gates
        ]
        show_text(rows, alt="Gates of the claim: each with its state and what was found")


def _hand_over(proof: OptimizationProof, record: ProofRecord, signed: Proof) -> None:
    st.header("Hand it over", anchor=False)
    st.caption(
        "Every file carries the same signed document. Whoever has it checks it without this server: "
        "`spendproof verify FILE`"
    )
    with st.container(horizontal=True):
        for name, format_ in _FILES.items():
            st.download_button(
                name,
                lambda format_=format_: rendered(signed, format_),
                f"proof-{record.id}.{format_}",
                _MEDIA[format_],
                key=f"proof-{format_}",
                on_click="ignore",
            )
    proof_sharing.draw(proof, record)


def _baselines(proof: OptimizationProof) -> None:
    rows = proof.store.baselines()
    with st.expander(f"Frozen baselines ({len(rows)})"):
        st.caption(
            "A baseline that is signed before the change makes its proof prospective. Capture one with "
            "`spendproof baseline capture` and hand its digest to whoever has to believe it."
        )
        if rows:
            listed = [
                {
                    "Name": row.name,
                    "Driver": row.driver,
                    "Days": f"{row.first_day} to {row.last_day}",
                    "Captured": row.captured_at[:10],
                    "Digest": row.digest[:16],
                }
                for row in rows
            ]
            show_text(listed, alt="Frozen baselines: name, driver, days, capture and digest")


PAGE: Final = page("Proofs", "What did a change really save, and how sure is that?", draw)
