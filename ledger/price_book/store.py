"""The book of one workspace, in its lake: refreshed list prices and the customer's agreements.

A lake has no prices of its own until the first refresh; until then the shipped book counts. The first refresh copies
the shipped rows as they are, so that a digest made before is still made after. Rows are appended, never changed.
"""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

import duckdb
import pyarrow as pa

from ledger.errors import LedgerError
from ledger.lake import Lake
from ledger.price_book.changes import Changes, compare
from ledger.price_book.known import as_known
from ledger.price_book.negotiated import Agreement, derive
from ledger.price_book.rows import ARROW_SCHEMA, Price, from_table, to_table
from ledger.price_book.schema import PRICES
from ledger.price_book.shipped import shipped_table
from ledger.price_book.sources import Reading, SourceMissingError, read_sources

_COLUMNS: Final = ", ".join(f'"{c.name}"' for c in PRICES)
#: A file of agreements may hold no line at all; this line says that there was one.
_MARK: Final = 0


class OlderSourceError(LedgerError):
    """A source is older than the one that the book has its prices from."""


class Refreshed(NamedTuple):
    """What a refresh has done, or would do.

    Attributes:
        changes: the difference to the book before.
        sources: the sources and their releases.
        left_out: how many prices of the sources the book cannot hold.
        from_package_data: whether no source is installed and the shipped book was the source.
    """

    changes: Changes
    sources: dict[str, str]
    left_out: int
    from_package_data: bool


def known(lake: Lake, at: datetime | None) -> tuple[pa.Table, tuple[str, ...]]:
    """The rows of the workspace's book as known at `at`, and sentences about prices that are withheld."""
    cursor = lake.cursor()
    table = as_known(_rows(cursor), at)
    agreements, since = _agreements(cursor, at)
    if since is None or not agreements:
        return table, ()
    listed = from_table(table)
    rows, inexact = derive(listed, agreements, since)
    # A list price must not stand where a discount is agreed that cannot be expressed.
    kept = [p for p in listed if p.series not in inexact]
    return as_known(to_table([*kept, *rows])), tuple(sorted(set(inexact.values())))


def incoming(lake: Lake, now: datetime, *, cost_map: Path | None = None) -> tuple[Reading, bool]:
    """What the installed sources say; without them the shipped book, and then True.

    Raises:
        SourceMissingError: no source is installed, and the shipped book is older than the lake's.
        OlderSourceError: a source is older than the one that the lake has its prices from.
    """
    before = _rows(lake.cursor())
    try:
        reading, shipped = read_sources(now, cost_map=cost_map), False
    except SourceMissingError:
        if cost_map is not None or _newest(before) > _newest(shipped_table()):
            raise
        prices = from_table(as_known(shipped_table()))
        releases = {p.source: p.source_version for p in prices if "," not in p.source}
        reading, shipped = Reading(prices, [], releases), True
    for source, release in reading.sources.items():
        newest = max((_numbers(v) for v in _releases(before, source)), default=())
        if _numbers(release) and newest > _numbers(release):
            has = ".".join(map(str, newest))
            raise OlderSourceError(
                f"The book has its prices from {source} {has}; {release} is older. Install a newer one."
            )
    return reading, shipped


def preview(lake: Lake, now: datetime, *, cost_map: Path | None = None) -> Refreshed:
    """What `refresh` would change; the errors are those of `incoming`."""
    reading, shipped = incoming(lake, now, cost_map=cost_map)
    before = from_table(as_known(_rows(lake.cursor())))
    return Refreshed(compare(before, reading.prices), reading.sources, len(reading.left_out), shipped)


def refresh(lake: Lake, now: datetime, *, cost_map: Path | None = None) -> Refreshed:
    """Append what the sources change, in one transaction; a second time there is nothing to append.

    Raises:
        SourceMissingError: as `incoming`.
        OlderSourceError: as `incoming`.
        WriterBusyError: another writer holds the lake for too long.
    """
    reading, shipped = incoming(lake, now, cost_map=cost_map)
    with lake.lock(), lake.transaction() as cursor:
        before = _rows(cursor)
        changes = compare(from_table(as_known(before)), reading.prices)
        if _is_empty(cursor):
            _append(cursor, "prices", before)
        _append(cursor, "prices", to_table(changes.rows(now)))
    return Refreshed(changes, reading.sources, len(reading.left_out), shipped)


