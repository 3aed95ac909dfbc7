"""Several interventions over one scope share one measured total, and the parts add up to it to the last digit.

Stand-alone percentages are never added: routing first leaves less for the cache to save. From the cost of the scope
under every set of the interventions come two splits: sequential, in the order in which they were made, and Shapley's
value, the mean over all orders. Both are scaled to the measured total and settled by the largest-remainder rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import combinations
from math import factorial
from typing import Final, Protocol

from analysis.bridge import settled
from analysis.result import ZERO, total
from analysis.savings_result import Tier

#: Sets of interventions double with each; four thousand are enough.
MOST_INTERVENTIONS: Final = 12
#: Printed beside every portfolio.
BIAS: Final = "Chance errors of independent workloads average out; a bias, such as a common drift, does not."

#: Cost of the scope with these interventions made, and no other.
Costs = Mapping[frozenset[str], Decimal | Fraction]


@dataclass(frozen=True, slots=True)
class Attribution:
    """Shares of a total by intervention, in the order in which they were made.

    Attributes:
        total: what is split, in money.
        sequential: each intervention's part in order; the sum is `total`.
        shapley: each one's mean part over all orders; the sum is `total`.
        alone: what each would avoid by itself; these do not add up and are never added.
    """

    total: Decimal
    sequential: Mapping[str, Decimal]
    shapley: Mapping[str, Decimal]
    alone: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class Portfolio:
    """The sum of several claims of one tier and currency, or why they have none.

    Attributes:
        point, low, high: sums, the half widths added as squares; None where they may not be added.
        verified: whether every claim in it is.
        refusals: why there is no sum, as sentences.
        limits: what holds of the sum.
    """

    point: Decimal | None
    low: Decimal | None
    high: Decimal | None
    verified: bool
    refusals: tuple[str, ...]
    limits: tuple[str, ...] = (BIAS,)


class Measured(Protocol):
    """What a portfolio needs of a claim; an `AvoidedCost` is one."""

    @property
    def tier(self) -> Tier:
        """How it is known."""
        ...

    @property
    def currency(self) -> str | None:
        """Of its money."""
        ...

    @property
    def point(self) -> Decimal | None:
        """What was avoided, in money."""
        ...

    @property
    def low(self) -> Decimal | None:
        """Lower end of its interval."""
        ...

    @property
    def high(self) -> Decimal | None:
        """Upper end of its interval."""
        ...

    @property
    def verified(self) -> bool:
        """Whether every gate was passed."""
        ...


@dataclass(frozen=True, slots=True)
class PortfolioClaim:
    """One workload's claim: `driver` names what its cost was measured against."""

    workload: str
    driver: str
    claim: Measured


def compounded(cost: Decimal, left: Mapping[str, Decimal | Fraction]) -> dict[frozenset[str], Fraction]:
    """The costs of every set of interventions of which each leaves a share of what it finds.

    Args:
        cost: of the scope without any.
        left: the share that each leaves, 0.8 for one that saves 20 %.

    Raises:
        ValueError: there are more than 12, or a share is negative.
    """
    _refuse_many(len(left))
    if any(share < ZERO for share in left.values()):
        raise ValueError("An intervention leaves a share of the cost, which is not negative.")
    result: dict[frozenset[str], Fraction] = {}
    for some in _sets(tuple(left)):
        amount = Fraction(cost)
        for name in some:
            amount *= Fraction(left[name])
        result[some] = amount
    return result


def attribute(
    costs: Costs,
    order: Sequence[str],
    measured: Decimal,
    *,
    digits: int = 2,
) -> Attribution:
    """Split a measured total over the interventions by what each does to the cost.

    Args:
        costs: of the scope under every set of the interventions, the empty one included.
        order: the interventions in the order in which they were made.
        measured: the total to be split: a point or a lower bound, with at most `digits` fraction digits.
        digits: fraction digits of the parts.

    Raises:
        ValueError: a set has no cost, a name comes twice, there are none or more than 12, the total has more digits,
            or the interventions together change nothing, so that nothing says how to split.
    """
    names = tuple(order)
    _refuse_wrong(costs, names, measured, digits)
    cost = {some: Fraction(costs[some]) for some in _sets(names)}
    saved = cost[frozenset()] - cost[frozenset(names)]
    if saved == 0 and measured != ZERO:
        raise ValueError("The interventions together change no cost, so nothing says how to split the total.")
    scale = Fraction(measured) / saved if saved else Fraction(0)
    in_order = [cost[frozenset(names[:nth])] - cost[frozenset(names[: nth + 1])] for nth in range(len(names))]
    means = [_shapley(cost, names, name) for name in names]
    alone = [cost[frozenset()] - cost[frozenset({name})] for name in names]
    return Attribution(
        total=measured,
        sequential=dict(zip(names, _parts(in_order, scale, measured, digits), strict=True)),
        shapley=dict(zip(names, _parts(means, scale, measured, digits), strict=True)),
        alone={name: _parts([part], Fraction(1), None, digits)[0] for name, part in zip(names, alone, strict=True)},
    )


