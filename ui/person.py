"""Who looks, and what they have put behind them: kept between visits, like their other settings."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

import streamlit as st

from accounts import views
from ui import running

_MARKS: Final = "marks"


def name() -> str:
    """The address of whoever looks; empty where people share one sign-in."""
    return str(st.user.to_dict().get("email") or "")[:254]


def marks() -> frozenset[str]:
    """What this person has put behind them; read once a visit."""
    served, state = running.current(), st.session_state
    if _MARKS not in state:
        state[_MARKS] = views.marked(served.settings, served.workspace, name())
    found: frozenset[str] = state[_MARKS]
    return found


def mark(what: Iterable[str]) -> None:
    """Keep that this person has put things behind them."""
    served, new = running.current(), frozenset(what) - marks()
    if new:
        views.mark(served.settings, served.workspace, name(), sorted(new), datetime.now(UTC))
        st.session_state[_MARKS] = marks() | new
