"""One identity for a model, whoever sells it and however the bill spells it.

`identity` takes a name that a provider's mapping has already cut out of a meter, SKU or model string and
gives FOCUS 1.5's ModelDeveloper, ModelFamily, ModelId and ModelVersion. A name outside the vocabulary keeps
its own spelling as ModelId with no developer, so that it is shown and never taken for a neighbour.
"""

from __future__ import annotations

from typing import Final, NamedTuple, cast

import ibis
import ibis.expr.types as ir

#: First match decides: pattern over the canonical model id, developer, family.
VOCABULARY: Final = (
    (r"^claude-", "Anthropic", "Claude"),
    (r"^(gpt-|chatgpt-|o[1345](-|$)|text-embedding-|whisper|tts-|dall-e|omni-moderation|codex)", "OpenAI", "GPT"),
    (r"^gemini-", "Google", "Gemini"),
    (r"^(gemma|imagen|veo)-", "Google", "Gemma"),
    (r"^nova-", "Amazon", "Nova"),
    (r"^titan-", "Amazon", "Titan"),
    (r"^llama-?[0-9]", "Meta", "Llama"),
    (r"^(mistral|mixtral|ministral|codestral|pixtral|magistral)-", "Mistral AI", "Mistral"),
    (r"^(command|embed-|rerank)", "Cohere", "Command"),
    (r"^deepseek-", "DeepSeek", "DeepSeek"),
    (r"^qwen", "Alibaba", "Qwen"),
    (r"^grok-", "xAI", "Grok"),
    (r"^kimi-", "Moonshot AI", "Kimi"),
    (r"^phi-", "Microsoft", "Phi"),
)

_ROUTE = r"^(us|eu|apac|jp|au|ca|global)\."
_VENDOR = (
    r"^(anthropic|openai|amazon|meta|google|mistral|mistralai|cohere|deepseek|qwen|xai|models"
    r"|publishers/[a-z]+/models)[./]"
)
_DATED = r"[-@]((?:20\d{2}-\d{2}-\d{2})|(?:20\d{6}))"
_RELEASE = r"-(v\d+(?::\d+)?)$"
_CLAUDE_NEW = r"^claude[- ]?([4-9](?:\.\d+)?)[- ]?(opus|sonnet|haiku|mythos)$"
_CLAUDE_OLD = r"^claude[- ]?(3(?:\.\d+)?)[- ]?(opus|sonnet|haiku)$"
_CLAUDE_NAME = r"^claude (opus|sonnet|haiku|mythos) (\d+(?:\.\d+)?)$"
_CLAUDE_ID = r"^(claude-.*)$"


class Identity(NamedTuple):
    """FOCUS 1.5 model keys as expressions over one name column."""

    developer: ir.StringValue
    family: ir.StringValue
    id: ir.StringValue
    version: ir.StringValue


def identity(name: ir.StringValue) -> Identity:
    """The identity of the model called `name`; every key NULL where `name` is."""
    bare = _bare(name)
    id_ = _id(_plain(bare))
    return Identity(*lineage(id_), id_, _version(bare))


def identified(table: ir.Table, name: str) -> ir.Table:
    """`table` with the columns `x_ModelId` and `x_ModelVersion` of the model that its column `name` calls.

    Both are NULL where the name is. As `identity` says, but in stages: as one expression the engine would compute the
    first steps again for each of their some twenty uses.
    """
    bare = table.mutate(m_Bare=_bare(cast("ir.StringValue", table[name])))
    plain = bare.mutate(m_Plain=_plain(cast("ir.StringValue", bare["m_Bare"])))
    known = plain.mutate(
        x_ModelId=_id(cast("ir.StringValue", plain["m_Plain"])),
        x_ModelVersion=_version(cast("ir.StringValue", plain["m_Bare"])),
    )
    return known.drop("m_Bare", "m_Plain")


def _bare(name: ir.StringValue) -> ir.StringValue:
    return name.strip().lower().re_replace(_ROUTE, "").re_replace(_VENDOR, "")


def _plain(bare: ir.StringValue) -> ir.StringValue:
    """Without release, date and `-latest`."""
    return bare.re_replace(_RELEASE, "").re_replace(_DATED, "").re_replace(r"-latest$", "").re_replace(r":\d+$", "")


def _version(bare: ir.StringValue) -> ir.StringValue:
    nothing = ibis.literal("")
    dated, release = bare.re_extract(_DATED, 1), bare.re_extract(_RELEASE, 1)
    return cast("ir.StringValue", dated.nullif(nothing).coalesce(release.nullif(nothing)))


def _id(plain: ir.StringValue) -> ir.StringValue:
    return _canonical(plain).nullif(ibis.literal(""))


def lineage(model_id: ir.StringValue) -> tuple[ir.StringValue, ir.StringValue]:
    """Developer and family of a canonical model id (`x_ModelId`); NULL where the vocabulary does not know it.

    Over a column that holds the id already this is far less SQL than `identity` of the name. Most rows of a bill have
    no model: they leave at the first branch instead of failing at every pattern.
    """
    none = (model_id.isnull(), ibis.null("string"))
    developer = ibis.cases(none, *((model_id.re_search(pattern), who) for pattern, who, _ in VOCABULARY))
    family = ibis.cases(none, *((model_id.re_search(pattern), line) for pattern, _, line in VOCABULARY))
    return cast("ir.StringValue", developer), cast("ir.StringValue", family)


def _canonical(plain: ir.StringValue) -> ir.StringValue:
    """One spelling: `Claude4.6Sonnet` and `Claude Sonnet 4.6` are `claude-sonnet-4-6`, `NovaLite` is `nova-lite`."""
    claude_new = "claude-" + plain.re_extract(_CLAUDE_NEW, 2) + "-" + _dashed(plain.re_extract(_CLAUDE_NEW, 1))
    claude_old = "claude-" + _dashed(plain.re_extract(_CLAUDE_OLD, 1)) + "-" + plain.re_extract(_CLAUDE_OLD, 2)
    claude_name = "claude-" + plain.re_extract(_CLAUDE_NAME, 1) + "-" + _dashed(plain.re_extract(_CLAUDE_NAME, 2))
    nova = r"^nova(\d)?(?:\.0)?[- ]?(micro|lite|pro|premier|sonic|canvas|reel)$"
    nova_id = ("nova-" + plain.re_extract(nova, 1) + "-" + plain.re_extract(nova, 2)).replace("nova--", "nova-")
    canonical = ibis.cases(
        (plain.isnull(), ibis.null("string")),
        (plain.re_search(_CLAUDE_NEW), claude_new),
        (plain.re_search(_CLAUDE_OLD), claude_old),
        (plain.re_search(_CLAUDE_NAME), claude_name),
        (plain.re_search(_CLAUDE_ID), _dashed(plain)),
        (plain.re_search(nova), nova_id),
        else_=plain.re_replace(r"\s+", "-"),
    )
    return cast("ir.StringValue", canonical)


def _dashed(version: ir.StringValue) -> ir.StringValue:
    return version.replace(".", "-")
