"""Azure on the loopback: Microsoft Entra, Resource Manager, Cost Management, Azure Monitor, and Azurite behind it all.

Requests come as `/HOST/PATH` (`Redirected` sends them so). Each must carry a token that Entra gave for that host's
audience and that has not run out; shapes follow the official REST examples (2025-03-01) and the SDKs' own requests.
Actions can be denied by name, as role assignments do.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from http.client import HTTPSConnection
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from azure.core.pipeline.transport import RequestsTransport

from tests.loopback.azure_storage import ACCOUNT, Azurite
from tests.loopback.server import Answer, Loopback, RefusedError, Request

TENANT = "11111111-2222-3333-4444-555555555555"
CLIENT = "66666666-7777-8888-9999-000000000000"
SUBSCRIPTION = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
SCOPE = f"/subscriptions/{SUBSCRIPTION}"
SECRET = "the-value~of.the-secret"  # noqa: S105 - of the loopback
ENTRA, ARM = "login.microsoftonline.com", "management.azure.com"
STORE = f"{ACCOUNT}.blob.core.windows.net"
_COSTS = r"(/.+)/providers/Microsoft\.CostManagement"
_WANTED = {"ModelDeploymentName", "ModelName", "ModelVersion"}


class Redirected(RequestsTransport):
    """Carries what is meant for Azure to the loopback; everything above it is the SDKs' own."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def send(self, request: Any, **given: Any) -> Any:  # type: ignore[override]
        parts = urlsplit(request.url)
        if parts.scheme == "https":
            request.url = f"{self._url}/{parts.netloc}{parts.path}" + (f"?{parts.query}" if parts.query else "")
        return super().send(request, **given)


@dataclass(frozen=True)
class AzureRequest(Request):
    """What came in, with its method, target and body; `path` is without the host."""

    method: str = ""
    host: str = ""
    target: str = ""
    body: bytes = b""


@dataclass
class Azure:
    """What the loopback Azure holds."""

    secret: str = SECRET
    #: Error code and words of Entra, in place of a token.
    entra: tuple[int, str] | None = None
    denied: set[str] = field(default_factory=set)
    #: Status, code and words, by a pattern of `METHOD host/path`.
    errors: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    costs: dict[date, Decimal] = field(default_factory=dict)
    currency: str = "USD"
    rows_a_page: int = 1
    queries: list[dict[str, Any]] = field(default_factory=list)
    exports: list[dict[str, Any]] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)
    #: Resources with their region, and their metrics by hour, labels and name.
    accounts: dict[str, str] = field(default_factory=dict)
    defined: tuple[str, ...] = ("ProcessedPromptTokens", "GeneratedTokens", "AzureOpenAIRequests")
    points: list[tuple[str, datetime, dict[str, str], str, float]] = field(default_factory=list)
    called: list[str] = field(default_factory=list)
    lifetime: int = 3600


