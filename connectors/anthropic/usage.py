"""Anthropic usage: the analytics API, and the messages usage report of the Admin API.

Unlike OpenAI's, Anthropic's input tokens exclude what was read from or written to a cache: nothing is subtracted.
"""

from __future__ import annotations

from typing import Final

import ibis
import ibis.expr.types as ir

from connectors.anthropic import groups
from connectors.buckets import END, START
from connectors.format import Column, Format, Kind, Replace
from connectors.rows import ledger_rows
from connectors.vendor import grain

#: Where each count stands, below `usage` (analytics) or at the top (reports).
_COUNTS: Final = {
    "uncached_input": "uncached_input_tokens",
    "cache_read": "cache_read_input_tokens",
    "cache_5m": "cache_creation.ephemeral_5m_input_tokens",
    "cache_1h": "cache_creation.ephemeral_1h_input_tokens",
    "output": "output_tokens",
    "thinking": "output_tokens_details.thinking_tokens",
    "searches": "server_tool_use.web_search_requests",
    "requests": "requests",
}
COLUMNS: Final = (
    *groups.COLUMNS,
    *(Column(name, Kind.COUNT, (f"usage.{place}", place)) for name, place in _COUNTS.items()),
)


def _to_ledger(source: ir.Table) -> ir.Table:
    table = groups.with_group(source)
    return ledger_rows(
        table,
        UsagePeriodStart=table["start"],
        UsagePeriodEnd=table["end"],
        Grain=grain(table["start"], table["end"]),
        UsageKind=ibis.literal("messages"),
        ServiceProviderName=ibis.literal("Anthropic"),
        SubAccountId=table["workspace_id"],
        ApiKeyId=table["g_Key"],
        UserId=table["g_User"],
        ModelName=table["model"],
        ModelDeveloper=table["m_Developer"],
        ModelFamily=table["m_Family"],
        ModelId=table["m_Id"],
        ModelVersion=table["m_Version"],
        ServiceTier=table["g_Tier"],
        ContextWindow=table["g_Context"],
        ServingRegion=table["g_Region"],
        InputUncachedTokens=table["uncached_input"],
        CacheReadTokens=table["cache_read"],
        CacheWrite5mTokens=table["cache_5m"],
        CacheWrite1hTokens=table["cache_1h"],
        OutputTokens=table["output"],
        ReasoningTokens=table["thinking"],
        Requests=table["requests"],
        OtherQuantity=table["searches"].cast("decimal(38, 18)"),
        OtherUnit=ibis.cases((table["searches"].notnull(), "searches")),
    )


def _format(name: str, title: str, prefix: str) -> Format:
    figures = (f"{prefix}{_COUNTS[key]}" for key in ("uncached_input", "cache_read", "output"))
    return Format(
        name=name,
        title=title,
        provider="Anthropic",
        table="usage",
        signature=frozenset({START, END, *figures}),
        columns=COLUMNS,
        to_ledger=_to_ledger,
        replaces=Replace.DAY,
        notes=(
            "Usage counts tokens, the cost API states money; Claude through AWS, Azure or Google Cloud is in neither.",
            "Anthropic may revise a day for up to 30 days.",
        ),
    )


USAGE: Final = _format("anthropic-usage", "Anthropic analytics usage", "usage.")
"""`GET /v1/organizations/analytics/usage`."""

USAGE_REPORT: Final = _format("anthropic-usage-report", "Anthropic Admin API messages usage report", "")
"""`GET /v1/organizations/usage_report/messages`, and the analytics usage report in buckets."""
