"""Levers of a saving with the ranges that sources give, pulled one after the other on what the ones before have left.

Stand-alone percentages are never added: two levers of 50 % save 75 %, not everything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from math import factorial
from typing import Final

from analysis.result import ZERO, quotient
from analysis.roi import CASES, Assumption, Range

_WIDE: Final = Context(prec=80, rounding=ROUND_HALF_EVEN)
_ONE: Final = Decimal(1)


@dataclass(frozen=True, slots=True)
class Lever:
    """One lever.

    Attributes:
        id: its name for programs.
        name: its name for people.
        what: the spend that it is pulled on, for whoever sets its share.
        saves: what it saves of that spend, as a share of one, with the source.
        risk: what has to be said beside it.
    """

    id: str
    name: str
    what: str
    saves: Range
    risk: str


def _range(low: str, expected: str, high: str, source: str) -> Range:
    return Range(Decimal(low), Decimal(expected), Decimal(high), source)


#: In the order in which they are pulled.
LEVERS: Final = (
    Lever(
        "route",
        "Model routing",
        "Spend routed to a smaller model",
        _range(
            "0.15",
            "0.25",
            "0.35",
            "first claims of 15 to 35 % of routed spend; benchmarks from -0.6 % (CoQA) to 94 % (Headlines) at equal "
            "accuracy (FrugalGPT, TMLR 2024, recomputed); expected is the middle",
        ),
        "Benchmarks are not your traffic: answers may get worse, and longer.",
    ),
    Lever(
        "cache",
        "Prompt caching",
        "Spend on prompts that repeat",
        _range(
            "0.28",
            "0.395",
            "0.51",
            "60 % of input read from a cache and 10 % written, at prices of 2026: 28 % on conversation, 51 % on code "
            "(token shapes of Azure's public traces); expected is the middle",
        ),
        "Only hits that are reached save; providers cache some of it already.",
    ),
    Lever(
        "batch",
        "Batch",
        "Spend that can wait a day",
        _range(
            "0.20",
            "0.50",
            "0.50",
            "batch prices: half at OpenAI (83 of 85 models), Anthropic, Gemini and Bedrock, 20 % off at xAI (LiteLLM "
            "1.109.1)",
        ),
        "Answers take up to 24 hours.",
    ),
    Lever(
        "tier",
        "Service tier",
        "Spend that leaves priority, or goes to flex",
        _range(
            "0.43",
            "0.50",
            "0.60",
            "priority costs 1.75 to 2.5 times standard, 2 times at most OpenAI models; flex is half (LiteLLM 1.109.1, "
            "OpenAI's flex processing)",
        ),
        "Slower, and at times unavailable.",
    ),
    Lever(
        "commit",
        "Commitments",
        "Spend covered by a commitment",
        _range(
            "0",
            "0.28",
            "0.46",
            "Google's flexible commitments: 28 % for one year, 46 % for three (one example); low is a commitment "
            "that is not used up",
        ),
        "Binds for one or three years; an unused commitment costs more than it saves.",
    ),
)


def saved_share(shares: Mapping[str, Decimal]) -> Range:
    """What the levers save of the whole spend, as shares of one.

    Args:
        shares: for each lever (`LEVERS`) the share of the spend that it is pulled on; absent is none.

    Raises:
        ValueError: a lever is unknown or its share is not between 0 and 1.
    """
    left = {case: _ONE - sum((part for _, part in split(shares, case)), ZERO) for case in CASES}
    pulled = ", ".join(lever.name.lower() for lever in LEVERS if shares.get(lever.id))
    source = f"levers: {pulled}" if pulled else "no lever is set"
    return Range(_ONE - left["low"], _ONE - left["expected"], _ONE - left["high"], source)


def split(shares: Mapping[str, Decimal], case: str) -> list[tuple[Lever, Decimal]]:
    """What each lever saves of the whole spend in one case, in the order in which they are pulled.

    Raises:
        ValueError: as `saved_share`.
    """
    if unknown := sorted(set(shares) - {lever.id for lever in LEVERS}):
        raise ValueError(f"There is no lever {unknown[0]!r}; there are {', '.join(lever.id for lever in LEVERS)}.")
    left, found = _ONE, list[tuple[Lever, Decimal]]()
    for lever in LEVERS:
        share = shares.get(lever.id, ZERO)
        if not share.is_finite() or not ZERO <= share <= _ONE:
            raise ValueError(f"{lever.name} is pulled on 0 to 100 % of the spend, not {share * 100:f} %.")
        part = _WIDE.multiply(_WIDE.multiply(left, share), lever.saves.of(case))
        found.append((lever, part))
        left = _WIDE.subtract(left, part)
    return found


@dataclass(frozen=True, slots=True)
class Part:
    """What one lever saves of the whole spend, expected, as shares of one.

    Attributes:
        in_order: pulled after the levers before it (`LEVERS`); these parts add up to the whole.
        any_order: its mean over all orders (Shapley value), to `QUOTIENT`; these add up to the whole as well.
    """

    name: str
    in_order: Decimal
    any_order: Decimal


def parts(shares: Mapping[str, Decimal]) -> tuple[Part, ...]:
    """What each pulled lever saves, told in both ways: one says what is left to do, the other is fair to the last.

    Raises:
        ValueError: as `saved_share`.
    """
    in_order = [(lever, part) for lever, part in split(shares, "expected") if shares.get(lever.id)]
    alone = [Fraction(shares[lever.id]) * Fraction(lever.saves.expected) for lever, _ in in_order]
    return tuple(Part(lever.name, part, _shapley(alone, place)) for place, (lever, part) in enumerate(in_order))


def _shapley(alone: Sequence[Fraction], place: int) -> Decimal:
    """Mean over all orders of what a lever saves of what those before it have left (Shapley 1953)."""
    left, count = [1 - each for n, each in enumerate(alone) if n != place], len(alone)
    # Sums of products of every so many of the others' remainders.
    sums = [Fraction(1)] + [Fraction(0)] * len(left)
    for each in left:
        for size in range(len(left), 0, -1):
            sums[size] += sums[size - 1] * each
    mean = sum(
        (value * factorial(size) * factorial(count - size - 1) for size, value in enumerate(sums)), Fraction(0)
    ) / factorial(count)
    found = alone[place] * mean
    return quotient(Decimal(found.numerator), Decimal(found.denominator))


def assumptions(shares: Mapping[str, Decimal]) -> list[Assumption]:
    """What each pulled lever rests on."""
    return [
        Assumption(
            lever.name,
            f"{_percent(shares[lever.id])} of the spend, of which it saves {_percent(lever.saves.low)} to "
            f"{_percent(lever.saves.high)}",
            f"share: yours to set; saving: {lever.saves.source}. {lever.risk}",
        )
        for lever in LEVERS
        if shares.get(lever.id)
    ]


def _percent(share: Decimal) -> str:
    return f"{(share * 100).normalize():f} %"
