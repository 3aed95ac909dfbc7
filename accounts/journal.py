"""Changes of a workspace as a whole, which need a folder's new name and a commit of the database: two steps, not one.

    workspaces/.changing/lock           held by the one process that changes a workspace
    workspaces/.changing/journal.json   written first and removed last; whoever finds it finishes what it says
    workspaces/.changing/ID/            what is to come (`workspace`, `accounts.json`) or to go (`workspace`)

Each step may be repeated, so a process that dies anywhere leaves the workspace as it was before, or as it is once the
journal is finished, which `accounts.home.settle` sees to before anybody looks.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal
from uuid import uuid4

from accounts import rows
from accounts.database import opened
from accounts.errors import WorkspaceError
from accounts.home import CHANGING, JOURNAL, Settings, lake_place, place_of
from ledger.catalogs import drop_schema, rename_schema
from ledger.lock import file_lock

#: In the folder of a change: the workspace's folder, and its rows in the database of accounts.
FOLDER: Final = "workspace"
ROWS: Final = "accounts.json"


@dataclass(frozen=True, slots=True)
class Change:
    """What is being done.

    Attributes:
        action: `move`, `restore` or `delete`.
        workspace: to which workspace.
        to: its new name; empty except for a move.
        id: of the folder below `.changing`; empty for a move.
    """

    action: Literal["move", "restore", "delete"]
    workspace: str
    to: str = ""
    id: str = ""


@contextmanager
def changing(settings: Settings) -> Generator[Path]:
    """Be the only process that changes a workspace as a whole; gives a folder of its own, which is gone afterwards.

    What a process that died left behind is finished or removed first.

    Raises:
        WriterBusyError: another change takes too long.
    """
    place = _place(settings)
    place.mkdir(parents=True, exist_ok=True)
    with file_lock(place / "lock"):
        _finish(settings)
        for left in place.iterdir():
            if left.is_dir():
                _erase(left)
        own = place / uuid4().hex
        own.mkdir(mode=0o700)
        try:
            yield own
        finally:
            # Of a change that began, `commit` or whoever comes next takes the folder away.
            if not (place / JOURNAL).exists():
                _erase(own)


def commit(settings: Settings, change: Change) -> None:
    """Do a change; once this has written its journal it happens, whatever becomes of this process.

    The caller is within `changing` and holds the locks of the workspace.
    """
    journal = _place(settings) / JOURNAL
    partial = journal.with_suffix(".partial")
    with partial.open("w") as file:
        json.dump(asdict(change), file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(journal)
    _finish(settings)


def finish(settings: Settings) -> None:
    """Finish the change whose journal is there, once the process that does it has ended or died.

    Raises:
        WriterBusyError: it takes too long.
        WorkspaceError: the journal is none of this version's.
    """
    with file_lock(_place(settings) / "lock"):
        _finish(settings)


def _finish(settings: Settings) -> None:
    journal = _place(settings) / JOURNAL
    try:
        change = Change(**json.loads(journal.read_text()))
        steps = _STEPS[change.action]
    except FileNotFoundError:
        return
    except (KeyError, TypeError, ValueError) as error:
        raise WorkspaceError(
            f"{journal} does not say what this version could finish. Run the version of SpendProof that wrote it once."
        ) from error
    steps(settings, change)
    journal.unlink()
    if change.id:
        _erase(_place(settings) / change.id)


def _move(settings: Settings, change: Change) -> None:
    _rename(place_of(settings, change.workspace), place_of(settings, change.to))
    if settings.catalog is not None:
        rename_schema(lake_place(settings, change.workspace), lake_place(settings, change.to).schema)
    with opened(settings).begin() as session:
        rows.rename(session.connection(), change.workspace, change.to)


def _restore(settings: Settings, change: Change) -> None:
    own = _place(settings) / change.id
    _rename(own / FOLDER, place_of(settings, change.workspace))
    kept = json.loads((own / ROWS).read_text())
    with opened(settings).begin() as session:
        rows.keep(session.connection(), change.workspace, kept)


def _delete(settings: Settings, change: Change) -> None:
    with opened(settings).begin() as session:
        rows.remove(session.connection(), change.workspace)
    own = _place(settings) / change.id
    own.mkdir(exist_ok=True)
    _rename(place_of(settings, change.workspace), own / FOLDER)
    if settings.catalog is not None:
        drop_schema(lake_place(settings, change.workspace))
    _erase(own)


_STEPS: Final = {"move": _move, "restore": _restore, "delete": _delete}


def _erase(folder: Path) -> None:
    """Remove a folder of a change; what cannot be removed must not keep every other workspace shut."""
    shutil.rmtree(folder, ignore_errors=True)


def _rename(old: Path, new: Path) -> None:
    """Give a folder its new name, unless it has it already."""
    if old.exists() and not new.exists():
        old.rename(new)


def _place(settings: Settings) -> Path:
    return settings.home / "workspaces" / CHANGING
