"""Unit cost: what a million tokens cost, by model, provider and token type, and the cost that has no tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

import streamlit as st

from analysis.period import first_of_month
from analysis.result import Metric, share, total
from analysis.unit_cost import Gap, UnitCostRow
from analysis.where import UNNAMED
from reports import figures, numbers
from ui import cards, charts, controls, data, drill, exports, provisional, scope
from ui.cards import Told
from ui.controls import Span
from ui.frame import SYNTHETIC, View, page
from ui.markup import joined, plain
from ui.scope import Scope
from ui.tables import chosen_row, count_column, money_column, price_column, show, show_text

GROUPS: Final = {
    "Model": ("model",),
    "Model and token type": ("model", "token-type"),
    "Model and provider": ("model", "provider"),
    "Provider": ("provider",),
    "Token type": ("token-type",),
}
_KIND: Final = ("token-type",)
_HEADINGS: Final[dict[tuple[str, ...], str]] = {by: name for name, by in GROUPS.items()}
_PICKED: Final = "tokens-of"
_TOKENS: Final = ("spend", "cost-per-million-tokens")
TOLD: Final = {
    "Cost per 1M tokens": Told(
        "Cost of the charges that have tokens, times a million, over exactly these tokens.", *_TOKENS
    ),
    "Tokens": Told("Of the bill; of usage records where the bill states none.", *_TOKENS),
    "Cost of these tokens": Told(
        "Cost of the charges that have tokens: what the price per token is made of.", *_TOKENS
    ),
    "Cost without token quantity": Told(
        "AI cost that no price per token can be told from; each part stands below with why.",
        "spend",
        "cost-without-token-quantity",
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
    def currency(self) -> str:
        """The one currency."""
        return self.scope.currency

    @property
    def by(self) -> tuple[str, ...]:
        """Dimensions of the group."""
        return GROUPS[self.group]


def name_of(row: UnitCostRow, by: Sequence[str]) -> str:
    """The group of a row as text: `gpt-4.1 · Input, Read`."""
    return " · ".join(UNNAMED if row.dimensions[name] is None else str(row.dimensions[name]) for name in by)


def rows(view: View, by: tuple[str, ...], asked: Question) -> list[UnitCostRow]:
    """Rows of one currency, the largest cost first."""
    span = asked.span
    where = asked.scope.where
    table = data.cost_of_tokens(view.workspace, view.snapshot, by, span.first, span.end, asked.metric, where)
    return [row for row in table.rows if row.currency == asked.currency]


def draw(view: View) -> None:
    """The page below its title."""
    with scope.row():
        common = scope.controls_of(view)
        group = controls.choice("Group by", list(GROUPS), "tokens-by")
        metric = controls.metric()
    asked = Question(group, metric, common)
    found = rows(view, asked.by, asked)
    if not found:
        st.info(
            f"No charge in {asked.currency} from {asked.span} in this scope names a model or tokens. Load a bill of an "
            "AI provider, or choose other days or another scope."
        )
        return
    _cards(view, asked)
    _notes(view, asked)
    _trend(view, asked, found)
    _table(view, asked, found)
    if asked.by == ("model",):
        _one_model(view, asked, found)
    _gaps(asked, found)


def _cards(view: View, asked: Question) -> None:
    (blend,) = rows(view, (), asked)
    unit = asked.currency
    cost = blend.costs.of(asked.metric)
    without = blend.cost_without_tokens
    whole = None if cost is None or without is None else total((cost, without))
    part = None if whole is None or without is None else share(without, whole)
    shown = (
        ("Cost per 1M tokens", _money(blend.cost_per_million, unit, price=True), "blended over all"),
        ("Tokens", numbers.tokens(blend.tokens) if blend.tokens else None, _origin(blend)),
        ("Cost of these tokens", _money(cost, unit) if blend.tokens else None, f"{asked.metric.value} cost"),
        (
            "Cost without token quantity",
            _money(without, unit),
            "not in the price per token" if part is None else f"{numbers.percent(part)} of the cost of AI",
        ),
    )
    with st.grid(4, min_column_width=200):
        for label, figure, note in shown:
            cards.show(label, figure, TOLD[label], note)
    if blend.reason:
        st.caption(plain(f"There is no cost per 1M tokens: {blend.reason}."))


def _money(amount: Decimal | None, currency: str, *, price: bool = False) -> str | None:
    write = numbers.unit_price if price else numbers.money
    return None if amount is None else write(amount, currency)


def _origin(blend: UnitCostRow) -> str:
    if not blend.tokens_from_usage:
        return "as the bill states them"
    return f"{numbers.percent(share(blend.tokens_from_usage, blend.tokens))} from usage records"


def _notes(view: View, asked: Question) -> None:
    said = [f"{asked.span}, amounts in {asked.currency}. Cost and tokens of the same charges are divided."]
    said += provisional.words(view.coverage, asked.span.last)
    st.caption(joined(said))


def _trend(view: View, asked: Question, found: Sequence[UnitCostRow]) -> None:
    priced = [name_of(row, asked.by) for row in found if row.cost_per_million is not None]
    if not priced:
        return
    kept, when = priced[: figures.TOP], "month" if asked.span.monthly else "day"
    marks = [_mark(row, when, asked) for row in rows(view, (when, *asked.by), asked)]
    marks = [mark for mark in marks if mark.name in kept]
    monthly = asked.span.monthly
    ranking = data.cost_of_tokens(view.workspace, view.snapshot, asked.by, None, None, Metric.BILLED)
    names = [name_of(row, asked.by) for row in ranking.rows if row.currency == asked.currency]
    heading = f"Cost per 1M tokens by {when} and {asked.group.lower()}"
    more = f", the {len(kept)} with the largest cost of {len(priced)}" if len(priced) > len(kept) else ""
    st.header(heading + more, anchor=False)
    told = [(name_of(r, asked.by), numbers.unit_price(r.cost_per_million, asked.currency)) for r in found]
    axis = _axis(view, asked, figures.words(heading, told, asked.span.first, asked.span.last))
    gaps = figures.with_gaps(marks, asked.span.first, asked.span.last, monthly=monthly)
    charts.show(view, figures.lines(gaps, figures.colours(kept, names), axis), axis.words, "unit-cost-chart")


def _axis(view: View, asked: Question, words: str) -> figures.Axis:
    provisional = controls.provisional_from(view.coverage, datetime.now(UTC).date())
    return figures.Axis(
        f"{asked.currency} per 1M tokens",
        asked.span.monthly,
        asked.span.last,
        max(provisional, asked.span.first) if provisional else None,
        words,
        SYNTHETIC if view.coverage.synthetic else "",
    )


def _mark(row: UnitCostRow, when: str, asked: Question) -> figures.Mark:
    moment = row.dimensions[when]
    if not isinstance(moment, date):
        raise TypeError(f"A {when} of the rollup is no day: {moment!r}.")
    day = first_of_month(moment) if when == "month" else moment
    amount = row.cost_per_million
    return figures.Mark(day, name_of(row, asked.by), amount, numbers.unit_price(amount, asked.currency))


def _columns(asked: Question) -> dict[str, Any]:
    unit, metric = asked.currency, asked.metric.value
    return {
        "Tokens": count_column("Single tokens of the charges that state or have them"),
        f"Cost, {unit}": money_column(f"{metric.capitalize()} cost of exactly these tokens"),
        f"Per 1M, {unit}": price_column(f"{metric.capitalize()} cost per 1M tokens"),
        f"List per 1M, {unit}": price_column("A dash where the list price of any part is unknown."),
        f"Without tokens, {unit}": money_column("Cost of charges that have no token quantity; not in the price"),
    }


def _table(view: View, asked: Question, found: Sequence[UnitCostRow]) -> None:
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    left.header(f"By {asked.group.lower()}", anchor=False)
    with right, st.container(horizontal=True, horizontal_alignment="right"):
        exports.button(view, "unit-cost", lambda: [_flat(row) for row in found], asked.span)
    show(
        [_record(row, asked, asked.by) for row in found],
        _columns(asked),
        alt=f"Unit cost by {asked.group.lower()}, {asked.span}",
        key="unit-cost-table",
        on_select=(lambda: _look_into(found)) if asked.by == ("model",) else None,
    )
    _reasons(asked, found)


def _look_into(found: Sequence[UnitCostRow]) -> None:
    row = chosen_row("unit-cost-table")
    if row is not None and row < len(found):
        st.session_state[_PICKED] = name_of(found[row], ("model",))


def _one_model(view: View, asked: Question, found: Sequence[UnitCostRow]) -> None:
    """One model's token types: their unit costs and how these moved."""
    picked = st.selectbox(
        "Look into one model",
        [name_of(row, asked.by) for row in found],
        index=None,
        placeholder="Choose a model, here or by its line above",
        key=_PICKED,
        bind="query-params",
    )
    if picked is None:
        return
    deep, when = replace(asked, group="Model and token type"), "month" if asked.span.monthly else "day"
    types = [row for row in rows(view, deep.by, deep) if name_of(row, ("model",)) == picked]
    st.header(f"{picked} by token type", anchor=False)
    show(
        [_record(row, deep, _KIND) for row in types],
        _columns(asked),
        alt=f"Unit cost of {picked} by token type, {asked.span}",
        key=f"unit-cost-types-{picked}",
    )
    moved = [row for row in rows(view, (when, *deep.by), deep) if name_of(row, ("model",)) == picked]
    marks = [replace(_mark(row, when, deep), name=name_of(row, _KIND)) for row in moved]
    kept = [name_of(row, _KIND) for row in types if row.cost_per_million is not None][: figures.TOP]
    if kept:
        told = [(name_of(r, _KIND), numbers.unit_price(r.cost_per_million, asked.currency)) for r in types]
        heading = f"Cost per 1M tokens of {picked} by {when} and token type"
        axis = _axis(view, asked, figures.words(heading, told, asked.span.first, asked.span.last))
        marks = [mark for mark in marks if mark.name in kept]
        gaps = figures.with_gaps(marks, asked.span.first, asked.span.last, monthly=axis.monthly)
        spec = figures.lines(gaps, figures.colours(kept, kept), axis)
        charts.show(view, spec, axis.words, "unit-cost-types-chart")
    if picked != UNNAMED:
        asks = drill.address(asked.span, asked.currency, asked.scope.where, {"model": picked})
        drill.link(f"Charges of {picked}, {asked.span}", asks)


