"""Figures that follow from what a stored claim states (`Claim.record`), computed in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from analysis.result import MILLION, ZERO, quotient, total


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
