"""The second half of a load: in one transaction it replaces exactly what it brings anew.

The commit holds the lake's lock and is short, since the rows lie in a finished Parquet file already. A process that
dies anywhere leaves the ledger as it was before or as it is after.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import duckdb

from ledger import token_usage
from ledger.checks import Finding, as_json
from ledger.engine import give_back, literal
from ledger.errors import OverlappingLoadError, SmallerLoadError
from ledger.gaps import EPOCH, spans
from ledger.lake import ALIAS, Lake
from ledger.rollups import spend_sql
from ledger.staging import KEYS, ROLLED, Staged
from ledger.tables import SCHEMA_VERSION, TABLES

#: A replacement that is smaller by more than this share of the money is refused unless told to replace.
CLEARLY_LESS: Final = Decimal("0.10")

#: An account that is called like its provider is one that the source does not name: it may be any of those that the
#: provider bills itself, and none that a cloud bills, which may sell the provider's models too.
_UNNAMED: Final = (
    "lower(d.ServiceProviderName) IN (d.BillingAccountId, r.BillingAccountId) "
    "AND d.x_Connection IN (SELECT Connection FROM loads WHERE Provider = {0})"
)
#: Rows of rejects or findings that one statement inserts.
_BATCH: Final = 10_000
#: Rows of a load whose staging leaves much memory behind.
_MANY: Final = 20_000
_ROLLUP_DAY: Final = "(ChargeDate - DATE '1970-01-01')::INTEGER"


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load did. Money is BilledCost by currency; `periods` are what it holds and therefore replaced."""

    load_id: str
    connection: str
    format: str
    provider: str | None
    table: str
    snapshot: int
    rows_in: int
    rows_loaded: int
    rows_rejected: int
    rows_dropped: int
    rows_added: int
    billed_in: dict[str, Decimal]
    billed_loaded: dict[str, Decimal]
    periods: tuple[str, ...]
    replaced: tuple[str, ...]
    findings: tuple[Finding, ...]
    unchanged: bool = False


def replace(lake: Lake, cursor: duckdb.DuckDBPyConnection, staged: Staged, *, force: bool = False) -> Loaded:
    """Commit a staged load.

    Args:
        lake: the lake to write to.
        cursor: the cursor on which the load was staged (it holds the rollups).
        staged: the load.
        force: replace even what is larger than the load.

    Raises:
        SmallerLoadError: it holds fewer days or clearly less money than what it would replace.
        OverlappingLoadError: the same account and period came from another source.
        WriterBusyError: another writer does not finish.
    """
    with lake.lock():
        sweep(lake)
        if staged.rows_in > _MANY:
            give_back(cursor)
        registered = _into_place(lake, staged)
        cursor.execute("BEGIN")
        try:
            replaced, periods = _replace(cursor, staged, registered, force=force)
            _record(cursor, staged, periods, replaced)
            cursor.execute("COMMIT")
        except BaseException:
            _abandon(cursor, registered)
            raise
        row = cursor.execute(f"FROM ducklake_last_committed_snapshot('{ALIAS}')").fetchone()
        if staged.rows_in > _MANY:
            give_back(cursor)
    incoming = staged.incoming
    return Loaded(
        incoming.load_id,
        incoming.connection,
        incoming.format,
        staged.provider,
        incoming.table,
        int(row[0]) if row else lake.snapshot(),
        staged.rows_in,
        staged.rows_loaded,
        staged.rows_rejected,
        staged.rows_dropped,
        staged.rows_added,
        staged.billed_in,
        staged.billed_loaded,
        tuple(periods),
        tuple(replaced),
        tuple(staged.findings),
    )


