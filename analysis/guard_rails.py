"""Whether answers stayed as good and as fast while they became cheaper: non-inferiority, or "not assessed".

A change is shown to be no worse where the bound of its interval on the bad side (one-sided 95 % at a confidence of
90 %) lies within a margin that is stated. What cannot be shown is not taken for unchanged. Performance is compared by
day, since requests of one day are alike: Welch's interval of the difference between the means of daily values. Pass
rates of evaluations are binomial, each model's weighed by its share of the requests.
"""

# Ibis types `table["x"]` as an abstract column, without the operations of its kind.
# pyright: reportAttributeAccessIssue=false, reportOperatorIssue=false, reportArgumentType=false
# pyright: reportCallIssue=false, reportReturnType=false
from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from analysis.period import Period
from analysis.result import fetch

if TYPE_CHECKING:
    import ibis.expr.types as ir

NOT_ASSESSED: Final = "not assessed"
NOT_WORSE: Final = "not worse"
WORSE: Final = "worse"
NOT_SHOWN: Final = "not shown"

#: Fewest days, or cases of an evaluation, in each period.
LEAST_DAYS: Final = 14
LEAST_CASES: Final = 100
_STEP: Final = Decimal("1e-6")


class Measure(NamedTuple):
    """What is compared: its unit, whether more is better, the margin, and whether that is a share of the value before.

    The margin is the usual one unless another is stated.
    """

    name: str
    title: str
    unit: str
    more_is_better: bool
    margin: Decimal
    relative: bool


LATENCY: Final = Measure("latency_ms", "Latency", "ms", False, Decimal("0.10"), True)
ERRORS: Final = Measure("error_rate", "Error rate", "share of requests", False, Decimal("0.005"), False)
SPEED: Final = Measure("tokens_per_second", "Output speed", "tokens/s", True, Decimal("0.10"), True)
PASSED: Final = Measure("pass_rate", "Evaluations passed", "share of cases", True, Decimal("0.02"), False)


