"""Token usage from anywhere (a gateway, a log, a warehouse): a table of one's own (docs/usage-file.md)."""

from __future__ import annotations

from typing import Final

import ibis
import ibis.expr.types as ir

from connectors.format import Column, Format, Kind, Replace
from connectors.rows import ledger_rows
from connectors.vendor import tier, with_model

#: Counts of the file, by the ledger column that each fills.
COUNTS: Final = {
    "InputUncachedTokens": "input_tokens",
    "CacheReadTokens": "cache_read_tokens",
    "CacheWriteTokens": "cache_write_tokens",
    "CacheWrite5mTokens": "cache_write_5m_tokens",
    "CacheWrite1hTokens": "cache_write_1h_tokens",
    "OutputTokens": "output_tokens",
    "ReasoningTokens": "reasoning_tokens",
    "Errors": "errors",
}
COLUMNS: Final = (
    Column("time", Kind.INSTANT, required=True),
    Column("end_time", Kind.INSTANT),
    *(Column(name, required=True) for name in ("provider", "model")),
    *(Column(name) for name in ("grain", "kind", "tier", "context", "region", "project", "api_key", "user")),
    *(Column(name, Kind.COUNT) for name in (*COUNTS.values(), "requests")),
    Column("latency_ms", Kind.DECIMAL),
    Column("time_to_first_token_ms", Kind.DECIMAL),
    Column("tags", Kind.JSON),
)

#: Providers whose name bills and usage reports write in one way only.
_PROVIDERS: Final = {"openai": "OpenAI", "anthropic": "Anthropic"}
_REGIONS: Final = {"global": "Global", "data zone": "Data Zone", "regional": "Regional"}


def _named(value: ir.StringValue, names: dict[str, str]) -> ir.StringValue:
    """The ledger's spelling of a name that it knows; any other as it stands."""
    lowered = value.strip().lower()
    return ibis.cases(*((lowered == key, name) for key, name in names.items()), else_=value.strip())


def _end(table: ir.Table, grain: ir.StringValue) -> ir.TimestampValue:
    """The end of the period: as stated, else one grain after its start; a request is a moment."""
    start = table["time"]
    computed = ibis.cases(
        (grain == "minute", start + ibis.interval(minutes=1)),
        (grain == "hour", start + ibis.interval(hours=1)),
        (grain == "day", start + ibis.interval(days=1)),
        else_=start,
    )
    return table["end_time"].coalesce(computed)


def _to_ledger(source: ir.Table) -> ir.Table:
    table = with_model(source, source["model"])
    grain = table["grain"].strip().lower().coalesce("request")
    context = table["context"].strip().lower()
    return ledger_rows(
        table,
        UsagePeriodStart=table["time"],
        UsagePeriodEnd=_end(table, grain),
        Grain=grain,
        UsageKind=table["kind"].coalesce("completions"),
        ServiceProviderName=_named(table["provider"], _PROVIDERS),
        SubAccountId=table["project"],
        ApiKeyId=table["api_key"],
        UserId=table["user"],
        ModelName=table["model"],
        ModelDeveloper=table["m_Developer"],
        ModelFamily=table["m_Family"],
        ModelId=table["m_Id"],
        ModelVersion=table["m_Version"],
        ServiceTier=ibis.ifelse(table["tier"].strip().lower() == "default", "standard", tier(table["tier"])),
        ContextWindow=ibis.cases((context == "short", "Short"), (context == "long", "Long")),
        ServingRegion=_named(table["region"], _REGIONS),
        # A row that stands for a request is one request.
        Requests=table["requests"].coalesce(ibis.cases((grain == "request", 1))),
        LatencyMs=table["latency_ms"].try_cast("decimal(18, 3)"),
        TimeToFirstTokenMs=table["time_to_first_token_ms"].try_cast("decimal(18, 3)"),
        Tags=table["tags"],
        **{column: table[name] for column, name in COUNTS.items()},
    )


USAGE: Final = Format(
    name="usage-file",
    title="Usage file",
    provider="",
    table="usage",
    signature=frozenset({"time", "provider", "model", "input_tokens", "output_tokens"}),
    columns=COLUMNS,
    to_ledger=_to_ledger,
    replaces=Replace.DAY,
)
"""One row for each request, minute, hour or day. `input_tokens` are the uncached ones alone."""
