"""Reports over a saved view: the figures of its page to the last digit, and refused where they could not be."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from accounts import views
from accounts.home import Settings, lake_address
from accounts.signin import Protection
from analysis import where
from analysis.result import Metric, plain
from connectors.importing import import_files
from jobs import schedules
from jobs.reporting import Reporter, send_due
from ledger.lake import Lake
from reports.render import render
from reports.report import Report
from reports.span import Span
from reports.view import ReportError, View
from tests.e2e.driver import write_bill
from tests.kept import keep_view
from tests.reporting import NOW, Clock, Remembered, load_bill, settings_in, wanted
from ui import data, running


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    found = settings_in(tmp_path / "home")
    running.configure(running.Running(found, "acme", Protection.NONE))
    st.cache_data.clear()
    st.cache_resource.clear()
    yield found
    st.cache_data.clear()
    st.cache_resource.clear()


def fill(settings: Settings, folder: Path) -> None:
    with Lake(lake_address(settings, "acme")) as lake:
        import_files(lake, [str(write_bill(folder / "bill.csv"))])


def made(settings: Settings, name: str = "spend") -> Report:
    with Reporter(settings) as reporter:
        return reporter.report("acme", name, View(saved="mine"), NOW)


def draw() -> None:
    from ui.spend import PAGE  # noqa: PLC0415 - the function is a script of its own

    PAGE()


def on_screen(query: str) -> dict[str, tuple[str, str]]:
    """The figures of the Spend page under an address: each with what it is compared with."""
    app: Any = AppTest.from_function(draw, default_timeout=60)
    for name, values in parse_qs(query).items():
        app.query_params[name] = values
    app.run()
    assert not app.exception
    return {metric.label: (metric.value, metric.delta) for metric in app.metric}


CHOSEN = "period=Choose+days&days=2026-05-10&days=2026-05-20"


@pytest.mark.parametrize(
    "query",
    [
        "",
        f"{CHOSEN}&scope=Model%3A+gpt-x&scope=Model%3A+%28not+stated%29&group=Provider",
        f"{CHOSEN}&against=Choose+days&against-days=2026-04-03&against-days=2026-04-07",
    ],
)
def test_a_report_over_a_saved_view_has_the_figures_of_its_page(settings: Settings, tmp_path: Path, query: str) -> None:
    fill(settings, tmp_path)
    keep_view(settings, "mine", query)
    report, shown = made(settings), on_screen(query)
    figures = {f.label: (report.written(f.value, f.kind), f.note) for f in report.sections[0].figures}
    for label, (value, delta) in shown.items():
        written, note = figures[label]
        assert (value or "—") == written
        assert note.partition(" of billed cost")[0].partition(" from ")[0] == (delta or "")
    assert report.snapshot == data.newest_snapshot("acme")


def test_every_digit_of_every_row_is_the_screens(settings: Settings, tmp_path: Path) -> None:
    fill(settings, tmp_path)
    keep_view(settings, "mine", f"{CHOSEN}&scope=Provider%3A+Acme")
    report, span = made(settings), Span(*View("2026-05-10..2026-05-20").bounds(NOW.date()))
    asked = ("acme", data.newest_snapshot("acme"), ("service",), span.first, span.end, Metric.BILLED)
    rows = data.spend(*asked, where.gathered([("provider", "Acme")])).rows
    exact = [(str(row.dimensions["service"]), plain(row.billed_cost)) for row in rows]
    assert exact
    table = next(section for section in json.loads(render(report, "json"))["sections"][1]["tables"])
    assert [tuple(row[:2]) for row in table["rows"]][: len(exact)] == exact
    lines = csv.reader(io.StringIO(render(report, "csv").decode()))
    inside = [(line[2], line[4]) for line in lines if line[1] == "Spend by service" and line[3] == "Billed cost"]
    assert inside[: len(exact)] == exact


def test_a_value_report_takes_the_view_too(settings: Settings, tmp_path: Path) -> None:
    fill(settings, tmp_path)
    keep_view(settings, "mine", f"{CHOSEN}&scope=Model%3A+gpt-x")
    report = made(settings, "value")
    spend = report.sections[0].figures[0]
    # 9.00 a day; one day is missing, which the report says before any figure.
    assert spend.value == Decimal("90.00")
    assert "lacks 1 day of this period" in report.alarms[0]
    assert report.notes[0] == "Only model gpt-x."
    assert spend.note == "\u22129.1% from $99.00, 29 Apr to 9 May 2026"


def test_the_charts_draw_the_days_of_the_view(settings: Settings, tmp_path: Path) -> None:
    load_bill(settings, tmp_path)
    keep_view(settings, "mine", "period=Newest+month")
    report = made(settings)
    (chart,) = report.sections[0].charts
    amounts = {(v["when"], v["name"]): v["amount"] for v in chart.specification["data"]["values"]}
    assert len(amounts) == 62
    assert amounts["2026-10-31", "Compute"] == 12
    assert chart.alt == ("Billed cost by day and service, 1 Oct to 31 Oct 2026. Compute $372.00; Storage $248.00.")
    page = render(report, "html").decode()
    # One for wide pages, one for phones; neither asks anything of a network.
    assert page.count("<svg") == 2
    assert "Billed cost by day and service" in page


def test_what_a_view_names_and_the_ledger_lost_is_refused(settings: Settings, tmp_path: Path) -> None:
    fill(settings, tmp_path)
    keep_view(settings, "mine", "scope=Service%3A+Compute&scope=Service%3A+Gone")
    with pytest.raises(ReportError, match="is about Service: Gone, which the ledger does not have any more"):
        made(settings)


def test_a_schedule_follows_its_view_and_says_when_it_is_gone(settings: Settings, tmp_path: Path) -> None:
    load_bill(settings, tmp_path)
    keep_view(settings, "mine", "period=Newest+month&scope=Service%3A+Storage")
    schedules.add(settings, "acme", wanted(view=View(saved="mine")), NOW)
    clock, way = Clock(), Remembered()
    clock.forward(days=1)
    assert send_due(settings, ways={"mail": way}, clock=clock).sent == 1
    (view,) = views.listed(settings, "acme")
    views.remove(settings, "acme", view.id)
    clock.forward(days=1)
    done = send_due(settings, ways={"mail": way}, clock=clock)
    assert done.again == 1
    assert "has no saved view 'mine'" in done.errors[0]
