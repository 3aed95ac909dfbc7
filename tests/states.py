"""The whole state of a ledger, so that a test can say that nothing of it changed, and cheap new lakes."""

from __future__ import annotations

import shutil
from decimal import Decimal
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, NamedTuple

from ledger.lake import Address, Lake
from ledger.replace import Loaded


class State(NamedTuple):
    """Rows and money of the charges and of their rollup, and how many loads and rejects are on record."""

    charges: int
    billed: Decimal
    rolled: int
    rolled_billed: Decimal
    loads: int
    rejects: int


EMPTY = State(0, Decimal(0), 0, Decimal(0), 0, 0)


@cache
def _template() -> Path:
    folder = Path(mkdtemp(prefix="spendproof-lake-"))
    Lake(Address(folder / "lake")).close()
    return folder / "lake"


def new_lake(folder: Path) -> Lake:
    """An empty lake in `folder`, as a copy of one that was made once."""
    shutil.copytree(_template(), folder / "lake", ignore=shutil.ignore_patterns("spill-*"))
    return Lake(Address(folder / "lake"))


def state(lake: Lake) -> State:
    """What the ledger holds now."""
    row = lake.records(
        "SELECT (SELECT count(*) FROM charges) AS a, (SELECT coalesce(sum(BilledCost), 0) FROM charges) AS b, "
        "(SELECT coalesce(sum(Charges), 0)::BIGINT FROM daily_spend) AS c, "
        "(SELECT coalesce(sum(BilledCost), 0) FROM daily_spend) AS d, "
        "(SELECT count(*) FROM loads) AS e, (SELECT count(*) FROM rejects) AS f"
    )[0]
    return State(*row.values())


def rejects(lake: Lake) -> list[tuple[Any, ...]]:
    """File, row, column, value and reason of every reject, in order."""
    names = ("File", "RowNumber", "ColumnName", "Value", "Reason")
    rows = lake.records(f"SELECT {', '.join(names)} FROM rejects ORDER BY File, RowNumber")
    return [tuple(row.values()) for row in rows]


def sentences(loaded: Loaded, check: str) -> list[str]:
    """What a check said about a load."""
    return [finding.sentence for finding in loaded.findings if finding.check == check]


def accounted(loaded: Loaded) -> bool:
    """Whether every row that came in was loaded, rejected or dropped."""
    return loaded.rows_in == loaded.rows_loaded + loaded.rows_rejected + loaded.rows_dropped
