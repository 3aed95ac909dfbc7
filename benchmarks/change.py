"""Why the cost changed, and whether the bill is right: a year of the sample bridged and reconciled from a lake on disk.

    python benchmarks/change.py --rows 10000 --json

The year is the second half of the sample against the first: three sums over the rollups, then the bridge of every
item. Reconciled are the same twelve months with the price book by provider and model; the book is read once, as the app
does, and told apart. The decomposition alone is of `--rows` made-up items, in exact fractions and settled to the last
digit. Seconds are of the clock, on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from datetime import date
from decimal import Decimal
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

#: Seconds that bridging and reconciling a year of the sample may take together.
_LIMIT = 0.3


def year(folder: Path, runs: int) -> tuple[float, int, float, float]:
    """Seconds to bridge a year of the sample, its rows, seconds to reconcile it, and to read the price book.

    Each is the median of `runs`.
    """
    from analysis.change import change  # noqa: PLC0415
    from analysis.period import Period  # noqa: PLC0415
    from analysis.reconcile import reconcile  # noqa: PLC0415
    from connectors.importing import import_files  # noqa: PLC0415
    from ledger.lake import Address, Lake  # noqa: PLC0415
    from ledger.price_book import book  # noqa: PLC0415
    from sample_data import files  # noqa: PLC0415

    halves = Period(date(2025, 11, 1), date(2026, 5, 1)), Period(date(2026, 5, 1), date(2026, 11, 1))
    took, reconciled, read, rows = list[float](), list[float](), list[float](), 0
    with Lake(Address(folder / "lake")) as lake:
        import_files(lake, [str(f) for f in files()], synthetic=True)
        for _ in range(runs + 1):
            start = time.perf_counter()
            with lake.reading("daily_spend", "daily_tokens", "daily_token_costs") as tables:
                table = change(*tables, before=halves[0], after=halves[1], by=("provider", "model", "project"))
            took.append(time.perf_counter() - start)
            rows = len(table.rows)
            start = time.perf_counter()
            known = book.load(lake=lake)
            digest = known.digest
            read.append(time.perf_counter() - start)
            start = time.perf_counter()
            days = {"start": halves[0].start, "end": halves[1].end}
            with lake.reading("daily_token_costs", "usage") as (costs, usage):
                reconcile(costs, usage, known.table, digest=digest, by=("provider", "model"), **days)
            reconciled.append(time.perf_counter() - start)
    # The first run loads the libraries.
    return median(took[1:]), rows, median(reconciled[1:]), median(read[1:])


def decomposed(count: int, runs: int) -> float:
    """Seconds to bridge so many items of one currency, median of `runs`."""
    from analysis.change_items import Item, Side, bridges  # noqa: PLC0415
    from analysis.change_sums import ITEM  # noqa: PLC0415

    draw = random.Random(1)  # noqa: S311 - amounts of a benchmark
    names = dict.fromkeys(ITEM)

    def side() -> Side:
        return Side(Decimal(draw.randrange(1, 10**10)), Decimal(draw.randrange(1, 10**15)).scaleb(-10))

    items = [
        Item("USD", names | {"account": f"project {n % 97}", "model": f"model {n % 11}"}, None, side(), side())
        for n in range(count)
    ]
    took = list[float]()
    for _ in range(runs):
        start = time.perf_counter()
        bridges(items, 181, 184)
        took.append(time.perf_counter() - start)
    return median(took)


def main() -> None:
    """Run both and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000, help="items of the decomposition alone")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bridged, rows, reconciled, read = year(Path(folder), given.runs)
    seconds = bridged + reconciled
    alone = decomposed(given.rows, given.runs)
    print(f"a year of the sample: bridged {bridged:.3f} s ({rows} rows), reconciled {reconciled:.3f} s")
    print(f"together {seconds:.3f} s (at most {_LIMIT} s); the price book is read in {read:.3f} s")
    print(f"{given.rows:,} items: {alone:.3f} s, {given.rows / alone:,.0f} a second")
    if given.json:
        figures = {
            "year_seconds": round(seconds, 4),
            "bridge_seconds": round(bridged, 4),
            "reconcile_seconds": round(reconciled, 4),
            "book_seconds": round(read, 4),
            "ratio_limit": round(_LIMIT / seconds, 2),
            "items": given.rows,
            "items_seconds": round(alone, 4),
            "items_per_second": round(given.rows / alone),
        }
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
