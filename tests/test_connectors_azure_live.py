"""Azure live: sign-in, exports by manifest from Azurite, token metrics and totals, against a loopback Azure."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import jwt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connectors.azure import live_metrics, setup
from connectors.azure.live import AzureSource
from connectors.azure.live_exports import Place
from connectors.azure.live_session import Clients
from connectors.errors import SourceError, StaleResumeError
from connectors.importing import import_files
from connectors.live import Access, Diagnosis, Meter, Page, Stream, Total, Window
from connectors.sources import Provider, provider
from ledger.lake import Lake
from ledger.staging import Fetched
from tests.ledgers import open_lake
from tests.live_contract import Case, LiveContract
from tests.loopback.azure_front import CLIENT, SCOPE, SECRET, STORE, SUBSCRIPTION, TENANT, AzureFront, plain
from tests.loopback.azure_storage import ACCOUNT, Azurite

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
THIS, LAST = date(2026, 11, 1), date(2026, 10, 1)
BOX, ROOT = "exports", "costs/daily"
EXPORT = f"https://{STORE}/{BOX}/{ROOT}"
RESOURCE = f"{SCOPE}/resourceGroups/ai/providers/Microsoft.CognitiveServices/accounts/acme-openai"
VALUES = {"scope": SCOPE, "tenant_id": TENANT, "client_id": CLIENT, "client_secret": SECRET, "export": EXPORT}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureFront]:
    with Azurite(tmp_path_factory.mktemp("azurite")) as azurite, AzureFront(azurite) as front:
        yield front


@pytest.fixture
def azure(running: AzureFront) -> AzureFront:
    running.reset()
    running.now = NOW
    running.state.costs = {
        THIS: Decimal("12.3400000001"),
        THIS + timedelta(days=3): Decimal("0.66"),
        LAST: Decimal(310),
    }
    running.state.exports = [export("daily")]
    running.state.runs = [run("Completed")]
    with running.azurite.service() as service:
        service.create_container(BOX)
    return running


def source(
    front: AzureFront,
    *,
    meter: Meter | None = None,
    waits: list[float] | None = None,
    now: datetime = NOW,
    **values: str,
) -> AzureSource:
    slept = [] if waits is None else waits
    given = {name: value for name, value in (VALUES | values).items() if value}
    return AzureSource(Access(given, meter or Meter(), slept.append, lambda: now), front.transport())


def export(name: str, kind: str = "FocusCost") -> dict[str, Any]:
    store = f"{SCOPE}/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/{ACCOUNT}"
    target = {"type": "AzureBlob", "resourceId": store, "container": BOX, "rootFolderPath": "costs"}
    definition = {"type": kind, "timeframe": "MonthToDate", "dataSet": {"granularity": "Daily"}}
    properties = {"format": "Parquet", "definition": definition, "deliveryInfo": {"destination": target}}
    return {"name": name, "id": f"{SCOPE}/x/{name}", "type": "x", "properties": properties}


def run(status: str, *, at: str = "2026-11-20T05:00:00Z", error: dict[str, str] | None = None) -> dict[str, Any]:
    properties: dict[str, Any] = {"status": status, "submittedTime": at, "executionType": "Scheduled"}
    return {"id": "r", "properties": properties | ({"error": error} if error else {})}


def charges(month: date, costs: list[str], name: str) -> bytes:
    """A Parquet file of a FOCUS export, a charge for each cost."""
    start = datetime(month.year, month.month, 1, tzinfo=UTC)
    end = (start + timedelta(days=32)).replace(day=1)
    rows = [
        {
            "BilledCost": Decimal(cost),
            "EffectiveCost": Decimal(cost),
            "BillingCurrency": "USD",
            "BillingAccountId": "b",
            "BillingPeriodStart": start,
            "BillingPeriodEnd": end,
            "ChargePeriodStart": start + timedelta(days=at),
            "ChargePeriodEnd": start + timedelta(days=at + 1),
            "ChargeCategory": "Usage",
            "ChargeDescription": f"charge of {name}",
            "ServiceName": "Azure OpenAI",
            "x_SkuMeterCategory": "Azure OpenAI",
            "x_SkuMeterSubcategory": "s",
            "x_PricingUnitDescription": "1K",
        }
        for at, cost in enumerate(costs)
    ]
    out = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows), out)
    return out.getvalue().to_pybytes()


def deliver(
    front: AzureFront,
    month: date,
    files: dict[str, list[str]],
    *,
    run_id: str = "r1",
    submitted: str = "2026-11-20T05:00:00Z",
    root: str = ROOT,
    kind: str = "FocusCost",
    last: date | None = None,
    without: str = "",
    stated: dict[str, dict[str, int]] | None = None,
) -> str:
    """Files first, then the manifest, as Azure does; the folder of the run."""
    until = last or (month + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    folder = f"{root}/{month:%Y%m%d}-{until:%Y%m%d}/202611200500/{run_id}"
    with front.azurite.service() as service:
        box, blobs = service.get_container_client(BOX), list[dict[str, Any]]()
        for name, costs in files.items():
            body = charges(month, costs, name)
            said = {"byteCount": len(body), "dataRowCount": len(costs)} | (stated or {}).get(name, {})
            blobs.append({"blobName": f"{folder}/{name}", **said})
            if name != without:
                box.upload_blob(f"{folder}/{name}", body, overwrite=True)
        manifest = {
            "manifestVersion": "2024-04-01",
            "blobCount": len(blobs),
            "exportConfig": {"exportName": "daily", "type": kind, "dataVersion": "1.2"},
            "runInfo": {"runId": run_id, "submittedTime": submitted, "startDate": f"{month}", "endDate": f"{until}"},
            "blobs": blobs,
        }
        box.upload_blob(f"{folder}/manifest.json", json.dumps(manifest), overwrite=True)
    return folder


def window(days: int = 45) -> Window:
    return Window(NOW.date() - timedelta(days=days), NOW.date() + timedelta(days=1))


def months(found: AzureSource) -> list[Stream]:
    return [stream for stream in found.streams(window()) if stream.name.startswith("charges")]


def kept(pages: Iterator[Page], folder: Path) -> dict[str, bytes]:
    """What a receiver keeps of pages; each file is moved before the next page is asked for."""
    folder.mkdir(exist_ok=True)
    found = dict[str, bytes]()
    for page in pages:
        found[page.name] = contents(page)
        (folder / page.name).write_bytes(found[page.name])
    return found


def contents(page: Page) -> bytes:
    return page.body if isinstance(page.body, bytes) else page.body.read_bytes()


def load(lake: Lake, found: AzureSource, stream: Stream, folder: Path) -> None:
    kept(found.pull(stream, None), folder)
    fetched = Fetched(stream.name, stream.version, stream.window.first, stream.window.end)
    names = [str(path) for path in sorted(folder.iterdir())]
    import_files(lake, names, format_name=stream.format, source="azure-1", fetched=fetched)


def failed(steps: list[Diagnosis]) -> Diagnosis:
    return next(step for step in steps if step.passed is False)


# --- who may read


def test_a_sound_connection_passes_every_step(azure: AzureFront) -> None:
    deliver(azure, THIS, {"part_0_0001.parquet": ["13"]})
    azure.state.accounts = {RESOURCE: "eastus"}
    steps = source(azure).diagnose()
    assert {step.passed for step in steps} == {True}, steps
    said = " ".join(step.message for step in steps)
    assert "13.0000000001 USD so far this month, provisional" in said
    assert "last run of daily, of 2026-11-20 05:00, is Completed" in said
    assert "Months delivered: 1, 2026-11 to 2026-11" in said
    assert "Resources with token metrics: 1." in said


def test_the_provider_is_in_the_list() -> None:
    found = provider("azure")
    assert found.setup is setup.SETUP
    assert isinstance(found.open(Access(VALUES)), AzureSource)


ENTRA = [
    (7000222, "The provided client secret keys are expired.", "has expired"),
    (7000215, "Invalid client secret provided.", "id of the secret instead of its value"),
    (700016, "Application not found.", "does not know the application"),
    (7000229, "missing service principal in the tenant", "does not know the application"),
    (7000112, "Application is disabled.", "disabled in the tenant"),
    (700024, "Client assertion is not within its valid time range.", "clock"),
    (700213, "No matching federated identity record found for presented subject.", "federated credential"),
    (53003, "Access has been blocked by Conditional Access policies.", "Conditional Access"),
]


@pytest.mark.parametrize(("code", "words", "expected"), ENTRA, ids=[str(code) for code, _, _ in ENTRA])
def test_what_entra_refuses_is_told(azure: AzureFront, code: int, words: str, expected: str) -> None:
    azure.state.entra = code, words
    step = failed(source(azure).diagnose())
    assert step.step == "Sign in to Microsoft Entra"
    assert expected in step.message
    assert step.fix
    assert SECRET not in str(step)


def test_a_tenant_that_is_none_is_told(azure: AzureFront) -> None:
    step = failed(source(azure, tenant_id="99999999-2222-3333-4444-555555555555").diagnose())
    assert step.message == "There is no such tenant."


def test_a_workload_signs_in_with_its_token_file(azure: AzureFront, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(jwt.encode({"aud": "api://AzureADTokenExchange", "sub": "s"}, "x" * 32))
    found = source(azure, client_secret="", token_file=str(file))
    assert [total.amount for total in found.totals(Window(THIS, NOW.date()))] == [Decimal("13.0000000001")]
    file.write_text(jwt.encode({"aud": "another", "sub": "s"}, "x" * 32))
    refused = failed(source(azure, client_secret="", token_file=str(file)).diagnose())
    assert "No federated credential" in refused.message
    absent = failed(source(azure, client_secret="", token_file=str(tmp_path / "absent")).diagnose())
    assert "token file of the workload is not there" in absent.message


@pytest.mark.parametrize("values", [{"tenant_id": ""}, {"client_id": ""}, {"client_secret": ""}])
def test_half_of_a_service_principal_is_refused(azure: AzureFront, values: dict[str, str]) -> None:
    with pytest.raises(SourceError) as caught:
        source(azure, **values)
    assert caught.value.fix


@pytest.mark.parametrize(
    ("action", "step", "role"),
    [
        ("Microsoft.CostManagement/query/action", "Ask Cost Management for this month", "Cost Management Reader"),
        ("Microsoft.CostManagement/exports/read", "Ask for the export's last run", "Cost Management Reader"),
        (
            "Microsoft.CostManagement/exports/runHistory/read",
            "Ask for the export's last run",
            "Cost Management Reader",
        ),
        (
            "Microsoft.CognitiveServices/accounts/read",
            f"Ask for token metrics in {SUBSCRIPTION}",
            "Monitoring Reader",
        ),
        (
            "Microsoft.Insights/metricDefinitions/read",
            f"Ask for token metrics in {SUBSCRIPTION}",
            "Monitoring Reader",
        ),
        ("Microsoft.Insights/metrics/read", f"Ask for token metrics in {SUBSCRIPTION}", "Monitoring Reader"),
    ],
)
def test_a_missing_permission_is_named_with_its_role(azure: AzureFront, action: str, step: str, role: str) -> None:
    deliver(azure, THIS, {"part_0_0001.parquet": ["1"]})
    azure.state.accounts = {RESOURCE: "eastus"}
    azure.state.denied = {action}
    found = failed(source(azure).diagnose())
    assert found.step == step
    assert f"Permission {action} is missing on {SCOPE}." in found.message
    assert role in found.fix


def test_a_role_on_the_files_is_asked_for_by_name(azure: AzureFront) -> None:
    azure.state.denied = {"Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"}
    found = failed(source(azure).diagnose())
    assert found.step == "Read its newest manifest"
    assert "Storage Blob Data Reader" in found.fix


QUERY, BLOB = "POST management.*/query", f"GET {STORE}"
REFUSED = [
    (QUERY, 404, "SubscriptionNotFound", "The subscription could not be found.", "no such subscription"),
    (QUERY, 401, "InvalidAuthenticationTokenTenant", "The access token is from the wrong issuer.", "another tenant"),
    (QUERY, 401, "ExpiredAuthenticationToken", "The access token expiry is earlier than now.", "clock"),
    (QUERY, 401, "InvalidAuthenticationToken", "The access token is invalid.", "does not take the sign-in"),
    (QUERY, 403, "RBACAccessDenied", "The client does not have authorization.", "no role there"),
    (QUERY, 400, "AccountCostDisabled", "Cost is disabled.", "hides costs"),
    (QUERY, 400, "BadRequest", "Cost Management is not supported for offer MS-AZR-0003P.", "does not offer this"),
    (QUERY, 404, "BillingAccountNotFound", "The billing account was not found.", "no such billing account"),
    (BLOB, 404, "ContainerNotFound", "The specified container does not exist.", "no container"),
    (BLOB, 403, "AuthorizationFailure", "This request is not authorized.", "firewall"),
    (BLOB, 409, "BlobArchived", "This operation is not permitted on an archived blob.", "archive tier"),
    (BLOB, 409, "AccountIsDisabled", "The specified account is disabled.", "storage account is disabled"),
    (BLOB, 403, "KeyVaultEncryptionKeyNotFound", "The key is not found.", "Key Vault"),
]


@pytest.mark.parametrize(
    ("where", "status", "code", "words", "expected"), REFUSED, ids=[code for _, _, code, _, _ in REFUSED]
)
def test_what_azure_refuses_is_told(
    azure: AzureFront, where: str, status: int, code: str, words: str, expected: str
) -> None:
    azure.state.errors = {where: (status, code, words)}
    found = failed(source(azure).diagnose())
    assert expected in found.message
    assert found.fix


def test_an_error_that_nobody_knows_keeps_azures_words(azure: AzureFront) -> None:
    azure.state.errors = {QUERY: (418, "Teapot", "Short and stout.")}
    assert "Teapot" in failed(source(azure).diagnose()).message


def test_an_account_that_does_not_resolve_is_told() -> None:
    access = Access({"scope": SCOPE, "export": "https://absent00000.blob.core.windows.net/a/b"}, sleep=lambda _: None)
    clients = Clients(access)
    clients.attempts = 2

    def call() -> None:
        from azure.core.exceptions import ServiceRequestError  # noqa: PLC0415

        raise ServiceRequestError("Failed to resolve: Name or service not known")

    with pytest.raises(SourceError, match=r"absent00000\.blob\.core\.windows\.net of Azure cannot be resolved"):
        clients.ask("blob list", call, "https://absent00000.blob.core.windows.net/a")


def test_a_month_without_cost_is_not_told_as_zero(azure: AzureFront) -> None:
    deliver(azure, THIS, {"part_0_0001.parquet": ["1"]})
    azure.state.costs = {}
    found = source(azure)
    assert found.totals(window()) == []
    assert "has no cost for this month yet" in found.diagnose()[1].message


# --- exports


def test_an_export_that_has_not_run_yet(azure: AzureFront) -> None:
    azure.state.runs = []
    found = source(azure)
    step = failed(found.diagnose())
    assert "holds no delivery yet" in step.message
    assert "az costmanagement export run" in step.fix
    (stream,) = months(found)
    with pytest.raises(SourceError, match="holds no delivery yet"):
        next(found.pull(stream, None))


def test_a_run_that_failed_is_told_with_its_reason(azure: AzureFront) -> None:
    azure.state.runs = [
        run("Completed", at="2026-11-18T05:00:00Z"),
        run("Failed", error={"code": "StorageForbidden", "message": "The storage account refused."}),
    ]
    step = failed(source(azure).diagnose())
    assert "ended with Failed. StorageForbidden The storage account refused." in step.message


def test_an_export_that_stopped_is_not_a_month_without_cost(azure: AzureFront) -> None:
    deliver(azure, date(2026, 7, 1), {"part_0_0001.parquet": ["1"]})
    found = source(azure)
    (stream,) = months(found)
    with pytest.raises(SourceError, match="last delivered for 2026-07"):
        next(found.pull(stream, None))


def test_the_only_export_is_found_by_itself(azure: AzureFront) -> None:
    deliver(azure, THIS, {"part_0_0001.parquet": ["1"]})
    azure.state.exports.append(export("prices", "PriceSheet"))
    assert [s.name for s in months(source(azure, export=""))] == ["charges-2026-11"]
    azure.state.exports.append(export("second", "ActualCost"))
    several = failed(source(azure, export="").diagnose())
    assert "has several exports" in several.message
    assert "FocusCost" in several.message
    azure.state.exports = []
    none = source(azure, export="")
    assert "has no export of charges" in failed(none.diagnose()).message
    (stream,) = months(none)
    with pytest.raises(SourceError, match="has no export"):
        next(none.pull(stream, None))


def test_exactly_the_files_of_the_newest_run_are_loaded(azure: AzureFront, tmp_path: Path) -> None:
    deliver(azure, THIS, {"part_0_0001.parquet": ["5"]}, run_id="old", submitted="2026-11-19T05:00:00Z")
    folder = deliver(azure, THIS, {"part_0_0001.parquet": ["1", "2"], "part_1_0001.parquet": ["0.25"]})
    deliver(azure, LAST, {"part_0_0001.parquet": ["310"]}, run_id="last")
    # A run that was submitted before but ended last is no newer.
    deliver(azure, THIS, {"part_0_0001.parquet": ["7"]}, run_id="slow", submitted="2026-11-20T04:00:00Z")
    with azure.azurite.service() as service:
        service.get_container_client(BOX).upload_blob(f"{folder}/part_9_0001.parquet", b"of no manifest")
    found = source(azure)
    with open_lake(tmp_path) as lake:
        for stream in months(found):
            load(lake, found, stream, tmp_path / stream.name)
        rows = lake.records("SELECT BillingPeriodStart::DATE AS m, sum(BilledCost) AS b FROM charges GROUP BY 1")
    assert {row["m"]: row["b"] for row in rows} == {THIS: Decimal("3.25"), LAST: Decimal(310)}


def test_a_manifest_that_names_missing_files_loads_nothing(azure: AzureFront) -> None:
    deliver(azure, THIS, {"a.parquet": ["1"], "b.parquet": ["2"]}, without="b.parquet")
    found = source(azure)
    with pytest.raises(SourceError, match=r"1 of them are not in the container exports: .*b\.parquet"):
        next(found.pull(months(found)[0], None))


@pytest.mark.parametrize(("stated", "words"), [({"byteCount": 9}, "bytes"), ({"dataRowCount": 3}, "holds 1 rows")])
def test_a_file_that_differs_from_its_manifest_is_refused(
    azure: AzureFront, stated: dict[str, int], words: str
) -> None:
    deliver(azure, THIS, {"a.parquet": ["1"]}, stated={"a.parquet": stated})
    found = source(azure)
    with pytest.raises(SourceError, match=words):
        list(found.pull(months(found)[0], None))


def test_what_is_no_manifest_is_told(azure: AzureFront) -> None:
    with azure.azurite.service() as service:
        box = service.get_container_client(BOX)
        box.upload_blob(f"{ROOT}/20261101-20261130/r/manifest.json", b'{"other": 1}')
    with pytest.raises(SourceError, match="is no manifest of an export"):
        source(azure).streams(window())


@pytest.mark.parametrize(
    ("first", "last"), [(date(2026, 11, 8), date(2026, 11, 14)), (date(2026, 9, 1), date(2026, 11, 30))]
)
def test_a_run_of_other_days_than_a_month_replaces_none(azure: AzureFront, first: date, last: date) -> None:
    deliver(azure, first, {"a.parquet": ["1"]}, last=last)
    found = source(azure, now=NOW if first.month == 11 else datetime(2026, 9, 20, tzinfo=UTC))
    stream = Stream("charges", Window(first.replace(day=1), last), version="v")
    with pytest.raises(SourceError, match="no month from its first day"):
        next(found.pull(stream, None))


def test_a_month_to_date_counts_before_a_later_week(azure: AzureFront, tmp_path: Path) -> None:
    deliver(azure, THIS, {"a.parquet": ["1"]}, submitted="2026-11-19T05:00:00Z")
    deliver(azure, date(2026, 11, 8), {"a.parquet": ["9"]}, last=date(2026, 11, 14), run_id="week")
    found = source(azure)
    (body,) = kept(found.pull(months(found)[0], None), tmp_path / "kept").values()
    assert body == charges(THIS, ["1"], "a.parquet")


def test_a_month_delivered_anew_while_it_is_read_is_stale(azure: AzureFront) -> None:
    folder = deliver(azure, THIS, {"a.parquet": ["1"], "b.parquet": ["2"]})
    found = source(azure)
    (stream,) = months(found)
    pages = found.pull(stream, None)
    first = next(pages)
    with azure.azurite.service() as service:
        service.get_container_client(BOX).upload_blob(
            f"{folder}/b.parquet", charges(THIS, ["3"], "b.parquet"), overwrite=True
        )
    with pytest.raises(StaleResumeError, match="anew"):
        next(pages)
    deliver(azure, THIS, {"a.parquet": ["1"], "b.parquet": ["3"]})
    with pytest.raises(StaleResumeError, match="anew"):
        next(source(azure).pull(stream, first.resume))


def test_a_fetch_that_goes_on_downloads_no_file_twice(azure: AzureFront, tmp_path: Path) -> None:
    deliver(azure, THIS, {"a.parquet": ["1"], "b.parquet": ["2"], "c.parquet": ["3"]})
    (stream,) = months(source(azure))
    pages = source(azure).pull(stream, None)
    resume = [next(pages).resume, next(pages).resume][1]
    azure.requests.clear()
    assert list(kept(source(azure).pull(stream, resume), tmp_path / "kept")) == ["00002-c.parquet"]
    fetched = [plain(r).path for r in azure.requests if r.path.endswith(".parquet")]
    assert [path.rpartition("/")[2] for path in fetched] == ["c.parquet"]


@pytest.mark.parametrize("address", ["s3://a/b", f"https://{STORE}/box", f"{EXPORT}?sv=2024&sig=hidden"])
def test_what_is_no_address_of_an_export_is_refused(address: str) -> None:
    with pytest.raises(SourceError, match="no address of an export") as caught:
        Place.of(address)
    assert "hidden" not in str(caught.value)


def test_a_folder_may_hold_a_second_export_of_the_month_before(azure: AzureFront, tmp_path: Path) -> None:
    deliver(azure, LAST, {"a.parquet": ["300"]}, submitted="2026-10-31T05:00:00Z")
    deliver(azure, LAST, {"a.parquet": ["310"]}, root="costs/closing", submitted="2026-11-06T05:00:00Z")
    deliver(azure, THIS, {"a.parquet": ["1"]})
    azure.state.exports.append(export("closing"))
    found = source(azure, export=f"https://{STORE}/{BOX}/costs")
    assert "The last run of closing" in found.diagnose()[3].message
    with open_lake(tmp_path) as lake:
        for stream in months(found):
            load(lake, found, stream, tmp_path / stream.name)
        assert lake.records("SELECT sum(BilledCost) AS b FROM charges")[0]["b"] == Decimal(311)


def test_exports_of_several_types_side_by_side_are_refused(azure: AzureFront) -> None:
    deliver(azure, LAST, {"a.parquet": ["300"]}, root="costs/actual", kind="ActualCost")
    deliver(azure, THIS, {"a.parquet": ["1"]})
    with pytest.raises(SourceError, match=r"several types.*: ActualCost, FocusCost"):
        source(azure, export=f"https://{STORE}/{BOX}/costs").streams(window())


def test_a_token_that_runs_out_is_renewed_in_mid_sync(azure: AzureFront, tmp_path: Path) -> None:
    deliver(azure, THIS, {"a.parquet": ["1"], "b.parquet": ["2"]})
    azure.state.lifetime = 30
    found = source(azure)
    assert len(kept(found.pull(months(found)[0], None), tmp_path / "kept")) == 2
    assert sum(request.path.endswith("/oauth2/v2.0/token") for request in azure.requests) > 3


# --- totals


def test_totals_come_over_all_pages_with_their_digits(azure: AzureFront) -> None:
    asked = Window(LAST, NOW.date() + timedelta(days=1))
    (total,) = source(azure).totals(asked)
    assert total == Total(asked, Decimal("323.0000000001"), "USD", "Cost Management Query API", closed=False)
    assert len({json.dumps(query, sort_keys=True) for query in azure.state.queries}) == 1
    assert len(azure.state.queries) == 3
    assert azure.state.queries[0]["timePeriod"] == {"from": "2026-10-01T00:00:00Z", "to": "2026-11-20T23:59:59Z"}


@pytest.mark.parametrize(("day", "closed"), [(5, False), (6, True)])
def test_a_month_is_closed_from_the_sixth_of_the_next(azure: AzureFront, day: int, closed: bool) -> None:
    found = source(azure, now=datetime(2026, 11, day, tzinfo=UTC))
    assert [total.closed for total in found.totals(Window(LAST, THIS))] == [closed]


def test_a_long_period_is_asked_for_in_years(azure: AzureFront) -> None:
    found = source(azure).totals(Window(NOW.date() - timedelta(days=400), NOW.date()))
    assert [total.amount for total in found] == [Decimal("323.0000000001")]


LIMIT = "x-ms-ratelimit-microsoft.costmanagement"


def test_the_longest_of_the_limits_that_azure_names_is_waited_for(azure: AzureFront) -> None:
    headers = {f"{LIMIT}-qpu-retry-after": "3", f"{LIMIT}-entity-retry-after": "28", f"{LIMIT}-tenant-retry-after": "9"}
    waits, meter = list[float](), Meter()
    found = source(azure, waits=waits, meter=meter)
    azure.fail(3, times=2, status=429, headers=headers)
    assert [total.amount for total in found.totals(Window(THIS, NOW.date()))] == [Decimal("13.0000000001")]
    assert waits == [28, 28]
    assert meter.calls == 4


def test_a_limit_on_the_next_page_costs_no_page(azure: AzureFront) -> None:
    waits = list[float]()
    azure.fail(4, status=429, headers={f"{LIMIT}-clienttype-retry-after": "11"})
    found = source(azure, waits=waits)
    assert [total.amount for total in found.totals(Window(THIS, NOW.date()))] == [Decimal("13.0000000001")]
    assert waits == [11]
    assert len(azure.state.queries) == 2


def test_a_limit_of_an_hour_ends_the_sync_with_a_sentence(azure: AzureFront) -> None:
    azure.fail(3, status=429, headers={f"{LIMIT}-entity-retry-after": "3600"})
    with pytest.raises(SourceError, match=r"asks to wait 3,600 seconds"):
        source(azure).totals(Window(THIS, NOW.date()))


@pytest.mark.parametrize("fault", [{"sent": 0.5}, {"reset": True}, {"status": 503}], ids=["cut", "reset", "503"])
def test_a_file_that_breaks_off_is_read_again(azure: AzureFront, tmp_path: Path, fault: dict[str, Any]) -> None:
    deliver(azure, THIS, {"a.parquet": ["1"]})
    found = source(azure)
    (stream,) = months(found)
    # A pull lists the manifests, reads the newest, lists the files, and reads them.
    azure.fail(4, **fault)
    assert kept(found.pull(stream, None), tmp_path / "kept") == {"00000-a.parquet": charges(THIS, ["1"], "a.parquet")}


# --- tokens


def put(
    front: AzureFront, hour: datetime, deployment: str, model: str, resource: str = RESOURCE, **sums: float
) -> None:
    labels = {"ModelDeploymentName": deployment, "ModelName": model, "ModelVersion": "2024-11-20"}
    front.state.accounts.setdefault(resource, "eastus")
    front.state.points += [(resource, hour, labels, name, total) for name, total in sums.items()]


def tokens(found: AzureSource) -> Stream:
    return next(stream for stream in found.streams(window(15)) if stream.name == "tokens")


def test_token_metrics_reach_the_ledger_by_deployment(azure: AzureFront, tmp_path: Path) -> None:
    hour = datetime(2026, 11, 18, 9, tzinfo=UTC)
    other = RESOURCE.replace("acme-openai", "acme-west")
    azure.state.accounts[other] = "westeurope"
    put(azure, hour, "chat", "gpt-4o", ProcessedPromptTokens=1500, GeneratedTokens=70, AzureOpenAIRequests=4)
    put(azure, hour, "batch", "gpt-4o", ProcessedPromptTokens=10, GeneratedTokens=1)
    put(azure, hour + timedelta(hours=1), "eu", "gpt-4o", other, ProcessedPromptTokens=5, GeneratedTokens=2)
    found = source(azure)
    with open_lake(tmp_path) as lake:
        load(lake, found, tokens(found), tmp_path / "kept")
        rows = lake.records("SELECT * FROM usage ORDER BY UsagePeriodStart, OtherQuantity")
    said = [(r["Tags"], r["OtherQuantity"], r["OutputTokens"], r["Requests"], r["InputUncachedTokens"]) for r in rows]
    assert [(json.loads(tags), *rest) for tags, *rest in said] == [
        ({"deployment": "batch", "region": "eastus"}, 10, 1, None, None),
        ({"deployment": "chat", "region": "eastus"}, 1500, 70, 4, None),
        ({"deployment": "eu", "region": "westeurope"}, 5, 2, None, None),
    ]
    assert {row["ModelId"] for row in rows} == {"gpt-4o"}
    assert {row["OtherUnit"] for row in rows} == {"input tokens, cached ones included"}
    assert (rows[0]["Grain"], rows[0]["ModelVersion"], rows[0]["SubAccountName"]) == (
        "hour",
        "2024-11-20",
        "acme-openai",
    )


def test_one_count_that_is_published_twice_is_taken_once(azure: AzureFront, tmp_path: Path) -> None:
    azure.state.defined = ("GeneratedTokens", "OutputTokens", "cacheReadInputTokens", "ephemeral1hInputTokens")
    put(azure, NOW - timedelta(days=2), "a", "gpt-4o", GeneratedTokens=70, OutputTokens=70)
    put(azure, NOW - timedelta(days=1), "b", "claude-sonnet-4-5", OutputTokens=5, cacheReadInputTokens=6)
    found = source(azure)
    with open_lake(tmp_path) as lake:
        load(lake, found, tokens(found), tmp_path / "kept")
        rows = lake.records("SELECT OutputTokens AS o, CacheReadTokens AS c, OtherUnit AS u FROM usage ORDER BY 1")
    assert [(row["o"], row["c"], row["u"]) for row in rows] == [(5, 6, None), (70, None, None)]


def test_more_deployments_than_ten_are_all_counted(azure: AzureFront, tmp_path: Path) -> None:
    for at in range(12):
        put(azure, NOW - timedelta(days=2), f"d{at}", "gpt-4o", GeneratedTokens=1)
    found = source(azure)
    with open_lake(tmp_path) as lake:
        load(lake, found, tokens(found), tmp_path / "kept")
        assert lake.records("SELECT sum(OutputTokens)::INT AS n FROM usage")[0]["n"] == 12


def test_days_without_a_call_are_days_without_tokens(azure: AzureFront, tmp_path: Path) -> None:
    put(azure, NOW - timedelta(days=2), "chat", "gpt-4o", GeneratedTokens=9)
    found = source(azure)
    with open_lake(tmp_path) as lake:
        load(lake, found, tokens(found), tmp_path / "one")
        azure.state.points = []
        load(lake, source(azure), tokens(source(azure)), tmp_path / "two")
        assert lake.records("SELECT count(*) AS n FROM usage")[0]["n"] == 0


def test_token_metrics_reach_no_farther_back_than_azure_keeps_them(azure: AzureFront) -> None:
    streams = source(azure).streams(Window(date(2026, 1, 1), NOW.date()))
    (stream,) = [s for s in streams if s.name == "tokens"]
    assert stream.window.first == NOW.date() - timedelta(days=live_metrics.KEPT_DAYS - 1)
    assert all(s.name != "tokens" for s in source(azure, subscriptions="none").streams(window()))
    billing = "/providers/Microsoft.Billing/billingAccounts/1"
    assert source(azure, scope=billing).subscriptions == []
    assert source(azure, scope=billing, subscriptions=SUBSCRIPTION).subscriptions == [SUBSCRIPTION]


# --- what a person is shown


def test_the_roles_allow_what_is_called_and_nothing_else(azure: AzureFront, tmp_path: Path) -> None:
    deliver(azure, THIS, {"a.parquet": ["1"]})
    put(azure, NOW - timedelta(days=2), "chat", "gpt-4o", GeneratedTokens=9)
    found = source(azure, export="")
    found.diagnose()
    for stream in found.streams(window()):
        kept(found.pull(stream, None), tmp_path / stream.name)
    found.totals(window())
    assert set(azure.state.called) == {*setup.ACTIONS, *setup.DATA_ACTIONS}
    role = json.loads(setup.role())
    assert set(role["DataActions"]) == set(setup.DATA_ACTIONS)
    assert set(setup.ACTIONS) <= set(role["Actions"])
    assert not any(part in action for action in role["Actions"] for part in ("write", "delete", "*"))


def test_the_steps_hold_the_roles_and_an_export_that_can_be_read() -> None:
    steps = "\n".join(setup.SETUP.steps)
    assert all(role in steps for role in {*setup.ACTIONS.values(), *setup.DATA_ACTIONS.values()})
    body = json.loads(setup.export_body())["properties"]
    assert (body["definition"]["type"], body["definition"]["timeframe"]) == ("FocusCost", "MonthToDate")


# --- what every live source promises


class AzureCase(Case):
    """A subscription whose charges of two months are delivered as an export."""

    secret = SECRET
    throttle: ClassVar[dict[str, str]] = {f"{LIMIT}-qpu-retry-after": "7"}

    def __init__(self, server: AzureFront) -> None:
        self.server, self.now, self.runs = server, NOW, 0
        self.values = dict(VALUES)
        opened = lambda access: AzureSource(access, server.transport())  # noqa: E731
        self.provider = Provider("azure", replace(setup.SETUP, history_days=50), opened)
        self.costs = {THIS: Decimal("8.5"), LAST: Decimal("20.25")}
        put(server, NOW - timedelta(days=2), "chat", "gpt-4o", GeneratedTokens=9)
        self.deliver()

    def deliver(self) -> None:
        self.runs += 1
        self.server.state.costs = dict(self.costs)
        for month, cost in self.costs.items():
            half = cost / 2
            stamp = f"2026-11-20T05:{self.runs:02}:00Z"
            files = {"part_0_0001.parquet": [str(half)], "part_1_0001.parquet": [str(cost - half)]}
            deliver(self.server, month, files, run_id=f"r{self.runs}", submitted=stamp)

    def truth(self) -> dict[str, Decimal]:
        total = sum(self.costs.values(), Decimal(0))
        return {"USD": total} if total else {}

    def restate(self, factor: str) -> None:
        self.costs = {month: cost * Decimal(factor) for month, cost in self.costs.items()}
        self.deliver()

    def lose_key(self) -> None:
        self.server.state.secret = "another"  # noqa: S105 - of the loopback

    def find_key(self) -> None:
        self.server.state.secret = SECRET


class TestAzureLive(LiveContract):
    @pytest.fixture
    def case(self, azure: AzureFront) -> Case:
        return AzureCase(azure)

    def test_a_pull_goes_on_after_any_of_its_pages(self, case: Case, streams: Iterator[list[Stream]]) -> None:
        """As the suite's own, for pages that are files and the receiver's only until it asks for the next."""
        for stream in next(streams):
            pages = [(p.name, contents(p), p.resume) for p in case.source().pull(stream, None)]
            assert len({name for name, _, _ in pages}) == len(pages) > 1
            assert [resume is None for _, _, resume in pages] == [False] * (len(pages) - 1) + [True]
            for at, (_, _, resume) in enumerate(pages[:-1]):
                rest = [(p.name, contents(p), p.resume) for p in case.source().pull(stream, resume)]
                assert [page[:2] for page in rest] == [page[:2] for page in pages[at + 1 :]]


# --- reports into a container


def sent(front: AzureFront, to: str) -> str:
    """What the Azure channel says, sent from a process of its own whose environment holds the credentials."""
    code = (
        "import sys, warnings; warnings.simplefilter('ignore')\n"
        "from jobs.channels import storage\n"
        "from jobs.destinations import destination\n"
        "from jobs.dispatch import SendError\n"
        "from tests.test_jobs_channels import parcel\n"
        "try:\n    print(storage.azure(parcel(), destination(sys.argv[1])))\n"
        "except SendError as error:\n    print('refused:', error)"
    )
    environment = {
        "AZURE_STORAGE_CONNECTION_STRING": front.azurite.connection_string,
        "REQUESTS_CA_BUNDLE": str(front.azurite.certificate),
    }
    done = subprocess.run(
        [sys.executable, "-c", code, to],
        cwd=Path(__file__).resolve().parents[1],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


def test_reports_reach_a_container_and_the_same_again(azure: AzureFront) -> None:
    to = f"az://{ACCOUNT}/{BOX}/weekly"
    assert sent(azure, to) == f"1 files in az://{ACCOUNT}/{BOX}/weekly/"
    assert sent(azure, to) == f"1 files in az://{ACCOUNT}/{BOX}/weekly/"
    with azure.azurite.service() as service:
        box = service.get_container_client(BOX)
        assert [blob.name for blob in box.list_blobs()] == ["weekly/spend.csv"]
        assert box.download_blob("weekly/spend.csv").readall() == b"a,b\n1,2\n"
        found = box.get_blob_client("weekly/spend.csv").get_blob_properties()
        assert found.content_settings.content_type == "text/csv; charset=utf-8"
    said = sent(azure, f"az://{ACCOUNT}/absent/weekly")
    assert said.startswith(
        f"refused: Azure refused to write to {ACCOUNT}/absent: The specified container does not exist"
    )
