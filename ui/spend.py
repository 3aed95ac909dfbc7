"""Spend: what was spent, by day and by service, provider, account, region, model or category of charge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import streamlit as st

from analysis import where
from analysis.period import first_of_month
from analysis.quality import SourceQuality
from analysis.result import ZERO, Metric, share, total
from analysis.spend import SpendRow
from reports import figures, numbers
from ui import cards, charts, controls, data, drill, exports, provisional, scope
from ui.cards import Told
from ui.controls import Span
from ui.frame import SYNTHETIC, View, page
from ui.markup import joined
from ui.scope import Scope
from ui.tables import chosen_row, money_column, percent_column, show

GROUPS: Final = {
    "Service": ("service",),
    "Provider": ("provider",),
    "Account": ("account", "account-name"),
    "Region": ("region",),
    "Model": ("model",),
    "Charge category": ("charge-category",),
}


_COSTS: Final = ("spend", "billed-effective-and-list-cost")
TOLD: Final = {
    Metric.BILLED: Told(
        "Sum of FOCUS BilledCost: what the invoices of these days say, credits and taxes included.", *_COSTS
    ),
    Metric.EFFECTIVE: Told(
        "Sum of FOCUS EffectiveCost: prepaid commitments spread over the days that they cover. Unknown where any "
        "charge has none.",
        *_COSTS,
    ),
    Metric.LIST: Told(
        "Sum of FOCUS ListCost: the same without any discount. Unknown where any charge has none.", *_COSTS
    ),
}


@dataclass(frozen=True, slots=True)
class Question:
    """What the person asked."""

    group: str
    metric: Metric
    scope: Scope

    @property
    def span(self) -> Span:
        """The days."""
        return self.scope.span

    @property
    def before(self) -> Span:
        """The days that they are compared with."""
        return self.scope.before

    @property
    def currency(self) -> str:
        """The one currency."""
        return self.scope.currency

    @property
    def by(self) -> tuple[str, ...]:
        """Dimensions of the group."""
        return GROUPS[self.group]


def name_of(row: SpendRow, by: Sequence[str]) -> str:
    """The group of a row as text; an account by its name, then its number."""
    return where.name_of(row.dimensions, by)


def listed(row: SpendRow | None) -> Decimal | None:
    """List cost of a row, or None where it is unknown for any part: a partial sum would look like a discount."""
    return None if row is None or row.billed_without_list != ZERO else row.list_cost


def cost_of(row: SpendRow | None, metric: Metric) -> Decimal | None:
    """Cost of a row by one metric; None where it is unknown, wholly or in part."""
    if row is None or (metric is Metric.EFFECTIVE and row.charges_without_effective):
        return None
    return listed(row) if metric is Metric.LIST else row.cost(metric)


def rows(view: View, by: tuple[str, ...], span: Span, asked: Question) -> list[SpendRow]:
    """Rows of one currency, the largest first."""
    where = asked.scope.where
    table = data.spend(view.workspace, view.snapshot, by, span.first, span.end, asked.metric, where)
    return [row for row in table.rows if row.currency == asked.currency]


def draw(view: View) -> None:
    """The page below its title."""
    with scope.row():
        common = scope.controls_of(view)
        group = controls.choice("Group by", list(GROUPS), "group")
        metric = controls.metric()
    asked = Question(group, metric, common)
    found = rows(view, asked.by, asked.span, asked)
    if not found:
        st.info(
            f"There are no charges in {asked.currency} from {asked.span} in this scope. Choose other days, another "
            "scope or another currency."
        )
        return
    before = rows(view, asked.by, asked.before, asked) if _is_covered(view, asked.before) else None
    _cards(view, asked, compared=before is not None)
    _notes(view, asked, found)
    _chart(view, asked, found)
    _table(view, asked, found, before)


def _is_covered(view: View, span: Span) -> bool:
    return view.coverage.first is not None and view.coverage.first <= span.first


def _cards(view: View, asked: Question, *, compared: bool) -> None:
    now = next(iter(rows(view, (), asked.span, asked)), None)
    then = next(iter(rows(view, (), asked.before, asked)), None) if compared else None
    with st.grid(3, min_column_width=220):
        for label, metric in controls.METRICS.items():
            amount, earlier = cost_of(now, metric), cost_of(then, metric)
            moved = numbers.change(amount, earlier)
            unknown = None if now is None else _unknown(now, metric, asked.currency)
            cards.show(
                f"{label} cost",
                None if amount is None else numbers.money(amount, asked.currency),
                TOLD[metric],
                unknown if amount is None else None if moved is None else numbers.percent(moved, sign=True),
                moved=moved,
                beside=f"from {numbers.money(earlier, asked.currency)}" if moved is not None else None,
            )


def _unknown(row: SpendRow, metric: Metric, currency: str) -> str:
    """For what a cost that is not shown is unknown."""
    if metric is Metric.EFFECTIVE:
        return f"unknown for {numbers.some(row.charges_without_effective, 'charge')}"
    return f"unknown for {numbers.money(row.billed_without_list, currency)}"


def _notes(view: View, asked: Question, found: Sequence[SpendRow]) -> None:
    said = [f"{asked.span}, amounts in {asked.currency}."]
    if _is_covered(view, asked.before):
        said.append(f"Compared with {asked.before}.")
    else:
        said.append("No earlier period of the same length is loaded, so there is nothing to compare with.")
    said += provisional.words(view.coverage, asked.span.last)
    unlisted = total(row.billed_without_list for row in found)
    if unlisted != ZERO:
        figure = numbers.money(unlisted, asked.currency)
        said.append(f"No list price is known for {figure} of billed cost, so there is no total list cost.")
    said += incomplete(data.quality(view.workspace, view.snapshot), asked.span, asked.before)
    said.append("Usage, purchases, credits, refunds and taxes are all included.")
    st.caption(joined(said))


def incomplete(sources: Sequence[SourceQuality], span: Span, before: Span) -> list[str]:
    """What is missing from a period and from the one it is compared with: a lower sum is not always a saving."""
    held = [(source.connection.removeprefix("file:"), source.coverage) for source in sources if source.coverage.days]
    inside = {name: sum(span.first <= day <= span.last for day in days.missing_days) for name, days in held}
    gaps = [f"{name} ({count})" for name, count in inside.items() if count]
    said = [f"Days without any charge, by source: {', '.join(gaps)}; see Loads and data quality."] if gaps else []
    compared = any(days.days[0] <= before.first for _, days in held)
    start = before.first if compared else span.first
    for name, days in held:
        first, last = days.days[0], days.days[-1]
        if before.first <= last < span.last:
            said.append(f"{name} ends on {numbers.day(last)}: later charges are not loaded.")
        if start < first <= span.last:
            said.append(f"{name} begins on {numbers.day(first)}: earlier charges are not loaded.")
    return said


def _chart(view: View, asked: Question, found: Sequence[SpendRow]) -> None:
    monthly = asked.span.monthly
    when = "month" if monthly else "day"
    ranked = [name_of(row, asked.by) for row in found]
    kept = ranked[: figures.TOP] if len(ranked) > figures.TOP + 1 else ranked
    kept = kept[: figures.TOP]
    rest = len(ranked) - len(kept)
    other = f"other ({rest} more)"
    moments = rows(view, (when, *asked.by), asked.span, asked)
    marks = figures.gathered([_mark(row, when, asked) for row in moments], frozenset(kept), other, asked.currency)
    ranking = data.spend(view.workspace, view.snapshot, asked.by, None, None, Metric.BILLED)
    names = [name_of(row, asked.by) for row in ranking.rows if row.currency == asked.currency]
    palette = figures.colours(kept, names) | ({other: figures.OTHER_COLOUR} if rest else {})
    provisional = controls.provisional_from(view.coverage, _today())
    heading = f"{asked.metric.value.capitalize()} cost by {when} and {asked.group.lower()}"
    st.header(heading + (f", the largest {len(kept)} of {len(ranked)}" if rest else ""), anchor=False)
    told = [(name_of(row, asked.by), numbers.money(cost_of(row, asked.metric), asked.currency)) for row in found]
    axis = figures.Axis(
        f"{asked.metric.value.capitalize()} cost, {asked.currency} per {when}",
        monthly,
        asked.span.last,
        max(provisional, asked.span.first) if provisional else None,
        figures.words(heading, told, asked.span.first, asked.span.last),
        SYNTHETIC if view.coverage.synthetic else "",
    )
    picked = charts.show(view, figures.stacked(marks, palette, axis), axis.words, "spend-chart", picks=True)
    if picked:
        _made_of(asked, found, *picked)
    else:
        st.caption("Click a bar, or choose a line of the table, to see the charges that it is made of.")
        # Whoever has no mouse gets to the charges, too.
        drill.link(f"All charges, {asked.span}", drill.address(asked.span, asked.currency, asked.scope.where))


def _made_of(asked: Question, found: Sequence[SpendRow], when: date | None, name: str) -> None:
    """A way to the charges of one group, on one day or month or in all of the period."""
    span = asked.span
    if when is not None:
        end = controls.months_back(when, -1) - timedelta(days=1) if span.monthly else when
        span = Span(max(when, span.first), min(end, span.last))
    row = next((row for row in found if name_of(row, asked.by) == name), None)
    # Several groups together have no value of their own: then it is all charges of the day.
    exactly = {} if row is None else {asked.by[0]: row.dimensions[asked.by[0]]}
    told = f"Charges of {name}, {span}" if row else f"All charges, {span}"
    drill.link(told, drill.address(span, asked.currency, asked.scope.where, exactly))


def _mark(row: SpendRow, when: str, asked: Question) -> figures.Mark:
    amount, moment = cost_of(row, asked.metric), row.dimensions[when]
    if not isinstance(moment, date):
        raise TypeError(f"A {when} of the rollup is no day: {moment!r}.")
    day = first_of_month(moment) if when == "month" else moment
    return figures.Mark(day, name_of(row, asked.by), amount, numbers.money(amount, asked.currency))


def _table(view: View, asked: Question, found: Sequence[SpendRow], before: Sequence[SpendRow] | None) -> None:
    then = {name_of(row, asked.by): row for row in before or ()}
    whole = total(cost for row in found if (cost := cost_of(row, asked.metric)) is not None)
    unit = asked.currency
    records = [_record(row, then, asked, whole, compared=before is not None) for row in found]
    columns: dict[str, Any] = {
        f"Billed, {unit}": money_column(),
        f"Effective, {unit}": money_column(),
        f"List, {unit}": money_column("A dash where the list price of any part is unknown."),
        f"Share of {asked.metric.value}": percent_column(),
        f"Before, {unit}": money_column(f"{asked.metric.value.capitalize()} cost, {asked.before}"),
        "Change": percent_column(signed=True),
    }
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    left.header(f"By {asked.group.lower()}", anchor=False)
    with right, st.container(horizontal=True, horizontal_alignment="right"):
        exports.button(view, "spend", lambda: [row.record() for row in found], asked.span)
    key = f"spend-table-{asked.group}"
    show(records, columns, alt=f"Spend by {asked.group.lower()}, {asked.span}", key=key, on_select=lambda: None)
    row = chosen_row(key)
    if row is not None and row < len(found):
        _made_of(asked, found, None, name_of(found[row], asked.by))


def _record(
    row: SpendRow, then: dict[str, SpendRow], asked: Question, whole: Decimal, *, compared: bool
) -> dict[str, Any]:
    name, unit = name_of(row, asked.by), asked.currency
    cost, earlier = cost_of(row, asked.metric), cost_of(then.get(name), asked.metric)
    return {
        asked.group: name,
        f"Billed, {unit}": row.billed_cost,
        f"Effective, {unit}": cost_of(row, Metric.EFFECTIVE),
        f"List, {unit}": listed(row),
        f"Share of {asked.metric.value}": None if cost is None else numbers.points(share(cost, whole)),
        **({f"Before, {unit}": earlier, "Change": numbers.points(numbers.change(cost, earlier))} if compared else {}),
    }


def _today() -> date:
    return datetime.now(UTC).date()


PAGE: Final = page("Spend", "What was spent, on what, and how that changed.", draw)
