"""Gates G1 to G8: what two frames of days must fulfil before their difference may be called a saving.

Each gate looks at the precision and stability of the measurement and never at its outcome, since a gate that knows
the saving selects lucky draws. Sources: sufficiency as CalTRACK 2.2.1.2; placebo windows in time as CausalPy's
checks; the other limits from simulation with a known truth, see docs/method/savings.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Final

import numpy as np

from analysis.savings_frames import Days
from analysis.savings_model import WEEK, Array, DayNumbers, Estimate, fit_unit_cost, regressors
from analysis.savings_result import Gate, Number, Status, as_share

LEAST_BASELINE, LEAST_REPORTING, MOST_MISSING = 84, 28, 0.10
MOST_CV: Final = 0.20
IN_RANGE, MARGIN = 0.90, 0.10
PRICE_T, PRICE_PROJECTED, TOKENS_PROJECTED = 2.6, 0.015, 0.03
DRIFT_T, DRIFT_PROJECTED = 1.96, 0.02
PLACEBO_LAST, PLACEBO_ANY = 0.05, 0.10
MOST_RHO: Final = 0.90
MOST_HALF_WIDTH: Final = 0.075
#: Lag up to which residuals of a component's trend may be correlated: a week (Newey and West 1987, Bartlett weights).
HAC_LAG: Final = WEEK

TITLES: Final = {
    "G1": "enough days",
    "G2": "fit",
    "G3": "range of the driver",
    "G4": "stable price and tokens",
    "G5": "drift",
    "G6": "placebo windows",
    "G7": "autocorrelation",
    "G8": "precision",
}


@dataclass(frozen=True, slots=True)
class Trend:
    """A component's trend in the baseline: its t value, and what it comes to by the middle of the reporting days."""

    t: float
    projected: float


def sufficiency_gate(baseline: Days, reporting: Days) -> Gate:
    """G1: at least 84 and 28 days, no more reporting than baseline days, at most 10 % missing, weekdays seen."""
    n, m = len(baseline), len(reporting)
    lacking = [_share(days.missing, days.span) for days in (baseline, reporting)]
    seen = set(((baseline.series.day + 3) % WEEK).tolist())
    used = reporting.series.day[reporting.series.driver > 0]
    unseen = set(((used + 3) % WEEK).tolist()) - seen
    faults = [
        *([f"the baseline has {n} usable days, needed are {LEAST_BASELINE}"] if n < LEAST_BASELINE else []),
        *([f"the reporting period has {m} days, needed are {LEAST_REPORTING}"] if m < LEAST_REPORTING else []),
        *([f"the reporting period ({m} days) is longer than the baseline ({n})"] if m > n else []),
        *(
            f"{share:.0%} of the {name} days are missing or left out, allowed are {MOST_MISSING:.0%}"
            for share, name in zip(lacking, ("baseline", "reporting"), strict=True)
            if share > MOST_MISSING
        ),
        *(["the reporting period has weekdays on which the baseline had no use"] if unseen else []),
    ]
    numbers: dict[str, Number] = {
        "baseline_days": n,
        "reporting_days": m,
        "baseline_missing": as_share(lacking[0]),
        "reporting_missing": as_share(lacking[1]),
    }
    return _gate(
        "G1", not faults, numbers, f"{n} baseline and {m} reporting days.", f"Too few days: {'; '.join(faults)}."
    )


def model_gates(baseline: Days, reporting: Days, estimate: Estimate) -> tuple[Gate, ...]:
    """G2 to G8 of a fitted model."""
    return (
        _fit_gate(baseline, estimate),
        _range_gate(baseline, reporting),
        _component_gate(baseline, reporting),
        _drift_gate(baseline, reporting),
        _placebo_gate(estimate),
        _rho_gate(estimate),
        _precision_gate(estimate),
    )


def unmodelled_gates(reason: str) -> tuple[Gate, ...]:
    """G2 to G8 where no model could be fitted."""
    return tuple(
        Gate(name, title, Status.NOT_ASSESSED, {}, f"Not assessed: {reason}")
        for name, title in TITLES.items()
        if name != "G1"
    )


