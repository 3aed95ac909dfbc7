"""One writer at a time: retrying alone starves long loads, and two first loads of a period both commit."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from ledger.engine import connect, literal, load_extension
from ledger.errors import LakeUnavailableError, WriterBusyError

#: How long a writer waits for the one before it, in seconds. A load holds the lock for its commit only.
PATIENCE = 600.0
_POLL = 0.05


@contextmanager
def file_lock(path: Path, patience: float = PATIENCE) -> Generator[None]:
    """Hold the lock of a lake whose catalog is a file. The operating system frees it when the process dies.

    Raises:
        WriterBusyError: another process holds it for longer than `patience` seconds.
        LakeUnavailableError: the folder was moved or deleted while this one waited.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except FileNotFoundError as error:
        raise _gone(path) from error
    try:
        _wait(lambda: _try_flock(descriptor), patience, f"{path.parent}")
        # Who held it may have renamed the folder; the lock then guards another place than the one meant.
        if not _is_at(descriptor, path):
            raise _gone(path)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def postgres_lock(dsn: str, name: str, patience: float = PATIENCE) -> Generator[None]:
    """Hold a PostgreSQL advisory lock for the lake called `name`; the server frees it when the session ends.

    Raises:
        WriterBusyError: another session holds it for longer than `patience` seconds.
    """
    connection = connect()
    try:
        load_extension(connection, "postgres_scanner")
        connection.execute(f"ATTACH {literal(dsn)} AS pg (TYPE postgres)")
        connection.execute("BEGIN")
        statement = f"SELECT pg_try_advisory_xact_lock(hashtext(''{name}''))"
        _wait(lambda: _try_advisory(connection, statement), patience, name)
        yield
    finally:
        connection.close()


def _try_flock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _gone(path: Path) -> LakeUnavailableError:
    return LakeUnavailableError(
        f"{path.parent} was moved or deleted meanwhile, so nothing was written there. See where it is now "
        "(spendproof workspace list), and run the command again."
    )


def _try_advisory(connection: duckdb.DuckDBPyConnection, statement: str) -> bool:
    row = connection.execute(f"FROM postgres_query('pg', '{statement}')").fetchone()
    return bool(row and row[0])


def _wait(attempt: Callable[[], bool], patience: float, what: str) -> None:
    deadline = time.monotonic() + patience
    while not attempt():
        if time.monotonic() > deadline:
            since = (
                f"has been writing to {what} for more than {patience:.0f} seconds" if patience else f"writes to {what}"
            )
            raise WriterBusyError(f"Another load {since}; wait for it to end, or stop it, and run the command again.")
        time.sleep(_POLL)
