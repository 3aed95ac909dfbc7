"""What a bill or usage format declares about itself.

A format is a declaration and one pure expression. The declaration names the provider's own columns
and what kind of value each holds; reading, typing and rejecting rows follow from it. The expression
(`to_ledger`) turns the typed table into rows of one ledger table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import ibis.expr.types as ir


class Kind(StrEnum):
    """What a source column holds, whatever type the file gives it."""

    TEXT = "text"
    #: Money, prices and quantities: exact, DECIMAL with at most 18 fraction digits.
    DECIMAL = "decimal"
    #: A count of whole things (tokens, requests), BIGINT.
    COUNT = "count"
    #: A moment, TIMESTAMP WITH TIME ZONE; a text without zone is read as UTC.
    INSTANT = "instant"
    #: Seconds since 1970-01-01T00:00:00Z, read as a moment.
    EPOCH = "epoch"
    #: A JSON object or array; maps, structs and lists of a Parquet file arrive as JSON too.
    JSON = "json"
    #: A list of records with declared fields (`Column.fields`), arriving as ARRAY<STRUCT<...>>.
    RECORDS = "records"


class Replace(StrEnum):
    """Which part of the ledger one load replaces: the periods of the source that it holds."""

    BILLING_PERIOD = "billing period"
    DAY = "day"
    #: The whole of what the source loaded before.
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Column:
    """One source column that a mapping reads.

    `sources` are the places it may stand in, in order of preference: a plain column name, or a dotted
    path into a struct column (`service.id`), or for JSON a beginning (`resourceTags/*`), whose columns are
    gathered into one object by what follows it. The first that the file has is used; where it has none the
    mapping sees NULL. `pattern` is a strptime pattern tried for a moment that is not written in ISO 8601.
    """

    name: str
    kind: Kind = Kind.TEXT
    sources: tuple[str, ...] = ()
    required: bool = False
    pattern: str | None = None
    fields: Mapping[str, Kind] = field(default_factory=dict[str, Kind])

    @property
    def places(self) -> tuple[str, ...]:
        """Where to look for it, in order of preference."""
        return self.sources or (self.name,)


@dataclass(frozen=True, slots=True)
class Format:
    """One file format of one provider, and its way into one ledger table.

    Attributes:
        name: short stable name, as `--format` takes it (`aws-cur-2`).
        title: what a person calls it (`AWS Cost and Usage Report 2.0`).
        provider: FOCUS ServiceProviderName of the rows, or "" where the rows say it themselves.
        table: ledger table that the rows go to (`charges`, `usage`, `drivers`, ...).
        signature: source columns (as `Column.sources` spells them) that, all present, identify the format.
            Of several formats that match, the one with the most signature columns wins.
        columns: every source column that the mapping reads.
        to_ledger: pure: typed table (one column for each of `columns`, by name) to ledger rows, made with
            `rows.ledger_rows` and, where a source row becomes two, `rows.added_rows`. It names only the
            ledger columns that it knows; the others stay NULL.
        billed: the bill's own amount of a source row, before any mapping: the total that must arrive.
            None where the format carries no money.
        dropped: rows whose amount another row carries already, and which the ledger therefore leaves out
            (a boolean expression over the typed table).
        details: a JSON source column and, by ledger column, the key of it that fills the column. A ledger column whose
            key no row of a file has is left out of what is written.
        replaces: which periods a load of this format replaces.
        notes: what this format cannot show, said to the person who loads it.
    """

    name: str
    title: str
    provider: str
    table: str
    signature: frozenset[str]
    columns: tuple[Column, ...]
    to_ledger: Callable[[ir.Table], ir.Table]
    billed: Callable[[ir.Table], ir.Value] | None = None
    dropped: Callable[[ir.Table], ir.BooleanValue] | None = None
    details: tuple[str, Mapping[str, str]] | None = None
    replaces: Replace = Replace.BILLING_PERIOD
    notes: tuple[str, ...] = ()
