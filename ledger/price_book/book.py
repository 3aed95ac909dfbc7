"""The price book as analysis reads it: one table, its digest, and the price of one thing at one moment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from ledger.price_book.known import as_known, digest
from ledger.price_book.rows import Price, from_table
from ledger.price_book.schema import REGIONS, TIERS, TOKEN_KINDS

if TYPE_CHECKING:
    import duckdb

    from ledger.lake import Lake

CONTEXTS: Final = ("Short", "Long")


@dataclass(frozen=True)
class Book:
    """List and negotiated prices as they were known at one moment.

    Attributes:
        table: the rows, in the columns of `schema.PRICES`; of each key only the row that held at `known_at`.
        known_at: the moment, or None for everything that is known.
        gaps: sentences about prices that are withheld because an agreement makes them inexpressible.
    """

    table: pa.Table
    known_at: datetime | None = None
    gaps: tuple[str, ...] = ()

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the rows, whatever their order (`known.digest`): what a proof pins."""
        return digest(self.table)

    @cached_property
    def prices(self) -> tuple[Price, ...]:
        """The rows as Python values."""
        return tuple(from_table(self.table))

    def layer(self, name: str) -> Book:
        """The book with the rows of one layer alone: `list` or `negotiated`.

        Raises:
            ValueError: there is no such layer.
        """
        check("layer", name, ("list", "negotiated"))
        chosen = self.table.filter(pc.field("Layer") == name)
        return Book(chosen, self.known_at, self.gaps)

    def relation(self, connection: duckdb.DuckDBPyConnection, name: str = "price_book") -> str:
        """Make the table readable in SQL on `connection` under `name`, and return the name."""
        connection.register(name, self.table)
        return name

    def select(self, model: str, *, seller: str | None = None, at: datetime | None = None) -> list[Price]:
        """The prices of a model by its ModelId, of one seller or all, those that hold at `at` or of all times."""
        chosen = self._by_model[model]
        return [p for p in chosen if (seller is None or p.seller == seller) and (at is None or p.holds(at))]

    def price(
        self,
        seller: str,
        model: str,
        kind: str,
        at: datetime,
        *,
        tier: str = "standard",
        region: str = "Global",
        input_tokens: int = 0,
        version: str | None = None,
    ) -> Price | None:
        """The price of one token (or other unit) at one moment; None is unpriced, never zero and never a neighbour's.

        Args:
            seller: as the charge names its service provider.
            model: ModelId.
            kind: one of `TOKEN_KINDS`.
            at: when it was used.
            tier: one of `TIERS`.
            region: one of `REGIONS`.
            input_tokens: all input tokens of the request, cached ones included; a larger input may cost more.
            version: ModelVersion, where the release is known.

        Raises:
            ValueError: the kind, the tier or the region is not one that the book knows.
        """
        check("token kind", kind, TOKEN_KINDS)
        check("service tier", tier, TIERS)
        check("serving region", region, REGIONS)
        offered = [p for p in self.select(model, seller=seller) if p.serving_region == region]
        release = version if any(p.model_version == version for p in offered) else None
        found = [
            p
            for p in offered
            if (p.model_version, p.token_kind, p.service_tier) == (release, kind, tier)
            and p.holds(at)
            and (p.context_above == 0 or input_tokens > p.context_above)
        ]
        return max(found, key=lambda p: (p.layer == "negotiated", p.context_above), default=None)

    def reason(
        self, seller: str, model: str, kind: str, at: datetime, *, tier: str = "standard", region: str = "Global"
    ) -> str:
        """Why `price` finds nothing, in one sentence; the arguments are its."""
        offered = self.select(model, seller=seller)
        if not offered:
            others = sorted({p.seller for p in self.select(model)})
            sold = f"; it is sold by {', '.join(others)}" if others else ""
            return f"the price book has no price of {model} by {seller}{sold}"
        for name, value, field in (
            ("in the serving region", region, "serving_region"),
            ("in the service tier", tier, "service_tier"),
            ("of the token kind", kind, "token_kind"),
        ):
            left = [p for p in offered if getattr(p, field) == value]
            if not left:
                known = sorted({getattr(p, field) for p in offered})
                return f"{model} by {seller} has no price {name} {value}, only {', '.join(known)}"
            offered = left
        start = min(p.valid_from for p in offered)
        if at < start:
            return f"the {tier} price of {model} by {seller} is known from {start:%Y-%m-%d} on"
        return f"no {tier} price of {model} by {seller} holds on {at:%Y-%m-%d}"

    @cached_property
    def _by_model(self) -> defaultdict[str, list[Price]]:
        found = defaultdict[str, list[Price]](list)
        for price in self.prices:
            found[price.model_id].append(price)
        return found


def load(at: datetime | None = None, *, lake: Lake | None = None) -> Book:
    """The book as it was known at `at`, or with everything that is known.

    Args:
        at: the moment of knowledge (not of validity), with a time zone.
        lake: the workspace whose refreshed and negotiated prices count; without one, the shipped list prices.

    Raises:
        ValueError: `at` has no time zone.
    """
    if at is not None and at.tzinfo is None:
        raise ValueError("The moment at which the prices were known needs a time zone.")
    if lake is None:
        return _shipped(at)
    from ledger.price_book import store  # noqa: PLC0415 - the lake is needed by those alone who have one

    table, gaps = store.known(lake, at)
    return Book(table, at, gaps)


def check(what: str, value: str, known: Sequence[str]) -> str:
    """`value`, where it is one of the known ones.

    Raises:
        ValueError: it is not; the sentence names those that are.
    """
    if value not in known:
        raise ValueError(f"There is no {what} {value!r}; there are {', '.join(known)}.")
    return value


def at_context(prices: Sequence[Price], context: str) -> list[Price]:
    """Of one model's prices those of a short or a long context, where only that is known and not the input's size.

    Raises:
        ValueError: the context is neither `Short` nor `Long`.
    """
    check("context window", context, CONTEXTS)
    return [p for p in prices if (p.context_above > 0) == (context == "Long")]


@lru_cache(maxsize=8)
def _shipped(at: datetime | None) -> Book:
    from ledger.price_book.shipped import shipped_table  # noqa: PLC0415 - reads the package's files

    return Book(as_known(shipped_table(), at), at)
