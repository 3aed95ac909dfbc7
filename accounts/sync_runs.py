"""What every sync of a connection did: when it began and ended, how far it came, and what stopped it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import uuid4

from sqlalchemy import JSON, String, Text, select, update
from sqlalchemy.orm import Mapped, mapped_column

from accounts.columns import Exact, Moment
from accounts.connections import Connection
from accounts.database import Base, sessions
from accounts.home import Settings


class RunState(StrEnum):
    """How a sync stands."""

    RUNNING = "running"
    DONE = "done"
    #: It ended early; what was fetched is kept, and the ledger is as the last finished load left it.
    FAILED = "failed"
    #: The process died while it ran.
    KILLED = "killed"


class SyncRun(Base):
    """One sync of one connection.

    Attributes:
        message: why it failed, or what a person should know; free of secrets.
        steps_done: windows of streams that are loaded, of `steps`.
        loads: identifiers of the ledger's loads it made.
        paid: what its paid calls cost, US dollars.
    """

    __tablename__ = "sync_runs"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    workspace: Mapped[str] = mapped_column(String(64), index=True)
    connection_id: Mapped[str] = mapped_column(String(32), index=True)
    state: Mapped[str] = mapped_column(String(16))
    started_at: Mapped[datetime] = mapped_column(Moment, index=True)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    message: Mapped[str] = mapped_column(Text, default="")
    doing: Mapped[str] = mapped_column(Text, default="")
    steps: Mapped[int] = mapped_column(default=0)
    steps_done: Mapped[int] = mapped_column(default=0)
    pages: Mapped[int] = mapped_column(default=0)
    rows: Mapped[int] = mapped_column(default=0)
    loads: Mapped[list[str]] = mapped_column(JSON, default=list)
    calls: Mapped[int] = mapped_column(default=0)
    paid: Mapped[Decimal] = mapped_column(Exact, default=Decimal(0))


def begin(settings: Settings, connection: Connection, now: datetime) -> SyncRun:
    """Record that a sync begins. The caller holds the connection's lock, so that a run still open is one that died."""
    run = SyncRun(
        id=uuid4().hex,
        workspace=connection.workspace,
        connection_id=connection.id,
        state=RunState.RUNNING,
        started_at=now,
        loads=[],
        paid=Decimal(0),
        steps=0,
        steps_done=0,
        pages=0,
        rows=0,
        calls=0,
        message="",
        doing="",
    )
    with sessions(settings).begin() as session:
        died = (
            update(SyncRun)
            .where(SyncRun.connection_id == connection.id, SyncRun.state == RunState.RUNNING)
            .values(state=RunState.KILLED, ended_at=now, message="The process ended before the sync did.")
        )
        session.execute(died)
        session.add(run)
    return run


def save(settings: Settings, run: SyncRun) -> None:
    """Record how far a run is."""
    with sessions(settings).begin() as session:
        session.merge(run)


def last(settings: Settings, connections: Iterable[Connection]) -> Mapping[str, SyncRun]:
    """The newest run of each connection, by the connection's id."""
    return {c.id: runs[0] for c in connections if (runs := history(settings, c, most=1))}


def last_done(settings: Settings, connection: Connection) -> datetime | None:
    """When the newest sync that finished began: the age of what is shown; None where none ever did."""
    with sessions(settings)() as session:
        found = (
            select(SyncRun.started_at)
            .where(SyncRun.connection_id == connection.id, SyncRun.state == RunState.DONE)
            .order_by(SyncRun.started_at.desc())
            .limit(1)
        )
        return session.scalar(found)


def killed_since(settings: Settings, connection: Connection, after: datetime) -> datetime | None:
    """When the first of the newest runs began that all died, none before `after`; None where the newest ended."""
    since: datetime | None = None
    for run in history(settings, connection):
        if run.state == RunState.RUNNING:
            continue
        if run.state != RunState.KILLED or run.started_at < after:
            break
        since = run.started_at
    return since


def history(settings: Settings, connection: Connection, *, most: int = 50) -> list[SyncRun]:
    """The runs of a connection, newest first."""
    with sessions(settings)() as session:
        found = (
            select(SyncRun)
            .where(SyncRun.connection_id == connection.id)
            .order_by(SyncRun.started_at.desc(), SyncRun.id)
            .limit(most)
        )
        return list(session.scalars(found))
