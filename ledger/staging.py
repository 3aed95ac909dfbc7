"""The first half of a load: rows are mapped into a Parquet file beside the lake, then counted and checked.

Nothing of this holds the lake's lock or changes the lake.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Context, Decimal
from pathlib import Path
from typing import Any, Final

import duckdb

from ledger import checks, gaps, rollups
from ledger.checks import Finding
from ledger.engine import literal
from ledger.errors import LoadError, UnbalancedLoadError
from ledger.footer import Footer
from ledger.tables import TABLES

#: Parquet's second version is a fifth smaller than the first on a bill and faster to read.
_PARQUET: Final = "FORMAT parquet, PARQUET_VERSION v2"
#: Names of the temporary tables that a staged load leaves on its cursor.
ROLLED: Final = "temp.rolled"
TOKENS: Final = "temp.tokens"

#: Decimal's own arithmetic stops at 28 digits; the ledger's amounts have up to 38.
_EXACT: Final = Context(prec=60)
_DAY: Final = "(epoch_us({0}) // 86400000000)::INTEGER"
#: What identifies the part of a table that a load replaces, by table and grain.
KEYS: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("charges", "period"): ("BillingAccountId", "BillingPeriodStart"),
    ("charges", "day"): ("BillingAccountId", _DAY.format("ChargePeriodStart")),
    ("usage", "day"): ("UsageKind", _DAY.format("UsagePeriodStart")),
    ("drivers", "all"): ("DriverName",),
}


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of a load as it was when it was read."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Reject:
    """One row that could not be taken. `row` counts data rows from 1; None where the file cannot tell."""

    file: str
    row: int | None
    column: str | None
    value: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a live source fetched for a load: the record by which a sync knows what it need not fetch again.

    Attributes:
        stream: the source's name for this series of pages.
        version: what the provider calls this delivery; empty where it has no name for it.
        first: first day covered, UTC; days without a row are covered too.
        before: the day after the last one covered.
        account: of rows that name no billing account; empty where they do, or nothing says it.
    """

    stream: str
    version: str
    first: date
    before: date
    account: str = ""

    @property
    def window(self) -> tuple[datetime, datetime]:
        """The days as moments."""
        return _midnight(self.first), _midnight(self.before)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Incoming:
    """What a connector hands to the ledger.

    Attributes:
        load_id: unique, sortable by time.
        connection: whose data it is: rows of one connection replace rows of the same one only.
        format: name of the source format, for the load's record.
        provider: who sells what is billed, or None where the rows say it.
        table: ledger table of the rows.
        mapped: SQL of ledger rows with `x_State` and `x_BilledIn`, without the columns of `constants`.
        constants: ledger columns that hold the same text, or nothing (None), in every row.
        grain: what the load replaces: `period`, `day` or `all`.
        now: the moment of the load, UTC.
        files: the files that were read.
        rejects: called after staging: every row that could not be taken, given the cursor.
        unreadable: called after staging: how many rows the reader itself could not split into columns.
        findings: what the connector noticed while reading.
        windows: days that the source covers, even where it has no row for them.
        synthetic: the rows are sample data and stay labelled so.
        fetched: what a live source fetched for it; None for files.
    """

    load_id: str
    connection: str
    format: str
    provider: str | None
    table: str
    mapped: str
    grain: str
    now: datetime
    files: tuple[SourceFile, ...] = ()
    rejects: Callable[[duckdb.DuckDBPyConnection], list[Reject]] | None = None
    unreadable: Callable[[duckdb.DuckDBPyConnection], int] | None = None
    findings: tuple[Finding, ...] = ()
    windows: tuple[tuple[datetime, datetime], ...] = ()
    synthetic: bool = False
    fetched: Fetched | None = None
    constants: Mapping[str, str | None] = field(default_factory=dict[str, str | None])


