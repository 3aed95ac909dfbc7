"""Quiet days of a made-up workload, and evidence that lacks nothing; a test disturbs the one thing it is about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from analysis.savings import AvoidedCost, Evidence, Intervention, InvoiceCheck, measure_avoided_cost

FIRST = date(2025, 1, 6)
#: Unit cost of a day, by its number.
UnitCost = Callable[[np.ndarray], np.ndarray]


def steady(day: np.ndarray) -> np.ndarray:
    """About one cent a request, with the same small noise every time."""
    return 0.01 * (1 + 0.03 * np.random.default_rng(7).standard_normal(1000)[day])


def days(count: int, *, start: int = 0, unit_cost: UnitCost = steady, level: float = 1.0) -> pd.DataFrame:
    """Days from `FIRST + start` on: a driver with a week and a spread, its unit cost, stable price and tokens."""
    day = np.arange(start, start + count)
    random = np.random.default_rng(11).standard_normal((3, 1000))[:, day]
    driver = level * np.round(5_000 * np.where(day % 7 < 5, 1.0, 0.7) * np.exp(0.1 * random[0]))
    return pd.DataFrame(
        {
            "date": [FIRST + timedelta(days=int(number)) for number in day],
            "cost": driver * unit_cost(day),
            "driver": driver,
            "price_per_token": 5e-6 * np.exp(0.01 * random[1]),
            "tokens_per_driver": 2_000 * np.exp(0.01 * random[2]),
        }
    )


def history(
    n: int = 120, m: int = 30, *, saved: float = 0.2, unit_cost: UnitCost = steady
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Baseline and reporting days between which a share of the cost was saved."""
    reporting = days(m, start=n, unit_cost=unit_cost)
    return days(n, unit_cost=unit_cost), reporting.assign(cost=reporting["cost"] * (1 - saved))


def full_evidence(baseline: pd.DataFrame, reporting: pd.DataFrame, **other: Any) -> Evidence:
    """Evidence with which every gate passes."""
    first, last = baseline["date"].iloc[0], reporting["date"].iloc[-1]
    complete = Evidence(
        currency="USD",
        unsettled=frozenset(),
        invoices=(InvoiceCheck(first, last, Decimal("10000.00"), Decimal("10010.00")),),
        price_book="sha256:0f",
        interventions=(Intervention(reporting["date"].iloc[0], "prompt caching", changes_answers=False),),
        other_changes=(),
        signed_by="Ada Pereira",
    )
    return replace(complete, **other)


def measured(frames: tuple[pd.DataFrame, pd.DataFrame], **evidence: Any) -> AvoidedCost:
    """The avoided cost with full evidence, some of it replaced."""
    return measure_avoided_cost(*frames, evidence=full_evidence(*frames, **evidence))
