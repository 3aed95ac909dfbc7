"""What a million tokens cost, by model, provider, token type and time.

Cost per 1M tokens = cost / tokens x 1,000,000, both summed over the same charges: those whose tokens are known.
The cost of all others (provisioned throughput, meters that the mapping does not know) stands beside it with its
reason and never enters. Input that is read from or written to a cache is a token type of its own, so that nothing
counts twice.
"""

# Ibis types `table["x"]` as an abstract column, without the operations of its kind.
# pyright: reportAttributeAccessIssue=false, reportOperatorIssue=false, reportArgumentType=false
# pyright: reportCallIssue=false, reportReturnType=false
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import ibis

from analysis.period import CALENDAR, Period, label
from analysis.result import (
    ZERO,
    Dimensions,
    Metric,
    fetch,
    known_total,
    order,
    per_million,
    plain,
    share,
    summed,
    total,
)
from ledger.token_usage import FROM_USAGE, with_origin, with_usage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date
    from decimal import Decimal

    import ibis.expr.types as ir

__all__ = ["DIMENSIONS", "Costs", "Gap", "UnitCostRow", "UnitCostTable", "token_costs", "unit_cost", "with_usage"]

#: Dimensions of the token rollup, and their columns; `token-type`, `day` and `month` are computed.
DIMENSIONS: Final[Mapping[str, str]] = {
    "model": "x_ModelId",
    "version": "x_ModelVersion",
    "family": "x_ModelFamily",
    "developer": "x_ModelDeveloper",
    "provider": "ServiceProviderName",
    "service": "ServiceName",
    "account": "SubAccountId",
    "account-name": "SubAccountName",
    "direction": "x_TokenDirection",
    "cache-action": "x_TokenCacheAction",
    "cache-ttl": "x_CacheTtl",
    "modality": "x_Modality",
    "tier": "x_ServiceTier",
    "context": "x_ContextWindow",
    "region": "x_ServingRegion",
    "connection": "x_Connection",
    "currency": "BillingCurrency",
}
TOKEN_TYPE: Final = "token-type"  # noqa: S105 - a dimension, no password


@dataclass(frozen=True, slots=True)
class Costs:
    """Costs of one set of charges in one currency.

    Attributes:
        billed: FOCUS BilledCost.
        effective: FOCUS EffectiveCost; None where no charge has one.
        listed: FOCUS ListCost of the charges that have one; None where none has.
        billed_without_list: BilledCost of the charges whose list cost is unknown.
        list_is_complete: whether every charge has a list cost.
        charges: number of charges.
    """

    billed: Decimal
    effective: Decimal | None
    listed: Decimal | None
    billed_without_list: Decimal
    list_is_complete: bool
    charges: int

    def of(self, metric: Metric) -> Decimal | None:
        """The whole cost by one metric; None where any part of it is unknown."""
        listed = self.listed if self.list_is_complete else None
        return {Metric.BILLED: self.billed, Metric.EFFECTIVE: self.effective, Metric.LIST: listed}[metric]

    @property
    def list_known_share(self) -> Decimal | None:
        """Share (0 to 1) of the billed cost whose list cost is known; None where amounts make no share."""
        return share(total((self.billed, self.billed_without_list.copy_negate())), self.billed)


@dataclass(frozen=True, slots=True)
class Gap:
    """Cost of charges without tokens, and why they have none."""

    reason: str
    costs: Costs


