"""Google Cloud live: invoice months from a billing export, priced before they are read, against a loopback BigQuery."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import Forbidden, NotFound
from google.auth.exceptions import DefaultCredentialsError, RefreshError
from google.cloud import bigquery, billing_v1
from google.oauth2.credentials import Credentials

from connectors.errors import BudgetError, SourceError, StaleResumeError
from connectors.gcp import setup
from connectors.gcp.live import Clients, GcpSource
from connectors.gcp.live_errors import error_of
from connectors.gcp.live_session import credentials
from connectors.gcp.live_table import Table
from connectors.importing import import_files
from connectors.live import Access, Diagnosis, Meter, Stream, Window
from connectors.sources import Provider
from ledger.staging import Fetched
from tests.ledgers import open_lake
from tests.live_contract import Case, Desk, LiveContract
from tests.loopback.gcp_bigquery import ACCOUNT, PROJECT, TABLE, TOKEN, Google

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def google() -> Iterator[Google]:
    with Google(NOW) as server:
        server.rows = [
            charge("202610", 3, "10.5"),
            charge("202611", 2, "4.25", credit="-0.25"),
            charge("202611", 4, "1"),
        ]
        yield server


def charge(month: str, day: int, cost: str, *, credit: str | None = None, export: datetime = NOW) -> dict[str, Any]:
    start = datetime(int(month[:4]), int(month[4:]), day, 10, tzinfo=UTC)
    return {
        "billing_account_id": ACCOUNT,
        "service": {"id": "C7E2-9256-1C43", "description": "Vertex AI"},
        "sku": {"id": "7EBE-3B46-F75C", "description": "Gemini 3 Flash Text Input - Predictions"},
        "usage_start_time": start,
        "usage_end_time": start + timedelta(hours=1),
        "project": {"id": "app", "name": "App"},
        "labels": [{"key": "team", "value": "search"}],
        "export_time": export,
        "cost": float(cost),
        "currency": "USD",
        "currency_conversion_rate": 1.0,
        "usage": {"amount": 1000.0, "unit": "count"},
        "credits": [{"type": "PROMOTION", "name": "p", "amount": float(credit)}] if credit else [],
        "invoice": {"month": month},
        "cost_type": "regular",
        "resource": {"name": "r", "global_name": "//x/r"},
    }


def source(
    server: Google, *, meter: Meter | None = None, waits: list[float] | None = None, rows: int = 100_000, **values: str
) -> GcpSource:
    slept = [] if waits is None else waits
    access = Access({"table": TABLE, "key": TOKEN} | values, meter or Meter(), slept.append, lambda: NOW)
    return opened(server, rows, access)


def opened(server: Google, rows: int, access: Access) -> GcpSource:
    held = Credentials(access.values["key"])
    options = ClientOptions(api_endpoint=server.url)
    clients = Clients(
        bigquery.Client(project=PROJECT, credentials=held, client_options=options),
        billing_v1.CloudBillingClient(credentials=held, transport="rest", client_options=options),
    )
    return GcpSource(access, clients, rows)


def window(days: int = 45) -> Window:
    return Window(NOW.date() - timedelta(days=days), NOW.date() + timedelta(days=1))


def billed(server: Google, folder: Path) -> dict[str, Decimal]:
    """What a ledger holds of every month after a fetch of all."""
    found = source(server)
    with open_lake(folder) as lake:
        for stream in found.streams(window()):
            place = folder / stream.name
            place.mkdir(parents=True, exist_ok=True)
            for page in found.pull(stream, None):
                (place / page.name).write_bytes(bytes(page.body))  # type: ignore[arg-type]
            fetched = Fetched(stream.name, stream.version, stream.window.first, stream.window.end)
            names = [str(path) for path in sorted(place.iterdir())]
            import_files(lake, names, format_name=stream.format, source="gcp-1", fetched=fetched, force=True)
        rows = lake.records("SELECT InvoiceId AS m, sum(BilledCost) AS b FROM charges GROUP BY ALL ORDER BY 1")
    return {row["m"]: row["b"] for row in rows}


def failed(steps: list[Diagnosis]) -> Diagnosis:
    return next(step for step in steps if step.passed is False)


def newest(server: Google) -> tuple[GcpSource, Stream]:
    found = source(server)
    return found, found.streams(window(5))[0]


def test_a_sound_connection_passes_every_step(google: Google) -> None:
    steps = source(google).diagnose()
    assert {step.passed for step in steps} == {True}, steps
    said = " ".join(step.message for step in steps)
    assert "detailed usage cost export, in US, with 3 rows" in said
    assert "50.00 GiB, 0.3052 USD at the list price of 6.25 USD a TiB" in said
    assert "2026-10 to 2026-11" in said
    assert f"{ACCOUNT} (Acme) is open, in USD" in said


def test_invoice_months_reach_the_ledger_with_their_credits(google: Google, tmp_path: Path) -> None:
    assert billed(google, tmp_path) == {"202610": Decimal("10.5"), "202611": Decimal(5)}


def test_months_are_streams_whose_version_is_the_newest_export(google: Google) -> None:
    found = source(google).streams(window())
    assert [(s.name, s.window, s.format) for s in found] == [
        ("charges-2026-11", Window(date(2026, 11, 1), date(2026, 12, 1)), "gcp-billing-detailed"),
        ("charges-2026-10", Window(date(2026, 10, 1), date(2026, 11, 1)), "gcp-billing-detailed"),
    ]
    google.rows.append(charge("202610", 5, "-1", export=NOW + timedelta(hours=3)))
    again = source(google).streams(window())
    assert again[0] == found[0]
    assert again[1].version != found[1].version


def test_a_corrected_month_is_replaced_whole(google: Google, tmp_path: Path) -> None:
    billed(google, tmp_path)
    google.rows.append(charge("202610", 5, "-1", export=NOW + timedelta(hours=3)))
    assert billed(google, tmp_path)["202610"] == Decimal("9.5")


def test_an_interrupted_fetch_goes_on_in_the_same_result_and_pays_once(google: Google) -> None:
    google.rows += [charge("202611", 5, str(n)) for n in range(1, 4)]
    _, stream = newest(google)
    meter = Meter()
    pages = list(source(google, meter=meter, rows=2).pull(stream, None))
    assert [page.name for page in pages] == [f"rows-{at:012}.parquet" for at in (0, 2, 4)]
    assert meter.paid == Decimal("6.25") * 50 / 1024
    again = Meter()
    rest = list(source(google, meter=again, rows=2).pull(stream, pages[0].resume))
    assert [(p.name, p.body, p.resume) for p in rest] == [(p.name, p.body, p.resume) for p in pages[1:]]
    assert again.paid == 0


def test_a_result_that_bigquery_no_longer_keeps_is_stale(google: Google) -> None:
    found, stream = newest(google)
    with pytest.raises(StaleResumeError, match="no longer keeps"):
        next(found.pull(stream, "US/gone:100000"))


def test_a_query_beyond_the_limit_is_not_run(google: Google) -> None:
    google.scanned = 300 * 1024**3
    found = source(google)
    with pytest.raises(SourceError, match=r"would read 300\.0 GiB \(1\.83 USD .* limit of 100 GiB; it was not run"):
        found.streams(window())
    assert google.jobs == {}
    assert len(source(google, limit_gib="400").streams(window())) == 2


def test_the_limit_of_paid_calls_holds(google: Google) -> None:
    with pytest.raises(BudgetError, match="BigQuery costs"):
        source(google, meter=Meter(Decimal("0.30"))).streams(window())
    assert google.jobs == {}


@pytest.mark.parametrize(
    "fault",
    [{"status": 500}, {"status": 429}, {"status": 503}, {"reset": True}, {"sent": 0.5}],
    ids=["500", "429", "503", "reset", "truncated"],
)
def test_what_breaks_in_passing_is_waited_for(google: Google, fault: dict[str, Any]) -> None:
    waits = list[float]()
    google.fail(2, times=2, **fault)
    found = source(google, waits=waits)
    assert len(list(found.pull(found.streams(window(5))[0], None))) == 1
    assert waits == [1, 2]


def test_a_wait_that_google_names_is_kept(google: Google) -> None:
    waits = list[float]()
    google.fail(2, status=429, headers={"Retry-After": "7"})
    source(google, waits=waits).streams(window())
    assert waits == [7]


def test_what_stays_broken_is_said(google: Google) -> None:
    google.fail(1, times=100, status=500)
    with pytest.raises(SourceError, match="status 500, 7 times in a row"):
        source(google).streams(window())


@pytest.mark.parametrize(
    ("place", "error", "step", "said"),
    [
        ("GET .*/tables/gcp", (404, "notFound", "Not found: Table x"), "Find the table", "There is no table"),
        ("GET .*/tables/gcp", (404, "notFound", "Not found: Dataset x"), "Find the table", "no such dataset"),
        (
            "GET .*/tables/gcp",
            (403, "accessDenied", "Access Denied: Permission bigquery.tables.get denied on table x"),
            "Find the table",
            "bigquery.tables.get is missing",
        ),
        (
            "POST .*/jobs",
            (403, "accessDenied", "Access Denied: User does not have bigquery.jobs.create permission in project x"),
            "Price a sync",
            "bigquery.jobs.create is missing",
        ),
        ("POST .*/jobs", (403, "accessDenied", "VPC Service Controls: Request is prohibited"), "Price", "perimeter"),
        (
            "POST .*/jobs",
            (403, "accessNotConfigured", "BigQuery API has not been used in project 1"),
            "Price",
            "API is not",
        ),
        (
            "POST .*/jobs",
            (403, "billingNotEnabled", "Billing has not been enabled for this project"),
            "Price",
            "billing account",
        ),
        ("POST .*/jobs", (403, "quotaExceeded", "Custom quota exceeded: quota for query usage"), "Price", "quota"),
        ("POST .*/jobs", (400, "invalidQuery", "Unrecognized name: _PARTITIONTIME"), "Price", "copy or a view"),
        ("GET .*/tables/gcp", (401, "authError", "Invalid credentials"), "Find the table", "no longer takes"),
    ],
)
def test_what_google_refuses_in_words(
    google: Google, place: str, error: tuple[int, str, str], step: str, said: str
) -> None:
    google.errors[place] = error
    found = failed(source(google).diagnose())
    assert found.step.startswith(step)
    assert said in found.message
    assert found.fix


def test_an_empty_export_says_when_rows_come(google: Google) -> None:
    google.rows = []
    found = failed(source(google).diagnose())
    assert "holds no row yet" in found.message
    assert "within 5 days" in found.fix


@pytest.mark.parametrize(("rows", "said"), [([], "holds no row yet"), (["202608"], "after the invoice month 2026-08")])
def test_an_export_that_is_empty_or_stopped_is_not_a_month_without_cost(
    google: Google, rows: list[str], said: str
) -> None:
    google.rows = [charge(month, 3, "1") for month in rows]
    found = source(google)
    (stream,) = found.streams(window())
    with pytest.raises(SourceError, match=said):
        next(found.pull(stream, None))


def test_a_billing_account_that_may_not_be_read_is_no_failure(google: Google) -> None:
    google.errors["/v1/billingAccounts"] = (403, "forbidden", "The caller does not have permission")
    (*_, last) = source(google).diagnose()
    assert last.passed is True
    assert "roles/billing.viewer" in last.fix


def test_a_closed_billing_account_is_said(google: Google) -> None:
    google.account["open"] = False
    (*_, last) = source(google).diagnose()
    assert "is closed" in last.message


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (DefaultCredentialsError("none"), "no Google identity"),
        (RefreshError("invalid_grant: Invalid JWT: Token must be a short-lived token: iat and exp"), "clock"),
        (RefreshError("Permission 'iam.serviceAccounts.getAccessToken' denied on resource"), "may not act"),
        (RefreshError("invalid_grant: Invalid grant: account not found"), "deleted or disabled"),
        (RefreshError("invalid_grant: Bad Request"), "no longer takes"),
        (NotFound("Not found: Project x"), "no such project"),
        (Forbidden("Access Denied: Permission bigquery.tables.getData denied"), "bigquery.tables.getData is missing"),
    ],
)
def test_errors_of_google_in_words(error: Exception, said: str) -> None:
    assert said in error_of(error, TABLE).says
    assert error_of(error, TABLE).fix


def test_a_key_that_is_none_is_refused_and_not_repeated() -> None:
    with pytest.raises(SourceError, match="not that of a service account") as caught:
        credentials({"key": '{"private_key": "hush"}'})
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "format_"),
    [
        ("acme.b.gcp_billing_export_v1_01ABCD_234567_89ABCD", "gcp-billing-standard"),
        (f"`{TABLE}`", "gcp-billing-detailed"),
        ("acme-1.b.gcp_billing_export_focus_01ABCD_234567_89ABCD", "gcp-focus"),
    ],
)
def test_tables_are_told_by_their_names(name: str, format_: str) -> None:
    found = Table.of(name) if len(name.split(".", maxsplit=1)[0]) > 5 else Table.of(f"acme-{name}")
    assert (found.format, found.account) == (format_, ACCOUNT)


@pytest.mark.parametrize("name", ["", "a.b", "acme-1.b.other", "acme-1.b.gcp_billing_export_v1_x; DROP TABLE y"])
def test_what_is_no_export_table_is_refused(name: str) -> None:
    with pytest.raises(SourceError, match="is not the name of a billing export table"):
        Table.of(name)


def test_the_focus_export_is_asked_by_billing_period() -> None:
    table = Table.of("acme-1.b.gcp_billing_export_focus_01ABCD_234567_89ABCD")
    sql, given = table.rows(date(2026, 12, 1))
    assert "BillingPeriodStart >= @since AND BillingPeriodStart < @before" in sql
    assert given == {"since": datetime(2026, 12, 1, tzinfo=UTC), "before": datetime(2027, 1, 1, tzinfo=UTC)}


def test_there_is_no_second_total(google: Google) -> None:
    assert source(google).totals(window()) == []
    assert any("no second source" in sentence for sentence in setup.SETUP.later)


class GcpCase(Case):
    """A billing export with charges of two invoice months, in pages of one row."""

    secret = TOKEN

    def __init__(self, server: Google) -> None:
        self.server, self.now = server, NOW
        server.rows.append(charge("202610", 9, "2"))
        self.values = {"table": TABLE, "key": self.secret}
        self.provider = Provider("gcp", replace(setup.SETUP, history_days=50), partial(opened, server, 1))
        self.hours = 0

    def truth(self) -> dict[str, Decimal]:
        total = sum((Decimal(str(row["cost"])) for row in self.server.rows), Decimal(0))
        total += sum((Decimal(str(c["amount"])) for row in self.server.rows for c in row["credits"]), Decimal(0))
        return {"USD": total} if total else {}

    def restate(self, factor: str) -> None:
        self.hours += 1
        for row in self.server.rows:
            row["cost"] *= float(factor)
            row["export_time"] = NOW + timedelta(hours=self.hours)
            for credit in row["credits"]:
                credit["amount"] *= float(factor)

    def lose_key(self) -> None:
        self.server.token = "another"  # noqa: S105 - of the loopback

    def find_key(self) -> None:
        self.server.token = TOKEN


class TestGcpLive(LiveContract):
    @pytest.fixture
    def case(self, google: Google) -> Case:
        return GcpCase(google)

    @pytest.mark.parametrize("factor", ["1.5", "0.5", "0"])
    def test_a_restated_period_replaces_what_was_there(self, case: Case, desk: Desk, factor: str) -> None:
        """Downwards by itself in the open month; Google has no second total that could confirm an older one."""
        desk.sync()
        rows = desk.ledger()[1:]
        case.restate(factor)
        run = desk.sync(force=factor == "0")
        if factor == "0.5":
            assert "charges-2026-11 of 2026-11-01 to 2026-11-30 was restated downwards" in run.message
            assert "2026-10, account" in run.message
            assert "--replace" in run.message
            assert desk.sync(force=True).message == ""
        assert desk.ledger()[0] == case.truth()
        assert desk.ledger()[1:] == rows