def distance(baseline: DayNumbers, reporting: DayNumbers) -> float:
    """Days from the middle of the baseline to the middle of the reporting period."""
    return float(reporting.mean() - baseline.mean())


def hac_trend(values: Array, day: DayNumbers, ahead: float) -> Trend:
    """Trend of log values (n,) with weekdays, t by Newey-West; what it comes to `ahead` days later, as a share."""
    columns = np.zeros((len(day), 1 + WEEK))
    columns[:, 0] = 1.0
    columns[:, 1] = day - day.mean()
    for nth in range(1, WEEK):
        columns[:, 1 + nth] = (day + 3) % WEEK == nth
    logs = np.log(values)
    inverse = np.linalg.pinv(columns.T @ columns, hermitian=True)
    beta = inverse @ (columns.T @ logs)
    moments = columns * (logs - columns @ beta)[:, None]
    meat = moments.T @ moments
    for lag in range(1, min(HAC_LAG, len(day) - 1) + 1):
        lagged = moments[lag:].T @ moments[:-lag]
        meat += (1 - lag / (HAC_LAG + 1)) * (lagged + lagged.T)
    variance = float((inverse @ meat @ inverse)[1, 1])
    return Trend(_ratio(float(beta[1]), variance), float(beta[1]) * ahead)


def drift_of(baseline: Days, ahead: float) -> Trend:
    """Trend of unit cost by the same regression as the estimate; `projected` is a share of the mean unit cost."""
    series = baseline.series
    unit_cost = series.cost / series.driver
    time = (series.day - series.day.mean()).astype(np.float64)
    columns = np.column_stack([regressors(series, float(series.driver.mean())), time])
    fit = fit_unit_cost(unit_cost, columns, series.day)
    slope = float(fit.beta[-1])
    mean = abs(float(unit_cost.mean()))
    return Trend(_ratio(slope, fit.variance * float(fit.inverse[-1, -1])), _share(slope * ahead, mean))


def _fit_gate(baseline: Days, estimate: Estimate) -> Gate:
    residual = baseline.series.cost - estimate.fitted
    used = int(np.count_nonzero(estimate.fit.beta))
    rmse = float(np.sqrt(residual @ residual / max(len(residual) - used, 1)))
    cv = _share(rmse, abs(float(baseline.series.cost.mean())))
    return _gate(
        "G2",
        cv <= MOST_CV,
        {"cv_rmse": as_share(cv), "most": as_share(MOST_CV)},
        f"The model misses a baseline day by {cv:.1%} of the mean cost.",
        f"The driver explains the cost too poorly: the model misses a baseline day by {cv:.1%} of the mean cost, "
        f"allowed are {MOST_CV:.0%}.",
    )


def _range_gate(baseline: Days, reporting: Days) -> Gate:
    low, high = float(baseline.series.driver.min()), float(baseline.series.driver.max())
    if baseline.idle:
        low = 0.0
    slack = MARGIN * (high - low)
    driver = reporting.series.driver
    # A driver that never moved has a range of one point; the tolerance is of floats, not of the rule.
    near = 1e-9 * max(abs(low), abs(high))
    inside = float(np.mean((driver >= low - slack - near) & (driver <= high + slack + near)))
    return _gate(
        "G3",
        inside >= IN_RANGE,
        {"days_in_range": as_share(inside), "least": as_share(IN_RANGE), "low": as_share(low), "high": as_share(high)},
        f"{inside:.0%} of the reporting days lie within the baseline's range of the driver.",
        f"Only {inside:.0%} of the reporting days lie within the baseline's range of the driver "
        f"({low:,.0f} to {high:,.0f}, and a tenth more), needed are {IN_RANGE:.0%}: "
        "the model would have to guess what such days cost.",
    )


