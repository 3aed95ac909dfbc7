"""What the customer itself records: drivers, a sample of requests, and evaluations of its models."""

from __future__ import annotations

import json
from calendar import monthrange
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

from sample_data.calendar import DAYS, normals
from sample_data.company import POOLS, Daily
from sample_data.writing import lines, parquet

#: Requests sampled for each day, product, seller, model and tier.
PER_KEY: Final = 4
#: Of a normal draw: some 0.7 % of requests fail.
_FAILS_BEYOND: Final = 2.45
_SUITES: Final = {"assistant": "helpfulness", "search": "answer-relevance", "docs": "extraction"}

REQUEST_LOG: Final = pa.schema(
    [
        ("time", pa.timestamp("ms", tz="UTC")),
        ("provider", pa.string()),
        ("model", pa.string()),
        ("input_tokens", pa.int64()),
        ("cache_read_tokens", pa.int64()),
        ("cache_write_5m_tokens", pa.int64()),
        ("output_tokens", pa.int64()),
        ("tier", pa.string()),
        ("requests", pa.int64()),
        ("project", pa.string()),
        ("tags", pa.string()),
        ("latency_ms", pa.int64()),
        ("time_to_first_token_ms", pa.int64()),
        ("errors", pa.int64()),
    ]
)


class Behaviour(NamedTuple):
    """Of a model: milliseconds to the first token, milliseconds for each token after, share of evaluations passed."""

    first_token: float
    each_token: float
    passed: float


BEHAVIOUR: Final = {
    "gpt-5.5": Behaviour(620, 11.0, 0.952),
    "gpt-4.1": Behaviour(430, 9.0, 0.931),
    "gpt-4.1-mini": Behaviour(260, 5.5, 0.941),
    "gpt-5.6-luna": Behaviour(240, 5.0, 0.944),
    "claude-sonnet-4-6": Behaviour(560, 10.0, 0.957),
    "claude-haiku-4-5": Behaviour(300, 5.8, 0.939),
    "nova-pro": Behaviour(350, 6.5, 0.921),
    "gemini-2.5-pro": Behaviour(680, 9.5, 0.948),
    "gemini-2.5-flash": Behaviour(280, 4.8, 0.934),
}


def write(folder: Path, daily: Daily, seed: int) -> None:
    """Write the three files."""
    drivers = [f"{row['date']},{row['name']},{row['value']},{row['unit']}" for row in daily.drivers.to_pylist()]
    lines(folder / "usage" / "synthetic_drivers.csv", ["date,name,value,unit", *sorted(drivers)])
    parquet(folder / "usage" / "synthetic_request_log.parquet", request_log(daily, seed), REQUEST_LOG)
    lines(folder / "usage" / "synthetic_evaluations.csv", evaluations(daily, seed))


def write_invoices(folder: Path, billed: Mapping[str, Mapping[str, str]]) -> None:
    """Write what the providers invoiced by month, in whole cents as invoices are."""
    rows = [
        f"{provider},{month}-01,{last_day(month)},{Decimal(amount).quantize(Decimal('0.01'), ROUND_HALF_EVEN)},USD"
        for provider, months in sorted(billed.items())
        for month, amount in sorted(months.items())
    ]
    lines(folder / "usage" / "synthetic_invoices.csv", ["provider,first_day,last_day,amount,currency", *rows])


def last_day(month: str) -> str:
    """Last day of a month written `2026-01`, as ISO 8601."""
    year, number = (int(part) for part in month.split("-"))
    return f"{month}-{monthrange(year, number)[1]}"


def request_log(daily: Daily, seed: int) -> list[dict[str, Any]]:
    """A sample of single requests, by time. `input_tokens` counts what was neither read from nor written to a cache."""
    kinds: dict[tuple[Any, ...], dict[str, int]] = {}
    for row in daily.tokens.to_pylist():
        kinds.setdefault(_key(row), {})[row["kind"]] = row["tokens"]
    noise: dict[str, Iterator[list[float]]] = {}
    rows: list[dict[str, Any]] = []
    for day in daily.requests.to_pylist():
        name = "/".join(day[part] for part in ("product", "provider", "route", "model", "tier"))
        if name not in noise:
            noise[name] = iter(normals(seed, f"log {name}", len(DAYS) * PER_KEY * 5).reshape(-1, 5).tolist())
        rows += [_request(day, kinds[_key(day)], n, next(noise[name])) for n in range(PER_KEY)]
    return sorted(rows, key=lambda row: row["time"])


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("date", "product", "provider", "route", "model", "tier"))


def _request(day: dict[str, Any], kinds: dict[str, int], number: int, z: list[float]) -> dict[str, Any]:
    """One request near the mean of its day, at one of the hours of work."""
    second = (8 + number * 10 // PER_KEY) * 3_600 + int(3_600 * (z[0] + 6.0) / 12.0)
    size = max(0.2, 1.0 + 0.30 * z[1])
    mean = {kind: tokens / day["requests"] for kind, tokens in kinds.items()}
    output = max(1, round(mean["output"] * max(0.2, 1.0 + 0.35 * z[2])))
    failed = z[4] > _FAILS_BEYOND
    speed = BEHAVIOUR[day["model"]]
    first = round(speed.first_token * max(0.4, 1.0 + 0.20 * z[3]))
    return {
        "time": datetime.combine(day["date"], time(), UTC) + timedelta(seconds=second),
        "provider": day["provider"],
        "model": day["model"],
        "input_tokens": round(mean["input"] * size),
        "cache_read_tokens": round(mean.get("cache_read", 0) * size),
        "cache_write_5m_tokens": round(mean.get("cache_write", 0) * size),
        "output_tokens": 0 if failed else output,
        "tier": day["tier"],
        "requests": 1,
        "project": day["product"],
        "tags": json.dumps({"product": day["product"], "sample": "synthetic"}),
        "latency_ms": first if failed else first + round(speed.each_token * output),
        "time_to_first_token_ms": None if failed else first,
        "errors": int(failed),
    }


def evaluations(daily: Daily, seed: int) -> Iterator[str]:
    """CSV lines: each week, how many of 400 cases every model of a product passed."""
    yield "date,product,model,suite,cases,passed,sample"
    used = {(row["date"], row["product"], row["model"]) for row in daily.requests.to_pylist()}
    for product, model in dict.fromkeys((pool.product, model) for pool in POOLS for model in pool.models):
        noise = normals(seed, f"evaluations {product} {model}")
        for at in range(0, len(DAYS), 7):
            if (DAYS[at], product, model) in used:
                passed = int(np.clip(round(400 * BEHAVIOUR[model].passed + 4.2 * float(noise[at])), 0, 400))
                yield f"{DAYS[at]},{product},{model},{_SUITES[product]},400,{passed},synthetic"
