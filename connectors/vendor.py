"""What the bills and usage reports of model vendors (OpenAI, Anthropic) and plain usage files have in common."""

from __future__ import annotations

from typing import Final

import ibis
import ibis.expr.types as ir

from connectors.models import identity, lineage

_SECONDS: Final = (("minute", 60), ("hour", 3600), ("day", 86_400))

#: The ledger's service tiers, by every name under which a vendor sells them; `default` is left to the caller.
TIERS: Final = {
    "standard": "standard",
    "batch": "batch",
    "flex": "flex",
    "flex_discount": "flex",
    "priority": "priority",
    "priority_on_demand": "priority",
    "fast": "priority",
    "scale": "provisioned",
    "provisioned": "provisioned",
}


def with_model(table: ir.Table, name: ir.StringValue) -> ir.Table:
    """`table` with the identity of the model called `name` in `m_Id`, `m_Version`, `m_Developer` and `m_Family`.

    The same as `models.identity`, in two steps: the vocabulary is looked up in a column, not in the whole
    expression that makes the id, which would stand in the SQL once for every entry.
    """
    model = identity(name)
    named = table.mutate(m_Id=model.id, m_Version=model.version)
    developer, family = lineage(named["m_Id"])
    return named.mutate(m_Developer=developer, m_Family=family)


def tier(name: ir.StringValue) -> ir.StringValue:
    """The ledger's service tier; NULL for a name that is not known, never a neighbour's."""
    lowered = name.strip().lower()
    return ibis.cases(*((lowered == key, value) for key, value in TIERS.items()))


def month_of(start: ir.TimestampValue) -> dict[str, ir.Value]:
    """BillingPeriodStart and BillingPeriodEnd: the UTC month of a charge, where the vendor states no billing period."""
    first = start.truncate("M")
    return {"BillingPeriodStart": first, "BillingPeriodEnd": first + ibis.interval(months=1)}


def vendor_charge(vendor: str, service: str) -> dict[str, ir.Value]:
    """The columns that are the same in every charge of a vendor that sells, hosts and bills its own models."""
    return {
        "ServiceProviderName": ibis.literal(vendor),
        "HostProviderName": ibis.literal(vendor),
        "InvoiceIssuerName": ibis.literal(vendor),
        "ServiceName": ibis.literal(service),
        "ServiceCategory": ibis.literal("AI and Machine Learning"),
        "ServiceSubcategory": ibis.literal("Generative AI"),
        "ChargeFrequency": ibis.literal("Usage-Based"),
    }


def grain(start: ir.TimestampValue, end: ir.TimestampValue) -> ir.StringValue:
    """The narrowest of minute, hour and day that holds the period; NULL for a longer one."""
    seconds = end.epoch_seconds() - start.epoch_seconds()
    return ibis.cases(*((seconds <= limit, name) for name, limit in _SECONDS))
