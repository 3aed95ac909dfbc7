"""Checks on the way in: what FOCUS and arithmetic ask of a charge, set-at-a-time over a staged load.

One scan counts every condition; only what was found costs a second look for its money and examples. A check
never changes or drops a row: it says what it saw. Rows that cannot be taken at all are rejects, not findings.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import duckdb

from ledger.focus import COST_AND_USAGE
from ledger.footer import Footer

#: Money of a unit price times a quantity may differ from the stated cost by rounding: one cent, or a millionth.
_TOLERANCE: Final = "0.01 + 1e-6 * abs({0}::DOUBLE)"
_MOST_REASONS: Final = 50
_EXAMPLES: Final = 3
_EVERY: Final = 64
_UNKNOWN: Final = Footer()


@dataclass(frozen=True, slots=True)
class Check:
    """One condition that no charge should meet.

    Attributes:
        id: stable name, `column.what`.
        severity: `error` (the figure is wrong), `warning` (it may be), `note` (good to know).
        sentence: what a person reads before the number of rows.
        condition: SQL that is true for an offending row.
        needs: columns the condition reads; the check is left out where one is absent.
        shows: columns that an example shows.
        multiplies: the condition multiplies decimals, which is slow for those of more than 64 bits.
    """

    id: str
    severity: str
    sentence: str
    condition: str
    needs: tuple[str, ...]
    shows: tuple[str, ...] = ()
    multiplies: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check saw in one load. `billed` is BilledCost of the rows by currency, as decimal strings."""

    check: str
    severity: str
    rows: int
    sentence: str
    billed: dict[str, str] = field(default_factory=dict[str, str])
    examples: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


def _product_differs(cost: str, price: str, quantity: str) -> str:
    difference = f"abs({cost}::DOUBLE - {price}::DOUBLE * {quantity}::DOUBLE)"
    return f"{difference} > {_TOLERANCE.format(cost)} AND ChargeCategory = 'Usage'"


_WRITTEN: Final = (
    Check(
        "ChargePeriod.order",
        "error",
        "Charges that end before or when they begin",
        "ChargePeriodEnd <= ChargePeriodStart",
        ("ChargePeriodStart", "ChargePeriodEnd"),
    ),
    Check(
        "BillingPeriod.order",
        "error",
        "Charges whose billing period ends before or when it begins",
        "BillingPeriodEnd <= BillingPeriodStart",
        ("BillingPeriodStart", "BillingPeriodEnd"),
    ),
    Check(
        "ChargePeriod.outside",
        "note",
        "Charges outside the billing period that bills them",
        "BillingPeriodStart < BillingPeriodEnd "
        "AND (ChargePeriodStart < BillingPeriodStart OR ChargePeriodStart >= BillingPeriodEnd)",
        ("ChargePeriodStart", "BillingPeriodStart", "BillingPeriodEnd"),
    ),
    Check(
        "BillingCurrency.code",
        "warning",
        "Charges whose currency is no three-letter code",
        "NOT regexp_full_match(BillingCurrency, '[A-Z]{3}')",
        ("BillingCurrency",),
        ("BillingCurrency",),
    ),
    Check(
        "ListUnitPrice.negative",
        "error",
        "Charges with a negative list unit price",
        "ListUnitPrice < 0",
        ("ListUnitPrice",),
        ("ListUnitPrice",),
    ),
    Check(
        "ContractedUnitPrice.negative",
        "error",
        "Charges with a negative contracted unit price",
        "ContractedUnitPrice < 0",
        ("ContractedUnitPrice",),
        ("ContractedUnitPrice",),
    ),
    Check(
        "ListCost.product",
        "warning",
        "Usage charges whose list cost is not list unit price times pricing quantity",
        _product_differs("ListCost", "ListUnitPrice", "PricingQuantity"),
        ("ListCost", "ListUnitPrice", "PricingQuantity", "ChargeCategory"),
        ("ListCost", "ListUnitPrice", "PricingQuantity"),
        multiplies=True,
    ),
    Check(
        "ContractedCost.product",
        "warning",
        "Usage charges whose contracted cost is not contracted unit price times pricing quantity",
        _product_differs("ContractedCost", "ContractedUnitPrice", "PricingQuantity"),
        ("ContractedCost", "ContractedUnitPrice", "PricingQuantity", "ChargeCategory"),
        ("ContractedCost", "ContractedUnitPrice", "PricingQuantity"),
        multiplies=True,
    ),
    Check(
        "ListCost.unknown",
        "note",
        "Usage charges without list cost, for which a discount cannot be told",
        "ListCost IS NULL AND ChargeCategory = 'Usage'",
        ("ListCost", "ChargeCategory"),
        ("ServiceName",),
    ),
    Check(
        "CommitmentDiscount.billed",
        "error",
        "Charges covered by a commitment and billed again (their BilledCost should be 0)",
        "CommitmentDiscountStatus IS NOT NULL AND ChargeCategory = 'Usage' AND BilledCost <> 0",
        ("CommitmentDiscountStatus", "ChargeCategory", "BilledCost"),
        ("CommitmentDiscountId", "BilledCost"),
    ),
    Check(
        "CommitmentDiscount.id",
        "warning",
        "Charges with a commitment status and no commitment",
        "CommitmentDiscountStatus IS NOT NULL AND CommitmentDiscountId IS NULL",
        ("CommitmentDiscountStatus", "CommitmentDiscountId"),
    ),
    Check(
        "Usage.negative",
        "note",
        "Negative usage charges that are not marked as a correction",
        "BilledCost < 0 AND ChargeCategory = 'Usage' AND ChargeClass IS NULL",
        ("ChargeCategory", "ChargeClass", "BilledCost"),
        ("BilledCost", "ChargeDescription"),
    ),
    Check(
        "ConsumedQuantity.unit",
        "warning",
        "Charges that state a consumed quantity without its unit",
        "ConsumedQuantity IS NOT NULL AND ConsumedUnit IS NULL",
        ("ConsumedQuantity", "ConsumedUnit"),
    ),
    Check(
        "PricingQuantity.unit",
        "warning",
        "Charges that state a pricing quantity without its unit",
        "PricingQuantity IS NOT NULL AND PricingUnit IS NULL",
        ("PricingQuantity", "PricingUnit"),
    ),
)