@dataclass(frozen=True, slots=True)
class UnitCostRow:
    """Cost per million tokens of one combination of dimensions, in one currency.

    Attributes:
        dimensions: value by dimension; None where the bill does not say, or charges that were joined differ.
        currency: ISO 4217 code of every amount of the row.
        metric: the cost that `cost_per_million` and `cost_without_tokens` are about.
        tokens: single tokens of the charges whose tokens are known.
        tokens_from_usage: how many of them are from usage, since the bill states no quantity.
        costs: costs of exactly those charges.
        gaps: costs of the others, by reason, the largest first.
    """

    dimensions: Dimensions
    currency: str
    metric: Metric
    tokens: Decimal
    tokens_from_usage: Decimal
    costs: Costs
    gaps: tuple[Gap, ...]

    def per_million(self, metric: Metric) -> Decimal | None:
        """Cost per million tokens by one metric, to twelve fraction digits; None as `reason_for` says."""
        cost = self.costs.of(metric)
        return None if cost is None or self.tokens <= ZERO else per_million(cost, self.tokens)

    def reason_for(self, metric: Metric) -> str | None:
        """Why there is no cost per million tokens by this metric; None where there is one."""
        if self.tokens <= ZERO:
            if self.costs.charges:
                return "corrections take away as many tokens as there are, or more"
            return "no charge has a token quantity: " + "; ".join(gap.reason for gap in self.gaps)
        if self.costs.of(metric) is not None:
            return None
        if metric is Metric.LIST:
            return f"list cost is not known for {plain(self.costs.billed_without_list)} {self.currency} of billed cost"
        return f"{metric} cost is not known"

    @property
    def cost_per_million(self) -> Decimal | None:
        """Cost per million tokens by the metric that was asked for."""
        return self.per_million(self.metric)

    @property
    def reason(self) -> str | None:
        """Why `cost_per_million` is None."""
        return self.reason_for(self.metric)

    @property
    def cost_without_tokens(self) -> Decimal | None:
        """Cost of the charges without tokens by the metric that was asked for; None where a part is unknown."""
        costs = [gap.costs.of(self.metric) for gap in self.gaps]
        known = [cost for cost in costs if cost is not None]
        return total(known) if len(known) == len(costs) else None

    def record(self) -> dict[str, Any]:
        """The row as JSON carries it: amounts as decimal strings."""
        return {
            **{name: label(name, value) for name, value in self.dimensions.items()},
            "currency": self.currency,
            "tokens": plain(self.tokens),
            "tokens_from_usage": plain(self.tokens_from_usage),
            "billed_cost": plain(self.costs.billed),
            "effective_cost": plain(self.costs.effective),
            "list_cost": plain(self.costs.listed),
            "list_known_share": plain(self.costs.list_known_share),
            "charges": self.costs.charges,
            "metric": str(self.metric),
            "cost_per_million": plain(self.cost_per_million),
            **{f"{metric}_per_million": plain(self.per_million(metric)) for metric in Metric},
            "reason": self.reason,
            "cost_without_tokens": plain(self.cost_without_tokens),
            "without_tokens": [
                {"reason": gap.reason, "cost": plain(gap.costs.of(self.metric)), "charges": gap.costs.charges}
                for gap in self.gaps
            ],
        }


@dataclass(frozen=True, slots=True)
class UnitCostTable:
    """Cost per million tokens by dimensions over a period: the question and its answer."""

    by: tuple[str, ...]
    period: Period
    metric: Metric
    rows: tuple[UnitCostRow, ...]


def token_costs(
    daily_tokens: ir.Table, by: Sequence[str], *, start: date | None = None, end: date | None = None
) -> ir.Table:
    """Tokens and costs by dimensions: one row for each combination, currency and reason for having no tokens.

    Args:
        daily_tokens: the rollup, as it is or through `with_usage`.
        by: dimensions (`DIMENSIONS`, `token-type`, `day`, `month`); none for one blended figure.
        start: first day (UTC) of the period, or None for the first there is.
        end: the day after its last one, or None for the last there is.

    Returns:
        The dimensions under their names, `currency`, `gap` (NULL for charges with tokens, else the reason), `tokens`,
        `tokens_from_usage`, `billed_cost`, `effective_cost`, `list_cost`, `billed_without_list`, `unlisted`
        (charges with an unknown list cost) and `charges`.

    Raises:
        ValueError: a dimension is not known.
    """
    rows = daily_tokens if "TokensFrom" in daily_tokens.columns else with_origin(daily_tokens)
    rows = Period(start, end).within(rows)
    keys = {name: _dimension(rows, name) for name in by}
    keys |= {"currency": rows["BillingCurrency"], "gap": rows["TokensReason"]}
    return rows.group_by(**keys).aggregate(
        tokens=summed(rows, "Tokens"),
        tokens_from_usage=rows["Tokens"].sum(where=rows["TokensFrom"] == FROM_USAGE),
        billed_cost=summed(rows, "BilledCost"),
        effective_cost=summed(rows, "EffectiveCost"),
        list_cost=summed(rows, "ListCost"),
        billed_without_list=summed(rows, "BilledWithoutList"),
        unlisted=summed(rows, "ChargesWithoutList"),
        charges=summed(rows, "Charges"),
    )


