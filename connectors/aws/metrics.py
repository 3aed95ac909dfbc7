"""Token metrics of Amazon Bedrock (CloudWatch namespace AWS/Bedrock): sums of an hour by account, region and model.

`InputTokenCount` leaves out what was read from or written to a cache, so that nothing is subtracted. The cache metrics
are published under two spellings; both are taken. A count without a data point is unknown, not zero.
"""

from __future__ import annotations

from typing import Final

from connectors.buckets import END, START
from connectors.expressions import Table, cases, literal, null
from connectors.format import Column, Format, Kind, Replace
from connectors.rows import ledger_rows
from connectors.vendor import grain, with_model

#: Ledger columns by the metrics that fill them, in order of preference.
METRICS: Final = {
    "InputUncachedTokens": ("InputTokenCount",),
    "OutputTokens": ("OutputTokenCount",),
    "CacheReadTokens": ("CacheReadInputTokenCount", "CacheReadInputTokens"),
    "CacheWriteTokens": ("CacheWriteInputTokenCount", "CacheWriteInputTokens"),
    "Requests": ("Invocations",),
}
_ERRORS: Final = ("InvocationClientErrors", "InvocationServerErrors")
_IMAGES: Final = "OutputImageCount"
#: Every metric that is asked for.
ASKED: Final = (*(name for names in METRICS.values() for name in names), *_ERRORS, _IMAGES)

COLUMNS: Final = (
    Column("start", Kind.EPOCH, (START,), required=True),
    Column("end", Kind.EPOCH, (END,), required=True),
    *(Column(name) for name in ("account", "region", "ModelId", "model")),
    *(Column(name, Kind.COUNT) for name in ASKED),
)
#: A model called by its ARN: the last segment is its id; that of an application's own profile names no model.
_ARN: Final = r"^arn:.*[:/](?:foundation-model|inference-profile)/(.+)$"
_OWN_PROFILE: Final = "application-inference-profile/"


def _to_ledger(source: Table) -> Table:
    stands_for = source["model"].coalesce(source["ModelId"])
    named = source.mutate(
        b_Model=cases(
            (stands_for.contains(_OWN_PROFILE), null("string")),
            (stands_for.startswith("arn:"), stands_for.re_extract(_ARN, 1).nullif("")),
            else_=stands_for,
        )
    )
    table = with_model(named, named["b_Model"])
    counts = {column: table[names[0]].coalesce(*(table[name] for name in names)) for column, names in METRICS.items()}
    errors = [table[name] for name in _ERRORS]
    return ledger_rows(
        table,
        UsagePeriodStart=table["start"],
        UsagePeriodEnd=table["end"],
        Grain=grain(table["start"], table["end"]),
        UsageKind=literal("bedrock"),
        ServiceProviderName=literal("AWS"),
        SubAccountId=table["account"],
        ModelName=table["ModelId"],
        ModelDeveloper=table["m_Developer"],
        ModelFamily=table["m_Family"],
        ModelId=table["m_Id"],
        ModelVersion=table["m_Version"],
        ServingRegion=cases((table["b_Model"].startswith("global."), "Global"), else_="Regional"),
        Errors=cases((errors[0].notnull() | errors[1].notnull(), errors[0].fill_null(0) + errors[1].fill_null(0))),
        OtherQuantity=table[_IMAGES].cast("decimal(38, 18)"),
        OtherUnit=cases((table[_IMAGES].notnull(), "images")),
        Tags=cases((table["region"].notnull(), literal('{"region":"') + table["region"] + literal('"}'))),
        **counts,
    )


FORMAT: Final = Format(
    name="aws-bedrock-metrics",
    title="Amazon Bedrock token metrics (CloudWatch)",
    provider="AWS",
    table="usage",
    signature=frozenset({START, END, "region", "ModelId"}),
    columns=COLUMNS,
    to_ledger=_to_ledger,
    replaces=Replace.DAY,
    notes=(
        "CloudWatch names no service tier and no cache lifetime, and of an application inference profile no model.",
        "Only the account of the role is seen; calls to the OpenAI- and Anthropic-compatible endpoint are not in it.",
    ),
)
