"""`spendproof roi` and `spendproof project`: what a saving is worth after its cost, what a price list could bring."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ui.session import Json, Workspace, open_lake, sentences

if TYPE_CHECKING:
    from decimal import Decimal

    from billing.catalog import Plan
    from reports.roi import Estimate
    from reports.roi_case import Spend, Terms

Percent = Annotated[str | None, typer.Option(help="Percent of the spend.")]


def roi(
    ai_spend: Annotated[str | None, typer.Option(help="AI spend of a month; without it, the ledger's.")] = None,
    ai_spend_high: Annotated[str | None, typer.Option(help="Its upper end, where it is a range.")] = None,
    bill: Annotated[
        list[str] | None, typer.Option(help="Take the spend from this bill instead, which is not kept.")
    ] = None,
    saving_low: Annotated[str | None, typer.Option(help="Saving of a month, low.")] = None,
    saving_high: Annotated[str | None, typer.Option(help="Saving of a month, high.")] = None,
    to: Annotated[Path | None, typer.Option(help="Plan (docs/plan.md): re-price the ledger's usage instead.")] = None,
    route: Percent = None,
    cache: Percent = None,
    batch: Percent = None,
    tier: Percent = None,
    commit: Percent = None,
    plan: Annotated[str, typer.Option(help="Plan; spendproof plans list names them.")] = "early",
    implementation: Annotated[str, typer.Option(help="Cost of making the change, low.")] = "0",
    implementation_high: Annotated[str | None, typer.Option(help="Cost of making the change, high.")] = None,
    running: Annotated[str, typer.Option(help="Cost a month beside the fee.")] = "0",
    ramp: Annotated[int, typer.Option(help="Months until the saving is in full effect.")] = 0,
    discount_rate: Annotated[str, typer.Option(help="Percent a year.")] = "10",
    months: Annotated[int, typer.Option(help="Horizon: 12, 24 or 36.")] = 12,
    start: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day; by default today.")] = None,
    halve: Annotated[bool, typer.Option("--halve", help="Count half of every gain.")] = False,
    currency: Annotated[str | None, typer.Option(help="Currency of the amounts (ISO 4217).")] = None,
    out: Annotated[Path | None, typer.Option("--pdf", help="Write one page of PDF.")] = None,
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """What a saving is worth after everything it costs: net, ROI, NPV, IRR, payback; low, expected and high.

    Example: spendproof roi --ai-spend 20000 --route 20 --cache 30 --implementation 5000 --plan early
    """
    with sentences():
        from billing import catalog  # noqa: PLC0415
        from reports.roi_case import Terms, between  # noqa: PLC0415
        from ui import roi_answers  # noqa: PLC0415

        now = datetime.now(UTC)
        day = start.date() if start else now.date()
        least, most = _number(implementation, "implementation"), _number(implementation_high or implementation, "cost")
        terms = Terms(
            plan=catalog.plan(plan, now.date()),
            implementation=between(least, most, "yours to set"),
            running=_number(running, "running"),
            ramp=ramp,
            rate=_share(discount_rate, "discount-rate"),
            start=day,
            horizon=months,
            halved=halve,
        )
        levers = {"route": route, "cache": cache, "batch": batch, "tier": tier, "commit": commit}
        shares = {name: _share(text, name) for name, text in levers.items() if text is not None}
        given = (ai_spend, ai_spend_high, tuple(bill or ()))
        estimate = _estimate(given, (saving_low, saving_high, to), shares, terms, (workspace, currency))
        roi_answers.print_roi(estimate, out, now, as_json=json)


def _estimate(
    spend: tuple[str | None, str | None, tuple[str, ...]],
    saving: tuple[str | None, str | None, Path | None],
    shares: dict[str, Decimal],
    terms: Terms,
    where: tuple[str | None, str | None],
) -> Estimate:
    from reports import roi_case  # noqa: PLC0415

    low, high, plan = saving
    ways = sum((low is not None or high is not None, plan is not None, bool(shares)))
    if ways != 1:
        raise ValueError(
            "Say what is saved in one way: levers (--route 20 ...), a range (--saving-low, --saving-high), or a plan "
            "to re-price the ledger's usage to (--to plan.toml)."
        )
    if plan is not None:
        return _repriced(plan, spend, terms, where)
    found = _spend(spend, where)
    if shares:
        return roi_case.of_levers(found, shares, terms)
    if low is None or high is None:
        raise ValueError("A saving never stands without its range: give both --saving-low and --saving-high.")
    range_ = roi_case.between(_number(low, "saving-low"), _number(high, "saving-high"), "your own range")
    return roi_case.of_saving(found, range_, terms)


def _spend(given: tuple[str | None, str | None, tuple[str, ...]], where: tuple[str | None, str | None]) -> Spend:
    from reports import roi_case  # noqa: PLC0415

    low, high, bills = given
    workspace, currency = where
    if low is not None and bills:
        raise ValueError("Give the spend with --ai-spend, or a bill with --bill, and not both.")
    if low is not None:
        most = None if high is None else _number(high, "ai-spend-high")
        return roi_case.typed_spend(_number(low, "ai-spend"), most, currency or "USD")
    if bills:
        return roi_case.spend_of_files(bills, currency)
    with open_lake(workspace) as lake:
        return roi_case.spend_of_lake(lake, currency)


def _repriced(
    plan: Path,
    given: tuple[str | None, str | None, tuple[str, ...]],
    terms: Terms,
    where: tuple[str | None, str | None],
) -> Estimate:
    """An estimate whose saving is the ledger's own usage under a plan."""
    if given[0] is not None or given[2]:
        raise ValueError("--to re-prices the ledger's usage, so the spend is the ledger's too; leave out --ai-spend.")
    from analysis.finance import months_after  # noqa: PLC0415
    from analysis.reprice import reprice  # noqa: PLC0415
    from ledger.price_book import book  # noqa: PLC0415
    from reports import roi_case  # noqa: PLC0415
    from ui.repricing import read_plan  # noqa: PLC0415

    with open_lake(where[0]) as lake:
        spend = roi_case.spend_of_lake(lake, where[1])
        known, days = book.load(lake=lake), (spend.months[0], months_after(spend.months[-1], 1))
        result = reprice(
            lake.table("usage"),
            known.table,
            read_plan(plan),
            digest=known.digest,
            by=("month",),
            start=days[0],
            end=days[1],
        )
    saving, lacks = roi_case.repriced_saving(result, spend)
    return roi_case.of_saving(replace(spend, notes=(*spend.notes, *lacks)), saving, terms)


