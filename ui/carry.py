"""What a person chose on one page is what the next page shows; an address that says otherwise comes first.

Streamlit forgets, on the way to another page, a choice that the address made.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from typing import Final
from urllib.parse import parse_qs

import streamlit as st
from streamlit.errors import StreamlitAPIException
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ui import controls, drill

#: Keys of the choices that every page shares; each is its own parameter of the address.
TRAVELLING: Final = ("period", "days", "against", "against-days", "scope", "currency", "cost")
_KEPT: Final = "carried"
_PAGE: Final = "carried-to"
_WANTED: Final = "carried-wanted"
_AGAIN: Final = "carried-again"


def arrive(page: str) -> None:
    """Before a page is drawn: what was chosen on the page before, where the address does not say otherwise."""
    state = st.session_state
    for key, value in state.pop(_AGAIN, {}).items():
        state[key] = value
    if page != drill.PAGE and state.get(_PAGE) not in {None, page}:
        context = get_script_run_ctx()
        # As the browser has it: Streamlit's own copy lacks what the page before held in choices of its own.
        address = parse_qs(context.query_string) if context else {}
        for key in dict.fromkeys((*state.get(_KEPT, {}), *(name for name in TRAVELLING if name in address))):
            said = address.get(key, [])
            wanted = _read(key, said) if said else state[_KEPT][key]
            if wanted is not None:
                _write(key, wanted)
                state[key] = wanted
                state.setdefault(_WANTED, {})[key] = wanted
        drill.forget()
    state[_PAGE] = page


def keep() -> None:
    """After a page was drawn: remember what is chosen on it."""
    state = st.session_state
    lost = {key: value for key, value in state.pop(_WANTED, {}).items() if key in state and state[key] != value}
    if lost:
        # Back in the browser: Streamlit has set the choices to their defaults after they were made.
        state[_AGAIN] = lost
        st.rerun()
    state[_KEPT] = state.get(_KEPT, {}) | {key: state[key] for key in TRAVELLING if key in state}


def choose(key: str, value: object) -> None:
    """Make a choice for the next run, whatever page that is of."""
    st.session_state.setdefault(_AGAIN, {})[key] = value
    st.session_state.setdefault(_KEPT, {})[key] = value


def _write(key: str, value: object) -> None:
    """Put a choice into the address; Streamlit leaves it out where the first address of a visit had made it."""
    if value not in _DEFAULTS and (values := _written(value)):
        # One that Streamlit has bound already stays its own.
        with suppress(StreamlitAPIException):
            st.query_params[key] = values


def _read(key: str, said: list[str]) -> object:
    """A choice as the address says it; None where it says none that there is."""
    if key in _KNOWN:
        return said[0] if said[0] in _KNOWN[key] else None
    if key == "scope":
        return said
    try:
        return tuple(date.fromisoformat(day) for day in said) if key.endswith("days") else None
    except ValueError:
        return None


def _written(value: object) -> list[str]:
    return [str(one) for one in (value if isinstance(value, list | tuple) else [value])]


_KNOWN: Final = {
    "period": controls.RANGES,
    "against": controls.COMPARED,
    "cost": tuple(controls.METRICS),
}
#: Choices that stand in no address, being what a page shows without any.
_DEFAULTS: Final = (controls.THREE, controls.BEFORE, "Billed")
