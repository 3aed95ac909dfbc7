"""The Spend report: its figures, its gaps, and the same figures in every format."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pypdf
import pytest

from accounts.home import Settings, lake_address
from analysis.scope import parse
from analysis.spend import spend_table
from ledger.lake import Lake
from reports.ledger_state import Basis, FailedSource, ledger_state
from reports.render import FORMATS, file_name, render
from reports.report import Kind, Report
from reports.spend_report import spend_report
from reports.view import ReportError, Span, View
from tests.reporting import NOW, load_bill, settings_in, small_report

OCTOBER = View("2026-10-01..2026-10-31")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    found = settings_in(tmp_path)
    load_bill(found, tmp_path)
    return found


def made(
    settings: Settings, view: View = OCTOBER, failed: tuple[FailedSource, ...] = (), now: datetime = NOW
) -> Report:
    with Lake(lake_address(settings, "acme")) as lake:
        return spend_report(Basis(lake, settings, "acme", ledger_state(lake, failed)), view, now)


def figure(report: Report, label: str) -> tuple[Any, str]:
    found = next(f for section in report.sections for f in section.figures if f.label == label)
    return found.value, found.note


def test_the_figures_are_those_of_the_ledger(settings: Settings) -> None:
    report = made(settings)
    assert figure(report, "Billed cost") == (Decimal(620), "+3.3% from $600.00")
    assert figure(report, "Charges") == (62, "")
    table = report.sections[1].tables[0]
    assert table.rows == (
        ("Compute", Decimal(372), Decimal("0.6"), Decimal(300), Decimal("0.24")),
        ("Storage", Decimal(248), Decimal("0.4"), Decimal(300), Decimal("-0.173333333333")),
    )
    assert table.total is not None
    assert table.total[1] == Decimal(620)
    with Lake(lake_address(settings, "acme")) as lake:
        (row,) = spend_table(lake.table("daily_spend"), (), start=report.first, end=datetime(2026, 11, 1).date()).rows  # noqa: DTZ001
        assert row.billed_cost == Decimal(620)


def test_without_earlier_days_there_is_no_comparison(settings: Settings) -> None:
    report = made(settings, View("2026-09-01..2026-09-30"))
    assert figure(report, "Billed cost") == (Decimal(600), "")
    assert "so there is no comparison" in report.sections[0].sentences[0]
    assert report.sections[1].tables[0].rows[0][3:] == (None, None)


def test_a_scope_narrows_every_figure_and_is_said(settings: Settings) -> None:
    report = made(settings, View(OCTOBER.days, parse("service=Storage")))
    assert figure(report, "Billed cost")[0] == Decimal(248)
    assert report.notes[0] == "Only service=Storage."


def test_a_failed_source_stands_in_the_first_line_of_every_format(settings: Settings) -> None:
    failed = FailedSource("aws", datetime(2026, 11, 3, tzinfo=UTC), "the role trusts another account.")
    report = made(settings, failed=(failed,))
    said = "Source aws failed, its figures are as of 3 Nov 2026: the role trusts another account."
    assert report.alarms[0] == said
    page = render(report, "html").decode()
    assert page.index(said) < page.index("Overview")
    assert render(report, "csv").decode().splitlines()[1].startswith('About,,alarm,,"Source aws failed,')
    assert json.loads(render(report, "json"))["alarms"] == list(report.alarms)
    text = pypdf.PdfReader(io.BytesIO(render(report, "pdf"))).pages[0].extract_text()
    assert text.index("Source aws failed") < text.index("Overview")


def test_days_that_a_source_does_not_reach_are_no_zeros(settings: Settings) -> None:
    report = made(settings, View(Span.LAST_30), now=datetime(2026, 11, 10, tzinfo=UTC))
    said = "Source file:focus has nothing after 31 Oct 2026: the last 9 days are without it, "
    assert report.alarms == (said + "which is not the same as no spend.",)


def test_what_there_is_nothing_of_is_refused_in_words(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="no charges in EUR; it has USD"):
        made(settings, View(OCTOBER.days, currency="EUR"))
    with Lake(lake_address(settings, "empty")) as lake, pytest.raises(ReportError, match="holds no charges"):
        ledger_state(lake)
    with pytest.raises(ReportError, match="no format 'docx'"):
        render(small_report(), "docx")
    assert not list(tmp_path.glob("*.docx"))


@pytest.mark.parametrize("format_", FORMATS)
def test_the_same_report_gives_the_same_bytes(settings: Settings, format_: str) -> None:
    report = made(settings)
    assert render(report, format_) == render(report, format_)
    assert file_name(report, format_) == f"spend-acme-2026-10-01-2026-10-31.{format_}"


def test_every_format_has_the_same_figures(settings: Settings) -> None:
    report = made(settings)
    page = render(report, "html").decode()
    pdf = "".join(p.extract_text() for p in pypdf.PdfReader(io.BytesIO(render(report, "pdf"))).pages)
    exact = {row["row"]: row["value"] for row in csv.DictReader(io.StringIO(render(report, "csv").decode()))}
    book = openpyxl.load_workbook(io.BytesIO(render(report, "xlsx")), data_only=True)
    cells = [cell.value for row in book["Overview"].iter_rows() for cell in row]
    for section in report.sections:
        for f in section.figures:
            shown = report.written(f.value, f.kind, f.of)
            assert shown in page
            assert shown in pdf
            assert exact[f.label] == (
                "" if f.value is None else f"{Decimal(str(f.value)):f}".removesuffix(".000000000000000000")
            )
            assert f.value is None or float(f.value) in cells


def test_a_total_in_the_workbook_is_a_formula_with_its_value(settings: Settings) -> None:
    data = io.BytesIO(render(made(settings), "xlsx"))
    formulas = openpyxl.load_workbook(data)["Spend by service"]
    values = openpyxl.load_workbook(data, data_only=True)["Spend by service"]
    closing = next(row for row in formulas.iter_rows() if row[0].value == "Total")
    assert str(closing[1].value).startswith("=SUM(B")
    assert values[closing[1].coordinate].value == 620


def test_the_pdf_carries_the_exact_report(settings: Settings) -> None:
    report = made(settings)
    reader = pypdf.PdfReader(io.BytesIO(render(report, "pdf")))
    assert reader.attachments["report.json"] == [render(report, "json")]


def test_a_formula_in_a_name_is_text_everywhere() -> None:
    report = small_report()
    assert ",'=HYPERLINK(1)," in render(report, "csv").decode()
    book = openpyxl.load_workbook(io.BytesIO(render(report, "xlsx")))
    types = {c.value: c.data_type for row in book["Overview"].iter_rows() for c in row}
    assert types["'=HYPERLINK(1)"] == "s"


def test_markup_in_a_name_is_text() -> None:
    report = small_report(workspace="<script>alert(1)</script>")
    assert "<script>" not in render(report, "html").decode()


def test_no_page_asks_anything_of_outside(settings: Settings) -> None:
    page = render(made(settings), "html").decode()
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page
    assert "src=" not in page.replace("src: url(data:", "")


def test_the_digest_is_of_the_content_not_of_the_moment() -> None:
    assert small_report().digest == small_report(made=datetime(2027, 1, 1, tzinfo=UTC)).digest
    assert small_report().digest != small_report(snapshot=8).digest


@pytest.mark.parametrize(
    ("days", "today", "edges"),
    [
        (Span.LAST_7, "2026-11-21", ("2026-11-14", "2026-11-20")),
        (Span.LAST_MONTH, "2026-11-01", ("2026-10-01", "2026-10-31")),
        (Span.LAST_MONTH, "2026-01-15", ("2025-12-01", "2025-12-31")),
        (Span.THIS_MONTH, "2026-11-21", ("2026-11-01", "2026-11-20")),
        (Span.THIS_MONTH, "2026-11-01", ("2026-10-01", "2026-10-31")),
        (Span.LAST_YEAR, "2026-11-21", ("2025-11-01", "2026-10-31")),
        ("2026-02-01..2026-02-28", "2026-11-21", ("2026-02-01", "2026-02-28")),
    ],
)
def test_days_by_name_end_before_the_day_of_the_report(days: str, today: str, edges: tuple[str, str]) -> None:
    found = View(days).bounds(datetime.fromisoformat(today).date())
    assert tuple(day.isoformat() for day in found) == edges


def test_kinds_of_values_are_written_as_on_screens() -> None:
    report = small_report()
    assert report.written(Decimal("-1234.5"), Kind.MONEY) == "\u2212$1,234.50"
    assert report.written(None, Kind.MONEY) == "—"
    assert report.written(Decimal("0.123"), Kind.SHARE) == "12.3%"
