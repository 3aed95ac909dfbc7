"""The commands that measure and prove: `baseline`, `intervention`, `prove` and `proofs`."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ui.session import Json, Workspace, open_lake, sentences, settings

if TYPE_CHECKING:
    from reports.optimization import OptimizationProof
    from reports.records import Store

baseline = typer.Typer(
    help="What a scope costs for each unit of its driver, frozen before anything is changed.\n\n"
    "Example: spendproof baseline capture --scope model=gpt-5.5 --driver assistant_requests",
    no_args_is_help=True,
)
intervention = typer.Typer(
    help="Dated changes: those that are meant to save, and what happened besides.\n\n"
    "Example: spendproof intervention list",
    no_args_is_help=True,
)
proofs = typer.Typer(help="Proofs of a workspace.\n\nExample: spendproof proofs list", no_args_is_help=True)

_DAY = ["%Y-%m-%d"]
Scope = Annotated[
    str, typer.Option(help="Which charges: provider=OpenAI,model=gpt-5.5|gpt-4.1-mini,project=...,tag:team=search")
]
Driver = Annotated[str, typer.Option(help="What cost is measured against: requests, or a driver of your own.")]


@baseline.command("capture")
def baseline_capture(
    scope: Scope = "",
    driver: Driver = "requests",
    since: Annotated[datetime | None, typer.Option("--from", formats=_DAY, help="First day, UTC.")] = None,
    until: Annotated[datetime | None, typer.Option("--to", formats=_DAY, help="Last day, UTC.")] = None,
    name: Annotated[str, typer.Option(help="Name for people.")] = "",
    days: Annotated[
        int, typer.Option(help="Days after the change that the smallest provable saving is told for.")
    ] = 90,
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """Freeze and sign the last year of a scope (or the days named); hand the digest to whoever has to believe it.

    Example: spendproof baseline capture --scope provider=OpenAI,project=prod --driver users
    """
    from analysis.scope import parse  # noqa: PLC0415
    from ui import proofs as out  # noqa: PLC0415

    with _proof(workspace) as proof:
        found = proof.capture_baseline_metrics(
            parse(scope), driver, datetime.now(UTC), span=(_day(since), _day(until)), name=name, reporting_days=days
        )
        out.print_captured(found, as_json=json)
    if found.record is None:
        raise typer.Exit(1)


@baseline.command("list")
def baseline_list(workspace: Workspace = None, json: Json = False) -> None:
    """Frozen baselines, the newest first.

    Example: spendproof baseline list --json
    """
    from ui import proofs as out  # noqa: PLC0415

    with _store(workspace) as store:
        out.print_baselines(store.baselines(), as_json=json)


@baseline.command("show")
def baseline_show(
    key: Annotated[str, typer.Argument(help="Id or digest, or the beginning of one.")],
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """One frozen baseline with its days, as it was signed.

    Example: spendproof baseline show 3f9a
    """
    from ui import proofs as out  # noqa: PLC0415

    with _store(workspace) as store:
        out.print_baseline(store.baseline(key), as_json=json)


@intervention.command("add")
def intervention_add(
    day: Annotated[datetime, typer.Argument(formats=_DAY, help="Day (UTC) from which it holds.")],
    kind: Annotated[str, typer.Option(help="routing, caching, batch, ..., or vendor-price, holiday, blackout, other.")],
    note: Annotated[str, typer.Option(help="What was done, in words.")],
    scope: Scope = "",
    until: Annotated[datetime | None, typer.Option(formats=_DAY, help="Last day; without it, it lasts.")] = None,
    who: Annotated[str | None, typer.Option(help="Who says so.")] = None,
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """Register a change, or something else that moved the cost.

    Example: spendproof intervention add 2026-05-12 --kind routing --note "Easy requests to gpt-4.1-mini"
    """
    from analysis.scope import parse  # noqa: PLC0415
    from reports.question import QuestionError, check_kind  # noqa: PLC0415
    from ui import proofs as out  # noqa: PLC0415

    with _store(workspace) as store:
        check_kind(kind)
        first, last = day.date(), _day(until)
        if last is not None and last < first:
            raise QuestionError(f"It ends on {last}, before it begins on {first}.")
        if not note.strip():
            raise QuestionError("Say what was done: --note TEXT.")
        row = store.add_intervention(
            first, last, scope=parse(scope).text(), kind=kind, note=note.strip(), who=who, now=datetime.now(UTC)
        )
        out.print_interventions([row], as_json=json, one=True)


@intervention.command("list")
def intervention_list(workspace: Workspace = None, json: Json = False) -> None:
    """All registered changes, by date.

    Example: spendproof intervention list
    """
    from ui import proofs as out  # noqa: PLC0415

    with _store(workspace) as store:
        out.print_interventions(store.interventions(), as_json=json)


def prove(
    change: Annotated[str | None, typer.Option(help="Registered intervention, by its id.")] = None,
    on: Annotated[
        datetime | None, typer.Option(formats=_DAY, help="Day of the change, where none is registered.")
    ] = None,
    kind: Annotated[str, typer.Option(help="Its kind, with --on.")] = "other",
    note: Annotated[str, typer.Option(help="What was done, with --on.")] = "the change",
    scope: Annotated[str | None, typer.Option(help="Which charges; by default those of the intervention.")] = None,
    driver: Driver = "requests",
    frozen: Annotated[str | None, typer.Option("--baseline", help="A frozen baseline, by its id or digest.")] = None,
    baseline_from: Annotated[datetime | None, typer.Option(formats=_DAY, help="First day of the baseline.")] = None,
    baseline_to: Annotated[datetime | None, typer.Option(formats=_DAY, help="Last day of the baseline.")] = None,
    since: Annotated[datetime | None, typer.Option("--from", formats=_DAY, help="First day to report.")] = None,
    until: Annotated[datetime | None, typer.Option("--to", formats=_DAY, help="Last day to report.")] = None,
    signed_by: Annotated[
        str | None, typer.Option(help="Who vouches that no other change than the registered ones was made.")
    ] = None,
    invoices: Annotated[
        Path | None, typer.Option(help="CSV of invoices: provider, first_day, last_day, amount, currency.")
    ] = None,
    evaluations: Annotated[
        Path | None, typer.Option(help="CSV of evaluations: date, cases, passed and, where there is one, model.")
    ] = None,
    where: Annotated[str, typer.Option(help="Which evaluations: COLUMN=VALUE,...")] = "",
    margin: Annotated[
        str | None, typer.Option(help="Loss of quality that is taken for none: 0.02 of all cases.")
    ] = None,
    plan: Annotated[Path | None, typer.Option(help="Plan of levers, re-priced beside the measurement (T1).")] = None,
    fee_plan: Annotated[
        str | None, typer.Option(help="Plan whose fee stands on a prospective, verified proof: savings-share.")
    ] = None,
    contract: Annotated[Path | None, typer.Option(help="TOML of a contract that has the plan of --fee-plan.")] = None,
    confidence: Annotated[str, typer.Option(help="Of the interval, two-sided.")] = "0.90",
    supersedes: Annotated[str | None, typer.Option(help="Proof that this one replaces.")] = None,
    out_files: Annotated[
        list[Path] | None,
        typer.Option("--out", help="File for the proof: .json, .html, .pdf, .xlsx, .csv; repeatable."),
    ] = None,
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """Measure what a change avoided, with its interval and gates, and keep the signed proof.

    Example: spendproof prove --on 2026-05-12 --scope provider=OpenAI,project=prod --driver users --out proof.json
    """
    from ui import proofs as out  # noqa: PLC0415
    from ui.proving import Asked, check_names, proven, written  # noqa: PLC0415

    allowed, sure = None if margin is None else _share(margin, "--margin"), _share(confidence, "--confidence")
    with _proof(workspace) as proof:
        check_names(out_files or ())
        asked = Asked(
            change=change,
            day=_day(on),
            kind=kind,
            note=note,
            scope=scope,
            driver=driver,
            frozen=frozen,
            baseline=(_day(baseline_from), _day(baseline_to)),
            reporting=(_day(since), _day(until)),
            signed_by=signed_by,
            invoices=invoices,
            evaluations=evaluations,
            where=where,
            margin=allowed,
            plan=plan,
            confidence=sure,
            supersedes=supersedes,
            fee_plan=fee_plan,
            contract=contract,
        )
        claim, record = proven(proof, asked, datetime.now(UTC))
        out.print_claim(claim, record, written(proof, record, out_files or (), datetime.now(UTC)), as_json=json)


@proofs.command("list")
def proofs_list(workspace: Workspace = None, json: Json = False) -> None:
    """All proofs, the newest first, and which of them cite a bill that was restated since.

    Example: spendproof proofs list --json
    """
    from reports.stale import stale_proofs  # noqa: PLC0415
    from ui import proofs as out  # noqa: PLC0415

    with _proof(workspace) as proof:
        out.print_proofs(proof.store.proofs(), stale_proofs(proof.lake, proof.store), as_json=json)


@proofs.command("show")
def proofs_show(
    key: Annotated[str, typer.Argument(help="Id, or the beginning of it.")],
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """One proof: what it states, its gates and why it was refused; where its bill was restated, as known now as well.

    Example: spendproof proofs show 3f9a
    """
    from reports.known_now import known_now  # noqa: PLC0415
    from reports.stale import judged  # noqa: PLC0415
    from ui import proofs as out  # noqa: PLC0415

    with _proof(workspace) as proof:
        record, at = proof.store.proof(key), proof.lake.snapshot()
        restated = judged(proof.lake, record, at)
        now = None if restated is None else known_now(proof.lake, record, at)
        out.print_proof(record, restated, now, as_json=json)


@proofs.command("total")
def proofs_total(
    keys: Annotated[
        list[str] | None, typer.Argument(help="Ids, or beginnings of them; without any, all proofs.")
    ] = None,
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """The verified proofs in force as one sum with its interval, or why they have none.

    Example: spendproof proofs total
    """
    from reports.portfolio import together  # noqa: PLC0415
    from reports.stale import stale_proofs  # noqa: PLC0415
    from ui import proofs as out  # noqa: PLC0415

    with _proof(workspace) as proof:
        store = proof.store
        restated = {stale.proof.id for stale in stale_proofs(proof.lake, store)}
        found = together([store.proof(key) for key in keys] if keys else store.proofs(), restated)
        out.print_total(found, as_json=json)
    if found.total.point is None:
        raise typer.Exit(1)


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(baseline, name="baseline")
    app.add_typer(intervention, name="intervention")
    app.command("prove")(prove)
    app.add_typer(proofs, name="proofs")


@contextmanager
def _store(workspace: str | None) -> Generator[Store]:
    """The records of a workspace for one command."""
    from accounts.home import workspace_folder  # noqa: PLC0415
    from reports.records import Store  # noqa: PLC0415

    with sentences():
        found = settings()
        name = workspace or found.workspace
        workspace_folder(found, name)
        yield Store(found, name)


@contextmanager
def _proof(workspace: str | None) -> Generator[OptimizationProof]:
    """A workspace's proofs for one command."""
    from reports.optimization import OptimizationProof  # noqa: PLC0415

    with open_lake(workspace) as lake:
        found = settings()
        yield OptimizationProof(lake, found, workspace or found.workspace)


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()


def _share(text: str, option: str) -> Decimal:
    try:
        share = Decimal(text)
    except InvalidOperation as error:
        raise typer.BadParameter(f"{option} {text} is no number.") from error
    if not 0 < share < 1:
        raise typer.BadParameter(f"{option} {text} is not between 0 and 1.")
    return share
