"""From what a person names (files, folders, globs, manifests) to relations that the engine can read.

Every file becomes one `Part`: its layout, the SQL that reads it, and how to read it again with row numbers when a
row must be named. CSV is read as text throughout, so that no digit is lost before the typed layer sees it.
"""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import unquote

import duckdb

from connectors.errors import UnreadableFileError
from connectors.values import literal, quoted


class Shape(StrEnum):
    """How a file is built."""

    PARQUET = "parquet"
    CSV = "csv"
    LINES = "ndjson"
    PAGES = "pages"


_ENDINGS: Final = {
    ".parquet": Shape.PARQUET,
    ".csv": Shape.CSV,
    ".tsv": Shape.CSV,
    ".txt": Shape.CSV,
    ".ndjson": Shape.LINES,
    ".jsonl": Shape.LINES,
    ".json": Shape.PAGES,
}
_DELIMITERS: Final = (",", ";", "\t", "|")
_NULLS: Final = ("NULL", "null", "\\N")
_BOMS: Final = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
#: A line longer than this is not a row of a bill.
_LONGEST_LINE: Final = 16_000_000
_HEAD: Final = 1 << 20
_GZIP: Final = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Part:
    """One file as the engine reads it.

    Attributes:
        path: the file.
        shape: how it is built.
        layout: its columns and their DuckDB types, in order.
        relation: SQL of its rows.
        numbered: SQL of its rows with `x_Row`, the number of each data row from 1.
        notes: what was assumed in reading it, said to the person.
    """

    path: Path
    shape: Shape
    layout: dict[str, str]
    relation: str
    numbered: str
    notes: tuple[str, ...] = ()


class Recognises(Protocol):
    """Whether some format is recognised by these columns: how a delimiter is told from another."""

    def __call__(self, columns: Sequence[str], /) -> bool:
        """True where the columns are those of a known format."""
        ...


def expand(names: Sequence[str]) -> list[Path]:
    """The bill files behind files, folders, globs and manifests, each once, in a stable order.

    Raises:
        UnreadableFileError: a name leads to nothing, or a folder holds no bill.
    """
    found: dict[Path, None] = {}
    for name in names:
        for path in _expand_one(name):
            found.setdefault(path.resolve())
    return list(found)


def _expand_one(name: str) -> list[Path]:
    path = Path(name).expanduser()
    if path.is_dir():
        manifests = [m for m in sorted(path.rglob("*.json")) if _manifest_files(m)]
        if manifests:
            return [file for manifest in manifests for file in _manifest_files(manifest)]
        files = [f for f in sorted(path.rglob("*")) if f.is_file() and _ending(f) and not f.name.startswith((".", "_"))]
        if not files:
            raise UnreadableFileError(
                f"The folder {path} holds no bill: no .parquet, .csv, .json, .ndjson or their .gz was found in it."
            )
        return files
    if path.is_file():
        return _manifest_files(path) or [path]
    matches = sorted(Path(path.anchor or ".").glob(str(path.relative_to(path.anchor)))) if _is_glob(name) else []
    if not matches:
        kind = "No file matches" if _is_glob(name) else "There is no file"
        raise UnreadableFileError(f"{kind} {name}; check the path.")
    return [file for match in matches for file in _expand_one(str(match))]


def _is_glob(name: str) -> bool:
    return any(char in name for char in "*?[")


def _manifest_files(path: Path) -> list[Path]:
    """The files an AWS or Azure export manifest names, found beside it; nothing where it is no manifest."""
    if path.suffix != ".json" or path.stat().st_size > _HEAD:
        return []
    try:
        document = json.loads(path.read_text("utf-8-sig"))
    except (ValueError, OSError):
        return []
    if not isinstance(document, dict):
        return []
    named = [str(f) for f in document.get("dataFiles") or []]
    named += [str(b.get("blobName", "")) for b in document.get("blobs") or [] if isinstance(b, dict)]
    return [_beside(path, unquote(name)) for name in named]


def _beside(manifest: Path, name: str) -> Path:
    """The local copy of a file that a manifest names by its place in a bucket or container."""
    steps = name.split("://", 1)[-1].split("/")
    for root in (manifest.parent, *manifest.parents):
        for start in range(len(steps)):
            candidate = root.joinpath(*steps[start:])
            if candidate.is_file():
                return candidate
        if (root / ".git").exists():
            break
    raise UnreadableFileError(
        f"{manifest.name} names {steps[-1]}, which is not beside it; the delivery is incomplete. "
        "Copy all files of the export, or name the files themselves."
    )


def _ending(path: Path) -> Shape | None:
    suffixes = [s.lower() for s in path.suffixes]
    if suffixes and suffixes[-1] in {".gz", ".snappy"}:
        suffixes.pop()
    return _ENDINGS.get(suffixes[-1]) if suffixes else None


