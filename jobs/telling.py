"""Telling the owner: deliveries that failed for good go, as one message a workspace, to `SPENDPROOF_OWNER`.

What was told is on record with the delivery, so that it is told once; a death between sending and recording tells it
twice, under the same id, rather than never.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import select, update

from accounts.database import sessions
from jobs.destinations import Destination, destination
from jobs.dispatch import Channel, Parcel, SendError
from jobs.schedules import Delivery, DeliveryState, Schedule
from ledger.errors import LedgerError
from reports.numbers import some
from reports.report import Column, Kind, Report, Section, Table

if TYPE_CHECKING:
    from accounts.home import Settings

#: Kinds of addresses that a message reaches; a folder would keep it to itself.
_MESSAGES: Final = frozenset({"mail", "slack", "teams", "webhook"})
#: Before the next try, where the owner could not be told.
_PAUSE: Final = timedelta(minutes=10)
#: Deliveries that a message lists; it says how many more there are.
_MOST: Final = 10


def tell(settings: Settings, ways: Mapping[str, Channel], now: datetime) -> list[str]:
    """Tell the owner of every delivery that failed for good and that nobody was told of; what went wrong with that.

    Nothing is told where no owner is set: then the Reports page and the alerts beside every page are the only places.
    """
    if settings.owner is None:
        return []
    failed = _untold(settings, now)
    if not failed:
        return []
    try:
        to = owner(settings.owner.get_secret_value())
        for workspace, found in failed.items():
            ways[to.kind](_parcel(workspace, found, now), to)
            _record(settings, found, now)
    except LedgerError as error:
        _later(settings, failed, now)
        return [f"The owner could not be told of failed deliveries: {' '.join(str(error).split())}"]
    return []


def owner(text: str) -> Destination:
    """The owner's address.

    Raises:
        SendError: it is a place for files.
        DestinationError: it is no address.
    """
    found = destination(text)
    if found.kind not in _MESSAGES:
        raise SendError(
            "SPENDPROOF_OWNER must be a mail address, slack+https://…, teams+https://… or webhook+https://…"
        )
    return found


def _untold(settings: Settings, now: datetime) -> dict[str, list[tuple[Delivery, Schedule | None]]]:
    """Failed deliveries with their schedules, by workspace, the oldest first."""
    untold = (
        select(Delivery, Schedule)
        .outerjoin(Schedule, Schedule.id == Delivery.schedule_id)
        .where(Delivery.state == DeliveryState.FAILED, Delivery.told_at.is_(None), Delivery.next_try <= now)
        .order_by(Delivery.about, Delivery.id)
    )
    found = defaultdict[str, list[tuple[Delivery, Schedule | None]]](list)
    with sessions(settings)() as session:
        for delivery, schedule in session.execute(untold):
            found[delivery.workspace].append((delivery, schedule))
    return found


def _parcel(workspace: str, found: Sequence[tuple[Delivery, Schedule | None]], now: datetime) -> Parcel:
    ids = hashlib.sha256("\n".join(delivery.id for delivery, _ in found).encode()).hexdigest()[:32]
    return Parcel(ids, workspace, "", "", report(workspace, found, now), (), now)


def report(workspace: str, found: Sequence[tuple[Delivery, Schedule | None]], now: datetime) -> Report:
    """What the owner reads: every failed delivery with its address and the reason."""
    rows = tuple(
        (
            f"{delivery.about:%Y-%m-%d %H:%M} UTC",
            schedule.name if schedule else "(removed)",
            schedule.shown[delivery.place] if schedule else "",
            delivery.message,
        )
        for delivery, schedule in found[:_MOST]
    )
    more = f"And {len(found) - _MOST:,} more: spendproof schedule history." if len(found) > _MOST else ""
    columns = tuple(Column(name, Kind.TEXT) for name in ("Due", "Schedule", "To", "Why"))
    days = [delivery.about.date() for delivery, _ in found]
    lost = some(len(found), "report")
    return Report(
        name="failures",
        title=f"{lost} did not arrive",
        workspace=workspace,
        first=min(days),
        last=max(days),
        currency="",
        snapshot=None,
        made=now,
        synthetic=False,
        alarms=(f"{lost} of workspace {workspace} could not be delivered, and no more tries are made.",),
        notes=("Mend the address or the cause, then send again: spendproof schedule run NAME.",),
        sections=(Section("What failed", tables=(Table("What failed", columns, rows, note=more),)),),
    )


def _record(settings: Settings, found: Sequence[tuple[Delivery, Schedule | None]], now: datetime) -> None:
    with sessions(settings).begin() as session:
        ids = [delivery.id for delivery, _ in found]
        session.execute(update(Delivery).where(Delivery.id.in_(ids)).values(told_at=now))


def _later(settings: Settings, failed: Mapping[str, Sequence[tuple[Delivery, Schedule | None]]], now: datetime) -> None:
    ids = [delivery.id for found in failed.values() for delivery, _ in found]
    with sessions(settings).begin() as session:
        waiting = update(Delivery).where(Delivery.id.in_(ids), Delivery.told_at.is_(None))
        session.execute(waiting.values(next_try=now + _PAUSE))
