"""What the Value page reads: AI spend, proofs as they are stored, and sources that failed or stopped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

import streamlit as st

from analysis.result import total
from analysis.where import Where, within
from reports.claimed import per_million
from ui import running
from ui.data import lake_of

#: States in which a proof stands, the strongest first.
STANDING: Final = ("verified", "provisional")


@dataclass(frozen=True, slots=True)
class Listed:
    """A stored proof in one line; amounts are None where nothing could be measured."""

    id: str
    question: str
    state: str
    reason: str
    proof_class: str
    tier: str
    currency: str
    point: Decimal | None
    low: Decimal | None
    high: Decimal | None
    created: str

    @property
    def saving(self) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
        """Point, low and high where the proof stands; what is not verified is no saving."""
        return (self.point, self.low, self.high) if self.state in STANDING else (None, None, None)


@dataclass(frozen=True, slots=True)
class Rail:
    """One measure of quality or performance beside a saving: its finding in words."""

    measure: str
    state: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Step:
    """One measured day of a proof: cost, what the model expects without the change, and that expectation's interval."""

    day: date
    reporting: bool
    cost: Decimal
    expected: Decimal | None
    low: Decimal | None
    high: Decimal | None


@dataclass(frozen=True, slots=True)
class Proven:
    """What the page draws of one proof; all money is in the proof's currency at constant prices.

    Attributes:
        confidence: of the interval, as a share.
        counterfactual, actual: of the reporting period; None where nothing could be measured.
        per_million: cost of a million tokens in baseline and reporting period; None where tokens are not known.
        fee: what the proof's fee lines add up to; None where it has none.
        shares: parts of the saving by intervention.
        marks: day and words of every intervention that the proof knows, the one in question first.
        provisional_from: first month that a provider may still restate.
    """

    confidence: Decimal
    counterfactual: Decimal | None
    actual: Decimal | None
    per_million: tuple[Decimal | None, Decimal | None]
    fee: Decimal | None
    shares: tuple[tuple[str, Decimal], ...]
    rails: tuple[Rail, ...]
    days: tuple[Step, ...]
    marks: tuple[tuple[date, str], ...]
    provisional_from: date | None
    warnings: tuple[str, ...]
    refusals: tuple[str, ...]
    synthetic: bool


@dataclass(frozen=True, slots=True)
class AiSpend:
    """BilledCost of AI of a period in one currency, and the number of its charges; no amount where there are none."""

    amount: Decimal | None
    charges: int


@st.cache_resource(max_entries=100, show_spinner=False)
def ai_spend(workspace: str, snapshot: int, first: date, end: date, currency: str, where: Where) -> AiSpend:
    """AI spend from `first` to the day before `end`, by the one definition that fees are taken by."""
    from analysis.fees_spend import ai_months  # noqa: PLC0415 - the engine's half second is for those who look

    daily = within(lake_of(workspace).table("daily_spend", snapshot=snapshot), where)
    rows = [row for row in ai_months(daily, start=first, end=end) if row["currency"] == currency]
    charges = sum(int(row["charges"]) for row in rows)
    return AiSpend(total(row["amount"] for row in rows if row["amount"] is not None) if charges else None, charges)


def proofs(workspace: str) -> list[Listed]:
    """Every stored proof of a workspace, the newest first. Read anew at every run: a state may change at any time."""
    from sqlalchemy import select  # noqa: PLC0415 - warmed at the start

    from accounts.database import sessions  # noqa: PLC0415
    from reports.records import ProofRecord as Proof  # noqa: PLC0415

    columns = (Proof.id, Proof.question, Proof.state, Proof.reason, Proof.proof_class, Proof.tier, Proof.currency)
    amounts = (Proof.point, Proof.low, Proof.high, Proof.created_at)
    query = select(*columns, *amounts).where(Proof.workspace == workspace).order_by(Proof.created_at.desc(), Proof.id)
    with sessions(running.current().settings)() as session:
        rows = session.execute(query).all()
    return [Listed(*row[:7], _decimal(row[7]), _decimal(row[8]), _decimal(row[9]), str(row[10])) for row in rows]


@st.cache_resource(max_entries=50, show_spinner=False)
def proven(workspace: str, snapshot: int, proof: str, state: str) -> Proven:  # noqa: ARG001 - a changed state is new
    """What a stored proof states."""
    from reports.records import Store  # noqa: PLC0415 - warmed at the start

    return read(json.loads(Store(running.current().settings, workspace).proof(proof).claim))


def read(claim: Mapping[str, Any]) -> Proven:
    """The page's part of a claim (`reports.claim.Claim.record`)."""
    figures = claim["figures"]
    interventions = [claim["intervention"], *claim["other_changes"]]
    fee = [Decimal(line["amount"]) for line in claim["fee"]]
    months = sorted(claim["provisional_periods"])
    return Proven(
        confidence=Decimal(claim["method"]["confidence"]),
        counterfactual=_decimal(figures["counterfactual"]),
        actual=_decimal(figures["actual"]),
        per_million=(per_million(claim["days"], "baseline"), per_million(claim["days"], "reporting")),
        fee=total(fee) if fee else None,
        shares=tuple((share["note"], Decimal(share["shapley"])) for share in claim["shares"]),
        rails=tuple(Rail(rail["measure"], rail["state"], rail["sentence"]) for rail in claim["guard_rails"]),
        days=tuple(_step(day) for day in claim["days"]),
        marks=tuple((date.fromisoformat(one["first_day"]), one["note"] or one["kind"]) for one in interventions),
        provisional_from=date.fromisoformat(months[0]) if months else None,
        warnings=tuple(claim["warnings"]),
        refusals=tuple(claim["refusals"]),
        synthetic=bool(claim["synthetic"]),
    )


def _step(day: Mapping[str, Any]) -> Step:
    return Step(
        date.fromisoformat(day["date"]),
        day["part"] == "reporting",
        Decimal(day["cost"]),
        _decimal(day["expected"]),
        _decimal(day["expected_low"]),
        _decimal(day["expected_high"]),
    )


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def captured(workspace: str) -> int:
    """How many baselines the workspace has frozen."""
    from sqlalchemy import func, select  # noqa: PLC0415

    from accounts.database import sessions  # noqa: PLC0415
    from reports.records import BaselineRecord as Baseline  # noqa: PLC0415

    with sessions(running.current().settings)() as session:
        query = select(func.count()).select_from(Baseline).where(Baseline.workspace == workspace)
        return int(session.execute(query).scalar_one())


def connections(workspace: str) -> int:
    """How many providers are connected."""
    from accounts.connections import listed  # noqa: PLC0415

    return len(listed(running.current().settings, workspace))
