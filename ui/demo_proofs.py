"""Proofs on the sample customer, so that the demo shows what a proof looks like: one verified, one refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from analysis.scope import parse
from reports.guarding import rails, read_evaluations
from reports.invoices import read_invoices
from reports.measuring import Given
from reports.optimization import OptimizationProof
from reports.question import intervention_of
from sample_data import EVALUATIONS, INVOICES

if TYPE_CHECKING:
    from accounts.home import Settings
    from ledger.lake import Lake

_SIGNED_BY: Final = "the sample's generator"


@dataclass(frozen=True, slots=True)
class Change:
    """A change that the sample customer made, as sample_data/README.md tells it."""

    day: date
    kind: str
    note: str
    scope: str
    driver: str
    product: str


CHANGES: Final = (
    Change(
        date(2026, 4, 14),
        "trimming",
        "Prompts for documents trimmed",
        "model=gemini-2.5-pro,project=lumenfold-docs-synthetic",
        "docs_requests",
        "docs",
    ),
    Change(
        date(2026, 5, 12),
        "routing",
        "Easy assistant requests go to the smaller model",
        "project=proj_synthetic_assistant,provider=OpenAI",
        "assistant_requests",
        "assistant",
    ),
)


def prove_samples(
    lake: Lake, settings: Settings, workspace: str, now: datetime, changes: Sequence[Change] = CHANGES
) -> int:
    """Measure the sample's changes and keep the signed proofs; none where the workspace has proofs already.

    Returns:
        How many proofs were made.
    """
    proof = OptimizationProof(lake, settings, workspace)
    if proof.store.proofs():
        return 0
    confidence = Decimal("0.90")
    for change in changes:
        row = proof.store.add_intervention(
            change.day, None, scope=change.scope, kind=change.kind, note=change.note, who=_SIGNED_BY, now=now
        )
        read = read_evaluations(EVALUATIONS, {"product": change.product}, None)
        given = Given(
            signed_by=_SIGNED_BY,
            invoices=read_invoices(INVOICES),
            guard_rails=rails(read, confidence),
            confidence=confidence,
        )
        claim = proof.calculate_improvements(
            intervention_of(row), given, now, scope=parse(change.scope), driver=change.driver
        )
        proof.generate_proof_report(claim, now)
    return len(changes)