def describe(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    """Columns and DuckDB types of an SQL relation."""
    return {row[0]: row[1] for row in connection.execute(f"DESCRIBE {relation}").fetchall()}


def open_part(connection: duckdb.DuckDBPyConnection, path: Path, known: Recognises) -> Part:
    """Find out how one file is built and how to read it.

    Raises:
        UnreadableFileError: it is empty, truncated, or not a table at all.
    """
    head = _head(path)
    if not head.strip():
        raise UnreadableFileError(f"{path.name} is empty; nothing was loaded from it.")
    shape = _shape(path, head)
    try:
        match shape:
            case Shape.PARQUET:
                return _parquet(connection, path)
            case Shape.CSV:
                return _csv(path, head, known)
            case Shape.LINES:
                return _lines(connection, path)
            case Shape.PAGES:
                return Part(path, shape, {}, "", "")
    except duckdb.Error as error:
        raise UnreadableFileError(explain(path, error)) from error


def explain(path: Path | None, error: Exception) -> str:
    """One sentence out of an engine's error about a file."""
    name = path.name if path else "The file"
    reason = " ".join(str(error).split("\n")[0].split())
    lowered = str(error).lower()
    if "no magic bytes" in lowered or "footer" in lowered or "too small to be a parquet" in lowered:
        return f"{name} is not a whole Parquet file (its end is missing); download it again."
    if "gzip" in lowered or "truncated" in lowered or "unexpected end" in lowered:
        return f"{name} is a truncated or damaged gzip file; download it again."
    if "no files found" in lowered:
        return f"{name} has gone since it was listed; run the import again."
    return f"{name} cannot be read: {reason}"


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
        if head.startswith(_GZIP):
            with gzip.open(path, "rb") as file:
                head = file.read(_HEAD)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UnreadableFileError(f"{path.name} is a truncated or damaged gzip file; download it again.") from error
    except OSError as error:
        raise UnreadableFileError(f"{path} cannot be opened: {error.strerror}.") from error
    return head


def _shape(path: Path, head: bytes) -> Shape:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(b"PAR1"):
        return Shape.PARQUET
    if start.startswith((b"{", b"[")) and _ending(path) is not Shape.CSV:
        first, _, rest = start.partition(b"\n")
        one_object = first.rstrip().endswith(b"}") and first.startswith(b"{")
        if one_object and (_ending(path) is Shape.LINES or rest.lstrip().startswith(b"{")) and b'"data"' not in first:
            return Shape.LINES
        return Shape.PAGES
    if _ending(path) is Shape.PARQUET:
        raise UnreadableFileError(f"{path.name} is not a Parquet file although its name says so; download it again.")
    if b"\x00" in head and not head.startswith(tuple(bom for bom, _ in _BOMS)):
        raise UnreadableFileError(
            f"{path.name} is not a bill in a format this product reads (CSV, Parquet, JSON, NDJSON, .gz of them)."
        )
    return Shape.CSV


def _parquet(connection: duckdb.DuckDBPyConnection, path: Path) -> Part:
    name = literal(str(path))
    relation = f"SELECT * FROM read_parquet({name})"
    numbered = f"SELECT *, file_row_number + 1 AS x_Row FROM read_parquet({name}, file_row_number = true)"
    return Part(path, Shape.PARQUET, describe(connection, relation), relation, numbered)


def _csv(path: Path, head: bytes, known: Recognises) -> Part:
    encoding = next((name for bom, name in _BOMS if head.startswith(bom)), "utf-8")
    text = head.decode("utf-16" if encoding != "utf-8" else "utf-8-sig", errors="replace")
    delimiter, columns = _header(text, known)
    notes = (f"{path.name} was read with {delimiter!r} between its columns.",) if delimiter != "," else ()
    types = ", ".join(f"{literal(c)}: 'VARCHAR'" for c in columns)
    options = (
        f"header = true, delim = {literal(delimiter)}, quote = '\"', escape = '\"', auto_detect = false, "
        f"nullstr = [{', '.join(literal(n) for n in ('', *_NULLS))}], max_line_size = {_LONGEST_LINE}, "
        f"encoding = '{encoding}', columns = {{{types}}}"
    )
    read = f"read_csv({literal(str(path))}, {options}, store_rejects = true)"
    again = f"read_csv({literal(str(path))}, {options}, ignore_errors = true)"
    numbered = f"SELECT *, row_number() OVER () AS x_Row FROM {again}"
    return Part(path, Shape.CSV, dict.fromkeys(columns, "VARCHAR"), f"SELECT * FROM {read}", numbered, notes)


def _header(text: str, known: Recognises) -> tuple[str, list[str]]:
    """The delimiter under which the first line names columns of a known format; else the one that splits most."""
    split = {d: next(csv.reader(text.splitlines()[:1], delimiter=d), []) for d in _DELIMITERS}
    for delimiter, columns in split.items():
        if known(columns):
            return delimiter, _distinct(columns)
    delimiter = max(_DELIMITERS, key=lambda d: len(split[d]))
    return delimiter, _distinct(split[delimiter])


def _distinct(columns: list[str]) -> list[str]:
    """Column names made unique the way the engine does: a name that stands twice gets a number."""
    seen: dict[str, int] = {}
    names = list[str]()
    for at, column in enumerate(columns):
        name = column.strip() or f"column{at}"
        times = seen.get(name.lower(), 0)
        seen[name.lower()] = times + 1
        names.append(f"{name}_{times}" if times else name)
    return names


def _lines(connection: duckdb.DuckDBPyConnection, path: Path) -> Part:
    read = f"read_json({literal(str(path))}, format = 'newline_delimited', sample_size = -1)"
    relation = f"SELECT * FROM {read}"
    numbered = f"SELECT *, row_number() OVER () AS x_Row FROM {read}"
    return Part(path, Shape.LINES, describe(connection, relation), relation, numbered)


def union(parts: Sequence[Part], *, numbered: bool = False) -> str:
    """SQL of the rows of several files of one layout, with the file's name where rows are numbered."""
    if numbered:
        return " UNION ALL BY NAME ".join(
            f"SELECT *, {literal(p.path.name)} AS x_File FROM ({p.numbered}) AS p" for p in parts
        )
    return " UNION ALL BY NAME ".join(p.relation for p in parts)


def columns_of(parts: Sequence[Part]) -> Iterator[str]:
    """The distinct column names of several files, quoted for SQL."""
    yield from dict.fromkeys(quoted(name) for part in parts for name in part.layout)
