"""Text in Streamlit's Markdown as it is."""

from __future__ import annotations

from typing import Final

#: Characters that mean something in Markdown.
_MARKUP: Final = frozenset("\\`*_{}[]<>()#+-!|$:~")


def plain(text: str) -> str:
    """Text as Markdown that shows it as it is: a dollar sign would open a formula, a bracket a link elsewhere."""
    return "".join(f"\\{c}" if c in _MARKUP else c for c in text)
