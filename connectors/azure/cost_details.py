"""Azure cost details (actual and amortized, Enterprise Agreement and Microsoft Customer Agreement) to FOCUS.

Actual and amortized files have the same columns and differ only in the rows of commitments (reservations and
savings plans). An actual file states what was invoiced: the purchase at its price, covered usage at 0. An amortized
file states what was used: no purchase, covered usage and the unused rest at their share. Each such row shows
which of the two it is, so `azure-cost-details` reads both kinds, row by row, without a guess (`AS_WRITTEN`).

Source of the mapping: microsoft/finops-toolkit docs-mslearn/focus/convert.md, except where this page says why not.
"""

from __future__ import annotations

from typing import Final

import ibis
import ibis.expr.types as ir

from connectors.azure.details import prefixed_keys
from connectors.azure.meters import IDENTITY_COLUMNS, Meter, parse_unit, times_block, with_identity
from connectors.azure.services import is_ai, service
from connectors.format import Column, Format, Kind
from connectors.rows import ledger_rows

_MICROSOFT: Final = "Microsoft"
_US_DATE: Final = "%m/%d/%Y"
#: No file has this column: a format with it is taken only where a person names it.
_BY_NAME_ONLY: Final = frozenset({"(taken only by its name)"})
_COMMITTED: Final = ("Reservation", "SavingsPlan", "Savings Plan")
_UNUSED: Final = ("UnusedReservation", "UnusedSavingsPlan")
_PAID: Final = ("Purchase", "Refund")

COLUMNS: Final = (
    Column("Cost", Kind.DECIMAL, ("CostInBillingCurrency", "Cost"), required=True),
    Column("BillingCurrency", sources=("BillingCurrencyCode", "BillingCurrency"), required=True),
    Column("Date", Kind.INSTANT, required=True, pattern=_US_DATE),
    Column("BillingPeriodStartDate", Kind.INSTANT, required=True, pattern=_US_DATE),
    Column("BillingPeriodEndDate", Kind.INSTANT, required=True, pattern=_US_DATE),
    Column("BillingAccountId", required=True),
    Column("BillingAccountName"),
    Column("BillingProfileId"),
    Column("BillingProfileName"),
    Column("ChargeType", required=True),
    Column("Frequency"),
    Column("PricingModel"),
    Column("PricingCurrency", sources=("PricingCurrency", "PricingCurrencyCode")),
    Column("ExchangeRate", Kind.DECIMAL, ("ExchangeRatePricingToBilling", "ExchangeRate")),
    Column("PayGCost", Kind.DECIMAL, ("PaygCostInBillingCurrency",)),
    Column("PayGPrice", Kind.DECIMAL),
    Column("UnitPrice", Kind.DECIMAL),
    Column("EffectivePrice", Kind.DECIMAL),
    Column("Quantity", Kind.DECIMAL),
    Column("UnitOfMeasure"),
    Column("ProductName", sources=("ProductName", "Product")),
    Column("ProductId"),
    Column("MeterId"),
    Column("MeterName"),
    Column("MeterCategory"),
    Column("MeterSubCategory"),
    Column("ConsumedService"),
    Column("ResourceId", sources=("ResourceId", "InstanceId", "InstanceName")),
    Column("ResourceName"),
    Column("ResourceGroup", sources=("ResourceGroup", "ResourceGroupName")),
    Column("ResourceLocation"),
    Column("SubscriptionId", sources=("SubscriptionId", "SubscriptionGuid")),
    Column("SubscriptionName"),
    Column("BenefitId"),
    Column("BenefitName"),
    Column("ReservationId"),
    Column("ReservationName"),
    Column("InvoiceId"),
    Column("PartnerName"),
    Column("PublisherName"),
    Column("PublisherType"),
    Column("AdditionalInfo"),
    Column("Tags"),
)

#: What both agreements and every age of the export have.
SIGNATURE: Final = frozenset(
    {
        "MeterCategory",
        "MeterSubCategory",
        "MeterId",
        "UnitOfMeasure",
        "Quantity",
        "ChargeType",
        "BillingPeriodStartDate",
    }
)


def committed(table: ir.Table) -> ir.BooleanValue:
    """Whether a row is of a reservation or savings plan; older exports say so only by the reservation's id."""
    by_model = table["PricingModel"].isin(_COMMITTED).fill_null(False)
    unsaid = table["PricingModel"].isnull() & table["ReservationId"].notnull()
    return by_model | unsaid | table["ChargeType"].isin(_UNUSED)


def paid_ahead(table: ir.Table) -> ir.BooleanValue:
    """Purchase or refund of a commitment: rows that only an actual file has."""
    return committed(table) & table["ChargeType"].isin(_PAID)


