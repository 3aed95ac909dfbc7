"""Bill files into the ledger: every file of one command that is in one format is one load."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from dataclasses import replace as with_
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import duckdb

from connectors import lines, noticing, reading, rejecting
from connectors.errors import ConnectorError, SourceNameError, UnreadableFileError
from connectors.files import Fingerprint, digests, shown
from connectors.format import Format, Kind, Replace
from connectors.mapping import Constants, details_sql, mapped_sql, settled, widths_sql
from connectors.reading import Part, Shape
from connectors.registry import format_of, knows, named
from connectors.values import TOO_NARROW, WIDE
from ledger.checks import Finding
from ledger.errors import LedgerError
from ledger.folders import staging_folder
from ledger.lake import Lake
from ledger.previous import may_repeat, previous
from ledger.replace import Loaded, replace
from ledger.staging import Fetched, Incoming, SourceFile, Staged, stage

if TYPE_CHECKING:
    import pyarrow as pa

_GRAINS: Final = {Replace.BILLING_PERIOD: "period", Replace.DAY: "day", Replace.ALL: "all"}
#: Rows by which the width of decimal columns is guessed; a wrong guess costs a second pass, never a digit.
_SAMPLE: Final = 20_000

#: The column of a format of API pages that names the billing account.
_ORGANIZATION: Final = "organization_id"

#: A source is named in file names, SQL and on the command line.
_SOURCE: Final = re.compile(r"[\w.@:/+ -]{1,100}")

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose files they are, and how they came."""

    connection: str
    now: datetime
    synthetic: bool
    fetched: Fetched | None


