"""AWS live: sign-in and trust, exports by manifest, token metrics and totals, against a loopback AWS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest
import time_machine
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, ProfileNotFound

from accounts import totals
from accounts.sync_runs import RunState
from connectors.aws import setup
from connectors.aws.live import AwsSource
from connectors.aws.live_errors import error_of
from connectors.aws.live_exports import Place
from connectors.errors import BudgetError, SourceError, StaleResumeError
from connectors.importing import import_files
from connectors.live import Access, Diagnosis, Meter, Page, Stream, Total, Window
from connectors.sources import Provider
from ledger.lake import Lake
from ledger.staging import Fetched
from tests.ledgers import open_lake, write_parquet
from tests.live_contract import Case, Desk, LiveContract
from tests.loopback.aws_front import CUSTOMER, VENDOR, AwsFront, Fault, Role

ROLE = f"arn:aws:iam::{CUSTOMER}:role/SpendProofRead"
EXTERNAL = "spendproof-0123456789abcdef"
BUCKET, PREFIX, NAME = "costs", "billing/cur", "spendproof"
NOW = datetime.now(UTC).replace(microsecond=0)
THIS = NOW.date().replace(day=1)
LAST = (THIS - timedelta(days=1)).replace(day=1)
NEXT = (THIS + timedelta(days=32)).replace(day=1)


@pytest.fixture(scope="module")
def running() -> Iterator[AwsFront]:
    with AwsFront() as front:
        yield front


@pytest.fixture
def aws(running: AwsFront) -> AwsFront:
    running.reset()
    running.state.roles[ROLE] = Role(external_id=EXTERNAL)
    running.state.costs = {THIS: Decimal("12.3400000001"), LAST: Decimal("310.5")}
    s3(running).create_bucket(Bucket=BUCKET)
    return running


def s3(front: AwsFront) -> Any:
    return boto3.client("s3", endpoint_url=front.moto_url, **keys("x", "y"))


def keys(key: str, secret: str) -> dict[str, str]:
    return {"aws_access_key_id": key, "aws_secret_access_key": secret, "region_name": "us-east-1"}


def source(front: AwsFront, *, now: datetime | None = None, meter: Meter | None = None, **values: str) -> AwsSource:
    """A source whose clock is right, or stands at `now`; the module's own moment is old by the end of a long run."""
    given = {
        "role_arn": ROLE,
        "external_id": EXTERNAL,
        "export": f"s3://{BUCKET}/{PREFIX}/{NAME}",
        "regions": "us-east-1",
        "access_key_id": "AKIAVENDOR",
        "secret_access_key": "vendor-secret",
    }
    access = Access(
        {k: v for k, v in (given | values).items() if v},
        meter or Meter(),
        lambda _: None,
        lambda: now or datetime.now(UTC),
    )
    return AwsSource(access, endpoints={"*": front.url})


def lines(folder: Path, name: str, month: date, costs: list[str]) -> Path:
    """A Parquet file of CUR 2.0 lines of one month, one for each cost."""
    end = (month + timedelta(days=32)).replace(day=1)
    rows = " UNION ALL ".join(
        f"""SELECT '{CUSTOMER}' AS bill_payer_account_id, TIMESTAMP '{month}' AS bill_billing_period_start_date,
        TIMESTAMP '{end}' AS bill_billing_period_end_date, 'USD' AS line_item_currency_code,
        'Usage' AS line_item_line_item_type, {cost}::DOUBLE AS line_item_unblended_cost,
        'AmazonEC2' AS line_item_product_code, 'BoxUsage:{name}-{at}' AS line_item_usage_type,
        TIMESTAMP '{month}' AS line_item_usage_start_date,
        TIMESTAMP '{month}' + INTERVAL 1 HOUR AS line_item_usage_end_date,
        '{CUSTOMER}' AS line_item_usage_account_id"""
        for at, cost in enumerate(costs)
    )
    return write_parquet(folder / name, rows)


def deliver(front: AwsFront, folder: Path, month: date, files: dict[str, list[str]], *, without: str = "") -> None:
    """Files first, then the manifest, as AWS does."""
    client, root = s3(front), f"{PREFIX}/{NAME}"
    period = f"BILLING_PERIOD={month:%Y-%m}"
    names = list[str]()
    for name, costs in files.items():
        key = f"{root}/data/{period}/{name}"
        names.append(f"s3://{BUCKET}/{key}")
        if name != without:
            client.upload_file(str(lines(folder, name, month, costs)), BUCKET, key)
    manifest = json.dumps(
        {"dataFiles": names, "columns": [], "executionId": str(len(files)), "at": str(datetime.now(UTC))}
    )
    client.put_object(Bucket=BUCKET, Key=f"{root}/metadata/{period}/{NAME}-Manifest.json", Body=manifest)


def window(days: int = 45) -> Window:
    return Window(NOW.date() - timedelta(days=days), NOW.date() + timedelta(days=1))


def month_streams(found: AwsSource, asked: Window | None = None) -> list[Stream]:
    return [s for s in found.streams(asked or window()) if s.name.startswith("charges")]


