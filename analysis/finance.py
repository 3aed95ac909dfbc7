"""Net present value, internal rate of return and breakeven of dated flows of money.

Definitions as in NIST Handbook 135 (life-cycle costing): NPV is the sum of CF / (1 + r)^(days / 365), the internal rate
is its root, and payback is not discounted.
"""

from __future__ import annotations

import math
from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache
from itertools import pairwise
from typing import Final

from analysis.result import ZERO, quotient, total

YEAR: Final = Decimal(365)
#: The named rule of projected amounts: cents, half to even.
CENT: Final = Decimal("0.01")
#: The named rule of rates: six digits, half to even.
RATE: Final = Decimal("0.000001")
_WIDE: Final = Context(prec=60, rounding=ROUND_HALF_EVEN)
#: Halvings until a double holds nothing finer.
_STEPS: Final = 80
_HIGHEST: Final = 100
#: The largest exponent that a double holds, with room to spare.
_EXPONENT: Final = 700


@dataclass(frozen=True, slots=True)
class Flow:
    """Money at one day: positive comes in, negative goes out."""

    day: date
    amount: Decimal


def months_after(start: date, count: int) -> date:
    """The same day of the month `count` months later, or that month's last day where it is shorter."""
    number = start.year * 12 + start.month - 1 + count
    year, month = number // 12, number % 12 + 1
    return date(year, month, min(start.day, monthrange(year, month)[1]))


def npv(flows: Sequence[Flow], rate: Decimal, start: date) -> Decimal:
    """Net present value at `start`, rounded to `CENT`.

    Args:
        flows: dated amounts of one currency.
        rate: discount rate of a year, above -1.
        start: the day whose money is counted at its face value.

    Raises:
        ValueError: the rate is not above -100 %.
    """
    if rate <= -1:
        raise ValueError(f"A discount rate must be above -100 %; this one is {rate * 100:f} %.")
    present = [_WIDE.divide(flow.amount, _grown(rate, (flow.day - start).days)) for flow in flows]
    return _WIDE.quantize(total(present), CENT)


@lru_cache(maxsize=4096)
def _grown(rate: Decimal, days: int) -> Decimal:
    """What one unit becomes in so many days; the same days come back in every case and horizon."""
    return _WIDE.power(_WIDE.add(Decimal(1), rate), _WIDE.divide(Decimal(days), YEAR))


def dated_irr(flows: Sequence[Flow], start: date) -> Decimal | None:
    """Internal rate of return of a year of dated flows, rounded to `RATE`.

    None where there is no single one (`irr`), or where it is above 10,000 % and tells nothing.
    """
    years = [(float((flow.day - start).days) / float(YEAR), float(flow.amount)) for flow in flows]
    found = irr(years)
    return None if found is None or found > _HIGHEST else _WIDE.quantize(Decimal(found), RATE)


def irr(flows: Sequence[tuple[float, float]]) -> float | None:
    """Internal rate of return of `(time, amount)`, per unit of time.

    None unless the amounts change their sign exactly once through time: without a change there is no rate, and with
    several there may be more than one, none of which means anything by itself.
    """
    signs = [amount > 0 for _, amount in sorted(flows) if amount]
    if sum(a != b for a, b in pairwise(signs)) != 1:
        return None

    def value(log_rate: float) -> float:
        return sum(amount * math.exp(-time * log_rate) for time, amount in flows)

    # One change of sign, one root (Descartes' rule holds for any times): widen until it lies between.
    falls = signs[-1]
    limit = _EXPONENT / max(time for time, _ in flows)
    low, high = -limit / 4096, limit / 4096
    while (value(low) > 0) != falls:
        low *= 2
        if low < -limit:
            return None
    while (value(high) > 0) == falls:
        high *= 2
        if high > limit:
            return None
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if (value(middle) > 0) == falls:
            low = middle
        else:
            high = middle
    return math.expm1((low + high) / 2)


def breakeven(laid_out: Decimal, months: Sequence[Decimal], start: date) -> int | None:
    """Days from `start` until what came in covers what went out, and does so to the end; None where it does not.

    Args:
        laid_out: paid on the first day.
        months: net of each month after, which comes in evenly over its days.
        start: first day.
    """
    sums = [-laid_out]
    for net in months:
        sums.append(total((sums[-1], net)))
    if sums[-1] < ZERO:
        return None
    last_below = max((n for n, amount in enumerate(sums) if amount < ZERO), default=None)
    if last_below is None:
        return 0
    first, end = months_after(start, last_below), months_after(start, last_below + 1)
    part = quotient(-sums[last_below], months[last_below])
    days = (part * (end - first).days).to_integral_value(ROUND_CEILING)
    return (first - start).days + int(days)


def day_after(start: date, days: int | None) -> date | None:
    """The day so many days after `start`; None for none."""
    return None if days is None else start + timedelta(days=days)
