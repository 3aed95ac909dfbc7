"""Files that a page hands out: exact figures as CSV, with what they are about in every row."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from ui.controls import Span
from ui.frame import SYNTHETIC, View


def csv_text(records: Sequence[Mapping[str, Any]], about: Mapping[str, str]) -> str:
    """Records as CSV, after the columns of `about`, which are the same in every row."""
    names = list(dict.fromkeys(name for record in records for name in record))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*about, *names])
    for record in records:
        writer.writerow([*about.values(), *(_cell(record.get(name)) for name in names)])
    return text.getvalue()


def about(view: View, span: Span | None = None) -> dict[str, str]:
    """What every row of an export says about itself: sample or not, workspace, snapshot, days."""
    facts = {"data": SYNTHETIC} if view.coverage.synthetic else {}
    facts |= {"workspace": view.workspace, "snapshot": str(view.snapshot)}
    return facts | ({"from": f"{span.first}", "to": f"{span.last}"} if span else {})


def file_name(view: View, what: str, span: Span | None = None) -> str:
    """Name of an export: `synthetic-sample-spend-demo-2026-08-01-2026-10-31.csv`."""
    lead = "synthetic-sample-" if view.coverage.synthetic else ""
    days = f"-{span.first}-{span.last}" if span else ""
    return f"{lead}{what}-{view.workspace}{days}.csv"


def button(view: View, what: str, records: Callable[[], Sequence[Mapping[str, Any]]], span: Span | None = None) -> None:
    """A download of exact figures, made when it is clicked."""
    st.download_button(
        "Download CSV",
        lambda: csv_text(records(), about(view, span)).encode(),
        file_name(view, what, span),
        "text/csv",
        key=f"download-{what}",
        on_click="ignore",
    )


def _cell(value: object) -> object:
    """A cell as text that no spreadsheet takes for a formula."""
    if isinstance(value, str) and value[:1] in {"=", "+", "@", "\t", "\r"}:
        return f"'{value}"
    return value
