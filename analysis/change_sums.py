"""The sums that a change of cost is explained from: both periods side by side, grouped in the engine."""

# Ibis types `table["x"]` as an abstract column, without the operations of its kind.
# pyright: reportAttributeAccessIssue=false, reportOperatorIssue=false, reportArgumentType=false
# pyright: reportCallIssue=false, reportReturnType=false
from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Final

import ibis

from analysis.period import Period
from analysis.result import Metric

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: Dimensions that every charge has, and their columns.
SHARED: Final[Mapping[str, str]] = {
    "provider": "ServiceProviderName",
    "service": "ServiceName",
    "account": "SubAccountId",
    "model": "x_ModelId",
}
#: Dimensions of an item, the grain at which a price is constant, and their columns.
ITEM: Final[Mapping[str, str]] = {
    **SHARED,
    "version": "x_ModelVersion",
    "direction": "x_TokenDirection",
    "cache-action": "x_TokenCacheAction",
    "cache-ttl": "x_CacheTtl",
    "modality": "x_Modality",
    "tier": "x_ServiceTier",
    "context": "x_ContextWindow",
    "region": "x_ServingRegion",
}
#: Why a charge outside the token rollup has no tokens.
NO_TOKENS: Final = "the charge is not for tokens"

_COSTS: Final[Mapping[Metric, tuple[str, str, str]]] = {
    Metric.BILLED: ("BilledCost", "CommitmentBilled", "CreditBilled"),
    Metric.EFFECTIVE: ("EffectiveCost", "CommitmentEffective", "CreditEffective"),
}


def length(period: Period) -> int:
    """Days of a period.

    Raises:
        ValueError: the period has no beginning or no end.
    """
    start, end = bounds(period)
    return (end - start).days


def token_sums(costs: ir.Table, before: Period, after: Period, metric: Metric) -> ir.Table:
    """Tokens and costs of both periods by item.

    Args:
        costs: `ledger.tables.DAILY_TOKEN_COSTS`.
        before: the first period.
        after: the second one.
        metric: billed or effective.

    Returns:
        `ITEM`'s names, `currency`, `gap` (why tokens are unknown, NULL where they are known), and for `before` and
        `after`: `tokens_`, `cost_`, `commitment_` and `credit_`.
    """
    rows = _either(costs, before, after)
    keys = {name: rows[column] for name, column in ITEM.items()}
    return rows.group_by(**keys, currency=rows["BillingCurrency"], gap=rows["TokensReason"]).aggregate(
        **_sums(rows, before, after, metric, tokens="Tokens")
    )


def spend_sums(table: ir.Table, before: Period, after: Period, metric: Metric) -> ir.Table:
    """Costs of both periods by `SHARED`'s dimensions and `currency`, of either rollup.

    Returns:
        `cost_`, `commitment_` and `credit_` as `token_sums` has them; `without_effective` and `without_contracted`
        (charges).
    """
    rows = _either(table, before, after)
    keys = {name: rows[column] for name, column in SHARED.items()}
    return rows.group_by(**keys, currency=rows["BillingCurrency"]).aggregate(
        **_sums(rows, before, after, metric),
        without_effective=rows["ChargesWithoutEffective"].sum(),
        without_contracted=rows["ChargesWithoutContracted"].sum(),
    )


def charge_days(daily_spend: ir.Table, before: Period, after: Period) -> ir.Table:
    """On how many days of each period a provider has charges: `provider`, `days_before`, `days_after`."""
    rows = _either(daily_spend, before, after)
    return rows.group_by(provider=rows["ServiceProviderName"]).aggregate(
        days_before=rows["ChargeDate"].nunique(where=_inside(rows, before)),
        days_after=rows["ChargeDate"].nunique(where=_inside(rows, after)),
    )


def _sums(
    rows: ir.Table, before: Period, after: Period, metric: Metric, tokens: str | None = None
) -> dict[str, ir.Value]:
    cost, commitment, credit = _COSTS[metric]
    columns = {"cost": cost, "commitment": commitment, "credit": credit} | ({"tokens": tokens} if tokens else {})
    inside = {"before": _inside(rows, before), "after": _inside(rows, after)}
    return {
        f"{name}_{when}": rows[column].sum(where=days)
        for name, column in columns.items()
        for when, days in inside.items()
    }


def _either(table: ir.Table, before: Period, after: Period) -> ir.Table:
    return table.filter(_inside(table, before) | _inside(table, after))


def _inside(table: ir.Table, period: Period) -> ir.BooleanValue:
    start, end = bounds(period)
    day = table["ChargeDate"]
    return (day >= ibis.literal(start)) & (day < ibis.literal(end))


def bounds(period: Period) -> tuple[date, date]:
    """First day of a period, and the day after its last one.

    Raises:
        ValueError: the period has no beginning or no end.
    """
    if period.start is None or period.end is None:
        raise ValueError("A change is between two periods; each needs its first and its last day.")
    return period.start, period.end
