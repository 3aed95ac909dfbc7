"""Bill files into the ledger: every file of one command that is in one format is one load."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from dataclasses import replace as with_
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import duckdb

from connectors import pages, reading
from connectors.errors import UnreadableFileError
from connectors.format import Format, Replace
from connectors.mapping import mapped_sql, rejected_sql, widths_sql
from connectors.reading import Part, Shape
from connectors.registry import format_of, knows, named
from connectors.values import TOO_NARROW, WIDE
from ledger.checks import Finding
from ledger.lake import Lake
from ledger.replace import Loaded, previous, replace
from ledger.staging import Incoming, Reject, SourceFile, Staged, stage, staging_folder

_GRAINS: Final = {Replace.BILLING_PERIOD: "period", Replace.DAY: "day", Replace.ALL: "all"}
_CHUNK: Final = 1 << 22
#: Rows by which the width of decimal columns is guessed; a wrong guess costs a second pass, never a digit.
_SAMPLE: Final = 20_000

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What tells that a file is still the one that was opened."""

    path: Path
    size: int
    modified: int
    inode: int

    @classmethod
    def of(cls, path: Path) -> Fingerprint:
        """Take it now."""
        stat = path.stat()
        return cls(path, stat.st_size, stat.st_mtime_ns, stat.st_ino)


@dataclass(frozen=True, slots=True)
class Batch:
    """The files of one command that are in one format."""

    format: Format
    parts: tuple[Part, ...]
    originals: tuple[Path, ...]
    windows: tuple[tuple[datetime, datetime], ...] = ()
    notes: tuple[str, ...] = ()


def import_files(
    lake: Lake,
    names: Sequence[str],
    *,
    format_name: str | None = None,
    source: str | None = None,
    force: bool = False,
    synthetic: bool = False,
    say: Say = lambda _: None,
    now: datetime | None = None,
) -> list[Loaded]:
    """Load files, folders, globs and manifests; one result for each format met.

    Args:
        lake: where to.
        names: what the person named.
        format_name: the format, where it should not be recognised from the columns.
        source: name that tells two sources of one format apart (two AWS payers).
        force: replace even what is larger.
        synthetic: the files are sample data.
        say: takes sentences of progress.
        now: moment of the load; the present one if None.

    Raises:
        ConnectorError: a file cannot be read or its format is unknown; nothing of that format was loaded.
        LedgerError: the ledger refused the load; it is as before.
    """
    moment = now or datetime.now(UTC)
    forced = named(format_name) if format_name else None
    paths = reading.expand(names)
    with ExitStack() as stack:
        folder = stack.enter_context(staging_folder(lake, f"read-{secrets.token_hex(8)}"))
        before = {path: Fingerprint.of(path) for path in paths}
        with lake.cursor() as cursor:
            batches = _batches(cursor, paths, forced, folder)
        return [_load(lake, batch, before, source, moment, say, force=force, synthetic=synthetic) for batch in batches]


def _batches(
    cursor: duckdb.DuckDBPyConnection, paths: Sequence[Path], forced: Format | None, folder: Path
) -> list[Batch]:
    found: dict[str, Batch] = {}
    for path in paths:
        part = reading.open_part(cursor, path, knows)
        windows: tuple[tuple[datetime, datetime], ...] = ()
        if part.shape is Shape.PAGES:
            part, windows = _flattened(cursor, path, folder)
        format_ = format_of(path.name, part.layout, forced)
        batch = found.setdefault(format_.name, Batch(format_, (), ()))
        found[format_.name] = with_(
            batch,
            parts=(*batch.parts, part),
            originals=(*batch.originals, path),
            windows=(*batch.windows, *windows),
            notes=(*batch.notes, *part.notes),
        )
    return list(found.values())