class AzureFront(Loopback):
    """The running server; a context manager."""

    def __init__(self, azurite: Azurite, now: datetime | None = None) -> None:
        super().__init__(now or datetime.now(UTC))
        self._server.RequestHandlerClass = type("Handler", (_Handler,), {"api": self})  # type: ignore[assignment]
        self.azurite, self.state = azurite, Azure()

    def reset(self) -> None:
        """Everything empty."""
        self.state = Azure()
        self.faults.clear()
        self.requests.clear()
        self.azurite.clear()

    def transport(self) -> Redirected:
        return Redirected(self.url)

    def answer(self, request: Request) -> Answer:
        assert isinstance(request, AzureRequest)
        for pattern, error in self.state.errors.items():
            if re.search(pattern, f"{request.method} {request.host}{request.path}"):
                raise _refused(request.host, *error)
        if request.host == ENTRA:
            return self._entra(request)
        self._signed_in(request)
        if request.host == STORE:
            self._allow(request, "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read")
            return self._blob(request)
        if request.host.endswith(".metrics.monitor.azure.com"):
            self._allow(request, "Microsoft.Insights/metrics/read")
            return _said(self._metrics(request))
        if request.host == ARM:
            return self._arm(request)
        raise AssertionError(request.host)

    def _entra(self, request: AzureRequest) -> Answer:
        if request.path == f"/{TENANT}/v2.0/.well-known/openid-configuration":
            root = f"https://{ENTRA}/{TENANT}"
            return _said(
                {
                    "token_endpoint": f"{root}/oauth2/v2.0/token",
                    "authorization_endpoint": f"{root}/oauth2/v2.0/authorize",
                    "issuer": f"{root}/v2.0",
                }
            )
        if request.path != f"/{TENANT}/oauth2/v2.0/token":
            said = {"error": "invalid_tenant", "error_description": "AADSTS90002: Tenant not found."}
            raise RefusedError(Answer(400, json.dumps(said).encode()))
        asked = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        assert asked["grant_type"] == "client_credentials"
        refusal = self.state.entra
        if refusal is None and asked["client_id"] != CLIENT:
            refusal = 700016, "Application was not found in the directory."
        if refusal is None and "client_assertion" in asked:
            claims = jwt.decode(asked["client_assertion"], options={"verify_signature": False})
            if claims["aud"] != "api://AzureADTokenExchange":
                refusal = 700212, "No matching federated identity record found for presented assertion audience."
        elif refusal is None and asked["client_secret"] != self.state.secret:
            refusal = 7000215, "Invalid client secret provided."
        if refusal is not None:
            said = {"error": "invalid_client", "error_description": f"AADSTS{refusal[0]}: {refusal[1]}"}
            raise RefusedError(Answer(401, json.dumps(said).encode()))
        now = int(time.time())
        claims = {
            "aud": asked["scope"].removesuffix("/.default"),
            "iss": f"https://sts.windows.net/{TENANT}/",
            "iat": now - 60,
            "nbf": now - 60,
            "exp": now + self.state.lifetime,
            "appid": CLIENT,
        }
        token = jwt.encode(claims, "x" * 32, algorithm="HS256")
        return _said({"token_type": "Bearer", "expires_in": self.state.lifetime, "access_token": token})

    def _signed_in(self, request: AzureRequest) -> None:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        try:
            claims = jwt.decode(token, options={"verify_signature": False})
        except jwt.InvalidTokenError:
            raise _refused(request.host, 401, "InvalidAuthenticationToken", "The access token is invalid.") from None
        host = "storage.azure.com" if request.host == STORE else request.host
        host = "metrics.monitor.azure.com" if host.endswith(".metrics.monitor.azure.com") else host
        wrong = kind != "Bearer" or claims["aud"] != f"https://{host}" or claims["exp"] < time.time()
        if wrong:
            raise _refused(request.host, 401, "ExpiredAuthenticationToken", "The access token expired.")

    def _allow(self, request: AzureRequest, action: str, scope: str = SCOPE) -> None:
        self.state.called.append(action)
        if action not in self.state.denied:
            return
        if request.host == STORE:
            words = "This request is not authorized to perform this operation using this permission."
            raise _refused(request.host, 403, "AuthorizationPermissionMismatch", words)
        words = (
            f"The client '{CLIENT}' with object id 'o' does not have authorization to perform action '{action}' over "
            f"scope '{scope}' or the scope is invalid. If access was recently granted, please refresh your credentials."
        )
        raise _refused(request.host, 403, "AuthorizationFailed", words)

    def _blob(self, request: AzureRequest) -> Answer:
        """Azurite's answer, to the token that came."""
        connection = HTTPSConnection("127.0.0.1", self.azurite.port, context=self.azurite.trust)
        headers = {k: v for k, v in request.headers.items() if k not in {"host", "connection", "accept-encoding"}}
        connection.request(request.method, f"/{ACCOUNT}{request.target}", request.body or None, headers)
        response = connection.getresponse()
        body = response.read()
        dropped = {"connection", "server", "date", "keep-alive", "transfer-encoding", "content-length"}
        kept = {k: v for k, v in response.getheaders() if k.lower() not in dropped}
        connection.close()
        return Answer(response.status, body, kept)

    def _arm(self, request: AzureRequest) -> Answer:
        path, version = request.path, request.query["api-version"][0]
        found = re.fullmatch(_COSTS + r"/(query|exports)(?:/([^/]+)/runHistory)?", path, re.IGNORECASE)
        if found:
            assert version == "2025-03-01" or "$skiptoken" in request.query
            scope, kind, name = found.groups()
            if scope != SCOPE:
                raise _refused(ARM, 404, "SubscriptionNotFound", "The subscription could not be found.")
            if kind.lower() == "query":
                self._allow(request, "Microsoft.CostManagement/query/action")
                return self._query(request)
            if name is None:
                self._allow(request, "Microsoft.CostManagement/exports/read")
                return _said({"value": self.state.exports})
            self._allow(request, "Microsoft.CostManagement/exports/runHistory/read")
            return _said({"value": self.state.runs})
        if path == f"{SCOPE}/providers/Microsoft.CognitiveServices/accounts":
            self._allow(request, "Microsoft.CognitiveServices/accounts/read")
            return _said({"value": [{"id": id_, "location": place} for id_, place in self.state.accounts.items()]})
        if path.endswith("/providers/Microsoft.Insights/metricDefinitions"):
            self._allow(request, "Microsoft.Insights/metricDefinitions/read")
            assert version == "2018-01-01"
            assert request.query["metricnamespace"] == ["Microsoft.CognitiveServices/accounts"]
            named = [{"value": name} for name in (*sorted(_WANTED), "Region")]
            values = [{"name": {"value": name}, "dimensions": named} for name in (*self.state.defined, "Latency")]
            return _said({"value": values})
        raise _refused(ARM, 404, "ResourceNotFound", f"Nothing at {path}.")

    def _query(self, request: AzureRequest) -> Answer:
        """The sum of the days by currency, a row a page, as long as the body stays the same."""
        asked = json.loads(request.body)
        self.state.queries.append(asked)
        assert request.method == "POST"
        assert request.headers["clienttype"]
        assert asked["type"] == "ActualCost"
        assert asked["timeframe"] == "Custom"
        assert asked["dataset"]["aggregation"] == {"Cost": {"name": "Cost", "function": "Sum"}}
        first, last = (datetime.fromisoformat(asked["timePeriod"][part]).date() for part in ("from", "to"))
        if first > last or last - first > timedelta(days=366):
            raise _refused(ARM, 400, "BadRequest", "The time period for pulling the data cannot exceed 1 year(s)")
        days = [cost for day, cost in self.state.costs.items() if first <= day <= last]
        # A second row of the same currency stands for a second page.
        rows = [[_Exact(cost), self.state.currency] for cost in days]
        start = int(request.query.get("$skiptoken", ["0"])[0])
        shown = rows[start : start + self.state.rows_a_page]
        link = None
        if start + len(shown) < len(rows):
            link = f"https://{ARM}{request.path}?api-version=2025-03-01&$skiptoken={start + len(shown)}"
        columns = [{"name": "Cost", "type": "Number"}, {"name": "Currency", "type": "String"}]
        return _said({"name": "q", "properties": {"columns": columns, "nextLink": link, "rows": shown}})

    def _metrics(self, request: AzureRequest) -> dict[str, Any]:
        """The batch API: https://learn.microsoft.com/rest/api/monitor/metrics-batch."""
        assert request.path == f"/subscriptions/{SUBSCRIPTION}/metrics:getBatch"
        assert request.query["metricnamespace"] == ["Microsoft.CognitiveServices/accounts"]
        assert (request.query["interval"], request.query["aggregation"]) == (["PT1H"], ["total"])
        wanted = {part.partition(" ")[0] for part in request.query["filter"][0].split(" and ")}
        names = request.query["metricnames"][0].split(",")
        unknown = set(names) - set(self.state.defined)
        if unknown or wanted != _WANTED or len(names) > 20:
            raise _refused(request.host, 400, "BadRequest", f"Failed to find metric configuration: {unknown}")
        start, end = (datetime.fromisoformat(request.query[name][0]) for name in ("starttime", "endtime"))
        top = int(request.query.get("top", ["10"])[0])
        region = request.host.partition(".")[0]
        values = list[dict[str, Any]]()
        for resource in json.loads(request.body)["resourceids"]:
            if self.state.accounts[resource] != region:
                raise _refused(request.host, 400, "BadRequest", f"{resource} is not in {region}")
            mine = [p for p in self.state.points if p[0] == resource and start <= p[1] < end]
            metrics = [_metric(name, (p for p in mine if p[3] == name), top) for name in names]
            values.append({"resourceid": resource, "resourceregion": region, "interval": "PT1H", "value": metrics})
        return {"values": values}


