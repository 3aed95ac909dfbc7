"""Random requests, and what they cost by the price book, token kind by token kind, through the re-pricing engine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import ibis
import pyarrow as pa

from analysis.plan import AS_USED
from analysis.price_list import PriceList, Rate, Used
from analysis.reprice import reprice_each
from ledger import engine
from ledger.price_book.book import Book
from tests.price_cases import INPUT, OUTPUT

_COLUMNS = {
    "input": "InputUncachedTokens",
    "cache_read": "CacheReadTokens",
    "cache_write": "CacheWriteTokens",
    "cache_write_5m": "CacheWrite5mTokens",
    "cache_write_1h": "CacheWrite1hTokens",
    "input_audio": "InputAudioTokens",
    "output": "OutputTokens",
    "reasoning": "ReasoningTokens",
    "output_audio": "OutputAudioTokens",
}


@dataclass(frozen=True)
class Request:
    """One request as the ledger names it; `tokens` by disjoint kind, none of them zero."""

    seller: str
    model: str
    version: str | None
    region: str
    tier: str
    at: datetime
    tokens: Mapping[str, int]

    @property
    def whole_input(self) -> int:
        return sum(self.tokens.get(kind, 0) for kind in INPUT)

    @property
    def whole_output(self) -> int:
        return sum(self.tokens.get(kind, 0) for kind in OUTPUT)

    def row(self, project: str) -> dict[str, Any]:
        counts = {column: self.tokens.get(kind, 0) for kind, column in _COLUMNS.items()}
        # In usage, parts of a count are in the whole as well.
        counts["InputUncachedTokens"] += counts["InputAudioTokens"]
        counts["OutputTokens"] += counts["ReasoningTokens"] + counts["OutputAudioTokens"]
        return {
            "UsagePeriodStart": self.at,
            "Grain": "request",
            "ServiceProviderName": self.seller,
            "ModelId": self.model,
            "ModelVersion": self.version,
            "ServiceTier": self.tier,
            "ServingRegion": self.region,
            "SubAccountId": project,
            "Requests": 1,
            **counts,
        }


def priced(requests: Sequence[Request], book: Book) -> list[dict[str, Decimal]]:
    """Cost of each request by kind, `request` included, in one run of the engine; a kind without a price is absent."""
    rows = [request.row(str(number)) for number, request in enumerate(requests)]
    kinds = {"UsagePeriodStart": pa.timestamp("us", tz="UTC"), "ModelVersion": pa.string()}
    columns = {name: pa.array([row[name] for row in rows], kinds.get(name)) for name in rows[0]}
    connection = engine.connect()
    try:
        connection.register("requests", pa.table(columns))
        connection.execute("CREATE TEMP TABLE usage AS SELECT * FROM requests")
        usage = ibis.duckdb.from_connection(connection).table("usage")
        by = ("project", "token-kind")
        (result,) = reprice_each(usage, book.table, [AS_USED], digest=book.digest, by=by)
    finally:
        connection.close()
    found = defaultdict[int, dict[str, Decimal]](dict)
    for row in result.rows:
        if row.planned is not None:
            found[int(str(row.dimensions["project"]))][str(row.dimensions["token-kind"])] = row.planned.amount
    return [found[number] for number in range(len(requests))]


def rate(prices: PriceList, request: Request, kind: str) -> Rate:
    """What the price book says of one kind of the request, with its reason where it says nothing."""
    reached = max((step for step in prices.steps if step < request.whole_input), default=0)
    used = Used(
        request.seller, request.model, request.version, request.tier, request.region, above=reached, up_to=reached
    )
    return prices.rates(used, kind, request.at, request.at)[0]
