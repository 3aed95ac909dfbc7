"""Clients of Azure: a service principal, a workload identity, or the identity of the machine.

The SDK's own retries are off: they sleep for real, and know nothing of the headers by which Cost Management limits its
callers. Every request is made through `Clients.ask`, which counts, waits and explains.
"""

# The type checker's root is connectors/, where it takes the SDK's package `azure` for this one.
# pyright: reportMissingImports=false

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from connectors.azure.live_errors import error_of, passing
from connectors.errors import SourceError
from connectors.patience import ATTEMPTS, persist

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.mgmt.costmanagement import CostManagementClient
    from azure.monitor.querymetrics import MetricsClient
    from azure.storage.blob import ContainerClient

    from connectors.live import Access

T = TypeVar("T")

# The SDK logs each refused sign-in with all that it tried; without a handler Python would print that.
logging.getLogger("azure").addHandler(logging.NullHandler())

#: Cost Management limits each client by this name on its own.
CLIENT_TYPE: Final = {"ClientType": "SpendProof"}
_SERVER_ERROR: Final = 500
_TOO_MANY: Final = 429


class Clients:
    """Makes the clients of one connection.

    Args:
        access: what was entered, and who counts.
        transport: carries the requests in place of the SDK's own.

    Raises:
        SourceError: half of a service principal is missing.
    """

    def __init__(self, access: Access, transport: Any = None) -> None:  # noqa: ANN401 - of the SDK, which loads late
        self._access = access
        self._given: dict[str, Any] = {"retry_total": 0}
        if transport is not None:
            self._given["transport"] = transport
        self._credential: TokenCredential | None = None
        self._costs: CostManagementClient | None = None
        #: Times that a call is made before it counts as failed.
        self.attempts = ATTEMPTS
        _refuse_halves(access)

    def ask(self, what: str, call: Callable[[], T], where: str = "") -> T:
        """The result of a call, after as many attempts as it takes.

        Args:
            what: is called, for the count.
            call: makes the requests.
            where: what it asks, for the sentence of an error.

        Raises:
            SourceError: Azure refused, or failed for longer than patience lasts.
        """
        from azure.core.exceptions import AzureError  # noqa: PLC0415 - only a connection to Azure needs it

        def once() -> T:
            self._access.meter.count(f"Azure {what}")
            return call()

        try:
            return persist(once, lambda e: passing(e, self._access.now()), self._access, self.attempts)
        except AzureError as error:
            raise error_of(error, where) from error
        except SourceError as error:
            # Out of patience: where there was no answer at all, say what the network says.
            if isinstance(error.__cause__, AzureError) and getattr(error.__cause__, "response", None) is None:
                raise error_of(error.__cause__, where, str(error)) from error
            raise

    def costs(self) -> CostManagementClient:
        """Cost Management, and whatever else Azure Resource Manager answers."""
        if self._costs is None:
            from azure.mgmt.costmanagement import CostManagementClient  # noqa: PLC0415

            self._costs = CostManagementClient(self.credential(), **self._given)
        return self._costs

    def container(self, account: str, name: str) -> ContainerClient:
        """A container of a storage account."""
        from azure.storage.blob import ContainerClient  # noqa: PLC0415

        return ContainerClient(account, name, credential=self.credential(), **self._given)

    def metrics(self, region: str) -> MetricsClient:
        """Azure Monitor's metrics of a region."""
        from azure.monitor.querymetrics import MetricsClient  # noqa: PLC0415

        return MetricsClient(f"https://{region}.metrics.monitor.azure.com", self.credential(), **self._given)

    def get(self, address: str) -> dict[str, Any]:
        """What Azure Resource Manager answers to one request for `address`, a path or a link that it handed out."""
        from azure.core.rest import HttpRequest  # noqa: PLC0415

        answer = self.costs().send_request(HttpRequest("GET", address))
        answer.raise_for_status()
        return answer.json()

    def credential(self) -> TokenCredential:
        """Who asks: the service principal entered, by its secret or a token of the workload, else the machine."""
        if self._credential is None:
            from azure import identity  # noqa: PLC0415

            values, given = self._access.values, self._given | {"raw_response_hook": _stumbled}
            tenant, client = values.get("tenant_id", ""), values.get("client_id", "")
            if secret := values.get("client_secret"):
                self._credential = identity.ClientSecretCredential(
                    tenant, client, secret, disable_instance_discovery=True, **given
                )
            elif token_file := values.get("token_file"):
                if not Path(token_file).is_file():
                    raise SourceError(
                        f"The token file of the workload is not there: {token_file}.",
                        "Check its path as the user that SpendProof runs as; AKS puts it where "
                        "AZURE_FEDERATED_TOKEN_FILE says.",
                    )
                self._credential = identity.WorkloadIdentityCredential(
                    tenant_id=tenant,
                    client_id=client,
                    token_file_path=token_file,
                    disable_instance_discovery=True,
                    **given,
                )
            else:
                self._credential = identity.DefaultAzureCredential(**given)
        return self._credential


def _refuse_halves(access: Access) -> None:
    values = access.values
    proof = values.get("client_secret") or values.get("token_file")
    named = [name for name in ("tenant_id", "client_id") if values.get(name)]
    if proof and len(named) < 2:  # noqa: PLR2004 - both
        raise SourceError(
            "A secret or a token file needs the tenant and the application that it belongs to.",
            "Enter tenant_id and client_id: `az ad sp list --display-name spendproof` shows them.",
        )
    if named and not proof:
        raise SourceError(
            "The tenant or the application is named, but neither its secret nor a token file.",
            "Enter client_secret or token_file; leave all four empty to use the identity of this machine.",
        )


def _stumbled(response: Any) -> None:  # noqa: ANN401 - a response of the SDK's pipeline
    """Tell a sign-in service that stumbles from one that refuses, which the SDK of sign-in does not."""
    from azure.core.exceptions import HttpResponseError  # noqa: PLC0415

    status = response.http_response.status_code
    if status >= _SERVER_ERROR or status == _TOO_MANY:
        raise HttpResponseError(response=response.http_response)
