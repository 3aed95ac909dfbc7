"""A proof over thirteen months of charges: from the question to the kept, signed proof, and its page as PDF.

    python benchmarks/proof.py --rows 10000000 --json

Thirteen months of `--rows` synthetic FOCUS charges are loaded, with a driver by day; then one fresh process measures a
change on one model's charges, signs the proof and writes the PDF. Figures are read from the daily rollups, so that they
cost much the same at any number of charges. Seconds are of CPU, imports included.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import bills
from benchmarks.measure import measured

#: CPU seconds and megabytes that a proof may take, PDF included.
_SECONDS = 3.0
_MEGABYTES = 1024
_MONTHS = 13
_DAYS = 396
_FIRST = date(2025, 10, 1)
_CHANGE = date(2026, 6, 1)


def load(folder: Path, rows: int) -> None:
    """The charges and the driver, in a workspace of `folder`."""
    from accounts.home import Settings, lake_address  # noqa: PLC0415
    from connectors.importing import import_files  # noqa: PLC0415
    from ledger import engine  # noqa: PLC0415
    from ledger.lake import Lake  # noqa: PLC0415

    october = bills.write(folder / "october.parquet", "decimal", rows // _MONTHS)
    connection = engine.connect(spill=folder / "spill", memory_limit="2GB")
    paths = list[str]()
    for back in range(_MONTHS):
        moved = ", ".join(
            f"{name} - INTERVAL {back} MONTH AS {name}"
            for name in ("BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd")
        )
        path = folder / f"month-{back}.parquet"
        connection.execute(f"COPY (SELECT * REPLACE ({moved}) FROM '{october}') TO '{path}' (FORMAT parquet)")
        paths.append(str(path))
    connection.close()
    drivers = folder / "drivers.csv"
    days = (_FIRST + timedelta(days=n) for n in range(_DAYS))
    lines = [f"{day},requests_served,{100_000 + 7 * day.toordinal() % 9_000},requests" for day in days]
    drivers.write_text("\n".join(["date,name,value,unit", *lines]))
    with Lake(lake_address(Settings(home=folder), "bench")) as lake:
        import_files(lake, [*paths, str(drivers)], synthetic=True)


def prove(folder: str, format_: str) -> dict[str, str]:
    """Measure, sign and write one proof."""
    from accounts.home import Settings, lake_address  # noqa: PLC0415
    from analysis.scope import parse  # noqa: PLC0415
    from ledger.lake import Lake  # noqa: PLC0415
    from reports.claim import Intervention  # noqa: PLC0415
    from reports.measuring import Given  # noqa: PLC0415
    from reports.optimization import OptimizationProof  # noqa: PLC0415
    from reports.proof.issue import loaded, rendered  # noqa: PLC0415

    settings = Settings(home=Path(folder), master_key="x" * 43 + "=")  # pyright: ignore[reportArgumentType]
    now = datetime(2026, 12, 21, tzinfo=UTC)
    with Lake(lake_address(settings, "bench")) as lake:
        proof = OptimizationProof(lake, settings, "bench")
        claim = proof.calculate_improvements(
            Intervention(_CHANGE, None, "routing", "a change"),
            Given(),
            now,
            scope=parse("service=Service 0,model=claude-sonnet-4-1|claude-sonnet-4-2"),
            driver="requests_served",
        )
        record = proof.generate_proof_report(claim, now)
    page = rendered(loaded((record.document or "").encode()), format_)
    return {"state": claim.state, "days": str(len(claim.days)), "page": str(len(page))}


def main() -> None:
    """Load, prove, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="charges of the ledger")
    parser.add_argument("--format", default="pdf", help="of the written proof")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        loaded = measured(load, Path(folder), given.rows)
        runs = [measured(prove, folder, given.format) for _ in range(3)]
    best = min(runs, key=lambda run: run.cpu)
    print(f"{given.rows:,} charges loaded in {loaded.cpu:.1f} s of CPU")
    took = f"{best.cpu:.2f} s of CPU (at most {_SECONDS}), {best.megabytes:.0f} MB"
    print(f"proof with its {given.format}: {took}, {best.value}")
    if given.json:
        figures = {
            "rows": given.rows,
            "proof_cpu_seconds": round(best.cpu, 3),
            "proof_megabytes": round(best.megabytes),
            "ratio_seconds": round(_SECONDS / best.cpu, 2),
            "ratio_megabytes": round(_MEGABYTES / best.megabytes, 2),
        }
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
