"""Who sells, and what is sold: both sources' names in the ledger's words.

A model's identity is that of the charges (`ledger.models.identity`), worked out by the same expression in the engine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final, NamedTuple

from ledger import engine

#: Sellers whose charges carry another name than the source does; any other keeps the name of genai-prices.
GENAI_SELLERS: Final = {
    "aws": "AWS",
    "azure": "Microsoft",
    "google": "Google Cloud",
    "moonshotai": "Moonshot AI",
    "x-ai": "xAI",
    "deepseek": "DeepSeek",
    "mistral": "Mistral AI",
    "fireworks": "Fireworks AI",
}
#: `litellm_provider` by seller. Providers that are not named here are not read: nothing could be checked with them.
LITELLM_SELLERS: Final = {
    "openai": "OpenAI",
    "text-completion-openai": "OpenAI",
    "anthropic": "Anthropic",
    "bedrock": "AWS",
    "bedrock_converse": "AWS",
    "bedrock_mantle": "AWS",
    "azure": "Microsoft",
    "azure_ai": "Microsoft",
    "azure_text": "Microsoft",
    "gemini": "Google Cloud",
    "mistral": "Mistral AI",
    "groq": "Groq",
    "xai": "xAI",
    "deepseek": "DeepSeek",
    "cohere": "Cohere",
    "cohere_chat": "Cohere",
    "perplexity": "Perplexity",
    "together_ai": "Together AI",
    "fireworks_ai": "Fireworks AI",
    "fireworks_ai-embedding-models": "Fireworks AI",
    "cerebras": "Cerebras",
    "moonshot": "Moonshot AI",
    "minimax": "MiniMax",
    "voyage": "Voyage AI",
    "zai": "Z.AI",
}

_ACCOUNT: Final = re.compile(r"^accounts/[^/]+/models/")
_DEFAULT_RELEASE: Final = re.compile(r"@default$")


class Name(NamedTuple):
    """The identity of a model: ModelId, and ModelVersion where the name is that of one release."""

    model_id: str
    version: str | None


def bare(name: str) -> str:
    """A source's name without what is only an address."""
    return _DEFAULT_RELEASE.sub("", _ACCOUNT.sub("", name))


def identities(names: Iterable[str]) -> dict[str, Name]:
    """The identity of every name, as the mappings give it to charges and usage."""
    import ibis  # noqa: PLC0415 - half a second that only a refresh needs
    import pyarrow as pa  # noqa: PLC0415

    from ledger.models import identity  # noqa: PLC0415

    wanted = sorted(set(names))
    connection = engine.connect()
    try:
        connection.register("names", pa.table({"name": pa.array([bare(n) for n in wanted], type=pa.string())}))
        connection.execute("CREATE TABLE wanted AS SELECT DISTINCT name FROM names")
        table = ibis.duckdb.from_connection(connection).table("wanted")
        found: Any = identity(table["name"])
        rows = table.select("name", id=found.id, version=found.version).to_pyarrow().to_pylist()
    finally:
        connection.close()
    known = {row["name"]: Name(row["id"] or row["name"], row["version"]) for row in rows}
    return {name: known[bare(name)] for name in wanted}


@lru_cache(maxsize=256)
def identity_of(name: str) -> Name:
    """The identity of one name."""
    return identities([name])[name]
