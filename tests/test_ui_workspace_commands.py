"""The commands of workspaces, run as a person runs them, and what is said where a master key is lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from accounts.vault import new_key
from cli import app
from tests.ledgers import line, write_bill


class Shell:
    """A home of its own, and the command in it."""

    def __init__(self, home: Path) -> None:
        self.environment = {"SPENDPROOF_HOME": str(home), "SPENDPROOF_MASTER_KEY": new_key()}

    def run(self, *words: str, given: str = "") -> tuple[int, str, str]:
        """Exit status, standard output, standard error."""
        done = CliRunner().invoke(app, words, env=self.environment, input=given)
        return done.exit_code, done.stdout.strip(), done.stderr


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """With workspace acme: one charge, and a connection whose secret is sealed."""
    shell = Shell(tmp_path / "home")
    bill = write_bill(tmp_path / "bill.csv", [line("1.5", "2026-10-01")])
    assert shell.run("import", str(bill), "--workspace", "acme")[0] == 0
    entered = ("connect", "openai", "--stdin", "--untested", "--workspace", "acme")
    status, _, said = shell.run(*entered, given="admin_key=sk-admin-secret\n")
    assert status == 0, said
    return shell


def test_a_workspace_leaves_and_comes_back(shell: Shell, tmp_path: Path) -> None:
    file = str(tmp_path / "acme.zip")
    status, out, said = shell.run("workspace", "backup", "acme", "--to", file)
    assert (status, said) == (0, "")
    assert "1 charge (1.5 USD billed)" in out
    assert "1 sealed secret, and not the master key, which is in SPENDPROOF_MASTER_KEY" in out
    status, _, said = shell.run("workspace", "delete", "acme", given="amce\n")
    assert status == 1
    assert said.endswith("Error: 'amce' is not the name of the workspace, so acme was not deleted.\n")
    status, _, said = shell.run("workspace", "delete", "acme")
    assert status == 1
    assert said.strip().endswith(("Aborted.", "Aborted!"))
    status, out, _ = shell.run("workspace", "delete", "acme", given="acme\n")
    assert status == 0
    assert "is deleted" in out
    assert shell.run("workspace", "list", "--json")[1] == "[]"
    status, out, _ = shell.run("workspace", "restore", file, "--as", "back", "--json")
    restored = json.loads(out)
    assert (restored["workspace"], restored["from"], restored["billed"]) == (
        "back",
        "acme",
        {"USD": "1.500000000000000000"},
    )
    assert (restored["accounts"], restored["lost"]) == ({"connections": 1}, [])
    status, out, _ = shell.run("workspace", "move", "back", "--to", "acme")
    assert status == 0
    spent = json.loads(shell.run("spend", "--workspace", "acme", "--json")[1])
    assert "1.5" in json.dumps(spent)
    (listed,) = json.loads(shell.run("workspace", "list", "--json")[1])
    assert (listed["workspace"], listed["accounts"]) == ("acme", {"connections": 1})


def test_what_is_refused_is_one_sentence(shell: Shell, tmp_path: Path) -> None:
    for words, sentence in (
        (("move", "acme", "--to", "acme"), "There is a workspace acme already"),
        (("move", "nobody", "--to", "b"), "There is no workspace 'nobody'; there are: acme."),
        (("backup", "nobody", "--to", str(tmp_path / "b.zip")), "There is no workspace 'nobody'"),
        (("restore", str(tmp_path / "bill.csv")), "is not a whole backup"),
        (("delete", "nobody", "--yes"), "There is no workspace 'nobody'"),
    ):
        status, out, said = shell.run("workspace", *words)
        assert (status, out, said.count("\n")) == (1, "", 1)
        assert sentence in said


def test_a_lost_master_key_says_what_is_lost_and_how_to_enter_it_again(shell: Shell, tmp_path: Path) -> None:
    def doctor() -> dict[str, dict[str, str]]:
        found = json.loads(shell.run("doctor", "--workspace", "acme", "--json")[1])
        return {check["name"]: check for check in found}

    thumbprint = json.loads(shell.run("issuer", "show", "--workspace", "acme", "--json")[1])["issuer"]
    assert doctor()["Master key"]["ok"]
    assert "is not lost" in shell.run("issuer", "renew", "--yes", "--workspace", "acme")[2]
    shell.run("workspace", "backup", "acme", "--to", str(tmp_path / "acme.zip"))
    shell.environment["SPENDPROOF_MASTER_KEY"] = new_key()
    lost = {name: check for name, check in doctor().items() if name.startswith("Secret of")}
    assert lost.keys() == {"Secret of connection openai", "Secret of signing key 1"}
    assert not any(check["ok"] for check in lost.values())
    assert "spendproof connections rotate openai --workspace acme." in lost["Secret of connection openai"]["fix"]
    assert "spendproof issuer renew --workspace acme" in lost["Secret of signing key 1"]["fix"]

    again = ("connections", "rotate", "openai", "--stdin", "--untested", "--workspace", "acme")
    assert shell.run(*again, given="admin_key=sk-admin-second\n")[0] == 0
    assert shell.run("issuer", "renew", "--workspace", "acme", given="no\n")[0] == 1
    assert shell.run("issuer", "renew", "--workspace", "acme", given="acme\n")[0] == 0
    assert doctor()["Master key"]["ok"]
    assert json.loads(shell.run("issuer", "show", "--workspace", "acme", "--json")[1])["issuer"] != thumbprint

    elsewhere = Shell(tmp_path / "elsewhere")
    status, out, _ = elsewhere.run("workspace", "restore", str(tmp_path / "acme.zip"))
    assert status == 0
    assert "does not open 2 secrets of it" in out
    assert "connection openai: spendproof connections rotate openai --workspace acme" in out
