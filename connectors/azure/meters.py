"""Azure OpenAI and Foundry meter names to model and token identity.

Azure has no grammar for meter names, only a vocabulary (`gpt-4o 1120 Inp glbl Tokens`, `5.4 opt Dz 1M Tokens`,
`5.5 ShortCo cd inp Gl 1M Tokens`). The words that say direction, cache, tier, context and region are read and
taken away; what is left must be exactly one known spelling of a model. Anything else keeps its cost, gets no
tokens and says why. A bare `5.4` or `V4 Pro` is a model only where the product says whose.

Sources: Azure retail price list (service `Foundry Models`); microsoft/finops-toolkit PricingUnits.csv.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import ibis
import ibis.expr.types as ir

from connectors.models import lineage

#: Ledger columns that `with_identity` fills.
IDENTITY_COLUMNS: Final = (
    "x_ModelDeveloper",
    "x_ModelFamily",
    "x_ModelId",
    "x_ModelVersion",
    "x_TokenDirection",
    "x_TokenCacheAction",
    "x_Modality",
    "x_ServiceTier",
    "x_ContextWindow",
    "x_ServingRegion",
    "x_Tokens",
    "x_Unmapped",
)

#: Block size and unit of a unit of measure: `1K`, `1M`, `10K`, `100 Hours`, `1 GB/Month`, `1M Tokens`, `1/Hour`.
_UNIT: Final = r"^\s*([0-9]{1,9})([KM])?(?:\s*(/.+)|\s+(\S.*))?$"

_UNIT_NAMES: Final = {"": "Units", "Hour": "Hours", "Month": "Months", "Day": "Days"}
#: The commonest units, read already.
_USUAL: Final = {
    "1": (1, "Units"),
    "1K": (1_000, "Units"),
    "10K": (10_000, "Units"),
    "1M": (1_000_000, "Units"),
    "1 Hour": (1, "Hours"),
    "1/Hour": (1, "Units/Hour"),
    "1/Month": (1, "Units/Month"),
    "1 GB": (1, "GB"),
    "1 GB/Month": (1, "GB/Month"),
}

_INPUT: Final = r"\b(inp|inpt|input|in)\b"
_OUTPUT: Final = r"\b(outp|outpt|output|out|opt)\b"
_CACHED: Final = r"\b(cached|c{2,3}hd|cd)\b"
_WRITE: Final = r"\bwr\b"
_NAMED_UNIT: Final = r"\b1([mk]) tokens?\b"
_TIERS: Final = {"batch": "batch", "pp": "priority", "flex": "flex"}
_CONTEXTS: Final = {r"shortco": "Short", r"longco": "Long"}
_REGIONS: Final = {
    r"(glbl|gl|glb|global)": "Global",
    r"(dzone|dz|datazone)": "Data Zone",
    r"(regnl|rgnl|regional)": "Regional",
}
_SAID: Final = (
    r"\b(1[mk] tokens?|tokens?|inp|inpt|input|in|outp|outpt|output|out|opt|cached|c{2,3}hd|cd|wr|batch|pp|flex|std"
    r"|shortco|longco|glbl|gl|glb|global|dzone|dz|datazone|regnl|rgnl|regional)\b"
)
_SPLITS: Final = (
    (r"[\s_-]+", " "),
    (r"\bdata zone\b", "datazone"),
    (r"\bbatch(inp|outp)\b", r"batch \1"),
    (r"\b(mini|nano)([0-9]{4})\b", r"\1 \2"),
)

_LINE: Final = r"(?: (?:mini|nano|pro|turbo|chat|codex|max|luna|sol|terra))*"
#: Spelling without its vocabulary, whose product must say so ("" where the name says it itself), prefix to add.
_MODELS: Final = (
    (rf"^gpt [4-9](?:\.[0-9]+)?o?{_LINE}$", "", ""),
    (r"^gpt oss (?:20b|120b)$", "", ""),
    (r"^o[1-9](?: (?:mini|pro|deep research))?$", "", ""),
    (r"^text embedding (?:3 (?:small|large)|ada 002)$", "", ""),
    (r"^grok [0-9](?:\.[0-9]+)?(?: mini)?$", "", ""),
    (r"^deepseek (?:v[0-9](?:\.[0-9]+)?(?: (?:pro|flash))?|r1)$", "", ""),
    (r"^kimi k[0-9](?:\.[0-9]+)?(?: thinking)?$", "", ""),
    (r"^llama [0-9](?:\.[0-9]+)?(?: [0-9]+b)?(?: instruct)?$", "", ""),
    (r"^phi [0-9](?:\.[0-9]+)?(?: (?:mini|medium|small|moe|vision|multimodal|reasoning|[0-9]+k|instruct))*$", "", ""),
    (r"^[0-9](?:\.[0-9]+)?$", "grok", "grok-"),
    (rf"^[4-9](?:\.[0-9]+)?o?{_LINE}$", "openai", "gpt-"),
    (r"^(?:v[0-9](?:\.[0-9]+)?(?: (?:pro|flash))?|r1)$", "deepseek", "deepseek-"),
    (r"^k[0-9](?:\.[0-9]+)?(?: thinking)?$", "kimi", "kimi-"),
)
#: Spellings that no rule gives: Azure wrote them differently from the model's maker.
_ALIASES: Final = {"embedding ada": "text-embedding-ada-002", "gpt 35 turbo": "gpt-3.5-turbo"}
#: Azure writes a release as month and day; the year is the release's own.
_RELEASES: Final = {
    ("gpt-4o", "0513"): "2024-05-13",
    ("gpt-4o", "0806"): "2024-08-06",
    ("gpt-4o", "1120"): "2024-11-20",
    ("gpt-4o-mini", "0718"): "2024-07-18",
    ("o1", "1217"): "2024-12-17",
    ("o3-mini", "0131"): "2025-01-31",
    ("o3", "0416"): "2025-04-16",
    ("o4-mini", "0416"): "2025-04-16",
}

_PROVISIONED: Final = "provisioned throughput is billed by the hour: the bill counts no tokens"
_CONSUMPTION_UNIT: Final = "Claude Consumption Unit: the bill does not split models or tokens"


class Unit(NamedTuple):
    """A unit of measure taken apart; both parts NULL where it cannot be read."""

    #: How many of `unit` one priced quantity stands for (`1K` is 1000), DECIMAL(18,0).
    block: ir.Value
    #: The unit without its block: `Units` where the bill names none.
    unit: ir.StringValue


class Meter(NamedTuple):
    """What a bill row says about its meter."""

    name: ir.StringValue
    #: Everything that says whose meter it is: category, sub category, product.
    product: ir.StringValue
    #: Unit of measure as the bill spells it (`1K`, `1M`).
    unit: ir.StringValue
    #: Number of such units used; NULL where the row counts no use, or where it cannot be told what it counts.
    quantity: ir.Value
    #: Whether the row belongs to an AI service: only then is a name read.
    is_ai: ir.BooleanValue


def parse_unit(unit: ir.StringValue) -> Unit:
    """Block size and unit of a unit of measure.

    `10K` is 10,000 Units and `100 Hours` is 100 Hours; the K or M must follow its number, so `1 MB` is one MB.
    """
    read = unit.re_search(_UNIT)
    times = unit.re_extract(_UNIT, 2).cases(("K", 1_000), ("M", 1_000_000), else_=1)
    block = unit.re_extract(_UNIT, 1).try_cast("int64") * times
    rest = unit.re_extract(_UNIT, 4).strip() + unit.re_extract(_UNIT, 3).strip()
    named = rest.cases(*_UNIT_NAMES.items(), else_=rest)
    named = ibis.ifelse(named.startswith("/"), "Units" + named, named)
    # A bill has millions of rows in a handful of units, and a regular expression costs more than all else in a row.
    return Unit(
        unit.cases(*((u, size) for u, (size, _) in _USUAL.items()), else_=ibis.cases((read, block))).try_cast(
            "decimal(18, 0)"
        ),
        unit.cases(*((u, name) for u, (_, name) in _USUAL.items()), else_=ibis.cases((read, named))),
    )


def times_block(quantity: ir.Value, block: ir.Value) -> ir.Value:
    """`quantity` of blocks in single units, DECIMAL(38,12); NULL where it does not fit."""
    return quantity.try_cast("decimal(26, 12)") * block.try_cast("decimal(12, 0)")


def with_identity(table: ir.Table, meter: Meter) -> ir.Table:
    """`table` with `IDENTITY_COLUMNS` and two flags about each row's meter; row preserving and pure.

    `IsTokenMeter` is true where the meter counts tokens, `IsGenerative` also for provisioned throughput and
    Claude Consumption Units. The work is staged over several selects because the same text is looked at often.
    """
    words = table.mutate(
        MeterName=meter.name,
        MeterWords=ibis.cases((meter.is_ai, _words(meter.name))),
        MeterOwner=ibis.cases((meter.is_ai, meter.product.lower())),
        MeterUnit=ibis.cases((meter.is_ai, meter.unit)),
        MeterQuantity=ibis.cases((meter.is_ai, meter.quantity)),
    )
    read = words.mutate(**_vocabulary(words["MeterWords"], words["MeterOwner"], words["MeterUnit"]))
    named = read.mutate(
        MeterModel=ibis.cases((read["IsTokenMeter"], _model(read["MeterCore"], read["MeterOwner"]))),
        MeterBlock=_token_block(read["MeterUnit"]),
    )
    # The names that _model gives are canonical: what models.identity would do to them first changes nothing.
    developer, family = lineage(named["MeterModel"])
    whose = named.mutate(
        x_ModelDeveloper=ibis.cases((named["IsClaude"], "Anthropic"), else_=developer),
        x_ModelFamily=ibis.cases((named["IsClaude"], "Claude"), else_=family),
        x_ModelId=named["MeterModel"],
    )
    done = whose.mutate(x_ModelVersion=_version(whose["x_ModelId"], whose["MeterRelease"]), x_Unmapped=_reason(whose))
    return done.mutate(x_Tokens=_tokens(done))


def _words(name: ir.StringValue) -> ir.StringValue:
    words = name.lower()
    for pattern, replacement in _SPLITS:
        words = words.re_replace(pattern, replacement)
    return words.strip()


def _vocabulary(words: ir.StringValue, owner: ir.StringValue, unit: ir.StringValue) -> dict[str, ir.Value]:
    """What the words of a meter name say, and the core that is left when they are taken away."""
    has_in, has_out = words.re_search(_INPUT), words.re_search(_OUTPUT)
    cached, write = words.re_search(_CACHED), words.re_search(_WRITE)
    embedding = words.re_search(r"\bembedding\b") & ~has_out & ~cached
    is_input = (has_in | (cached & write) | embedding) & ~has_out
    is_output = has_out & ~has_in & ~cached
    text = owner + " " + words
    tokens = words.re_search(r"\btokens?\b") | unit.re_search(r"(?i)\btokens?$")
    claude = text.re_search(r"claude consumption unit|\bccus?\b") & text.re_search(r"claude|anthropic")
    provisioned = words.re_search(r"\bprovisioned\b") | owner.contains("provisioned throughput")
    tier = ibis.cases(*((words.re_search(rf"\b{word}\b"), name) for word, name in _TIERS.items()))
    core = words.re_replace(_SAID, " ").re_replace(r"\b[0-9]{4}\b", " ").re_replace(r"\s+", " ").strip()
    return {
        "x_TokenDirection": ibis.cases((tokens & is_input, "Input"), (tokens & is_output, "Output")),
        "x_TokenCacheAction": ibis.cases(
            (tokens & is_input & cached & write, "Write"),
            (tokens & is_input & cached, "Read"),
            (tokens & is_input, "Uncached"),
        ),
        "x_Modality": ibis.cases((tokens & embedding, "Embedding")),
        "x_ServiceTier": tier.coalesce(ibis.cases((provisioned, "provisioned"), (tokens, "standard"))),
        "x_ContextWindow": ibis.cases(*((words.re_search(rf"\b{word}\b"), name) for word, name in _CONTEXTS.items())),
        "x_ServingRegion": ibis.cases(*((words.re_search(rf"\b{word}\b"), name) for word, name in _REGIONS.items())),
        "MeterCore": core,
        "MeterRelease": words.re_extract(r"\b([0-9]{4})\b", 1).nullif(""),
        "MeterSaysUnit": words.re_extract(_NAMED_UNIT, 1).cases(("k", 1_000), ("m", 1_000_000)),
        "IsClaude": claude.fill_null(False),
        "IsProvisioned": provisioned.fill_null(False),
        "IsTokenMeter": (tokens & ~provisioned & ~claude).fill_null(False),
        "IsGenerative": (tokens | provisioned | claude).fill_null(False),
    }


def _model(core: ir.StringValue, owner: ir.StringValue) -> ir.StringValue:
    """The model's usual name; NULL where the core is not exactly one known spelling."""
    dashed = core.re_replace(r" ", "-")
    rules = [
        (core.re_search(spelling) & owner.contains(product) if product else core.re_search(spelling), prefix + dashed)
        for spelling, product, prefix in _MODELS
    ]
    return ibis.cases(*((core == spelling, name) for spelling, name in _ALIASES.items()), *rules)


