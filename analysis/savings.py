"""What a change avoided: the one entry of the baseline model (tier T3).

`measure_avoided_cost` compares what the reporting days cost with what they would have cost at the unit cost of the
baseline days, puts an interval around the difference, and holds it against the gates G0 to G10. Method, formulas and
simulated coverage: docs/method/savings.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING, Final

from analysis import written
from analysis.result import ZERO, quotient
from analysis.savings_evidence import (
    Evidence,
    Intervention,
    InvoiceCheck,
    OtherChange,
    Quality,
    billing_gate,
    isolation_gate,
    quality_gate,
)
from analysis.savings_frames import Days, one_currency, read_days
from analysis.savings_gates import distance, model_gates, sufficiency_gate, unmodelled_gates
from analysis.savings_limits import limits
from analysis.savings_model import DECISIVE, Array, Estimate, estimate
from analysis.savings_result import (
    ROUNDING,
    SHARE,
    AvoidedCost,
    Gate,
    ModelDay,
    Status,
    Tier,
    quantum,
    rounded,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "METHOD",
    "ROUNDING",
    "AvoidedCost",
    "Evidence",
    "Gate",
    "Intervention",
    "InvoiceCheck",
    "ModelDay",
    "OtherChange",
    "Quality",
    "Status",
    "Tier",
    "measure_avoided_cost",
]

#: Name and version of the estimator; a change of any formula or limit changes it.
METHOD: Final = "E2w-2"
#: Fewest usable baseline days for which a model is fitted at all.
LEAST_FITTED: Final = 21
#: Gates that two frames can carry.
_OF_FRAMES: Final = frozenset({"G1", "G2", "G3", "G4", "G5", "G6", "G7", "G8"})
YEAR: Final = 365


@dataclass(frozen=True, slots=True)
class _Money:
    """The figures of a fitted model, rounded by `ROUNDING`."""

    counterfactual: Decimal
    actual: Decimal
    point: Decimal
    low: Decimal | None
    high: Decimal | None
    decisive: Decimal | None
    unit: Decimal

    @property
    def shown(self) -> bool:
        """Both the interval and the one at `DECISIVE` lie above zero, of something that could be avoided."""
        bounds = (self.low, self.decisive)
        return self.counterfactual > ZERO and all(bound is not None and bound > ZERO for bound in bounds)


def measure_avoided_cost(
    baseline: pd.DataFrame,
    reporting: pd.DataFrame,
    *,
    evidence: Evidence | None = None,
    confidence: float = 0.90,
) -> AvoidedCost:
    """What the reporting days would have cost more without the change, with its interval and its gates.

    Args:
        baseline: days before the change with columns `date`, `cost` (at the prices of the reporting period) and
            `driver` (requests, users, documents), where known `price_per_token`, `tokens_per_driver`, `currency`.
        reporting: days after it, the same columns.
        evidence: of the bill, other changes and quality; without it nothing is ever `verified`.
        confidence: two-sided, of the interval.

    Returns:
        The avoided cost. One that the data cannot carry comes back with its refusals, never as an exception.

    Raises:
        ValueError: the frames have a wrong shape (see `read_days`), overlap or mix currencies, or the confidence is
            not between 0.5 and 1.
    """
    if not 0.5 <= confidence < 1:  # noqa: PLR2004 - half is no interval at all
        raise ValueError(f"A confidence lies between 0.5 and 1; this one is {confidence}.")
    blackout = evidence.blackout if evidence is not None else frozenset[date]()
    before = read_days(baseline, "baseline", blackout, needs_use=True)
    after = read_days(reporting, "reporting", blackout, needs_use=False)
    currency = _currency(before, after, evidence)
    _refuse_overlap(before, after)
    if len(before) < LEAST_FITTED or not len(after):
        return _unmodelled(before, after, evidence, currency, confidence)
    model = estimate(before.series, after.series, confidence)
    gates = _gates(before, after, evidence, model_gates(before, after, model))
    return _result(before, after, model, gates, currency, confidence)


def _result(
    before: Days, after: Days, model: Estimate, gates: tuple[Gate, ...], currency: str | None, confidence: float
) -> AvoidedCost:
    money = _money(model, after.actual)
    sound = _sound(gates)
    whole = money.counterfactual
    verified = sound and _all_held(gates) and money.shown
    fractions = [
        rounded(quotient(amount, whole), SHARE) if amount is not None and whole > ZERO else None
        for amount in (money.point, money.low, money.high)
    ]
    drift = _drift_to_nothing(fractions[1], distance(before.series.day, after.series.day))
    return AvoidedCost(
        tier=Tier.BASELINE_MODEL,
        confidence=Decimal(str(confidence)),
        currency=currency,
        actual=money.actual,
        counterfactual=money.counterfactual,
        point=money.point,
        low=money.low,
        high=money.high,
        low_decisive=money.decisive,
        fraction=fractions[0],
        fraction_low=fractions[1],
        fraction_high=fractions[2],
        half_widths={
            name: rounded(width, money.unit)
            for name, width in (("daily", model.daily), ("weekly", model.weekly), ("placebo", model.placebo))
            if isfinite(width)
        },
        statistically_sound=sound,
        shown=money.shown,
        verified=verified,
        gates=gates,
        refusals=() if verified else _refusals(gates, money, currency),
        limits=limits(drift),
        drift_to_nothing=drift,
        days=_chart(before, after, model, money.unit),
        excluded=before.left_out + after.left_out,
    )


def _unmodelled(
    before: Days, after: Days, evidence: Evidence | None, currency: str | None, confidence: float
) -> AvoidedCost:
    reason = f"no model is fitted to {len(before)} usable baseline and {len(after)} reporting days."
    gates = _gates(before, after, evidence, unmodelled_gates(reason))
    return AvoidedCost(
        tier=Tier.BASELINE_MODEL,
        confidence=Decimal(str(confidence)),
        currency=currency,
        actual=rounded(after.actual, quantum(float(after.actual))),
        counterfactual=None,
        point=None,
        low=None,
        high=None,
        low_decisive=None,
        fraction=None,
        fraction_low=None,
        fraction_high=None,
        half_widths={},
        statistically_sound=False,
        shown=False,
        verified=False,
        gates=gates,
        refusals=_refusals(gates, None, currency),
        limits=limits(None),
        drift_to_nothing=None,
        days=(),
        excluded=before.left_out + after.left_out,
    )


def _money(model: Estimate, actual: Decimal) -> _Money:
    unit = quantum(model.counterfactual)
    counterfactual, spent = rounded(model.counterfactual, unit), rounded(actual, unit)
    point = counterfactual - spent
    if not isfinite(model.half_width):
        return _Money(counterfactual, spent, point, None, None, None, unit)
    half, decisive = rounded(model.half_width, unit), rounded(model.decisive, unit)
    return _Money(counterfactual, spent, point, point - half, point + half, point - decisive, unit)


def _gates(before: Days, after: Days, evidence: Evidence | None, of_model: tuple[Gate, ...]) -> tuple[Gate, ...]:
    first, second = before.dates, after.dates
    if first and second:
        isolation = isolation_gate(evidence, (first[0], first[-1]), (second[0], second[-1]))
    else:
        isolation = Gate("G9", "isolation", Status.NOT_ASSESSED, {}, "Not assessed: a period has no days.")
    return (
        billing_gate(evidence, first + second),
        sufficiency_gate(before, after),
        *of_model,
        isolation,
        quality_gate(evidence),
    )


def _sound(gates: tuple[Gate, ...]) -> bool:
    """No gate of the frames failed; G4 alone may be beyond what they carry, and then bars `verified`."""
    return all(
        gate.status is Status.PASSED or (gate.name == "G4" and gate.status is Status.NOT_ASSESSED)
        for gate in gates
        if gate.name in _OF_FRAMES
    )


def _all_held(gates: tuple[Gate, ...]) -> bool:
    """Every gate was passed; of quality it is enough that the claim says `Quality not assessed.`."""
    return all(
        gate.status is Status.PASSED or (gate.name == "G10" and gate.status is Status.NOT_ASSESSED) for gate in gates
    )


def _refusals(gates: tuple[Gate, ...], money: _Money | None, currency: str | None) -> tuple[str, ...]:
    held = {Status.PASSED}
    reasons = [
        g.sentence for g in gates if g.status not in held and not (g.name == "G10" and g.status is not Status.FAILED)
    ]
    if money is not None:
        reasons.extend(_outcome(money, currency))
    return tuple(reasons)


def _outcome(money: _Money, currency: str | None) -> tuple[str, ...]:
    """Why figures that pass the gates are still no saving."""
    if money.counterfactual <= ZERO:
        return ("By the baseline the reporting days would have cost nothing, so there was nothing to avoid.",)
    if money.low is None or money.high is None or money.decisive is None:
        return ("The interval has no bounds, so nothing can be said of what was avoided.",)
    low, high = written.money(money.low, currency), written.money(money.high, currency)
    if money.high < ZERO:
        return (
            f"The change cost more than it avoided: {written.money(money.point, currency)}, interval {low} to {high}.",
        )
    if money.low <= ZERO:
        return (f"The interval reaches from {low} to {high}, so nothing may have been avoided.",)
    if money.decisive <= ZERO:
        reason = (
            f"The interval reaches from {low} to {high}, but that of {DECISIVE:.0%} confidence, which decides whether "
            f"a saving is verified, begins at {written.money(money.decisive, currency)}, "
            "so nothing may have been avoided."
        )
        return (reason,)
    return ()


def _chart(before: Days, after: Days, model: Estimate, unit: Decimal) -> tuple[ModelDay, ...]:
    return (
        *_model_days(before, model.fitted, model.fitted_band, unit, reporting=False),
        *_model_days(after, model.expected, model.band, unit, reporting=True),
    )


def _model_days(days: Days, expected: Array, half: Array, unit: Decimal, *, reporting: bool) -> tuple[ModelDay, ...]:
    low, high = (expected - half).tolist(), (expected + half).tolist()
    return tuple(
        ModelDay(day, reporting, rounded(cost, unit), rounded(at, unit), rounded(least, unit), rounded(most, unit))
        for day, cost, at, least, most in zip(days.dates, days.costs, expected.tolist(), low, high, strict=True)
    )


def _drift_to_nothing(fraction_low: Decimal | None, apart: float) -> Decimal | None:
    if fraction_low is None or fraction_low <= ZERO or apart <= 0:
        return None
    return rounded(float(fraction_low) * YEAR / apart, SHARE)


def _currency(before: Days, after: Days, evidence: Evidence | None) -> str | None:
    named = [days.currency for days in (before, after)] + [evidence.currency if evidence is not None else None]
    return one_currency((name for name in named if name is not None), "The comparison")


def _refuse_overlap(before: Days, after: Days) -> None:
    if len(before) and len(after) and before.dates[-1] >= after.dates[0]:
        raise ValueError(
            f"The baseline ends on {before.dates[-1]}, after the reporting period began on {after.dates[0]}; "
            "the periods must not overlap."
        )
