"""An ROI estimate as people read it: three sentences, every assumption with its source, JSON, and one page of PDF."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from analysis.fees_definition import DEFINITION
from analysis.finance import CENT
from analysis.result import ZERO, plain
from analysis.roi import LABEL, TIER, Assumption, Case, Month, Outcome, Range, Roi
from analysis.roi_levers import Part
from billing.catalog import Plan
from reports import numbers
from reports.numbers import whole

_TEMPLATE: Final = Path(__file__).with_name("roi.typ")
_FONTS: Final = Path(__file__).with_name("fonts")
#: What an estimate may rest on.
USAGE: Final = "usage"
TYPED: Final = "typed"


@dataclass(frozen=True, slots=True)
class Said:
    """One of the three sentences: its text, or what is missing for it to be said."""

    text: str | None
    missing: str = ""

    def record(self) -> dict[str, str | None]:
        """The sentence as JSON carries it."""
        return {"text": self.text, "missing": self.missing or None}


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimate and everything that must be said with it.

    Attributes:
        roi: the figures.
        plan: the plan whose price it counts.
        horizon: months that the sentences are about.
        basis: `usage` of a ledger or a bill, or `typed` numbers.
        more: assumptions besides those of the case, such as those of its levers.
        notes: sentences about the data.
        sample: whether the data is a sample.
        levers: what each lever saves of the spend, expected and before halving.
    """

    roi: Roi
    plan: Plan
    horizon: int
    basis: str
    more: tuple[Assumption, ...] = ()
    notes: tuple[str, ...] = ()
    sample: bool = False
    levers: tuple[Part, ...] = ()

    @property
    def outcomes(self) -> tuple[Outcome, Outcome, Outcome]:
        """Low, expected and high over the horizon."""
        return self.roi.over(self.horizon)

    def record(self) -> dict[str, Any]:
        """The estimate as JSON carries it: amounts as decimal strings, always low, expected and high."""
        case = self.roi.case
        return {
            "label": LABEL,
            "evidence": TIER,
            "sample": self.sample,
            "currency": case.currency,
            "basis": self.basis,
            "plan": self.plan.id,
            "plan_version": self.plan.version,
            "plan_digest": self.plan.digest,
            "horizon": self.horizon,
            "halved": case.halved,
            "sentences": [said.record() for said in sentences(self)],
            "monthly_ai_spend": _range(case.baseline),
            "monthly_saving": _range(case.claimed),
            "levers": [
                {"name": p.name, "share_in_order": plain(p.in_order), "share_any_order": plain(p.any_order)}
                for p in self.levers
            ],
            "outcomes": {str(n): [o.record() for o in outcomes] for n, outcomes in self.roi.outcomes.items()},
            "without_a_saving": self.roi.without.record(),
            "assumptions": [a.record() for a in assumptions(self)],
            "notes": list(self.notes),
        }


def sentences(estimate: Estimate) -> tuple[Said, Said, Said]:
    """What it saves, what it returns, when it breaks even; each only where the low case carries it."""
    case, (low, expected, high) = estimate.roi.case, estimate.outcomes
    return (_saves(estimate, case), _returns(case, low, expected, high), _breaks_even(low, high))


def _saves(estimate: Estimate, case: Case) -> Said:
    if case.claimed.low <= ZERO:
        if not case.claimed.high:
            return Said(None, "No saving is assumed yet: set a lever, or give a saving with its range.")
        return Said(
            None, "The low case saves nothing, so no saving can be promised; narrow the range with a measurement."
        )
    lead = "Based on your usage" if estimate.basis == USAGE else "Based on the numbers you gave"
    sums = (whole(case.claimed.of(which), case.currency) for which in ("low", "high"))
    return Said(f"{lead}, this will save you {' to '.join(sums)} a month.")


def _returns(case: Case, low: Outcome, expected: Outcome, high: Outcome) -> Said:
    if low.roi is None or high.roi is None:
        return Said(None, "Nothing is spent on it, so there is no return on a cost.")
    if not case.claimed.high:
        return Said(None, "Without a saving there is no return, only its cost.")
    worth = f"NPV {whole(low.npv, case.currency)} to {whole(high.npv, case.currency)}"
    days = [o.payback for o in (high, low)]
    back = (
        f"paid back {' to '.join(dict.fromkeys(numbers.day(d) for d in days if d))}"
        if all(days)
        else f"not paid back within {low.months} months in the low case"
    )
    span = f"{numbers.percent(low.roi)} to {numbers.percent(high.roi)}"
    alone = "" if low.implementation or low.running else " on the fee alone, no other cost being given"
    return Said(f"Your ROI{alone}: {span} over {expected.months} months ({worth}; {back}).")


def _breaks_even(low: Outcome, high: Outcome) -> Said:
    if not low.saving:
        return Said(None, "Without a saving nothing breaks even.")
    if low.breakeven is None:
        return Said(None, f"The low case does not break even within {low.months} months.")
    if low.breakeven == 0:
        return Said(None, "No cost of making the change is given, so there is nothing to break even with.")
    return Said(f"Breakeven in {low.breakeven} days in the low case, {high.breakeven} in the high one.")


