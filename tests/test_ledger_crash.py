"""A load killed at any moment leaves the ledger as it was before or as it is after, and the next load works."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.importing import import_files
from tests.ledgers import line, open_lake, totals, write_bill

ROOT = Path(__file__).resolve().parents[1]
KILLS = 50

#: Forks a fresh loader for every line of standard input, kills it after that many seconds, and says so: importing the
#: engine anew each time would take longer than the loads. The parent itself never opens a lake.
KILLER = """
import os, signal, sys, time
from pathlib import Path
import duckdb, ibis, ibis.backends.duckdb
import connectors.registry
from connectors.importing import import_files
from ledger.lake import Address, Lake
connectors.registry.formats()
home, *bills = sys.argv[1:]
for number, delay in enumerate(sys.stdin):
    pid = os.fork()
    if pid == 0:
        import_files(Lake(Address(Path(home))), [bills[number % 2]], force=True)
        os._exit(0)
    time.sleep(float(delay))
    os.kill(pid, signal.SIGKILL)
    print(os.WEXITSTATUS(status) if os.WIFEXITED(status := os.waitpid(pid, 0)[1]) else -1, flush=True)
"""


@pytest.fixture
def bills(tmp_path: Path) -> tuple[Path, Path]:
    days = [f"2026-10-{day:02}" for day in range(1, 29)]
    small = write_bill(tmp_path / "small.csv", [line("1", day) for day in days for _ in range(60)])
    large = write_bill(tmp_path / "large.csv", [line("3", day) for day in days for _ in range(300)])
    return small, large


def test_killed_at_fifty_moments(tmp_path: Path, bills: tuple[Path, Path]) -> None:
    expected = {(28 * 60, Decimal(28 * 60)), (28 * 300, Decimal(3 * 28 * 300))}
    with open_lake(tmp_path) as lake:
        import_files(lake, [str(bills[0])])
    began = time.perf_counter()
    with open_lake(tmp_path) as lake:
        import_files(lake, [str(bills[1])])
    took = time.perf_counter() - began
    moments = random.Random(20261120)  # noqa: S311 - moments, not secrets
    home = str(tmp_path / "lake")
    killer = subprocess.Popen(
        [sys.executable, "-c", KILLER, home, *map(str, bills)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert killer.stdin is not None
    assert killer.stdout is not None
    killed = 0
    try:
        for _ in range(KILLS):
            killer.stdin.write(f"{moments.uniform(0.02, 1.3 * took):.3f}\n")
            killer.stdin.flush()
            killed += killer.stdout.readline().strip() == "-1"
            with open_lake(tmp_path) as lake:
                rows, billed, rolled, rolled_billed = totals(lake)
            assert (rows, billed) == (rolled, rolled_billed)
            assert (rows, billed) in expected
    finally:
        killer.send_signal(signal.SIGKILL)
        killer.communicate()
    assert killed >= KILLS // 2, "the loads ended before they could be killed; kill earlier"
    final = write_bill(tmp_path / "final.csv", [line("5", f"2026-10-{day:02}") for day in range(1, 29)])
    with open_lake(tmp_path) as lake:
        import_files(lake, [str(final)], force=True)
        assert totals(lake) == (28, Decimal(140), 28, Decimal(140))
        files = {f.stem for f in (tmp_path / "lake" / "data" / "main" / "charges").glob("*.parquet")}
        loads = {row["LoadId"] for row in lake.records("SELECT LoadId FROM loads")}
        assert files <= loads
    assert not list((tmp_path / "lake" / "staging").glob("2*"))
