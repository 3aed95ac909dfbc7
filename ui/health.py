"""What `spendproof doctor` looks at: installed, reachable, stale or misconfigured, and the fix."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from accounts.home import Settings, lake_address
from ledger.engine import connect, load_extension
from ledger.errors import LedgerError
from ledger.lake import Lake
from ui.console import print_json, say_out

_OLD = timedelta(days=3)
_LOW = 2 * 1024**3
_EXTENSIONS = ("ducklake", "sqlite_scanner", "postgres_scanner")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: whether it is well, what was seen, and what to do where it is not."""

    name: str
    ok: bool
    seen: str
    fix: str = ""


def print_report(settings: Settings, workspace: str, *, as_json: bool) -> bool:
    """Look at everything, print it, and say whether all of it is well."""
    checks = examine(settings, workspace, datetime.now(UTC))
    if as_json:
        print_json([asdict(check) for check in checks])
    else:
        for check in checks:
            say_out(f"{'ok ' if check.ok else 'BAD'}  {check.name}: {check.seen}")
            if not check.ok:
                say_out(f"     {check.fix}")
    return all(check.ok for check in checks)


def examine(settings: Settings, workspace: str, now: datetime) -> list[Check]:
    """Every check in order; a failing one does not keep the others from being made."""
    looks: list[Callable[[], list[Check]]] = [
        _python,
        _extensions,
        lambda: _disk(settings),
        lambda: _lake(settings, workspace, now),
        lambda: _secrets(settings, workspace),
    ]
    return [check for look in looks for check in look()]


def _python() -> list[Check]:
    version = ".".join(map(str, sys.version_info[:3]))
    return [Check("Python", sys.version_info >= (3, 11), version, "Install Python 3.11 or newer.")]


def _extensions() -> list[Check]:
    found = list[Check]()
    for name in _EXTENSIONS:
        connection = connect()
        try:
            load_extension(connection, name)
            found.append(Check(f"Engine extension {name}", ok=True, seen="installed"))
        except LedgerError as error:
            found.append(Check(f"Engine extension {name}", ok=False, seen="missing", fix=str(error)))
        finally:
            connection.close()
    return found


def _disk(settings: Settings) -> list[Check]:
    home = settings.home
    existing = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    seen = f"{home}, {free / 1024**3:.1f} GB free"
    return [Check("Home", free > _LOW, seen, "Free some disk space, or move SPENDPROOF_HOME to a larger disk.")]


def _secrets(settings: Settings, workspace: str) -> list[Check]:
    """Whether the master key opens what is sealed; where nothing is, or there is no database yet, it is not needed."""
    from accounts import rows, sealed  # noqa: PLC0415 - slow to import
    from accounts.database import sessions  # noqa: PLC0415
    from accounts.vault import open_vault  # noqa: PLC0415

    if settings.database is None and not (settings.home / "accounts.db").exists():
        return []
    with sessions(settings)() as session:
        held = rows.held(session.connection(), workspace, sealed.TABLES)
    if not any(row["sealed"] is not None for found in held.values() for row in found):
        return []
    try:
        source = open_vault(settings).source
    except LedgerError as error:
        return [Check("Master key", ok=False, seen="cannot be used", fix=str(error))]
    lost = sealed.lost(settings, held)
    if not lost:
        return [Check("Master key", ok=True, seen=f"from {source}, opens every secret of workspace {workspace}")]
    key = "Put the key back that sealed it (SPENDPROOF_MASTER_KEY, keyring or key file); if it is lost:"
    return [
        Check(f"Secret of {one.kind} {one.name}", ok=False, seen=f"the key from {source} does not open it", fix=fix)
        for one in lost
        for fix in [f"{key} {one.again}."]
    ]


def _lake(settings: Settings, workspace: str, now: datetime) -> list[Check]:
    address = lake_address(settings, workspace)
    if settings.catalog is None and not address.catalog.exists():
        return [Check(f"Workspace {workspace}", ok=True, seen="empty; load a bill with spendproof import FILE...")]
    try:
        with Lake(address) as lake:
            loads = lake.records("SELECT Connection, max(LoadedAt) AS At FROM loads GROUP BY 1 ORDER BY 1")
            snapshot = lake.snapshot()
    except LedgerError as error:
        return [Check(f"Workspace {workspace}", ok=False, seen="cannot be opened", fix=str(error))]
    found = [Check(f"Workspace {workspace}", ok=True, seen=f"{len(loads)} sources, snapshot {snapshot}")]
    for load in loads:
        age = now - load["At"]
        seen = f"last loaded {load['At']:%Y-%m-%d %H:%M} UTC"
        fix = f"It is {age.days} days old; import the newest export, or remove the source."
        # A file says nothing about how often it is renewed, so age alone is no fault of it.
        found.append(
            Check(f"Source {load['Connection']}", load["Connection"].startswith("file:") or age < _OLD, seen, fix)
        )
    return found
