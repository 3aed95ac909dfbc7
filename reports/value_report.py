"""The Value report: what AI costs, what a change verifiably saved, and what stands in the way of proving more."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from analysis.fees_spend import ai_months
from analysis.result import total
from analysis.unit_cost import unit_cost
from reports import numbers
from reports.claim import State
from reports.claimed import per_million
from reports.ledger_state import Basis
from reports.proof import charts
from reports.proof.issue import loaded
from reports.records import ProofRecord, Store
from reports.report import Chart, Column, Figure, Kind, Report, Section, Table, Value
from reports.view import ReportError, View

#: States in which a saving is shown as one, the strongest first.
STANDING: Final = (State.VERIFIED, State.PROVISIONAL)
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
    if view.scope.needs_charges:
        raise ReportError("A Value report is narrowed by provider, service, model or project only.")
    first, last = view.bounds(made.date())
    currency = basis.state.currency(view.currency)
    records = Store(basis.settings, basis.workspace).proofs()
    standing = _standing(records, currency)
    sections = [_spend(basis, view, (first, last), currency)]
    if standing:
        sections += [_saving(standing[0]), _pictures(standing[0])]
    else:
        sections.append(Section("Verified saving", (_NONE,)))
    if records:
        sections.append(_proofs(records))
    return basis.report("value", "Value report", view, made, sections)


def _standing(records: Sequence[ProofRecord], currency: str) -> list[ProofRecord]:
    """The proofs whose saving may be shown, verified ones first; those of other currencies are only listed."""
    found = [r for r in records if r.state in STANDING and r.point is not None and r.currency == currency]
    return sorted(found, key=lambda record: STANDING.index(State(record.state)))


def _spend(basis: Basis, view: View, days: tuple[date, date], currency: str) -> Section:
    first, end = days[0], days[1] + timedelta(days=1)
    daily, tokens = basis.lake.tables("daily_spend", "daily_token_costs", snapshot=basis.state.snapshot)
    months = [r for r in ai_months(view.scope.charges(daily), start=first, end=end) if r["currency"] == currency]
    charges = sum(int(row["charges"]) for row in months)
    spent = total(row["amount"] for row in months if row["amount"] is not None) if charges else None
    figures = [Figure("AI spend", spent, Kind.MONEY, "" if charges else "no AI charge in these days")]
    if not view.scope.filters:
        rows = [r for r in unit_cost(tokens, (), start=first, end=end).rows if r.currency == currency]
        row = rows[0] if rows else None
        note = "blended over all models" if row and row.cost_per_million is not None else (row and row.reason) or ""
        price = None if row is None else row.cost_per_million
        figures.append(Figure("Cost per 1M tokens", price, Kind.UNIT_PRICE, note or "no tokens in these days"))
    return Section("AI spend", (), tuple(figures))


def _saving(record: ProofRecord) -> Section:
    claim: dict[str, Any] = json.loads(record.claim)
    unit, figures = record.currency, claim["figures"]
    low, high, point = (_decimal(text) for text in (record.low, record.high, record.point))
    level = numbers.percent(Decimal(claim["method"]["confidence"])).replace(".0%", "%")
    interval = f"{level} interval: {numbers.money(low, unit)} to {numbers.money(high, unit)}"
    before, after = (per_million(claim["days"], part) for part in ("baseline", "reporting"))
    moved = numbers.change(after, before)
    shown = f"from {numbers.unit_price(before, unit)}, {numbers.percent(moved, sign=True)}" if moved is not None else ""
    fee = [Decimal(line["amount"]) for line in claim["fee"]]
    name = "Verified saving" if record.state == State.VERIFIED else "Saving, provisional"
    found = (
        Figure(name, point, Kind.MONEY, interval, unit),
        Figure("Share of cost", _decimal(figures["share"]), Kind.SHARE, "of what the same work would have cost"),
        Figure("Cost per 1M tokens", after, Kind.UNIT_PRICE, shown or "tokens are not known on every day", unit),
        Figure("Fee", total(fee) if fee else None, Kind.MONEY, "" if fee else "the proof states no fee", unit),
    )
    rails = [rail["sentence"] for rail in claim["guard_rails"] if rail["state"] != "not assessed"]
    about = f"{record.question} A {record.proof_class} proof of tier {record.tier}, made on {record.created_at[:10]}."
    said = (about, *claim["warnings"], *(rails or ["Quality and performance were not assessed."]))
    return Section(name, said, found)


def _pictures(record: ProofRecord) -> Section:
    document = None if record.document is None else loaded(record.document.encode()).document
    drawn = list[Chart]()
    if document is not None:
        bridge, days = charts.bridge(document, charts.INK), charts.days(document, charts.INK)
        drawn += [Chart("From the baseline to what was paid", _words(document), drawn=bridge)] if bridge else []
        told = "Each day's cost as a dot; the line is what it would have been without the change, with its band."
        drawn += [Chart("Day by day", told, drawn=days)] if days else []
    return Section("How it was measured", charts=tuple(drawn))


def _words(document: Mapping[str, Any]) -> str:
    unit = document["claim"]["currency"]
    parts = [f"{part['label']} {numbers.money(Decimal(part['amount']), unit)}" for part in document["bridge"]]
    return f"Bars: {'; '.join(parts)}."


def _proofs(records: Sequence[ProofRecord]) -> Section:
    """Every proof; a saving stands beside those in force alone, in the proof's own currency."""
    rows = list[tuple[Value, ...]]()
    for record in records:
        shown = record.state in STANDING
        figures = (record.point, record.low, record.high) if shown else (None, None, None)
        amounts = [numbers.money(_decimal(text), record.currency) for text in figures]
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


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
