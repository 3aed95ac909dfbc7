"""The test of a connection to AWS: each step says what was found, and the first that fails, how to mend it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from connectors.aws import live_exports, live_metrics
from connectors.aws.live_cost_explorer import month_of
from connectors.aws.live_errors import code_of
from connectors.aws.live_session import new_external_id
from connectors.errors import SourceError
from connectors.live import Window
from connectors.probing import Found, clock, probe

if TYPE_CHECKING:
    from connectors.aws.live import AwsSource
    from connectors.live import Diagnosis

_UNHEALTHY: Final = {
    "INSUFFICIENT_PERMISSION": "Let bcm-data-exports.amazonaws.com write to the bucket again, in the bucket's policy.",
    "BILL_OWNER_CHANGED": "The payer account changed: make the export anew in the present one.",
    "DEPRECATED": "AWS retired the export's table: make an export of COST_AND_USAGE_REPORT.",
}


def diagnose(source: AwsSource) -> list[Diagnosis]:
    """Every step of the test; those after the first that fails are not tried."""
    steps: list[tuple[str, Callable[[AwsSource], Found]]] = [("Sign in to AWS", _own_identity)]
    if source.clients.role_arn:
        steps += [("Assume the role", _role), ("Refuse a wrong external id", _guarded)]
    steps += [
        ("Ask Cost Explorer for this month", _this_month),
        ("Find the export", lambda source: Found(f"{source.place()} holds the charges.")),
        ("Read its newest manifest", _newest),
        ("Ask Data Exports for its state", _healthy),
    ]
    steps += [(f"Ask for token metrics in {name}", partial(_metrics, region=name)) for name in source.regions]
    return probe([(title, partial(_tried, source, step)) for title, step in steps])


def _tried(source: AwsSource, step: Callable[[AwsSource], Found]) -> Found:
    from botocore.exceptions import ClientError  # noqa: PLC0415 - only a connection to AWS needs it

    try:
        with source.translated():
            return step(source)
    except SourceError as error:
        if isinstance(error.__cause__, ClientError) and "clock" in error.says:
            clock("AWS", error.__cause__.response["ResponseMetadata"]["HTTPHeaders"], source.access.now())
        raise


def _own_identity(source: AwsSource) -> Found:
    said = source.clients.own("sts").get_caller_identity()
    expected = source.access.values.get("vendor_account", "")
    if expected and said["Account"] != expected:
        raise SourceError(
            f"SpendProof runs with credentials of account {said['Account']}, not of {expected}.",
            "Correct the account in the fields and in the role's trust policy, or start SpendProof as that account.",
        )
    return Found(f"SpendProof is {said['Arn']}.")


def _role(source: AwsSource) -> Found:
    """AWS refuses a role in the same words whether it is absent, trusts another account or has another id."""
    from botocore.exceptions import ClientError  # noqa: PLC0415

    clients = source.clients
    try:
        said = clients.get("sts").get_caller_identity()
    except ClientError as error:
        if not _denied(error):
            raise
        own = clients.own("sts").get_caller_identity()
        raise SourceError(
            f"AWS does not let {own['Arn']} assume {clients.role_arn}: there is no such role, it trusts another "
            "account, it expects another external id, or sts:AssumeRole is missing on our side.",
            f"Check that the role exists, that its trust policy names account {own['Account']} and the external id "
            f"{clients.external_id}, and that these credentials may call sts:AssumeRole on it.",
        ) from error
    return Found(f"The role {clients.role_arn} of account {said['Account']} can be assumed.")


def _guarded(source: AwsSource) -> Found:
    """A role that any external id opens would let another customer read this account through SpendProof."""
    from botocore.exceptions import ClientError  # noqa: PLC0415

    for external_id, said in ((new_external_id(), "a wrong external id"), (None, "no external id")):
        try:
            source.clients.assume(external_id)
        except ClientError as error:
            if not _denied(error):
                raise
        else:
            raise SourceError(
                f"The role can be assumed with {said}, so that anybody who knows its name could read this account "
                "through SpendProof.",
                "Put the condition back into the role's trust policy: "
                f'"StringEquals": {{"sts:ExternalId": "{source.clients.external_id}"}}.',
            )
    return Found("AWS refuses the role with a wrong external id and without one.")


def _this_month(source: AwsSource) -> Found:
    today = source.today()
    found = source.totals(Window(month_of(today), today + timedelta(days=1)))
    shown = ", ".join(f"{total.amount:f} {total.currency}" for total in found)
    return Found(f"{shown} so far this month, provisional (Cost Explorer).")


def _newest(source: AwsSource) -> Found:
    client, place = source.clients.get("s3"), source.place()
    client.head_bucket(Bucket=place.bucket)
    delivered = live_exports.deliveries(client, place)
    if not delivered:
        raise live_exports.undelivered(place, delivered)
    newest = delivered[-1]
    keys, _ = live_exports.read(client, place, newest)
    if keys:
        client.head_object(Bucket=place.bucket, Key=keys[0])
    return Found(
        f"Billing months delivered: {len(delivered)}, {delivered[0].period:%Y-%m} to {newest.period:%Y-%m}; the newest "
        f"on {newest.written:%Y-%m-%d}, files: {len(keys)}."
    )


def _healthy(source: AwsSource) -> Found:
    found, ill = live_exports.discover(source.clients.get("bcm-data-exports"))
    place = source.place()
    if place in ill:
        raise SourceError(
            f"AWS no longer delivers {place}: UNHEALTHY, {ill[place]}.",
            _UNHEALTHY.get(ill[place], "Look at the export in Data Exports, or make it anew."),
        )
    if place not in {export for export, _ in found}:
        return Found(f"{place} is delivered by another account; its state is not known here.")
    return Found("AWS reports nothing wrong with the export.")


def _metrics(source: AwsSource, region: str) -> Found:
    week = Window(source.today() - timedelta(days=7), source.today())
    return Found(f"Models with token metrics: {len(live_metrics.models(source.region(region), week).metrics)}.")


def _denied(error: Exception) -> bool:
    return code_of(error) in {"AccessDenied", "AccessDeniedException"}
