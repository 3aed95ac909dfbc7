"""OpenAI's organization costs and usage on the loopback, in the shapes of its specification.

Strict: the admin key, the parameters of each path, the range of `limit`, and page tokens that are bound to the query
they came from. Amounts are written with all their digits.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.loopback.server import Answer, Loopback, RefusedError, Request

KEY = "sk-admin-LOOPBACK-0123456789abcdef"
DAY = 86_400
_COMMON = {"start_time", "end_time", "bucket_width", "limit", "page", "group_by[]"}
_GROUPS = {
    "costs": {"project_id", "line_item", "api_key_id", "user_id", "api_source"},
    "completions": {"project_id", "user_id", "api_key_id", "model", "batch", "service_tier", "api_source"},
    "vector_stores": {"project_id"},
    "code_interpreter_sessions": {"project_id"},
    "file_search_calls": {"project_id", "user_id", "api_key_id", "vector_store_id"},
}
_BY_MODEL = {"project_id", "user_id", "api_key_id", "model"}
_KINDS = (
    "embeddings", "moderations", "images", "audio_speeches", "audio_transcriptions", "web_search_calls",
)  # fmt: skip


def error(status: int, message: str, code: str | None = None) -> Answer:
    """OpenAI's shape of an error."""
    body = {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}
    return Answer(status, json.dumps(body).encode())


class OpenAILoopback(Loopback):
    """An organization. `costs` and `usage` hold its results by day; amounts are decimal strings."""

    def __init__(self, now: datetime) -> None:
        super().__init__(now)
        self.key = KEY
        #: How the answers' headers name the organization.
        self.named = {"openai-organization": "org-loopback"}
        self.costs: dict[date, list[dict[str, Any]]] = {}
        self.usage: dict[date, list[dict[str, Any]]] = {}
        #: Called with the buckets of a page and the page's number, to leave out or repeat one.
        self.tamper: Callable[[list[dict[str, Any]]], list[dict[str, Any]]] = lambda buckets: buckets

    def answer(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"Bearer {self.key}":
            shown = request.headers.get("authorization", "")[-4:]
            raise RefusedError(error(401, f"Incorrect API key provided: sk-admin-****{shown}.", "invalid_api_key"))
        kind = self._kind(request.path)
        known = _GROUPS.get(kind, _BY_MODEL)
        start, end, limit, groups = self._parameters(kind, request.query, known)
        first = self._page(request.query, start)
        last = min(first + limit * DAY, end)
        buckets = [self._bucket(kind, at, groups) for at in range(first, last, DAY)]
        more = last < end
        token = self._token(request.query, last) if more else None
        page = {"object": "page", "data": self.tamper(buckets), "has_more": more, "next_page": token}
        return Answer(200, exactly(page), self.named)

    def _kind(self, path: str) -> str:
        kind = path.removeprefix("/v1/organization/").removeprefix("usage/")
        if path == "/v1/organization/costs" or (
            path.startswith("/v1/organization/usage/") and (kind in _GROUPS or kind in _KINDS)
        ):
            return kind
        raise RefusedError(error(404, f"Invalid URL (GET {path})"))

    def _parameters(self, kind: str, query: dict[str, list[str]], known: set[str]) -> tuple[int, int, int, list[str]]:
        if unknown := query.keys() - _COMMON:
            raise RefusedError(error(400, f"Unknown parameter: {sorted(unknown)}"))
        groups = query.get("group_by[]", [])
        if not set(groups) <= known:
            raise RefusedError(error(400, f"Invalid group_by: {groups}"))
        most = 180 if kind == "costs" else 31
        if query.get("bucket_width", ["1d"]) != ["1d"]:
            raise RefusedError(error(400, "Invalid bucket_width"))
        try:
            start, end = int(query["start_time"][0]), int(query["end_time"][0])
            limit = int(query.get("limit", ["7"])[0])
        except (KeyError, ValueError):
            raise RefusedError(error(400, "Missing required parameter: 'start_time'.")) from None
        if not (start < end and 1 <= limit <= most):
            raise RefusedError(error(400, "Invalid start_time, end_time or limit"))
        return start, end, limit, groups

    def _page(self, query: dict[str, list[str]], start: int) -> int:
        if "page" not in query:
            return start
        try:
            told = json.loads(base64.urlsafe_b64decode(query["page"][0].removeprefix("page_")))
        except ValueError:
            raise RefusedError(error(400, "Invalid page token.")) from None
        if told["query"] != _fingerprint(query):
            raise RefusedError(error(400, "The page token belongs to another query."))
        return told["at"]

    def _token(self, query: dict[str, list[str]], at: int) -> str:
        told = json.dumps({"at": at, "query": _fingerprint(query)}).encode()
        return "page_" + base64.urlsafe_b64encode(told).decode()

    def _bucket(self, kind: str, at: int, groups: list[str]) -> dict[str, Any]:
        day = datetime.fromtimestamp(at, UTC).date()
        if day > self.now.date():
            results: list[dict[str, Any]] = []
        elif kind == "costs":
            results = grouped(self.costs.get(day, []), groups)
        else:
            results = self.usage.get(day, []) if kind == "completions" else []
        return {"object": "bucket", "start_time": at, "end_time": at + DAY, "results": results}


def grouped(lines: list[dict[str, Any]], groups: list[str]) -> list[dict[str, Any]]:
    """Cost lines summed over the fields they are not grouped by, as the API answers them."""
    sums: dict[tuple[Any, ...], Decimal] = {}
    for line in lines:
        key = tuple(line.get(g) for g in groups)
        sums[key] = sums.get(key, Decimal(0)) + Decimal(line["value"])
    fields = ("line_item", "project_id", "api_key_id", "user_id", "api_source")
    return [
        {
            "object": "organization.costs.result",
            "amount": {"value": f"@@{value:f}@@", "currency": "usd"},
            **{name: dict(zip(groups, key, strict=True)).get(name) for name in fields},
            "quantity": None,
            "quantity_unit": None,
        }
        for key, value in sums.items()
    ]


def exactly(value: object) -> bytes:
    """JSON in which a text `@@1.23@@` is written as the number 1.23."""
    return re.sub(rb'"@@(.*?)@@"', rb"\1", json.dumps(value).encode())


def organization(now: datetime, days: int, start: int = 0) -> OpenAILoopback:
    """An organization that spent something on each of the last days, with amounts of more digits than a double has."""
    api = OpenAILoopback(now)
    for back in range(start, days):
        day = now.date() - timedelta(days=back)
        api.costs[day] = [
            {"line_item": item, "project_id": project, "api_key_id": None, "value": f"{back + 1}.{digits}{back:04}"}
            for project in ("proj_a", "proj_b")
            for item, digits in (("gpt-5.5, input", "00000000012"), ("gpt-5.5, output", "12345678901"))
        ]
        api.usage[day] = [
            {
                "object": "organization.usage.completions.result",
                "input_tokens": 1_000 + back,
                "input_cached_tokens": 10,
                "output_tokens": 100,
                "num_model_requests": 3,
                "project_id": project,
                "api_key_id": None,
                "user_id": None,
                "model": "gpt-5.5",
                "batch": False,
                "service_tier": "default",
            }
            for project in ("proj_a", "proj_b")
        ]
    return api


def _fingerprint(query: dict[str, list[str]]) -> str:
    asked = {key: value for key, value in sorted(query.items()) if key != "page"}
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:16]
