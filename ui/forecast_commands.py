"""`spendproof forecast`: what will be spent, what a token will cost, and how long an amount lasts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from ui.session import Json, Workspace, open_lake


def forecast(
    by: Annotated[str | None, typer.Option(help="service, model, provider or account; else the whole.")] = None,
    days: Annotated[int, typer.Option(help="How many days ahead.")] = 90,
    metric: Annotated[str, typer.Option(help="effective (commitments spread over their use) or billed.")] = "effective",
    tokens: Annotated[bool, typer.Option("--tokens", help="What a million tokens of each model will cost.")] = False,
    amount: Annotated[str | None, typer.Option(help="Credits or a budget: until when they last.")] = None,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day on whose morning that amount was left.")
    ] = None,
    currency: Annotated[str | None, typer.Option(help="Currency of the amount, where there are several.")] = None,
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """What will be spent, with its 90 % band and the backtest of the very same procedure.

    Example: spendproof forecast --by service --days 90
    """
    with open_lake(workspace) as lake:
        from ui import forecast_answers as out  # noqa: PLC0415

        if tokens:
            out.print_tokens(lake, days, metric, as_json=json)
            return
        out.print_forecast(
            lake,
            by,
            days,
            metric,
            None if amount is None else out.Amount(amount, since and since.date(), currency),
            as_json=json,
        )


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(forecast)
