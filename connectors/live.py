"""Fetching spend from a provider: what every live source offers, and the pieces it hands over.

A source does I/O and nothing else. It hands over pages exactly as the provider gave them; the pages are kept beside
the lake and loaded as files are (`connectors.importing`), by the format that reads such pages. So a better mapping can
be replayed over what was fetched, and an interrupted fetch goes on after the last page that was kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Protocol


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
    """

    name: str
    body: bytes | Path
    resume: str | None


@dataclass(frozen=True, slots=True)
class Stream:
    """One series of pages that are loaded together, such as the costs or one kind of usage.

    Attributes:
        name: letters, digits and hyphens.
        window: days that a load of it replaces.
        format: name of the format that reads its pages; None where they are recognised.
    """

    name: str
    window: Window
    format: str | None = None


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
    """

    title: str
    fields: Sequence[Field]
    steps: Sequence[str]
    overlap_days: int
    history_days: int
    later: Sequence[str] = field(default=())


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
        """
        ...

    def totals(self, window: Window) -> list[Total]:
        """The provider's own totals by a second way; empty where it offers none."""
        ...