def amortized(table: ir.Table) -> ir.BooleanValue:
    """Rows that only an amortized file has: covered usage with a cost of its own, and the unused rest."""
    usage = committed(table) & (table["ChargeType"] == "Usage") & (table["Cost"] != 0)
    return usage | table["ChargeType"].isin(_UNUSED)


def billed_cost(table: ir.Table) -> ir.Value:
    """What was invoiced: the cost, but nothing for usage whose purchase was invoiced before.

    Unused rows too: their amount is in the purchase as well, so billing them would state it twice.
    """
    zero = ibis.literal(0).cast("decimal(38, 18)")
    return ibis.cases((amortized(table), zero), else_=table["Cost"])


def _effective_cost(table: ir.Table, *, cover_known: bool) -> ir.Value:
    """What was used. An actual file writes 0 on covered usage, which says nothing of its cost: NULL, not 0."""
    zero = ibis.literal(0).cast("decimal(38, 18)")
    covered = committed(table) & (table["ChargeType"] == "Usage") & (table["Cost"] == 0)
    unknown = [] if cover_known else [(covered, ibis.null("decimal(38, 18)"))]
    return ibis.cases((paid_ahead(table), zero), *unknown, else_=table["Cost"])


def _in_bill_currency(table: ir.Table, price: ir.Value) -> ir.Value:
    """A unit price in the currency of the bill; NULL where the currencies differ and no rate is given."""
    same = (table["PricingCurrency"] == table["BillingCurrency"]) | table["PricingCurrency"].isnull()
    return ibis.cases((same, price), else_=_times(price, table["ExchangeRate"]))


def _times(price: ir.Value, factor: ir.Value) -> ir.Value:
    """A product of two decimals, ten fraction digits of each: more would overflow."""
    product = price.try_cast("decimal(19, 10)") * factor.try_cast("decimal(19, 10)")
    return product.try_cast("decimal(38, 18)")


def _priced(table: ir.Table, price: str) -> ir.Value:
    """Quantity at a unit price, in the currency of the bill; NULL unless it is of the magnitude of the row's cost.

    Real rows count `Quantity` in blocks of the unit of measure (0.0129 of `10K` are 129 operations), while
    Microsoft's conversion divides it by the block; the cost tells which holds, since a block is at least 10.
    """
    amount = _times(table[price], table["Quantity"])
    # A check of magnitude, never a figure: a double is exact enough.
    size, cost = amount.cast("float64").abs(), table["EffectiveAmount"]
    near = (size <= cost * 3) & (cost <= size * 3)
    single = table["Block"] == 1
    known = (table[price] != 0) & (single | near)
    return ibis.cases((known, amount))


def _prepared(table: ir.Table) -> ir.Table:
    """The columns that several ledger columns are made of."""
    unit = parse_unit(table["UnitOfMeasure"])
    effective = _in_bill_currency(table, table["EffectivePrice"])
    table = table.mutate(
        Block=unit.block,
        BlockUnit=unit.unit,
        IsCommitted=committed(table),
        IsUsed=table["ChargeType"] == "Usage",
        BenefitKey=table["BenefitId"].coalesce(table["ReservationId"]).lower(),
        IsCustomerAgreement=table["PricingCurrency"].notnull() & table["BillingProfileId"].notnull(),
        ListPrice=_in_bill_currency(table, table["PayGPrice"]),
        ContractPrice=_in_bill_currency(table, table["UnitPrice"]),
        EffectiveAmount=(effective.cast("float64") * table["Quantity"].cast("float64")).abs(),
    )
    product = ibis.literal(" ").join(
        [table["MeterSubCategory"], table["ProductName"], table["MeterCategory"], table["PublisherName"]]
    )
    ai = is_ai(table["ConsumedService"], table["MeterCategory"], ibis.literal(" ").join([product, table["MeterName"]]))
    used = ibis.cases((table["IsUsed"], table["Quantity"]))
    return with_identity(table, Meter(table["MeterName"], product, table["UnitOfMeasure"], used, ai))


def _cost_columns(table: ir.Table, *, cover_known: bool) -> dict[str, ir.Value]:
    free = table["IsUsed"] & ~table["IsCommitted"] & (table["PublisherType"].fill_null("Azure") == "Azure")
    list_cost = table["PayGCost"].coalesce(_priced(table, "ListPrice"))
    return {
        "BilledCost": billed_cost(table),
        "EffectiveCost": _effective_cost(table, cover_known=cover_known),
        "ListCost": ibis.cases((_known(table, list_cost, free), list_cost)),
        "ListUnitPrice": table["ListPrice"].nullif(0),
        "ContractedCost": _priced(table, "ContractPrice"),
        "ContractedUnitPrice": table["ContractPrice"].nullif(0),
        "BillingCurrency": table["BillingCurrency"],
        "PricingCurrency": table["PricingCurrency"],
    }


