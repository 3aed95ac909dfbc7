"""Google Cloud: charges from a billing export in BigQuery, whole invoice months at a time.

The export only appends; a month is fetched anew when rows with a later export time came. Each query is priced by a dry
run and held to a limit of bytes before it runs. Its result is kept by BigQuery for a day, so that an interrupted fetch
goes on in it and pays nothing again. Google offers no second source of totals: the invoice is typed in.
"""

from __future__ import annotations

import io
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any, Final

from connectors.errors import SourceError, StaleResumeError
from connectors.gcp.live_errors import error_of, passing
from connectors.gcp.live_table import Table
from connectors.live import Access, Diagnosis, Page, Stream, Total, Window
from connectors.patience import persist
from connectors.probing import Found, clock, probe

if TYPE_CHECKING:
    from collections.abc import Callable

#: List price of a scanned TiB (on-demand, US and EU multi-regions; the first TiB of a month is free).
PRICE_A_TIB: Final = Decimal("6.25")
#: A query is charged for at least so many bytes.
_LEAST: Final = 10 * 1024**2
_TIB: Final = 1024**4
_GIB: Final = 1024**3
DEFAULT_LIMIT_GIB: Final = 100
_ROWS: Final = 100_000
_MONTHS: Final = 13
#: Days of a month before it must have rows: Google promises no time, a few days are usual.
_FIRST_DAYS: Final = 5


@dataclass(frozen=True, slots=True)
class Clients:
    """Google's clients: `bigquery.Client` and `billing_v1.CloudBillingClient`."""

    bigquery: Any
    billing: Any


