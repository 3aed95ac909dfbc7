"""What a saving is worth after everything it costs: a projection (T4), always as low, expected and high.

The low case pairs the low saving with the high cost of making it, the high case the other way round. The fee is priced
month by month on the spend that is left after the saving, with `analysis.fees.price`. Nothing here is a measurement.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any, Final

from analysis.fees import Money, VerifiedSaving, price
from analysis.fees_nodes import Expression
from analysis.finance import CENT, Flow, breakeven, dated_irr, day_after, months_after, npv
from analysis.result import ZERO, plain, quotient, total

HORIZONS: Final = (12, 24, 36)
CASES: Final = ("low", "expected", "high")
TIER: Final = "T4"
LABEL: Final = "Estimate (T4), not a measured saving"
_WIDE: Final = Context(prec=80, rounding=ROUND_HALF_EVEN)


@dataclass(frozen=True, slots=True)
class Range:
    """A figure from low to high, and where it comes from.

    Raises:
        ValueError: the three are not in order, or one is no number.
    """

    low: Decimal
    expected: Decimal
    high: Decimal
    source: str

    def __post_init__(self) -> None:
        three = (self.low, self.expected, self.high)
        if not all(amount.is_finite() for amount in three) or not self.low <= self.expected <= self.high:
            shown = ", ".join(str(amount) for amount in three)
            raise ValueError(f"A range runs from low over expected to high; this one is {shown} ({self.source}).")

    def of(self, case: str) -> Decimal:
        """The figure of one case."""
        return {"low": self.low, "expected": self.expected, "high": self.high}[case]

    def times(self, factor: Decimal, source: str) -> Range:
        """Each figure times `factor`, which is zero or more."""
        low, expected, high = (_WIDE.multiply(each, factor) for each in (self.low, self.expected, self.high))
        return Range(low, expected, high, source)

    def halved(self) -> Range:
        """Half of each gain; a loss stays whole."""
        low, expected, high = (
            min(each, _WIDE.multiply(each, Decimal("0.5"))) for each in (self.low, self.expected, self.high)
        )
        return Range(low, expected, high, f"half of: {self.source}")


@dataclass(frozen=True, slots=True)
class Assumption:
    """Something that the estimate rests on, as text, and where it comes from."""

    name: str
    value: str
    source: str

    def record(self) -> dict[str, str]:
        """The assumption as JSON carries it."""
        return {"name": self.name, "value": self.value, "source": self.source}


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that an estimate is made from.

    Attributes:
        currency: ISO 4217 code of every amount.
        baseline: AI spend of a month without the change.
        saving: what the change saves of it in a month, fully in effect.
        price: the price of the service, of a month.
        plan: what it is called.
        implementation: what the change costs once, on the first day.
        running: what it costs every month beside the fee.
        ramp: months until the saving is fully in effect, rising evenly.
        rate: discount rate of a year.
        start: first day.
        halved: whether the saving is halved, as a person who doubts it would.

    Raises:
        ValueError: an amount is negative, the saving more than the spend, or the ramp longer than a year.
    """

    currency: str
    baseline: Range
    saving: Range
    price: Expression
    plan: str
    implementation: Range
    running: Decimal
    ramp: int
    rate: Decimal
    start: date
    halved: bool = False

    def __post_init__(self) -> None:
        if self.baseline.low <= ZERO:
            raise ValueError(
                f"An AI spend of {plain(self.baseline.low)} a month has nothing to save; give a spend above 0."
            )
        if self.implementation.low < ZERO or self.running < ZERO:
            raise ValueError("What the change costs cannot be below zero.")
        if any(self.saving.of(case) > self.baseline.of(case) for case in CASES):
            raise ValueError("A saving cannot be more than the spend that it is made on.")
        if not 0 <= self.ramp <= HORIZONS[0]:
            raise ValueError(f"The ramp is between 0 and {HORIZONS[0]} months, not {self.ramp}.")
        if not ZERO <= self.rate <= 1:
            raise ValueError(f"The discount rate is between 0 and 100 %, not {self.rate * 100:f} %.")

    @property
    def claimed(self) -> Range:
        """The saving that is counted: halved where that was asked for."""
        return self.saving.halved() if self.halved else self.saving


@dataclass(frozen=True, slots=True)
class Month:
    """One month of one case; amounts in cents.

    Attributes:
        baseline: spend without the change.
        saving: what is saved of it.
        fee: of the service, on what is left.
        running: what the change costs besides.
    """

    end: date
    baseline: Decimal
    saving: Decimal
    fee: Decimal
    running: Decimal

    @property
    def net(self) -> Decimal:
        """Saving less fee and running cost."""
        return total((self.saving, -self.fee, -self.running))


