"""AWS Cost and Usage Report, 2.0 and legacy: one mapping, two spellings of the same columns.

Amortisation follows the Cloud Intelligence Dashboards' `summary_view` (AWS): a use covered by a commitment carries
its share of the commitment's fee as EffectiveCost, the fee itself (a Purchase) none, and what no use took up becomes
a row of its own with status Unused. The `net` amounts, after negotiated discounts, win where the report has them.
"""

from __future__ import annotations

from typing import Final

import ibis

from connectors.aws import bedrock, services
from connectors.aws.cur_columns import COLUMNS
from connectors.expressions import Document, Number, Table, Text, Truth, Value, cases, literal, null
from connectors.format import Format
from connectors.rows import added_rows, ledger_rows
from ledger.tables import IDENTITY

#: Line item types by what they are to FOCUS.
METERED: Final = ("Usage", "DiscountedUsage", "SavingsPlanCoveredUsage")
DISCOUNTS: Final = ("BundledDiscount", "Discount", "EdpDiscount", "PrivateRateDiscount")
RECURRING_FEES: Final = ("RIFee", "SavingsPlanRecurringFee")
PURCHASES: Final = ("Fee", *RECURRING_FEES, "SavingsPlanUpfrontFee")
NEGATION: Final = "SavingsPlanNegation"
KNOWN: Final = (*METERED, *DISCOUNTS, *PURCHASES, "Tax", "Credit", "Refund", NEGATION)

LIST_UNKNOWN: Final = "list cost 0 means unknown"
CONTRACTED_AS_LIST: Final = "contracted cost of reserved use is not stated, list cost stands for it"
EFFECTIVE_UNKNOWN: Final = "effective cost not in the export"
TYPE_UNKNOWN: Final = "line item type not known: "
ISSUER_AS_AWS: Final = "invoice issuer not stated, AWS stands for it"
NET_ZERO: Final = "net amount 0 taken as stated"
UNUSED_BEFORE_DISCOUNT: Final = "unused commitment stated before negotiated discounts only"

#: What follows partition, service, region, account, a type before `:` and a path.
_ARN_END: Final = r"^arn:(?:[^:]*:){4}(?:[^:/]+:)?(?:.*/)?(.*)$"
#: Where an ARN names the resource, counted from 0 between its colons.
_PART: Final = 5
_MONEY: Final = "decimal(38, 18)"


def billed(table: Table) -> Number:
    """The line item's own amount: after negotiated discounts where the report states that, before them otherwise."""
    return table["line_item_net_unblended_cost"].coalesce(table["line_item_unblended_cost"])


def dropped(table: Table) -> Truth:
    """Negations: they cancel the on-demand cost of covered use, which is mapped to a BilledCost of 0."""
    return table["line_item_line_item_type"] == NEGATION


def to_ledger(table: Table) -> Table:
    """Report lines to `charges`: one row each, and one more for each fee that use did not take up wholly."""
    read = _read(table)
    columns = {**_accounts(read), **_charge(read), **_what(read), **_costs(read), **_prices(read), **_commitment(read)}
    columns |= {c.name: read[c.name] for c in IDENTITY}
    return ledger_rows(read, **columns).union(_unused(read, columns))


def _read(table: Table) -> Table:
    """The line items with what the mapping asks about them more than once (columns `c_...`), and their identity.

    What depends on the product code alone is a column too: the engine then works it out once for each different code.
    """
    kind = table["line_item_line_item_type"]
    plan = table["savings_plan_savings_plan_a_r_n"]
    named = table.mutate(
        c_Product=_product(table, "product_name").coalesce(_product(table, "servicename")),
        c_Metered=kind.isin(METERED),
        c_Commitment=plan.coalesce(table["reservation_reservation_a_r_n"]),
        c_PlanRefund=(kind == "Refund")
        & (plan.notnull() | table["line_item_product_code"].fill_null("").endswith("SavingsPlans")),
        c_Marketplace=(table["bill_billing_entity"] == "AWS Marketplace").fill_null(False),
        c_Billed=billed(table),
        c_Unused=_unused_cost(table),
        c_Currency=table["pricing_currency"].coalesce(table["line_item_currency_code"]),
        c_Category=services.category(table["line_item_product_code"]),
        c_Subcategory=services.subcategory(table["line_item_product_code"]),
        c_Part=cases((_is_arn(table), table["line_item_resource_id"].split(":")[_PART])),
    )
    service = named["line_item_product_code"]
    model = bedrock.sold_as_model(service, named["c_Product"])
    meter = bedrock.Meter(
        applies=model & (kind != "Tax"),
        counts=named["c_Metered"],
        usage_type=named["line_item_usage_type"],
        unit=named["pricing_unit"],
        description=named["line_item_line_item_description"],
        product=named["c_Product"],
        quantity=named["line_item_usage_amount"],
    )
    return bedrock.identified(named.mutate(c_Model=model), meter)


