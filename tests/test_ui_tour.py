"""The tour, what a person has put behind them, and alerts: the whole app without a browser."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from accounts import connections, sync_runs, views
from accounts.home import Settings, lake_address
from accounts.signin import Protection
from connectors.importing import import_files
from jobs import schedules
from ledger.lake import Lake
from tests.ledgers import line, write_bill
from tests.reporting import settings_in, wanted
from ui import alerts, running, tour

NOW = datetime.now(UTC)
#: Whom Streamlit's tests sign in.
PERSON = "test@example.com"
MAIN = str(Path(tour.__file__).with_name("main.py"))


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    settings = settings_in(tmp_path)
    running.configure(running.Running(settings, "acme", Protection.NONE))
    with Lake(lake_address(settings, "acme")) as lake:
        import_files(lake, [str(write_bill(tmp_path / "bill.csv", [line("750", f"{NOW:%Y-%m-%d}")]))])
    st.cache_data.clear()
    st.cache_resource.clear()
    yield settings
    st.cache_data.clear()
    st.cache_resource.clear()


def app() -> Any:
    found = AppTest.from_file(MAIN, default_timeout=60).run()
    assert not found.exception
    return found


def press(found: Any, key: str) -> None:
    found.button(key=key).click().run()
    assert not found.exception


def keys(found: Any) -> set[str]:
    return {button.key for button in found.button if button.key and button.key.startswith("tour")}


def text(found: Any) -> str:
    return " ".join(part.value for part in (*found.markdown, *found.warning, *found.caption))


def test_whoever_refuses_the_tour_is_not_asked_again_and_can_still_take_it(settings: Settings) -> None:
    found = app()
    assert keys(found) == {"tour-begin", "tour-refuse"}
    press(found, "tour-refuse")
    assert keys(found) == set()
    assert views.marked(settings, "acme", PERSON) == {tour.MARK}
    # A visit of another day.
    found = app()
    assert keys(found) == set()
    press(found, "open-tour")
    assert "(1 of 7)" in text(found)


def test_the_tour_goes_forth_and_back_and_ends(settings: Settings) -> None:
    found = app()
    press(found, "tour-begin")
    assert tour.STEPS[0].title in text(found)
    assert "tour-back" not in keys(found)
    press(found, "tour-next")
    assert tour.STEPS[1].title in text(found)
    press(found, "tour-back")
    press(found, "tour-end")
    assert keys(found) == set()
    assert views.marked(settings, "acme", PERSON) == {tour.MARK}


def test_every_step_is_on_a_page_that_is_there() -> None:
    from ui import pages  # noqa: PLC0415

    assert {step.path for step in tour.STEPS} <= {entry.path for entry in pages.ENTRIES}


def test_a_failed_source_is_told_on_the_value_page_and_counted_until_it_is_read(settings: Settings) -> None:
    connection = connections.new("acme", "main-aws", "aws")
    connections.add(settings, connection)
    run = sync_runs.begin(settings, connection, NOW)
    run.state, run.ended_at, run.message = sync_runs.RunState.FAILED, NOW, "the role costs $5 [x](y)"
    sync_runs.save(settings, run)
    found = app()
    (warning,) = [one.value for one in found.warning if "main" in one.value]
    assert "Not everything is in these figures" in warning
    assert "costs \\$5 \\[x\\]" in warning
    assert found.button(key="open-alerts").label == "Alerts (1 new)"
    press(found, "open-alerts")
    found.run()
    assert found.button(key="open-alerts").label == "Alerts"
    assert views.marked(settings, "acme", PERSON) == {f"sync:{run.id}"}
    assert views.marked(settings, "other", PERSON) == views.marked(settings, "acme", "a@example.com") == frozenset()


def test_a_limit_that_was_passed_is_told(settings: Settings) -> None:
    schedules.add(settings, "acme", wanted(cadence="on spend above 500 USD"), NOW)
    schedules.add(settings, "acme", wanted(name="higher", cadence="on spend above 5000 USD"), NOW)
    told = f"Billed cost of {NOW:%B %Y} is above the limit of"
    (one,) = alerts.standing("acme", 1)
    assert (one.kind, one.sentence) == (alerts.LIMIT, f"{told} $500.00.")
    found = app()
    assert [warning.value for warning in found.warning if told in warning.value] == [f"{told} \\$500.00."]


def test_nothing_stands_where_nothing_happened(settings: Settings) -> None:
    assert alerts.standing(running.current().workspace, 1) == ()
    assert settings.home.exists()
    assert "open-alerts" not in {button.key for button in app().button}
