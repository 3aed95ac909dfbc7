"""`baseline`, `intervention`, `prove` and `proofs` as a person and a program use them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli import app
from tests.samples import WORKSPACE, invoices, sample

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

SCOPE = "provider=OpenAI,project=proj_synthetic_assistant"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("commands")
    for lake in sample(folder, "openai"):
        lake.close()
        yield folder


def run(home: Path, *words: str) -> Result:
    environment = {
        "SPENDPROOF_HOME": str(home),
        "SPENDPROOF_WORKSPACE": WORKSPACE,
        "SPENDPROOF_MASTER_KEY": "x" * 43 + "=",
    }
    return CliRunner().invoke(app, list(words), env=environment)


def answer(home: Path, *words: str) -> Any:
    found = run(home, *words, "--json")
    assert found.exit_code == 0, found.stderr
    return json.loads(found.stdout)


def test_from_a_date_to_a_signed_proof(home: Path, tmp_path: Path) -> None:
    listed = tmp_path / "invoices.csv"
    lines = [f"{i.provider},{i.first},{i.last},{i.amount},{i.currency}" for i in invoices()]
    listed.write_text("\n".join(["provider,first_day,last_day,amount,currency", *lines]))
    change = answer(
        home, "intervention", "add", "2026-05-12", "--kind", "routing", "--note", "Easy requests", "--scope", SCOPE
    )
    assert answer(home, "intervention", "list") == [change]
    asked = ("prove", "--change", change["id"], "--driver", "assistant_requests")
    open_ = answer(home, *asked)
    assert (open_["state"], open_["claim"]["proof_class"], open_["claim"]["tier"]) == (
        "not verified",
        "retrospective",
        "T3",
    )
    told = run(home, *asked)
    assert "next: give the invoices of both periods" in told.stdout
    assert "What was measured, and is not claimed:" in told.stdout
    files = [tmp_path / "p.json", tmp_path / "p.csv"]
    out = [word for file in files for word in ("--out", str(file))]
    found = answer(
        home, *asked, "--invoices", str(listed), "--signed-by", "A. Customer", "--supersedes", open_["id"], *out
    )
    assert found["state"] == "verified"
    assert found["claim"]["attempts"][0]["times"] == 3
    assert found["claim"]["synthetic"] is True
    assert [str(file) for file in files] == [name for name in found["files"] if Path(name) in files]
    assert all(Path(name).exists() for name in found["files"])
    assert json.loads(files[0].read_text())["document"]["id"] == found["id"]
    kept = {row["id"]: row for row in answer(home, "proofs", "list")}
    assert (kept[found["id"]]["state"], kept[open_["id"]]["state"]) == ("verified", "superseded")
    assert kept[open_["id"]]["superseded_by"] == found["id"]
    assert all(row["restated"] is None for row in kept.values())
    shown = answer(home, "proofs", "show", found["id"][:6])
    assert shown["claim"]["row_digest"] == found["claim"]["row_digest"]
    assert (shown["restated"], shown["known_now"]) == (None, None)
    total = answer(home, "proofs", "total", found["id"])
    assert (total["proofs"], total["point"]) == ([found["id"]], found["claim"]["figures"]["point"])
    assert run(home, "proofs", "total", open_["id"]).exit_code == 1
    assert "G9 passed (isolation): Easy requests (2026-05-12)" in run(home, "proofs", "show", found["id"]).stdout


def test_a_frozen_baseline_is_listed_shown_and_proved_against(home: Path) -> None:
    asked = ("baseline", "capture", "--scope", SCOPE, "--driver", "assistant_requests", "--to", "2026-05-11")
    found = answer(home, *asked)
    assert found["disqualifications"] == []
    assert found["frozen"]["signed"] is True
    assert answer(home, *asked)["frozen"] == found["frozen"]
    assert answer(home, "baseline", "list") == [found["frozen"]]
    shown = answer(home, "baseline", "show", found["frozen"]["digest"][:8])
    assert len(shown["document"]["days"]) == shown["days"] == 223
    assert shown["signature"].count(".") == 2
    proved = answer(home, "prove", "--on", "2026-05-12", "--baseline", shown["id"])
    # Frozen today, which is after the change: knowing the outcome.
    assert proved["claim"]["proof_class"] == "retrospective"
    assert proved["claim"]["frozen"]["digest"] == found["frozen"]["digest"]
    assert "Hand the digest to whoever" in run(home, *asked).stdout


def test_a_baseline_that_cannot_carry_a_claim_is_refused_with_its_reasons(home: Path) -> None:
    words = ("baseline", "capture", "--scope", SCOPE, "--driver", "active_users", "--from", "2026-09-01")
    found = run(home, *words, "--json")
    assert found.exit_code == 1
    assert json.loads(found.stdout)["frozen"] is None
    assert json.loads(found.stdout)["disqualifications"][0]["name"] == "too_short"
    assert "refused: The baseline has 61 measurable days" in run(home, *words).stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("prove",), "Name the change"),
        (("prove", "--on", "2026-05-12", "--driver", "tokens"), "cannot be the driver"),
        (("prove", "--on", "2026-05-12", "--driver", "sales"), "no driver 'sales'"),
        (("prove", "--on", "2026-05-12", "--scope", "planet=earth"), "no dimension 'planet'"),
        (("prove", "--on", "2026-05-12", "--scope", "provider=Nobody"), "no charge with provider=Nobody"),
        (("prove", "--on", "2020-05-12"), "no day before it"),
        (("prove", "--on", "2030-05-12"), "no day to report yet"),
        (("prove", "--on", "2026-05-12", "--out", "p.doc"), "p.doc: a proof is written as .json"),
        (("prove", "--on", "2026-05-12", "--where", "x"), "write COLUMN=VALUE"),
        (("prove", "--on", "2026-05-12", "--kind", "magic"), "no kind of intervention 'magic'"),
        (("prove", "--on", "2026-05-12", "--fee-plan", "early"), "plans that are: savings-share"),
        (("prove", "--on", "2026-05-12", "--contract", "c.toml"), "Name the plan of the contract"),
        (("proofs", "total", "nothing"), "no proof 'nothing'"),
        (("prove", "--change", "zz"), "There is no intervention 'zz'"),
        (("prove", "--on", "2026-05-12", "--supersedes", "zz"), "There is no proof 'zz'"),
        (("baseline", "show", "zz"), "There is no baseline 'zz'"),
        (("baseline", "capture", "--from", "2026-05-12", "--to", "2026-05-11"), "before it begins"),
        (("proofs", "show", "zz"), "There is no proof 'zz'"),
        (("intervention", "add", "2026-05-12", "--kind", "routing", "--note", " "), "Say what was done"),
        (
            ("intervention", "add", "2026-05-12", "--kind", "routing", "--note", "x", "--until", "2026-05-01"),
            "It ends on 2026-05-01, before it begins",
        ),
    ],
)
def test_what_cannot_be_done_is_one_sentence(home: Path, words: tuple[str, ...], message: str) -> None:
    found = run(home, *words)
    assert found.exit_code == 1
    assert message in found.stderr
    assert "Traceback" not in found.stderr
    assert len(found.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("words", [("--confidence", "2"), ("--confidence", "much"), ("--margin", "-1")])
def test_wrong_usage_is_exit_status_two(home: Path, words: tuple[str, str]) -> None:
    assert run(home, "prove", "--on", "2026-05-12", *words).exit_code == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("provider,amount\nOpenAI,1", "has no column currency, first_day, last_day"),
        ("provider,first_day,last_day,amount,currency\nOpenAI,yesterday,2026-01-31,1,USD", "row 1: days are written"),
        ("provider,first_day,last_day,amount,currency\nOpenAI,2026-01-01,2026-01-31,a lot,USD", "row 1: days are"),
    ],
)
def test_an_invoice_file_that_cannot_be_read_says_where(home: Path, tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "i.csv"
    path.write_text(content)
    found = run(home, "prove", "--on", "2026-05-12", "--invoices", str(path))
    assert (found.exit_code, message in found.stderr) == (1, True)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("date,passed\n2026-01-01,1", "has no column cases"),
        ("date,cases,passed\n2026-01-01,10,11", "11 of 10 cases cannot have passed"),
        ("date,cases,passed\nsoon,10,1", "Evaluation 1: a date is written"),
        ("date,cases,passed\n", "has no evaluation where"),
    ],
)
def test_an_evaluation_file_that_cannot_be_read_says_where(
    home: Path, tmp_path: Path, content: str, message: str
) -> None:
    path = tmp_path / "e.csv"
    path.write_text(content)
    found = run(home, "prove", "--on", "2026-05-12", "--driver", "active_users", "--evaluations", str(path))
    assert (found.exit_code, message in found.stderr) == (1, True)


def test_an_empty_workspace_says_what_to_do(tmp_path: Path) -> None:
    assert "No baseline is frozen" in run(tmp_path, "baseline", "list").stdout
    assert "No change is registered" in run(tmp_path, "intervention", "list").stdout
    assert "There is no proof yet" in run(tmp_path, "proofs", "list").stdout
    assert "The ledger has no charge at all" in run(tmp_path, "prove", "--on", "2026-05-12").stderr
