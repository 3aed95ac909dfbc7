"""A proof as XLSX: the days as numbers, and every figure of the first page as a formula over them.

Spreadsheets calculate in binary floats; the exact figures stand beside the formulas, as the document has them. What
was modelled (the expected cost and the interval) is a number, since no formula of a sheet could measure it again.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from reports.proof.appendices import SPLIT
from reports.proof.document import daily
from reports.proof.page import page
from reports.render.cells import safe

_COLUMNS: Final = (
    ("date", "Day"),
    ("part", "Part"),
    ("cost", "Cost"),
    ("as_billed", "As billed"),
    ("driver", "Driver"),
    ("expected", "Expected"),
    ("expected_low", "Low"),
    ("expected_high", "High"),
    ("price_per_token", "Price of a token"),
    ("tokens_per_driver", "Tokens per driver"),
)
_TEXTS: Final = 2
_WIDE: Final = 100

Sheet = Any  # XlsxWriter's own, without types


def xlsx(document: Mapping[str, Any]) -> bytes:
    """The workbook of a document; the same document gives the same bytes."""
    import xlsxwriter  # noqa: PLC0415 - only this format needs it

    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(out, options) as book:
        shown = page(document)
        made = datetime.fromisoformat(document["signed_at"]).replace(tzinfo=None)
        book.set_properties({"title": f"{shown['title']} {shown['id']}", "created": made})
        styles = _styles(book)
        days = daily(document)
        _first(book.add_worksheet("Proof"), document, shown, styles, len(days))
        _days(book.add_worksheet("Days"), days, styles)
        for part in shown["appendices"]:
            _appendix(book.add_worksheet(_name(part["title"])), part, styles)
    return out.getvalue()


def _styles(book: Any) -> dict[str, Any]:  # noqa: ANN401
    font = {"font_name": "Inter", "font_size": 10}
    return {
        "title": book.add_format(font | {"bold": True, "font_size": 16}),
        "bold": book.add_format(font | {"bold": True, "text_wrap": True, "valign": "top"}),
        "head": book.add_format(font | {"bold": True, "bottom": 1}),
        "headed": book.add_format(font | {"bold": True, "bottom": 1, "align": "right"}),
        "text": book.add_format(font | {"text_wrap": True, "valign": "top"}),
        "plain": book.add_format(font),
        "money": book.add_format(font | {"num_format": "#,##0.00"}),
        "count": book.add_format(font | {"num_format": "#,##0"}),
        "fine": book.add_format(font | {"num_format": "0.000000E+00"}),
        "share": book.add_format(font | {"num_format": "0.0%"}),
        "day": book.add_format(font | {"num_format": "yyyy-mm-dd"}),
    }


def _first(sheet: Sheet, document: Mapping[str, Any], shown: Mapping[str, Any], styles: Any, days: int) -> None:  # noqa: ANN401
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 2, 20)
    sheet.set_column(3, 3, 70)
    sheet.write_string(0, 0, f"{shown['title']}: {shown['state']}", styles["title"])
    texts = ("synthetic", "redacted", "headline", "interval", "evidence", "class", "quality", "fee", "method")
    at = 2
    for text in (shown[name] for name in texts if shown[name]):
        sheet.merge_range(at, 0, at, 3, safe(text), styles["bold" if at == 2 else "text"])  # noqa: PLR2004
        sheet.set_row(at, 15 * (1 + len(text) // _WIDE))
        at += 1
    at = _figures(sheet, document, styles, at + 1, days)
    for reason in (*shown["refused"], *shown["warnings"], *shown["limits"], *shown["verify"]):
        sheet.merge_range(at, 0, at, 3, safe(reason), styles["text"])
        sheet.set_row(at, 15 * (1 + len(reason) // _WIDE))
        at += 1


def _figures(sheet: Sheet, document: Mapping[str, Any], styles: Any, at: int, days: int) -> int:  # noqa: ANN401
    """The figures as formulas over the sheet of days, with the signed ones beside; the first row below them."""
    claim, figures = document["claim"], document["claim"]["figures"]
    for x, head in enumerate((f"Figure ({claim['currency']})", "Calculated here", "As signed", "How")):
        sheet.write_string(at, x, head, styles["headed" if x in {1, 2} else "head"])
    of = f"Days!B2:B{days + 1}"
    # A day without an expectation is part of no sum.
    both = f'{of},"reporting",Days!F2:F{days + 1},"<>"'
    expected, cost, billed = (f"Days!{letter}2:{letter}{days + 1}" for letter in "FCD")
    first = at + 2
    named = document["state"] != "not verified"
    lines = [
        ("Without the change", f"=SUMIFS({expected},{both})", "counterfactual", "money", "sum of what is expected"),
        ("Actual, at constant prices", f"=SUMIFS({cost},{both})", "actual", "money", "sum of the reporting days"),
        (
            "Saving" if named else "Difference, not verified",
            f"=B{first}-B{first + 1}",
            "point",
            "money",
            "the difference",
        ),
        ("Share", f"=IF(B{first}=0,0,B{first + 2}/B{first})", "share", "share", "of the cost without the change"),
        ("Lower end of the interval", None, "low", "money", "modelled; no formula of a sheet measures it"),
        ("Upper end of the interval", None, "high", "money", "modelled; no formula of a sheet measures it"),
        ("Actual, as billed", f"=SUMIFS({billed},{both})", "actual_as_billed", "money", "sum of the reporting days"),
    ]
    for label, formula, name, style, how in lines if figures["point"] is not None else ():
        at += 1
        sheet.write_string(at, 0, label, styles["plain"])
        value = float(figures[name])
        if formula:
            sheet.write_formula(at, 1, formula, styles[style], value)
        sheet.write_number(at, 2, value, styles[style])
        sheet.write_string(at, 3, how, styles["text"])
    if figures["point"] is None:
        at += 1
        sheet.write_string(at, 0, "Nothing could be measured.", styles["plain"])
    return _shares(sheet, claim, styles, _fee(sheet, claim, styles, at + 1))


def _shares(sheet: Sheet, claim: Mapping[str, Any], styles: Any, at: int) -> int:  # noqa: ANN401
    """The parts of several changes with their sums as formulas; the first row below them."""
    if not claim["shares"]:
        return at
    for x, head in enumerate((SPLIT, "By date", "Shapley's value", "From")):
        sheet.write_string(at, x, head, styles["headed" if x in {1, 2} else "head"])
    first = at = at + 1
    for share in claim["shares"]:
        sheet.write_string(at, 0, safe(share["note"]), styles["text"])
        sheet.write_number(at, 1, float(share["sequential"]), styles["money"])
        sheet.write_number(at, 2, float(share["shapley"]), styles["money"])
        sheet.write_string(at, 3, share["first_day"], styles["text"])
        at += 1
    sheet.write_string(at, 0, "Together", styles["plain"])
    point = float(claim["figures"]["point"])
    for x, letter in ((1, "B"), (2, "C")):
        sheet.write_formula(at, x, f"=SUM({letter}{first + 1}:{letter}{at})", styles["money"], point)
    return at + 2


def _fee(sheet: Sheet, claim: Mapping[str, Any], styles: Any, at: int) -> int:  # noqa: ANN401
    first = at
    for line in claim["fee"]:
        sheet.write_string(at, 0, safe(line["text"]), styles["text"])
        sheet.write_number(at, 2, float(line["amount"]), styles["money"])
        at += 1
    if claim["fee"]:
        sheet.write_string(at, 0, "Fee", styles["plain"])
        total = sum(float(line["amount"]) for line in claim["fee"])
        sheet.write_formula(at, 1, f"=SUM(C{first + 1}:C{at})", styles["money"], total)
        at += 1
    return at + 1


def _days(sheet: Sheet, days: Sequence[Mapping[str, Any]], styles: Any) -> None:  # noqa: ANN401
    sheet.freeze_panes(1, 1)
    sheet.set_column(0, len(_COLUMNS) - 1, 15)
    formats = ("day", "plain", "money", "money", "count", "money", "money", "money", "fine", "fine")
    for x, (_, head) in enumerate(_COLUMNS):
        sheet.write_string(0, x, head, styles["head" if x < _TEXTS else "headed"])
    for y, row in enumerate(days, 1):
        sheet.write_datetime(
            y, 0, datetime.combine(date.fromisoformat(row["date"]), datetime.min.time()), styles["day"]
        )
        sheet.write_string(y, 1, row["part"], styles["plain"])
        for x, (name, _) in enumerate(_COLUMNS[_TEXTS:], _TEXTS):
            if row[name] is not None:
                sheet.write_number(y, x, float(row[name]), styles[formats[x]])


def _appendix(sheet: Sheet, part: Mapping[str, Any], styles: Any) -> None:  # noqa: ANN401
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 5, 30)
    sheet.write_string(0, 0, part["title"], styles["title"])
    at = 2
    for sentence in part["sentences"]:
        sheet.write_string(at, 0, safe(sentence), styles["plain"])
        at += 1
    for row in ([part["columns"]] if part["headed"] else []) + part["rows"]:
        for x, cell in enumerate(row):
            style = styles["head"] if row is part["columns"] else styles["text"]
            sheet.write_string(at, x, safe(cell), style)
        at += 1


def _name(title: str) -> str:
    """A sheet's name, without the characters that a workbook refuses, of at most 31."""
    return "".join(" " if char in "[]:*?/\\" else char for char in title)[:31].strip()
