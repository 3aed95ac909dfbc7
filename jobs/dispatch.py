"""Sending what is due: claimed by one worker at a time, tried again with growing pauses, given up with a reason.

A delivery is claimed under a lease before it is sent. A worker that dies leaves its claim behind; after the lease
another takes it up. Whatever is sent carries the delivery's id (mail's Message-ID, a webhook's id, a file's name), so
that a second sending of the same delivery, which only a death between sending and recording can cause, replaces the
first one at the receiver instead of adding to it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Final, Protocol
from uuid import uuid4

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from accounts.database import sessions
from accounts.home import Settings
from jobs.destinations import Destination
from jobs.schedules import Delivery, DeliveryState, Schedule, asked, destinations
from ledger.errors import LedgerError
from reports.render import files as files_of
from reports.render import media_of
from reports.report import Report
from reports.view import View

#: Pauses before the next try, in minutes; after the last a delivery has failed for good.
PAUSES: Final = (1, 5, 30, 120, 720)
#: How long a worker may take over one delivery before it is taken for dead.
LEASE: Final = timedelta(minutes=10)


#: Reports that one round of sending keeps for the next address that asks for the same.
_KEPT: Final = 64


class SendError(LedgerError):
    """A receiver refused or did not answer; the sentence says what it said.

    Attributes:
        final: trying again cannot help.
    """

    def __init__(self, message: str, *, final: bool = False) -> None:
        super().__init__(message)
        self.final = final


@dataclass(frozen=True, slots=True)
class File:
    """One attached file."""

    name: str
    media: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Parcel:
    """What one delivery sends.

    Attributes:
        id: of the delivery, the same at every try.
        workspace, schedule: whose, and by which name.
        schedule_id: of the schedule.
        report: for the body of a message.
        files: for whoever takes files.
        at: moment of sending.
    """

    id: str
    workspace: str
    schedule: str
    schedule_id: str
    report: Report
    files: tuple[File, ...]
    at: datetime


class Channel(Protocol):
    """A way to send."""

    def __call__(self, parcel: Parcel, to: Destination) -> str:
        """Send, and say in words what the receiver answered.

        Raises:
            SendError: it was refused.
        """
        ...


#: Makes a report: workspace, name, view, the moment its days are seen from.
MakeReport = Callable[[str, str, View, datetime], Report]


@dataclass(slots=True)
class Drained:
    """What one round of sending did."""

    sent: int = 0
    failed: int = 0
    again: int = 0
    errors: list[str] = field(default_factory=list[str])


@dataclass(slots=True)
class Dispatcher:
    """One worker's sending.

    Attributes:
        make: makes reports.
        channels: ways to send, by kind of destination.
        clock: the present moment (UTC).
    """

    settings: Settings
    make: MakeReport
    channels: Mapping[str, Channel]
    clock: Callable[[], datetime]
    holder: str = field(default_factory=lambda: uuid4().hex)

    def drain(self, most: int | None = None) -> Drained:
        """Send everything that is due, at most `most` deliveries."""
        done, files = Drained(), _Files(self.settings, self.make)
        while most is None or done.sent + done.failed + done.again < most:
            claimed = self._claim()
            if claimed is None:
                return done
            self._send(claimed, files, done)
        return done

    def _claim(self) -> Delivery | None:
        """The next due delivery, held by this worker; None where there is none."""
        now = self.clock()
        due = or_(
            (Delivery.state == DeliveryState.WAITING) & (Delivery.next_try <= now),
            (Delivery.state == DeliveryState.SENDING) & (Delivery.lease < now),
        )
        with sessions(self.settings).begin() as session:
            chosen = (
                select(Delivery.id)
                .where(due)
                .order_by(Delivery.next_try, Delivery.id)
                .limit(1)
                .with_for_update(skip_locked=True)
            )
            # One statement: between a look and a claim another worker could claim the same.
            claim = (
                update(Delivery)
                .where(Delivery.id == chosen.scalar_subquery(), due)
                .values(
                    state=DeliveryState.SENDING,
                    holder=self.holder,
                    lease=now + LEASE,
                    attempts=Delivery.attempts + 1,
                )
                .returning(Delivery)
            )
            return session.scalars(claim).one_or_none()

    def _send(self, delivery: Delivery, files: _Files, done: Drained) -> None:
        with sessions(self.settings)() as session:
            schedule = session.get(Schedule, delivery.schedule_id)
        if schedule is None:
            self._record(delivery, DeliveryState.STOPPED, "The schedule was removed.")
            return
        try:
            to = destinations(self.settings, schedule)[delivery.place]
            parcel = files.parcel(schedule, delivery, self.clock())
            answer = self.channels[to.kind](parcel, to)
        except (LedgerError, ValueError) as error:
            self._failed(delivery, schedule, error, done)
            return
        self._record(delivery, DeliveryState.SENT, answer)
        done.sent += 1

    def _failed(self, delivery: Delivery, schedule: Schedule, error: Exception, done: Drained) -> None:
        reason = " ".join(str(error).split())
        final = isinstance(error, SendError) and error.final
        if final or delivery.attempts > len(PAUSES):
            self._record(delivery, DeliveryState.FAILED, reason)
            done.failed += 1
        else:
            pause = timedelta(minutes=PAUSES[delivery.attempts - 1])
            self._record(delivery, DeliveryState.WAITING, reason, next_try=self.clock() + pause)
            done.again += 1
        done.errors.append(f"{schedule.name} to {schedule.shown[delivery.place]}: {reason}")

    def _record(self, delivery: Delivery, state: DeliveryState, message: str, next_try: datetime | None = None) -> None:
        values: dict[str, object] = {"state": state, "message": message, "lease": None, "holder": None}
        if state is DeliveryState.SENT:
            values["sent_at"] = self.clock()
        if next_try is not None:
            values["next_try"] = next_try
        with sessions(self.settings).begin() as session:
            self._write(session, delivery, values)

    def _write(self, session: Session, delivery: Delivery, values: dict[str, object]) -> None:
        # Only while it is still this worker's: after its lease somebody else may have sent it.
        session.execute(
            update(Delivery).where(Delivery.id == delivery.id, Delivery.holder == self.holder).values(**values)
        )


class _Files:
    """Reports and their files, made once for all addresses and schedules that ask for the same of the same day."""

    def __init__(self, settings: Settings, make: MakeReport) -> None:
        self._settings, self._make = settings, make
        self._made = OrderedDict[tuple[str, str, View, date], tuple[Report, dict[str, list[File]]]]()

    def parcel(self, schedule: Schedule, delivery: Delivery, now: datetime) -> Parcel:
        """What this delivery sends."""
        view = _about(asked(self._settings, schedule), schedule, delivery)
        report, made = self._report(schedule, view, delivery.about)
        for format_ in schedule.formats:
            if format_ not in made:
                made[format_] = [File(name, media_of(name), body) for name, body in files_of(report, format_).items()]
        files = tuple(file for format_ in schedule.formats for file in made[format_])
        return Parcel(delivery.id, schedule.workspace, schedule.name, schedule.id, report, files, now)

    def _report(self, schedule: Schedule, view: View, about: datetime) -> tuple[Report, dict[str, list[File]]]:
        key = (schedule.workspace, schedule.report, view, about.date())
        if key not in self._made:
            self._made[key] = (self._make(schedule.workspace, schedule.report, view, about), {})
            if len(self._made) > _KEPT:
                self._made.popitem(last=False)
        self._made.move_to_end(key)
        return self._made[key]


def _about(view: View, schedule: Schedule, delivery: Delivery) -> View:
    """What one delivery is about: a new proof sends that proof, whatever came after it."""
    event, _, proof = delivery.occasion.partition(":")
    if schedule.report == "proof" and event == "proof" and view.of is None:
        return replace(view, of=proof)
    return view
