"""Lumenfold (fictional): its products, its demand, the models it calls, and the changes it made.

`daily` is the whole simulation: tokens and cost of every day, product, seller and model. All noise is drawn before
any change is looked at, so `daily(seed, without={change})` is the same demand and the same draws with that change
never made: the difference of the two is what the change truly saved.
"""

# pyright: reportUnknownParameterType=false
# Why: pyarrow carries no types.

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa

from sample_data.calendar import DAYS, START, Series, growth, normals, remembering, week
from sample_data.prices import KINDS, Whole, rates

NAME: Final = "Lumenfold (fictional, synthetic)"
PRODUCTS: Final = ("assistant", "search", "docs")
SEED: Final = 20261031
PRICE_CUT: Final = "luna-price-cut"


class Demand(NamedTuple):
    """One driver: level of the first day, daily growth, weekend shares, day-to-day noise, unit."""

    level: float
    growth: float
    saturday: float
    sunday: float
    noise: float
    unit: str


DEMAND: Final = {
    "assistant_requests": Demand(94_000, 1.0007, 0.74, 0.70, 0.035, "requests"),
    "search_requests": Demand(69_000, 1.0005, 0.64, 0.60, 0.030, "requests"),
    "docs_requests": Demand(13_900, 1.0006, 0.42, 0.36, 0.045, "requests"),
    "active_users": Demand(12_600, 1.0006, 0.71, 0.66, 0.020, "users"),
    "documents": Demand(4_600, 1.0006, 0.42, 0.36, 0.050, "documents"),
}


@dataclass(frozen=True, slots=True)
class Pool:
    """Requests of one product that one seller serves.

    Attributes:
        models: the model, or the large and the small one between which requests are routed.
        per_request: requests of this pool for each request of the product.
        input_tokens, output_tokens: mean for each request.
        small: share of the tokens that goes to the second model.
        cached, written: shares of the standard-tier input read from and written to a prompt cache.
        batch: share of the tokens sent through the batch tier (which has no cache).
    """

    product: str
    provider: str
    route: str
    models: tuple[str, ...]
    per_request: float
    input_tokens: float
    output_tokens: float
    small: float = 0.0
    cached: float = 0.0
    written: float = 0.0
    batch: float = 0.0

    @property
    def key(self) -> str:
        """The pool's name; the first model stands for both where there are two."""
        return f"{self.product}/{self.provider}/{self.route}/{self.models[0]}"


POOLS: Final = (
    Pool("assistant", "OpenAI", "Global", ("gpt-5.5", "gpt-4.1-mini"), 0.35, 1_800, 220, small=0.10, cached=0.30),
    Pool("assistant", "Anthropic", "Global", ("claude-haiku-4-5",), 0.20, 1_500, 200),
    Pool("assistant", "AWS", "Regional", ("claude-haiku-4-5",), 0.15, 1_500, 200, cached=0.20, written=0.02),
    Pool("search", "Anthropic", "Global", ("claude-sonnet-4-6",), 0.35, 3_800, 260),
    Pool("search", "AWS", "Global", ("claude-sonnet-4-6",), 0.15, 3_800, 260, cached=0.40, written=0.03),
    Pool("search", "OpenAI", "Global", ("gpt-5.6-luna",), 1.0, 600, 60, cached=0.20, written=0.05),
    Pool("search", "AWS", "Regional", ("nova-pro",), 1.0, 500, 60),
    Pool("docs", "Microsoft", "Global", ("gpt-4.1",), 0.80, 7_000, 900, cached=0.15),
    Pool("docs", "Microsoft", "Global", ("gpt-4.1-mini",), 0.60, 3_000, 300, cached=0.10),
    Pool("docs", "Microsoft", "Global", ("gpt-5.5",), 0.05, 5_000, 800, cached=0.10),
    Pool("docs", "Google Cloud", "Regional", ("gemini-2.5-pro",), 0.70, 6_000, 900),
    Pool("docs", "Google Cloud", "Regional", ("gemini-2.5-flash",), 2.0, 4_000, 500, cached=0.10),
    Pool("docs", "AWS", "Regional", ("claude-sonnet-4-6",), 0.10, 6_000, 700),
)


