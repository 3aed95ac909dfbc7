"""The Spend report: what was spent over a period, against another one, by service, provider and model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from analysis.result import ZERO, Metric, share, total
from analysis.spend import SpendRow, spend_table
from analysis.unit_cost import UnitCostRow, unit_cost
from analysis.where import name_of
from reports import numbers, spend_pictures
from reports.ledger_state import Basis
from reports.report import Chart, Column, Figure, Kind, Report, Section, Table, Value
from reports.span import Span
from reports.view import View

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: Rows of a table under their own name; the rest is one row.
MOST_ROWS: Final = 25
_GROUPS: Final = {
    "Service": ("service",),
    "Provider": ("provider",),
    "Model": ("model",),
    "Project or account": ("account", "account-name"),
}


@dataclass(frozen=True, slots=True)
class _Asked:
    daily: ir.Table
    tokens: ir.Table | None
    span: Span
    before: Span
    currency: str
    held_from: date
    provisional_from: date
    synthetic: bool

    @property
    def compared(self) -> bool:
        """Whether all of the days to compare with are loaded."""
        return self.held_from <= self.before.first

    def rows(self, by: Sequence[str], span: Span) -> list[SpendRow]:
        """Spend of the one currency."""
        table = spend_table(self.daily, by, start=span.first, end=span.end)
        return [row for row in table.rows if row.currency == self.currency]

    def groups(self, by: tuple[str, ...], span: Span) -> dict[str, Decimal]:
        """Billed cost of every group by its name, the largest first."""
        found = dict[str, Decimal]()
        for row in self.rows(by, span):
            name = name_of(row.dimensions, by)
            # Nothing keeps a bill from stating "(not stated)".
            found[name] = total((found.get(name, ZERO), row.billed_cost))
        return found

    def unit_costs(self, by: Sequence[str]) -> list[UnitCostRow]:
        """Cost of tokens of the one currency."""
        if self.tokens is None:
            return []
        found = unit_cost(self.tokens, by, start=self.span.first, end=self.span.end)
        return [row for row in found.rows if row.currency == self.currency]

    def frame(self, title: str) -> spend_pictures.Frame:
        """What every chart of the report has in common."""
        return spend_pictures.Frame(title, self.span, self.currency, self.provisional_from, synthetic=self.synthetic)


def spend_report(basis: Basis, view: View, made: datetime) -> Report:
    """The report over one view, all of it read from one snapshot.

    Raises:
        ReportError: the view names days or a currency that the ledger has nothing for.
        ValueError: the scope names a dimension that charges do not have.
    """
    state, lake = basis.state, basis.lake
    span = Span(*view.bounds(made.date()))
    name = "charges" if view.needs_charges else "daily_spend"
    daily, tokens = lake.tables(name, "daily_token_costs", snapshot=state.snapshot)
    asked = _Asked(
        view.within(daily),
        None if view.needs_charges else view.within(tokens),
        span,
        view.against or span.before,
        state.currency(view.currency),
        state.first,
        state.newest_period,
        state.synthetic,
    )
    sections = [_overview(asked), *(_section(asked, by, title) for title, by in _GROUPS.items())]
    if asked.tokens is not None:
        sections.append(_tokens(asked))
    return basis.report("spend", "Spend report", view, made, sections)


def _overview(asked: _Asked) -> Section:
    now = next(iter(asked.rows((), asked.span)), None)
    then = next(iter(asked.rows((), asked.before)), None) if asked.compared else None
    compared = (
        f"compared with {asked.before}"
        if then is not None
        else f"nothing is loaded for all of {asked.before}, so there is no comparison"
    )
    figures = [_cost(now, then, label, metric) for label, metric in _METRICS.items()]
    charges = Figure("Charges", None if now is None else now.charges, Kind.COUNT)
    return Section("Overview", (f"{asked.span}, {compared}.",), (*figures, charges), _by_day(asked))


_METRICS: Final = {"Billed cost": Metric.BILLED, "Effective cost": Metric.EFFECTIVE, "List cost": Metric.LIST}


def _by_day(asked: _Asked) -> tuple[Chart, ...]:
    """Billed cost by day or month, the services on each other; none where nothing was spent."""
    when, by = asked.span.step, _GROUPS["Service"]
    sums = asked.groups(by, asked.span)
    if not sums:
        return ()
    marks = [
        spend_pictures.mark(row, when, name_of(row.dimensions, by), row.billed_cost, numbers.money)
        for row in asked.rows((when, *by), asked.span)
    ]
    return (spend_pictures.stacked(marks, sums, asked.frame(f"Billed cost by {when} and service")),)


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
    was = numbers.money(earlier, now.currency)
    return Figure(label, amount, Kind.MONEY, f"{numbers.percent(moved, sign=True)} from {was}")


def _whole(row: SpendRow | None, metric: Metric) -> Decimal | None:
    """A cost that is known for every charge of the row; a part of it would look like a discount."""
    if row is None:
        return None
    if metric is Metric.EFFECTIVE and row.charges_without_effective:
        return None
    return None if metric is Metric.LIST and row.billed_without_list != ZERO else row.cost(metric)


def _section(asked: _Asked, by: tuple[str, ...], title: str) -> Section:
    now = asked.groups(by, asked.span)
    then = asked.groups(by, asked.before) if asked.compared else {}
    whole = total(now.values())
    named = list(now.items())
    rows = [_row(name, amount, whole, then.get(name, ZERO), asked) for name, amount in named[:MOST_ROWS]]
    if rest := named[MOST_ROWS:]:
        earlier = total(then.get(name, ZERO) for name, _ in rest)
        rows.append(_row(f"{len(rest):,} others", total(amount for _, amount in rest), whole, earlier, asked))
    if gone := total(amount for name, amount in then.items() if name not in now):
        rows.append(_row(f"Only in {asked.before}", ZERO, whole, gone, asked))
    columns = (
        Column(title, Kind.TEXT),
        Column("Billed cost", Kind.MONEY),
        Column("Share", Kind.SHARE),
        Column("Compared with", Kind.MONEY),
        Column("Change", Kind.CHANGE),
    )
    before = total(then.values()) if asked.compared else None
    closing = ("Total", whole, None, before, numbers.change(whole, before))
    name = f"Spend by {title.lower()}"
    return Section(name, tables=(Table(name, columns, tuple(rows), closing),))


def _row(name: str, amount: Decimal, whole: Decimal, earlier: Decimal, asked: _Asked) -> tuple[Value, ...]:
    before = earlier if asked.compared else None
    return name, amount, share(amount, whole), before, numbers.change(amount, before)


def _tokens(asked: _Asked) -> Section:
    held = asked.unit_costs(("model",))
    rows = tuple(
        (name_of(row.dimensions, ("model",)), row.cost_per_million, row.tokens, row.costs.of(Metric.BILLED))
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
    table = Table(name, columns, rows[:MOST_ROWS], note=note if without else "")
    return Section(name, _left_out(rows), charts=_token_trend(asked, held), tables=(table,))


def _left_out(rows: Sequence[tuple[Value, ...]]) -> tuple[str, ...]:
    """That models are left out of a table, where some are."""
    return (f"The {MOST_ROWS} with the largest cost of {len(rows):,} models.",) if len(rows) > MOST_ROWS else ()


def _token_trend(asked: _Asked, held: Sequence[UnitCostRow]) -> tuple[Chart, ...]:
    """Cost per million tokens by day or month of the models with the largest cost."""
    when = asked.span.step
    prices = {
        name_of(row.dimensions, ("model",)): row.cost_per_million for row in held if row.cost_per_million is not None
    }
    if not prices:
        return ()
    marks = [
        spend_pictures.mark(row, when, name_of(row.dimensions, ("model",)), row.cost_per_million, numbers.unit_price)
        for row in asked.unit_costs((when, "model"))
    ]
    return (spend_pictures.lines(marks, prices, asked.frame(f"Cost per 1M tokens by {when} and model")),)