@dataclass(frozen=True, slots=True)
class Batch:
    """The files of one command that are in one format; `windows` are the periods that each says it covers."""

    format: Format
    parts: tuple[Part, ...] = ()
    originals: tuple[Path, ...] = ()
    windows: tuple[tuple[tuple[datetime, datetime], ...], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def layouts(self) -> list[tuple[dict[str, str], list[Part]]]:
        """Files of one layout together: two layouts unioned raw would turn decimals into doubles."""
        groups: dict[tuple[tuple[str, str], ...], list[Part]] = {}
        for part in self.parts:
            groups.setdefault(tuple(part.layout.items()), []).append(part)
        return [(dict(layout), members) for layout, members in groups.items()]

    @property
    def names(self) -> dict[str, str]:
        """What each file is called before a person, by its path."""
        return {str(path): name for path, name in shown(self.originals).items()}


def import_files(
    lake: Lake,
    names: Sequence[str],
    *,
    format_name: str | None = None,
    source: str | None = None,
    force: bool = False,
    synthetic: bool = False,
    fetched: Fetched | None = None,
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
        fetched: what a live source fetched these files for; `source` is the connection's name then.
        say: takes sentences of progress.
        now: moment of the load; the present one if None.

    Every file is opened before anything is loaded; each format is one transaction.

    Raises:
        ConnectorError: a file cannot be read or its format is unknown; nothing of that format was loaded.
        LedgerError: the ledger refused the load; it is as before.
    """
    moment = now or datetime.now(UTC)
    if source is not None and not _SOURCE.fullmatch(source):
        raise SourceNameError(
            f"{source!r} cannot be the name of a source; use letters, digits, spaces and . _ - : / @ +."
        )
    forced = named(format_name) if format_name else None
    left_out = list[str]()
    paths = reading.expand(names, left_out.append)
    for sentence in left_out:
        say(sentence)
    loaded = list[Loaded]()
    with staging_folder(lake, f"read-{secrets.token_hex(8)}") as folder:
        before = {path: Fingerprint.of(path) for path in paths}
        with lake.cursor() as cursor:
            batches = _batches(cursor, paths, forced, folder, fetched.account if fetched else "")
        for batch in batches:
            try:
                origin = Origin(_connection(batch, source, fetched), moment, synthetic=synthetic, fetched=fetched)
                loaded.append(_load(lake, batch, before, origin, say, force=force))
            except (ConnectorError, LedgerError) as error:
                if not loaded:
                    raise
                raise type(error)(f"{error} {_already(loaded)}") from error
    return loaded


def _already(loaded: Sequence[Loaded]) -> str:
    names = ", ".join(f"{r.format} (load {r.load_id})" for r in loaded)
    return f"The other files of this command are in the ledger: {names}."


def _batches(
    cursor: duckdb.DuckDBPyConnection, paths: Sequence[Path], forced: Format | None, folder: Path, account: str
) -> list[Batch]:
    found: dict[str, Batch] = {}
    for path in paths:
        part = reading.open_part(cursor, path, knows)
        windows: tuple[tuple[datetime, datetime], ...] = ()
        if part.shape is Shape.PAGES:
            part, windows = _flattened(cursor, path, folder, forced, account)
        elif part.shape is Shape.LINES and lines.loses_digits(cursor, path):
            part = with_(reading.open_part(cursor, lines.rewritten(path, folder), knows), path=path)
        format_ = format_of(path.name, part.layout, forced)
        noticing.refuse_ambiguous(part, format_)
        batch = found.get(format_.name, Batch(format_))
        found[format_.name] = with_(
            batch,
            parts=(*batch.parts, part),
            originals=(*batch.originals, path),
            windows=(*batch.windows, windows),
            notes=(*batch.notes, *part.notes),
        )
    return list(found.values())


def _flattened(
    cursor: duckdb.DuckDBPyConnection, path: Path, folder: Path, forced: Format | None, account: str
) -> tuple[Part, tuple[tuple[datetime, datetime], ...]]:
    """API pages as a flat Parquet file of text in the staging folder, and the periods that they cover.

    Pages without a single result name no columns; they get those of the format that was asked for. `account` is put
    where the format has a place for the organization and the pages leave it out.
    """
    import pyarrow as pa  # noqa: PLC0415 - only JSON pages need it
    import pyarrow.parquet as pq  # noqa: PLC0415

    from connectors import pages  # noqa: PLC0415

    counts = {column.places[0] for column in forced.columns if column.kind is Kind.COUNT} if forced else set[str]()
    try:
        table, windows = pages.flatten(path, counts)
    except ValueError as error:
        raise UnreadableFileError(str(error)) from error
    if forced and not table.num_rows:
        for name in dict.fromkeys(column.places[0] for column in forced.columns):
            if name not in table.column_names:
                table = table.append_column(name, pa.array([], pa.string()))
    table = _of_account(table, forced, account)
    flat = folder / f"{secrets.token_hex(8)}.parquet"
    pq.write_table(table, flat)
    part = reading.open_part(cursor, flat, knows)
    return with_(part, path=path, empty=not table.num_rows), tuple(windows)


def _of_account(table: pa.Table, forced: Format | None, account: str) -> pa.Table:
    """A table of pages with `account` where its format has a place for the organization and no page fills it."""
    import pyarrow as pa  # noqa: PLC0415

    places = next((c.places for c in forced.columns if c.name == _ORGANIZATION), ()) if forced else ()
    present = [place for place in places if place in table.column_names]
    if not account or not places or any(table[place].null_count < table.num_rows for place in present):
        return table
    return table.drop_columns(present).append_column(places[0], pa.repeat(account, table.num_rows))


def _connection(batch: Batch, source: str | None, fetched: Fetched | None) -> str:
    return f"live:{source}" if fetched and source else f"file:{source or batch.format.name}"


def _load(
    lake: Lake, batch: Batch, before: dict[Path, Fingerprint], origin: Origin, say: Say, *, force: bool
) -> Loaded:
    format_, connection = batch.format, origin.connection
    count = len(batch.originals)
    say(f"{format_.title}: reading {count} file{'s' if count != 1 else ''}")
    load_id = f"{origin.now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
    with ThreadPoolExecutor(1) as pool, lake.cursor() as cursor, staging_folder(lake, load_id) as folder:
        hashing = pool.submit(digests, batch.originals)
        # Of pages that were fetched, those without a result are alike; that is nothing to tell.
        batch, files = _once(batch, before, hashing, None if origin.fetched else say)
        # Pages without a result have said which days they cover; their layout would be one more select.
        batch = with_(batch, parts=tuple(p for p in batch.parts if not p.empty) or batch.parts[:1])
        sizes = [before[path].size for path in batch.originals]
        if may_repeat(cursor, connection, format_.name, sizes) and (
            same := previous(cursor, connection, format_.name, files or hashing.result())
        ):
            return same
        try:
            incoming = _incoming(cursor, batch, load_id, origin)
            staged = _stage(cursor, batch, incoming, folder)
        except duckdb.Error as error:
            raise UnreadableFileError(_blame(cursor, batch, error)) from error
        staged = with_(staged, incoming=with_(incoming, files=files or hashing.result()))
        for path in batch.originals:
            before[path].still_holds()
        noticing.refuse_empty(batch.format, list(batch.names.values()), staged)
        return replace(lake, cursor, staged, force=force)


def _once(
    batch: Batch, before: dict[Path, Fingerprint], hashing: Future[tuple[SourceFile, ...]], say: Say | None
) -> tuple[Batch, tuple[SourceFile, ...]]:
    """Without the copies of a file under another name, which would count its charges twice; aloud where `say` is given.

    Only files of one size can be copies, so that digests are waited for only then; without them no files are returned.
    """
    if len({before[path].size for path in batch.originals}) == len(batch.originals):
        return batch, ()
    files, first, notes = hashing.result(), dict[str, int](), list[str]()
    for at, file in enumerate(files):
        if first.setdefault(file.sha256, at) != at and say is not None:
            notes.append(f"{file.name} is a copy of {files[first[file.sha256]].name}; it was read once.")
            say(notes[-1])
    kept = sorted(first.values())
    once = with_(
        batch,
        parts=tuple(batch.parts[at] for at in kept),
        originals=tuple(batch.originals[at] for at in kept),
        windows=tuple(batch.windows[at] for at in kept),
        notes=(*batch.notes, *notes),
    )
    return once, tuple(files[at] for at in kept)


def _stage(cursor: duckdb.DuckDBPyConnection, batch: Batch, incoming: Incoming, folder: Path) -> Staged:
    """Stage as most files allow, and again more patiently where one does not.

    At first with the narrow decimals that a sample suggests and without keeping lines that cannot be split.
    """
    widths, lacking = _widths(cursor, batch), _lacking(cursor, batch)
    incoming = with_(incoming, constants=_constants(batch))
    without = [{*columns, *incoming.constants} for columns in lacking]
    strict = any(part.strict for part in batch.parts)
    while True:
        try:
            return stage(cursor, with_(incoming, mapped=_mapped(batch, widths, without, strict=strict)), folder)
        except duckdb.InvalidInputException as error:
            if widths and TOO_NARROW in str(error):
                widths = {}
            elif strict:
                strict = False
            else:
                raise


def _mapped(batch: Batch, widths: dict[str, str], without: list[set[str]], *, strict: bool) -> str:
    selects = (
        mapped_sql(batch.format, layout, reading.union(parts, strict=strict), widths, _same(parts), left_out)
        for (layout, parts), left_out in zip(batch.layouts, without, strict=True)
    )
    return " UNION ALL BY NAME ".join(f"SELECT * FROM ({select}) AS part" for select in selects)


def _same(parts: Sequence[Part]) -> dict[str, str | None]:
    """Source columns with the same one value in all of these files."""
    return _agreed([part.constants for part in parts])


def _constants(batch: Batch) -> dict[str, str | None]:
    """Ledger columns with the same one text, or nothing, in every row, unless no file has a place for them at all."""
    same = _agreed([settled(batch.format, layout, _same(parts)) for layout, parts in batch.layouts])
    absent = [settled(batch.format, layout) for layout, _ in batch.layouts]
    return {name: v for name, v in same.items() if v is not None or any(name not in known for known in absent)}


def _agreed(known: Sequence[Constants]) -> dict[str, str | None]:
    """What all of them know, and know alike."""
    first, *others = known
    return {name: value for name, value in first.items() if all(o.get(name, ...) == value for o in others)}


def _lacking(cursor: duckdb.DuckDBPyConnection, batch: Batch) -> list[set[str]]:
    """For each layout, the ledger columns that no row fills, where one column of the file can be read alone."""
    found = list[set[str]]()
    for layout, parts in batch.layouts:
        asked = details_sql(batch.format, layout, reading.union(parts))
        if asked is None or any(part.shape is not Shape.PARQUET for part in parts):
            found.append(set())
            continue
        row = cursor.execute(asked[1]).fetchone() or ()
        found.append({name for name, filled in zip(asked[0], row, strict=True) if not filled})
    return found


def _widths(cursor: duckdb.DuckDBPyConnection, batch: Batch) -> dict[str, str]:
    """The narrowest exact decimal type of each text or double column, by the first rows of one file of each layout."""
    found: dict[str, set[str]] = {}
    for layout, parts in batch.layouts:
        names, sql = widths_sql(batch.format, layout, f"{parts[0].relation} LIMIT {_SAMPLE}")
        if names:
            row = cursor.execute(sql).fetchone() or ()
            for name, width in zip(names, row, strict=True):
                found.setdefault(name, set()).add(width or WIDE)
    return {name: widths.pop() for name, widths in found.items() if len(widths) == 1}


def _incoming(cursor: duckdb.DuckDBPyConnection, batch: Batch, load_id: str, origin: Origin) -> Incoming:
    format_, names = batch.format, batch.names
    windows = tuple(window for windows in batch.windows for window in windows)
    return Incoming(
        load_id=load_id,
        connection=origin.connection,
        format=format_.name,
        provider=format_.provider or None,
        table=format_.table,
        mapped="",
        grain=_GRAINS[format_.replaces],
        now=origin.now,
        files=tuple(SourceFile(name, 0, "") for name in names.values()),
        rejects=lambda cursor: rejecting.list_rejects(cursor, format_, batch.layouts, names),
        unreadable=lambda cursor: rejecting.unreadable(cursor, names),
        findings=tuple(_noticed(cursor, batch)),
        windows=(*windows, origin.fetched.window) if origin.fetched else windows,
        synthetic=origin.synthetic,
        fetched=origin.fetched,
    )


def _noticed(cursor: duckdb.DuckDBPyConnection, batch: Batch) -> list[Finding]:
    """What a person should know about how the files were read."""
    found = [Finding("File.read", "note", 0, note) for note in dict.fromkeys(batch.notes)]
    found += [Finding("Format.limit", "note", 0, note) for note in batch.format.notes]
    found += noticing.unused_columns(batch.format, batch.parts)
    found += noticing.without_zone(cursor, batch.format, batch.layouts, batch.names)
    return found


def _blame(cursor: duckdb.DuckDBPyConnection, batch: Batch, error: duckdb.Error) -> str:
    """Which file an engine's error is about: the first that cannot be read alone."""
    for part in batch.parts:
        try:
            cursor.execute(f"SELECT bit_xor(hash(part)) FROM ({part.relation}) AS part").fetchall()
        except duckdb.Error as own:
            return reading.explain(part.path, own) + " Nothing was loaded."
    return f"{batch.format.title}: {reading.explain(None, error)} Nothing was loaded."
