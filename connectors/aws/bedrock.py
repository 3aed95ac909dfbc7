"""Model and token identity of an Amazon Bedrock charge, read from its usage type.

A usage type is `{region}-{model}-{token kind}[-{modifiers}]` (`USE1-Claude4.6Sonnet-input-tokens`) or, where the
model is sold through AWS Marketplace, `{region}-MP:{region}_{token kind}[_{modifiers}]-Units`; the model then stands
in the product name alone (`Claude Opus 5.5 (Amazon Bedrock Edition)`). A usage type that does not match word for word
keeps its cost and gets a reason in `x_Unmapped` instead of tokens. Source: Amazon Bedrock user guide,
"Understanding your CUR data".

FOCUS 1.5's TokenCacheAction speaks of input; for output it is NULL here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import ibis

from connectors import models
from connectors.expressions import Number, Table, Text, Truth, cases, literal, null

#: Words that may follow the token kind, in any order.
_MODIFIERS: Final = (
    "cross-region-global",
    "global",
    "geo",
    "standard",
    "batch",
    "flex",
    "priority",
    "latency-optimized",
    "custom-model",
    "lctx",
    "long-ctx",
    "long-context",
    "5m",
    "30m",
    "1h",
    "12h",
)
_TTL: Final = "5m|30m|1h|12h"
_METER: Final = (
    r"^(?:mp:|(.+?)-(?:mantle-)?)"
    rf"((?:cached|cache-?reads?|cache-?writes?)-?(?:{_TTL})?-?(?:input)?|input|output)"
    r"-?(text|image|audio|speech|video)?-?tokens?(?:-?count)?"
    rf"((?:-(?:{'|'.join(_MODIFIERS)}))*)$"
)
_MODEL, _TOKEN_KIND, _MODALITY, _SUFFIX = 1, 2, 3, 4

#: From a model's name in a usage type or product name to the name that its developer gives it.
_RENAMED: Final = (
    (r"^titanembeddings?(v[0-9]+)-text$", r"titan-embed-text-\1"),
    (r"^titan([a-z])", r"titan-\1"),
    (r"^novamultimodalembeddings$", "nova-multimodal-embeddings"),
    (r"^deepseek\.([rv][0-9])", r"deepseek-\1"),
    (r"^[a-z0-9]+\.([a-z])", r"\1"),
    (r"^(?:openai|anthropic|cohere|meta|amazon|google|mistral ai|deepseek) ([a-z])", r"\1"),
)

#: Tokens in one unit, by the unit's name in lower case.
_PER_UNIT: Final = (
    (r"^tokens?$", 1),
    (r"^(1k|1,?000|thousand) tokens?$", 1_000),
    (r"^(1m|1,?000,?000|million) tokens?$", 1_000_000),
)

#: Bedrock charges that are not for tokens: pattern over the usage type, what they are instead.
_NOT_TOKENS: Final = (
    (r"provisioned-?throughput|modelunits", "provisioned throughput: capacity by the hour, not tokens"),
    (r"reserved", "reserved capacity: tokens per minute held ready, not tokens used"),
    (r"guardrail", "guardrail units, not tokens"),
)
_CAPACITY: Final = r"provisioned-?throughput|modelunits|reserved"
_CCU: Final = r"claude consumption unit|claude platform on aws|(^|[^a-z])ccus?([^a-z]|$)"
CCU_REASON: Final = "Claude Consumption Units: the bill does not split models"

#: Where a cache write without a stated lifetime lives five minutes.
_DEFAULT_5M: Final = ("Anthropic", "Amazon")


@dataclass(frozen=True, slots=True)
class Meter:
    """What a charge says about what it meters, as expressions over the mapping's table.

    Attributes:
        applies: whether this is a charge for an AI model (`sold_as_model`); the others get NULL everywhere.
        counts: whether the row's quantity is use; a discount or credit repeats the quantity of the use it is for.
        usage_type: `USE1-NovaLite-input-tokens`.
        unit: pricing unit (`1K tokens`).
        description: line item description; its third `|` field names what a Marketplace unit is.
        product: product or service name.
        quantity: quantity in `unit`.
    """

    applies: Truth
    counts: Truth
    usage_type: Text
    unit: Text
    description: Text
    product: Text
    quantity: Number


def sold_as_model(service_code: Text, product: Text) -> Truth:
    """Whether a charge is for Amazon Bedrock or for a model sold through AWS Marketplace; never NULL."""
    code = service_code.fill_null("")
    name = product.fill_null("")
    return (
        code.startswith("AmazonBedrock")
        | name.contains("Bedrock")
        | name.contains("Claude Platform")
        | name.contains("Claude Consumption Unit")
    )


def identified(table: Table, meter: Meter) -> Table:
    """`table` with the identity columns of the ledger (`x_ModelId` ... `x_Tokens`, `x_Unmapped`).

    The work is staged in columns of their own (`b_...`), so that no regular expression runs twice and none on
    charges that are not for AI.
    """
    applies = meter.applies
    staged = table.mutate(
        b_Meter=cases((applies, _normalised(meter.usage_type))),
        b_Product=cases((applies, meter.product)),
        b_Unit=cases((applies, meter.unit.strip().lower())),
        b_Sold=cases((applies, meter.description.fill_null("").split("|")[2].lower())),
        b_Counts=applies & meter.counts,
        b_Usage=cases((applies, meter.usage_type.coalesce("none"))),
    )
    read = staged.mutate(
        b_Kind=_group(staged["b_Meter"], _TOKEN_KIND),
        b_Suffix=staged["b_Meter"].re_extract(_METER, _SUFFIX) + "-",
        b_Named=_model_name(staged),
        b_PerUnit=_tokens_per_unit(staged["b_Unit"], staged["b_Sold"]),
        b_Ccu=cases((applies, _is_ccu(staged))),
    )
    named = read.mutate(b_Name=cases((~read["b_Ccu"], _renamed(read["b_Named"]))))
    return _with_columns(models.identified(named, "b_Name"), meter.quantity)


def _with_columns(read: Table, quantity: Number) -> Table:
    kind, suffix, meter, ccu = read["b_Kind"], read["b_Suffix"], read["b_Meter"], read["b_Ccu"]
    cached = kind.startswith("cache")
    developer, family = models.lineage(read["x_ModelId"])
    known = read.mutate(
        x_ModelDeveloper=cases((ccu, "Anthropic"), else_=developer),
        x_ModelFamily=cases((ccu, "Claude"), else_=family),
        x_TokenDirection=cases((kind == "output", "Output"), (kind.notnull(), "Input")),
        x_TokenCacheAction=cases(
            (cached & kind.contains("write"), "Write"), (cached, "Read"), (kind == "input", "Uncached")
        ),
        x_Modality=_modality(read),
        x_ServiceTier=cases(
            (meter.re_search(_CAPACITY), "provisioned"),
            (kind.isnull() | suffix.contains("-latency-optimized"), null("string")),
            *((suffix.contains(f"-{tier}-"), tier) for tier in ("batch", "flex", "priority")),
            else_="standard",
        ),
        x_ServingRegion=cases((suffix.contains("global"), "Global"), (kind.notnull(), "Regional")),
        x_ContextWindow=cases((suffix.re_search("-(lctx|long-ctx|long-context)-"), "Long")),
        x_Unmapped=_unmapped(read, quantity),
    )
    tokens = quantity.try_cast("decimal(28, 12)") * read["b_PerUnit"].cast("decimal(7, 0)")
    return known.mutate(
        x_CacheTtl=cases((known["x_TokenCacheAction"] == "Write", _cache_ttl(known))),
        x_Tokens=cases(
            (known["b_Counts"] & kind.notnull() & known["x_Unmapped"].isnull(), tokens.cast("decimal(38, 6)"))
        ),
    )


def _normalised(usage_type: Text) -> Text:
    """Without region codes, in lower case, words joined by `-`: `mp:input-tokens-standard`, `novalite-input-tokens`."""
    local = usage_type.re_replace(r"^[A-Z]{2,4}[0-9]?-", "").re_replace(r"^MP:(?:[A-Z]{2,4}[0-9]?_)?", "mp:")
    return local.lower().replace("_", "-").re_replace(r"-units$", "")


def _group(text: Text, group: int) -> Text:
    return text.re_extract(_METER, group).nullif("")


def _model_name(staged: Table) -> Text:
    """The model as the product name or else the usage type spells it, in lower case."""
    edition = staged["b_Product"].re_extract(r"(?i)^(.+?)\s*\(Amazon Bedrock Edition\)", 1).nullif("")
    return edition.lower().coalesce(_group(staged["b_Meter"], _MODEL))


def _renamed(name: Text) -> Text:
    for pattern, replacement in _RENAMED:
        name = name.re_replace(pattern, replacement)
    return name


def _is_ccu(staged: Table) -> Truth:
    places = (staged["b_Product"], staged["b_Usage"], staged["b_Unit"], staged["b_Sold"])
    return ibis.or_(*(place.fill_null("").lower().re_search(_CCU) for place in places))


def _tokens_per_unit(unit: Text, sold: Text) -> Number:
    """Tokens in one pricing unit; NULL where the unit is not one of tokens.

    A Marketplace `Units` says what it is in its description alone: `...|us-east-1|Million Input Tokens`.
    """
    return cases(
        (unit.isnull(), null("int32")),
        *((unit.re_search(pattern), per) for pattern, per in _PER_UNIT),
        ((unit == "units") & sold.re_search(r"million.*tokens?"), 1_000_000),
    )


def _modality(read: Table) -> Text:
    """What the tokens stand for where the bill says it; NULL where it does not."""
    said = read["b_Meter"].re_extract(_METER, _MODALITY)
    return cases(
        (read["b_Meter"].isnull(), null("string")),
        (read["b_Kind"].notnull() & read["b_Name"].contains("embed"), "Embedding"),
        (said == "text", "Text"),
        (said == "image", "Image"),
        (said.isin(["audio", "speech"]), "Audio"),
        (said == "video", "Video"),
    )


def _cache_ttl(known: Table) -> Text:
    said = (known["b_Kind"] + "-" + known["b_Suffix"]).re_extract(rf"({_TTL})", 1).nullif("")
    return cases((said.notnull(), said), (known["x_ModelDeveloper"].isin(_DEFAULT_5M), "5m"))


def _unmapped(read: Table, quantity: Number) -> Text:
    """Why a charge has no tokens; NULL where it has, and where it could have none (a discount, a credit, a tax)."""
    kind, unit = read["b_Kind"], read["b_Unit"]
    of_tokens = unit.isnull() | (unit == "units") | unit.contains("token")
    reason = cases(
        (read["b_Ccu"], CCU_REASON),
        *((read["b_Meter"].re_search(pattern), what) for pattern, what in _NOT_TOKENS),
        (kind.isnull() & ~of_tokens, literal("not billed by the token but by: ") + unit),
        (kind.isnull(), literal("usage type not known: ") + read["b_Usage"]),
        (read["b_PerUnit"].isnull(), literal("unit not known: ") + unit.coalesce("none")),
        (quantity.isnull(), "no quantity stated"),
    )
    return cases((read["b_Counts"], reason))