def kept(pages: Iterator[Page], folder: Path) -> dict[str, bytes]:
    """What a receiver keeps of pages; each file is moved before the next page is asked for."""
    folder.mkdir(exist_ok=True)
    found = dict[str, bytes]()
    for page in pages:
        found[page.name] = (
            page.body if isinstance(page.body, bytes) else page.body.rename(folder / page.name).read_bytes()
        )
        (folder / page.name).write_bytes(found[page.name])
    return found


def load(lake: Lake, found: AwsSource, stream: Stream, folder: Path, *, force: bool = False) -> None:
    kept(found.pull(stream, None), folder)
    fetched = Fetched(stream.name, stream.version, stream.window.first, stream.window.end)
    names = [str(path) for path in sorted(folder.iterdir())]
    import_files(lake, names, format_name=stream.format, source="aws-1", fetched=fetched, force=force)


def billed(lake: Lake) -> dict[str, Decimal]:
    rows = lake.records(
        "SELECT strftime(BillingPeriodStart, '%Y-%m') AS m, sum(BilledCost) AS b FROM charges GROUP BY ALL ORDER BY 1"
    )
    return {row["m"]: row["b"] for row in rows}


def states(steps: list[Diagnosis]) -> dict[str, bool | None]:
    return {step.step: step.passed for step in steps}


def failed(steps: list[Diagnosis]) -> Diagnosis:
    return next(step for step in steps if step.passed is False)


# --- who may read


def test_a_sound_connection_passes_every_step(aws: AwsFront, tmp_path: Path) -> None:
    deliver(aws, tmp_path, THIS, {"a.parquet": ["1.5"]})
    meter = Meter()
    steps = source(aws, meter=meter).diagnose()
    assert set(states(steps).values()) == {True}, steps
    assert any("12.3400000001 USD" in step.message and "provisional" in step.message for step in steps)
    assert any("Billing months delivered: 1" in step.message for step in steps)
    assert (meter.paid_calls, meter.paid) == (1, Decimal("0.01"))


def test_a_wrong_external_id_is_refused_and_named(aws: AwsFront) -> None:
    steps = source(aws, external_id="spendproof-another-word").diagnose()
    assert failed(steps).step == "Assume the role"
    assert "another external id" in failed(steps).message
    assert VENDOR in failed(steps).fix
    assert "spendproof-another-word" in failed(steps).fix
    assert [step.passed for step in steps][2:] == [None] * (len(steps) - 2)


@pytest.mark.parametrize("role", [None, Role(trusts="123456789012", external_id=EXTERNAL)])
def test_a_role_that_is_absent_or_trusts_another_account_is_refused(aws: AwsFront, role: Role | None) -> None:
    aws.state.roles = {ROLE: role} if role else {}
    assert failed(source(aws).diagnose()).step == "Assume the role"


def test_a_role_without_the_condition_is_not_accepted(aws: AwsFront) -> None:
    aws.state.roles[ROLE] = Role(external_id=None)
    step = failed(source(aws).diagnose())
    assert step.step == "Refuse a wrong external id"
    assert "a wrong external id" in step.message
    assert EXTERNAL in step.fix


def test_a_role_needs_an_external_id() -> None:
    with pytest.raises(SourceError, match="needs an external id") as caught:
        AwsSource(Access({"role_arn": ROLE}))
    assert "spendproof-" in caught.value.fix


def test_the_wrong_account_is_named(aws: AwsFront) -> None:
    step = failed(source(aws, vendor_account="123456789012").diagnose())
    assert VENDOR in step.message
    assert "123456789012" in step.message


def test_a_clock_that_is_off_is_named(aws: AwsFront) -> None:
    aws.state.now = datetime.now(UTC) + timedelta(minutes=20)
    assert "clock" in failed(source(aws).diagnose()).message


def test_a_wrong_secret_is_named_and_nothing_secret_is_repeated(aws: AwsFront) -> None:
    step = failed(source(aws, secret_access_key="not-it").diagnose())  # noqa: S106
    assert "secret access key does not belong" in step.message
    assert "Canonical" not in step.message + step.fix
    assert "not-it" not in step.message + step.fix


def test_an_unknown_key_is_named(aws: AwsFront) -> None:
    assert "does not know the access key" in failed(source(aws, access_key_id="AKIAGONE").diagnose()).message


def test_a_session_that_runs_out_is_renewed_in_mid_sync(aws: AwsFront, tmp_path: Path) -> None:
    deliver(aws, tmp_path, THIS, {"a.parquet": ["1"], "b.parquet": ["2"]})
    # STS hands out a session that has nearly run out: botocore renews it before it is used.
    aws.state.now = datetime.now(UTC) - timedelta(minutes=4)
    found = source(aws)
    calls = aws.state.called
    role = aws.state.roles[ROLE]
    (stream,) = month_streams(found)
    assert len(kept(found.pull(stream, None), tmp_path / "kept")) == 2
    assert role.external_id == EXTERNAL
    assert calls.count("sts:AssumeRole") >= 1


# --- what is refused, in words


