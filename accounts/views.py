"""Saved views of a workspace: a page and all that was chosen on it, under a name; and what a person saw and read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from sqlalchemy import String, Text, UniqueConstraint, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from accounts.columns import Moment
from accounts.database import Base, sessions
from ledger.errors import LedgerError

if TYPE_CHECKING:
    from accounts.home import Settings

#: Letters of a view's name, and of its query string.
LONGEST_NAME: Final = 80
LONGEST_QUERY: Final = 4000


class ViewError(LedgerError):
    """A view cannot be saved under this name."""


class SavedView(Base):
    """One saved view: `path` is the page's address, `query` its query string without the question mark."""

    __tablename__ = "saved_views"
    __table_args__ = (UniqueConstraint("workspace", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    workspace: Mapped[str] = mapped_column(String(64), index=True)
    name: Mapped[str] = mapped_column(String(LONGEST_NAME))
    path: Mapped[str] = mapped_column(String(64))
    query: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Moment)


class Visit(Base):
    """The snapshot that a person saw last; `person` is empty where people share one sign-in."""

    __tablename__ = "visits"

    workspace: Mapped[str] = mapped_column(String(64), primary_key=True)
    person: Mapped[str] = mapped_column(String(254), primary_key=True)
    snapshot: Mapped[int] = mapped_column()
    at: Mapped[datetime] = mapped_column(Moment)


class Mark(Base):
    """Something that a person has put behind them, such as the tour or an alert that they have read."""

    __tablename__ = "marks"

    workspace: Mapped[str] = mapped_column(String(64), primary_key=True)
    person: Mapped[str] = mapped_column(String(254), primary_key=True)
    what: Mapped[str] = mapped_column(String(128), primary_key=True)
    at: Mapped[datetime] = mapped_column(Moment)


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen last, and when (UTC)."""

    snapshot: int
    at: datetime


def listed(settings: Settings, workspace: str) -> list[SavedView]:
    """The views of a workspace, by name."""
    with sessions(settings)() as session:
        query = select(SavedView).where(SavedView.workspace == workspace).order_by(SavedView.name)
        return list(session.scalars(query))


def save(settings: Settings, workspace: str, name: str, path: str, query: str) -> SavedView:
    """Keep a view under a name of its own.

    Raises:
        ViewError: the name is empty, too long or taken, or the view is too long to keep.
    """
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME:
        raise ViewError(f"Give the view a name of at most {LONGEST_NAME} letters.")
    if len(query) > LONGEST_QUERY:
        raise ViewError("So many things are chosen on this page that it cannot be saved; narrow the scope first.")
    view = SavedView(workspace=workspace, name=name, path=path, query=query, created_at=datetime.now(UTC))
    try:
        with sessions(settings).begin() as session:
            session.add(view)
    except IntegrityError as error:
        raise ViewError(f"There is a view called {name!r} already; choose another name or remove it first.") from error
    return view


def remove(settings: Settings, workspace: str, view: int) -> None:
    """Forget a view; one that is gone already is no error."""
    with sessions(settings).begin() as session:
        session.execute(delete(SavedView).where(SavedView.workspace == workspace, SavedView.id == view))


def visit(settings: Settings, workspace: str, person: str, snapshot: int, now: datetime) -> Seen | None:
    """Record that a person looks, and say what they saw last; None at the first visit."""
    with sessions(settings).begin() as session:
        last = session.get(Visit, (workspace, person))
        before = None if last is None else Seen(last.snapshot, last.at)
        session.merge(Visit(workspace=workspace, person=person, snapshot=snapshot, at=now))
    return before


def marked(settings: Settings, workspace: str, person: str) -> frozenset[str]:
    """Everything that a person has put behind them."""
    with sessions(settings)() as session:
        query = select(Mark.what).where(Mark.workspace == workspace, Mark.person == person)
        return frozenset(session.scalars(query))


def mark(settings: Settings, workspace: str, person: str, what: Iterable[str], now: datetime) -> None:
    """Keep that a person has put things behind them; to do so twice is no error."""
    with sessions(settings).begin() as session:
        for one in what:
            session.merge(Mark(workspace=workspace, person=person, what=one, at=now))
