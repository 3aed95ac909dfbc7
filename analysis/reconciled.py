"""The bill beside the price book: what the comparison found, exact, in each currency by itself."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from analysis.period import Period, label
from analysis.result import ZERO, Dimensions, plain, quotient, total

#: What a rounded bill may differ by and still be explained: so much for each charge ...
PER_CHARGE: Final = Decimal("0.005")
#: ... and never more than this share of what the book says.
OF_BOOK: Final = Decimal("0.001")
TOLERANCE: Final = (
    f"rounding: {PER_CHARGE} of the currency unit for each charge, and at most {OF_BOOK} of the cost by the price book"
)
#: Why there is no calibration factor.
NOTHING_COMPARED: Final = "no charge has both tokens and a price in the price book"
NO_BOOK_COST: Final = "the tokens cost nothing, or less than nothing, by the price book"


@dataclass(frozen=True, slots=True)
class Remainder:
    """Billed cost that could not be compared with the price book.

    Attributes:
        kind: `unpriced` (tokens without a price) or `without_tokens`.
        reason: why.
        cost: FOCUS BilledCost of these charges.
        tokens: their single tokens; None where they are not known.
        charges: number of charges.
    """

    kind: str
    reason: str
    cost: Decimal
    tokens: Decimal | None
    charges: int

    def record(self) -> dict[str, Any]:
        """As JSON carries it."""
        return {
            "kind": self.kind,
            "reason": self.reason,
            "cost": plain(self.cost),
            "tokens": plain(self.tokens),
            "charges": self.charges,
        }


@dataclass(frozen=True, slots=True)
class Spread:
    """Calibration factors of single days: the lowest, the highest, and how many days have one."""

    lowest: Decimal
    highest: Decimal
    days: int


@dataclass(frozen=True, slots=True)
class ReconcileRow:
    """The bill and the price book for one combination of dimensions, in one currency.

    `billed` is `explained` + `unexplained` + `unpriced` + `without_tokens`, to the last digit.

    Attributes:
        dimensions: value by dimension; None where the bill does not say.
        currency: ISO 4217 code of every amount of the row.
        billed: FOCUS BilledCost of all charges, as the bill states it.
        book_cost: tokens times the price book's prices of their day; None where no charge could be priced.
        book_highest: the same at the dearest price that what the bill leaves open allows; None likewise.
        effects: of the compared charges, what the bill itself says that commitments and credits did.
        explained: book cost and effects, or the billed cost where it differs from them by no more than rounding.
        unexplained: what the bill has beyond that; negative where it has less.
        tokens: single tokens that were compared.
        tokens_from_usage: how many of them are from usage, since the bill states no quantity.
        spread: calibration factors of single days; None where no day has one.
        remainders: what could not be compared, the largest first.
        charges: number of charges, compared or not.
    """

    dimensions: Dimensions
    currency: str
    billed: Decimal
    book_cost: Decimal | None
    book_highest: Decimal | None
    effects: Decimal
    explained: Decimal
    unexplained: Decimal
    tokens: Decimal
    tokens_from_usage: Decimal
    spread: Spread | None
    remainders: tuple[Remainder, ...]
    charges: int

    @property
    def compared(self) -> Decimal:
        """BilledCost of the charges that have tokens and a price."""
        return total((self.explained, self.unexplained))

    @property
    def difference(self) -> Decimal | None:
        """Compared cost less book cost: effects, rounding and `unexplained`; None where nothing was compared."""
        return None if self.book_cost is None else total((self.compared, self.book_cost.copy_negate()))

    @property
    def calibration(self) -> Decimal | None:
        """Compared cost / book cost, to twelve fraction digits; None as `reason` says."""
        if self.book_cost is None or self.book_cost <= ZERO:
            return None
        return quotient(self.compared, self.book_cost)

    @property
    def reason(self) -> str | None:
        """Why there is no calibration factor; None where there is one."""
        if self.book_cost is None:
            return NOTHING_COMPARED
        return NO_BOOK_COST if self.book_cost <= ZERO else None

    @property
    def unpriced(self) -> Decimal:
        """BilledCost of the charges that have tokens but no price in the book."""
        return total(part.cost for part in self.remainders if part.kind == "unpriced")

    @property
    def tokens_unpriced(self) -> Decimal:
        """Single tokens of those charges."""
        return total(part.tokens or ZERO for part in self.remainders if part.kind == "unpriced")

    @property
    def without_tokens(self) -> Decimal:
        """BilledCost of the charges whose tokens are not known."""
        return total(part.cost for part in self.remainders if part.kind == "without_tokens")

    def record(self) -> dict[str, Any]:
        """The row as JSON carries it: amounts as decimal strings."""
        spread = self.spread
        return {
            **{name: label(name, value) for name, value in self.dimensions.items()},
            "currency": self.currency,
            "billed_cost": plain(self.billed),
            "book_cost": plain(self.book_cost),
            "book_cost_highest": plain(self.book_highest),
            "difference": plain(self.difference),
            "credits_and_commitments": plain(self.effects),
            "explained": plain(self.explained),
            "unexplained": plain(self.unexplained),
            "unpriced": plain(self.unpriced),
            "without_tokens": plain(self.without_tokens),
            "tokens": plain(self.tokens),
            "tokens_from_usage": plain(self.tokens_from_usage),
            "tokens_unpriced": plain(self.tokens_unpriced),
            "calibration": plain(self.calibration),
            "calibration_lowest_day": plain(spread and spread.lowest),
            "calibration_highest_day": plain(spread and spread.highest),
            "calibration_days": spread.days if spread else 0,
            "reason": self.reason,
            "charges": self.charges,
            "remainders": [part.record() for part in self.remainders],
        }


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The bill beside the price book: the question and its answer.

    Attributes:
        by: dimensions of `rows`.
        period: days (UTC).
        book_digest: SHA-256 of the price book.
        rows: through time, the largest billed cost first.
        totals: one row for each currency, without dimensions.
        notes: sentences about what the bill leaves open and how it was priced.
    """

    by: tuple[str, ...]
    period: Period
    book_digest: str
    rows: tuple[ReconcileRow, ...]
    totals: tuple[ReconcileRow, ...]
    notes: tuple[str, ...]

    def record(self) -> dict[str, Any]:
        """As JSON carries it."""
        return {
            "by": list(self.by),
            "from": label("day", self.period.start),
            "before": label("day", self.period.end),
            "book_digest": self.book_digest,
            "tolerance": TOLERANCE,
            "totals": [row.record() for row in self.totals],
            "rows": [row.record() for row in self.rows],
            "notes": list(self.notes),
        }
