"""`spendproof connect`, `connections`, `sync` and `worker`: accounts at providers, followed live."""

from __future__ import annotations

from typing import Annotated

import typer

from ui.session import Json, Workspace, sentences, settings

connections = typer.Typer(
    help="The accounts that are followed, how they stand, and their secrets.\n\nExample: spendproof connections",
    invoke_without_command=True,
    rich_markup_mode=None,
)

Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="FIELD=VALUE; a secret only as env:NAME or file:PATH, never itself."),
]
Stdin = Annotated[bool, typer.Option("--stdin", help="Read FIELD=VALUE lines, secrets too, from standard input.")]
Name = Annotated[str, typer.Argument(help="The connection's name.")]
Untested = Annotated[bool, typer.Option("--untested", help="Keep it without testing, or although a test fails.")]


def connect(
    provider: Annotated[str, typer.Argument(help="aws, openai, anthropic, ...")] = "",
    name: Annotated[str, typer.Option(help="What to call it; by default like the provider.")] = "",
    set_: Set = None,
    stdin: Stdin = False,
    steps: Annotated[bool, typer.Option("--steps", help="Only show what to do; --set fills in.")] = False,
    limit: Annotated[str, typer.Option(help="Most that the paid calls of one sync may cost, US dollars.")] = "",
    every: Annotated[int, typer.Option(help="How often the worker syncs it, minutes; 0 for never.")] = 360,
    untested: Untested = False,
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """Connect an account: what to do at the provider, the fields, a test, and it is kept.

    Example: spendproof connect openai --set admin_key=env:OPENAI_ADMIN_KEY
    """
    from ui import connections as out  # noqa: PLC0415

    with sentences():
        found = settings()
        if steps or not provider:
            out.print_steps(found, workspace or found.workspace, provider, name, set_ or [], as_json=json)
            return
        entered = out.Entry(provider, name or provider, set_ or [], stdin=stdin, limit=limit, every=every)
        if not out.connect(found, workspace or found.workspace, entered, untested=untested, as_json=json):
            raise typer.Exit(1)


@connections.callback()
def connections_(context: typer.Context, workspace: Workspace = None, json: Json = False) -> None:
    """The accounts that are followed, how they stand, and their secrets.

    Example: spendproof connections
    """
    if context.invoked_subcommand is None:
        connections_list(workspace, json)


@connections.command("list")
def connections_list(workspace: Workspace = None, json: Json = False) -> None:
    """Every connection: its state, the age of its data, its last sync, its totals.

    Example: spendproof connections list --json
    """
    from ui import connections as out  # noqa: PLC0415

    with sentences():
        found = settings()
        out.print_list(found, workspace or found.workspace, as_json=json)


@connections.command("test")
def connections_test(name: Name, workspace: Workspace = None, json: Json = False) -> None:
    """Test a connection step by step; what is wrong, and how to mend it.

    Example: spendproof connections test openai
    """
    from ui import connections as out  # noqa: PLC0415

    with sentences():
        found = settings()
        if not out.test(found, workspace or found.workspace, name, as_json=json):
            raise typer.Exit(1)


@connections.command("rotate")
def connections_rotate(
    name: Name,
    set_: Set = None,
    stdin: Stdin = False,
    untested: Untested = False,
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """Replace a connection's secret (or other values); the new one is tested before the old one goes.

    Example: spendproof connections rotate openai --set admin_key=env:NEW_KEY
    """
    from ui import connections as out  # noqa: PLC0415

    with sentences():
        found = settings()
        where = workspace or found.workspace
        if not out.rotate(found, where, name, set_ or [], stdin=stdin, untested=untested, as_json=json):
            raise typer.Exit(1)


@connections.command("remove")
def connections_remove(
    name: Name,
    with_data: Annotated[bool, typer.Option("--with-data", help="Take its rows out of the ledger too.")] = False,
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """Forget a connection and its secrets; what it brought stays unless --with-data.

    Example: spendproof connections remove openai
    """
    from ui import connections as out  # noqa: PLC0415

    with sentences():
        found = settings()
        out.remove(found, workspace or found.workspace, name, with_data=with_data, as_json=json)


@connections.command("invoice")
def connections_invoice(
    name: Name,
    month: Annotated[str, typer.Argument(help="Month of the invoice, YYYY-MM.")],
    amount: Annotated[str, typer.Argument(help="Its total before tax.")],
    currency: Annotated[str, typer.Option(help="ISO 4217 code.")] = "USD",
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """Enter an invoice's total, to be held against the ledger to the cent.

    Example: spendproof connections invoice openai 2026-10 12345.67
    """
    from ui import connections as out  # noqa: PLC0415

    with sentences():
        found = settings()
        out.enter_invoice(found, workspace or found.workspace, name, month, amount, currency, as_json=json)


def sync(
    names: Annotated[list[str] | None, typer.Argument(help="Connections; all of them if none is named.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace even more than the provider shows now.")] = False,
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """Fetch what is new or may have been restated; several connections side by side.

    Example: spendproof sync openai
    """
    from ui import connections as out  # noqa: PLC0415

    with sentences():
        found = settings()
        if not out.sync(found, workspace or found.workspace, names or [], force=replace, as_json=json):
            raise typer.Exit(1)


def worker(
    once: Annotated[bool, typer.Option("--once", help="Do what is due now, and end.")] = False,
    tick: Annotated[int, typer.Option(help="Seconds between two looks at what is due.")] = 30,
) -> None:
    """Keep every workspace's connections and reports going until stopped; it may be killed at any time.

    Example: spendproof worker
    """
    from jobs.reporting import duty  # noqa: PLC0415
    from jobs.worker import run  # noqa: PLC0415
    from ui import console  # noqa: PLC0415

    with sentences():
        run(settings(), tick_seconds=tick, once=once, say=console.say, duties=(duty,))


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command("connect")(connect)
    app.add_typer(connections, name="connections")
    app.command("sync")(sync)
    app.command("worker")(worker)
