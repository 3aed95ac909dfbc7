"""What a change avoided, against an untouched workload that drifts alike: difference in differences (tier T3).

d_t = ln(treated cost / driver) - ln(control cost / driver) of the days before is modelled by weekday with AR(1) errors,
as unit cost is in `analysis.savings_model`, interval included; what the days after differ from it on average is the
log effect, and the counterfactual is the actual cost without it. A control that does not share the drift gives a wrong
answer with a narrow interval, so the two must have run in parallel before.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import numpy as np

from analysis import written
from analysis.result import ZERO, total
from analysis.savings_frames import Days, one_currency, read_days
from analysis.savings_gates import (
    DRIFT_PROJECTED,
    DRIFT_T,
    LEAST_BASELINE,
    LEAST_REPORTING,
    MOST_HALF_WIDTH,
    MOST_RHO,
    distance,
    hac_trend,
)
from analysis.savings_model import Array, DayNumbers, Series, estimate
from analysis.savings_result import SHARE, Gate, Number, Status, Tier, as_share, quantum, rounded

if TYPE_CHECKING:
    import pandas as pd

#: Fewest common days before the change for which anything is fitted.
_LEAST_FITTED: Final = 21
#: Half widths of the log effect beyond this, a factor of 148, are no interval.
_WIDEST: Final = 5.0
LIMIT: Final = (
    "The control must be untouched by the change and go on as before it; that the two ran in parallel before is "
    "tested, that they would have gone on so is assumed. Of simulated changes without effect, 1% are claimed, and 7% "
    "where the two differ by noise that stays for weeks."
)


@dataclass(frozen=True, slots=True)
class ComparedCost:
    """The avoided cost of the treated workload.

    Attributes:
        point, low, high: avoided cost; negative where the change cost money; None where nothing could be fitted.
        counterfactual, actual: of the treated workload's reporting days that the control has as well.
        fraction, fraction_low, fraction_high: shares of the counterfactual.
        gates: C1 days, C2 parallel before, C3 autocorrelation, C4 precision.
        sound: every gate passed.
        refusals: why not, as sentences.
    """

    tier: Tier
    confidence: Decimal
    actual: Decimal
    counterfactual: Decimal | None
    point: Decimal | None
    low: Decimal | None
    high: Decimal | None
    fraction: Decimal | None
    fraction_low: Decimal | None
    fraction_high: Decimal | None
    gates: tuple[Gate, ...]
    sound: bool
    refusals: tuple[str, ...]
    limits: tuple[str, ...] = (LIMIT,)


@dataclass(frozen=True, slots=True)
class _Pair:
    """Common days of both workloads: day numbers and ln of treated over control unit cost; the treated's cost."""

    day: DayNumbers
    log_ratio: Array
    cost: Decimal


def compare_with_control(
    baseline: pd.DataFrame,
    reporting: pd.DataFrame,
    control_baseline: pd.DataFrame,
    control_reporting: pd.DataFrame,
    *,
    confidence: float = 0.90,
) -> ComparedCost:
    """The avoided cost of a treated workload beside a control.

    Args:
        baseline: the treated workload before the change; columns date, cost (constant prices), driver.
        reporting: the treated workload after it.
        control_baseline: the untouched workload on the days before.
        control_reporting: the untouched workload on the days after.
        confidence: two-sided, of the interval.

    Raises:
        ValueError: a frame has a wrong shape, or the currencies are mixed.
    """
    frames = (baseline, reporting, control_baseline, control_reporting)
    names = ("baseline", "reporting", "control baseline", "control reporting")
    days = [read_days(f, n, frozenset(), needs_use=True) for f, n in zip(frames, names, strict=True)]
    one_currency((d.currency for d in days if d.currency is not None), "The comparison")
    before, after = _paired(days[0], days[2]), _paired(days[1], days[3])
    gates = [_days_gate(before, after)]
    if len(before.day) < _LEAST_FITTED or not len(after.day):
        return _result(gates, confidence, after.cost, None)
    level = float(before.log_ratio.mean())
    model = estimate(_as_series(before, level), _as_series(after, level), confidence)
    m = len(after.day)
    effect, half = model.counterfactual / m - 1 - float(after.log_ratio.mean() - level), model.half_width / m
    gates += [_parallel_gate(before, after), _rho_gate(model.fit.rho), _precision_gate(half)]
    return _result(gates, confidence, after.cost, (effect, half) if half <= _WIDEST else None)


