"""Every figure of the screens over a small and a large ledger.

Peer: the same questions asked of the charges themselves, without rollups. The ratio of growth is what a figure takes at
`--rows` over what it takes at a million.

    python benchmarks/screens.py --rows 50000000 --json
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import bills
from benchmarks.load import load
from benchmarks.measure import measured

_SMALL = 1_000_000


def figures(lake: Any) -> dict[str, Callable[[], object]]:  # noqa: ANN401 - ledger.lake.Lake, imported late
    """The questions of the three screens."""
    from analysis import quality, spend, unit_cost  # noqa: PLC0415

    def asked(*by: str) -> Callable[[], object]:
        return lambda: spend.spend_table(lake.table("daily_spend"), by)

    def priced(*by: str) -> Callable[[], object]:
        return lambda: unit_cost.unit_cost(lake.table("daily_token_costs"), by)

    def judged() -> object:
        with lake.reading("loads", "findings", "daily_spend") as tables:
            return quality.quality(*tables)

    return {
        "spend by service": asked("service"),
        "spend by service and day": asked("service", "day"),
        "spend total": asked(),
        "unit cost by model": priced("model"),
        "unit cost by model and day": priced("model", "day"),
        "unit cost by model and token type": priced("model", "token-type"),
        "loads and quality": judged,
    }


def timed(rows: int, folder: Path, runs: int) -> tuple[dict[str, float], float]:
    """Median milliseconds of every figure over a ledger of `rows` charges, and of one asked of the charges.

    The load and the questions each have a process of their own, as an import and the app have.
    """
    source, home = bills.write(folder / f"{rows}.parquet", "decimal", rows), str(folder / f"lake-{rows}")
    measured(load, home, str(source))
    source.unlink()
    took: tuple[dict[str, float], float] = measured(answered, home, runs).value
    return took


def answered(home: str, runs: int) -> tuple[dict[str, float], float]:
    """Median milliseconds of every figure of a ledger, and of one asked of its charges."""
    from analysis import spend  # noqa: PLC0415
    from ledger.lake import Address, Lake  # noqa: PLC0415

    with Lake(Address(Path(home))) as lake:
        took = {name: _median(figure, runs) for name, figure in figures(lake).items()}
        return took, _median(lambda: spend.spend_table(lake.table("charges"), ["service", "day"]), 1)


def _median(figure: Callable[[], object], runs: int) -> float:
    figure()
    took = list[float]()
    for _ in range(runs):
        start = time.perf_counter()
        figure()
        took.append((time.perf_counter() - start) * 1000)
    return median(took)


def main() -> None:
    """Time every figure at both sizes and end with one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--json", action="store_true", help="print only the JSON line")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        small, _ = timed(_SMALL, Path(folder), arguments.runs)
        large, direct = timed(arguments.rows, Path(folder), arguments.runs)
    if not arguments.json:
        for name, milliseconds in large.items():
            print(f"{name:36s} {small[name]:7.1f} ms at 1 M, {milliseconds:7.1f} ms at {arguments.rows:,}")
    worst = max(large[name] / small[name] for name in large)
    print(
        json.dumps(
            {
                "benchmark": "screens",
                "rows": arguments.rows,
                "milliseconds": {name: round(value, 1) for name, value in large.items()},
                "ratio_growth_worst": round(worst, 2),
                "ratio_charges_to_rollup": round(direct / large["spend by service and day"], 1),
            }
        )
    )


if __name__ == "__main__":
    main()
