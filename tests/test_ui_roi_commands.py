"""`roi` and `project` as programs and people use them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from typer.testing import CliRunner

from billing.claims import CONTRADICTED, REPRODUCED
from cli import app
from tests.ledgers import line, write_bill

RUN = CliRunner()
TYPED = ("roi", "--ai-spend", "10000", "--saving-low", "1000", "--saving-high", "3000", "--start", "2027-01-01")


@pytest.fixture
def shell(tmp_path: Path) -> Callable[..., Any]:
    def run(*arguments: str) -> Any:
        return RUN.invoke(app, list(arguments), env={"SPENDPROOF_HOME": str(tmp_path / "home")})

    return run


def answer(result: Any) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def refusal(result: Any) -> str:
    assert result.exit_code == 1, result.output
    assert result.stderr.count("Error: ") == 1
    return str(result.stderr)


def bill(path: Path, *months: int, cost: str = "100") -> Path:
    rows = [line(cost, f"2026-{m:02}-{d:02}") for m in months for d in range(1, 32) if d < 31 or m in {7, 8, 10}]
    return write_bill(path, [row.replace("charge,Compute", "charge,AI and Machine Learning") for row in rows])


def test_an_estimate_from_typed_numbers(shell: Callable[..., Any]) -> None:
    found = answer(shell(*TYPED, "--implementation", "5000", "--json"))
    assert (found["label"], found["evidence"], found["basis"]) == (
        "Estimate (T4), not a measured saving",
        "T4",
        "typed",
    )
    assert [s["text"] for s in found["sentences"]] == [
        "Based on the numbers you gave, this will save you $1,000 to $3,000 a month.",
        "Your ROI: 93.9% to 481.8% over 12 months (NPV $5,274 to $28,080; paid back 22 Feb 2027 to 18 Jun 2027).",
        "Breakeven in 168 days in the low case, 52 in the high one.",
    ]
    low, expected, high = found["outcomes"]["12"]
    assert (low["net"], expected["net"], high["net"]) == ("5812", "17812", "29812")
    assert set(found["outcomes"]) == {"12", "24", "36"}
    for outcome in (low, expected, high):
        assert {"roi_percent", "npv", "payback"} <= set(outcome)
    assert all(a["source"] for a in found["assumptions"])
    assert found["without_a_saving"]["net"] == "-6188"


def test_each_sentence_is_left_out_where_the_low_case_does_not_carry_it(shell: Callable[..., Any]) -> None:
    arguments = ["0" if a == "1000" else a for a in TYPED]
    found = answer(shell(*arguments, "--implementation", "5000", "--json"))
    saves, returns, breaks = found["sentences"]
    assert (saves["text"], breaks["text"]) == (None, None)
    assert "low case saves nothing" in saves["missing"]
    assert "not paid back within 12 months in the low case" in returns["text"]
    assert "Without a saving nothing breaks even" in breaks["missing"]
    assert "Not said: The low case saves nothing" in shell(*arguments).stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--ai-spend", "0", "--batch", "50"), "nothing to save"),
        (("--ai-spend", "-5", "--batch", "50"), "zero or more"),
        (("--ai-spend", "100"), "Say what is saved in one way"),
        (("--ai-spend", "100", "--saving-low", "5"), "never stands without its range"),
        (("--ai-spend", "100", "--saving-low", "9", "--saving-high", "5"), "from low over expected to high"),
        (("--ai-spend", "100", "--saving-low", "5", "--saving-high", "500"), "more than the spend"),
        (("--ai-spend", "100", "--batch", "150"), "between 0 and 100 %; this one is 150 %"),
        (("--ai-spend", "100", "--batch", "10", "--months", "48"), "12, 24, 36 months, not 48"),
        (("--ai-spend", "100", "--batch", "10", "--months=-12"), "12, 24, 36 months, not -12"),
        (("--ai-spend", "100", "--batch", "10", "--plan", "gold"), "no plan 'gold'"),
        (("--ai-spend", "100", "--batch", "10", "--plan", "early-annual"), "priced by the year"),
        (("--ai-spend", "100", "--batch", "10", "--currency", "EUR"), "never mixed"),
        (("--ai-spend", "100", "--batch", "10", "--bill", "x.csv"), "not both"),
        (("--ai-spend", "100", "--to", "plan.toml"), "leave out --ai-spend"),
        (("--batch", "10"), "No AI charges are loaded"),
    ],
)
def test_what_carries_no_estimate_is_one_sentence(
    shell: Callable[..., Any], arguments: tuple[str, ...], said: str
) -> None:
    assert said in refusal(shell("roi", *arguments))


def test_a_bill_is_read_and_not_kept(shell: Callable[..., Any], tmp_path: Path) -> None:
    file = bill(tmp_path / "bill.csv", 8, 9, 10)
    found = answer(shell("roi", "--bill", str(file), "--batch", "50", "--json"))
    assert found["basis"] == "usage"
    assert found["sentences"][0]["text"].startswith("Based on your usage, this will save you $300 to $775")
    assert (found["monthly_ai_spend"]["low"], found["monthly_ai_spend"]["high"]) == ("3000", "3100")
    assert [path for path in tmp_path.rglob("*") if path.is_file() and path != file] == []


def test_the_ledger_carries_what_its_months_carry(shell: Callable[..., Any], tmp_path: Path) -> None:
    assert shell("import", str(bill(tmp_path / "a.csv", 9))).exit_code == 0
    assert set(answer(shell("roi", "--batch", "10", "--json"))["outcomes"]) == {"12"}
    assert "reaches 12 months, not 24" in refusal(shell("roi", "--batch", "10", "--months", "24"))
    assert shell("import", "--source", "other", str(bill(tmp_path / "b.csv", 7))).exit_code == 0
    assert "August 2026 is missing" in refusal(shell("roi", "--batch", "10"))


def test_usage_under_a_plan_is_the_saving(shell: Callable[..., Any], tmp_path: Path) -> None:
    header = "time,grain,provider,model,input_tokens,output_tokens,tier,region,context,requests\n"
    days = [
        f"2026-{m:02}-{d:02}T00:00:00Z,day,OpenAI,gpt-4.1,1000000,1000000,standard,Global,short,100\n"
        for m in (8, 9)
        for d in range(1, 32 if m == 8 else 31)
    ]
    (tmp_path / "usage.csv").write_text(header + "".join(days))
    plan = tmp_path / "plan.toml"
    route = '[[lever]]\naction = "route"\nshare = 0.5\nto = { provider = "OpenAI", model = "gpt-4.1-mini" }\n'
    plan.write_text(f'name = "route"\n{route}')
    shell("import", str(bill(tmp_path / "bill.csv", 8, 9)))
    shell("import", str(tmp_path / "usage.csv"))
    found = answer(shell("roi", "--to", str(plan), "--json"))
    # $10 a day, half of it at a fifth of the price: $4 a day.
    assert (found["monthly_saving"]["low"], found["monthly_saving"]["high"]) == ("120", "124")
    assert "re-priced at the price book" in found["monthly_saving"]["source"]
    plan.write_text(f'name = "route"\n{route}\n[[lever]]\naction = "tier"\ntier = "flex"\nshare = 0.5\n')
    assert any("have no price" in note for note in answer(shell("roi", "--to", str(plan), "--json"))["notes"])


def test_the_pdf_is_one_page_that_says_the_same(shell: Callable[..., Any], tmp_path: Path) -> None:
    out = tmp_path / "roi.pdf"
    levers = [part for name in ("route", "cache", "batch", "tier", "commit") for part in (f"--{name}", "20")]
    done = shell("roi", "--ai-spend", "10000", *levers, "--halve", "--pdf", str(out), "--json")
    said = [s["text"] for s in answer(done)["sentences"]]
    reader = PdfReader(out)
    assert len(reader.pages) == 1
    text = " ".join(reader.pages[0].extract_text().split())
    assert said[0] in text
    assert "Estimate (T4), not a measured saving" in text
    assert "halve-our-claim" in text


def test_published_projections_are_reproduced_or_contradicted(shell: Callable[..., Any]) -> None:
    found = {claim["claim"]: claim for claim in answer(shell("project", "--claims", "--json"))}
    year = found["Revenue of year 1: 500 Pro and 50 Enterprise"]
    assert (year["computed"]["mrr"], year["computed"]["arr"], year["verdict"]) == ("24994.5", "299934", CONTRADICTED)
    assert found["Revenue of year 2: 2000 Pro and 200 Enterprise"]["computed"]["arr"] == "1199736"
    calm = found["Conservative year 1: 300 individuals and 200 seats"]
    assert (calm["computed"]["mrr"], calm["computed"]["arr"], calm["verdict"]) == ("5400", "64800", REPRODUCED)
    assert calm["computed"]["collected_high"] == "22500"
    bold = found["Optimistic: 2,500 individuals and 1,500 seats"]
    assert (bold["computed"]["mrr"], bold["computed"]["arr"]) == ("42500", "510000")
    assert found["Year 2: ARR"]["computed"] == {"seats": "1437", "teams": "210"}
    assert found["Year 3: ARR"]["computed"] == {"seats": "5748", "teams": "838", "sessions": "200000000"}
    assert found["$10,000 MRR with 50 customers"]["computed"] == {
        "all_early": "4950",
        "mid_needed": "13",
        "with_them": "10150",
    }
    million = found["$100,000 MRR within 30 days of launch"]["computed"]
    assert (million["early_at_cap"], million["mid_at_cap"]) == ("1011", "201")
    assert found["The fee follows the AI spend"]["computed"] == {"early_cap_from": "4950", "mid_cap_from": "9980"}
    assert "contradicted" in shell("project", "--claims").stdout


def test_a_projection_of_ones_own(shell: Callable[..., Any]) -> None:
    mix = (
        "--users",
        "10000",
        "--conversion",
        "5",
        "--mix",
        "sessiontrack-pro=90",
        "--mix",
        "sessiontrack-enterprise=10",
    )
    found = answer(shell("project", *mix, "--json"))
    # 450 x 29.99 + 50 x 199.99
    assert (found["mrr"], found["arr"], len(found["months"])) == ("23495", "281940", 12)
    assert "A projection, not revenue" in shell("project", *mix).stdout
    assert "adds up to 90" in refusal(shell("project", *mix[:-1], "free=0"))
    assert "this one is 120 %" in refusal(shell("project", "--users", "1", "--conversion", "120", "--mix", "free=100"))
    assert "needs AI spend" in refusal(shell("project", "--users", "1", "--conversion", "1", "--mix", "mid=100"))
    assert "Give --users" in refusal(shell("project"))
    assert "NAME=VALUE" in refusal(shell("project", "--users", "1", "--conversion", "1", "--mix", "mid"))


def test_a_return_on_the_fee_alone_says_so(shell: Callable[..., Any]) -> None:
    _, returns, breaks = answer(shell(*TYPED, "--json"))["sentences"]
    assert returns["text"].startswith("Your ROI on the fee alone, no other cost being given: ")
    assert "nothing to break even with" in breaks["missing"]
