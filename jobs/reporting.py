"""Making reports of a workspace, and sending those that schedules ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from sqlalchemy import select

from accounts.database import sessions
from accounts.home import lake_address
from jobs.channels import channels
from jobs.dispatch import Channel, Dispatcher, Drained
from jobs.happened import events, failed_sources
from jobs.planning import plan
from jobs.schedules import Schedule
from jobs.telling import tell
from ledger.lake import Lake
from reports.catalog import make
from reports.ledger_state import Basis, LedgerState, ledger_state
from reports.report import Report
from reports.view import ReportError, View

if TYPE_CHECKING:
    from accounts.home import Settings


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Reporter:
    """Makes the reports of any workspace, each from its own lake; lakes stay open until it is closed."""

    settings: Settings
    _lakes: dict[str, Lake] = field(default_factory=dict[str, Lake])
    _states: dict[str, LedgerState] = field(default_factory=dict[str, LedgerState])
    _stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        self._lakes.clear()

    def report(self, workspace: str, name: str, view: View, moment: datetime) -> Report:
        """One report, as of now, its days seen from `moment` (UTC).

        Raises:
            ReportError: there is no such report, or nothing that it could be about.
        """
        return make(self.settings, workspace, name, view, moment, lambda: self._basis(workspace))

    def _basis(self, workspace: str) -> Basis:
        """The ledger as it is now; what is the same for a snapshot is asked once."""
        lake, failed = self.lake(workspace), tuple(failed_sources(self.settings, workspace))
        state = self._states.get(workspace)
        if state is None or state.snapshot != lake.snapshot():
            state = ledger_state(lake)
            self._states[workspace] = state
        return Basis(lake, self.settings, workspace, replace(state, failed=failed))

    def lake(self, workspace: str) -> Lake:
        """The workspace's lake.

        Raises:
            ReportError: the workspace has none; looking makes none.
        """
        if workspace not in self._lakes:
            address = lake_address(self.settings, workspace)
            if address.postgres is None and not address.catalog.exists():
                raise ReportError(f"Workspace {workspace} holds no data yet. Load a bill: spendproof import FILE.")
            self._lakes[workspace] = self._stack.enter_context(Lake(address))
        return self._lakes[workspace]


def send_due(
    settings: Settings,
    *,
    ways: Mapping[str, Channel] | None = None,
    clock: Callable[[], datetime] = _now,
    most: int | None = None,
) -> Drained:
    """Plan what has come due and send it, one report after the other; what a worker does at every tick.

    Args:
        settings: where everything is.
        ways: channels by kind; those of the environment if None.
        clock: the present moment (UTC).
        most: deliveries at most; everything if None.
    """
    with sessions(settings)() as session:
        workspaces = sorted(set(session.scalars(select(Schedule.workspace))))
    with Reporter(settings) as reporter:
        happened = {name: events(settings, name, clock(), reporter.lake) for name in workspaces}
        plan(settings, clock(), happened)
        used = ways or channels(settings)
        done = Dispatcher(settings, reporter.report, used, clock).drain(most)
    done.errors += tell(settings, used, clock())
    return done


def duty(settings: Settings, say: Callable[[str], None]) -> None:
    """What the worker does for reports at every tick."""
    done = send_due(settings)
    if done.sent or done.failed:
        say(f"Reports: {done.sent} sent, {done.failed} failed.")
    for error in done.errors:
        say(error)
