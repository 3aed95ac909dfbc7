"""One line item of the AWS bill, and the schema of the file."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa

from sample_data.calendar import first_of_next
from sample_data.company import NAME
from sample_data.prices import text

PAYER: Final = "100000000001"
ACCOUNTS: Final = {"assistant": "100000000011", "search": "100000000012", "docs": "100000000013"}

_TIMES: Final = (
    "bill_billing_period_end_date",
    "bill_billing_period_start_date",
    "line_item_usage_end_date",
    "line_item_usage_start_date",
)
_AMOUNTS: Final = (
    "line_item_unblended_cost",
    "line_item_usage_amount",
    "pricing_public_on_demand_cost",
    "savings_plan_savings_plan_effective_cost",
    "savings_plan_total_commitment_to_date",
    "savings_plan_used_commitment",
)
_MAPS: Final = ("cost_category", "product", "resource_tags")
_TEXTS: Final = (
    "bill_bill_type",
    "bill_billing_entity",
    "bill_invoice_id",
    "bill_invoicing_entity",
    "bill_payer_account_id",
    "bill_payer_account_name",
    "identity_line_item_id",
    "identity_time_interval",
    "line_item_availability_zone",
    "line_item_currency_code",
    "line_item_iam_principal",
    "line_item_legal_entity",
    "line_item_line_item_description",
    "line_item_line_item_type",
    "line_item_operation",
    "line_item_product_code",
    "line_item_resource_id",
    "line_item_tax_type",
    "line_item_unblended_rate",
    "line_item_usage_account_id",
    "line_item_usage_account_name",
    "line_item_usage_type",
    "pricing_currency",
    "pricing_public_on_demand_rate",
    "pricing_term",
    "pricing_unit",
    "product_instance_type",
    "product_location",
    "product_product_family",
    "product_region_code",
    "product_servicecode",
    "product_sku",
    "reservation_reservation_a_r_n",
    "savings_plan_end_time",
    "savings_plan_offering_type",
    "savings_plan_payment_option",
    "savings_plan_purchase_term",
    "savings_plan_savings_plan_a_r_n",
    "savings_plan_savings_plan_rate",
    "savings_plan_start_time",
)

SCHEMA: Final = pa.schema(
    sorted(
        [(name, pa.timestamp("ms")) for name in _TIMES]
        + [(name, pa.float64()) for name in _AMOUNTS]
        + [(name, pa.map_(pa.string(), pa.string())) for name in _MAPS]
        + [(name, pa.string()) for name in _TEXTS]
    )
)


def line_item(
    day: date,
    product: str | None,
    *,
    code: str,
    usage_type: str,
    quantity: Decimal,
    rate: Decimal,
    unit: str,
    description: str,
) -> dict[str, Any]:
    """A line item of type Usage of one day at its public price; the payer's own where no product is given.

    Args:
        day: UTC day of the usage.
        product: product whose account it is.
        code: `line_item_product_code`.
        usage_type: `line_item_usage_type`.
        quantity: in `unit`.
        rate: USD for each `unit`.
        unit: `pricing_unit`.
        description: `line_item_line_item_description`.
    """
    start, end = datetime.combine(day, time()), datetime.combine(day + timedelta(days=1), time())
    cost = quantity * rate
    return {
        "bill_bill_type": "Anniversary",
        "bill_billing_entity": "AWS",
        "bill_billing_period_start_date": start.replace(day=1),
        "bill_billing_period_end_date": datetime.combine(first_of_next(day), time()),
        "bill_invoice_id": f"SYNTHETIC{day:%Y%m}",
        "bill_invoicing_entity": "Amazon Web Services, Inc.",
        "bill_payer_account_id": PAYER,
        "bill_payer_account_name": NAME,
        "identity_time_interval": f"{start:%Y-%m-%dT%H:%M:%SZ}/{end:%Y-%m-%dT%H:%M:%SZ}",
        "line_item_currency_code": "USD",
        "line_item_legal_entity": "Amazon Web Services, Inc.",
        "line_item_line_item_description": description,
        "line_item_line_item_type": "Usage",
        "line_item_product_code": code,
        "line_item_unblended_cost": cost,
        "line_item_unblended_rate": text(rate),
        "line_item_usage_account_id": ACCOUNTS[product] if product else PAYER,
        "line_item_usage_account_name": f"lumenfold-{product or 'payer'}-synthetic",
        "line_item_usage_amount": quantity,
        "line_item_usage_end_date": end,
        "line_item_usage_start_date": start,
        "line_item_usage_type": usage_type,
        "pricing_currency": "USD",
        "pricing_public_on_demand_cost": cost,
        "pricing_public_on_demand_rate": text(rate),
        "pricing_term": "OnDemand",
        "pricing_unit": unit,
        "product_location": "US East (N. Virginia)",
        "product_region_code": "us-east-1",
        "product_servicecode": code,
        "resource_tags": [("user_env", "prod"), ("user_product", product)] if product else [],
    }
