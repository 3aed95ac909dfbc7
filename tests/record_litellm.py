"""Write what LiteLLM's own calculator says of random requests: run by hand where litellm is installed.

    LITELLM_LOCAL_MODEL_COST_MAP=True python -m tests.record_litellm tests/data/litellm-1.109.1.json.gz

The product never imports litellm; the tests read this record. Of each request it holds the name in the cost map, the
tier, the tokens by kind and what LiteLLM charges for each kind (in dollars, in doubles, its own total told apart), and
of each name the prices that the map states. LiteLLM's licence (MIT) is in NOTICE.
"""

from __future__ import annotations

import gzip
import json
import random
import re
import sys
from collections import defaultdict
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from litellm import cost_per_token, model_cost
from litellm.types.utils import (
    CacheCreationTokenDetails,
    CompletionTokensDetailsWrapper,
    PromptTokensDetailsWrapper,
    Usage,
)

from tests.price_cases import INPUT, OUTPUT, draw_moment, draw_tier, draw_tokens

CASES, SEED = 3_000, 20_261_121
MODES = {"chat", "completion", "responses"}
#: `litellm_provider` of the entries that the price book reads, the first ones drawn the most.
MAIN = (
    "openai",
    "anthropic",
    "bedrock",
    "bedrock_converse",
    "azure",
    "azure_ai",
    "gemini",
    "vertex_ai",
    "xai",
    "mistral",
)
OTHERS = (
    "bedrock_mantle",
    "groq",
    "deepseek",
    "cohere_chat",
    "perplexity",
    "together_ai",
    "fireworks_ai",
    "cerebras",
    "moonshot",
    "minimax",
    "zai",
)
KEYS = {
    "cache_read": "cache_read_input_token_cost",
    "cache_write": "cache_creation_input_token_cost",
    "cache_write_5m": "cache_creation_input_token_cost",
    "cache_write_1h": "cache_creation_input_token_cost_above_1hr",
    "input_audio": "input_cost_per_audio_token",
    "reasoning": "output_cost_per_reasoning_token",
    "output_audio": "output_cost_per_audio_token",
}
SUFFIXES = {"batch": "_batches", "flex": "_flex", "priority": "_priority"}
_PRICE = re.compile(r"cost_per_(reasoning_|audio_)?token|cache_(read|creation)_input.*cost|input_cost_per_request")


def main() -> None:
    names = defaultdict[str, list[str]](list)
    for name, entry in sorted(model_cost.items()):
        if entry.get("mode") in MODES and (entry.get("input_cost_per_token") or entry.get("output_cost_per_token")):
            names[_provider(entry)].append(name)
    rng = random.Random(SEED)  # noqa: S311 - no secret
    requests = list[dict[str, Any]]()
    while len(requests) < CASES:
        provider = rng.choice(MAIN if rng.random() < 0.9 else OTHERS)
        name = rng.choice(names[provider])
        stated = _stated(model_cost[name])
        own = [tier for tier, suffix in SUFFIXES.items() if any(key.endswith(suffix) for key in stated)]
        tier = draw_tier(rng, own)
        tokens = draw_tokens(rng, [kind for kind, key in KEYS.items() if key in stated])
        if "claude" not in name:
            # Only Claude's cache writes have lifetimes that LiteLLM's calculator is told of.
            tokens = {"cache_write" if kind.startswith("cache_write") else kind: n for kind, n in tokens.items()}
        costs = {kind: float(f"{cost:.13g}") for kind, cost in by_kind(name, model_cost[name], tier, tokens).items()}
        at = draw_moment(rng).isoformat()
        requests.append({"name": name, "tier": tier, "at": at, "tokens": tokens, "costs": costs})
    used = sorted(name for several in (names[provider] for provider in (*MAIN, *OTHERS)) for name in several)
    entries = {n: {"provider": model_cost[n]["litellm_provider"], "stated": _stated(model_cost[n])} for n in used}
    record = {"litellm": version("litellm"), "entries": entries, "requests": requests}
    with gzip.GzipFile(sys.argv[1], "wb", mtime=0) as file:
        file.write(json.dumps(record, sort_keys=True, separators=(",", ":")).encode())


def _stated(entry: Mapping[str, Any]) -> dict[str, float]:
    return {key: value for key, value in entry.items() if _PRICE.search(key) and isinstance(value, int | float)}


def _provider(entry: Mapping[str, Any]) -> str:
    found = str(entry["litellm_provider"])
    return "vertex_ai" if found.startswith("vertex_ai") else found


def total(name: str, entry: Mapping[str, Any], tier: str, tokens: Mapping[str, int], whole: int, output: int) -> float:
    writes = {kind: tokens[kind] for kind in ("cache_write", "cache_write_5m", "cache_write_1h") if kind in tokens}
    details = PromptTokensDetailsWrapper(
        cached_tokens=tokens.get("cache_read", 0),
        cache_creation_tokens=sum(writes.values()),
        audio_tokens=tokens.get("input_audio", 0),
        cache_creation_token_details=CacheCreationTokenDetails(
            ephemeral_5m_input_tokens=writes.get("cache_write_5m", 0) + writes.get("cache_write", 0),
            ephemeral_1h_input_tokens=writes.get("cache_write_1h", 0),
        )
        if "cache_write_1h" in writes
        else None,
    )
    usage = Usage(
        prompt_tokens=whole,
        completion_tokens=output,
        total_tokens=whole + output,
        prompt_tokens_details=details,
        completion_tokens_details=CompletionTokensDetailsWrapper(
            reasoning_tokens=tokens.get("reasoning", 0),
            audio_tokens=tokens.get("output_audio", 0),
            text_tokens=output - tokens.get("reasoning", 0) - tokens.get("output_audio", 0),
        ),
    )
    provider = _provider(entry).replace("bedrock_converse", "bedrock")
    return sum(
        cost_per_token(
            model=name,
            custom_llm_provider=provider,
            usage_object=usage,
            prompt_tokens=whole,
            completion_tokens=output,
            service_tier=tier if tier in {"flex", "priority"} else None,
            call_type="retrieve_batch" if tier == "batch" else "completion",
        )
    )


def by_kind(name: str, entry: Mapping[str, Any], tier: str, tokens: Mapping[str, int]) -> dict[str, float]:
    """LiteLLM's total, told apart: what each kind adds to a request of the same size without it."""
    whole, output = (sum(tokens.get(kind, 0) for kind in kinds) for kinds in (INPUT, OUTPUT))
    plain = total(name, entry, tier, {}, whole, 0)
    spoken = total(name, entry, tier, {}, whole, output)
    one_in, one_out = plain / whole, (spoken - plain) / output
    found = {"input": one_in * tokens["input"], "output": one_out * tokens["output"]}
    for kind in tokens.keys() - found.keys():
        added = total(name, entry, tier, {kind: tokens[kind]}, whole, output) - spoken
        found[kind] = added + tokens[kind] * (one_in if kind in INPUT else one_out)
    every = total(name, entry, tier, tokens, whole, output)
    if abs(sum(found.values()) - every) > 1e-9 * max(every, 1e-9):
        raise ValueError(f"the kinds add up to {sum(found.values())}, not to {every}")
    return found


if __name__ == "__main__":
    main()
