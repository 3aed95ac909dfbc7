"""A guided tour of the pages: a few steps, each on the page that it is about. It can be ended, and taken again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import streamlit as st

from ui import data, pages, person, running
from ui.markup import joined

#: What a person has put behind them who took the tour or does not want it.
MARK: Final = "tour"
_AT: Final = "tour-at"


@dataclass(frozen=True, slots=True)
class Step:
    """One step: the page that it is on, what it is about, and what it says."""

    path: str
    title: str
    text: str


STEPS: Final = (
    Step(
        "value",
        "What is asked",
        "Period, comparison and scope stand above the figures. What is chosen here holds on every page and is part of "
        "the address, so that a link shows the same.",
    ),
    Step(
        "value",
        "The figures",
        "AI spend, and what was verifiably saved with its interval. A dash says beside it why there is no figure. The "
        "question mark on a card says how it is computed and leads to the method.",
    ),
    Step(
        "spend",
        "What a figure is made of",
        "Click a bar, or choose a line of the table, and follow the link to its charges, each with the file that it "
        "came from. Charts are downloaded as PNG or SVG, tables as CSV or XLSX.",
    ),
    Step(
        "proofs",
        "Proofs",
        "A change is measured against its baseline, with the gates that it passed. What is signed can be handed over "
        "as a file or by a link, and checked without this server.",
    ),
    Step(
        "what-if",
        "Estimates",
        "What-if, ROI and Forecast look ahead. They are labelled as estimates and never mixed with what was measured.",
    ),
    Step(
        "add-data",
        "Your own bill",
        "Add a bill as a file or connect an account. What was loaded, and what was refused and why, stands under "
        "Loads and data quality; reports go out by themselves under Reports.",
    ),
    Step(
        "value",
        "Beside every page",
        "Search finds a model, service, project or tag (Ctrl+K, or Command+K). Link and views copies the address of "
        "a page or keeps it under a name. This tour can be taken again there.",
    ),
)


def button() -> None:
    """Beside every page: take the tour, again if need be."""
    st.button("Tour", key="open-tour", help="What is where, in a few steps", on_click=_go, args=(0,))


def draw(path: str) -> None:
    """Above a page: the step of the tour, or the offer of it to whoever has neither taken nor refused it."""
    found = tuple(step for step in STEPS if pages.has(step.path))
    at = st.session_state.get(_AT)
    if at is None:
        if path == found[0].path and MARK not in person.marks() and data.exists(running.current().workspace):
            _offer()
        return
    if at >= len(found):
        _end()
        return
    if found[at].path != path and st.session_state.pop("tour-moves", False):
        st.switch_page(pages.link(found[at].path))
    _step(found, at, here=found[at].path == path)


def _offer() -> None:
    with st.container(key="tour", border=True, horizontal=True, vertical_alignment="center"):
        st.markdown("**New here?** A tour of the pages takes a minute.")
        st.button("Take the tour", key="tour-begin", on_click=_go, args=(0,))
        st.button("Not now", key="tour-refuse", type="tertiary", on_click=_end)


def _step(found: tuple[Step, ...], at: int, *, here: bool) -> None:
    step, last = found[at], at == len(found) - 1
    with st.container(key="tour", border=True):
        st.markdown(f"**{step.title}** ({at + 1} of {len(found)})")
        st.markdown(joined([step.text]))
        with st.container(horizontal=True):
            if not last:
                st.button("Next", key="tour-next", type="primary", on_click=_go, args=(at + 1,))
            if at:
                st.button("Back", key="tour-back", on_click=_go, args=(at - 1,))
            if not here:
                st.page_link(pages.link(step.path), label=f"Go to {pages.title(step.path)}")
            st.button("End the tour", key="tour-end", type="primary" if last else "tertiary", on_click=_end)


def _go(at: int) -> None:
    st.session_state[_AT] = at
    st.session_state["tour-moves"] = True


def _end() -> None:
    st.session_state.pop(_AT, None)
    person.mark([MARK])
