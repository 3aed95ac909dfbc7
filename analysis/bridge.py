"""The difference of two amounts as parts that add up to it to the last digit.

A cost that is a product of factors is split by the Shapley value of the factors (Shapley 1953; for a product it has
the closed form below, and for two factors it is Bennet's indicator of 1920): the mean, over every order in which the
factors can change from their first to their second value, of what each change adds.

    part of factor k = (after_k - before_k) x sum over sets S of the other factors of
                       |S|! (K - 1 - |S|)! / K! x product of after in S x product of before outside S

It is exact for zero and negative factors, and exchanging the two sides negates every part. A factor that does not
change has no part and takes nothing from the others. Everything is computed in fractions; `settled` puts them on the
ledger's last digit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from math import factorial, prod
from typing import Any, Final

from analysis.result import ZERO, plain, total

#: Fraction digits of every part: those of the ledger's amounts.
DIGITS: Final = 18


class Part(StrEnum):
    """Why a cost changed; the order is that in which a bridge is shown."""

    DAYS = "days"
    VOLUME = "volume"
    MIX_BETWEEN = "mix_between"
    MIX_WITHIN = "mix_within"
    RATE = "rate"
    NEW = "new"
    GONE = "gone"
    WITHOUT_QUANTITY = "without_quantity"
    COMMITMENT = "commitment"
    CREDIT = "credit"


#: What each part is called and means.
MEANINGS: Final[Mapping[Part, str]] = {
    Part.DAYS: "the periods differ in length",
    Part.VOLUME: "more or fewer tokens a day",
    Part.MIX_BETWEEN: "tokens moved between projects",
    Part.MIX_WITHIN: "tokens moved between models, token types and tiers of a project",
    Part.RATE: "the price of a token changed",
    Part.NEW: "models that a project did not use before",
    Part.GONE: "models that a project no longer uses",
    Part.WITHOUT_QUANTITY: "cost without quantity: whether price or volume changed is not known",
    Part.COMMITMENT: "commitments: their fees and unused parts, less what covered use would cost without them",
    Part.CREDIT: "credits",
}


@dataclass(frozen=True, slots=True)
class Bridge:
    """From one cost to another: `before` plus all parts is `after`, to the last digit; a part that is absent is 0."""

    before: Decimal
    after: Decimal
    parts: Mapping[Part, Decimal]

    @property
    def difference(self) -> Decimal:
        """What `after` is more than `before`."""
        return total((self.after, self.before.copy_negate()))

    def part(self, *parts: Part) -> Decimal:
        """One part, or the sum of several."""
        return total(self.parts.get(part, ZERO) for part in parts)

    def record(self) -> dict[str, Any]:
        """The bridge as JSON carries it: every part, as decimal strings."""
        return {
            "cost_before": plain(self.before),
            "cost_after": plain(self.after),
            "difference": plain(self.difference),
            "parts": {str(part): plain(self.part(part)) for part in Part},
        }


def combined(bridges: Iterable[Bridge]) -> Bridge:
    """The sum of bridges, part by part."""
    several = list(bridges)
    parts = {part: total(bridge.part(part) for bridge in several) for part in Part}
    return Bridge(
        total(bridge.before for bridge in several),
        total(bridge.after for bridge in several),
        {part: amount for part, amount in parts.items() if amount},
    )


def shapley(before: Sequence[Fraction], after: Sequence[Fraction]) -> tuple[Fraction, ...]:
    """What each factor adds to the difference of the two products; the sum is exactly that difference."""
    moving = [k for k in range(len(before)) if before[k] != after[k]]
    # Each factor over one denominator, so that the sums below are of whole numbers.
    first = [before[k].numerator * after[k].denominator for k in moving]
    last = [after[k].numerator * before[k].denominator for k in moving]
    below = prod(before[k].denominator * after[k].denominator for k in moving)
    still = prod((before[k] for k in range(len(before)) if k not in moving), start=Fraction(1))
    count = len(moving)
    result = [Fraction(0)] * len(before)
    for at, k in enumerate(moving):
        others = [(first[j], last[j]) for j in range(count) if j != at]
        weighed = sum(
            factorial(size) * factorial(count - 1 - size) * products
            for size, products in enumerate(_by_number_changed(others))
        )
        result[k] = still * Fraction((last[at] - first[at]) * weighed, factorial(count) * below)
    return tuple(result)


def settled(parts: Sequence[Fraction], difference: Decimal, digits: int = DIGITS) -> tuple[Decimal, ...]:
    """Parts with so many fraction digits, adding up to `difference`, by the largest-remainder rule.

    Each part is cut off towards zero. The last digits that are then missing from the difference go, one to a part, to
    the parts that lost most in their direction; of equal ones the first gets it. No part moves by a whole last digit,
    and negated parts settle to the negated result.

    Args:
        parts: their sum is `difference`, or for `digits` fewer than it has, what it was rounded from.
        difference: with at most `digits` fraction digits.
        digits: fraction digits of the result.
    """
    scaled = [part * 10**digits for part in parts]
    units = [int(part) for part in scaled]
    missing = int(Fraction(difference) * 10**digits) - sum(units)
    sign = 1 if missing > 0 else -1
    lost = sorted(range(len(parts)), key=lambda k: (-sign * (scaled[k] - units[k]), k))
    for at in range(abs(missing)):
        units[lost[at % len(lost)]] += sign
    return tuple(_decimal(unit, digits) for unit in units)


def _by_number_changed(others: Sequence[tuple[int, int]]) -> list[int]:
    """For 0, 1, 2, ... factors changed: the sum of the products over all ways to choose these."""
    sums = [1]
    for first, last in others:
        kept = [value * first for value in sums] + [0]
        changed = [0] + [value * last for value in sums]
        sums = [a + b for a, b in zip(kept, changed, strict=True)]
    return sums


def _decimal(units: int, digits: int) -> Decimal:
    # Made from text, since Decimal's own arithmetic would round at 28 digits.
    return Decimal(f"{units}E-{digits}")
