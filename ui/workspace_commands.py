"""`spendproof workspace`: list, back up, restore, rename and delete workspaces as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ui.session import Json, sentences, settings

workspace = typer.Typer(
    help=(
        "Workspaces as a whole: list, back up, restore, rename, delete.\n\n"
        "Example: spendproof workspace backup default --to default.zip"
    ),
    no_args_is_help=True,
    rich_markup_mode=None,
)

Name = Annotated[str, typer.Argument(help="The workspace; see spendproof workspace list.")]


@workspace.command("list")
def workspace_list(json: Json = False) -> None:
    """Every workspace: its size on disk, and what belongs to it besides its ledger.

    Example: spendproof workspace list --json
    """
    from ui import workspaces as out  # noqa: PLC0415

    with sentences():
        out.print_list(settings(), as_json=json)


@workspace.command("backup")
def workspace_backup(
    name: Name,
    to: Annotated[Path, typer.Option("--to", help="Zip to write; it is not there yet.")],
    json: Json = False,
) -> None:
    """Write a workspace into one file: ledger, fetched pages, connections, proofs, links. Secrets stay sealed.

    Example: spendproof workspace backup default --to ~/default-2026-11-21.zip
    """
    from ui import workspaces as out  # noqa: PLC0415

    with sentences():
        out.back_up(settings(), name, to, as_json=json)


@workspace.command("restore")
def workspace_restore(
    file: Annotated[Path, typer.Argument(help="What spendproof workspace backup wrote.")],
    as_: Annotated[str | None, typer.Option("--as", help="Name of the workspace; by default the one it had.")] = None,
    ledger_only: Annotated[
        bool, typer.Option("--ledger-only", help="Leave out connections, proofs, links: a copy beside its original.")
    ] = False,
    json: Json = False,
) -> None:
    """Check a backup and make the workspace that it holds; one that exists is never overwritten.

    Example: spendproof workspace restore ~/default-2026-11-21.zip --as checked
    """
    from ui import workspaces as out  # noqa: PLC0415

    with sentences():
        out.bring_back(settings(), file, as_, ledger_only=ledger_only, as_json=json)


@workspace.command("move")
def workspace_move(
    name: Name, to: Annotated[str, typer.Option("--to", help="Its new name.")], json: Json = False
) -> None:
    """Give a workspace another name; links, schedules and keys go with it.

    Example: spendproof workspace move default --to acme
    """
    from ui import workspaces as out  # noqa: PLC0415

    with sentences():
        out.move(settings(), name, to, as_json=json)


@workspace.command("delete")
def workspace_delete(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for the name once more.")] = False,
    json: Json = False,
) -> None:
    """Delete a workspace for ever: ledger, fetched pages, secrets, signing keys, links and schedules.

    Example: spendproof workspace delete demo --yes
    """
    from ui import workspaces as out  # noqa: PLC0415

    with sentences():
        found = settings()
        out.describe(found, name, as_json=json)
    typed = name if yes else typer.prompt(f"Type {name} to delete it", err=True)
    with sentences():
        out.delete(found, name, typed, as_json=json)


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.add_typer(workspace, name="workspace")