def _flattened(
    cursor: duckdb.DuckDBPyConnection, path: Path, folder: Path
) -> tuple[Part, tuple[tuple[datetime, datetime], ...]]:
    """API pages as a flat Parquet file of text in the staging folder, and the periods that they cover."""
    import pyarrow.parquet as pq  # noqa: PLC0415 - only JSON pages need it

    try:
        table, windows = pages.flatten(path)
    except ValueError as error:
        raise UnreadableFileError(str(error)) from error
    flat = folder / f"{path.name}-{secrets.token_hex(4)}.parquet"
    pq.write_table(table, flat)
    part = reading.open_part(cursor, flat, knows)
    return with_(part, path=path), tuple(windows)


def _load(
    lake: Lake,
    batch: Batch,
    before: dict[Path, Fingerprint],
    source: str | None,
    now: datetime,
    say: Say,
    *,
    force: bool,
    synthetic: bool,
) -> Loaded:
    format_ = batch.format
    count = len(batch.originals)
    say(f"{format_.title}: reading {count} file{'s' if count != 1 else ''}")
    connection = f"file:{source or format_.name}"
    load_id = f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
    with ThreadPoolExecutor(1) as pool, lake.cursor() as cursor, staging_folder(lake, load_id) as folder:
        digests = pool.submit(_digests, batch.originals)
        incoming = _incoming(cursor, batch, connection, load_id, now, synthetic=synthetic)
        if same := previous(cursor, connection, format_.name, digest_of := digests.result()):
            return same
        incoming = with_(incoming, files=digest_of)
        try:
            staged = _stage(cursor, batch, incoming, folder)
        except duckdb.Error as error:
            raise UnreadableFileError(_blame(cursor, batch, error)) from error
        for path in batch.originals:
            if not path.exists() or Fingerprint.of(path) != before[path]:
                raise UnreadableFileError(
                    f"{path.name} changed while it was read; nothing was loaded. Import it again when it is complete."
                )
        return replace(lake, cursor, staged, force=force)


def _stage(cursor: duckdb.DuckDBPyConnection, batch: Batch, incoming: Incoming, folder: Path) -> Staged:
    """Stage with the narrow decimals that a sample suggests, and again with wide ones where the sample was wrong."""
    try:
        return stage(cursor, incoming, folder)
    except duckdb.InvalidInputException as error:
        if TOO_NARROW not in str(error):
            raise
    return stage(cursor, with_(incoming, mapped=_mapped(batch, {})), folder)


def _mapped(batch: Batch, widths: dict[str, str]) -> str:
    return " UNION ALL BY NAME ".join(
        f"SELECT * FROM ({mapped_sql(batch.format, layout, reading.union(parts), widths)}) AS part"
        for layout, parts in _by_layout(batch.parts)
    )


def _widths(cursor: duckdb.DuckDBPyConnection, batch: Batch) -> dict[str, str]:
    """The narrowest exact decimal type of each text or double column, by the first rows of one file of each layout."""
    found: dict[str, set[str]] = {}
    for layout, parts in _by_layout(batch.parts):
        names, sql = widths_sql(batch.format, layout, f"{parts[0].relation} LIMIT {_SAMPLE}")
        if names:
            row = cursor.execute(sql).fetchone() or ()
            for name, width in zip(names, row, strict=True):
                found.setdefault(name, set()).add(width or WIDE)
    return {name: widths.pop() for name, widths in found.items() if len(widths) == 1}


def _incoming(
    cursor: duckdb.DuckDBPyConnection, batch: Batch, connection: str, load_id: str, now: datetime, *, synthetic: bool
) -> Incoming:
    format_ = batch.format
    mapped = _mapped(batch, _widths(cursor, batch))
    return Incoming(
        load_id=load_id,
        connection=connection,
        format=format_.name,
        provider=format_.provider or None,
        table=format_.table,
        mapped=mapped,
        grain=_GRAINS[format_.replaces],
        now=now,
        rejects=lambda cursor: _list_rejects(cursor, batch),
        unreadable=_unreadable,
        findings=tuple(_noticed(batch)),
        windows=batch.windows,
        synthetic=synthetic,
    )