class GcpSource:
    """One billing export (`connectors.live.Source`).

    Args:
        access: what was entered, and who counts.
        clients: made from the fields where None, when they are first needed.
        rows: rows of one page.

    Raises:
        SourceError: the table's name is not that of a billing export.
    """

    def __init__(self, access: Access, clients: Clients | None = None, rows: int = _ROWS) -> None:
        self._access = access
        self._clients = clients
        self._page = rows
        self._table = Table.of(access.values["table"])
        self._limit = int(access.values.get("limit_gib") or DEFAULT_LIMIT_GIB) * _GIB
        self._months: dict[date, datetime] | None = None

    def diagnose(self) -> list[Diagnosis]:
        """Test the connection step by step, up to the first step that fails; dry runs cost nothing."""
        steps: list[tuple[str, Callable[[], Found]]] = [
            ("Sign in to Google Cloud", self._sign_in),
            ("Find the table", self._find),
            ("Price a sync of this month", self._priced),
            ("Look for the newest rows", self._newest),
            ("Look up the billing account", self._account),
        ]
        return probe(steps)

    def streams(self, window: Window) -> list[Stream]:
        """The invoice months of the days; their version is the latest export time of their rows."""
        found = list[Stream]()
        for month, newest in sorted(self._exported().items(), reverse=True):
            whole = Window(month, _next(month))
            if whole.first < window.end and window.first < whole.end:
                name = f"charges-{month:%Y-%m}"
                found.append(Stream(name, whole, self._table.format, version=newest.isoformat()))
        today = self._access.now().date()
        lately = (today - timedelta(days=_FIRST_DAYS)).replace(day=1)
        if window.end >= today and max(self._exported(), default=date.min) < lately:
            # Its pull says why there is nothing: an export that stopped must not look like a month without cost.
            this = today.replace(day=1)
            found.append(Stream(f"charges-{this:%Y-%m}", Window(this, _next(this)), self._table.format))
        return found

    def pull(self, stream: Stream, resume: str | None) -> Iterator[Page]:
        """The rows of an invoice month in the order of one query's result, 100,000 at a time.

        Raises:
            SourceError: Google refused, or the query would read more than the limit.
            StaleResumeError: BigQuery no longer keeps the result of the query.
        """
        with self._translated():
            if resume is None:
                job, done = self._run(*self._table.rows(stream.window.first)), 0
            else:
                kept, _, start = resume.rpartition(":")
                job, done = self._again(kept), int(start)
            name = f"{job.location}/{job.job_id}"
            table = self._call("get_table", job.destination)
            total = int(table.num_rows)
            if total == 0:
                raise self._nothing()
            for start in range(done, total, self._page):
                body = self._read(table, start)
                after = start + self._page
                yield Page(f"rows-{start:012}.parquet", body, f"{name}:{after}" if after < total else None)

    def totals(self, window: Window) -> list[Total]:
        """None: Google Cloud has no second source; the invoice is typed in."""
        del window
        return []

    def _google(self) -> Clients:
        if self._clients is None:
            from connectors.gcp.live_session import clients  # noqa: PLC0415 - Google's libraries take a second

            self._clients = clients(self._access.values, self._table.project)
        return self._clients

    def _call(self, operation: str, *given: object, **named: object) -> Any:  # noqa: ANN401 - Google's objects
        """A call to BigQuery, made again while it is busy."""

        def once() -> Any:  # noqa: ANN401
            self._access.meter.count(f"BigQuery {operation}")
            return getattr(self._google().bigquery, operation)(*given, retry=None, **named)

        return persist(once, lambda error: passing(error, self._access.now()), self._access)

    def _run(self, sql: str, parameters: dict[str, Any]) -> Any:  # noqa: ANN401
        """A finished query, within the limit."""
        from google.cloud import bigquery  # noqa: PLC0415

        asked = [bigquery.ScalarQueryParameter(n, _TYPES[type(v)], v) for n, v in parameters.items()]
        scanned = int(self._dry_run(sql, asked).total_bytes_processed)
        if scanned > self._limit:
            raise SourceError(
                f"The query would read {scanned / _GIB:,.1f} GiB ({_price(scanned):,.2f} USD at list price), more than "
                f"the limit of {self._limit / _GIB:,.0f} GiB; it was not run.",
                "Raise the limit of the connection if that price is right for you.",
            )
        self._access.meter.count("BigQuery", _price(scanned))
        config = bigquery.QueryJobConfig(query_parameters=asked, maximum_bytes_billed=max(self._limit, _LEAST))
        job = self._call("query", sql, job_config=config, job_retry=None)
        persist(
            lambda: job.result(retry=None, job_retry=None, max_results=0),
            lambda error: passing(error, self._access.now()),
            self._access,
        )
        return job

    def _dry_run(self, sql: str, asked: list[Any]) -> Any:  # noqa: ANN401
        """The query as BigQuery plans it, with the bytes that it would read; free of charge."""
        from google.cloud import bigquery  # noqa: PLC0415

        config = bigquery.QueryJobConfig(query_parameters=asked, dry_run=True, use_query_cache=False)
        return self._call("query", sql, job_config=config, job_retry=None)

    def _again(self, name: str) -> Any:  # noqa: ANN401
        from google.api_core.exceptions import NotFound  # noqa: PLC0415

        location, _, job_id = name.partition("/")
        try:
            return self._call("get_job", job_id, location=location)
        except NotFound as error:
            raise StaleResumeError("BigQuery no longer keeps the result of the query; it is asked again.") from error

    def _read(self, table: Any, start: int) -> bytes:  # noqa: ANN401
        """Rows from number `start` on, as a Parquet file."""
        import pyarrow.parquet as pq  # noqa: PLC0415

        body = io.BytesIO()
        pq.write_table(self._rows(table, start, self._page), body)
        return body.getvalue()

    def _rows(self, table: Any, start: int, most: int) -> Any:  # noqa: ANN401
        def once() -> Any:  # noqa: ANN401
            self._access.meter.count("BigQuery rows")
            rows = self._google().bigquery.list_rows(table, start_index=start, max_results=most, retry=None)
            return rows.to_arrow(create_bqstorage_client=False)

        return persist(once, lambda error: passing(error, self._access.now()), self._access)

    def _exported(self) -> dict[date, datetime]:
        """The latest export time of each invoice month; asked once for all."""
        if self._months is None:
            today = self._access.now().date()
            first = (today.replace(day=1) - timedelta(days=31 * _MONTHS)).replace(day=1)
            with self._translated():
                job = self._run(*self._table.months(first))
                table = self._call("get_table", job.destination)
                rows = self._rows(table, 0, _ROWS).to_pylist()
            self._months = {date(int(r["month"][:4]), int(r["month"][4:]), 1): r["newest"] for r in rows}
        return self._months

    def _sign_in(self) -> Found:
        with self._translated():
            return Found(f"SpendProof asks BigQuery in the project {self._google().bigquery.project}.")

    def _find(self) -> Found:
        with self._translated():
            found = self._call("get_table", self._table.name)
        return Found(f"{self._table.name} is a {self._table.title}, in {found.location}, with {found.num_rows:,} rows.")

    def _priced(self) -> Found:
        from google.cloud import bigquery  # noqa: PLC0415

        sql, parameters = self._table.rows(self._access.now().date().replace(day=1))
        asked = [bigquery.ScalarQueryParameter(n, _TYPES[type(v)], v) for n, v in parameters.items()]
        with self._translated():
            planned = self._dry_run(sql, asked)
        if planned.created is not None:
            clock("Google", {"date": format_datetime(planned.created)}, self._access.now())
        scanned = int(planned.total_bytes_processed)
        return Found(
            f"Fetching this month reads {scanned / _GIB:,.2f} GiB, {_price(scanned):,.4f} USD at the list price of "
            f"{PRICE_A_TIB} USD a TiB (US and EU; the first TiB of a month is free). The limit is "
            f"{self._limit / _GIB:,.0f} GiB a query."
        )

    def _newest(self) -> Found:
        found = self._exported()
        if not found:
            raise self._nothing()
        newest = max(found.values())
        return Found(
            f"Invoice months: {min(found):%Y-%m} to {max(found):%Y-%m}; newest rows of {newest:%Y-%m-%d %H:%M} UTC."
        )

    def _nothing(self) -> SourceError:
        if self._exported():
            newest = max(self._exported())
            return SourceError(
                f"{self._table.name} holds no row after the invoice month {newest:%Y-%m}; what the ledger holds stays.",
                "Google no longer exports to it: look at Billing > Billing export, and at the dataset's encryption.",
            )
        return SourceError(
            f"{self._table.name} holds no row yet.",
            "A new export begins within a day and fills up to the first of the previous month within 5 days (EU and US "
            "multi-regions only).",
        )

    def _account(self) -> Found:
        """The account's state; a role that the export does not need, so that its absence is no failure."""
        from google.api_core.exceptions import Forbidden  # noqa: PLC0415

        account = self._table.account
        try:
            with self._translated():
                found = self._google().billing.get_billing_account(name=f"billingAccounts/{account}", retry=None)
        except SourceError as error:
            if not isinstance(error.__cause__, Forbidden):
                raise
            return Found(
                f"The billing account {account} may not be read.", "Grant roles/billing.viewer to see its state."
            )
        if not found.open_:
            return Found(f"The billing account {account} ({found.display_name}) is closed.", "No new rows will come.")
        return Found(f"The billing account {account} ({found.display_name}) is open, in {found.currency_code}.")

    @contextmanager
    def _translated(self) -> Generator[None]:
        """Errors of Google's libraries as errors of the source."""
        from google.api_core.exceptions import GoogleAPIError  # noqa: PLC0415
        from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415
        from requests.exceptions import RequestException  # noqa: PLC0415

        try:
            yield
        except (GoogleAPIError, GoogleAuthError, RequestException) as error:
            raise error_of(error, self._table.name) from error


_TYPES: Final = {str: "STRING", datetime: "TIMESTAMP"}


def open_source(access: Access) -> GcpSource:
    """The source behind the fields of a connection."""
    return GcpSource(access)


def _price(scanned: int) -> Decimal:
    """What a query that reads so many bytes costs at list price, US dollars."""
    return PRICE_A_TIB * max(scanned, _LEAST) / _TIB


def _next(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1)
