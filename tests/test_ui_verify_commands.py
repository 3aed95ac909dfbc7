"""The commands around a signed proof, as a person and as a program use them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from accounts.home import Settings
from accounts.vault import new_key
from reports.records import ProofRecord, Store
from tests.proofs import proof

ROOT = Path(__file__).resolve().parents[1]
ID = "a1b2c3d4"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation whose workspace `acme` holds one signed proof."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "key").write_text(new_key())
    settings = Settings(home=folder / "data", master_key=(folder / "key").read_text())  # type: ignore[arg-type]
    made = proof(settings, id_=ID)
    claim = made.document["claim"]
    figures = {name: claim["figures"][name] for name in ("point", "low", "high")}
    kept = {"state": "verified", "proof_class": "prospective", "tier": "T3", "currency": "USD"}
    Store(settings, "acme").add_proof(
        ProofRecord(
            id=ID, workspace="acme", question=claim["question"], reason="", claim=json.dumps(claim), cited=[],
            document=made.content.decode(), row_digest="e" * 64, superseded_by=None, created_at="2026-11-21T09:30:00Z",
            **figures, **kept,
        )
    )  # fmt: skip
    (folder / "p.json").write_bytes(made.content)
    return folder


def run(home: Path, *words: str, at: str = "data", typed: str = "") -> tuple[int, str, str]:
    env = {
        "SPENDPROOF_HOME": str(home / at),
        "SPENDPROOF_WORKSPACE": "acme",
        "SPENDPROOF_MASTER_KEY": (home / "key").read_text(),
        "PATH": os.environ["PATH"],
    }
    done = subprocess.run(
        [sys.executable, str(ROOT / "cli.py"), *words],
        cwd=home, env=env, input=typed, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def answer(home: Path, *words: str, at: str = "data") -> Any:
    return json.loads(run(home, *words, "--json", at=at)[1])


def test_a_valid_proof_ends_with_zero_and_a_changed_one_with_one(home: Path) -> None:
    status, out, err = run(home, "verify", "p.json")
    assert (status, err) == (0, "")
    assert out.startswith("Document valid as signed, revocation not checked.")
    (home / "bad.json").write_text((home / "p.json").read_text().replace('"point": "11459.21"', '"point": "11459.31"'))
    status, out, _ = run(home, "verify", "bad.json", "--json")
    assert status == 1
    found = json.loads(out)
    assert (found["valid"], found["first_wrong_path"]) == (False, "/document/claim/figures/point")
    assert (found["found"], found["signed"]) == ('"11459.31"', '"11459.21"')


def test_somebody_else_is_told_that_the_issuer_was_not_checked(home: Path) -> None:
    issuer = answer(home, "issuer", "show")["issuer"]
    assert answer(home, "verify", "p.json")["issuer_checked"] == "this installation"
    assert answer(home, "verify", "p.json", at="elsewhere")["issuer_checked"] == "not checked"
    assert issuer in answer(home, "verify", "p.json", at="elsewhere")["notes"][0]
    assert not (home / "elsewhere").exists()
    assert answer(home, "verify", "p.json", "--issuer", issuer, at="elsewhere")["issuer_checked"] == "as given"
    wrong = answer(home, "verify", "p.json", "--issuer", "another", at="elsewhere")
    assert (wrong["valid"], wrong["first_wrong_path"]) == (False, "/document/issuer/id")


def test_what_cannot_be_checked_is_one_sentence(home: Path) -> None:
    (home / "note.txt").write_text("nothing")
    for words in (("none.json",), (".",), ("note.txt",), ("p.json", "--online"), ("p.json", "--list", "note.txt")):
        status, out, err = run(home, "verify", *words)
        assert (status, out) == (1, "")
        assert err.startswith("Error: ")
        assert err.count("\n") == 1
    assert run(home, "verify")[0] == 2


def test_a_proof_is_written_in_every_form_and_each_form_is_checked(home: Path) -> None:
    made = answer(home, "render", ID[:3], "--format", "json,html,pdf,xlsx,csv,bundle", "--out", "out")
    assert len(made) == 8
    for file in (Path(entry["file"]) for entry in made):
        if not file.name.endswith(".sig.json"):
            assert answer(home, "verify", str(file))["valid"], file
    assert answer(home, "reproduce", f"out/proof-{ID}.zip", at="elsewhere")["reproduced"]
    assert run(home, "render", ID, "--format", "docx")[0] == 1


def test_a_proof_is_measured_again_without_its_ledger(home: Path) -> None:
    found = answer(home, "reproduce", "p.json", at="elsewhere")
    assert found["reproduced"]
    assert found["sources"] == ["days in the proof"]
    assert found["notes"] == ["The ledger that it cites is not on this machine."]
    (home / "bad2.json").write_text((home / "p.json").read_text().replace("11459.21", "11459.31"))
    assert run(home, "reproduce", "bad2.json")[0] == 1


def test_links_are_made_listed_and_withdrawn(home: Path) -> None:
    made = answer(home, "share", "create", ID, "--days", "3", "--hide-names")
    assert made["url"].endswith(made["path"])
    assert made["hidden"] == ["account ids", "names"]
    (listed,) = answer(home, "share", "list")
    assert (listed["id"], listed["active"], listed["views"]) == (made["id"], True, [])
    assert made["path"].removeprefix("/proof/") not in json.dumps(listed)
    assert run(home, "share", "revoke", made["id"])[0] == 0
    assert [link["active"] for link in answer(home, "share", "list")] == [False]
    for words in (("create", "none"), ("create", ID, "--days", "0"), ("revoke", "none")):
        status, _, err = run(home, "share", *words)
        assert (status, err[:7]) == (1, "Error: ")


def test_a_rotated_key_and_a_revoked_proof_show_in_the_list(home: Path) -> None:
    before = answer(home, "issuer", "show")
    after = answer(home, "issuer", "rotate")
    assert after["issuer"] == before["issuer"]
    assert [key["valid_to"] is None for key in after["keys"]] == [False, True]
    assert run(home, "issuer", "revocations", "--out", "clear.json")[0] == 0
    assert answer(home, "verify", "p.json", "--list", "clear.json")["revocation"] == "not listed"
    assert run(home, "issuer", "revoke", ID, "--reason", " ")[0] == 1
    assert run(home, "issuer", "revoke", ID, "--reason", "The driver counted tests.")[0] == 0
    # The proof itself, and the copy that the link of the other test may show.
    assert answer(home, "issuer", "revocations", "--out", "ended.json")["entries"] >= 1
    status, out, _ = run(home, "verify", "p.json", "--list", "ended.json", "--json")
    found = json.loads(out)
    assert (status, found["valid"], found["revocation"]) == (1, False, "revoked")
    assert found["reason"] == "The driver counted tests."
