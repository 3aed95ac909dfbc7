"""Figures on cards: every one says in its help how it is computed, with a link to the section of the method."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import streamlit as st

from ui import method


@dataclass(frozen=True, slots=True)
class Told:
    """What the help of a figure says.

    Attributes:
        sentence: how the figure is computed, in short.
        about: the text of docs/method that says it in full.
        section: anchor of the section in it; empty for all of the text.
    """

    sentence: str
    about: str
    section: str = ""

    @property
    def help(self) -> str:
        """The sentence with the link."""
        return method.explained(self.sentence, self.about, self.section)


def show(
    label: str,
    figure: str | None,
    told: Told,
    note: str | None = None,
    *,
    moved: Decimal | None = None,
    beside: str | None = None,
) -> None:
    """One figure.

    Args:
        label: what it is.
        figure: as text; None is a dash, and then the note says why.
        told: how it is computed.
        note: what has to be known beside it.
        moved: where the note is a change, that change; down is good. Streamlit itself reads no minus but a hyphen.
        beside: what the change is from.
    """
    colour, arrow = ("off", "off") if not moved else ("red", "up") if moved > 0 else ("green", "down")
    st.metric(
        label,
        figure,
        note,
        delta_color=colour,
        delta_arrow=arrow,
        delta_description=beside,
        help=told.help,
        border=True,
        height="stretch",
    )
