"""What a stored claim (`Claim.record`) states, as values, and figures that follow from it, computed in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from analysis.result import MILLION, ZERO, quotient, total
from reports.claim_parts import Intervention

if TYPE_CHECKING:
    from analysis.scope import Scope

Span = tuple[date, date]


def scope_in(claim: Mapping[str, Any]) -> Scope:
    """The scope of a claim."""
    from analysis.scope import Filter, of  # noqa: PLC0415 - Ibis

    return of([Filter(part["dimension"], tuple(part["values"])) for part in claim["scope"]])


def spans_in(claim: Mapping[str, Any]) -> tuple[Span, Span]:
    """First and last day of the baseline, and of the reporting period."""
    baseline, reporting = (
        (date.fromisoformat(claim[part]["first_day"]), date.fromisoformat(claim[part]["last_day"]))
        for part in ("baseline", "reporting")
    )
    return baseline, reporting


def interventions_in(claim: Mapping[str, Any]) -> tuple[Intervention, ...]:
    """The change in question, and after it what else was registered; without their scopes."""
    return tuple(
        Intervention(
            date.fromisoformat(part["first_day"]),
            None if part["last_day"] is None else date.fromisoformat(part["last_day"]),
            part["kind"],
            part["note"],
        )
        for part in (claim["intervention"], *claim["other_changes"])
    )


def per_million(days: Sequence[Mapping[str, Any]], part: str) -> Decimal | None:
    """Cost of a million tokens over the days of a period; None where the tokens of any of them are not known.

    Args:
        days: the claim's days.
        part: `baseline` or `reporting`.
    """
    inside = [day for day in days if day["part"] == part]
    if not inside or any(day["tokens_per_driver"] is None for day in inside):
        return None
    tokens = total(Decimal(day["tokens_per_driver"]) * Decimal(day["driver"]) for day in inside)
    cost = total(Decimal(day["cost"]) for day in inside)
    return quotient(cost * MILLION, tokens) if tokens > ZERO else None
