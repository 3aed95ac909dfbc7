"""Random requests whose cost by the price book is held against that of its sources; the standard library alone."""

from __future__ import annotations

import random
from collections.abc import Container, Sequence
from datetime import UTC, datetime, timedelta

#: Disjoint kinds by direction.
INPUT = ("input", "cache_read", "cache_write", "cache_write_5m", "cache_write_1h", "input_audio")
OUTPUT = ("output", "reasoning", "output_audio")
#: Tiers beside standard that both sources know.
TIERS = ("batch", "flex", "priority")
#: Where sellers' prices have their steps.
STEPS = (128_000, 200_000, 256_000, 272_000, 512_000)


def draw_tier(rng: random.Random, stated: Sequence[str]) -> str:
    """Mostly standard or a tier that the source states, else any."""
    chance = rng.random()
    if chance < 0.4:
        return "standard"
    return rng.choice(stated or ("standard",)) if chance < 0.85 else rng.choice(TIERS)


def draw_tokens(rng: random.Random, stated: Container[str]) -> dict[str, int]:
    """Tokens of one request: small, around a step, or large; with a cache, audio and reasoning or without.

    Kinds that the source does not state are drawn less.
    """

    def wanted(kind: str, share: float) -> bool:
        return rng.random() < (share if kind in stated else share / 5)

    chance = rng.random()
    left = rng.randrange(1, 20_000) if chance < 0.6 else rng.choice(STEPS) + rng.choice((-1, 0, 1))
    left = rng.randrange(20_000, 900_000) if chance > 0.8 else left
    tokens = dict[str, int]()
    write = rng.choice(("cache_write", "cache_write_5m", "cache_write_1h"))
    for kind, share in (("cache_read", 0.5), (write, 0.35), ("input_audio", 0.06)):
        if wanted(kind, share) and left > 1:
            tokens[kind] = rng.randrange(1, left)
            left -= tokens[kind]
    out = rng.randrange(1, 8_000)
    for kind, share in (("reasoning", 0.3), ("output_audio", 0.05)):
        if wanted(kind, share) and out > 1:
            tokens[kind] = rng.randrange(1, out)
            out -= tokens[kind]
    return {**tokens, "input": left, "output": out}


def draw_moment(rng: random.Random) -> datetime:
    """Mostly in the time of the dated prices, else in the three years around it."""
    start, days = (
        (datetime(2026, 9, 1, tzinfo=UTC), 150) if rng.random() < 0.5 else (datetime(2024, 1, 1, tzinfo=UTC), 1150)
    )
    return start + timedelta(seconds=rng.randrange(days * 86_400))
