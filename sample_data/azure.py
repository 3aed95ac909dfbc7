"""Azure Cost Management's FocusCost export 1.2: the columns that carry something, a Parquet file a month."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa

from sample_data.calendar import DAYS, MONTHS, first_of_next, growth, normals, week
from sample_data.company import NAME
from sample_data.prices import price, usd
from sample_data.writing import parquet

SUBSCRIPTION: Final = "00000000-0000-4000-8000-00000000d0c5"
_ACCOUNT: Final = "/providers/Microsoft.Billing/billingAccounts/synthetic-lumenfold"
_GROUP: Final = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-docs-synthetic/providers"

#: Meter names by model and tier, then by kind of token, with the block that the meter counts in.
METERS: Final = {
    ("gpt-4.1", "standard"): (
        1_000,
        {
            "input": "gpt 4.1 Inp glbl Tokens",
            "cache_read": "gpt 4.1 cached Inp glbl Tokens",
            "output": "gpt 4.1 Outp glbl Tokens",
        },
    ),
    ("gpt-4.1", "batch"): (
        1_000,
        {"input": "gpt 4.1 Batch Inp glbl Tokens", "output": "gpt 4.1 Batch Outp glbl Tokens"},
    ),
    ("gpt-4.1-mini", "standard"): (
        1_000,
        {
            "input": "gpt 4.1 mini Inp glbl Tokens",
            "cache_read": "gpt 4.1 mini cached Inp glbl Tokens",
            "output": "gpt 4.1 mini Outp glbl Tokens",
        },
    ),
    ("gpt-5.5", "standard"): (
        1_000_000,
        {
            "input": "5.5 ShortCo inp Gl 1M Tokens",
            "cache_read": "5.5 ShortCo cd inp Gl 1M Tokens",
            "output": "5.5 ShortCo opt Gl 1M Tokens",
        },
    ),
}
_BLOCKS: Final = {1: "1 Hour", 1_000: "1K", 1_000_000: "1M"}

_DECIMALS: Final = (
    "BilledCost",
    "ConsumedQuantity",
    "ContractedCost",
    "ContractedUnitPrice",
    "EffectiveCost",
    "ListCost",
    "ListUnitPrice",
    "PricingQuantity",
    "x_BilledCostInUsd",
    "x_BilledUnitPrice",
    "x_EffectiveCostInUsd",
    "x_EffectiveUnitPrice",
    "x_ListCostInUsd",
    "x_PricingBlockSize",
)
_TIMES: Final = ("BillingPeriodEnd", "BillingPeriodStart", "ChargePeriodEnd", "ChargePeriodStart")
_TEXTS: Final = (
    "BillingAccountId",
    "BillingAccountName",
    "BillingAccountType",
    "BillingCurrency",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "CommitmentDiscountId",
    "ConsumedUnit",
    "InvoiceId",
    "InvoiceIssuerName",
    "PricingCategory",
    "PricingCurrency",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "RegionId",
    "RegionName",
    "ResourceId",
    "ResourceName",
    "ResourceType",
    "ServiceCategory",
    "ServiceName",
    "ServiceSubcategory",
    "SkuId",
    "SkuMeter",
    "SkuPriceDetails",
    "SkuPriceId",
    "SubAccountId",
    "SubAccountName",
    "SubAccountType",
    "Tags",
    "x_PricingUnitDescription",
    "x_PublisherCategory",
    "x_ResourceGroupName",
    "x_ResourceType",
    "x_SkuDescription",
    "x_SkuMeterCategory",
    "x_SkuMeterId",
    "x_SkuMeterSubcategory",
    "x_SkuRegion",
    "x_SkuServiceFamily",
)
SCHEMA: Final = pa.schema(
    sorted(
        [(name, pa.decimal128(38, 18)) for name in _DECIMALS]
        + [(name, pa.timestamp("ms", tz="UTC")) for name in _TIMES]
        + [(name, pa.string()) for name in _TEXTS]
    )
)


class Resource(NamedTuple):
    """What a row is for: service, resource and meter."""

    category: str
    service: str
    subcategory: str
    type: str
    name: str
    meter_category: str
    meter_subcategory: str
    family: str


_OPENAI: Final = Resource(
    "AI and Machine Learning",
    "Azure AI Services",
    "AI Platforms",
    "Microsoft.CognitiveServices/accounts",
    "oai-docs-synthetic",
    "Azure OpenAI",
    "Azure OpenAI",
    "AI + Machine Learning",
)
_MACHINES: Final = Resource(
    "Compute",
    "Virtual Machines",
    "Virtual Machines",
    "Microsoft.Compute/virtualMachines",
    "vm-docs-synthetic",
    "Virtual Machines",
    "Dsv5 Series",
    "Compute",
)
_STORAGE: Final = Resource(
    "Storage",
    "Storage Accounts",
    "Object Storage",
    "Microsoft.Storage/storageAccounts",
    "stdocssynthetic",
    "Storage",
    "Blob Storage",
    "Storage",
)


def write(folder: Path, tokens: list[dict[str, Any]], seed: int) -> None:
    """Write the bill of every month."""
    rows = bill(tokens, seed)
    for month in MONTHS:
        ours = [row for row in rows if row["BillingPeriodStart"].strftime("%Y-%m") == month]
        parquet(folder / "azure" / f"synthetic-focuscost-1.2-{month}.snappy.parquet", ours, SCHEMA)


def bill(tokens: list[dict[str, Any]], seed: int) -> list[dict[str, Any]]:
    """Every charge of the period, by day."""
    rows = [_tokens(row) for row in tokens if row["provider"] == "Microsoft"]
    rows += _infrastructure(seed)
    return sorted(rows, key=lambda row: row["ChargePeriodStart"])


def _tokens(row: dict[str, Any]) -> dict[str, Any]:
    block, names = METERS[row["model"], row["tier"]]
    rate = price(("Microsoft", row["route"], row["model"], row["tier"]), row["kind"], row["date"])
    unit_price = rate * block / 1_000_000
    charge = _charge(
        row["date"],
        _OPENAI,
        names[row["kind"]],
        Decimal(row["tokens"]),
        block=block,
        unit="Units",
        unit_price=unit_price,
    )
    if charge["BilledCost"] != usd(row["picodollars"]):
        raise ArithmeticError(f"price times quantity is not the cost of {row}")
    return charge


def _infrastructure(seed: int) -> Iterator[dict[str, Any]]:
    busy = 96.0 * week(0.6, 0.55) * (1.0 + 0.05 * normals(seed, "azure machines"))
    stored = 640.0 * growth(1.0009)
    for at, day in enumerate(DAYS):
        hours = Decimal(round(float(busy[at])))
        yield _charge(day, _MACHINES, "D4s v5", hours, block=1, unit="Hours", unit_price=Decimal("0.192"))
        gigabytes = Decimal(round(float(stored[at]) * 1_000)).scaleb(-3)
        yield _charge(
            day, _STORAGE, "Hot LRS Data Stored", gigabytes, block=1, unit="GB/Month", unit_price=Decimal("0.0184")
        )


def _charge(
    day: date, what: Resource, meter: str, quantity: Decimal, *, block: int, unit: str, unit_price: Decimal
) -> dict[str, Any]:
    """A charge of one day: `quantity` single units at `unit_price` USD for each `block` of them."""
    start = datetime.combine(day, time(), UTC)
    blocks = quantity / block
    cost = blocks * unit_price
    money = dict.fromkeys(("BilledCost", "ContractedCost", "EffectiveCost", "ListCost"), cost)
    in_usd = dict.fromkeys(("x_BilledCostInUsd", "x_EffectiveCostInUsd", "x_ListCostInUsd"), cost)
    prices = ("ContractedUnitPrice", "ListUnitPrice", "x_BilledUnitPrice", "x_EffectiveUnitPrice")
    periods = {
        "BillingPeriodStart": start.replace(day=1),
        "BillingPeriodEnd": datetime.combine(first_of_next(day), time(), UTC),
        "ChargePeriodStart": start,
        "ChargePeriodEnd": start + timedelta(days=1),
    }
    quantities = {
        "ConsumedQuantity": quantity,
        "ConsumedUnit": unit,
        "PricingQuantity": blocks,
        "PricingUnit": unit,
        "x_PricingBlockSize": Decimal(block),
        "x_PricingUnitDescription": "1 GB/Month" if unit == "GB/Month" else _BLOCKS[block],
    }
    return periods | money | in_usd | dict.fromkeys(prices, unit_price) | quantities | _fixed(day, what, meter)


def _fixed(day: date, what: Resource, meter: str) -> dict[str, Any]:
    tags = {"env": "prod", "product": "docs", "sample": "synthetic"}
    return {
        "BillingAccountId": _ACCOUNT,
        "BillingAccountName": NAME,
        "BillingAccountType": "Billing Profile",
        "BillingCurrency": "USD",
        "ChargeCategory": "Usage",
        "ChargeDescription": f"{what.meter_category} - {meter}",
        "ChargeFrequency": "Usage-Based",
        "InvoiceId": f"SYNTHETIC{day:%Y%m}",
        "InvoiceIssuerName": "Microsoft",
        "PricingCategory": "Standard",
        "PricingCurrency": "USD",
        "ProviderName": "Microsoft",
        "PublisherName": "Microsoft",
        "RegionId": "eastus2",
        "RegionName": "East US 2",
        "ResourceId": f"{_GROUP}/{what.type}/{what.name}".lower(),
        "ResourceName": what.name,
        "ResourceType": what.service,
        "ServiceCategory": what.category,
        "ServiceName": what.service,
        "ServiceSubcategory": what.subcategory,
        "SkuId": f"SYNTHETIC {meter}",
        "SkuMeter": meter,
        "SubAccountId": f"/subscriptions/{SUBSCRIPTION}",
        "SubAccountName": "lumenfold-docs-synthetic",
        "SubAccountType": "Subscription",
        "Tags": json.dumps(tags),
        "x_PublisherCategory": "Cloud Provider",
        "x_ResourceGroupName": "rg-docs-synthetic",
        "x_ResourceType": what.type.lower(),
        "x_SkuDescription": f"{what.meter_category} - {meter}",
        "x_SkuMeterCategory": what.meter_category,
        "x_SkuMeterId": f"synthetic-{meter.lower().replace(' ', '-')}",
        "x_SkuMeterSubcategory": what.meter_subcategory,
        "x_SkuRegion": "US East 2",
        "x_SkuServiceFamily": what.family,
    }
