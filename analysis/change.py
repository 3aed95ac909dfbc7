"""Why the cost of one period differs from that of another: the difference as parts that add up to it.

Every charge belongs to one item, the grain at which a price is constant: provider, service, project (SubAccountId),
model, version, token type, cache lifetime, modality, tier, context window and serving region. Parts are settled for
each item (`analysis.change_items`); those of a project, model or provider are sums over its items, so that they add
up at every level, and how rows are grouped changes no part. Currencies are apart from the first step on. The method
is in docs/method/change.md.
"""

# Ibis types `table["x"]` as an abstract column, without the operations of its kind.
# pyright: reportAttributeAccessIssue=false, reportOperatorIssue=false, reportArgumentType=false
# pyright: reportCallIssue=false, reportReturnType=false
from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from analysis.bridge import Bridge, combined
from analysis.change_items import Item, Key, Side, bridges
from analysis.change_sums import (
    ITEM,
    NO_TOKENS,
    SHARED,
    bounds,
    charge_days,
    length,
    spend_sums,
    token_sums,
)
from analysis.period import Period
from analysis.result import ZERO, Dimensions, Metric, fetch, order, plain, total

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: Dimensions that rows can be grouped by; cost without tokens has only the first four, and `currency`.
DIMENSIONS: Final = (*SHARED, "project", *(name for name in ITEM if name not in SHARED), "token-type", "currency")


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """The difference of one combination of dimensions, in one currency; tokens are those of items with a price."""

    dimensions: Dimensions
    currency: str
    tokens_before: Decimal
    tokens_after: Decimal
    bridge: Bridge

    def record(self) -> dict[str, Any]:
        """The row as JSON carries it: amounts as decimal strings."""
        return {
            **self.dimensions,
            "currency": self.currency,
            "tokens_before": plain(self.tokens_before),
            "tokens_after": plain(self.tokens_after),
            **self.bridge.record(),
        }


@dataclass(frozen=True, slots=True)
class WithoutQuantity:
    """Cost (without commitments and credits) whose difference is no price and no volume, and why."""

    currency: str
    reason: str
    before: Decimal
    after: Decimal

    def record(self) -> dict[str, Any]:
        """The cost as JSON carries it."""
        return {
            "currency": self.currency,
            "reason": self.reason,
            "cost_before": plain(self.before),
            "cost_after": plain(self.after),
            "difference": plain(total((self.after, self.before.copy_negate()))),
        }


@dataclass(frozen=True, slots=True)
class ChangeTable:
    """Why the cost changed between two periods: the question and its answer.

    Attributes:
        by: dimensions of the rows.
        before: the period that is compared with.
        after: the period in question.
        metric: billed or effective cost.
        totals: one row for each currency.
        rows: one for each combination of dimensions and currency, the largest difference first.
        without_quantity: what the part of that name is made of, the largest difference first.
        notes: what to know before believing the figures, as sentences.
    """

    by: tuple[str, ...]
    before: Period
    after: Period
    metric: Metric
    totals: tuple[ChangeRow, ...]
    rows: tuple[ChangeRow, ...]
    without_quantity: tuple[WithoutQuantity, ...]
    notes: tuple[str, ...]

    def record(self) -> dict[str, Any]:
        """The answer as JSON carries it; periods by their first and last day."""
        return {
            "before": _days(self.before),
            "after": _days(self.after),
            "metric": str(self.metric),
            "by": list(self.by),
            "totals": [row.record() for row in self.totals],
            "rows": [row.record() for row in self.rows],
            "without_quantity": [cost.record() for cost in self.without_quantity],
            "notes": list(self.notes),
        }


def previous(period: Period) -> Period:
    """The period of the same length that ends where this one begins.

    Raises:
        ValueError: the period has no beginning or no end.
    """
    start, _ = bounds(period)
    return Period(start - timedelta(days=length(period)), start)


def change(
    daily_spend: ir.Table,
    daily_tokens: ir.Table,
    token_costs: ir.Table,
    *,
    before: Period,
    after: Period,
    by: Sequence[str] = (),
    metric: Metric = Metric.BILLED,
) -> ChangeTable:
    """Why the cost changed from one period to another, by dimensions.

    Args:
        daily_spend: the rollup (`ledger.tables.DAILY_SPEND`): all of the cost.
        daily_tokens: the rollup (`ledger.tables.DAILY_TOKENS`): what of it is for tokens.
        token_costs: the same with tokens of usage where the bill states none (`ledger.tables.DAILY_TOKEN_COSTS`).
        before: the period to compare with.
        after: the period in question.
        by: dimensions of the rows (`DIMENSIONS`); none for the totals only.
        metric: billed or effective.

    Raises:
        ValueError: a dimension is not known, a period is open, the ledger has charges in one of them only, or the
            metric is list cost, in which a commitment's fee and the use that it covers are the same money twice.
    """
    names = tuple(dict.fromkeys(by))
    for name in names:
        if name not in DIMENSIONS:
            raise ValueError(f"A change cannot be grouped by {name!r}; known dimensions are {', '.join(DIMENSIONS)}.")
    if metric is Metric.LIST:
        raise ValueError("A change is explained for billed or effective cost; list cost counts commitments twice.")
    lengths = length(before), length(after)
    items, notes = _items(daily_spend, daily_tokens, token_costs, before, after, metric)
    explained = bridges(items, *lengths)
    rows = _rows(explained, names) if names else []
    rows.sort(key=lambda row: order(row.dimensions, abs(row.bridge.difference)))
    return ChangeTable(
        by=names,
        before=before,
        after=after,
        metric=metric,
        totals=tuple(sorted(_rows(explained, ()), key=lambda row: row.currency)),
        rows=tuple(rows),
        without_quantity=tuple(_without_quantity(items)),
        notes=tuple(notes),
    )


