"""Price books and usage by hand, for tests of re-pricing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from ledger.price_book.schema import PRICES

EARLY = datetime(1970, 1, 1, tzinfo=UTC)
KNOWN = datetime(2026, 1, 1, tzinfo=UTC)

_ARROW = {
    "VARCHAR": pa.string(),
    "BIGINT": pa.int64(),
    "BOOLEAN": pa.bool_(),
    "TIMESTAMP WITH TIME ZONE": pa.timestamp("us", tz="UTC"),
}


def price(kind: str, micro: int, **more: Any) -> dict[str, Any]:
    """One list price: `micro` dollars of a million tokens are as many pico-dollars of a token times a million."""
    return {
        "Seller": "OpenAI",
        "ModelId": "gpt-5.5",
        "ModelName": more.get("ModelId", "gpt-5.5"),
        "TokenKind": kind,
        "ServiceTier": "standard",
        "ServingRegion": "Global",
        "ContextAbove": 0,
        "ValidFrom": EARLY,
        "KnownFrom": KNOWN,
        "PricePico": micro,
        "Currency": "USD",
        "Layer": "list",
        "Source": "by hand",
        "SourceVersion": "1",
        "Disputed": False,
    } | more


def dollars(per_million: str) -> int:
    """Pico-dollars of one token at so many dollars of a million."""
    whole, _, part = per_million.partition(".")
    return int(whole + part.ljust(6, "0"))


def book(rows: Sequence[dict[str, Any]]) -> pa.Table:
    """The rows as a table in the price book's schema."""
    unknown = {name for row in rows for name in row} - {column.name for column in PRICES}
    assert not unknown, f"a price has no {unknown}"
    arrays = [pa.array([row.get(c.name) for row in rows], _ARROW[c.type]) for c in PRICES]
    return pa.Table.from_arrays(arrays, [c.name for c in PRICES])


def request(when: datetime = datetime(2026, 7, 1, 12, tzinfo=UTC), **more: Any) -> dict[str, Any]:
    """One request of standard tier, served globally."""
    return {
        "UsagePeriodStart": when,
        "UsagePeriodEnd": when,
        "Grain": "request",
        "UsageKind": "completions",
        "ServiceProviderName": "OpenAI",
        "ModelName": more.get("ModelId", "gpt-5.5"),
        "ModelId": "gpt-5.5",
        "ServiceTier": "standard",
        "ServingRegion": "Global",
        "InputUncachedTokens": 0,
        "OutputTokens": 0,
        "Requests": 1,
        "x_Connection": "log",
        "x_LoadId": "l1",
    } | more
