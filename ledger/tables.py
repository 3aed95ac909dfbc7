"""The tables of a workspace's lake and their columns.

`charges` is FOCUS Cost and Usage 1.4 plus our own `x_` columns; `usage` holds what no bill carries;
the rest is lineage (`loads`, `rejects`, `findings`), reference data and rollups.
"""

from __future__ import annotations

from typing import Final

from ledger.focus import (
    BILLING_PERIOD,
    CONTRACT_COMMITMENT,
    COST_AND_USAGE,
    DECIMAL,
    INSTANT,
    INVOICE_DETAIL,
    JSON,
    TEXT,
    Column,
)
from ledger.price_book.schema import AGREEMENTS, PRICES

COUNT: Final = "BIGINT"
DATE: Final = "DATE"
#: Token counts: whole tokens, or the fractions of one that a bill in thousands or millions states.
TOKENS: Final = "DECIMAL(38,6)"

#: Who a row belongs to in this ledger; every fact table ends with these.
LINEAGE: Final = (
    Column("x_Connection", TEXT, nullable=False),
    Column("x_LoadId", TEXT, nullable=False),
)

#: The model and token identity of a charge. The first six are the keys that FOCUS 1.5 standardises inside
#: SkuPriceDetails; `x_ModelId` is the same whoever sells the model, `x_ModelVersion` the dated release.
IDENTITY: Final = (
    Column("x_ModelDeveloper", TEXT),
    Column("x_ModelFamily", TEXT),
    Column("x_ModelId", TEXT),
    Column("x_ModelVersion", TEXT),
    Column("x_TokenDirection", TEXT, allowed=("Input", "Output")),
    Column("x_TokenCacheAction", TEXT, allowed=("Uncached", "Read", "Write", "Other")),
    Column("x_CacheTtl", TEXT, allowed=("5m", "30m", "1h", "12h")),
    Column("x_Modality", TEXT, allowed=("Text", "Audio", "Image", "Video", "Embedding")),
    Column("x_ServiceTier", TEXT, allowed=("standard", "batch", "flex", "priority", "provisioned")),
    Column("x_ContextWindow", TEXT, allowed=("Short", "Long")),
    Column("x_ServingRegion", TEXT, allowed=("Global", "Data Zone", "Regional")),
    Column("x_Tokens", TOKENS),
    #: Why an AI charge carries no token quantity: the string or unit that the mapping does not know.
    Column("x_Unmapped", TEXT),
)

#: Columns that providers add and analysis or drill-down needs under their own names.
PROVIDER: Final = (
    Column("x_UsageType", TEXT),
    Column("x_Operation", TEXT),
    Column("x_ServiceCode", TEXT),
    Column("x_IamPrincipal", TEXT),
    Column("x_ApiKeyId", TEXT),
    Column("x_UserId", TEXT),
    Column("x_CostCategories", JSON),
    Column("x_Credits", JSON),
    Column("x_MeterId", TEXT),
    Column("x_MeterCategory", TEXT),
    Column("x_MeterSubCategory", TEXT),
    Column("x_ResourceGroup", TEXT),
    Column("x_ConsumptionModel", TEXT),
    Column("x_ExportTime", INSTANT),
    #: What was mended on the way in (`list cost 0 means unknown`), comma-separated; NULL where nothing was.
    Column("x_Repairs", TEXT),
)

CHARGES: Final = (*COST_AND_USAGE, *IDENTITY, *PROVIDER, *LINEAGE)

