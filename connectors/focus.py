"""Any FOCUS Cost and Usage file, versions 1.0 to 1.4, and what the providers' own FOCUS exports build on."""

from __future__ import annotations

from typing import Final

import ibis
import ibis.expr.types as ir

from connectors.format import Column, Format, Kind
from connectors.rows import ledger_rows
from ledger.focus import COST_AND_USAGE, DECIMAL, INSTANT, JSON, REMOVED
from ledger.tables import IDENTITY

#: Without these a row is no charge: it cannot be dated, owned or added up.
INDISPENSABLE: Final = frozenset(
    {
        "BilledCost",
        "EffectiveCost",
        "BillingCurrency",
        "BillingAccountId",
        "BillingPeriodStart",
        "BillingPeriodEnd",
        "ChargePeriodStart",
        "ChargePeriodEnd",
        "ChargeCategory",
    }
)

#: What every FOCUS file has, whatever its version.
SIGNATURE: Final = frozenset({"BilledCost", "EffectiveCost", "ChargePeriodStart", "ChargeCategory", "BillingCurrency"})

#: The keys of FOCUS 1.5 inside SkuPriceDetails (and ours beside them), by the ledger column they fill.
SKU_DETAIL_KEYS: Final = {
    "x_ModelDeveloper": "ModelDeveloper",
    "x_ModelFamily": "ModelFamily",
    "x_ModelId": "ModelId",
    "x_ModelVersion": "ModelVersion",
    "x_TokenDirection": "TokenDirection",
    "x_TokenCacheAction": "TokenCacheAction",
    "x_CacheTtl": "x_CacheTtl",
    "x_Modality": "x_Modality",
    "x_ServiceTier": "x_ServiceTier",
    "x_ContextWindow": "x_ContextWindow",
    "x_ServingRegion": "x_ServingRegion",
}

_KINDS = {DECIMAL: Kind.DECIMAL, INSTANT: Kind.INSTANT, JSON: Kind.JSON}

COLUMNS: Final = tuple(
    Column(c.name, _KINDS.get(c.type, Kind.TEXT), required=c.name in INDISPENSABLE) for c in (*COST_AND_USAGE, *REMOVED)
)


def passthrough(table: ir.Table) -> dict[str, ir.Value]:
    """Every FOCUS 1.4 column as the file states it; the provider's name of 1.0 to 1.3 becomes that of 1.4."""
    columns: dict[str, ir.Value] = {c.name: table[c.name] for c in COST_AND_USAGE}
    columns["ServiceProviderName"] = table["ServiceProviderName"].coalesce(table["ProviderName"])
    columns["HostProviderName"] = table["HostProviderName"].coalesce(table["ProviderName"])
    return columns


def identity_from_details(details: ir.JSONValue) -> dict[str, ir.Value]:
    """Model and token identity out of SkuPriceDetails, for files whose maker follows FOCUS 1.5 already."""
    return {column: details[key].unwrap_as("string") for column, key in SKU_DETAIL_KEYS.items()}


def tokens_from_unit(table: ir.Table) -> ir.Value:
    """Single tokens where ConsumedUnit says tokens; NULL for any other unit."""
    is_tokens = table["ConsumedUnit"].lower().isin(["tokens", "token"])
    return ibis.cases((is_tokens, table["ConsumedQuantity"].cast("decimal(38, 6)")))


def _to_ledger(table: ir.Table) -> ir.Table:
    identity = identity_from_details(table["SkuPriceDetails"])
    carried = {c.name: identity[c.name] for c in IDENTITY if c.name in identity}
    return ledger_rows(table, **passthrough(table), **carried, x_Tokens=tokens_from_unit(table))


FORMAT: Final = Format(
    name="focus",
    title="FOCUS Cost and Usage",
    provider="",
    table="charges",
    signature=SIGNATURE,
    columns=COLUMNS,
    to_ledger=_to_ledger,
    billed=lambda table: table["BilledCost"],
    details=("SkuPriceDetails", SKU_DETAIL_KEYS),
)
