"""The price book as one moment knew it, and the price of a kind of token at any time.

Resolution is exact and strict: a price is found for the seller, model, token kind, tier and region, or there is a
reason why there is none. It never falls to another model, tier or region; the few places where one kind is priced as
another are `_AS` and are told in the result.
"""

# pyarrow carries no types.
# pyright: reportUnknownParameterType=false
from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import cached_property
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from ledger.price_book.known import KEY
from ledger.price_book.schema import REGIONS

#: Cache writes by their lifetime.
TIMED_WRITES: Final = ("cache_write_5m", "cache_write_30m", "cache_write_1h", "cache_write_12h")
CACHE_KINDS: Final = ("cache_read", "cache_write", *TIMED_WRITES)
#: Kinds that are a part of another and cost what that one costs where they have no price of their own: reasoning is
#: output, image input is input (audio and image output are not: sellers price them apart).
_AS: Final[Mapping[str, str]] = {"reasoning": "output", "input_image": "input"}
_LATEST: Final = datetime.max.replace(tzinfo=UTC)

#: A long request of an unknown size: any step of the model may hold.
SOME_STEP: Final = -1

NO_MODEL: Final = "the usage names no model"
NO_TIER: Final = "the usage states no service tier, and the tiers differ in price"
PROVISIONED: Final = "provisioned throughput is billed by time, not by the token"
NO_REGION: Final = "the usage states no serving region, and the price book has no global price"
NO_LIFETIME: Final = "the usage does not say how long cache writes live, and the price depends on it"


@dataclass(frozen=True, slots=True)
class Price:
    """One price: pico-dollars (1e-12 of the currency unit) for one token, in force from `start` up to `end`."""

    start: datetime
    end: datetime
    known_from: datetime
    pico: int
    currency: str
    layer: str
    source: str
    source_version: str
    disputed: bool
    other_source: str | None
    other_pico: int | None


@dataclass(frozen=True, slots=True)
class Used:
    """What decides about the price of some tokens.

    Attributes:
        above: the largest context step that the whole input is surely above; `SOME_STEP` where it is above some step.
        up_to: the largest step that it may be above.
        moved: whether a plan put the tokens here, so that they were never metered under this model and tier.
    """

    provider: str
    model: str | None
    version: str | None
    tier: str | None
    region: str | None
    above: int
    up_to: int
    moved: bool = False


@dataclass(frozen=True, slots=True)
class Rate:
    """What one token costs over a stretch of time, or why that is not known.

    Attributes:
        price: the price; None as `reason` says.
        highest: pico-dollars at the dearest price that what is stated leaves possible.
        unstated: what the usage does not state although prices differ by it: `context`, `region`; else empty.
        priced_as: another token kind whose price it is; else None.
        free: whether the book has no such charge at all (a fee for each request).
    """

    start: datetime
    end: datetime
    price: Price | None
    highest: int = 0
    unstated: tuple[str, ...] = ()
    priced_as: str | None = None
    reason: str | None = None
    free: bool = False

    @property
    def pico(self) -> int | None:
        """Pico-dollars of one token; None where it is not priced."""
        return 0 if self.free else None if self.price is None else self.price.pico

    @property
    def currency(self) -> str | None:
        """ISO 4217 code; None where it is not priced or costs nothing."""
        return None if self.price is None else self.price.currency


#: (version, kind, tier, region) -> context step -> prices, best first.
_Offers = dict[tuple[str | None, str, str, str], dict[int, list[Price]]]
#: (kind, tier, region) -> context step -> the price in force.
_Current = dict[tuple[str, str, str], dict[int, Price]]


