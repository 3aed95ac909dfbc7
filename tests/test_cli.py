"""The command line as programs and people use it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ledger.focus import VERSIONS, cost_and_usage
from tests.ledgers import HEADER, line, write_bill

ROOT = Path(__file__).resolve().parents[1]


class Shell:
    """`spendproof` in a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SPENDPROOF_")}
        return subprocess.run(
            [sys.executable, str(ROOT / "cli.py"), *map(str, arguments)],
            env={**environment, "SPENDPROOF_HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home / "config")},
            cwd=self.home.parent,
            capture_output=True,
            text=True,
            check=False,
        )

    def json(self, *arguments: str | Path) -> Any:
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def refused(self, *arguments: str | Path) -> str:
        """The one sentence of a refusal."""
        done = self.run(*arguments)
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        last = done.stderr.strip().splitlines()[-1]
        assert last.startswith("Error: ")
        return last


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "home")


@pytest.fixture
def bill(tmp_path: Path) -> Path:
    lines = [
        line("1.25", "2026-10-01", service="Compute"),
        line("2.50", "2026-10-02", service="Storage"),
        line("0.0000000000000001", "2026-10-03", service="Compute"),
    ]
    return write_bill(tmp_path / "bill.csv", lines)


def test_import_prints_the_promised_keys(shell: Shell, bill: Path) -> None:
    loaded = shell.json("import", bill)
    assert {k: loaded[k] for k in ("rows_in", "rows_loaded", "rows_rejected", "format", "provider", "periods")} == {
        "rows_in": 3,
        "rows_loaded": 3,
        "rows_rejected": 0,
        "format": "focus",
        "provider": "Acme",
        "periods": ["2026-10"],
    }
    assert Decimal(loaded["billed_cost_in"]["USD"]) == Decimal("3.7500000000000001")
    assert loaded["billed_cost_in"] == loaded["billed_cost_loaded"]
    assert loaded["load_id"] == shell.json("loads")[0]["load_id"]
    assert loaded["snapshot"] >= 1
    assert isinstance(loaded["findings"], list)


def test_spend_keeps_every_digit(shell: Shell, bill: Path) -> None:
    shell.json("import", bill)
    rows = shell.json("spend", "--by", "service")
    assert [(r["service"], r["billed_cost"], r["currency"]) for r in rows] == [
        ("Storage", "2.5", "USD"),
        ("Compute", "1.2500000000000001", "USD"),
    ]
    (october,) = shell.json("spend", "--by", "month", "--from", "2026-10-02", "--to", "2026-10-02")
    assert (october["month"], october["billed_cost"]) == ("2026-10", "2.5")


def test_an_empty_ledger_says_so(shell: Shell) -> None:
    assert "The ledger is empty" in shell.run("spend").stdout
    assert shell.json("spend") == []
    assert shell.json("loads") == []
    assert shell.json("unit-cost") == []


def test_wrong_questions_are_answered_with_one_sentence(shell: Shell, bill: Path) -> None:
    shell.json("import", bill)
    assert "known dimensions are" in shell.refused("spend", "--by", "colour")
    assert "billed, effective, list" in shell.refused("spend", "--metric", "dear")
    assert "There is no file" in shell.refused("import", "nothing.csv")
    assert "cannot be the name of a workspace" in shell.refused("loads", "--workspace", "../x")
    assert "versions are 1.0" in shell.refused("export", "--out", "x.csv", "--focus-version", "2.0")
    assert shell.run("spend", "--nonsense").returncode == 2


def test_an_unexpected_home_is_one_sentence(shell: Shell) -> None:
    shell.home.write_text("a file where a folder should be")
    assert shell.refused("loads")


@pytest.mark.parametrize("version", VERSIONS)
def test_export_has_exactly_the_columns_of_its_version(shell: Shell, bill: Path, tmp_path: Path, version: str) -> None:
    shell.json("import", bill)
    out = tmp_path / "out.parquet"
    written = shell.json("export", "--focus-version", version, "--out", out)
    columns = [row[0] for row in duckdb.execute(f"DESCRIBE FROM '{out}'").fetchall()]
    assert columns == [c.name for c in cost_and_usage(version)]
    assert written["rows"] == 3
    assert duckdb.execute(f"SELECT sum(BilledCost) FROM '{out}'").fetchone() == (Decimal("3.7500000000000001"),)


@pytest.mark.parametrize("version", VERSIONS)
def test_an_export_loads_again_as_it_was(shell: Shell, bill: Path, tmp_path: Path, version: str) -> None:
    shell.json("import", bill)
    out = tmp_path / "out.csv"
    shell.json("export", "--focus-version", version, "--format", "csv", "--out", out)
    loaded = shell.json("import", out, "--workspace", "second")
    assert loaded["rows_rejected"] == 0
    first, second = (shell.json("spend", "--by", "service,day", "--workspace", w) for w in ("default", "second"))
    assert first == second


def test_a_formula_in_a_tag_is_escaped_in_a_spreadsheet(shell: Shell, tmp_path: Path) -> None:
    bill = tmp_path / "bill.csv"
    cells = line("1", "2026-10-01").split(",")
    cells[HEADER.split(",").index("ChargeDescription")] = "=HYPERLINK(0)"
    bill.write_text(f"{HEADER}\n{','.join(cells)}\n")
    shell.json("import", bill)
    shell.json("export", "--format", "csv", "--out", tmp_path / "out.csv")
    assert "'=HYPERLINK(0)" in (tmp_path / "out.csv").read_text()


def test_token_identity_travels_inside_sku_price_details(shell: Shell, tmp_path: Path) -> None:
    details = '"{""ModelId"":""gpt-5.5"",""TokenDirection"":""Output"",""CoreCount"":4}"'
    bill = tmp_path / "bill.csv"
    bill.write_text(
        f"{HEADER},SkuPriceDetails,ConsumedQuantity,ConsumedUnit\n{line('30', '2026-10-01')},{details},1000000,Tokens\n"
    )
    shell.json("import", bill)
    (row,) = shell.json("unit-cost", "--by", "model,direction")
    assert (row["model"], row["direction"], row["cost_per_million"]) == ("gpt-5.5", "Output", "30")
    out = tmp_path / "out.parquet"
    shell.json("export", "--focus-version", "1.2", "--out", out)
    (written,) = duckdb.execute(f"SELECT SkuPriceDetails FROM '{out}'").fetchone() or ("{}",)
    assert json.loads(written) == {"CoreCount": 4, "ModelId": "gpt-5.5", "TokenDirection": "Output"}


def test_doctor_finds_a_fresh_home_well(shell: Shell, bill: Path) -> None:
    assert all(check["ok"] for check in shell.json("doctor"))
    shell.json("import", bill)
    assert any(check["name"] == "Source file:focus" for check in shell.json("doctor"))


def test_rejects_name_file_row_column_and_reason(shell: Shell, bill: Path) -> None:
    text = bill.read_text().replace("2.50,2.50", '"1,234.50",2.50', 1)
    bill.write_text(text)
    loaded = shell.json("import", bill)
    assert (loaded["rows_in"], loaded["rows_loaded"], loaded["rows_rejected"]) == (3, 2, 1)
    (reject,) = shell.json("rejects")
    assert (reject["file"], reject["row"], reject["column"], reject["value"]) == (
        "bill.csv",
        2,
        "BilledCost",
        "1,234.50",
    )
    assert "thousands separator" in reject["reason"]
