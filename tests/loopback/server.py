"""A provider's API on the loopback: strict about requests, and failing on demand.

A subclass answers one request; faults are put in front of the answers, each for the request whose number it names.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Request:
    """What came in."""

    path: str
    query: dict[str, list[str]]
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """What goes out. `sent`: share of the body that is sent before the connection ends; `stated`: whether its length
    is stated beforehand."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    sent: float = 1.0
    stated: bool = True
    reset: bool = False


class RefusedError(Exception):
    """The request is not one that the real service would take."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.body.decode())
        self.answer = answer


@dataclass
class Fault:
    """What happens to requests number `first` to `last` (from 1) instead of, or to, their answer."""

    first: int
    last: int
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b'{"error": {"message": "The server had an error", "type": "server_error"}}'
    sent: float = 1.0
    stated: bool = True
    reset: bool = False


class Loopback:
    """One provider's API; used as a context manager."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        #: Seconds that every answer takes, for benchmarks.
        self.latency = 0.0
        self.faults: list[Fault] = []
        self.requests: list[Request] = []
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"api": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def answer(self, request: Request) -> Answer:
        """The answer of the real service."""
        raise NotImplementedError

    def fail(self, number: int = 1, *, times: int = 1, **fault: object) -> None:
        """Put a fault before the request that comes as `number`-th from now."""
        start = len(self.requests) + number
        self.faults.append(Fault(start, start + times - 1, **fault))  # type: ignore[arg-type]

    def handle(self, request: Request) -> Answer:
        """The answer with what goes wrong on the way."""
        time.sleep(self.latency)
        with self._lock:
            self.requests.append(request)
            number = len(self.requests)
            fault = next((f for f in self.faults if f.first <= number <= f.last), None)
            if fault is not None and fault.status:
                return Answer(fault.status, fault.body, fault.headers)
            try:
                found = self.answer(request)
            except RefusedError as refused:
                return refused.answer
        if fault is None:
            return found
        return Answer(found.status, found.body, found.headers, fault.sent, fault.stated, fault.reset)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    api: Loopback
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = parse_qs(parts.query, keep_blank_values=True)
        answer = self.api.handle(
            Request(parts.path, query, {name.lower(): value for name, value in self.headers.items()})
        )
        if answer.reset:
            self.close_connection = True
            return
        self.send_response_only(answer.status)
        self.send_header("Date", format_datetime(self.api.now, usegmt=True))
        self.send_header("Content-Type", "application/json")
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.stated:
            self.send_header("Content-Length", str(len(answer.body)))
        else:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer.body[: int(len(answer.body) * answer.sent)])
        self.close_connection = answer.sent < 1 or not answer.stated

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Silence."""
