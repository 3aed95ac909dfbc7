"""3,000 random requests priced by the price book and by genai-prices: they agree, or a recorded reason says why not.

Each request is split into its token kinds. A kind that costs something else on both sides belongs to one of `CLASSES`,
whose condition is checked in the source and in the book, never inferred from the difference.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from genai_prices import Usage
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelInfo, ModelPrice, Provider, TieredPrices

from ledger.price_book import genai, litellm_map
from ledger.price_book.book import Book, load
from ledger.price_book.naming import GENAI_SELLERS, identities
from ledger.price_book.shipped import shipped_left_out
from tests.price_cases import INPUT, draw_moment, draw_tier, draw_tokens
from tests.price_peers import Request, priced

DOCUMENT = Path(__file__).parents[1] / "docs" / "price-book.md"
CASES, SEED = 3_000, 20_261_121
MAIN = {"openai", "anthropic", "google", "aws", "azure", "x-ai", "mistral"}
KEYS = {kind: key for key, (kind, _) in genai.KINDS.items()}


@dataclass(frozen=True)
class Asked:
    """A request in both tongues; `namesakes` are the source's names of this model there, the asked one included."""

    provider: Provider
    model: ModelInfo
    request: Request
    namesakes: int

    @property
    def context(self) -> dict[str, str] | None:
        """The context that asks genai-prices for the tier: the model's own, else the usual one."""
        tier = self.request.tier
        if tier == "standard":
            return None
        own = [dict(v.when) for v in self.model.price_variants or () if len(v.when) == 1]
        known = [{key: value} for (key, value), name in genai.CONTEXTS.items() if name == tier]
        return next((when for when in own if when in known), known[0])

    @property
    def prices(self) -> ModelPrice:
        return self.model.get_prices(self.request.at, self.context)


def drawn() -> list[Asked]:
    rng = random.Random(SEED)  # noqa: S311 - no secret
    every = [(provider, model) for provider in get_snapshot().providers for model in provider.models]
    main = [(provider, model) for provider, model in every if provider.id in MAIN]
    places = {(p.id, m.id): genai._place(seller_of(p), m.id) for p, m in every}
    names = identities(name for name, _ in places.values())
    models = {key: (key[0], *names[name], region) for key, (name, region) in places.items()}
    namesakes = Counter(models.values())
    cases = list[Asked]()
    while len(cases) < CASES:
        provider, model = rng.choice(main if rng.random() < 0.6 else every)
        own = [tier for v in model.price_variants or () if (tier := genai.CONTEXTS.get(next(iter(v.when.items()))))]
        standard = model.get_prices(datetime(2026, 11, 20, tzinfo=UTC))
        tier, tokens = draw_tier(rng, own), draw_tokens(rng, [k for k, key in KEYS.items() if getattr(standard, key)])
        if "cache_read" in tokens:
            # Cached audio cannot be told from cached text in what is asked of genai-prices.
            tokens["input"] += tokens.pop("input_audio", 0)
        _, name, release, region = of = models[provider.id, model.id]
        request = Request(seller_of(provider), name, release, region, tier, draw_moment(rng), tokens)
        cases.append(Asked(provider, model, request, namesakes[of]))
    return cases


def seller_of(provider: Provider) -> str:
    return GENAI_SELLERS.get(provider.id) or str(provider.name)


# What genai-prices says


def total(asked: Asked, tokens: Mapping[str, int], whole: int, output: int) -> Decimal:
    names = {
        "cache_read": "cache_read_tokens",
        "cache_write_5m": "cache_write_5m_tokens",
        "cache_write_1h": "cache_write_1h_tokens",
        "input_audio": "input_audio_tokens",
        "reasoning": "output_reasoning_tokens",
        "output_audio": "output_audio_tokens",
    }
    counts = {names[kind]: n for kind, n in tokens.items() if kind in names}
    counts["cache_write_tokens"] = sum(n for kind, n in tokens.items() if kind.startswith("cache_write"))
    usage = Usage(input_tokens=whole, output_tokens=output, **counts)
    at, context = asked.request.at, asked.context
    found = asked.model.calc_price(usage, asked.provider, genai_request_timestamp=at, price_context=context)
    return found.total_price


