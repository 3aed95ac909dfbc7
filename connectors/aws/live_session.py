"""Clients of AWS: SpendProof's own credentials, and the customer's role assumed with them.

A role's session lasts an hour and is renewed by itself, so that a long sync outlives it. Every request is counted
before it is made, with its price: Cost Explorer charges for each page, CloudWatch for each metric asked for.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from connectors.errors import SourceError

if TYPE_CHECKING:
    import boto3

    from connectors.live import Access, Meter

#: Billing services answer in one region for all.
HOME: Final = "us-east-1"
SESSION_SECONDS: Final = 3600
SESSION_NAME: Final = "spendproof"
#: Price of a Cost Explorer request, and of a metric asked for by GetMetricData, in US dollars (AWS's price lists).
COST_EXPLORER_PRICE: Final = Decimal("0.01")
METRIC_PRICE: Final = Decimal("0.00001")


class Clients:
    """Makes the clients of one connection.

    Args:
        access: the connection's fields, and who counts.
        session: where SpendProof's own credentials come from; made from the fields where None.
        endpoints: addresses to use in place of AWS's own, by service; `*` for all others.
    """

    def __init__(
        self, access: Access, session: boto3.Session | None = None, endpoints: Mapping[str, str] | None = None
    ) -> None:
        self._access = access
        self._endpoints = endpoints or {}
        self._base = session
        self._role: boto3.Session | None = None
        self._made: dict[tuple[str, str], Any] = {}
        values = access.values
        self.role_arn, self.external_id = values.get("role_arn", ""), values.get("external_id", "")
        if self.role_arn and not self.external_id:
            raise SourceError(
                "The role needs an external id, so that nobody else can have SpendProof read this account.",
                f"Put a new one into the role's trust policy and into the connection, for example {new_external_id()}.",
            )

    def own(self, service: str) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        """A client with SpendProof's own credentials."""
        return self._client(self._own(), service, HOME)

    def get(self, service: str, region: str = HOME) -> Any:  # noqa: ANN401
        """A client with the customer's role, or with the own credentials where no role is named."""
        if (service, region) not in self._made:
            session = self._assumed() if self.role_arn else self._own()
            self._made[service, region] = self._client(session, service, region)
        return self._made[service, region]

    def assume(self, external_id: str | None) -> Mapping[str, Any]:
        """A session of the role, with this external id or without one.

        Raises:
            botocore.exceptions.ClientError: AWS refuses it.
        """
        given = {"ExternalId": external_id} if external_id else {}
        answer: Mapping[str, Any] = self.own("sts").assume_role(
            RoleArn=self.role_arn, RoleSessionName=SESSION_NAME, DurationSeconds=SESSION_SECONDS, **given
        )
        return answer["Credentials"]

    def _own(self) -> boto3.Session:
        if self._base is None:
            import boto3  # noqa: PLC0415 - only a connection to AWS needs it

            values = self._access.values
            self._base = boto3.Session(
                profile_name=values.get("profile") or None,
                aws_access_key_id=values.get("access_key_id") or None,
                aws_secret_access_key=values.get("secret_access_key") or None,
            )
        return self._base

    def _assumed(self) -> boto3.Session:
        if self._role is None:
            import boto3  # noqa: PLC0415
            import botocore.session  # noqa: PLC0415
            from botocore.credentials import CredentialResolver, RefreshableCredentials  # noqa: PLC0415

            held = RefreshableCredentials.create_from_metadata(
                metadata=self._metadata(), refresh_using=self._metadata, method="sts-assume-role"
            )
            core = botocore.session.Session()
            core.register_component("credential_provider", CredentialResolver([_Held(held)]))
            self._role = boto3.Session(botocore_session=core)
        return self._role

    def _metadata(self) -> dict[str, str]:
        given = self.assume(self.external_id)
        return {
            "access_key": given["AccessKeyId"],
            "secret_key": given["SecretAccessKey"],
            "token": given["SessionToken"],
            "expiry_time": given["Expiration"].isoformat(),
        }

    def _client(self, session: boto3.Session, service: str, region: str) -> Any:  # noqa: ANN401
        from botocore.config import Config  # noqa: PLC0415

        made = session.client(
            service,  # pyright: ignore[reportArgumentType] - any service of AWS
            region_name=region,
            endpoint_url=self._endpoints.get(service, self._endpoints.get("*")),
            config=Config(retries={"mode": "standard", "max_attempts": 6}, connect_timeout=10, read_timeout=60),
        )
        made.meta.events.register("before-parameter-build", _Counting(service, self._access.meter))
        return made


class _Held:
    """Hands credentials that are held already to a session of botocore."""

    METHOD: Final = "spendproof-role"
    CANONICAL_NAME: Final = None

    def __init__(self, held: object) -> None:
        self._held = held

    def load(self) -> object:
        """The credentials."""
        return self._held


class _Counting:
    """Counts a request before it is made."""

    def __init__(self, service: str, meter: Meter) -> None:
        self._service = service
        self._meter = meter

    def __call__(self, params: Mapping[str, Any], model: Any, **_: object) -> None:  # noqa: ANN401 - botocore's own
        match self._service, model.name:
            case "ce", _:
                self._meter.count("Cost Explorer", COST_EXPLORER_PRICE)
            case "cloudwatch", "GetMetricData":
                asked = len(params["MetricDataQueries"])
                self._meter.count("CloudWatch GetMetricData", METRIC_PRICE * asked)
            case service, operation:
                self._meter.count(f"AWS {service} {operation}")


def new_external_id() -> str:
    """An external id that nobody can guess; one for each connection, never chosen by the customer."""
    return f"spendproof-{secrets.token_hex(16)}"
