"""A workspace's lake: opening it, reading it from many threads, writing to it one at a time.

The lake is a DuckLake: Parquet files and a catalog, which is a SQLite file in WAL mode or a schema of a
PostgreSQL database. Readers never wait for writers; every commit is a snapshot that can be read for ever.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self, cast

import duckdb

from ledger import engine
from ledger.engine import literal
from ledger.errors import LakeUnavailableError, LedgerError
from ledger.focus import Column
from ledger.lock import PATIENCE, file_lock, postgres_lock
from ledger.tables import TABLES

if TYPE_CHECKING:
    import ibis
    import ibis.expr.types as ir
    from ibis.backends.duckdb import Backend as DuckDBBackend

ALIAS: Final = "lake"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a lake lives.

    Attributes:
        home: folder of the lake: its data files, its staging area and, by default, its catalog.
        postgres: connection string of a PostgreSQL catalog, or None for the SQLite file in `home`.
        schema: schema of the PostgreSQL catalog that belongs to this lake alone.
    """

    home: Path
    postgres: str | None = None
    schema: str = "spendproof"

    @property
    def data(self) -> Path:
        """The lake's Parquet files."""
        return self.home / "data"

    @property
    def staging(self) -> Path:
        """Loads on their way."""
        return self.home / "staging"

    @property
    def catalog(self) -> Path:
        """The SQLite catalog."""
        return self.home / "catalog.sqlite"

    @property
    def metadata(self) -> str:
        """Where the catalog's own tables can be read once the lake is open."""
        schema = "main" if self.postgres is None else self.schema
        return f"__ducklake_metadata_{ALIAS}.{schema}"

    @property
    def attach(self) -> str:
        """The statement that opens the lake."""
        options = f"DATA_PATH {literal(f'{self.data}/')}, OVERRIDE_DATA_PATH true"
        if self.postgres is None:
            return f"ATTACH {literal(f'ducklake:sqlite:{self.catalog}')} AS {ALIAS} ({options})"
        catalog = literal(f"ducklake:postgres:{self.postgres}")
        return f"ATTACH {catalog} AS {ALIAS} ({options}, METADATA_SCHEMA {literal(self.schema)})"


