"""What is noticed about files while they are read: said to the person, or a reason to refuse them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import duckdb

from connectors import values
from connectors.errors import UnreadableFileError
from connectors.format import Format, Kind
from connectors.mapping import bind
from connectors.reading import Part
from ledger.checks import Finding
from ledger.staging import Staged

#: How many columns a sentence names.
_NAMED: Final = 10
#: Rows by which it is told whether a column's times carry their zone.
_FIRST_ROWS: Final = 100
_ZONE: Final = "([zZ]|UTC|GMT|[+-][0-9]{2}(:?[0-9]{2})?)$"
_TIME: Final = "[0-9]:[0-9]"


def refuse_ambiguous(part: Part, format_: Format) -> None:
    """Refuse a file that names a column twice of which the ledger needs one.

    Raises:
        UnreadableFileError: nobody can tell which of the two is meant.
    """
    needed = {place.lower() for column in format_.columns for place in column.places}
    twice = next((name for name in part.repeated if name.lower() in needed), None)
    if twice is not None:
        raise UnreadableFileError(
            f"{part.path.name} has the column {twice} more than once, and which of them is meant cannot be told; "
            "nothing was loaded. Export it again with each column once."
        )


def refuse_empty(format_: Format, names: Sequence[str], staged: Staged) -> None:
    """Refuse files without a single row, unless they say which days they cover.

    Raises:
        UnreadableFileError: there is no row.
    """
    if staged.rows_in == 0 and not staged.incoming.windows:
        raise UnreadableFileError(
            f"{', '.join(names)}: there is no row under the header of {format_.title}; nothing was loaded."
        )


def unused_columns(format_: Format, parts: Sequence[Part]) -> list[Finding]:
    """Columns of the files that the ledger has no place for."""
    places = [place.lower() for c in format_.columns for place in (c.name, *c.places)]
    used = {*places, *(place.split(".")[0] for place in places)}
    begun = tuple(place.removesuffix("*") for place in places if place.endswith("*"))
    extra = sorted(
        {
            n
            for part in parts
            for n in part.layout
            if n.lower() not in used and not (begun and n.lower().startswith(begun))
        }
    )
    if not extra:
        return []
    more = f" and {len(extra) - _NAMED} more" if len(extra) > _NAMED else ""
    sentence = f"Columns that the ledger does not keep: {', '.join(extra[:_NAMED])}{more}."
    return [Finding("Columns.unused", "note", 0, sentence)]


def without_zone(
    cursor: duckdb.DuckDBPyConnection,
    format_: Format,
    layouts: Sequence[tuple[dict[str, str], list[Part]]],
    names: Mapping[str, str],
) -> list[Finding]:
    """Text columns whose times say no zone, by the first rows of the first file of each layout."""
    seen: dict[str, tuple[str, str]] = {}
    for layout, parts in layouts:
        fields = [bind(c, layout) for c in format_.columns if c.kind is Kind.INSTANT]
        fields = [f for f in fields if f.reference is not None and f.type == "VARCHAR"]
        if not fields:
            continue
        bare = (
            f"min({f.reference}) FILTER (regexp_matches({f.reference}, {values.literal(_TIME)}) "
            f"AND NOT regexp_matches(trim({f.reference}), {values.literal(_ZONE)}))"
            for f in fields
        )
        sql = f"SELECT {', '.join(bare)} FROM ({parts[0].relation} LIMIT {_FIRST_ROWS}) AS source"
        row = cursor.execute(sql).fetchone() or ()
        for field, example in zip(fields, row, strict=True):
            if example is not None:
                seen.setdefault(field.place, (example[:40], names[str(parts[0].path)]))
    if not seen:
        return []
    place, (example, name) = next(iter(seen.items()))
    columns = ", ".join(list(seen)[:_NAMED])
    sentence = f"Times without a zone were read as UTC: {columns} (in {name}, {place} says {example!r})."
    return [Finding("File.zone", "note", 0, sentence)]
