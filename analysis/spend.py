"""What was spent, by any dimension, over the daily rollup or, where a dimension is not rolled up, over the charges.

Every result is by currency as well: amounts of different currencies are never summed.
"""

# Ibis types `table["x"]` as an abstract column, without the operations of its kind.
# pyright: reportAttributeAccessIssue=false, reportOperatorIssue=false, reportArgumentType=false
# pyright: reportCallIssue=false, reportReturnType=false
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import ibis
import ibis.expr.datatypes as dt

from analysis.period import CALENDAR, Period, label
from analysis.result import ZERO, Dimensions, Metric, fetch, known_total, order, plain, summed, total

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date
    from decimal import Decimal

    import ibis.expr.types as ir

#: Dimensions of the rollup, and their columns.
ROLLED: Final[Mapping[str, str]] = {
    "service": "ServiceName",
    "provider": "ServiceProviderName",
    "category": "ServiceCategory",
    "account": "SubAccountId",
    "account-name": "SubAccountName",
    "region": "RegionId",
    "charge-category": "ChargeCategory",
    "pricing-category": "PricingCategory",
    "model": "x_ModelId",
    "connection": "x_Connection",
    "currency": "BillingCurrency",
}
#: Dimensions that only the charges have, and their columns; `tag:KEY` is one more for every tag key.
UNROLLED: Final[Mapping[str, str]] = {
    "key": "x_ApiKeyId",
    "user": "x_UserId",
    "principal": "x_IamPrincipal",
    "resource": "ResourceId",
    "sku": "SkuId",
}
TAG: Final = "tag:"


@dataclass(frozen=True, slots=True)
class SpendRow:
    """Spend of one combination of dimensions, in one currency.

    Attributes:
        dimensions: value by dimension; None where the bill does not say.
        currency: ISO 4217 code of every amount of the row.
        billed_cost: FOCUS BilledCost.
        effective_cost: FOCUS EffectiveCost (commitments spread over their use); None where no charge has one.
        list_cost: FOCUS ListCost of the charges that have one; None where none has.
        billed_without_list: BilledCost of the charges whose list cost is unknown, and which `list_cost` leaves out.
        charges: number of charges.
        charges_without_effective: charges whose effective cost is unknown, and which `effective_cost` leaves out.
    """

    dimensions: Dimensions
    currency: str
    billed_cost: Decimal
    effective_cost: Decimal | None
    list_cost: Decimal | None
    billed_without_list: Decimal
    charges: int
    charges_without_effective: int

    def cost(self, metric: Metric) -> Decimal | None:
        """The amount of one metric, or None where it is unknown."""
        return {
            Metric.BILLED: self.billed_cost,
            Metric.EFFECTIVE: self.effective_cost,
            Metric.LIST: self.list_cost,
        }[metric]

    def record(self) -> dict[str, str | int | None]:
        """The row as JSON carries it: amounts as decimal strings."""
        return {
            **{name: label(name, value) for name, value in self.dimensions.items()},
            "billed_cost": plain(self.billed_cost),
            "effective_cost": plain(self.effective_cost),
            "list_cost": plain(self.list_cost),
            "billed_without_list": plain(self.billed_without_list),
            "charges": self.charges,
            "charges_without_effective": self.charges_without_effective,
            "currency": self.currency,
        }


@dataclass(frozen=True, slots=True)
class SpendTable:
    """Spend by dimensions over a period: the question and its answer."""

    by: tuple[str, ...]
    period: Period
    metric: Metric
    rows: tuple[SpendRow, ...]

    def totals(self) -> tuple[SpendRow, ...]:
        """One row for each currency over everything, in the order of the codes."""
        currencies = sorted({row.currency for row in self.rows})
        return tuple(_sum_of([r for r in self.rows if r.currency == code], code) for code in currencies)


def needs_charges(by: Sequence[str]) -> bool:
    """Whether a grouping needs `charges`, the slower way, rather than the rollup `daily_spend`.

    Raises:
        ValueError: a dimension is not known.
    """
    return any(_is_unrolled(name) for name in by)


