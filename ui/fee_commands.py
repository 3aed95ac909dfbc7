"""`spendproof fee` and `spendproof plans`: what a plan costs, and why."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ui.session import Json, Workspace, sentences

plans = typer.Typer(
    help="What the service costs: every plan as versioned data.\n\nExample: spendproof plans show early",
    no_args_is_help=True,
    rich_markup_mode=None,
)
At = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day whose version of a plan is meant.")]
AiSpend = Annotated[str | None, typer.Option(help="AI spend of the period, such as 4000 or 4000.50.")]
Currency = Annotated[str, typer.Option(help="Currency of the amounts given here (ISO 4217).")]


def fee(
    plan: Annotated[str, typer.Option(help="Plan; spendproof plans list names them.")],
    ai_spend: AiSpend = None,
    month: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m"], help="Take the AI spend of this month from the ledger.")
    ] = None,
    metric: Annotated[list[str] | None, typer.Option(help="Another quantity, NAME=VALUE, such as seats=4.")] = None,
    verified_saving: Annotated[str | None, typer.Option(help="Lower bound of a verified saving.")] = None,
    proof: Annotated[str, typer.Option(help="Identity of the signed proof of that saving.")] = "",
    evidence: Annotated[str, typer.Option(help="Its evidence: T1, T2 or T3.")] = "",
    contract: Annotated[Path | None, typer.Option(help="TOML of a contract whose price overrides the list's.")] = None,
    coupon: Annotated[str | None, typer.Option(help="Coupon: referred or month-free.")] = None,
    period: Annotated[int | None, typer.Option(min=1, help="Which period since the beginning, for coupons.")] = None,
    charged: Annotated[str | None, typer.Option(help="Provisional fee that was charged: prints the true-up.")] = None,
    currency: Currency = "USD",
    at: At = None,
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """What a plan costs, with the lines that explain it: never more than its cap.

    Example: spendproof fee --plan early --ai-spend 4000 --json
    """
    with sentences():
        from billing.expressions import decimal  # noqa: PLC0415
        from ui import fee_answers as out  # noqa: PLC0415

        now = datetime.now(UTC)
        day = at or month or now
        given = dict(_pair(text) for text in metric or ())
        typed = {"ai_spend": ai_spend, "verified_saving": verified_saving, "period": period}
        given |= {name: str(value) for name, value in typed.items() if value is not None}
        asked = out.Asked(
            plan=plan,
            day=day.date(),
            metrics=given,
            currency=currency,
            today=now.date(),
            month=month.date() if month else None,
            workspace=workspace,
            contract=contract,
            coupon=coupon,
            charged=None if charged is None else decimal(charged, "charged"),
            proof=proof,
            evidence=evidence,
        )
        out.print_fee(asked, as_json=json)


@plans.command("list")
def plans_list(
    at: At = None,
    price_list: Annotated[str | None, typer.Option("--list", help="Only the plans of one price list.")] = None,
    json: Json = False,
) -> None:
    """Every plan with its version, validity and the most that it can cost.

    Example: spendproof plans list --list spendproof
    """
    with sentences():
        from ui import fee_answers as out  # noqa: PLC0415

        out.print_plans(at.date() if at else None, price_list, as_json=json)


@plans.command("show")
def plans_show(
    plan: Annotated[str, typer.Argument(help="Plan.")],
    at: At = None,
    json: Json = False,
) -> None:
    """One plan: price, limits, source, and fees that it must come to.

    Example: spendproof plans show enterprise
    """
    with sentences():
        from ui import fee_answers as out  # noqa: PLC0415

        out.print_plan(plan, at.date() if at else datetime.now(UTC).date(), as_json=json)


@plans.command("compare")
def plans_compare(
    ai_spend: Annotated[str, typer.Option(help="AI spend of a month, such as 20000.")],
    currency: Currency = "USD",
    price_list: Annotated[str, typer.Option("--list", help="Price list.")] = "spendproof",
    at: At = None,
    json: Json = False,
) -> None:
    """The plans at one AI spend: fee, share of the spend, and the step from a capped plan to an uncapped one.

    Example: spendproof plans compare --ai-spend 200000
    """
    with sentences():
        from billing.expressions import decimal  # noqa: PLC0415
        from ui import fee_answers as out  # noqa: PLC0415

        day = at.date() if at else datetime.now(UTC).date()
        out.print_comparison(decimal(ai_spend, "ai-spend"), currency, day, price_list, as_json=json)


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name or not value:
        raise ValueError(f"{text!r} is no quantity; write NAME=VALUE, such as seats=4.")
    return name.strip(), value.strip()


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(fee)
    app.add_typer(plans, name="plans")