def _paired(treated: Days, control: Days) -> _Pair:
    common, first, second = np.intersect1d(treated.series.day, control.series.day, return_indices=True)
    unit = treated.series.cost[first] / treated.series.driver[first]
    other = control.series.cost[second] / control.series.driver[second]
    kept = (unit > 0) & (other > 0)
    costs = [treated.costs[at] for at in first[kept].tolist()]
    return _Pair(common[kept], np.log(unit[kept]) - np.log(other[kept]), total(costs))


def _as_series(pair: _Pair, level: float) -> Series:
    # Around one rather than zero, since placebo windows are judged as shares of what is expected.
    return Series(pair.day, 1 + pair.log_ratio - level, np.ones(len(pair.day)))


def _result(gates: list[Gate], confidence: float, actual: Decimal, found: tuple[float, float] | None) -> ComparedCost:
    refusals = [gate.sentence for gate in gates if gate.status is Status.FAILED]
    money: list[Decimal | None] = [None] * 4
    shares: list[Decimal | None] = [None] * 3
    spent = rounded(actual, quantum(float(actual)))
    if found is not None:
        effect, half = found
        wholes = [float(actual) * float(np.exp(at)) for at in (effect, effect - half, effect + half)]
        unit = quantum(wholes[0])
        spent = rounded(actual, unit)
        avoided = [rounded(whole, unit) - spent for whole in wholes]
        money = [rounded(wholes[0], unit), *avoided]
        shares = [rounded(1 - float(np.exp(-at)), SHARE) for at in (effect, effect - half, effect + half)]
        if avoided[1] <= ZERO:
            refusals.append(
                f"The interval reaches from {written.money(avoided[1], None)} to {written.money(avoided[2], None)}, "
                "so nothing may have been avoided."
            )
    return ComparedCost(
        Tier.BASELINE_MODEL,
        Decimal(str(confidence)),
        spent,
        *money,
        *shares,
        gates=tuple(gates),
        sound=found is not None and all(gate.status is Status.PASSED for gate in gates),
        refusals=tuple(refusals),
    )


def _days_gate(before: _Pair, after: _Pair) -> Gate:
    n, m = len(before.day), len(after.day)
    held = n >= LEAST_BASELINE and m >= LEAST_REPORTING
    needed = "" if held else f"; needed are {LEAST_BASELINE} and {LEAST_REPORTING}"
    sentence = f"Both workloads have {n} days in common before the change and {m} after it{needed}."
    return _gate("C1", "common days", held, {"before": n, "after": m}, sentence)


def _parallel_gate(before: _Pair, after: _Pair) -> Gate:
    """Pre-trend test: the ratio of the two unit costs had no trend before the change."""
    trend = hac_trend(np.exp(before.log_ratio), before.day, distance(before.day, after.day))
    held = not (abs(trend.t) > DRIFT_T and abs(trend.projected) > DRIFT_PROJECTED)
    numbers: dict[str, Number] = {"t": as_share(trend.t), "projected": as_share(trend.projected)}
    sentence = (
        "Before the change the two workloads ran in parallel."
        if held
        else f"Before the change the two workloads drifted apart, by {trend.projected:+z.1%} until the reporting "
        "period: the control does not say what the treated one would have cost."
    )
    return _gate("C2", "parallel before", held, numbers, sentence)


def _rho_gate(rho: float) -> Gate:
    sentence = f"One day's deviation carries over to the next by {rho:.2f}, allowed are {MOST_RHO}."
    return _gate("C3", "autocorrelation", rho <= MOST_RHO, {"rho": as_share(rho)}, sentence)


def _precision_gate(half: float) -> Gate:
    if half > _WIDEST:
        return _gate("C4", "precision", False, {}, "The interval has no bounds.")
    share = float(np.expm1(half))
    sentence = f"The interval reaches {share:.1%} of the counterfactual up, allowed are {MOST_HALF_WIDTH:.1%}."
    return _gate("C4", "precision", share <= MOST_HALF_WIDTH, {"half_width": as_share(share)}, sentence)


def _gate(name: str, title: str, held: bool, numbers: dict[str, Number], sentence: str) -> Gate:
    return Gate(name, title, Status.PASSED if held else Status.FAILED, numbers, sentence)
