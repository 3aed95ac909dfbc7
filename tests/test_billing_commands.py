"""`fee` and `plans` as programs and people use them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from accounts.home import Settings, lake_address
from cli import app
from connectors.importing import import_files
from ledger.lake import Lake
from tests.ledgers import line, write_bill
from ui.fee_answers import SAMPLE

RUN = CliRunner()


@pytest.fixture
def shell(tmp_path: Path) -> Callable[..., Any]:
    def run(*arguments: str) -> Any:
        return RUN.invoke(app, list(arguments), env={"SPENDPROOF_HOME": str(tmp_path / "home")})

    return run


def answer(result: Any) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def refusal(result: Any) -> str:
    assert result.exit_code == 1
    assert result.stderr.count("Error: ") == 1
    assert "Traceback" not in result.stderr
    return str(result.stderr)


def test_a_fee_on_a_typed_spend(shell: Callable[..., Any]) -> None:
    found = answer(shell("fee", "--plan", "early", "--ai-spend", "4000", "--json"))
    assert (found["amount"], found["currency"], found["plan"], found["plan_version"]) == ("80.00", "USD", "early", "1")
    assert [line["amount"] for line in found["lines"] if line["counted"]] == ["80"]
    assert (found["never_more_than"], found["status"]) == ("99", "quote")
    assert "BilledCost" in found["ai_spend"]["definition"]
    said = shell("fee", "--plan", "early", "--ai-spend", "20000").stdout
    assert "Never more than $99.00 a month." in said
    assert "0.50% of the AI spend" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--plan", "gold", "--ai-spend", "1"), "no plan 'gold'"),
        (("--plan", "early"), "needs AI spend"),
        (("--plan", "early", "--ai-spend", "-1"), "zero or more"),
        (("--plan", "early", "--ai-spend", "1e400000000"), "more than 20 digits"),
        (("--plan", "early", "--ai-spend", "many"), "no decimal number"),
        (("--plan", "early", "--ai-spend", "10", "--currency", "EUR"), "never mixed"),
        (("--plan", "early", "--ai-spend", "10", "--currency", "euro"), "no currency"),
        (("--plan", "early", "--ai-spend", "10", "--at", "2020-01-01"), "valid on 2020-01-01"),
        (("--plan", "early", "--ai-spend", "10", "--month", "2026-10"), "not both"),
        (("--plan", "early", "--month", "2026-10"), "a gap and not a spend of zero"),
        (("--plan", "early", "--ai-spend", "10", "--coupon", "referred"), "needs period"),
        (("--plan", "early", "--ai-spend", "10", "--coupon", "gold"), "no coupon 'gold'"),
        (("--plan", "sessions-team", "--metric", "seats"), "NAME=VALUE"),
        (("--plan", "savings-share", "--verified-saving", "10"), "carries no fee"),
        (("--plan", "savings-share", "--verified-saving", "10", "--evidence", "T1"), "names the signed proof"),
        (("--plan", "chatbot-pro"), "has no price"),
    ],
)
def test_what_cannot_be_priced_is_one_sentence(
    shell: Callable[..., Any], arguments: tuple[str, ...], said: str
) -> None:
    assert said in refusal(shell("fee", *arguments))


def test_a_month_of_the_ledger_is_final_when_it_is_closed(shell: Callable[..., Any], tmp_path: Path) -> None:
    rows = [line("100", f"2026-0{month}-{day:02}") for month in (8, 9) for day in range(1, 31)]
    as_ai = [row.replace("Usage,charge,Compute", "Usage,charge,AI and Machine Learning") for row in rows]
    assert answer(shell("import", str(write_bill(tmp_path / "bill.csv", as_ai)), "--json"))["rows_rejected"] == 0
    found = answer(shell("fee", "--plan", "mid", "--month", "2026-09", "--charged", "120.00", "--json"))
    assert (found["amount"], found["status"], found["because"]) == ("150.00", "final", [])
    assert (found["ai_spend"]["amount"], found["ai_spend"]["closed"]) == ("3000", True)
    assert found["true_up"]["amount"] == "30.00"
    # August has a 31st day, of which September's charges show that it was loaded; October has nothing.
    assert answer(shell("fee", "--plan", "mid", "--month", "2026-08", "--json"))["status"] == "final"
    assert "October 2026" in refusal(shell("fee", "--plan", "mid", "--month", "2026-10"))


def test_plans_are_listed_shown_and_compared(shell: Callable[..., Any]) -> None:
    every = answer(shell("plans", "list", "--json"))
    assert {p["price_list"] for p in every} >= {"spendproof", "psp"}
    assert answer(shell("plans", "show", "mid", "--json"))["golden"][0] == {"ai_spend": "5000", "amount": "250.00"}
    found = answer(shell("plans", "compare", "--ai-spend", "200000", "--json"))
    by_plan = {p["plan"]: p for p in found["plans"]}
    assert [p["plan"] for p in found["plans"]] == ["free", "early", "mid", "savings-share", "enterprise"]
    assert (by_plan["early"]["amount"], by_plan["early"]["share_of_ai_spend"]) == ("99.00", "0.000495")
    assert by_plan["enterprise"]["net_without_verified_saving"] == "-30000"
    assert "60.1 times as much" in found["cliffs"][0]
    assert answer(shell("plans", "compare", "--ai-spend", "100", "--json"))["cliffs"] != []
    assert "Enterprise has no cap" in shell("plans", "compare", "--ai-spend", "200000").stdout
    assert "no price: the list says custom" in shell("plans", "list").stdout
    assert "never more than $99.00" in shell("plans", "show", "early").stdout
    assert "no price list 'x'" in refusal(shell("plans", "compare", "--ai-spend", "1", "--list", "x"))


def test_a_fee_on_sample_data_is_no_fee_and_an_open_month_is_provisional(
    shell: Callable[..., Any], tmp_path: Path
) -> None:
    today = datetime.now(UTC).date()
    rows = [line("10", f"{today.replace(day=day)}") for day in range(1, today.day + 1)]
    bill = write_bill(tmp_path / "b.csv", [r.replace("charge,Compute", "charge,AI and Machine Learning") for r in rows])
    settings = Settings(home=tmp_path / "home")
    with Lake(lake_address(settings, "default")) as lake:
        import_files(lake, [str(bill)], synthetic=True)
    with Lake(lake_address(settings, "real")) as lake:
        import_files(lake, [str(bill)])
    month = ("fee", "--plan", "mid", "--month", f"{today:%Y-%m}", "--json")
    sample = answer(shell(*month))
    assert (sample["status"], sample["because"][0]) == ("sample", SAMPLE)
    real = answer(shell(*month, "--workspace", "real"))
    assert real["status"] == "provisional"
    assert any("can still be restated until" in reason for reason in real["because"])
    assert real["amount"] == f"{today.day * 10 * 0.05:.2f}"
