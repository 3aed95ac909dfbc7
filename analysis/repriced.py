"""What re-pricing finds: costs as they were and as planned, and everything that must be said about them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from analysis.period import Period, label
from analysis.plan import Plan
from analysis.result import Dimensions, plain, total

if TYPE_CHECKING:
    from analysis.metered import Counted


@dataclass(frozen=True, slots=True)
class Cost:
    """Money for tokens, in one currency.

    Attributes:
        tokens: tokens that it is for.
        amount: the cost, exact; usage that does not state its context or region is taken as short and global.
        highest: the cost if all such usage had been at the dearest price that what it states leaves possible.
    """

    tokens: Decimal
    amount: Decimal
    highest: Decimal


@dataclass(frozen=True, slots=True)
class KindCost:
    """The planned cost of one token kind in one currency; `tokens` are requests where the kind is `request`."""

    kind: str
    currency: str
    cost: Cost


@dataclass(frozen=True, slots=True)
class RepriceRow:
    """One combination of dimensions, in one currency.

    Attributes:
        dimensions: value by dimension, of the usage as planned; None where the usage does not say.
        currency: ISO 4217 code of every amount of the row.
        planned: cost of everything that has a price under the plan; None where nothing has.
        used: cost as it was of everything that had a price as it was, and ended in this row; None where nothing had.
        both_planned, both_used: the same for tokens that have a price on both sides, and nothing else.
    """

    dimensions: Dimensions
    currency: str
    planned: Cost | None
    used: Cost | None
    both_planned: Cost | None
    both_used: Cost | None

    @property
    def saving(self) -> Decimal | None:
        """What the plan saves on the tokens that have a price on both sides; negative where it costs more."""
        if self.both_used is None or self.both_planned is None:
            return None
        return total((self.both_used.amount, self.both_planned.amount.copy_negate()))

    @property
    def saving_at_highest(self) -> Decimal | None:
        """The same with usage of unknown context or region at its dearest price on both sides."""
        if self.both_used is None or self.both_planned is None:
            return None
        return total((self.both_used.highest, self.both_planned.highest.copy_negate()))

    def record(self) -> dict[str, Any]:
        """The row as JSON carries it: amounts as decimal strings."""
        return {
            **{name: label(name, value) for name, value in self.dimensions.items()},
            "currency": self.currency,
            "tokens": _plain(self.planned, "tokens"),
            "cost": _plain(self.planned, "amount"),
            "cost_highest": _plain(self.planned, "highest"),
            "cost_as_used": _plain(self.used, "amount"),
            "cost_as_used_highest": _plain(self.used, "highest"),
            "compared_tokens": _plain(self.both_planned, "tokens"),
            "compared_cost": _plain(self.both_planned, "amount"),
            "compared_cost_as_used": _plain(self.both_used, "amount"),
            "saving": plain(self.saving),
            "saving_at_highest": plain(self.saving_at_highest),
        }


@dataclass(frozen=True, slots=True)
class Finding:
    """Tokens of one model about which something must be said.

    Attributes:
        side: `planned` or `used`.
        what: the reason why there is no price; what is not stated; the kind whose price was taken; the other source.
        kinds: token kinds concerned.
        tokens, requests: how many; requests are those whose every token is concerned.
        currency: of the amounts; None where there is no price.
        cost, other_cost: what was charged here, and what it would be otherwise (at the dearest price that may hold, by
            the other source); None where there is none.
    """

    side: str
    provider: str
    model: str | None
    what: str
    kinds: tuple[str, ...]
    tokens: Decimal
    requests: Decimal
    currency: str | None = None
    cost: Decimal | None = None
    other_cost: Decimal | None = None

    def record(self) -> dict[str, Any]:
        """The finding as JSON carries it."""
        return {
            "side": self.side,
            "provider": self.provider,
            "model": self.model,
            "what": self.what,
            "kinds": list(self.kinds),
            "tokens": plain(self.tokens),
            "requests": plain(self.requests),
            "currency": self.currency,
            "cost": plain(self.cost),
            "other_cost": plain(self.other_cost),
        }


@dataclass(frozen=True, slots=True)
class Repriced:
    """A plan, and what it makes of the usage.

    Attributes:
        plan: the plan.
        book_digest: SHA-256 of the price book.
        by: dimensions of `rows`.
        period: days of the usage that was asked for.
        first, last: first and last day (UTC) of the usage there was; None where there was none.
        rows: through time, then the largest planned cost first.
        kinds: planned cost by token kind and currency.
        tokens, requests: of all usage, priced or not.
        unpriced: what has no price, with the reason, on either side.
        unstated: what does not state its context or region although the prices differ by it.
        priced_as: what is charged at the price of another token kind.
        disputed: what is charged at a price on which the sources of the book differ.
        pulled: tokens that each lever was pulled on; 0 where it found no usage.
        others: usage that is counted in something other than tokens; it is not in any figure.
        incomplete: rows of usage that do not state their input or output tokens.
    """

    plan: Plan
    book_digest: str
    by: tuple[str, ...]
    period: Period
    first: date | None
    last: date | None
    rows: tuple[RepriceRow, ...]
    kinds: tuple[KindCost, ...]
    tokens: Decimal
    requests: Decimal
    unpriced: tuple[Finding, ...]
    unstated: tuple[Finding, ...]
    priced_as: tuple[Finding, ...]
    disputed: tuple[Finding, ...]
    pulled: tuple[Decimal, ...]
    others: tuple[Counted, ...]
    incomplete: int

    def record(self) -> dict[str, Any]:
        """The result as JSON carries it: amounts as decimal strings."""
        return {
            "plan": self.plan.name,
            "prices_at": _text(self.plan.prices_at),
            "known_at": _text(self.plan.known_at),
            "book_digest": self.book_digest,
            "from": _text(self.first),
            "to": _text(self.last),
            "tokens": plain(self.tokens),
            "requests": plain(self.requests),
            "rows": [row.record() for row in self.rows],
            "kinds": [
                {
                    "kind": k.kind,
                    "currency": k.currency,
                    "tokens": plain(k.cost.tokens),
                    "cost": plain(k.cost.amount),
                    "cost_highest": plain(k.cost.highest),
                }
                for k in self.kinds
            ],
            "unpriced": [finding.record() for finding in self.unpriced],
            "unstated": [finding.record() for finding in self.unstated],
            "priced_as": [finding.record() for finding in self.priced_as],
            "disputed": [finding.record() for finding in self.disputed],
            "levers": [
                {"action": lever.action, "tokens": plain(tokens)}
                for lever, tokens in zip(self.plan.levers, self.pulled, strict=True)
            ],
            "not_in_tokens": [counted.record() for counted in self.others],
            "rows_without_counts": self.incomplete,
        }


def _plain(cost: Cost | None, name: str) -> str | None:
    return None if cost is None else plain(getattr(cost, name))


def _text(value: date | None) -> str | None:
    return None if value is None else value.isoformat()
