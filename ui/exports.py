"""Files that a page hands out: exact figures as CSV, with what they are about in every row."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import streamlit as st

from reports.render.cells import safe
from ui.controls import Span
from ui.frame import SYNTHETIC, View

#: A number, which may begin with a minus and is no formula.
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")
#: Amounts as exports carry them: plain decimals. A longer whole number is an account, and no amount.
_AMOUNT: Final = re.compile(r"-?\d{1,3}(\d{0,8}\.\d+|\d{0,6})")

#: Pixels.
_COPY_HEIGHT: Final = 320


def csv_text(records: Sequence[Mapping[str, Any]], about: Mapping[str, str], delimiter: str = ",") -> str:
    """Records as CSV, after the columns of `about`, which are the same in every row."""
    names = list(dict.fromkeys(name for record in records for name in record))
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
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


def workbook(records: Sequence[Mapping[str, Any]], about: Mapping[str, str]) -> bytes:
    """Records as an XLSX sheet: amounts as numbers, which a spreadsheet holds to 15 digits, and a header that stays.

    What the records are about stands on a sheet of its own. The CSV keeps every digit.
    """
    import xlsxwriter  # noqa: PLC0415 - only a download needs it

    names = list(dict.fromkeys(name for record in records for name in record))
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        bold = book.add_format({"bold": True})
        sheet = book.add_worksheet("Figures")
        sheet.write_row(0, 0, names, bold)
        sheet.freeze_panes(1, 0)
        for row, record in enumerate(records, 1):
            for column, name in enumerate(names):
                _write_cell(sheet, row, column, record.get(name))
        sheet.autofit()
        told = book.add_worksheet("About")
        for row, (name, value) in enumerate(about.items()):
            told.write_string(row, 0, name, bold)
            told.write_string(row, 1, value)
        told.autofit()
    return file.getvalue()


def _write_cell(sheet: Any, row: int, column: int, value: object) -> None:  # noqa: ANN401 - XlsxWriter's worksheet
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        sheet.write_string(row, column, str(value))
    elif isinstance(value, str) and not _AMOUNT.fullmatch(value):
        sheet.write_string(row, column, value)
    else:
        sheet.write_number(row, column, float(value))


def button(view: View, what: str, records: Callable[[], Sequence[Mapping[str, Any]]], span: Span | None = None) -> None:
    """Exact figures as a download or to be copied, made when it is clicked."""
    st.download_button(
        "Download CSV",
        lambda: csv_text(records(), about(view, span)).encode(),
        file_name(view, what, span),
        "text/csv",
        key=f"download-{what}",
        on_click="ignore",
    )
    st.download_button(
        "XLSX",
        lambda: workbook(records(), about(view, span)),
        file_name(view, what, span).removesuffix("csv") + "xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        key=f"download-{what}-xlsx",
        on_click="ignore",
        help="The same figures as a spreadsheet",
    )
    if st.button("Copy", key=f"copy-{what}", help="The same figures as text that a spreadsheet takes"):
        _to_copy(csv_text(records(), about(view, span), "\t"))


@st.dialog("Copy as a table", width="large")
def _to_copy(text: str) -> None:
    """The figures with tabs between them, and Streamlit's own button that copies them."""
    st.caption("Copy it by the button at its corner and paste it into a spreadsheet: each figure takes a cell.")
    st.code(text, language=None, height=_COPY_HEIGHT)


def _cell(value: object) -> object:
    """A cell as text that no spreadsheet takes for a formula; an amount below zero is no formula."""
    return safe(value) if isinstance(value, str) and not _NUMBER.fullmatch(value) else value
