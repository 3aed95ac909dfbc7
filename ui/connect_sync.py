"""Syncs that the page starts: each a process of its own, which neither a reload nor the end of the app stops.

How far it is stands in the database (`accounts.sync_runs`); what is kept here only tells a sync that is just starting
from one that never did.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from pydantic import SecretStr

from accounts import sync_runs
from accounts.errors import ConnectionsError
from accounts.locks import connection_lock
from accounts.sync_runs import RunState
from ui.connect_words import Stand

if TYPE_CHECKING:
    from accounts.connections import Connection
    from accounts.home import Settings
    from accounts.sync_runs import SyncRun

_COMMAND: Final = Path(__file__).parents[1] / "cli.py"
_STANDS: Final = {
    RunState.RUNNING: Stand.RUNNING,
    RunState.DONE: Stand.DONE,
    RunState.FAILED: Stand.FAILED,
    RunState.KILLED: Stand.STOPPED,
}


@dataclass(frozen=True, slots=True)
class _Started:
    process: subprocess.Popen[bytes]
    said: IO[bytes]
    at: datetime


_started: Final = dict[str, _Started]()


@dataclass(frozen=True, slots=True)
class Standing:
    """How a connection stands now.

    Attributes:
        stand: in one word.
        run: its newest sync; None where none ever began.
        done: when the newest sync that finished began: the age of what is shown.
        trouble: why a sync that was asked for here did not begin; empty where it did.
    """

    stand: Stand
    run: SyncRun | None
    done: datetime | None
    trouble: str = ""

    @property
    def busy(self) -> bool:
        """Whether a sync is under way."""
        return self.stand in {Stand.STARTING, Stand.RUNNING}


def start(settings: Settings, connection: Connection) -> None:
    """Start a sync of a connection; one that is under way goes on instead."""
    before = _started.get(connection.id)
    if before is not None and before.process.poll() is None:
        return
    said = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the process
    process = subprocess.Popen(  # noqa: S603 - our own command; names of connections and workspaces are checked
        [sys.executable, str(_COMMAND), "sync", connection.name, "--workspace", connection.workspace],
        env={**os.environ, **_environment(settings)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=said,
        start_new_session=True,
    )
    _started[connection.id] = _Started(process, said, datetime.now(UTC))


def standing(settings: Settings, connection: Connection) -> Standing:
    """How a connection stands: by the record of its syncs, and by whether the process of the newest one lives."""
    run = sync_runs.last(settings, [connection]).get(connection.id)
    done = sync_runs.last_done(settings, connection)
    ours = _started.get(connection.id)
    if ours is not None and (run is None or run.started_at < ours.at):
        if ours.process.poll() is None:
            return Standing(Stand.STARTING, run, done)
        if ours.process.returncode and not _is_locked(settings, connection):
            return Standing(Stand.FAILED, run, done, _last_words(ours.said))
    if run is None:
        return Standing(Stand.NEVER, None, None)
    alive = ours is not None and ours.process.poll() is None
    if run.state == RunState.RUNNING and not alive and not _is_locked(settings, connection):
        # It may have ended between the two looks.
        run = sync_runs.last(settings, [connection])[connection.id]
        if run.state == RunState.RUNNING:
            return Standing(Stand.STOPPED, run, done)
    return Standing(_STANDS[RunState(run.state)], run, done)


def _environment(settings: Settings) -> dict[str, str]:
    """The settings of this process as the command reads them; secrets go this way, and never through its arguments."""
    found = dict[str, str]()
    for name, value in settings:
        if value is not None:
            text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            found[f"SPENDPROOF_{name.upper()}"] = text
    found["SPENDPROOF_HOME"] = str(settings.home.absolute())
    return found


def _is_locked(settings: Settings, connection: Connection) -> bool:
    try:
        with connection_lock(settings, connection):
            return False
    except ConnectionsError:
        return True


def _last_words(said: IO[bytes]) -> str:
    said.seek(0)
    lines = said.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "The sync ended before it began, and did not say why."
