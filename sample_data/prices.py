"""The list prices that the sample customer pays, in force from a date on.

They are the sample's own price list (SYNTHETIC), set to the list prices that the vendors published for these models.
Money is counted in whole picodollars (1e-12 USD), so that tokens times price is exact in 64 bits.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sample_data.calendar import DAYS, START

Whole = NDArray[np.int64]

#: Kinds of token, in the order of `Price.usd_per_million`.
KINDS: Final = ("input", "cache_read", "cache_write", "output")


class Price(NamedTuple):
    """List prices of one model with one seller: USD per million tokens by kind, None where the kind is not sold."""

    provider: str
    route: str
    model: str
    tier: str
    since: date
    usd_per_million: tuple[str | None, str | None, str | None, str | None]


LUNA_CUT: Final = date(2026, 7, 30)

PRICES: Final = (
    Price("OpenAI", "Global", "gpt-5.5", "standard", START, ("5", "0.5", None, "30")),
    Price("OpenAI", "Global", "gpt-4.1-mini", "standard", START, ("0.4", "0.1", None, "1.6")),
    Price("OpenAI", "Global", "gpt-5.6-luna", "standard", START, ("1", "0.1", "1.25", "6")),
    Price("OpenAI", "Global", "gpt-5.6-luna", "standard", LUNA_CUT, ("0.2", "0.02", "0.25", "1.2")),
    Price("Anthropic", "Global", "claude-sonnet-4-6", "standard", START, ("3", "0.3", "3.75", "15")),
    Price("Anthropic", "Global", "claude-haiku-4-5", "standard", START, ("1", "0.1", "1.25", "5")),
    Price("AWS", "Global", "claude-sonnet-4-6", "standard", START, ("3", "0.3", "3.75", "15")),
    Price("AWS", "Regional", "claude-sonnet-4-6", "standard", START, ("3.3", "0.33", "4.125", "16.5")),
    Price("AWS", "Regional", "claude-haiku-4-5", "standard", START, ("1.1", "0.11", "1.375", "5.5")),
    Price("AWS", "Regional", "nova-pro", "standard", START, ("0.8", "0.2", None, "3.2")),
    Price("Microsoft", "Global", "gpt-4.1", "standard", START, ("2", "0.5", None, "8")),
    Price("Microsoft", "Global", "gpt-4.1", "batch", START, ("1", None, None, "4")),
    Price("Microsoft", "Global", "gpt-4.1-mini", "standard", START, ("0.4", "0.1", None, "1.6")),
    Price("Microsoft", "Global", "gpt-5.5", "standard", START, ("5", "0.5", None, "30")),
    Price("Google Cloud", "Regional", "gemini-2.5-pro", "standard", START, ("1.25", "0.125", None, "10")),
    Price("Google Cloud", "Regional", "gemini-2.5-flash", "standard", START, ("0.3", "0.03", None, "2.5")),
)


def picodollars(usd_per_million: str) -> int:
    """USD per million tokens as picodollars per token."""
    return int(Decimal(usd_per_million).scaleb(6))


def usd(picodollars: int) -> Decimal:
    """Picodollars as exact USD."""
    return Decimal(int(picodollars)).scaleb(-12)


def text(amount: Decimal) -> str:
    """A decimal without exponent and without trailing zeros."""
    written = f"{amount:f}"
    return (written.rstrip("0").rstrip(".") or "0") if "." in written else written


def price(key: tuple[str, str, str, str], kind: str, day: date) -> Decimal:
    """USD per million tokens of `kind` in force on `day`; `key` is provider, route, model, tier.

    Raises:
        LookupError: nothing is sold under this key.
    """
    found = [p for p in PRICES if p[:4] == key and p.since <= day]
    value = found[-1].usd_per_million[KINDS.index(kind)] if found else None
    if value is None:
        raise LookupError(f"no price for {key}, {kind}, on {day}")
    return Decimal(value)


def rates(key: tuple[str, str, str, str], kind: str, without_cuts: bool = False) -> Whole:
    """Picodollars per token on each day of the calendar; 0 where the kind is not sold.

    Args:
        key: provider, route, model, tier.
        kind: one of `KINDS`.
        without_cuts: price every day as on the first.
    """
    result = np.zeros(len(DAYS), dtype=np.int64)
    for entry in PRICES:
        value = entry.usd_per_million[KINDS.index(kind)]
        if entry[:4] == key and value is not None and not (without_cuts and entry.since > START):
            result[(entry.since - START).days :] = picodollars(value)
    return result