def _component_gate(baseline: Days, reporting: Days) -> Gate:
    ahead = distance(baseline.series.day, reporting.series.day)
    numbers: dict[str, Number] = {}
    faults: list[str] = []
    for key, what, values, most in (
        ("price_per_token", "the blended price of a token", baseline.price, PRICE_PROJECTED),
        ("tokens_per_driver", "tokens per unit of the driver", baseline.tokens, TOKENS_PROJECTED),
    ):
        known = np.zeros(0, dtype=bool) if values is None else np.isfinite(values) & (values > 0)
        if values is None or known.sum() < (1 - MOST_MISSING) * len(baseline):
            sentence = f"Not known on enough baseline days: {what}; a drift towards other models would not be seen."
            return Gate("G4", TITLES["G4"], Status.NOT_ASSESSED, numbers, sentence)
        trend = hac_trend(values[known], baseline.series.day[known], ahead)
        numbers |= {f"{key}_t": as_share(trend.t), f"{key}_projected": as_share(trend.projected)}
        if abs(trend.t) > PRICE_T and abs(trend.projected) > most:
            faults.append(f"{what} was moving on its own, by {trend.projected:+z.1%} until the reporting period")
    return _gate(
        "G4",
        not faults,
        numbers,
        "Price of a token and tokens per unit of the driver were stable in the baseline.",
        f"Before the change, {' and '.join(faults)}: what goes on of this cannot be told from the change.",
    )


def _drift_gate(baseline: Days, reporting: Days) -> Gate:
    trend = drift_of(baseline, distance(baseline.series.day, reporting.series.day))
    numbers: dict[str, Number] = {"t": as_share(trend.t), "projected": as_share(trend.projected)}
    return _gate(
        "G5",
        not (abs(trend.t) > DRIFT_T and abs(trend.projected) > DRIFT_PROJECTED),
        numbers,
        "Cost per unit of the driver had no trend in the baseline that could be told from chance.",
        "Cost per unit of the driver was moving before the change, "
        f"by {trend.projected:+z.1%} until the reporting period.",
    )


def _placebo_gate(estimate: Estimate) -> Gate:
    credited = [window.credited for window in estimate.placebos]
    last, worst = credited[-1], max(credited, key=abs)
    finds = (
        f"Where nothing was done, the method finds {last:+z.1%} in the last of {len(credited)} windows "
        f"and {worst:+z.1%} at worst"
        if isfinite(worst)
        else "Where nothing was done, the method expects no cost and finds some"
    )
    return _gate(
        "G6",
        abs(last) <= PLACEBO_LAST and abs(worst) <= PLACEBO_ANY,
        {"windows": len(credited), "last": as_share(last), "worst": as_share(worst)},
        f"{finds}.",
        f"{finds}; allowed are {PLACEBO_LAST:.0%} in the last and {PLACEBO_ANY:.0%} in any.",
    )


def _rho_gate(estimate: Estimate) -> Gate:
    rho = estimate.fit.rho
    return _gate(
        "G7",
        rho <= MOST_RHO,
        {"rho": as_share(rho), "most": as_share(MOST_RHO)},
        f"One day's deviation carries over to the next by {rho:.2f}.",
        f"One day's deviation carries over to the next by {rho:.2f}, allowed are {MOST_RHO}: cost wanders, and the "
        "baseline has no level to compare with.",
    )


def _precision_gate(estimate: Estimate) -> Gate:
    share = _share(estimate.half_width, abs(estimate.counterfactual))
    if not isfinite(share):
        return _gate("G8", False, {"half_width": as_share(share)}, "", "The interval has no bounds.")
    return _gate(
        "G8",
        share <= MOST_HALF_WIDTH,
        {"half_width": as_share(share), "most": as_share(MOST_HALF_WIDTH)},
        f"The interval reaches {share:.1%} of the counterfactual to either side.",
        f"The interval reaches {share:.1%} of the counterfactual to either side, allowed are {MOST_HALF_WIDTH:.1%}; "
        "more days or a driver closer to the work make it narrower.",
    )


def _gate(name: str, passed: bool, numbers: dict[str, Number], good: str, bad: str) -> Gate:
    return Gate(name, TITLES[name], Status.PASSED if passed else Status.FAILED, numbers, good if passed else bad)


def _share(part: float, whole: float) -> float:
    """`part / whole`; of nothing 0 where the part is 0, else infinite."""
    if whole == 0:
        return 0.0 if part == 0 else float("inf")
    return part / whole


def _ratio(slope: float, variance: float) -> float:
    return _share(slope, float(np.sqrt(max(variance, 0.0))))