@dataclass(frozen=True, slots=True)
class GuardRail:
    """One measure of quality or performance beside the saving.

    Attributes:
        measure: `latency_ms`, `error_rate`, `tokens_per_second` or `pass_rate`.
        unit: of the values.
        before, after: means of the two periods; None where not assessed.
        low, high: interval of `after - before`, at the claim's confidence.
        margin: how much worse is still taken for no worse, stated beforehand, in the same unit.
        state: `not worse`, `worse`, `not shown` or `not assessed`.
        sentence: the finding in words.
        count_before, count_after: of observations (requests, cases).
    """

    measure: str
    unit: str
    before: Decimal | None
    after: Decimal | None
    low: Decimal | None
    high: Decimal | None
    margin: Decimal | None
    state: str
    sentence: str
    count_before: int = 0
    count_after: int = 0


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Cases of one evaluation on one day: how many were tried and passed, and of which model (None: of all)."""

    date: date
    model: str | None
    cases: int
    passed: int


class _Sample(NamedTuple):
    """A mean, the variance of that mean, its degrees of freedom, and how many observations it stands on."""

    mean: float
    variance: float
    freedom: float
    size: int


def performance(usage: ir.Table, before: Period, after: Period, confidence: float) -> tuple[GuardRail, ...]:
    """Latency, error rate and output speed of both periods, out of logs of requests.

    Args:
        usage: `ledger.tables.USAGE` of the scope.
        before: days of the baseline.
        after: days of the reporting period.
        confidence: two-sided, of the intervals.
    """
    rows = fetch(_daily(usage, before, after))
    return tuple(_of_days(measure, rows, before, confidence) for measure in (LATENCY, ERRORS, SPEED))


def pass_rate(
    evaluations: Sequence[Evaluation],
    requests: Mapping[str, tuple[int, int]],
    before: Period,
    after: Period,
    confidence: float,
    margin: Decimal | None = None,
) -> GuardRail:
    """Evaluations passed in both periods; where they are by model, as the requests were shared among the models.

    Args:
        evaluations: of the scope.
        requests: for each model, those of the baseline and of the reporting period; asked where there are several.
        before: days of the baseline.
        after: days of the reporting period.
        confidence: two-sided, of the interval.
        margin: loss that is still taken for none, as a share of cases; the usual one if None.
    """
    measure = PASSED if margin is None else PASSED._replace(margin=margin)
    models = {evaluation.model for evaluation in evaluations}
    samples = list[_Sample]()
    for which, period in enumerate((before, after)):
        inside = [e for e in evaluations if _inside(e.date, period)]
        weights = dict.fromkeys(models, 1.0)
        if len(models) > 1:
            counts = {model: requests.get(model or "", (0, 0))[which] for model in models}
            if not sum(counts.values()):
                return _open(measure, "evaluations are by model, and how many requests each had is not known")
            weights = {model: count / sum(counts.values()) for model, count in counts.items()}
        sample = _binomial(inside, weights)
        if isinstance(sample, str):
            return _open(measure, sample)
        samples.append(sample)
    return _judged(measure, samples[0], samples[1], confidence, "cases")


def _daily(usage: ir.Table, before: Period, after: Period) -> ir.Table:
    """Sums of each day of both periods, of rows that state a latency or errors."""
    rows = usage.filter(usage["LatencyMs"].notnull() | usage["Errors"].notnull())
    rows = rows.mutate(on=rows["UsagePeriodStart"].date(), n=rows["Requests"].fill_null(1))
    rows = Period(before.start, after.end).within(rows, "on")
    timed = rows["LatencyMs"].notnull() & (rows["Errors"].fill_null(0) == 0)
    answered = timed & (rows["OutputTokens"].fill_null(0) > 0)
    latency = rows["LatencyMs"].cast("float64")
    return rows.group_by("on").aggregate(
        timed=rows["n"].sum(where=timed),
        latency=(latency * rows["n"]).sum(where=timed),
        judged=rows["n"].sum(where=rows["Errors"].notnull()),
        errors=rows["Errors"].sum(),
        tokens=rows["OutputTokens"].sum(where=answered),
        seconds=(latency * rows["n"] / 1000).sum(where=answered),
    )


#: For each measure: numerator, denominator, and what is counted.
_RATIOS: Final = {
    LATENCY.name: ("latency", "timed", "timed"),
    ERRORS.name: ("errors", "judged", "judged"),
    SPEED.name: ("tokens", "seconds", "timed"),
}


def _of_days(measure: Measure, rows: Sequence[Mapping[str, Any]], before: Period, confidence: float) -> GuardRail:
    over, under, count = _RATIOS[measure.name]
    values = defaultdict[bool, list[tuple[float, int]]](list)
    for row in rows:
        if row[under]:
            share = float(row[over] or 0) / float(row[under])
            values[_inside(row["on"], before)].append((share, int(row[count] or 0)))
    first, second = values[True], values[False]
    if min(len(first), len(second)) < LEAST_DAYS:
        return _open(measure, f"each period needs {LEAST_DAYS} days with a log of requests")
    return _judged(measure, _mean(first), _mean(second), confidence, "requests")


def _mean(values: Sequence[tuple[float, int]]) -> _Sample:
    n = len(values)
    mean = math.fsum(value for value, _ in values) / n
    variance = math.fsum((value - mean) ** 2 for value, _ in values) / (n - 1) / n
    return _Sample(mean, variance, n - 1, sum(count for _, count in values))


def _binomial(evaluations: Sequence[Evaluation], weights: Mapping[str | None, float]) -> _Sample | str:
    """The weighed pass rate, or why there is none."""
    mean = variance = 0.0
    total = 0
    for model, weight in weights.items():
        cases = sum(e.cases for e in evaluations if e.model == model)
        if weight > 0 and cases < LEAST_CASES:
            return f"each period needs {LEAST_CASES} cases of each model, and {model or 'one of them'} has {cases}"
        if weight > 0:
            # Agresti and Coull: two more passes and fails, so that a perfect score has a width too.
            share = sum(e.passed for e in evaluations if e.model == model) / cases
            eased = (share * cases + 2) / (cases + 4)
            mean += weight * share
            variance += weight**2 * eased * (1 - eased) / (cases + 4)
            total += cases
    return _Sample(mean, variance, math.inf, total) if total else "there is no evaluation in one of the periods"


def _judged(measure: Measure, before: _Sample, after: _Sample, confidence: float, counted: str) -> GuardRail:
    """Welch's interval of the difference, against the margin."""
    from scipy.special import stdtrit  # noqa: PLC0415 - half a second that only a judgement needs

    change, variance = after.mean - before.mean, before.variance + after.variance
    tail = (1 + confidence) / 2
    if math.isinf(before.freedom):
        quantile = NormalDist().inv_cdf(tail)
    else:
        parts = before.variance**2 / before.freedom + after.variance**2 / after.freedom
        quantile = float(stdtrit(variance**2 / parts, tail)) if parts > 0 else 0.0
    half = quantile * math.sqrt(variance)
    margin = float(measure.margin) * (abs(before.mean) if measure.relative else 1.0)
    sign = 1 if measure.more_is_better else -1
    worst, best = sign * change - half, sign * change + half
    state = NOT_WORSE if worst >= -margin else WORSE if best < -margin else NOT_SHOWN
    sentence = (
        f"{measure.title} went from {before.mean:.4g} to {after.mean:.4g} {measure.unit}, a change between "
        f"{change - half:+.3g} and {change + half:+.3g}; a loss of {margin:.3g} is allowed: {_VERDICTS[state]} "
        f"({before.size:,} and {after.size:,} {counted})."
    )
    low, high = change - half, change + half
    values = [_decimal(value) for value in (before.mean, after.mean, low, high, margin)]
    return GuardRail(measure.name, measure.unit, *values, state, sentence, before.size, after.size)


_VERDICTS: Final = {
    NOT_WORSE: "it is shown to be no worse",
    WORSE: "it is worse",
    NOT_SHOWN: "that it is no worse is not shown",
}


def _open(measure: Measure, why: str) -> GuardRail:
    sentence = f"{measure.title}: not assessed, since {why}."
    return GuardRail(measure.name, measure.unit, None, None, None, None, None, NOT_ASSESSED, sentence)


def _inside(day: date, period: Period) -> bool:
    return (period.start is None or day >= period.start) and (period.end is None or day < period.end)


def _decimal(value: float) -> Decimal:
    return Decimal(repr(value)).quantize(_STEP)
