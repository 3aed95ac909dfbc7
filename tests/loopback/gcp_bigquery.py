"""BigQuery and Cloud Billing on the loopback, as far as a billing export needs: jobs, tables, rows, billing accounts.

Paths, parameters and shapes after Google's discovery documents (bigquery v2, cloudbilling v1). It takes the two queries
that the connector asks and refuses every other; results are kept as BigQuery keeps them, in a table of their own.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.loopback.server import Answer, Loopback, RefusedError, Request

TOKEN = "loopback-token"  # noqa: S105 - of the loopback
PROJECT = "acme-billing"
ACCOUNT = "01ABCD-234567-89ABCD"
TABLE = f"{PROJECT}.billing.gcp_billing_export_resource_v1_01ABCD_234567_89ABCD"


def text(name: str, mode: str = "NULLABLE") -> dict[str, Any]:
    return {"name": name, "type": "STRING", "mode": mode}


def typed(name: str, kind: str) -> dict[str, Any]:
    return {"name": name, "type": kind, "mode": "NULLABLE"}


def record(name: str, *fields: dict[str, Any], mode: str = "NULLABLE") -> dict[str, Any]:
    return {"name": name, "type": "RECORD", "mode": mode, "fields": list(fields)}


SCHEMA = [
    text("billing_account_id"),
    record("service", text("id"), text("description")),
    record("sku", text("id"), text("description")),
    typed("usage_start_time", "TIMESTAMP"),
    typed("usage_end_time", "TIMESTAMP"),
    record("project", text("id"), text("name")),
    record("labels", text("key"), text("value"), mode="REPEATED"),
    typed("export_time", "TIMESTAMP"),
    typed("cost", "FLOAT"),
    text("currency"),
    typed("currency_conversion_rate", "FLOAT"),
    record("usage", typed("amount", "FLOAT"), text("unit")),
    record("credits", text("type"), text("name"), typed("amount", "FLOAT"), mode="REPEATED"),
    record("invoice", text("month")),
    text("cost_type"),
    record("resource", text("name"), text("global_name")),
]
MONTHS = [text("month"), typed("newest", "TIMESTAMP")]


@dataclass(frozen=True)
class Posted(Request):
    """A request with its method and JSON body."""

    method: str = "GET"
    body: bytes = b""


class Google(Loopback):
    """Google's APIs; rows are dictionaries of the export's schema, timestamps are datetimes in UTC."""

    def __init__(self, now: datetime) -> None:
        super().__init__(now)
        self._server.RequestHandlerClass = type("Handler", (_Handler,), {"api": self})  # type: ignore[assignment]
        self.rows: list[dict[str, Any]] = []
        self.scanned = 50 * 1024**3
        self.jobs: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]]]] = {}
        self.errors: dict[str, tuple[int, str, str]] = {}
        self.account: dict[str, Any] = {"name": f"billingAccounts/{ACCOUNT}", "open": True, "displayName": "Acme"}
        self.token = TOKEN
        self.a_page = 3

    def answer(self, request: Request) -> Answer:
        assert isinstance(request, Posted)
        if request.headers.get("authorization") != f"Bearer {self.token}":
            raise refused(401, "authError", "Request had invalid authentication credentials.")
        for pattern, error in self.errors.items():
            if re.search(pattern, f"{request.method} {request.path}"):
                raise refused(error[0], error[1], error[2])
        if request.path.startswith("/v1/billingAccounts/"):
            return said(self.account | {"currencyCode": "USD"})
        path = request.path.removeprefix(f"/bigquery/v2/projects/{PROJECT}/")
        if request.method == "POST" and path == "jobs":
            return said(self._insert(json.loads(request.body)))
        if found := re.fullmatch(r"(?:jobs|queries)/([^/]+)", path):
            return said(self._job(found.group(1), results=path.startswith("queries")))
        if found := re.fullmatch(r"datasets/([^/]+)/tables/([^/]+)(/data)?", path):
            dataset, table, data = found.groups()
            if dataset == "_results":
                return said(self._data(table, request.query) if data else self._meta(dataset, table))
            if f"{PROJECT}.{dataset}.{table}" != TABLE:
                raise refused(404, "notFound", f"Not found: Table {PROJECT}:{dataset}.{table}")
            return said(self._meta(dataset, table))
        raise refused(404, "notFound", f"Not found: {request.path}")

    def _insert(self, body: dict[str, Any]) -> dict[str, Any]:
        query = body["configuration"]["query"]
        given = {p["name"]: p["parameterValue"]["value"] for p in query["queryParameters"]}
        if body["configuration"].get("dryRun"):
            created = str(int(self.now.timestamp() * 1000))
            statistics = {
                "creationTime": created,
                "totalBytesProcessed": str(self.scanned),
                "query": {"totalBytesProcessed": str(self.scanned)},
            }
            return {"status": {"state": "DONE"}, "statistics": statistics, **body, "jobReference": reference("dry")}
        if int(query["maximumBytesBilled"]) < self.scanned:
            raise refused(400, "bytesBilledLimitExceeded", "Query exceeded limit for bytes billed")
        job = body["jobReference"]["jobId"]
        self.jobs[job] = self._result(query["query"], given)
        return self._job(job, results=False) | {"configuration": self._configured(job, query)}

    def _configured(self, job: str, query: dict[str, Any]) -> dict[str, Any]:
        target = {"projectId": PROJECT, "datasetId": "_results", "tableId": job}
        return {"query": query | {"destinationTable": target}, "jobType": "QUERY"}

    def _result(self, sql: str, given: dict[str, str]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        if f"FROM `{TABLE}`" not in sql or "_PARTITIONTIME >= @since" not in sql:
            raise refused(400, "invalidQuery", "Syntax error: the query is not one of the connector's")
        if sql.startswith("SELECT * FROM") and sql.endswith("invoice.month = @month"):
            return SCHEMA, [row for row in self.rows if row["invoice"]["month"] == given["month"]]
        newest = dict[str, datetime]()
        for row in self.rows:
            month = row["invoice"]["month"]
            if month >= given["first"]:
                newest[month] = max(newest.get(month, row["export_time"]), row["export_time"])
        return MONTHS, [{"month": month, "newest": moment} for month, moment in newest.items()]

    def _job(self, job: str, *, results: bool) -> dict[str, Any]:
        if job not in self.jobs:
            raise refused(404, "notFound", f"Not found: Job {PROJECT}:US.{job}")
        schema, rows = self.jobs[job]
        if results:
            shown = {"jobComplete": True, "totalRows": str(len(rows)), "schema": {"fields": schema}}
            return shown | {"jobReference": reference(job)}
        statistics = {"query": {"statementType": "SELECT"}, "totalBytesProcessed": str(self.scanned)}
        configuration = self._configured(job, {"query": "", "useLegacySql": False})
        state = {"status": {"state": "DONE"}, "jobReference": reference(job)}
        return state | {"configuration": configuration, "statistics": statistics, "id": f"{PROJECT}:US.{job}"}

    def _meta(self, dataset: str, table: str) -> dict[str, Any]:
        schema, rows = self.jobs[table] if dataset == "_results" else (SCHEMA, self.rows)
        target = {"projectId": PROJECT, "datasetId": dataset, "tableId": table}
        return {"tableReference": target, "schema": {"fields": schema}, "numRows": str(len(rows)), "location": "US"}

    def _data(self, table: str, query: dict[str, list[str]]) -> dict[str, Any]:
        schema, rows = self.jobs[table]
        asked = {name: values[0] for name, values in query.items()}
        start = int(asked["pageToken"].partition("@")[2]) if "pageToken" in asked else int(asked.get("startIndex", 0))
        if "pageToken" in asked and asked["pageToken"].partition("@")[0] != table:
            raise refused(400, "invalid", "Invalid page token")
        shown = rows[start : start + min(self.a_page, int(asked.get("maxResults", len(rows))))]
        answer: dict[str, Any] = {"totalRows": str(len(rows)), "rows": [{"f": cells(schema, row)} for row in shown]}
        if start + len(shown) < len(rows):
            answer["pageToken"] = f"{table}@{start + len(shown)}"
        return answer


def reference(job: str) -> dict[str, str]:
    return {"projectId": PROJECT, "jobId": job, "location": "US"}


def cells(schema: list[dict[str, Any]], row: dict[str, Any]) -> list[dict[str, Any]]:
    """A row as BigQuery writes it: `f` and `v`, every scalar a text, a moment in microseconds."""
    return [{"v": cell(field, row.get(field["name"]))} for field in schema]


def cell(field: dict[str, Any], value: Any) -> Any:
    if field["mode"] == "REPEATED":
        return [{"v": cell(field | {"mode": "NULLABLE"}, item)} for item in value or []]
    if value is None:
        return None
    if field["type"] == "RECORD":
        return {"f": cells(field["fields"], value)}
    if isinstance(value, datetime):
        return str(int(value.replace(tzinfo=UTC).timestamp() * 1_000_000))
    return str(value)


def said(body: dict[str, Any]) -> Answer:
    return Answer(200, json.dumps(body).encode())


def refused(status: int, reason: str, message: str) -> RefusedError:
    body = {"error": {"code": status, "message": message, "errors": [{"reason": reason, "message": message}]}}
    return RefusedError(Answer(status, json.dumps(body).encode()))


class _Handler(BaseHTTPRequestHandler):
    """GET and POST; otherwise as the loopback's own."""

    api: Google
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.api.handle(Posted(parts.path, parse_qs(parts.query), headers, self.command, body))
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
