"""Spend, unit cost and quality as the command line prints them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from analysis import quality, spend, unit_cost
from analysis.result import Metric
from ledger.errors import UnsupportedQueryError
from ledger.lake import Lake
from ui.console import print_json, print_table, say_out

_EMPTY = "The ledger is empty. Load a bill: spendproof import FILE... (or look at the sample: spendproof demo)"


def print_spend(
    lake: Lake, by: Sequence[str], start: date | None, end: date | None, metric: str, *, as_json: bool
) -> None:
    """Spend by dimensions, the largest first."""
    name = "charges" if spend.needs_charges(by) else "daily_spend"
    table = spend.spend_table(lake.table(name), by, start=start, end=end, metric=_metric(metric))
    if as_json:
        print_json([row.record() for row in table.rows])
        return
    if not table.rows:
        say_out(_EMPTY if start is None and end is None else "There is no charge in this period.")
        return
    rows = [
        (
            *_labels(row.dimensions, table.by),
            _money(row.billed_cost),
            _money(row.effective_cost),
            _money(row.list_cost),
            row.currency,
        )
        for row in (*table.rows, *(table.totals() if table.by else ()))
    ]
    headings = (*table.by, "billed", "effective", "list", "currency")
    count = len(table.by)
    print_table(headings, rows, right=(count, count + 1, count + 2))
    if any(row.billed_without_list for row in table.rows):
        say_out("List cost leaves out charges whose list price the bill does not state.")


def print_unit_cost(
    lake: Lake, by: Sequence[str], start: date | None, end: date | None, metric: str, *, as_json: bool
) -> None:
    """Cost per million tokens, and beside it the cost that has no token quantity."""
    table = unit_cost.unit_cost(lake.table("daily_token_costs"), by, start=start, end=end, metric=_metric(metric))
    if as_json:
        print_json([row.record() for row in table.rows])
        return
    if not table.rows:
        say_out("No charge in the ledger names a model or tokens; a cost per token cannot be told.")
        return
    rows = [
        (
            *_labels(row.dimensions, table.by),
            None if row.cost_per_million is None else f"{row.cost_per_million:,.4f}",
            f"{row.tokens / 1_000_000:,.1f}",
            _money(row.cost_without_tokens),
            row.currency,
        )
        for row in table.rows
    ]
    headings = (*table.by, f"{metric} per 1M tokens", "tokens (million)", "cost without tokens", "currency")
    count = len(table.by)
    print_table(headings, rows, right=(count, count + 1, count + 2))
    for reason in sorted({gap.reason for row in table.rows for gap in row.gaps}):
        say_out(f"Without tokens: {reason}")


def print_quality(lake: Lake, *, as_json: bool) -> None:
    """The score of every source, and why it is not better."""
    with lake.reading("loads", "findings", "daily_spend") as tables:
        sources = quality.quality(*tables)
    if as_json:
        print_json([source.record() for source in sources])
        return
    if not sources:
        say_out(_EMPTY)
        return
    for source in sources:
        score = f"{source.score} of 100" if source.score is not None else f"no score: {source.reason}"
        say_out(f"{source.connection}: {score}" + (" (synthetic sample data)" if source.synthetic else ""))
        if source.coverage.days:
            days = source.coverage
            missing = f", {len(days.missing_days)} days missing" if days.missing_days else ""
            say_out(f"  charges from {days.days[0]} to {days.days[-1]}{missing}")
        if source.rows_rejected:
            say_out(f"  {source.rows_rejected:,} of {source.rows_in:,} rows could not be taken")
        for finding in source.findings:
            say_out(f"  {finding.severity}: {finding.sentence}")


def _metric(name: str) -> Metric:
    try:
        return Metric(name)
    except ValueError as error:
        raise UnsupportedQueryError(f"There is no metric {name!r}; there are {', '.join(Metric)}.") from error


def _labels(dimensions: Mapping[str, object], by: Sequence[str]) -> list[str]:
    from analysis.period import label  # noqa: PLC0415 - a name this module would otherwise share

    return [("total" if not dimensions else label(name, dimensions.get(name)) or "(not stated)") for name in by]


def _money(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:,.2f}"
