"""Charges as items with one price each, and the bridge of an item from one period to the other.

    cost = commitment + credit + days x tokens a day x project's share x item's share of the project x price

An item is new where its project did not use its model in the first period, and gone where it does not in the second;
shares are among the models that the project uses in both. Nothing is summed that is not exact, so that the order of
items and the unit in which tokens are counted have no effect.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Final

from analysis.bridge import Bridge, Part, settled, shapley
from analysis.result import ZERO, total

#: Why an item has no price although it has tokens.
NOT_POSITIVE: Final = "corrections take away as many tokens as there are, or more"
_FACTORS: Final = (Part.DAYS, Part.VOLUME, Part.MIX_BETWEEN, Part.MIX_WITHIN, Part.RATE)

Key = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Side:
    """An item in one period.

    Attributes:
        tokens: single tokens; 0 where it has none or they are not known.
        cost: all of its cost, commitment and credit included.
        commitment: the part of it that is there because of commitments.
        credit: the part of it that is credits (negative).
    """

    tokens: Decimal = ZERO
    cost: Decimal = ZERO
    commitment: Decimal = ZERO
    credit: Decimal = ZERO

    @property
    def own(self) -> Decimal:
        """Cost without commitments and credits."""
        return total((self.cost, self.commitment.copy_negate(), self.credit.copy_negate()))


@dataclass(frozen=True, slots=True)
class Item:
    """Charges with one price in both periods; `gap` says why their tokens are not known, None where they are."""

    currency: str
    dimensions: Mapping[str, str | None]
    gap: str | None
    before: Side
    after: Side

    @property
    def has_price(self) -> bool:
        """Whether each period has a price for it: tokens are known and positive, or there is neither token nor cost."""
        return self.gap is None and all(s.tokens > ZERO or s.tokens == s.own == ZERO for s in (self.before, self.after))

    @property
    def reason(self) -> str | None:
        """Why it has no price; None where it has one."""
        return None if self.has_price else self.gap or NOT_POSITIVE

    @property
    def project(self) -> Key:
        """Provider and project, between which tokens move."""
        return self.currency, self.dimensions["provider"], self.dimensions["account"]

    @property
    def model(self) -> Key:
        """The model in the project, which is new or gone."""
        return *self.project, self.dimensions["model"]


def bridges(items: Iterable[Item], days_before: int, days_after: int) -> list[tuple[Item, Bridge]]:
    """The bridge of each item. The order of items has no effect, nor has the unit in which tokens are counted."""
    every = list(items)
    sums = _Sums()
    for item in every:
        if item.has_price:
            sums.models[item.model].add(item)
    for item in every:
        if item.has_price and sums.models[item.model].in_both:
            sums.projects[item.project].add(item)
            sums.currencies[item.currency].add(item)
    return [(item, _bridge(item, sums, (days_before, days_after))) for item in every]


@dataclass(slots=True)
class _Tokens:
    """Tokens of many items in both periods."""

    before: Fraction = Fraction(0)
    after: Fraction = Fraction(0)

    def add(self, item: Item) -> None:
        self.before += Fraction(item.before.tokens)
        self.after += Fraction(item.after.tokens)

    @property
    def in_both(self) -> bool:
        return self.before > 0 and self.after > 0


@dataclass(slots=True)
class _Sums:
    """Tokens by model of a project; those of models in both periods by project and by currency as well."""

    models: defaultdict[Key, _Tokens] = field(default_factory=lambda: defaultdict[Key, _Tokens](_Tokens))
    projects: defaultdict[Key, _Tokens] = field(default_factory=lambda: defaultdict[Key, _Tokens](_Tokens))
    currencies: defaultdict[str, _Tokens] = field(default_factory=lambda: defaultdict[str, _Tokens](_Tokens))


def _bridge(item: Item, sums: _Sums, days: tuple[int, int]) -> Bridge:
    before, after = item.before, item.after
    parts = {
        Part.COMMITMENT: total((after.commitment, before.commitment.copy_negate())),
        Part.CREDIT: total((after.credit, before.credit.copy_negate())),
    }
    difference = total((after.own, before.own.copy_negate()))
    if not item.has_price:
        parts[Part.WITHOUT_QUANTITY] = difference
    elif not sums.models[item.model].before:
        parts[Part.NEW] = difference
    elif not sums.models[item.model].after:
        parts[Part.GONE] = difference
    else:
        project, everything = sums.projects[item.project], sums.currencies[item.currency]
        factors = (
            _factors(before, after, project.before, everything.before, days[0]),
            _factors(after, before, project.after, everything.after, days[1]),
        )
        parts |= dict(zip(_FACTORS, settled(shapley(*factors), difference), strict=True))
    return Bridge(before.cost, after.cost, {part: amount for part, amount in parts.items() if amount})


def _factors(side: Side, other: Side, project: Fraction, everything: Fraction, days: int) -> tuple[Fraction, ...]:
    """Days, tokens a day, the project's share, the item's share of it, price of one token.

    A token type or tier that is not used in one period has the other period's price there: no price was seen to
    change, so that all of its difference is volume and mix.
    """
    priced = side if side.tokens else other
    tokens = Fraction(side.tokens)
    price = Fraction(priced.own) / Fraction(priced.tokens) if priced.tokens else Fraction(0)
    return Fraction(days), everything / days, project / everything, tokens / project, price
