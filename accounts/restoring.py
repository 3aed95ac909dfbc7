"""A workspace out of its backup: everything is checked in a folder of its own before anything is seen of it."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, Final, TypeGuard

from accounts import rows, sealed
from accounts.backup import CATALOG, FORMAT, MANIFEST, VERSION, Manifest, texts
from accounts.database import opened
from accounts.errors import WorkspaceError
from accounts.home import Settings, place_of
from accounts.journal import FOLDER, ROWS, Change, changing, commit
from accounts.sealed import Lost
from ledger.catalogs import leads_out
from ledger.contents import Contents, contents
from ledger.lake import Address, Lake, write_ahead
from ledger.tables import SCHEMA_VERSION

_CHUNK: Final = 1 << 20
_MOST_MANIFEST: Final = 256 << 20


@dataclass(frozen=True, slots=True)
class Restored:
    """A workspace that was restored.

    Attributes:
        workspace: its name now.
        manifest: what the backup said of itself.
        counted: what the restored lake holds; its rows and sums are the manifest's.
        accounts: rows of accounts by table.
        lost: secrets that the master key at hand does not open.
    """

    workspace: str
    manifest: Manifest
    counted: Contents
    accounts: Mapping[str, int]
    lost: tuple[Lost, ...]


def restore(
    settings: Settings,
    file: Path,
    name: str | None = None,
    *,
    ledger_only: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> Restored:
    """Restore a backup as a workspace that does not exist yet.

    Args:
        settings: where everything is.
        file: what `accounts.backup` wrote.
        name: of the workspace; by default the one that it had.
        ledger_only: leave out what belongs to people and connections, for a copy beside its original.
        say: takes sentences of progress.

    Raises:
        WorkspaceError: the file is damaged, of another version or no backup, the workspace exists, or what was
            restored is not what the manifest says. Nothing was changed then.
    """
    if settings.catalog is not None:
        raise WorkspaceError(
            "This installation keeps its catalogs in PostgreSQL, and the backup's is a SQLite file. Restore it where "
            "SPENDPROOF_CATALOG is not set."
        )
    if not file.is_file():
        raise WorkspaceError(f"There is no file {file}.")
    try:
        with zipfile.ZipFile(file) as archive, changing(settings) as own:
            manifest = _manifest(archive, file)
            workspace = name or manifest.workspace
            _refuse_existing(settings, workspace)
            _room(settings, manifest, file)
            say(f"Checking and unpacking {len(manifest.members):,} files")
            _unpack(archive, manifest, own, file)
            return _restored(settings, own, manifest, workspace, ledger_only=ledger_only)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise WorkspaceError(
            f"{file} is not a whole backup: it was cut off, changed, or is another kind of file. Nothing was restored; "
            "copy it again from where it was made."
        ) from error


def _restored(settings: Settings, own: Path, manifest: Manifest, workspace: str, *, ledger_only: bool) -> Restored:
    counted = _counted(own / FOLDER / "lake", manifest)
    held = {} if ledger_only else rows.carried(_rows(own / ROWS, manifest), manifest.workspace, manifest.database)
    (own / ROWS).write_text(json.dumps(held))
    with opened(settings)() as session:
        # Tried and taken back, so that what does not fit is known before anything happens.
        rows.keep(session.connection(), workspace, held)
        unpacked = rows.held(session.connection(), workspace)
        session.rollback()
    commit(settings, Change("restore", workspace, id=own.name))
    kept = {table: len(found) for table, found in unpacked.items() if found}
    return Restored(workspace, manifest, counted, kept, tuple(sealed.lost(settings, unpacked)))


def _manifest(archive: zipfile.ZipFile, file: Path) -> Manifest:
    record = _record(archive, file)
    if record.pop("format") != FORMAT:
        raise WorkspaceError(f"{file} is no backup of a workspace.")
    if record.pop("version") != VERSION or record["ledger"] > SCHEMA_VERSION:
        raise WorkspaceError(
            f"{file} was made by a newer version of SpendProof ({record.get('product')}), whose backups this one does "
            "not read. Update SpendProof, then restore it."
        )
    try:
        found = Manifest(**record)
        members = {name: (int(size), str(digest)) for name, (size, digest) in found.members.items()}
    except (TypeError, ValueError, AttributeError) as error:
        raise WorkspaceError(f"The manifest of {file} is not as it was written; the file was changed.") from error
    names = [name for name in archive.namelist() if name != MANIFEST]
    wrong = sorted({*(set(names) ^ members.keys()), *(name for name in names if not _is_safe(name))})
    if wrong or len(names) != len(members) or not {ROWS, CATALOG} <= members.keys():
        which = f" ({wrong[0]!r})" if wrong else ""
        raise WorkspaceError(f"{file} does not hold exactly the files that its manifest names{which}; it was changed.")
    return replace(found, members=members)


def _record(archive: zipfile.ZipFile, file: Path) -> dict[str, Any]:
    if MANIFEST in archive.namelist() and archive.getinfo(MANIFEST).file_size <= _MOST_MANIFEST:
        try:
            record = json.loads(archive.read(MANIFEST))
        except (ValueError, zipfile.BadZipFile, zlib.error) as error:
            raise WorkspaceError(f"The manifest of {file} cannot be read; the file was changed.") from error
        if _is_record(record) and {"format", "version"} <= record.keys() and isinstance(record.get("ledger"), int):
            return record
    raise WorkspaceError(f"{file} is no backup of a workspace: it has no {MANIFEST} that says so.")


def _is_record(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _is_safe(name: str) -> bool:
    """Whether a member's name leads to a place inside the folder that it is unpacked into."""
    path = PurePosixPath(name)
    inside = name == ROWS or (path.parts[0] == FOLDER and len(path.parts) > 1)
    return inside and str(path) == name and not {"..", "."} & set(path.parts) and not set(name) & set("\\\0:")


