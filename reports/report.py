"""A report as plain data: what every rendering of it is written from, so that all show the same figures.

A report answers one question over one view (days, scope, currency) of one snapshot of the ledger. Exact values are
decimals; how they are written is decided by `reports.numbers`, the same rules as on screens. A figure that the data
cannot carry is None and says why in its note.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from analysis.result import plain
from reports import numbers

Value = Decimal | int | str | date | None


class Kind(StrEnum):
    """What a value is, and thereby how it is written."""

    TEXT = "text"
    DAY = "day"
    MONEY = "money"
    #: An estimate, which is not known to the cent.
    WHOLE = "estimated money"
    UNIT_PRICE = "unit price"
    COUNT = "count"
    TOKENS = "tokens"
    SHARE = "share"
    CHANGE = "change"


#: Kinds whose values are numbers, which columns align to the right.
NUMERIC: Final = frozenset(Kind) - {Kind.TEXT, Kind.DAY}


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: its name, its exact value or None, and beside it what it is compared with or why it is missing."""

    label: str
    value: Value
    kind: Kind
    note: str = ""
    of: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; `of` is what its values are of where that is not the report's currency."""

    label: str
    kind: Kind
    of: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of exact values; `total` is a last row set apart, `note` says what was left out."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    total: tuple[Value, ...] | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart, with the text that stands for it where it cannot be seen: a Vega-Lite specification, or drawn as SVG."""

    title: str
    alt: str
    specification: dict[str, Any] = field(default_factory=dict[str, Any])
    drawn: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it, in this order."""

    title: str
    sentences: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """A report.

    Attributes:
        name: which report, such as `spend`.
        title: for people.
        workspace: whose.
        first, last: days, both included.
        currency: ISO 4217 code of all money; empty where there is none.
        snapshot: of the ledger; the same snapshot and view give the same report for ever. None where no figure is
            from the ledger.
        made: moment of making.
        synthetic: whether any load it stands on is sample data; then every rendering says so first.
        alarms: what a reader has to know before any figure: a source failed, days are missing. Rendered first.
        notes: what else bears on the figures, such as what is provisional.
        sections: the content.
        of: what it is about where there are several of its kind, such as a proof's id; it is in the files' names.
        own: formats that it is a document of its own in, and what writes them.
        beside: what goes with a file, such as its signature: from format, file name and content to files by name.
    """

    name: str
    title: str
    workspace: str
    first: date
    last: date
    currency: str
    snapshot: int | None
    made: datetime
    synthetic: bool
    alarms: tuple[str, ...]
    notes: tuple[str, ...]
    sections: tuple[Section, ...]
    of: str = ""
    own: Mapping[str, Callable[[], bytes]] = field(default_factory=dict[str, Callable[[], bytes]], compare=False)
    beside: Callable[[str, str, bytes], Mapping[str, bytes]] | None = field(default=None, compare=False)

    @property
    def about(self) -> str:
        """Whose it is, of which days and in which currency, in one line."""
        amounts = (f"amounts in {self.currency}",) if self.currency else ()
        return ", ".join((self.workspace, self.period, *amounts))

    @property
    def source(self) -> str:
        """Where its figures are from."""
        return "Not read from the ledger" if self.snapshot is None else f"Snapshot {self.snapshot} of the ledger"

    @property
    def period(self) -> str:
        """The days in words."""
        return numbers.days(self.first, self.last)

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the report without the moment of making: equal reports have equal digests."""
        content = {name: value for name, value in record(self).items() if name not in {"made", "digest"}}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def written(self, value: Value, kind: Kind, of: str = "") -> str:
        """A value as every rendering for people writes it."""
        return written(value, kind, of or self.currency)


def written(value: Value, kind: Kind, of: str) -> str:
    """A value in words of `reports.numbers`; a missing one is a dash."""
    if value is None:
        return numbers.NONE
    if isinstance(value, date):
        return numbers.day(value)
    if isinstance(value, str):
        return value
    amount = Decimal(value)
    match kind:
        case Kind.MONEY:
            return numbers.money(amount, of)
        case Kind.WHOLE:
            return numbers.whole(amount, of)
        case Kind.UNIT_PRICE:
            return numbers.unit_price(amount, of)
        case Kind.TOKENS:
            return numbers.tokens(amount)
        case Kind.SHARE | Kind.CHANGE:
            return numbers.percent(amount, sign=kind is Kind.CHANGE)
        case _:
            return f"{amount:,f}"


def record(report: Report) -> dict[str, Any]:
    """The report as JSON carries it: amounts as decimal strings, days as ISO 8601."""
    return {
        "report": report.name,
        "of": report.of or None,
        "title": report.title,
        "workspace": report.workspace,
        "first_day": report.first.isoformat(),
        "last_day": report.last.isoformat(),
        "currency": report.currency,
        "snapshot": report.snapshot,
        "made": report.made.isoformat(),
        "synthetic": report.synthetic,
        "alarms": list(report.alarms),
        "notes": list(report.notes),
        "sections": [_section(section) for section in report.sections],
    }


def _section(section: Section) -> dict[str, Any]:
    return {
        "title": section.title,
        "sentences": list(section.sentences),
        "figures": [
            {"label": f.label, "value": as_json(f.value), "kind": f.kind.value, "of": f.of, "note": f.note}
            for f in section.figures
        ],
        "charts": [{"title": chart.title, "alt": chart.alt} for chart in section.charts],
        "tables": [_table(table) for table in section.tables],
    }


def _table(table: Table) -> dict[str, Any]:
    return {
        "title": table.title,
        "columns": [{"label": c.label, "kind": c.kind.value, "of": c.of} for c in table.columns],
        "rows": [_values(row) for row in table.rows],
        "total": None if table.total is None else _values(table.total),
        "note": table.note,
    }


def _values(row: Sequence[Value]) -> list[str | int | None]:
    return [as_json(value) for value in row]


def as_json(value: Value) -> str | int | None:
    """One exact value for JSON."""
    if isinstance(value, Decimal):
        return plain(value)
    return value.isoformat() if isinstance(value, date) else value
