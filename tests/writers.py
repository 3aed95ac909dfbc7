"""What a process of its own does to a lake; run as `python -m tests.writers`."""

from __future__ import annotations

import os
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import ledger.replace
from connectors.importing import import_files
from ledger.errors import LedgerError
from ledger.lake import Address, Lake


def main() -> int:
    """Load files once `start` exists; without the lock if told so, to show what the sentinel is for."""
    home, postgres, schema, mode, start, *files = sys.argv[1:]
    if mode == "unlocked":
        Lake.lock = lambda _: nullcontext()  # type: ignore[method-assign]
        # Sweeping belongs to the lock: without it, a writer would take another's unfinished file for a dead one's.
        ledger.replace.sweep = lambda _: []
    lake = Lake(Address(Path(home), postgres or None, schema))
    Path(f"{start}.{os.getpid()}").touch()
    while not Path(start).exists():
        time.sleep(0.001)
    if mode == "read":
        return _read(lake)
    try:
        import_files(lake, files, force=True)
    except LedgerError as error:
        print(error)  # noqa: T201
        return 1
    return 0


def _read(lake: Lake) -> int:
    """Read for a while; the number of failed reads is the exit status."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        lake.table("daily_spend")["BilledCost"].sum().to_pyarrow()
    return 0


if __name__ == "__main__":
    sys.exit(main())
