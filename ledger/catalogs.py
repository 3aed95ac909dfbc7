"""Catalogs as things of their own: copied, renamed, dropped. The caller holds the lake's lock, and no lake is open."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

import duckdb

from ledger.engine import connect, literal, load_extension
from ledger.errors import LakeUnavailableError
from ledger.lake import Address

#: Tables of a catalog that hold SQL to be run.
_CODE: Final = ("ducklake_view", "ducklake_macro")
_OUTSIDE: Final = (
    "SELECT path FROM \"{table}\" WHERE path_is_relative IS NOT 1 OR path LIKE '/%' OR '/' || path || '/' LIKE '%/../%'"
)


def sqlite_copy(address: Address) -> bytes:
    """A SQLite catalog as one file, with everything that its write-ahead log holds.

    Raises:
        LakeUnavailableError: it cannot be read.
    """
    try:
        with (
            closing(sqlite3.connect(f"{address.catalog.resolve().as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(":memory:")) as copy,
        ):
            source.backup(copy)
            return copy.serialize()
    except sqlite3.Error as error:
        raise LakeUnavailableError(f"The lake's catalog ({address.catalog}) cannot be copied: {error}.") from error


def leads_out(catalog: Path) -> str | None:
    """What a SQLite catalog holds that leads out of its lake: a file elsewhere, a view or a macro; None for nothing.

    A catalog that somebody else made could otherwise show any file of this machine as charges.

    Raises:
        LakeUnavailableError: it is no catalog.
    """
    try:
        with closing(sqlite3.connect(f"{catalog.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            tables = [
                str(name) for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            ]
            for table in (name for name in tables if name.startswith(_CODE)):
                if connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]:
                    return table.removeprefix("ducklake_")
            for table in tables:
                columns = {row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')}
                if {"path", "path_is_relative"} <= columns:
                    found = connection.execute(_OUTSIDE.format(table=table)).fetchone()
                    if found is not None:
                        return str(found[0])
    except sqlite3.Error as error:
        raise LakeUnavailableError(f"The lake's catalog ({catalog}) cannot be read: {error}.") from error
    return None


def rename_schema(address: Address, to: str) -> None:
    """Give the schema of a PostgreSQL catalog another name; once it has it, nothing changes.

    Raises:
        LakeUnavailableError: the server refused or did not answer.
    """
    if address.schema in (held := _schemas(address)) and to not in held:
        _execute(address, f'ALTER SCHEMA "{address.schema}" RENAME TO "{to}"')


def drop_schema(address: Address) -> None:
    """Remove the schema of a PostgreSQL catalog; once it is gone, nothing changes.

    Raises:
        LakeUnavailableError: the server refused or did not answer.
    """
    if address.schema in _schemas(address):
        _execute(address, f'DROP SCHEMA "{address.schema}" CASCADE')


def _schemas(address: Address) -> set[str]:
    with closing(_attached(address)) as connection:
        query = literal("SELECT nspname::text AS name FROM pg_namespace")
        return {str(name) for (name,) in connection.execute(f"FROM postgres_query('pg', {query})").fetchall()}


def _execute(address: Address, statement: str) -> None:
    with closing(_attached(address)) as connection:
        try:
            connection.execute(f"CALL postgres_execute('pg', {literal(statement)})")
        except duckdb.Error as error:
            raise _unavailable(address) from error


def _attached(address: Address) -> duckdb.DuckDBPyConnection:
    connection = connect()
    try:
        load_extension(connection, "postgres_scanner")
        connection.execute(f"ATTACH {literal(address.postgres)} AS pg (TYPE postgres)")
    except duckdb.Error as error:
        connection.close()
        raise _unavailable(address) from error
    return connection


def _unavailable(address: Address) -> LakeUnavailableError:
    return LakeUnavailableError(
        f"The lake's catalog (PostgreSQL schema {address.schema}) cannot be changed: the server refused or did not "
        "answer. Check that it runs and that its user owns the schema."
    )
