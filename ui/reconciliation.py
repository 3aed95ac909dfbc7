"""The bill beside the price book, as the command line prints it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from analysis.period import label
from analysis.reconcile import reconcile
from analysis.reconciled import ReconcileRow, Reconciliation
from ledger.lake import Lake
from ledger.price_book import book
from ui.console import print_json, print_table, say, say_out

EMPTY = "No charge of this period names a model or tokens; there is nothing to compare with the price book."


def print_reconciliation(lake: Lake, by: Sequence[str], start: date | None, end: date | None, *, as_json: bool) -> None:
    """Compare the bill of a lake with the workspace's own price book.

    `end` is the day after the last one. As JSON: `by`, `from` (first day), `before` (the day after the last one),
    `book_digest`, `tolerance`, `totals` (one row for each currency), `rows` and `notes`. A row has its dimensions,
    `currency`, `billed_cost` (= `explained` + `unexplained` + `unpriced` + `without_tokens`), `book_cost` and
    `book_cost_highest` (tokens at the price book's prices, and at the dearest that the bill leaves open), `difference`
    (compared cost less book cost), `credits_and_commitments`, `tokens`, `tokens_from_usage`, `tokens_unpriced`,
    `calibration` (compared cost / book cost) with `calibration_lowest_day`, `calibration_highest_day` and
    `calibration_days`, `reason` (why there is no calibration), `charges` and `remainders` (`kind`, `reason`, `cost`,
    `tokens`, `charges`). Amounts are decimal strings, null where there is none.

    Raises:
        ValueError: a dimension is not known.
    """
    known = book.load(lake=lake)
    for gap in known.gaps:
        say(gap)
    with lake.reading("daily_token_costs", "usage") as (costs, usage):
        found = reconcile(costs, usage, known.table, digest=known.digest, by=by, start=start, end=end)
    if as_json:
        print_json(found.record())
        return
    if not found.rows:
        say_out(EMPTY)
        return
    _print(found)


def _print(found: Reconciliation) -> None:
    rows = [_cells(row, found.by) for row in found.rows]
    if found.by:
        rows += [_cells(row, found.by) for row in found.totals]
    headings = (
        *found.by,
        "bill",
        "price book",
        "factor",
        "of days",
        "explained",
        "unexplained",
        "unpriced",
        "without tokens",
        "currency",
    )
    count = len(found.by)
    print_table(headings, rows, right=tuple(range(count, count + 8)))
    say_out(f"Explained within {found.record()['tolerance']}. Price book {found.book_digest[:12]}.")
    for sentence in remarks(found):
        say_out(sentence)


def remarks(found: Reconciliation) -> list[str]:
    """What must be said beside the figures, a sentence each."""
    said = list[str]()
    for row in found.totals:
        if row.effects:
            said.append(
                f"Credits and commitments that the bill itself names: {row.effects:+,.2f} {row.currency}, in explained."
            )
        for part in row.remainders:
            tokens = "" if part.tokens is None else f", {part.tokens:,.0f} tokens"
            kind = part.kind.replace("_", " ").capitalize()
            said.append(f"{kind}: {part.cost:,.2f} {row.currency}{tokens}: {part.reason}")
    return said + [f"Note: {note}" for note in found.notes]


def _cells(row: ReconcileRow, by: Sequence[str]) -> tuple[str | None, ...]:
    names = [label(name, row.dimensions[name]) or "(not stated)" if row.dimensions else "total" for name in by]
    spread = row.spread
    return (
        *names,
        _money(row.billed),
        _money(row.book_cost),
        factor(row.calibration),
        None if spread is None else f"{factor(spread.lowest)} to {factor(spread.highest)}",
        _money(row.explained),
        _money(row.unexplained),
        _money(row.unpriced),
        _money(row.without_tokens),
        row.currency,
    )


def factor(value: Decimal | None) -> str | None:
    """A calibration factor with four digits, half to even."""
    return None if value is None else f"{value:.4f}"


def _money(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:,.2f}"
