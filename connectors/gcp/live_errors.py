"""What an error of Google Cloud means to a person: what happened, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from connectors.errors import SourceError
from connectors.patience import Pause, asked_wait

_PERMISSION: Final = re.compile(r"\b((?:bigquery|billing|iam|resourcemanager)\.[a-zA-Z]+\.[a-zA-Z]+)\b")
_LONGEST: Final = 300
_SERVER_ERROR: Final = 500
_TOO_MANY: Final = 429
#: Pattern over class and message of an error, what it says, what to do; the first that holds decides.
_RULES: Final = (
    (
        r"invalid_grant.*(short-lived|iat and exp)|token used too early",
        "The clock of this machine is off, so Google refuses its signatures.",
        "Set the clock (for example `timedatectl set-ntp true`) and try again.",
    ),
    (
        r"iam\.serviceAccounts\.getAccessToken|iam\.serviceaccounts",
        "SpendProof may not act as the service account.",
        "Grant roles/iam.serviceAccountTokenCreator on it to SpendProof's own identity, and check its name.",
    ),
    (
        r"invalid_grant.*(account not found|deleted|disabled)|account has been deleted",
        "The service account was deleted or disabled.",
        "Enable it again, or make a new one and grant it the roles of the set-up steps.",
    ),
    (
        r"invalid_grant|invalid jwt|reauth|token has been expired or revoked|^(Unauthorized|RefreshError)",
        "Google no longer takes the sign-in or the key.",
        "Sign in again (`gcloud auth application-default login`), or enter a key that is enabled.",
    ),
    (
        r"^DefaultCredentialsError",
        "There is no Google identity on this machine.",
        (
            "Run `gcloud auth application-default login`, set GOOGLE_APPLICATION_CREDENTIALS, or start it where "
            "a service account is attached."
        ),
    ),
    (
        r"vpc service controls|request is prohibited by organization's policy",
        "A VPC Service Controls perimeter around the project refuses this machine.",
        "Add SpendProof's identity and network to an ingress rule of the perimeter.",
    ),
    (
        r"has not been used in project|it is disabled|accessNotConfigured",
        "The API is not enabled in the project.",
        "Enable it: `gcloud services enable bigquery.googleapis.com cloudbilling.googleapis.com`.",
    ),
    (
        r"billing has not been enabled|billing.*disabled|BillingNotEnabled",
        "The project in which the queries run has no billing account.",
        "Link one, or name another project for the queries.",
    ),
    (
        r"quota ?exceeded|custom quota",
        "The quota of bytes that the project may scan is used up.",
        "Wait for the next day, or raise the project's quota of query usage.",
    ),
    (
        r"bytesBilledLimitExceeded|limit for bytes billed",
        "The query would have read more than the limit; it was not run.",
        "Raise the limit of the connection.",
    ),
    (
        r"not found: dataset",
        "There is no such dataset, or it lies in another location than the query.",
        "Check project and dataset of {table}.",
    ),
    (
        r"not found: project|project .* (not found|does not exist)",
        "There is no such project, or it was deleted.",
        "Check the project's id (not its name or number).",
    ),
    (
        r"not found: table",
        "There is no table {table} yet.",
        "A new export makes its table within a day; else check the name in Billing > Billing export.",
    ),
    (
        r"unrecognized name: _PARTITIONTIME",
        "{table} is not partitioned by day, so it is no export table itself but a copy or a view.",
        "Name the table that Google writes to.",
    ),
    (
        r"unrecognized name|no such field",
        "{table} lacks a column that every billing export has.",
        "Name the table that Google writes to, without a view in between.",
    ),
    (
        r"not found: job",
        "BigQuery no longer keeps the query.",
        "Sync again; it is asked anew.",
    ),
    (
        r"^(Forbidden|PermissionDenied)",
        "Permission {permission} is missing.",
        (
            "Grant roles/bigquery.dataViewer on the dataset and roles/bigquery.jobUser on the project of the queries; "
            "organizations that allow only their own domains have to allow SpendProof's identity first."
        ),
    ),
    (
        r"^(ConnectionError|SSLError|ProxyError|TransportError|Timeout)",
        "Google cannot be reached: no network, or a proxy in between.",
        "Check that this machine reaches bigquery.googleapis.com over HTTPS.",
    ),
)
_CUT: Final = frozenset(
    {"ConnectionError", "ChunkedEncodingError", "Timeout", "ContentDecodingError", "JSONDecodeError", "TransportError"}
)


def error_of(error: Exception, table: str) -> SourceError:
    """What an error of Google's libraries means."""
    text = " ".join(f"{type(error).__name__}: {error}".split())
    said = _PERMISSION.search(text)
    given = {"permission": said.group(1) if said else "to read the export", "table": table}
    for pattern, says, fix in _RULES:
        if re.search(pattern, text, re.IGNORECASE):
            return SourceError(says.format(**given), fix.format(**given))
    return SourceError(f"Google refuses: {text[:_LONGEST]}.", "See what Google says of this error.")


def passing(error: Exception, now: datetime) -> Pause | None:
    """The pause after an error that another try may mend; None where it cannot."""
    status = int(getattr(error, "code", 0) or 0)
    reasons = {str(item.get("reason")) for item in getattr(error, "errors", []) or [] if isinstance(item, Mapping)}
    if status >= _SERVER_ERROR or status == _TOO_MANY or reasons & {"rateLimitExceeded", "backendError"}:
        response: Any = getattr(error, "response", None)
        headers: Mapping[str, str] = dict(getattr(response, "headers", None) or {})
        return Pause(f"Google answers with status {status}", asked_wait(headers, now))
    if {cls.__name__ for cls in type(error).__mro__} & _CUT:
        return Pause("The connection to Google broke off")
    return None
