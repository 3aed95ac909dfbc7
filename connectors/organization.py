"""What the live sources of OpenAI and Anthropic have in common: one organization, read with an admin key."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar, Final

from connectors.errors import SourceError, StaleResumeError
from connectors.live import Access, Diagnosis, Total, Window
from connectors.probing import Found, clock, probe
from connectors.vendor_api import Vendor

_BAD_REQUEST: Final = 400
_LATELY: Final = 30

#: The body and the headers of an answer.
Answer = tuple[bytes, Mapping[str, str]]


class Organization(ABC):
    """One organization at a vendor that answers in pages of JSON.

    The vendors name the organization in no row, only in a header of every answer; where something on the way takes
    that header out, its charges belong to the account that is called like the vendor.
    """

    #: Header that names the organization.
    named_by: ClassVar[str]
    #: Raises for a key that cannot be one of an organization, by its shape alone.
    refuse_key: ClassVar[Callable[[str], None]]

    def __init__(self, vendor: Vendor, access: Access) -> None:
        self._vendor = vendor
        self._access = access

    @abstractmethod
    def _has_spent(self, window: Window) -> bool:
        """Whether anything was spent on these days; for a person who watches a test."""

    @abstractmethod
    def _asked_for_usage(self, window: Window) -> Mapping[str, str]:
        """The headers of an answer about usage; for a person who watches a test."""

    def diagnose(self) -> list[Diagnosis]:
        """The key's shape, its access to money and to usage, the clocks, and whether there is anything to see."""
        name = self._vendor.name
        return probe(
            (
                (f"The key is one of an organization at {name}", self._key),
                (f"{name} shows the organization's cost", self._spending),
                (f"{name} shows the organization's usage", self._usage),
                ("The clocks agree", self._clock),
            )
        )

    def _account(self, headers: Mapping[str, str]) -> str:
        return next((value for key, value in headers.items() if key.lower() == self.named_by), "")

    def _page(self, ask: Callable[[], Answer], token: str | None) -> Answer:
        """One page.

        Raises:
            StaleResumeError: the vendor no longer takes its token.
        """
        try:
            return ask()
        except SourceError as error:
            if error.status == _BAD_REQUEST and token is not None:
                raise StaleResumeError(
                    f"{self._vendor.name} no longer takes the token of this page: {error}"
                ) from error
            raise

    def _key(self) -> Found:
        type(self).refuse_key(self._access.values.get("admin_key", ""))
        return Found("Nothing about its shape speaks against it.")

    def _spending(self) -> Found:
        if self._has_spent(self._recent(_LATELY)):
            return Found(f"There was cost in the last {_LATELY} days.")
        return Found(
            f"The organization had no cost in the last {_LATELY} days.",
            "If it should have, the key is of another organization: create it in the one that is billed.",
        )

    def _usage(self) -> Found:
        account = self._account(self._asked_for_usage(self._recent(1)))
        return Found(f"The key may read it{f', for organization {account}' if account else ''}.")

    def _clock(self) -> Found:
        return clock(self._vendor.name, self._asked_for_usage(self._recent(1)), self._access.now())

    def _recent(self, days: int) -> Window:
        today = self._access.now().date()
        return Window(today - timedelta(days=days), today)


def totalled(
    amounts: Iterable[Mapping[str, Any]], window: Window, origin: str, *, closed: bool | None, places: int = 0
) -> list[Total]:
    """Amounts with their `currency` as totals; an amount is in units of ten to the minus `places`."""
    found: dict[str, Decimal] = {}
    for amount in amounts:
        currency = str(amount["currency"]).upper()
        value = Decimal(amount["amount"] if "amount" in amount else amount["value"])
        found[currency] = found.get(currency, Decimal(0)) + value.scaleb(-places)
    return [Total(window, amount, currency, origin, closed) for currency, amount in sorted(found.items())]
