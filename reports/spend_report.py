"""The Spend report: what was spent over a period, against the one before, by service, provider and model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from analysis.result import ZERO, Metric, share, total
from analysis.spend import SpendRow, spend_table
from analysis.unit_cost import unit_cost
from reports import numbers
from reports.ledger_state import Basis
from reports.report import Column, Figure, Kind, Report, Section, Table, Value
from reports.view import View

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: Rows of a table under their own name; the rest is one row.
MOST_ROWS: Final = 25
UNNAMED: Final = "(not stated)"
_GROUPS: Final = {"service": "Service", "provider": "Provider", "model": "Model", "account-name": "Project or account"}


@dataclass(frozen=True, slots=True)
class _Asked:
    daily: ir.Table
    tokens: ir.Table
    first: date
    last: date
    currency: str
    held_from: date

    @property
    def before(self) -> tuple[date, date]:
        """As many days just before; of whole months, as many whole months."""
        end, after = self.first - timedelta(days=1), self.last + timedelta(days=1)
        if self.first.day == 1 and after.day == 1:
            months = (after.year - self.first.year) * 12 + after.month - self.first.month
            year, month = divmod(self.first.year * 12 + self.first.month - 1 - months, 12)
            return date(year, month + 1, 1), end
        return end - (self.last - self.first), end

    def rows(self, by: Sequence[str], first: date, last: date) -> list[SpendRow]:
        """Spend of the one currency."""
        table = spend_table(self.daily, by, start=first, end=last + timedelta(days=1))
        return [row for row in table.rows if row.currency == self.currency]


def spend_report(basis: Basis, view: View, made: datetime) -> Report:
    """The report over one view, all of it read from one snapshot.

    Raises:
        ReportError: the view names days or a currency that the ledger has nothing for.
        ValueError: the scope names a dimension that charges do not have.
    """
    state, lake = basis.state, basis.lake
    first, last = view.bounds(made.date())
    currency = state.currency(view.currency)
    name = "charges" if view.scope.needs_charges else "daily_spend"
    daily, tokens = lake.tables(name, "daily_token_costs", snapshot=state.snapshot)
    asked = _Asked(view.scope.charges(daily), tokens, first, last, currency, state.first)
    sections = [_overview(asked), *(_section(asked, by, title) for by, title in _GROUPS.items())]
    if not view.scope.filters:
        sections.append(_tokens(asked))
    return basis.report("spend", "Spend report", view, made, sections)


def _overview(asked: _Asked) -> Section:
    now = next(iter(asked.rows((), asked.first, asked.last)), None)
    first, last = asked.before
    then = next(iter(asked.rows((), first, last)), None) if asked.held_from <= first else None
    compared = (
        f"compared with {numbers.days(first, last)}"
        if then is not None
        else f"nothing is loaded for all of {numbers.days(first, last)}, so there is no comparison"
    )
    figures = [_cost(now, then, label, metric) for label, metric in _METRICS.items()]
    charges = Figure("Charges", None if now is None else now.charges, Kind.COUNT)
    return Section("Overview", (f"{numbers.days(asked.first, asked.last)}, {compared}.",), (*figures, charges))


_METRICS: Final = {"Billed cost": Metric.BILLED, "Effective cost": Metric.EFFECTIVE, "List cost": Metric.LIST}


def _cost(now: SpendRow | None, then: SpendRow | None, label: str, metric: Metric) -> Figure:
    amount, earlier = _whole(now, metric), _whole(then, metric)
    if now is None:
        return Figure(label, None, Kind.MONEY, "no charges in these days")
    if amount is None:
        unknown = (
            numbers.some(now.charges_without_effective, "charge")
            if metric is Metric.EFFECTIVE
            else f"{numbers.money(now.billed_without_list, now.currency)} of billed cost"
        )
        return Figure(label, None, Kind.MONEY, f"unknown for {unknown}")
    moved = numbers.change(amount, earlier)
    if moved is None:
        return Figure(label, amount, Kind.MONEY)
    return Figure(label, amount, Kind.MONEY, f"{numbers.percent(moved, sign=True)} from {_said(earlier, now)}")


def _said(amount: Decimal | None, row: SpendRow) -> str:
    return numbers.money(amount, row.currency)


def _whole(row: SpendRow | None, metric: Metric) -> Decimal | None:
    """A cost that is known for every charge of the row; a part of it would look like a discount."""
    if row is None:
        return None
    if metric is Metric.EFFECTIVE and row.charges_without_effective:
        return None
    return None if metric is Metric.LIST and row.billed_without_list != ZERO else row.cost(metric)


def _section(asked: _Asked, by: str, title: str) -> Section:
    now = asked.rows((by,), asked.first, asked.last)
    first, last = asked.before
    then = {row.dimensions[by]: row.billed_cost for row in asked.rows((by,), first, last)}
    compared = asked.held_from <= first
    whole = total(row.billed_cost for row in now)
    rows = [
        _row(str(row.dimensions[by] or UNNAMED), row.billed_cost, whole, then.get(row.dimensions[by], ZERO), compared)
        for row in now[:MOST_ROWS]
    ]
    rest = now[MOST_ROWS:]
    if rest:
        earlier = total(then.get(row.dimensions[by], ZERO) for row in rest)
        rows.append(_row(f"{len(rest):,} others", total(r.billed_cost for r in rest), whole, earlier, compared))
    gone = total(amount for key, amount in then.items() if key not in {row.dimensions[by] for row in now})
    note = f"Not in these days, and in the days before: {numbers.money(gone, asked.currency)}." if gone else ""
    columns = (
        Column(title, Kind.TEXT),
        Column("Billed cost", Kind.MONEY),
        Column("Share", Kind.SHARE),
        Column("Days before", Kind.MONEY),
        Column("Change", Kind.CHANGE),
    )
    before = total(then.values()) if compared else None
    closing = ("Total", whole, None, before, numbers.change(whole, before))
    name = f"Spend by {title.lower()}"
    return Section(name, tables=(Table(name, columns, tuple(rows), closing, note if compared else ""),))


def _row(name: str, amount: Decimal, whole: Decimal, earlier: Decimal, compared: bool) -> tuple[Value, ...]:
    before = earlier if compared else None
    return name, amount, share(amount, whole), before, numbers.change(amount, before)


def _tokens(asked: _Asked) -> Section:
    found = unit_cost(asked.tokens, ("model",), start=asked.first, end=asked.last + timedelta(days=1))
    held = [row for row in found.rows if row.currency == asked.currency]
    rows = tuple(
        (str(row.dimensions["model"] or UNNAMED), row.cost_per_million, row.tokens, row.costs.of(Metric.BILLED))
        for row in held
        if row.tokens > ZERO
    )
    without = total(gap.costs.of(Metric.BILLED) or ZERO for row in held for gap in row.gaps)
    note = f"{numbers.money(without, asked.currency)} of AI charges carry no token quantity and are not in it."
    columns = (
        Column("Model", Kind.TEXT),
        Column("Per 1M tokens", Kind.UNIT_PRICE),
        Column("Tokens", Kind.TOKENS),
        Column("Cost of these tokens", Kind.MONEY),
    )
    name = "Cost per million tokens"
    return Section(name, tables=(Table(name, columns, rows[:MOST_ROWS], note=note if without else ""),))
