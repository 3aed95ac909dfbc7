"""The ledger against what the provider itself says a period cost, to the cent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, Protocol

from accounts import totals
from accounts.totals import ProviderTotal
from connectors.live import Source, Total, Window
from ledger.lake import Address, Lake

if TYPE_CHECKING:
    from accounts.connections import Connection
    from accounts.home import Settings
    from ledger.replace import Loaded

#: Figures that differ by less are the same to the cent.
CENT: Final = Decimal("0.01")
#: Cost Explorer is brought up to date about once a day.
_AGAIN_AFTER: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Difference:
    """A period in which the two do not agree."""

    total: Total
    ledger: Decimal

    @property
    def sentence(self) -> str:
        """It in words."""
        window, currency = self.total.window, self.total.currency
        both = (
            f"{window.first} to {window.end - timedelta(days=1)}: the ledger holds {self.ledger:,.2f} {currency}, "
            f"{self.total.origin} says {self.total.amount:,.2f} {currency}, a difference of "
            f"{self.ledger - self.total.amount:+,.2f} {currency}"
        )
        if self.total.closed is False:
            return f"{both}; the period is still open, and the two are brought up to date at different times."
        return f"{both}."


class Into(Protocol):
    """Loads the pages at hand into a lake."""

    def __call__(self, lake: Lake, *, force: bool) -> list[Loaded]:
        """The loads made."""
        ...


def compare(
    settings: Settings, connection: Connection, lake: Lake, source: Source, window: Window, now: datetime
) -> list[Difference]:
    """Ask the provider for its totals, keep them beside the ledger's, and return those that differ by a cent or more.

    Invoices that were typed in are held against the ledger anew as well; they do not count as differing here, since an
    invoice holds taxes and credits that no usage report has.
    """
    asked = source.totals(window)
    held = ledger_totals(lake, connection.source, window)
    kept = [_record(total, held.get(total.currency, Decimal(0)), now) for total in asked]
    kept += _invoices(settings, connection, lake, now)
    totals.keep(settings, connection, kept)
    found = [Difference(total, held.get(total.currency, Decimal(0))) for total in asked]
    return [f for f in found if abs(f.ledger - f.total.amount) >= CENT]


def is_awaited(settings: Settings, connection: Connection, lake: Lake, window: Window, now: datetime) -> bool:
    """Whether a provisional total has to be asked for: no load has brought charges of these days yet.

    What is closed stays as it is, and an open total is asked for again after a day, since calls may cost money.
    """
    brought = lake.records(
        "SELECT 1 AS brought FROM loads WHERE Connection = ? AND TableName = 'charges' "
        "AND CoveredFrom < ? AND CoveredBefore > ? LIMIT 1",
        [connection.source, window.end, window.first],
    )
    if brought:
        return False
    known = [
        total
        for total in totals.listed(settings, connection)
        if total.origin != totals.INVOICE and total.first < window.end and window.first < total.before
    ]
    return not any(total.closed or now - total.checked_at < _AGAIN_AFTER for total in known)


def keep_provisional(
    settings: Settings, connection: Connection, source: Source, window: Window, now: datetime
) -> list[ProviderTotal]:
    """Keep the provider's own totals of days whose charges are still to come; nothing of them enters the ledger."""
    kept = [_record(total, None, now) for total in source.totals(window)]
    totals.keep(settings, connection, kept)
    return kept


def ledger_totals(lake: Lake, source: str, window: Window) -> dict[str, Decimal]:
    """BilledCost of a source's charges on the days of a window, by currency."""
    rows = lake.records(
        "SELECT BillingCurrency AS currency, sum(BilledCost) AS billed FROM daily_spend "
        "WHERE x_Connection = ? AND ChargeDate >= ? AND ChargeDate < ? GROUP BY 1",
        [source, window.first, window.end],
    )
    return {row["currency"]: row["billed"] for row in rows}


def is_confirmed(source: Source, window: Window, lake: Lake, into: Callable[..., list[Loaded]]) -> bool:
    """Whether the pages at hand add up to the provider's own totals, which must not be nothing.

    They are weighed in a lake of their own, so that the workspace's stays as it is.
    """
    asked = {total.currency: total.amount for total in source.totals(window)}
    if not any(asked.values()):
        return False
    with (
        TemporaryDirectory(dir=lake.address.home, prefix="weighing-") as folder,
        Lake(Address(Path(folder))) as scale,
    ):
        weighed = into(scale, force=True)
    found = dict[str, Decimal]()
    for result in weighed:
        for currency, amount in result.billed_loaded.items():
            found[currency] = found.get(currency, Decimal(0)) + amount
    both = asked.keys() | found.keys()
    return all(abs(asked.get(c, Decimal(0)) - found.get(c, Decimal(0))) < CENT for c in both)


def _record(total: Total, ledger: Decimal | None, now: datetime) -> ProviderTotal:
    return ProviderTotal(
        first=total.window.first,
        before=total.window.end,
        currency=total.currency,
        origin=total.origin,
        amount=total.amount,
        ledger=ledger,
        closed=total.closed,
        checked_at=now,
    )


def _invoices(settings: Settings, connection: Connection, lake: Lake, now: datetime) -> list[ProviderTotal]:
    found = [t for t in totals.listed(settings, connection) if t.origin == totals.INVOICE]
    for total in found:
        held = ledger_totals(lake, connection.source, Window(total.first, total.before))
        total.ledger, total.checked_at = held.get(total.currency), now
    return found


def enter_invoice(
    settings: Settings,
    connection: Connection,
    lake: Lake,
    window: Window,
    amount: Decimal,
    currency: str,
    now: datetime,
) -> ProviderTotal:
    """Keep the total of an invoice that a person typed in, beside the ledger's; an invoice is closed."""
    held = ledger_totals(lake, connection.source, window).get(currency)
    invoice = ProviderTotal(
        first=window.first,
        before=window.end,
        currency=currency,
        origin=totals.INVOICE,
        amount=amount,
        ledger=held,
        closed=True,
        checked_at=now,
    )
    totals.keep(settings, connection, [invoice])
    return invoice
