"""`spendproof share`: links to a proof for people without an account."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from ui.session import Json, Workspace, sentences, settings

share = typer.Typer(
    help="Links to a proof for people without an account.\n\nExample: spendproof share create 3f9a --days 14",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@share.command("create")
def share_create(
    proof: Annotated[str, typer.Argument(help="Id of a proof; see spendproof proofs list.")],
    days: Annotated[int, typer.Option(help="Days after which the link ends, at most 366.")] = 30,
    password: Annotated[bool, typer.Option("--password", help="Ask for a password that the link needs.")] = False,
    hide_names: Annotated[
        bool, typer.Option("--hide-names", help="Take out the names of the workspace and of people, too.")
    ] = False,
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """Make a link to a copy without account ids, signed as a document of its own; the link is shown this once.

    Example: spendproof share create 3f9a --days 14 --hide-names
    """
    from reports.proof.issue import IssuerSettings  # noqa: PLC0415
    from reports.shares import Shares  # noqa: PLC0415
    from ui.console import print_json, say, say_out  # noqa: PLC0415
    from ui.proof_checks import stored  # noqa: PLC0415

    with sentences():
        found = settings()
        name = workspace or found.workspace
        full = stored(found, name, proof)
        chosen = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True) if password else None
        made = Shares(found, name).create(full, datetime.now(UTC), days=days, password=chosen, names=hide_names)
        public = IssuerSettings().public_url
        url = f"{(public or 'http://127.0.0.1:8501').rstrip('/')}{made.path}"
        if json:
            print_json(
                {
                    "id": made.link.id,
                    "proof": made.link.proof,
                    "url": url,
                    "path": made.path,
                    "expires_at": made.link.expires_at,
                    "password": made.link.password is not None,
                    "hidden": made.link.hidden.split(", "),
                    "digest": made.link.digest,
                }
            )
            return
        say_out(url)
        if public is None:
            say("It opens where the app is served (spendproof serve); SPENDPROOF_PUBLIC_URL sets its outside address.")
        say(f"Link {made.link.id} ends on {made.link.expires_at[:10]}; hidden: {made.link.hidden}.")


@share.command("list")
def share_list(workspace: Workspace = None, json: Json = False) -> None:
    """The links there are, and how often each was opened; the links themselves are kept nowhere.

    Example: spendproof share list --json
    """
    from reports.shares import Shares, ended  # noqa: PLC0415
    from ui.console import print_json, print_table, say_out  # noqa: PLC0415

    with sentences():
        found = settings()
        shares, now = Shares(found, workspace or found.workspace), datetime.now(UTC)
        links = shares.links()
        views = shares.views(links)
        if json:
            print_json(
                [
                    {
                        "id": link.id,
                        "proof": link.proof,
                        "created_at": link.created_at,
                        "expires_at": link.expires_at,
                        "revoked_at": link.revoked_at,
                        "active": ended(link, now) is None,
                        "password": link.password is not None,
                        "hidden": link.hidden.split(", "),
                        "digest": link.digest,
                        "views": [
                            {"at": v.at, "network": v.network, "agent": v.agent, "answer": v.answer}
                            for v in views[link.id]
                        ],
                    }
                    for link in links
                ]
            )
            return
        if not links:
            say_out("No proof is shared. Share one: spendproof share create PROOF")
            return
        rows = [
            (
                link.id,
                link.proof,
                link.created_at[:10],
                ended(link, now) or f"until {link.expires_at[:10]}",
                sum(view.answer == "page" for view in views[link.id]),
                views[link.id][0].at if views[link.id] else None,
            )
            for link in links
        ]
        print_table(("link", "proof", "made", "state", "opened", "last asked for"), rows, right=(4,))


@share.command("revoke")
def share_revoke(
    link: Annotated[str, typer.Argument(help="Id of a link, or the beginning of it; see spendproof share list.")],
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """End a link at once.

    Example: spendproof share revoke 9c41
    """
    from reports.shares import Shares  # noqa: PLC0415
    from ui.console import print_json, say_out  # noqa: PLC0415

    with sentences():
        found = settings()
        ended = Shares(found, workspace or found.workspace).revoke(link, datetime.now(UTC))
        if json:
            print_json({"id": ended.id, "revoked_at": ended.revoked_at})
        else:
            say_out(f"Link {ended.id} shows nothing any more.")


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.add_typer(share, name="share")
