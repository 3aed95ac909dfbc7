"""Who works on a connection: one sync of it at a time, over all processes, and none while its workspace is changed."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from accounts import connections
from accounts.connections import Connection
from accounts.errors import ConnectionsError
from accounts.home import Settings, workspace_folder
from ledger.errors import WriterBusyError
from ledger.lock import file_lock, postgres_lock


def raw_folder(settings: Settings, connection: Connection) -> Path:
    """Where the pages of a connection are kept."""
    return workspace_folder(settings, connection.workspace) / "raw" / connection.name


@contextmanager
def connection_lock(settings: Settings, connection: Connection, patience: float = 0) -> Generator[None]:
    """Be the only sync of a connection, over all processes.

    Raises:
        ConnectionsError: another one is running, for longer than `patience` seconds.
    """
    path = raw_folder(settings, connection).with_suffix(".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    held = (
        postgres_lock(settings.catalog, f"sync:{connection.id}", patience)
        if settings.catalog
        else file_lock(path, patience)
    )
    try:
        held.__enter__()
    except WriterBusyError as error:
        raise ConnectionsError(
            f"A sync of {connection.name} is running already; spendproof connections shows how far it is."
        ) from error
    try:
        yield
    finally:
        held.__exit__(None, None, None)


def is_running(settings: Settings, connection: Connection) -> bool:
    """Whether a sync of a connection runs now: its record may be of a process that died."""
    try:
        with connection_lock(settings, connection):
            return False
    except ConnectionsError:
        return True


@contextmanager
def no_syncs(
    settings: Settings, workspace: str, patience: float = 0, say: Callable[[str], None] = lambda _: None
) -> Generator[None]:
    """Keep every connection of a workspace from being synced.

    Args:
        settings: where everything is.
        workspace: whose connections.
        patience: seconds to wait for a sync that runs.
        say: is told what is waited for.

    Raises:
        ConnectionsError: a sync is running, for longer than that.
    """
    with ExitStack() as held:
        for connection in connections.listed(settings, workspace):
            if patience and is_running(settings, connection):
                say(f"Waiting for the sync of {connection.name} to end")
            held.enter_context(connection_lock(settings, connection, patience))
        yield
