"""The Reports page without a browser: which report over what, and what is said where it cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import streamlit as st

from accounts.home import Settings
from accounts.signin import Protection
from jobs import schedules
from tests.drawn import drawn
from tests.kept import keep_proof, keep_scenario, keep_view
from tests.reporting import load_bill, settings_in
from ui import running


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    found = settings_in(tmp_path / "home")
    load_bill(found, tmp_path)
    running.configure(running.Running(found, "acme", Protection.NONE))
    st.cache_data.clear()
    st.cache_resource.clear()
    yield found
    st.cache_data.clear()
    st.cache_resource.clear()


def draw() -> None:
    from ui.reports_page import PAGE  # noqa: PLC0415 - the function is a script of its own

    PAGE()


def page(**address: str) -> Any:
    return drawn(draw, **address)


def downloads(app: Any) -> list[str]:
    return [button.proto.label for button in app.get("download_button")]


def test_a_saved_view_is_one_of_the_days(settings: Settings) -> None:
    keep_view(settings, "Storage alone", "scope=Service%3A+Storage")
    app = page(report="Spend report", report_days="Saved view: Storage alone")
    assert app.selectbox(key="report-days").value == "Saved view: Storage alone"
    assert downloads(app) == ["Download Spend report"]
    assert downloads(page(report="Spend report", report_days="Last month"))[0].startswith("Download Spend report, 1 ")


def test_a_proof_is_chosen_by_its_question_and_there_may_be_none(settings: Settings) -> None:
    app = page(report="Proof")
    assert "There is no proof yet." in [caption.value for caption in app.caption]
    assert downloads(app) == []
    keep_proof(settings, "verified")
    app = page(report="Proof")
    assert app.selectbox(key="report-proof").options[0].endswith("(verified, 2026-11-21, a1b2c3)")
    assert downloads(app) == ["Download Proof"]


@pytest.mark.usefixtures("settings")
def test_a_link_that_opens_nothing_is_refused_before_anything_is_offered() -> None:
    app = page(report="ROI case")
    assert downloads(app) == []
    app.text_input(key="report-scenario").set_value("https://app.example.com/roi?scenario=nonsense").run()
    assert ["opens no scenario" in error.value for error in app.error] == [True]
    assert downloads(app) == []


def test_a_schedule_of_a_saved_scenario_is_made_on_the_page(settings: Settings, tmp_path: Path) -> None:
    token = keep_scenario(settings, datetime.now(UTC))
    app = page(report="ROI case")
    app.text_input(key="report-scenario").set_value(token).run()
    assert downloads(app) == ["Download ROI case"]
    by_label = {field.label: field for field in (*app.text_input, *app.text_area, *app.selectbox)}
    by_label["Name"].set_value("Case")
    next(box for box in app.selectbox if box.label == "Report" and box.key is None).set_value("roi")
    by_label["Link to a saved scenario, for an ROI case"].set_value(f"https://app.example.com/roi?scenario={token}")
    by_label["To"].set_value(str(tmp_path / "out"))
    next(button for button in app.button if button.label == "Make schedule").click().run()
    assert [error.value for error in app.error] == []
    (kept,) = schedules.listed(settings, "acme")
    assert (kept.report, kept.view["of"]) == ("roi", None)
    assert schedules.asked(settings, kept).of == token