def _replace(
    cursor: duckdb.DuckDBPyConnection, staged: Staged, registered: Path, *, force: bool
) -> tuple[list[str], list[str]]:
    """Take away what the load replaces and register its rows; the loads replaced and the periods held."""
    incoming = staged.incoming
    if incoming.table == "charges":
        _refuse_overlap(cursor, staged)
        if not force:
            _refuse_smaller(cursor, staged)
    _touch(cursor, staged)
    replaced = _delete(cursor, incoming.table, staged)
    cursor.execute(
        f"CALL ducklake_add_data_files('{ALIAS}', '{incoming.table}', {literal(registered)}, "
        "allow_missing => true, ignore_extra_columns => true)"
    )
    if staged.rows_in != staged.rows_loaded:
        cursor.execute(
            f"DELETE FROM {incoming.table} WHERE x_LoadId IS NULL AND x_Connection = {literal(incoming.connection)}"
        )
    if incoming.table == "charges":
        for name, rows in (("daily_spend", f"({spend_sql(ROLLED)})"), ("daily_tokens", _tokens(cursor))):
            _delete(cursor, name, staged)
            if rows is not None:
                cursor.execute(
                    f"INSERT INTO {name} BY NAME SELECT *, {literal(incoming.connection)} AS x_Connection, "
                    f"'{incoming.load_id}' AS x_LoadId FROM {rows}"
                )
    if incoming.table in {"charges", "usage"}:
        token_usage.refresh(cursor, "FROM temp.touched")
    return replaced, _periods(cursor, staged)


def _touch(cursor: duckdb.DuckDBPyConnection, staged: Staged) -> None:
    """The days whose tokens may change: those that go and those that come."""
    table = staged.incoming.table
    if table == "charges":
        came = f"SELECT ChargeDate FROM {rows}" if (rows := _tokens(cursor)) else "SELECT NULL::DATE WHERE false"
        went = f"SELECT ChargeDate FROM daily_tokens WHERE {_condition('daily_tokens', staged)}"
    elif table == "usage":
        came = "SELECT DATE '1970-01-01' + k1 FROM temp.keys"
        went = f"SELECT UsagePeriodStart::DATE FROM usage WHERE {_condition('usage', staged)}"
    else:
        return
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE touched AS {came} UNION {went}")


def _tokens(cursor: duckdb.DuckDBPyConnection) -> str | None:
    row = cursor.execute(
        "SELECT count(*) FROM duckdb_tables() WHERE database_name = 'temp' AND table_name = 'tokens'"
    ).fetchone()
    return "temp.tokens" if row and row[0] else None


def _condition(table: str, staged: Staged) -> str:
    """SQL that is true for the rows of `table` that the load replaces."""
    incoming = staged.incoming
    own = f"x_Connection = {literal(incoming.connection)}"
    base = "charges" if table.startswith("daily_") else table
    columns = KEYS.get((base, incoming.grain))
    if columns is None:
        return own
    if table.startswith("daily_") and incoming.grain == "day":
        columns = ("BillingAccountId", _ROLLUP_DAY)
    names = ", ".join(f"k{i}" for i in range(len(columns)))
    held = f"({', '.join(columns)}) IN (SELECT ({names}) FROM temp.keys)"
    if incoming.grain == "day" and incoming.windows:
        days = {day for first, end in incoming.windows for day in range(_day(first), _day(end))}
        covered = f"{columns[-1]} IN ({', '.join(map(str, sorted(days)))})"
        if base == "usage" and incoming.fetched is None:
            # A file covers the days of the kinds of usage that it holds; of the others it says nothing.
            covered += f" AND {columns[0]} IN (SELECT k0 FROM temp.keys)"
        held = f"({held} OR ({covered}))"
    return f"{own} AND {held}"


def _delete(cursor: duckdb.DuckDBPyConnection, table: str, staged: Staged) -> list[str]:
    condition = _condition(table, staged)
    loads = cursor.execute(f"SELECT DISTINCT x_LoadId FROM {table} WHERE {condition}").fetchall()
    if loads:
        cursor.execute(f"DELETE FROM {table} WHERE {condition}")
    return sorted(load for (load,) in loads)