def by_kind(asked: Asked) -> dict[str, Decimal]:
    """The library's own total, told apart: what each kind adds to a request of the same size without it."""
    tokens, whole, output = asked.request.tokens, asked.request.whole_input, asked.request.whole_output
    fee, plain = total(asked, {}, 0, 0), total(asked, {}, whole, 0)
    # Tiers depend on the whole input, so the fee is that of no tokens and the price that of all of them.
    one_in = (plain - fee) / whole
    spoken = total(asked, {}, whole, output)
    one_out = (spoken - plain) / output
    found = {"input": one_in * tokens["input"], "output": one_out * tokens["output"], "request": fee}
    for kind in tokens.keys() - found.keys():
        added = total(asked, {kind: tokens[kind]}, whole, output) - spoken
        found[kind] = added + tokens[kind] * (one_in if kind in INPUT else one_out)
    assert sum(found.values()) == total(asked, tokens, whole, output)
    return {kind: cost for kind, cost in found.items() if cost or kind != "request"}


# Why the two differ

CLASSES = ("time of day", "tier not stated", "kind not stated", "not a whole number", "two names")


def reason(asked: Asked, kind: str, book: Book) -> str | None:
    """The first class whose condition holds for one kind of a request; None is unexplained."""
    request, model = asked.request, asked.model
    left_out = LEFT_OUT[request.seller, model.id]
    if "prices" in left_out:
        return "time of day"
    row = book.price(
        request.seller,
        request.model,
        kind,
        request.at,
        tier=request.tier,
        region=request.region,
        version=request.version,
        input_tokens=request.whole_input,
    )
    if asked.namesakes > 1 and model.id not in {
        p.model_name for p in book.select(request.model, seller=request.seller)
    }:
        return "two names"
    if row is not None and not row.source.startswith(litellm_map.SOURCE):
        # A price of its own that is not the one that it states is no excuse.
        return None
    if request.tier != "standard" and asked.prices == model.get_prices(request.at):
        return "tier not stated"
    if not stated_price(asked, kind):
        return "kind not stated"
    return "not a whole number" if "whole number" in left_out.get(KEYS[kind], "") else None


def stated_price(asked: Asked, kind: str) -> Decimal | None:
    value = getattr(asked.prices, KEYS[kind])
    if isinstance(value, TieredPrices):
        whole = asked.request.whole_input
        return next((tier.price for tier in reversed(value.tiers) if whole > tier.start), value.base)
    return value


LEFT_OUT = defaultdict[tuple[str, str], dict[str, str]](dict)
for _item in shipped_left_out():
    if _item.source == genai.SOURCE:
        LEFT_OUT[_item.seller, _item.model_name][_item.key] = _item.reason


def test_every_difference_from_genai_prices_has_a_recorded_reason() -> None:
    cases, book = drawn(), load()
    found, agreed, kinds, unexplained = Counter[str](), 0, 0, list[Any]()
    for case, mine in zip(cases, priced([case.request for case in cases], book), strict=True):
        theirs = by_kind(case)
        different = {kind for kind in theirs.keys() | mine.keys() if mine.get(kind) != (theirs.get(kind) or None)}
        kinds += len(theirs) - len(different)
        classes = {kind: reason(case, kind, book) for kind in different}
        unexplained += [(case, k, mine.get(k), theirs.get(k)) for k, why in classes.items() if why is None]
        found.update({str(why) for why in classes.values()})
        agreed += not different
    assert unexplained == []
    assert len(cases) == CASES
    # The comparison would be empty if most of it were excused.
    assert agreed >= 2_200
    assert kinds >= 5_900
    assert set(found) == set(CLASSES)
    written = DOCUMENT.read_text(encoding="utf-8")
    assert [name for name in CLASSES if f"| {name} |" not in written] == []
