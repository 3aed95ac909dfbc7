"""From schedules to deliveries: every occasion that has come gets one delivery for each address, once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts.database import sessions
from accounts.home import Settings
from jobs.cadence import OnEvent, Timed, cadence
from jobs.schedules import Delivery, DeliveryState, Schedule, Stopped, destinations


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a workspace.

    Attributes:
        kind: `proof`, `failure` or `spend`.
        key: names it for ever, so that it is reported once: `proof:ID`, `failure:RUN`, `spend:2026-11:5000 USD`.
        at: when.
    """

    kind: str
    key: str
    at: datetime


def plan(settings: Settings, now: datetime, events: Mapping[str, Sequence[Event]]) -> int:
    """Make the deliveries of every occasion up to `now`; the number of those that are new.

    An occasion that passed while no worker ran is made up for: late rather than never, with the days that its own
    moment sees. May run at any time, in any number of processes, and be killed between any two schedules.

    Args:
        settings: where the schedules are.
        now: the present moment (UTC).
        events: what happened lately, by workspace.
    """
    factory = sessions(settings)
    with factory() as session:
        ids = list(session.scalars(select(Schedule.id).order_by(Schedule.id)))
    made = 0
    for id_ in ids:
        with factory.begin() as session:
            schedule = session.get(Schedule, id_, with_for_update=True)
            if schedule is not None:
                made += _plan_one(settings, session, schedule, now, events.get(schedule.workspace, ()))
    return made


def send_again(settings: Settings, schedule: Schedule, now: datetime) -> int:
    """One more delivery to each address, for the occasion that somebody asked for it now."""
    with sessions(settings).begin() as session:
        return _deliveries(settings, session, schedule, f"asked:{now.isoformat()}", now)


def _plan_one(settings: Settings, session: Session, schedule: Schedule, now: datetime, events: Sequence[Event]) -> int:
    made = 0
    for occasion, about in _occasions(schedule, now, events):
        made += _deliveries(settings, session, schedule, occasion, about)
    schedule.planned_until = max(schedule.planned_until, now)
    return made


def _occasions(schedule: Schedule, now: datetime, events: Sequence[Event]) -> Iterator[tuple[str, datetime]]:
    when = cadence(schedule.cadence, schedule.zone)
    if isinstance(when, Timed):
        for due in when.between(schedule.planned_until, now):
            yield due.isoformat(), due
        return
    for event in events:
        if event.at >= schedule.created_at and _is_meant(when, event):
            yield event.key, event.at


def _is_meant(when: OnEvent, event: Event) -> bool:
    if when.event != event.kind:
        return False
    return when.limit is None or event.key.endswith(f":{when.limit:f} {when.currency}")


def _deliveries(settings: Settings, session: Session, schedule: Schedule, occasion: str, about: datetime) -> int:
    held = set(
        session.scalars(
            select(Delivery.place).where(Delivery.schedule_id == schedule.id, Delivery.occasion == occasion)
        )
    )
    stopped = set(
        session.scalars(
            select(Stopped.address).where(Stopped.schedule_id == schedule.id, Stopped.stopped_at.is_not(None))
        )
    )
    new = [
        Delivery(
            id=uuid4().hex,
            workspace=schedule.workspace,
            schedule_id=schedule.id,
            occasion=occasion,
            about=about,
            place=place,
            state=DeliveryState.STOPPED if found.address in stopped else DeliveryState.WAITING,
            attempts=0,
            next_try=about,
            message="The recipient does not want it any more." if found.address in stopped else "",
        )
        for place, found in enumerate(destinations(settings, schedule))
        if place not in held
    ]
    session.add_all(new)
    return len(new)
