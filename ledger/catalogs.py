"""Catalogs as things of their own: copied, renamed, dropped. The caller holds the lake's lock, and no lake is open."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import duckdb

from ledger.engine import connect, literal, load_extension
from ledger.errors import LakeUnavailableError
from ledger.lake import Address


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
