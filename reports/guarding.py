"""Quality and performance beside a claim: out of the request logs of its scope, and a file of evaluations."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.guard_rails import Evaluation, GuardRail, pass_rate, performance
from analysis.period import Period
from analysis.result import fetch, summed
from ledger.errors import LedgerError

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from reports.cited import Tables
    from reports.question import Question

_WANTED = frozenset({"date", "cases", "passed"})


class EvaluationFileError(LedgerError):
    """A file of evaluations that cannot be read."""


@dataclass(frozen=True, slots=True)
class Evaluations:
    """A file of evaluations: rows of text by column, and how much worse is still taken for no worse (a share)."""

    rows: tuple[Mapping[str, str], ...] = ()
    margin: Decimal | None = None


def read_evaluations(path: Path, where: Mapping[str, str], margin: Decimal | None = None) -> Evaluations:
    """Evaluations out of a CSV file with the columns date, cases, passed and, where they are by model, model.

    Args:
        path: of the file.
        where: values that other columns must have (`product: search`).
        margin: loss that is still taken for none, as a share of cases.

    Raises:
        EvaluationFileError: a column is missing.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        absent = (_WANTED | set(where)) - set(reader.fieldnames or ())
        if absent:
            raise EvaluationFileError(
                f"{path} has no column {', '.join(sorted(absent))}; evaluations have date, cases, passed and, where "
                "they are by model, model."
            )
        rows = tuple(row for row in reader if all(row[name] == value for name, value in where.items()))
    if not rows:
        raise EvaluationFileError(f"{path} has no evaluation where {_told(where)}.")
    return Evaluations(rows, margin)


def rails(evaluations: Evaluations, confidence: Decimal) -> Callable[[Tables, Question], tuple[GuardRail, ...]]:
    """What measures quality and performance of a question's two periods."""

    def found(tables: Tables, question: Question) -> tuple[GuardRail, ...]:
        before, after = (
            Period(first, last + timedelta(days=1)) for first, last in (question.baseline, question.reporting)
        )
        if any(part.dimension == "service" for part in question.scope.filters):
            return ()
        usage = question.scope.usage(tables.usage)
        measured = performance(usage, before, after, float(confidence))
        if not evaluations.rows:
            return measured
        cases = _cases(evaluations.rows, question)
        requests = _requests(usage, before, after)
        return (
            *measured,
            pass_rate(cases, requests, before, after, float(confidence), evaluations.margin),
        )

    return found


def _cases(rows: Sequence[Mapping[str, str]], question: Question) -> tuple[Evaluation, ...]:
    """The evaluations of the scope's models; all of them where the file names no model."""
    wanted = next((set(part.values) for part in question.scope.filters if part.dimension == "model"), None)
    found = list[Evaluation]()
    for number, row in enumerate(rows, start=1):
        model = row.get("model") or None
        if wanted is not None and model is not None and model not in wanted:
            continue
        try:
            cases, passed = int(row["cases"]), int(row["passed"])
            day = date.fromisoformat(row["date"])
        except ValueError as error:
            raise EvaluationFileError(
                f"Evaluation {number}: a date is written 2026-01-31, cases and passed are whole numbers."
            ) from error
        if not 0 <= passed <= cases:
            raise EvaluationFileError(f"Evaluation {number}: {passed} of {cases} cases cannot have passed.")
        found.append(Evaluation(day, model, cases, passed))
    return tuple(found)


def _requests(usage: ir.Table, before: Period, after: Period) -> dict[str, tuple[int, int]]:
    """Requests of each model in both periods, out of the providers' reports."""
    rows: Any = usage.filter(usage["Grain"] != "request", usage["ModelId"].notnull(), usage["Requests"].notnull())
    rows = rows.mutate(on=rows["UsagePeriodStart"].date())
    counts = dict[str, list[int]]()
    for which, period in enumerate((before, after)):
        inside = period.within(rows, "on")
        for row in fetch(inside.group_by("ModelId").aggregate(n=summed(inside, "Requests"))):
            counts.setdefault(row["ModelId"], [0, 0])[which] = int(row["n"])
    return {model: (first, second) for model, (first, second) in counts.items()}


def _told(where: Mapping[str, str]) -> str:
    return " and ".join(f"{name} is {value}" for name, value in where.items()) or "anything is said"