class PriceList:
    """Prices of every seller and model, as known at one moment."""

    def __init__(self, prices: pa.Table, known_at: datetime | None = None) -> None:
        """Take the rows of a price book (`ledger.price_book.schema.PRICES`) that were known by `known_at`."""
        self._prices = prices if known_at is None else prices.filter(pc.field("KnownFrom") <= pa.scalar(known_at))
        self._places = defaultdict[tuple[str, str], list[int]](list)
        names = zip(self._prices["Seller"].to_pylist(), self._prices["ModelId"].to_pylist(), strict=True)
        for place, name in enumerate(names):
            self._places[name].append(place)
        self._models = dict[tuple[str, str], _Offers]()
        self._rates = dict[tuple[Used, str, datetime, datetime], list[Rate]]()
        self._current = dict[tuple[str, str, str | None, datetime], _Current | None]()

    @property
    def sellers(self) -> tuple[str, ...]:
        """Sellers with a price, by name."""
        return tuple(sorted({seller for seller, _ in self._places}))

    @cached_property
    def steps(self) -> tuple[int, ...]:
        """Every context step of any price, in tokens, ascending, without 0."""
        return tuple(sorted(set(self._prices["ContextAbove"].unique().to_pylist()) - {0}))

    @property
    def grain(self) -> str:
        """The coarsest of D, h, m and s at whose bounds every price begins and ends, in UTC."""
        bounds = [self._prices[name].cast(pa.timestamp("s", "UTC"), safe=False) for name in ("ValidFrom", "ValidTo")]
        seconds = {second for bound in bounds for second in bound.cast(pa.int64()).unique().to_pylist()}
        units = (86_400, 3_600, 60, 1)
        finest = max((next(n for n, u in enumerate(units) if s % u == 0) for s in seconds - {None}), default=0)
        return ("D", "h", "m", "s")[finest]

    def has(self, seller: str, model: str) -> bool:
        """Whether there is any price of this model at this seller."""
        return (seller, model) in self._places

    def unknown(self, seller: str, model: str) -> str:
        """A sentence that says what is not known about a seller's model, with what is."""
        if seller not in self.sellers:
            near = get_close_matches(seller, self.sellers, n=3, cutoff=0.4)
            return f"the price book has no seller {seller!r}; it has {', '.join(near or self.sellers)}"
        models = [m for s, m in self._places if s == seller]
        near = get_close_matches(model, models, n=3, cutoff=0.5)
        hint = f"; similar names are {', '.join(near)}" if near else ""
        return f"the price book has no price of {model!r} at {seller}{hint}"

    def rates(self, used: Used, kind: str, first: datetime, last: datetime) -> list[Rate]:
        """The rates from `first` to `last` (both included), without a gap, each as long as it holds."""
        key = (used, kind, first, last)
        if key not in self._rates:
            offers = self._of(used.provider, used.model)
            bounds = {m for steps in offers.values() for ps in steps.values() for p in ps for m in (p.start, p.end)}
            starts = [first, *sorted(b for b in bounds if first < b <= last)]
            ends = [*starts[1:], _LATEST]
            self._rates[key] = [self._rate(used, kind, start, end) for start, end in zip(starts, ends, strict=True)]
        return self._rates[key]

    def _of(self, seller: str, model: str | None) -> _Offers:
        """The prices of one model at one seller, best first; none where it has none."""
        key = (seller, model or "")
        if key not in self._places:
            return {}
        if key not in self._models:
            offers: _Offers = defaultdict(dict)
            for row in _newest(self._prices.take(self._places[key]).to_pylist()):
                of = (row["ModelVersion"], row["TokenKind"], row["ServiceTier"], row["ServingRegion"])
                offers[of].setdefault(row["ContextAbove"], []).append(_price(row))
            for found in (prices for steps in offers.values() for prices in steps.values()):
                found.sort(key=_worth)
            self._models[key] = offers
        return self._models[key]

    def _rate(self, used: Used, kind: str, start: datetime, end: datetime) -> Rate:
        found = self._offers(used, start)
        if isinstance(found, str):
            return Rate(start, end, None, reason=found)
        offers, tier = found
        name = _priced_kind({k for k, t, _ in offers if t == tier}, kind, moved=used.moved)
        if name is None:
            if kind == "request":
                return Rate(start, end, None, free=True)
            return Rate(start, end, None, reason=_no_price(kind, tier, {t for k, t, _ in offers if k == kind}))
        regions = {r: steps for (k, t, r), steps in offers.items() if k == name and t == tier}
        region = _region(used.region, regions)
        if region not in regions:
            known = ", ".join(r for r in REGIONS if r in regions)
            reason = NO_REGION if region is None else f"the price book has no {region} price of it, only {known}"
            return Rate(start, end, None, reason=reason)
        return _chosen(used, regions, region, Rate(start, end, None, priced_as=name if name != kind else None))

    def _offers(self, used: Used, at: datetime) -> tuple[_Current, str] | str:
        """Prices in force by kind, tier and region, then context step; and the tier. Or why there are none."""
        if used.model is None:
            return NO_MODEL
        offers = self._of(used.provider, used.model)
        if not offers:
            return self.unknown(used.provider, used.model)
        if used.tier == "provisioned":
            return PROVISIONED
        key = (used.provider, used.model, used.version, at)
        if key not in self._current:
            self._current[key] = _of_release(offers, used.version, at)
        current = self._current[key]
        if current is None:
            return "the price book has prices of other releases of this model only"
        if not current:
            return f"the price book has no price of this model on {at:%Y-%m-%d}"
        tiers = {tier for _, tier, _ in current}
        if used.tier is None and tiers != {"standard"}:
            return NO_TIER
        return current, used.tier or "standard"


def _of_release(offers: _Offers, version: str | None, at: datetime) -> _Current | None:
    """What one release of a model costs at a moment; None where only other releases have prices."""
    # A release that has prices of its own has them in one place, and elsewhere those of the model.
    priced = {(of, region) for of, _, _, region in offers}
    releases = {region: version if (version, region) in priced else None for _, region in priced}
    if not any((release, region) in priced for region, release in releases.items()):
        return None
    current: _Current = {}
    for (of, kind, tier, region), steps in offers.items():
        if of == releases[region] and (now := _in_force(steps, at)):
            current[kind, tier, region] = now
    return current


