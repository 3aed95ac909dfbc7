"""`spendproof report` and `spendproof schedule`: reports as files, and reports that go out by themselves."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ui.session import Json, Workspace, sentences, settings

schedules = typer.Typer(
    help="Reports that go out by themselves.\n\nExample: spendproof schedule list",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Days = Annotated[
    str | None,
    typer.Option(
        help="last-7-days, last-30-days, last-90-days, last-month (the default), this-month, last-12-months, FROM..TO."
    ),
]
ScopeText = Annotated[str, typer.Option(help="Only part of the spend: provider=OpenAI,model=gpt-5.5|gpt-4.1-mini.")]
Currency = Annotated[str | None, typer.Option(help="Currency; by default the one with the most charges.")]

Saved = Annotated[str | None, typer.Option("--view", help="A saved view: its days, scope, comparison and currency.")]
ProofId = Annotated[str | None, typer.Option("--proof", help="Of the report proof: which one; the newest by default.")]
Scenario = Annotated[str | None, typer.Option("--scenario", help="Of the report roi: the link to a saved scenario.")]
_KINDS = "Which report: value, spend, proof or roi."


def report(
    name: Annotated[str, typer.Argument(help=_KINDS)] = "spend",
    format_: Annotated[str, typer.Option("--format", help="html, pdf, xlsx, csv or json.")] = "html",
    out: Annotated[Path | None, typer.Option(help="File or folder; by default the present folder.")] = None,
    days: Days = None,
    scope: ScopeText = "",
    currency: Currency = None,
    view: Saved = None,
    proof: ProofId = None,
    scenario: Scenario = None,
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """Write a report as a file; the same figures in every format, with the snapshot they come from.

    Example: spendproof report spend --format pdf --days last-month --out october.pdf
    """
    from ui import report_answers  # noqa: PLC0415

    with sentences():
        found = settings()
        asked = report_answers.asked(name, report_answers.Said(days, scope, currency, view, proof, scenario))
        report_answers.write(found, workspace or found.workspace, name, asked, format_, out, as_json=json)


@schedules.command("add")
def add(
    name: Annotated[str, typer.Argument(help="What the schedule is called.")],
    every: Annotated[
        str,
        typer.Option(
            help="daily 07:00, weekly mon 07:00, monthly 1 07:00, on proof, on failure, on spend above 5000 USD."
        ),
    ],
    to: Annotated[
        list[str],
        typer.Option(help="Mail address, slack+https://..., webhook+https://...#whsec_..., s3://..., a folder, ..."),
    ],
    report_: Annotated[str, typer.Option("--report", help=_KINDS)] = "spend",
    formats: Annotated[str, typer.Option("--formats", help="Files, comma-separated: pdf, xlsx, ...")] = "pdf",
    zone: Annotated[str, typer.Option(help="Time zone of the recipient, such as Europe/Berlin.")] = "UTC",
    days: Days = None,
    scope: ScopeText = "",
    currency: Currency = None,
    view: Saved = None,
    proof: ProofId = None,
    scenario: Scenario = None,
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """Send a report again and again, at a local time or when something happens.

    Example: spendproof schedule add monday --every "weekly mon 07:00" --zone Europe/Berlin --to cfo@example.com
    """
    from ui import report_answers  # noqa: PLC0415

    with sentences():
        found = settings()
        asked = report_answers.asked(report_, report_answers.Said(days, scope, currency, view, proof, scenario))
        report_answers.add(found, workspace or found.workspace, name, report_, asked, every, zone, formats, to, json)


@schedules.command("list")
def list_(workspace: Workspace = None, json: Json = False) -> None:
    """The schedules, when each is due next, and how its last delivery ended.

    Example: spendproof schedule list
    """
    from ui import report_answers  # noqa: PLC0415

    with sentences():
        found = settings()
        report_answers.print_schedules(found, workspace or found.workspace, datetime.now(UTC), as_json=json)


@schedules.command("run")
def run(
    name: Annotated[
        str | None, typer.Argument(help="Send this one now; without it, send everything that is due.")
    ] = None,
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """Send one report now, or everything that is due, as the worker does.

    Example: spendproof schedule run monday
    """
    from ui import report_answers  # noqa: PLC0415

    with sentences():
        found = settings()
        sent = report_answers.run(found, workspace or found.workspace, name, as_json=json)
    if not sent:
        raise typer.Exit(1)


@schedules.command("remove")
def remove(name: Annotated[str, typer.Argument(help="Name of the schedule.")], workspace: Workspace = None) -> None:
    """End a schedule; its history stays.

    Example: spendproof schedule remove monday
    """
    from jobs import schedules as kept  # noqa: PLC0415
    from ui import console  # noqa: PLC0415

    with sentences():
        found = settings()
        kept.remove(found, workspace or found.workspace, name)
        console.say_out(f"Schedule {name} has ended; nothing more is sent by it.")


@schedules.command("history")
def history(
    name: Annotated[str | None, typer.Argument(help="Only this schedule.")] = None,
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """Every delivery: what was due, to whom, whether it arrived, and why not.

    Example: spendproof schedule history monday
    """
    from ui import report_answers  # noqa: PLC0415

    with sentences():
        found = settings()
        report_answers.print_history(found, workspace or found.workspace, name, as_json=json)


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command("report")(report)
    app.add_typer(schedules, name="schedule")