class _Exact(float):
    """A number that is written with the digits it was given."""

    def __new__(cls, value: Decimal) -> _Exact:  # noqa: PYI034 - of a float, which makes no subclass of itself
        made = super().__new__(cls, value)
        made.written = f"{value:f}"  # type: ignore[attr-defined]
        return made

    def __repr__(self) -> str:
        return str(self.written)  # type: ignore[attr-defined]


def _metric(name: str, points: Iterable[Any], top: int) -> dict[str, Any]:
    series: dict[tuple[tuple[str, str], ...], list[dict[str, Any]]] = {}
    for _, hour, labels, _, total in points:
        stamp = f"{hour:%Y-%m-%dT%H:%M:%SZ}"
        series.setdefault(tuple(sorted(labels.items())), []).append({"timeStamp": stamp, "total": total})
    # Labels come back in small letters, whatever was asked.
    shown = [
        {"metadatavalues": [{"name": {"value": k.lower()}, "value": v} for k, v in labels], "data": data}
        for labels, data in series.items()
    ]
    return {
        "id": f"x/{name}",
        "type": "Microsoft.Insights/metrics",
        "name": {"value": name},
        "displayDescription": "",
        "unit": "Count",
        "timeseries": shown[:top],
    }


def _said(body: dict[str, Any]) -> Answer:
    return Answer(200, _json(body).encode())


