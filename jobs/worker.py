"""The worker: one ticker over what is due, for every workspace.

It holds nothing that a database does not hold. Killed at any moment, the next one finds what is due and goes on; two of
them at once disturb nothing, since each connection has a lock.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from accounts import connections, sync_runs
from accounts.connections import Connection
from accounts.errors import ConnectionsError
from accounts.home import workspaces
from accounts.sync_runs import RunState
from jobs.sync import Say, Tools, sync
from ledger.errors import LedgerError

if TYPE_CHECKING:
    from accounts.home import Settings

#: Syncs that run side by side.
_SIDE_BY_SIDE: Final = 4
#: First pause after a sync that failed, in minutes; it doubles with each one that fails after it.
_AFTER_FAILURE: Final = 15
_MOST_FAILURES: Final = 10

Duty = Callable[["Settings", Say], object]


def due(settings: Settings, now: datetime) -> list[Connection]:
    """The connections of all workspaces that are to be synced now, by name of workspace and connection.

    A connection is due when its interval has passed since its last sync began; after failures sooner, in pauses that
    double; one whose sync died, at once.
    """
    found = list[Connection]()
    for workspace in workspaces(settings):
        for connection in connections.listed(settings, workspace):
            if connection.every_minutes and _next(settings, connection, now) <= now:
                found.append(connection)
    return found


def _next(settings: Settings, connection: Connection, now: datetime) -> datetime:
    runs = sync_runs.history(settings, connection, most=_MOST_FAILURES)
    if not runs or runs[0].state in {RunState.KILLED, RunState.RUNNING}:
        # Of a run that seems to be running the lock tells whether it lives.
        return now
    failures = next((at for at, run in enumerate(runs) if run.state != RunState.FAILED), len(runs))
    every = timedelta(minutes=connection.every_minutes)
    if failures:
        return runs[0].started_at + min(every, timedelta(minutes=_AFTER_FAILURE * 2 ** (failures - 1)))
    return runs[0].started_at + every


def send_reports(settings: Settings, say: Say) -> None:
    """Send the reports that are due."""
    from jobs.reporting import duty  # noqa: PLC0415 - renderers are slow to import

    duty(settings, say)


def run(
    settings: Settings,
    *,
    tick_seconds: float = 30,
    once: bool = False,
    say: Say = lambda _: None,
    tools: Tools | None = None,
    duties: tuple[Duty, ...] = (send_reports,),
) -> None:
    """Work until a signal asks to stop.

    Args:
        settings: where everything is.
        tick_seconds: time between two looks at what is due.
        once: do what is due now, and end.
        say: takes sentences of progress.
        tools: what syncs need of the world.
        duties: what else is done at every tick.
    """
    used = tools or Tools(say=say)
    stop = threading.Event()
    if not once and threading.current_thread() is threading.main_thread():
        _listen(stop)
    running: dict[str, Future[None]] = {}
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        while not stop.is_set():
            running = {key: future for key, future in running.items() if not future.done()}
            for connection in due(settings, datetime.now(UTC)):
                if connection.id not in running:
                    running[connection.id] = pool.submit(_sync, settings, connection, used, say)
            for duty in duties:
                _guarded(partial(duty, settings, say), say)
            if once:
                break
            stop.wait(tick_seconds)
        if stop.is_set():
            say("Stopping when the syncs that run have ended; a second signal ends at once, and nothing is lost.")
            pool.shutdown(cancel_futures=True)


def _listen(stop: threading.Event) -> None:
    """End in order at the first signal, at once at the second."""

    def heard(number: int, _: object) -> None:
        stop.set()
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, heard)


def _sync(settings: Settings, connection: Connection, tools: Tools, say: Say) -> None:
    def one() -> None:
        ended = sync(settings, connection.workspace, connection.name, tools=tools)
        say(f"{connection.name} in {connection.workspace}: {ended.state}. {ended.message}".strip())

    _guarded(one, say)


def _guarded(work: Callable[[], object], say: Say) -> None:
    """One thing that fails must not stop the others."""
    try:
        work()
    except ConnectionsError:
        # Another process syncs it, or it was removed meanwhile.
        return
    except (LedgerError, OSError) as error:
        say(" ".join(str(error).split()))
