"""What a lake holds, counted: what a copy of it is held against."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from ledger.lake import Lake
from ledger.tables import TABLES


@dataclass(frozen=True, slots=True)
class Contents:
    """Rows by table, and BilledCost of all charges by currency.

    Attributes:
        snapshot: the one that was counted.
        rows: by name of the table; tables without rows included.
        billed: exact sums by currency code.
    """

    snapshot: int
    rows: dict[str, int]
    billed: dict[str, Decimal]


def contents(lake: Lake) -> Contents:
    """Count everything in the newest snapshot; while others may write, the caller holds the lake's lock."""
    names = [name for name in TABLES if name != "sentinel"]
    counts = " UNION ALL ".join(f"SELECT '{name}' AS name, count(*) AS n FROM {name}" for name in names)
    billed = lake.records(
        "SELECT BillingCurrency AS currency, sum(BilledCost) AS billed FROM charges GROUP BY 1 ORDER BY 1"
    )
    return Contents(
        lake.snapshot(),
        {row["name"]: row["n"] for row in sorted(lake.records(counts), key=lambda row: names.index(row["name"]))},
        {row["currency"]: row["billed"] for row in billed},
    )