#: Usage at its own grain, one row for each period (or request) x project x key x model x tier.
#: The token kinds are disjoint: their sum is all tokens. `*AudioTokens`, `*ImageTokens` and `ReasoningTokens`
#: are parts of the kind they name, never in addition to it.
USAGE: Final = (
    Column("UsagePeriodStart", INSTANT, nullable=False),
    Column("UsagePeriodEnd", INSTANT, nullable=False),
    Column("Grain", TEXT, nullable=False, allowed=("request", "minute", "hour", "day")),
    Column("UsageKind", TEXT, nullable=False),
    Column("ServiceProviderName", TEXT, nullable=False),
    Column("SubAccountId", TEXT),
    Column("SubAccountName", TEXT),
    Column("ApiKeyId", TEXT),
    Column("UserId", TEXT),
    #: The model as the source spells it.
    Column("ModelName", TEXT),
    Column("ModelDeveloper", TEXT),
    Column("ModelFamily", TEXT),
    Column("ModelId", TEXT),
    Column("ModelVersion", TEXT),
    Column("ServiceTier", TEXT, allowed=("standard", "batch", "flex", "priority", "provisioned")),
    Column("ContextWindow", TEXT, allowed=("Short", "Long")),
    Column("ServingRegion", TEXT),
    Column("InputUncachedTokens", COUNT),
    Column("CacheReadTokens", COUNT),
    #: Cache writes whose lifetime the source does not tell.
    Column("CacheWriteTokens", COUNT),
    Column("CacheWrite5mTokens", COUNT),
    Column("CacheWrite30mTokens", COUNT),
    Column("CacheWrite1hTokens", COUNT),
    Column("CacheWrite12hTokens", COUNT),
    Column("OutputTokens", COUNT),
    Column("ReasoningTokens", COUNT),
    Column("InputAudioTokens", COUNT),
    Column("CacheReadAudioTokens", COUNT),
    Column("InputImageTokens", COUNT),
    Column("OutputAudioTokens", COUNT),
    Column("OutputImageTokens", COUNT),
    Column("Requests", COUNT),
    Column("Errors", COUNT),
    #: Whole milliseconds of one request, or their mean where the row stands for many.
    Column("LatencyMs", "DECIMAL(18,3)"),
    Column("TimeToFirstTokenMs", "DECIMAL(18,3)"),
    #: What is counted in something other than tokens: images, seconds, characters, sessions, searches.
    Column("OtherQuantity", DECIMAL),
    Column("OtherUnit", TEXT),
    Column("Tags", JSON),
    *LINEAGE,
)

#: What the business did in a day: requests, users, documents, revenue.
DRIVERS: Final = (
    Column("DriverDate", DATE, nullable=False),
    Column("DriverName", TEXT, nullable=False),
    Column("DriverValue", DECIMAL, nullable=False),
    Column("DriverUnit", TEXT),
    *LINEAGE,
)

#: One row for each load: what came in, what was taken, what it replaced.
LOADS: Final = (
    Column("LoadId", TEXT, nullable=False),
    Column("Connection", TEXT, nullable=False),
    Column("Format", TEXT, nullable=False),
    Column("Provider", TEXT),
    Column("TableName", TEXT, nullable=False),
    Column("LoadedAt", INSTANT, nullable=False),
    #: JSON: file name, bytes, sha256 of every file of the load.
    Column("Sources", JSON, nullable=False),
    #: JSON: the periods that the load holds and therefore replaced.
    Column("Periods", JSON, nullable=False),
    Column("FirstMoment", INSTANT),
    Column("LastMoment", INSTANT),
    Column("RowsIn", COUNT, nullable=False),
    Column("RowsLoaded", COUNT, nullable=False),
    Column("RowsRejected", COUNT, nullable=False),
    #: Rows that another row of the source carries already (AWS SavingsPlanNegation).
    Column("RowsDropped", COUNT, nullable=False),
    #: Rows that the mapping made in addition (the unused part of a commitment's fee).
    Column("RowsAdded", COUNT, nullable=False),
    #: JSON: decimal strings by currency.
    Column("BilledIn", JSON, nullable=False),
    Column("BilledLoaded", JSON, nullable=False),
    Column("SchemaVersion", COUNT, nullable=False),
    Column("Replaced", JSON),
    Column("Synthetic", "BOOLEAN", nullable=False),
    #: Of a load that was fetched: its stream, what the provider calls this delivery, and the days it covers.
    Column("StreamName", TEXT),
    Column("StreamVersion", TEXT),
    Column("CoveredFrom", DATE),
    Column("CoveredBefore", DATE),
)

#: Every row that could not be taken.
REJECTS: Final = (
    Column("LoadId", TEXT, nullable=False),
    Column("File", TEXT, nullable=False),
    #: Row of the file, the first data row being 1 (a header is not counted).
    Column("RowNumber", COUNT),
    Column("ColumnName", TEXT),
    Column("Value", TEXT),
    Column("Reason", TEXT, nullable=False),
)

#: What the checks on the way in noticed about the rows that were taken.
FINDINGS: Final = (
    Column("LoadId", TEXT, nullable=False),
    Column("CheckId", TEXT, nullable=False),
    Column("Severity", TEXT, nullable=False, allowed=("error", "warning", "note")),
    Column("RowCount", COUNT, nullable=False),
    #: JSON: decimal strings of BilledCost by currency.
    Column("Billed", JSON),
    Column("Sentence", TEXT, nullable=False),
    #: JSON: up to three examples.
    Column("Examples", JSON),
)

