"""OpenAI Costs API (`GET /v1/organization/costs`): the bill, a row for each UTC day and group.

The `line_item` strings are not documented, so they stay verbatim as SkuId and are read leniently. What a string
does not say is left open: a line without a tier prefix may hold standard and batch requests alike, so its
service tier is NULL. A token line without the suffix "long context" is short, since the bill lists long ones apart.
"""

from __future__ import annotations

from typing import Final

import ibis
import ibis.expr.types as ir

from connectors.buckets import END, START
from connectors.format import Column, Format, Kind, Replace
from connectors.rows import ledger_rows
from connectors.vendor import month_of, tier, vendor_charge, with_model

COLUMNS: Final = (
    Column("start", Kind.EPOCH, (START,), required=True),
    Column("end", Kind.EPOCH, (END,), required=True),
    Column("object"),
    Column("amount", Kind.DECIMAL, ("amount.value",), required=True),
    Column("currency", sources=("amount.currency",), required=True),
    Column("line_item"),
    Column("quantity", Kind.DECIMAL),
    Column("quantity_unit"),
    Column("organization_id"),
    Column("organization_name"),
    Column("project_id"),
    Column("project_name"),
    Column("api_key_id"),
    Column("user_id"),
)

TIER: Final = r"^(priority|fast|batch|flex|scale) \| "
_TIER = r"(?:(priority|fast|batch|flex|scale) \| )?"
_MODEL = r"([^,|]+?)(?: (audio|image|text|video))?"
_KIND = r"(cached[ _]input|cache[ _]writes?|(?:uncached[ _])?input|output)(?:[ _]tokens)?"
#: Groups: tier, model, modality, kind, context. `input_tokens` alone, without a model, occurs in OpenAI's examples.
TOKEN_LINE: Final = rf"^{_TIER}(?:{_MODEL}, )?{_KIND}(?:, (long|short) context)?$"
#: Groups as far as modality; what follows the model is not known. Taken only where the model's name is known.
MODEL_LINE: Final = rf"^{_TIER}{_MODEL}(?:, .*)?$"
#: Lines that are sold by something other than the token.
OTHER_LINE: Final = r"(tool calls?|storage|sessions?)$"
#: Units of `quantity`, and how many single tokens one of them is; of the others there is no token to count.
TOKENS_PER_UNIT: Final = {"tokens": 1, "1000_tokens": 1000}


_MODEL_AT, _MODALITY_AT, _KIND_AT, _CONTEXT_AT = 2, 3, 4, 5


def with_line(table: ir.Table) -> ir.Table:
    """`table` with what its `line_item` says, in columns `l_...`; each NULL where it does not.

    The kinds are disjoint on the bill (each has its own rate), so `input` and `input_tokens` are uncached.
    """
    lowered = table.mutate(l_Line=table["line_item"].strip().lower())
    line = lowered["l_Line"]
    split = lowered.mutate(
        l_IsToken=line.re_search(TOKEN_LINE).fill_null(False),
        l_Tier=tier(line.re_extract(TIER, 1)),
        l_Kind=line.re_extract(TOKEN_LINE, _KIND_AT).replace("_", " ").nullif(""),
        l_Context=line.re_extract(TOKEN_LINE, _CONTEXT_AT).nullif(""),
    )
    of = {
        group: ibis.ifelse(split["l_IsToken"], line.re_extract(TOKEN_LINE, group), line.re_extract(MODEL_LINE, group))
        for group in (_MODEL_AT, _MODALITY_AT)
    }
    named = split.mutate(l_Name=of[_MODEL_AT].nullif(""), l_Modality=of[_MODALITY_AT].nullif("").capitalize())
    return _recognised(with_model(named, named["l_Name"]))


def _recognised(table: ir.Table) -> ir.Table:
    """Of a line that is no token line, the first part is a model only where its name is in the vocabulary."""
    is_model = table["l_IsToken"] | table["m_Developer"].notnull()
    kept = {name: ibis.cases((is_model, table[name])) for name in ("m_Id", "m_Version", "l_Modality")}
    return table.mutate(**kept)


