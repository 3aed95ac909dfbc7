"""Every format that is known, and which of them a file is in."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from connectors.errors import MissingColumnError, UnknownFormatError
from connectors.format import Format
from connectors.mapping import bind, places


@cache
def formats() -> tuple[Format, ...]:
    """Every known format; the modules are loaded when first asked for."""
    from connectors import anthropic, aws, azure, focus, gcp, openai, reference, tables  # noqa: PLC0415

    rooms = (aws, azure, gcp, openai, anthropic, tables, reference)
    return (focus.FORMAT, *(format_ for room in rooms for format_ in room.FORMATS))


def named(name: str) -> Format:
    """The format called `name`.

    Raises:
        UnknownFormatError: there is none; the sentence lists those there are.
    """
    for format_ in formats():
        if format_.name == name:
            return format_
    raise UnknownFormatError(f"There is no format {name!r}; there are: {_names()}.")


def recognised(layout: dict[str, str]) -> Format | None:
    """The format whose signature these columns carry; of several, the one that asks for most."""
    present = places(layout)
    matching = [f for f in formats() if {place.lower() for place in f.signature} <= present]
    return max(matching, key=lambda f: len(f.signature), default=None)


def knows(columns: Sequence[str]) -> bool:
    """Whether some format is recognised by these column names."""
    return recognised(dict.fromkeys(columns, "VARCHAR")) is not None


def format_of(name: str, layout: dict[str, str], forced: Format | None) -> Format:
    """The format of the file called `name`, checked for the columns that it cannot do without.

    Raises:
        UnknownFormatError: no format has these columns.
        MissingColumnError: a required column is absent.
    """
    format_ = forced or recognised(layout)
    if format_ is None:
        raise UnknownFormatError(_unknown(name, layout))
    missing = [c for c in format_.columns if c.required and bind(c, layout).reference is None]
    if missing:
        columns = ", ".join(c.places[0] for c in missing)
        raise MissingColumnError(
            f"{name} looks like {format_.title} but has no column {columns}; nothing was loaded. "
            "Export it again with all columns, or name its format with --format."
        )
    return format_


def _names() -> str:
    return ", ".join(sorted(format_.name for format_ in formats()))


def _unknown(name: str, layout: dict[str, str]) -> str:
    shown = ", ".join(list(layout)[:8]) or "none"
    nearest = max(
        formats(), key=lambda f: len({p.lower() for p in f.signature} & places(layout)) / max(len(f.signature), 1)
    )
    lacking = sorted(p for p in nearest.signature if p.lower() not in places(layout))
    hint = ""
    if len(lacking) < len(nearest.signature):
        hint = f" It comes nearest to {nearest.title}, which also has {', '.join(lacking)}."
    return (
        f"{name} is in no format that is known (its columns: {shown}).{hint} "
        f"If you know its format, name it with --format: {_names()}."
    )
