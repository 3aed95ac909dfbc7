"""The columns of the Cost and Usage Report that the mapping reads, in the spellings of its three layouts.

CUR 2.0 has `line_item_usage_type` and maps (`product`, `resource_tags`); the legacy report has
`lineItem/UsageType` and one column for each tag (`resourceTags/user:team`); its Parquet layout flattens both.
"""

from __future__ import annotations

from typing import Final

from connectors.format import Column, Kind

#: CUR 2.0 name, legacy name.
_REQUIRED_TEXT: Final = (
    ("bill_payer_account_id", "bill/PayerAccountId"),
    ("line_item_currency_code", "lineItem/CurrencyCode"),
    ("line_item_line_item_type", "lineItem/LineItemType"),
)

_REQUIRED_INSTANT: Final = (
    ("bill_billing_period_start_date", "bill/BillingPeriodStartDate"),
    ("bill_billing_period_end_date", "bill/BillingPeriodEndDate"),
    ("line_item_usage_start_date", "lineItem/UsageStartDate"),
    ("line_item_usage_end_date", "lineItem/UsageEndDate"),
)

_TEXT: Final = (
    ("bill_bill_type", "bill/BillType"),
    ("bill_billing_entity", "bill/BillingEntity"),
    ("bill_invoice_id", "bill/InvoiceId"),
    ("bill_invoicing_entity", "bill/InvoicingEntity"),
    ("bill_payer_account_name", "bill/PayerAccountName"),
    ("line_item_availability_zone", "lineItem/AvailabilityZone"),
    ("line_item_iam_principal", "lineItem/IamPrincipal"),
    ("line_item_legal_entity", "lineItem/LegalEntity"),
    ("line_item_line_item_description", "lineItem/LineItemDescription"),
    ("line_item_operation", "lineItem/Operation"),
    ("line_item_product_code", "lineItem/ProductCode"),
    ("line_item_resource_id", "lineItem/ResourceId"),
    ("line_item_usage_account_id", "lineItem/UsageAccountId"),
    ("line_item_usage_account_name", "lineItem/UsageAccountName"),
    ("line_item_usage_type", "lineItem/UsageType"),
    ("pricing_currency", "pricing/currency"),
    ("pricing_rate_code", "pricing/RateCode"),
    ("pricing_unit", "pricing/unit"),
    ("product_location", "product/location"),
    ("product_product_name", "product/ProductName"),
    ("product_region", "product/region"),
    ("product_region_code", "product/regionCode"),
    ("product_servicename", "product/servicename"),
    ("product_sku", "product/sku"),
    ("reservation_reservation_a_r_n", "reservation/ReservationARN"),
    ("savings_plan_savings_plan_a_r_n", "savingsPlan/SavingsPlanARN"),
)

#: Keys of the map `product`, which CUR 2.0 has in place of most columns of that name.
_PRODUCT: Final = ("location", "product_name", "region", "region_code", "servicename", "sku")

_DECIMAL: Final = (
    ("line_item_net_unblended_cost", "lineItem/NetUnblendedCost"),
    ("line_item_usage_amount", "lineItem/UsageAmount"),
    ("pricing_public_on_demand_cost", "pricing/publicOnDemandCost"),
    ("pricing_public_on_demand_rate", "pricing/publicOnDemandRate"),
    ("reservation_effective_cost", "reservation/EffectiveCost"),
    ("reservation_net_effective_cost", "reservation/NetEffectiveCost"),
    (
        "reservation_unused_amortized_upfront_fee_for_billing_period",
        "reservation/UnusedAmortizedUpfrontFeeForBillingPeriod",
    ),
    (
        "reservation_net_unused_amortized_upfront_fee_for_billing_period",
        "reservation/NetUnusedAmortizedUpfrontFeeForBillingPeriod",
    ),
    ("reservation_unused_recurring_fee", "reservation/UnusedRecurringFee"),
    ("reservation_net_unused_recurring_fee", "reservation/NetUnusedRecurringFee"),
    ("savings_plan_savings_plan_effective_cost", "savingsPlan/SavingsPlanEffectiveCost"),
    ("savings_plan_net_savings_plan_effective_cost", "savingsPlan/NetSavingsPlanEffectiveCost"),
    ("savings_plan_total_commitment_to_date", "savingsPlan/TotalCommitmentToDate"),
    ("savings_plan_used_commitment", "savingsPlan/UsedCommitment"),
)

#: Maps, or every column that begins alike gathered into one object.
_MAPS: Final = (
    ("cost_category", ("cost_category", "costCategory/*", "cost_category_*")),
    ("product", ("product",)),
    ("resource_tags", ("resource_tags", "resourceTags/*", "resource_tags_*")),
    ("tags", ("tags",)),
)

COLUMNS: Final = (
    *(Column(name, sources=(name, legacy), required=True) for name, legacy in _REQUIRED_TEXT),
    *(Column(name, Kind.INSTANT, sources=(name, legacy), required=True) for name, legacy in _REQUIRED_INSTANT),
    Column(
        "line_item_unblended_cost",
        Kind.DECIMAL,
        sources=("line_item_unblended_cost", "lineItem/UnblendedCost"),
        required=True,
    ),
    *(Column(name, sources=(name, legacy)) for name, legacy in _TEXT),
    *(Column(f"product[{key}]", sources=(f"product[{key}]",)) for key in _PRODUCT),
    *(Column(name, Kind.DECIMAL, sources=(name, legacy)) for name, legacy in _DECIMAL),
    *(Column(name, Kind.JSON, sources=sources) for name, sources in _MAPS),
)
