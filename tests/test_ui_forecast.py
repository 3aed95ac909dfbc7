"""`spendproof forecast`, as a person meets it: figures by hand, every refusal one sentence."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import app
from tests.ledgers import line, write_bill

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
