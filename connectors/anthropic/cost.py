"""Anthropic cost: the analytics API, and the cost report of the Admin API.

Both state cents as decimal text, the analytics API after discount and before credits, with the list price beside
it. Neither states a token quantity: the usage reports count the tokens.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import ibis
import ibis.expr.types as ir

from connectors.anthropic import groups
from connectors.buckets import END, START
from connectors.format import Column, Format, Kind, Replace
from connectors.rows import ledger_rows
from connectors.vendor import month_of, vendor_charge

COLUMNS: Final = (
    *groups.COLUMNS,
    Column("amount", Kind.DECIMAL, ("cost.amount", "amount"), required=True),
    Column("currency", sources=("cost.currency", "currency"), required=True),
    Column("list_amount", Kind.DECIMAL, ("cost.list_amount", "list_amount")),
    Column("requests", Kind.COUNT, ("cost.requests", "requests")),
    *(Column(name, sources=(f"group.{name}", name)) for name in ("cost_type", "token_type")),
    Column("description"),
)

#: Direction, cache action and cache lifetime by `token_type`.
TOKEN_TYPES: Final = {
    "uncached_input_tokens": ("Input", "Uncached", None),
    "cache_read_input_tokens": ("Input", "Read", None),
    "cache_creation.ephemeral_5m_input_tokens": ("Input", "Write", "5m"),
    "cache_creation.ephemeral_1h_input_tokens": ("Input", "Write", "1h"),
    "output_tokens": ("Output", None, None),
}
#: Costs of something other than tokens.
OTHER_COSTS: Final = ("web_search", "code_execution", "session_usage")


def from_cents(cents: ir.DecimalValue) -> ir.DecimalValue:
    """Whole units of the currency, exact; NULL where a hundredth of the amount has more than 18 fraction digits."""
    kept = cents.cast("decimal(36, 16)")
    units = (kept * ibis.literal(Decimal("0.01"), type="decimal(2, 2)")).cast("decimal(38, 18)")
    return ibis.cases((kept == cents, units))


def _by_token_type(table: ir.Table, position: int) -> ir.StringValue:
    known = ((name, meaning[position]) for name, meaning in TOKEN_TYPES.items())
    return ibis.cases(*((table["token_type"] == name, word) for name, word in known if word is not None))


def _unmapped(table: ir.Table) -> ir.StringValue:
    """What the mapping does not know of a charge. A known kind without quantity is no gap: usage counts its tokens."""
    token, cost = table["token_type"], table["cost_type"]
    return ibis.cases(
        (token.isin(list(TOKEN_TYPES)), ibis.null("string")),
        (token.notnull(), "token type not known: " + token),
        (cost.isin(list(OTHER_COSTS)), ibis.null("string")),
        (cost.notnull() & (cost != "tokens"), "cost type not known: " + cost),
        else_="no token type: the costs were not grouped by it",
    )


def _to_ledger(source: ir.Table) -> ir.Table:
    table = groups.with_group(source)
    amount, list_amount = from_cents(table["amount"]), from_cents(table["list_amount"])
    kind = table["token_type"].coalesce(table["cost_type"])
    return ledger_rows(
        table,
        **vendor_charge("Anthropic", "Anthropic API"),
        **month_of(table["start"]),
        BilledCost=amount,
        EffectiveCost=amount,
        # Only an answer that tells the list price beside it says that its amount is the one after discount.
        ContractedCost=ibis.cases((list_amount.notnull(), amount)),
        ListCost=list_amount,
        BillingCurrency=table["currency"].upper(),
        BillingAccountId=table["organization_id"].coalesce("anthropic"),
        ChargePeriodStart=table["start"],
        ChargePeriodEnd=table["end"],
        ChargeCategory=ibis.literal("Usage"),
        ChargeDescription=table["description"].coalesce(table["model"] + ", " + kind, kind, table["model"]),
        ConsumedQuantity=table["requests"].cast("decimal(38, 18)"),
        ConsumedUnit=ibis.cases((table["requests"].notnull(), "Requests")),
        RegionId=ibis.cases((table["inference_geo"] != "not_available", table["inference_geo"])),
        SubAccountId=table["workspace_id"],
        x_ApiKeyId=table["g_Key"],
        x_UserId=table["g_User"],
        x_UsageType=kind,
        x_ServiceCode=table["product"],
        x_ModelDeveloper=table["m_Developer"],
        x_ModelFamily=table["m_Family"],
        x_ModelId=table["m_Id"],
        x_ModelVersion=table["m_Version"],
        x_TokenDirection=_by_token_type(table, 0),
        x_TokenCacheAction=_by_token_type(table, 1),
        x_CacheTtl=_by_token_type(table, 2),
        x_ServiceTier=table["g_Tier"],
        x_ContextWindow=table["g_Context"],
        x_ServingRegion=table["g_Region"],
        x_Unmapped=_unmapped(table),
    )


def _format(name: str, title: str, figures: tuple[str, ...], notes: tuple[str, ...]) -> Format:
    return Format(
        name=name,
        title=title,
        provider="Anthropic",
        table="charges",
        signature=frozenset({START, END, *figures}),
        columns=COLUMNS,
        to_ledger=_to_ledger,
        billed=lambda table: from_cents(table["amount"]),
        replaces=Replace.DAY,
        notes=notes,
    )


COST: Final = _format(
    "anthropic-cost",
    "Anthropic analytics cost",
    ("cost.amount", "cost.currency", "cost.list_amount"),
    (
        "Amounts are after discount and before credits: an invoice may be lower by the credits.",
        "The cost API states no token quantity; load the usage beside it to see the cost of a token.",
        "Anthropic may revise a day for up to 30 days.",
    ),
)
"""`GET /v1/organizations/analytics/cost`. Rows without `organization_id` belong to the account `anthropic`."""

COST_REPORT: Final = _format(
    "anthropic-cost-report",
    "Anthropic Admin API cost report",
    ("amount", "currency", "cost_type"),
    (
        "Priority Tier costs are not in the cost report.",
        "The cost report states one amount: without list_amount, list price and discount are not known.",
        "Group by description; without it no model and no token type is named.",
    ),
)
"""`GET /v1/organizations/cost_report`, and the analytics cost report in buckets."""
