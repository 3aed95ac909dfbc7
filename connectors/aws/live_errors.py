"""What an AWS error means to a person: a sentence of what happened, and one of what to do about it.

AWS's own words are handed on where nothing better is known, except those of a failed signature: they repeat what was
signed, a session token included.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from connectors.errors import SourceError
from connectors.patience import Pause, asked_wait

_ACTION: Final = re.compile(r"not authorized to perform:? ([\w-]+:\w+)")
#: Where AWS says only that access is denied: the permission that the call needs, where it is not called like the call.
_NEEDS: Final = {
    "HeadBucket": "s3:ListBucket",
    "ListObjectsV2": "s3:ListBucket",
    "HeadObject": "s3:GetObject",
    "GetObject": "s3:GetObject",
    "GetCostAndUsage": "ce:GetCostAndUsage",
    "ListMetrics": "cloudwatch:ListMetrics",
    "GetMetricData": "cloudwatch:GetMetricData",
    "ListExports": "bcm-data-exports:ListExports",
    "GetExport": "bcm-data-exports:GetExport",
    "AssumeRole": "sts:AssumeRole",
}
_LONGEST: Final = 300
_LOGIN: Final = "Test the connection again with `aws sts get-caller-identity`; it must print the account."
_WAIT: Final = "Wait a few minutes and sync again; what was fetched is kept."
_SERVER_ERROR: Final = 500
_TOO_MANY: Final = 429
#: Codes by which AWS asks for fewer requests, whatever the status.
_BUSY: Final = (
    "LimitExceededException",
    "PriorRequestNotComplete",
    "RequestLimitExceeded",
    "RequestTimeout",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
)


@dataclass(frozen=True, slots=True)
class _Rule:
    """An AWS error: its codes, a pattern that its message must hold, what it means and what to do about it."""

    codes: frozenset[str]
    pattern: str
    says: str
    fix: str

    def holds(self, code: str, message: str) -> bool:
        return (not self.codes or code in self.codes) and re.search(self.pattern, message, re.IGNORECASE) is not None


def _rule(codes: str, pattern: str, says: str, fix: str) -> _Rule:
    return _Rule(frozenset(codes.split()), pattern, says, fix)


_DENIED: Final = "AccessDenied AccessDeniedException UnauthorizedOperation AuthorizationError Forbidden 403"
#: The first that holds decides.
_RULES: Final = (
    _rule(
        "RequestTimeTooSkewed SignatureDoesNotMatch InvalidSignatureException RequestExpired",
        r"signature expired|not yet current|too large|too skewed|request has expired",
        "The clock of this machine differs from that of AWS by more than five minutes, so AWS refuses its signatures.",
        "Set the clock (for example `timedatectl set-ntp true`) and try again.",
    ),
    _rule(
        "SignatureDoesNotMatch InvalidSignatureException",
        "",
        "AWS refuses the signature: the secret access key does not belong to the access key id.",
        "Enter both halves of one key again, without spaces, or name a profile instead.",
    ),
    _rule(
        "InvalidClientTokenId InvalidAccessKeyId UnrecognizedClientException",
        "",
        "AWS does not know the access key: it was deleted or is inactive, it belongs to another partition (China, "
        "GovCloud), or the region is not enabled in the account.",
        "Make a new key, or enable the region under Account > AWS Regions.",
    ),
    _rule(
        "ExpiredToken ExpiredTokenException TokenRefreshRequired",
        "",
        "The session token has expired.",
        "Sign in again (`aws sso login` for a profile), or use a role, whose sessions are renewed by themselves.",
    ),
    _rule(
        "RegionDisabledException",
        "",
        "AWS STS is not enabled in this region of the account.",
        "Enable it in IAM > Account settings > Security Token Service.",
    ),
    _rule(
        "ValidationError",
        "DurationSeconds",
        "The role allows only shorter sessions than one hour.",
        "Set its maximum session duration to one hour.",
    ),
    _rule(
        "ValidationError",
        "arn|roleArn|externalId",
        "AWS does not take the role's ARN or the external id for one.",
        "Copy the role's ARN from the stack's outputs: arn:aws:iam::<account>:role/<name>.",
    ),
    _rule(
        _DENIED,
        "service control policy|resource control policy",
        "A policy of the organization forbids {permission}, whatever the role allows.",
        "Ask who administers AWS Organizations to exempt the role from that service control policy.",
    ),
    _rule(
        f"{_DENIED} KMS.AccessDeniedException",
        r"kms:Decrypt|KMS",
        "The export is encrypted with a key of AWS KMS, and the role may not use it: kms:Decrypt is missing.",
        "Allow kms:Decrypt on that key, in the role's policy and in the key's own policy.",
    ),
    _rule(
        "KMS.DisabledException KMS.NotFoundException KMS.KMSInvalidStateException KMS.InvalidStateException",
        "",
        "The KMS key that the export is encrypted with is disabled, deleted or about to be.",
        "Enable the key again, or have the export delivered anew with another key.",
    ),
    _rule(
        _DENIED,
        "cost explorer.*(enabled|activated)|(enabled|activated).*cost explorer",
        "Cost Explorer is not enabled in this account, or the payer has closed it to member accounts.",
        "Open Cost Explorer once in the payer's console; its data are there after 24 hours.",
    ),
    _rule(
        _DENIED,
        "",
        "Permission {permission} is missing.",
        "Add {permission} to the role's policy (the policy of the set-up steps holds it), or update the stack.",
    ),
    _rule(
        "NoSuchBucket",
        "",
        "There is no bucket {bucket}.",
        "Check the address of the export: s3://bucket/prefix/export-name.",
    ),
    _rule(
        "PermanentRedirect AuthorizationHeaderMalformed IllegalLocationConstraintException",
        "",
        "The bucket {bucket} lies in a region or partition that these credentials do not reach.",
        "Use credentials of the same partition (AWS, China or GovCloud) as the bucket's.",
    ),
    _rule(
        "NoSuchKey 404 NotFound",
        "",
        "A file of the export is not there: {key}.",
        "Wait for the next delivery, or have AWS deliver the export anew.",
    ),
    _rule(
        "InvalidObjectState",
        "",
        "A file of the export was moved to an archive (Glacier) and cannot be read: {key}.",
        "Restore it, and exempt the export's prefix from the bucket's lifecycle rule.",
    ),
    _rule(
        "DataUnavailableException",
        "",
        "Cost Explorer has no data for these days yet.",
        "Cost Explorer needs 24 hours after it was enabled; grouping by model begins on 2026-09-01.",
    ),
    _rule(
        "BillExpirationException",
        "",
        "Cost Explorer no longer keeps these days.",
        "Ask for the last 13 months only, or enable multi-year data in the payer's Cost Management preferences.",
    ),
    _rule("BillingViewHealthStatusException", "", "The billing view of the account is not healthy.", _WAIT),
    _rule(
        "InvalidNextTokenException RequestChangedException",
        "",
        "AWS no longer takes the mark of the next page.",
        "Sync again; these days are fetched from their beginning.",
    ),
)

#: Errors that never reach AWS, by the class of botocore that says so.
_CLASSES: Final = {
    "NoCredentialsError": (
        "There are no AWS credentials on this machine.",
        "Name a profile, enter an access key, or start SpendProof where a role is attached. " + _LOGIN,
    ),
    "PartialCredentialsError": (
        "Half of the AWS credentials is missing.",
        "Enter the access key id and the secret access key.",
    ),
    "ProfileNotFound": (
        "There is no such profile in the AWS configuration of this machine.",
        "List them with `aws configure list-profiles` as the user that SpendProof runs as.",
    ),
    "EndpointConnectionError": (
        "AWS cannot be reached: no such region, no network, or a proxy in between.",
        "Check the region's name and that this machine reaches AWS over HTTPS.",
    ),
    "SSLError": (
        "The certificate that answers for AWS is not one that this machine trusts.",
        "A proxy may be in between: set AWS_CA_BUNDLE to its certificate.",
    ),
    "SSOTokenLoadError": ("The sign-in of the profile has run out.", "Run `aws sso login` for it."),
    "UnauthorizedSSOTokenError": ("The sign-in of the profile has run out.", "Run `aws sso login` for it."),
    "TokenRetrievalError": ("The sign-in of the profile has run out.", "Run `aws sso login` for it."),
}
_CUT: Final = frozenset(
    {
        "ConnectTimeoutError",
        "ReadTimeoutError",
        "ConnectionClosedError",
        "ResponseStreamingError",
        "IncompleteReadError",
        "ResponseParserError",
        "CutOffError",
        "ProxyConnectionError",
    }
)


def error_of(error: Exception, **where: str) -> SourceError:
    """What an error of the SDK means; `where` are the names that the sentence may need (`bucket`, `key`)."""
    response: Mapping[str, Any] | None = getattr(error, "response", None)
    names = {cls.__name__ for cls in type(error).__mro__}
    if response is None or "Error" not in response:
        for name, known in _CLASSES.items():
            if name in names:
                return SourceError(*known)
        return SourceError(f"AWS could not be asked ({type(error).__name__}).", "Check the fields of the connection.")
    code = str(response["Error"].get("Code", ""))
    message = str(response["Error"].get("Message", ""))
    operation = str(getattr(error, "operation_name", ""))
    if (operation, code) == ("HeadBucket", "404"):
        code = "NoSuchBucket"
    said = _ACTION.search(message)
    given = {"permission": said.group(1) if said else _NEEDS.get(operation, operation), "bucket": "", "key": ""} | where
    for rule in _RULES:
        if rule.holds(code, message):
            return SourceError(rule.says.format(**given), rule.fix.format(**given))
    text = " ".join(message.split())[:_LONGEST]
    return SourceError(f"AWS refuses {operation}: {code}. {text}".strip(), "See what AWS says of this error.")


def passing(error: Exception, now: datetime, status: int = 0) -> Pause | None:
    """The pause after an error that another try may mend; None where it cannot.

    `status` is that of the answer, where the SDK could not read its body.
    """
    response: Mapping[str, Any] | None = getattr(error, "response", None)
    if response is None or "ResponseMetadata" not in response:
        names = {cls.__name__ for cls in type(error).__mro__}
        if "ResponseParserError" in names and status >= _SERVER_ERROR:
            return Pause(f"AWS answers with status {status}")
        return Pause("The connection to AWS broke off") if names & _CUT else None
    said = response["ResponseMetadata"]
    status = int(said.get("HTTPStatusCode", 0))
    if status >= _SERVER_ERROR or status == _TOO_MANY or code_of(error) in _BUSY:
        code = code_of(error) or "no reason"
        return Pause(f"AWS answers with status {status} ({code})", asked_wait(said.get("HTTPHeaders", {}), now))
    return None


def code_of(error: BaseException) -> str:
    """AWS's code of an error; empty where it has none."""
    response: Mapping[str, Any] | None = getattr(error, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if response else ""
