"""Cells of spreadsheets and CSV files: text that no program takes for a formula."""

from __future__ import annotations

from typing import Final

#: What makes a spreadsheet read a text as a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def safe(text: str) -> str:
    """The text, after an apostrophe where a spreadsheet would calculate it."""
    return f"'{text}" if text.startswith(_FORMULA) else text
