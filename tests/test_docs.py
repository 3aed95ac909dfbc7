"""The documents say what the code does."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from cli import app
from connectors.registry import formats
from ledger.tables import TABLES
from tests.ledgers import line, write_bill

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = (ROOT / "docs" / "commands.md").read_text()
README = (ROOT / "README.md").read_text()


def commands() -> dict[str, object]:
    return dict(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_is_documented_and_has_an_example(name: str) -> None:
    assert re.search(rf"^## .*\b{re.escape(name)}\b", COMMANDS, re.MULTILINE), f"docs/commands.md has no heading {name}"
    assert f"spendproof {name}" in str(commands()[name].help)  # type: ignore[attr-defined]


def test_every_documented_command_exists() -> None:
    named = {
        n
        for heading in re.findall(r"^## ([a-z, -]+)", COMMANDS, re.MULTILINE)
        for n in re.findall(r"[a-z-]{2,}", heading)
    }
    assert named - {"--out"} <= set(commands())


@pytest.mark.parametrize("name", sorted(TABLES.keys() - {"sentinel", "prices"}))
def test_every_table_is_documented(name: str) -> None:
    assert f"`{name}`" in (ROOT / "docs" / "ledger.md").read_text()


def test_make_targets_of_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)", README, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_the_commands_of_the_readme_run(tmp_path: Path) -> None:
    (tmp_path / "bills").mkdir()
    charge = line("1.5", "2026-10-01").rsplit(",", 1)[0]
    write_bill(tmp_path / "bills" / "a.csv", [f"{charge},Hours"])
    block = README.split("## Your own bills")[1].split("```sh")[1].split("```")[0]
    for command in block.strip().splitlines():
        words = shlex.split(command.replace("~/bills/*.parquet", str(tmp_path / "bills" / "*.csv")))
        assert words[0] == "spendproof"
        if words[1] == "serve":
            continue
        done = subprocess.run(
            [sys.executable, str(ROOT / "cli.py"), *words[1:]],
            env={"SPENDPROOF_HOME": str(tmp_path / "home"), "PATH": ""},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr


def test_every_format_has_a_title_and_a_name_of_its_own() -> None:
    names = [f.name for f in formats()]
    assert len(names) == len(set(names))
    assert all(f.title and f.signature for f in formats())
