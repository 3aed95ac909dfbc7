"""The Cloud Billing exports to BigQuery: standard usage cost and detailed usage cost.

They come as Parquet (structs and lists of structs), as newline-delimited JSON, or as a CSV whose nested fields
are flattened with `_` or `.` and whose lists are JSON texts. Mapping after the FOCUS specification's Google
Cloud column; `cost` is before credits, so what is billed is `cost` plus the row's own credits.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import ibis

from connectors.expressions import Document, Moment, Number, Table, Text, Value, cases, literal
from connectors.format import Column, Format, Kind
from connectors.gcp.nested import PROVIDER, Commitment, charge_frequency, each, namespaced, repairs, tags_object
from connectors.gcp.services import category
from connectors.gcp.vertex import Sku, identity_columns, with_identity
from connectors.rows import ledger_rows

_LABEL: Final = {"key": Kind.TEXT, "value": Kind.TEXT}
_TAG: Final = {**_LABEL, "namespace": Kind.TEXT}
_CREDIT: Final = {
    "id": Kind.TEXT,
    "full_name": Kind.TEXT,
    "type": Kind.TEXT,
    "name": Kind.TEXT,
    "amount": Kind.DECIMAL,
}
_WIDE: Final = "decimal(38, 18)"
#: Months whose first midnight in Los Angeles is in standard time (UTC-8): daylight saving time begins after
#: 1 March and ends after 1 November (Energy Policy Act of 2005, in force since 2007).
_STANDARD_TIME: Final = (12, 1, 2, 3)


def _nested(path: str, kind: Kind = Kind.TEXT, **options: bool) -> Column:
    """A field of a struct, or the column that a flattened file made of it."""
    name = path.replace(".", "_")
    return Column(name, kind, sources=(path, name), required=options.get("required", False))


COLUMNS: Final = (
    Column("billing_account_id", required=True),
    Column("invoice_month", Kind.INSTANT, sources=("invoice.month", "invoice_month"), required=True, pattern="%Y%m"),
    Column("cost_type"),
    _nested("service.id"),
    _nested("service.description"),
    _nested("sku.id"),
    _nested("sku.description"),
    Column("usage_start_time", Kind.INSTANT, required=True),
    Column("usage_end_time", Kind.INSTANT, required=True),
    _nested("project.id"),
    _nested("project.name"),
    Column("labels", Kind.RECORDS, fields=_LABEL),
    # A flattening that numbers repeated names calls the project's labels `labels` and the row's own `labels_1`.
    Column("labels_1", Kind.RECORDS, fields=_LABEL),
    Column("project_labels", Kind.RECORDS, sources=("project.labels", "project_labels"), fields=_LABEL),
    Column("system_labels", Kind.RECORDS, fields=_LABEL),
    Column("tags", Kind.RECORDS, fields=_TAG),
    _nested("location.location"),
    _nested("location.region"),
    _nested("location.zone"),
    _nested("resource.name"),
    _nested("resource.global_name"),
    Column("cost", Kind.DECIMAL, required=True),
    Column("cost_at_list", Kind.DECIMAL),
    Column("currency", required=True),
    _nested("usage.amount", Kind.DECIMAL),
    _nested("usage.unit"),
    _nested("usage.amount_in_pricing_units", Kind.DECIMAL),
    _nested("usage.pricing_unit"),
    Column("credits", Kind.RECORDS, fields=_CREDIT),
    Column("credits_json", Kind.JSON, sources=("credits",)),
    _nested("adjustment_info.id"),
    _nested("adjustment_info.type"),
    Column("export_time", Kind.INSTANT),
    Column("transaction_type"),
    Column("seller_name"),
    _nested("subscription.instance_id"),
    _nested("price.list_price", Kind.DECIMAL),
    _nested("price.effective_price", Kind.DECIMAL),
    _nested("price.tier_start_amount", Kind.DECIMAL),
    _nested("price.pricing_unit_quantity", Kind.DECIMAL),
    _nested("consumption_model.id"),
    _nested("consumption_model.description"),
)

_SIGNATURE: Final = frozenset(
    {"billing_account_id", "usage_start_time", "export_time", "cost_type", "currency_conversion_rate", "credits"}
)


def billed(table: Table) -> Number:
    """What the row bills: its cost plus the sum of its own credits (which are negative)."""
    return table["cost"] + each(table["credits"], "amount").sums().fill_null(0)


def pacific_midnight(month: Moment) -> Moment:
    """The first moment in Los Angeles of a month that is given as its first moment in UTC."""
    hours = cases((month.month().isin(_STANDARD_TIME), 8), else_=7)
    return month + hours.as_interval("h")


def _commitment(table: Table) -> Commitment:
    return Commitment(
        credits=table["credits"],
        sku=table["sku_description"],
        subscription=table["subscription_instance_id"],
        model_id=table["consumption_model_id"],
        model=table["consumption_model_description"],
    )


def _charge(table: Table, commitment: Commitment) -> dict[str, Value]:
    """What kind of charge the row is; a cost type that Google does not document counts as an adjustment."""
    cost_type = table["cost_type"].lower()
    fee = (cost_type == "regular").fill_null(False) & commitment.is_fee
    kind = cases((fee, "Purchase"), (cost_type == "regular", "Usage"), (cost_type == "tax", "Tax"), else_="Adjustment")
    adjusted = (cost_type == "adjustment").fill_null(False)
    adjusted |= table["adjustment_info_id"].coalesce(table["adjustment_info_type"]).notnull()
    pricing = cases(
        (commitment.covers, "Committed"),
        (table["sku_description"].lower().contains("spot preemptible"), "Dynamic"),
        else_="Standard",
    )
    return {
        "ChargeCategory": kind,
        "ChargeClass": cases((adjusted, "Correction")),
        "ChargeDescription": table["sku_description"],
        "ChargeFrequency": charge_frequency(kind, fee),
        "ChargePeriodStart": table["usage_start_time"],
        "ChargePeriodEnd": table["usage_end_time"],
        "PricingCategory": cases((cost_type == "regular", pricing)),
        "x_Repairs": repairs(
            {
                "list cost is cost before credits": table["cost_at_list"].isnull() & (cost_type == "regular"),
                "cost type is unknown: taken as adjustment": ~cost_type.isin(
                    ["regular", "tax", "adjustment", "rounding_error"]
                ).fill_null(False),
            }
        ),
    }


def _money(table: Table) -> dict[str, Value]:
    total = billed(table)
    return {
        "BilledCost": total,
        "EffectiveCost": total,
        "ListCost": table["cost_at_list"].coalesce(table["cost"]),
        "ContractedCost": table["cost"],
        "BillingCurrency": table["currency"],
        "ListUnitPrice": _for_one(table["price_list_price"], table["price_pricing_unit_quantity"]),
        "ContractedUnitPrice": _for_one(table["price_effective_price"], table["price_pricing_unit_quantity"]),
        "x_Credits": cases((table["credits"].length() > 0, table["credits_json"])),
    }


def _for_one(price: Number, quantity: Number) -> Number:
    """The price of one pricing unit where it is exact; NULL for a price for an odd number of units.

    Google states the price of `pricing_unit_quantity` units, a power of ten.
    """
    narrow = price.cast("decimal(28, 12)")
    shares = [
        (quantity == 10**power, (narrow * literal(f"{Decimal(10) ** -power:f}", type="decimal(7, 6)")).cast(_WIDE))
        for power in (1, 2, 3, 4, 5, 6)
    ]
    return cases((quantity.isnull() | (quantity == 1), price), *shares)


def _owner(table: Table) -> dict[str, Value]:
    month, seller = table["invoice_month"], table["seller_name"]
    third_party = table["transaction_type"].isin(["THIRD_PARTY_RESELLER", "THIRD_PARTY_AGENCY"]) & seller.notnull()
    agency = (table["transaction_type"] == "THIRD_PARTY_AGENCY") & seller.notnull()
    return {
        "BillingAccountId": table["billing_account_id"],
        "BillingAccountName": table["billing_account_id"],
        "BillingPeriodStart": pacific_midnight(month),
        "BillingPeriodEnd": pacific_midnight(month + ibis.interval(months=1)),
        "InvoiceId": month.strftime("%Y%m"),
        "InvoiceIssuerName": cases((agency, seller), else_=PROVIDER),
        "ServiceProviderName": cases((third_party, seller), else_=PROVIDER),
        "HostProviderName": literal(PROVIDER),
        "SubAccountId": table["project_id"],
        "SubAccountName": table["project_name"],
        "SubAccountType": cases((table["project_id"].notnull(), "Project")),
        "Tags": _tags(table),
        "x_ExportTime": table["export_time"],
    }


def _tags(table: Table) -> Document:
    numbered = table["labels_1"].notnull()
    return tags_object(
        {
            "label": table["labels_1"].coalesce(table["labels"]),
            "project_label": table["project_labels"].coalesce(cases((numbered, table["labels"]))),
            "system_label": table["system_labels"],
            "tag": namespaced(table["tags"], "key", "value", "namespace"),
        }
    )


def _what(table: Table, kind: Text) -> dict[str, Value]:
    """The service, SKU, place and quantity."""
    resource = table["resource_global_name"].coalesce(table["resource_name"])
    used = kind.isin(["Usage", "Purchase"])
    tier = table["price_tier_start_amount"]
    return {
        "ServiceName": table["service_description"],
        "ServiceCategory": category(table["service_description"]),
        "SkuId": table["sku_id"],
        "SkuMeter": table["sku_description"],
        "SkuPriceId": table["sku_id"] + "/" + _plain(tier),
        "RegionId": table["location_region"].coalesce(table["location_location"]),
        "RegionName": table["location_location"],
        "AvailabilityZone": table["location_zone"],
        "ResourceId": resource,
        "ResourceName": table["resource_name"],
        "ResourceType": table["resource_global_name"].re_extract(r"^//.+/([^/]+)/[^/]+$", 1).nullif(""),
        "ConsumedQuantity": cases((kind == "Usage", table["usage_amount"])),
        "ConsumedUnit": cases((kind == "Usage", table["usage_unit"])),
        "PricingQuantity": cases((used, table["usage_amount_in_pricing_units"])),
        "PricingUnit": cases((used, table["usage_pricing_unit"])),
        "x_ServiceCode": table["service_id"],
        "x_ConsumptionModel": table["consumption_model_description"],
    }


def _plain(number: Number) -> Text:
    """A number without the zeros that its type adds."""
    written = number.cast("string").re_replace(r"(\.[0-9]*?)0+$", r"\1").re_replace(r"\.$", "")
    return cases((number == 0, "0"), (number.notnull(), written))


def _to_ledger(table: Table) -> Table:
    sku = Sku(
        service_id=table["service_id"],
        service=table["service_description"],
        description=table["sku_description"],
        seller=table["seller_name"],
        unit=table["usage_unit"],
        amount=table["usage_amount"],
        regular=table["cost_type"].lower() == "regular",
    )
    row = with_identity(table, sku)
    commitment = _commitment(row)
    charge = _charge(row, commitment)
    return ledger_rows(
        row,
        **_owner(row),
        **_money(row),
        **charge,
        **_what(row, charge["ChargeCategory"]),
        **commitment.columns(),
        **identity_columns(row),
    )


_NOTES: Final = (
    "Google bills by invoice month in Pacific time; the month of a charge may differ from the month of its invoice.",
    "Where the export has no list cost, the cost before credits stands in for it; x_Repairs says so.",
)

STANDARD: Final = Format(
    name="gcp-billing-standard",
    title="Google Cloud standard usage cost export",
    provider=PROVIDER,
    table="charges",
    signature=_SIGNATURE,
    columns=COLUMNS,
    to_ledger=_to_ledger,
    billed=billed,
    notes=(*_NOTES, "Resources are named in the detailed export only."),
)

DETAILED: Final = Format(
    name="gcp-billing-detailed",
    title="Google Cloud detailed usage cost export",
    provider=PROVIDER,
    table="charges",
    signature=_SIGNATURE | {"resource"},
    columns=COLUMNS,
    to_ledger=_to_ledger,
    billed=billed,
    notes=_NOTES,
)
