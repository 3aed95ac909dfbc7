"""Google Cloud bills: both billing exports in three layouts, the FOCUS export, every documented SKU text."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest

from connectors.gcp import FORMATS
from connectors.gcp.billing_export import DETAILED, STANDARD
from connectors.gcp.focus import FOCUS
from connectors.gcp.services import CATEGORIES
from connectors.mapping import places
from ledger.focus import SERVICE_CATEGORIES
from ledger.tables import CHARGES
from tests.conftest import Mapped

Row = dict[str, Any]

#: The types of the detailed export, as BigQuery writes them to Parquet.
SCHEMA = {
    "billing_account_id": "VARCHAR",
    "invoice": "STRUCT(month VARCHAR, publisher_type VARCHAR)",
    "cost_type": "VARCHAR",
    "service": "STRUCT(id VARCHAR, description VARCHAR)",
    "sku": "STRUCT(id VARCHAR, description VARCHAR)",
    "usage_start_time": "TIMESTAMP WITH TIME ZONE",
    "usage_end_time": "TIMESTAMP WITH TIME ZONE",
    "project": "STRUCT(id VARCHAR, name VARCHAR, labels STRUCT(key VARCHAR, value VARCHAR)[])",
    "labels": "STRUCT(key VARCHAR, value VARCHAR)[]",
    "system_labels": "STRUCT(key VARCHAR, value VARCHAR)[]",
    "tags": "STRUCT(key VARCHAR, value VARCHAR, inherited BOOLEAN, namespace VARCHAR)[]",
    "location": "STRUCT(location VARCHAR, country VARCHAR, region VARCHAR, zone VARCHAR)",
    "resource": "STRUCT(name VARCHAR, global_name VARCHAR)",
    "cost": "DOUBLE",
    "cost_at_list": "DOUBLE",
    "currency": "VARCHAR",
    "currency_conversion_rate": "DOUBLE",
    "usage": "STRUCT(amount DOUBLE, unit VARCHAR, amount_in_pricing_units DOUBLE, pricing_unit VARCHAR)",
    "credits": "STRUCT(id VARCHAR, full_name VARCHAR, type VARCHAR, name VARCHAR, amount DOUBLE)[]",
    "adjustment_info": "STRUCT(id VARCHAR, description VARCHAR, type VARCHAR, mode VARCHAR)",
    "export_time": "TIMESTAMP WITH TIME ZONE",
    "transaction_type": "VARCHAR",
    "seller_name": "VARCHAR",
    "subscription": "STRUCT(instance_id VARCHAR)",
    "price": "STRUCT(effective_price DECIMAL(38,9), tier_start_amount DECIMAL(38,9), unit VARCHAR, "
    "pricing_unit_quantity DECIMAL(38,9), list_price DECIMAL(38,9))",
    "consumption_model": "STRUCT(id VARCHAR, description VARCHAR)",
}

DEFAULT_MODEL = {"id": "7754-699E-0EBF", "description": "Default"}


def charge(**changes: Any) -> Row:
    """A row of the detailed export: an hour of Gemini tokens in March 2026, unless `changes` say otherwise."""
    return {
        "billing_account_id": "01AB23-CD45EF-678901",
        "invoice": {"month": "202603", "publisher_type": "GOOGLE"},
        "cost_type": "regular",
        "service": {"id": "C7E2-9256-1C43", "description": "Vertex AI"},
        "sku": {"id": "7EBE-3B46-F75C", "description": "Gemini 3 Flash Text Input - Predictions"},
        "usage_start_time": "2026-03-05T10:00:00Z",
        "usage_end_time": "2026-03-05T11:00:00Z",
        "project": {"id": "shop-prod", "name": "Shop", "labels": [{"key": "team", "value": "search"}]},
        "labels": [{"key": "env", "value": "prod"}],
        "system_labels": [{"key": "compute.googleapis.com/cores", "value": "8"}],
        "tags": [{"key": "cost:center", "value": 'a "b"', "inherited": True, "namespace": "acme"}],
        "location": {"location": "us-central1", "country": "US", "region": "us-central1", "zone": None},
        "resource": {
            "name": "r1",
            "global_name": "//aiplatform.googleapis.com/projects/1/locations/us-central1/endpoints/r1",
        },
        "cost": 1.2345,
        "cost_at_list": 1.5,
        "currency": "USD",
        "currency_conversion_rate": 1.0,
        "usage": {
            "amount": 2469000.0,
            "unit": "count",
            "amount_in_pricing_units": 2469000.0,
            "pricing_unit": "count",
        },
        "credits": [],
        "adjustment_info": None,
        "export_time": "2026-03-06T01:02:03Z",
        "transaction_type": "GOOGLE",
        "seller_name": None,
        "subscription": None,
        "price": {
            "effective_price": "0.5",
            "tier_start_amount": "0",
            "unit": "count",
            "pricing_unit_quantity": "1000000",
            "list_price": "0.6",
        },
        "consumption_model": DEFAULT_MODEL,
    } | changes


def credit(type_: str, amount: float, id_: str | None = None) -> Row:
    return {"id": id_, "full_name": f"{type_} in full", "type": type_, "name": type_.lower(), "amount": amount}


def _flat(row: Row, prefix: str = "") -> Row:
    """The row as a flattened CSV spells it: `service_id`, and lists as JSON texts."""
    flat: Row = {}
    for name, value in row.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{name}_")
        else:
            flat[prefix + name] = json.dumps(value) if isinstance(value, list) else value
    return flat


def write(rows: list[Row], layout: str, folder: Path, con: duckdb.DuckDBPyConnection) -> str:
    """Write the rows in one layout; the relation that reads them."""
    lines = folder / "bill.ndjson"
    lines.write_text("\n".join(json.dumps(row) for row in rows))
    relation = f"read_json('{lines}', format = 'newline_delimited', sample_size = -1)"
    if layout == "parquet":
        types = ", ".join(f"'{name}': '{type_}'" for name, type_ in SCHEMA.items())
        con.execute(
            f"COPY (FROM read_json('{lines}', format = 'newline_delimited', columns = {{{types}}})) "
            f"TO '{folder}/bill.parquet'"
        )
        return f"read_parquet('{folder}/bill.parquet')"
    if layout == "csv":
        flat = [_flat(row) for row in rows]
        names = list(dict.fromkeys(name for row in flat for name in row))
        with (folder / "bill.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            writer.writerows(flat)
        return f"read_csv('{folder}/bill.csv', all_varchar = true)"
    return relation


@pytest.fixture(params=["parquet", "ndjson", "csv"])
def bill(request: pytest.FixtureRequest, tmp_path: Path, con: duckdb.DuckDBPyConnection, mapped: Mapped) -> Any:
    """Map rows of the detailed export, written in each layout in turn."""

    def run(*rows: Row) -> list[Row]:
        return mapped(DETAILED, write(list(rows), request.param, tmp_path, con))

    return run


@pytest.fixture
def one(tmp_path: Path, con: duckdb.DuckDBPyConnection, mapped: Mapped) -> Any:
    """Map one row of the detailed export, read from Parquet."""

    def run(**changes: Any) -> Row:
        (row,) = mapped(DETAILED, write([charge(**changes)], "parquet", tmp_path, con))
        return row

    return run


def picked(row: Row, *names: str) -> Row:
    return {name: row.get(name) for name in names}


def test_billed_is_cost_plus_every_credit_of_the_row(bill: Any) -> None:
    several = [credit("PROMOTION", -0.1), credit("FREE_TIER", -0.034567890123), credit("DISCOUNT", -0.1)]
    (row, other) = bill(charge(credits=several), charge(cost=0.3))
    # 1.2345 - 0.1 - 0.034567890123 - 0.1
    assert picked(row, "BilledCost", "EffectiveCost", "x_BilledIn", "ListCost", "ContractedCost") == {
        "BilledCost": Decimal("0.999932109877"),
        "EffectiveCost": Decimal("0.999932109877"),
        "x_BilledIn": Decimal("0.999932109877"),
        "ListCost": Decimal("1.5"),
        "ContractedCost": Decimal("1.2345"),
    }
    assert [c["amount"] for c in json.loads(row["x_Credits"])] == [-0.1, -0.034567890123, -0.1]
    assert other["BilledCost"] == Decimal("0.3")
    assert other["x_Credits"] is None


def test_a_usage_row_in_every_layout(bill: Any) -> None:
    (row,) = bill(charge())
    expected = {
        "BillingAccountId": "01AB23-CD45EF-678901",
        "BillingPeriodStart": datetime(2026, 3, 1, 8, tzinfo=UTC),
        "BillingPeriodEnd": datetime(2026, 4, 1, 7, tzinfo=UTC),
        "ChargePeriodStart": datetime(2026, 3, 5, 10, tzinfo=UTC),
        "ChargePeriodEnd": datetime(2026, 3, 5, 11, tzinfo=UTC),
        "ChargeCategory": "Usage",
        "ChargeClass": None,
        "ChargeFrequency": "Usage-Based",
        "ChargeDescription": "Gemini 3 Flash Text Input - Predictions",
        "PricingCategory": "Standard",
        "PricingQuantity": Decimal(2469000),
        "PricingUnit": "count",
        "ListUnitPrice": Decimal("0.0000006"),
        "ContractedUnitPrice": Decimal("0.0000005"),
        "ConsumedQuantity": Decimal(2469000),
        "ConsumedUnit": "count",
        "BillingCurrency": "USD",
        "InvoiceId": "202603",
        "InvoiceIssuerName": "Google Cloud",
        "ServiceProviderName": "Google Cloud",
        "HostProviderName": "Google Cloud",
        "SubAccountId": "shop-prod",
        "SubAccountName": "Shop",
        "SubAccountType": "Project",
        "RegionId": "us-central1",
        "AvailabilityZone": None,
        "ResourceId": "//aiplatform.googleapis.com/projects/1/locations/us-central1/endpoints/r1",
        "ResourceName": "r1",
        "ResourceType": "endpoints",
        "ServiceName": "Vertex AI",
        "ServiceCategory": "AI and Machine Learning",
        "ServiceSubcategory": "Generative AI",
        "SkuId": "7EBE-3B46-F75C",
        "SkuPriceId": "7EBE-3B46-F75C/0",
        "CommitmentDiscountId": None,
        "x_ServiceCode": "C7E2-9256-1C43",
        "x_ConsumptionModel": "Default",
        "x_ExportTime": datetime(2026, 3, 6, 1, 2, 3, tzinfo=UTC),
        "x_ModelId": "gemini-3-flash",
        "x_Tokens": Decimal(2469000),
        "x_Unmapped": None,
        "x_Repairs": None,
        "x_State": None,
    }
    assert picked(row, *expected) == expected
    assert json.loads(row["Tags"]) == {
        "label/env": "prod",
        "project_label/team": "search",
        "system_label/compute.googleapis.com/cores": "8",
        "tag/acme/cost:center": 'a "b"',
    }


def test_tax_adjustment_and_rounding_rows_are_kept_with_and_without_a_project(bill: Any) -> None:
    tax = charge(cost_type="tax", project=None, cost=19.99, labels=[], system_labels=[], tags=[], resource=None)
    adjustment = charge(
        cost_type="adjustment",
        cost=-5.25,
        adjustment_info={"id": "a-1", "description": "late credit", "type": "GENERAL_ADJUSTMENT", "mode": "PARTIAL"},
    )
    rounding = charge(cost_type="rounding_error", project=None, cost=-0.000001)
    rows = bill(tax, adjustment, rounding)
    names = ("ChargeCategory", "ChargeClass", "ChargeFrequency", "SubAccountId", "BilledCost", "x_Tokens", "x_State")
    assert [tuple(picked(row, *names).values()) for row in rows] == [
        ("Tax", None, "One-Time", None, Decimal("19.99"), None, None),
        ("Adjustment", "Correction", "One-Time", "shop-prod", Decimal("-5.25"), None, None),
        ("Adjustment", None, "One-Time", None, Decimal("-0.000001"), None, None),
    ]
    assert rows[0]["Tags"] is None
    assert rows[1]["x_Unmapped"] == "not usage: the row corrects or taxes other rows"
    assert sum(row["BilledCost"] for row in rows) == Decimal("14.739999")


def test_a_negative_usage_row_keeps_its_sign(one: Any) -> None:
    row = one(cost=-0.75, cost_at_list=-0.9, usage={"amount": -1000.0, "unit": "count"})
    assert picked(row, "BilledCost", "ListCost", "x_Tokens") == {
        "BilledCost": Decimal("-0.75"),
        "ListCost": Decimal("-0.9"),
        "x_Tokens": Decimal(-1000),
    }


def test_an_undocumented_cost_type_is_an_adjustment_and_says_so(one: Any) -> None:
    row = one(cost_type="roundoff")
    assert (row["ChargeCategory"], row["x_Repairs"]) == ("Adjustment", "cost type is unknown: taken as adjustment")


def test_cost_before_credits_stands_in_for_a_list_cost_that_is_missing(one: Any) -> None:
    row = one(cost_at_list=None, credits=[credit("PROMOTION", -1.0)])
    assert (row["ListCost"], row["x_Repairs"]) == (Decimal("1.2345"), "list cost is cost before credits")


@pytest.mark.parametrize(
    "amount", ["0.000001", "999.999999999999", "1065040.0", "123456789.123456", "3.6e17", "-2469000.5"]
)
def test_usage_amounts_of_every_size_are_exact(one: Any, amount: str) -> None:
    row = one(usage={"amount": float(amount), "unit": "byte-seconds"})
    assert row["ConsumedQuantity"] == Decimal(amount)


def test_more_digits_than_a_ledger_amount_holds_are_rounded_not_refused(one: Any) -> None:
    row = one(cost=1.2345678901234567e-05)
    assert (row["BilledCost"], row["x_State"]) == (Decimal("0.000012345678901235"), None)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {
                "sku": {"id": "F", "description": "Commitment - dollar based v1: GCE for 1 year"},
                "credits": [credit("FEE_UTILIZATION_OFFSET", -1.2345, "offset-1")],
                "subscription": {"instance_id": "sub-1"},
            },
            ("Purchase", "Recurring", "Committed", "sub-1", "Spend", "FEE_UTILIZATION_OFFSET", Decimal(0)),
        ),
        (
            {
                "consumption_model": {"id": "5970-E0FB-4E5C", "description": "Compute Flexible CUDs 1 Year"},
                "subscription": {"instance_id": "sub-1"},
            },
            ("Usage", "Usage-Based", "Committed", "sub-1", "Spend", "Compute Flexible CUDs 1 Year", Decimal("1.2345")),
        ),
        (
            {"credits": [credit("PROMOTION", -0.2, "p"), credit("COMMITTED_USAGE_DISCOUNT", -1.0, "cud-7")]},
            ("Usage", "Usage-Based", "Committed", "cud-7", "Usage", "COMMITTED_USAGE_DISCOUNT", Decimal("0.0345")),
        ),
        (
            {"credits": [credit("COMMITTED_USAGE_DISCOUNT_DOLLAR_BASE", -0.2345, "cud-8")]},
            ("Usage", "Usage-Based", "Committed", "cud-8", "Spend", "COMMITTED_USAGE_DISCOUNT_DOLLAR_BASE", Decimal(1)),
        ),
        (
            {"sku": {"id": "S", "description": "Spot Preemptible N2 Instance Core running in Americas"}},
            ("Usage", "Usage-Based", "Dynamic", None, None, None, Decimal("1.2345")),
        ),
        (
            {"credits": [credit("SUSTAINED_USAGE_DISCOUNT", -0.2345, "sud")]},
            ("Usage", "Usage-Based", "Standard", None, None, None, Decimal(1)),
        ),
    ],
)
def test_commitments(one: Any, changes: Row, expected: tuple[Any, ...]) -> None:
    row = one(**changes)
    names = ("ChargeCategory", "ChargeFrequency", "PricingCategory")
    discount = ("CommitmentDiscountId", "CommitmentDiscountCategory", "CommitmentDiscountType", "BilledCost")
    assert tuple(picked(row, *names, *discount).values()) == expected


@pytest.mark.parametrize(
    ("transaction", "seller", "issuer", "provider"),
    [
        ("GOOGLE", "Google Cloud", "Google Cloud", "Google Cloud"),
        ("THIRD_PARTY_RESELLER", "Example Data Inc", "Google Cloud", "Example Data Inc"),
        ("THIRD_PARTY_AGENCY", "Example Data Inc", "Example Data Inc", "Example Data Inc"),
        ("THIRD_PARTY_AGENCY", None, "Google Cloud", "Google Cloud"),
    ],
)
def test_marketplace_sellers(one: Any, transaction: str, seller: str | None, issuer: str, provider: str) -> None:
    row = one(transaction_type=transaction, seller_name=seller)
    assert (row["InvoiceIssuerName"], row["ServiceProviderName"]) == (issuer, provider)


@pytest.mark.parametrize(
    ("quantity", "tier", "unit_price", "price_id"),
    [
        ("1", "0", Decimal("0.6"), "S/0"),
        ("1000", "100", Decimal("0.0006"), "S/100"),
        ("1000000", "0.5", Decimal("0.0000006"), "S/0.5"),
        (None, None, Decimal("0.6"), None),
        ("3", "1000000", None, "S/1000000"),
    ],
)
def test_price_of_one_pricing_unit(one: Any, quantity: str, tier: str, unit_price: Decimal, price_id: str) -> None:
    price = {"list_price": "0.6", "pricing_unit_quantity": quantity, "tier_start_amount": tier}
    row = one(sku={"id": "S", "description": "Gemini 3 Flash Text Input - Predictions"}, price=price)
    assert (row["ListUnitPrice"], row["SkuPriceId"]) == (unit_price, price_id)


def test_invoice_months_begin_at_midnight_in_los_angeles(mapped: Mapped) -> None:
    months = [(year, month) for year in range(2007, 2036) for month in range(1, 13)]
    texts = ", ".join(f"('{year}{month:02}')" for year, month in months)
    rows = mapped(STANDARD, f"SELECT {minimal(invoice_month='month')} FROM (VALUES {texts}) AS v(month)")
    pacific = ZoneInfo("America/Los_Angeles")
    found = {row["InvoiceId"]: (row["BillingPeriodStart"], row["BillingPeriodEnd"]) for row in rows}
    assert found == {
        f"{year}{month:02}": (
            datetime(year, month, 1, tzinfo=pacific).astimezone(UTC),
            datetime(year + month // 12, month % 12 + 1, 1, tzinfo=pacific).astimezone(UTC),
        )
        for year, month in months
    }
    assert found["202603"] == (datetime(2026, 3, 1, 8, tzinfo=UTC), datetime(2026, 4, 1, 7, tzinfo=UTC))
    assert found["202611"] == (datetime(2026, 11, 1, 7, tzinfo=UTC), datetime(2026, 12, 1, 8, tzinfo=UTC))
    assert found["202612"] == (datetime(2026, 12, 1, 8, tzinfo=UTC), datetime(2027, 1, 1, 8, tzinfo=UTC))


def minimal(**columns: str) -> str:
    """SQL of the columns that a row cannot do without, flattened; `columns` are SQL values."""
    values = {
        "billing_account_id": "'A'",
        "invoice_month": "'202603'",
        "cost_type": "'regular'",
        "usage_start_time": "'2026-03-05 10:00:00 UTC'",
        "usage_end_time": "'2026-03-05 11:00:00 UTC'",
        "cost": "'1'",
        "currency": "'USD'",
    } | columns
    return ", ".join(f"{value} AS {name}" for name, value in values.items())


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("invoice_month", "'202613'"),
        ("invoice_month", "'2026-3'"),
        ("invoice_month", "NULL"),
        ("cost", "'1,5'"),
        ("credits", '\'[{"amount": "abc"}]\''),
        ("credits", "'{'"),
    ],
)
def test_a_row_that_cannot_be_read_is_told_from_one_without_a_value(mapped: Mapped, column: str, value: str) -> None:
    row = minimal(**{column: value})
    (found,) = mapped(STANDARD, f"SELECT {row}")
    assert found["x_State"] == "bad"


def test_credits_that_are_null_or_lack_an_amount_add_nothing(mapped: Mapped) -> None:
    texts = ("NULL", "'[]'", '\'[{"type": "PROMOTION", "amount": null}]\'')
    body = " UNION ALL ".join(f"SELECT {minimal(credits=text)}" for text in texts)
    assert [row["BilledCost"] for row in mapped(STANDARD, body)] == [Decimal(1)] * 3


def test_labels_numbered_by_a_flattening_are_the_rows_own(mapped: Mapped) -> None:
    project, own = '[{"key": "team", "value": "a"}]', '[{"key": "team", "value": "b"}]'
    row = minimal(labels=f"'{project}'", labels_1=f"'{own}'")
    (found,) = mapped(STANDARD, f"SELECT {row}")
    assert json.loads(found["Tags"]) == {"label/team": "b", "project_label/team": "a"}


def test_odd_labels_do_not_stop_a_load(mapped: Mapped) -> None:
    odd = [{"key": None, "value": "x"}, {"key": "k\\", "value": None}, {"key": "same"}, {"key": "same", "value": "\n"}]
    row = minimal(labels=f"'{json.dumps(odd)}'")
    (found,) = mapped(STANDARD, f"SELECT {row}")
    pairs = json.loads(found["Tags"], object_pairs_hook=list)
    assert pairs == [("label/k\\", ""), ("label/same", ""), ("label/same", "\n")]


# The first twelve stand in the facts about Vertex AI and the Gemini API; the others are spellings of the same catalog.
# SKU text, unit: model, direction, cache action, modality, tier, context window, region, tokens counted
TOKEN_SKUS: dict[tuple[str, str], tuple[str | None, ...]] = {
    ("Gemini 2.5 Flash GA Text Input - Predictions", "requests"): (
        "gemini-2.5-flash", "Input", "Uncached", "Text", "standard", None, None,
    ),
    ("Gemini 2.5 Flash GA Thinking Text Output - Predictions", "count"): (
        "gemini-2.5-flash", "Output", None, "Text", "standard", None, None,
    ),
    ("Gemini 2.5 Flash GA Input Text Caching", "count"): (
        "gemini-2.5-flash", "Input", "Read", "Text", "standard", None, None,
    ),
    ("Gemini 3.7 Flash Global Text Input - Predictions", "count"): (
        "gemini-3.7-flash", "Input", "Uncached", "Text", "standard", None, "Global",
    ),
    ("Gemini 3 Flash Text Input - Predictions", "count"): (
        "gemini-3-flash", "Input", "Uncached", "Text", "standard", None, None,
    ),
    ("Gemini 3 Flash Text Output - Predictions", "count"): (
        "gemini-3-flash", "Output", None, "Text", "standard", None, None,
    ),
    ("Gemini 3 Flash Text Input Caching", "count"): (
        "gemini-3-flash", "Input", "Read", "Text", "standard", None, None,
    ),
    ("Gemini 2.0 Flash Text Input (Long) - Predictions", "count"): (
        "gemini-2.0-flash", "Input", "Uncached", "Text", "standard", "Long", None,
    ),
    ("Gemini 2.5 Pro Input Text Caching (Long)", "count"): (
        "gemini-2.5-pro", "Input", "Read", "Text", "standard", "Long", None,
    ),
    ("Gemini 2.5 Flash Text Output (Thinking On) - Batch Predictions", "count"): (
        "gemini-2.5-flash", "Output", None, "Text", "batch", None, None,
    ),
    ("Generate content output token count gemini 2.5 flash short input text", "count"): (
        "gemini-2.5-flash", "Output", None, "Text", "standard", "Short", None,
    ),
    ("Gemini 3 Flash Text Input Priority - Predictions", "count"): (
        "gemini-3-flash", "Input", "Uncached", "Text", "priority", None, None,
    ),
    ("Gemini 3 Flash Text Output Flex - Predictions", "count"): (
        "gemini-3-flash", "Output", None, "Text", "flex", None, None,
    ),
    (" Gemini 2.5 Flash GA Audio Input (Long) - Predictions", "count"): (
        "gemini-2.5-flash", "Input", "Uncached", "Audio", "standard", "Long", None,
    ),
    ("Gemini 3.1 Flash Lite Global Audio Input - Predictions", "count"): (
        "gemini-3.1-flash-lite", "Input", "Uncached", "Audio", "standard", None, "Global",
    ),
    ("Gemini 3 Flash Image Input Caching Priority", "count"): (
        "gemini-3-flash", "Input", "Read", "Image", "priority", None, None,
    ),
    ("Gemini 3.1 Flash Image Text Input - Predictions", "count"): (
        "gemini-3.1-flash-image", "Input", "Uncached", "Text", "standard", None, None,
    ),
    ("Gemini 3.1 Flash Image Image Output - Predictions", "count"): (
        "gemini-3.1-flash-image", "Output", None, "Image", "standard", None, None,
    ),
    ("Gemini 3.0 Pro Text Output - Predictions", "count"): (
        "gemini-3-pro", "Output", None, "Text", "standard", None, None,
    ),
    ("Generate content cached input token count gemini 2.5 flash input short text", "count"): (
        "gemini-2.5-flash", "Input", "Read", "Text", "standard", "Short", None,
    ),
    ("Generate content cached input token count gemini 2.5 pro short input", "count"): (
        "gemini-2.5-pro", "Input", "Read", None, "standard", "Short", None,
    ),
    ("Generate content input token count Gemini 2.5 Pro long input text", "count"): (
        "gemini-2.5-pro", "Input", "Uncached", "Text", "standard", "Long", None,
    ),
    ("Generate content output token count gemini 2.5 flash lite short output text non-thinking", "count"): (
        "gemini-2.5-flash-lite", "Output", None, "Text", "standard", "Short", None,
    ),
    ("Generate content input token count gemini 3.7 flash image flex caching", "count"): (
        "gemini-3.7-flash", "Input", "Read", "Image", "flex", None, None,
    ),
    ("Generate content input token count gemini 3.1 flash lite preview text", "count"): (
        "gemini-3.1-flash-lite-preview", "Input", "Uncached", "Text", "standard", None, None,
    ),
    ("Generate_content text cached input token count for gemini 3 pro short", "count"): (
        "gemini-3-pro", "Input", "Read", "Text", "standard", "Short", None,
    ),
    ("Generate_content cached text input token count for gemini 3 flash", "count"): (
        "gemini-3-flash", "Input", "Read", "Text", "standard", None, None,
    ),
    ("Generate_content image output token count for Gemini 3 Pro Image", "count"): (
        "gemini-3-pro-image", "Output", None, "Image", "standard", None, None,
    ),
    ("GenerateContent audio input token count for Gemini 2.0 Flash", "count"): (
        "gemini-2.0-flash", "Input", "Uncached", "Audio", "standard", None, None,
    ),
    ("EmbedContent input token count for gemini-embedding-001", "count"): (
        "gemini-embedding-001", "Input", "Uncached", "Embedding", "standard", None, None,
    ),
}  # fmt: skip

# SKU text, unit: model, cache action, tier, the reason
OTHER_SKUS: dict[tuple[str, str], tuple[str | None, ...]] = {
    ("Gemini 3 Flash Text Input Caching Storage", "h"): (
        "gemini-3-flash", "Other", None, "cache storage is billed by the hour, not by the token",
    ),
    ("Vertex AI: Provisioned Throughput 1 month", "mo"): (
        None, None, "provisioned", "provisioned throughput is billed by time, not by the token",
    ),
    ("LLM Grounding with Google Search tool - Predictions", "requests"): (
        None, None, None, "grounding is billed by the search, not by the token",
    ),
    ("Grounding with Google Search on Gemini 3", "count"): (
        None, None, None, "grounding is billed by the search, not by the token",
    ),
    ("Generate content search query gemini 3 free", "count"): (
        None, None, None, "grounding is billed by the search, not by the token",
    ),
    ("Gemini 1.5 Flash Text Input - Predictions", "count"): (
        None, None, None, "SKU is not known to count tokens",
    ),
    ("Gemini 3.0 Pro Image Output - Predictions", "count"): (
        None, None, None, "SKU is not known to count tokens",
    ),
    ("Gemini 2.5 Flash Robotics Text Input - Predictions", "count"): (
        None, None, None, "SKU is not known to count tokens",
    ),
    ("Gemini 2.5 Flash Tuning", "count"): (None, None, None, "SKU is not known to count tokens"),
    ("Imagen 4 fast Generation (output)", "count"): (None, None, None, "SKU is not known to count tokens"),
    ("Veo Generation 720p with Audio", "seconds"): (None, None, None, "SKU is not known to count tokens"),
    ("Agent Platform Memory", "gibibyte hour"): (None, None, None, "SKU is not known to count tokens"),
    ("", "count"): (None, None, None, "SKU is not known to count tokens"),
}  # fmt: skip


def _skus(mapped: Mapped, skus: Any, **columns: str) -> dict[tuple[str, str], Row]:
    values = ", ".join(f"('{name}', '{unit}')" for name, unit in skus)
    body = minimal(
        **{
            "service_id": "'C7E2-9256-1C43'",
            "service_description": "'Vertex AI'",
            "sku_description": "name",
            "usage_amount": "'1065040'",
            "usage_unit": "unit",
        }
        | columns
    )
    rows = mapped(STANDARD, f"SELECT {body} FROM (VALUES {values}) AS v(name, unit)")
    return {(row["ChargeDescription"] or "", row["ConsumedUnit"]): row for row in rows}


def test_token_skus(mapped: Mapped) -> None:
    found = _skus(mapped, TOKEN_SKUS)
    names = ("x_ModelId", "x_TokenDirection", "x_TokenCacheAction", "x_Modality")
    names += ("x_ServiceTier", "x_ContextWindow", "x_ServingRegion")
    assert {sku: tuple(row[name] for name in names) for sku, row in found.items()} == TOKEN_SKUS
    assert {
        (r["x_Tokens"], r["x_Unmapped"], r["ServiceSubcategory"], r["x_ModelDeveloper"]) for r in found.values()
    } == {(Decimal(1065040), None, "Generative AI", "Google")}


def test_skus_that_count_no_tokens_say_why(mapped: Mapped) -> None:
    found = _skus(mapped, OTHER_SKUS)
    assert {
        sku: (row["x_ModelId"], row["x_TokenCacheAction"], row["x_ServiceTier"], row["x_Unmapped"].split(":")[0])
        for sku, row in found.items()
    } == OTHER_SKUS
    reasons = {row["ChargeDescription"]: row["x_Unmapped"] for row in found.values()}
    assert reasons["Gemini 2.5 Flash Tuning"] == "SKU is not known to count tokens: Gemini 2.5 Flash Tuning"
    assert {(row["x_Tokens"], row["x_TokenDirection"], row["BilledCost"]) for row in found.values()} == {
        (None, None, Decimal(1))
    }


def test_a_token_sku_in_a_unit_that_counts_no_tokens(mapped: Mapped) -> None:
    skus = [("Gemini 3 Flash Text Input - Predictions", unit) for unit in ("characters", "COUNT")]
    found = {unit: (row["x_Tokens"], row["x_Unmapped"]) for (_, unit), row in _skus(mapped, skus).items()}
    assert found == {"characters": (None, "unit does not count tokens: characters"), "COUNT": (Decimal(1065040), None)}


def test_a_token_sku_without_an_amount(mapped: Mapped) -> None:
    (row,) = _skus(mapped, [("Gemini 3 Flash Text Input - Predictions", "count")], usage_amount="NULL").values()
    assert (row.get("x_Tokens"), row["x_Unmapped"]) == (None, "usage amount is missing")


@pytest.mark.parametrize(
    ("service", "sku", "seller"),
    [
        ("Vertex AI", "Claude Sonnet 4.6 Input Tokens", "NULL"),
        ("Claude Opus", "Tokens", "NULL"),
        ("Some Marketplace Product", "Input tokens", "'Anthropic PBC'"),
    ],
)
def test_claude_on_google_cloud_has_no_established_names(mapped: Mapped, service: str, sku: str, seller: str) -> None:
    columns = {"service_id": "'X'", "service_description": f"'{service}'", "seller_name": seller}
    (row,) = _skus(mapped, [(sku, "count")], **columns).values()
    expected = {
        "x_ModelDeveloper": "Anthropic",
        "x_ModelFamily": "Claude",
        "x_ModelId": None,
        "x_Tokens": None,
        "x_Unmapped": f"SKU names of Claude on Google Cloud are not established: {sku}",
    }
    assert picked(row, *expected) == expected


def test_other_services_carry_no_token_identity(mapped: Mapped) -> None:
    columns = {"service_id": "'6F81-5844-456A'", "service_description": "'Compute Engine'"}
    (row,) = _skus(mapped, [("N1 Custom Ram", "count")], **columns).values()
    assert {name for name in row if name.startswith("x_") and row[name] is not None} == {
        "x_ServiceCode",
        "x_BilledIn",
        "x_Repairs",
    }
    assert row["ServiceCategory"] == "Compute"


def test_service_categories_are_those_of_focus_and_name_each_service_once() -> None:
    assert set(CATEGORIES) <= set(SERVICE_CATEGORIES)
    services = [service for names in CATEGORIES.values() for service in names]
    assert len(services) == len(set(services))


def test_an_unknown_service_is_other(one: Any) -> None:
    assert one(service={"id": "N", "description": "Never Seen"})["ServiceCategory"] == "Other"


def test_formats_are_told_apart(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    def recognised(layout: dict[str, str]) -> str:
        there = places(layout)
        matches = [f for f in FORMATS if {s.lower() for s in f.signature} <= there]
        return max(matches, key=lambda f: len(f.signature)).name

    assert recognised(SCHEMA) == "gcp-billing-detailed"
    assert recognised({k: v for k, v in SCHEMA.items() if k != "resource"}) == "gcp-billing-standard"
    assert recognised(dict.fromkeys(focus_row(), "VARCHAR")) == "gcp-focus"
    csv_layout = con.execute(f"DESCRIBE FROM {write([charge()], 'csv', tmp_path, con)}").fetchall()
    assert recognised({row[0]: row[1] for row in csv_layout}) == "gcp-billing-standard"


def test_every_mapping_names_ledger_columns_only(mapped: Mapped) -> None:
    known = {c.name for c in CHARGES} | {"x_State", "x_BilledIn"}
    (row,) = mapped(STANDARD, f"SELECT {minimal()}")
    assert set(row) <= known


def focus_row(**changes: str) -> Row:
    """A row of the FOCUS 1.2 export, as SQL values by column."""
    return {
        "BilledCost": "0.4::DECIMAL(38,9)",
        "EffectiveCost": "0.4::DECIMAL(38,9)",
        "ListCost": "0.5::DECIMAL(38,9)",
        "ContractedCost": "0.5::DECIMAL(38,9)",
        "BillingAccountId": "'A'",
        "BillingCurrency": "'USD'",
        "BillingPeriodStart": "TIMESTAMPTZ '2026-06-01 07:00:00Z'",
        "BillingPeriodEnd": "TIMESTAMPTZ '2026-07-01 07:00:00Z'",
        "ChargePeriodStart": "TIMESTAMPTZ '2026-06-05 10:00:00Z'",
        "ChargePeriodEnd": "TIMESTAMPTZ '2026-06-05 11:00:00Z'",
        "ChargeCategory": "'Usage'",
        "ChargeClass": "NULL::VARCHAR",
        "ChargeDescription": "'Gemini 2.5 Pro Text Output (Long) - Predictions'",
        "ConsumedQuantity": "40000::DECIMAL(38,9)",
        "ConsumedUnit": "'count'",
        "ProviderName": "'Google Cloud'",
        "PublisherName": "'Google Cloud'",
        "ServiceName": "'Vertex AI'",
        "SkuId": "'S-1'",
        "x_CostType": "'regular'",
        "x_ServiceId": "'C7E2-9256-1C43'",
        "x_ExportTime": "TIMESTAMPTZ '2026-06-06 00:00:00Z'",
        "x_Credits": "[{'Name': 'c', 'Amount': -0.1::DECIMAL(38,9), 'FullName': 'Flexible', 'Id': 'cud-1', "
        "'Type': 'COMMITTED_USAGE_DISCOUNT_DOLLAR_BASE'}]",
        "x_Labels": "[{'Key': 'env', 'Value': 'prod'}]",
        "x_ProjectLabels": "[{'Key': 'team', 'Value': 'search'}]",
        "x_SystemLabels": "[]::STRUCT(Key VARCHAR, Value VARCHAR)[]",
        "x_Tags": "[{'Key': 'cc', 'Value': '7', 'x_Inherited': true, 'x_Namespace': 'acme'}]",
        "x_SubscriptionInstanceId": "NULL::VARCHAR",
        "x_ConsumptionModelId": "'7754-699E-0EBF'",
        "x_ConsumptionModelDescription": "'Default'",
    } | changes


def focus_sql(**changes: str) -> str:
    return "SELECT " + ", ".join(f"{value} AS {name}" for name, value in focus_row(**changes).items())


def test_focus_export_is_filled_and_says_what_was_filled(mapped: Mapped) -> None:
    (row,) = mapped(FOCUS, focus_sql())
    expected = {
        "BilledCost": Decimal("0.4"),
        "x_BilledIn": Decimal("0.4"),
        "ServiceCategory": "AI and Machine Learning",
        "ServiceSubcategory": "Generative AI",
        "ServiceProviderName": "Google Cloud",
        "HostProviderName": "Google Cloud",
        "InvoiceIssuerName": "Google Cloud",
        "ChargeFrequency": "Usage-Based",
        "BillingPeriodStart": datetime(2026, 6, 1, 7, tzinfo=UTC),
        "CommitmentDiscountId": "cud-1",
        "CommitmentDiscountName": "Flexible",
        "CommitmentDiscountCategory": "Spend",
        "CommitmentDiscountType": "COMMITTED_USAGE_DISCOUNT_DOLLAR_BASE",
        "x_ModelId": "gemini-2.5-pro",
        "x_TokenDirection": "Output",
        "x_ContextWindow": "Long",
        "x_Tokens": Decimal(40000),
        "x_ServiceCode": "C7E2-9256-1C43",
        "x_ExportTime": datetime(2026, 6, 6, tzinfo=UTC),
        "x_Repairs": "ServiceCategory filled in, ServiceSubcategory filled in, InvoiceIssuerName filled in, "
        "ChargeFrequency filled in, Tags filled in, CommitmentDiscountId filled in, CommitmentDiscountName filled in, "
        "CommitmentDiscountCategory filled in, CommitmentDiscountType filled in",
    }
    assert picked(row, *expected) == expected
    assert json.loads(row["Tags"]) == {"label/env": "prod", "project_label/team": "search", "tag/acme/cc": "7"}
    assert json.loads(row["x_Credits"])[0]["Amount"] == -0.1


def test_focus_export_keeps_what_it_states(mapped: Mapped) -> None:
    stated = {"ServiceCategory": "'Compute'", "InvoiceIssuerName": "'Reseller'", "ServiceName": "'Never Seen'"}
    unknown = focus_sql(ServiceName="'Never Seen'")
    (row, other) = mapped(FOCUS, f"{focus_sql(**stated)} UNION ALL BY NAME {unknown}")
    assert (row["ServiceCategory"], row["InvoiceIssuerName"]) == ("Compute", "Reseller")
    assert "ServiceCategory" not in row["x_Repairs"]
    assert (other["ServiceCategory"], other["InvoiceIssuerName"]) == ("Other", "Google Cloud")


def test_focus_tax_and_correction_rows(mapped: Mapped) -> None:
    tax = focus_sql(
        ChargeCategory="'Tax'", x_CostType="'tax'", x_Credits="NULL", ServiceName="'Invoice'", x_ServiceId="''"
    )
    corrected = focus_sql(ChargeClass="'Correction'", BilledCost="-0.4::DECIMAL(38,9)")
    rows = mapped(FOCUS, f"{tax} UNION ALL BY NAME {corrected}")
    names = ("ChargeCategory", "ChargeClass", "ChargeFrequency", "BilledCost", "x_Tokens", "x_Unmapped")
    assert [tuple(picked(row, *names).values()) for row in rows] == [
        ("Tax", None, "One-Time", Decimal("0.4"), None, None),
        ("Usage", "Correction", "Usage-Based", Decimal("-0.4"), Decimal(40000), None),
    ]


def test_the_official_columns_of_the_focus_export_are_recognised(shared: Path) -> None:
    schema = json.loads((shared / "gcp/schemas/focus_export_1.2_preview.json").read_text())
    names = {column["name"] for column in schema["columns"]}
    assert names >= FOCUS.signature
    assert {c.name for c in FOCUS.columns if c.required} <= names
    assert {c.places[0] for c in FOCUS.columns if c.name.startswith("x_")} <= names


def test_the_documented_columns_of_the_native_export_are_read(shared: Path) -> None:
    schema = json.loads((shared / "gcp/schemas/billing_export_detailed.json").read_text())
    there = {f["name"] for f in schema["fields"]}
    there |= {f"{f['name']}.{g['name']}" for f in schema["fields"] for g in f.get("fields", [])}
    assert there >= DETAILED.signature
    assert {c.places[0] for c in DETAILED.columns} - there == {"labels_1"}


def test_the_synthetic_flattened_sample_arrives_whole(
    shared: Path, mapped: Mapped, con: duckdb.DuckDBPyConnection
) -> None:
    path = shared / "gcp/samples/finops_agent_sample_billing_data.csv"
    relation = f"read_csv('{path}', all_varchar = true)"
    rows = mapped(DETAILED, relation)
    # Each sample row has at most one credit, flattened beside the list: an independent sum.
    expected = con.execute(
        f"SELECT sum(cost::DECIMAL(18,6)) + sum(coalesce(credits_amount::DECIMAL(18,6), 0)) FROM {relation}"
    ).fetchone()
    assert expected is not None
    assert len(rows) == 500
    assert sum(row["BilledCost"] for row in rows) == expected[0]
    assert {row["x_State"] for row in rows} == {None}


def test_an_export_of_the_older_schema_arrives_whole(shared: Path, mapped: Mapped) -> None:
    rows = mapped(STANDARD, f"read_json('{shared}/gcp/samples/cuds_test_1_1_export.json')")
    assert sorted((row["InvoiceId"], row["BilledCost"], row["x_State"]) for row in rows) == [
        ("201901", Decimal(20), None),
        ("201901", Decimal(30), None),
        ("201901", Decimal(100), None),
        ("201903", Decimal(20), None),
    ]
