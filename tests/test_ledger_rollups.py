"""What commitments and credits do to a cost, as the daily rollups hold it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import duckdb
import pytest

from ledger import rollups

#: category, pricing, commitment, status, credits, billed, effective, contracted
_COLUMNS = (
    ("ChargeCategory", "VARCHAR"),
    ("PricingCategory", "VARCHAR"),
    ("CommitmentDiscountId", "VARCHAR"),
    ("CommitmentDiscountStatus", "VARCHAR"),
    ("x_Credits", "JSON"),
    ("BilledCost", "DECIMAL(38,18)"),
    ("EffectiveCost", "DECIMAL(38,18)"),
    ("ContractedCost", "DECIMAL(38,18)"),
)
_CREDIT = '[{"type": "PROMOTION", "amount": -2}]'
_EFFECTS = (
    "CommitmentBilled",
    "CommitmentEffective",
    "CreditBilled",
    "CreditEffective",
    "ChargesWithoutContracted",
)
_ORDINARY = (None, None, None, None, 0)


def rolled(con: duckdb.DuckDBPyConnection, row: tuple[Any, ...], leave_out: frozenset[str] = frozenset()) -> Any:
    """The effects of one charge in the spend rollup and in the token rollup, which agree."""
    kept = [
        (f"?::{type_} AS {name}", v) for (name, type_), v in zip(_COLUMNS, row, strict=True) if name not in leave_out
    ]
    con.execute(
        "CREATE OR REPLACE TEMP TABLE staged AS SELECT TIMESTAMPTZ '2026-07-01 00:00:00Z' AS ChargePeriodStart, "
        f"{', '.join(sql for sql, _ in kept)}, 'gpt-5.5' AS x_ModelId, NULL::VARCHAR AS x_State, 0 AS x_BilledIn",
        [value for _, value in kept],
    )
    present = {r[0] for r in con.execute("DESCRIBE staged").fetchall()}
    names = ", ".join(_EFFECTS)
    con.execute(f"CREATE OR REPLACE TEMP TABLE rolled AS {rollups.rolled_sql('staged', present)}")
    spend = con.execute(f"SELECT {names} FROM ({rollups.spend_sql('rolled')})").fetchall()
    tokens = con.execute(f"SELECT {names} FROM ({rollups.tokens_sql('staged', present)})").fetchall()
    assert spend == tokens
    return spend[0]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        # An ordinary charge.
        (("Usage", "Standard", None, None, None, "9", "9", "9"), _ORDINARY),
        # Less than contracted without a commitment or a credit says nothing about either.
        (("Usage", "Standard", None, None, None, "8", "8", "9"), _ORDINARY),
        # The fee of a commitment, and a purchase of something else.
        (("Purchase", "Standard", "plan", None, None, "30", "0", "30"), (Decimal(30), Decimal(0), None, None, 0)),
        (("Purchase", "Standard", None, None, None, "30", "30", "30"), _ORDINARY),
        # Covered use: nothing billed, its share of the fee effective, 12 on demand.
        (("Usage", "Committed", "plan", "Used", None, "0", "9", "12"), (Decimal(-12), Decimal(-3), None, None, 0)),
        # A commitment that only the pricing category tells of.
        (("Usage", "Committed", None, None, None, "9", "9", "12"), (Decimal(-3), Decimal(-3), None, None, 0)),
        # On demand unknown: the whole is the commitment's, and counted as such.
        (("Usage", "Committed", "plan", "Used", None, "0", "9", None), (Decimal(0), Decimal(9), None, None, 1)),
        # What it costs with the commitment is unknown, what is billed is not.
        (("Usage", "Committed", "plan", "Used", None, "0", None, "12"), (Decimal(-12), None, None, None, 0)),
        # The part that no use took up has nothing on demand behind it, whatever stands there.
        (("Usage", "Committed", "plan", "Unused", None, "0", "5", "5"), (Decimal(0), Decimal(5), None, None, 0)),
        # A credit on a line of its own, and one inside a charge.
        (("Credit", None, None, None, None, "-500", "-500", None), (None, None, Decimal(-500), Decimal(-500), 0)),
        (("Usage", "Standard", None, None, _CREDIT, "8", "8", "10"), (None, None, Decimal(-2), Decimal(-2), 0)),
        (("Usage", "Standard", None, None, _CREDIT, "8", None, "10"), (None, None, Decimal(-2), None, 0)),
        (("Usage", "Standard", None, None, "[]", "8", "8", "10"), _ORDINARY),
        # A credit that cannot be told from the cost stays in it, and is counted.
        (("Usage", "Standard", None, None, _CREDIT, "8", "8", None), (None, None, None, None, 1)),
        # A commitment's own discount is given as a credit: it is the commitment's, once.
        (("Usage", "Committed", "cud", None, _CREDIT, "8", "8", "10"), (Decimal(-2), Decimal(-2), None, None, 0)),
    ],
)
def test_commitments_and_credits_are_told_from_the_cost(
    con: duckdb.DuckDBPyConnection, row: tuple[Any, ...], expected: Any
) -> None:
    assert rolled(con, row) == expected


def test_a_source_that_names_neither_has_neither(con: duckdb.DuckDBPyConnection) -> None:
    names = frozenset(
        {"PricingCategory", "CommitmentDiscountId", "CommitmentDiscountStatus", "x_Credits", "ContractedCost"}
    )

    assert rolled(con, ("Usage", None, None, None, None, "8", "8", None), names) == _ORDINARY
