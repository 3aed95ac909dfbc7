"""Token metrics of Azure OpenAI and Foundry (Azure Monitor): sums of an hour by resource, deployment and model.

Azure's own count of input tokens holds those read from a cache, and does not say how many. So it is no count of
uncached tokens, and stands as another quantity. A count without a data point is unknown, not zero.
"""

from __future__ import annotations

from typing import Final

from connectors.buckets import END, START
from connectors.expressions import Table, cases, literal
from connectors.format import Column, Format, Kind, Replace
from connectors.rows import ledger_rows
from connectors.vendor import grain, with_model

#: Ledger columns by the metrics that fill them, in order of preference: a resource may publish one count twice, as
#: Azure OpenAI's and as Foundry's.
METRICS: Final = {
    "OutputTokens": ("GeneratedTokens", "OutputTokens"),
    "CacheReadTokens": ("cacheReadInputTokens",),
    "CacheWrite5mTokens": ("ephemeral5mInputTokens",),
    "CacheWrite1hTokens": ("ephemeral1hInputTokens",),
    "Requests": ("AzureOpenAIRequests", "ModelRequests"),
}
_INPUT: Final = ("ProcessedPromptTokens", "InputTokens")
#: Every metric that is asked for.
ASKED: Final = (*_INPUT, *(name for names in METRICS.values() for name in names))
#: What tells deployments apart.
DIMENSIONS: Final = ("ModelDeploymentName", "ModelName", "ModelVersion")

COLUMNS: Final = (
    Column("start", Kind.EPOCH, (START,), required=True),
    Column("end", Kind.EPOCH, (END,), required=True),
    *(Column(name) for name in ("resource", "region", *DIMENSIONS)),
    *(Column(name, Kind.COUNT) for name in ASKED),
)


def _to_ledger(source: Table) -> Table:
    known = source.mutate(**{name: source[name].nullif("") for name in DIMENSIONS})
    table = with_model(known, known["ModelName"])
    counts = {column: table[names[0]].coalesce(*(table[n] for n in names)) for column, names in METRICS.items()}
    taken = table[_INPUT[0]].coalesce(table[_INPUT[1]])
    tags = literal('{"deployment":"') + table["ModelDeploymentName"].fill_null("") + literal('","region":"')
    return ledger_rows(
        table,
        UsagePeriodStart=table["start"],
        UsagePeriodEnd=table["end"],
        Grain=grain(table["start"], table["end"]),
        UsageKind=literal("azure-openai"),
        ServiceProviderName=literal("Microsoft"),
        SubAccountId=table["resource"],
        SubAccountName=table["resource"].re_extract("([^/]+)$", 1),
        ModelName=table["ModelName"],
        ModelDeveloper=table["m_Developer"],
        ModelFamily=table["m_Family"],
        ModelId=table["m_Id"],
        ModelVersion=table["ModelVersion"].coalesce(table["m_Version"]),
        OtherQuantity=taken.cast("decimal(38, 18)"),
        OtherUnit=cases((taken.notnull(), "input tokens, cached ones included")),
        Tags=tags + table["region"].fill_null("") + literal('"}'),
        **counts,
    )


FORMAT: Final = Format(
    name="azure-openai-metrics",
    title="Azure OpenAI and Foundry token metrics (Azure Monitor)",
    provider="Microsoft",
    table="usage",
    signature=frozenset({START, END, "resource", "ModelDeploymentName"}),
    columns=COLUMNS,
    to_ledger=_to_ledger,
    replaces=Replace.DAY,
    notes=(
        "Azure counts input tokens together with those read from a cache, so that they are not uncached tokens.",
        "Azure Monitor names the deployment, not the service tier.",
    ),
)