class Lake:
    """An open lake. One object serves a process; every thread and every call takes a cursor of its own."""

    def __init__(self, address: Address) -> None:
        """Open the lake, creating it where there is none.

        Raises:
            LakeUnavailableError: the catalog cannot be opened or created.
        """
        self.address = address
        for folder in (address.home, address.data, address.staging):
            folder.mkdir(parents=True, exist_ok=True)
        self._connection = engine.connect(spill=address.staging / f"spill-{os.getpid()}")
        #: The catalog's file as it was opened: a folder that is moved away leaves its name to another lake.
        self._opened: os.stat_result | None = None
        #: Columns of the tables that were read, which are those of this release while it holds the lake open.
        self._schemas: dict[str, ibis.Schema] = {}
        try:
            self._open()
            self._opened = address.catalog.stat() if address.postgres is None else None
        except (duckdb.Error, sqlite3.Error) as error:
            self._connection.close()
            raise LakeUnavailableError(_unavailable(address, error)) from error

    def close(self) -> None:
        """Release the engine and its memory."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own on this lake; a cursor inherits neither USE nor TimeZone."""
        cursor = self._connection.cursor()
        cursor.execute(f"USE {ALIAS}; SET TimeZone = 'UTC'")
        return cursor

    def table(self, name: str, *, snapshot: int | None = None) -> ir.Table:
        """A ledger table as an Ibis table on a connection of its own, as it is now or as of a snapshot.

        Raises:
            LedgerError: there is no such table.
        """
        return self.tables(name, snapshot=snapshot)[0]

    def tables(self, *names: str, snapshot: int | None = None) -> tuple[ir.Table, ...]:
        """Several tables on one connection, so that one expression may join them."""
        import ibis  # noqa: PLC0415 - half a second that only a query needs

        for name in names:
            if name not in TABLES:
                raise LedgerError(f"The ledger has no table {name!r}; it has {', '.join(TABLES)}.")
        backend = ibis.duckdb.from_connection(self.cursor())
        if snapshot is None:
            return tuple(self._bound(backend, name) for name in names)
        return tuple(backend.sql(f"SELECT * FROM {ALIAS}.main.{name} AT (VERSION => {snapshot})") for name in names)

    @contextmanager
    def reading(self, *names: str, snapshot: int | None = None) -> Generator[tuple[ir.Table, ...]]:
        """Several tables as of one moment, for an answer that takes several queries: the catalog is asked once."""
        tables = self.tables(*names, snapshot=snapshot)
        connection = cast("DuckDBBackend", tables[0].get_backend()).con
        connection.execute("BEGIN")
        try:
            yield tables
        finally:
            connection.execute("ROLLBACK")

    def _bound(self, backend: DuckDBBackend, name: str) -> ir.Table:
        """A table on a connection; the engine is asked for its columns once, which costs as much as a small query."""
        from ibis.expr import operations as ops  # noqa: PLC0415

        if name not in self._schemas:
            self._schemas[name] = backend.table(name, database=(ALIAS, "main")).schema()
        place = ops.Namespace(catalog=ALIAS, database="main")
        return ops.DatabaseTable(name, schema=self._schemas[name], source=backend, namespace=place).to_expr()

    def records(self, query: str, values: Sequence[object] = ()) -> list[dict[str, Any]]:
        """The rows of a small query, by column name."""
        result = self.cursor().execute(query, list(values))
        names = [column[0] for column in result.description or []]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def snapshot(self) -> int:
        """Number of the newest snapshot."""
        row = self.cursor().execute(f"FROM ducklake_current_snapshot('{ALIAS}')").fetchone()
        return int(row[0]) if row else 0

    @contextmanager
    def lock(self) -> Generator[None]:
        """Be the only writer of this lake, over all processes and machines.

        Raises:
            WriterBusyError: another writer holds on for too long.
            LakeUnavailableError: the lake that was opened is no longer at its address.
        """
        with writer_lock(self.address):
            if self._opened is not None and not os.path.samestat(self._opened, self.address.catalog.stat()):
                raise LakeUnavailableError(
                    f"Another lake is at {self.address.home} than the one that was opened; run the command again."
                )
            yield

    @contextmanager
    def transaction(self) -> Generator[duckdb.DuckDBPyConnection]:
        """One transaction on a cursor of its own: committed as a whole, or not at all.

        The caller holds `lock`.
        """
        cursor = self.cursor()
        cursor.execute("BEGIN")
        try:
            yield cursor
            cursor.execute("COMMIT")
        except BaseException:
            # After a commit that failed there is no transaction left to roll back.
            with suppress(duckdb.TransactionException):
                cursor.execute("ROLLBACK")
            raise
        finally:
            cursor.close()

    def _open(self) -> None:
        engine.load_extension(self._connection, "ducklake")
        scanner = "sqlite_scanner" if self.address.postgres is None else "postgres_scanner"
        engine.load_extension(self._connection, scanner)
        if self.address.postgres is None and self.address.catalog.exists():
            self._connection.execute(self.address.attach)
        else:
            # Two processes that both find no catalog must not both make one.
            with self.lock():
                if self.address.postgres is None:
                    write_ahead(self.address.catalog)
                self._connection.execute(self.address.attach)
        if self._missing():
            with self.lock(), self.transaction() as cursor:
                for statement in self._missing():
                    cursor.execute(statement)

    def _missing(self) -> list[str]:
        """Statements that create the tables and columns which this version has and the lake has not."""
        present: dict[str, set[str]] = {}
        rows = self._connection.execute(
            f"SELECT table_name, column_name FROM duckdb_columns() WHERE database_name = '{ALIAS}'"
        ).fetchall()
        for table, column in rows:
            present.setdefault(table, set()).add(column)
        statements = list[str]()
        for name, columns in TABLES.items():
            table = f"{ALIAS}.main.{name}"
            new = [c for c in columns if c.name not in present.get(name, set())]
            if name not in present:
                body = ", ".join(f'"{c.name}" {c.type}' for c in columns)
                statements.append(f"CREATE TABLE {table} ({body})")
            else:
                statements += [f'ALTER TABLE {table} ADD COLUMN "{c.name}" {c.type}' for c in new]
            if new:
                statements += _admit_nulls(table, columns)
            if name not in present and name == "sentinel":
                statements.append(f"INSERT INTO {table} VALUES (NULL, 0)")
        return statements


@contextmanager
def writer_lock(address: Address, patience: float = PATIENCE) -> Generator[None]:
    """Be the only writer of the lake at an address, whether it is open or not.

    Raises:
        WriterBusyError: another writer holds on for longer than `patience` seconds.
        LakeUnavailableError: its folder was moved or deleted meanwhile.
    """
    if address.postgres is None:
        with file_lock(address.home / "writer.lock", patience):
            yield
    else:
        with postgres_lock(address.postgres, f"spendproof:{address.schema}", patience):
            yield


def _admit_nulls(table: str, columns: Sequence[Column]) -> list[str]:
    """Let the catalog know that every column of a table may be NULL, by a row that comes and goes.

    The catalog judges from the files it is given whether a column has NULLs, and overlooks files that lack the column
    altogether; the engine then takes `IS NULL` for false and counts values that are not there. Once seen, NULLs are
    remembered.
    """
    nulls = " AND ".join(f'"{c.name}" IS NULL' for c in columns)
    return [f"INSERT INTO {table} VALUES ({', '.join(['NULL'] * len(columns))})", f"DELETE FROM {table} WHERE {nulls}"]


def write_ahead(catalog: Path) -> None:
    """Write-ahead logging, kept in the file: without it readers starve beside writers."""
    connection = sqlite3.connect(catalog)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
    finally:
        connection.close()


def _unavailable(address: Address, error: Exception) -> str:
    where = f"PostgreSQL schema {address.schema}" if address.postgres else str(address.catalog)
    reason = str(error).splitlines()[0]
    if address.postgres:
        reason = "the server refused or did not answer"
    return f"The lake's catalog ({where}) cannot be opened: {reason}. Check that it exists and may be written to."
