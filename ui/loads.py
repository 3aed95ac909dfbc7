"""Loads and rejects as the command line prints them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Context, Decimal
from typing import Any, Final

from ledger.checks import Finding
from ledger.lake import Lake
from ledger.replace import Loaded
from ui.console import print_json, print_table, say_out

#: Python's own context would round sums at 28 digits.
_WIDE: Final = Context(prec=60)


def record(loaded: Loaded) -> dict[str, Any]:
    """One load as JSON: counts, decimal strings by currency, what it holds and what was noticed."""
    return {
        "load_id": loaded.load_id,
        "format": loaded.format,
        "provider": loaded.provider,
        "connection": loaded.connection,
        "table": loaded.table,
        "snapshot": loaded.snapshot,
        "unchanged": loaded.unchanged,
        "rows_in": loaded.rows_in,
        "rows_loaded": loaded.rows_loaded,
        "rows_rejected": loaded.rows_rejected,
        "rows_dropped": loaded.rows_dropped,
        "rows_added": loaded.rows_added,
        "billed_cost_in": _strings(loaded.billed_in),
        "billed_cost_loaded": _strings(loaded.billed_loaded),
        "periods": list(loaded.periods),
        "replaced": list(loaded.replaced),
        "findings": [_finding(f) for f in loaded.findings],
    }


def summary(results: Sequence[Loaded]) -> dict[str, Any]:
    """All loads of one command: sums over them, the facts of a single one, and each in `loads`."""
    records = [record(r) for r in results]
    single = records[0] if len(records) == 1 else {}
    counts = ("rows_in", "rows_loaded", "rows_rejected", "rows_dropped", "rows_added")
    return {
        "load_id": single.get("load_id"),
        "format": single.get("format"),
        "provider": single.get("provider"),
        "snapshot": max((r.snapshot for r in results), default=None),
        **{name: sum(r[name] for r in records) for name in counts},
        "billed_cost_in": _strings(_sum(r.billed_in for r in results)),
        "billed_cost_loaded": _strings(_sum(r.billed_loaded for r in results)),
        "periods": sorted({period for r in results for period in r.periods}),
        "findings": [finding for r in records for finding in r["findings"]],
        "loads": records,
    }


def print_loaded(results: Sequence[Loaded]) -> None:
    """What each load of a command did, for people."""
    for r in results:
        if r.unchanged:
            say_out(f"{r.format}: already loaded as {r.load_id}; nothing changed.")
            continue
        money = "".join(f", {amount:,.2f} {currency}" for currency, amount in sorted(r.billed_loaded.items()))
        say_out(f"{r.format}: {r.rows_loaded:,} of {r.rows_in:,} rows loaded{money} (load {r.load_id})")
        if r.periods:
            say_out(f"  holds {_shown(r.periods)}" + (", replacing what was there" if r.replaced else ""))
        if r.rows_dropped or r.rows_added:
            say_out(f"  {r.rows_dropped:,} rows offset others and were left out, {r.rows_added:,} were split in two")
        if r.rows_rejected:
            say_out(f"  {r.rows_rejected:,} rows could not be taken: spendproof rejects --load {r.load_id}")
        for finding in r.findings:
            say_out(f"  {finding.severity}: {finding.sentence}")


def print_loads(lake: Lake, *, as_json: bool) -> None:
    """Every load, newest first."""
    loads = lake.records("SELECT * FROM loads ORDER BY LoadedAt DESC, LoadId DESC")
    if as_json:
        print_json([_load(row) for row in loads])
        return
    if not loads:
        say_out("Nothing was loaded yet. Load a bill: spendproof import FILE...")
        return
    rows = [
        (
            row["LoadId"],
            f"{row['LoadedAt']:%Y-%m-%d %H:%M}",
            row["Format"],
            _shown(json.loads(row["Periods"])),
            row["RowsLoaded"],
            row["RowsRejected"],
            _amounts(json.loads(row["BilledLoaded"])),
        )
        for row in loads
    ]
    headings = ("load", "loaded at (UTC)", "format", "periods", "rows", "rejected", "billed")
    print_table(headings, rows, right=(4, 5, 6))


def print_rejects(lake: Lake, load: str | None, *, as_json: bool) -> None:
    """Every row that could not be taken."""
    condition, values = ("WHERE LoadId = ?", [load]) if load else ("", [])
    rows = lake.records(f"SELECT * FROM rejects {condition} ORDER BY LoadId DESC, File, RowNumber", values)
    if as_json:
        names = {
            "load_id": "LoadId",
            "file": "File",
            "row": "RowNumber",
            "column": "ColumnName",
            "value": "Value",
            "reason": "Reason",
        }
        print_json([{key: row[name] for key, name in names.items()} for row in rows])
        return
    if not rows:
        say_out("No row was rejected.")
        return
    table = [(r["File"], r["RowNumber"], r["ColumnName"], r["Value"], r["Reason"]) for r in rows]
    print_table(("file", "row", "column", "value", "reason"), table, right=(1,))


def print_removed(source: str, loads: Sequence[str], *, as_json: bool) -> None:
    """What taking a source out of the ledger did."""
    if as_json:
        print_json({"source": source, "loads_removed": list(loads)})
    else:
        say_out(f"The rows of {source} ({len(loads)} loads) are no longer in the ledger.")


def _load(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "load_id": row["LoadId"],
        "connection": row["Connection"],
        "format": row["Format"],
        "provider": row["Provider"],
        "table": row["TableName"],
        "loaded_at": row["LoadedAt"].isoformat(),
        "sources": json.loads(row["Sources"]),
        "periods": json.loads(row["Periods"]),
        "first_moment": row["FirstMoment"] and row["FirstMoment"].isoformat(),
        "last_moment": row["LastMoment"] and row["LastMoment"].isoformat(),
        "rows_in": row["RowsIn"],
        "rows_loaded": row["RowsLoaded"],
        "rows_rejected": row["RowsRejected"],
        "rows_dropped": row["RowsDropped"],
        "rows_added": row["RowsAdded"],
        "billed_cost_in": json.loads(row["BilledIn"]),
        "billed_cost_loaded": json.loads(row["BilledLoaded"]),
        "replaced": json.loads(row["Replaced"]),
        "synthetic": row["Synthetic"],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "check": finding.check,
        "severity": finding.severity,
        "rows": finding.rows,
        "billed_cost": finding.billed,
        "sentence": finding.sentence,
        "examples": finding.examples,
    }


def _strings(amounts: dict[str, Decimal]) -> dict[str, str]:
    return {currency: f"{amount:f}" for currency, amount in sorted(amounts.items())}


def _sum(parts: Any) -> dict[str, Decimal]:  # noqa: ANN401 - any iterable of amounts by currency
    totals: dict[str, Decimal] = {}
    for part in parts:
        for currency, amount in part.items():
            totals[currency] = _WIDE.add(totals.get(currency, Decimal(0)), amount)
    return totals


def _amounts(amounts: dict[str, str]) -> str:
    return ", ".join(f"{Decimal(value):,.2f} {currency}" for currency, value in sorted(amounts.items())) or "-"


def _shown(periods: Sequence[str]) -> str:
    if not periods:
        return "-"
    return periods[0] if len(periods) == 1 else f"{periods[0].split('..')[0]} to {periods[-1].split('..')[-1]}"