@pytest.mark.parametrize(
    ("action", "step"),
    [
        ("ce:GetCostAndUsage", "Ask Cost Explorer for this month"),
        ("s3:ListBucket", "Read its newest manifest"),
        ("s3:GetObject", "Read its newest manifest"),
        ("bcm-data-exports:ListExports", "Ask Data Exports for its state"),
        ("cloudwatch:ListMetrics", "Ask for token metrics in us-east-1"),
        ("bedrock:ListFoundationModels", "Ask for token metrics in us-east-1"),
    ],
)
def test_a_missing_permission_is_named(aws: AwsFront, tmp_path: Path, action: str, step: str) -> None:
    deliver(aws, tmp_path, THIS, {"a.parquet": ["1"]})
    aws.state.denied[action] = ""
    found = failed(source(aws).diagnose())
    assert found.step == step
    assert action in found.message
    assert action in found.fix


def test_a_policy_of_the_organization_is_told_from_a_missing_permission(aws: AwsFront) -> None:
    aws.state.denied["ce:GetCostAndUsage"] = "with an explicit deny in a service control policy"
    assert "policy of the organization forbids ce:GetCostAndUsage" in failed(source(aws).diagnose()).message


def test_a_bucket_that_is_not_there(aws: AwsFront) -> None:
    step = failed(source(aws, export="s3://nowhere/billing/spendproof").diagnose())
    assert "nowhere" in step.message


def test_an_export_that_is_not_delivered_yet(aws: AwsFront) -> None:
    found = source(aws)
    step = failed(found.diagnose())
    assert "holds no delivery yet" in step.message
    assert "24 hours" in step.fix
    (stream,) = month_streams(found)
    with pytest.raises(SourceError, match="holds no delivery yet"):
        next(found.pull(stream, None))


def test_an_export_that_stopped_is_not_a_month_without_cost(aws: AwsFront, tmp_path: Path) -> None:
    old = (THIS - timedelta(days=120)).replace(day=1)
    deliver(aws, tmp_path, old, {"a.parquet": ["1"]})
    found = source(aws)
    (stream,) = month_streams(found)
    with pytest.raises(SourceError, match=f"last delivered for {old:%Y-%m}"):
        next(found.pull(stream, None))


def export(name: str, table: str, *, status: str = "HEALTHY", reason: str | None = None) -> dict[str, Any]:
    arn = f"arn:aws:bcm-data-exports:us-east-1:{CUSTOMER}:export/{name}"
    target = {"S3Bucket": BUCKET, "S3Prefix": PREFIX, "S3Region": "us-east-1"}
    state = {"StatusCode": status} | ({"StatusReason": reason} if reason else {})
    return {
        "ExportArn": arn,
        "ExportStatus": state,
        "Export": {
            "Name": name,
            "DataQuery": {"QueryStatement": f"SELECT a, b FROM {table}"},
            "DestinationConfigurations": {"S3Destination": target},
        },
    }


def test_the_only_export_is_found_by_itself(aws: AwsFront, tmp_path: Path) -> None:
    deliver(aws, tmp_path, THIS, {"a.parquet": ["1"]})
    aws.state.exports = [export(NAME, "COST_AND_USAGE_REPORT"), export("other", "COST_OPTIMIZATION_RECOMMENDATIONS")]
    found = source(aws, export="")
    assert [s.name for s in month_streams(found)] == [f"charges-{THIS:%Y-%m}"]


def test_of_several_exports_one_has_to_be_named(aws: AwsFront) -> None:
    aws.state.exports = [export("a", "COST_AND_USAGE_REPORT"), export("b", "FOCUS_1_2_AWS")]
    step = failed(source(aws, export="").diagnose())
    assert "several data exports" in step.message
    assert "FOCUS_1_2_AWS" in step.message


def test_no_export_says_what_to_do(aws: AwsFront) -> None:
    found = source(aws, export="")
    assert "no data export" in failed(found.diagnose()).message
    (stream,) = month_streams(found)
    with pytest.raises(SourceError, match="no data export"):
        next(found.pull(stream, None))


def test_an_unhealthy_export_is_named_with_its_reason(aws: AwsFront, tmp_path: Path) -> None:
    deliver(aws, tmp_path, THIS, {"a.parquet": ["1"]})
    aws.state.exports = [export(NAME, "FOCUS_1_2_AWS", status="UNHEALTHY", reason="INSUFFICIENT_PERMISSION")]
    step = failed(source(aws).diagnose())
    assert "INSUFFICIENT_PERMISSION" in step.message
    assert "bcm-data-exports.amazonaws.com" in step.fix


SAID = "User: arn:aws:sts::1:assumed-role/a/b is not authorized to perform:"


