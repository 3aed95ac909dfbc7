"""XLSX of a report: numbers as numbers, one sheet for each section, totals as formulas with their value."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal
from typing import Any, Final

from reports.render.cells import safe
from reports.report import NUMERIC, Kind, Report, Section, Table, Value

_WIDTH: Final = 16
_WIDEST: Final = 60
_SHEET_NAME: Final = 31
_FORMATS: Final = {
    Kind.MONEY: "#,##0.00",
    Kind.WHOLE: "#,##0",
    Kind.UNIT_PRICE: "#,##0.00####",
    Kind.COUNT: "#,##0",
    Kind.TOKENS: "#,##0",
    Kind.SHARE: "0.0%",
    Kind.CHANGE: "+0.0%;-0.0%;0.0%",
    Kind.DAY: "d mmm yyyy",
    Kind.TEXT: "General",
}
#: Kinds whose total is the sum of the rows; a share or a price of a unit is not.
_SUMMED: Final = (Kind.MONEY, Kind.WHOLE, Kind.COUNT, Kind.TOKENS)


def xlsx(report: Report) -> bytes:
    """The workbook; the same report gives the same bytes, whenever it is written."""
    import xlsxwriter  # noqa: PLC0415 - only this format needs it

    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, options) as book:
        book.set_properties({"title": report.title, "company": report.workspace, "created": report.made})
        styles = _Styles(book, report.currency)
        _about(book, styles, report)
        for section in report.sections:
            _sheet(book, styles, section)
    return out.getvalue()


class _Styles:
    """Cell formats, made once."""

    def __init__(self, book: Any, currency: str) -> None:  # noqa: ANN401 - XlsxWriter's own, without types
        font = {"font_name": "Inter", "font_size": 10}
        self.title = book.add_format(font | {"bold": True, "font_size": 16})
        self.head = book.add_format(font | {"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        self.number_head = book.add_format(
            font | {"bold": True, "bottom": 1, "align": "right", "text_wrap": True, "valign": "top"}
        )
        self.alarm = book.add_format(font | {"bold": True, "font_color": "#9c2f2f", "text_wrap": True})
        self.text = book.add_format(font | {"text_wrap": True, "valign": "top"})
        self.plain = book.add_format(font)
        self.of = {kind: book.add_format(font | {"num_format": code}) for kind, code in _FORMATS.items()}
        self.total = {
            kind: book.add_format(font | {"num_format": code, "bold": True, "top": 1})
            for kind, code in _FORMATS.items()
        }
        self.currency = currency


def _about(book: Any, styles: _Styles, report: Report) -> None:  # noqa: ANN401
    sheet = book.add_worksheet("About")
    sheet.set_column(0, 0, 24, styles.plain)
    sheet.set_column(1, 1, 90, styles.plain)
    sheet.write_string(0, 0, report.title, styles.title)
    at = 2
    if report.synthetic:
        sheet.write_string(at, 0, "Synthetic sample data: these are nobody's bills.", styles.alarm)
        at += 1
    for sentence in report.alarms:
        sheet.write_string(at, 0, "Attention", styles.alarm)
        sheet.write_string(at, 1, safe(sentence), styles.text)
        at += 1
    facts = {
        "Workspace": report.workspace,
        "Period": report.period,
        **({"Currency": report.currency} if report.currency else {}),
        "Figures from": report.source,
        "Made": f"{report.made:%Y-%m-%d %H:%M} UTC",
        "Digest": report.digest,
    }
    for name, text in facts.items():
        sheet.write_string(at, 0, name, styles.plain)
        sheet.write_string(at, 1, text, styles.text)
        at += 1
    for note in report.notes:
        sheet.write_string(at, 0, "Note", styles.plain)
        sheet.write_string(at, 1, safe(note), styles.text)
        at += 1


def _sheet(book: Any, styles: _Styles, section: Section) -> None:  # noqa: ANN401
    sheet = book.add_worksheet(_sheet_name(section.title))
    sheet.write_string(0, 0, section.title, styles.title)
    at = 2
    for sentence in section.sentences:
        sheet.write_string(at, 0, safe(sentence), styles.plain)
        at += 1
    for figure in section.figures:
        sheet.write_string(at, 0, safe(figure.label), styles.plain)
        _write(sheet, at, 1, figure.value, styles.of[figure.kind], styles)
        sheet.write_string(at, 2, safe(figure.note), styles.plain)
        at += 1
    for table in section.tables:
        at = _table(sheet, styles, table, at + (1 if at > 2 else 0))  # noqa: PLR2004 - a line apart from what is above
    widest = max((len(str(row[0])) for table in section.tables for row in table.rows), default=_WIDTH)
    sheet.set_column(0, 0, min(max(widest + 2, 24), _WIDEST))
    sheet.set_column(1, 12, _WIDTH)


def _table(sheet: Any, styles: _Styles, table: Table, at: int) -> int:  # noqa: ANN401
    """Write a table from row `at` on; the first row below it."""
    for x, column in enumerate(table.columns):
        unit = f" ({column.of or styles.currency})" if column.kind in {Kind.MONEY, Kind.WHOLE, Kind.UNIT_PRICE} else ""
        head = styles.number_head if column.kind in NUMERIC else styles.head
        sheet.write_string(at, x, f"{column.label}{unit}", head)
    for y, row in enumerate(table.rows, at + 1):
        for x, (column, value) in enumerate(zip(table.columns, row, strict=True)):
            _write(sheet, y, x, value, styles.of[column.kind], styles)
    end = at + 1 + len(table.rows)
    if table.total is not None:
        _closing(sheet, styles, table, (at + 1, end))
        end += 1
    if table.note:
        sheet.write_string(end, 0, safe(table.note), styles.plain)
        end += 1
    return end + 1


def _closing(sheet: Any, styles: _Styles, table: Table, rows: tuple[int, int]) -> None:  # noqa: ANN401
    """The last row: sums as formulas over the rows above, with the exact value that they come to."""
    first, end = rows
    for x, (column, value) in enumerate(zip(table.columns, table.total or (), strict=True)):
        style = styles.total[column.kind]
        if column.kind in _SUMMED and isinstance(value, Decimal | int) and _is_sum(table, x, value):
            letter = chr(ord("A") + x)
            sheet.write_formula(end, x, f"=SUM({letter}{first + 1}:{letter}{end})", style, float(value))
        else:
            _write(sheet, end, x, value, style, styles)


def _is_sum(table: Table, x: int, value: Decimal | int) -> bool:
    amounts = [row[x] for row in table.rows]
    return bool(amounts) and sum((Decimal(a) for a in amounts if isinstance(a, Decimal | int)), Decimal(0)) == value


def _write(sheet: Any, y: int, x: int, value: Value, style: Any, styles: _Styles) -> None:  # noqa: ANN401
    if value is None:
        sheet.write_string(y, x, "—", styles.plain)
    elif isinstance(value, date):
        sheet.write_datetime(y, x, value, style)
    elif isinstance(value, str):
        sheet.write_string(y, x, safe(value), style)
    else:
        sheet.write_number(y, x, float(value), style)


def _sheet_name(title: str) -> str:
    """A sheet's name: no character that a workbook refuses, at most 31."""
    return "".join(" " if char in "[]:*?/\\" else char for char in title)[:_SHEET_NAME]
