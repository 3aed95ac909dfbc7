"""An avoided cost as a value: interval, gates, refusals, limits; and the rule by which floats become money."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal
from enum import StrEnum
from typing import Any, Final

from analysis.result import ZERO, plain
from analysis.savings_limits import DRIFT

#: The named rounding rule of money: two fraction digits, or as many more as give the counterfactual six significant
#: digits, half to even; counterfactual and actual are rounded, and the saving is their difference.
ROUNDING: Final = "cents or six significant digits of the counterfactual, half to even"
#: Shares and test statistics: six fraction digits, half to even.
SHARE: Final = Decimal("1e-6")
_WIDE: Final = Context(prec=60, rounding=ROUND_HALF_EVEN)

Number = Decimal | int | str


class Tier(StrEnum):
    """How a saving is known, from the strongest; two tiers are never added into one figure."""

    REPRICED = "T1"
    HOLDOUT = "T2"
    BASELINE_MODEL = "T3"
    PROJECTION = "T4"


#: What each tier is called beside a claim.
TIER_NAMES: Final[Mapping[Tier, str]] = {
    Tier.REPRICED: "re-pricing of metered quantities",
    Tier.HOLDOUT: "randomised holdout",
    Tier.BASELINE_MODEL: "baseline model",
    Tier.PROJECTION: "projection",
}


class Status(StrEnum):
    """What became of a gate; a gate that was not assessed has not been passed."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_ASSESSED = "not assessed"


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition of a claim: `name` G0 to G10, the numbers it was judged by, and a sentence that says so."""

    name: str
    title: str
    status: Status
    evidence: Mapping[str, Number]
    sentence: str

    def record(self) -> dict[str, Any]:
        """The gate as JSON carries it; decimals as strings."""
        return {
            "name": self.name,
            "title": self.title,
            "status": str(self.status),
            "evidence": {k: plain(v) if isinstance(v, Decimal) else v for k, v in self.evidence.items()},
            "sentence": self.sentence,
        }


@dataclass(frozen=True, slots=True)
class ModelDay:
    """A day of a chart: its cost, what the baseline model expects, and the interval of that single day.

    The intervals of days do not add up to that of the total, since days err together.
    """

    date: date
    reporting: bool
    actual: Decimal
    expected: Decimal
    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class AvoidedCost:
    """What a change avoided, with its interval, or why that cannot be said.

    Attributes:
        tier: always T3 here, a baseline model.
        confidence: two-sided, of the interval `low` to `high`.
        currency: of all money, where the frames or the evidence name one.
        actual: cost of the reporting days that were measured.
        counterfactual: what the model says they would have cost; None where no model could be fitted.
        point, low, high: avoided cost, negative where the change cost money; None without a model, the bounds also
            where the model puts none to the error.
        fraction, fraction_low, fraction_high: the same as shares of the counterfactual.
        low_decisive: lower bound of the 95 % interval, whatever `confidence` is: by chance alone it is above zero in
            2.5 % of changes without effect.
        half_widths: the three candidates of which the interval took the widest.
        statistically_sound: every gate that the frames can carry was passed; nothing is said of the bill.
        shown: `low` and `low_decisive` are above zero; nothing is said of the gates.
        verified: sound, shown, G0, G4 and G9 passed, G10 not failed; never true without evidence.
        gates: G0 to G10 in order.
        refusals: why the saving is not verified, a sentence each; empty where it is.
        limits: what no test of this method can exclude; stands on every rendering.
        drift_to_nothing: yearly fall of unit cost, undeclared, that alone would bring `low` to zero, as a share.
        days: fitted and expected cost by day.
        excluded: days that carry no unit cost or were declared a blackout.
    """

    tier: Tier
    confidence: Decimal
    currency: str | None
    actual: Decimal
    counterfactual: Decimal | None
    point: Decimal | None
    low: Decimal | None
    high: Decimal | None
    low_decisive: Decimal | None
    fraction: Decimal | None
    fraction_low: Decimal | None
    fraction_high: Decimal | None
    half_widths: Mapping[str, Decimal]
    statistically_sound: bool
    shown: bool
    verified: bool
    gates: tuple[Gate, ...]
    refusals: tuple[str, ...]
    limits: tuple[str, ...]
    drift_to_nothing: Decimal | None
    days: tuple[ModelDay, ...]
    excluded: tuple[date, ...]

    @property
    def billable(self) -> Decimal | None:
        """What a fee may be taken from: the lower bound of a verified saving, else nothing."""
        return self.low if self.verified else None

    @property
    def withstands_drift(self) -> bool:
        """Whether the lower bound would stand an undeclared fall of unit cost of 10 % a year."""
        return self.drift_to_nothing is not None and self.drift_to_nothing > DRIFT

    def gate(self, name: str) -> Gate:
        """The gate of a name, `G0` to `G10`."""
        return next(gate for gate in self.gates if gate.name == name)

    def record(self) -> dict[str, Any]:
        """The result as JSON carries it, decimals as strings, the days left out."""
        money = ("actual", "counterfactual", "point", "low", "high", "low_decisive")
        shares = ("confidence", "fraction", "fraction_low", "fraction_high", "drift_to_nothing")
        return {
            "tier": str(self.tier),
            "currency": self.currency,
            **{name: plain(getattr(self, name)) for name in (*money, *shares)},
            "half_widths": {name: plain(amount) for name, amount in self.half_widths.items()},
            "statistically_sound": self.statistically_sound,
            "shown": self.shown,
            "verified": self.verified,
            "withstands_drift": self.withstands_drift,
            "gates": [gate.record() for gate in self.gates],
            "refusals": list(self.refusals),
            "limits": list(self.limits),
            "excluded": [day.isoformat() for day in self.excluded],
            "rounding": ROUNDING,
        }


def quantum(counterfactual: float) -> Decimal:
    """The last digit of money beside this counterfactual, by `ROUNDING`."""
    size = abs(counterfactual)
    digits = 2 if size == 0 or not math.isfinite(size) else max(2, 5 - math.floor(math.log10(size)))
    return Decimal(1).scaleb(-digits)


def rounded(value: float | Decimal, unit: Decimal) -> Decimal:
    """A number at the last digit `unit`, half to even; minus zero is zero."""
    exact = value if isinstance(value, Decimal) else Decimal(repr(float(value)))
    return _WIDE.quantize(exact, unit) + ZERO


def as_share(value: float) -> Decimal | str:
    """A share or statistic with six fraction digits; `infinite` or `unknown` where it is no number."""
    if math.isnan(value):
        return "unknown"
    return rounded(value, SHARE) if math.isfinite(value) else "infinite"