#: What commitments and credits do to the cost of both rollups; the rest of a cost is what it would be without them.
EFFECTS: Final = (
    #: Of BilledCost and of EffectiveCost: a commitment's fees and unused part, and its covered use less ContractedCost.
    Column("CommitmentBilled", DECIMAL),
    Column("CommitmentEffective", DECIMAL),
    #: Likewise: charges that are credits, and credits inside other charges (`x_Credits`), commitments excepted.
    Column("CreditBilled", DECIMAL),
    Column("CreditEffective", DECIMAL),
    #: Covered or credited charges without ContractedCost: covered ones count as commitment whole, credits not at all.
    Column("ChargesWithoutContracted", COUNT),
)

#: What both rollups sum.
MEASURES: Final = (
    Column("BilledCost", DECIMAL),
    Column("EffectiveCost", DECIMAL),
    Column("ListCost", DECIMAL),
    #: BilledCost of the rows whose list cost the source does not know; ListCost leaves them out.
    Column("BilledWithoutList", DECIMAL),
    Column("Charges", COUNT),
    Column("ChargesWithoutList", COUNT),
    #: EffectiveCost leaves these rows out.
    Column("ChargesWithoutEffective", COUNT),
    *EFFECTS,
)

#: Daily spend. Tags, keys, resources and SKUs are not rolled up; they go the slower way over `charges`.
SPEND_DIMENSIONS: Final = (
    Column("BillingPeriodStart", INSTANT),
    Column("BillingAccountId", TEXT),
    Column("ServiceProviderName", TEXT),
    Column("ServiceCategory", TEXT),
    Column("ServiceName", TEXT),
    Column("SubAccountId", TEXT),
    Column("SubAccountName", TEXT),
    Column("RegionId", TEXT),
    Column("ChargeCategory", TEXT),
    Column("PricingCategory", TEXT),
    Column("BillingCurrency", TEXT),
    Column("x_ModelId", TEXT),
)
DAILY_SPEND: Final = (
    Column("ChargeDate", DATE, nullable=False),
    *SPEND_DIMENSIONS,
    *MEASURES,
    *LINEAGE,
)

#: Daily tokens: only charges that carry a token identity or should carry one.
TOKEN_DIMENSIONS: Final = (
    Column("BillingPeriodStart", INSTANT),
    Column("BillingAccountId", TEXT),
    Column("ServiceProviderName", TEXT),
    Column("ServiceName", TEXT),
    Column("SubAccountId", TEXT),
    Column("SubAccountName", TEXT),
    Column("BillingCurrency", TEXT),
    *(c for c in IDENTITY if c.name != "x_Tokens"),
)
DAILY_TOKENS: Final = (
    Column("ChargeDate", DATE, nullable=False),
    *TOKEN_DIMENSIONS,
    Column("Tokens", TOKENS),
    *MEASURES,
    *LINEAGE,
)

#: `daily_tokens` with the tokens of usage where the bill states none: what a figure per token is read from.
DAILY_TOKEN_COSTS: Final = (
    *(c for c in DAILY_TOKENS if c not in LINEAGE),
    #: `bill` or `usage`; NULL where the tokens are not known.
    Column("TokensFrom", TEXT, allowed=("bill", "usage")),
    #: Why the tokens are not known; NULL where they are.
    Column("TokensReason", TEXT),
    *(Column(c.name, c.type) for c in LINEAGE),
)

#: Each load writes this one row, so that two writers that both missed the lock conflict instead of doubling.
SENTINEL: Final = (Column("LastLoadId", TEXT), Column("Loads", COUNT))

#: Counted up when a stored row changes its meaning; columns that are merely new are added on opening.
SCHEMA_VERSION: Final = 1

TABLES: Final[dict[str, tuple[Column, ...]]] = {
    "charges": CHARGES,
    "usage": USAGE,
    "drivers": DRIVERS,
    "contract_commitments": (*CONTRACT_COMMITMENT, *LINEAGE),
    "billing_periods": (*BILLING_PERIOD, *LINEAGE),
    "invoice_details": (*INVOICE_DETAIL, *LINEAGE),
    "loads": LOADS,
    "rejects": REJECTS,
    "findings": FINDINGS,
    "daily_spend": DAILY_SPEND,
    "daily_tokens": DAILY_TOKENS,
    "daily_token_costs": DAILY_TOKEN_COSTS,
    "prices": PRICES,
    "agreements": AGREEMENTS,
    "sentinel": SENTINEL,
}
