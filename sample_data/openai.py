"""Pages of OpenAI's organization costs and completions usage, in day buckets."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from sample_data.calendar import DAYS
from sample_data.prices import usd
from sample_data.writing import page

#: Most buckets that one page holds, as the API has it.
COST_DAYS: Final = 180
USAGE_DAYS: Final = 31

#: A goodwill credit: one negative row that names neither project nor line item.
CREDIT_DAY: Final = date(2026, 2, 3)
CREDIT_USD: Final = Decimal(-500)

#: The API names some models with their dated release.
NAMES: Final = {"gpt-4.1-mini": "gpt-4.1-mini-2025-04-14"}
_LINES: Final = {"input": "input", "cache_read": "cached input", "cache_write": "cache writes", "output": "output"}

Rows = dict[date, list[dict[str, Any]]]


def write(folder: Path, tokens: list[dict[str, Any]], requests: list[dict[str, Any]]) -> None:
    """Write every page of both."""
    _pages(folder / "openai", "synthetic_costs", _costs(tokens), COST_DAYS)
    _pages(folder / "openai", "synthetic_usage_completions", _usage(tokens, requests), USAGE_DAYS)


def _costs(tokens: list[dict[str, Any]]) -> Rows:
    rows: Rows = defaultdict(list)
    for row in tokens:
        if row["provider"] == "OpenAI":
            item = f"{NAMES.get(row['model'], row['model'])}, {_LINES[row['kind']]}"
            rows[row["date"]].append(_cost(usd(row["picodollars"]), item, row["product"], row["tokens"]))
    rows[CREDIT_DAY].append(_cost(CREDIT_USD, None, None, None))
    return rows


def _cost(amount: Decimal, item: str | None, product: str | None, tokens: int | None) -> dict[str, Any]:
    return {
        "object": "organization.costs.result",
        "amount": {"value": float(amount), "currency": "usd"},
        "line_item": item,
        "project_id": None if product is None else f"proj_synthetic_{product}",
        "api_key_id": None,
        "user_id": None,
        "api_source": None,
        "quantity": None if tokens is None else float(tokens),
        "quantity_unit": None if tokens is None else "tokens",
    }


def _usage(tokens: list[dict[str, Any]], requests: list[dict[str, Any]]) -> Rows:
    kinds: dict[tuple[Any, ...], dict[str, int]] = defaultdict(dict)
    for row in tokens:
        kinds[_key(row)][row["kind"]] = row["tokens"]
    rows: Rows = defaultdict(list)
    for row in requests:
        if row["provider"] == "OpenAI":
            rows[row["date"]].append(_completions(row, kinds[_key(row)]))
    return rows


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("date", "product", "provider", "route", "model", "tier"))


def _completions(row: dict[str, Any], kinds: dict[str, int]) -> dict[str, Any]:
    fresh, cached, written = (kinds.get(kind, 0) for kind in ("input", "cache_read", "cache_write"))
    return {
        "object": "organization.usage.completions.result",
        "input_tokens": fresh + cached + written,
        "input_cached_tokens": cached,
        "input_cache_write_tokens": written,
        "input_cache_write_30m_tokens": written,
        "input_cache_write_12h_tokens": 0,
        "input_uncached_tokens": fresh,
        "output_tokens": kinds.get("output", 0),
        "input_text_tokens": fresh,
        "output_text_tokens": kinds.get("output", 0),
        "input_cached_text_tokens": cached,
        "input_audio_tokens": 0,
        "input_cached_audio_tokens": 0,
        "output_audio_tokens": 0,
        "input_image_tokens": 0,
        "input_cached_image_tokens": 0,
        "output_image_tokens": 0,
        "num_model_requests": row["requests"],
        "project_id": f"proj_synthetic_{row['product']}",
        "user_id": None,
        "api_key_id": f"key_synthetic_{row['product']}",
        "model": NAMES.get(row["model"], row["model"]),
        "batch": False,
        "service_tier": "default",
        "api_source": None,
    }


def _pages(folder: Path, name: str, rows: Rows, days: int) -> None:
    starts = range(0, len(DAYS), days)
    for number, first in enumerate(starts, start=1):
        more = number < len(starts)
        body = {
            "object": "page",
            "data": [_bucket(day, rows.get(day, [])) for day in DAYS[first : first + days]],
            "has_more": more,
            "next_page": f"page_SYNTHETIC_{number + 1}" if more else None,
        }
        page(folder / f"{name}_page_{number:02d}.json", body)


def _bucket(day: date, results: list[dict[str, Any]]) -> dict[str, Any]:
    start = datetime.combine(day, time(), UTC)
    return {
        "object": "bucket",
        "start_time": int(start.timestamp()),
        "end_time": int((start + timedelta(days=1)).timestamp()),
        "results": results,
    }