def tokens(quantity: ir.DecimalValue, unit: ir.StringValue) -> ir.DecimalValue:
    """Single tokens where the unit is one of tokens; NULL for every other unit and for none."""
    exact = quantity.cast("decimal(36, 12)")
    scaled = ((unit == name, (exact * count).cast("decimal(38, 6)")) for name, count in TOKENS_PER_UNIT.items())
    return ibis.cases(*scaled)


def _unmapped(table: ir.Table) -> ir.StringValue:
    """What the mapping does not know of a charge. A known line without quantity is no gap: usage counts its tokens."""
    item, unit, is_token = table["line_item"], table["quantity_unit"], table["l_IsToken"]
    return ibis.cases(
        (item.isnull() & (table["amount"] >= 0), "no line item: the costs were not grouped by it"),
        (item.isnull() | (is_token & table["l_Tokens"].notnull()), ibis.null("string")),
        (is_token & (unit.isnull() | table["quantity"].isnull()), ibis.null("string")),
        (is_token, "quantity in " + unit + ", not tokens: " + item),
        (table["l_Line"].re_search(OTHER_LINE), ibis.null("string")),
        (unit.notnull() & unit.notin(list(TOKENS_PER_UNIT)), ibis.null("string")),
        else_="line item not known: " + item,
    )


def _token_identity(table: ir.Table) -> dict[str, ir.Value]:
    kind = table["l_Kind"]
    return {
        "x_ModelDeveloper": table["m_Developer"],
        "x_ModelFamily": table["m_Family"],
        "x_ModelId": table["m_Id"],
        "x_ModelVersion": table["m_Version"],
        "x_TokenDirection": ibis.cases((kind == "output", "Output"), (kind.notnull(), "Input")),
        "x_TokenCacheAction": ibis.cases(
            (kind == "cached input", "Read"),
            (kind.startswith("cache write"), "Write"),
            (kind.endswith("input"), "Uncached"),
        ),
        "x_Modality": table["l_Modality"],
        "x_ServiceTier": table["l_Tier"],
        "x_ContextWindow": ibis.cases((table["l_IsToken"], table["l_Context"].coalesce("short").capitalize())),
        "x_Tokens": table["l_Tokens"],
        "x_Unmapped": _unmapped(table),
    }


def _to_ledger(source: ir.Table) -> ir.Table:
    read = with_line(source)
    table = read.mutate(l_Tokens=ibis.cases((read["l_IsToken"], tokens(read["quantity"], read["quantity_unit"]))))
    credit = table["line_item"].isnull() & (table["amount"] < 0)
    return ledger_rows(
        table,
        **vendor_charge("OpenAI", "OpenAI API"),
        **month_of(table["start"]),
        BilledCost=table["amount"],
        EffectiveCost=table["amount"],
        BillingCurrency=table["currency"].upper(),
        BillingAccountId=table["organization_id"].coalesce("openai"),
        BillingAccountName=table["organization_name"],
        ChargePeriodStart=table["start"],
        ChargePeriodEnd=table["end"],
        # A credit stands alone; a negative amount with a line item takes back that line's usage.
        ChargeCategory=ibis.ifelse(credit, "Credit", "Usage"),
        ChargeDescription=table["line_item"],
        SkuId="openai/" + table["line_item"],
        ConsumedQuantity=table["quantity"],
        ConsumedUnit=table["quantity_unit"],
        SubAccountId=table["project_id"],
        SubAccountName=table["project_name"],
        x_ApiKeyId=table["api_key_id"],
        x_UserId=table["user_id"],
        **_token_identity(table),
    )


COSTS: Final = Format(
    name="openai-costs",
    title="OpenAI Costs API",
    provider="OpenAI",
    table="charges",
    signature=frozenset({START, END, "object", "amount.value", "amount.currency"}),
    columns=COLUMNS,
    to_ledger=_to_ledger,
    billed=lambda table: table["amount"],
    replaces=Replace.DAY,
    notes=(
        "The Costs API states one amount: list price and discount are not known.",
        "Group by line_item, project_id and api_key_id; without line_item no model and no token is named.",
        "A line without 'priority |' or the like may hold batch requests too, so its service tier is left open.",
    ),
)
"""The Costs API of an organization. Rows without `organization_id` belong to the billing account `openai`."""
