"""What LiteLLM's cost map says: the second source, without dates.

The map (Berri AI, MIT) is one JSON file inside the package `litellm`, which is read as a file; the package, which takes
five seconds and a hundred dependencies to import, is never imported. Only what the map states is taken: LiteLLM itself
halves the standard price where it has no batch price, and takes the input price where it has no cache price; those
are guesses. It has no dates: a price in it holds at the moment of the release, and says nothing of the time before.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from ledger.price_book.genai import default_write, is_embedding
from ledger.price_book.naming import LITELLM_SELLERS
from ledger.price_book.rows import BEGINNING, LeftOut, Span, Statement, pico_of

SOURCE: Final = "litellm"
#: Rank of a statement about another place of the same kind (the zone eu beside us): it speaks where there is no other,
#: and else the price is held against it.
WITNESS: Final = 3
#: Rank from which a statement that names no release gives way to those that do and are nearer to the place.
SECOND_HAND: Final = 2
FILE: Final = "model_prices_and_context_window_backup.json"

_KINDS: Final = {
    "input_cost_per_token": "input",
    "output_cost_per_token": "output",
    "output_cost_per_reasoning_token": "reasoning",
    "cache_read_input_token_cost": "cache_read",
    "cache_creation_input_token_cost": "cache_write",
    "cache_creation_input_token_cost_above_1hr": "cache_write_1h",
    "cache_creation_input_token_cost_above_12hr": "cache_write_12h",
    "input_cost_per_audio_token": "input_audio",
    "output_cost_per_audio_token": "output_audio",
    "cache_read_input_audio_token_cost": "cache_read_audio",
    "input_cost_per_image_token": "input_image",
    "output_cost_per_image_token": "output_image",
    "input_cost_per_request": "request",
}
_TIERS: Final = {None: "standard", "batches": "batch", "flex": "flex", "priority": "priority"}
_KEY: Final = re.compile(r"^(.+?)(?:_above_(\d+)k_tokens)?(?:_(batches|flex|priority))?$")
_PRICE: Final = re.compile(r"cost|pricing")

#: By what the standard place's price is multiplied in another place, and which place that is.
_UPLIFTS: Final = {
    "regional_processing_uplift_multiplier_eu": "Data Zone",
    "regional_processing_uplift_multiplier_us": "Data Zone",
    "regional_endpoint_uplift_multiplier": "Regional",
}
_AZURE: Final = re.compile(r"^azure(?:_ai)?/(?:(global-standard|global|us|eu|[a-z-]+)/)?([^/]+)$")
_AWS_ROUTE: Final = re.compile(r"^(global|us|eu|apac|jp|au|ca)\.(.+)$")
_AWS_REGION: Final = re.compile(r"^(?:bedrock/([a-z]{2}-[a-z]+-\d)|bedrock_mantle)/([^/]+)$")
_US_REGIONS: Final = ("us-east-1", "us-east-2", "us-west-2")


def version() -> str:
    """The installed version of LiteLLM.

    Raises:
        PackageNotFoundError: it is not installed.
    """
    return metadata.version(SOURCE)


def installed() -> Path:
    """The cost map inside the installed package, found without importing it.

    Raises:
        PackageNotFoundError: the package is not installed, or holds no cost map.
    """
    for file in metadata.files(SOURCE) or ():
        if file.name == FILE and len(file.parts) == 2:  # noqa: PLR2004 - litellm/FILE
            return Path(str(file.locate()))
    raise metadata.PackageNotFoundError(SOURCE)


def read(path: Path, release: str) -> tuple[list[Statement], list[LeftOut]]:
    """Everything that the cost map at `path` says about prices of tokens, and what the book cannot hold.

    Raises:
        ValueError: the file is not a cost map.
    """
    entries = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    if not isinstance(entries, dict) or not any(
        "litellm_provider" in e for e in entries.values() if isinstance(e, dict)
    ):
        raise ValueError(f"{path} is not LiteLLM's cost map: no entry has a litellm_provider.")
    statements, left_out = list[Statement](), list[LeftOut]()
    for name, entry in entries.items():
        seller = _seller(str(entry.get("litellm_provider")))
        if seller is None:
            continue
        place = _place(seller, name)
        if place is None:
            left_out.append(LeftOut(seller, name, "prices", "sold by size, commitment or in a closed region", SOURCE))
            continue
        plain, region, rank = place
        statement = Statement(seller, plain, region, SOURCE, release, rank=rank)
        left_out += _read(name, statement, entry)
        if statement.prices:
            statements.append(statement)
    return statements, left_out


def _read(name: str, statement: Statement, entry: Mapping[str, Any]) -> Iterator[LeftOut]:
    seller = statement.seller
    if "off_peak_pricing" in entry:
        yield LeftOut(seller, name, "prices", "the price depends on the time of day", SOURCE)
        return
    for key, value in sorted(entry.items()):
        if key in _UPLIFTS:
            statement.uplifts[_UPLIFTS[key]] = Decimal(value)
        elif key == "provider_specific_entry" and seller == "Anthropic" and "us" in value:
            statement.uplifts["Data Zone"] = Decimal(value["us"])
        elif _PRICE.search(key) and value is not None:
            reason = _take(statement, key, value)
            if reason:
                yield LeftOut(seller, name, key, reason, SOURCE)


def _take(statement: Statement, key: str, value: object) -> str | None:
    """Take one price over; the reason where it cannot be."""
    base, thousands, suffix = _KEY.fullmatch(key).groups()  # type: ignore[union-attr] - matches any key
    kind = _KINDS.get(base)
    if kind is None or not isinstance(value, int | Decimal):
        return "the book has no such unit"
    if value == 0:
        return "a price of zero cannot be told from an unknown one"
    pico = pico_of(Decimal(value))
    if pico is None:
        return f"{value} is not a whole number of pico-dollars a unit"
    step = int(thousands or 0) * 1000
    if step and statement.seller == "xAI":
        step -= 1  # xAI's steps begin at the limit itself, the others' above it
    kinds = [kind]
    if kind == "cache_write" and default_write(statement.name):
        kinds.append(str(default_write(statement.name)))
    if kind == "input" and is_embedding(statement.name):
        kinds.append("embedding")
    for same in kinds:
        statement.prices[same, _TIERS[suffix], step] = [Span(BEGINNING, None, pico)]
    return None


def _seller(provider: str) -> str | None:
    return "Google Cloud" if provider.startswith("vertex_ai") else LITELLM_SELLERS.get(provider)


def _place(seller: str, name: str) -> tuple[str, str, int] | None:
    """Model, place and rank of an entry; None where the entry is no model at one price.

    Several entries may be about the same model in the same kind of place; the lowest rank speaks.
    """
    if seller == "AWS":
        return _aws_place(name)
    if seller == "Microsoft":
        match = _AZURE.fullmatch(name)
        if match is None:
            return (name, "Global", 1) if "/" not in name else None
        zone, model = match.groups()
        ranks = {"global-standard": 0, "global": 0, None: SECOND_HAND if name.startswith("azure_ai/") else 1}
        if zone in ranks:
            return model, "Global", ranks[zone]
        return (model, "Data Zone", 0 if zone == "us" else WITNESS) if zone in {"us", "eu"} else None
    model = name.split("/", 1)[1] if "/" in name else name
    # `gemini/` is Google's other shop for the models of Vertex AI.
    return model, "Global", 1 if name.startswith("gemini/") else 0


def _aws_place(name: str) -> tuple[str, str, int] | None:
    match = _AWS_ROUTE.fullmatch(name)
    if match is not None:
        route, model = match.groups()
        if route == "global":
            return model, "Global", 0
        return model, "Regional", 0 if route == "us" else WITNESS
    match = _AWS_REGION.fullmatch(name)
    if match is not None:
        region, model = match.groups()
        return model, "Regional", SECOND_HAND if region is None or region in _US_REGIONS else WITNESS
    return (name, "Regional", 1) if "/" not in name and not name.startswith("us-gov.") else None