def _refuse_existing(settings: Settings, workspace: str) -> None:
    with opened(settings)() as session:
        known = workspace in rows.counts(session.connection())
    if known or place_of(settings, workspace).exists():
        raise WorkspaceError(
            f"There is a workspace {workspace} already, which is not overwritten. Restore under another name "
            "(--as NAME), or delete it first: spendproof workspace delete."
        )


def _room(settings: Settings, manifest: Manifest, file: Path) -> None:
    needed = sum(size for size, _ in manifest.members.values())
    free = shutil.disk_usage(settings.home).free
    if needed > free:
        raise WorkspaceError(
            f"{file} needs {needed / 1e9:.1f} GB, and the disk of {settings.home} has {free / 1e9:.1f} GB free."
        )


def _unpack(archive: zipfile.ZipFile, manifest: Manifest, own: Path, file: Path) -> None:
    for name, (size, digest) in manifest.members.items():
        info = archive.getinfo(name)
        place = own / name
        place.parent.mkdir(parents=True, exist_ok=True)
        found, left = hashlib.sha256(), size
        with archive.open(info) as source, place.open("xb") as out:
            # One byte more than the manifest allows, to see that there is none.
            while chunk := source.read(min(_CHUNK, left + 1)):
                found.update(chunk)
                left -= len(chunk)
                if left < 0:
                    break
                out.write(chunk)
        if left != 0 or found.hexdigest() != digest:
            raise WorkspaceError(
                f"{name} in {file} is not as it was written (its SHA-256 differs), so nothing was restored. Copy the "
                "backup again, or take an older one."
            )
        place.chmod((info.external_attr >> 16) & 0o777 or 0o600)


def _rows(file: Path, manifest: Manifest) -> rows.Rows:
    held: rows.Rows = json.loads(file.read_text())
    found = {name: len(table) for name, table in held.items()}
    if found != dict(manifest.accounts):
        raise WorkspaceError("The rows of accounts in the backup are not as many as its manifest says.")
    return held


def _counted(home: Path, manifest: Manifest) -> Contents:
    """What the unpacked lake holds, held against the manifest."""
    if (outside := leads_out(home / "catalog.sqlite")) is not None:
        raise WorkspaceError(f"The catalog in the backup leads out of its ledger ({outside}); it was changed.")
    write_ahead(home / "catalog.sqlite")
    with Lake(Address(home)) as lake:
        counted = contents(lake)
    billed = texts(counted.billed)
    if wrong := [t for t, n in manifest.rows.items() if counted.rows.get(t) != n]:
        table = wrong[0]
        raise WorkspaceError(
            f"The restored ledger has {counted.rows.get(table, 0):,} rows of {table}, its manifest says "
            f"{manifest.rows[table]:,}. Nothing was restored."
        )
    if billed != dict(manifest.billed):
        raise WorkspaceError(f"The restored ledger bills {billed}, its manifest says {dict(manifest.billed)}.")
    return counted
