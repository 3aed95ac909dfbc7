"""A proof's claim as known now: the same question, evidence and method on today's ledger, beside what was signed.

It is recomputed and not signed: a person looks at it before the proof is superseded or revoked.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from analysis.result import plain
from reports import cited
from reports.claimed import interventions_in, scope_in, spans_in
from reports.invoices import ledger_now
from reports.measuring import gather
from reports.numbers import money
from reports.proof.remeasure import evidence_of
from reports.question import Question

if TYPE_CHECKING:
    from analysis.savings import AvoidedCost, Evidence
    from ledger.lake import Lake
    from reports.measuring import Gathered
    from reports.records import ProofRecord

LABEL: Final = "Recomputed, not signed"
#: Figures that are compared: their names in a claim, in the result, and for people.
_FIGURES: Final = (
    ("point", "Saving"),
    ("low", "Its lower end"),
    ("high", "Its upper end"),
    ("counterfactual", "Without the change"),
    ("actual", "Actual cost"),
)


@dataclass(frozen=True, slots=True)
class Compared:
    """A figure (money) as it was known then and is known now; None where there was or is none."""

    name: str
    title: str
    then: Decimal | None
    now: Decimal | None

    @property
    def difference(self) -> Decimal | None:
        """Now less then."""
        return None if self.then is None or self.now is None else self.now - self.then


@dataclass(frozen=True, slots=True)
class KnownNow:
    """A claim as known then beside the same claim on today's ledger.

    Attributes:
        currency: of all money (ISO 4217).
        then, now: whether the saving was verified, and whether it would be; None where it cannot be measured now.
        figures: each then and now.
        refusals: why it would not be verified now, as sentences.
        reason: why it cannot be measured at all now; empty where it can.
        snapshot: of the ledger that is taken for now.
    """

    currency: str
    then: bool
    now: bool | None
    figures: tuple[Compared, ...]
    refusals: tuple[str, ...]
    reason: str
    snapshot: int

    def rows(self) -> list[tuple[str, str, str, str]]:
        """For people: each figure's name, then, now, and the difference."""
        unit = self.currency
        return [
            (part.title, money(part.then, unit), money(part.now, unit), money(part.difference, unit))
            for part in self.figures
        ]

    def record(self) -> dict[str, Any]:
        """As JSON carries it; money as decimal text."""
        return {
            "label": LABEL,
            "currency": self.currency,
            "verified_then": self.then,
            "verified_now": self.now,
            "figures": [
                {
                    "figure": part.name,
                    "then": plain(part.then),
                    "now": plain(part.now),
                    "difference": plain(part.difference),
                }
                for part in self.figures
            ],
            "refusals": list(self.refusals),
            "reason": self.reason or None,
            "snapshot": self.snapshot,
        }


def known_now(lake: Lake, record: ProofRecord, at: int) -> KnownNow:
    """Measure a kept proof's claim again on the ledger as it is now.

    Scope, driver, periods, registered changes, invoices and evaluations are those of the claim; costs, driver, prices,
    finality and what the invoices are held against are today's.

    Args:
        lake: the ledger.
        record: the proof.
        at: snapshot that is taken for now.
    """
    claim: dict[str, Any] = json.loads(record.claim)
    found, reason = None, ""
    try:
        found = _measured(lake, claim, at)
    except ValueError as error:
        reason = str(error)
    figures = tuple(
        Compared(name, title, _decimal(claim["figures"][name]), None if found is None else getattr(found, name))
        for name, title in _FIGURES
    )
    refusals = () if found is None else found.refusals
    now = None if found is None else found.verified
    return KnownNow(claim["currency"], claim["state"] == "verified", now, figures, refusals, reason, at)


def _measured(lake: Lake, claim: dict[str, Any], at: int) -> AvoidedCost:
    from analysis.savings import METHOD, measure_avoided_cost  # noqa: PLC0415 - scipy, which only a measurement needs

    question, version = _question(claim), claim["method"]["version"]
    if version != METHOD:
        raise ValueError(f"The proof was measured by method {version}, and this release measures by {METHOD}.")
    if cited.bounds(lake, question.scope, at) is None:
        raise ValueError("The ledger has no charge of its scope any more.")
    found = gather(lake, question, snapshot=at)
    frames = found.baseline.frame(), found.reporting.frame()
    evidence = _evidence(lake, claim, question, found)
    return measure_avoided_cost(*frames, evidence=evidence, confidence=float(claim["method"]["confidence"]))


def _evidence(lake: Lake, claim: dict[str, Any], question: Question, found: Gathered) -> Evidence:
    """The claim's own evidence, with the bill as it is now."""
    given, at = evidence_of(claim), found.tables.snapshot
    spans = [(check.first, check.last) for check in given.invoices]
    ledger = ledger_now(lake, question.scope, spans, claim["currency"], at)
    settled = cited.settled(lake, question.scope, (question.baseline, question.reporting), at)
    return replace(
        given,
        unsettled=frozenset(settled.unsettled),
        invoices=tuple(replace(check, ledger=ledger[check.first, check.last]) for check in given.invoices),
        price_book=found.book_digest,
    )


def _question(claim: dict[str, Any]) -> Question:
    change, *others = interventions_in(claim)
    return Question(scope_in(claim), claim["driver"]["name"], change, *spans_in(claim), tuple(others))


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
