"""Fetching spend from a provider: what every live source offers, and the pieces it hands over.

A source does I/O and nothing else. It hands over pages exactly as the provider gave them; the pages are kept beside
the lake and loaded as files are (`connectors.importing`), by the format that reads such pages. So a better mapping can
be replayed over what was fetched, and an interrupted fetch goes on after the last page that was kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from threading import Lock
from typing import Protocol

from connectors.errors import BudgetError


@dataclass(frozen=True, slots=True)
class Window:
    """Days in UTC from `first` up to, but without, `end`."""

    first: date
    end: date


@dataclass(frozen=True, slots=True)
class Page:
    """One piece of a stream, as the provider gave it.

    Attributes:
        name: file name, unique and always the same within its window and stream; its ending tells the shape.
        body: the bytes, or the file that they were written to (the receiver moves it).
        resume: what `pull` takes to go on after this page; None where it was the last one.
        account: identifier of the account that it is of, where nothing in the body names it; else empty.
    """

    name: str
    body: bytes | Path
    resume: str | None
    account: str = ""


@dataclass(frozen=True, slots=True)
class Stream:
    """One series of pages that are loaded together, such as the costs or all kinds of usage.

    A load of a day-wise format replaces every row of its table that the connection holds on the days of `window`. So
    two streams of one connection that go to one table must not share days.

    Attributes:
        name: letters, digits and hyphens; the same from one sync to the next.
        window: days that a load of it replaces.
        format: name of the format that reads its pages; None where they are recognised.
        version: what changes when the provider delivers these days anew (an execution, an etag); the days are not
            fetched again while it stays the same. Empty where the provider does not tell.
    """

    name: str
    window: Window
    format: str | None = None
    version: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What one step of a connection test found.

    Attributes:
        step: what was tried, in words.
        passed: whether it worked; None where it could not be tried, as an earlier step failed.
        message: what was found, for a person.
        fix: what to do about it; empty where there is nothing to do.
    """

    step: str
    passed: bool | None
    message: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Total:
    """What the provider itself says that a period cost, by a way of its own.

    Attributes:
        window: the days.
        amount: in `currency`.
        currency: ISO 4217 code.
        origin: where the figure comes from, such as "Cost Explorer".
        closed: whether the provider has closed the period; None where it does not say.
    """

    window: Window
    amount: Decimal
    currency: str
    origin: str
    closed: bool | None


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that a person enters to connect.

    Attributes:
        secret: whether it is sealed and never shown again.
        pattern: regular expression that a value must match whole; empty for any.
    """

    name: str
    label: str
    help: str
    required: bool = True
    secret: bool = False
    pattern: str = ""


@dataclass(frozen=True, slots=True)
class Setup:
    """What a person does at the provider, and enters here.

    Attributes:
        steps: Markdown, in order; commands and templates in fenced blocks, least privilege, `{field}` of a field
            entered before.
        overlap_days: days that the provider may still restate; each sync fetches them again.
        history_days: how far back the provider's data reaches at most.
        later: what cannot be seen at once, and from when on it can.
        price: what calls to the provider cost the customer, as a sentence; empty where they are free.
    """

    title: str
    fields: Sequence[Field]
    steps: Sequence[str]
    overlap_days: int
    history_days: int
    later: Sequence[str] = field(default=())
    price: str = ""


class Meter:
    """Counts the calls of one sync and what the provider charges for them; several threads may share it."""

    def __init__(self, limit: Decimal | None = None) -> None:
        """`limit`: most that the paid calls of this sync may cost, in US dollars; None for no limit."""
        self.limit = limit
        self.calls = 0
        self.paid_calls = 0
        self.paid = Decimal(0)
        self._lock = Lock()

    def count(self, what: str, price: Decimal = Decimal(0)) -> None:
        """Count one call, before it is made.

        Args:
            what: what is called, such as "Cost Explorer".
            price: what this call costs, in US dollars.

        Raises:
            BudgetError: it would cost more than the limit; it must not be made.
        """
        with self._lock:
            if price and self.limit is not None and self.paid + price > self.limit:
                raise BudgetError(
                    f"{what} costs ${price} a request, and this sync has used ${self.paid} of its limit of "
                    f"${self.limit}. What was fetched is kept; raise the limit of the connection, or wait for the "
                    "next sync."
                )
            self.calls += 1
            self.paid_calls += bool(price)
            self.paid += price


def _utc() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Access:
    """What a source is opened with.

    Attributes:
        values: what was entered for each `Field`, references to secrets already resolved; optional ones may be absent.
        meter: counts every call, before it is made.
        sleep: waits so many seconds.
        now: the present moment, UTC.
    """

    values: Mapping[str, str] = field(repr=False)
    meter: Meter = field(default_factory=Meter)
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = _utc


class Source(Protocol):
    """A provider's account, reached through its official SDK; the clients are handed in."""

    def diagnose(self) -> list[Diagnosis]:
        """Test the connection step by step, up to the first step that fails."""
        ...

    def streams(self, window: Window) -> list[Stream]:
        """What there is to fetch for these days; a stream's own window may be wider (a billing month)."""
        ...

    def pull(self, stream: Stream, resume: str | None) -> Iterator[Page]:
        """The pages of a stream, from its beginning or after the page that gave `resume`.

        Raises:
            SourceError: the provider refused or failed for longer than retries help; the message says what to do.
            StaleResumeError: `resume` is no longer taken or pages do not fit; the stream has to be fetched anew.
        """
        ...

    def totals(self, window: Window) -> list[Total]:
        """The provider's own totals by a second way; empty where it offers none."""
        ...
