"""How long a whole command takes, from the shell's point of view.

Peer: the interpreter itself doing nothing (`python -c pass`), which is the least any command can take.

    python benchmarks/commands.py --json
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]


def seconds(command: list[str], home: str, runs: int) -> float:
    """Median wall seconds of one command, as a whole process."""
    environment = {**os.environ, "SPENDPROOF_HOME": home}
    took = list[float]()
    for _ in range(runs + 1):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, env=environment)
        took.append(time.perf_counter() - start)
    return median(took[1:])


def main() -> None:
    """Time the commands on the sample customer and end with one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--rows", type=int, default=0, help="not used: the sample customer has the size it has")
    parser.add_argument("--json", action="store_true", help="print only the JSON line, which is all it prints anyway")
    arguments = parser.parse_args()
    spendproof = [sys.executable, str(ROOT / "cli.py")]
    with tempfile.TemporaryDirectory() as home:
        subprocess.run(
            [*spendproof, "demo", "--no-serve"],
            check=True,
            capture_output=True,
            env={**os.environ, "SPENDPROOF_HOME": home},
        )
        nothing = seconds([sys.executable, "-c", "pass"], home, arguments.runs)
        asked = {
            "help": [*spendproof, "--help"],
            "spend": [*spendproof, "spend", "--workspace", "demo"],
            "unit-cost": [*spendproof, "unit-cost", "--workspace", "demo"],
        }
        took = {name: seconds(command, home, arguments.runs) for name, command in asked.items()}
    print(
        json.dumps(
            {
                "benchmark": "commands",
                "seconds": {name: round(value, 3) for name, value in took.items()},
                "ratio_help_to_python": round(took["help"] / nothing, 1),
            }
        )
    )


if __name__ == "__main__":
    main()
