"""AWS on this machine: moto's S3 and CloudWatch behind a front that is as strict as AWS about who asks what.

The front checks the signature and clock of every request, keeps the trust policies of roles, refuses actions by name,
answers for the services that moto lacks (Data Exports, Bedrock's lists) or does not check (STS, Cost Explorer), and
breaks things on demand. Shapes and errors after botocore's service models.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.server import ThreadedMotoServer

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
    months_a_page: int = 12
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


class AwsFront:
    """The running server; a context manager."""

    def __init__(self) -> None:
        self.state = Aws()
        self.moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)

    def __enter__(self) -> Self:
        self.moto.start()
        _, self.moto_port = self.moto.get_host_and_port()
        handler = type("Handler", (_Handler,), {"front": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
        self.moto.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

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
        self.state.keys["AKIAVENDOR"] = ("vendor-secret", f"arn:aws:iam::{VENDOR}:user/spendproof", "")


class _Handler(BaseHTTPRequestHandler):
    front: AwsFront
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._serve()

    do_HEAD = do_POST = do_PUT = do_GET  # noqa: N815 - the names that http.server looks for

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        header = self.headers.get("Authorization", "")
        scope = header.split("/")
        service = scope[3] if len(scope) > 3 else "s3"
        try:
            caller = self._caller(service, header, body)
            action = self._action(service, body)
            self.front.state.called.append(action)
            self._refuse(action, caller)
            cut = next((f for f in self.front.state.faults if f.action == action and not f.status), None)
            status, kind, answer, headers = self._answer(service, action, body, caller)
        except RefusalError as refusal:
            status, kind, answer, headers = _error(service, refusal)
            cut = None
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if cut:
            cut.times -= 1
            if not cut.times:
                self.front.state.faults.remove(cut)
            self.wfile.write(answer[: len(answer) // 2])
            self.wfile.flush()
            self.connection.shutdown(2)
            self.close_connection = True
            return
        self.wfile.write(answer)

    def _caller(self, service: str, header: str, body: bytes) -> str:
        """The ARN of who asks; the signature and its time must hold."""
        if not header.startswith("AWS4-HMAC-SHA256 "):
            raise RefusalError(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
        parts = dict(part.strip().split("=", 1) for part in header.removeprefix("AWS4-HMAC-SHA256 ").split(","))
        key, _, region, _, _ = parts["Credential"].split("/")
        state = self.front.state
        if key not in state.keys:
            code = "InvalidAccessKeyId" if service == "s3" else "UnrecognizedClientException"
            code = "InvalidClientTokenId" if service == "sts" else code
            raise RefusalError(403, code, "The security token included in the request is invalid.")
        secret, arn, token = state.keys[key]
        if token and self.headers.get("X-Amz-Security-Token") != token:
            raise RefusalError(403, "ExpiredTokenException", "The security token included in the request is expired")
        stamp = self.headers["X-Amz-Date"]
        sent = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if abs(state.clock() - sent) > _SKEW:
            if service == "s3":
                raise RefusalError(403, "RequestTimeTooSkewed", "The difference between the request time is too large.")
            raise RefusalError(
                403, "SignatureDoesNotMatch", f"Signature expired: {stamp} is now earlier than the window"
            )
        signed = {name: self.headers[name] for name in parts["SignedHeaders"].split(";")}
        request = AWSRequest(self.command, f"http://{self.headers['Host']}{self.path}", headers=signed, data=body)
        request.context["timestamp"] = stamp
        auth = (S3SigV4Auth if service == "s3" else SigV4Auth)(Credentials(key, secret, token), service, region)
        expected = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
        if not secrets.compare_digest(expected, parts["Signature"]):
            canonical = f"The Canonical String should have been x-amz-security-token:{token}"
            raise RefusalError(403, "SignatureDoesNotMatch", f"The request signature does not match. {canonical}")
        return arn

    def _action(self, service: str, body: bytes) -> str:
        target = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        if service == "monitoring":
            return f"cloudwatch:{target or self.path.rpartition('/')[2]}"
        if service == "sts":
            return f"sts:{parse_qs(body.decode())['Action'][0]}"
        if service == "bedrock":
            kinds = {"/foundation-models": "ListFoundationModels", "/inference-profiles": "ListInferenceProfiles"}
            return f"bedrock:{kinds[urlsplit(self.path).path]}"
        if service == "s3":
            bucket_only = len([p for p in urlsplit(self.path).path.split("/") if p]) == 1
            return "s3:ListBucket" if bucket_only else "s3:GetObject"
        return f"{service}:{target}"

    def _refuse(self, action: str, caller: str) -> None:
        state = self.front.state
        if action in state.denied:
            because = state.denied[action] or f"because no identity-based policy allows the {action} action"
            code = "AccessDenied" if action.startswith(("s3:", "sts:")) else "AccessDeniedException"
            raise RefusalError(403, code, f"User: {caller} is not authorized to perform: {action} {because}")
        for fault in state.faults:
            if fault.action == action and fault.status:
                fault.times -= 1
                if not fault.times:
                    state.faults.remove(fault)
                raise RefusalError(fault.status, fault.code, fault.message)

    def _answer(self, service: str, action: str, body: bytes, caller: str) -> tuple[int, str, bytes, dict[str, str]]:
        if service in {"s3", "monitoring"}:
            return self._forwarded(body)
        if service == "sts":
            return 200, "text/xml", _sts(self.front.state, action, parse_qs(body.decode()), caller), {}
        given = {k: v[0] for k, v in parse_qs(urlsplit(self.path).query).items()} if service == "bedrock" else {}
        answer = _JSON[action](self.front.state, json.loads(body) if body else given)
        return 200, "application/x-amz-json-1.1", json.dumps(answer).encode(), {}

    def _forwarded(self, body: bytes) -> tuple[int, str, bytes, dict[str, str]]:
        connection = HTTPConnection("127.0.0.1", self.front.moto_port)
        connection.request(self.command, self.path, body, dict(self.headers))
        response = connection.getresponse()
        answer = response.read()
        kept = {
            k: v for k, v in response.getheaders() if k.lower() not in {"content-type", "connection", "server", "date"}
        }
        kept = {k: v for k, v in kept.items() if k.lower() != "content-length" or self.command == "HEAD"}
        kept = {("Content-Length" if k.lower() == "content-length" else k): v for k, v in kept.items()}
        connection.close()
        return response.status, response.getheader("Content-Type", "text/plain"), answer, kept


def _error(service: str, refusal: RefusalError) -> tuple[int, str, bytes, dict[str, str]]:
    code, message = refusal.code, refusal.message
    if service == "s3":
        return (
            refusal.status,
            "application/xml",
            f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode(),
            {},
        )
    if service == "sts":
        inner = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        return (
            refusal.status,
            "text/xml",
            f"<ErrorResponse>{inner}<RequestId>r</RequestId></ErrorResponse>".encode(),
            {},
        )
    headers = {"x-amzn-errortype": code}
    return (
        refusal.status,
        "application/x-amz-json-1.1",
        json.dumps({"__type": code, "message": message}).encode(),
        headers,
    )


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
    if not asked["Metrics"] or asked["Granularity"] != "MONTHLY" or start >= end:
        raise RefusalError(400, "ValidationException", "The request is not valid")
    months = list[date]()
    while start < end:
        months.append(start)
        start = (start + timedelta(days=32)).replace(day=1)
    first = int(mark.partition("-")[0]) if mark else 0
    shown = months[first : first + state.months_a_page]
    answer: dict[str, Any] = {"ResultsByTime": [_month(state, month, asked["Metrics"], today) for month in shown]}
    if first + len(shown) < len(months):
        following_mark = f"{first + len(shown)}-{secrets.token_hex(4)}"
        state.tokens[following_mark] = query
        answer["NextPageToken"] = following_mark
    return answer


def _month(state: Aws, month: date, metrics: list[str], today: date) -> dict[str, Any]:
    end = (month + timedelta(days=32)).replace(day=1)
    amount = sum((cost for day, cost in state.costs.items() if month <= day < end), Decimal(0))
    return {
        "TimePeriod": {"Start": month.isoformat(), "End": end.isoformat()},
        "Total": {metric: {"Amount": f"{amount:f}", "Unit": "USD"} for metric in metrics},
        "Groups": [],
        "Estimated": end + timedelta(days=5) > today,
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