def _reasons(asked: Question, found: Sequence[UnitCostRow]) -> None:
    """Why a dash stands where a figure could: one line for each."""
    wanted = dict.fromkeys((asked.metric, Metric.LIST))
    dashes = [
        {
            asked.group: name_of(row, asked.by),
            "Figure": f"{metric.value} cost per 1M tokens",
            "Why there is none": reason,
        }
        for metric in wanted
        for row in found
        if (reason := row.reason_for(metric)) and (metric is asked.metric or row.reason is None)
    ]
    if dashes:
        with st.expander(f"Where a dash stands, and why ({len(dashes)})"):
            show_text(dashes, alt="Figures that are missing, and why")


def _record(row: UnitCostRow, asked: Question, by: Sequence[str]) -> dict[str, Any]:
    unit = asked.currency
    return {
        _HEADINGS[tuple(by)]: name_of(row, by),
        "Tokens": row.tokens or None,
        f"Cost, {unit}": row.costs.of(asked.metric) if row.costs.charges else None,
        f"Per 1M, {unit}": row.cost_per_million,
        f"List per 1M, {unit}": row.per_million(Metric.LIST),
        f"Without tokens, {unit}": row.cost_without_tokens,
    }


def _flat(row: UnitCostRow) -> dict[str, Any]:
    record = row.record()
    gaps = record.pop("without_tokens")
    return record | {"without_tokens": "; ".join(f"{gap['reason']} ({gap['cost']})" for gap in gaps)}


def _gaps(asked: Question, found: Sequence[UnitCostRow]) -> None:
    """The remainder: every cost without tokens, with its reason."""
    unit = asked.currency
    gaps = sorted(((gap, name_of(row, asked.by)) for row in found for gap in row.gaps), key=lambda pair: _size(pair[0]))
    st.header("Cost without token quantity", anchor=False)
    if not gaps:
        st.caption("Every charge of a model in these days has a token quantity.")
        return
    st.caption("These charges are AI cost, but no price per token can be told from them, so they stand apart.")
    shown = [
        {
            "Reason": gap.reason,
            asked.group: name,
            f"Cost, {unit}": numbers.money(gap.costs.of(asked.metric), unit),
            "Charges": numbers.count(gap.costs.charges),
        }
        for gap, name in gaps
    ]
    show_text(shown, alt=f"Cost without token quantity, {asked.span}")


def _size(gap: Gap) -> tuple[Decimal, str]:
    return -gap.costs.billed, gap.reason


PAGE: Final = page(
    "Unit cost", "What a million tokens cost, and what part of the cost has no tokens to divide by.", draw
)