#: The specification's own conditions, column by column: values that must not be NULL, and enumerations.
_DECLARED: Final = tuple(
    [
        Check(
            f"{c.name}.null",
            "warning",
            f"Charges without {c.name}, which FOCUS does not allow",
            f"{c.name} IS NULL",
            (c.name,),
        )
        for c in COST_AND_USAGE
        if c.mandatory and not c.nullable and c.name != "ListCost"
    ]
    + [
        Check(
            f"{c.name}.value",
            "warning",
            f"Charges whose {c.name} FOCUS does not know",
            f"{c.name} NOT IN ({', '.join(repr(v) for v in c.allowed)})",
            (c.name,),
            (c.name,),
        )
        for c in COST_AND_USAGE
        if c.allowed
    ]
)

CHECKS: Final = (*_WRITTEN, *_DECLARED)
#: Columns of the load, not of the charge.
_OURS: Final = frozenset({"x_LoadId", "x_Connection", "x_State", "x_BilledIn"})


def run_checks(
    cursor: duckdb.DuckDBPyConnection,
    staged: str,
    types: Mapping[str, str],
    known: Footer = _UNKNOWN,
    *,
    every: int = _EVERY,
) -> list[Finding]:
    """Run every check that the columns allow over the rows of `staged` that were taken.

    Args:
        cursor: where `staged` can be read.
        staged: relation of the staged rows.
        types: its columns and their DuckDB types.
        known: what is known of the columns without reading them.
        every: a product of decimals of more than 64 bits is checked on one row of so many.
    """
    taken = f"(SELECT * FROM {staged} WHERE x_State IS NULL OR x_State = 'added')"
    possible = [check for check in CHECKS if set(check.needs) <= types.keys() and not _has_no_null(check, known)]
    asked = _not_steadily_met(cursor, taken, possible, known)
    asked = [check for check in asked if not _has_only_allowed(cursor, staged, check)]
    checks = [_sampled(check, types, every) for check in asked]
    if not checks:
        return []
    counts = ", ".join(f"count(*) FILTER ({check.condition})" for check in checks)
    row = cursor.execute(f"SELECT {counts} FROM {taken} AS t").fetchone()
    found = [(check, count) for check, count in zip(checks, row or (), strict=True) if count]
    return [_detail(cursor, taken, check, count, types) for check, count in found]


def _has_no_null(check: Check, known: Footer) -> bool:
    """Whether a check for NULLs is about a column whose statistics count none."""
    return check.id.endswith(".null") and known.nulls.get(check.needs[0]) == 0


def _not_steadily_met(cursor: duckdb.DuckDBPyConnection, taken: str, checks: list[Check], known: Footer) -> list[Check]:
    """Without the checks over constant columns only that the first row passes: all rows pass them."""
    steady = [check for check in checks if set(check.needs) <= known.constants.keys()]
    if not steady:
        return checks
    conditions = ", ".join(f"coalesce({check.condition}, false)" for check in steady)
    row = cursor.execute(f"SELECT {conditions} FROM {taken} AS t LIMIT 1").fetchone()
    passed = {check.id for check, met in zip(steady, row, strict=True) if not met} if row else set[str]()
    return [check for check in checks if check.id not in passed]


