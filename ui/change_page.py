"""Why it changed: the difference between the costs of two periods, as parts that add up to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

import streamlit as st

from analysis.bridge import MEANINGS, Bridge, Part
from analysis.change import ChangeRow, ChangeTable, WithoutQuantity
from analysis.period import Period
from analysis.result import ZERO, Metric
from analysis.where import UNNAMED
from reports import figures, numbers
from ui import cards, change_data, charts, controls, exports, provisional, scope
from ui.cards import Told
from ui.changes import in_cents
from ui.controls import Span
from ui.frame import SYNTHETIC, View, page
from ui.markup import joined, plain
from ui.scope import Scope
from ui.tables import chosen_row, difference_column, money_column, show, show_text

#: Dimension of each group, and what a member of it can be looked into by.
GROUPS: Final = {"Provider": "provider", "Model": "model", "Project": "project"}
SPLITS: Final = {"Provider": "provider", "Model": "model", "Project": "project", "Token type": "token-type"}
METRICS: Final = {"Billed": Metric.BILLED, "Effective": Metric.EFFECTIVE}
EVERYTHING: Final = "Everything"
_PICKED: Final = "change-of"
_TABLE: Final = "change-table"

NAMES: Final = {
    Part.DAYS: "Days",
    Part.VOLUME: "Volume",
    Part.MIX_BETWEEN: "Mix between projects",
    Part.MIX_WITHIN: "Mix within projects",
    Part.RATE: "Rate",
    Part.NEW: "New models",
    Part.GONE: "Gone models",
    Part.WITHOUT_QUANTITY: "Without quantity",
    Part.COMMITMENT: "Commitments",
    Part.CREDIT: "Credits",
}
_COST: Final = Told(
    "Sum of the chosen cost over the days of the period. What it is made of stands below.", "change", "items"
)
_DIFFERENCE: Final = Told(
    "Cost less cost before; the parts below add up to it to the last digit.", "change", "the-parts"
)


@dataclass(frozen=True, slots=True)
class Question:
    """What the person asked; `picked` is the one member of the group that is looked into, `split` what by."""

    group: str
    metric: Metric
    scope: Scope
    picked: str = EVERYTHING
    split: str = ""

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
    def about(self) -> str:
        """What the bridge is about."""
        return "the cost" if self.picked == EVERYTHING else f"the cost of {self.picked}"


def draw(view: View) -> None:
    """The page below its title."""
    with scope.row():
        common = scope.controls_of(view)
        metric = METRICS[controls.choice("Cost", list(METRICS), "change-cost")]
        group = controls.choice("Group by", list(GROUPS), "change-by")
        deeper = st.container()
    asked = Question(group, metric, common)
    span, before, currency = asked.span, asked.before, asked.currency
    if before.last >= span.first and span.last >= before.first:
        st.info(f"The two periods overlap: {before} and {span}. Choose days that do not.")
        return
    try:
        table = _ask(view, asked, (GROUPS[group],))
    except ValueError as error:
        st.info(str(error))
        return
    rows = [row for row in table.rows if row.currency == currency]
    whole = next((row for row in table.totals if row.currency == currency), None)
    if whole is None:
        st.info(f"There are no charges in {currency} in either period. Choose other days or another currency.")
        return
    _bridged(view, _looked_into(asked, rows, deeper), table, rows, whole)


def _bridged(view: View, asked: Question, table: ChangeTable, rows: list[ChangeRow], whole: ChangeRow) -> None:
    if asked.picked != EVERYTHING:
        group = GROUPS[asked.group]
        whole = next(row for row in rows if _name(row, group) == asked.picked)
        found = _ask(view, asked, (group, SPLITS[asked.split])).rows
        rows = [row for row in found if row.currency == asked.currency and _name(row, group) == asked.picked]
    _cards(asked, whole)
    _notes(view, asked)
    _chart(view, asked, whole)
    _table(view, asked, rows, whole)
    _without(asked, [cost for cost in table.without_quantity if cost.currency == asked.currency])
    _remarks(table)


def _looked_into(asked: Question, rows: Sequence[ChangeRow], place: Any) -> Question:  # noqa: ANN401 - a container
    """The question with the one member that the person wants to look into, and by what it is split."""
    names = [_name(row, GROUPS[asked.group]) for row in rows]
    with place, st.container(horizontal=True):
        picked = st.selectbox(
            f"Look into one {asked.group.lower()}", [EVERYTHING, *names], key=_PICKED, bind="query-params"
        )
        if picked == EVERYTHING:
            return asked
        split = controls.choice("Split by", [name for name in SPLITS if name != asked.group], "change-split")
    return replace(asked, picked=picked, split=split)


def _ask(view: View, asked: Question, by: tuple[str, ...]) -> ChangeTable:
    before, after = _period(asked.before), _period(asked.span)
    return change_data.changes(view.workspace, view.snapshot, by, before, after, asked.metric, asked.scope.where)


def _period(span: Span) -> Period:
    return Period(span.first, span.end)


def _name(row: ChangeRow, dimension: str) -> str:
    value = row.dimensions[dimension]
    return UNNAMED if value is None else str(value)


def _cards(asked: Question, whole: ChangeRow) -> None:
    bridge, unit = in_cents(whole.bridge), asked.currency
    moved = numbers.change(bridge.after, bridge.before)
    shown = (
        (
            f"{asked.metric.value.capitalize()} cost before",
            numbers.money(bridge.before, unit),
            str(asked.before),
            _COST,
        ),
        (f"{asked.metric.value.capitalize()} cost", numbers.money(bridge.after, unit), str(asked.span), _COST),
        (
            "Difference",
            signed(bridge.difference, unit),
            "no positive cost before to compare with" if moved is None else numbers.percent(moved, sign=True),
            _DIFFERENCE,
        ),
    )
    with st.grid(3, min_column_width=220):
        for label, figure, note, told in shown:
            cards.show(label, figure, told, note)


def signed(amount: Decimal, currency: str) -> str:
    """Money with its sign: `+$7.00`; no sign where it is nothing."""
    text = numbers.money(amount, currency)
    return f"+{text}" if amount > ZERO else text


def _notes(view: View, asked: Question) -> None:
    said = [
        f"{asked.span} compared with {asked.before}, {asked.metric.value} cost in {asked.currency}.",
        "A description of what the bill and the usage say, not a measured saving.",
    ]
    said += provisional.words(view.coverage, asked.span.last)
    st.caption(joined(said))


def steps(bridge: Bridge, before: str, after: str, currency: str) -> list[figures.Step]:
    """The lines of a bridge in cents, parts of nothing left out."""
    return [
        figures.Step(before, bridge.before, numbers.money(bridge.before, currency), whole=True),
        *(
            figures.Step(NAMES[part], amount, signed(amount, currency), meaning=_sentence(MEANINGS[part]))
            for part in Part
            if (amount := bridge.part(part))
        ),
        figures.Step(after, bridge.after, numbers.money(bridge.after, currency), whole=True),
    ]


def _sentence(meaning: str) -> str:
    return meaning[0].upper() + meaning[1:]


def _chart(view: View, asked: Question, whole: ChangeRow) -> None:
    st.header(f"Why {asked.about} changed", anchor=False)
    lines = steps(in_cents(whole.bridge), "Before", "After", asked.currency)
    told = figures.bridge_words(f"Why {asked.about} changed from {asked.before} to {asked.span}", lines)
    spec = figures.bridge(
        lines,
        f"{asked.metric.value.capitalize()} cost, {asked.currency}",
        told,
        SYNTHETIC if view.coverage.synthetic else "",
    )
    charts.show(view, spec, told, "change-chart")
    parts = [part for part in Part if whole.bridge.part(part)]
    with st.expander("What the parts mean"):
        show_text(
            [{"Part": NAMES[part], "What it is": _sentence(MEANINGS[part])} for part in parts] or [{"Part": "None"}],
            alt="Meaning of the parts",
        )


def _table(view: View, asked: Question, rows: Sequence[ChangeRow], whole: ChangeRow) -> None:
    deeper = asked.picked != EVERYTHING
    heading, dimension = (asked.split, SPLITS[asked.split]) if deeper else (asked.group, GROUPS[asked.group])
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    left.header(f"{asked.picked} by {heading.lower()}" if deeper else f"By {heading.lower()}", anchor=False)
    with right, st.container(horizontal=True, horizontal_alignment="right"):
        exports.button(view, "change", lambda: [_flat(row, asked) for row in (*rows, whole)], asked.span)
    shown = [part for part in Part if any(row.bridge.part(part) for row in rows)]
    total = in_cents(whole.bridge)
    bridges = [in_cents(row.bridge) for row in rows]
    named = [(_name(row, dimension), bridge) for row, bridge in zip(rows, bridges, strict=True)]
    records = [_record(heading, name, bridge, shown, asked.currency) for name, bridge in [*named, ("All", total)]]
    unit = asked.currency
    columns: dict[str, Any] = {
        f"Before, {unit}": money_column(str(asked.before)),
        f"After, {unit}": money_column(str(asked.span)),
        f"Difference, {unit}": difference_column(),
        **{NAMES[part]: difference_column(_sentence(MEANINGS[part])) for part in shown},
    }
    names = [name for name, _ in named]
    show(
        records,
        columns,
        alt=f"Parts of the difference by {heading.lower()}, {asked.span}",
        # A new table for each view, so that a row chosen in one is not chosen in the next.
        key=f"{_TABLE}-{asked.group}-{asked.picked}",
        on_select=None if deeper else lambda: _look_into(f"{_TABLE}-{asked.group}-{asked.picked}", names),
    )
    said = ["Every line adds up: the cost before and its parts make the cost after, to the cent."]
    if any(total.part(part) != sum(bridge.part(part) for bridge in bridges) for part in shown):
        said.append("Down a column, cents may differ from the last line; the downloaded file has all digits.")
    if not deeper:
        said.append(f"Choose a line to look into that {heading.lower()}.")
    st.caption(" ".join(said))


def _look_into(table: str, names: Sequence[str]) -> None:
    """The chosen line becomes the one that is looked into; the last line is the total."""
    row = chosen_row(table)
    if row is not None and row < len(names):
        st.session_state[_PICKED] = names[row]


def _record(heading: str, name: str, bridge: Bridge, shown: Sequence[Part], currency: str) -> dict[str, Any]:
    return {
        heading: name,
        f"Before, {currency}": bridge.before,
        f"After, {currency}": bridge.after,
        f"Difference, {currency}": bridge.difference,
        **{NAMES[part]: bridge.part(part) or None for part in shown},
    }


def _flat(row: ChangeRow, asked: Question) -> dict[str, Any]:
    """A row as an export carries it: all digits, one column for each part; the row of the total has no dimension."""
    record = row.record()
    parts = record.pop("parts")
    days = {"compared_from": f"{asked.before.first}", "compared_to": f"{asked.before.last}"}
    return days | {"of": asked.picked, "metric": str(asked.metric)} | record | parts


def _without(asked: Question, costs: Sequence[WithoutQuantity]) -> None:
    """The remainder: cost of which nobody can say whether its price or its volume changed."""
    if not costs or asked.picked != EVERYTHING:
        return
    st.header("Cost without quantity", anchor=False)
    st.caption("Its difference is neither price nor volume, so it stands apart as one part.")
    unit = asked.currency
    shown = [
        {
            "Reason": _sentence(cost.reason),
            f"Before, {unit}": numbers.money(cost.before, unit),
            f"After, {unit}": numbers.money(cost.after, unit),
            f"Difference, {unit}": signed(cost.after - cost.before, unit),
        }
        for cost in costs
    ]
    show_text(shown, alt=f"Cost without quantity, {asked.span}")


def _remarks(table: ChangeTable) -> None:
    if table.notes:
        with st.expander(f"Notes on these figures ({len(table.notes)})", expanded=True):
            for note in table.notes:
                st.markdown(f"- {plain(note)}")


PAGE: Final = page("Why it changed", "What made the cost of one period differ from that of another.", draw)
