"""Folders for loads on their way: the lock on a folder's owner file tells the living from the dead."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from ledger.lake import Lake


@contextmanager
def staging_folder(lake: Lake, load_id: str) -> Generator[Path]:
    """A folder for one load, gone afterwards; the lock on its `.owner` file tells the living from the dead."""
    sweep_staging(lake.address.staging)
    folder = lake.address.staging / load_id
    owner = folder.with_suffix(".owner")
    descriptor = _own(owner)
    try:
        folder.mkdir()
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        owner.unlink(missing_ok=True)
        os.close(descriptor)


def _own(owner: Path) -> int:
    """Create and lock an owner file; again where a sweep took it away between the two."""
    while True:
        descriptor = os.open(owner, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if owner.exists() and owner.stat().st_ino == os.fstat(descriptor).st_ino:
            return descriptor
        os.close(descriptor)


def sweep_staging(staging: Path) -> list[Path]:
    """Remove the staging folders of processes that died: those without an owner file, or with one that is free."""
    gone = list[Path]()
    for owner in staging.glob("*.owner"):
        if _is_free(owner):
            shutil.rmtree(owner.with_suffix(""), ignore_errors=True)
            owner.unlink(missing_ok=True)
            gone.append(owner.with_suffix(""))
    for folder in staging.iterdir():
        dead = not _lives(folder) if folder.name.startswith("spill-") else not folder.with_suffix(".owner").exists()
        if folder.is_dir() and dead:
            shutil.rmtree(folder, ignore_errors=True)
            gone.append(folder)
    return gone


def _is_free(owner: Path) -> bool:
    try:
        descriptor = os.open(owner, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def _lives(spill: Path) -> bool:
    try:
        os.kill(int(spill.name.removeprefix("spill-")), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        # The process is another user's, so it lives.
        return True
    return True
