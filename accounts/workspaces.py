"""Workspaces as a whole: which there are, giving one another name, and deleting one.

Backing up and restoring are in `accounts.backup` and `accounts.restoring`.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from accounts import home, rows
from accounts.database import sessions
from accounts.errors import VaultError, WorkspaceError
from accounts.journal import Change, changing, commit
from accounts.locks import no_syncs
from accounts.vault import open_vault
from ledger.lake import writer_lock

if TYPE_CHECKING:
    from accounts.home import Settings


@dataclass(frozen=True, slots=True)
class Known:
    """A workspace that exists.

    Attributes:
        name: of it.
        folder: where its lake and its fetched pages are, made or not.
        size: of the files there, bytes.
        accounts: its rows in the database of accounts, by table; tables without any are left out.
    """

    name: str
    folder: Path
    size: int
    accounts: Mapping[str, int]


def listed(settings: Settings) -> list[Known]:
    """Every workspace that has a folder or rows in the database of accounts, by name."""
    with sessions(settings)() as session:
        counts = rows.counts(session.connection())
    names = sorted({*home.workspaces(settings), *counts})
    return [_known(settings, name, counts.get(name, {})) for name in names]


def files(folder: Path) -> list[Path]:
    """The files in a workspace's folder, those in folders behind links too; one that goes meanwhile is left out."""
    found = (Path(place) / name for place, _, names in os.walk(folder, followlinks=True) for name in names)
    return sorted(path for path in found if path.is_file())


def named(settings: Settings, workspace: str) -> Known:
    """The workspace called so.

    Raises:
        WorkspaceError: there is none; the sentence lists those there are.
    """
    known = listed(settings)
    for one in known:
        if one.name == workspace:
            return one
    names = ", ".join(one.name for one in known)
    there = f"there are: {names}" if names else f"there is none yet in {settings.home}"
    raise WorkspaceError(f"There is no workspace {workspace!r}; {there}.")


def move(settings: Settings, workspace: str, to: str) -> Known:
    """Give a workspace another name. Killed anywhere, it has the one or the other.

    Raises:
        WorkspaceError: there is no such workspace, or one of the new name.
        LedgerError: the new name is not one a folder may have.
        ConnectionsError: a sync of it is running.
        WriterBusyError: a load into it is running.
    """
    named(settings, workspace)
    home.workspace_folder(settings, to)
    with changing(settings):
        named(settings, workspace)
        if to in {one.name for one in listed(settings)}:
            raise WorkspaceError(f"There is a workspace {to} already; choose another name, or delete that one first.")
        with _alone(settings, workspace):
            free_of_name(settings, workspace)
            commit(settings, Change("move", workspace, to=to))
    return named(settings, to)


def delete(settings: Settings, workspace: str) -> Known:
    """Delete a workspace: lake, fetched pages, secrets, links, schedules. Killed anywhere, it is there or gone.

    Returns:
        What it was.

    Raises:
        WorkspaceError: there is no such workspace, a part of it lies elsewhere behind a link, or files of it could
            not be removed.
        ConnectionsError: a sync of it is running.
        WriterBusyError: a load into it is running.
    """
    with changing(settings) as own:
        was = named(settings, workspace)
        _refuse_links(was)
        with _alone(settings, workspace):
            commit(settings, Change("delete", workspace, id=own.name))
        if own.exists():
            raise WorkspaceError(
                f"Workspace {workspace} is deleted, but some of its files could not be removed: {own}. Check its "
                "permissions, and remove the folder."
            )
    return was


def free_of_name(settings: Settings, workspace: str) -> None:
    """Bind signing keys that an earlier version bound to the workspace's name to themselves, if the key opens them."""
    with sessions(settings).begin() as session, suppress(VaultError):
        if rows.held(session.connection(), workspace, ["signing_keys"])["signing_keys"]:
            rows.seal_anew(session.connection(), workspace, open_vault(settings))


@contextmanager
def _alone(settings: Settings, workspace: str) -> Generator[None]:
    """Let nobody load into a workspace or sync it; who does now is not waited for."""
    address = home.lake_address(settings, workspace)
    address.home.mkdir(parents=True, exist_ok=True)
    with no_syncs(settings, workspace), writer_lock(address, patience=0):
        yield


def _known(settings: Settings, name: str, accounts: Mapping[str, int]) -> Known:
    folder = home.place_of(settings, name)
    return Known(name, folder, sum(path.stat().st_size for path in files(folder)), accounts)


def _refuse_links(known: Known) -> None:
    """Refuse where a folder lies elsewhere: what a link leads to may be more than this workspace."""
    folders = (Path(place) / name for place, inside, _ in os.walk(known.folder) for name in inside)
    for path in (known.folder, *folders):
        if path.is_symlink():
            raise WorkspaceError(
                f"{path} is a link to {path.resolve()}, which is not deleted through it. Delete what is there "
                "yourself, put an empty folder in the link's place, and run the command again."
            )