def _known(table: ir.Table, cost: ir.Value, free: ir.BooleanValue) -> ir.BooleanValue:
    """A zero is a price only of a first-party charge that really cost nothing; elsewhere Azure means unknown."""
    return (cost != 0) | (free & (table["Cost"] == 0))


def _quantity_columns(table: ir.Table) -> dict[str, ir.Value]:
    block, unit = table["Block"], table["BlockUnit"]
    named = ibis.cases((block == 1, unit), else_=block.cast("string") + " " + unit)
    consumed = times_block(table["Quantity"], block).try_cast("decimal(38, 18)")
    return {
        "PricingQuantity": table["Quantity"],
        "PricingUnit": named.coalesce(table["UnitOfMeasure"]),
        "ConsumedQuantity": ibis.cases((table["IsUsed"], consumed)),
        "ConsumedUnit": ibis.cases((table["IsUsed"] & consumed.notnull(), unit)),
    }


def _charge_columns(table: ir.Table) -> dict[str, ir.Value]:
    kind = table["ChargeType"]
    category = kind.cases(
        *((same, same) for same in ("Usage", "Purchase", "Credit", "Tax")),
        *((unused, "Usage") for unused in _UNUSED),
        ("Refund", "Purchase"),
        else_="Adjustment",
    )
    pricing = table["PricingModel"].cases(("OnDemand", "Standard"), ("Spot", "Dynamic"))
    return {
        "ChargeCategory": category,
        "ChargeClass": kind.cases(("Refund", "Correction")),
        "ChargeDescription": table["ProductName"],
        "ChargeFrequency": table["Frequency"].cases(
            ("OneTime", "One-Time"), ("Recurring", "Recurring"), ("UsageBased", "Usage-Based")
        ),
        "ChargePeriodStart": table["Date"],
        "ChargePeriodEnd": table["Date"] + ibis.interval(days=1),
        "BillingPeriodStart": table["BillingPeriodStartDate"],
        "BillingPeriodEnd": table["BillingPeriodEndDate"] + ibis.interval(days=1),
        "PricingCategory": ibis.cases(
            (paid_ahead(table), "Standard"), (table["IsCommitted"], "Committed"), else_=pricing
        ),
        "InvoiceId": table["InvoiceId"],
        "InvoiceIssuerName": table["PartnerName"].coalesce(ibis.literal(_MICROSOFT)),
    }


def _commitment_columns(table: ir.Table) -> dict[str, ir.Value]:
    key = ibis.cases((table["IsCommitted"], table["BenefitKey"]))
    plan = key.contains("/microsoft.billingbenefits/") | table["PricingModel"].isin(["SavingsPlan", "Savings Plan"])
    return {
        "CommitmentDiscountId": key,
        "CommitmentDiscountName": ibis.cases((key.notnull(), table["BenefitName"].coalesce(table["ReservationName"]))),
        "CommitmentDiscountCategory": ibis.cases((plan & key.notnull(), "Spend"), (key.notnull(), "Usage")),
        "CommitmentDiscountType": ibis.cases((plan & key.notnull(), "Savings Plan"), (key.notnull(), "Reservation")),
        "CommitmentDiscountStatus": ibis.cases(
            (table["ChargeType"].isin(_UNUSED), "Unused"), (table["IsCommitted"] & table["IsUsed"], "Used")
        ),
    }


def _owner_columns(table: ir.Table) -> dict[str, ir.Value]:
    mca = table["IsCustomerAgreement"]
    marketplace = table["PublisherType"].lower() == "marketplace"
    seller = ibis.cases((marketplace, table["PublisherName"]), else_=_MICROSOFT)
    below_provider = table["ResourceId"].lower().split("/providers/")[-1]
    return {
        "BillingAccountId": ibis.ifelse(mca, table["BillingProfileId"], table["BillingAccountId"]),
        "BillingAccountName": ibis.ifelse(mca, table["BillingProfileName"], table["BillingAccountName"]),
        "BillingAccountType": ibis.ifelse(mca, "Billing Profile", "Billing Account"),
        "SubAccountId": table["SubscriptionId"],
        "SubAccountName": table["SubscriptionName"],
        "SubAccountType": ibis.cases((table["SubscriptionId"].notnull(), "Subscription")),
        "ServiceProviderName": seller.coalesce(ibis.literal(_MICROSOFT)),
        "HostProviderName": ibis.literal(_MICROSOFT),
        "ResourceId": table["ResourceId"],
        "ResourceName": table["ResourceName"].coalesce(table["ResourceId"].re_extract(r"([^/]+)/?$", 1).nullif("")),
        "ResourceType": below_provider.re_extract(r"^([^/]+/[^/]+)/", 1).nullif(""),
        "RegionId": table["ResourceLocation"].lower().replace(" ", ""),
        "RegionName": table["ResourceLocation"],
        "x_ResourceGroup": table["ResourceGroup"],
    }