@pytest.mark.parametrize(
    ("operation", "code", "message", "expected"),
    [
        ("GetObject", "AccessDenied", f"{SAID} kms:Decrypt on resource: arn:aws:kms:x", "kms:Decrypt is missing"),
        ("GetObject", "KMS.DisabledException", "arn:aws:kms:x is disabled.", "KMS key .* disabled"),
        ("GetObject", "AccessDenied", "Access Denied", "Permission s3:GetObject is missing"),
        ("ListObjectsV2", "AccessDenied", "Access Denied", "Permission s3:ListBucket is missing"),
        ("HeadBucket", "403", "Forbidden", "Permission s3:ListBucket is missing"),
        ("HeadBucket", "404", "Not Found", "no bucket costs"),
        ("GetObject", "InvalidObjectState", "The operation is not valid for the storage class", "archive"),
        ("ListObjectsV2", "PermanentRedirect", "must be addressed using the specified endpoint", "region or partition"),
        ("AssumeRole", "RegionDisabledException", "STS is not activated in this region", "STS is not enabled"),
        ("AssumeRole", "ValidationError", "arn:x is invalid: roleArn", "role's ARN"),
        ("GetCallerIdentity", "ExpiredToken", "The security token included in the request is expired", "expired"),
        ("GetCallerIdentity", "SignatureDoesNotMatch", "Signature not yet current: 1 is still later", "clock"),
        ("GetCostAndUsage", "AccessDeniedException", "User not enabled for cost explorer access", "not enabled"),
        ("GetCostAndUsage", "DataUnavailableException", "Data is not available.", "no data for these days"),
        ("GetCostAndUsage", "BillExpirationException", "expired", "no longer keeps"),
        ("ListMetrics", "UnrecognizedClientException", "The security token is invalid", "region is not enabled"),
        ("GetMetricData", "InvalidParameterCombination", "Not so", "InvalidParameterCombination"),
    ],
)
def test_errors_of_aws_in_words(operation: str, code: str, message: str, expected: str) -> None:
    error = ClientError({"Error": {"Code": code, "Message": message}}, operation)
    with pytest.raises(SourceError, match=expected):
        raise error_of(error, bucket="costs", key="billing/a.parquet")
    assert error_of(error).fix


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (NoCredentialsError(), "no AWS credentials"),
        (ProfileNotFound(profile="x"), "no such profile"),
        (EndpointConnectionError(endpoint_url="https://a"), "cannot be reached"),
    ],
)
def test_errors_before_aws_in_words(error: Exception, expected: str) -> None:
    assert expected in error_of(error).says


def test_an_unknown_profile_is_a_step_of_the_test() -> None:
    (first, *rest) = AwsSource(Access({"profile": "no-such-profile"})).diagnose()
    assert (first.step, first.passed) == ("Sign in to AWS", False)
    assert "no such profile" in first.message
    assert {step.passed for step in rest} == {None}


# --- exports by manifest


def test_exactly_the_files_of_the_manifest_arrive_in_the_ledger(aws: AwsFront, tmp_path: Path) -> None:
    deliver(aws, tmp_path, LAST, {"a.parquet": ["100.25", "0.1"], "b.parquet": ["7"]})
    deliver(aws, tmp_path, THIS, {"a.parquet": ["1.5"]})
    stray = f"{PREFIX}/{NAME}/data/BILLING_PERIOD={THIS:%Y-%m}/stray.parquet"
    s3(aws).upload_file(str(lines(tmp_path, "stray.parquet", THIS, ["999"])), BUCKET, stray)
    found = source(aws)
    streams = month_streams(found)
    assert [s.window for s in streams] == [Window(THIS, NEXT), Window(LAST, THIS)]
    with open_lake(tmp_path) as lake:
        for stream in streams:
            load(lake, found, stream, tmp_path / stream.name)
        assert billed(lake) == {f"{LAST:%Y-%m}": Decimal("107.35"), f"{THIS:%Y-%m}": Decimal("1.5")}


def test_a_restated_month_is_noticed_and_replaced_never_doubled(aws: AwsFront, tmp_path: Path) -> None:
    deliver(aws, tmp_path, THIS, {"a.parquet": ["1"], "b.parquet": ["2"]})
    found = source(aws)
    (first,) = month_streams(found)
    assert month_streams(found) == [first]
    with open_lake(tmp_path) as lake:
        load(lake, found, first, tmp_path / "one")
        deliver(aws, tmp_path, THIS, {"a.parquet": ["1", "5"]})
        (second,) = month_streams(found)
        assert (second.name, second.window) == (first.name, first.window)
        assert second.version != first.version
        load(lake, found, second, tmp_path / "two")
        assert billed(lake) == {f"{THIS:%Y-%m}": Decimal(6)}


def test_an_interrupted_fetch_goes_on_after_the_last_file(aws: AwsFront, tmp_path: Path) -> None:
    deliver(aws, tmp_path, THIS, {"a.parquet": ["1"], "b.parquet": ["2"], "c.parquet": ["3"]})
    found = source(aws)
    (stream,) = month_streams(found)
    whole = kept(found.pull(stream, None), tmp_path / "whole")
    pages = found.pull(stream, None)
    first = next(pages)
    parts = {first.name: Path(str(first.body)).read_bytes()}
    pages.close()  # type: ignore[attr-defined]
    aws.state.called.clear()
    parts |= kept(source(aws).pull(stream, first.resume), tmp_path / "rest")
    assert parts == whole
    assert list(whole) == [f"0000{n}-{name}.parquet" for n, name in enumerate("abc")]