@dataclass(frozen=True, slots=True)
class Change:
    """One optimisation: from `day` on, `sets` replaces settings of the pool that it is made to."""

    id: str
    title: str
    lever: str
    day: date
    pool: str
    sets: Mapping[str, float] = field(default_factory=dict[str, float])


CHANGES: Final = (
    Change(
        "search-prompt-caching",
        "Prompt caching for search on Anthropic",
        "prompt caching",
        date(2026, 2, 10),
        "search/Anthropic/Global/claude-sonnet-4-6",
        {"cached": 0.45, "written": 0.04},
    ),
    Change(
        "docs-prompt-trimming",
        "Prompt trimming for docs on Vertex AI",
        "prompt trimming",
        date(2026, 4, 14),
        "docs/Google Cloud/Regional/gemini-2.5-pro",
    ),
    Change(
        "assistant-model-routing",
        "Easy assistant requests routed from gpt-5.5 to gpt-4.1-mini",
        "model routing",
        date(2026, 5, 12),
        "assistant/OpenAI/Global/gpt-5.5",
        {"small": 0.42},
    ),
    Change(
        "docs-batch",
        "Overnight documents through the batch tier of Azure OpenAI",
        "batch",
        date(2026, 7, 14),
        "docs/Microsoft/Global/gpt-4.1",
        {"batch": 0.30},
    ),
)


@dataclass(frozen=True, slots=True)
class Daily:
    """What one seed gives, as Arrow tables with a row for each day and key (rows without tokens are left out).

    Attributes:
        tokens: date, product, provider, route, model, tier, kind, tokens, picodollars (1e-12 USD; exact).
        requests: date, product, provider, route, model, tier, requests.
        drivers: date, name, value, unit.
    """

    tokens: pa.Table
    requests: pa.Table
    drivers: pa.Table


Part = tuple[tuple[str, str, str, str, str], dict[str, Whole], Whole]


def demand(seed: int) -> dict[str, Whole]:
    """Each driver on each day, in its unit."""
    result: dict[str, Whole] = {}
    for name, d in DEMAND.items():
        noise = 1.0 + d.noise * remembering(normals(seed, f"demand {name}"), 0.5)
        result[name] = _whole(d.level * growth(d.growth) * week(d.saturday, d.sunday) * noise)
    return result


def daily(seed: int = SEED, without: frozenset[str] = frozenset(), pools: tuple[Pool, ...] = POOLS) -> Daily:
    """Simulate every day of the calendar; no file is read or written.

    Args:
        seed: other seeds give other noise about the same structure.
        without: ids of `CHANGES` (or `PRICE_CUT`) that are not made.
        pools: of `POOLS`, those to simulate; the noise of one does not depend on which others there are.
    """
    drivers = demand(seed)
    parts = [part for pool in pools for part in _parts(pool, seed, drivers[f"{pool.product}_requests"], without)]
    return Daily(_token_table(parts, PRICE_CUT in without), _request_table(parts), _driver_table(drivers))


def _parts(pool: Pool, seed: int, requests: Whole, without: frozenset[str]) -> list[Part]:
    """The pool's tokens by kind and its requests, for each model and tier."""
    noise = {name: normals(seed, f"{pool.key} {name}") for name in ("calls", "in", "out", "small", "cached", "batch")}
    settings = _settings(pool, without)
    calls = _whole(requests * pool.per_request * (1.0 + 0.020 * noise["calls"]))
    totals = (
        calls,
        _whole(calls * pool.input_tokens * (1.0 + 0.015 * noise["in"])),
        _whole(calls * pool.output_tokens * (1.0 + 0.020 * noise["out"])),
    )
    parts: list[Part] = []
    for model, of_model in zip(pool.models, _shared(totals, settings["small"], noise["small"]), strict=False):
        for tier, (n, given, out) in zip(
            ("standard", "batch"), _shared(of_model, settings["batch"], noise["batch"]), strict=True
        ):
            cacheable = settings if tier == "standard" else dict.fromkeys(settings, np.zeros(len(DAYS)))
            read = _whole(given * cacheable["cached"] * (1.0 + 0.03 * noise["cached"]))
            written = _whole(given * cacheable["written"] * (1.0 + 0.03 * noise["cached"]))
            counts: tuple[Whole, ...] = (given - read - written, read, written, out)
            kinds: dict[str, Whole] = dict(zip(KINDS, counts, strict=True))
            parts.append(((pool.product, pool.provider, pool.route, model, tier), kinds, n))
    return parts


