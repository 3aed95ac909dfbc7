"""AWS Cost and Usage Report 2.0, daily granularity: the columns that matter of its 127, one Parquet file a month."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from sample_data import aws_compute
from sample_data.aws_rows import ACCOUNTS, SCHEMA, line_item
from sample_data.calendar import DAYS, MONTHS
from sample_data.prices import price, text, usd
from sample_data.writing import parquet

#: From this day on Nova is metered in millions of tokens, under another product code.
UNIT_SWITCH: Final = date(2026, 6, 1)
RESTATED_MONTH: Final = "2026-03"
#: What the first delivery of the restated month lacks: all of the last days, and late Marketplace rows.
_LATE: Final = date(2026, 3, 30)
_LATE_MARKETPLACE: Final = date(2026, 3, 24)

#: A meter that no mapping knows, so that the data-quality screen has something true to show.
UNKNOWN_METER: Final = "USE1-SyntheticUnknown1.0-frame-blocks"
UNKNOWN_SINCE: Final = date(2026, 9, 1)
_UNKNOWN_BLOCKS_A_DAY: Final = 120
_UNKNOWN_USD_A_BLOCK: Final = Decimal("0.05")

_MODELS: Final = {
    "claude-sonnet-4-6": ("Claude4.6Sonnet", "Claude Sonnet 4.6 (Amazon Bedrock Edition)"),
    "claude-haiku-4-5": ("Claude4.5Haiku", "Claude Haiku 4.5 (Amazon Bedrock Edition)"),
    "nova-pro": ("NovaPro", "Amazon Bedrock"),
}
_METERS: Final = {
    "input": ("input-tokens", "InputTokenCount", "Input Tokens"),
    "cache_read": ("cache-read-input-token-count", "CacheReadInputTokenCount", "Cache Read Input Tokens"),
    "cache_write": ("cache-write-input-token-count", "CacheWriteInputTokenCount", "Cache Write Input Tokens"),
    "output": ("output-tokens", "OutputTokenCount", "Output Tokens"),
}


def write(folder: Path, tokens: list[dict[str, Any]], seed: int) -> None:
    """Write the bill of every month, and the first delivery of the restated one."""
    rows = bill(tokens, seed)
    for month in MONTHS:
        parquet(folder / "aws" / f"synthetic-cur2-{month}.snappy.parquet", of_month(rows, month), SCHEMA)
    early = folder / "aws-first-delivery" / f"synthetic-cur2-{RESTATED_MONTH}.snappy.parquet"
    parquet(early, first_delivery(rows), SCHEMA)


def bill(tokens: list[dict[str, Any]], seed: int) -> list[dict[str, Any]]:
    """Every line item of the period, by day; each has an id of its own."""
    ours = [row for row in tokens if row["provider"] == "AWS"]
    rows = [*map(_bedrock, ours), *_unknown(), *aws_compute.rows(seed)]
    rows.sort(key=lambda row: row["line_item_usage_start_date"])
    for number, row in enumerate(rows):
        row["identity_line_item_id"] = f"synthetic{number:07d}"
    return rows


def of_month(rows: list[dict[str, Any]], month: str) -> list[dict[str, Any]]:
    """The line items of one billing period, written `YYYY-MM`."""
    return [row for row in rows if row["bill_billing_period_start_date"].strftime("%Y-%m") == month]


def first_delivery(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The restated month as it stood before the late rows came."""

    def was_there(row: dict[str, Any]) -> bool:
        late = _LATE_MARKETPLACE if row["bill_billing_entity"] == "AWS Marketplace" else _LATE
        return row["line_item_usage_start_date"] < datetime.combine(late, time())

    return [row for row in of_month(rows, RESTATED_MONTH) if was_there(row)]


def _bedrock(row: dict[str, Any]) -> dict[str, Any]:
    rate = price(("AWS", row["route"], row["model"], row["tier"]), row["kind"], row["date"])
    common = {
        "resource_tags": [("user_env", "prod"), ("user_product", row["product"])],
        "line_item_iam_principal": f"arn:aws:iam::{ACCOUNTS[row['product']]}:role/synthetic-{row['product']}",
        "line_item_operation": "InvokeModelInference",
        "line_item_unblended_cost": usd(row["picodollars"]),
    }
    return _marketplace(row, rate) | common if row["route"] == "Global" else _first_party(row, rate) | common


def _marketplace(row: dict[str, Any], rate: Decimal) -> dict[str, Any]:
    """Claude sold through AWS Marketplace: millions of tokens as `Units`, the model in the service's name alone."""
    _, meter, words = _METERS[row["kind"]]
    name = _MODELS[row["model"]][1]
    return line_item(
        row["date"],
        row["product"],
        code="synthetic4claude46sonnet",
        usage_type=f"USE1-MP:USE1_{meter}_Global-Units",
        quantity=Decimal(row["tokens"]).scaleb(-6),
        rate=rate,
        unit="Units",
        description=f"AWS Marketplace software usage|us-east-1|Million {words} Global",
    ) | {
        "bill_billing_entity": "AWS Marketplace",
        "line_item_legal_entity": "Anthropic",
        "product": [("product_name", name), ("servicename", name)],
        "product_servicecode": None,
        "pricing_public_on_demand_cost": Decimal(0),
        "pricing_public_on_demand_rate": None,
    }


def _first_party(row: dict[str, Any], rate: Decimal) -> dict[str, Any]:
    """A model metered by Bedrock itself, in thousands of tokens or (Nova, from the switch on) in millions."""
    name = _MODELS[row["model"]][0]
    millions = row["model"] == "nova-pro" and row["date"] >= UNIT_SWITCH
    unit, scale = ("1M tokens", -6) if millions else ("1K tokens", -3)
    code = "AmazonBedrockFoundationModels" if millions else "AmazonBedrock"
    unit_rate = rate if millions else rate.scaleb(-3)
    meter, _, words = _METERS[row["kind"]]
    words = words.lower()
    return line_item(
        row["date"],
        row["product"],
        code=code,
        usage_type=f"USE1-{name}-{meter}",
        quantity=Decimal(row["tokens"]).scaleb(scale),
        rate=unit_rate,
        unit=unit,
        description=f"${text(unit_rate)} per {unit.split()[0]} {words} for {name} in US East (N. Virginia)",
    ) | {"product": [("product_name", "Amazon Bedrock"), ("servicename", "Amazon Bedrock")]}


def _unknown() -> Iterator[dict[str, Any]]:
    for day in DAYS:
        if day >= UNKNOWN_SINCE:
            yield line_item(
                day,
                "docs",
                code="AmazonBedrock",
                usage_type=UNKNOWN_METER,
                quantity=Decimal(_UNKNOWN_BLOCKS_A_DAY),
                rate=_UNKNOWN_USD_A_BLOCK,
                unit="Blocks",
                description="$0.05 per block of frames (synthetic meter that no mapping knows)",
            ) | {
                "line_item_operation": "InvokeModelInference",
                "product": [("product_name", "Amazon Bedrock"), ("servicename", "Amazon Bedrock")],
                "resource_tags": [("user_env", "prod"), ("user_product", "docs")],
            }


def unknown_cost() -> Decimal:
    """Billed cost of the unknown meter over the whole period, USD."""
    days = sum(day >= UNKNOWN_SINCE for day in DAYS)
    return days * _UNKNOWN_BLOCKS_A_DAY * _UNKNOWN_USD_A_BLOCK
