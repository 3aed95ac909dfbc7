"""Schedules of reports and every delivery that they led to, in the database of accounts.

A delivery is one report to one address for one occasion, and exists once: schedule, occasion and address are its key.
So planning may be repeated or killed at any point, by any number of workers, and nothing is sent twice or forgotten.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import JSON, LargeBinary, String, Text, UniqueConstraint, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from accounts.columns import Moment
from accounts.database import Base, sessions
from accounts.home import Settings
from accounts.sealed import purpose
from accounts.vault import open_vault
from jobs.cadence import cadence
from jobs.destinations import Destination, destination
from ledger.errors import LedgerError
from reports.catalog import check
from reports.render import known
from reports.view import View, view_of

_NAME: Final = 64
#: The report whose view is a secret.
_SEALED: Final = "roi"


class ScheduleError(LedgerError):
    """There is no such schedule, or it cannot be kept so."""


class DeliveryState(StrEnum):
    """How a delivery stands."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    #: The recipient does not want it any more.
    STOPPED = "stopped"


class Schedule(Base):
    """A report that goes out by itself.

    Attributes:
        report: name of the report.
        view: what it is over, as `View.record` writes it.
        cadence, zone: when it is due, as a person wrote it.
        formats: of the files that go with it.
        shown: its addresses without secrets; `sealed` holds them whole.
        planned_until: occasions up to this moment have their deliveries.
    """

    __tablename__ = "schedules"
    __table_args__ = (UniqueConstraint("workspace", "name"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    workspace: Mapped[str] = mapped_column(String(64), index=True)
    name: Mapped[str] = mapped_column(String(_NAME))
    report: Mapped[str] = mapped_column(String(32))
    view: Mapped[dict[str, Any]] = mapped_column(JSON)
    cadence: Mapped[str] = mapped_column(String(64))
    zone: Mapped[str] = mapped_column(String(64))
    formats: Mapped[list[str]] = mapped_column(JSON)
    shown: Mapped[list[str]] = mapped_column(JSON)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(Moment)
    planned_until: Mapped[datetime] = mapped_column(Moment)


class Delivery(Base):
    """One report to one address for one occasion.

    Attributes:
        occasion: the due moment (ISO 8601), or what happened.
        about: moment that the report's days are seen from.
        place: number of the address in the schedule's list.
        lease: a worker that holds it for longer than this is taken for dead.
        told_at: when the owner was told that it failed for good.
    """

    __tablename__ = "deliveries"
    __table_args__ = (UniqueConstraint("schedule_id", "occasion", "place"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    workspace: Mapped[str] = mapped_column(String(64), index=True)
    schedule_id: Mapped[str] = mapped_column(String(32), index=True)
    occasion: Mapped[str] = mapped_column(String(128))
    about: Mapped[datetime] = mapped_column(Moment)
    place: Mapped[int]
    state: Mapped[str] = mapped_column(String(16), index=True)
    attempts: Mapped[int] = mapped_column(default=0)
    next_try: Mapped[datetime] = mapped_column(Moment, index=True)
    lease: Mapped[datetime | None] = mapped_column(Moment)
    holder: Mapped[str | None] = mapped_column(String(32))
    sent_at: Mapped[datetime | None] = mapped_column(Moment)
    message: Mapped[str] = mapped_column(Text, default="")
    told_at: Mapped[datetime | None] = mapped_column(Moment)


class Stopped(Base):
    """The token (hashed) in one mail, with which its recipient ends them; `stopped_at` says whether it was used."""

    __tablename__ = "report_recipients"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    workspace: Mapped[str] = mapped_column(String(64), index=True)
    schedule_id: Mapped[str] = mapped_column(String(32), index=True)
    address: Mapped[str] = mapped_column(String(320))
    token_hash: Mapped[str] = mapped_column(String(64), index=True)
    stopped_at: Mapped[datetime | None] = mapped_column(Moment)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person asks of a new schedule; addresses as `jobs.destinations` reads them."""

    name: str
    report: str
    view: View
    cadence: str
    zone: str
    formats: Sequence[str]
    destinations: Sequence[str]


def add(settings: Settings, workspace: str, wanted: Wanted, now: datetime) -> Schedule:
    """Keep a new schedule; its first occasion is the first one after `now`.

    Raises:
        ScheduleError: the name is taken or none, or there is no address.
        LedgerError: a part of it means nothing; the sentence says which.
    """
    name = wanted.name.strip()
    if not name or len(name) > _NAME:
        raise ScheduleError(f"A schedule needs a name of at most {_NAME} characters.")
    cadence(wanted.cadence, wanted.zone)
    check(settings, workspace, wanted.report, wanted.view, now)
    places = [destination(text) for text in wanted.destinations]
    if not places:
        raise ScheduleError("A schedule needs at least one address to send to (--to).")
    schedule = Schedule(
        id=uuid4().hex,
        workspace=workspace,
        name=name,
        report=wanted.report,
        view=_open(wanted).record(),
        cadence=" ".join(wanted.cadence.split()),
        zone=wanted.zone,
        formats=[known(format_) for format_ in dict.fromkeys(wanted.formats)],
        shown=[place.shown for place in places],
        sealed=b"",
        created_at=now,
        planned_until=now,
    )
    schedule.sealed = _seal(settings, schedule, places, wanted)
    try:
        with sessions(settings).begin() as session:
            session.add(schedule)
    except IntegrityError as error:
        raise ScheduleError(
            f"There is a schedule {name!r} already. Name the new one otherwise, or remove the old one first "
            f"(spendproof schedule remove {name!r})."
        ) from error
    return schedule


def listed(settings: Settings, workspace: str) -> list[Schedule]:
    """The schedules of a workspace, by name."""
    with sessions(settings)() as session:
        return list(session.scalars(select(Schedule).where(Schedule.workspace == workspace).order_by(Schedule.name)))


def named(settings: Settings, workspace: str, name: str) -> Schedule:
    """The schedule called `name`.

    Raises:
        ScheduleError: there is none; the sentence lists those there are.
    """
    held = listed(settings, workspace)
    for schedule in held:
        if schedule.name == name:
            return schedule
    names = ", ".join(schedule.name for schedule in held)
    raise ScheduleError(
        f"Workspace {workspace} has no schedule {name!r}; "
        f"{f'there are: {names}' if names else 'there is none yet (spendproof schedule add)'}."
    )


def remove(settings: Settings, workspace: str, name: str) -> Schedule:
    """End a schedule; what waits is not sent any more, its history stays.

    Raises:
        ScheduleError: there is none of this name.
    """
    schedule = named(settings, workspace, name)
    with sessions(settings).begin() as session:
        waiting = select(Delivery).where(Delivery.schedule_id == schedule.id, Delivery.state == DeliveryState.WAITING)
        for delivery in session.scalars(waiting):
            delivery.state, delivery.message = DeliveryState.STOPPED, "The schedule was removed."
        session.delete(session.merge(schedule))
    return schedule


def history(settings: Settings, workspace: str, *, schedule: str | None = None, most: int = 200) -> list[Delivery]:
    """Deliveries of a workspace, or of one schedule by its id; the newest occasion first."""
    found = select(Delivery).where(Delivery.workspace == workspace)
    if schedule is not None:
        found = found.where(Delivery.schedule_id == schedule)
    with sessions(settings)() as session:
        return list(
            session.scalars(found.order_by(Delivery.about.desc(), Delivery.occasion, Delivery.place).limit(most))
        )


def destinations(settings: Settings, schedule: Schedule) -> list[Destination]:
    """The addresses of a schedule, with their secrets.

    Raises:
        VaultError: they were sealed under another master key.
    """
    return [Destination(**fields) for fields in _unsealed(settings, schedule)["to"]]


def asked(settings: Settings, schedule: Schedule) -> View:
    """The view of a schedule, with the link to its scenario where it is of one.

    Raises:
        VaultError: it was sealed under another master key.
    """
    view = view_of(schedule.view)
    return replace(view, of=_unsealed(settings, schedule)["of"]) if schedule.report == _SEALED else view


def token() -> str:
    """A token for an address of the web that nobody guesses."""
    return secrets.token_urlsafe(32)


def _open(wanted: Wanted) -> View:
    """What may stand in the database as it is; whoever holds a link to a scenario can open it."""
    return replace(wanted.view, of=None) if wanted.report == _SEALED else wanted.view


def _seal(settings: Settings, schedule: Schedule, places: Sequence[Destination], wanted: Wanted) -> bytes:
    to = [{"kind": p.kind, "address": p.address, "secret": p.secret} for p in places]
    plain = json.dumps({"to": to, "of": wanted.view.of})
    return open_vault(settings).encrypt(plain.encode(), _purpose(schedule))


def _unsealed(settings: Settings, schedule: Schedule) -> dict[str, Any]:
    found = json.loads(open_vault(settings).decrypt(schedule.sealed, _purpose(schedule)))
    # Schedules of releases before scenarios hold their addresses alone.
    return {"to": found, "of": None} if isinstance(found, list) else found


def _purpose(schedule: Schedule) -> str:
    return purpose("schedules", {"id": schedule.id})