def _newest(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Of every price the row known last; one that ends where it begins withdraws its price."""
    newest = dict[tuple[Any, ...], Mapping[str, Any]]()
    for row in rows:
        key = tuple(row[name] for name in KEY)
        if key not in newest or newest[key]["KnownFrom"] < row["KnownFrom"]:
            newest[key] = row
    return [row for row in newest.values() if row["ValidTo"] is None or row["ValidTo"] > row["ValidFrom"]]


def _price(row: Mapping[str, Any]) -> Price:
    return Price(
        start=row["ValidFrom"],
        end=row["ValidTo"] or _LATEST,
        known_from=row["KnownFrom"],
        pico=row["PricePico"],
        currency=row["Currency"],
        layer=row["Layer"],
        source=row["Source"],
        source_version=row["SourceVersion"],
        disputed=row["Disputed"],
        other_source=row["OtherSource"],
        other_pico=row["OtherPricePico"],
    )


def _worth(price: Price) -> tuple[Any, ...]:
    """The customer's own price before the list's, then what was learnt last, then what began last."""
    return (
        price.layer != "negotiated",
        -price.known_from.timestamp(),
        -price.start.timestamp(),
        price.source,
        price.pico,
    )


def _in_force(steps: Mapping[int, Sequence[Price]], at: datetime) -> dict[int, Price]:
    """The price of each context step; the customer's own holds above its step whatever steps the list has there."""
    found = {above: next((p for p in prices if p.start <= at < p.end), None) for above, prices in steps.items()}
    own = min((above for above, p in found.items() if p is not None and p.layer == "negotiated"), default=None)
    return {
        above: price
        for above, price in found.items()
        if price is not None and (own is None or above < own or price.layer == "negotiated")
    }


def _priced_kind(kinds: set[str], kind: str, *, moved: bool) -> str | None:
    """The kind whose price holds for `kind` where these have one; None where none does."""
    if kind in kinds:
        return kind
    if kind in _AS:
        return _AS[kind] if _AS[kind] in kinds else None
    if kind == "input" and "embedding" in kinds:
        return "embedding"
    if kind in TIMED_WRITES and "cache_write" in kinds and not kinds.intersection(TIMED_WRITES):
        return "cache_write"
    if kind == "cache_write" and len(only := kinds.intersection(TIMED_WRITES)) == 1:
        return only.pop()
    family = {"cache_read"} if kind == "cache_read" else {"cache_write", *TIMED_WRITES}
    if moved and kind in CACHE_KINDS and not kinds & family and "input" in kinds:
        # A model or tier without a cache takes as input what another kept in its cache.
        return "input"
    return None


def _no_price(kind: str, tier: str, elsewhere: set[str]) -> str:
    if kind == "cache_write":
        return NO_LIFETIME
    also = f" (it has {', '.join(sorted(elsewhere))})" if elsewhere else ""
    return f"the price book has no {tier} price of {kind.replace('_', ' ')} tokens for this model{also}"


def _region(stated: str | None, regions: Mapping[str, object]) -> str | None:
    """The region to price at: the stated class, else global, else the only one there is."""
    if stated in REGIONS:
        return stated
    if "Global" in regions:
        return "Global"
    return next(iter(regions)) if len(regions) == 1 else None


def _chosen(used: Used, regions: Mapping[str, Mapping[int, Price]], region: str, rate: Rate) -> Rate:
    """The price at the region and the lowest context step, and the dearest that may hold instead."""
    open_regions = [region] if used.region in REGIONS else list(regions)
    choices = {r: _steps(regions[r], used) for r in open_regions}
    if not choices[region]:
        return Rate(rate.start, rate.end, None, reason="the price book has no price of it for a context of this size")
    price = choices[region][0]
    by_context = any(p.pico != price.pico for p in choices[region])
    by_region = any(prices and prices[0].pico != price.pico for r, prices in choices.items() if r != region)
    return Rate(
        rate.start,
        rate.end,
        price,
        highest=max(p.pico for prices in choices.values() for p in prices),
        unstated=(*(["context"] if by_context else []), *(["region"] if by_region else [])),
        priced_as=rate.priced_as,
    )


def _steps(prices: Mapping[int, Price], used: Used) -> list[Price]:
    """Prices of the context steps that may hold, the lowest step first."""
    steps = sorted(prices)
    if used.above == SOME_STEP:
        return [prices[s] for s in steps if s > 0] or [prices[s] for s in steps]
    lowest = max((s for s in steps if s <= used.above), default=None)
    return [] if lowest is None else [prices[s] for s in steps if lowest <= s <= max(used.above, used.up_to)]
