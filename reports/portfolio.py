"""Several verified proofs as one sum with its interval, where their claims may be added at all."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import combinations
from typing import Any, Final

from analysis.attribution import Portfolio, PortfolioClaim, portfolio
from analysis.result import plain
from analysis.savings_result import Tier
from reports.claim import State
from reports.claimed import scope_in
from reports.question import may_meet
from reports.records import ProofRecord

_NONE: Final = "There is no verified proof in force to add."


@dataclass(frozen=True, slots=True)
class Kept:
    """A verified proof's figures (money), as a portfolio takes them."""

    tier: Tier
    currency: str
    point: Decimal | None
    low: Decimal | None
    high: Decimal | None
    verified: bool = True


@dataclass(frozen=True, slots=True)
class Together:
    """Verified proofs and their sum.

    Attributes:
        proofs: that are in it.
        currency: of the sum; empty where there is none.
        total: the sum with its interval, or why there is none.
    """

    proofs: tuple[ProofRecord, ...]
    currency: str
    total: Portfolio

    def record(self) -> dict[str, Any]:
        """As JSON carries it; money as decimal text."""
        found = self.total
        return {
            "proofs": [proof.id for proof in self.proofs],
            "currency": self.currency or None,
            "point": plain(found.point),
            "low": plain(found.low),
            "high": plain(found.high),
            "refusals": list(found.refusals),
            "limits": list(found.limits),
        }


def together(records: Sequence[ProofRecord], restated: Collection[str] = ()) -> Together:
    """The sum of the verified proofs among these, S = sum S_i with half widths added as squares (CalTRACK 2, 4.3).

    Proofs that share a driver or may concern the same charges err together or count twice, and have no sum.

    Args:
        records: proofs in any state.
        restated: ids of those whose bill was restated since; a sum that rests on one says so.
    """
    proofs = tuple(record for record in records if record.state == State.VERIFIED)
    if not proofs:
        return Together((), "", Portfolio(None, None, None, verified=False, refusals=(_NONE,), limits=()))
    claims: list[dict[str, Any]] = [json.loads(record.claim) for record in proofs]
    found = portfolio([_one(record, claim) for record, claim in zip(proofs, claims, strict=True)])
    meeting = tuple(
        f"{_workload(one)} and {_workload(other)} may concern the same charges."
        for one, other in combinations(claims, 2)
        if _workload(one) != _workload(other) and may_meet(scope_in(one).filters, scope_in(other).filters)
    )
    if meeting:
        found = replace(found, point=None, low=None, high=None, verified=False, refusals=(*found.refusals, *meeting))
    stale = [record.id for record in proofs if record.id in restated]
    if stale:
        said = f"Restated since, and here as known then: {', '.join(stale)}. See spendproof proofs show."
        found = replace(found, limits=(*found.limits, said))
    return Together(proofs, "" if found.point is None else proofs[0].currency, found)


def _one(record: ProofRecord, claim: dict[str, Any]) -> PortfolioClaim:
    driver = claim["driver"]
    # Requests out of usage are those of the scope itself; a driver of the customer's own is one series for all.
    name = f"{driver['name']} of {_workload(claim)}" if driver["source"] == "usage" else driver["name"]
    point, low, high = (None if text is None else Decimal(text) for text in (record.point, record.low, record.high))
    return PortfolioClaim(_workload(claim), name, Kept(Tier(record.tier), record.currency, point, low, high))


def _workload(claim: dict[str, Any]) -> str:
    return scope_in(claim).text() or "the whole bill"
