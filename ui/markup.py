"""Text in Streamlit's Markdown as it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

#: Characters that mean something in Markdown.
_MARKUP: Final = frozenset("\\`*_{}[]<>()#+-!|$:~")


class Marked(str):
    """Text that is Markdown already, such as a badge."""

    __slots__ = ()


def joined(parts: Iterable[str]) -> str:
    """Sentences one after the other as Markdown that shows them as they are, but for those that are Markdown."""
    return " ".join(part if isinstance(part, Marked) else plain(part) for part in parts)


def without_formulas(markdown: str) -> str:
    """Markdown that stays what it is, but for its dollar signs, which would open formulas."""
    return markdown.replace("$", "\\$")


def plain(text: str) -> str:
    """Text as Markdown that shows it as it is: a dollar sign would open a formula, a bracket a link elsewhere."""
    return "".join(f"\\{c}" if c in _MARKUP else c for c in text)
