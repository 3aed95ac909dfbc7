"""Small bills and lakes that several test modules build."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb

from ledger.lake import Address, Lake

HEADER = (
    "BilledCost,EffectiveCost,ListCost,ContractedCost,BillingAccountId,BillingAccountName,BillingCurrency,"
    "BillingPeriodStart,BillingPeriodEnd,ChargePeriodStart,ChargePeriodEnd,ChargeCategory,ChargeDescription,"
    "ServiceCategory,ServiceName,ProviderName,InvoiceIssuerName,PricingQuantity,PricingUnit"
)


def month_after(day: date) -> date:
    """First day of the following month."""
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def line(cost: str, day: str, *, service: str = "Compute", account: str = "acct-1", currency: str = "USD") -> str:
    """One CSV line of a FOCUS bill: a usage charge of one day."""
    start = date.fromisoformat(day)
    month = start.replace(day=1)
    following = date.fromordinal(start.toordinal() + 1)
    return (
        f"{cost},{cost},{cost},{cost},{account},Account,{currency},{month}T00:00:00Z,{month_after(month)}T00:00:00Z,"
        f"{start}T00:00:00Z,{following}T00:00:00Z,Usage,charge,Compute,{service},Acme,Acme,1,Hours"
    )


def write_bill(path: Path, lines: Sequence[str]) -> Path:
    """A FOCUS CSV file."""
    path.write_text("\n".join([HEADER, *lines]) + "\n")
    return path


def open_lake(folder: Path) -> Lake:
    """A lake in a folder of the test."""
    return Lake(Address(folder / "lake"))


def totals(lake: Lake) -> tuple[int, Decimal, int, Decimal]:
    """Rows and billed cost of the charges, and what the rollup says of both."""
    row = lake.records(
        "SELECT (SELECT count(*) FROM charges) AS a, (SELECT coalesce(sum(BilledCost), 0) FROM charges) AS b, "
        "(SELECT coalesce(sum(Charges), 0)::BIGINT FROM daily_spend) AS c, "
        "(SELECT coalesce(sum(BilledCost), 0) FROM daily_spend) AS d"
    )[0]
    return row["a"], row["b"], row["c"], row["d"]


def write_parquet(path: Path, select: str) -> Path:
    """A Parquet file out of one SQL select."""
    duckdb.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet)")
    return path
