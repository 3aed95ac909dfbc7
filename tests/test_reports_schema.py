"""The published schema is the one that the types give, and every document follows it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from reports.claim import Claim, ProofClass, State
from reports.proof.envelope import bare
from reports.proof.schema import schema
from tests.claims import claim
from tests.proofs import proof, settings

PUBLISHED = Path(__file__).resolve().parents[1] / "docs" / "proof-schema.json"


def test_the_published_schema_is_the_one_of_the_code() -> None:
    assert json.loads(PUBLISHED.read_text()) == schema()


@pytest.mark.parametrize(
    "made",
    [
        claim(),
        claim(0.0),
        replace(claim(), proof_class=ProofClass.RETROSPECTIVE, fee=(), frozen=None),
        replace(claim(), state=State.PROVISIONAL, fee=()),
    ],
)
def test_documents_follow_the_schema(tmp_path: Path, made: Claim) -> None:
    envelope = json.loads(proof(settings(tmp_path), made).content)
    validator = jsonschema.Draft202012Validator(schema())
    validator.validate(envelope)
    validator.validate(bare(envelope))
    envelope["document"]["claim"]["figures"]["point"] = 11459.21
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(envelope)