def spend(table: ir.Table, by: Sequence[str], *, start: date | None = None, end: date | None = None) -> ir.Table:
    """Spend by dimensions: one row for each combination and currency.

    Args:
        table: `daily_spend`, or `charges` where `needs_charges(by)`; `charges` serves every dimension.
        by: dimensions (`ROLLED`, `UNROLLED`, `day`, `month`, `tag:KEY`); none for the total.
        start: first day (UTC) of the period, or None for the first there is.
        end: the day after its last one, or None for the last there is.

    Returns:
        The dimensions under their names, `currency`, `billed_cost`, `effective_cost`, `list_cost` (NULL where
        no list cost is known), `billed_without_list`, `charges` and `charges_without_effective`.

    Raises:
        ValueError: a dimension is not known, or is not in the rollup while `table` is the rollup.
    """
    rolled = "Charges" in table.columns
    if needs_charges(by) and rolled:
        names = ", ".join(name for name in by if _is_unrolled(name))
        raise ValueError(f"{names}: not rolled up by day; group `charges` instead of `daily_spend`.")
    daily = Period(start, end).within(table if rolled else _as_daily(table))
    keys = {name: _dimension(daily, name) for name in by} | {"currency": daily["BillingCurrency"]}
    return daily.group_by(**keys).aggregate(
        billed_cost=summed(daily, "BilledCost"),
        effective_cost=summed(daily, "EffectiveCost"),
        list_cost=summed(daily, "ListCost"),
        billed_without_list=summed(daily, "BilledWithoutList"),
        charges=summed(daily, "Charges"),
        charges_without_effective=summed(daily, "ChargesWithoutEffective"),
    )


def spend_table(
    table: ir.Table,
    by: Sequence[str],
    *,
    start: date | None = None,
    end: date | None = None,
    metric: Metric = Metric.BILLED,
) -> SpendTable:
    """`spend`, executed: exact rows through time, the largest `metric` first.

    Raises:
        ValueError: as `spend`.
    """
    names = tuple(dict.fromkeys(by))
    rows = [_row(names, found) for found in fetch(spend(table, names, start=start, end=end))]
    rows.sort(key=lambda row: order(row.dimensions, row.cost(metric)))
    return SpendTable(names, Period(start, end), metric, tuple(rows))


def _is_unrolled(name: str) -> bool:
    if name in ROLLED or name in CALENDAR:
        return False
    if name in UNROLLED or (name.startswith(TAG) and name != TAG):
        return True
    known = ", ".join((*ROLLED, *CALENDAR, *UNROLLED))
    raise ValueError(f"Spend cannot be grouped by {name!r}; known dimensions are {known} and {TAG}KEY.")


def _dimension(daily: ir.Table, name: str) -> ir.Value:
    if name in CALENDAR:
        return CALENDAR[name](daily["ChargeDate"])
    if name.startswith(TAG):
        return tag(daily["Tags"], name.removeprefix(TAG))
    return daily[ROLLED.get(name) or UNROLLED[name]]


def _as_daily(charges: ir.Table) -> ir.Table:
    """Charges in the shape of the rollup, one row each."""
    return charges.mutate(
        ChargeDate=charges["ChargePeriodStart"].date(),
        BilledWithoutList=charges["ListCost"].isnull().ifelse(charges["BilledCost"], ibis.null("decimal(38, 18)")),
        Charges=ibis.literal(1, "int64"),
        ChargesWithoutEffective=charges["EffectiveCost"].isnull().cast("int64"),
    )


@ibis.udf.scalar.builtin(signature=((dt.json, dt.string), dt.string))
def json_extract_string(document: ir.Value, path: str) -> ir.Value:
    """DuckDB's function."""


@ibis.udf.scalar.builtin(signature=((dt.string, dt.string), dt.string))
def get_json_object(document: ir.Value, path: str) -> ir.Value:
    """Spark's function."""


def tag(tags: ir.Value, key: str) -> ir.Value:
    """The value of one tag key as text; NULL where a charge does not carry it.

    `tags` is FOCUS Tags: JSON where the engine has that type (DuckDB), JSON text or a map elsewhere (Spark).
    Ibis's own `tags[key]` reads `user:team` as the path user.team, so the path is written quoted here.

    Raises:
        ValueError: the key holds a quotation mark or backslash, which no JSON path can name on every engine.
    """
    if '"' in key or "\\" in key:
        raise ValueError(f"A tag key with a quotation mark or backslash cannot be looked up: {key!r}.")
    if tags.type().is_map():
        return tags.get(ibis.literal(key)).cast("string")
    if tags.type().is_json():
        return json_extract_string(tags, f'$."{key}"')
    return get_json_object(tags, f"$['{key}']")


def _row(by: tuple[str, ...], found: dict[str, Any]) -> SpendRow:
    return SpendRow(
        dimensions={name: found[name] for name in by},
        currency=found["currency"],
        billed_cost=found["billed_cost"] or ZERO,
        effective_cost=found["effective_cost"],
        list_cost=found["list_cost"],
        billed_without_list=found["billed_without_list"] or ZERO,
        charges=found["charges"],
        charges_without_effective=found["charges_without_effective"] or 0,
    )


def _sum_of(rows: Sequence[SpendRow], currency: str) -> SpendRow:
    return SpendRow(
        dimensions={},
        currency=currency,
        billed_cost=total(row.billed_cost for row in rows),
        effective_cost=known_total(row.effective_cost for row in rows),
        list_cost=known_total(row.list_cost for row in rows),
        billed_without_list=total(row.billed_without_list for row in rows),
        charges=sum(row.charges for row in rows),
        charges_without_effective=sum(row.charges_without_effective for row in rows),
    )
