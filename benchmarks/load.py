"""Loading a bill, checks, duplicate detection and rollups included, against DuckDB's own COPY of the same file.

Peer: `COPY (FROM file) TO 'copy.parquet'`, DuckDB's defaults, in a process of its own. The ratio is its time over ours,
so 0.65 means that a load takes 1.54 times as long as copying the bytes. Of a CSV that copy reads amounts as doubles,
which lose digits; `ratio_naive` is against a copy that reads them as the ledger keeps them.

    python benchmarks/load.py --rows 10000000 --kind decimal --json
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import bills
from benchmarks.measure import Measured, measured


def copy(source: str, target: str) -> int:
    """What DuckDB alone takes to read the file and write it as Parquet."""
    import duckdb  # noqa: PLC0415 - in the measured process only

    reader = "read_csv" if source.endswith(".csv") else "read_parquet"
    row = duckdb.execute(f"COPY (FROM {reader}('{source}')) TO '{target}' (FORMAT parquet)").fetchone()
    return int(row[0]) if row else 0


def naive(source: str, target: str) -> None:
    """The straight way to exact amounts out of a CSV: DuckDB reads each as DECIMAL(38,18)."""
    import duckdb  # noqa: PLC0415

    from ledger.focus import COST_AND_USAGE, DECIMAL  # noqa: PLC0415

    with Path(source).open(encoding="utf-8") as file:
        held = set(next(file).strip().split(","))
    types = {c.name: DECIMAL for c in COST_AND_USAGE if c.type == DECIMAL and c.name in held}
    duckdb.execute(f"COPY (FROM read_csv('{source}', types = {types})) TO '{target}' (FORMAT parquet)")


def load(home: str, source: str) -> dict[str, str | int]:
    """One import into an empty lake, from recognising the file to the committed snapshot."""
    from connectors.importing import import_files  # noqa: PLC0415
    from ledger.lake import Address, Lake  # noqa: PLC0415

    with Lake(Address(Path(home))) as lake:
        (loaded,) = import_files(lake, [source])
        return {"rows": loaded.rows_loaded, "billed": str(loaded.billed_loaded), "format": loaded.format}


def main() -> None:
    """Run both sides in turn, print what each took, and end with one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--kind", choices=bills.KINDS, default="decimal")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=None, help="where the bill and the lakes go; a temporary one")
    parser.add_argument("--json", action="store_true", help="print only the JSON line")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        result = compare(Path(folder), arguments.kind, arguments.rows, arguments.runs, quiet=arguments.json)
    print(json.dumps(result))


def compare(folder: Path, kind: str, rows: int, runs: int, *, quiet: bool) -> dict[str, object]:
    """Copy and load the same bill in turn, `runs` times each."""
    source = bills.write(folder / f"bill.{'csv' if kind == 'csv' else 'parquet'}", kind, rows)
    copies, loads = list[Measured](), list[Measured]()
    for _ in range(runs):
        copies.append(measured(copy, str(source), str(folder / "copy.parquet")))
        shutil.rmtree(folder / "lake", ignore_errors=True)
        loads.append(measured(load, str(folder / "lake"), str(source)))
        if not quiet:
            print(f"copy {copies[-1].seconds:.2f} s, load {loads[-1].seconds:.2f} s, {loads[-1].megabytes:.0f} MB")
    ratios = [a.seconds / b.seconds for a, b in zip(copies, loads, strict=True)]
    took = median(x.seconds for x in loads)
    exact = measured(naive, str(source), str(folder / "copy.parquet")).seconds if kind == "csv" else None
    return {
        "benchmark": "load",
        "kind": kind,
        "rows": rows,
        "copy_seconds": round(median(c.seconds for c in copies), 3),
        "load_seconds": round(took, 3),
        "load_cpu_seconds": round(median(x.cpu for x in loads), 3),
        "load_megabytes": round(max(x.megabytes for x in loads)),
        "ratio_duckdb_copy": round(median(ratios), 3),
        "ratio_naive": exact and round(exact / took, 2),
    }


if __name__ == "__main__":
    main()