def _product(table: Table, key: str) -> Text:
    """What the report says of the product, in a column of its own or in its map."""
    return table[f"product_{key}"].coalesce(table[f"product[{key}]"])


def _unused_cost(table: Table) -> Number:
    """What a recurring fee paid for and no use took up; NULL for other lines and where the report does not say."""

    def net(name: str) -> Number:
        return table[f"reservation_net_unused_{name}"].coalesce(table[f"reservation_unused_{name}"])

    plan = table["savings_plan_total_commitment_to_date"] - table["savings_plan_used_commitment"]
    kind = table["line_item_line_item_type"]
    return cases(
        (kind == "RIFee", net("amortized_upfront_fee_for_billing_period") + net("recurring_fee")),
        (kind == "SavingsPlanRecurringFee", plan),
    )


def _accounts(t: Table) -> dict[str, Value]:
    seller = t["line_item_legal_entity"].coalesce(t["bill_billing_entity"])
    resold = t["c_Marketplace"] & ~seller.startswith("Amazon Web Services")
    return {
        "BillingAccountId": t["bill_payer_account_id"],
        "BillingAccountName": t["bill_payer_account_name"],
        "BillingAccountType": literal("Billing Account"),
        "SubAccountId": t["line_item_usage_account_id"],
        "SubAccountName": t["line_item_usage_account_name"],
        "SubAccountType": cases((t["line_item_usage_account_id"].notnull(), "Account")),
        "InvoiceId": t["bill_invoice_id"],
        "InvoiceIssuerName": t["bill_invoicing_entity"].coalesce("AWS"),
        "ServiceProviderName": cases((resold, seller), else_="AWS"),
        "HostProviderName": literal("AWS"),
    }


def _charge(t: Table) -> dict[str, Value]:
    kind = t["line_item_line_item_type"]
    late = t["line_item_usage_end_date"] <= t["bill_billing_period_start_date"]
    one_time = kind.isin(["Fee", "SavingsPlanUpfrontFee"]) | t["bill_bill_type"].isin(["Purchase", "Refund"])
    return {
        "BillingPeriodStart": t["bill_billing_period_start_date"],
        "BillingPeriodEnd": t["bill_billing_period_end_date"],
        "ChargePeriodStart": t["line_item_usage_start_date"],
        "ChargePeriodEnd": t["line_item_usage_end_date"],
        "ChargeCategory": cases(
            (kind.isin([*METERED, *DISCOUNTS]), "Usage"),
            (kind.isin(PURCHASES) | t["c_PlanRefund"], "Purchase"),
            (kind == "Tax", "Tax"),
            (kind == "Credit", "Credit"),
            else_="Adjustment",
        ),
        "ChargeClass": cases(((kind == "Refund") | late, "Correction")),
        "ChargeDescription": t["line_item_line_item_description"],
        "ChargeFrequency": cases((one_time, "One-Time"), (kind.isin(RECURRING_FEES), "Recurring"), else_="Usage-Based"),
        "Tags": _given(t["resource_tags"]).coalesce(_given(t["tags"])),
        "x_CostCategories": _given(t["cost_category"]),
        "x_IamPrincipal": t["line_item_iam_principal"],
    }


def _given(pairs: Document) -> Document:
    """A JSON object; an empty one is NULL."""
    return cases((pairs.cast("string") != "{}", pairs))


def _is_arn(table: Table) -> Truth:
    return table["line_item_resource_id"].startswith("arn:")


