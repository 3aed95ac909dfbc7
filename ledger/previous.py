"""Whether the files of a load are in the ledger already, so that repeating it would change nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import duckdb

from ledger.checks import Finding
from ledger.engine import literal
from ledger.lake import ALIAS
from ledger.replace import Loaded
from ledger.staging import SourceFile
from ledger.tables import SCHEMA_VERSION


def may_repeat(cursor: duckdb.DuckDBPyConnection, connection: str, format_: str, sizes: Sequence[int]) -> bool:
    """Whether the last load of the connection had files of exactly these sizes: without that no digest is needed."""
    load = _last(cursor, connection, format_)
    return load is not None and sorted(f["bytes"] for f in json.loads(load["Sources"])) == sorted(sizes)


def previous(
    cursor: duckdb.DuckDBPyConnection, connection: str, format_: str, files: tuple[SourceFile, ...]
) -> Loaded | None:
    """The load of exactly these files, if it is the last of its connection and all its rows are still there."""
    load = _last(cursor, connection, format_)
    if load is None:
        return None
    if sorted(f["sha256"] for f in json.loads(load["Sources"])) != sorted(f.sha256 for f in files):
        return None
    if _rows(cursor, load) != load["RowsLoaded"] + load["RowsAdded"]:
        return None
    findings = cursor.execute(
        "SELECT CheckId, Severity, RowCount, Sentence, Billed, Examples FROM findings "
        f"WHERE LoadId = {literal(load['LoadId'])}"
    ).fetchall()
    snapshot = cursor.execute(f"FROM ducklake_current_snapshot('{ALIAS}')").fetchone()
    return Loaded(
        load["LoadId"],
        connection,
        format_,
        load["Provider"],
        load["TableName"],
        int(snapshot[0]) if snapshot else 0,
        load["RowsIn"],
        load["RowsLoaded"],
        load["RowsRejected"],
        load["RowsDropped"],
        load["RowsAdded"],
        {k: Decimal(v) for k, v in json.loads(load["BilledIn"]).items()},
        {k: Decimal(v) for k, v in json.loads(load["BilledLoaded"]).items()},
        tuple(json.loads(load["Periods"])),
        (),
        tuple(Finding(c, s, n, text, json.loads(b), json.loads(e)) for c, s, n, text, b, e in findings),
        unchanged=True,
    )


def _last(cursor: duckdb.DuckDBPyConnection, connection: str, format_: str) -> dict[str, Any] | None:
    result = cursor.execute(
        f"SELECT * FROM loads WHERE Connection = {literal(connection)} AND Format = {literal(format_)} "
        f"AND SchemaVersion = {SCHEMA_VERSION} ORDER BY LoadedAt DESC, LoadId DESC LIMIT 1"
    )
    names = [column[0] for column in result.description or []]
    found = result.fetchone()
    return None if found is None else dict(zip(names, found, strict=True))


def _rows(cursor: duckdb.DuckDBPyConnection, load: dict[str, Any]) -> int:
    """Rows of a load that are in the ledger: a removed source or a later load may have taken them away."""
    table, count = load["TableName"], "count(*)"
    if table == "charges":
        table, count = "daily_spend", "coalesce(sum(Charges), 0)::BIGINT"
    row = cursor.execute(f"SELECT {count} FROM {table} WHERE x_LoadId = {literal(load['LoadId'])}").fetchone()
    return int(row[0]) if row else 0
