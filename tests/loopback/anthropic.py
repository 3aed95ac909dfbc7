"""Anthropic's analytics cost and usage on the loopback, in the shapes of the SDK's types.

Strict: the key, the version and beta headers, the parameters, the span of 31 days, and page tokens that are bound to
the query they came from.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.loopback.server import Answer, Loopback, RefusedError, Request

KEY = "sk-ant-admin01-LOOPBACK-0123456789"
BETA = "analytics-usage-cost-2026-08-24"
_KNOWN = {"starting_at", "ending_at", "limit", "page", "group_by[]", "time_bucket_width", "order_by", "order", "beta"}
_GROUPS = {"model", "workspace_id", "service_tier", "context_window", "speed", "inference_geo", "api_key_id", "product"}
_FREE = {"cost_type", "token_type"}
_MOST_GROUPS, _MOST_ROWS = 5, 1000


def error(status: int, kind: str, message: str) -> Answer:
    """Anthropic's shape of an error."""
    return Answer(status, json.dumps({"type": "error", "error": {"type": kind, "message": message}}).encode())


class AnthropicLoopback(Loopback):
    """An organization. `cents` holds, by day, what each row cost in cents as decimal strings; `rows` fill a page."""

    def __init__(self, now: datetime, rows: int = 7) -> None:
        super().__init__(now)
        self.key = KEY
        #: How the answers' headers name the organization.
        self.named = {"anthropic-organization-id": "org-loopback"}
        self.rows = rows
        self.cents: dict[date, dict[str, str]] = {}
        self.tamper: Callable[[list[dict[str, Any]]], list[dict[str, Any]]] = lambda rows: rows

    def answer(self, request: Request) -> Answer:
        sent = request.headers.get("x-api-key") or request.headers.get("authorization", "").removeprefix("Bearer ")
        if sent != self.key:
            raise RefusedError(error(401, "authentication_error", "invalid x-api-key"))
        if "anthropic-version" not in request.headers or request.headers.get("anthropic-beta") != BETA:
            raise RefusedError(error(400, "invalid_request_error", "anthropic-version or anthropic-beta: missing"))
        kind = request.path.removeprefix("/v1/organizations/analytics/")
        if kind not in {"cost", "usage"}:
            raise RefusedError(error(404, "not_found_error", "Not found"))
        first, end, groups = _parameters(kind, request.query, self.now)
        rows = self._rows(kind, first, end, groups)
        at = _page(request.query)
        shown = self.tamper(rows[at : at + self.rows])
        more = at + self.rows < len(rows)
        token = _token(request.query, at + self.rows) if more else None
        body = {"data": shown, "has_more": more, "next_page": token, "data_refreshed_at": self.now.isoformat()}
        return Answer(200, json.dumps(body).encode(), self.named)

    def _rows(self, kind: str, first: date, end: date, groups: list[str]) -> list[dict[str, Any]]:
        days = [day for day in sorted(self.cents) if first <= day < end]
        if not groups:
            amount = sum((Decimal(c) for day in days for c in self.cents[day].values()), Decimal(0))
            figures = _figures(kind, f"{amount:f}")
            return [{"starting_at": _stamp(first), "ending_at": _stamp(end), "group": {}, **figures}] if days else []
        return [
            {
                "starting_at": _stamp(day),
                "ending_at": _stamp(day + timedelta(days=1)),
                "group": _group(token_type if kind == "cost" else None),
                **_figures(kind, cents),
            }
            for day in days
            for token_type, cents in self.cents[day].items()
            if kind == "cost" or token_type == "output_tokens"  # noqa: S105 - tokens of a model
        ]


def organization(now: datetime, days: int) -> AnthropicLoopback:
    """An organization that spent something on each of the last days."""
    api = AnthropicLoopback(now)
    for back in range(days):
        api.cents[now.date() - timedelta(days=back)] = {
            "uncached_input_tokens": f"{back + 1}.0000000{back:03}",
            "output_tokens": f"{back + 2}.1234567{back:03}",
        }
    return api


def _parameters(kind: str, query: dict[str, list[str]], now: datetime) -> tuple[date, date, list[str]]:
    groups = query.get("group_by[]", [])
    counted = [g for g in groups if g not in _FREE]
    bad = query.keys() - _KNOWN or set(counted) - _GROUPS or len(counted) > _MOST_GROUPS
    if bad or (kind == "usage" and _FREE & set(groups)):
        raise RefusedError(error(400, "invalid_request_error", f"group_by or parameter: {bad}"))
    try:
        first, end = (datetime.fromisoformat(query[name][0]) for name in ("starting_at", "ending_at"))
    except (KeyError, ValueError):
        raise RefusedError(error(400, "invalid_request_error", "starting_at: invalid")) from None
    earliest = max(now - timedelta(days=365), datetime(2026, 1, 1, tzinfo=UTC))
    if first < earliest.replace(hour=0, minute=0) or not first < end <= first + timedelta(days=31):
        raise RefusedError(error(400, "invalid_request_error", "starting_at: out of range"))
    if groups and query.get("time_bucket_width") != ["1d"]:
        raise RefusedError(error(400, "invalid_request_error", "time_bucket_width: expected"))
    if not 1 <= int(query.get("limit", ["20"])[0]) <= _MOST_ROWS:
        raise RefusedError(error(400, "invalid_request_error", "limit: out of range"))
    return first.date(), end.date(), groups


def _page(query: dict[str, list[str]]) -> int:
    if "page" not in query:
        return 0
    told = json.loads(base64.urlsafe_b64decode(query["page"][0]))
    if told["query"] != _fingerprint(query):
        raise RefusedError(error(400, "invalid_request_error", "page: belongs to another query"))
    return told["at"]


def _token(query: dict[str, list[str]], at: int) -> str:
    return base64.urlsafe_b64encode(json.dumps({"at": at, "query": _fingerprint(query)}).encode()).decode()


def _fingerprint(query: dict[str, list[str]]) -> str:
    asked = {key: value for key, value in sorted(query.items()) if key != "page"}
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:16]


def _group(token_type: str | None) -> dict[str, Any]:
    return {
        "model": "claude-opus-5-5",
        "workspace_id": "wrkspc_LOOPBACK",
        "service_tier": "standard",
        "context_window": "0-200k",
        "speed": "standard",
        "cost_type": "tokens" if token_type else None,
        "token_type": token_type,
    }


def _figures(kind: str, cents: str) -> dict[str, Any]:
    if kind == "cost":
        return {"cost": {"amount": cents, "currency": "USD", "list_amount": cents, "requests": None}}
    return {
        "usage": {
            "uncached_input_tokens": 100,
            "cache_read_input_tokens": 10,
            "cache_creation": {"ephemeral_5m_input_tokens": 5, "ephemeral_1h_input_tokens": 0},
            "output_tokens": 20,
            "total_tokens": 135,
            "requests": 3,
            "server_tool_use": {"web_search_requests": 0},
        }
    }


def _stamp(day: date) -> str:
    return f"{day}T00:00:00Z"