def _what(t: Table) -> dict[str, Value]:
    code, resource, part = t["line_item_product_code"], t["line_item_resource_id"], t["c_Part"]
    arn = _is_arn(t)
    typed = cases((part.contains("/"), part.split("/")[0]), (resource.split(":")[_PART + 1] != "", part))
    return {
        "ServiceName": t["c_Product"].coalesce(code),
        "ServiceCategory": cases((t["c_Model"], "AI and Machine Learning"), else_=t["c_Category"]),
        "ServiceSubcategory": cases((t["c_Model"], "Generative AI"), else_=t["c_Subcategory"]),
        "RegionId": _product(t, "region_code").coalesce(_product(t, "region")),
        "RegionName": _product(t, "location"),
        "AvailabilityZone": t["line_item_availability_zone"],
        "ResourceId": resource,
        "ResourceName": cases(
            (arn & part.contains("/"), resource.split("/")[-1]), (arn, resource.re_extract(_ARN_END, 1)), else_=resource
        ),
        "ResourceType": cases((arn, typed)),
        "SkuId": _product(t, "sku"),
        "SkuMeter": t["line_item_usage_type"],
        "SkuPriceId": t["pricing_rate_code"],
        "x_UsageType": t["line_item_usage_type"],
        "x_Operation": t["line_item_operation"],
        "x_ServiceCode": code,
    }


def _costs(t: Table) -> dict[str, Value]:
    kind, amount = t["line_item_line_item_type"], t["c_Billed"]
    nothing = literal(0).cast(_MONEY)
    commitment_fee = kind.isin([*RECURRING_FEES, "SavingsPlanUpfrontFee"]) | (
        (kind == "Fee") & t["reservation_reservation_a_r_n"].notnull()
    )
    effective = cases(
        (
            kind == "SavingsPlanCoveredUsage",
            t["savings_plan_net_savings_plan_effective_cost"].coalesce(t["savings_plan_savings_plan_effective_cost"]),
        ),
        (kind == "DiscountedUsage", t["reservation_net_effective_cost"].coalesce(t["reservation_effective_cost"])),
        (commitment_fee | t["c_PlanRefund"] | (kind == NEGATION), nothing),
        else_=amount,
    )
    listed = t["pricing_public_on_demand_cost"]
    unknown = t["c_Metered"] & (listed == 0) & (t["c_Marketplace"] | (amount > 0))
    list_cost = cases((unknown, null(_MONEY)), (t["c_Metered"], listed), (kind.isin(DISCOUNTS), nothing), else_=amount)
    return {
        "BilledCost": cases((kind.isin(["SavingsPlanCoveredUsage", NEGATION]), nothing), else_=amount),
        "EffectiveCost": effective,
        "ListCost": list_cost,
        "ContractedCost": cases((kind == "DiscountedUsage", listed), else_=amount),
        "BillingCurrency": t["line_item_currency_code"],
        "PricingCurrency": t["c_Currency"],
        "PricingCurrencyEffectiveCost": cases((t["c_Currency"] == t["line_item_currency_code"], effective)),
        "x_Repairs": _repairs(t, unknown, effective),
    }


def _repairs(t: Table, list_unknown: Truth, effective: Number) -> Text:
    kind = t["line_item_line_item_type"]
    no_unused = kind.isin(RECURRING_FEES) & t["c_Unused"].isnull()
    said = (
        (list_unknown, LIST_UNKNOWN),
        (kind == "DiscountedUsage", CONTRACTED_AS_LIST),
        (effective.isnull() | no_unused, EFFECTIVE_UNKNOWN),
        ((t["line_item_net_unblended_cost"] == 0) & (t["line_item_unblended_cost"] != 0), NET_ZERO),
        (kind.notin(KNOWN), literal(TYPE_UNKNOWN) + kind),
        (t["bill_invoicing_entity"].isnull(), ISSUER_AS_AWS),
    )
    any_ = ibis.or_(*(condition for condition, _ in said))
    return cases((any_, literal(", ").join([cases(one) for one in said])))