def portfolio(claims: Sequence[PortfolioClaim]) -> Portfolio:
    """The sum of independent claims: S = sum S_i, U = sqrt(sum U_i^2) (CalTRACK 2, section 4.3).

    Claims that share a driver err together, and claims of different tiers or currencies are different things; there is
    no sum of them, and the refusal says so.
    """
    refusals = _not_added(claims)
    if refusals:
        return Portfolio(None, None, None, verified=False, refusals=refusals)
    points = [c.claim.point or ZERO for c in claims]
    point = total(points)
    unit = min((p.as_tuple().exponent for p in points if isinstance(p.as_tuple().exponent, int)), default=-2)
    below = _root_of_squares([p - (c.claim.low or ZERO) for p, c in zip(points, claims, strict=True)], int(unit))
    above = _root_of_squares([(c.claim.high or ZERO) - p for p, c in zip(points, claims, strict=True)], int(unit))
    return Portfolio(point, point - below, point + above, verified=all(c.claim.verified for c in claims), refusals=())


def _refuse_wrong(costs: Costs, names: tuple[str, ...], measured: Decimal, digits: int) -> None:
    _refuse_many(len(names))
    if not names or len(set(names)) != len(names):
        raise ValueError("Attribution needs interventions, each of them once.")
    lacking = [some for some in _sets(names) if some not in costs]
    if lacking:
        raise ValueError(f"There is no cost for {', '.join(sorted(lacking[0])) or 'the scope without interventions'}.")
    if Fraction(measured) * 10**digits % 1:
        raise ValueError(f"The total {measured} has more than {digits} fraction digits; round it first.")


def _not_added(claims: Sequence[PortfolioClaim]) -> tuple[str, ...]:
    if not claims:
        return ("There is no claim to add.",)
    drivers = sorted({c.driver for c in claims if sum(d.driver == c.driver for d in claims) > 1})
    workloads = sorted({c.workload for c in claims if sum(d.workload == c.workload for d in claims) > 1})
    unknown = sorted(c.workload for c in claims if c.claim.point is None)
    currencies = sorted({c.claim.currency or "an unnamed currency" for c in claims})
    tiers: set[Tier] = {c.claim.tier for c in claims}
    return (
        *((f"{', '.join(workloads)} stands in it more than once.",) if workloads else ()),
        *(
            (f"{', '.join(drivers)} drives several of them, so they err together: measure their sum.",)
            if drivers
            else ()
        ),
        *((f"{', '.join(unknown)} could not be measured.",) if unknown else ()),
        *((f"Amounts in {' and '.join(currencies)} have no sum.",) if len(currencies) > 1 else ()),
        *(("Claims of different tiers are never added.",) if len(tiers) > 1 else ()),
    )


def _root_of_squares(widths: Sequence[Decimal], exponent: int) -> Decimal:
    squares = total(width * width for width in widths)
    return squares.sqrt().quantize(Decimal(1).scaleb(exponent))


def _shapley(cost: Mapping[frozenset[str], Fraction], names: Sequence[str], name: str) -> Fraction:
    """Mean over all orders of what `name` saves when it is its turn (Shapley 1953)."""
    count = len(names)
    others = [other for other in names if other != name]
    return sum(
        (
            Fraction(factorial(len(some)) * factorial(count - 1 - len(some)), factorial(count))
            * (cost[some] - cost[some | {name}])
            for some in _sets(others)
        ),
        Fraction(0),
    )


def _parts(parts: Sequence[Fraction], scale: Fraction, measured: Decimal | None, digits: int) -> tuple[Decimal, ...]:
    scaled = [part * scale for part in parts]
    if measured is None:
        units = [round(part * 10**digits) for part in scaled]
        return tuple(Decimal(unit).scaleb(-digits) for unit in units)
    return settled(scaled, measured, digits)


def _sets(names: Sequence[str]) -> list[frozenset[str]]:
    return [frozenset(some) for size in range(len(names) + 1) for some in combinations(names, size)]


def _refuse_many(count: int) -> None:
    if count > MOST_INTERVENTIONS:
        raise ValueError(f"At most {MOST_INTERVENTIONS} interventions can share a total; these are {count}.")
