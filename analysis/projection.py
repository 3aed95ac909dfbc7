"""Revenue of a price list: customers by plan over months give MRR, ARR and what is collected. A projection, no fact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from itertools import pairwise
from typing import Any, Final

from analysis.finance import CENT
from analysis.result import ZERO, plain, quotient, total

YEAR: Final = 12
_WIDE: Final = Context(prec=80, rounding=ROUND_HALF_EVEN)
_TWO: Final = Decimal(2)


@dataclass(frozen=True, slots=True)
class Growth:
    """Customers of each plan at the end of some months; between them they grow evenly, from none at month 0.

    Attributes:
        prices: monthly amount a customer pays, by plan.
        customers: by month (1 is the first), the customers of each plan at its end.
        currency: ISO 4217 code of the prices.

    Raises:
        ValueError: a month is not positive, a number is negative, or a plan has no price.
    """

    prices: Mapping[str, Decimal]
    customers: Mapping[int, Mapping[str, Decimal]]
    currency: str = "USD"

    def __post_init__(self) -> None:
        if not self.customers:
            raise ValueError("A projection needs the customers of at least one month.")
        for month, counts in self.customers.items():
            if month < 1:
                raise ValueError(f"Months are counted from 1; {month} is none.")
            for name, count in counts.items():
                if name not in self.prices:
                    raise ValueError(f"The plan {name} has no price in this projection.")
                if not count.is_finite() or count < ZERO:
                    raise ValueError(f"{name} cannot have {count} customers in month {month}.")


@dataclass(frozen=True, slots=True)
class Revenue:
    """One month: customers of each plan at its end, and what they pay a month from then on (MRR)."""

    month: int
    customers: Mapping[str, Decimal]
    mrr: Decimal

    def record(self) -> dict[str, Any]:
        """The month as JSON carries it."""
        counts = {name: plain(count) for name, count in self.customers.items()}
        return {"month": self.month, "customers": counts, "mrr": plain(self.mrr)}


@dataclass(frozen=True, slots=True)
class Projection:
    """Revenue over months.

    Attributes:
        months: one after the other.
        collected_low: what is paid in all of them if customers join in the middle of a month.
        collected_high: the same if all who are there at its end have paid for it whole.
    """

    months: tuple[Revenue, ...]
    collected_low: Decimal
    collected_high: Decimal
    currency: str

    @property
    def mrr(self) -> Decimal:
        """Monthly recurring revenue at the end."""
        return self.months[-1].mrr

    @property
    def arr(self) -> Decimal:
        """Annual recurring revenue at the end: twelve times the MRR, and no sum of what was paid."""
        return self.mrr * YEAR

    def record(self) -> dict[str, Any]:
        """The projection as JSON carries it."""
        return {
            "currency": self.currency,
            "mrr": plain(self.mrr),
            "arr": plain(self.arr),
            "collected_low": plain(self.collected_low),
            "collected_high": plain(self.collected_high),
            "months": [month.record() for month in self.months],
        }


def project(growth: Growth, months: int | None = None) -> Projection:
    """Revenue of every month up to `months`, by default the last one that is given; after that nobody joins or leaves.

    Raises:
        ValueError: the months are fewer than one.
    """
    count = max(growth.customers) if months is None else months
    if count < 1:
        raise ValueError(f"A projection covers at least one month, not {count}.")
    found = tuple(_month(growth, number) for number in range(1, count + 1))
    monthly = [ZERO, *(month.mrr for month in found)]
    halves = [total(pair) for pair in pairwise(monthly)]
    low = _WIDE.quantize(_WIDE.divide(total(halves), _TWO), CENT)
    return Projection(found, min(low, total(monthly)), max(low, total(monthly)), growth.currency)


def needed(target: Decimal, price: Decimal) -> int:
    """Customers at a price that a monthly revenue takes, rounded up.

    Raises:
        ValueError: the price is not above zero.
    """
    if price <= ZERO:
        raise ValueError("Customers who pay nothing never reach a revenue.")
    whole = target // price
    return int(whole) + (1 if target % price else 0)


def _month(growth: Growth, number: int) -> Revenue:
    counts = {name: _count(growth, name, number) for name in growth.prices}
    mrr = total(_WIDE.multiply(count, growth.prices[name]) for name, count in counts.items())
    return Revenue(number, counts, _WIDE.quantize(mrr, CENT))


def _count(growth: Growth, name: str, number: int) -> Decimal:
    known = [(0, ZERO), *((month, growth.customers[month].get(name, ZERO)) for month in sorted(growth.customers))]
    before = max((point for point in known if point[0] <= number), key=lambda point: point[0])
    after = min((point for point in known if point[0] >= number), key=lambda point: point[0], default=before)
    if after[0] == before[0]:
        return before[1]
    grown = (after[1] - before[1]) * (number - before[0])
    return before[1] + quotient(grown, Decimal(after[0] - before[0]))


def mixed(users: Decimal, conversion: Decimal, mix: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Paying customers by plan: users times the share who pay, divided by plan.

    Raises:
        ValueError: a share is not between 0 and 1, or the mix is not one whole.
    """
    if not users.is_finite() or users < ZERO:
        raise ValueError(f"There cannot be {users} users.")
    if not ZERO <= conversion <= 1:
        raise ValueError(f"The conversion is between 0 and 100 %, not {conversion * 100:f} %.")
    if total(mix.values()) != 1 or any(share < ZERO for share in mix.values()):
        raise ValueError(f"The plan mix adds up to {total(mix.values()) * 100:f} %, not to 100 %.")
    return {name: users * conversion * share for name, share in mix.items()}
