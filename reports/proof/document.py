"""The proof document: a claim with its words, its bridge and its identity, as plain JSON.

Its schema is `proof.schema.json`. Money and quantities are decimal texts, days and moments ISO 8601 in UTC. A proof
file is an envelope around it: the document, the signature that carries the same document, and the issuer's keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final

from reports.claim import Claim, Day
from reports.proof.chain import moment
from reports.proof.statement import bridge, statement

FORMAT: Final = "spendproof-proof"
#: Version of the document's schema; it grows whenever a reader of the old one could misread the new one.
VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Identity:
    """What makes a claim this document.

    Attributes:
        id: of the proof, in the workspace and on every rendering.
        issuer: thumbprint of the issuer's first key.
        issuer_name: what the issuer calls itself; a name proves nothing.
        signed_at: when it is signed (UTC).
        list_address: where the issuer publishes what is superseded or revoked; None where nowhere.
        supersedes: digest of the document that this one replaces.
        reason: why it replaces it, in a sentence.
    """

    id: str
    issuer: str
    issuer_name: str | None
    signed_at: datetime
    list_address: str | None = None
    supersedes: str | None = None
    reason: str | None = None


def document(claim: Claim, identity: Identity) -> dict[str, Any]:
    """The document of a claim."""
    record = claim.record()
    days = record.pop("days")
    replaced = {"digest": identity.supersedes, "reason": identity.reason} if identity.supersedes else None
    return {
        "format": FORMAT,
        "version": VERSION,
        "id": identity.id,
        "state": claim.state.value,
        "issuer": {"id": identity.issuer, "name": identity.issuer_name},
        "signed_at": moment(identity.signed_at),
        "list_address": identity.list_address,
        "supersedes": replaced,
        "redaction": None,
        "statement": statement(claim),
        "bridge": bridge(claim),
        "claim": record,
        # By column: half the size, and a wrong figure has a name (`/days/cost/37`).
        "days": {field.name: [day[field.name] for day in days] for field in fields(Day)},
    }


def daily(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The days of a document, one mapping each."""
    columns: Mapping[str, list[Any]] = found["days"]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