def _json(value: Any) -> str:
    """JSON in which exact numbers keep their digits."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)}: {_json(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_json(v) for v in value) + "]"
    return repr(value) if isinstance(value, _Exact) else json.dumps(value)


def _refused(host: str, status: int, code: str, message: str) -> RefusedError:
    if host == STORE:
        body = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
        return RefusedError(Answer(status, body.encode(), {"Content-Type": "application/xml", "x-ms-error-code": code}))
    return RefusedError(Answer(status, json.dumps({"error": {"code": code, "message": message}}).encode()))


class _Handler(BaseHTTPRequestHandler):
    """Any method, with a body either way; otherwise as the loopback's own."""

    api: AzureFront
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        _, host, rest = self.path.split("/", 2)
        parts = urlsplit(f"/{rest}")
        headers = {name.lower(): value for name, value in self.headers.items()}
        query = parse_qs(parts.query, keep_blank_values=True)
        request = AzureRequest(parts.path, query, headers, self.command, host, f"/{rest}", body)
        answer = self.api.handle(request)
        if answer.reset:
            self.close_connection = True
            return
        self.send_response_only(answer.status)
        self.send_header("Date", format_datetime(self.api.now, usegmt=True))
        for name, value in ({"Content-Type": "application/json"} | answer.headers).items():
            self.send_header(name, value)
        if answer.stated:
            self.send_header("Content-Length", str(len(answer.body)))
        else:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer.body[: int(len(answer.body) * answer.sent)])
        self.close_connection = answer.sent < 1 or not answer.stated

    do_POST = do_GET  # noqa: N815 - the name that http.server looks for

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Silence."""


def plain(request: Request) -> Request:
    """A request without what the SDKs make anew for each."""
    return replace(request, headers={})
