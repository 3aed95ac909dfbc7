"""Daily rollups: what every figure of a page is read from, so that it costs the same at any size of bill."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from ledger.tables import DAILY_SPEND, DAILY_TOKENS, SPEND_DIMENSIONS, TOKEN_DIMENSIONS, Column

#: A day in UTC, ten times as fast as casting a moment with zone to a date.
CHARGE_DATE: Final = "(epoch_us(ChargePeriodStart) // 86400000000)::INTEGER"
_AS_DATE: Final = "DATE '1970-01-01' + DayNumber"

_MONEY: Final = "DECIMAL(38,18)"

#: A charge belongs to the token rollup where it says which model, which direction, or why it says neither.
_TOKEN_COLUMNS: Final = ("x_TokenDirection", "x_ModelId", "x_Unmapped")


def rolled_sql(staged: str, present: Collection[str]) -> str:
    """Everything about a staged load that later steps need, in one scan: sums by day, dimension and row state.

    Args:
        staged: SQL of the staged rows, their `x_State` and `x_BilledIn` included.
        present: columns that the staged rows have; a dimension that is absent is NULL.
    """
    dimensions = ", ".join(_dimension(c, present) for c in SPEND_DIMENSIONS)
    return (
        f"SELECT {CHARGE_DATE} AS DayNumber, {dimensions}, x_State, {_measures(present)}, "
        f"sum(x_BilledIn) AS BilledIn FROM {staged} GROUP BY ALL"
    )


def spend_sql(rolled: str) -> str:
    """The rows of `daily_spend` of one load, without their lineage, from `rolled_sql`'s result."""
    names = ", ".join(c.name for c in DAILY_SPEND if c.name not in {"ChargeDate", "x_Connection", "x_LoadId"})
    return f"SELECT {_AS_DATE} AS ChargeDate, {names} FROM {rolled} WHERE x_State IS NULL OR x_State = 'added'"


def tokens_sql(staged: str, present: Collection[str]) -> str | None:
    """The rows of `daily_tokens` of one load, without their lineage; None where no charge can carry tokens."""
    marks = [c for c in _TOKEN_COLUMNS if c in present]
    if not marks:
        return None
    dimensions = ", ".join(_dimension(c, present) for c in TOKEN_DIMENSIONS)
    tokens = "sum(x_Tokens)" if "x_Tokens" in present else "NULL"
    where = " OR ".join(f"{mark} IS NOT NULL" for mark in marks)
    # Cost of charges without tokens must never stand over the tokens of others.
    told = "x_Tokens IS NOT NULL" if "x_Tokens" in present else "false"
    inner = (
        f"SELECT {CHARGE_DATE} AS DayNumber, {dimensions}, {told} AS Told, {tokens}::{_type('Tokens')} AS Tokens, "
        f"{_measures(present)} FROM {staged} WHERE (x_State IS NULL OR x_State = 'added') AND ({where}) GROUP BY ALL"
    )
    names = ", ".join(c.name for c in DAILY_TOKENS if c.name not in {"ChargeDate", "x_Connection", "x_LoadId"})
    return f"SELECT {_AS_DATE} AS ChargeDate, {names} FROM ({inner}) AS t"


def _dimension(column: Column, present: Collection[str]) -> str:
    return column.name if column.name in present else f"NULL::{column.type} AS {column.name}"


def _measures(present: Collection[str]) -> str:
    listed = "sum(ListCost)" if "ListCost" in present else f"NULL::{_MONEY}"
    unlisted = "sum(BilledCost) FILTER (ListCost IS NULL)" if "ListCost" in present else "sum(BilledCost)"
    return (
        "sum(BilledCost) AS BilledCost, sum(EffectiveCost) AS EffectiveCost, "
        f"{listed} AS ListCost, {unlisted} AS BilledWithoutList, count(*) AS Charges, "
        f"count(*) - {_count('ListCost', present)} AS ChargesWithoutList, "
        "count(*) - count(EffectiveCost) AS ChargesWithoutEffective, " + _effects(present)
    )


def _effects(present: Collection[str]) -> str:
    """`EFFECTS`: what of each cost is there because of commitments, and what because of credits."""

    def column(name: str, type_: str = "VARCHAR") -> str:
        return name if name in present else f"NULL::{type_}"

    category, contracted = column("ChargeCategory"), column("ContractedCost", _MONEY)
    priced = f"{column('PricingCategory')} IS NOT DISTINCT FROM 'Committed'"
    committed = f"({column('CommitmentDiscountId')} IS NOT NULL OR {priced})"
    unused = f"{column('CommitmentDiscountStatus')} IS NOT DISTINCT FROM 'Unused'"
    covered = f"({committed} AND {category} = 'Usage' AND NOT {unused})"
    is_credit = f"{category} IS NOT DISTINCT FROM 'Credit'"
    holds_credit = f"coalesce({column('x_Credits')}::VARCHAR, '[]') <> '[]'"
    credited = f"(NOT {committed} AND NOT {is_credit} AND {holds_credit})"
    sums = [
        f"sum({cost} - CASE WHEN {covered} THEN coalesce({contracted}, 0) ELSE 0 END) FILTER ({committed}) "
        f"AS Commitment{name}, sum({cost} - CASE WHEN {is_credit} THEN 0 ELSE {contracted} END) "
        f"FILTER (NOT {committed} AND ({is_credit} OR {holds_credit})) AS Credit{name}"
        for cost, name in (("BilledCost", "Billed"), ("EffectiveCost", "Effective"))
    ]
    unknown = f"count(*) FILTER (({covered} OR {credited}) AND {contracted} IS NULL) AS ChargesWithoutContracted"
    return ", ".join((*sums, unknown))


def _count(name: str, present: Collection[str]) -> str:
    return f"count({name})" if name in present else "0"


def _type(name: str) -> str:
    return next(c.type for c in DAILY_TOKENS if c.name == name)