@dataclass(frozen=True, slots=True)
class Outcome:
    """One case over one horizon.

    Attributes:
        saving, fee, implementation, running, net: sums over the horizon; net is saving less the other three.
        baseline: what would have been spent.
        roi: net over everything it costs, as a share of one; None where it costs nothing.
        npv: net present value.
        irr: internal rate of a year; None where the flows change sign never or more than once.
        breakeven: days until the saving has covered the cost; None where it does not within the horizon.
        payback: that day.
        effective_rate: effective savings rate: saving less fee, as a share of what would have been spent.
    """

    case: str
    months: int
    baseline: Decimal
    saving: Decimal
    fee: Decimal
    implementation: Decimal
    running: Decimal
    net: Decimal
    roi: Decimal | None
    npv: Decimal
    irr: Decimal | None
    breakeven: int | None
    payback: date | None
    effective_rate: Decimal

    def record(self) -> dict[str, Any]:
        """The outcome as JSON carries it."""
        amounts = ("baseline", "saving", "fee", "implementation", "running", "net", "npv", "irr", "effective_rate")
        return {
            "case": self.case,
            "months": self.months,
            **{f"{name}": plain(getattr(self, name)) for name in amounts},
            "roi_percent": None if self.roi is None else plain(self.roi * 100),
            "breakeven_days": self.breakeven,
            "payback": None if self.payback is None else self.payback.isoformat(),
        }


@dataclass(frozen=True, slots=True)
class Roi:
    """An estimate: the case, its months, and the outcomes of low, expected and high over each horizon."""

    case: Case
    months: Mapping[str, tuple[Month, ...]]
    outcomes: Mapping[int, tuple[Outcome, Outcome, Outcome]]
    without: Outcome

    def over(self, horizon: int) -> tuple[Outcome, Outcome, Outcome]:
        """Low, expected and high over one horizon.

        Raises:
            ValueError: the estimate does not reach so far.
        """
        if horizon not in self.outcomes:
            reach = ", ".join(str(n) for n in self.outcomes)
            raise ValueError(
                f"This estimate reaches {reach} months, not {horizon}; more months of data would carry more."
            )
        return self.outcomes[horizon]


def roi(case: Case, horizons: tuple[int, ...] = HORIZONS) -> Roi:
    """The estimate of a case.

    Raises:
        FeeError: the price cannot be formed (`analysis.fees.price`).
        ValueError: a horizon is not between 1 and 36 months.
    """
    if not horizons or min(horizons) < 1 or max(horizons) > HORIZONS[-1]:
        raise ValueError(f"A horizon is between 1 and {HORIZONS[-1]} months.")
    months = {name: _months(case, name, max(horizons)) for name in CASES}
    outcomes = {n: tuple(_outcome(case, name, months[name][:n]) for name in CASES) for n in sorted(horizons)}
    nothing = replace(case, saving=Range(ZERO, ZERO, ZERO, "no saving"), halved=False)
    without = _outcome(nothing, "low", _months(nothing, "expected", min(horizons)))
    return Roi(case, months, {n: (o[0], o[1], o[2]) for n, o in outcomes.items()}, without)


def _months(case: Case, name: str, count: int) -> tuple[Month, ...]:
    baseline, saving = _cents(case.baseline.of(name)), case.claimed.of(name)
    found = list[Month]()
    for number in range(1, count + 1):
        part = min(Decimal(1), quotient(Decimal(number), Decimal(case.ramp))) if case.ramp else Decimal(1)
        saved = _cents(_WIDE.multiply(saving, part))
        fee = _fee(case, baseline - saved, saved, number)
        found.append(Month(months_after(case.start, number), baseline, saved, fee, _cents(case.running)))
    return tuple(found)


def _fee(case: Case, spend: Decimal, saved: Decimal, number: int) -> Decimal:
    metrics = {
        "ai_spend": Money(spend, case.currency),
        # The highest that such a fee could be: as if a proof were to verify all that the case assumes.
        "verified_saving": VerifiedSaving(Money(saved, case.currency), "T1", "assumed, not verified"),
        "period": number,
    }
    return price(case.price, metrics).amount


def _outcome(case: Case, name: str, months: tuple[Month, ...]) -> Outcome:
    cost = _cents(case.implementation.of({"low": "high", "high": "low"}.get(name, name)))
    baseline, saving, fee, running = (
        total(getattr(month, what) for month in months) for what in ("baseline", "saving", "fee", "running")
    )
    net = total((saving, -fee, -running, -cost))
    spent = total((fee, running, cost))
    flows = [Flow(case.start, -cost), *(Flow(month.end, month.net) for month in months)]
    days = breakeven(cost, [month.net for month in months], case.start)
    return Outcome(
        case=name,
        months=len(months),
        baseline=baseline,
        saving=saving,
        fee=fee,
        implementation=cost,
        running=running,
        net=net,
        roi=quotient(net, spent) if spent else None,
        npv=npv(flows, case.rate, case.start),
        irr=dated_irr(flows, case.start),
        breakeven=days,
        payback=day_after(case.start, days),
        effective_rate=quotient(saving - fee, baseline),
    )


def _cents(amount: Decimal) -> Decimal:
    return _WIDE.quantize(amount, CENT)
