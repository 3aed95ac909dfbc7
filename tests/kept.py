"""Things on record that reports can be of: a stored proof, a saved ROI scenario, a saved view."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from accounts import scenarios, views
from accounts.home import Settings
from reports.claim import Claim
from reports.proof.issue import Proof
from reports.records import ProofRecord, Store
from tests import claims, proofs
from tests.reporting import NOW

SCENARIO: dict[str, Any] = {
    "set": {
        "roi-way": "Levers",
        "roi-plan": "Early",
        "roi-horizon": 12,
        "roi-halve": False,
        "roi-cost": 5000.0,
        "roi-ramp": 3,
        "roi-rate": 10,
        "roi-start": "2026-12-01",
        "roi-route": 20,
        "roi-cache": 30,
    },
    "saving": None,
    "spend": {
        "low": "20000",
        "expected": "20000",
        "high": "20000",
        "source": "the prospect's own number",
        "currency": "USD",
        "basis": "typed",
        "horizons": [12, 24, 36],
        "notes": [],
        "sample": False,
    },
}


def keep_proof(settings: Settings, state: str, claim: Claim | None = None, *, id_: str = "a1b2c3d4e5f6") -> Proof:
    """A signed proof in the workspace `acme`."""
    claimed = claim or claims.claim()
    made = proofs.proof(settings, claimed, id_=id_)
    stated = claimed.record()
    figures = stated["figures"]
    Store(settings, "acme").add_proof(
        ProofRecord(
            id=id_,
            workspace="acme",
            question=stated["question"],
            state=state,
            reason="" if state == "verified" else "The interval reaches below zero.",
            proof_class=stated["proof_class"],
            tier=stated["tier"],
            currency=stated["currency"],
            point=figures["point"],
            low=figures["low"],
            high=figures["high"],
            claim=json.dumps(stated),
            document=made.content.decode(),
            cited=[],
            row_digest="ef" * 32,
            superseded_by=None,
            created_at="2026-11-21T09:30:00Z",
        )
    )
    return made


def keep_scenario(settings: Settings, now: datetime = NOW, **changes: object) -> str:
    """The token of a saved scenario in the workspace `acme`; `changes` are of what was set."""
    return scenarios.save(settings, "acme", SCENARIO | {"set": SCENARIO["set"] | changes}, now)


def keep_view(settings: Settings, name: str, query: str, workspace: str = "acme") -> str:
    """The name of a saved view of the Spend page."""
    return views.save(settings, workspace, name, "spend", query).name
