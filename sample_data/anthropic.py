"""Pages of Anthropic's organization analytics, cost and usage, in day buckets; amounts are decimal strings in cents."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from sample_data.calendar import MONTHS
from sample_data.prices import text, usd
from sample_data.writing import page

_TOKEN_TYPES: Final = {
    "input": "uncached_input_tokens",
    "cache_read": "cache_read_input_tokens",
    "cache_write": "cache_creation.ephemeral_5m_input_tokens",
    "output": "output_tokens",
}


def write(folder: Path, tokens: list[dict[str, Any]], requests: list[dict[str, Any]]) -> None:
    """Write one page of each for every month (the API answers for 31 days at most)."""
    ours = [row for row in tokens if row["provider"] == "Anthropic"]
    calls = [row for row in requests if row["provider"] == "Anthropic"]
    kinds: dict[tuple[Any, ...], dict[str, int]] = defaultdict(dict)
    for row in ours:
        kinds[_key(row)][row["kind"]] = row["tokens"]
    costs = [_cost(row) for row in sorted(ours, key=_by_day)]
    usage = [_usage(row, kinds[_key(row)]) for row in sorted(calls, key=_by_day)]
    for month in MONTHS:
        _page(folder, f"synthetic_cost_{month}.json", costs, month)
        _page(folder, f"synthetic_usage_{month}.json", usage, month)


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["date"], row["product"], row["model"], row["tier"]


def _by_day(row: dict[str, Any]) -> date:
    return row["date"]


def _page(folder: Path, name: str, rows: list[dict[str, Any]], month: str) -> None:
    ours = [row for row in rows if row["starting_at"].startswith(month)]
    page(folder / "anthropic" / name, {"data": ours, "has_more": False, "next_page": None})


def _group(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "model": row["model"],
        "workspace_id": f"wrkspc_synthetic_{row['product']}",
        "service_tier": row["tier"],
        "context_window": "0-200k",
    }


def _day(row: dict[str, Any]) -> dict[str, str]:
    end = row["date"] + timedelta(days=1)
    return {"starting_at": f"{row['date']}T00:00:00Z", "ending_at": f"{end}T00:00:00Z"}


def _cost(row: dict[str, Any]) -> dict[str, Any]:
    cents = text(usd(row["picodollars"]).scaleb(2))
    group = _group(row) | {"cost_type": "tokens", "token_type": _TOKEN_TYPES[row["kind"]]}
    cost = {"amount": cents, "currency": "USD", "list_amount": cents, "requests": None}
    return {**_day(row), "group": group, "cost": cost}


def _usage(row: dict[str, Any], kinds: dict[str, int]) -> dict[str, Any]:
    usage = {
        "cache_creation": {
            "ephemeral_1h_input_tokens": 0,
            "ephemeral_5m_input_tokens": kinds.get("cache_write", 0),
        },
        "cache_read_input_tokens": kinds.get("cache_read", 0),
        "output_tokens": kinds.get("output", 0),
        "requests": row["requests"],
        "server_tool_use": {"web_search_requests": 0},
        "total_tokens": sum(kinds.values()),
        "uncached_input_tokens": kinds.get("input", 0),
    }
    return {**_day(row), "group": _group(row), "usage": usage}
