"""What the command line prints: tables for people, JSON for programs, sentences for errors."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any


def print_json(value: object) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n")


def print_table(headings: Sequence[str], rows: Sequence[Sequence[Any]], *, right: Sequence[int] = ()) -> None:
    """A plain table on standard output; columns in `right` are aligned to the right. None is a dash."""
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(len(h), *(len(row[i]) for row in cells), 0) for i, h in enumerate(headings)]
    for line in ([str(h) for h in headings], ["-" * width for width in widths], *cells):
        parts = [c.rjust(widths[i]) if i in right else c.ljust(widths[i]) for i, c in enumerate(line)]
        sys.stdout.write("  ".join(parts).rstrip() + "\n")


def say(sentence: str) -> None:
    """Progress, on standard error."""
    sys.stderr.write(sentence + "\n")


def say_out(sentence: str) -> None:
    """A sentence for a person, on standard output."""
    sys.stdout.write(sentence + "\n")


def fail(sentence: str) -> None:
    """An error, on standard error: what happened and what to do next."""
    sys.stderr.write(f"Error: {sentence}\n")


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return " ".join(str(value).split())[:80]