@dataclass(frozen=True, slots=True)
class Staged:
    """A load whose rows lie in `file`, balanced and checked, ready to replace what it replaces."""

    incoming: Incoming
    file: Path
    rows_in: int
    rows_loaded: int
    rows_dropped: int
    rows_added: int
    billed_in: dict[str, Decimal]
    billed_loaded: dict[str, Decimal]
    rejects: list[Reject]
    findings: list[Finding]
    span: tuple[datetime | None, datetime | None]
    provider: str | None

    @property
    def rows_rejected(self) -> int:
        """Rows that could not be taken."""
        return self.rows_in - self.rows_loaded - self.rows_dropped


def stage(cursor: duckdb.DuckDBPyConnection, incoming: Incoming, folder: Path) -> Staged:
    """Map the rows of `incoming` into `folder`, and prove that what came in is what would go out.

    Raises:
        LoadError: no row could be taken.
        UnbalancedLoadError: rows or money would be lost or doubled on the way.
    """
    file = folder / f"{incoming.load_id}.parquet"
    cursor.execute(f"COPY ({_stored(cursor, incoming)}) TO {literal(file)} ({_PARQUET})")
    cursor.execute(f"CREATE OR REPLACE TEMP VIEW staged AS {_staged_sql(incoming, file)}")
    whole = _stage_charges if incoming.table == "charges" else _stage_plain
    staged = whole(cursor, incoming, file)
    _keep_keys(cursor, incoming)
    return staged


def _staged_sql(incoming: Incoming, file: Path) -> str:
    """The staged rows: constants need not be read, and columns of nothing are not in the file."""
    declared = {c.name: c.type for c in TABLES[incoming.table]}
    same = ", ".join(f'{literal(v)} AS "{name}"' for name, v in incoming.constants.items() if v is not None)
    none = "".join(f', NULL::{declared[name]} AS "{name}"' for name, v in incoming.constants.items() if v is None)
    return f"SELECT * {f'REPLACE ({same})' if same else ''}{none} FROM read_parquet({literal(file)})"


def _keep_keys(cursor: duckdb.DuckDBPyConnection, incoming: Incoming) -> None:
    """The keys of what the load replaces, as a temporary table that outlives the staged file's place."""
    columns = KEYS.get((incoming.table, incoming.grain), ())
    source = "staged"
    if incoming.table == "charges":
        columns = ("BillingAccountId", "DayNumber" if incoming.grain == "day" else "BillingPeriodStart")
        source = ROLLED
    names = ", ".join(f"{column} AS k{i}" for i, column in enumerate(columns)) or "true AS k0"
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE keys AS SELECT DISTINCT {names} FROM {source} WHERE x_State IS NULL")


def _stored(cursor: duckdb.DuckDBPyConnection, incoming: Incoming) -> str:
    """The mapped rows as they are stored: declared types, constants and lineage.

    A decimal narrower than its column keeps its own type in the file, which halves what money costs to write;
    the lake widens it on reading. A row that is not taken has no load, and leaves again with the commit.
    """
    declared = {c.name: c.type for c in TABLES[incoming.table]}
    selected = list[str]()
    for name, type_, *_ in cursor.execute(f"DESCRIBE {incoming.mapped}").fetchall():
        if name in {"x_State", "x_BilledIn"} or _fits(type_, declared[name]):
            selected.append(f'"{name}"')
        else:
            selected.append(f'"{name}"::{declared[name]} AS "{name}"')
    selected += [f'{_one_text(v)} AS "{name}"' for name, v in incoming.constants.items() if v is not None]
    load = f"CASE WHEN x_State IS NULL OR x_State = 'added' THEN {_one_text(incoming.load_id)} END AS x_LoadId"
    return (
        f"SELECT {', '.join(selected)}, {load}, {_one_text(incoming.connection)} AS x_Connection "
        f"FROM ({incoming.mapped}) AS rows"
    )


