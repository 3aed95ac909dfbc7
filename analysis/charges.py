"""Where the branches of a plan meet the prices: a branch over a stretch of time with one rate on either side."""

# pyarrow carries no types.
# pyright: reportUnknownParameterType=false
from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING

from analysis.levers import Branch, branches

if TYPE_CHECKING:
    import pyarrow as pa

    from analysis.metered import Metered
    from analysis.plan import Plan
    from analysis.price_list import PriceList, Rate


@dataclass(frozen=True, slots=True)
class Charge:
    """A branch of a profile's tokens over a stretch of time, with what it costs on either side."""

    branch: Branch
    start: int
    end: int
    used: Rate
    planned: Rate


def charges_of(metered: Metered, prices: PriceList, plan: Plan) -> list[Charge]:
    """Every branch that the plan makes of a profile's tokens, at every stretch of time with rates of its own."""
    first, last = metered.at(metered.first), metered.at(metered.last)
    fixed = plan.prices_at
    found = list[Charge]()
    for number, kinds in sorted(_kinds(metered.facts).items()):
        for branch in branches(number, metered.profiles[number], sorted(kinds), plan):
            used = branch.judged(prices.rates(branch.used, branch.metered, first, last))
            planned = branch.judged(prices.rates(branch.planned, branch.kind, fixed or first, fixed or last))
            found += _stretches(metered, branch, used, planned, fixed=fixed is not None)
    return found


def _kinds(facts: pa.Table) -> dict[int, list[str]]:
    found = defaultdict[int, list[str]](list)
    for row in facts.group_by(["profile", "kind"]).aggregate([]).to_pylist():
        found[row["profile"]].append(row["kind"])
    return found


def _stretches(
    metered: Metered, branch: Branch, used: Sequence[Rate], planned: Sequence[Rate], *, fixed: bool
) -> Iterable[Charge]:
    """Both sides' rates laid over each other, from the first moment to after the last."""
    starts = {metered.moment(rate.start) for rate in used}
    starts |= set() if fixed else {metered.moment(rate.start) for rate in planned}
    edges = [*sorted(starts), metered.last + 1]
    for start, end in pairwise(edges):
        at = metered.at(start)
        then = planned[0] if fixed else _holding(planned, at)
        yield Charge(branch, start, end, _holding(used, at), then)


def _holding(rates: Sequence[Rate], at: datetime) -> Rate:
    return next(rate for rate in reversed(rates) if rate.start <= at)
