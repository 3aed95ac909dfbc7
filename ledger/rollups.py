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
        staged: SQL of the staged rows, their `x_State` included, and `x_BilledIn` where it is not BilledCost.
        present: columns that the staged rows have; a dimension that is absent is NULL.
    """
    dimensions = ", ".join(_dimension(c, present) for c in SPEND_DIMENSIONS)
    billed_in = "x_BilledIn" if "x_BilledIn" in present else "BilledCost"
    return (
        f"SELECT {CHARGE_DATE} AS DayNumber, {dimensions}, x_State, {_effect(present)} AS Effect, "
        f"{_measures(present)}, sum({billed_in}) AS BilledIn FROM {staged} GROUP BY ALL"
    )


def spend_sql(rolled: str) -> str:
    """The rows of `daily_spend` of one load, without their lineage, from `rolled_sql`'s result."""
    columns = f"{_AS_DATE} AS ChargeDate, {_selected(DAILY_SPEND)}"
    return f"SELECT {columns} FROM {rolled} WHERE x_State IS NULL OR x_State = 'added'"


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
        f"{_effect(present)} AS Effect, {_measures(present)} FROM {staged} "
        f"WHERE (x_State IS NULL OR x_State = 'added') AND ({where}) GROUP BY ALL"
    )
    return f"SELECT {_AS_DATE} AS ChargeDate, {_selected(DAILY_TOKENS)} FROM ({inner}) AS t"


def _dimension(column: Column, present: Collection[str]) -> str:
    return column.name if column.name in present else f"NULL::{column.type} AS {column.name}"


def _measures(present: Collection[str]) -> str:
    listed = "sum(ListCost)" if "ListCost" in present else f"NULL::{_MONEY}"
    contracted = "sum(ContractedCost)" if "ContractedCost" in present else f"NULL::{_MONEY}"
    unlisted = "sum(BilledCost) FILTER (ListCost IS NULL)" if "ListCost" in present else "sum(BilledCost)"
    return (
        "sum(BilledCost) AS BilledCost, sum(EffectiveCost) AS EffectiveCost, "
        f"{listed} AS ListCost, {unlisted} AS BilledWithoutList, count(*) AS Charges, "
        f"count(*) - {_count('ListCost', present)} AS ChargesWithoutList, "
        f"count(*) - count(EffectiveCost) AS ChargesWithoutEffective, {contracted} AS Contracted"
    )


def _effect(present: Collection[str]) -> str:
    """What a charge has to do with commitments and credits, as a number to group by: one sum less for each figure.

    1 covered by a commitment, 2 covered at an unknown contracted cost, 3 a commitment's fee or unused part, 4 a credit,
    5 holds credits, 6 holds credits at an unknown contracted cost, 7 and 8 as 1 and 5 at an unknown effective cost,
    0 none of these.
    """

    def column(name: str) -> str:
        return name if name in present else "NULL::VARCHAR"

    committed = f"{column('CommitmentDiscountId')} IS NOT NULL OR {column('PricingCategory')} = 'Committed'"
    unused = f"{column('CommitmentDiscountStatus')} IS NOT DISTINCT FROM 'Unused'"
    no_use = f"{column('ChargeCategory')} IS DISTINCT FROM 'Usage' OR {unused}"
    credits_ = f"coalesce({column('x_Credits')}::VARCHAR, '[]') <> '[]'"
    unknown = f"{column('ContractedCost')} IS NULL"
    return (
        f"(CASE WHEN {committed} THEN CASE WHEN {no_use} THEN 3 WHEN {unknown} THEN 2 "
        f"WHEN EffectiveCost IS NULL THEN 7 ELSE 1 END WHEN {column('ChargeCategory')} = 'Credit' THEN 4 "
        f"WHEN {credits_} THEN CASE WHEN {unknown} THEN 6 WHEN EffectiveCost IS NULL THEN 8 ELSE 5 END "
        "ELSE 0 END)::TINYINT"
    )


#: `EFFECTS` of a group of charges that are alike in `Effect`.
_EFFECTS: Final = {
    "CommitmentBilled": (
        "CASE WHEN Effect IN (1, 7) THEN BilledCost - Contracted WHEN Effect IN (2, 3) THEN BilledCost END"
    ),
    "CommitmentEffective": (
        "CASE WHEN Effect = 1 THEN EffectiveCost - Contracted WHEN Effect IN (2, 3) THEN EffectiveCost END"
    ),
    "CreditBilled": "CASE WHEN Effect = 4 THEN BilledCost WHEN Effect IN (5, 8) THEN BilledCost - Contracted END",
    "CreditEffective": "CASE Effect WHEN 4 THEN EffectiveCost WHEN 5 THEN EffectiveCost - Contracted END",
    "ChargesWithoutContracted": "CASE WHEN Effect IN (2, 6) THEN Charges ELSE 0 END",
}


def _selected(columns: Collection[Column]) -> str:
    """The columns of a rollup out of the sums, without its day and lineage."""
    names = [c.name for c in columns if c.name not in {"ChargeDate", "x_Connection", "x_LoadId"}]
    return ", ".join(f"{_EFFECTS[name]} AS {name}" if name in _EFFECTS else name for name in names)


def _count(name: str, present: Collection[str]) -> str:
    return f"count({name})" if name in present else "0"


def _type(name: str) -> str:
    return next(c.type for c in DAILY_TOKENS if c.name == name)
