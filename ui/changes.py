"""Why the cost changed, as the command line prints it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Final

from analysis.bridge import MEANINGS, Bridge, Part, settled
from analysis.change import ChangeRow, ChangeTable, change, previous
from analysis.period import Period
from analysis.result import Metric
from ledger.errors import UnsupportedQueryError
from ledger.lake import Lake
from ui.console import print_json, print_table, say_out

_CENT: Final = Decimal("0.01")
#: Columns of the rows: parts that are told together there.
_COLUMNS: Final = {
    "days": (Part.DAYS,),
    "volume": (Part.VOLUME,),
    "mix": (Part.MIX_BETWEEN, Part.MIX_WITHIN),
    "rate": (Part.RATE,),
    "new": (Part.NEW,),
    "gone": (Part.GONE,),
    "without quantity": (Part.WITHOUT_QUANTITY,),
    "commitment": (Part.COMMITMENT,),
    "credit": (Part.CREDIT,),
}


def print_change(
    lake: Lake,
    by: Sequence[str],
    after: tuple[date | None, date | None],
    before: tuple[date | None, date | None],
    metric: str,
    *,
    as_json: bool,
) -> None:
    """The bridge of each currency, and the rows behind it.

    `before` and `after` are first day and the day after the last one; without `before` it is the period of the same
    length just before `after`. As JSON: `before` and `after` (`from`, `to`: first and last day), `metric`, `by`,
    `totals` and `rows`, each with its dimensions, `currency`, `tokens_before`, `tokens_after`, `cost_before`,
    `cost_after`, `difference` and `parts` (`days`, `volume`, `mix_between`, `mix_within`, `rate`, `new`, `gone`,
    `without_quantity`, `commitment`, `credit`, which add up to `difference`), `without_quantity` (`currency`, `reason`,
    `cost_before`, `cost_after`, `difference`) and `notes`.

    Raises:
        UnsupportedQueryError: there is no such metric.
        ValueError: only one day of the period to compare with is given, or as `analysis.change.change`.
    """
    if (before[0] is None) != (before[1] is None):
        raise ValueError("The period to compare with needs both its days: --against-from and --against-to.")
    asked = Period(*after)
    earlier = Period(*before) if before[0] else previous(asked)
    with lake.reading("daily_spend", "daily_tokens", "daily_token_costs") as tables:
        table = change(*tables, before=earlier, after=asked, by=by, metric=_metric(metric))
    if as_json:
        print_json(table.record())
        return
    if not table.totals:
        say_out("There is no charge in either period.")
    for total in table.totals:
        _print_bridge(table, total)
    if table.rows:
        _print_rows(table)
    for cost in table.without_quantity:
        say_out(
            f"Cost without quantity, in {cost.currency}: {_money(cost.before)} to {_money(cost.after)}: {cost.reason}"
        )
    for note in table.notes:
        say_out(f"Note: {note}")


def in_cents(bridge: Bridge) -> Bridge:
    """The bridge in hundredths, still adding up: costs are rounded half to even, parts by the largest remainder."""
    before, after = bridge.before.quantize(_CENT, ROUND_HALF_EVEN), bridge.after.quantize(_CENT, ROUND_HALF_EVEN)
    if not bridge.parts:
        return Bridge(before, after, {})
    amounts = settled([Fraction(amount) for amount in bridge.parts.values()], after - before, 2)
    return Bridge(before, after, dict(zip(bridge.parts, amounts, strict=True)))


def _print_bridge(table: ChangeTable, row: ChangeRow) -> None:
    bridge = in_cents(row.bridge)
    steps = [(_name(part), f"{amount:+,.2f}", MEANINGS[part]) for part, amount in bridge.parts.items() if amount]
    lines = [
        (_span(table.before), _money(bridge.before), None),
        *steps,
        (_span(table.after), _money(bridge.after), None),
    ]
    print_table((f"{table.metric} cost", row.currency, ""), [(a, b, c or "") for a, b, c in lines], right=(1,))
    say_out("")


def _print_rows(table: ChangeTable) -> None:
    bridges = [in_cents(row.bridge) for row in table.rows]
    shown = [name for name, parts in _COLUMNS.items() if any(bridge.part(*parts) for bridge in bridges)]
    rows = [
        (
            *(value or "(not stated)" for value in row.dimensions.values()),
            _money(bridge.before),
            _money(bridge.after),
            f"{bridge.difference:+,.2f}",
            *(_signed(bridge.part(*_COLUMNS[name])) for name in shown),
            row.currency,
        )
        for row, bridge in zip(table.rows, bridges, strict=True)
    ]
    count = len(table.by)
    headings = (*table.by, "before", "after", "difference", *shown, "currency")
    print_table(headings, rows, right=range(count, count + 3 + len(shown)))


def _metric(name: str) -> Metric:
    try:
        return Metric(name)
    except ValueError as error:
        raise UnsupportedQueryError(f"There is no metric {name!r}; there are {', '.join(Metric)}.") from error


def _span(period: Period) -> str:
    last = None if period.end is None else date.fromordinal(period.end.toordinal() - 1)
    return f"{period.start} to {last}"


def _name(part: Part) -> str:
    return part.replace("_", " ")


def _money(amount: Decimal) -> str:
    return f"{amount:,.2f}"


def _signed(amount: Decimal) -> str | None:
    return f"{amount:+,.2f}" if amount else None
