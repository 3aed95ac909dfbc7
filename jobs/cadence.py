"""When a schedule is due: daily, weekly or monthly at a local time, or when something happens.

Local times follow the zone through daylight saving: a time that a day does not have is taken as the first moment after
the gap, one that it has twice as the first of the two, so that every day has exactly one.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ledger.errors import LedgerError

_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME: Final = r"([01]\d|2[0-3]):([0-5]\d)"
_TIMED: Final = re.compile(rf"(?:(daily)|(weekly) ({'|'.join(_WEEKDAYS)})|(monthly) ([1-9]|[12]\d|3[01]|last)) {_TIME}")
_SPEND: Final = re.compile(r"on spend above (\S+) ([A-Z]{3})")
_LAST: Final = 31


class CadenceError(LedgerError):
    """A cadence or time zone that means nothing."""


@dataclass(frozen=True, slots=True)
class Timed:
    """Every day, one day of the week, or one day of the month, at a local time.

    Attributes:
        weekday: 0 for Monday; None where the day of the week does not matter.
        day: of the month; 31 is its last day, and so is any day that a month does not have.
    """

    at: time
    zone: ZoneInfo
    weekday: int | None = None
    day: int | None = None

    def after(self, moment: datetime) -> datetime:
        """The next moment (UTC) that is due, strictly after `moment`."""
        return next(due for due in self._from(moment.astimezone(self.zone).date()) if due > moment)

    def between(self, after: datetime, until: datetime) -> list[datetime]:
        """Every due moment (UTC) after `after`, up to and with `until`, in order."""
        found = list[datetime]()
        for due in self._from(after.astimezone(self.zone).date()):
            if due > until:
                return found
            if due > after:
                found.append(due)
        return found

    def _from(self, day: date) -> Iterator[datetime]:
        while True:
            if self._includes(day):
                yield _moment(day, self.at, self.zone)
            day += timedelta(days=1)

    def _includes(self, day: date) -> bool:
        if self.weekday is not None:
            return day.weekday() == self.weekday
        if self.day is None:
            return True
        return day.day == min(self.day, calendar.monthrange(day.year, day.month)[1])


@dataclass(frozen=True, slots=True)
class OnEvent:
    """When something happens.

    Attributes:
        event: a new proof, a failed source, or the month's spend above a limit.
        limit: of the month's spend, in `currency`.
    """

    event: Literal["proof", "failure", "spend"]
    limit: Decimal | None = None
    currency: str | None = None


Cadence = Timed | OnEvent


def cadence(text: str, zone: str) -> Cadence:
    """Read a cadence: `daily 07:00`, `weekly mon 07:00`, `monthly 1 07:00`, `on proof`, `on failure`, ...

    Raises:
        CadenceError: it is none of these, or the time zone is not known.
    """
    words = " ".join(text.lower().split())
    if words in {"on proof", "on failure"}:
        return OnEvent("proof" if words == "on proof" else "failure")
    if found := _SPEND.fullmatch(" ".join(text.split())):
        return OnEvent("spend", _amount(found[1]), found[2])
    timed = _TIMED.fullmatch(words)
    if timed is None:
        raise CadenceError(
            f"{text!r} is no cadence. Write daily 07:00, weekly mon 07:00, monthly 1 07:00, monthly last 07:00, "
            "on proof, on failure, or on spend above 5000 USD."
        )
    _, _, weekday, _, day, hour, minute = timed.groups()
    return Timed(
        time(int(hour), int(minute)),
        _zone(zone),
        None if weekday is None else _WEEKDAYS.index(weekday),
        None if day is None else _LAST if day == "last" else int(day),
    )


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount <= 0:
        raise CadenceError(f"{text!r} is no limit of spend; write a positive amount such as 5000.")
    return amount


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise CadenceError(f"{name!r} is no time zone; write one such as Europe/Berlin or UTC.") from error


def _moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    local = datetime.combine(day, at)
    while not _exists(local, zone):
        local += timedelta(minutes=1)
    return local.replace(tzinfo=zone).astimezone(UTC)


def _exists(local: datetime, zone: ZoneInfo) -> bool:
    """Whether a wall clock ever shows this; in spring it jumps over an hour."""
    return local.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) == local
