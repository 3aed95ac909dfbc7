"""The checks on the way in, alone, against focus-validator on the same file.

Peer: focus-validator 2.2.1 (Python 3.12 or newer, in an environment of its own): give its command with `--validator`.
It is run on the first 10,000 rows, its cost being mostly fixed.

    python benchmarks/checks.py --rows 10000000 --validator ~/validator/bin/focus-validator --json
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import bills

_PEER_ROWS = 10_000


def checked(source: Path, runs: int) -> float:
    """Seconds that the engine takes for every check and the search for duplicates, median of `runs`."""
    from connectors import focus  # noqa: PLC0415
    from connectors.mapping import mapped_sql  # noqa: PLC0415
    from connectors.reading import describe  # noqa: PLC0415
    from ledger import checks, engine  # noqa: PLC0415
    from ledger.footer import Footer  # noqa: PLC0415

    connection = engine.connect(spill=source.parent / "spill")
    relation = f"FROM read_parquet('{source}')"
    staged = source.with_suffix(".staged.parquet")
    connection.execute(f"COPY ({mapped_sql(focus.FORMAT, describe(connection, relation), relation)}) TO '{staged}'")
    connection.execute(f"CREATE VIEW staged AS FROM read_parquet('{staged}')")
    types, known = describe(connection, "staged"), Footer.of(connection, staged)
    took = list[float]()
    for _ in range(runs):
        start = time.perf_counter()
        checks.run_checks(connection, "staged", types, known)
        checks.duplicates(connection, "staged", types, known)
        list(checks.unmapped(connection, "staged", types))
        took.append(time.perf_counter() - start)
    return median(took)


def validated(source: Path, validator: Path) -> float:
    """Seconds that focus-validator takes for one file."""
    site = next((validator.parents[1] / "lib").glob("python3*/site-packages"))
    command = [validator, "--data-file", source, "--validate-version", "1.2", "--block-download"]
    start = time.perf_counter()
    # It opens its currency codes by a relative path, so it must run from its own packages.
    subprocess.run([*command, "--focus-dataset", "CostAndUsage"], cwd=site, check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    """Check a small and a large bill, let the peer check the small one, and end with one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--validator", type=Path, default=None)
    parser.add_argument("--json", action="store_true", help="print only the JSON line, which is all it prints anyway")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        small = bills.write(Path(folder) / "small.parquet", "decimal", _PEER_ROWS)
        large = bills.write(Path(folder) / "large.parquet", "decimal", arguments.rows)
        ours_small, ours_large = checked(small, arguments.runs), checked(large, arguments.runs)
        peer = validated(small, arguments.validator) if arguments.validator else None
    print(
        json.dumps(
            {
                "benchmark": "checks",
                "rows": arguments.rows,
                "seconds": round(ours_large, 3),
                "seconds_10000": round(ours_small, 4),
                "focus_validator_seconds_10000": peer and round(peer, 2),
                "ratio_focus_validator": peer and round(peer / ours_small, 1),
            }
        )
    )


if __name__ == "__main__":
    main()
