"""Clients of AWS: SpendProof's own credentials, and the customer's role assumed with them.

A role's session lasts an hour and is renewed by itself, so that a long sync outlives it. Every request is counted
before it is made, with its price: Cost Explorer charges for each page, CloudWatch for each metric asked for.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, TypeVar

from connectors.aws.live_errors import passing
from connectors.errors import SourceError
from connectors.patience import persist

if TYPE_CHECKING:
    import boto3

    from connectors.live import Access, Meter

T = TypeVar("T")

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
        self._made: dict[tuple[str, str], Patient] = {}
        values = access.values
        self.role_arn, self.external_id = values.get("role_arn", ""), values.get("external_id", "")
        if self.role_arn and not self.external_id:
            raise SourceError(
                "The role needs an external id, so that nobody else can have SpendProof read this account.",
                f"Put a new one into the role's trust policy and into the connection, for example {new_external_id()}.",
            )

    def own(self, service: str) -> Patient:
        """A client with SpendProof's own credentials."""
        return self._client(self._own(), service, HOME)

    def get(self, service: str, region: str = HOME) -> Patient:
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

    def _client(self, session: boto3.Session, service: str, region: str) -> Patient:
        from botocore.config import Config  # noqa: PLC0415

        # Waiting is ours: the SDK's own retries sleep for real, and read no header.
        made = session.client(
            service,  # pyright: ignore[reportArgumentType] - any service of AWS
            region_name=region,
            endpoint_url=self._endpoints.get(service, self._endpoints.get("*")),
            config=Config(retries={"total_max_attempts": 1}, connect_timeout=10, read_timeout=60),
        )
        made.meta.events.register("before-parameter-build", _Counting(service, self._access.meter))
        return Patient(made, self._access)


class Patient:
    """A client of boto3 whose calls are made again while AWS is busy or stumbles; `once` is the client itself."""

    def __init__(self, client: Any, access: Access) -> None:  # noqa: ANN401
        self.once = client
        self._access = access
        self._status = 0
        client.meta.events.register("before-parse", self._note)

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        call = getattr(self.once, operation)
        return lambda **given: self.persist(lambda: call(**given))

    def persist(self, call: Callable[[], T]) -> T:
        """The result of a call, after as many attempts as it takes."""
        return persist(call, lambda error: passing(error, self._access.now(), self._status), self._access)

    def _note(self, response_dict: Mapping[str, Any], **_: object) -> None:
        """Keep the status of an answer, which is lost where the SDK cannot read its body."""
        self._status = int(response_dict["status_code"])

    def paged(self, operation: str, sends: str, takes: str, **given: object) -> Iterator[Any]:
        """The answers of an operation, page after page: `sends` names the mark asked with, `takes` the one answered.

        Raises:
            SourceError: AWS hands out one mark twice.
        """
        call, marks = getattr(self, operation), set[str]()
        while True:
            answer = call(**given)
            yield answer
            mark = answer.get(takes)
            if not mark:
                return
            if mark in marks:
                raise SourceError(f"AWS hands out one page of {operation} again and again.", "Sync again later.")
            marks.add(mark)
            given[sends] = mark


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
