"""A workspace as one file: a zip of everything that is kept of it, with a manifest of what that is.

    manifest.json     what is in it, with the SHA-256 of every other member, its counts and its billed totals
    accounts.json     its rows in the database of accounts; secrets in them stay sealed
    workspace/...     its folder: the lake's Parquet files and catalog, fetched pages, the password's hash

The master key is not in it. The digests find what was damaged; they do not prove who made the file.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
import zipfile
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from decimal import Decimal
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import IO, Any, Final

from accounts import rows, sealed
from accounts.database import sessions
from accounts.errors import WorkspaceError
from accounts.home import Settings, lake_address
from accounts.journal import FOLDER, ROWS
from accounts.locks import no_syncs
from accounts.workspaces import files, free_of_name, named
from ledger.catalogs import sqlite_copy
from ledger.contents import Contents, contents
from ledger.lake import Lake, writer_lock
from ledger.lock import PATIENCE
from ledger.tables import SCHEMA_VERSION

FORMAT: Final = "spendproof-workspace"
VERSION: Final = 1
MANIFEST: Final = "manifest.json"
CATALOG: Final = f"{FOLDER}/lake/catalog.sqlite"

_CHUNK: Final = 1 << 20
#: Packed already, so that packing them again costs time and gains nothing.
_PACKED: Final = {".parquet", ".gz", ".zip"}


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds.

    Attributes:
        workspace: its name when the backup was made.
        made_at: when, ISO 8601.
        product: version of SpendProof that made it.
        database: the migration that the rows of accounts stand at.
        ledger: what stored rows of the ledger mean (`ledger.tables.SCHEMA_VERSION`).
        snapshot: the lake's newest.
        rows: rows of the ledger by table.
        billed: BilledCost of all charges by currency, as decimal text.
        accounts: rows of accounts by table.
        members: bytes and SHA-256 (hex) by name within the file.
    """

    workspace: str
    made_at: str
    product: str
    database: str
    ledger: int
    snapshot: int
    rows: Mapping[str, int]
    billed: Mapping[str, str]
    accounts: Mapping[str, int]
    members: Mapping[str, tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was made: the file, its size in bytes, what it holds, and how many of its secrets are sealed."""

    file: Path
    size: int
    manifest: Manifest
    secrets: int


def backup(
    settings: Settings,
    workspace: str,
    file: Path,
    now: datetime,
    *,
    patience: float = PATIENCE,
    say: Callable[[str], None] = lambda _: None,
) -> Backup:
    """Write a workspace into a file that only its owner may read; whole, or not at all.

    Nobody writes to the lake and no connection is synced meanwhile; pages of a sync that was interrupted are left out.

    Args:
        settings: where everything is.
        workspace: which one.
        file: the zip to write.
        now: the moment it is made at.
        patience: seconds to wait for a load or a sync that runs.
        say: takes sentences of progress.

    Raises:
        WorkspaceError: there is no such workspace, the file exists or cannot be there, or the catalog is in PostgreSQL.
        ConnectionsError: a sync does not end.
        WriterBusyError: a load does not end.
    """
    folder = named(settings, workspace).folder
    _refuse(settings, file, folder)
    address = lake_address(settings, workspace)
    # Opened before the lock is taken: a lake of an older version takes it itself to add what is new.
    with no_syncs(settings, workspace, patience, say), Lake(address) as lake, writer_lock(address, patience):
        counted = contents(lake)
        lake.close()
        free_of_name(settings, workspace)
        with sessions(settings)() as session:
            held = rows.held(session.connection(), workspace)
            about = _about(workspace, now, rows.revision(session.connection()), counted, held)
        with _only_whole(file) as out:
            manifest = _write(out, about, rows.packed(held), folder, sqlite_copy(address))
    secrets = sum(row["sealed"] is not None for table in sealed.TABLES for row in held.get(table, ()))
    return Backup(file, file.stat().st_size, manifest, secrets)


@contextmanager
def _only_whole(file: Path) -> Generator[IO[bytes]]:
    """Write a file that only its owner may read and that is there when it is whole."""
    partial = file.with_name(f".{file.name}.partial")
    partial.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)


def _refuse(settings: Settings, file: Path, folder: Path) -> None:
    if settings.catalog is not None:
        raise WorkspaceError(
            "The catalog of this workspace is in PostgreSQL, which has its own way to be copied whole: stop loads and "
            f"syncs, run pg_dump for the schema spendproof_{folder.name.replace('-', '_')} (and, with "
            f"SPENDPROOF_DATABASE, for that database), and copy the folder {folder} beside it."
        )
    if file.exists():
        raise WorkspaceError(f"{file} exists already and is not overwritten; name another file, or remove it first.")
    if not file.parent.is_dir():
        raise WorkspaceError(f"There is no folder {file.parent}; make it, or name another file.")
    if file.resolve().is_relative_to((settings.home / "workspaces").resolve()):
        raise WorkspaceError(f"{file} lies among the workspaces themselves; write the backup to another place.")


def _about(workspace: str, now: datetime, database: str, counted: Contents, held: rows.Rows) -> Manifest:
    return Manifest(
        workspace=workspace,
        made_at=now.isoformat(timespec="seconds"),
        product=version("spendproof"),
        database=database,
        ledger=SCHEMA_VERSION,
        snapshot=counted.snapshot,
        rows=counted.rows,
        billed=texts(counted.billed),
        accounts={name: len(found) for name, found in held.items()},
        members={},
    )


def texts(billed: Mapping[str, Decimal]) -> dict[str, str]:
    """Sums by currency as a manifest has them."""
    return {currency: f"{amount:f}" for currency, amount in billed.items()}


def _write(out: IO[bytes], about: Manifest, held: rows.Rows, folder: Path, catalog: bytes) -> Manifest:
    members = dict[str, tuple[int, str]]()
    moment = time.gmtime(datetime.fromisoformat(about.made_at).timestamp())[:6]
    with zipfile.ZipFile(out, "w", allowZip64=True) as archive:
        for name, path in _files(folder):
            with path.open("rb") as source:
                members[name] = _add(archive, name, source, path.stat().st_mode, time.gmtime(path.stat().st_mtime)[:6])
        members[CATALOG] = _add(archive, CATALOG, BytesIO(catalog), 0o644, moment)
        accounts = json.dumps(held, ensure_ascii=False).encode()
        members[ROWS] = _add(archive, ROWS, BytesIO(accounts), 0o600, moment)
        record = {"format": FORMAT, "version": VERSION, **asdict(about), "members": members}
        _add(archive, MANIFEST, BytesIO(json.dumps(record, indent=1, ensure_ascii=False).encode()), 0o600, moment)
    return replace(about, members=members)


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Members and files of a workspace's folder, without what is on its way, what is locked, and the catalog."""
    for path in files(folder):
        inside = path.relative_to(folder)
        passing = inside.parts[:2] == ("lake", "staging") or ".landing" in inside.parts
        catalog = inside.parts[0] == "lake" and path.name.startswith("catalog.sqlite")
        if not (passing or catalog or path.suffix in {".lock", ".partial"}):
            yield f"{FOLDER}/{inside.as_posix()}", path


def _add(archive: zipfile.ZipFile, name: str, source: IO[bytes], mode: int, moment: tuple[Any, ...]) -> tuple[int, str]:
    """Write one member; its bytes and digest."""
    # A zip's clock begins in 1980.
    info = zipfile.ZipInfo(name, max(moment, (1980, 1, 1, 0, 0, 0)))
    info.external_attr = (mode & 0o777) << 16
    info.compress_type = zipfile.ZIP_STORED if Path(name).suffix in _PACKED else zipfile.ZIP_DEFLATED
    digest, size = hashlib.sha256(), 0
    with archive.open(info, "w", force_zip64=True) as member:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            member.write(chunk)
    return size, digest.hexdigest()
