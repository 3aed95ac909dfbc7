"""The `spendproof` command. Thin: each command asks one room and prints the answer.

Exit status: 0 done, 1 refused or failed (one sentence, no traceback), 2 wrong usage. Heavy libraries are imported
by the command that needs them, so that `--help` answers at once.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ui import (
    connection_commands,
    fee_commands,
    forecast_commands,
    price_commands,
    proof_commands,
    report_commands,
    roi_commands,
    share_commands,
    verify_commands,
    workspace_commands,
)
from ui.session import Json, Workspace, days, names, open_lake, sentences, settings

app = typer.Typer(
    name="spendproof",
    help="Prove what an AI and cloud optimization is worth: one ledger for every bill, and what a token costs.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

for commands in (
    price_commands,
    fee_commands,
    forecast_commands,
    roi_commands,
    connection_commands,
    report_commands,
    proof_commands,
    verify_commands,
    share_commands,
    workspace_commands,
):
    commands.add_to(app)

Since = Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day, UTC.")]
Until = Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day, UTC.")]
Metric = Annotated[str, typer.Option("--metric", help="billed, effective or list.")]


@app.command("import")
def import_(
    files: Annotated[list[str], typer.Argument(help="Bill or usage files, folders, globs or manifests.")],
    format_: Annotated[str | None, typer.Option("--format", help="Format, where it is not to be recognised.")] = None,
    source: Annotated[
        str | None, typer.Option("--source", help="Name that keeps two sources of one format apart.")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace even more days or money than the files hold.")
    ] = False,
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """Load bill and usage files; what they hold replaces what was loaded of the same periods.

    Example: spendproof import ~/bills/*.parquet
    """
    from connectors.importing import import_files  # noqa: PLC0415
    from ui import console, loads  # noqa: PLC0415

    with open_lake(workspace) as lake:
        results = import_files(lake, files, format_name=format_, source=source, force=replace, say=console.say)
    if json:
        console.print_json(loads.summary(results))
    else:
        loads.print_loaded(results)


@app.command("loads")
def loads_(
    remove_source: Annotated[str | None, typer.Option(help="Take a source's rows out of the ledger.")] = None,
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """What was loaded, newest first; or take one source out again.

    Example: spendproof loads --json
    """
    from ledger.remove import remove_source as remove  # noqa: PLC0415
    from ui import loads  # noqa: PLC0415

    with open_lake(workspace) as lake:
        if remove_source is not None:
            loads.print_removed(remove_source, remove(lake, remove_source), as_json=json)
        else:
            loads.print_loads(lake, as_json=json)


@app.command()
def rejects(
    load: Annotated[str | None, typer.Option(help="Only those of one load.")] = None,
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """Every row that could not be taken: file, row, column, value and why.

    Example: spendproof rejects
    """
    from ui import loads  # noqa: PLC0415

    with open_lake(workspace) as lake:
        loads.print_rejects(lake, load, as_json=json)


@app.command()
def spend(
    by: Annotated[
        str, typer.Option(help="Dimensions, comma-separated: service, provider, day, month, tag:KEY, ...")
    ] = "service",
    since: Since = None,
    until: Until = None,
    metric: Metric = "billed",
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """What was spent, by any dimension; currencies are never summed.

    Example: spendproof spend --by provider,month --from 2026-01-01
    """
    from ui import answers  # noqa: PLC0415

    with open_lake(workspace) as lake:
        answers.print_spend(lake, names(by), *days(since, until), metric, as_json=json)


@app.command("unit-cost")
def unit_cost(
    by: Annotated[
        str, typer.Option(help="Dimensions, comma-separated: model, token-type, provider, month, ...")
    ] = "model",
    since: Since = None,
    until: Until = None,
    metric: Metric = "billed",
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """What a million tokens cost; cost without a token quantity stands beside, with its reason.

    Example: spendproof unit-cost --by model,token-type
    """
    from ui import answers  # noqa: PLC0415

    with open_lake(workspace) as lake:
        answers.print_unit_cost(lake, names(by), *days(since, until), metric, as_json=json)


@app.command()
def change(
    since: Since,
    until: Until,
    against_from: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day to compare with, UTC.")
    ] = None,
    against_to: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day to compare with, UTC.")
    ] = None,
    by: Annotated[
        str, typer.Option(help="Dimensions, comma-separated: provider, model, project, token-type, tier, ...")
    ] = "provider,model",
    metric: Metric = "billed",
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """Why the cost differs from that of another period (by default the one just before): price, volume, mix, ...

    Example: spendproof change --from 2026-07-01 --to 2026-07-31 --by provider,model,project
    """
    from ui import changes  # noqa: PLC0415

    with open_lake(workspace) as lake:
        periods = days(since, until), days(against_from, against_to)
        changes.print_change(lake, names(by), *periods, metric, as_json=json)


@app.command()
def reprice(
    to: Annotated[Path | None, typer.Option("--to", help="Plan (TOML, docs/plan.md); without: as it was used.")] = None,
    by: Annotated[
        str, typer.Option(help="Dimensions, comma-separated: provider, model, project, tier, day, tag:KEY, ...")
    ] = "provider,model",
    usage: Annotated[Path | None, typer.Option("--usage", help="Usage file to price instead of the ledger's.")] = None,
    since: Since = None,
    until: Annotated[datetime | None, typer.Option("--to-day", formats=["%Y-%m-%d"], help="Last day, UTC.")] = None,
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """What the same usage would have cost: other model, cache, batch, tier, region or date.

    Example: spendproof reprice --to plan.toml --by model
    """
    from ui import repricing  # noqa: PLC0415

    if usage is not None:
        with sentences():
            repricing.print_repriced_file(usage, to, names(by), days(since, until), as_json=json)
        return
    with open_lake(workspace) as lake:
        repricing.print_repriced(lake, to, names(by), days(since, until), as_json=json)


@app.command()
def reconcile(
    by: Annotated[
        str, typer.Option(help="Dimensions, comma-separated: provider, model, token-type, tier, month, day, ...")
    ] = "provider,model",
    since: Since = None,
    until: Until = None,
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """The bill beside tokens times the price book: the factor between them, and what stays unexplained.

    Example: spendproof reconcile --by provider,month
    """
    from ui import reconciliation  # noqa: PLC0415

    with open_lake(workspace) as lake:
        reconciliation.print_reconciliation(lake, names(by), *days(since, until), as_json=json)


@app.command()
def quality(workspace: Workspace = None, json: Json = False) -> None:
    """How far each source can be trusted: a score, and the findings behind it.

    Example: spendproof quality
    """
    from ui import answers  # noqa: PLC0415

    with open_lake(workspace) as lake:
        answers.print_quality(lake, as_json=json)


@app.command()
def export(
    out: Annotated[Path, typer.Option(help="File to write.")],
    focus_version: Annotated[str, typer.Option(help="FOCUS version: 1.0, 1.1, 1.2, 1.3 or 1.4.")] = "1.4",
    format_: Annotated[str, typer.Option("--format", help="parquet or csv.")] = "parquet",
    since: Since = None,
    until: Until = None,
    snapshot: Annotated[int | None, typer.Option(help="The ledger as of this snapshot.")] = None,
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """Write the charges as a FOCUS file of any version.

    Example: spendproof export --focus-version 1.2 --format csv --out charges.csv
    """
    from ledger.export import export_charges  # noqa: PLC0415
    from ui import console  # noqa: PLC0415

    with open_lake(workspace) as lake:
        first, end = days(since, until)
        result = export_charges(lake, out, focus_version, format_, start=first, end=end, snapshot=snapshot)
    if json:
        console.print_json(result.record())
    else:
        console.say_out(f"{result.rows:,} charges as FOCUS {result.version} in {result.path}.")
        for note in result.notes:
            console.say_out(f"  {note}")


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8501,
    workspace: Workspace = None,
) -> None:
    """The app in a browser.

    Example: spendproof serve --port 8600
    """
    from ui.server import serve as run  # noqa: PLC0415

    with sentences():
        found = settings()
        run(found, workspace or found.workspace, host, port)


@app.command()
def demo(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8501,
    no_serve: Annotated[bool, typer.Option("--no-serve", help="Load the sample data only.")] = False,
    json: Json = False,
) -> None:
    """Load a synthetic customer's bills of five providers, prove two of its changes, and open the app.

    Example: spendproof demo
    """
    from accounts.home import DEMO_WORKSPACE  # noqa: PLC0415
    from connectors.importing import import_files  # noqa: PLC0415
    from sample_data import files  # noqa: PLC0415
    from ui import console, loads  # noqa: PLC0415
    from ui.demo_proofs import prove_samples  # noqa: PLC0415

    with open_lake(DEMO_WORKSPACE) as lake:
        results = import_files(lake, [str(f) for f in files()], synthetic=True, say=console.say)
        console.say("Proving two changes of the sample customer")
        prove_samples(lake, settings(), DEMO_WORKSPACE, datetime.now(UTC))
    if json:
        console.print_json(loads.summary(results))
    else:
        loads.print_loaded(results)
    if not no_serve:
        serve(host=host, port=port, workspace=DEMO_WORKSPACE)


@app.command("set-password")
def set_password(workspace: Workspace = None) -> None:
    """Set the password with which people sign in to the app from other machines.

    Example: spendproof set-password
    """
    from accounts import signin  # noqa: PLC0415
    from ui import console  # noqa: PLC0415

    with sentences():
        found = settings()
        name = workspace or found.workspace
        signin.set_password(found, name, typer.prompt("Password", hide_input=True, confirmation_prompt=True))
        console.say_out(f"People sign in to workspace {name} with this password from now on.")


@app.command()
def doctor(workspace: Workspace = None, json: Json = False) -> None:
    """What is installed, reachable, stale or misconfigured, and the fix.

    Example: spendproof doctor
    """
    from ui import health  # noqa: PLC0415

    with sentences():
        found = settings()
        healthy = health.print_report(found, workspace or found.workspace, as_json=json)
    if not healthy:
        raise typer.Exit(1)


def main() -> None:
    """Entry point of the `spendproof` command."""
    try:
        app()
    except BrokenPipeError:
        # The reader of a pipe (`| head`) has gone; that is no error of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
