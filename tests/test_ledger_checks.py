"""Every check, tripped by a charge that is wrong in exactly one way."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from ledger import checks
from ledger.focus import COST_AND_USAGE

#: A charge that no check objects to, as SQL values.
SOUND = {
    "BilledCost": "2::DECIMAL(18,9)",
    "EffectiveCost": "2::DECIMAL(18,9)",
    "ListCost": "4::DECIMAL(18,9)",
    "ListUnitPrice": "2::DECIMAL(18,9)",
    "ContractedCost": "2::DECIMAL(18,9)",
    "ContractedUnitPrice": "1::DECIMAL(18,9)",
    "PricingQuantity": "2::DECIMAL(18,9)",
    "PricingUnit": "'Hours'",
    "ConsumedQuantity": "2::DECIMAL(18,9)",
    "ConsumedUnit": "'Hours'",
    "BillingAccountId": "'a'",
    "BillingCurrency": "'USD'",
    "BillingPeriodStart": "TIMESTAMPTZ '2026-10-01 00:00:00Z'",
    "BillingPeriodEnd": "TIMESTAMPTZ '2026-11-01 00:00:00Z'",
    "ChargePeriodStart": "TIMESTAMPTZ '2026-10-02 00:00:00Z'",
    "ChargePeriodEnd": "TIMESTAMPTZ '2026-10-03 00:00:00Z'",
    "ChargeCategory": "'Usage'",
    "ChargeClass": "NULL::VARCHAR",
    "ChargeDescription": "'a charge'",
    "ChargeFrequency": "'Usage-Based'",
    "PricingCategory": "'Standard'",
    "CommitmentDiscountStatus": "NULL::VARCHAR",
    "CommitmentDiscountId": "NULL::VARCHAR",
    "ServiceCategory": "'Compute'",
    "ServiceName": "'Compute'",
    "ServiceProviderName": "'AWS'",
    "InvoiceIssuerName": "'AWS'",
}
WRONG: list[tuple[str, dict[str, str]]] = [
    ("ChargePeriod.order", {"ChargePeriodEnd": "TIMESTAMPTZ '2026-10-02 00:00:00Z'"}),
    ("BillingPeriod.order", {"BillingPeriodEnd": "TIMESTAMPTZ '2026-10-01 00:00:00Z'"}),
    ("ChargePeriod.outside", {"ChargePeriodStart": "TIMESTAMPTZ '2026-09-30 00:00:00Z'"}),
    ("BillingCurrency.code", {"BillingCurrency": "'usd'"}),
    ("ListUnitPrice.negative", {"ListUnitPrice": "-2::DECIMAL(18,9)", "ListCost": "-4::DECIMAL(18,9)"}),
    (
        "ContractedUnitPrice.negative",
        {"ContractedUnitPrice": "-1::DECIMAL(18,9)", "ContractedCost": "-2::DECIMAL(18,9)"},
    ),
    ("ListCost.product", {"ListCost": "4.02::DECIMAL(18,9)"}),
    ("ContractedCost.product", {"ContractedCost": "2.02::DECIMAL(18,9)"}),
    ("ListCost.unknown", {"ListCost": "NULL::DECIMAL(18,9)"}),
    ("CommitmentDiscount.billed", {"CommitmentDiscountStatus": "'Used'", "CommitmentDiscountId": "'c'"}),
    ("CommitmentDiscount.id", {"CommitmentDiscountStatus": "'Used'", "BilledCost": "0::DECIMAL(18,9)"}),
    ("Usage.negative", {"BilledCost": "-2::DECIMAL(18,9)"}),
    ("ConsumedQuantity.unit", {"ConsumedUnit": "NULL::VARCHAR"}),
    ("PricingQuantity.unit", {"PricingUnit": "NULL::VARCHAR"}),
    ("ServiceName.null", {"ServiceName": "NULL::VARCHAR"}),
    ("ServiceCategory.value", {"ServiceCategory": "'Robots'"}),
    ("ChargeFrequency.value", {"ChargeFrequency": "'Usage-based'"}),
    ("PricingCategory.value", {"PricingCategory": "'On-Demand'"}),
    ("ChargeClass.value", {"ChargeClass": "'Mistake'"}),
]


def findings(con: duckdb.DuckDBPyConnection, *rows: dict[str, str], every: int = 1) -> list[checks.Finding]:
    selects = [
        "SELECT "
        + ", ".join(f"{value} AS {name}" for name, value in (SOUND | row).items())
        + ", NULL::VARCHAR AS x_State"
        for row in rows
    ]
    con.execute(f"CREATE OR REPLACE TEMP TABLE staged AS {' UNION ALL '.join(selects)}")
    types = {row[0]: row[1] for row in con.execute("DESCRIBE staged").fetchall()}
    return checks.run_checks(con, "staged", types, every=every)


def test_a_sound_charge_has_no_finding(con: duckdb.DuckDBPyConnection) -> None:
    assert findings(con, {}) == []


@pytest.mark.parametrize(("check", "row"), WRONG, ids=[name for name, _ in WRONG])
def test_a_wrong_charge_trips_exactly_its_check(
    con: duckdb.DuckDBPyConnection, check: str, row: dict[str, str]
) -> None:
    (finding,) = findings(con, {}, row)
    assert (finding.check, finding.rows) == (check, 1)
    assert finding.sentence.endswith(": 1.")


def test_every_written_check_has_such_a_charge() -> None:
    declared = {f"{c.name}.{what}" for c in COST_AND_USAGE for what in ("null", "value")}
    assert {check.id for check in checks.CHECKS} - declared == {name for name, _ in WRONG} - declared


def test_a_finding_carries_its_money_by_currency_and_examples(con: duckdb.DuckDBPyConnection) -> None:
    euro = {"ListCost": "9::DECIMAL(18,9)", "BillingCurrency": "'EUR'"}
    (finding,) = findings(con, {"ListCost": "5::DECIMAL(18,9)"}, euro, {})
    assert {currency: Decimal(amount) for currency, amount in finding.billed.items()} == {"USD": 2, "EUR": 2}
    assert sorted(Decimal(example["ListCost"]) for example in finding.examples) == [5, 9]


def test_products_of_wide_decimals_are_sampled_and_say_so(con: duckdb.DuckDBPyConnection) -> None:
    wide = {name: value.replace("(18,9)", "(38,18)") for name, value in SOUND.items() if "DECIMAL" in value}
    wide["ListCost"] = "5::DECIMAL(38,18)"
    (finding,) = findings(con, wide, every=1)
    assert finding.sentence.endswith("in a sample of one charge in 1: 1.")


def test_rows_that_are_not_taken_are_not_checked(con: duckdb.DuckDBPyConnection) -> None:
    findings(con, {"BilledCost": "-2::DECIMAL(18,9)"})
    con.execute("UPDATE staged SET x_State = 'bad'")
    types = {row[0]: row[1] for row in con.execute("DESCRIBE staged").fetchall()}
    assert checks.run_checks(con, "staged", types) == []


def duplicated(con: duckdb.DuckDBPyConnection) -> list[tuple[int, dict[str, Decimal]]]:
    columns = [row[0] for row in con.execute("DESCRIBE staged").fetchall()]
    found: list[Any] = checks.duplicates(con, "staged", columns)
    return [(f.rows, {c: Decimal(b) for c, b in f.billed.items()}) for f in found]


def test_repeated_rows_are_counted_with_their_money(con: duckdb.DuckDBPyConnection) -> None:
    findings(con, {}, {}, {}, {"BilledCost": "7::DECIMAL(18,9)"}, {"BilledCost": "7::DECIMAL(18,9)"})
    assert duplicated(con) == [(3, {"USD": Decimal(11)})]
    findings(con, {}, {"BilledCost": "7::DECIMAL(18,9)"})
    assert duplicated(con) == []


@pytest.mark.parametrize("check", checks.CHECKS, ids=lambda check: check.id)
def test_a_check_needs_every_column_that_it_reads(check: checks.Check) -> None:
    """A check is passed unread where all columns that it needs hold one value."""
    words = set(re.findall(r"\w+", re.sub(r"'[^']*'", "", check.condition)))
    assert words & {column.name for column in COST_AND_USAGE} == set(check.needs)