def test_a_token_of_an_older_delivery_is_stale(aws: AwsFront, tmp_path: Path) -> None:
    deliver(aws, tmp_path, THIS, {"a.parquet": ["1"], "b.parquet": ["2"]})
    found = source(aws)
    (stream,) = month_streams(found)
    resume = next(found.pull(stream, None)).resume
    deliver(aws, tmp_path, THIS, {"a.parquet": ["4"]})
    with pytest.raises(StaleResumeError, match="anew"):
        next(found.pull(stream, resume))
    assert len(kept(found.pull(stream, None), tmp_path / "kept")) == 1


def test_a_delivery_in_the_middle_of_a_fetch_is_stale(aws: AwsFront, tmp_path: Path) -> None:
    deliver(aws, tmp_path, THIS, {"a.parquet": ["1"], "b.parquet": ["2"]})
    found = source(aws)
    (stream,) = month_streams(found)
    pages = found.pull(stream, None)
    next(pages)
    deliver(aws, tmp_path, THIS, {"a.parquet": ["4"], "b.parquet": ["5"]})
    with pytest.raises(StaleResumeError, match="anew"):
        next(pages)


def test_a_manifest_that_names_missing_files_loads_nothing(aws: AwsFront, tmp_path: Path) -> None:
    deliver(aws, tmp_path, THIS, {"a.parquet": ["1"], "b.parquet": ["2"]}, without="b.parquet")
    found = source(aws)
    (stream,) = month_streams(found)
    with pytest.raises(SourceError, match=r"names 2 files, and 1 of them are not in the bucket costs: .*b\.parquet"):
        next(found.pull(stream, None))


@pytest.mark.parametrize(
    ("body", "said"), [("{}", "is no manifest"), ("not json", "is no manifest"), ('{"dataFiles": []}', "names no file")]
)
def test_a_manifest_that_is_none_is_refused(aws: AwsFront, body: str, said: str) -> None:
    key = f"{PREFIX}/{NAME}/metadata/BILLING_PERIOD={THIS:%Y-%m}/{NAME}-Manifest.json"
    s3(aws).put_object(Bucket=BUCKET, Key=key, Body=body)
    found = source(aws)
    (stream,) = month_streams(found)
    with pytest.raises(SourceError, match=said):
        next(found.pull(stream, None))


def test_a_delivery_under_way_is_waited_for_but_not_for_ever(aws: AwsFront, tmp_path: Path) -> None:
    deliver(aws, tmp_path, THIS, {"a.parquet": ["1"], "b.parquet": ["2"]})
    client = s3(aws)
    manifest = f"{PREFIX}/{NAME}/metadata/BILLING_PERIOD={THIS:%Y-%m}/{NAME}-Manifest.json"
    found = source(aws)
    (stream,) = month_streams(found)
    written = client.head_object(Bucket=BUCKET, Key=manifest)["LastModified"]
    key = f"{PREFIX}/{NAME}/data/BILLING_PERIOD={THIS:%Y-%m}/a.parquet"
    while client.head_object(Bucket=BUCKET, Key=key)["LastModified"] <= written:
        client.upload_file(str(lines(tmp_path, "a.parquet", THIS, ["9"])), BUCKET, key)
    with pytest.raises(SourceError, match=r"is delivering .* right now"):
        next(found.pull(stream, None))
    settled = source(aws, now=datetime.now(UTC) + timedelta(minutes=61))
    # The clock of the requests is botocore's own; only the source's moves.
    assert len(kept(settled.pull(stream, None), tmp_path / "kept")) == 2


def test_the_current_manifest_wins_over_those_of_executions(aws: AwsFront, tmp_path: Path) -> None:
    deliver(aws, tmp_path, THIS, {"a.parquet": ["1"]})
    older = f"{PREFIX}/{NAME}/metadata/BILLING_PERIOD={THIS:%Y-%m}/20261101T000000Z-x/{NAME}-Manifest.json"
    s3(aws).put_object(Bucket=BUCKET, Key=older, Body=json.dumps({"dataFiles": ["s3://costs/gone.parquet"]}))
    found = source(aws)
    (stream,) = month_streams(found)
    assert list(kept(found.pull(stream, None), tmp_path / "kept")) == ["00000-a.parquet"]


@pytest.mark.parametrize(
    "fault",
    [
        Fault("s3:GetObject", 503, "SlowDown", "Please reduce your request rate.", times=2),
        Fault("s3:GetObject", 500, "InternalError", "We encountered an internal error."),
        Fault("s3:GetObject", times=2),
        Fault("s3:ListBucket", 503, "SlowDown", "Please reduce your request rate."),
    ],
)
def test_what_breaks_in_passing_is_tried_again(aws: AwsFront, tmp_path: Path, fault: Fault) -> None:
    deliver(aws, tmp_path, THIS, {"a.parquet": ["1.25"], "b.parquet": ["2"]})
    found = source(aws)
    (stream,) = month_streams(found)
    aws.state.faults.append(replace(fault))
    with open_lake(tmp_path) as lake:
        load(lake, found, stream, tmp_path / "kept")
        assert billed(lake) == {f"{THIS:%Y-%m}": Decimal("3.25")}
    assert aws.state.faults == []


