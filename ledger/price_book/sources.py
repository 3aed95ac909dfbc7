"""The sources as they are installed here, read into one list of prices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from importlib import metadata
from pathlib import Path

from ledger.errors import LedgerError
from ledger.price_book import genai, litellm_map
from ledger.price_book.combine import combine
from ledger.price_book.naming import identities
from ledger.price_book.rows import LeftOut, Price


class SourceMissingError(LedgerError):
    """A source of prices that a refresh needs is not installed."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the sources say at one moment.

    Attributes:
        prices: rows of the book.
        left_out: what they say that the book cannot hold.
        sources: name and release of each source.
    """

    prices: list[Price]
    left_out: list[LeftOut]
    sources: dict[str, str]


def read_sources(now: datetime, *, cost_map: Path | None = None, cost_map_version: str | None = None) -> Reading:
    """Read genai-prices and LiteLLM's cost map.

    Args:
        now: the moment at which the prices become known.
        cost_map: LiteLLM's map, where it is not to be taken from the installed package.
        cost_map_version: what that map is to be called; by default its file name.

    Raises:
        SourceMissingError: a source is not installed.
        ValueError: `cost_map` is not LiteLLM's map.
    """
    try:
        path = cost_map or litellm_map.installed()
        release = (cost_map_version or path.name) if cost_map else litellm_map.version()
        sources = {genai.SOURCE: genai.version(), litellm_map.SOURCE: release}
    except metadata.PackageNotFoundError as error:
        missing = str(error.args[0]) if error.args else "litellm"
        raise SourceMissingError(
            f"{missing} is not installed; a refresh reads the prices of {genai.SOURCE} and {litellm_map.SOURCE}. "
            f"Install them with: pip install {genai.SOURCE} && pip install --no-deps {litellm_map.SOURCE}"
        ) from error
    first, left_out = genai.read()
    second, also_left_out = litellm_map.read(path, release)
    spelled = {s.name for s in (*first, *second)} | {a for s in first for a in s.aliases}
    spelled |= {item.model_name for item in left_out if item.key == "prices"}
    names = identities(spelled)
    unread = [(item.seller, names[item.model_name].model_id) for item in left_out if item.key == "prices"]
    prices, unrepresentable = combine(first, second, names, now=now, unread=unread)
    return Reading(prices, [*left_out, *also_left_out, *unrepresentable], sources)
