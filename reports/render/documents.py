"""CSV and JSON of a report: exact values, for programs."""

from __future__ import annotations

import csv
import io
import json

from reports.render.cells import safe
from reports.report import Report, Value, as_json, record


def json_text(report: Report) -> bytes:
    """The report with its digest, amounts as decimal strings."""
    return (json.dumps(record(report) | {"digest": report.digest}, indent=2, ensure_ascii=False) + "\n").encode()


def csv_text(report: Report) -> bytes:
    """One line for each value: section, table, row, column, exact value, unit; what the report says comes first."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["section", "table", "row", "column", "value", "kind", "of", "note"])
    said = [("data", "synthetic sample")] if report.synthetic else []
    said += [("alarm", text) for text in report.alarms] + [("note", text) for text in report.notes]
    said += [
        ("workspace", report.workspace),
        ("first day", report.first.isoformat()),
        ("last day", report.last.isoformat()),
        ("snapshot", "" if report.snapshot is None else str(report.snapshot)),
    ]
    writer.writerows(["About", "", name, "", safe(text), "text", "", ""] for name, text in said)
    for section in report.sections:
        for figure in section.figures:
            cells = [_cell(figure.value), figure.kind.value, figure.of or report.currency, safe(figure.note)]
            writer.writerow([section.title, "", safe(figure.label), "", *cells])
        for table in section.tables:
            rows = [*table.rows, *([table.total] if table.total else [])]
            for row in rows:
                for column, value in zip(table.columns[1:], row[1:], strict=True):
                    cells = [_cell(value), column.kind.value, column.of or report.currency, ""]
                    writer.writerow([section.title, table.title, _cell(row[0]), column.label, *cells])
    return out.getvalue().encode()


def _cell(value: Value) -> str:
    """An exact value; a number may begin with a minus, a text may not."""
    if isinstance(value, str):
        return safe(value)
    shown = as_json(value)
    return "" if shown is None else str(shown)