def test_what_stays_broken_is_said(aws: AwsFront, tmp_path: Path) -> None:
    deliver(aws, tmp_path, THIS, {"a.parquet": ["1"]})
    found = source(aws)
    (stream,) = month_streams(found)
    aws.state.faults.append(Fault("s3:GetObject", 400, "ExpiredToken", "The provided token has expired.", times=99))
    with pytest.raises(SourceError, match="token has expired"):
        next(found.pull(stream, None))


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("s3://b-1/p/q/name", Place("b-1", "p/q", "name")),
        ("s3://b-1/name/", Place("b-1", "", "name")),
    ],
)
def test_addresses_of_exports(address: str, place: Place) -> None:
    assert Place.of(address) == place


@pytest.mark.parametrize("address", ["b/p/name", "s3://b", "https://b/p", "s3://B_/x"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(SourceError, match="is no address of an export"):
        Place.of(address)


# --- Cost Explorer


def test_a_total_is_exact_and_says_whether_the_days_are_closed(aws: AwsFront) -> None:
    meter = Meter()
    found = source(aws, meter=meter)
    aws.state.costs[LAST + timedelta(days=1)] = Decimal("0.0000000001")
    whole = Window(LAST, NOW.date() + timedelta(days=1))
    assert found.totals(whole) == [Total(whole, Decimal("322.8400000002"), "USD", "Cost Explorer", closed=False)]
    assert found.totals(whole) == found.totals(whole)
    assert meter.paid == Decimal("0.01"), "the same days are asked for once"


def test_closed_days_are_closed(aws: AwsFront) -> None:
    old = (THIS - timedelta(days=70)).replace(day=1)
    (found,) = source(aws).totals(Window(old, old + timedelta(days=28)))
    assert (found.amount, found.closed) == (Decimal(0), True)


def test_each_page_of_a_total_is_paid_for(aws: AwsFront) -> None:
    aws.state.days_a_page = 150
    meter = Meter()
    (found,) = source(aws, meter=meter).totals(window(390))
    assert found.amount == Decimal("322.8400000001")
    assert (meter.paid_calls, meter.paid) == (3, Decimal("0.03"))


def test_the_limit_of_paid_calls_holds(aws: AwsFront) -> None:
    aws.state.days_a_page = 150
    with pytest.raises(BudgetError, match=r"costs \$0\.01 a request"):
        source(aws, meter=Meter(Decimal("0.02"))).totals(window(390))
    assert aws.state.called.count("ce:GetCostAndUsage") == 2


def test_throttled_totals_are_tried_again(aws: AwsFront) -> None:
    aws.state.faults.append(Fault("ce:GetCostAndUsage", 400, "LimitExceededException", "Rate exceeded", times=2))
    assert len(source(aws).totals(Window(THIS, NOW.date() + timedelta(days=1)))) == 1


def test_days_before_those_that_are_kept_have_no_total(aws: AwsFront) -> None:
    assert source(aws).totals(Window(date(2020, 1, 1), date(2020, 3, 1))) == []


# --- token metrics


def put(front: AwsFront, model: str, moment: datetime, **counts: int) -> None:
    client = boto3.client("cloudwatch", endpoint_url=front.moto_url, **keys("x", "y"))
    by = [{"Name": "ModelId", "Value": model}]
    data = [{"MetricName": n, "Dimensions": by, "Timestamp": moment, "Value": v} for n, v in counts.items()]
    client.put_metric_data(Namespace="AWS/Bedrock", MetricData=data)


def tokens(found: AwsSource) -> Stream:
    return next(s for s in found.streams(window(20)) if s.name == "tokens")


def test_token_metrics_become_usage(aws: AwsFront, tmp_path: Path) -> None:
    hour = (NOW - timedelta(days=2)).replace(minute=0, second=0)
    model = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
    put(aws, model, hour + timedelta(minutes=5), InputTokenCount=1000, OutputTokenCount=50, Invocations=3)
    put(aws, model, hour + timedelta(minutes=6), InputTokenCount=500, OutputTokenCount=20, Invocations=1)
    put(aws, model, hour + timedelta(minutes=6), CacheReadInputTokens=7000, InvocationClientErrors=2)
    put(aws, "amazon.nova-lite-v1:0", hour + timedelta(hours=2), InputTokenCount=9, OutputTokenCount=1, Invocations=1)
    profile = f"arn:aws:bedrock:us-east-1:{CUSTOMER}:application-inference-profile/abc"
    behind = "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-haiku-4-5-20251001-v1:0"
    aws.state.profiles = [
        {
            "inferenceProfileName": "team",
            "inferenceProfileId": "abc",
            "inferenceProfileArn": profile,
            "models": [{"modelArn": behind}],
            "status": "ACTIVE",
            "type": "APPLICATION",
        }
    ]
    put(aws, profile, hour, InputTokenCount=4, OutputTokenCount=2, Invocations=1)
    found = source(aws)
    with open_lake(tmp_path) as lake:
        load(lake, found, tokens(found), tmp_path / "kept")
        rows = lake.records("SELECT * FROM usage ORDER BY ModelId")
        assert [(r["ModelId"], r["InputUncachedTokens"], r["OutputTokens"], r["Requests"]) for r in rows] == [
            ("claude-haiku-4-5", 4, 2, 1),
            ("claude-sonnet-4-5", 1500, 70, 4),
            ("nova-lite", 9, 1, 1),
        ]
        sonnet = rows[1]
        assert (sonnet["CacheReadTokens"], sonnet["CacheWriteTokens"], sonnet["Errors"]) == (7000, None, 2)
        assert (sonnet["Grain"], sonnet["ServingRegion"], sonnet["SubAccountId"]) == ("hour", "Regional", CUSTOMER)
        assert json.loads(sonnet["Tags"]) == {"region": "us-east-1"}
        assert sonnet["UsagePeriodStart"] == hour


def test_a_model_of_long_ago_is_asked_for_by_name(aws: AwsFront, tmp_path: Path) -> None:
    aws.state.models = ["anthropic.claude-3-haiku-20240307-v1:0", "amazon.titan-text-express-v1"]
    found = source(aws)
    bodies = kept(found.pull(tokens(found), None), tmp_path / "kept")
    assert len(bodies) == 3
    asked = aws.state.called.count("cloudwatch:GetMetricData")
    assert asked == 1, "the scan of two models that were never called, and nothing for the weeks"


def test_days_without_a_call_are_days_without_tokens(aws: AwsFront, tmp_path: Path) -> None:
    hour = (NOW - timedelta(days=2)).replace(minute=0, second=0)
    put(aws, "amazon.nova-lite-v1:0", hour, InputTokenCount=9, OutputTokenCount=1, Invocations=1)
    found = source(aws)
    with open_lake(tmp_path) as lake:
        load(lake, found, tokens(found), tmp_path / "one")
        aws.reset()
        aws.state.roles[ROLE] = Role(external_id=EXTERNAL)
        s3(aws).create_bucket(Bucket=BUCKET)
        load(lake, source(aws), tokens(source(aws)), tmp_path / "two")
        assert lake.records("SELECT count(*) AS n FROM usage")[0]["n"] == 0


def test_token_metrics_go_on_after_the_last_week(aws: AwsFront, tmp_path: Path) -> None:
    put(aws, "amazon.nova-lite-v1:0", NOW - timedelta(days=2), InputTokenCount=9, OutputTokenCount=1, Invocations=1)
    found = source(aws)
    whole = kept(found.pull(tokens(found), None), tmp_path / "whole")
    pages = found.pull(tokens(found), None)
    first = next(pages)
    rest = kept(source(aws).pull(tokens(found), first.resume), tmp_path / "rest")
    assert {first.name: first.body} | rest == whole


def test_metrics_are_counted_with_their_price(aws: AwsFront, tmp_path: Path) -> None:
    put(aws, "amazon.nova-lite-v1:0", NOW - timedelta(days=2), InputTokenCount=9, OutputTokenCount=1, Invocations=1)
    meter = Meter()
    found = source(aws, meter=meter)
    kept(found.pull(tokens(found), None), tmp_path / "kept")
    assert meter.paid == 3 * 3 * Decimal("0.00001"), "three weeks of three metrics"


def test_no_regions_no_token_metrics(aws: AwsFront) -> None:
    found = source(aws, regions="none")
    assert all(stream.name != "tokens" for stream in found.streams(window()))
    assert not any("token" in step.step for step in found.diagnose())


# --- what a person is shown


def test_the_policy_allows_what_is_called_and_nothing_else(aws: AwsFront, tmp_path: Path) -> None:
    deliver(aws, tmp_path, THIS, {"a.parquet": ["1"]})
    put(aws, "amazon.nova-lite-v1:0", NOW, Invocations=1)
    aws.state.exports = [export(NAME, "COST_AND_USAGE_REPORT")]
    found = source(aws, export="")
    found.diagnose()
    for stream in found.streams(window()):
        kept(found.pull(stream, None), tmp_path / stream.name)
    found.totals(window())
    allowed = set[str]()
    for statement in setup.policy(BUCKET, PREFIX)["Statement"]:
        actions = statement["Action"]
        allowed |= {actions} if isinstance(actions, str) else set(actions)
    assert {action for action in aws.state.called if not action.startswith("sts:")} == allowed


def test_the_template_makes_a_role_that_only_the_external_id_opens() -> None:
    document = json.loads(setup.template())
    trust = document["Resources"]["Role"]["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]
    assert trust["Condition"] == {"StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}}}
    target = document["Resources"]["Export"]["Properties"]["Export"]["DestinationConfigurations"]["S3Destination"]
    assert target["S3OutputConfigurations"]["Overwrite"] == "OVERWRITE_REPORT"
    assert document["Outputs"]["Export"]["Value"] == {"Fn::Sub": "s3://${Bucket}/spendproof/spendproof"}


def test_the_query_asks_for_columns_that_the_report_has(shared: Path) -> None:
    there = {c["name"] for c in json.loads((shared / "aws" / "cur2_columns.json").read_text())["columns"]}
    asked = set(setup.query().removeprefix("SELECT ").partition(" FROM ")[0].split(", "))
    assert asked <= there


def test_the_quick_create_link_fills_in_the_stack() -> None:
    link = setup.quick_create("https://b.s3.us-east-1.amazonaws.com/spendproof.json", VENDOR, EXTERNAL)
    assert "templateURL=https%3A%2F%2Fb.s3.us-east-1.amazonaws.com%2Fspendproof.json" in link
    assert f"param_VendorAccountId={VENDOR}&param_ExternalId={EXTERNAL}" in link
    assert "#/stacks/create/review?" in link


# --- what every live source promises


class AwsCase(Case):
    """A payer account whose charges of two months are delivered as an export."""

    secret = "vendor-secret"  # noqa: S105 - of the loopback

    def __init__(self, server: AwsFront, folder: Path, now: datetime) -> None:
        self.server, self.folder, self.now = server, folder, now
        server.now = now
        opened = partial(AwsSource, endpoints={"*": server.url})
        self.provider = Provider("aws", replace(setup.SETUP, history_days=50), opened)
        self.values = {
            "role_arn": ROLE,
            "external_id": EXTERNAL,
            "export": f"s3://{BUCKET}/{PREFIX}/{NAME}",
            "regions": "us-east-1",
            "access_key_id": "AKIAVENDOR",
            "secret_access_key": self.secret,
        }
        self.costs = {now.date().replace(day=1): Decimal("8.5"), date(now.year, now.month - 1, 1): Decimal("20.25")}
        self.deliver()
        put(server, "amazon.nova-lite-v1:0", now - timedelta(days=2), InputTokenCount=9, Invocations=1)

    def deliver(self) -> None:
        self.server.state.costs = dict(self.costs)
        for month, cost in self.costs.items():
            half = cost / 2
            deliver(self.server, self.folder, month, {"a.parquet": [str(half)], "b.parquet": [str(cost - half)]})

    def truth(self) -> dict[str, Decimal]:
        total = sum(self.costs.values(), Decimal(0))
        return {"USD": total} if total else {}

    def restate(self, factor: str) -> None:
        self.costs = {month: cost * Decimal(factor) for month, cost in self.costs.items()}
        self.deliver()

    def lose_key(self) -> None:
        self.kept = self.server.state.keys.pop("AKIAVENDOR")

    def find_key(self) -> None:
        self.server.state.keys["AKIAVENDOR"] = self.kept


class CostExplorerAlone(AwsCase):
    """A payer account that has no export yet."""

    def deliver(self) -> None:
        self.server.state.costs = dict(self.costs)
        del self.values["export"]


def test_an_account_without_an_export_shows_what_cost_explorer_says_until_one_is_delivered(
    aws: AwsFront, tmp_path: Path
) -> None:
    with time_machine.travel(datetime(2026, 11, 20, 12, tzinfo=UTC), tick=True):
        case = CostExplorerAlone(aws, tmp_path, datetime.now(UTC))
        desk = Desk(case, tmp_path / "home")
        run = desk.sync()
        assert run.state == RunState.FAILED
        assert "no data export of charges" in run.message
        assert run.paid.quantize(Decimal("0.01")) == aws.state.called.count("ce:GetCostAndUsage") * Decimal("0.01")
        newest = totals.listed(desk.settings, desk.connection)[0]
        assert (newest.amount, newest.origin, newest.is_provisional) == (Decimal("8.5"), "Cost Explorer", True)
        assert desk.ledger() == ({}, 0, 1), "the token counts come without an export, and no charge does"
        aws.state.exports = [export(NAME, "COST_AND_USAGE_REPORT")]
        AwsCase.deliver(case)
        assert desk.sync().message == ""
        newest = totals.listed(desk.settings, desk.connection)[0]
        assert (newest.amount, newest.ledger, newest.is_provisional) == (Decimal("8.5"), Decimal("8.5"), False)
        assert desk.ledger()[0] == case.truth()


class TestAwsLive(LiveContract):
    @pytest.fixture
    def case(self, aws: AwsFront, tmp_path: Path) -> Iterator[Case]:
        bills = tmp_path / "bills"
        bills.mkdir()
        # Days of one month, whatever day it is: AWS takes no request that is signed at another time than its own.
        with time_machine.travel(datetime(2026, 11, 20, 12, tzinfo=UTC), tick=True):
            yield AwsCase(aws, bills, datetime.now(UTC))

    def test_a_pull_goes_on_after_any_of_its_pages(self, case: Case, streams: Iterator[list[Stream]]) -> None:
        """As the suite's own, for pages that are files and the receiver's only until it asks for the next."""
        for stream in next(streams):
            pages = [(p.name, contents(p), p.resume) for p in case.source().pull(stream, None)]
            assert len({name for name, _, _ in pages}) == len(pages) > 1
            assert [resume is None for _, _, resume in pages] == [False] * (len(pages) - 1) + [True]
            for at, (_, _, resume) in enumerate(pages[:-1]):
                rest = [(p.name, contents(p), p.resume) for p in case.source().pull(stream, resume)]
                assert rest[-1] == pages[-1]
                assert [page[:2] for page in rest] == [page[:2] for page in pages[at + 1 :]]


def contents(page: Page) -> bytes:
    return page.body if isinstance(page.body, bytes) else page.body.read_bytes()
