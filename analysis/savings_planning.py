"""Before the work: the smallest saving that a baseline could show. After it: how long one may be claimed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

import numpy as np

from analysis.savings_frames import read_days
from analysis.savings_gates import LEAST_BASELINE, LEAST_REPORTING
from analysis.savings_model import DECISIVE, fit_unit_cost, regressors
from analysis.savings_result import SHARE, quantum, rounded

if TYPE_CHECKING:
    import pandas as pd

POWER: Final = 0.80
#: Simulated spread of the estimate over that of the formula, which knows neither weekdays nor the estimated rho.
ABOVE_FORMULA: Final = 1.2
#: Days for which one baseline may be claimed against, where nothing better is agreed.
HORIZON_DAYS: Final = 90
#: Fewest usable baseline days from which the spread of unit cost is read at all.
_LEAST_READ: Final = 21


@dataclass(frozen=True, slots=True)
class Detectable:
    """The smallest saving that would be shown with 80 % power, or why that is not known yet.

    Attributes:
        fraction: of the cost that the reporting days would have; None where it is not known.
        per_day: the same in money a day, at the baseline's mean cost.
        reporting_days: for which it holds.
        spread: standard deviation of unit cost around the model, as a share of its mean.
        rho: autocorrelation of it from day to day.
        sentence: for a person.
    """

    fraction: Decimal | None
    per_day: Decimal | None
    reporting_days: int
    spread: Decimal | None
    rho: Decimal | None
    sentence: str


def detectable_saving(baseline: pd.DataFrame, reporting_days: int) -> Detectable:
    """The minimum detectable saving: 1.2 (1.96 + 0.842) CV sqrt((1 + rho) / (1 - rho)) sqrt(1/m + 1/n).

    1.96 is the quantile of the one-sided test of 2.5 % that a verified saving has to pass, 0.842 that of 80 % power.

    Args:
        baseline: days with columns date, cost, driver.
        reporting_days: m, after the change.

    Raises:
        ValueError: the frame has a wrong shape, or there are no reporting days.
    """
    if reporting_days < 1:
        raise ValueError(f"A reporting period has at least one day; this one has {reporting_days}.")
    days = read_days(baseline, "baseline", frozenset(), needs_use=True)
    n, series = len(days), days.series
    if n < _LEAST_READ or float(series.cost.sum()) <= 0:
        sentence = (
            f"What saving could be shown is not known yet: the baseline has {n} days with cost and use, and its spread "
            f"can be read from {_LEAST_READ} on."
        )
        return Detectable(None, None, reporting_days, None, None, sentence)
    unit_cost = series.cost / series.driver
    fit = fit_unit_cost(unit_cost, regressors(series, float(series.driver.mean())), series.day)
    spread = float(np.sqrt(fit.marginal_variance)) / abs(float(unit_cost.mean()))
    normal = NormalDist()
    needed = normal.inv_cdf((1 + DECISIVE) / 2) + normal.inv_cdf(POWER)
    together = float(np.sqrt((1 + fit.rho) / (1 - fit.rho) * (1 / reporting_days + 1 / n)))
    fraction = ABOVE_FORMULA * needed * spread * together
    mean_cost = float(series.cost.mean())
    return Detectable(
        rounded(fraction, SHARE),
        rounded(fraction * mean_cost, quantum(mean_cost)),
        reporting_days,
        rounded(spread, SHARE),
        rounded(fit.rho, SHARE),
        _sentence(fraction, n, reporting_days),
    )


@dataclass(frozen=True, slots=True)
class ClaimHorizon:
    """How long a saving may be claimed against one baseline; `last` is the last day of it."""

    start: date
    days: int = HORIZON_DAYS

    def __post_init__(self) -> None:
        if self.days < 1:
            raise ValueError(f"A claim horizon has at least one day; this one has {self.days}.")

    @property
    def last(self) -> date:
        """Last day that may be claimed."""
        return self.start + timedelta(days=self.days - 1)

    def covers(self, day: date) -> bool:
        """Whether a day may be claimed."""
        return self.start <= day <= self.last

    @property
    def sentence(self) -> str:
        """What the horizon means."""
        return (
            f"Claimed for {self.days} days, {self.start} to {self.last}: what would have been used without the change "
            "is less and less known, so a later claim needs a new baseline."
        )


def _sentence(fraction: float, n: int, m: int) -> str:
    short = [
        *([f"{LEAST_BASELINE - n} more baseline days"] if n < LEAST_BASELINE else []),
        *([f"at least {LEAST_REPORTING} reporting days"] if m < LEAST_REPORTING else []),
        *([f"at most {n} reporting days"] if m > n else []),
    ]
    shown = (
        f"With {n} baseline and {m} reporting days, a saving of {fraction:.1%} or more would show itself in four of "
        "five cases; a smaller one will mostly stay unproven, whether or not it is there."
    )
    return f"{shown} A claim also needs {' and '.join(short)}." if short else shown
