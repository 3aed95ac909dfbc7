"""The Value report: what AI costs, what a change verifiably saved, and what stands in the way of proving more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from analysis.fees_spend import ai_months
from analysis.result import total
from analysis.unit_cost import unit_cost
from reports import numbers, proved
from reports.claim import State
from reports.ledger_state import Basis
from reports.records import ProofRecord, Store
from reports.report import Column, Figure, Kind, Report, Section, Table, Value
from reports.span import Span
from reports.view import ReportError, View

if TYPE_CHECKING:
    import ibis.expr.types as ir

_NONE: Final = (
    "Nothing is verified yet. A proof begins with a change: freeze a baseline, make the change, and measure it "
    "(spendproof baseline capture, spendproof prove)."
)


def value_report(basis: Basis, view: View, made: datetime) -> Report:
    """The report over one view; proofs are those in force when it is made.

    Raises:
        ReportError: the ledger has nothing for these days or this currency, or the scope is on a dimension that the
            daily rollup does not hold.
    """
    if view.needs_charges:
        raise ReportError("A Value report is narrowed by provider, service, model or project only.")
    currency = basis.state.currency(view.currency)
    records = Store(basis.settings, basis.workspace).proofs()
    standing = _standing(records, currency)
    sections = [_spend(basis, view, Span(*view.bounds(made.date())), currency)]
    if standing:
        sections += [proved.saving(standing[0]), proved.pictures(standing[0])]
    else:
        sections.append(Section("Verified saving", (_NONE,)))
    if records:
        sections.append(_proofs(records))
    return basis.report("value", "Value report", view, made, sections)


def _standing(records: Sequence[ProofRecord], currency: str) -> list[ProofRecord]:
    """The proofs whose saving may be shown, verified ones first; those of other currencies are only listed."""
    found = [record for record in records if proved.stands(record) and record.currency == currency]
    return sorted(found, key=lambda record: proved.STANDING.index(State(record.state)))


def _spend(basis: Basis, view: View, span: Span, currency: str) -> Section:
    daily, tokens = basis.lake.tables("daily_spend", "daily_token_costs", snapshot=basis.state.snapshot)
    spent, then = (_ai_spend(view.within(daily), days, currency) for days in (span, view.against or span.before))
    before = view.against or span.before
    figures = [Figure("AI spend", spent, Kind.MONEY, _moved(spent, then, before, currency, basis.state.first))]
    rows = unit_cost(view.within(tokens), (), start=span.first, end=span.end).rows
    row = next((row for row in rows if row.currency == currency), None)
    note = "blended over all models" if row and row.cost_per_million is not None else (row and row.reason) or ""
    price = None if row is None else row.cost_per_million
    figures.append(Figure("Cost per 1M tokens", price, Kind.UNIT_PRICE, note or "no tokens in these days"))
    return Section("AI spend", (), tuple(figures))


def _ai_spend(daily: ir.Table, span: Span, currency: str) -> Decimal | None:
    """AI spend by the one definition that fees are taken by; None where there is no such charge."""
    months = [row for row in ai_months(daily, start=span.first, end=span.end) if row["currency"] == currency]
    if not sum(int(row["charges"]) for row in months):
        return None
    return total(row["amount"] for row in months if row["amount"] is not None)


def _moved(spent: Decimal | None, then: Decimal | None, before: Span, currency: str, held_from: date) -> str:
    """How AI spend changed, or why that is not known."""
    if spent is None:
        return "no AI charge in these days"
    moved = numbers.change(spent, then) if held_from <= before.first else None
    if moved is None:
        return f"nothing to compare with is loaded for all of {before}"
    return f"{numbers.percent(moved, sign=True)} from {numbers.money(then, currency)}, {before}"


def _proofs(records: Sequence[ProofRecord]) -> Section:
    """Every proof; a saving stands beside those in force alone, in the proof's own currency."""
    rows = list[tuple[Value, ...]]()
    for record in records:
        shown = record.state in proved.STANDING
        figures = (record.point, record.low, record.high) if shown else (None, None, None)
        amounts = [numbers.money(proved.decimal(text), record.currency) for text in figures]
        rows.append(
            (
                record.question,
                record.state,
                amounts[0],
                f"{amounts[1]} to {amounts[2]}" if shown else "—",
                record.reason,
            )
        )
    columns = tuple(Column(name, Kind.TEXT) for name in ("Question", "State", "Saving", "Interval", "Why"))
    return Section("All proofs", tables=(Table("All proofs", columns, tuple(rows)),))
