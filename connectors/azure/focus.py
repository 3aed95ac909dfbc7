"""Azure's own FOCUS export (`FocusCost` 1.0, 1.0r2, 1.2-preview, 1.2) and the repairs it needs.

Azure writes 0 for a price it does not know, so a saving computed from it is nonsense: such zeros become NULL.
Conditions and workarounds: Microsoft's FOCUS conformance summary (microsoft/finops-toolkit, docs-mslearn/focus).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import ibis
import ibis.expr.types as ir

from connectors import focus
from connectors.azure.details import prefixed_keys
from connectors.azure.meters import IDENTITY_COLUMNS, Meter, parse_unit, with_identity
from connectors.azure.services import is_ai
from connectors.format import Column, Format, Kind
from connectors.rows import ledger_rows

_MICROSOFT: Final = "Microsoft"

#: Where versions before 1.2 have what 1.2 has under the specification's name.
_RENAMED: Final = {
    "InvoiceId": ("InvoiceId", "x_InvoiceId"),
    "PricingCurrency": ("PricingCurrency", "x_PricingCurrency"),
    "SkuMeter": ("SkuMeter", "x_SkuMeterName"),
}

COLUMNS: Final = (
    *(replace(c, sources=_RENAMED[c.name]) if c.name in _RENAMED else c for c in focus.COLUMNS),
    Column("x_SkuMeterId"),
    Column("x_SkuMeterCategory"),
    Column("x_SkuMeterSubcategory"),
    Column("x_SkuDescription"),
    Column("x_SkuDetails", Kind.JSON),
    Column("x_ResourceGroupName"),
    Column("x_ResourceType"),
    Column("x_PublisherCategory"),
    Column("x_PricingUnitDescription"),
    Column("x_BillingExchangeRate", Kind.DECIMAL),
    Column("x_EffectiveUnitPrice", Kind.DECIMAL),
)

_SIGNATURE: Final = focus.SIGNATURE | {"x_SkuMeterCategory", "x_SkuMeterSubcategory", "x_PricingUnitDescription"}


def _unset(value: ir.StringValue) -> ir.StringValue:
    """Azure writes -2 or Unassigned where there is no value."""
    return ibis.cases((~value.isin(["-2", "Unassigned"]), value))


def _may_lack_prices(table: ir.Table) -> ir.BooleanValue:
    """Marketplace charges and usage covered by a reservation or savings plan: their zero prices mean unknown."""
    marketplace = table["x_PublisherCategory"].lower().isin(["vendor", "marketplace"])
    covered = (table["ChargeCategory"] == "Usage") & (table["CommitmentDiscountStatus"] == "Used")
    return marketplace.fill_null(False) | covered.fill_null(False)


def _repairs(table: ir.Table, unknown: dict[str, ir.BooleanValue]) -> ir.StringValue:
    """What was mended, comma-separated."""
    lowered = table["CommitmentDiscountId"] != table["CommitmentDiscountId"].lower()
    named = ibis.cases(
        (table["ServiceName"].isnull() & _service_name(table).notnull(), "ServiceName taken from another column")
    )
    notes = [ibis.cases((zero, f"{name} 0 means unknown")) for name, zero in unknown.items()]
    notes += [named, ibis.cases((lowered, "CommitmentDiscountId lower-cased"))]
    return ibis.literal(", ").join(notes).nullif("")


def _service_name(table: ir.Table) -> ir.StringValue:
    marketplace = table["x_PublisherCategory"].lower().isin(["vendor", "marketplace"])
    seller = ibis.cases((marketplace, table["PublisherName"]))
    return table["ServiceName"].coalesce(seller, table["x_SkuMeterSubcategory"], table["PublisherName"])


def _blocks(table: ir.Table) -> ir.Value:
    """How many blocks of x_PricingUnitDescription (`1K`, `1M`) were used; NULL where the row does not prove it.

    Azure's prices are for one block. Exports made before November 2024 divided PricingQuantity twice by the block
    (finops-toolkit issue 727), so the quantity that, times a unit price, gives its cost is the number of blocks.
    """
    same = (table["PricingCurrency"] == table["BillingCurrency"]) | table["PricingCurrency"].isnull()
    rate = ibis.cases((same, 1.0), else_=table["x_BillingExchangeRate"].cast("float64"))
    priced = (
        ("ListUnitPrice", "ListCost"),
        ("ContractedUnitPrice", "ContractedCost"),
        ("x_EffectiveUnitPrice", "EffectiveCost"),
    )
    proofs: list[tuple[ir.BooleanValue, ir.Value]] = []
    for quantity in ("PricingQuantity", "ConsumedQuantity"):
        for price, cost in priced:
            # A check, never a figure: a double is exact enough for five percent.
            stated = table[cost].cast("float64").abs()
            product = (table[price].cast("float64") * table[quantity].cast("float64") * rate).abs()
            agrees = (stated > 0) & ((product - stated).abs() < stated * 0.05)
            proofs.append((agrees, table[quantity]))
    return ibis.cases(*proofs)


def _meter(table: ir.Table) -> Meter:
    product = ibis.literal(" ").join(
        [
            table["x_SkuMeterSubcategory"],
            table["x_SkuDescription"],
            table["ChargeDescription"],
            table["x_SkuMeterCategory"],
        ]
    )
    unit = table["x_PricingUnitDescription"]
    consumed = table["x_ResourceType"].re_extract("^([^/]+)", 1)
    ai = is_ai(consumed, table["x_SkuMeterCategory"], ibis.literal(" ").join([product, table["SkuMeter"]]))
    ai |= (table["ServiceCategory"] == "AI and Machine Learning").fill_null(False)
    used = (table["ChargeCategory"] == "Usage") & (table["CommitmentDiscountStatus"].fill_null("") != "Unused")
    plain = parse_unit(unit).block == 1
    quantity = ibis.cases((used & plain, table["ConsumedQuantity"]), (used, _blocks(table)))
    return Meter(table["SkuMeter"], product, unit, quantity, ai)


def _to_ledger(source: ir.Table) -> ir.Table:
    table = with_identity(source, _meter(source))
    lacks = _may_lack_prices(table)
    zeros = ("ListCost", "ListUnitPrice", "ContractedCost", "ContractedUnitPrice")
    unknown = {name: (lacks & (table[name] == 0)).fill_null(False) for name in zeros}
    columns = focus.passthrough(table)
    columns |= {name: ibis.cases((~is_zero, table[name])) for name, is_zero in unknown.items()}
    columns |= {name: table[name] for name in IDENTITY_COLUMNS}
    marketplace = table["x_PublisherCategory"].lower().isin(["vendor", "marketplace"])
    seller = ibis.cases((marketplace, table["PublisherName"]))
    columns |= {
        "ServiceProviderName": table["ServiceProviderName"].coalesce(
            seller, table["ProviderName"], ibis.literal(_MICROSOFT)
        ),
        "HostProviderName": table["HostProviderName"].coalesce(table["ProviderName"], ibis.literal(_MICROSOFT)),
        "InvoiceIssuerName": table["InvoiceIssuerName"].coalesce(ibis.literal(_MICROSOFT)),
        "ServiceName": _service_name(table),
        "ServiceCategory": ibis.cases(
            (table["IsGenerative"], "AI and Machine Learning"), else_=table["ServiceCategory"]
        ),
        "ServiceSubcategory": ibis.cases((table["IsGenerative"], "Generative AI"), else_=table["ServiceSubcategory"]),
        "CommitmentDiscountId": table["CommitmentDiscountId"].lower(),
        "SkuPriceId": _unset(table["SkuPriceId"]),
        "SubAccountName": _unset(table["SubAccountName"]),
        "SkuPriceDetails": table["SkuPriceDetails"].coalesce(prefixed_keys(table["x_SkuDetails"])),
        "x_MeterId": table["x_SkuMeterId"],
        "x_MeterCategory": table["x_SkuMeterCategory"],
        "x_MeterSubCategory": table["x_SkuMeterSubcategory"],
        "x_ResourceGroup": table["x_ResourceGroupName"],
        "x_Repairs": _repairs(table, unknown),
    }
    return ledger_rows(table, **columns)


FORMAT: Final = Format(
    name="azure-focus",
    title="Azure FOCUS cost export",
    provider=_MICROSOFT,
    table="charges",
    signature=_SIGNATURE,
    columns=COLUMNS,
    to_ledger=_to_ledger,
    billed=lambda table: table["BilledCost"],
    notes=(
        (
            "List and contracted cost of Marketplace charges and of usage covered by a reservation or savings plan "
            "are unknown in this export: Azure writes 0 for them."
        ),
        "One resource can host many deployments; the bill does not name the deployment.",
        "Claude on Foundry is billed in Claude Consumption Units: neither models nor tokens are in the bill.",
    ),
)
