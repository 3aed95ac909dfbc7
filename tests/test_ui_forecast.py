"""`spendproof forecast`, as a person meets it: figures by hand, every refusal one sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

from accounts.home import Settings, lake_address
from accounts.signin import Protection
from analysis import forecast_run
from analysis.forecast import Figure, Forecast
from cli import app
from connectors.importing import import_files
from ledger.lake import Lake
from tests.ledgers import line, write_bill
from ui import running
from ui.forecast_figures import banded
from ui.forecast_page import told
from ui.markup import plain

START = date(2026, 1, 5)
DAYS = 182


def day(n: int) -> str:
    return (START + timedelta(days=n)).isoformat()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Half a year at 10.00 a day, 4.00 at weekends."""
    monkeypatch.setenv("SPENDPROOF_HOME", str(tmp_path / "home"))
    file = write_bill(tmp_path / "bill.csv", [line("10" if n % 7 < 5 else "4", day(n)) for n in range(DAYS)])
    done = CliRunner().invoke(app, ["import", str(file)])
    assert done.exit_code == 0, done.output
    return tmp_path


def asked(*words: str) -> Any:
    return CliRunner().invoke(app, ["forecast", *words])


@pytest.mark.usefixtures("home")
def test_four_weeks_ahead_as_json() -> None:
    found = json.loads(asked("--days", "28", "--json").stdout)
    (row,) = found["rows"]
    assert (found["known_until"], found["evidence"], row["whole"]) == (day(DAYS - 1), "T4 forecast", True)
    # Twenty weekdays and four weekends.
    assert row["total"]["forecast"] == row["total"]["low"] == row["total"]["high"] == "232"
    assert [line["days"] for line in found["backtest"]] == [7, 28]
    assert found["runway"] is None


@pytest.mark.usefixtures("home")
def test_people_are_told_that_it_is_a_forecast_with_its_band_and_backtest() -> None:
    text = asked("--days", "28").stdout
    assert "28 days. No measurement." in text
    assert "232.00" in text
    assert "past windows that overlap" in text
    assert "Backtest of this procedure" in text


@pytest.mark.usefixtures("home")
def test_an_amount_is_reduced_by_what_was_spent_since() -> None:
    # The last four weeks cost 232; of 348 there are 116 left, which is two weeks.
    words = ("--days", "28", "--amount", "348", "--since", day(DAYS - 28), "--json")
    found = json.loads(asked(*words).stdout)["runway"]
    assert Decimal(found["left"]) == 116
    assert found["used_up_on"] == found["earliest"] == found["latest"] == day(DAYS + 13)
    text = asked("--days", "28", "--amount", "100000").stdout
    assert f"is used up after {day(DAYS + 27)}, the last day that was forecast." in text


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--days", "150"), "Ask for at most 126 days"),
        (("--days", "0"), "at least one day"),
        (("--by", "colour"), "cannot be split by 'colour'"),
        (("--metric", "list"), "no metric 'list' of a forecast"),
        (("--amount", "much", "--days", "28"), "'much' is no amount"),
        (("--amount", "NaN", "--days", "28"), "'NaN' is no amount"),
        (("--amount", "1", "--since", "2026-06-01", "--days", "28"), "it is used up"),
        (("--amount", "1", "--since", "2030-01-01", "--days", "28"), "The ledger is known up to"),
        (("--amount", "1", "--since", "2020-01-01", "--days", "28"), "The ledger begins on"),
        (("--amount", "1", "--currency", "EUR", "--days", "28"), "The spend in EUR is not forecast"),
        (("--tokens",), "no charge with a known number of tokens"),
    ],
)
@pytest.mark.usefixtures("home")
def test_what_cannot_be_told_is_one_sentence(words: tuple[str, ...], sentence: str) -> None:
    done = asked(*words)
    assert done.exit_code == 1
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_an_empty_workspace_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPENDPROOF_HOME", str(tmp_path / "home"))
    done = asked()
    assert done.exit_code == 1
    assert "load a bill first" in done.stderr


