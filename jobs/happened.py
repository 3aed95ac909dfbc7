"""What happened in a workspace that a schedule may be waiting for: proofs, failures, spend above a limit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from accounts import connections, sync_runs
from accounts.sync_runs import RunState
from analysis.period import first_of_month
from analysis.spend import spend_table
from jobs.cadence import OnEvent, cadence
from jobs.planning import Event
from jobs.schedules import Schedule, listed
from reports.ledger_state import FailedSource
from reports.records import Store, from_moment

if TYPE_CHECKING:
    from accounts.home import Settings
    from ledger.lake import Lake


def events(settings: Settings, workspace: str, now: datetime, open_lake: Callable[[str], Lake]) -> list[Event]:
    """Events that some schedule of the workspace is waiting for.

    Args:
        settings: where connections and proofs are on record.
        workspace: whose.
        now: the present moment (UTC).
        open_lake: gives the workspace's lake; asked only where a schedule has a limit of spend.
    """
    waiting = list(_waiting(listed(settings, workspace)))
    found = list[Event]()
    if any(when.event == "failure" for when in waiting):
        found += _failures(settings, workspace)
    if any(when.event == "proof" for when in waiting):
        found += _proofs(settings, workspace)
    limits = [when for when in waiting if when.event == "spend"]
    return found + (_spend(open_lake(workspace), limits, now) if limits else [])


def failed_sources(settings: Settings, workspace: str) -> list[FailedSource]:
    """Connections whose newest sync did not finish, with the age of what the ledger holds of them."""
    held = connections.listed(settings, workspace)
    last = sync_runs.last(settings, held)
    return [
        FailedSource(c.name, sync_runs.last_done(settings, c), run.message or "the sync ended early.", run.id)
        for c in held
        if (run := last.get(c.id)) is not None and run.state in {RunState.FAILED, RunState.KILLED}
    ]


def _waiting(schedules: Iterable[Schedule]) -> Iterable[OnEvent]:
    for schedule in schedules:
        when = cadence(schedule.cadence, schedule.zone)
        if isinstance(when, OnEvent):
            yield when


def _failures(settings: Settings, workspace: str) -> list[Event]:
    """The first failed run after each success: a source that keeps failing is told once."""
    found = list[Event]()
    for connection in connections.listed(settings, workspace):
        first = None
        for run in sync_runs.history(settings, connection):
            if run.state == RunState.DONE:
                break
            if run.state in {RunState.FAILED, RunState.KILLED}:
                first = run
        if first is not None:
            found.append(Event("failure", f"failure:{first.id}", first.ended_at or first.started_at))
    return found


def _proofs(settings: Settings, workspace: str) -> list[Event]:
    return [
        Event("proof", f"proof:{proof.id}", from_moment(proof.created_at))
        for proof in Store(settings, workspace).proofs()
    ]


def _spend(lake: Lake, limits: Iterable[OnEvent], now: datetime) -> list[Event]:
    month = first_of_month(now.date())
    end = first_of_month(month + timedelta(days=31))
    totals = {
        row.currency: row.billed_cost for row in spend_table(lake.table("daily_spend"), (), start=month, end=end).rows
    }
    return [
        Event("spend", f"spend:{month:%Y-%m}:{when.limit:f} {when.currency}", now)
        for when in limits
        if when.limit is not None and when.currency is not None and totals.get(when.currency, 0) > when.limit
    ]
