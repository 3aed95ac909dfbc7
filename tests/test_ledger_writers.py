"""Several processes at one lake, on both catalogs."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from ledger.lake import Address, Lake
from tests import postgres
from tests.ledgers import line, totals, write_bill

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def dsn(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    with postgres.server(tmp_path_factory.mktemp("postgres")) as address:
        yield address


@pytest.fixture(params=["sqlite", "postgres"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Address:
    if request.param == "sqlite":
        return Address(tmp_path / "lake")
    return Address(tmp_path / "lake", request.getfixturevalue("dsn"), f"t_{tmp_path.name}".replace("-", "_"))


def run_together(address: Address, jobs: Sequence[tuple[str, Sequence[Path]]], folder: Path) -> list[tuple[int, str]]:
    """Run writers that begin at the same moment; exit status and output of each."""
    start = folder / "start"
    Lake(address).close()
    arguments = [str(address.home), address.postgres or "", address.schema]
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.writers", *arguments, mode, str(start), *map(str, files)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for mode, files in jobs
    ]
    deadline = time.monotonic() + 60
    while len(list(folder.glob("start.*"))) < len(jobs) and time.monotonic() < deadline:
        time.sleep(0.01)
    start.touch()
    return [(process.wait(timeout=120), process.communicate()[0]) for process in processes]


def test_two_first_loads_of_one_period_leave_one(address: Address, tmp_path: Path) -> None:
    bills = [write_bill(tmp_path / f"{n}.csv", [line(str(n), "2026-10-01")] * 1000) for n in (2, 3)]
    done = run_together(address, [("locked", [bill]) for bill in bills], tmp_path)
    assert [status for status, _ in done] == [0, 0], done
    with Lake(address) as lake:
        rows, billed, *rollup = totals(lake)
        assert (rows, rollup) == (1000, [1000, billed])
        assert billed in {Decimal(2000), Decimal(3000)}
        assert len(lake.records("SELECT * FROM loads")) == 2


def test_a_missed_lock_conflicts_instead_of_doubling(address: Address, tmp_path: Path) -> None:
    bills = [write_bill(tmp_path / f"{n}.csv", [line(str(n), "2026-10-01")] * 1000) for n in (2, 3)]
    run_together(address, [("unlocked", [bill]) for bill in bills], tmp_path)
    with Lake(address) as lake:
        assert totals(lake)[0] == 1000
        assert totals(lake)[2] == 1000


def test_reader_and_two_writers_at_once(address: Address, tmp_path: Path) -> None:
    bills = [write_bill(tmp_path / f"{month}.csv", [line("1.5", f"2026-{month:02}-01")] * 2000) for month in (9, 10)]
    done = run_together(address, [("read", []), *(("locked", [bill]) for bill in bills)], tmp_path)
    assert [status for status, _ in done] == [0, 0, 0], done
    with Lake(address) as lake:
        assert totals(lake) == (4000, Decimal(6000), 4000, Decimal(6000))