# The page


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[None]:
    settings = Settings(home=tmp_path / "home")
    running.configure(running.Running(settings, "default", Protection.NONE))
    st.cache_data.clear()
    st.cache_resource.clear()
    lines = [line("10" if n % 7 < 5 else "4", day(n)) for n in range(DAYS)]
    lines += [line("1", day(n), service="Young") for n in range(DAYS - 20, DAYS)]
    with Lake(lake_address(settings, "default")) as lake:
        import_files(lake, [str(write_bill(tmp_path / "bill.csv", lines))])
    yield
    st.cache_data.clear()
    st.cache_resource.clear()


def draw() -> None:
    from ui.forecast_page import PAGE  # noqa: PLC0415 - the function is a script of its own

    PAGE()


def page(**address: str) -> Any:
    shown = AppTest.from_function(draw, default_timeout=60)
    for name, value in address.items():
        shown.query_params[name.replace("_", "-")] = value
    shown.run()
    assert not shown.exception
    return shown


@pytest.mark.usefixtures("filled")
def test_the_cards_carry_the_sum_its_band_and_the_backtest() -> None:
    shown = page(forecast_days="30 days", forecast_of="Compute")
    cards = {card.label: card.value for card in shown.metric}
    # 30 days from a Monday on: 22 weekdays and 8 days of weekends.
    assert cards["Forecast of 30 days"] == "$252.00"
    assert cards["90% band"].startswith("$252.00 to $2")
    assert cards["Backtest"] == "half within 0.0%"
    assert any("neither a measurement nor a saving" in caption.value for caption in shown.caption)


@pytest.mark.usefixtures("filled")
def test_a_scope_is_forecast_by_itself_and_its_amount_lasts_longer() -> None:
    shown = page(forecast_days="30 days", scope="Service: Compute")
    assert {card.label: card.value for card in shown.metric}["Forecast of 30 days"] == "$252.00"
    assert "Only service Compute." in shown.caption[1].value
    shown.text_input(key="forecast-amount").set_value("50").run()
    scoped = [text.value for text in shown.markdown if "is used up on" in text.value]
    whole = page(forecast_days="30 days")
    assert not any("Only service" in caption.value for caption in whole.caption)
    whole.text_input(key="forecast-amount").set_value("50").run()
    assert scoped != [text.value for text in whole.markdown if "is used up on" in text.value]


@pytest.mark.usefixtures("filled")
def test_what_is_not_forecast_stands_with_its_reason() -> None:
    shown = page(forecast_days="30 days")
    assert "Not forecast (1)" in [e.label for e in shown.expander]
    reasons = [reason for table in shown.table for reason in table.value.get("Why", [])]
    assert any("it has 20 days of spend" in reason.replace("\\", "") for reason in reasons)


@pytest.mark.usefixtures("filled")
def test_a_horizon_that_the_data_does_not_support_is_told_and_not_drawn() -> None:
    shown = page(forecast_days="180 days")
    assert "Ask for at most 126 days" in shown.info[0].value
    assert not shown.metric


@pytest.mark.usefixtures("filled")
def test_an_amount_is_answered_with_a_day() -> None:
    shown = page(forecast_days="30 days")
    shown.text_input(key="forecast-amount").set_value("much").run()
    assert "no amount" in shown.info[-1].value
    shown.text_input(key="forecast-amount").set_value("50").run()
    assert any(text.value.startswith(plain("Forecast: 50.00 USD is used up on")) for text in shown.markdown)


def test_the_backtest_is_told_in_plain_words() -> None:
    found = told(forecast_run.Tested(90, 120, 110, 0.9, 0.061, -0.012, -0.04))
    assert found == {
        "Days": "90",
        "Windows": "120",
        "In band": "90% of 110",
        "Half within": "6.1%",
        "Leaning": "1.2% too low",
        "Errors": "4% larger",
    }


def test_a_week_without_a_figure_breaks_the_line_and_has_no_band() -> None:
    week = Figure(START, START + timedelta(days=6), Decimal(70), Decimal(60), Decimal(80), 50, 0.9)
    past = ((START - timedelta(days=14), Decimal(50)), (START - timedelta(days=7), None))
    row = Forecast(
        "USD", "x", False, "profile", (START, START - timedelta(days=1)), None, past, week, (week,), (week,), ()
    )
    values = banded(row, "USD", "told")["data"]["values"]
    assert [(v["name"], v["amount"], v.get("low"), v.get("high")) for v in values] == [
        ("Cost so far", 50.0, None, None),
        ("Cost so far", None, None, None),
        ("Forecast", 70.0, 60.0, 80.0),
    ]