def assumptions(estimate: Estimate) -> tuple[Assumption, ...]:
    """Everything that the estimate rests on, each with its source."""
    case, plan = estimate.roi.case, estimate.plan
    cap = "no cap" if plan.never_more is None else f"never more than {numbers.money(plan.never_more, case.currency)}"
    return (
        Assumption("AI spend of a month", spanned(case.baseline, case.currency), case.baseline.source),
        Assumption("Saving of a month, in full effect", spanned(case.claimed, case.currency), case.claimed.source),
        *estimate.more,
        Assumption("Use", "stays as it is, at prices as they are", "assumption of this estimate"),
        Assumption("Plan", f"{plan.title}, {cap}", f"{plan.source} (version {plan.version})"),
        Assumption("Fee", "on the AI spend that is left, month by month", DEFINITION),
        Assumption("Implementation", spanned(case.implementation, case.currency), case.implementation.source),
        Assumption("Running cost a month", numbers.money(case.running, case.currency), "yours to set"),
        Assumption("Ramp", f"{case.ramp} months, rising evenly", "yours to set"),
        Assumption("Discount rate", f"{plain(case.rate * 100)} % a year", "yours to set; your cost of capital"),
        Assumption("Start", numbers.day(case.start), "yours to set"),
        *([Assumption("Halved", "every gain is halved", "the halve-our-claim switch")] if case.halved else []),
        Assumption("Cases", "low: low saving, high cost; high: high saving, low cost", "method of this estimate"),
    )


def spanned(span: Range, currency: str) -> str:
    """A range of money as text; one figure where it is none."""
    low, high = whole(span.low, currency), whole(span.high, currency)
    return low if low == high else f"{low} to {high}"


def headline(estimate: Estimate) -> list[dict[str, str]]:
    """The table of low, expected and high as text: one row for each figure."""
    case, outcomes = estimate.roi.case, estimate.outcomes

    def row(name: str, cells: list[str]) -> dict[str, str]:
        return dict(zip(("name", "low", "expected", "high"), (name, *cells), strict=True))

    def money(name: str, what: str) -> dict[str, str]:
        return row(name, [whole(getattr(o, what), case.currency) for o in outcomes])

    def share(name: str, what: str) -> dict[str, str]:
        return row(name, [numbers.percent(getattr(o, what)) for o in outcomes])

    never = f"not within {estimate.horizon} months"
    return [
        money("Spend without the change", "baseline"),
        money("Saving", "saving"),
        money("Fee", "fee"),
        money("Implementation", "implementation"),
        money("Running cost", "running"),
        money("Net saving", "net"),
        share("ROI", "roi"),
        money("NPV", "npv"),
        share("IRR a year", "irr"),
        row("Payback", [numbers.day(o.payback) if o.payback else never for o in outcomes]),
        row("Breakeven", [never if o.breakeven is None else f"{o.breakeven} days" for o in outcomes]),
        share("Effective savings rate", "effective_rate"),
    ]


def steady(estimate: Estimate) -> Month:
    """The last month of the horizon in the expected case."""
    return estimate.roi.months["expected"][estimate.horizon - 1]


def pdf(estimate: Estimate, made: datetime) -> bytes:
    """One page, tagged for screen readers; the same bytes for the same estimate and moment."""
    import typst  # noqa: PLC0415 - 77 MB that only a PDF needs

    case = estimate.roi.case
    data = {
        "label": LABEL,
        "sample": estimate.sample,
        "made": numbers.day(made.date()),
        "horizon": estimate.horizon,
        "currency": case.currency,
        "sentences": [said.record() for said in sentences(estimate)],
        "rows": headline(estimate),
        "horizons": [_short(n, outcomes, case.currency) for n, outcomes in estimate.roi.outcomes.items()],
        "bridge": _bridge(estimate),
        "assumptions": [a.record() for a in assumptions(estimate)],
        "notes": list(estimate.notes),
        "without": whole(estimate.roi.without.net, case.currency),
        "without_months": estimate.roi.without.months,
    }
    return typst.compile(
        _TEMPLATE,
        sys_inputs={"data": json.dumps(data)},
        font_paths=[_FONTS],
        ignore_system_fonts=True,
        format="pdf",
        pdf_standards=["a-2a", "ua-1"],
        timestamp=made.replace(microsecond=0),
    )


def _short(months: int, outcomes: tuple[Outcome, ...], currency: str) -> dict[str, str]:
    low, _, high = outcomes
    return {
        "months": str(months),
        "net": f"{whole(low.net, currency)} to {whole(high.net, currency)}",
        "roi": f"{numbers.percent(low.roi)} to {numbers.percent(high.roi)}",
        "npv": f"{whole(low.npv, currency)} to {whole(high.npv, currency)}",
        "breakeven": f"not within {months} months" if low.breakeven is None else f"{low.breakeven} days",
    }


def _bridge(estimate: Estimate) -> list[dict[str, Any]]:
    """Bars of an expected month in full effect: name, text, and where it begins and ends as shares of the widest."""
    month, currency = steady(estimate), estimate.roi.case.currency
    left = month.baseline - month.saving
    bars = [
        ("Baseline", ZERO, month.baseline, month.baseline, "whole"),
        ("Saving", month.baseline, left, -month.saving, "less"),
        ("Fee", left, left + month.fee, month.fee, "more"),
        ("Running cost", left + month.fee, left + month.fee + month.running, month.running, "more"),
        ("All in", ZERO, left + month.fee + month.running, left + month.fee + month.running, "whole"),
    ]
    widest = max(end for _, _, end, _, _ in bars)
    return [
        {
            "name": name,
            "shown": whole(amount, currency),
            "from": round(float(min(start, end) / widest), 6),
            "to": round(float(max(start, end) / widest), 6),
            "kind": kind,
        }
        for name, start, end, amount, kind in bars
        if amount or kind == "whole"
    ]


def _range(span: Range) -> dict[str, str | None]:
    return {name: plain(span.of(name).quantize(CENT)) for name in ("low", "expected", "high")} | {"source": span.source}