def _settings(pool: Pool, without: frozenset[str]) -> dict[str, Series]:
    """`small`, `cached`, `written` and `batch` on each day, with the changes that were made."""
    result = {name: np.full(len(DAYS), getattr(pool, name)) for name in ("small", "cached", "written", "batch")}
    for change in CHANGES:
        if change.pool == pool.key and change.id not in without:
            for name, value in change.sets.items():
                result[name][(change.day - START).days :] = value
    return result


def _shared(totals: tuple[Whole, Whole, Whole], share: Series, noise: Series) -> tuple[tuple[Whole, Whole, Whole], ...]:
    """Calls, input and output in two: what stays, and the share (with its noise) that goes elsewhere."""
    gone = tuple(_whole(total * share * (1.0 + 0.03 * noise)) for total in totals)
    kept = tuple(total - part for total, part in zip(totals, gone, strict=True))
    return (kept[0], kept[1], kept[2]), (gone[0], gone[1], gone[2])


def _whole(values: Series) -> Whole:
    return np.rint(values).astype(np.int64)


def _token_table(parts: list[Part], without_cuts: bool) -> pa.Table:
    keys: list[tuple[str, ...]] = []
    tokens: list[Whole] = []
    money: list[Whole] = []
    for key, kinds, _ in parts:
        for kind, amount in kinds.items():
            rate = rates(key[1:], kind, without_cuts)
            if bool(((amount > 0) & (rate == 0)).any()):
                raise LookupError(f"no price for {key[1:]}, {kind}")
            cost = amount * rate
            keys.append((*key, kind))
            tokens.append(amount)
            money.append(_micro(cost) if key[1] == "Google Cloud" else cost)
    names = ("product", "provider", "route", "model", "tier", "kind")
    return _stacked(names, keys, {"tokens": tokens, "picodollars": money})


def _micro(picodollars: Whole) -> Whole:
    """Rounded to a millionth of a dollar, as Google Cloud states the cost of a row."""
    return (picodollars + 500_000) // 1_000_000 * 1_000_000


def _request_table(parts: list[Part]) -> pa.Table:
    names = ("product", "provider", "route", "model", "tier")
    return _stacked(names, [key for key, _, _ in parts], {"requests": [calls for _, _, calls in parts]})


def _driver_table(drivers: dict[str, Whole]) -> pa.Table:
    return _stacked(("name", "unit"), [(n, DEMAND[n].unit) for n in drivers], {"value": list(drivers.values())})


def _stacked(names: tuple[str, ...], keys: list[tuple[str, ...]], columns: dict[str, list[Whole]]) -> pa.Table:
    """Series under series, each with its key and the date; rows whose first value is 0 are left out."""
    values = {name: np.concatenate(series) for name, series in columns.items()}
    present = next(iter(values.values())) != 0
    which = np.repeat(np.arange(len(keys)), len(DAYS))[present]
    dates = np.tile(np.array(DAYS, dtype="datetime64[D]"), len(keys))[present]
    texts = {name: pa.array([key[at] for key in keys]).take(pa.array(which)) for at, name in enumerate(names)}
    return pa.table({"date": pa.array(dates)} | texts | {n: pa.array(v[present]) for n, v in values.items()})