def project(
    claims: Annotated[bool, typer.Option("--claims", help="The five business models' own projections.")] = False,
    users: Annotated[str | None, typer.Option(help="Users at the end, growing evenly from none.")] = None,
    conversion: Annotated[str | None, typer.Option(help="Percent of them who pay.")] = None,
    mix: Annotated[list[str] | None, typer.Option(help="Who pays for what, PLAN=PERCENT; 100 together.")] = None,
    metric: Annotated[list[str] | None, typer.Option(help="Of one customer a month, such as ai_spend=20000.")] = None,
    months: Annotated[int, typer.Option(help="Months until then.")] = 12,
    json: Json = False,
) -> None:
    """What a price list could bring: users, conversion and plan mix give MRR, ARR and what is collected.

    Example: spendproof project --users 10000 --conversion 5 --mix sessiontrack-pro=90 --mix sessiontrack-enterprise=10
    """
    with sentences():
        from billing import claims as published  # noqa: PLC0415
        from ui import roi_answers  # noqa: PLC0415

        if claims:
            roi_answers.print_claims(published.claims(), as_json=json)
            return
        if users is None or conversion is None or not mix:
            raise ValueError(
                "Give --users, --conversion and --mix PLAN=PERCENT, or --claims for published projections."
            )
        shares = {name: _share(text, name) for name, text in (_pair(each) for each in mix)}
        given = dict(_pair(each) for each in metric or ())
        today = datetime.now(UTC).date()
        prices = {name: _fee(name, given, today) for name in shares}
        _project(shares, prices, (_number(users, "users"), _share(conversion, "conversion")), months, as_json=json)


def _project(
    shares: dict[str, Decimal],
    prices: dict[str, tuple[Plan, Decimal]],
    users: tuple[Decimal, Decimal],
    months: int,
    *,
    as_json: bool,
) -> None:
    from analysis.projection import Growth, mixed  # noqa: PLC0415
    from analysis.projection import project as projected  # noqa: PLC0415
    from ui import roi_answers  # noqa: PLC0415

    currencies = {found.priced().currency for found, _ in prices.values()}
    if len(currencies) > 1:
        raise ValueError(f"These plans are priced in {' and '.join(sorted(currencies))}, which are never summed.")
    ends = mixed(*users, shares)
    growth = Growth({name: fee for name, (_, fee) in prices.items()}, {months: ends}, currencies.pop())
    roi_answers.print_projection(projected(growth), as_json=as_json)


def _fee(name: str, given: dict[str, str], today: date) -> tuple[Plan, Decimal]:
    from analysis.fees import price  # noqa: PLC0415
    from billing import catalog  # noqa: PLC0415

    found = catalog.plan(name, today)
    if found.period != "month":
        raise ValueError(f"The plan {name} is priced by the {found.period}; a projection takes plans by the month.")
    needed = {metric: text for metric, text in given.items() if metric in found.metrics}
    return found, price(found.priced(), catalog.metrics(needed, found.priced().currency)).amount


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name or not value:
        raise ValueError(f"{text!r} is not understood; write NAME=VALUE, such as mid=20.")
    return name.strip(), value.strip()


def _number(text: str, name: str) -> Decimal:
    from analysis.fees_nodes import at_least_zero  # noqa: PLC0415
    from billing.expressions import decimal  # noqa: PLC0415

    number = decimal(text, name)
    at_least_zero(number, name)
    return number


def _share(text: str, name: str) -> Decimal:
    """Percent as a share of one; above 100 is refused."""
    from analysis.fees_nodes import share  # noqa: PLC0415
    from billing.expressions import decimal  # noqa: PLC0415

    rate = decimal(text.removesuffix("%").strip(), name)
    part = rate.scaleb(-2) if rate.is_finite() else rate
    share(part, name)
    return part


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(roi)
    app.command()(project)
