"""Azure bills: token meters, cost details of both agreements, and the repairs of Azure's FOCUS export."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import ibis
import pytest

from connectors.azure import FORMATS, cost_details, focus
from connectors.azure.details import prefixed_keys
from connectors.azure.meters import IDENTITY_COLUMNS, Meter, parse_unit, with_identity
from connectors.mapping import places
from connectors.models import identity
from connectors.registry import recognised
from connectors.values import literal
from ledger.tables import CHARGES
from tests.conftest import Mapped

Read = Callable[..., dict[str, Any]]

OPENAI = "Azure OpenAI"
GPT5 = "Azure OpenAI GPT5"


@pytest.fixture
def read(con: duckdb.DuckDBPyConnection) -> Read:
    """Read one meter: its identity columns."""

    def run(
        name: str | None,
        product: str = OPENAI,
        unit: str | None = "1K",
        quantity: str | None = "2.5",
        *,
        ai: bool = True,
    ) -> dict[str, Any]:
        table = ibis.table(
            {"n": "string", "p": "string", "u": "string", "q": "decimal(38, 18)", "a": "boolean"}, name="m"
        )
        meter = Meter(table["n"], table["p"], table["u"], table["q"], table["a"])
        sql = ibis.to_sql(with_identity(table, meter).select(*IDENTITY_COLUMNS), dialect="duckdb")
        con.execute("CREATE OR REPLACE TEMP TABLE m (n VARCHAR, p VARCHAR, u VARCHAR, q DECIMAL(38,18), a BOOLEAN)")
        con.execute("INSERT INTO m VALUES (?, ?, ?, ?::DECIMAL(38,18), ?)", [name, product, unit, quantity, ai])
        return dict(zip(IDENTITY_COLUMNS, con.execute(sql).fetchall()[0], strict=True))

    return run


@pytest.mark.parametrize(
    ("name", "product", "model", "version", "direction", "cache", "tier", "context", "region"),
    [
        (
            "gpt-4o 1120 Inp glbl Tokens",
            OPENAI,
            "gpt-4o",
            "2024-11-20",
            "Input",
            "Uncached",
            "standard",
            None,
            "Global",
        ),
        ("gpt-4o 1120 Outp glbl Tokens", OPENAI, "gpt-4o", "2024-11-20", "Output", None, "standard", None, "Global"),
        (
            "gpt 4o 1120 cached Inp glbl Tokens",
            OPENAI,
            "gpt-4o",
            "2024-11-20",
            "Input",
            "Read",
            "standard",
            None,
            "Global",
        ),
        (
            "gpt 4o 0513 Input global Tokens",
            OPENAI,
            "gpt-4o",
            "2024-05-13",
            "Input",
            "Uncached",
            "standard",
            None,
            "Global",
        ),
        (
            "o4-mini 0416 Inp glbl Tokens",
            "Azure OpenAI Reasoning",
            "o4-mini",
            "2025-04-16",
            "Input",
            "Uncached",
            "standard",
            None,
            "Global",
        ),
        (
            "gpt 4.1 nano cached Inp glbl Tokens",
            OPENAI,
            "gpt-4.1-nano",
            None,
            "Input",
            "Read",
            "standard",
            None,
            "Global",
        ),
        ("gpt 4.1 cached Inp glbl Tokens", OPENAI, "gpt-4.1", None, "Input", "Read", "standard", None, "Global"),
        ("gpt 4.1 Inp Data Zone Tokens", OPENAI, "gpt-4.1", None, "Input", "Uncached", "standard", None, "Data Zone"),
        ("gpt 4.1 Inp regnl Tokens", OPENAI, "gpt-4.1", None, "Input", "Uncached", "standard", None, "Regional"),
        (
            "gpt 4o 1120 Batch Inp glbl Tokens",
            OPENAI,
            "gpt-4o",
            "2024-11-20",
            "Input",
            "Uncached",
            "batch",
            None,
            "Global",
        ),
        (
            "gpt 4o mini0718 BatchOutp DataZone Tokens",
            OPENAI,
            "gpt-4o-mini",
            "2024-07-18",
            "Output",
            None,
            "batch",
            None,
            "Data Zone",
        ),
        (
            "Grok 4.1 Inp DZone Tokens",
            "Azure Grok Models",
            "grok-4.1",
            None,
            "Input",
            "Uncached",
            "standard",
            None,
            "Data Zone",
        ),
        (
            "gpt-oss-120B Outp glbl Tokens",
            "Azure OpenAI OSS Models",
            "gpt-oss-120b",
            None,
            "Output",
            None,
            "standard",
            None,
            "Global",
        ),
        (
            "V4 Pro Inp glbl Tokens",
            "Azure Deepseek Models",
            "deepseek-v4-pro",
            None,
            "Input",
            "Uncached",
            "standard",
            None,
            "Global",
        ),
        (
            "Llama 3.3 70B Outp Dzone Tokens",
            "Azure Llama Models",
            "llama-3.3-70b",
            None,
            "Output",
            None,
            "standard",
            None,
            "Data Zone",
        ),
        ("Phi-4-Input Tokens", "Azure Phi Models", "phi-4", None, "Input", "Uncached", "standard", None, None),
        ("o3 0626 Inp glbl Tokens", OPENAI, "o3", "0626", "Input", "Uncached", "standard", None, "Global"),
        (
            "text-embedding-3-large-glbl Tokens",
            OPENAI,
            "text-embedding-3-large",
            None,
            "Input",
            "Uncached",
            "standard",
            None,
            "Global",
        ),
        (
            "embedding-ada-regional Tokens",
            OPENAI,
            "text-embedding-ada-002",
            None,
            "Input",
            "Uncached",
            "standard",
            None,
            "Regional",
        ),
    ],
)
def test_a_meter_in_thousands(
    read: Read,
    name: str,
    product: str,
    model: str,
    version: str | None,
    direction: str,
    cache: str | None,
    tier: str,
    context: str | None,
    region: str | None,
) -> None:
    row = read(name, product)
    assert (row["x_ModelId"], row["x_ModelVersion"]) == (model, version)
    assert (row["x_TokenDirection"], row["x_TokenCacheAction"]) == (direction, cache)
    assert (row["x_ServiceTier"], row["x_ContextWindow"], row["x_ServingRegion"]) == (tier, context, region)
    assert (row["x_Tokens"], row["x_Unmapped"]) == (Decimal(2500), None)


@pytest.mark.parametrize(
    ("name", "model", "direction", "cache", "tier", "context", "region"),
    [
        ("GPT 5 Inpt Glbl 1M Tokens", "gpt-5", "Input", "Uncached", "standard", None, "Global"),
        ("GPT 5 outpt DZone 1M Tokens", "gpt-5", "Output", None, "standard", None, "Data Zone"),
        ("GPT 5 Mini cchd Inpt DZone 1M Tokens", "gpt-5-mini", "Input", "Read", "standard", None, "Data Zone"),
        ("GPT 5 Batch Inpt cchd Glbl 1M Tokens", "gpt-5", "Input", "Read", "batch", None, "Global"),
        ("5.4 inp Gl 1M Tokens", "gpt-5.4", "Input", "Uncached", "standard", None, "Global"),
        ("5.4 opt Dz 1M Tokens", "gpt-5.4", "Output", None, "standard", None, "Data Zone"),
        ("5.4 pp inp Gl 1M Tokens", "gpt-5.4", "Input", "Uncached", "priority", None, "Global"),
        ("5.4 longco inp Gl 1M Tokens", "gpt-5.4", "Input", "Uncached", "standard", "Long", "Global"),
        ("5.5 ShortCo inp Gl 1M Tokens", "gpt-5.5", "Input", "Uncached", "standard", "Short", "Global"),
        ("5.5 ShortCo cd inp Gl 1M Tokens", "gpt-5.5", "Input", "Read", "standard", "Short", "Global"),
        ("5.6 luna ShortCo Cd Wr Std DZ 1M Tokens", "gpt-5.6-luna", "Input", "Write", "standard", "Short", "Data Zone"),
    ],
)
def test_a_meter_in_millions(
    read: Read, name: str, model: str, direction: str, cache: str | None, tier: str, context: str | None, region: str
) -> None:
    row = read(name, GPT5, "1M", "0.0025")
    assert (row["x_ModelDeveloper"], row["x_ModelFamily"], row["x_ModelId"]) == ("OpenAI", "GPT", model)
    assert (row["x_TokenDirection"], row["x_TokenCacheAction"]) == (direction, cache)
    assert (row["x_ServiceTier"], row["x_ContextWindow"], row["x_ServingRegion"]) == (tier, context, region)
    assert (row["x_Tokens"], row["x_Unmapped"]) == (Decimal(2500), None)


@pytest.mark.parametrize(
    ("name", "product", "reason"),
    [
        ("V4 Pro Inp glbl Tokens", "Foundry Models", "unknown model: V4 Pro Inp glbl Tokens"),
        ("5.4 inp Gl Tokens", "Foundry Models", "unknown model: 5.4 inp Gl Tokens"),
        ("4.6 Outp DZ L Tokens", OPENAI, "unknown model: 4.6 Outp DZ L Tokens"),
        ("o4-mini-ft model grader output Tokens", OPENAI, "unknown model: o4-mini-ft model grader output Tokens"),
        ("gpt-4o-aud-1217 Inp glbl Tokens", OPENAI, "unknown model: gpt-4o-aud-1217 Inp glbl Tokens"),
        ("gpt 4.1 weirdly-worded glbl Tokens", OPENAI, "unknown token direction: gpt 4.1 weirdly-worded glbl Tokens"),
        ("gpt 4.1 cached Outp glbl Tokens", OPENAI, "unknown token direction: gpt 4.1 cached Outp glbl Tokens"),
        ("Code-Interpreter-global", OPENAI, "meter counts no tokens: Code-Interpreter-global"),
    ],
)
def test_a_meter_that_is_not_known_gives_no_tokens(read: Read, name: str, product: str, reason: str) -> None:
    row = read(name, product)
    assert (row["x_Tokens"], row["x_Unmapped"]) == (None, reason)
    assert row["x_ModelDeveloper"] is None or "direction" in reason


@pytest.mark.parametrize(
    ("unit", "quantity", "reason"),
    [
        ("1 Hour", "2", "unknown unit: 1 Hour"),
        ("1m", "2", "unknown unit: 1m"),
        (None, "2", "unknown unit: none"),
        ("1K", None, "no quantity that counts tokens"),
    ],
)
def test_a_known_meter_in_an_unknown_unit(read: Read, unit: str | None, quantity: str | None, reason: str) -> None:
    row = read("gpt 4.1 Inp glbl Tokens", OPENAI, unit, quantity)
    assert (row["x_ModelId"], row["x_Tokens"], row["x_Unmapped"]) == ("gpt-4.1", None, reason)


def test_a_name_in_millions_is_not_read_in_thousands(read: Read) -> None:
    row = read("GPT 5 Inpt Glbl 1M Tokens", GPT5, "1K")
    assert row["x_Tokens"] is None
    assert row["x_Unmapped"] == "meter and unit disagree: GPT 5 Inpt Glbl 1M Tokens in 1K"


def test_the_same_use_in_any_block_is_the_same_tokens(read: Read) -> None:
    blocks = [("1", "1234567"), ("1K", "1234.567"), ("10K", "123.4567"), ("1M", "1.234567"), ("1M Tokens", "1.234567")]
    assert {read("gpt 4.1 Inp glbl Tokens", OPENAI, unit, q)["x_Tokens"] for unit, q in blocks} == {Decimal(1234567)}


def test_bare_versions_belong_to_the_product(read: Read) -> None:
    assert read("4.3 Inp Glbl Tokens", "Azure Grok Models")["x_ModelId"] == "grok-4.3"
    assert read("K2.5 Thinking Outp DZ Tokens", "Azure Kimi")["x_ModelId"] == "kimi-k2.5-thinking"


def test_provisioned_throughput_keeps_its_cost_and_counts_no_tokens(read: Read) -> None:
    row = read("Provisioned Managed Data Zone Unit", OPENAI, "1/Hour")
    assert (row["x_ServiceTier"], row["x_ServingRegion"], row["x_Tokens"]) == ("provisioned", "Data Zone", None)
    assert row["x_Unmapped"] == "provisioned throughput is billed by the hour: the bill counts no tokens"


def test_claude_consumption_units_name_the_maker_and_no_model(read: Read) -> None:
    row = read("Claude Consumption Unit", "Anthropic Claude", "1")
    assert (row["x_ModelDeveloper"], row["x_ModelFamily"], row["x_ModelId"]) == ("Anthropic", "Claude", None)
    assert row["x_Unmapped"] == "Claude Consumption Unit: the bill does not split models or tokens"


def test_a_row_of_another_service_is_not_looked_at(read: Read) -> None:
    assert set(read("gpt 4.1 Inp glbl Tokens", ai=False).values()) == {None}
    assert set(read(None, "Virtual Machines", None, None).values()) == {None}


def test_a_model_has_the_identity_it_has_everywhere(con: duckdb.DuckDBPyConnection) -> None:
    names = [
        "gpt-4.1-nano",
        "gpt-5.6-luna",
        "o4-mini",
        "grok-4.1",
        "deepseek-v4-pro",
        "gpt-oss-120b",
        "phi-3.5-mini-128k-instruct",
    ]
    table = ibis.table({"n": "string"}, name="names")
    con.execute("CREATE TEMP TABLE names AS SELECT unnest(?) AS n", [names])
    assert con.execute(ibis.to_sql(table.select(i=identity(table["n"]).id), dialect="duckdb")).fetchall() == [
        (name,) for name in names
    ]


@pytest.mark.parametrize(
    ("unit", "block", "named"),
    [
        ("1K", 1000, "Units"),
        ("10K", 10000, "Units"),
        ("1 Hour", 1, "Hours"),
        ("100 Hours", 100, "Hours"),
        ("1/Hour", 1, "Units/Hour"),
        ("1 GB/Month", 1, "GB/Month"),
        ("1 MB", 1, "MB"),
        ("many", None, None),
    ],
)
def test_a_unit_of_measure(con: duckdb.DuckDBPyConnection, unit: str, block: int | None, named: str | None) -> None:
    table = ibis.table({"u": "string"}, name="units")
    parsed = parse_unit(table["u"])
    con.execute(f"CREATE TEMP TABLE units AS SELECT {literal(unit)} AS u")
    assert con.execute(ibis.to_sql(table.select(b=parsed.block, n=parsed.unit), dialect="duckdb")).fetchall() == [
        (block, named)
    ]


def test_details_with_a_key_twice_are_left_out(con: duckdb.DuckDBPyConnection) -> None:
    table = ibis.table({"j": "json"}, name="details")
    con.execute(
        """CREATE TEMP TABLE details AS SELECT unnest(['{"a:b":"c"}', '{"a":1,"a":2}', '[1]', '{}', NULL])::JSON AS j"""
    )
    rows = con.execute(ibis.to_sql(table.select(d=prefixed_keys(table["j"])), dialect="duckdb")).fetchall()
    assert rows == [('{"x_a:b":"c"}',), (None,), (None,), (None,), (None,)]


EA: dict[str, str] = {
    "CostInBillingCurrency": "1.1",
    "BillingCurrencyCode": "USD",
    "Date": "10/31/2026",
    "BillingPeriodStartDate": "10/01/2026",
    "BillingPeriodEndDate": "10/31/2026",
    "BillingAccountId": "8600001",
    "BillingAccountName": "Example EA",
    "BillingProfileId": "8600001",
    "ChargeType": "Usage",
    "Frequency": "UsageBased",
    "PricingModel": "OnDemand",
    "PayGPrice": "0.0025",
    "UnitPrice": "0.0022",
    "EffectivePrice": "0.0022",
    "Quantity": "500",
    "UnitOfMeasure": "1K",
    "ProductName": "Azure OpenAI - gpt 4o 1120 Inp glbl",
    "MeterId": "m-1",
    "MeterName": "gpt 4o 1120 Inp glbl Tokens",
    "MeterCategory": "Cognitive Services",
    "MeterSubCategory": "Azure OpenAI",
    "ConsumedService": "Microsoft.CognitiveServices",
    "ResourceId": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/chat",
    "ResourceGroup": "rg",
    "ResourceLocation": "Sweden Central",
    "SubscriptionId": "s",
    "BenefitId": "",
    "ReservationId": "",
    "PublisherType": "Azure",
    "AdditionalInfo": '{"deployment":"a"}',
    "Tags": '"team": "chat","a:b": "c"',
}
RESERVATION = "/providers/Microsoft.Capacity/reservationOrders/O1/reservations/R1"


def source(*rows: dict[str, str]) -> str:
    """Rows of text, as a CSV gives them."""
    return " UNION ALL ".join("SELECT " + ", ".join(f'{literal(v)} AS "{k}"' for k, v in row.items()) for row in rows)


def test_an_enterprise_token_row(mapped: Mapped) -> None:
    [row] = mapped(cost_details.AS_WRITTEN, source(EA))
    assert row["x_State"] is None
    assert row["BilledCost"] == row["EffectiveCost"] == row["x_BilledIn"] == row["ContractedCost"] == Decimal("1.1")
    assert (row["ListCost"], row["ListUnitPrice"]) == (Decimal("1.25"), Decimal("0.0025"))
    assert (row["PricingQuantity"], row["PricingUnit"]) == (Decimal(500), "1000 Units")
    assert (row["ConsumedQuantity"], row["ConsumedUnit"], row["x_Tokens"]) == (
        Decimal(500000),
        "Units",
        Decimal(500000),
    )
    assert (row["ChargePeriodStart"], row["ChargePeriodEnd"]) == (
        datetime(2026, 10, 31, tzinfo=UTC),
        datetime(2026, 11, 1, tzinfo=UTC),
    )
    assert (row["BillingPeriodStart"], row["BillingPeriodEnd"]) == (
        datetime(2026, 10, 1, tzinfo=UTC),
        datetime(2026, 11, 1, tzinfo=UTC),
    )
    assert (row["BillingAccountId"], row["BillingAccountType"]) == ("8600001", "Billing Account")
    assert (row["ServiceName"], row["ServiceCategory"], row["ServiceSubcategory"]) == (
        "Azure AI Services",
        "AI and Machine Learning",
        "Generative AI",
    )
    assert (row["x_ModelId"], row["x_ModelVersion"], row["x_Unmapped"]) == ("gpt-4o", "2024-11-20", None)
    assert (row["ResourceName"], row["ResourceType"]) == ("chat", "microsoft.cognitiveservices/accounts")
    assert (row["RegionId"], row["RegionName"]) == ("swedencentral", "Sweden Central")
    assert (row["Tags"], row["SkuPriceDetails"]) == ('{"team": "chat","a:b": "c"}', '{"x_deployment":"a"}')
    assert (row["CommitmentDiscountId"], row["x_Repairs"]) == (None, None)


def test_the_ledger_has_every_column_that_is_written(mapped: Mapped) -> None:
    known = {c.name for c in CHARGES} | {"x_State", "x_BilledIn"}
    [row] = mapped(cost_details.AS_WRITTEN, source(EA))
    [exported] = mapped(focus.FORMAT, source(FOCUS))
    assert set(row) | set(exported) <= known


def test_a_customer_agreement_row(mapped: Mapped) -> None:
    """Prices in USD, bill in EUR at 0.9; list cost stated; newer column spellings."""
    renamed = {
        "costInBillingCurrency": "0.99",
        "billingCurrency": "EUR",
        "date": "2026-10-31",
        "billingPeriodStartDate": "2026-10-01",
        "billingPeriodEndDate": "2026-10-31",
        "pricingCurrency": "USD",
        "exchangeRatePricingToBilling": "0.9",
        "paygCostInBillingCurrency": "1.125",
        "billingProfileId": "profile",
        "billingProfileName": "Profile",
        "ProductId": "DZH1",
        "invoiceId": "G1",
        "tags": '{"team":"chat"}',
    }
    gone = {name.lower() for name in renamed} | {"billingcurrencycode"}
    [row] = mapped(cost_details.AS_WRITTEN, source({k: v for k, v in EA.items() if k.lower() not in gone} | renamed))
    assert (row["BilledCost"], row["BillingCurrency"], row["PricingCurrency"]) == (Decimal("0.99"), "EUR", "USD")
    assert (row["ListCost"], row["ListUnitPrice"]) == (Decimal("1.125"), Decimal("0.00225"))
    assert (row["ContractedCost"], row["ContractedUnitPrice"]) == (Decimal("0.99"), Decimal("0.00198"))
    assert (row["BillingAccountId"], row["BillingAccountName"], row["BillingAccountType"]) == (
        "profile",
        "Profile",
        "Billing Profile",
    )
    assert (row["ChargePeriodStart"], row["SkuId"], row["InvoiceId"]) == (
        datetime(2026, 10, 31, tzinfo=UTC),
        "DZH1",
        "G1",
    )
    assert row["Tags"] == '{"team":"chat"}'


def test_the_export_schema_without_pricing_model(mapped: Mapped, shared: Path) -> None:
    """EA 2025-04: Cost, Product, BillingCurrency, no PricingModel and no prices but two."""
    columns = [
        part.split('"')[0]
        for part in (shared / "azure/schemas/actualcost_c360-2025-04.json")
        .read_text("utf-8-sig")
        .split('"source":{"name":"')[1:]
    ]
    spelled = {
        "Cost": EA["CostInBillingCurrency"],
        "Product": EA["ProductName"],
        "BillingCurrency": "USD",
        "InvoiceSection": "x",
    }
    row = {name: (EA | spelled).get(name, "") for name in columns}
    covered = row | {"ReservationId": "R1", "Cost": "0"}
    plain, used = mapped(cost_details.AS_WRITTEN, source(row, covered))
    assert (plain["x_State"], plain["BilledCost"], plain["x_Tokens"]) == (None, Decimal("1.1"), Decimal(500000))
    assert (used["CommitmentDiscountId"], used["CommitmentDiscountStatus"], used["EffectiveCost"]) == (
        "r1",
        "Used",
        None,
    )


def commitment(**changes: str) -> dict[str, str]:
    hours = {
        "UnitOfMeasure": "1 Hour",
        "MeterName": "D4s v5",
        "MeterCategory": "Virtual Machines",
        "ConsumedService": "Microsoft.Compute",
    }
    return (
        EA
        | hours
        | {"PricingModel": "Reservation", "BenefitId": RESERVATION, "MeterSubCategory": "", "ProductName": "VM"}
        | changes
    )


PURCHASE = commitment(ChargeType="Purchase", CostInBillingCurrency="100", Frequency="Recurring", Quantity="1")


def test_an_actual_file_bills_the_purchase_and_does_not_know_the_use(mapped: Mapped) -> None:
    covered = commitment(CostInBillingCurrency="0", EffectivePrice="0", UnitPrice="0", PayGPrice="0")
    refund = PURCHASE | {"ChargeType": "Refund", "CostInBillingCurrency": "-10"}
    rows = mapped(cost_details.AS_WRITTEN, source(PURCHASE, covered, refund, EA))
    assert [r["BilledCost"] for r in rows] == [Decimal(100), Decimal(0), Decimal(-10), Decimal("1.1")]
    assert [r["EffectiveCost"] for r in rows] == [Decimal(0), None, Decimal(0), Decimal("1.1")]
    assert sum(r["x_BilledIn"] for r in rows) == Decimal("91.1")
    assert rows[1]["x_Repairs"].startswith("EffectiveCost 0 of covered usage in an actual file means unknown")
    assert [(r["ChargeCategory"], r["ChargeClass"]) for r in rows[:3]] == [
        ("Purchase", None),
        ("Usage", None),
        ("Purchase", "Correction"),
    ]
    assert [r["PricingCategory"] for r in rows] == ["Standard", "Committed", "Standard", "Standard"]
    assert [r["CommitmentDiscountStatus"] for r in rows] == [None, "Used", None, None]
    assert rows[0]["CommitmentDiscountId"] == RESERVATION.lower()
    assert rows[1]["ListCost"] is None


def test_an_amortized_file_and_the_purchases_of_the_actual_one_agree(mapped: Mapped) -> None:
    """100 paid for a month: 70 used, 30 unused; beside it 1.1 on demand."""
    used = commitment(CostInBillingCurrency="70")
    unused = commitment(ChargeType="UnusedReservation", CostInBillingCurrency="30")
    amortized = mapped(cost_details.AMORTIZED, source(used, unused, EA))
    actual = mapped(cost_details.PURCHASES, source(PURCHASE, commitment(CostInBillingCurrency="0"), EA))
    kept = [r for r in actual if r["x_State"] is None]
    assert [r["x_State"] for r in actual] == [None, "dropped", "dropped"]
    assert [r["BilledCost"] for r in amortized] == [Decimal(0), Decimal(0), Decimal("1.1")]
    assert [r["EffectiveCost"] for r in amortized] == [Decimal(70), Decimal(30), Decimal("1.1")]
    assert [r["CommitmentDiscountStatus"] for r in amortized] == ["Used", "Unused", None]
    assert sum(r["BilledCost"] for r in amortized + kept) == Decimal("101.1")
    assert sum(r["EffectiveCost"] for r in amortized + kept) == Decimal("101.1")


def test_an_amortized_file_is_read_rightly_without_being_named(mapped: Mapped) -> None:
    rows = source(
        commitment(CostInBillingCurrency="70"),
        commitment(ChargeType="UnusedReservation", CostInBillingCurrency="30"),
        EA,
    )
    assert mapped(cost_details.AS_WRITTEN, rows) == mapped(cost_details.AMORTIZED, rows)


def test_a_savings_plan(mapped: Mapped) -> None:
    plan = "/providers/Microsoft.BillingBenefits/savingsPlanOrders/O/savingsPlans/P"
    [row] = mapped(
        cost_details.AS_WRITTEN,
        source(commitment(PricingModel="SavingsPlan", BenefitId=plan, CostInBillingCurrency="7")),
    )
    assert (row["CommitmentDiscountCategory"], row["CommitmentDiscountType"], row["CommitmentDiscountStatus"]) == (
        "Spend",
        "Savings Plan",
        "Used",
    )
    assert (row["BilledCost"], row["EffectiveCost"]) == (Decimal(0), Decimal(7))


def test_a_price_for_another_unit_gives_no_cost(mapped: Mapped) -> None:
    """PayGPrice for one token beside a quantity in thousands: a thousand times too little, so it is not shown."""
    [row] = mapped(cost_details.AS_WRITTEN, source(EA | {"PayGPrice": "0.0000025", "UnitPrice": "0"}))
    assert (row["ListCost"], row["ContractedCost"], row["BilledCost"]) == (None, None, Decimal("1.1"))
    assert row["x_Repairs"] == "UnitPrice 0 means unknown"


def test_a_zero_list_price_is_free_only_where_nothing_was_charged(mapped: Mapped) -> None:
    free = EA | {"CostInBillingCurrency": "0", "paygCostInBillingCurrency": "0", "PublisherName": ""}
    seller = free | {"PublisherType": "Marketplace", "PublisherName": "Seller"}
    charged = free | {"CostInBillingCurrency": "1.1"}
    rows = mapped(cost_details.AS_WRITTEN, source(free, seller, charged))
    assert [r["ListCost"] for r in rows] == [Decimal(0), None, None]
    assert [r["ServiceProviderName"] for r in rows] == ["Microsoft", "Seller", "Microsoft"]


def test_a_row_without_date_or_with_a_bad_cost_is_not_taken(mapped: Mapped) -> None:
    rows = mapped(cost_details.AS_WRITTEN, source(EA | {"Date": "31/10/2026"}, EA | {"CostInBillingCurrency": "1,1"}))
    assert [r["x_State"] for r in rows] == ["bad", "bad"]


def test_unreadable_tags_are_said(mapped: Mapped) -> None:
    [row] = mapped(cost_details.AS_WRITTEN, source(EA | {"Tags": "team=chat", "AdditionalInfo": "none"}))
    assert (row["x_State"], row["Tags"], row["SkuPriceDetails"], row["x_Repairs"]) == (
        None,
        None,
        None,
        "Tags are not readable",
    )


def test_the_real_enterprise_file_keeps_its_total(mapped: Mapped, shared: Path) -> None:
    rows = mapped(
        cost_details.AS_WRITTEN, f"read_csv('{shared}/azure/azure_ea_anonymous_27rows.csv', all_varchar=true)"
    )
    assert len(rows) == 27
    assert {r["x_State"] for r in rows} == {None}
    assert sum(r["BilledCost"] for r in rows) == sum(r["x_BilledIn"] for r in rows) == Decimal("1.26136926505726")
    assert {r["ChargePeriodStart"] for r in rows} == {datetime(2023, 9, 2, tzinfo=UTC)}
    assert {r["BillingPeriodEnd"] for r in rows} == {datetime(2023, 10, 1, tzinfo=UTC)}
    queue = next(r for r in rows if r["SkuMeter"] == "Class 2 Operations")
    assert (queue["ConsumedQuantity"], queue["PricingUnit"]) == (Decimal(129), "10000 Units")
    assert {r["ServiceName"] for r in rows} >= {"Virtual Network", "Virtual Machines", "Storage Accounts", "Event Hubs"}
    assert {r["Tags"] for r in rows} == {'{"tagA": "valueA","tagB": "valueB","tagC": "valueC"}'}


FOCUS: dict[str, str] = {
    "BilledCost": "1.1",
    "EffectiveCost": "1.1",
    "ListCost": "1.25",
    "ContractedCost": "1.1",
    "ListUnitPrice": "0.0025",
    "ContractedUnitPrice": "0.0022",
    "BillingCurrency": "USD",
    "BillingAccountId": "/providers/Microsoft.Billing/billingAccounts/8600001",
    "BillingPeriodStart": "2026-10-01T00:00:00Z",
    "BillingPeriodEnd": "2026-11-01T00:00:00Z",
    "ChargePeriodStart": "2026-10-31T00:00:00Z",
    "ChargePeriodEnd": "2026-11-01T00:00:00Z",
    "ChargeCategory": "Usage",
    "CommitmentDiscountId": "",
    "CommitmentDiscountStatus": "",
    "ConsumedQuantity": "500000",
    "ConsumedUnit": "Units",
    "PricingQuantity": "500",
    "PricingUnit": "Units",
    "ProviderName": "Microsoft",
    "PublisherName": "Microsoft",
    "ServiceName": "Azure AI Services",
    "ServiceCategory": "AI and Machine Learning",
    "SkuPriceId": "-2",
    "SubAccountName": "Unassigned",
    "Tags": '{"team":"chat"}',
    "x_InvoiceId": "E1",
    "x_PricingCurrency": "USD",
    "x_SkuMeterName": "gpt 4o 1120 Inp glbl Tokens",
    "x_SkuMeterId": "m-1",
    "x_SkuMeterCategory": "Cognitive Services",
    "x_SkuMeterSubcategory": "Azure OpenAI",
    "x_SkuDetails": '{"deployment":"a"}',
    "x_PublisherCategory": "Cloud Provider",
    "x_PricingUnitDescription": "1K",
    "x_ResourceGroupName": "rg",
}


def test_a_focus_row_of_version_1_0(mapped: Mapped) -> None:
    [row] = mapped(focus.FORMAT, source(FOCUS))
    assert (row["x_State"], row["BilledCost"], row["ListCost"], row["x_Repairs"]) == (
        None,
        Decimal("1.1"),
        Decimal("1.25"),
        None,
    )
    assert (row["InvoiceId"], row["PricingCurrency"], row["SkuMeter"]) == ("E1", "USD", "gpt 4o 1120 Inp glbl Tokens")
    assert (row["x_ModelId"], row["x_Tokens"], row["x_Unmapped"]) == ("gpt-4o", Decimal(500000), None)
    assert (row["ServiceSubcategory"], row["ServiceProviderName"], row["InvoiceIssuerName"]) == (
        "Generative AI",
        "Microsoft",
        "Microsoft",
    )
    assert (row["SkuPriceId"], row["SubAccountName"]) == (None, None)
    assert (row["SkuPriceDetails"], row["Tags"]) == ('{"x_deployment":"a"}', '{"team":"chat"}')
    assert (row["x_MeterId"], row["x_MeterSubCategory"], row["x_ResourceGroup"]) == ("m-1", "Azure OpenAI", "rg")


def test_a_focus_row_of_version_1_2(mapped: Mapped) -> None:
    renamed = {
        "InvoiceId": "E1",
        "PricingCurrency": "USD",
        "SkuMeter": "5.4 opt Dz 1M Tokens",
        "SkuPriceDetails": '{"x_a":"b"}',
    }
    gone = {"x_InvoiceId", "x_PricingCurrency", "x_SkuMeterName", "x_SkuDetails"}
    priced = {
        "x_PricingUnitDescription": "1M",
        "PricingQuantity": "0.5",
        "ListUnitPrice": "2.5",
        "ContractedUnitPrice": "2.2",
    }
    [row] = mapped(focus.FORMAT, source({k: v for k, v in FOCUS.items() if k not in gone} | renamed | priced))
    assert (row["x_ModelId"], row["x_TokenDirection"], row["x_Tokens"]) == ("gpt-5.4", "Output", Decimal(500000))
    assert (row["InvoiceId"], row["SkuPriceDetails"]) == ("E1", '{"x_a":"b"}')


EUROS = {"x_PricingCurrency": "EUR", "x_BillingExchangeRate": "20"}


@pytest.mark.parametrize(
    ("changes", "tokens"),
    [
        ({"PricingQuantity": "0.5", "ConsumedQuantity": "500"}, Decimal(500000)),
        ({"PricingQuantity": "500", "ConsumedQuantity": "500"}, Decimal(500000)),
        ({"PricingQuantity": "500000", "ConsumedQuantity": "500000"}, None),
        ({"ListUnitPrice": "", "ContractedUnitPrice": ""}, None),
        ({"ListUnitPrice": "", "ContractedUnitPrice": "", "x_EffectiveUnitPrice": "0.0022"}, Decimal(500000)),
        ({"ListUnitPrice": "0.000125", "ContractedUnitPrice": "", **EUROS}, Decimal(500000)),
        ({"ListUnitPrice": "0.000125", "ContractedUnitPrice": "", **EUROS, "x_BillingExchangeRate": ""}, None),
        ({"PricingQuantity": "0.5", "ConsumedQuantity": "500", "x_BillingExchangeRate": "1000"}, Decimal(500000)),
        ({"ChargeCategory": "Purchase"}, None),
    ],
)
def test_tokens_only_where_a_price_proves_the_unit(
    mapped: Mapped, changes: dict[str, str], tokens: Decimal | None
) -> None:
    """Exports before November 2024 divided the pricing quantity twice: the price tells blocks from single units."""
    [row] = mapped(focus.FORMAT, source(FOCUS | changes))
    assert row["x_Tokens"] == tokens
    assert row["x_Unmapped"] == (None if tokens else "no quantity that counts tokens")


ZERO = dict.fromkeys(("ListCost", "ListUnitPrice", "ContractedCost", "ContractedUnitPrice"), "0")
MENDED = ", ".join(f"{name} 0 means unknown" for name in ZERO)


@pytest.mark.parametrize(
    ("changes", "known", "repairs"),
    [
        ({"x_PublisherCategory": "Vendor"}, None, MENDED),
        ({"CommitmentDiscountStatus": "Used", "CommitmentDiscountId": "/r/1"}, None, MENDED),
        ({}, Decimal(0), None),
        ({"CommitmentDiscountStatus": "Unused", "CommitmentDiscountId": "/r/1"}, Decimal(0), None),
    ],
)
def test_zero_means_unknown_where_azure_knows_no_price(
    mapped: Mapped, changes: dict[str, str], known: Decimal | None, repairs: str | None
) -> None:
    [row] = mapped(focus.FORMAT, source(FOCUS | ZERO | changes))
    assert [row[name] for name in ZERO] == [known] * 4
    assert (row["x_Repairs"], row["BilledCost"]) == (repairs, Decimal("1.1"))


def test_names_that_the_export_leaves_out(mapped: Mapped) -> None:
    market = FOCUS | {
        "ServiceName": "",
        "x_PublisherCategory": "Vendor",
        "PublisherName": "Anthropic",
        "CommitmentDiscountId": "/R/One",
    }
    shortfall = FOCUS | {
        "ServiceName": "",
        "PublisherName": "",
        "ProviderName": "",
        "x_SkuMeterSubcategory": "MACC Shortfall",
    }
    sold, short = mapped(focus.FORMAT, source(market, shortfall))
    assert (sold["ServiceName"], sold["ServiceProviderName"], sold["HostProviderName"]) == (
        "Anthropic",
        "Anthropic",
        "Microsoft",
    )
    assert (sold["CommitmentDiscountId"], sold["x_Repairs"]) == (
        "/r/one",
        "ServiceName taken from another column, CommitmentDiscountId lower-cased",
    )
    assert (short["ServiceName"], short["ServiceProviderName"]) == ("MACC Shortfall", "Microsoft")


def test_claude_on_foundry(mapped: Mapped) -> None:
    claude = {
        "x_SkuMeterName": "Claude Consumption Unit",
        "x_SkuMeterCategory": "",
        "x_SkuMeterSubcategory": "Claude",
        "ServiceCategory": "Other",
    }
    [row] = mapped(
        focus.FORMAT, source(FOCUS | claude | {"PublisherName": "Anthropic", "x_PublisherCategory": "Vendor"})
    )
    assert (row["ServiceCategory"], row["ServiceSubcategory"], row["x_ModelDeveloper"]) == (
        "AI and Machine Learning",
        "Generative AI",
        "Anthropic",
    )
    assert (row["x_Tokens"], row["x_Unmapped"]) == (
        None,
        "Claude Consumption Unit: the bill does not split models or tokens",
    )


@pytest.mark.parametrize("version", ["1.0", "1.0r2", "1.2-preview", "1.2"])
def test_every_version_of_the_focus_export_is_recognised(shared: Path, version: str) -> None:
    text = (shared / f"azure/schemas/focuscost_{version}.json").read_text("utf-8-sig")
    names = [n for n in (c.places for c in focus.COLUMNS) for n in n if f'"{n}"' in text]
    found = recognised(dict.fromkeys(names, "VARCHAR"))
    assert found is focus.FORMAT


def test_cost_details_are_recognised_and_the_named_ones_never() -> None:
    layout = dict.fromkeys(EA, "VARCHAR")
    assert recognised(layout) is cost_details.AS_WRITTEN
    chosen = [f for f in FORMATS if {p.lower() for p in f.signature} <= places(layout)]
    assert chosen == [cost_details.AS_WRITTEN]