def _items(
    daily_spend: ir.Table, daily_tokens: ir.Table, token_costs: ir.Table, before: Period, after: Period, metric: Metric
) -> tuple[list[Item], list[str]]:
    """The items of both periods, and what to know about them."""
    found = fetch(token_sums(token_costs, before, after, metric))
    spent = fetch(spend_sums(daily_spend, before, after, metric))
    in_tokens = {_shared(row): row for row in fetch(spend_sums(daily_tokens, before, after, metric))}
    items = [_item(row, ITEM, row["gap"]) for row in found]
    items += [_item(_less(row, in_tokens.get(_shared(row))), SHARED, NO_TOKENS) for row in spent]
    nothing = Side()
    notes = _coverage(fetch(charge_days(daily_spend, before, after)), before, after)
    return [item for item in items if not item.before == item.after == nothing], [*notes, *_unknown(spent, metric)]


def _shared(row: Mapping[str, Any]) -> Key:
    return row["currency"], *(row[name] for name in SHARED)


def _less(row: dict[str, Any], part: dict[str, Any] | None) -> dict[str, Any]:
    """The charges of a row that are not for tokens."""
    if part is None:
        return row
    measures = [n for n in row if n.startswith(("cost_", "commitment_", "credit_"))]
    rest = {name: total((row[name] or ZERO, (part[name] or ZERO).copy_negate())) for name in measures}
    return row | rest


def _item(row: Mapping[str, Any], dimensions: Sequence[str], gap: str | None) -> Item:
    return Item(
        currency=row["currency"],
        dimensions={name: row[name] if name in dimensions else None for name in ITEM},
        gap=gap,
        before=_side(row, "before", gap is None),
        after=_side(row, "after", gap is None),
    )


def _side(row: Mapping[str, Any], when: str, with_tokens: bool) -> Side:
    return Side(
        tokens=(row[f"tokens_{when}"] or ZERO) if with_tokens else ZERO,
        cost=row[f"cost_{when}"] or ZERO,
        commitment=row[f"commitment_{when}"] or ZERO,
        credit=row[f"credit_{when}"] or ZERO,
    )


def _rows(explained: Iterable[tuple[Item, Bridge]], by: tuple[str, ...]) -> list[ChangeRow]:
    groups = defaultdict[Key, list[tuple[Item, Bridge]]](list)
    for item, bridge in explained:
        groups[(item.currency, *(_value(item, name) for name in by))].append((item, bridge))
    return [
        ChangeRow(
            dimensions=dict(zip(by, key[1:], strict=True)),
            currency=key[0] or "",
            tokens_before=total(item.before.tokens for item, _ in members if item.has_price),
            tokens_after=total(item.after.tokens for item, _ in members if item.has_price),
            bridge=combined(bridge for _, bridge in members),
        )
        for key, members in groups.items()
    ]


def _value(item: Item, name: str) -> str | None:
    if name == "currency":
        return item.currency
    if name == "project":
        return item.dimensions["account"]
    if name == "token-type":
        direction, action = item.dimensions["direction"], item.dimensions["cache-action"]
        return f"{direction}, {action}" if direction == "Input" and action else direction
    return item.dimensions[name]


def _without_quantity(items: Iterable[Item]) -> list[WithoutQuantity]:
    groups = defaultdict[tuple[str, str], list[Item]](list)
    for item in items:
        if item.reason is not None:
            groups[item.currency, item.reason].append(item)
    costs = [
        WithoutQuantity(*key, total(i.before.own for i in members), total(i.after.own for i in members))
        for key, members in groups.items()
    ]
    costs = [cost for cost in costs if cost.before or cost.after]
    return sorted(costs, key=lambda cost: (cost.currency, -abs(cost.after - cost.before), cost.reason))


def _coverage(rows: Sequence[Mapping[str, Any]], before: Period, after: Period) -> list[str]:
    """A day without a charge may be one that was not loaded, and then a difference is none."""
    for when, period in (("before", before), ("after", after)):
        if rows and not any(row[f"days_{when}"] for row in rows):
            span = " to ".join(_days(period).values())
            raise ValueError(f"The ledger has no charge from {span}; load that period, or compare with another one.")
    notes = list[str]()
    for row in sorted(rows, key=lambda row: str(row["provider"])):
        for when, period in (("before", before), ("after", after)):
            days, there = length(period), row[f"days_{when}"]
            if there < days:
                span = " to ".join(_days(period).values())
                notes.append(f"{row['provider']} has charges on {there} of the {days} days from {span}.")
    if notes:
        notes.append("Days that were not loaded look like cost that is gone, or new in the other period.")
    return notes


def _unknown(rows: Sequence[Mapping[str, Any]], metric: Metric) -> list[str]:
    notes = list[str]()
    without_effective = sum(row["without_effective"] or 0 for row in rows)
    if metric is Metric.EFFECTIVE and without_effective:
        notes.append(f"{without_effective} charges have no effective cost and are left out.")
    without_contracted = sum(row["without_contracted"] or 0 for row in rows)
    if without_contracted:
        notes.append(
            f"{without_contracted} charges with a commitment or credit have no contracted cost: what the commitment "
            "covers counts as commitment as a whole, and the credit stays in the cost."
        )
    return notes


def _days(period: Period) -> dict[str, str]:
    first, end = bounds(period)
    return {"from": first.isoformat(), "to": (end - timedelta(days=1)).isoformat()}
