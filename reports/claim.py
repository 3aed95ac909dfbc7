"""Everything that a proof states, as one frozen value: what the proof document is written from.

A claim is plain data: dates, texts, whole numbers and exact decimals; no figure of it is computed later. Whoever holds
`days`, `evidence` and `method` can measure again (`analysis.savings.measure_avoided_cost`) and must arrive at `gates`
and `figures`. Money is in `currency`; `days` are rounded before they are measured, figures afterwards (`ROUNDING`).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from analysis.guard_rails import GuardRail
from analysis.result import plain
from analysis.savings_result import ROUNDING as MONEY_ROUNDING
from analysis.scope import Filter
from reports.claim_parts import (
    Attempt,
    CitedLoad,
    Day,
    Days,
    Driver,
    EvidenceGiven,
    FeeLine,
    Figures,
    FrozenBaseline,
    Gate,
    Intervention,
    InvoiceTotal,
    LeftOut,
    Method,
    PriceChange,
    Projection,
    Repriced,
    Share,
    SourceFile,
)

__all__ = [
    "ROUNDING",
    "Attempt",
    "CitedLoad",
    "Claim",
    "Day",
    "Days",
    "Driver",
    "EvidenceGiven",
    "FeeLine",
    "Figures",
    "Filter",
    "FrozenBaseline",
    "Gate",
    "GuardRail",
    "Intervention",
    "InvoiceTotal",
    "LeftOut",
    "Method",
    "PriceChange",
    "Projection",
    "ProofClass",
    "Repriced",
    "Share",
    "SourceFile",
    "State",
    "Tier",
]

#: The rounding rules, which a proof prints: of the days before they are measured, and of what is measured.
ROUNDING: Final = (
    "costs of days to 1e-6, prices and counts of tokens to 1e-12, half to even; money to "
    f"{MONEY_ROUNDING}; shares to 1e-6, half to even"
)


class ProofClass(StrEnum):
    """Whether the question was fixed before the change, or after it."""

    PROSPECTIVE = "prospective"
    RETROSPECTIVE = "retrospective"


class Tier(StrEnum):
    """How a figure is known; figures of different tiers are never added."""

    REPRICED = "T1"
    HOLDOUT = "T2"
    BASELINE = "T3"
    PROJECTION = "T4"


class State(StrEnum):
    """What a proof is worth now."""

    DRAFT = "draft"
    PROVISIONAL = "provisional"
    VERIFIED = "verified"
    NOT_VERIFIED = "not verified"
    SUPERSEDED = "superseded"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Claim:
    """What a proof states.

    Attributes:
        question: in one sentence.
        proof_class, tier: printed on every rendering.
        state: `provisional`, `verified` or `not verified`; later states belong to the document.
        workspace: its name.
        synthetic: whether any cited load is sample data; then every rendering says so.
        currency: ISO 4217 code of all money.
        created: when it was measured (UTC).
        scope: conditions on charges and usage; empty is everything.
        driver: what cost is measured against.
        intervention: the change in question.
        baseline, reporting: the two periods.
        frozen: the baseline as signed beforehand; None on a retrospective claim.
        loads, snapshot: of the ledger; the snapshot is the number under which the rows can be read.
        row_digest: SHA-256 (hex) of the cited daily rows, as `row_query` gives them.
        row_query: SQL whose result, one text for each row in order, is digested.
        price_book_digest: SHA-256 (hex) of the price book.
        constant_prices: at which prices costs are stated, in words.
        method, gates, figures: of the measurement.
        evidence: what the gates took from outside the days.
        limits: what no test of the method can exclude, as sentences; printed on every rendering.
        days: both periods by day, in order.
        left_out, price_changes, other_changes: what was taken out, and what else happened.
        guard_rails: quality and performance; empty means none could be assessed, and renderings print "not assessed".
        attempts: every attempt at a retrospective claim on such charges, this one included; empty on a prospective one.
        refusals: why it is not verified, as sentences; empty where it is.
        warnings: what a reader has to know, as sentences.
        provisional_periods: months (first day) that a provider may still restate.
        repriced, projections: T1 and T4 beside the measurement, never added to it.
        shares: `figures.point` split over several interventions; empty for one, and where it cannot be split.
        split: how it was split or why it is not, as sentences; empty for one intervention.
        fee: lines; empty where there is none (always so on a retrospective claim).
    """

    question: str
    proof_class: ProofClass
    tier: Tier
    state: State
    workspace: str
    synthetic: bool
    currency: str
    created: datetime
    scope: tuple[Filter, ...]
    driver: Driver
    intervention: Intervention
    baseline: Days
    reporting: Days
    frozen: FrozenBaseline | None
    loads: tuple[CitedLoad, ...]
    snapshot: int
    row_digest: str
    row_query: str
    price_book_digest: str
    constant_prices: str
    method: Method
    gates: tuple[Gate, ...]
    figures: Figures
    evidence: EvidenceGiven
    limits: tuple[str, ...]
    days: tuple[Day, ...]
    left_out: tuple[LeftOut, ...] = ()
    price_changes: tuple[PriceChange, ...] = ()
    other_changes: tuple[Intervention, ...] = ()
    guard_rails: tuple[GuardRail, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    refusals: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    provisional_periods: tuple[date, ...] = ()
    repriced: tuple[Repriced, ...] = ()
    projections: tuple[Projection, ...] = ()
    shares: tuple[Share, ...] = ()
    split: tuple[str, ...] = ()
    fee: tuple[FeeLine, ...] = ()

    def record(self) -> dict[str, Any]:
        """The claim as JSON carries it: decimals as plain text, days and moments in ISO 8601, moments with a Z."""
        return {field.name: _json(getattr(self, field.name)) for field in fields(self)}


def _json(value: Any) -> Any:  # noqa: ANN401 - any field of a claim
    if is_dataclass(value):
        return {field.name: _json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        return [_json(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value
