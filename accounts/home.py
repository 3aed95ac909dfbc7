"""Where everything is kept: one folder for each workspace under `SPENDPROOF_HOME`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import platformdirs
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from ledger.errors import LedgerError
from ledger.lake import Address

DEFAULT_WORKSPACE: Final = "default"
#: The workspace that `spendproof demo` makes and throws away.
DEMO_WORKSPACE: Final = "demo"

#: Beside the workspaces: what is being restored or deleted, and the record that finishes it (see `accounts.journal`).
CHANGING: Final = ".changing"
JOURNAL: Final = "journal.json"

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class Settings(BaseSettings):
    """What an operator sets through the environment.

    Attributes:
        home: `SPENDPROOF_HOME`, the folder of all workspaces.
        catalog: `SPENDPROOF_CATALOG`, connection string of a PostgreSQL catalog; SQLite files in `home` without it.
        workspace: `SPENDPROOF_WORKSPACE`, the workspace where no other is named.
        database: `SPENDPROOF_DATABASE`, address of the PostgreSQL database of accounts; SQLite in `home` without it.
        smtp: `SPENDPROOF_SMTP`, the mail server: `smtps://user:password@host:465`, `smtp+starttls://...`, `smtp://...`.
        mail_from: `SPENDPROOF_MAIL_FROM`, the address that mails come from.
        public_url: `SPENDPROOF_PUBLIC_URL`, where people outside reach the app; links in mails begin with it.
        owner: `SPENDPROOF_OWNER`, who is told of reports that could not be delivered: an address as schedules have it.
        master_key: `SPENDPROOF_MASTER_KEY`, under which secrets are sealed (see `accounts.vault`).
    """

    model_config = SettingsConfigDict(env_prefix="SPENDPROOF_")

    home: Path = Path(platformdirs.user_data_dir("spendproof"))
    catalog: str | None = None
    workspace: str = DEFAULT_WORKSPACE
    database: str | None = None
    smtp: SecretStr | None = None
    mail_from: str = "spendproof@localhost"
    public_url: str | None = None
    owner: SecretStr | None = None
    master_key: SecretStr | None = None


def settle(settings: Settings) -> None:
    """Finish what a process that died while it moved, restored or deleted a workspace left half done.

    Whatever leads to a workspace asks this first, so that nobody sees the folder of one name with the rows of another.
    """
    if (settings.home / "workspaces" / CHANGING / JOURNAL).exists():
        from accounts import journal  # noqa: PLC0415 - hardly ever needed, and it needs this module

        journal.finish(settings)


def workspace_folder(settings: Settings, workspace: str) -> Path:
    """The folder of one workspace.

    Raises:
        LedgerError: the name is not one a folder may have.
    """
    settle(settings)
    return place_of(settings, workspace)


def place_of(settings: Settings, workspace: str) -> Path:
    """Where the folder of a workspace is, without asking whether a change is to be finished.

    Raises:
        LedgerError: the name is not one a folder may have.
    """
    if not _NAME.fullmatch(workspace):
        raise LedgerError(
            f"{workspace!r} cannot be the name of a workspace; use lower-case letters, digits and hyphens."
        )
    return settings.home / "workspaces" / workspace


def lake_address(settings: Settings, workspace: str) -> Address:
    """Where the lake of one workspace lives."""
    settle(settings)
    return lake_place(settings, workspace)


def lake_place(settings: Settings, workspace: str) -> Address:
    """`lake_address` without asking whether a change is to be finished."""
    folder = place_of(settings, workspace) / "lake"
    return Address(folder, settings.catalog, f"spendproof_{workspace.replace('-', '_')}")


def workspaces(settings: Settings) -> list[str]:
    """The workspaces that have a folder, in order of name."""
    settle(settings)
    folder = settings.home / "workspaces"
    if not folder.is_dir():
        return []
    return sorted(f.name for f in folder.iterdir() if f.is_dir() and _NAME.fullmatch(f.name))