def _by_layout(parts: Sequence[Part]) -> list[tuple[dict[str, str], list[Part]]]:
    """Files of one layout together: two layouts unioned raw would turn decimals into doubles."""
    groups: dict[tuple[tuple[str, str], ...], list[Part]] = {}
    for part in parts:
        groups.setdefault(tuple(part.layout.items()), []).append(part)
    return [(dict(layout), members) for layout, members in groups.items()]


def _noticed(batch: Batch) -> list[Finding]:
    """What a person should know about how the files were read."""
    found = [Finding("File.read", "note", 0, note) for note in dict.fromkeys(batch.notes)]
    found += [Finding("Format.limit", "note", 0, note) for note in batch.format.notes]
    places = [place.lower() for c in batch.format.columns for place in (c.name, *c.places)]
    used = {*places, *(place.split(".")[0] for place in places)}
    extra = sorted({name for part in batch.parts for name in part.layout if name.lower() not in used})
    if extra:
        shown = ", ".join(extra[:10]) + (f" and {len(extra) - 10} more" if len(extra) > 10 else "")  # noqa: PLR2004
        found.append(Finding("Columns.unused", "note", 0, f"Columns that the ledger does not keep: {shown}."))
    return found


def _unreadable(cursor: duckdb.DuckDBPyConnection) -> int:
    if not _has_reject_table(cursor):
        return 0
    row = cursor.execute("SELECT count(*) FROM (SELECT DISTINCT file_id, line FROM reject_errors)").fetchone()
    return int(row[0]) if row else 0


def _has_reject_table(cursor: duckdb.DuckDBPyConnection) -> bool:
    row = cursor.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'reject_errors'").fetchone()
    return bool(row and row[0])


def _list_rejects(cursor: duckdb.DuckDBPyConnection, batch: Batch) -> list[Reject]:
    listed = list[Reject]()
    if _has_reject_table(cursor):
        rows = cursor.execute(
            "SELECT parse_filename(s.file_path), min(e.line), any_value(e.column_name), "
            "any_value(left(e.csv_line, 200)), any_value(e.error_type) FROM reject_errors AS e JOIN reject_scans AS s USING (scan_id, file_id) "
            "GROUP BY s.file_path, e.line ORDER BY ALL"
        ).fetchall()
        listed += [
            Reject(file, line - 1, column, value, _structure(error)) for file, line, column, value, error in rows
        ]
    for layout, parts in _by_layout(batch.parts):
        sql = rejected_sql(batch.format, layout, reading.union(parts, numbered=True))
        listed += [Reject(*row) for row in cursor.execute(sql).fetchall()]
    return listed


def _structure(error: str) -> str:
    return {
        "MISSING COLUMNS": "the line has fewer columns than the header",
        "TOO MANY COLUMNS": "the line has more columns than the header",
        "UNQUOTED VALUE": "a quote is not closed",
        "LINE SIZE OVER MAXIMUM": "the line is too long to be a row",
        "INVALID ENCODING": "the line is not UTF-8 text; export the file as UTF-8",
        "INVALID UNICODE": "the line is not UTF-8 text; export the file as UTF-8",
    }.get(error.upper(), f"the line cannot be split into columns ({error.lower()})")


def _digests(paths: Sequence[Path]) -> tuple[SourceFile, ...]:
    return tuple(_digest(path) for path in paths)


def _digest(path: Path) -> SourceFile:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(_CHUNK):
            digest.update(block)
            size += len(block)
    return SourceFile(path.name, size, digest.hexdigest())


def _blame(cursor: duckdb.DuckDBPyConnection, batch: Batch, error: duckdb.Error) -> str:
    """Which file an engine's error is about: the first that cannot be read alone."""
    for part in batch.parts:
        try:
            cursor.execute(f"SELECT count(*) FROM (SELECT hash(COLUMNS(*)) FROM ({part.relation}))").fetchall()
        except duckdb.Error as own:
            return reading.explain(part.path, own) + " Nothing was loaded."
    return f"{batch.format.title}: {reading.explain(None, error)} Nothing was loaded."
