"""Azure: charges from an export in Blob Storage, token counts from Azure Monitor, totals from the Query API."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Final

from connectors.azure import live_checks, live_exports, live_metrics, live_query
from connectors.azure.live_exports import Delivery, Place
from connectors.azure.live_session import Clients
from connectors.errors import SourceError
from connectors.live import Access, Diagnosis, Page, Stream, Total, Window

TOKENS: Final = "tokens"
_CHARGES: Final = "charges"
#: Days of a month before it must have been delivered for the first time.
_FIRST_DAYS: Final = 3
_SUBSCRIPTION: Final = re.compile(r"/?subscriptions/([0-9a-f-]{36})", re.IGNORECASE)


class AzureSource:
    """One connection to Azure (`connectors.live.Source`).

    Args:
        access: what was entered, and who counts.
        transport: carries the requests in place of the SDK's own.

    Raises:
        SourceError: half of a service principal is missing, or the export's address is none.
    """

    def __init__(self, access: Access, transport: Any = None) -> None:  # noqa: ANN401 - of the SDK, which loads late
        self.access = access
        self.clients = Clients(access, transport)
        self.scope = f"/{access.values['scope'].strip().strip('/')}"
        entered = access.values.get("export", "")
        self._place = Place.of(entered) if entered else None
        self._deliveries: list[Delivery] | None = None

    def diagnose(self) -> list[Diagnosis]:
        """Test the connection step by step, up to the first step that fails."""
        return live_checks.diagnose(self)

    def streams(self, window: Window) -> list[Stream]:
        """Token metrics of the days, and the months that they touch, the newest first."""
        found = list[Stream]()
        first = max(window.first, self.today() - timedelta(days=live_metrics.KEPT_DAYS - 1))
        if self.subscriptions and first < window.end:
            found.append(Stream(TOKENS, Window(first, window.end), "azure-openai-metrics"))
        delivered = self._delivered()
        for delivery in reversed(delivered):
            month = Window(delivery.month, next_month(delivery.month))
            if month.first < window.end and window.first < month.end:
                found.append(Stream(f"{_CHARGES}-{delivery.month:%Y-%m}", month, version=delivery.version))
        today = self.today()
        lately = (today - timedelta(days=_FIRST_DAYS)).replace(day=1)
        if window.end >= today and (not delivered or delivered[-1].month < lately):
            # Its pull says why there is nothing: a missing export must not look like a month without cost.
            this = today.replace(day=1)
            found.append(Stream(f"{_CHARGES}-{this:%Y-%m}", Window(this, next_month(this))))
        return found

    def pull(self, stream: Stream, resume: str | None) -> Iterator[Page]:
        """The files of a month, or the weeks of the token metrics, from the beginning or after `resume`.

        Raises:
            SourceError: Azure refused or failed for longer than retries help, or a delivery is not whole.
            StaleResumeError: the month was delivered anew.
        """
        if stream.name == TOKENS:
            yield from live_metrics.pages(self.clients, self.subscriptions, stream.window, resume)
            return
        place = self.place()
        delivered = live_exports.deliveries(self.clients, place)
        delivery = next((found for found in delivered if found.month == stream.window.first), None)
        if delivery is None:
            raise live_exports.undelivered(place, delivered)
        yield from live_exports.pages(self.clients, place, delivery, resume)

    def totals(self, window: Window) -> list[Total]:
        """What the Query API says that the days cost."""
        return live_query.total(self.clients, self.scope, window, self.today())[0]

    def today(self) -> date:
        """The present day, UTC."""
        return self.access.now().date()

    @property
    def subscriptions(self) -> list[str]:
        """Whose token metrics are read: those entered, else the one that the scope lies in."""
        entered = self.access.values.get("subscriptions", "")
        if entered:
            return [] if entered == "none" else [part.strip().lower() for part in entered.split(",")]
        found = _SUBSCRIPTION.match(self.scope)
        return [found.group(1).lower()] if found else []

    def place(self) -> Place:
        """Where the export is delivered: as entered, else the only one that the scope has.

        Raises:
            SourceError: it has none, or several.
        """
        if self._place is None:
            found = live_exports.discover(self.clients, self.scope)
            if not found:
                raise NoExportError(
                    f"{self.scope} has no export of charges.",
                    "Make one with the commands of the set-up steps; until it has run, the totals of the Query API are "
                    "all that Azure shows.",
                )
            if len(found) > 1:
                names = ", ".join(f"{known.place} ({known.type})" for known in found)
                raise NoExportError(
                    f"{self.scope} has several exports, which hold the same charges: {names}.",
                    "Enter the address of the one to read as the export of this connection; FocusCost says most.",
                )
            self._place = found[0].place
        return self._place

    def _delivered(self) -> list[Delivery]:
        """What is delivered, listed once for all months; nothing where the scope has no export yet."""
        if self._deliveries is None:
            try:
                place = self.place()
            except NoExportError:
                self._deliveries = []
            else:
                self._deliveries = live_exports.deliveries(self.clients, place)
        return self._deliveries


class NoExportError(SourceError):
    """There is no export, or none that can be told from others."""


def open_source(access: Access) -> AzureSource:
    """The source behind the fields of a connection."""
    return AzureSource(access)


def next_month(first: date) -> date:
    """First day of the month after."""
    return (first + timedelta(days=32)).replace(day=1)
