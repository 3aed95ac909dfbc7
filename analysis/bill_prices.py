"""The price book's prices for what a bill names: by profile and stretches of whole days, or the reason for none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any, Final

from analysis.price_list import NO_LIFETIME, NO_MODEL, NO_REGION, NO_TIER, SOME_STEP, PriceList, Rate, Used

NO_DIRECTION: Final = "the bill does not say whether the tokens are input or output"
NO_CACHE_ACTION: Final = "the bill does not say whether the input was read from a cache, written to it, or neither"
NO_MODALITY: Final = "the price book has no price of {} tokens"
CHANGED: Final = "the price changed in the course of this day, and the bill does not say which tokens were before"
OTHER_CURRENCY: Final = "the price book's price is in {}, the bill's amount in {}"

#: Token kinds of the price book by what a bill says: direction, cache action and modality.
_KINDS: Final[Mapping[tuple[str, str | None, str], str]] = {
    ("Input", "Uncached", "Text"): "input",
    ("Input", "Uncached", "Audio"): "input_audio",
    ("Input", "Uncached", "Image"): "input_image",
    ("Input", "Uncached", "Embedding"): "embedding",
    ("Input", "Read", "Text"): "cache_read",
    ("Input", "Read", "Audio"): "cache_read_audio",
    ("Input", "Write", "Text"): "cache_write",
    ("Output", None, "Text"): "output",
    ("Output", None, "Audio"): "output_audio",
    ("Output", None, "Image"): "output_image",
}
#: A price list speaks of usage; here it is a bill that leaves something open.
_OF_BILL: Final = {r: r.replace("the usage", "the bill") for r in (NO_MODEL, NO_TIER, NO_REGION, NO_LIFETIME)}


def _kind(profile: Mapping[str, Any]) -> tuple[str, str | None]:
    """The price book's token kind, or an empty one and why there is none."""
    direction, action = profile["direction"], profile["action"]
    modality = profile["modality"] or "Text"
    if direction is None:
        return "", NO_DIRECTION
    if direction == "Input" and action not in {"Uncached", "Read", "Write"}:
        return "", NO_CACHE_ACTION
    kind = _KINDS.get((direction, action if direction == "Input" else None, modality))
    if kind is None:
        return "", NO_MODALITY.format(f"{direction.lower()} {modality.lower()}")
    return (f"cache_write_{profile['ttl']}" if kind == "cache_write" and profile["ttl"] else kind), None


def _used(prices: PriceList, profile: Mapping[str, Any]) -> Used:
    """A row of many requests says by its context window alone on which side of the steps they are."""
    highest = max(prices.steps, default=0)
    fields = {name: profile[name] for name in ("provider", "model", "version", "tier", "region")}
    above = SOME_STEP if profile["context"] == "Long" else 0
    return Used(**fields, above=above, up_to=0 if profile["context"] == "Short" else highest)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days from `first` to `last`, both included, on which a profile has one rate, or none as `reason` says."""

    profile: Mapping[str, Any]
    first: date
    last: date
    rate: Rate | None
    reason: str | None


def stretches(prices: PriceList, profile: Mapping[str, Any]) -> Iterable[Stretch]:
    """What a profile's tokens cost on each of its days, from the `first` to the `last`, without a gap.

    Args:
        prices: the price book.
        profile: `reconcile.PROFILE`'s names as the bill states them, with `first` and `last` day.
    """
    first, last = profile["first"], profile["last"]
    kind, reason = _kind(profile)
    if reason is not None:
        yield Stretch(profile, first, last, None, reason)
        return
    end = _midnight(last + timedelta(days=1)) - timedelta(microseconds=1)
    rates = prices.rates(_used(prices, profile), kind, _midnight(first), end)
    for day, until, rate, changed in _by_days(rates, first, last):
        yield _judged(Stretch(profile, day, until, rate, CHANGED if changed else None))


def _by_days(rates: Sequence[Rate], first: date, last: date) -> Iterable[tuple[date, date, Rate, bool]]:
    """The rates as whole days, and whether their price changes in the course of the day."""
    one = timedelta(days=1)
    starts = {rate.start.date() for rate in rates}
    broken = {rate.start.date() + one for rate in rates if rate.start.time() != time()}
    edges = sorted(day for day in {first, *starts, *broken} if first <= day <= last)
    for day, following in pairwise([*edges, last + one]):
        held = [rate for rate in rates if rate.start < _midnight(following) and rate.end > _midnight(day)]
        yield day, following - one, held[-1], len({(rate.pico, rate.currency) for rate in held}) > 1


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _judged(stretch: Stretch) -> Stretch:
    """The stretch without a rate where it is no answer to this bill."""
    rate, currency = stretch.rate, stretch.profile["currency"]
    reason = stretch.reason
    if reason is None and rate is not None:
        reason = None if rate.reason is None else _OF_BILL.get(rate.reason, rate.reason)
        if reason is None and rate.currency not in {None, currency}:
            reason = OTHER_CURRENCY.format(rate.currency, currency)
    return Stretch(stretch.profile, stretch.first, stretch.last, None if reason else rate, reason)


def notes(found: Iterable[Stretch], tier_from: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """What the bill leaves open and the price was chosen by: a sentence for each seller and model."""
    said = {f"{_who(profile)}: the bill names no service tier; the reports of usage do." for profile in tier_from}
    for stretch in found:
        rate, who = stretch.rate, _who(stretch.profile)
        if rate is None:
            continue
        if "context" in rate.unstated:
            said.add(f"{who}: the bill does not say how large the requests were; the price of short ones is taken.")
        if "region" in rate.unstated:
            said.add(f"{who}: the bill names no serving region, and prices differ by it; the global one is taken.")
        if rate.priced_as is not None:
            kind, other = _kind(stretch.profile)[0].replace("_", " "), rate.priced_as.replace("_", " ")
            said.add(f"{who}: {kind} tokens are taken at the price of {other}.")
        if rate.price is not None and rate.price.disputed:
            said.add(f"{who}: the sources of the price book differ by more than one percent.")
    return tuple(sorted(said))


def _who(profile: Mapping[str, Any]) -> str:
    return f"{profile['provider']} {profile['model'] or '(no model)'}"
