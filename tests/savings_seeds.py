"""The sample customer's changes, drawn anew for every seed of its generator and measured, with what is true of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.savings import AvoidedCost, measure_avoided_cost
from sample_data.calendar import DAYS, START
from sample_data.company import CHANGES, POOLS, Pool, daily

REPORTING_DAYS = 90
#: The change that did nothing.
WITHOUT_EFFECT = next(change.id for change in CHANGES if not change.sets)
_USD = 1e-12


@dataclass(frozen=True)
class Seen:
    """One seed: the measurement of the change, and what was truly avoided in the same days, in USD."""

    result: AvoidedCost
    truth: float

    @property
    def covered(self) -> bool:
        """Whether the interval holds the truth."""
        low, high = self.result.low, self.result.high
        return low is not None and high is not None and float(low) <= self.truth <= float(high)

    @property
    def verified(self) -> bool:
        """Whether nothing but the bill's own evidence stands between the measurement and a verified saving."""
        return self.result.statistically_sound and self.result.shown


def seen(change_id: str, seed: int) -> Seen:
    """Measure a change over its first 90 days, against all days before it."""
    change = next(c for c in CHANGES if c.id == change_id)
    pool = next(p for p in POOLS if p.key == change.pool)
    made = _days(pool, seed, frozenset())
    first = (change.day - START).days
    after = made[first : first + REPORTING_DAYS]
    undone = _days(pool, seed, frozenset({change.id}))[first : first + REPORTING_DAYS] if change.sets else after
    result = measure_avoided_cost(made[:first], after.reset_index(drop=True))
    return Seen(result, float(undone["cost"].sum() - after["cost"].sum()))


def _days(pool: Pool, seed: int, without: frozenset[str]) -> pd.DataFrame:
    """Cost, driver, price of a token and tokens for each request of a pool, by day."""
    found = daily(seed, without, (pool,))
    tokens: Any = found.tokens
    drivers: Any = found.drivers
    sums = tokens.group_by("date").aggregate([("picodollars", "sum"), ("tokens", "sum")]).to_pandas()
    sums = sums.sort_values("date", ignore_index=True)
    named = drivers.to_pandas()
    driver = named["value"][named["name"] == f"{pool.product}_requests"].to_numpy(float)
    assert len(sums) == len(driver) == len(DAYS)
    cost, used = sums["picodollars_sum"] * _USD, sums["tokens_sum"].astype(float)
    return pd.DataFrame(
        {
            "date": pd.to_datetime(sums["date"]),
            "cost": cost,
            "driver": driver,
            "price_per_token": cost / used,
            "tokens_per_driver": used / driver,
        }
    )
