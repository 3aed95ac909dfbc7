"""Loads: what came in, what was refused and why, what the checks noticed, and the days that are missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import streamlit as st

from analysis.result import plain, quotient
from connectors.errors import UnknownFormatError
from connectors.registry import named
from ui import data, exports, numbers
from ui.data import Lineage, Source
from ui.frame import View, page
from ui.tables import count_column, day_column, show, show_text

_COUNTED: Final = frozenset({"error", "warning"})
#: A bill without token quantities may be right to the cent; Unit cost shows what it lacks.
_TOKENS: Final = "Tokens."
_SEVERITIES: Final = ("error", "warning", "note")
SCORE_MEANS: Final = (
    "Share of the newest load's rows that were taken and that no check of the kind error or warning names. "
    "A row that several checks name counts once for each. Missing token quantities are left to Unit cost."
)


def draw(view: View) -> None:
    """The page below its title."""
    held = data.lineage(view.workspace, view.snapshot)
    _cards(held)
    _sources(view, held)
    _findings(view, held)
    _rejects(view, held)
    _loads(view, held)


def source_name(connection: str) -> str:
    """A connection as people call it: without the mark that it is a file."""
    return connection.removeprefix("file:")


def title_of(format_: str) -> str:
    """A format's title; its name where this version no longer knows it."""
    try:
        return named(format_).title
    except UnknownFormatError:
        return format_


