"""A price as a Python value: what the readers of the sources make and what the book compares."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

import pyarrow as pa

from ledger.price_book.schema import PRICES

#: ValidFrom of a price that its source does not date: it is held to have been so from the beginning.
BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
PICO: Final = Decimal(10) ** 12

_ARROW: Final = {
    "VARCHAR": pa.string(),
    "BIGINT": pa.int64(),
    "BOOLEAN": pa.bool_(),
    "TIMESTAMP WITH TIME ZONE": pa.timestamp("us", tz="UTC"),
}
ARROW_SCHEMA: Final = pa.schema([pa.field(c.name, _ARROW[c.type], nullable=c.nullable) for c in PRICES])


class Price(NamedTuple):
    """One row of the book, its fields in the order and under the names of `schema.PRICES` (in snake case)."""

    seller: str
    model_id: str
    model_version: str | None
    model_name: str
    token_kind: str
    service_tier: str
    serving_region: str
    context_above: int
    valid_from: datetime
    valid_to: datetime | None
    known_from: datetime
    price_pico: int
    currency: str
    layer: str
    source: str
    source_version: str
    disputed: bool = False
    other_source: str | None = None
    other_price_pico: int | None = None

    @property
    def series(self) -> tuple[object, ...]:
        """What the price is a price of, whenever it holds."""
        return (self.layer, *self[0:3], *self[4:8])

    @property
    def key(self) -> tuple[object, ...]:
        """What a correction corrects: one row of the book at one time."""
        return (*self.series, self.valid_from)

    def holds(self, moment: datetime) -> bool:
        """Whether the price holds at `moment`."""
        return self.valid_from <= moment and (self.valid_to is None or moment < self.valid_to)


class LeftOut(NamedTuple):
    """Something that a source says about a price and that the book cannot hold, and why."""

    seller: str
    model_name: str
    key: str
    reason: str
    source: str


#: Kind, tier, ContextAbove.
Key = tuple[str, str, int]


class Span(NamedTuple):
    """One price over one time."""

    start: datetime
    end: datetime | None
    pico: int


@dataclass(slots=True)
class Statement:
    """Everything that one source says about one model of one seller served from one place.

    Attributes:
        rank: of several statements about the same model the lowest speaks for it.
        aliases: names under which the source knows the model too.
        uplifts: for other places, by what the price is multiplied there.
        prices: by key, in order of time.
    """

    seller: str
    name: str
    region: str
    source: str
    source_version: str
    rank: int = 0
    aliases: tuple[str, ...] = ()
    uplifts: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    prices: dict[Key, list[Span]] = field(default_factory=dict[Key, list[Span]])


def pico_of(amount: Decimal) -> int | None:
    """Pico-units of a price for one token; None where it is not a whole number of them."""
    scaled = amount * PICO
    return int(scaled) if scaled == scaled.to_integral_value() else None


def to_table(prices: Iterable[Price]) -> pa.Table:
    """The rows as an Arrow table of `schema.PRICES`."""
    columns = list(zip(*prices, strict=True)) or [()] * len(PRICES)
    arrays = [pa.array(c, type=f.type) for c, f in zip(columns, ARROW_SCHEMA, strict=True)]
    return pa.table(arrays, schema=ARROW_SCHEMA)


def from_table(table: pa.Table) -> list[Price]:
    """The rows of an Arrow table of `schema.PRICES`."""
    columns = [_values(table.column(column.name)) for column in PRICES]
    return [Price(*row) for row in zip(*columns, strict=True)]


def _values(column: pa.ChunkedArray) -> list[Any]:
    if not pa.types.is_timestamp(column.type):
        return column.to_pylist()
    # A book has few moments and many rows.
    numbers = column.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()).to_pylist()
    moments = {n: None if n is None else BEGINNING + timedelta(microseconds=n) for n in set(numbers)}
    return [moments[n] for n in numbers]
