"""The dimensions by which Anthropic groups cost and usage, under either of the two shapes of its answers.

The analytics API keeps them in an object `group`, the Admin API's reports beside the figures.
"""

from __future__ import annotations

from typing import Final

import ibis
import ibis.expr.types as ir

from connectors.buckets import END, START
from connectors.format import Column, Kind
from connectors.vendor import tier, with_model

COLUMNS: Final = (
    Column("start", Kind.INSTANT, (START,), required=True),
    Column("end", Kind.INSTANT, (END,), required=True),
    *(
        Column(name, sources=(f"group.{name}", name))
        for name in (
            "model",
            "service_tier",
            "speed",
            "context_window",
            "inference_geo",
            "workspace_id",
            "organization_id",
            "product",
            "api_key_id",
            "service_account_id",
        )
    ),
    Column("user_id", sources=("group.actor.user_id", "account_id")),
    Column("actor_service_account_id", sources=("group.actor.service_account_id",)),
    Column("actor_api_key_id", sources=("group.actor.api_key_id",)),
)


def with_group(source: ir.Table) -> ir.Table:
    """`source` with the ledger's words for the dimensions: `m_...` (model) and `g_...` (the others).

    `fast` is a speed of its own at a price of its own, which the ledger's tiers do not have: its tier is NULL.
    """
    table = with_model(source, source["model"])
    user = table["user_id"].coalesce(table["service_account_id"], table["actor_service_account_id"])
    return table.mutate(
        g_Tier=ibis.cases((table["speed"].fill_null("standard") == "standard", tier(table["service_tier"]))),
        g_Context=ibis.cases(
            (table["context_window"] == "0-200k", "Short"), (table["context_window"] == "200k-1M", "Long")
        ),
        g_Region=ibis.cases(
            (table["inference_geo"] == "global", "Global"), (table["inference_geo"] == "us", "Data Zone")
        ),
        g_User=user,
        g_Key=table["api_key_id"].coalesce(table["actor_api_key_id"]),
    )
