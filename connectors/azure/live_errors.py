"""What an error of Azure means to a person: a sentence of what happened, and one of what to do about it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from connectors.errors import SourceError
from connectors.patience import Pause, asked_wait
from connectors.probing import network

#: Headers by which Cost Management says, each for a limit of its own, when it may be asked again. The SDK reads none.
LIMITS: Final = tuple(
    f"x-ms-ratelimit-microsoft.costmanagement-{limit}-retry-after"
    for limit in ("qpu", "entity", "tenant", "clienttype")
)
_ACTION: Final = re.compile(r"perform action '([^']+)'(?: or the scope is invalid)?(?: over scope '([^']+)')?")
_LONGEST: Final = 300
_SERVER_ERROR: Final = 500
_REFUSED: Final = 400
_BUSY: Final = (408, 429)
_PRINCIPAL: Final = "`az ad sp list --display-name spendproof`"

#: Pattern over status, code and message of an error, what it says, what to do; the first that holds decides.
_RULES: Final = (
    (
        r"AADSTS7000222",
        "The client secret has expired.",
        "Make a new one (`az ad app credential reset --id CLIENT_ID --append`) and enter it with `connections rotate`.",
    ),
    (
        r"AADSTS7000215",
        "Microsoft Entra refuses the client secret: it is wrong, or it is the id of the secret instead of its value.",
        "Enter the secret's value, which is shown only once, or make a new one.",
    ),
    (
        r"AADSTS(700016|7000229|90095)",
        "The tenant does not know the application: the client id or the tenant is wrong, or nobody consented to it.",
        f"Compare client_id and tenant_id with what {_PRINCIPAL} shows, or have an administrator consent.",
    ),
    (
        r"AADSTS(90002|900021|900023|900382)|OIDC Discovery failed|Unable to get authority configuration",
        "There is no such tenant.",
        "Enter the directory's id, as `az account show --query tenantId` shows it.",
    ),
    (
        r"AADSTS7000112|AADSTS7000\d*.*disabled",
        "The application is disabled in the tenant.",
        "Enable it under Microsoft Entra ID > Enterprise applications > Properties.",
    ),
    (
        r"AADSTS700024|AADSTS70008\d*.*time",
        "The token of the workload is not valid at this time: it has expired, or the clock of this machine is off.",
        "Check the clock (`timedatectl set-ntp true`) and that the token file is renewed.",
    ),
    (
        r"AADSTS(70021|700211|700212|700213)",
        "No federated credential of the application fits the token of the workload.",
        "Compare its issuer, subject and audience with those of the token, letter by letter.",
    ),
    (
        r"AADSTS53003|AADSTS530\d+",
        "A Conditional Access policy of the tenant refuses this machine.",
        "Exempt the workload identity or this address from the policy.",
    ),
    (
        r"CredentialUnavailableError|DefaultAzureCredential failed",
        "There is no Azure identity on this machine.",
        "Run `az login`, start SpendProof where a managed identity is attached, or enter a service principal.",
    ),
    (
        r"InvalidAuthenticationTokenTenant|tenant.*does not match",
        "The token is of another tenant than the subscription.",
        "Enter the tenant that `az account show --subscription ID --query tenantId` shows.",
    ),
    (
        r"SubscriptionNotFound|InvalidSubscriptionId|MissingSubscription",
        "There is no such subscription, or the application may see nothing of it.",
        "Check the id in the scope (`az account list`), and give the application its roles there.",
    ),
    (
        r"AccountCostDisabled|IndirectCostDisabled|view charges",
        "The enrollment hides costs from its accounts (AO or DA view charges is off).",
        "Have an enterprise administrator turn on view charges in Cost Management + Billing > Policies.",
    ),
    (
        r"not supported for (the )?(offer|scope|account)|OfferNotSupported|UnsupportedOffer|UnsupportedAgreement",
        "Cost Management does not offer this for the agreement or scope.",
        "Use a subscription of a Microsoft Customer or Enterprise Agreement, or the billing account as the scope.",
    ),
    (
        r"ManagementGroup.*(not supported|Unsupported)",
        "Cost Management does not show this management group.",
        "Use the billing account or single subscriptions as the scope.",
    ),
    (
        r"RBACAccessDenied",
        "Cost Management refuses the scope {where}: the application has no role there.",
        (
            "Assign Cost Management Reader at the scope; for a billing account its own role (enrollment reader, or "
            "billing profile reader). A new role takes up to 30 minutes."
        ),
    ),
    (
        r"AuthorizationPermissionMismatch",
        "The application may not read the export's files in {where}.",
        (
            "Assign Storage Blob Data Reader on the container: Owner and Contributor do not hold it. A new role takes "
            "up to 10 minutes."
        ),
    ),
    (
        r"403 AuthorizationFailure|IpAddress.*not allowed|NetworkAclsValidationFailure|network rule",
        "The firewall of the storage account refuses this machine: {where}.",
        "Add this machine's address under the account's Networking, or allow its virtual network.",
    ),
    (
        r"AuthorizationFailed|LinkedAuthorizationFailed",
        "Permission {action} is missing on {scope}.",
        "Assign {role} there (the set-up steps hold the command). A new role takes up to 30 minutes.",
    ),
    (
        r"ContainerNotFound",
        "There is no container {where}.",
        "Check the address of the export: https://ACCOUNT.blob.core.windows.net/CONTAINER/FOLDER/EXPORT.",
    ),
    (
        r"BlobArchived|BlobBeingRehydrated",
        "A file of the export was moved to the archive tier and cannot be read.",
        "Rehydrate it, and exempt the export's folder from the account's lifecycle rule.",
    ),
    (
        r"BlobNotFound",
        "A file of the export is not there any more.",
        "Run the export again, or wait for its next run.",
    ),
    (
        r"AccountIsDisabled",
        "The storage account is disabled.",
        "The subscription may be suspended: look at its state in the portal.",
    ),
    (
        r"KeyVaultEncryptionKeyNotFound|KeyVaultAccessTokenCannotBeAcquired",
        "The key in Azure Key Vault that the storage account is encrypted with is gone or closed to it.",
        "Enable the key again, or give the account's identity access to it.",
    ),
    (
        r"InvalidAuthenticationInfo|NoAuthenticationInformation|PublicAccessNotPermitted|KeyBasedAuthentication",
        "The storage account does not take the sign-in.",
        "Check that the account's cloud is Azure's public one and that Microsoft Entra sign-in is allowed.",
    ),
    (
        r"ExpiredAuthenticationToken|token expiry",
        "Azure holds the token for expired: the clock of this machine is off, or it slept.",
        "Set the clock (for example `timedatectl set-ntp true`) and try again.",
    ),
    (
        r"^401\b|InvalidAuthenticationToken|AuthenticationFailed",
        "Azure does not take the sign-in.",
        "Check tenant, application and secret, and this machine's clock.",
    ),
    (
        r"BillingAccountNotFound|billing account.*not found|EnrollmentNotFound",
        "There is no such billing account, or the application has no role on it.",
        "Copy its id from Cost Management + Billing > Properties; an enrollment needs the role EnrollmentReader.",
    ),
    (
        r"ResourceNotFound|ExportNotFound|^404\b",
        "Azure finds nothing at {where}.",
        "Check the scope and the export's name (`az costmanagement export list --scope SCOPE`).",
    ),
)

#: Built-in roles by the beginning of the action that they allow.
_ROLES: Final = (
    ("Microsoft.CostManagement/", "Cost Management Reader"),
    ("Microsoft.Consumption/", "Cost Management Reader"),
    ("Microsoft.Insights/", "Monitoring Reader"),
    ("Microsoft.CognitiveServices/", "Monitoring Reader"),
    ("Microsoft.Storage/", "Storage Blob Data Reader"),
)


def error_of(error: Exception, where: str, patience: str = "") -> SourceError:
    """What an error of the SDK means.

    Args:
        error: of azure-core or azure-identity.
        where: what was asked, such as a scope or the address of a container.
        patience: how long it was tried, where it was.
    """
    response = _response(error)
    text = _told(error, response)
    action = _ACTION.search(text)
    given = {"where": where or "this address", "action": "", "scope": where or "the scope", "role": "the role"}
    if action:
        role = next((r for lead, r in _ROLES if action.group(1).lower().startswith(lead.lower())), "a role with it")
        given |= {"action": action.group(1), "scope": action.group(2) or given["scope"], "role": role}
    for pattern, says, fix in _RULES:
        if re.search(pattern, text, re.IGNORECASE):
            refused = SourceError(says.format(**given), fix.format(**given))
            refused.status = getattr(response, "status_code", None)
            return refused
    if response is None and _names(error) & _CUT:
        return network("Azure", urlsplit(where).hostname or "management.azure.com", error)
    if response is None and patience:
        return SourceError(patience)
    return SourceError(f"Azure refuses: {text[:_LONGEST]}.", "See what Azure says of this error.")


def passing(error: Exception, now: datetime) -> Pause | None:
    """The pause after an error that another try may mend; None where it cannot."""
    if isinstance(error, CutOffError):
        return Pause("Azure sent a file that is not whole")
    response = _response(error)
    if response is not None:
        status = int(response.status_code)
        if status >= _SERVER_ERROR or status in _BUSY:
            return Pause(f"Azure answers with status {status}", asked_wait(response.headers, now, *LIMITS))
        if status >= _REFUSED:
            return None
        return Pause("Azure sent an answer that is not whole") if _names(error) & _CUT else None
    return Pause("The connection to Azure broke off") if _names(error) & _CUT else None


class CutOffError(Exception):
    """A file that ended early without an error of its own."""


_CUT: Final = frozenset({"DecodeError", "IncompleteReadError", "ServiceRequestError", "ServiceResponseError"})


def _names(error: BaseException) -> set[str]:
    return {cls.__name__ for link in _chain(error) for cls in type(link).__mro__}


def _response(error: BaseException) -> Any:  # noqa: ANN401 - old and new responses of the SDK
    """The answer behind an error: the sign-in wraps the error that holds it."""
    return next((found for link in _chain(error) if (found := getattr(link, "response", None)) is not None), None)


def _chain(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__


def _told(error: Exception, response: Any) -> str:  # noqa: ANN401
    """Status, code and message of an error as one line, with the name of its class."""
    status = getattr(response, "status_code", "")
    found = getattr(error, "error", None)
    code = getattr(error, "error_code", None) or getattr(found, "code", None) or ""
    code = getattr(code, "value", code)
    message = getattr(error, "message", None) or str(error)
    return " ".join(f"{status} {code} {message} ({type(error).__name__})".split())
