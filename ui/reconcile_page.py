"""Reconciliation: the bill beside tokens times the price book, and what stays unexplained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import streamlit as st

from analysis.period import label
from analysis.reconciled import ReconcileRow
from analysis.result import share
from analysis.where import UNNAMED, Where
from reports import numbers
from ui import cards, controls, exports, provisional, scope
from ui.cards import Told
from ui.controls import Span
from ui.frame import View, page
from ui.markup import joined
from ui.reconcile_data import reconciliation
from ui.tables import count_column, money_column, price_column, show, show_text

GROUPS: Final = {
    "Provider and model": ("provider", "model"),
    "Provider": ("provider",),
    "Provider, model and token type": ("provider", "model", "token-type"),
    "Provider and month": ("month", "provider"),
    "Month": ("month",),
    "Day": ("day",),
    "Source of the tokens": ("tokens-from",),
}
_KINDS: Final = {"unpriced": "No price in the price book", "without_tokens": "No token quantity"}
_FACTOR: Final = (
    "Bill over price book, of the charges that have both tokens and a price: 1 is the listed price, 0.96 is 4% less. "
    "Discounts, credits, commitments, taxes and rounding are in it."
)
_COMPARED: Final = ("reconcile", "what-is-compared")
_TOLD: Final = {
    "Billed for AI": Told("FOCUS BilledCost of every charge that names a model or tokens.", *_COMPARED),
    "Price book": Told("Tokens times the price book's prices of their day, exactly.", *_COMPARED),
    "Factor": Told("Billed cost over book cost, of the charges that have both; below it the single days.", *_COMPARED),
    "Unexplained": Told("What the bill has beyond book price, named credits, commitments and rounding.", *_COMPARED),
    "No price": Told("Billed cost of tokens that have no price in the book.", "reconcile", "never-a-guess"),
    "No tokens": Told("Billed cost whose tokens are not known.", *_COMPARED),
}


@dataclass(frozen=True, slots=True)
class Question:
    """What the person asked."""

    group: str
    span: Span
    currency: str
    where: Where

    @property
    def by(self) -> tuple[str, ...]:
        """Dimensions of the group."""
        return GROUPS[self.group]


def name_of(row: ReconcileRow, by: Sequence[str]) -> str:
    """The group of a row as text: `OpenAI · gpt-5.5`."""
    return " · ".join(label(name, row.dimensions[name]) or UNNAMED for name in by)


def draw(view: View) -> None:
    """The page below its title."""
    with scope.row():
        span = controls.span(view.coverage)
        where = scope.chosen(view)
        group = controls.choice("Group by", list(GROUPS), "reconcile-by")
        currency = controls.currency(view.coverage)
    asked = Question(group, span, currency, where)
    found = reconciliation(view.workspace, view.snapshot, asked.by, span.first, span.end, where)
    whole = next((row for row in found.totals if row.currency == currency), None)
    if whole is None:
        st.info(
            f"No charge in {currency} from {span} names a model or tokens, so there is nothing to compare with the "
            "price book. Load a bill of an AI provider, or choose other days."
        )
        return
    rows = [row for row in found.rows if row.currency == currency]
    _cards(whole)
    _said(view, asked, whole)
    _table(view, asked, rows)
    _remainders(asked, rows)
    _notes(found.notes, found.book_digest)


def _cards(whole: ReconcileRow) -> None:
    unit = whole.currency
    spread = whole.spread
    daily = whole.reason or ""
    if spread is not None:
        daily = f"{_factor(spread.lowest)} to {_factor(spread.highest)} over {numbers.some(spread.days, 'day')}"
    shown = (
        ("Billed for AI", numbers.money(whole.billed, unit), "by the bill, which is the truth"),
        ("Price book", None if whole.book_cost is None else numbers.money(whole.book_cost, unit), "same tokens"),
        ("Factor", _factor(whole.calibration), daily),
        ("Unexplained", None if whole.book_cost is None else numbers.money(whole.unexplained, unit), _part(whole)),
        ("No price", numbers.money(whole.unpriced, unit), f"{numbers.tokens(whole.tokens_unpriced)} tokens"),
        ("No tokens", numbers.money(whole.without_tokens, unit), "not stated, or not by the token"),
    )
    with st.grid(3, min_column_width=180):
        for title, figure, note in shown:
            cards.show(title, figure, _TOLD[title], note)


def _factor(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:.4f}"


def _part(whole: ReconcileRow) -> str:
    part = share(whole.explained, whole.billed)
    return "nothing was compared" if whole.book_cost is None else f"{numbers.percent(part)} of the bill is explained"


def _said(view: View, asked: Question, whole: ReconcileRow) -> None:
    said = [f"{asked.span}, billed cost in {asked.currency}. Bill = price book + difference + no price + no tokens."]
    if whole.effects:
        amount = numbers.money(whole.effects, asked.currency)
        said.append(f"The bill itself names credits and commitments of {amount}; they count as explained.")
    if whole.tokens_from_usage:
        part = numbers.percent(share(whole.tokens_from_usage, whole.tokens))
        said.append(f"{part} of the tokens are from usage records, since the bill states none.")
    said += provisional.words(view.coverage, asked.span.last)
    st.caption(joined(said))


def _table(view: View, asked: Question, rows: Sequence[ReconcileRow]) -> None:
    unit = asked.currency
    columns: dict[str, Any] = {
        f"Bill, {unit}": money_column("Billed cost of all charges of the row"),
        f"Price book, {unit}": money_column("The same tokens at the price book's prices of their day"),
        f"Difference, {unit}": money_column("Bill less price book, of the charges that have tokens and a price"),
        "Factor": price_column(_FACTOR),
        f"Unexplained, {unit}": money_column("Difference beyond rounding, credits and commitments that the bill names"),
        f"No price, {unit}": money_column("Billed cost of tokens that have no price in the price book"),
        f"No tokens, {unit}": money_column("Billed cost without a token quantity"),
        "Tokens": count_column("Single tokens that were compared"),
    }
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    left.header(f"By {asked.group.lower()}", anchor=False)
    with right, st.container(horizontal=True, horizontal_alignment="right"):
        exports.button(view, "reconciliation", lambda: [_flat(row) for row in rows], asked.span)
    show(
        [_record(row, asked) for row in rows],
        columns,
        alt=f"Bill and price book by {asked.group.lower()}, {asked.span}",
        key="reconciliation-table",
    )
    dashes = [
        {asked.group: name_of(row, asked.by), "Why there is no factor": row.reason}
        for row in rows
        if row.reason is not None
    ]
    if dashes:
        with st.expander(f"Where a dash stands, and why ({len(dashes)})"):
            show_text(dashes, alt="Factors that are missing, and why")


def _record(row: ReconcileRow, asked: Question) -> dict[str, Any]:
    unit, spread, compared = asked.currency, row.spread, row.book_cost is not None
    return {
        asked.group: name_of(row, asked.by),
        f"Bill, {unit}": row.billed,
        f"Price book, {unit}": row.book_cost,
        f"Difference, {unit}": row.difference,
        "Factor": row.calibration,
        f"Unexplained, {unit}": row.unexplained if compared else None,
        f"No price, {unit}": row.unpriced,
        f"No tokens, {unit}": row.without_tokens,
        "Factor of days": spread and f"{_factor(spread.lowest)} to {_factor(spread.highest)}",
        "Tokens": row.tokens or None,
    }


def _flat(row: ReconcileRow) -> dict[str, Any]:
    record = row.record()
    parts = record.pop("remainders")
    return record | {"remainders": "; ".join(f"{part['reason']} ({part['cost']})" for part in parts)}


def _remainders(asked: Question, rows: Sequence[ReconcileRow]) -> None:
    """Every cost that could not be compared, with its reason."""
    unit = asked.currency
    parts = sorted(
        ((part, name_of(row, asked.by)) for row in rows for part in row.remainders), key=lambda p: -p[0].cost
    )
    st.header("What could not be compared", anchor=False)
    if not parts:
        st.caption("Every charge of a model in these days has tokens and a price in the price book.")
        return
    shown = [
        {
            "What is missing": _KINDS[part.kind],
            "Why": part.reason,
            asked.group: name,
            f"Cost, {unit}": numbers.money(part.cost, unit),
            "Tokens": numbers.tokens(part.tokens),
        }
        for part, name in parts
    ]
    show_text(shown, alt=f"Cost that could not be compared, {asked.span}")


def _notes(notes: Sequence[str], digest: str) -> None:
    st.caption(f"Price book {digest[:12]}.")
    if notes:
        with st.expander(f"What the bill leaves open, and how it was priced ({len(notes)})"):
            show_text([{"Note": note} for note in notes], alt="What the bill leaves open")


PAGE: Final = page(
    "Reconciliation", "Whether the bill is what the tokens cost by the price book, and by how much it is not.", draw
)
