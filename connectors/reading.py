"""From what a person names (files, folders, globs, manifests) to relations that the engine can read.

Every file becomes one `Part`: its layout, the SQL that reads it, and how to read it again with row numbers when a
row must be named. CSV is read as text throughout, so that no digit is lost before the typed layer sees it.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol

import duckdb

from connectors.errors import UnreadableFileError
from connectors.manifests import newest, read_manifest
from connectors.values import literal, quoted
from ledger.footer import Footer


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
_UTF16: Final = b"\xff\xfe"
_UTF16_BIG: Final = b"\xfe\xff"
#: A line longer than this is not a row of a bill.
_LONGEST_LINE: Final = 16_000_000
#: What is read of a CSV at a time; unless told, the engine takes room for sixteen of the longest lines.
_BUFFER: Final = 2 * _LONGEST_LINE
_HEAD: Final = 1 << 20
_GZIP: Final = b"\x1f\x8b"
#: Tables of what the reader itself could not split into columns when rows are read again for their numbers.
AGAIN: Final = "again_errors"
AGAIN_SCANS: Final = "again_scans"


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
        repeated: columns that the file names more than once (case does not tell columns apart).
        strict: SQL of its rows that raises at a line which cannot be split; where empty, `relation` is as strict.
        empty: whether it is known to have no row.
        constants: text columns that hold one text in every row, and columns of any type that hold nothing (None).
    """

    path: Path
    shape: Shape
    layout: dict[str, str]
    relation: str
    numbered: str
    notes: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()
    strict: str = ""
    empty: bool = False
    constants: Mapping[str, str | None] = field(default_factory=dict[str, str | None])


class Recognises(Protocol):
    """Whether some format is recognised by these columns: how a delimiter is told from another."""

    def __call__(self, columns: Sequence[str], /) -> bool:
        """True where the columns are those of a known format."""
        ...


def expand(names: Sequence[str], say: Callable[[str], None] = lambda _: None) -> list[Path]:
    """The bill files behind files, folders, globs and manifests, each once, in a stable order.

    `say` takes a sentence for whatever was left out.

    Raises:
        UnreadableFileError: a name leads to nothing, or a folder holds no bill.
    """
    found: dict[Path, None] = {}
    for name in names:
        for path in _expand_one(name, say):
            found.setdefault(path.resolve())
    return list(found)


def _expand_one(name: str, say: Callable[[str], None]) -> list[Path]:
    path = Path(name).expanduser()
    if path.is_dir():
        return _expand_folder(path, say)
    if path.is_file():
        manifest = read_manifest(path)
        return manifest.files() if manifest else [path]
    if path.exists():
        raise UnreadableFileError(f"{path} is neither a file nor a folder; save its content to a file first.")
    matches = sorted(Path(path.anchor or ".").glob(str(path.relative_to(path.anchor)))) if _is_glob(name) else []
    if not matches:
        kind = "No file matches" if _is_glob(name) else "There is no file"
        raise UnreadableFileError(f"{kind} {name}; check the path.")
    return [file for match in matches for file in _expand_one(str(match), say)]


def _expand_folder(folder: Path, say: Callable[[str], None]) -> list[Path]:
    """What the newest manifests name, and the bills beside them that belong to no export with manifests."""
    manifests = [m for path in sorted(folder.rglob("*.json")) if (m := read_manifest(path))]
    current, older = newest(manifests)
    for manifest in older:
        say(f"{manifest.path} describes an older delivery of the same export and period; it was left out.")
    named = [file for manifest in current for file in manifest.files()]
    exported = {_branch(folder, path) for path in (*named, *(m.path for m in manifests))}
    known = {path.resolve() for path in (*named, *(m.path for m in manifests))}
    files = list[Path]()
    for file in sorted(folder.rglob("*")):
        inside = file.relative_to(folder).parts
        if not file.is_file() or not _ending(file) or any(part.startswith((".", "_")) for part in inside):
            continue
        if file.resolve() in known:
            continue
        if _branch(folder, file) in exported:
            say(f"{file} is named by no current manifest of its export; it was left out.")
        else:
            files.append(file)
    if not named and not files:
        raise UnreadableFileError(
            f"The folder {folder} holds no bill: no .parquet, .csv, .json, .ndjson or their .gz was found in it."
        )
    return [*named, *files]


def _branch(folder: Path, path: Path) -> str | None:
    """The folder directly below `folder` that holds `path`: "" for `folder` itself, None where it lies elsewhere."""
    if not path.resolve().is_relative_to(folder.resolve()):
        return None
    inside = path.resolve().relative_to(folder.resolve()).parts
    return inside[0] if len(inside) > 1 else ""


def _is_glob(name: str) -> bool:
    return any(char in name for char in "*?[")


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
    if "gzip" in lowered:
        return f"{name} is a truncated or damaged gzip file; download it again."
    if "decompress" in lowered:
        return f"{name} is damaged (a part of it cannot be decompressed); download it again."
    if path and "malformed json" in lowered:
        return f"{name}, {_broken_line(path)} is not whole JSON; the file may have been cut off, download it again."
    if "no files found" in lowered:
        return f"{name} has gone since it was listed; run the import again."
    return f"{name} cannot be read: {reason}"


def _broken_line(path: Path) -> str:
    """The first line that is no JSON: the engine is one off where the file ends early."""
    with gzip.open(path, "rb") if compression(path) == "gzip" else path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                json.loads(line) if line.strip() else None
            except ValueError:
                return f"line {number}"
    return "a line"


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
    if b"\x00" in head and not head.startswith((_UTF16, _UTF16_BIG)):
        raise UnreadableFileError(
            f"{path.name} is not a bill in a format this product reads (CSV, Parquet, JSON, NDJSON, .gz of them)."
        )
    return Shape.CSV


