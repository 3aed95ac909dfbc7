"""Pictures of an ROI estimate: its bridge, and what comes in less what goes out."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from analysis.finance import months_after
from analysis.result import total
from analysis.roi import CASES, LABEL
from reports import figures
from reports.figures import Axis, Mark, Spec, Step
from reports.roi import Estimate, steady, whole

#: What each case is called in a chart, and its colour: a dull pair around the expected one.
_NAMES: Final = {"high": "High", "expected": "Expected", "low": "Low"}


def note(estimate: Estimate) -> str:
    """What must stand on every chart."""
    return f"{LABEL}. Synthetic sample data" if estimate.sample else LABEL


def steps(estimate: Estimate) -> list[Step]:
    """Baseline, saving, optimized, fee, net: an expected month in full effect."""
    month, code = steady(estimate), estimate.roi.case.currency
    left = total((month.baseline, -month.saving))
    spent = total((left, month.fee, month.running))

    def added(name: str, amount: Decimal, meaning: str) -> Step:
        sign = "+" if amount > 0 else ""
        return Step(name, amount, f"{sign}{whole(amount, code)}", meaning=meaning)

    return [
        Step("Baseline", month.baseline, whole(month.baseline, code), whole=True),
        added("Saving", -month.saving, "What the change saves of it"),
        Step("Optimized", left, whole(left, code), whole=True),
        added("Fee", month.fee, f"{estimate.plan.title}, on what is left"),
        *([added("Running cost", month.running, "What it costs besides")] if month.running else []),
        Step("All in", spent, whole(spent, code), whole=True, meaning="What is spent with the change"),
    ]


def bridge(estimate: Estimate) -> tuple[Spec, str]:
    """The bridge and the words that stand for it."""
    lines = steps(estimate)
    told = figures.bridge_words(f"{LABEL}: a month in full effect, expected", lines)
    title = f"{estimate.roi.case.currency} a month"
    return _quiet(figures.bridge(lines, title, told, note(estimate))), told


def cash_flow(estimate: Estimate) -> tuple[Spec, str]:
    """What has come in less what has gone out, month by month, in the three cases."""
    case, marks = estimate.roi.case, list[Mark]()
    first = case.start.replace(day=1)
    for which, name in _NAMES.items():
        at = -estimate.outcomes[CASES.index(which)].implementation
        marks.append(Mark(first, name, at, whole(at, case.currency)))
        for number, month in enumerate(estimate.roi.months[which][: estimate.horizon], 1):
            at = total((at, month.net))
            marks.append(Mark(months_after(first, number), name, at, whole(at, case.currency)))
    palette = dict(zip(_NAMES.values(), (figures.PALETTE[0], figures.PALETTE[1], figures.PALETTE[2]), strict=True))
    last = months_after(first, estimate.horizon)
    ends = [(name, whole(estimate.outcomes[CASES.index(w)].net, case.currency)) for w, name in _NAMES.items()]
    told = figures.words(f"{LABEL}: cumulative net saving", ends, first, last)
    axis = Axis(f"Cumulative net, {case.currency}", True, last, words=told, note=note(estimate))
    return _quiet(figures.lines(marks, palette, axis)), told


def _quiet(spec: Spec) -> Spec:
    """The chart without a description of its own, which Streamlit would write, figures and all, into the log."""
    return {name: value for name, value in spec.items() if name != "description"}