def agree(lake: Lake, agreements: list[Agreement], now: datetime) -> tuple[list[Price], list[str]]:
    """Make these the agreements of the workspace from `now` on.

    Returns:
        The negotiated prices that they come to, and sentences about prices that are withheld from the book, because
        the discounted one is not a whole number of pico-units and the list's would be wrong.

    Raises:
        ValueError: two lines contradict each other.
        WriterBusyError: another writer holds the lake for too long.
    """
    with lake.lock(), lake.transaction() as cursor:
        rows, inexact = derive(from_table(as_known(_rows(cursor))), agreements, now)
        before, since = _agreements(cursor, None)
        if since is None or before != agreements:
            _append(cursor, "agreements", _agreement_table(agreements, now))
    return rows, sorted(set(inexact.values()))


def _rows(cursor: duckdb.DuckDBPyConnection) -> pa.Table:
    """Every row of the lake, the superseded ones included; those of the shipped book where it has none."""
    if _is_empty(cursor):
        return shipped_table()
    return cursor.execute(f"SELECT {_COLUMNS} FROM prices").to_arrow_table().cast(ARROW_SCHEMA)


def _is_empty(cursor: duckdb.DuckDBPyConnection) -> bool:
    return cursor.execute("SELECT 1 FROM prices LIMIT 1").fetchone() is None


def _append(cursor: duckdb.DuckDBPyConnection, table: str, rows: pa.Table) -> None:
    if rows.num_rows:
        cursor.register("appended", rows)
        cursor.execute(f"INSERT INTO {table} BY NAME SELECT * FROM appended")
        cursor.unregister("appended")


def _agreements(cursor: duckdb.DuckDBPyConnection, at: datetime | None) -> tuple[list[Agreement], datetime | None]:
    """The newest agreements known at `at`, and since when; None where there never were any."""
    newest = 'SELECT max("KnownFrom") FROM agreements WHERE $at IS NULL OR "KnownFrom" <= $at'
    found = cursor.execute(f'SELECT * FROM agreements WHERE "KnownFrom" = ({newest}) ORDER BY "Line"', {"at": at})
    rows = found.to_arrow_table().to_pylist()
    names = [name for name in _AGREEMENT_COLUMNS if name != "KnownFrom"]
    agreements = [Agreement(*(row[name] for name in names)) for row in rows if row["Line"] != _MARK]
    return agreements, rows[0]["KnownFrom"] if rows else None


def _agreement_table(agreements: list[Agreement], now: datetime) -> pa.Table:
    lines = [Agreement(_MARK, "", None, None, None, None, None, now, None, None, None, ""), *agreements]
    columns = list(zip(*((now, *line) for line in lines), strict=True))
    return pa.table({name: pa.array(c, t) for (name, t), c in zip(_AGREEMENT_COLUMNS.items(), columns, strict=True)})


_INSTANT: Final = pa.timestamp("us", tz="UTC")
#: Columns of the table `agreements`: KnownFrom, then the fields of `Agreement`.
_AGREEMENT_COLUMNS: Final = {
    "KnownFrom": _INSTANT,
    "Line": pa.int64(),
    "Seller": pa.string(),
    "ModelId": pa.string(),
    "TokenKind": pa.string(),
    "ServiceTier": pa.string(),
    "ServingRegion": pa.string(),
    "ContextAbove": pa.int64(),
    "ValidFrom": _INSTANT,
    "ValidTo": _INSTANT,
    "PricePico": pa.int64(),
    "DiscountPercent": pa.decimal128(9, 6),
    "Currency": pa.string(),
}


def _newest(table: pa.Table) -> datetime:
    return max(p.known_from for p in from_table(table))


def _releases(table: pa.Table, source: str) -> set[str]:
    return {p.source_version for p in from_table(table) if p.source == source}


def _numbers(release: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", release))) if re.fullmatch(r"\d+(\.\d+)*", release) else ()
