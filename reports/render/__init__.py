"""A report as a file: HTML, PDF, XLSX, CSV or JSON, all written from the same `Report`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from reports.report import Report
from reports.view import ReportError


class Format(NamedTuple):
    """A format of files: its ending and media type."""

    ending: str
    media: str


FORMATS: Final = {
    "html": Format("html", "text/html; charset=utf-8"),
    "pdf": Format("pdf", "application/pdf"),
    "xlsx": Format("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "csv": Format("csv", "text/csv; charset=utf-8"),
    "json": Format("json", "application/json"),
}


def render(report: Report, format_: str) -> bytes:
    """The report in one format; the same report gives the same bytes.

    Raises:
        ReportError: there is no such format.
    """
    own = report.own.get(known(format_))
    return own() if own else _renderer(format_)(report)


def files(report: Report, format_: str) -> dict[str, bytes]:
    """The report in one format by file name, and whatever goes with it, such as its signature.

    Raises:
        ReportError: there is no such format.
    """
    content = render(report, format_)
    name = file_name(report, format_)
    return {name: content, **(report.beside(format_, name, content) if report.beside else {})}


def file_name(report: Report, format_: str) -> str:
    """Name of the file: `synthetic-sample-spend-demo-2026-10-01-2026-10-31.pdf`."""
    lead = "synthetic-sample-" if report.synthetic else ""
    name = f"{report.name}-{report.of}" if report.of else report.name
    return f"{lead}{name}-{report.workspace}-{report.first}-{report.last}.{FORMATS[format_].ending}"


def media_of(name: str) -> str:
    """Media type of a file by its ending."""
    return next((f.media for f in FORMATS.values() if name.endswith(f".{f.ending}")), "application/octet-stream")


def known(format_: str) -> str:
    """The format's name.

    Raises:
        ReportError: there is no such format.
    """
    if format_ not in FORMATS:
        raise ReportError(f"There is no format {format_!r}; there are {', '.join(FORMATS)}.")
    return format_


def _renderer(format_: str) -> Callable[[Report], bytes]:
    from reports.render import documents, pdf, web, workbook  # noqa: PLC0415 - each brings a library of its own

    return {
        "html": web.html,
        "pdf": pdf.pdf,
        "xlsx": workbook.xlsx,
        "csv": documents.csv_text,
        "json": documents.json_text,
    }[format_]
