"""The connections of a workspace: which accounts are followed, under which name, with what was entered for them.

Secrets are sealed by the vault for this one connection (`accounts.credentials`); everything else is plain, references
to secrets included, so that it can be shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final
from uuid import uuid4

from sqlalchemy import JSON, LargeBinary, String, UniqueConstraint, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts.columns import Exact, Moment
from accounts.database import Base, sessions
from accounts.errors import ConnectionsError
from accounts.home import Settings

#: How often the worker syncs a connection that says nothing else, in minutes.
EVERY_MINUTES: Final = 360
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class Connection(Base):
    """One account at a provider.

    Attributes:
        id: for ever its own, what its secrets are sealed for.
        name: unique in the workspace; the ledger's rows carry it as `live:NAME`.
        settings: by field name, what was entered: plain values, and references where a secret lies elsewhere.
        sealed: the other secrets, sealed; None where there are none.
        paid_limit: most that the paid calls of one sync may cost, US dollars; None for no limit.
        every_minutes: how often the worker syncs it; 0 for never.
    """

    __tablename__ = "connections"
    __table_args__ = (UniqueConstraint("workspace", "name"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    workspace: Mapped[str] = mapped_column(String(64), index=True)
    name: Mapped[str] = mapped_column(String(64))
    provider: Mapped[str] = mapped_column(String(32))
    settings: Mapped[dict[str, str]] = mapped_column(JSON)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    paid_limit: Mapped[Decimal | None] = mapped_column(Exact)
    every_minutes: Mapped[int] = mapped_column(default=EVERY_MINUTES)
    created_at: Mapped[datetime] = mapped_column(Moment)
    rotated_at: Mapped[datetime | None] = mapped_column(Moment)

    @property
    def source(self) -> str:
        """The ledger's `x_Connection` of its rows."""
        return f"live:{self.name}"


def new(workspace: str, name: str, provider: str) -> Connection:
    """A connection that is not kept yet.

    Raises:
        ConnectionsError: the name cannot be one.
    """
    if not _NAME.fullmatch(name):
        raise ConnectionsError(
            f"{name!r} cannot be the name of a connection; use lower-case letters, digits and hyphens."
        )
    return Connection(
        id=uuid4().hex,
        workspace=workspace,
        name=name,
        provider=provider,
        settings={},
        every_minutes=EVERY_MINUTES,
        created_at=datetime.now(UTC),
    )


def add(settings: Settings, connection: Connection) -> None:
    """Keep a new connection.

    Raises:
        ConnectionsError: the workspace has one of this name.
    """
    try:
        with sessions(settings).begin() as session:
            session.add(connection)
    except IntegrityError as error:
        raise ConnectionsError(
            f"There is a connection {connection.name} already. Name the new one otherwise (--name), replace the "
            f"secret of the old one (spendproof connections rotate {connection.name}), or remove it first."
        ) from error


def listed(settings: Settings, workspace: str) -> list[Connection]:
    """The connections of a workspace, by name."""
    with sessions(settings)() as session:
        found = select(Connection).where(Connection.workspace == workspace).order_by(Connection.name)
        return list(session.scalars(found))


def named(settings: Settings, workspace: str, name: str) -> Connection:
    """The connection called `name`.

    Raises:
        ConnectionsError: there is none; the sentence lists those there are.
    """
    with sessions(settings)() as session:
        return _one(session, workspace, name)


def change(settings: Settings, workspace: str, name: str, values: Mapping[str, object]) -> Connection:
    """Change columns of a connection.

    Raises:
        ConnectionsError: there is none of this name.
    """
    with sessions(settings).begin() as session:
        found = _one(session, workspace, name)
        for column, value in values.items():
            setattr(found, column, value)
        return found


def remove(settings: Settings, workspace: str, name: str) -> Connection:
    """Forget a connection and its secrets; what it brought stays in the ledger, its runs stay on record.

    Raises:
        ConnectionsError: there is none of this name.
    """
    with sessions(settings).begin() as session:
        found = _one(session, workspace, name)
        session.delete(found)
        return found


def _one(session: Session, workspace: str, name: str) -> Connection:
    of_workspace: Sequence[Connection] = list(
        session.scalars(select(Connection).where(Connection.workspace == workspace))
    )
    for connection in of_workspace:
        if connection.name == name:
            return connection
    names = ", ".join(sorted(c.name for c in of_workspace))
    hint = f"there are: {names}" if names else "there is none yet. Make one: spendproof connect PROVIDER"
    raise ConnectionsError(f"Workspace {workspace} has no connection {name!r}; {hint}.")
