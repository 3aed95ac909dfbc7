"""`spendproof prices`: what models cost, by list and by agreement."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ui.session import Json, Workspace, open_lake

prices = typer.Typer(
    help="What models cost: list prices and what you have agreed.\n\nExample: spendproof prices show gpt-5.5",
    no_args_is_help=True,
    rich_markup_mode=None,
)

CostMap = Annotated[Path | None, typer.Option(help="LiteLLM's cost map as a file, where litellm is not installed.")]


@prices.command("show")
def prices_show(
    model: Annotated[str, typer.Argument(help="Model, in any spelling that a provider uses.")],
    seller: Annotated[str | None, typer.Option(help="OpenAI, Anthropic, AWS, Microsoft, Google Cloud, ...")] = None,
    at: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day of use, UTC; by default now.")] = None,
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """What a model costs: every token kind, tier, place and context step, with source and disputes.

    Example: spendproof prices show gpt-5.5 --seller OpenAI --at 2026-11-01
    """
    from ui import prices as out  # noqa: PLC0415

    with open_lake(workspace) as lake:
        out.print_prices(lake, model, seller, at.replace(tzinfo=UTC) if at else None, as_json=json)


@prices.command("diff")
def prices_diff(cost_map: CostMap = None, workspace: Workspace = None, json: Json = False) -> None:
    """What a refresh would change: new, corrected, withdrawn, gone and disputed prices.

    Example: spendproof prices diff
    """
    from ledger.price_book import store  # noqa: PLC0415
    from ui import prices as out  # noqa: PLC0415

    with open_lake(workspace) as lake:
        found = store.preview(lake, datetime.now(UTC), cost_map=cost_map)
        out.print_difference(found, as_json=json, done=False)


@prices.command("refresh")
def prices_refresh(cost_map: CostMap = None, workspace: Workspace = None, json: Json = False) -> None:
    """Append what the installed genai-prices and litellm say differently; nothing is overwritten.

    Example: spendproof prices refresh
    """
    from ledger.price_book import store  # noqa: PLC0415
    from ui import prices as out  # noqa: PLC0415

    with open_lake(workspace) as lake:
        found = store.refresh(lake, datetime.now(UTC), cost_map=cost_map)
        out.print_difference(found, as_json=json, done=True)


@prices.command("negotiated")
def prices_negotiated(
    file: Annotated[Path, typer.Argument(help="CSV of agreements; it replaces the one before.")],
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """Take over what you have agreed with sellers: prices of your own and discounts off the list.

    Example: spendproof prices negotiated agreements.csv
    """
    from ui import prices as out  # noqa: PLC0415

    with open_lake(workspace) as lake:
        out.print_agreements(lake, file, datetime.now(UTC), as_json=json)


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(prices, name="prices")