def _has_only_allowed(cursor: duckdb.DuckDBPyConnection, staged: str, check: Check) -> bool:
    """Whether an enumeration holds: its few different values are found and compared faster than those of all rows."""
    if not check.id.endswith(".value"):
        return False
    values = f"(SELECT DISTINCT {check.needs[0]} FROM {staged})"
    return cursor.execute(f"SELECT count(*) FILTER ({check.condition}) FROM {values} AS t").fetchone() == (0,)


def _sampled(check: Check, types: Mapping[str, str], every: int) -> Check:
    if not check.multiplies or not any(_is_wide(types[name]) for name in check.needs):
        return check
    # A CASE, since the engine may evaluate either side of an AND first.
    told_apart_by = [name for name in ("ChargePeriodStart", "BilledCost", "ChargeDescription") if name in types]
    chosen = f"hash({', '.join(told_apart_by)}) % {every} = 0"
    condition = f"CASE WHEN {chosen} THEN {check.condition} ELSE false END"
    sentence = f"{check.sentence}, in a sample of one charge in {every}"
    return replace(check, condition=condition, sentence=sentence)


def _is_wide(type_: str) -> bool:
    if not type_.startswith("DECIMAL"):
        return False
    width, scale = map(int, type_[8:-1].split(","))
    return width > 18 and scale > 9  # noqa: PLR2004 - beyond these a decimal of everyday size needs 128 bits


def unmapped(cursor: duckdb.DuckDBPyConnection, staged: str, present: Collection[str]) -> Iterator[Finding]:
    """AI charges whose meter or unit the mapping does not know: their cost is kept, their tokens are not guessed."""
    if "x_Unmapped" not in present:
        return
    rows = cursor.execute(
        f"SELECT x_Unmapped, BillingCurrency, count(*), sum(BilledCost)::VARCHAR FROM {staged} "
        f"WHERE x_Unmapped IS NOT NULL AND x_State IS NULL GROUP BY ALL ORDER BY abs(sum(BilledCost)) DESC "
        f"LIMIT {_MOST_REASONS}"
    ).fetchall()
    for reason, currency, count, billed in rows:
        sentence = f"Charges without a token quantity, {reason}: {count:,}."
        yield Finding("Tokens.unmapped", "warning", count, sentence, {currency: billed})


def duplicates(
    cursor: duckdb.DuckDBPyConnection,
    staged: str,
    present: Collection[str],
    known: Footer = _UNKNOWN,
) -> list[Finding]:
    """Rows that are equal in every column: in cost, currency and a 64-bit hash of all the others.

    Some providers send such rows rightly, so they are shown, not dropped.
    """
    columns = ", ".join(sorted(c for c in present if c not in _OURS and c not in known.constants)) or "BilledCost"
    rows = cursor.execute(
        "SELECT BillingCurrency, sum(n - 1)::BIGINT, sum(BilledCost::DECIMAL(28,18) * (n - 1)::DECIMAL(9,0))::VARCHAR "
        f"FROM (SELECT hash({columns}) AS h, BillingCurrency, BilledCost, count(*) AS n FROM {staged} "
        "GROUP BY ALL HAVING n > 1) GROUP BY ALL"
    ).fetchall()
    count = sum(n for _, n, _ in rows)
    sentence = f"Charges that repeat another one in every column (was the bill exported twice?): {count:,}."
    return [Finding("Rows.duplicate", "warning", count, sentence, {c: b for c, _, b in rows})] if count else []


def _detail(
    cursor: duckdb.DuckDBPyConnection, taken: str, check: Check, count: int, present: Collection[str]
) -> Finding:
    rows = cursor.execute(
        f"SELECT BillingCurrency, sum(BilledCost)::VARCHAR FROM {taken} AS t WHERE {check.condition} GROUP BY ALL"
    ).fetchall()
    examples = list[dict[str, Any]]()
    if check.shows:
        shown = ", ".join(f"{name if name in present else 'NULL'}::VARCHAR AS {name}" for name in check.shows)
        result = cursor.execute(f"SELECT {shown} FROM (FROM {taken} AS t WHERE {check.condition} LIMIT {_EXAMPLES})")
        examples = [dict(zip(check.shows, values, strict=True)) for values in result.fetchall()]
    billed = {str(currency): amount for currency, amount in rows if amount is not None}
    return Finding(check.id, check.severity, count, f"{check.sentence}: {count:,}.", billed, examples)


def as_json(value: object) -> str:
    """JSON text with sorted keys, as lineage columns keep it."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