def _one_text(text: str) -> str:
    """SQL of a text as an enumeration of itself, which costs a tenth of what a column of texts costs to write."""
    return f"{literal(text)}::ENUM ({literal(text)})"


def _fits(given: str, declared: str) -> bool:
    if given == declared:
        return True
    if not (given.startswith("DECIMAL") and declared.startswith("DECIMAL")):
        return False
    (width, scale), (wide, fraction) = (map(int, t[8:-1].split(",")) for t in (given, declared))
    return scale <= fraction and width - scale <= wide - fraction


def _stage_charges(cursor: duckdb.DuckDBPyConnection, incoming: Incoming, file: Path) -> Staged:
    types = {row[0]: row[1] for row in cursor.execute("DESCRIBE staged").fetchall()}
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE rolled AS {rollups.rolled_sql('staged', types)}")
    tokens = rollups.tokens_sql("staged", types)
    cursor.execute("DROP TABLE IF EXISTS temp.tokens")
    if tokens is not None:
        cursor.execute(f"CREATE TEMP TABLE tokens AS {tokens}")
    rows = cursor.execute(
        "SELECT x_State, BillingCurrency, sum(Charges)::BIGINT, sum(BilledCost), sum(BilledIn) "
        "FROM temp.rolled GROUP BY ALL"
    ).fetchall()
    counts, billed_in, billed_loaded, carried = _totals(rows)
    rejects, unreadable = _rejects(cursor, incoming, counts.get("bad", 0))
    _balance(incoming, carried, billed_loaded)
    loaded = counts.get(None, 0)
    if loaded == 0 and (rejects or unreadable):
        raise LoadError(_nothing_taken(incoming, rejects))
    footer = Footer.of(cursor, file)
    empty = {name: None for name, value in incoming.constants.items() if value is None}
    known = Footer(footer.nulls, {**footer.constants, **empty})
    findings = [
        *incoming.findings,
        *checks.run_checks(cursor, "staged", types, known),
        *checks.duplicates(cursor, "staged", types, known),
        *checks.unmapped(cursor, "staged", types),
        *gaps.missing_days(cursor, _covered(incoming)),
        *_currencies(billed_loaded),
    ]
    return Staged(
        incoming,
        file,
        rows_in=loaded + counts.get("bad", 0) + counts.get("dropped", 0) + unreadable,
        rows_loaded=loaded,
        rows_dropped=counts.get("dropped", 0),
        rows_added=counts.get("added", 0),
        billed_in=billed_in,
        billed_loaded=billed_loaded,
        rejects=rejects,
        findings=findings,
        span=_span(cursor, "ChargePeriodStart"),
        provider=incoming.provider or _providers(cursor),
    )


def _providers(cursor: duckdb.DuckDBPyConnection) -> str | None:
    """Who sells what the rows bill, where the format does not say it."""
    rows = cursor.execute(
        f"SELECT DISTINCT ServiceProviderName FROM {ROLLED} WHERE x_State IS NULL AND ServiceProviderName IS NOT NULL "
        "ORDER BY 1"
    ).fetchall()
    return ", ".join(name for (name,) in rows) or None


def _stage_plain(cursor: duckdb.DuckDBPyConnection, incoming: Incoming, file: Path) -> Staged:
    rows = cursor.execute("SELECT x_State, count(*) FROM staged GROUP BY ALL").fetchall()
    counts: dict[str | None, int] = dict(rows)
    rejects, unreadable = _rejects(cursor, incoming, counts.get("bad", 0))
    loaded = counts.get(None, 0)
    if loaded == 0 and (rejects or unreadable):
        raise LoadError(_nothing_taken(incoming, rejects))
    rows_in = loaded + counts.get("bad", 0) + unreadable
    span = _span(cursor, "UsagePeriodStart") if incoming.table == "usage" else (None, None)
    return Staged(
        incoming,
        file,
        rows_in=rows_in,
        rows_loaded=loaded,
        rows_dropped=0,
        rows_added=0,
        billed_in={},
        billed_loaded={},
        rejects=rejects,
        findings=list(incoming.findings),
        span=span,
        provider=incoming.provider,
    )


