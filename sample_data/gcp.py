"""Google Cloud's detailed usage cost export, one JSON object a line; a day's usage stands in one hourly window."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

from sample_data.calendar import DAYS, growth, normals, week
from sample_data.prices import price, usd
from sample_data.writing import ndjson

_ACCOUNT: Final = "SYNTHE-TIC000-000001"
#: An hour that lies in the same day and month in UTC and in Pacific time.
_HOUR: Final = 18

#: A promotion takes this share off the models' cost while it lasts.
CREDIT_FIRST: Final = date(2026, 1, 10)
CREDIT_LAST: Final = date(2026, 3, 31)
CREDIT_SHARE: Final = Decimal("0.20")


class Sku(NamedTuple):
    """Service, SKU, unit and price in USD for each unit."""

    service_id: str
    service: str
    id: str
    description: str
    unit: str
    pricing_unit: str
    usd_per_unit: Decimal


_VERTEX: Final = ("C7E2-9256-1C43", "Vertex AI")
_TOKEN_SKUS: Final = {
    ("gemini-2.5-pro", "input"): ("SYN0-0000-0001", "Gemini 2.5 Pro Text Input - Predictions"),
    ("gemini-2.5-pro", "output"): ("SYN0-0000-0002", "Gemini 2.5 Pro Text Output - Predictions"),
    ("gemini-2.5-flash", "input"): ("SYN0-0000-0003", "Gemini 2.5 Flash GA Text Input - Predictions"),
    ("gemini-2.5-flash", "cache_read"): ("SYN0-0000-0004", "Gemini 2.5 Flash GA Input Text Caching"),
    ("gemini-2.5-flash", "output"): ("SYN0-0000-0005", "Gemini 2.5 Flash GA Text Output - Predictions"),
}
_MACHINES: Final = Sku(
    "6F81-5844-456A",
    "Compute Engine",
    "SYN0-0000-0011",
    "N2 Instance Core running in Americas",
    "seconds",
    "hour",
    Decimal("0.031611"),
)
_QUERIES: Final = Sku("24E6-581D-38E5", "BigQuery", "SYN0-0000-0012", "Analysis", "bytes", "tebibyte", Decimal("6.25"))
_STORAGE: Final = Sku(
    "95FF-2EF5-5EA1",
    "Cloud Storage",
    "SYN0-0000-0013",
    "Standard Storage US Multi-region",
    "byte-seconds",
    "gibibyte month",
    Decimal("0.026"),
)
_PER_PRICING_UNIT: Final = {"hour": 3_600, "tebibyte": 2**40, "gibibyte month": 2**30 * 2_628_000}


def write(folder: Path, tokens: list[dict[str, Any]], seed: int) -> None:
    """Write the export of the whole period."""
    ndjson(folder / "gcp" / "synthetic-gcp_billing_export_resource_v1.ndjson.gz", bill(tokens, seed))


def bill(tokens: list[dict[str, Any]], seed: int) -> list[dict[str, Any]]:
    """Every row of the period, by day."""
    rows = [_tokens(row) for row in tokens if row["provider"] == "Google Cloud"]
    rows += _infrastructure(seed)
    return sorted(rows, key=lambda row: row["usage_start_time"])


def _tokens(row: dict[str, Any]) -> dict[str, Any]:
    rate = price(("Google Cloud", row["route"], row["model"], row["tier"]), row["kind"], row["date"]).scaleb(-6)
    sku = Sku(*_VERTEX, *_TOKEN_SKUS[row["model"], row["kind"]], "count", "count", rate)
    cost = usd(row["picodollars"])
    granted = [_credit(cost)] if CREDIT_FIRST <= row["date"] <= CREDIT_LAST else []
    return _row(
        row["date"], sku, Decimal(row["tokens"]), in_pricing_units=Decimal(row["tokens"]), cost=cost, granted=granted
    )


def _credit(cost: Decimal) -> dict[str, Any]:
    amount = -(cost * CREDIT_SHARE).quantize(Decimal("0.000001"))
    return {
        "id": "synthetic-promotion-0001",
        "full_name": "Synthetic start-up promotion",
        "type": "PROMOTION",
        "name": "Synthetic start-up promotion",
        "amount": float(amount),
    }


def _infrastructure(seed: int) -> Iterator[dict[str, Any]]:
    hours = 1_150.0 * week(0.75, 0.7) * (1.0 + 0.04 * normals(seed, "gcp machines"))
    scanned = 5.4 * growth(1.0005) * week(0.5, 0.45) * (1.0 + 0.15 * normals(seed, "gcp queries"))
    stored = 560.0 * growth(1.0008)
    for sku, levels in ((_MACHINES, hours), (_QUERIES, scanned), (_STORAGE, stored)):
        for at, day in enumerate(DAYS):
            quantity = Decimal(round(float(levels[at]) * 1_000)).scaleb(-3)
            amount = (quantity * _PER_PRICING_UNIT[sku.pricing_unit]).to_integral_value()
            cost = (quantity * sku.usd_per_unit).quantize(Decimal("0.000001"))
            yield _row(day, sku, amount, in_pricing_units=quantity, cost=cost, granted=[])


def _row(
    day: date, sku: Sku, amount: Decimal, *, in_pricing_units: Decimal, cost: Decimal, granted: list[dict[str, Any]]
) -> dict[str, Any]:
    start = datetime.combine(day, time(_HOUR), UTC)
    return {
        "billing_account_id": _ACCOUNT,
        "invoice": {"month": f"{day:%Y%m}", "publisher_type": "GOOGLE"},
        "cost_type": "regular",
        "service": {"id": sku.service_id, "description": sku.service},
        "sku": {"id": sku.id, "description": sku.description},
        "usage_start_time": _moment(start),
        "usage_end_time": _moment(start + timedelta(hours=1)),
        "project": {
            "number": "100000000031",
            "id": "lumenfold-docs-synthetic",
            "name": "Lumenfold docs (synthetic)",
            "labels": [{"key": "env", "value": "prod"}],
            "ancestry_numbers": "/100000000030/",
            "ancestors": [{"resource_name": "organizations/100000000030", "display_name": "lumenfold-synthetic"}],
        },
        "labels": [{"key": "product", "value": "docs"}],
        "system_labels": [],
        "tags": [],
        "location": {"location": "us-central1", "country": "US", "region": "us-central1", "zone": None},
        "resource": {"name": None, "global_name": None},
        "cost": float(cost),
        "currency": "USD",
        "currency_conversion_rate": 1.0,
        "usage": {
            "amount": float(amount),
            "unit": sku.unit,
            "amount_in_pricing_units": float(in_pricing_units),
            "pricing_unit": sku.pricing_unit,
        },
        "credits": granted,
        "adjustment_info": {"id": None, "description": None, "type": None, "mode": None},
        "export_time": _moment(start + timedelta(hours=9)),
        "cost_at_list": float(cost),
        "transaction_type": "GOOGLE",
        "seller_name": None,
        "subscription": {"instance_id": None},
        "price": {
            "effective_price": f"{sku.usd_per_unit:f}",
            "list_price": f"{sku.usd_per_unit:f}",
            "tier_start_amount": "0",
            "unit": sku.pricing_unit,
            "pricing_unit_quantity": "1",
        },
    }


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")