def _version(model: ir.StringValue, release: ir.StringValue) -> ir.StringValue:
    """The dated release; the four digits as the bill has them where their year is not known."""
    known = (((model == name) & (release == digits), date) for (name, digits), date in _RELEASES.items())
    return ibis.cases(*known, else_=ibis.cases((model.notnull(), release)))


def _token_block(unit: ir.StringValue) -> ir.Value:
    """Tokens in one unit of measure; NULL where the unit is not a plain count."""
    parsed = parse_unit(unit)
    return ibis.cases((parsed.unit.lower().isin(["units", "tokens", "token"]), parsed.block))


def _reason(table: ir.Table) -> ir.StringValue:
    """Why the row carries no tokens; NULL where it does, and where it is no AI meter at all."""
    name, words = table["MeterName"], table["MeterWords"]
    tokens, block, says = table["IsTokenMeter"], table["MeterBlock"], table["MeterSaysUnit"]
    generative = (table["MeterOwner"] + " " + words).re_search(r"openai|foundry")
    return ibis.cases(
        (table["IsProvisioned"], _PROVISIONED),
        (table["IsClaude"], _CONSUMPTION_UNIT),
        (~tokens & generative, "meter counts no tokens: " + name),
        (~tokens | words.isnull(), ibis.null("string")),
        (table["x_TokenDirection"].isnull(), "unknown token direction: " + name),
        (table["x_ModelDeveloper"].isnull(), "unknown model: " + name),
        (block.isnull(), "unknown unit: " + table["MeterUnit"].fill_null("none")),
        (says.notnull() & (says != block), "meter and unit disagree: " + name + " in " + table["MeterUnit"]),
        (table["MeterQuantity"].isnull(), "no quantity that counts tokens"),
    )


def _tokens(table: ir.Table) -> ir.Value:
    counted = times_block(table["MeterQuantity"], table["MeterBlock"]).try_cast("decimal(38, 6)")
    return ibis.cases((table["IsTokenMeter"] & table["x_Unmapped"].isnull(), counted))
