"""The closed set of price expressions. A plan is a tree of them; `analysis.fees.price` says what it comes to.

Every amount is in the currency of the `Expression` that holds the tree, every rate is a share of one. A metric is a
quantity of the period that is priced, by name: an amount of money, a count, or a verified saving.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from analysis.result import ZERO, plain, total

ONE: Final = Decimal(1)
_CODE_LENGTH: Final = 3
#: Digits before the point of the ledger's DECIMAL(38,18).
_LONGEST: Final = 20


class FeeError(ValueError):
    """A price that cannot be formed; the message says which figure is missing or wrong, and what to give."""


class Rounding(StrEnum):
    """The named rules by which a fee is rounded, once, to the minor unit of its currency.

    `half-up` is commercial rounding. `down` never rounds against the customer: a share of a saving stays at or below
    that share.
    """

    HALF_UP = "half-up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Flat:
    """A fixed amount a period."""

    amount: Decimal
    name: str = "Flat fee"

    def __post_init__(self) -> None:
        at_least_zero(self.amount, self.name)


@dataclass(frozen=True, slots=True)
class PerUnit:
    """An amount for each unit beyond `included`: a unit price, an overage or an add-on.

    Attributes:
        metric: what is counted.
        amount: price of one unit.
        included: units that cost nothing.
        maximum: units that the plan allows; more are refused. None is no limit.
    """

    metric: str
    amount: Decimal
    included: Decimal = ZERO
    maximum: Decimal | None = None
    name: str = ""

    def __post_init__(self) -> None:
        at_least_zero(self.amount, f"the price of one of {self.metric}")
        at_least_zero(self.included, f"the included {self.metric}")


@dataclass(frozen=True, slots=True)
class Seats:
    """An amount for each seat, at least `minimum` of them; more than `maximum` are refused."""

    metric: str
    amount: Decimal
    minimum: Decimal = ZERO
    maximum: Decimal | None = None

    def __post_init__(self) -> None:
        at_least_zero(self.amount, f"the price of one of {self.metric}")
        at_least_zero(self.minimum, f"the least number of {self.metric}")


@dataclass(frozen=True, slots=True)
class Percent:
    """A share of an amount of money, of what exceeds `free`."""

    metric: str
    rate: Decimal
    free: Decimal = ZERO

    def __post_init__(self) -> None:
        share(self.rate, f"the rate of {self.metric}")
        at_least_zero(self.free, f"the free part of {self.metric}")


@dataclass(frozen=True, slots=True)
class Tier:
    """Up to `up_to` (None is no bound) at `rate`: a share of money, or the price of one unit of a count."""

    up_to: Decimal | None
    rate: Decimal


@dataclass(frozen=True, slots=True)
class Graduated:
    """Each part of a metric at the rate of the tier that it falls in."""

    metric: str
    tiers: tuple[Tier, ...]

    def __post_init__(self) -> None:
        _ordered(self.tiers, self.metric)


@dataclass(frozen=True, slots=True)
class Volume:
    """The whole of a metric at the rate of the tier that it reaches."""

    metric: str
    tiers: tuple[Tier, ...]

    def __post_init__(self) -> None:
        _ordered(self.tiers, self.metric)


@dataclass(frozen=True, slots=True)
class Package:
    """An amount for every begun package of `size` units."""

    metric: str
    size: Decimal
    amount: Decimal

    def __post_init__(self) -> None:
        at_least_zero(self.amount, f"the price of a package of {self.metric}")
        if self.size <= ZERO:
            raise FeeError(f"A package of {self.metric} must hold more than nothing; this one holds {self.size}.")


@dataclass(frozen=True, slots=True)
class SavingsShare:
    """A share of a verified saving's lower bound, of what exceeds `deductible`; nothing where that is below zero."""

    metric: str
    rate: Decimal
    deductible: Decimal = ZERO

    def __post_init__(self) -> None:
        share(self.rate, f"the share of {self.metric}")
        at_least_zero(self.deductible, f"the deductible of {self.metric}")


@dataclass(frozen=True, slots=True)
class Annual:
    """A monthly amount paid for `months` at once, less `discount`."""

    amount: Decimal
    discount: Decimal
    months: Decimal = Decimal(12)

    def __post_init__(self) -> None:
        at_least_zero(self.amount, "the monthly amount")
        share(self.discount, "the annual discount")


@dataclass(frozen=True, slots=True)
class LesserOf:
    """Whichever of several is least; the first of equals."""

    of: tuple[Node, ...]

    def __post_init__(self) -> None:
        _several(self.of, "The lesser of")


@dataclass(frozen=True, slots=True)
class GreaterOf:
    """Whichever of several is greatest; the first of equals."""

    of: tuple[Node, ...]

    def __post_init__(self) -> None:
        _several(self.of, "The greater of")


@dataclass(frozen=True, slots=True)
class Sum:
    """All of several together."""

    of: tuple[Node, ...]

    def __post_init__(self) -> None:
        _several(self.of, "A sum")


@dataclass(frozen=True, slots=True)
class Cap:
    """Never more than `amount`."""

    of: Node
    amount: Decimal

    def __post_init__(self) -> None:
        at_least_zero(self.amount, "a cap")


@dataclass(frozen=True, slots=True)
class Floor:
    """Never less than `amount`."""

    of: Node
    amount: Decimal

    def __post_init__(self) -> None:
        at_least_zero(self.amount, "a floor")


