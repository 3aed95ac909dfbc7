"""What every command shares: the workspace it is about, and errors as sentences."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from accounts.home import Settings
    from ledger.lake import Lake

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Workspace = Annotated[str | None, typer.Option("--workspace", help="Workspace; by default SPENDPROOF_WORKSPACE.")]


def settings() -> Settings:
    """What the environment says."""
    from accounts.home import Settings  # noqa: PLC0415

    return Settings()


@contextmanager
def open_lake(workspace: str | None) -> Generator[Lake]:
    """The lake of a workspace for one command; whatever goes wrong in it ends as a sentence."""
    from accounts.home import lake_address  # noqa: PLC0415
    from ledger.lake import Lake  # noqa: PLC0415

    with sentences():
        found = settings()
        with Lake(lake_address(found, workspace or found.workspace)) as lake:
            yield lake


@contextmanager
def sentences() -> Generator[None]:
    """Turn everything that can go wrong into one sentence on standard error and exit status 1."""
    from connectors.errors import ConnectorError  # noqa: PLC0415
    from ledger.errors import LedgerError  # noqa: PLC0415
    from ui import console  # noqa: PLC0415

    try:
        yield
    except (ConnectorError, LedgerError, ValueError) as error:
        console.fail(" ".join(str(error).split()))
        raise typer.Exit(1) from error
    except PermissionError as error:
        console.fail(f"{error.filename} may not be read or written; check its permissions.")
        raise typer.Exit(1) from error
    except BrokenPipeError:
        raise
    except OSError as error:
        console.fail(f"{error.filename or 'The disk'}: {error.strerror}.")
        raise typer.Exit(1) from error
    except Exception as error:
        if os.environ.get("SPENDPROOF_DEBUG") or isinstance(error, typer.Exit):
            raise
        reason = " ".join(str(error).split()) or type(error).__name__
        console.fail(
            f"Unexpected: {reason[:300]}. Set SPENDPROOF_DEBUG=1 to see where, and report it with the command."
        )
        raise typer.Exit(1) from error


def names(by: str) -> list[str]:
    """The names of a comma-separated option."""
    return [name for part in by.split(",") if (name := part.strip())]


def days(since: datetime | None, until: datetime | None) -> tuple[date | None, date | None]:
    """Half-open bounds of the days from `since` to `until`, both included."""
    return since and since.date(), until and until.date() + timedelta(days=1)
