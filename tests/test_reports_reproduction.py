"""Proofs measured again, from their own days and from bundles; lists of what no longer stands; time stamps."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from accounts.home import Settings
from ledger.lake import Address, Lake
from reports.claim import State
from reports.proof import keys
from reports.proof.bundle import bundle
from reports.proof.canonical import DocumentError
from reports.proof.issue import Proof, issue
from reports.proof.reproduction import reproduce
from reports.proof.revocation import Ended, hold_against, published
from reports.proof.verification import verify
from tests.claims import SIGNED, claim
from tests.proofs import ISSUER, proof, settings


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return settings(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def made(home: Settings) -> Proof:
    return proof(home)


def put(folder: Path, name: str, content: bytes) -> Path:
    file = folder / name
    file.write_bytes(content)
    return file


@pytest.mark.parametrize("effect", [0.22, 0.0])
def test_the_days_of_a_proof_give_its_figures_again(home: Settings, tmp_path: Path, effect: float) -> None:
    found = reproduce(put(tmp_path, "p.json", proof(home, claim(effect)).content))
    assert found.same
    assert len(found.compared) > 250
    assert found.record()["figures"]["point"]["signed"] == found.record()["figures"]["point"]["found"]


def test_a_figure_that_the_days_do_not_give_is_named(home: Settings, tmp_path: Path) -> None:
    wider = replace(claim().figures, low=Decimal("9000.00"), share_low=Decimal("0.160013"))
    found = reproduce(put(tmp_path, "p.json", proof(home, replace(claim(), figures=wider)).content))
    assert not found.same
    assert [figure.path for figure in found.differences] == [
        "/document/claim/figures/low",
        "/document/claim/figures/share_low",
    ]
    assert found.differences[0].found == "11039.73"


def test_a_changed_proof_is_not_measured_at_all(made: Proof, tmp_path: Path) -> None:
    found = reproduce(put(tmp_path, "p.json", made.content.replace(b'"11459.21"', b'"11459.22"', 1)))
    assert not found.same
    assert found.compared == ()


def test_a_proof_of_another_method_is_refused(home: Settings, tmp_path: Path) -> None:
    method = replace(claim().method, version="E9-9")
    with pytest.raises(DocumentError, match="E9-9"):
        reproduce(put(tmp_path, "p.json", proof(home, replace(claim(), method=method)).content))


def test_a_bundle_is_measured_without_the_ledger(made: Proof, tmp_path: Path) -> None:
    with Lake(Address(tmp_path / "lake")) as lake:
        content = bundle(made, lake)
        assert bundle(made, lake) == content
        with pytest.raises(DocumentError, match="no longer gives the rows"):
            bundle(made, lake, rows=True)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.namelist() == ["proof.json", "days.csv", "queries.sql", "README.txt", "prices.csv"]
    file = put(tmp_path, "b.zip", content)
    assert verify(file).valid
    found = reproduce(file)
    assert found.same
    assert {figure.path for figure in found.compared} >= {"/days.csv", "/document/claim/price_book_digest"}


@pytest.mark.parametrize(
    ("name", "path"), [("days.csv", "/days.csv"), ("prices.csv", "/document/claim/price_book_digest")]
)
def test_a_changed_part_of_a_bundle_is_named(made: Proof, tmp_path: Path, name: str, path: str) -> None:
    with Lake(Address(tmp_path / "lake")) as lake:
        content = bundle(made, lake)
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(out, "w") as after:
        for entry in before.namelist():
            lines = before.read(entry).splitlines(keepends=True)
            after.writestr(entry, b"".join(lines[:-1] if entry == name else lines))
    found = reproduce(put(tmp_path, "b.zip", out.getvalue()))
    assert [figure.path for figure in found.differences] == [path]


def test_a_list_says_what_no_longer_stands(home: Settings, made: Proof, tmp_path: Path) -> None:
    checked = verify(put(tmp_path, "p.json", made.content))
    clear = published(home, "acme", [], None, SIGNED)
    assert hold_against(checked, clear).revocation == "not listed"
    assert hold_against(checked, clear).summary == "Document valid as signed, not superseded or revoked."
    ended = Ended(made.digest, "a1b2c3d4", State.SUPERSEDED, "The bill was restated.", "ffff0000")
    found = hold_against(checked, published(home, "acme", [ended], None, SIGNED))
    assert not found.valid
    assert found.summary == (
        "Signed as it stands, but superseded since. The bill was restated. It was replaced by ffff0000."
    )


def test_a_list_that_was_changed_or_is_anothers_says_nothing(home: Settings, made: Proof, tmp_path: Path) -> None:
    checked = verify(put(tmp_path, "p.json", made.content))
    envelope = json.loads(published(home, "acme", [], None, SIGNED))
    envelope["document"]["signed_at"] = "2030-01-01T00:00:00Z"
    with pytest.raises(DocumentError, match="not as it was signed"):
        hold_against(checked, json.dumps(envelope).encode())
    with pytest.raises(DocumentError, match="another issuer"):
        hold_against(checked, published(home, "elsewhere", [], None, SIGNED))
    with pytest.raises(DocumentError, match="not as it was signed"):
        hold_against(checked, made.content)


def test_a_proof_signed_by_a_retired_key_after_its_end_is_not_valid(tmp_path: Path) -> None:
    home = settings(tmp_path / "home")
    before = keys.signer(home, "acme", SIGNED)
    keys.rotate(home, "acme", SIGNED + timedelta(days=1))
    old = issue(claim(), before, "a1b2c3d4", SIGNED + timedelta(days=2), issuer=ISSUER)
    found = hold_against(verify(put(tmp_path, "p.json", old.content)), published(home, "acme", [], None, SIGNED))
    assert found.wrong is not None
    assert found.wrong.path == "/document/signed_at"
