"""AWS: charges from a data export in S3, token counts from CloudWatch, totals from Cost Explorer."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from connectors.aws import live_checks, live_cost_explorer, live_exports, live_metrics
from connectors.aws.live_cost_explorer import month_of, next_month
from connectors.aws.live_errors import error_of
from connectors.aws.live_exports import Delivery, Place
from connectors.aws.live_session import HOME, Clients
from connectors.errors import SourceError
from connectors.live import Access, Diagnosis, Page, Stream, Total, Window

if TYPE_CHECKING:
    import boto3

TOKENS: Final = "tokens"
_CHARGES: Final = "charges"
#: Days of a month before it must have been delivered for the first time.
_FIRST_DAYS: Final = 3


class AwsSource:
    """One connection to AWS (`connectors.live.Source`).

    Args:
        access: what was entered, and who counts.
        session: where SpendProof's own credentials come from; made from the fields where None.
        endpoints: addresses to use in place of AWS's own, by service; `*` for all others.

    Raises:
        SourceError: a role is named without an external id, or the export's address is none.
    """

    def __init__(
        self, access: Access, session: boto3.Session | None = None, endpoints: Mapping[str, str] | None = None
    ) -> None:
        self.access = access
        self.clients = Clients(access, session, endpoints)
        entered = access.values.get("export", "")
        self._found = Place.of(entered) if entered else None
        self._totals: dict[Window, list[Total]] = {}

    def diagnose(self) -> list[Diagnosis]:
        """Test the connection step by step, up to the first step that fails; Cost Explorer charges for its step."""
        return live_checks.diagnose(self)

    def streams(self, window: Window) -> list[Stream]:
        """Token metrics of the days, and the billing months that they touch, the newest first."""
        found = list[Stream]()
        first = max(window.first, self.today() - timedelta(days=live_metrics.KEPT_DAYS))
        if self.regions and first < window.end:
            found.append(Stream(TOKENS, Window(first, window.end), "aws-bedrock-metrics"))
        with self.translated():
            delivered = self._delivered()
        for delivery in reversed(delivered):
            month = Window(delivery.period, next_month(delivery.period))
            if month.first < window.end and window.first < month.end:
                found.append(Stream(f"{_CHARGES}-{delivery.period:%Y-%m}", month, version=delivery.version))
        lately = month_of(self.today() - timedelta(days=_FIRST_DAYS))
        if window.end >= self.today() and (not delivered or delivered[-1].period < lately):
            # Its pull says why there is nothing: a missing export must not look like a month without cost.
            this = month_of(self.today())
            found.append(Stream(f"{_CHARGES}-{this:%Y-%m}", Window(this, next_month(this))))
        return found

    def pull(self, stream: Stream, resume: str | None) -> Iterator[Page]:
        """The files of a billing month, or the weeks of the token metrics, from the beginning or after `resume`.

        Raises:
            SourceError: AWS refused or failed for longer than retries help, or a delivery is not whole.
            StaleResumeError: the month was delivered anew.
        """
        with self.translated():
            if stream.name == TOKENS:
                regions = [self.region(name) for name in self.regions]
                yield from live_metrics.pages(regions, self._account(), stream.window, resume)
                return
            client, place = self.clients.get("s3"), self.place()
            delivered = live_exports.deliveries(client, place)
            delivery = next((found for found in delivered if found.period == stream.window.first), None)
            if delivery is None:
                raise live_exports.undelivered(place, delivered)
            yield from live_exports.pages(client, place, delivery, resume, self.access)

    def totals(self, window: Window) -> list[Total]:
        """What Cost Explorer says that the days cost; it is asked once for the same days, since it charges for that."""
        if window not in self._totals:
            with self.translated():
                self._totals[window] = live_cost_explorer.total(self.clients.get("ce"), window, self.today())
        return self._totals[window]

    def today(self) -> date:
        """The present day, UTC."""
        return self.access.now().date()

    @property
    def regions(self) -> list[str]:
        """Where models are called."""
        entered = self.access.values.get("regions", "") or HOME
        return [] if entered == "none" else [name.strip() for name in entered.split(",")]

    def region(self, name: str) -> live_metrics.Region:
        """The clients that ask for token metrics there."""
        return live_metrics.Region(name, self.clients.get("cloudwatch", name), self.clients.get("bedrock", name))

    def place(self) -> Place:
        """Where the export is delivered: as entered, else the only one that the account has.

        Raises:
            SourceError: it has none, or several.
        """
        if self._found is None:
            found, _ = live_exports.discover(self.clients.get("bcm-data-exports"))
            if not found:
                raise SourceError(
                    "The account has no data export of charges.",
                    "Make one with the template of the set-up steps; until it is delivered (within 24 hours) Cost "
                    "Explorer's totals are all that AWS shows.",
                )
            if len(found) > 1:
                names = ", ".join(f"{place} ({table})" for place, table in found)
                raise SourceError(
                    f"The account has several data exports, which hold the same charges: {names}.",
                    "Enter the one to read as the export of this connection; COST_AND_USAGE_REPORT says most.",
                )
            self._found = found[0][0]
        return self._found

    @contextmanager
    def translated(self) -> Generator[None]:
        """Errors of the SDK as errors of the source."""
        from boto3.exceptions import Boto3Error  # noqa: PLC0415 - only a connection to AWS needs it
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        try:
            yield
        except (ClientError, BotoCoreError, Boto3Error) as error:
            where = {"bucket": self._found.bucket, "key": self._found.root} if self._found else {}
            raise error_of(error, **where) from error

    def _account(self) -> str:
        return str(self.clients.get("sts").get_caller_identity()["Account"])

    def _delivered(self) -> list[Delivery]:
        """What is delivered; nothing where the account has no export yet."""
        try:
            place = self.place()
        except SourceError:
            return []
        return live_exports.deliveries(self.clients.get("s3"), place)


def open_source(access: Access) -> AwsSource:
    """The source behind the fields of a connection."""
    return AwsSource(access)