def _refuse_overlap(cursor: duckdb.DuckDBPyConnection, staged: Staged) -> None:
    own = staged.incoming.connection
    provider = "NULL" if staged.provider is None else literal(staged.provider)
    row = cursor.execute(
        "SELECT d.x_Connection, d.BillingAccountId, min(d.ChargeDate), max(d.ChargeDate) FROM daily_spend AS d "
        "JOIN (SELECT DISTINCT BillingAccountId, ServiceProviderName, BillingPeriodStart, "
        f"DATE '1970-01-01' + DayNumber AS ChargeDate FROM {ROLLED} WHERE x_State IS NULL) AS r "
        f"ON (d.BillingAccountId = r.BillingAccountId OR ({_UNNAMED.format(provider)})) "
        "AND d.ChargeDate = r.ChargeDate AND d.ServiceProviderName IS NOT DISTINCT FROM r.ServiceProviderName "
        f"WHERE d.x_Connection <> {literal(own)} GROUP BY ALL ORDER BY ALL LIMIT 1"
    ).fetchone()
    if row:
        other, account, first, last = row
        raise OverlappingLoadError(
            f"The ledger holds charges of account {account} from {first} to {last} from the source {other} already; "
            f"loading them from {own} too would count them twice. Nothing was loaded. Remove the one you do not want: "
            f"spendproof loads --remove-source {other}"
        )


def _refuse_smaller(cursor: duckdb.DuckDBPyConnection, staged: Staged) -> None:
    was = cursor.execute(
        "SELECT strftime(BillingPeriodStart, '%Y-%m'), BillingAccountId, BillingCurrency, count(DISTINCT ChargeDate), "
        f"sum(BilledCost) FROM daily_spend WHERE {_condition('daily_spend', staged)} GROUP BY ALL"
    ).fetchall()
    now = cursor.execute(
        "SELECT strftime(BillingPeriodStart, '%Y-%m'), BillingAccountId, BillingCurrency, count(DISTINCT DayNumber), "
        f"sum(BilledCost) FROM {ROLLED} WHERE x_State IS NULL OR x_State = 'added' GROUP BY ALL"
    ).fetchall()
    new = {(period, account, currency): (days, billed) for period, account, currency, days, billed in now}
    both = [(key, days, billed, *new.get(tuple(key), (0, Decimal(0)))) for *key, days, billed in was]
    fewer = [row for row in both if row[3] < row[1]]
    less = [row for row in both if row[2] > 0 and row[4] < row[2] * (1 - CLEARLY_LESS)]
    for (period, account, currency), days, billed, days_now, billed_now in (*fewer, *less)[:1]:
        raise SmallerLoadError(
            f"{period}, account {account}: the ledger holds {days} days and {billed:f} {currency}, this load only "
            f"{days_now} days and {billed_now:f} {currency}. Nothing was loaded. If these are parts of one bill, "
            "import them together in one command; if the smaller figure is right, repeat with --replace.",
            difference=(
                f"{period}, account {account}, {days} days and {billed:,.2f} {currency} before, {days_now} days and "
                f"{billed_now:,.2f} {currency} now"
            ),
            fewer_days=bool(fewer),
        )


def _periods(cursor: duckdb.DuckDBPyConnection, staged: Staged) -> list[str]:
    columns = KEYS.get((staged.incoming.table, staged.incoming.grain))
    if columns is None or staged.incoming.grain == "all":
        return []
    rows = cursor.execute("SELECT DISTINCT k1 FROM temp.keys ORDER BY k1").fetchall()
    if staged.incoming.grain == "period":
        return sorted({f"{start:%Y-%m}" for (start,) in rows})
    return spans([date.fromordinal(EPOCH + day) for (day,) in rows])


def _day(moment: datetime) -> int:
    return moment.date().toordinal() - EPOCH


