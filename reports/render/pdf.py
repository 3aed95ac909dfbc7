"""PDF of a report by typst: PDF/A-3a and PDF/UA-1, the same bytes for the same report, its JSON attached."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from reports.render import charts
from reports.render.documents import json_text
from reports.report import NUMERIC, Report, Section, Table

_TEMPLATE: Final = Path(__file__).with_name("templates") / "report.typ"
_WIDTH: Final = 640
#: Letters up to which a column is as wide as it needs, and beyond which more give it no more room.
_SHORT: Final = 26
_WIDEST: Final = 90


def pdf(report: Report) -> bytes:
    """The document.

    Raises:
        RuntimeError: typst refused it, which a test of every report holds off (`typst.TypstError`).
    """
    import typst  # noqa: PLC0415 - only this format needs it

    # Typst's stubs know of one file only.
    files: Any = {"main": _TEMPLATE.read_bytes(), "report.json": json_text(report)}
    content = _content(report, files)
    return typst.compile(
        files,
        sys_inputs={"content": json.dumps(content)},
        font_paths=[str(charts.FONTS)],
        ignore_system_fonts=True,
        pdf_standards=["a-3a", "ua-1"],
        timestamp=int(report.made.timestamp()),
    )


def _content(report: Report, files: dict[str, bytes]) -> dict[str, Any]:
    """Everything that the page shows, written already; charts become files of their own."""
    return {
        "title": report.title,
        "workspace": report.workspace,
        "period": report.period,
        "about": report.about,
        "source": report.source,
        "made": f"{report.made:%Y-%m-%d %H:%M} UTC",
        "year": report.made.year,
        "month": report.made.month,
        "day": report.made.day,
        "digest": report.digest,
        "synthetic": report.synthetic,
        "alarms": list(report.alarms),
        "notes": list(report.notes),
        "sections": [_section(report, section, files) for section in report.sections],
    }


def _section(report: Report, section: Section, files: dict[str, bytes]) -> dict[str, Any]:
    pictures = list[dict[str, str]]()
    for chart in section.charts:
        name = f"chart-{len(files)}.svg"
        files[name] = charts.svg(chart, _WIDTH).encode()
        pictures.append({"title": chart.title, "alt": chart.alt, "file": name})
    return {
        "title": section.title,
        "sentences": list(section.sentences),
        "figures": [
            {"label": f.label, "value": report.written(f.value, f.kind, f.of), "note": f.note} for f in section.figures
        ],
        "charts": pictures,
        "tables": [_table(report, table) for table in section.tables],
    }


def _table(report: Report, table: Table) -> dict[str, Any]:
    def row(values: tuple[Any, ...]) -> list[str]:
        return [report.written(v, c.kind, c.of) for c, v in zip(table.columns, values, strict=True)]

    rows = [row(values) for values in table.rows]
    return {
        "title": table.title,
        "columns": [c.label for c in table.columns],
        "widths": _widths(table, rows),
        "numeric": [c.kind in NUMERIC for c in table.columns],
        "rows": rows,
        "total": None if table.total is None else row(table.total),
        "note": table.note,
    }


def _widths(table: Table, rows: list[list[str]]) -> list[int]:
    """Share of the page that each column gets; 0 for as wide as it needs."""
    longest = [max((len(row[x]) for row in rows), default=0) for x in range(len(table.columns))]
    shares = [min(length, _WIDEST) if length > _SHORT else 0 for length in longest]
    # Somebody has to take what is left of the line.
    return shares if any(shares) else [1, *shares[1:]]