def _prices(t: Table) -> dict[str, Value]:
    kind, metered = t["line_item_line_item_type"], t["c_Metered"]
    covered = kind.isin(["DiscountedUsage", "SavingsPlanCoveredUsage"])
    rate = t["pricing_public_on_demand_rate"]
    price = cases((metered & ~((rate == 0) & (t["c_Marketplace"] | (t["c_Billed"] > 0))), rate))
    return {
        "ListUnitPrice": cases((t["c_Currency"] == t["line_item_currency_code"], price)),
        "PricingCurrencyListUnitPrice": price,
        "PricingCategory": cases(
            (kind.isin(["Tax", "Credit", "Refund"]), null("string")),
            (covered, "Committed"),
            (metered & t["line_item_usage_type"].contains("Spot"), "Dynamic"),
            else_="Standard",
        ),
        "PricingQuantity": t["line_item_usage_amount"],
        "PricingUnit": t["pricing_unit"],
        "ConsumedQuantity": cases((metered, t["line_item_usage_amount"])),
        "ConsumedUnit": cases((metered, t["pricing_unit"])),
    }


def _commitment(t: Table) -> dict[str, Value]:
    plan = t["savings_plan_savings_plan_a_r_n"].notnull()
    reservation = t["reservation_reservation_a_r_n"].notnull()
    covered = t["line_item_line_item_type"].isin(["DiscountedUsage", "SavingsPlanCoveredUsage"])
    return {
        "CommitmentDiscountId": t["c_Commitment"],
        "CommitmentDiscountCategory": cases((plan, "Spend"), (reservation, "Usage")),
        "CommitmentDiscountType": cases((plan, "Savings Plan"), (reservation, "Reserved Instance")),
        "CommitmentDiscountStatus": cases((covered, "Used")),
    }


def _unused(t: Table, columns: dict[str, Value]) -> Table:
    """The part of recurring fees that no use took up: nothing billed, nothing consumed, its cost effective.

    What the same would have cost at list price the report does not say; ListCost and ContractedCost are NULL.
    """
    before_discount = (t["line_item_line_item_type"] == "SavingsPlanRecurringFee") & t[
        "line_item_net_unblended_cost"
    ].notnull()
    nothing, unknown, none = literal(0).cast(_MONEY), null(_MONEY), null("string")
    same_currency = t["c_Currency"] == t["line_item_currency_code"]
    changed: dict[str, Value] = {
        "BilledCost": nothing,
        "EffectiveCost": t["c_Unused"],
        "ListCost": unknown,
        "ContractedCost": unknown,
        "ListUnitPrice": unknown,
        "PricingCurrencyListUnitPrice": unknown,
        "PricingCurrencyEffectiveCost": cases((same_currency, t["c_Unused"])),
        "PricingQuantity": unknown,
        "PricingUnit": none,
        "SkuPriceId": none,
        "ChargeCategory": literal("Usage"),
        "ChargeFrequency": literal("Usage-Based"),
        "PricingCategory": literal("Committed"),
        "CommitmentDiscountStatus": literal("Unused"),
        "x_Repairs": cases((before_discount, UNUSED_BEFORE_DISCOUNT)),
    }
    fee = t["line_item_line_item_type"].isin(RECURRING_FEES)
    return added_rows(t, fee & (t["c_Unused"] != 0).fill_null(False), **(columns | changed))


CUR_2: Final = Format(
    name="aws-cur-2",
    title="AWS Cost and Usage Report 2.0",
    provider="AWS",
    table="charges",
    signature=frozenset(
        {
            "bill_payer_account_id",
            "line_item_line_item_type",
            "line_item_usage_start_date",
            "line_item_unblended_cost",
        }
    ),
    columns=COLUMNS,
    to_ledger=to_ledger,
    billed=billed,
    dropped=dropped,
    notes=(
        "Models that AWS Marketplace bills (Claude) come without a list price; it is left unknown.",
        "Savings Plan use whose negation rows are in another file shows as a difference of the billed total.",
    ),
)

CUR_LEGACY: Final = Format(
    name="aws-cur-legacy",
    title="AWS Cost and Usage Report (legacy)",
    provider="AWS",
    table="charges",
    signature=frozenset(
        {
            "bill/PayerAccountId",
            "lineItem/LineItemType",
            "lineItem/UsageStartDate",
            "lineItem/UnblendedCost",
        }
    ),
    columns=COLUMNS,
    to_ledger=to_ledger,
    billed=billed,
    dropped=dropped,
    notes=CUR_2.notes,
)
