"""The rows that could not be taken: those that the reader could not split, and those with a value that is none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

import duckdb

from connectors import reading
from connectors.errors import UnreadableFileError
from connectors.format import Format
from connectors.mapping import rejected_sql
from connectors.reading import Part
from ledger.engine import literal
from ledger.staging import Reject

_STRUCTURE: Final = {
    "MISSING COLUMNS": "the line has fewer columns than the header",
    "TOO MANY COLUMNS": "the line has more columns than the header",
    "UNQUOTED VALUE": "a quote is not closed, or stands inside an unquoted value",
    "LINE SIZE OVER MAXIMUM": "the line is too long to be a row",
    "INVALID ENCODING": "the line is not UTF-8 text; export the file as UTF-8",
    "INVALID UNICODE": "the line is not UTF-8 text; export the file as UTF-8",
}
#: A record may break several rules, and a file may be scanned twice: one row of the file is one reject.
_ROWS: Final = (
    "SELECT s.file_path AS path, e.line - 1 AS row, any_value(e.column_name) AS col, "
    "any_value(left(e.csv_line, 200)) AS value, min(e.error_type::VARCHAR) AS error, "
    "bool_or(e.error_type::VARCHAR = 'UNQUOTED VALUE' AND contains(trim(e.csv_line, chr(10) || chr(13)), chr(10))) "
    "AS swallows FROM {0} AS e JOIN {1} AS s USING (scan_id, file_id) GROUP BY ALL"
)


def unreadable(cursor: duckdb.DuckDBPyConnection, names: Mapping[str, str]) -> int:
    """How many rows the reader could not split into columns in what this cursor has read.

    Raises:
        UnreadableFileError: a quote that is not closed has swallowed rows, which nobody can count.
    """
    if not _has_table(cursor, "reject_errors"):
        return 0
    rows = f"({_ROWS.format('reject_errors', 'reject_scans')})"
    counted = cursor.execute(f"SELECT count(*), min((path, row)) FILTER (swallows) FROM {rows}").fetchone()
    count, first = counted or (0, None)
    if first is not None:
        path, row = first.values() if isinstance(first, dict) else first
        raise UnreadableFileError(
            f"{names.get(path, path)}, row {row}: a quote is not closed, so that the rows after it cannot be told "
            "apart. Nothing was loaded. Export the file again, or double the quotes inside quoted values."
        )
    return int(count)


def list_rejects(
    cursor: duckdb.DuckDBPyConnection,
    format_: Format,
    layouts: Sequence[tuple[dict[str, str], list[Part]]],
    names: Mapping[str, str],
) -> list[Reject]:
    """Every row that could not be taken, in order of file and row; `names` are the files' names by path."""
    split = _split(cursor, "reject_errors", "reject_scans")
    listed = [
        Reject(names.get(path, path), row, column, value, _structure(error))
        for path, rows in split.items()
        for row, column, value, error in rows
    ]
    for layout, parts in layouts:
        found = cursor.execute(rejected_sql(format_, layout, reading.union(parts, numbered=True))).fetchall()
        again = _split(cursor, reading.AGAIN, reading.AGAIN_SCANS)
        count, path, skipped = 0, "", list[int]()
        for path_, row, column, value, reason in found:
            if path_ != path:
                path, count, skipped = path_, 0, [r for r, *_ in again.get(path_, [])]
            # The engine numbers the rows that it could split; those that it could not stand between them.
            while count < len(skipped) and skipped[count] <= row + count:
                count += 1
            if all(row + count != r for r, *_ in split.get(path_, ())):
                listed.append(Reject(names.get(path_, path_), row + count, column, value, reason))
    return sorted(listed, key=lambda r: (r.file, r.row or 0))


_Row = tuple[int, str | None, str | None, str]


def _split(cursor: duckdb.DuckDBPyConnection, errors: str, scans: str) -> dict[str, list[_Row]]:
    """The rows that the reader could not split, by file."""
    found = defaultdict[str, list[_Row]](list)
    if _has_table(cursor, errors):
        for path, *row, _ in cursor.execute(f"{_ROWS.format(errors, scans)} ORDER BY path, row").fetchall():
            number, column, value, error = row
            found[path].append((number, column, value, error))
    return found


def _has_table(cursor: duckdb.DuckDBPyConnection, name: str) -> bool:
    row = cursor.execute(f"SELECT count(*) FROM duckdb_tables() WHERE table_name = {literal(name)}").fetchone()
    return bool(row and row[0])


def _structure(error: str) -> str:
    return _STRUCTURE.get(error.upper(), f"the line cannot be split into columns ({error.lower()})")
