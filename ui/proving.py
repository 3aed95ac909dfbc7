"""From what a person asks for to a kept proof."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.plan import parse_plan
from analysis.scope import of, parse
from reports.charging import fee_of, plan_for
from reports.claim import Claim, Intervention
from reports.guarding import Evaluations, rails, read_evaluations
from reports.invoices import read_invoices
from reports.measuring import Given
from reports.optimization import OptimizationProof, Span
from reports.proof.issue import FORMATS, files, loaded
from reports.proof.keys import signer
from reports.question import QuestionError, check_kind, intervention_of
from reports.records import new_id

if TYPE_CHECKING:
    from reports.records import ProofRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The options of `prove`, as its help says."""

    change: str | None
    day: date | None
    kind: str
    note: str
    scope: str | None
    driver: str
    frozen: str | None
    baseline: Span
    reporting: Span
    signed_by: str | None
    invoices: Path | None
    evaluations: Path | None
    where: str
    margin: Decimal | None
    plan: Path | None
    confidence: Decimal
    supersedes: str | None
    fee_plan: str | None = None
    contract: Path | None = None


def proven(proof: OptimizationProof, asked: Asked, now: datetime) -> tuple[Claim, ProofRecord]:
    """Measure, and keep the proof.

    Raises:
        LedgerError: something that was asked for is not there, or cannot be asked so.
    """
    change = _change(proof, asked)
    frozen = proof.store.baseline(asked.frozen) if asked.frozen else None
    if frozen is not None and (asked.baseline != (None, None) or asked.scope is not None):
        raise QuestionError("A frozen baseline has its own scope and days: leave out --scope and --baseline-from/-to.")
    older = proof.store.proof(asked.supersedes) if asked.supersedes else None
    key = new_id()
    claim = proof.calculate_improvements(
        change,
        _given(asked, key, now.date()),
        now,
        scope=of(change.scope) if asked.scope is None else parse(asked.scope),
        driver=asked.driver,
        baseline=asked.baseline,
        reporting=asked.reporting,
        frozen=frozen,
        plan=parse_plan(asked.plan.read_text(encoding="utf-8")) if asked.plan else None,
    )
    return claim, proof.generate_proof_report(claim, now, supersedes=older, proof=key)


def check_names(paths: Sequence[Path]) -> None:
    """Let files pass whose names say a format that proofs are written in.

    Raises:
        QuestionError: one does not.
    """
    for path in paths:
        if path.suffix.removeprefix(".") not in FORMATS:
            raise QuestionError(f"{path}: a proof is written as {', '.join(f'.{name}' for name in FORMATS)}.")


def written(proof: OptimizationProof, record: ProofRecord, paths: Sequence[Path], now: datetime) -> list[str]:
    """Write a proof to files, each in the format of its name; the names of all files, signatures included."""
    found = list[str]()
    if not paths or record.document is None:
        return found
    key, kept = signer(proof.settings, proof.workspace, now), loaded(record.document.encode())
    for path in paths:
        for name, content in files(kept, key, [path.suffix.removeprefix(".")], path.stem).items():
            path.with_name(name).write_bytes(content)
            found.append(str(path.with_name(name)))
    return found


def _change(proof: OptimizationProof, asked: Asked) -> Intervention:
    if (asked.change is None) == (asked.day is None):
        raise QuestionError(
            "Name the change: --change ID of a registered one (spendproof intervention list), or --on DAY."
        )
    if asked.change is not None:
        return intervention_of(proof.store.intervention(asked.change))
    check_kind(asked.kind)
    if asked.day is None:
        raise QuestionError("Name the day of the change: --on 2026-05-12.")
    return Intervention(asked.day, None, asked.kind, asked.note, scope=parse(asked.scope or "").filters)


def _given(asked: Asked, proof: str, today: date) -> Given:
    if asked.contract is not None and asked.fee_plan is None:
        raise QuestionError("Name the plan of the contract as well: --fee-plan NAME.")
    charged = plan_for(asked.fee_plan, today, asked.contract) if asked.fee_plan else None
    where = dict[str, str]()
    for part in (part.strip() for part in asked.where.split(",") if part.strip()):
        name, sign, value = part.partition("=")
        if not sign:
            raise QuestionError(f"--where {part}: write COLUMN=VALUE.")
        where[name.strip()] = value.strip()
    read = read_evaluations(asked.evaluations, where, asked.margin) if asked.evaluations else Evaluations()
    return Given(
        signed_by=asked.signed_by,
        invoices=read_invoices(asked.invoices) if asked.invoices else (),
        guard_rails=rails(read, asked.confidence),
        confidence=asked.confidence,
        fee_of=None if charged is None else fee_of(charged, proof),
    )
