"""The sample customer in a workspace of its own, for tests of proofs."""

from __future__ import annotations

import calendar
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from accounts.home import Settings, lake_address
from connectors.importing import import_files
from ledger.lake import Lake
from reports.invoices import Invoice
from sample_data import TRUTH, files
from sample_data.company import daily
from sample_data.prices import usd

#: After every day of the sample is final.
LOADED = datetime(2026, 12, 20, tzinfo=UTC)
NOW = datetime(2026, 12, 21, tzinfo=UTC)
WORKSPACE = "sample"


def settings(home: Path) -> Settings:
    """An installation in a folder, with a master key of its own."""
    return Settings(home=home, workspace=WORKSPACE, master_key="x" * 43 + "=")  # pyright: ignore[reportArgumentType]


def sample(home: Path, *folders: str) -> Iterator[Lake]:
    """The sample's bills of some providers, with usage and drivers, loaded after they became final."""
    chosen = [str(path) for path in files() if path.parent.name in {*folders, "usage"}]
    with Lake(lake_address(settings(home), WORKSPACE)) as lake:
        import_files(lake, chosen, synthetic=True, now=LOADED)
        yield lake


def invoices() -> tuple[Invoice, ...]:
    """What the providers billed by month, from the truth of the simulation."""
    truth: dict[str, Any] = json.loads(TRUTH.read_text())
    return tuple(
        Invoice(provider, date.fromisoformat(f"{month}-01"), _last(month), Decimal(amount), "USD", "truth.json")
        for provider, months in truth["billed"].items()
        for month, amount in months.items()
    )


def saved(change: str, provider: str, models: tuple[str, ...], product: str, first: date, last: date) -> Decimal:
    """What a change truly saved from `first` to `last`, both included, by the simulation with and without it."""
    with_, without = (
        sum(
            (
                usd(row["picodollars"])
                for row in _rows(left_out)
                if first <= row["date"] <= last
                and (row["provider"], row["product"]) == (provider, product)
                and row["model"] in models
            ),
            Decimal(),
        )
        for left_out in ("", change)
    )
    return without - with_


@cache
def _rows(without: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = daily(without=frozenset({without} - {""})).tokens.to_pylist()
    return found


def _last(month: str) -> date:
    year, number = (int(part) for part in month.split("-"))
    return date(year, number, calendar.monthrange(year, number)[1])
