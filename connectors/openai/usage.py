"""OpenAI Usage API (`GET /v1/organization/usage/*`): tokens, requests and other counts, one format for all of it.

The `object` of a result says what was counted. `input_tokens` includes cached and cache-write tokens, so the
uncached ones are what is left of it. A result of an unknown kind keeps its row and gets no token.
"""

from __future__ import annotations

from typing import Final

import ibis
import ibis.expr.types as ir

from connectors.buckets import END, START
from connectors.format import Column, Format, Kind, Replace
from connectors.rows import ledger_rows
from connectors.vendor import grain, tier, with_model

_COUNTS: Final = (
    "input_tokens",
    "input_uncached_tokens",
    "input_cached_tokens",
    "input_cache_write_tokens",
    "input_cache_write_30m_tokens",
    "input_cache_write_12h_tokens",
    "output_tokens",
    "input_audio_tokens",
    "input_cached_audio_tokens",
    "input_image_tokens",
    "output_audio_tokens",
    "output_image_tokens",
    "num_model_requests",
    "num_requests",
    "num_sessions",
    "images",
    "characters",
    "seconds",
    "usage_bytes",
)
COLUMNS: Final = (
    Column("start", Kind.EPOCH, (START,), required=True),
    Column("end", Kind.EPOCH, (END,), required=True),
    Column("object", required=True),
    *(Column(name, Kind.COUNT) for name in _COUNTS),
    *(
        Column(name)
        for name in ("project_id", "project_name", "api_key_id", "user_id", "model", "batch", "service_tier")
    ),
)

#: Kinds whose results count tokens.
TOKEN_KINDS: Final = ("completions", "decisions", "embeddings", "moderations")
#: Kinds that count something else: the field that counts it, and its unit.
OTHER_KINDS: Final = {
    "images": ("images", "images"),
    "audio_speeches": ("characters", "characters"),
    "audio_transcriptions": ("seconds", "seconds"),
    "vector_stores": ("usage_bytes", "bytes"),
    "code_interpreter_sessions": ("num_sessions", "sessions"),
    "file_searches": ("num_requests", "searches"),
    "web_searches": ("num_requests", "searches"),
}
#: Their model requests are counted in `completions` already.
_REQUESTS_ELSEWHERE: Final = ("file_searches", "web_searches")


def uncached(table: ir.Table) -> ir.IntegerValue:
    """Input tokens neither read from nor written to a cache; NULL where the result contradicts itself.

    The API leaves a count out where there is nothing to count, so an absent cached or written one is none.
    """
    parts = table["input_cache_write_30m_tokens"].fill_null(0) + table["input_cache_write_12h_tokens"].fill_null(0)
    written = table["input_cache_write_tokens"].coalesce(parts)
    left = table["input_tokens"] - table["input_cached_tokens"].fill_null(0) - written
    return table["input_uncached_tokens"].coalesce(ibis.cases((left >= 0, left)))


def written_otherwise(table: ir.Table) -> ir.IntegerValue:
    """Cache writes beyond those of 30 minutes and 12 hours, which have columns of their own."""
    parts = table["input_cache_write_30m_tokens"].fill_null(0) + table["input_cache_write_12h_tokens"].fill_null(0)
    left = table["input_cache_write_tokens"] - parts
    return ibis.cases((left >= 0, left))


def service_tier(table: ir.Table) -> ir.StringValue:
    """`default` is standard only where the result is known not to be batch: batch results say `default` too."""
    batch = table["batch"].lower()
    default = table["service_tier"].lower().isin(["default", "standard"])
    return ibis.cases(
        (batch == "true", "batch"),
        (default & (batch == "false"), "standard"),
        (default, ibis.null("string")),
        else_=tier(table["service_tier"]),
    )


def _to_ledger(source: ir.Table) -> ir.Table:
    table = with_model(source, source["model"])
    known = table["object"].re_extract(r"^organization\.usage\.(.+)\.result$", 1).nullif("")
    kind = known.coalesce(table["object"])
    has_tokens = kind.isin(list(TOKEN_KINDS))

    def counted(value: ir.Value) -> ir.Value:
        return ibis.cases((has_tokens, value))

    return ledger_rows(
        table,
        UsagePeriodStart=table["start"],
        UsagePeriodEnd=table["end"],
        Grain=grain(table["start"], table["end"]),
        UsageKind=kind,
        ServiceProviderName=ibis.literal("OpenAI"),
        SubAccountId=table["project_id"],
        SubAccountName=table["project_name"],
        ApiKeyId=table["api_key_id"],
        UserId=table["user_id"],
        ModelName=table["model"],
        ModelDeveloper=table["m_Developer"],
        ModelFamily=table["m_Family"],
        ModelId=table["m_Id"],
        ModelVersion=table["m_Version"],
        ServiceTier=service_tier(table),
        InputUncachedTokens=counted(uncached(table)),
        CacheReadTokens=counted(table["input_cached_tokens"]),
        CacheWriteTokens=counted(written_otherwise(table)),
        CacheWrite30mTokens=counted(table["input_cache_write_30m_tokens"]),
        CacheWrite12hTokens=counted(table["input_cache_write_12h_tokens"]),
        OutputTokens=counted(table["output_tokens"]),
        InputAudioTokens=counted(table["input_audio_tokens"]),
        CacheReadAudioTokens=counted(table["input_cached_audio_tokens"]),
        InputImageTokens=counted(table["input_image_tokens"]),
        OutputAudioTokens=counted(table["output_audio_tokens"]),
        OutputImageTokens=counted(table["output_image_tokens"]),
        Requests=ibis.cases((kind.notin(list(_REQUESTS_ELSEWHERE)), table["num_model_requests"])),
        OtherQuantity=ibis.cases(
            *((kind == name, table[field].cast("decimal(38, 18)")) for name, (field, _) in OTHER_KINDS.items())
        ),
        OtherUnit=ibis.cases(*((kind == name, unit) for name, (_, unit) in OTHER_KINDS.items())),
    )


USAGE: Final = Format(
    name="openai-usage",
    title="OpenAI Usage API",
    provider="OpenAI",
    table="usage",
    signature=frozenset({START, END, "object"}),
    columns=COLUMNS,
    to_ledger=_to_ledger,
    replaces=Replace.DAY,
    notes=(
        "Usage counts tokens, the Costs API states money; OpenAI says that the two may differ.",
        "Group by model, batch and service_tier: without batch the tier of default results is left open.",
        "Reasoning tokens are not reported apart from output tokens.",
    ),
)
