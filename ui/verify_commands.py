"""The commands that check a proof, make its files, and keep its issuer: `verify`, `reproduce`, `render`, `issuer`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ui.session import Json, Workspace, names, sentences, settings

issuer = typer.Typer(
    help="Who signs this workspace's proofs, and what no longer stands.\n\nExample: spendproof issuer show",
    no_args_is_help=True,
    rich_markup_mode=None,
)

ProofFile = Annotated[Path, typer.Argument(help="A proof: JSON, HTML, PDF, bundle (ZIP), XLSX or CSV.")]


def verify(
    file: ProofFile,
    list_: Annotated[Path | None, typer.Option("--list", help="The issuer's list of revocations, as a file.")] = None,
    online: Annotated[bool, typer.Option("--online", help="Read the list where the proof says that it is.")] = False,
    issuer_: Annotated[str | None, typer.Option("--issuer", help="Thumbprint that the issuer told you.")] = None,
    signature: Annotated[Path | None, typer.Option(help="Signature of an XLSX or CSV file.")] = None,
    tsa_roots: Annotated[Path | None, typer.Option(help="Trusted time-stamping authorities (PEM).")] = None,
    json: Json = False,
) -> None:
    """Whether a proof says what was signed; a changed figure or word is named. Exit status 0 or 1.

    Example: spendproof verify proof.pdf --issuer WitAISHLWH_expE-q7sgrZ1YQHZnNLNry5eP7C8Lxi4
    """
    from ui import proof_checks as out  # noqa: PLC0415

    with sentences():
        asked = out.Asked(list_, issuer_, signature, tsa_roots, online=online)
        valid = out.print_verification(settings(), file, asked, as_json=json)
    if not valid:
        raise typer.Exit(1)


def reproduce(
    file: ProofFile,
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """Measure a proof again, from its own days, its bundle or the ledger it cites, and compare every figure.

    Example: spendproof reproduce proof.json
    """
    from ui import proof_checks as out  # noqa: PLC0415

    with sentences():
        same = out.print_reproduction(settings(), file, workspace, as_json=json)
    if not same:
        raise typer.Exit(1)


def render(
    proof: Annotated[str, typer.Argument(help="Id of a proof; see spendproof proofs list.")],
    format_: Annotated[
        str, typer.Option("--format", help="json, html, pdf, xlsx, csv, bundle; comma-separated.")
    ] = "json,html,pdf",
    out_folder: Annotated[Path, typer.Option("--out", help="Folder to write to.")] = Path(),
    rows: Annotated[bool, typer.Option("--rows", help="Put the cited rows of the ledger into the bundle.")] = False,
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """Write a signed proof as files; workbook and table get a signature beside them.

    Example: spendproof render 3f9a --format pdf,bundle --out proofs/
    """
    from ui import proof_checks as out  # noqa: PLC0415

    with sentences():
        out.print_rendered(settings(), proof, names(format_), out_folder, workspace, rows=rows, as_json=json)


@issuer.command("show")
def issuer_show(workspace: Workspace = None, json: Json = False) -> None:
    """The thumbprint to tell customers, and the verifying keys with their dates.

    Example: spendproof issuer show --json
    """
    from ui import proof_checks as out  # noqa: PLC0415

    with sentences():
        out.print_issuer(settings(), workspace, as_json=json)


@issuer.command("rotate")
def issuer_rotate(workspace: Workspace = None, json: Json = False) -> None:
    """Let a fresh key sign from now on; what the old one signed stays valid, and the thumbprint stays the same.

    Example: spendproof issuer rotate
    """
    from ui import proof_checks as out  # noqa: PLC0415

    with sentences():
        out.rotate(settings(), workspace, as_json=json)


@issuer.command("renew")
def issuer_renew(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for the workspace's name.")] = False,
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """Begin with a new key and a new thumbprint, because the master key that sealed the old one is lost.

    Example: spendproof issuer renew
    """
    from ui import proof_checks as out  # noqa: PLC0415

    found = settings()
    name = workspace or found.workspace
    question = f"Its old thumbprint and its list of revocations end for ever. Type {name} to go on"
    typed = name if yes else typer.prompt(question, err=True)
    with sentences():
        out.renew(found, name, typed, as_json=json)


@issuer.command("revoke")
def issuer_revoke(
    proof: Annotated[str, typer.Argument(help="Id of a proof; see spendproof proofs list.")],
    reason: Annotated[str, typer.Option(help="Why, for everybody to read.")],
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """Revoke a proof for good: the published list and every link to it say so.

    Example: spendproof issuer revoke 3f9a --reason "The driver counted test traffic."
    """
    from ui import proof_checks as out  # noqa: PLC0415

    with sentences():
        out.revoke(settings(), proof, reason, workspace, as_json=json)


@issuer.command("revocations")
def issuer_revocations(
    out_file: Annotated[Path, typer.Option("--out", help="File to write the signed list to.")],
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """The signed list of what was superseded or revoked, for `verify --list` or a web server.

    Example: spendproof issuer revocations --out revocations.json
    """
    from ui import proof_checks as out  # noqa: PLC0415

    with sentences():
        out.print_revocations(settings(), out_file, workspace, as_json=json)


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(verify)
    app.command()(reproduce)
    app.command()(render)
    app.add_typer(issuer, name="issuer")