def unit_cost(
    daily_tokens: ir.Table,
    by: Sequence[str],
    *,
    start: date | None = None,
    end: date | None = None,
    metric: Metric = Metric.BILLED,
) -> UnitCostTable:
    """Cost per million tokens, executed: rows through time, the largest cost first.

    By `token-type` it is the price of each kind, without it the blended one; by `month` or `day` it is the trend.

    Raises:
        ValueError: as `token_costs`.
    """
    names = tuple(dict.fromkeys(by))
    groups = dict[tuple[Any, ...], list[dict[str, Any]]]()
    for found in fetch(token_costs(daily_tokens, names, start=start, end=end)):
        groups.setdefault((found["currency"], *(found[name] for name in names)), []).append(found)
    rows = [_row(names, metric, parts) for parts in groups.values()]
    rows.sort(key=lambda row: order(row.dimensions, _all_billed(row)))
    return UnitCostTable(names, Period(start, end), metric, tuple(rows))


def _dimension(rows: ir.Table, name: str) -> ir.Value:
    if name in CALENDAR:
        return CALENDAR[name](rows["ChargeDate"])
    if name == TOKEN_TYPE:
        return token_type(rows)
    if name in DIMENSIONS:
        return rows[DIMENSIONS[name]]
    known = ", ".join((*DIMENSIONS, TOKEN_TYPE, *CALENDAR))
    raise ValueError(f"Unit cost cannot be grouped by {name!r}; known dimensions are {known}.")


def token_type(rows: ir.Table) -> ir.Value:
    """Direction and, for input, cache action: `Input, Uncached`, `Input, Read`, `Input, Write`, `Output`."""
    direction, action = rows["x_TokenDirection"], rows["x_TokenCacheAction"]
    with_action = direction + ibis.literal(", ") + action
    return ibis.ifelse(direction == "Input", with_action.coalesce(direction), direction)


def _row(by: tuple[str, ...], metric: Metric, parts: list[dict[str, Any]]) -> UnitCostRow:
    """One row from its charges with tokens (at most one part) and without (one for each reason)."""
    known = [part for part in parts if part["gap"] is None]
    gaps = [Gap(part["gap"], _costs([part])) for part in parts if part["gap"] is not None]
    gaps.sort(key=lambda gap: (-gap.costs.billed, gap.reason))
    return UnitCostRow(
        dimensions={name: parts[0][name] for name in by},
        currency=parts[0]["currency"],
        metric=metric,
        tokens=total(part["tokens"] for part in known),
        tokens_from_usage=total(part["tokens_from_usage"] or ZERO for part in known),
        costs=_costs(known),
        gaps=tuple(gaps),
    )


def _costs(parts: list[dict[str, Any]]) -> Costs:
    return Costs(
        billed=total(part["billed_cost"] or ZERO for part in parts),
        effective=known_total(part["effective_cost"] for part in parts),
        listed=known_total(part["list_cost"] for part in parts),
        billed_without_list=total(part["billed_without_list"] or ZERO for part in parts),
        list_is_complete=not any(part["unlisted"] for part in parts),
        charges=sum(part["charges"] for part in parts),
    )


def _all_billed(row: UnitCostRow) -> Decimal:
    return total((row.costs.billed, *(gap.costs.billed for gap in row.gaps)))