def newest(held: Lineage) -> list[dict[str, Any]]:
    """The newest load of each connection and table, in order of connection."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for load in held.loads:
        found.setdefault((load["Connection"], load["TableName"]), load)
    return [found[key] for key in sorted(found)]


def score(load: Mapping[str, Any], findings: Sequence[Mapping[str, Any]]) -> Decimal | None:
    """`SCORE_MEANS`, between 0 and 1; None for a load without rows."""
    if not load["RowsIn"]:
        return None
    named_rows = sum(
        finding["RowCount"]
        for finding in findings
        if finding["LoadId"] == load["LoadId"]
        and finding["Severity"] in _COUNTED
        and not finding["CheckId"].startswith(_TOKENS)
    )
    return quotient(Decimal(max(0, load["RowsIn"] - load["RowsRejected"] - named_rows)), Decimal(load["RowsIn"]))


def money_by_currency(billed: Mapping[str, str] | None) -> str:
    """Amounts of several currencies side by side, never summed."""
    amounts = data.amounts(dict(billed or {}))
    return "; ".join(numbers.money(amount, code) for code, amount in sorted(amounts.items())) or numbers.NONE


def _cards(held: Lineage) -> None:
    now = newest(held)
    last = max((load["LoadedAt"] for load in held.loads), default=None)
    cards = (
        ("Sources", numbers.count(len({load["Connection"] for load in now}))),
        ("Loads", numbers.count(len(held.loads))),
        ("Rows rejected", numbers.count(sum(load["RowsRejected"] for load in held.loads))),
        ("Last load", f"{last:%-d %b %Y}" if last else None),
    )
    with st.grid(4, min_column_width=200):
        for label, figure in cards:
            st.metric(label, figure, border=True, height="stretch")


def _sources(view: View, held: Lineage) -> None:
    days = {source.connection: source for source in view.coverage.sources}
    st.subheader("Sources", anchor=False)
    records = [_source(load, days.get(load["Connection"]), held) for load in newest(held)]
    columns = {
        "Score": st.column_config.NumberColumn(format="%.1f%%", help=SCORE_MEANS),
        "Missing days": count_column("Days without any charge between the first and the last one"),
        "First day": day_column(),
        "Last day": day_column(),
        "Errors": count_column(),
        "Warnings": count_column(),
        "Notes": count_column(),
    }
    show(records, columns, alt="Sources with their score, days and findings", key="sources-table")
    for source in view.coverage.sources:
        if source.missing:
            shown = ", ".join(numbers.day(day) for day in source.missing[:10])
            more = f" and {len(source.missing) - 10} more" if len(source.missing) > 10 else ""  # noqa: PLR2004
            st.warning(
                f"{source_name(source.connection)}: no charges on {shown}{more}. These days are gaps, not zeros; load "
                "the bill again when it is complete."
            )


def _source(load: Mapping[str, Any], days: Source | None, held: Lineage) -> dict[str, Any]:
    found = [f for f in held.findings if f["LoadId"] == load["LoadId"]]
    counted = {kind: sum(1 for f in found if f["Severity"] == kind) for kind in _SEVERITIES}
    part = score(load, held.findings)
    return {
        "Source": source_name(load["Connection"]),
        "Holds": load["TableName"],
        "Score": numbers.points(part),
        "Errors": counted["error"],
        "Warnings": counted["warning"],
        "Notes": counted["note"],
        "First day": days.first if days else _day(load["FirstMoment"]),
        "Last day": days.last if days else _day(load["LastMoment"]),
        "Missing days": len(days.missing) if days else None,
    }


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()


def _findings(view: View, held: Lineage) -> None:
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    left.subheader("What the checks noticed", anchor=False)
    if not held.findings:
        st.caption("Nothing: every check passed on every row.")
        return
    names = {load["LoadId"]: source_name(load["Connection"]) for load in held.loads}
    current = {load["LoadId"] for load in newest(held)}
    found = [finding for finding in held.findings if finding["LoadId"] in current]
    found.sort(key=lambda f: (_SEVERITIES.index(f["Severity"]), -f["RowCount"]))
    records = [
        {
            "Kind": finding["Severity"],
            "What": finding["Sentence"],
            "Source": names.get(finding["LoadId"], numbers.NONE),
            "Rows": numbers.count(finding["RowCount"] or None),
            "Billed": money_by_currency(finding["Billed"]),
        }
        for finding in found
    ]
    with right, st.container(horizontal=True, horizontal_alignment="right"):
        exports.button(view, "findings", lambda: records)
    st.caption("Of the newest load of each source. A check never changes or drops a row.")
    grave = [record for record in records if record["Kind"] in _COUNTED]
    notes = [record for record in records if record["Kind"] not in _COUNTED]
    if grave:
        show_text(grave, alt="Errors and warnings of the checks")
    if notes:
        with st.expander(f"{len(notes)} notes, such as what a format cannot tell"):
            show_text(notes, alt="Notes of the checks")


def _rejects(view: View, held: Lineage) -> None:
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    left.subheader("Rejected rows", anchor=False)
    if not held.rejects:
        st.caption("None: every row that came in was taken.")
        return
    records = [
        {
            "File": row["File"],
            "Row": row["RowNumber"],
            "Column": row["ColumnName"],
            "Value": row["Value"],
            "Reason": row["Reason"],
        }
        for row in held.rejects
    ]
    with right, st.container(horizontal=True, horizontal_alignment="right"):
        exports.button(view, "rejects", lambda: records)
    if held.rejected > len(records):
        st.caption(f"The first {numbers.count(len(records))} of {numbers.count(held.rejected)}.")
    columns = {"Row": count_column("Row of the file, the first row of data being 1")}
    show(records, columns, alt="Rejected rows with the reason of each", key="rejects-table")


def _loads(view: View, held: Lineage) -> None:
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    left.subheader("Loads", anchor=False)
    records = [_load(load) for load in held.loads]
    with right, st.container(horizontal=True, horizontal_alignment="right"):
        exports.button(view, "loads", lambda: [_exported(load) for load in held.loads])
    columns = {
        "When, UTC": st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm", timezone="UTC"),
        **{name: count_column() for name in ("Rows in", "Loaded", "Rejected")},
        "Left out": count_column("Rows that another row of the source carries already"),
        "Added": count_column("Rows that the mapping made, such as the unused part of a commitment"),
    }
    show(records, columns, alt="Loads, the newest first", key="loads-table")


def _load(load: Mapping[str, Any]) -> dict[str, Any]:
    files = [str(source["name"]) for source in load["Sources"]]
    return {
        "When, UTC": load["LoadedAt"],
        "Format": title_of(load["Format"]),
        "Rows in": load["RowsIn"],
        "Loaded": load["RowsLoaded"],
        "Rejected": load["RowsRejected"],
        "Billed in": money_by_currency(load["BilledIn"]),
        "Billed loaded": money_by_currency(load["BilledLoaded"]),
        "Left out": load["RowsDropped"],
        "Added": load["RowsAdded"],
        "Files": files[0] if len(files) == 1 else f"{len(files)} files, {files[0]} first",
        "Sample": "synthetic" if load["Synthetic"] else "no",
    }


def _exported(load: Mapping[str, Any]) -> dict[str, Any]:
    """A load with every file and its digest, amounts in full."""
    full = {
        name: "; ".join(f"{code} {plain(amount)}" for code, amount in data.amounts(load[name]).items())
        for name in ("BilledIn", "BilledLoaded")
    }
    files = "; ".join(f"{source['name']} sha256:{source['sha256']}" for source in load["Sources"])
    kept = ("LoadId", "Connection", "Format", "TableName", "RowsIn", "RowsLoaded", "RowsRejected", "RowsDropped")
    return {name: load[name] for name in kept} | {
        "RowsAdded": load["RowsAdded"],
        "LoadedAt": load["LoadedAt"].isoformat(),
        **full,
        "Files": files,
        "Synthetic": load["Synthetic"],
    }


PAGE: Final = page(
    "Loads and data quality", "What was loaded, what was refused, and how far the data can be trusted.", draw, needs_charges=False
)

