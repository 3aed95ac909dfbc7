"""Model and token identity of the Vertex AI and Gemini API SKUs of a Google Cloud bill.

A SKU is read by its whole description against the grammars below (Cloud Billing catalog, services Vertex AI
and Gemini API). A description that no grammar covers keeps its cost, gets no token quantity and says so:
`usage.unit` alone proves nothing, since token rows come as `count` and as `requests`, and so do images,
searches and the characters of Gemini 1.x.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import ibis

from connectors.expressions import Number, Table, Text, Truth, Value, cases
from connectors.gcp.services import GENERATIVE_AI
from connectors.models import identified, lineage

#: Units of `usage.unit` under which Google counts single tokens, for SKUs that are known to count tokens.
TOKEN_UNITS: Final = ("count", "requests")

#: The ledger columns that a SKU's text tells.
IDENTITY: Final = (
    "x_ModelDeveloper",
    "x_ModelFamily",
    "x_ModelId",
    "x_TokenDirection",
    "x_TokenCacheAction",
    "x_Modality",
    "x_ServiceTier",
    "x_ContextWindow",
    "x_ServingRegion",
    "x_Tokens",
    "x_Unmapped",
)

#: From Gemini 2.0 on; Vertex AI billed Gemini 1.x by the character.
_GEMINI = r"gemini (?:[2-9]|[1-9][0-9])(?:\.[0-9]+)? (?:flash[ -]lite|flash|pro)"
_MODALITY = r"(?P<modality>text|image|audio|video)"
_NOTES = r"(?P<notes>(?: \((?:long|thinking on|thinking off)\))*)"
_TIER = r"(?: (?P<tier>batch|flex|priority))?"
_HEAD = rf"^(?P<model>{_GEMINI}(?: (?:image|live))??)(?: ga| preview)?(?P<region> global)?"
_WORDS = r"(?: (?:short|long|input|output|flex|priority|batch|caching|thinking|non-thinking))*"

#: `Gemini 2.5 Flash GA Thinking Text Output - Predictions`. Only an image or live model is taken to put out
#: images or sound: `Gemini 3.0 Pro Image Output` leaves open which of two models it sells.
_VERTEX_OUTPUT = (
    rf"{_HEAD}(?: thinking)? (?P<modality>text) (?P<direction>output){_NOTES}{_TIER}$",
    (
        rf"^(?P<model>{_GEMINI} (?:image|live))(?: ga| preview)?(?P<region> global)? (?P<modality>image|audio|video) "
        rf"(?P<direction>output){_NOTES}{_TIER}$"
    ),
)
#: `Gemini 2.0 Flash Text Input (Long) - Predictions`, `Gemini 3 Flash Text Input Caching`,
#: `Gemini 2.5 Pro Input Text Caching (Long)`.
_VERTEX_INPUT = (
    rf"{_HEAD} {_MODALITY} (?P<direction>input)(?P<cache> caching)?{_NOTES}{_TIER}$",
    rf"{_HEAD} (?P<direction>input) {_MODALITY}(?P<cache> caching){_NOTES}{_TIER}$",
)
#: `Generate content output token count gemini 2.5 flash short input text`: the direction stands before the model,
#: `short input` is the size of the prompt.
_API = (
    rf"^generate[ _]?content (?P<cache>cached )?(?P<direction>input|output) token count "
    rf"(?P<model>{_GEMINI}(?: preview)?)(?P<notes>{_WORDS})(?: {_MODALITY})?(?P<more>{_WORDS})$"
)
#: `Generate_content text cached input token count for gemini 3 pro short`.
_API_FOR = tuple(
    rf"^generate[ _]?content {head} (?P<direction>input|output) token count for "
    rf"(?P<model>{_GEMINI}(?: preview)?(?: image| native image generation)?)(?P<notes>{_WORDS})$"
    for head in (_MODALITY, rf"{_MODALITY} (?P<cache>cached)", rf"(?P<cache>cached) {_MODALITY}")
)
#: `EmbedContent input token count for gemini-embedding-001`.
_EMBEDDING = (r"^embed[ _]?content (?P<direction>input) token count for (?P<model>gemini-embedding-[0-9]+)(?: text)?$",)

GRAMMARS: Final = (*_VERTEX_OUTPUT, *_VERTEX_INPUT, _API, *_API_FOR, *_EMBEDDING)

#: `Gemini 3 Flash Text Input Caching Storage`: an hourly price for what is kept, not for what is sent.
_STORAGE = rf"{_HEAD} (?:(?:text|image|audio|video) input|input (?:text|image|audio|video)) caching storage"
_ANY_STORAGE = r"caching storage|content storage|token[- ]hours?"


@dataclass(frozen=True, slots=True)
class Sku:
    """One bill row as far as its identity goes, each part a column expression.

    `regular` tells usage from taxes, adjustments and roundings, which carry no tokens of their own.
    """

    service_id: Text
    service: Text
    description: Text
    seller: Text
    unit: Text
    amount: Number
    regular: Truth


def with_identity(table: Table, sku: Sku) -> Table:
    """`table` and the ledger's identity columns; all NULL for a row that sells no generative AI.

    Each stage is a projection of its own, so that the engine reads a SKU's text once and not once for each use.
    """
    claude = _sells_claude(sku)
    ours = ibis.or_(
        claude,
        sku.service_id.isin(list(GENERATIVE_AI)).fill_null(False),
        sku.service.isin(list(GENERATIVE_AI.values())).fill_null(False),
    )
    staged = table.mutate(
        SkuClaude=claude,
        SkuText=cases((ours, _normalised(sku.description.fill_null("")))),
        SkuAmount=sku.amount,
        SkuUnit=sku.unit,
        SkuRegular=sku.regular.fill_null(False),
        SkuName=sku.description.fill_null(""),
    )
    text = staged["SkuText"]
    read = staged.mutate(
        **{f"Sku{part.capitalize()}": _part(text, part) for part in ("model", "direction", "modality")},
        SkuStored=_extract(text, _STORAGE, "model"),
    )
    known = read.mutate(SkuKnown=read["SkuModel"].notnull() & ~read["SkuClaude"])
    named = known.mutate(SkuModel=_spelled(known["SkuModel"].coalesce(known["SkuStored"])), x_Unmapped=_reason(known))
    model = identified(named.mutate(SkuGemini=cases((~named["SkuClaude"], named["SkuModel"]))), "SkuGemini")
    return model.mutate(**_identity_columns(model))


def identity_columns(table: Table) -> dict[str, Value]:
    """What `with_identity` added, by ledger column; `Generative AI` is the subcategory of whatever counts tokens."""
    subcategory = cases((table["SkuKnown"] & table["SkuText"].notnull(), "Generative AI"))
    return {name: table[name] for name in IDENTITY} | {"ServiceSubcategory": subcategory}


def _identity_columns(sku: Table) -> dict[str, Value]:
    text, known, claude = sku["SkuText"], sku["SkuKnown"], sku["SkuClaude"]
    developer, family = lineage(sku["x_ModelId"])
    return {
        "x_ModelDeveloper": cases((claude, "Anthropic"), else_=developer),
        "x_ModelFamily": cases((claude, "Claude"), else_=family),
        "x_TokenDirection": cases((known, sku["SkuDirection"].capitalize())),
        "x_TokenCacheAction": _cache_action(sku),
        "x_Modality": cases((known & text.startswith("embed"), "Embedding"), (known, sku["SkuModality"].capitalize())),
        "x_ServiceTier": cases(
            (text.contains("provisioned throughput"), "provisioned"),
            (known, text.re_extract(r"\b(batch|flex|priority)\b", 1).nullif("").coalesce("standard")),
        ),
        "x_ContextWindow": cases(
            (known & text.re_search(r"\blong\b"), "Long"), (known & text.re_search(r"\bshort\b"), "Short")
        ),
        "x_ServingRegion": cases((known & text.contains(" global "), "Global")),
        "x_Tokens": cases((known & sku["x_Unmapped"].isnull(), sku["SkuAmount"].cast("decimal(38, 6)"))),
    }


def _sells_claude(sku: Sku) -> Truth:
    """Whether the row names Anthropic or Claude anywhere; how Google words those SKUs is not established."""
    named = [text.lower().fill_null("") for text in (sku.description, sku.service, sku.seller)]
    return ibis.or_(*(text.contains(word) for text in named for word in ("claude", "anthropic")))


def _normalised(description: Text) -> Text:
    """Lower case, single spaces, and ` - Batch Predictions` as the plain tier ` batch`."""
    plain = description.lower().strip().re_replace(r"\s+", " ")
    return plain.re_replace(r" - (?:(batch|flex|priority) )?predictions$", r" \1").strip()


def _extract(text: Text, grammar: str, part: str) -> Text:
    return text.re_extract(grammar, re.compile(grammar).groupindex[part]).nullif("")


def _part(text: Text, part: str) -> Text:
    """The named part out of the one grammar that covers `text`; NULL where none does or it has no such part."""
    having = (grammar for grammar in GRAMMARS if part in re.compile(grammar).groupindex)
    return ibis.coalesce(*(_extract(text, grammar, part) for grammar in having))


def _spelled(model: Text) -> Text:
    """The model as its maker spells it: `gemini 3.0 pro` is gemini-3-pro, `flash lite` is flash-lite."""
    return model.re_replace(r"^gemini 3\.0 ", "gemini 3 ")


def _cache_action(sku: Table) -> Text:
    text, known = sku["SkuText"], sku["SkuKnown"]
    sent = known & (sku["SkuDirection"] == "input")
    return cases(
        (sent & text.re_search(r"\bcach(?:ed|ing)\b"), "Read"),
        (sent, "Uncached"),
        (~known & text.re_search(_ANY_STORAGE), "Other"),
    )


def _reason(sku: Table) -> Text:
    """Why the row carries no tokens; NULL where it carries them or sells no generative AI."""
    text, name, unit = sku["SkuText"], sku["SkuName"], sku["SkuUnit"]
    counted = unit.lower().isin(TOKEN_UNITS).fill_null(False)
    return cases(
        (text.isnull(), ibis.null("string")),
        (~sku["SkuRegular"], "not usage: the row corrects or taxes other rows"),
        (sku["SkuClaude"], "SKU names of Claude on Google Cloud are not established: " + name),
        (text.re_search(_ANY_STORAGE), "cache storage is billed by the hour, not by the token: " + name),
        (
            text.contains("provisioned throughput"),
            "provisioned throughput is billed by time, not by the token: " + name,
        ),
        (text.re_search(r"grounding|search quer"), "grounding is billed by the search, not by the token: " + name),
        (~sku["SkuKnown"], "SKU is not known to count tokens: " + name),
        (~counted, "unit does not count tokens: " + unit.fill_null("none")),
        (sku["SkuAmount"].isnull(), "usage amount is missing"),
    )