def _span(cursor: duckdb.DuckDBPyConnection, column: str) -> tuple[datetime | None, datetime | None]:
    row = cursor.execute(f"SELECT min({column}), max({column}) FROM staged WHERE x_State IS NULL").fetchone()
    return (row[0], row[1]) if row else (None, None)


def _covered(incoming: Incoming) -> set[int]:
    """Days since 1970-01-01 that the source says it covers."""
    return {
        day - gaps.EPOCH
        for first, end in incoming.windows
        for day in range(first.date().toordinal(), end.date().toordinal())
    }


def _totals(
    rows: list[tuple[str | None, str | None, int, Decimal | None, Decimal | None]],
) -> tuple[dict[str | None, int], dict[str, Decimal], dict[str, Decimal], dict[str, Decimal]]:
    """Rows by state; money that came in, that goes out, and that came in on rows which are taken or dropped."""
    counts: dict[str | None, int] = {}
    billed_in: dict[str, Decimal] = {}
    loaded: dict[str, Decimal] = {}
    carried: dict[str, Decimal] = {}
    for state, currency, count, billed, came in rows:
        counts[state] = counts.get(state, 0) + count
        unit = currency or "unknown currency"
        if state != "added":
            billed_in[unit] = _EXACT.add(billed_in.get(unit, Decimal(0)), came or 0)
        if state in {None, "added"}:
            loaded[unit] = _EXACT.add(loaded.get(unit, Decimal(0)), billed or 0)
        if state in {None, "dropped"}:
            carried[unit] = _EXACT.add(carried.get(unit, Decimal(0)), came or 0)
    return counts, billed_in, loaded, carried


def _balance(incoming: Incoming, carried: dict[str, Decimal], loaded: dict[str, Decimal]) -> None:
    for currency in sorted(carried.keys() | loaded.keys()):
        came, goes = carried.get(currency, Decimal(0)), loaded.get(currency, Decimal(0))
        if came != goes:
            raise UnbalancedLoadError(
                f"{incoming.format}: the bill says {came:f} {currency} and the ledger would hold {goes:f} {currency}. "
                "Nothing was loaded. The file is probably a part of a bill: a charge and the row that offsets it must "
                "be loaded together; import all files of the bill in one command."
            )


def _rejects(cursor: duckdb.DuckDBPyConnection, incoming: Incoming, bad: int) -> tuple[list[Reject], int]:
    unreadable = incoming.unreadable(cursor) if incoming.unreadable else 0
    if incoming.rejects is None or bad + unreadable == 0:
        return [], unreadable
    listed = incoming.rejects(cursor)
    if len(listed) != bad + unreadable:
        raise UnbalancedLoadError(
            f"{incoming.format}: {bad + unreadable} rows could not be taken but {len(listed)} could be listed. "
            "Nothing was loaded; the file may have changed while it was read. Import it again."
        )
    return listed, unreadable


def _nothing_taken(incoming: Incoming, rejects: list[Reject]) -> str:
    names = ", ".join(f.name for f in incoming.files) or incoming.format
    if not rejects:
        return f"No row of {names} could be read as {incoming.format}; nothing was loaded."
    first = rejects[0]
    return (
        f"No row of {names} could be taken as {incoming.format}; nothing was loaded. The first: row {first.row}, "
        f"column {first.column}: {first.reason}"
    )


def _currencies(billed: dict[str, Any]) -> list[Finding]:
    if len(billed) < 2:  # noqa: PLR2004 - two currencies are several
        return []
    names = ", ".join(sorted(billed))
    return [
        Finding("Currency.several", "note", 0, f"The bill is in several currencies ({names}); they are kept apart.")
    ]
