"""What a newer reading of the sources changes in the book: rows to append, never rows to overwrite."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ledger.price_book.rows import Price

#: Fields in which two rows of the same key may differ without being a change.
_PROVENANCE: Final = ("known_from", "source_version", "model_name")


@dataclass(frozen=True, slots=True)
class Changes:
    """The difference of two states of the book.

    Attributes:
        new: prices of something, or of a time, that had none.
        changed: corrections, as (before, after).
        withdrawn: prices of a time that the sources now divide otherwise (another date), as known before.
        gone: prices that the sources no longer name; they stand as last known.
        disputed: rows of `new` and `changed` on which the sources do not agree.
    """

    new: tuple[Price, ...]
    changed: tuple[tuple[Price, Price], ...]
    withdrawn: tuple[Price, ...]
    gone: tuple[Price, ...]

    @property
    def disputed(self) -> tuple[Price, ...]:
        """What is new or changed and in dispute."""
        return tuple(p for p in (*self.new, *(after for _, after in self.changed)) if p.disputed)

    def rows(self, now: datetime) -> list[Price]:
        """The rows to append, known from `now` on; a price withdrawn ends where it begins."""
        withdrawn = [p._replace(valid_to=p.valid_from) for p in self.withdrawn]
        return [p._replace(known_from=now) for p in (*self.new, *(after for _, after in self.changed), *withdrawn)]


def compare(before: Sequence[Price], after: Sequence[Price]) -> Changes:
    """What has to be appended to a book that says `before` for it to say `after`."""
    known = {price.key: price for price in before}
    stated = {price.key: price for price in after}
    series = {price.series for price in after}
    missing = [price for key, price in known.items() if key not in stated]
    return Changes(
        new=tuple(price for key, price in stated.items() if key not in known),
        changed=tuple((known[k], p) for k, p in stated.items() if k in known and _meaning(known[k]) != _meaning(p)),
        withdrawn=tuple(price for price in missing if price.series in series),
        gone=tuple(price for price in missing if price.series not in series),
    )


def _meaning(price: Price) -> tuple[object, ...]:
    return tuple(value for name, value in zip(price._fields, price, strict=True) if name not in _PROVENANCE)
