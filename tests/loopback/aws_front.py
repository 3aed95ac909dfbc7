"""AWS on this machine: moto's S3 and CloudWatch behind a front that is as strict as AWS about who asks what.

The front checks the signature and clock of every request, keeps the trust policies of roles, refuses actions by name,
answers for the services that moto lacks (Data Exports, Bedrock's lists) or does not check (STS, Cost Explorer), and
breaks things on demand. Shapes and errors after botocore's service models.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.server import ThreadedMotoServer

from tests.loopback.server import Answer, Loopback, Request

VENDOR = "999988887777"
CUSTOMER = "111122223333"
_SKEW = timedelta(minutes=5)


@dataclass
class Role:
    """A role's trust policy; `external_id` None: the condition is missing."""

    trusts: str = VENDOR
    external_id: str | None = None


@dataclass
class Fault:
    """What goes wrong with requests for `action`: an error, or a body that ends early."""

    action: str
    status: int = 0
    code: str = ""
    message: str = ""
    times: int = 1


@dataclass
class Aws:
    """What the loopback AWS holds; `now` is its clock."""

    now: datetime | None = None
    keys: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    denied: dict[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    called: list[str] = field(default_factory=list)
    costs: dict[date, Decimal] = field(default_factory=dict)
    days_a_page: int = 400
    exports: list[dict[str, Any]] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    profiles: list[dict[str, Any]] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)

    def clock(self) -> datetime:
        return self.now or datetime.now(UTC)


