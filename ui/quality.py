"""Loads: what came in, what was refused and why, what the checks noticed, and the days that are missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import streamlit as st

from analysis.quality import SourceQuality
from analysis.result import plain
from connectors.errors import UnknownFormatError
from connectors.registry import named
from reports import numbers
from ui import cards, data, exports
from ui.cards import Told
from ui.data import Lineage
from ui.frame import View, page
from ui.tables import count_column, day_column, show, show_text

#: What `analysis.quality` computes, in a sentence.
SCORE_MEANS: Final = (
    "Of 100: less the share of missing days, of rejected rows, of billed cost that errors are about, and a quarter of "
    "the share that warnings are about."
)
_ROWS: Final = ("quality", "loads-and-rows")
_TOLD: Final = {
    "Sources": Told("Connections and kinds of files that the ledger has loads of.", *_ROWS),
    "Loads": Told("Pulls and files on record, those that were replaced included.", *_ROWS),
    "Rows rejected": Told("Rows that could not be taken, each listed below with its reason.", *_ROWS),
    "Last load": Told("Day (UTC) of the newest load.", *_ROWS),
}


def draw(view: View) -> None:
    """The page below its title."""
    held = data.lineage(view.workspace, view.snapshot)
    sources = data.quality(view.workspace, view.snapshot)
    _cards(held, sources)
    _sources(sources)
    _findings(view, sources)
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


def money_by_currency(amounts: Mapping[str, Decimal]) -> str:
    """Amounts of several currencies side by side, never summed."""
    return "; ".join(numbers.money(amount, code) for code, amount in sorted(amounts.items())) or numbers.NONE


def _cards(held: Lineage, sources: Sequence[SourceQuality]) -> None:
    last = max((load["LoadedAt"] for load in held.loads), default=None)
    shown = (
        ("Sources", numbers.count(len(sources))),
        ("Loads", numbers.count(len(held.loads))),
        ("Rows rejected", numbers.count(sum(load["RowsRejected"] for load in held.loads))),
        ("Last load", numbers.day(last) if last else None),
    )
    with st.grid(4, min_column_width=150):
        for label, figure in shown:
            cards.show(label, figure, _TOLD[label])


def _sources(sources: Sequence[SourceQuality]) -> None:
    st.header("Sources", anchor=False)
    columns = {
        "Score of 100": st.column_config.NumberColumn(format="%.1f", help=SCORE_MEANS),
        "Missing days": count_column("Days without any charge between the first and the last one"),
        "First day": day_column("Of the charges; a source of usage or business figures has none"),
        "Last day": day_column(),
        "Rows in": count_column(),
        "Rejected": count_column(),
    }
    records = [_source(source) for source in sources]
    show(records, columns, alt="Sources with their score, days and findings", key="sources-table")
    for source in sources:
        if missing := source.coverage.missing_days:
            shown = ", ".join(numbers.day(day) for day in missing[:10])
            more = f" and {len(missing) - 10} more" if len(missing) > 10 else ""  # noqa: PLR2004
            st.warning(
                f"{source_name(source.connection)}: no charges on {shown}{more}. These days are gaps, not zeros; load "
                "the bill again when it is complete."
            )


def _source(source: SourceQuality) -> dict[str, Any]:
    days = source.coverage.days
    kinds = [finding.severity for finding in source.findings]
    return {
        "Source": source_name(source.connection),
        "Score of 100": source.score,
        "Errors": kinds.count("error"),
        "Warnings": kinds.count("warning"),
        "Notes": kinds.count("note"),
        "First day": days[0] if days else None,
        "Last day": days[-1] if days else None,
        "Missing days": len(source.coverage.missing_days) if days else None,
        "Rows in": source.rows_in,
        "Rejected": source.rows_rejected,
    }


def _findings(view: View, sources: Sequence[SourceQuality]) -> None:
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    left.header("What the checks noticed", anchor=False)
    records = [
        {
            "Kind": finding.severity,
            "What": finding.sentence,
            "Source": source_name(source.connection),
            "Rows": numbers.count(finding.rows or None),
            "Billed": money_by_currency(finding.billed),
        }
        for source in sources
        for finding in source.findings
    ]
    if not records:
        st.caption("Nothing: every check passed on every row.")
        return
    with right, st.container(horizontal=True, horizontal_alignment="right"):
        exports.button(view, "findings", lambda: records)
    st.caption("Of the loads that are still in the ledger. A check never changes or drops a row.")
    grave = [record for record in records if record["Kind"] != "note"]
    notes = [record for record in records if record["Kind"] == "note"]
    if grave:
        show_text(grave, alt="Errors and warnings of the checks")
    if notes:
        with st.expander(f"{numbers.some(len(notes), 'note')}, such as what a format cannot tell"):
            show_text(notes, alt="Notes of the checks")


def _rejects(view: View, held: Lineage) -> None:
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    left.header("Rejected rows", anchor=False)
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
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    left.header("Loads", anchor=False)
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
        "Billed in": money_by_currency(data.amounts(load["BilledIn"])),
        "Billed loaded": money_by_currency(data.amounts(load["BilledLoaded"])),
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
    "Loads and data quality",
    "What was loaded, what was refused, and how far the data can be trusted.",
    draw,
    needs_charges=False,
)
