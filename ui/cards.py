"""Figures on cards: every one says in its help how it is computed, with a link to the section of the method."""

from __future__ import annotations

from dataclasses import dataclass

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
    moved: bool | None = None,
    beside: str | None = None,
) -> None:
    """One figure.

    Args:
        label: what it is.
        figure: as text; None is a dash, and then the note says why.
        told: how it is computed.
        note: what has to be known beside it.
        moved: whether the note is a change, which is good where it is down: False for one of nothing, None for none.
        beside: what the change is from.
    """
    st.metric(
        label,
        figure,
        note,
        delta_color="off" if moved is None else "inverse",
        delta_arrow="auto" if moved else "off",
        delta_description=beside,
        help=told.help,
        border=True,
        height="stretch",
    )