def _product_columns(table: ir.Table) -> dict[str, ir.Value]:
    named = service(table["ConsumedService"], table["MeterCategory"])
    generative = table["IsGenerative"]
    return {
        "ServiceName": named.name,
        "ServiceCategory": ibis.cases((generative, "AI and Machine Learning"), else_=named.category),
        "ServiceSubcategory": ibis.cases((generative, "Generative AI"), else_=named.subcategory),
        "SkuId": table["ProductId"],
        "SkuMeter": table["MeterName"],
        "SkuPriceDetails": prefixed_keys(table["AdditionalInfo"].try_cast("json")),
        "x_MeterId": table["MeterId"],
        "x_MeterCategory": table["MeterCategory"],
        "x_MeterSubCategory": table["MeterSubCategory"],
    }


def _tags(table: ir.Table) -> ir.Value:
    """Tags as JSON: the CSV of an Enterprise Agreement leaves the braces out."""
    text = table["Tags"].strip()
    return ibis.ifelse(text.startswith("{"), text, ibis.literal("{") + text + "}").try_cast("json")


def _repairs(table: ir.Table) -> ir.StringValue:
    """What was mended, comma-separated; `table` has the ledger's costs and tags already."""
    covered = table["EffectiveCost"].isnull()
    no_list = (table["PayGPrice"] == 0) & table["ListCost"].isnull()
    no_contract = (table["UnitPrice"] == 0) & table["ContractedCost"].isnull()
    notes = [
        ibis.cases((covered, "EffectiveCost 0 of covered usage in an actual file means unknown")),
        ibis.cases((no_list, "PayGPrice 0 means unknown")),
        ibis.cases((no_contract, "UnitPrice 0 means unknown")),
        ibis.cases((table["Tags"].notnull() & table["TagsRead"].isnull(), "Tags are not readable")),
    ]
    return ibis.literal(", ").join(notes).nullif("")


def _ledger(source: ir.Table, *, cover_known: bool) -> ir.Table:
    table = _prepared(source)
    costs = _cost_columns(table, cover_known=cover_known)
    table = table.mutate(**costs, TagsRead=_tags(table))
    columns = {
        **{name: table[name] for name in costs},
        **_quantity_columns(table),
        **_charge_columns(table),
        **_commitment_columns(table),
        **_owner_columns(table),
        **_product_columns(table),
        **{name: table[name] for name in IDENTITY_COLUMNS},
        "Tags": table["TagsRead"],
    }
    return ledger_rows(table, **columns, x_Repairs=_repairs(table))


_NOTES: Final = (
    (
        "Of a reservation or savings plan an actual file states the purchase only and an amortized file the use only. "
        "For both BilledCost and EffectiveCost load the amortized file and the purchases of the actual one."
    ),
    "The bill does not name the deployment: one resource can host many.",
    "Claude on Foundry is billed in Claude Consumption Units: neither models nor tokens are in the bill.",
)

AS_WRITTEN: Final = Format(
    name="azure-cost-details",
    title="Azure cost details, actual or amortized",
    provider=_MICROSOFT,
    table="charges",
    signature=SIGNATURE,
    columns=COLUMNS,
    to_ledger=lambda table: _ledger(table, cover_known=False),
    billed=billed_cost,
    notes=_NOTES,
)

AMORTIZED: Final = Format(
    name="azure-cost-details-amortized",
    title="Azure cost details, amortized",
    provider=_MICROSOFT,
    table="charges",
    signature=_BY_NAME_ONLY,
    columns=COLUMNS,
    to_ledger=lambda table: _ledger(table, cover_known=True),
    billed=billed_cost,
    notes=_NOTES,
)

PURCHASES: Final = Format(
    name="azure-cost-details-purchases",
    title="Azure cost details, actual, only what an amortized file lacks",
    provider=_MICROSOFT,
    table="charges",
    signature=_BY_NAME_ONLY,
    columns=COLUMNS,
    to_ledger=lambda table: _ledger(table, cover_known=True),
    billed=billed_cost,
    dropped=lambda table: ~paid_ahead(table),
    notes=_NOTES,
)

FORMATS: Final = (AS_WRITTEN, AMORTIZED, PURCHASES)