@dataclass(frozen=True, slots=True)
class MinimumCommitment:
    """A committed amount a period: what is left of it is charged as a true-up."""

    of: Node
    amount: Decimal

    def __post_init__(self) -> None:
        at_least_zero(self.amount, "a commitment")


@dataclass(frozen=True, slots=True)
class Discount:
    """Less `rate` of the fee, or less `amount`, in the first `periods` (1 is once, None for ever)."""

    of: Node
    rate: Decimal | None = None
    amount: Decimal | None = None
    periods: int | None = None
    name: str = "Discount"

    def __post_init__(self) -> None:
        if (self.rate is None) == (self.amount is None):
            raise FeeError(f"{self.name}: a discount is either a rate or an amount, and not both.")
        if self.rate is not None:
            share(self.rate, self.name)
        if self.amount is not None:
            at_least_zero(self.amount, self.name)
        if self.periods is not None and self.periods < 1:
            raise FeeError(f"{self.name}: a discount holds for at least one period, not {self.periods}.")


@dataclass(frozen=True, slots=True)
class Credit:
    """Paid out of a balance (`metric`, money) as far as that goes."""

    of: Node
    metric: str


Node = (
    Flat
    | PerUnit
    | Seats
    | Percent
    | Graduated
    | Volume
    | Package
    | SavingsShare
    | Annual
    | LesserOf
    | GreaterOf
    | Sum
    | Cap
    | Floor
    | MinimumCommitment
    | Discount
    | Credit
)


@dataclass(frozen=True, slots=True)
class Expression:
    """A price: the tree, the ISO 4217 currency of every amount in it, and how the sum is rounded."""

    node: Node
    currency: str = "USD"
    rounding: Rounding = Rounding.HALF_UP

    def __post_init__(self) -> None:
        currency_code(self.currency)


def most(node: Node) -> Decimal | None:
    """The amount that a price never exceeds whatever is used; None where it has no such bound."""
    match node:
        case Flat():
            return node.amount
        case Annual():
            return node.amount * node.months * (ONE - node.discount)
        case LesserOf():
            return min((bound for each in node.of if (bound := most(each)) is not None), default=None)
        case Cap():
            inner = most(node.of)
            return node.amount if inner is None else min(inner, node.amount)
        case GreaterOf() | Sum():
            bounds = [bound for each in node.of if (bound := most(each)) is not None]
            if len(bounds) < len(node.of):
                return None
            return max(bounds) if isinstance(node, GreaterOf) else total(bounds)
        case Floor() | MinimumCommitment():
            inner = most(node.of)
            return None if inner is None else max(inner, node.amount)
        case Discount() | Credit():
            return most(node.of)
        case _:
            return None


def metrics_of(node: Node) -> tuple[str, ...]:
    """The metrics that a price needs, in the order in which they are met."""
    match node:
        case LesserOf() | GreaterOf() | Sum():
            return tuple(dict.fromkeys(name for each in node.of for name in metrics_of(each)))
        case Discount():
            return tuple(dict.fromkeys((*metrics_of(node.of), *(("period",) if node.periods else ()))))
        case Credit():
            return tuple(dict.fromkeys((*metrics_of(node.of), node.metric)))
        case Cap() | Floor() | MinimumCommitment():
            return metrics_of(node.of)
        case Flat() | Annual():
            return ()
        case _:
            return (node.metric,)


def at_least_zero(amount: Decimal, what: str) -> None:
    """Refuse an amount that is negative, no number, or longer than money is (20 digits before the point).

    Raises:
        FeeError: it is one of these.
    """
    if amount.is_finite() and amount.adjusted() >= _LONGEST:
        raise FeeError(f"{what[:1].upper()}{what[1:]} has more than {_LONGEST} digits before the point.")
    if not amount.is_finite() or amount < ZERO:
        raise FeeError(f"{what[:1].upper()}{what[1:]} must be a number of zero or more; this one is {amount}.")


def share(rate: Decimal, what: str) -> None:
    """Refuse a rate that is no share of one.

    Raises:
        FeeError: it is below 0 or above 1.
    """
    if not rate.is_finite() or not ZERO <= rate <= ONE:
        shown = f"{plain(rate * 100)} %" if rate.is_finite() else str(rate)
        raise FeeError(f"{what[:1].upper()}{what[1:]} must be between 0 and 100 %; this one is {shown}.")


def currency_code(code: str) -> None:
    """Refuse what cannot be an ISO 4217 code.

    Raises:
        FeeError: the code is not three capital letters.
    """
    if len(code) != _CODE_LENGTH or not code.isascii() or not code.isalpha() or not code.isupper():
        raise FeeError(f"{code!r} is no currency; give its ISO 4217 code, such as USD or EUR.")


def _several(nodes: tuple[Node, ...], what: str) -> None:
    if not nodes:
        raise FeeError(f"{what} needs at least one price.")


def _ordered(tiers: tuple[Tier, ...], metric: str) -> None:
    """Refuse tiers that do not follow each other from nothing to no bound."""
    bounds = [tier.up_to for tier in tiers]
    known = [bound for bound in bounds[:-1] if bound is not None]
    if not tiers or bounds[-1] is not None or len(known) < len(tiers) - 1:
        raise FeeError(f"The tiers of {metric} must end in one without a bound, and only that one.")
    if any(after <= before for before, after in zip([ZERO, *known], known, strict=False)):
        raise FeeError(f"The tiers of {metric} must rise.")
    for tier in tiers:
        at_least_zero(tier.rate, f"a rate of {metric}")
