"""Clients of Google Cloud: the machine's own identity, a service account's key, or a service account impersonated."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from connectors.errors import SourceError
from connectors.gcp.live import Clients

SCOPES: Final = (
    "https://www.googleapis.com/auth/bigquery",
    "https://www.googleapis.com/auth/cloud-billing.readonly",
)
_ANY: Final = "https://www.googleapis.com/auth/cloud-platform"


def clients(values: Mapping[str, str], table_project: str) -> Clients:
    """The clients for what was entered; queries run in, and are billed to, `project`, else the table's.

    Raises:
        SourceError: the key is none.
        google.auth.exceptions.GoogleAuthError: there is no identity.
    """
    from google.cloud import bigquery, billing_v1  # noqa: PLC0415

    held = credentials(values)
    project = values.get("project") or table_project
    return Clients(
        bigquery.Client(project=project, credentials=held),
        billing_v1.CloudBillingClient(credentials=held, transport="rest"),
    )


def credentials(values: Mapping[str, str]) -> Any:  # noqa: ANN401 - google-auth has no types
    """The identity that Google is asked with; none lives longer than an hour unless it is renewed."""
    import google.auth  # noqa: PLC0415
    from google.auth import impersonated_credentials  # noqa: PLC0415
    from google.oauth2 import service_account  # noqa: PLC0415

    account, key = values.get("service_account", ""), values.get("key", "")
    if key:
        try:
            own = service_account.Credentials.from_service_account_info(json.loads(key), scopes=list(SCOPES))
        except ValueError as error:
            raise SourceError(
                "The key is not that of a service account.", "Enter the whole JSON file that Google made for it."
            ) from error
    else:
        own, _ = google.auth.default(scopes=[_ANY] if account else list(SCOPES))
    if not account:
        return own
    return impersonated_credentials.Credentials(own, target_principal=account, target_scopes=list(SCOPES))