class RefusalError(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@dataclass(frozen=True)
class AwsRequest(Request):
    """What came in, with its method, target and body."""

    method: str = ""
    target: str = ""
    body: bytes = b""


class AwsFront(Loopback):
    """The running server; a context manager."""

    def __init__(self, now: datetime | None = None) -> None:
        super().__init__(now or datetime.now(UTC))
        self._server.RequestHandlerClass = type("Handler", (_Handler,), {"api": self})  # type: ignore[assignment]
        self.state = Aws()
        self.moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)

    def __enter__(self) -> Self:
        self.moto.start()
        _, self.moto_port = self.moto.get_host_and_port()
        return super().__enter__()

    def __exit__(self, *reason: object) -> None:
        super().__exit__(*reason)
        self.moto.stop()

    @property
    def moto_url(self) -> str:
        return f"http://127.0.0.1:{self.moto_port}"

    def reset(self) -> None:
        """Everything empty, with the vendor's own key in place."""
        connection = HTTPConnection("127.0.0.1", self.moto_port)
        connection.request("POST", "/moto-api/reset")
        connection.getresponse().read()
        connection.close()
        self.state = Aws()
        self.faults.clear()
        self.requests.clear()
        self.state.keys["AKIAVENDOR"] = ("vendor-secret", f"arn:aws:iam::{VENDOR}:user/spendproof", "")

    def answer(self, request: Request) -> Answer:
        assert isinstance(request, AwsRequest)
        header = request.headers.get("authorization", "")
        scope = header.split("/")
        service = scope[3] if len(scope) > 3 else "s3"
        self.state.now = self.state.now or (self.now if abs(self.now - datetime.now(UTC)) > _SKEW else None)
        try:
            caller = self._caller(service, header, request)
            action = _action(service, request)
            self.state.called.append(action)
            self._refuse(action, caller)
            cut = next((f for f in self.state.faults if f.action == action and not f.status), None)
            found = self._answered(service, action, request, caller)
        except RefusalError as refusal:
            return _error(service, refusal)
        if cut is None:
            return found
        cut.times -= 1
        if not cut.times:
            self.state.faults.remove(cut)
        return replace(found, sent=0.5)

    def _caller(self, service: str, header: str, asked: AwsRequest) -> str:
        """The ARN of who asks; the signature and its time must hold."""
        if not header.startswith("AWS4-HMAC-SHA256 "):
            raise RefusalError(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
        parts = dict(part.strip().split("=", 1) for part in header.removeprefix("AWS4-HMAC-SHA256 ").split(","))
        key, _, region, _, _ = parts["Credential"].split("/")
        if key not in self.state.keys:
            code = "InvalidAccessKeyId" if service == "s3" else "UnrecognizedClientException"
            code = "InvalidClientTokenId" if service == "sts" else code
            raise RefusalError(403, code, "The security token included in the request is invalid.")
        secret, arn, token = self.state.keys[key]
        if token and asked.headers.get("x-amz-security-token") != token:
            raise RefusalError(403, "ExpiredTokenException", "The security token included in the request is expired")
        stamp = asked.headers["x-amz-date"]
        sent = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if abs(self.state.clock() - sent) > _SKEW:
            if service == "s3":
                raise RefusalError(403, "RequestTimeTooSkewed", "The difference between the request time is too large.")
            raise RefusalError(
                403, "SignatureDoesNotMatch", f"Signature expired: {stamp} is now earlier than the window"
            )
        signed = {name: asked.headers[name] for name in parts["SignedHeaders"].split(";")}
        url = f"http://{asked.headers['host']}{asked.target}"
        request = AWSRequest(asked.method, url, headers=signed, data=asked.body)
        request.context["timestamp"] = stamp
        auth = (S3SigV4Auth if service == "s3" else SigV4Auth)(Credentials(key, secret, token), service, region)
        expected = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
        if not secrets.compare_digest(expected, parts["Signature"]):
            canonical = f"The Canonical String should have been x-amz-security-token:{token}"
            raise RefusalError(403, "SignatureDoesNotMatch", f"The request signature does not match. {canonical}")
        return arn

    def _refuse(self, action: str, caller: str) -> None:
        if action in self.state.denied:
            because = self.state.denied[action] or f"because no identity-based policy allows the {action} action"
            code = "AccessDenied" if action.startswith(("s3:", "sts:")) else "AccessDeniedException"
            raise RefusalError(403, code, f"User: {caller} is not authorized to perform: {action} {because}")
        for fault in self.state.faults:
            if fault.action == action and fault.status:
                fault.times -= 1
                if not fault.times:
                    self.state.faults.remove(fault)
                raise RefusalError(fault.status, fault.code, fault.message)

    def _answered(self, service: str, action: str, request: AwsRequest, caller: str) -> Answer:
        if service in {"s3", "monitoring"}:
            return self._forwarded(request)
        if service == "sts":
            return Answer(200, _sts(self.state, action, parse_qs(request.body.decode()), caller), _XML)
        given = {k: v[0] for k, v in request.query.items()} if service == "bedrock" else {}
        answer = _JSON[action](self.state, json.loads(request.body) if request.body else given)
        return Answer(200, json.dumps(answer).encode())

    def _forwarded(self, request: AwsRequest) -> Answer:
        connection = HTTPConnection("127.0.0.1", self.moto_port)
        connection.request(request.method, request.target, request.body, dict(request.headers))
        response = connection.getresponse()
        body = response.read()
        dropped = {"connection", "server", "date"} | (set() if request.method == "HEAD" else {"content-length"})
        headers = {k: v for k, v in response.getheaders() if k.lower() not in dropped}
        connection.close()
        return Answer(response.status, body, headers)


_XML = {"Content-Type": "text/xml"}


class _Handler(BaseHTTPRequestHandler):
    """Any method, with a body either way; otherwise as the loopback's own."""

    api: AwsFront
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = urlsplit(self.path)
        query = parse_qs(parts.query, keep_blank_values=True)
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.api.handle(AwsRequest(parts.path, query, headers, self.command, self.path, body))
        if answer.reset:
            self.close_connection = True
            return
        self.send_response_only(answer.status)
        self.send_header("Date", format_datetime(self.api.state.clock(), usegmt=True))
        for name, value in ({"Content-Type": "application/x-amz-json-1.1"} | answer.headers).items():
            self.send_header(name, value)
        given = {name.lower() for name in answer.headers}
        if not answer.stated:
            self.send_header("Connection", "close")
        elif "content-length" not in given:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body[: int(len(answer.body) * answer.sent)])
        self.close_connection = answer.sent < 1 or not answer.stated

    do_HEAD = do_POST = do_PUT = do_GET  # noqa: N815 - the names that http.server looks for

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Silence."""


def _action(service: str, request: AwsRequest) -> str:
    target = request.headers.get("x-amz-target", "").rpartition(".")[2]
    if service == "monitoring":
        return f"cloudwatch:{target or request.path.rpartition('/')[2]}"
    if service == "sts":
        return f"sts:{parse_qs(request.body.decode())['Action'][0]}"
    if service == "bedrock":
        kinds = {"/foundation-models": "ListFoundationModels", "/inference-profiles": "ListInferenceProfiles"}
        return f"bedrock:{kinds[request.path]}"
    if service == "s3":
        return "s3:ListBucket" if len([p for p in request.path.split("/") if p]) == 1 else "s3:GetObject"
    return f"{service}:{target}"


def _error(service: str, refusal: RefusalError) -> Answer:
    code, message = refusal.code, refusal.message
    if service == "s3":
        return Answer(refusal.status, f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode(), _XML)
    if service == "sts":
        inner = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        return Answer(refusal.status, f"<ErrorResponse>{inner}<RequestId>r</RequestId></ErrorResponse>".encode(), _XML)
    body = json.dumps({"__type": code, "message": message}).encode()
    return Answer(refusal.status, body, {"x-amzn-errortype": code})


def _sts(state: Aws, action: str, asked: Mapping[str, list[str]], caller: str) -> bytes:
    if action == "sts:GetCallerIdentity":
        account = caller.split(":")[4]
        inner = f"<Arn>{caller}</Arn><UserId>U</UserId><Account>{account}</Account>"
        result = "GetCallerIdentity"
    else:
        inner, result = _assume(state, {k: v[0] for k, v in asked.items()}, caller), "AssumeRole"
    space = "https://sts.amazonaws.com/doc/2011-06-15/"
    return (
        f'<{result}Response xmlns="{space}"><{result}Result>{inner}</{result}Result>'
        f"<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></{result}Response>"
    ).encode()


def _assume(state: Aws, asked: Mapping[str, str], caller: str) -> str:
    role = state.roles.get(asked["RoleArn"])
    wrong = role is None or role.trusts != caller.split(":")[4]
    if wrong or (role and role.external_id is not None and asked.get("ExternalId") != role.external_id):
        raise RefusalError(
            403,
            "AccessDenied",
            f"User: {caller} is not authorized to perform: sts:AssumeRole on resource: {asked['RoleArn']}",
        )
    if int(asked["DurationSeconds"]) > 3600 or len(asked["RoleSessionName"]) < 2:
        raise RefusalError(400, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration")
    key, secret, token = f"ASIA{secrets.token_hex(4)}", secrets.token_hex(8), secrets.token_hex(16)
    name = asked["RoleArn"].rpartition("/")[2]
    account = asked["RoleArn"].split(":")[4]
    arn = f"arn:aws:sts::{account}:assumed-role/{name}/{asked['RoleSessionName']}"
    state.keys[key] = (secret, arn, token)
    end = state.clock() + timedelta(seconds=int(asked["DurationSeconds"]))
    return (
        f"<Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey>"
        f"<SessionToken>{token}</SessionToken><Expiration>{end:%Y-%m-%dT%H:%M:%SZ}</Expiration></Credentials>"
        f"<AssumedRoleUser><AssumedRoleId>A:s</AssumedRoleId><Arn>{arn}</Arn></AssumedRoleUser>"
    )


def _cost_and_usage(state: Aws, asked: dict[str, Any]) -> dict[str, Any]:
    mark = asked.pop("NextPageToken", None)
    query = json.dumps(asked, sort_keys=True)
    if mark is not None and state.tokens.get(mark) != query:
        raise RefusalError(400, "InvalidNextTokenException", "Invalid page token")
    start, end = (date.fromisoformat(asked["TimePeriod"][k]) for k in ("Start", "End"))
    today = state.clock().date()
    following = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    if end > following:
        raise RefusalError(400, "ValidationException", "end date past the beginning of next month")
    if start < (today.replace(day=1) - timedelta(days=14 * 31)).replace(day=1):
        raise RefusalError(400, "ValidationException", "You haven't enabled historical data beyond 14 months")
    if not asked["Metrics"] or asked["Granularity"] != "DAILY" or start >= end:
        raise RefusalError(400, "ValidationException", "The request is not valid")
    days = [start + timedelta(days=n) for n in range((end - start).days)]
    first = int(mark.partition("-")[0]) if mark else 0
    shown = days[first : first + state.days_a_page]
    answer: dict[str, Any] = {"ResultsByTime": [_day(state, day, asked["Metrics"], today) for day in shown]}
    if first + len(shown) < len(days):
        following_mark = f"{first + len(shown)}-{secrets.token_hex(4)}"
        state.tokens[following_mark] = query
        answer["NextPageToken"] = following_mark
    return answer


def _day(state: Aws, day: date, metrics: list[str], today: date) -> dict[str, Any]:
    amount = state.costs.get(day, Decimal(0))
    return {
        "TimePeriod": {"Start": day.isoformat(), "End": (day + timedelta(days=1)).isoformat()},
        "Total": {metric: {"Amount": f"{amount:f}", "Unit": "USD"} for metric in metrics},
        "Groups": [],
        "Estimated": (day.replace(day=1) + timedelta(days=37)) > today,
    }


def _export(state: Aws, asked: dict[str, Any]) -> dict[str, Any]:
    for export in state.exports:
        if export["ExportArn"] == asked["ExportArn"]:
            return {"Export": export["Export"], "ExportStatus": export["ExportStatus"]}
    raise RefusalError(400, "ResourceNotFoundException", "The export does not exist")


_JSON: dict[str, Any] = {
    "ce:GetCostAndUsage": _cost_and_usage,
    "bcm-data-exports:ListExports": lambda state, _: {
        "Exports": [
            {k: e[k] for k in ("ExportArn", "ExportStatus")} | {"ExportName": e["Export"]["Name"]}
            for e in state.exports
        ]
    },
    "bcm-data-exports:GetExport": _export,
    "bedrock:ListFoundationModels": lambda state, _: {
        "modelSummaries": [
            {"modelArn": f"arn:aws:bedrock:us-east-1::foundation-model/{m}", "modelId": m} for m in state.models
        ]
    },
    "bedrock:ListInferenceProfiles": lambda state, asked: {
        "inferenceProfileSummaries": [p for p in state.profiles if p["type"] == asked.get("type", "SYSTEM_DEFINED")]
    },
}