def _record(cursor: duckdb.DuckDBPyConnection, staged: Staged, periods: list[str], replaced: list[str]) -> None:
    """The load's own row, its rejects and findings, and the tie between load and snapshot."""
    incoming = staged.incoming
    values: dict[str, Any] = {
        "LoadId": incoming.load_id,
        "Connection": incoming.connection,
        "Format": incoming.format,
        "Provider": staged.provider,
        "TableName": incoming.table,
        "LoadedAt": incoming.now,
        "Sources": as_json([{"name": f.name, "bytes": f.bytes, "sha256": f.sha256} for f in incoming.files]),
        "Periods": as_json(periods),
        "FirstMoment": staged.span[0],
        "LastMoment": staged.span[1],
        "RowsIn": staged.rows_in,
        "RowsLoaded": staged.rows_loaded,
        "RowsRejected": staged.rows_rejected,
        "RowsDropped": staged.rows_dropped,
        "RowsAdded": staged.rows_added,
        "BilledIn": as_json({k: f"{v:f}" for k, v in staged.billed_in.items()}),
        "BilledLoaded": as_json({k: f"{v:f}" for k, v in staged.billed_loaded.items()}),
        "SchemaVersion": SCHEMA_VERSION,
        "Replaced": as_json(replaced),
        "Synthetic": incoming.synthetic,
        "StreamName": incoming.fetched and incoming.fetched.stream,
        "StreamVersion": incoming.fetched and incoming.fetched.version,
        "CoveredFrom": incoming.fetched and incoming.fetched.first,
        "CoveredBefore": incoming.fetched and incoming.fetched.before,
    }
    _insert(cursor, "loads", [values])
    _insert(
        cursor,
        "rejects",
        [
            {
                "LoadId": incoming.load_id,
                "File": r.file,
                "RowNumber": r.row,
                "ColumnName": r.column,
                "Value": r.value,
                "Reason": r.reason,
            }
            for r in staged.rejects
        ],
    )
    _insert(cursor, "findings", [_finding(incoming.load_id, f) for f in staged.findings])
    cursor.execute(f"UPDATE sentinel SET LastLoadId = {literal(incoming.load_id)}, Loads = Loads + 1")
    extra = json.dumps({"load_id": incoming.load_id})
    cursor.execute(f"CALL {ALIAS}.set_commit_message('spendproof', 'load {incoming.load_id}', extra_info => '{extra}')")


def _finding(load_id: str, finding: Finding) -> dict[str, Any]:
    return {
        "LoadId": load_id,
        "CheckId": finding.check,
        "Severity": finding.severity,
        "RowCount": finding.rows,
        "Billed": as_json(finding.billed),
        "Sentence": finding.sentence,
        "Examples": as_json(finding.examples),
    }


def _insert(cursor: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, Any]]) -> None:
    """Insert rows as JSON, which holds any text and, unlike parameters and Arrow, does not ask for pandas."""
    columns = TABLES[table]
    shape = literal(json.dumps([{c.name: "VARCHAR" for c in columns}]))
    casts = ", ".join(f'r."{c.name}"::{c.type}' for c in columns)
    for first in range(0, len(rows), _BATCH):
        given = literal(json.dumps(rows[first : first + _BATCH], default=str))
        cursor.execute(f"INSERT INTO {table} SELECT {casts} FROM (SELECT unnest(from_json({given}, {shape})) AS r)")


def _into_place(lake: Lake, staged: Staged) -> Path:
    """Move the finished file into the lake's data; until the commit nothing refers to it."""
    folder = lake.address.data / "main" / staged.incoming.table
    folder.mkdir(parents=True, exist_ok=True)
    return staged.file.rename(folder / staged.file.name)


def _abandon(cursor: duckdb.DuckDBPyConnection, registered: Path) -> None:
    # A commit that failed has ended the transaction already.
    with suppress(duckdb.TransactionException):
        cursor.execute("ROLLBACK")
    registered.unlink(missing_ok=True)


def sweep(lake: Lake) -> list[Path]:
    """Remove the data files of loads that were killed between their move and their commit: those without an entry.

    The caller holds the lake's lock, so that no other writer has a file between its move and its commit.
    """
    gone = list[Path]()
    cursor = lake.cursor()
    known = {
        Path(path).name
        for table in ("ducklake_data_file", "ducklake_delete_file", "ducklake_files_scheduled_for_deletion")
        for (path,) in cursor.execute(f"SELECT path FROM {lake.address.metadata}.{table}").fetchall()
    }
    for file in lake.address.data.rglob("*.parquet"):
        if file.name not in known:
            file.unlink()
            gone.append(file)
    return gone
