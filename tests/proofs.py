"""Signed proofs for tests: keys under a master key of the test, and the files of a proof."""

from __future__ import annotations

from pathlib import Path

from accounts.home import Settings
from accounts.vault import new_key
from reports.claim import Claim
from reports.proof.issue import IssuerSettings, Proof, issue
from reports.proof.keys import signer
from tests.claims import SIGNED, claim

ISSUER = IssuerSettings(issuer="SpendProof test", public_url=None, tsa=None)


def settings(folder: Path) -> Settings:
    return Settings(home=folder, master_key=new_key())  # type: ignore[arg-type]


def proof(
    found: Settings, made: Claim | None = None, *, issuer: IssuerSettings = ISSUER, id_: str = "a1b2c3d4"
) -> Proof:
    made = made or claim()
    return issue(made, signer(found, made.workspace, SIGNED), id_, SIGNED, issuer=issuer)
