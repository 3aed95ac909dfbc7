"""The book that comes with SpendProof: every row that it ever had, as package data.

`python -m ledger.price_book.shipped` reads the sources that are installed (or LiteLLM's map from a file) and appends
what has changed; earlier rows stay, so that a digest of an earlier day can be made again.
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from ledger.price_book.changes import compare
from ledger.price_book.known import as_known
from ledger.price_book.rows import ARROW_SCHEMA, LeftOut, Price, from_table, to_table
from ledger.price_book.sources import Reading, read_sources

FOLDER: Final = resources.files("ledger.price_book") / "data"
_PRICES: Final = "prices.parquet"
_LEFT_OUT: Final = "left_out.parquet"


@lru_cache(maxsize=1)
def shipped_table() -> pa.Table:
    """Every row of the shipped book, the superseded ones included."""
    return _read(_PRICES).cast(ARROW_SCHEMA)


@lru_cache(maxsize=1)
def shipped_left_out() -> tuple[LeftOut, ...]:
    """What the sources of the shipped book say that the book cannot hold, with the reasons."""
    columns = _read(_LEFT_OUT).to_pydict()
    return tuple(LeftOut(*row) for row in zip(*(columns[name] for name in LeftOut._fields), strict=True))


def write(reading: Reading, now: datetime, folder: Path) -> int:
    """Append what `reading` changes to the book in `folder`; the number of rows appended."""
    path = folder / _PRICES
    before = pq.read_table(path).cast(ARROW_SCHEMA) if path.exists() else to_table([])
    added = compare(from_table(as_known(before)), reading.prices).rows(now)
    prices = pa.concat_tables([before, to_table(sorted(added, key=_order))])
    left_out = sorted(set(reading.left_out))
    folder.mkdir(parents=True, exist_ok=True)
    _write(prices, path)
    columns = {name: pa.array([item[i] for item in left_out], pa.string()) for i, name in enumerate(LeftOut._fields)}
    _write(pa.table(columns), folder / _LEFT_OUT)
    return len(added)


def _order(price: Price) -> tuple[str, ...]:
    return tuple(str(part) for part in price.key)


def _write(table: pa.Table, path: Path) -> None:
    unfinished = path.with_suffix(".part")
    pq.write_table(table, unfinished, compression="zstd", compression_level=19)
    unfinished.replace(path)


def _read(name: str) -> pa.Table:
    with (FOLDER / name).open("rb") as file:
        return pq.read_table(pa.BufferReader(file.read()))


def main() -> None:
    """Append to the shipped book what the installed sources change."""
    parser = argparse.ArgumentParser(description="Append to the shipped price book what its sources have changed.")
    parser.add_argument("--cost-map", type=Path, help="LiteLLM's cost map, where the package is not installed.")
    parser.add_argument("--cost-map-version", help="Release of LiteLLM that the map is from.")
    chosen = parser.parse_args()
    now = datetime.now(UTC).replace(microsecond=0)
    reading = read_sources(now, cost_map=chosen.cost_map, cost_map_version=chosen.cost_map_version)
    added = write(reading, now, Path(str(FOLDER)))
    sys.stdout.write(f"{added} rows appended, {len(reading.left_out)} left out, from {reading.sources}.\n")


if __name__ == "__main__":
    main()