def _parquet(connection: duckdb.DuckDBPyConnection, path: Path) -> Part:
    name = literally(path)
    # A folder called `currency=EUR` must not overrule what the file says.
    relation = f"SELECT * FROM read_parquet({name}, hive_partitioning = false)"
    numbered = (
        "SELECT *, file_row_number + 1 AS x_Row "
        f"FROM read_parquet({name}, hive_partitioning = false, file_row_number = true)"
    )
    layout = describe(connection, relation)
    known = Footer.of(connection, _plain(path)).constants
    constants = {n: value for n, value in known.items() if n in layout and (value is None or layout[n] == "VARCHAR")}
    return Part(path, Shape.PARQUET, layout, relation, numbered, constants=constants)


def literally(path: Path) -> str:
    """SQL of a file name in which the engine sees no pattern."""
    return literal(_plain(path))


def _plain(path: Path) -> str:
    """A pattern that only the file itself matches: `bill[1].csv` is not `bill1.csv`."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in str(path))


def compression(path: Path) -> str:
    """How a file is packed, by its first bytes: its name may say otherwise."""
    with path.open("rb") as file:
        return "gzip" if file.read(len(_GZIP)) == _GZIP else "uncompressed"


def _csv(path: Path, head: bytes, known: Recognises) -> Part:
    if head.startswith(_UTF16_BIG):
        raise UnreadableFileError(f"{path.name} is UTF-16 text in big-endian order; save it as UTF-8 and import that.")
    encoding = "utf-16" if head.startswith(_UTF16) else "utf-8"
    text = head.decode("utf-16" if encoding != "utf-8" else "utf-8-sig", errors="replace")
    delimiter, names = _header(text, known)
    columns = _distinct(names)
    times = Counter(name.strip().lower() for name in names)
    repeated = tuple(dict.fromkeys(name.strip() for name in names if times[name.strip().lower()] > 1 and name.strip()))
    notes = (f"{path.name} was read with {delimiter!r} between its columns.",) if delimiter != "," else ()
    types = ", ".join(f"{literal(c)}: 'VARCHAR'" for c in columns)
    options = (
        f"header = true, delim = {literal(delimiter)}, quote = '\"', escape = '\"', auto_detect = false, "
        f"nullstr = [{', '.join(literal(n) for n in ('', *_NULLS))}], max_line_size = {_LONGEST_LINE}, "
        f"buffer_size = {_BUFFER}, "
        f"encoding = '{encoding}', compression = '{compression(path)}', columns = {{{types}}}"
    )
    strict = f"SELECT * FROM read_csv({literally(path)}, {options})"
    options += ", store_rejects = true"
    read = f"read_csv({literally(path)}, {options})"
    # `ignore_errors` loses whole rows after a bad one; storing the rejects a second time does not.
    again = f"read_csv({literally(path)}, {options}, rejects_table = '{AGAIN}', rejects_scan = '{AGAIN_SCANS}')"
    numbered = f"SELECT *, row_number() OVER () AS x_Row FROM {again}"
    layout = dict.fromkeys(columns, "VARCHAR")
    return Part(path, Shape.CSV, layout, f"SELECT * FROM {read}", numbered, notes, repeated, strict)


def _header(text: str, known: Recognises) -> tuple[str, list[str]]:
    """The delimiter under which the first line names columns of a known format; else the one that splits most."""
    split = {delimiter: _first_row(text, delimiter) for delimiter in _DELIMITERS}
    for delimiter, columns in split.items():
        if known(_distinct(columns)):
            return delimiter, columns
    delimiter = max(_DELIMITERS, key=lambda d: len(split[d]))
    return delimiter, split[delimiter]


def _first_row(text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
    except csv.Error:
        return []


def _distinct(columns: Sequence[str]) -> list[str]:
    """Column names made unique the way the engine does: a name that stands twice gets a number."""
    seen = set[str]()
    names = list[str]()
    for at, column in enumerate(columns):
        first = name = column.strip() or f"column{at}"
        times = 0
        while name.lower() in seen:
            times += 1
            name = f"{first}_{times}"
        seen.add(name.lower())
        names.append(name)
    return names


def _lines(connection: duckdb.DuckDBPyConnection, path: Path) -> Part:
    options = f"format = 'newline_delimited', sample_size = -1, compression = '{compression(path)}'"
    read = f"read_json({literally(path)}, {options})"
    relation = f"SELECT * FROM {read}"
    numbered = f"SELECT *, row_number() OVER () AS x_Row FROM {read}"
    return Part(path, Shape.LINES, describe(connection, relation), relation, numbered)


def union(parts: Sequence[Part], *, numbered: bool = False, strict: bool = False) -> str:
    """SQL of the rows of several files of one layout, with the file's path where rows are numbered.

    `strict` raises where a line cannot be split into columns, which spares a sound file a fifth of its reading.
    """
    if numbered:
        return " UNION ALL BY NAME ".join(
            f"SELECT *, {literal(str(p.path))} AS x_File FROM ({p.numbered}) AS p" for p in parts
        )
    return " UNION ALL BY NAME ".join((p.strict or p.relation) if strict else p.relation for p in parts)


def columns_of(parts: Sequence[Part]) -> Iterator[str]:
    """The distinct column names of several files, quoted for SQL."""
    yield from dict.fromkeys(quoted(name) for part in parts for name in part.layout)
