"""What the providers invoiced, beside the ledger: from a file, from totals that are kept by period, from the ledger.

In this order: where a file has a provider's invoice of some days, nothing else is asked about these days, and so on.
Each invoice names where it is from, and the proof carries the name.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from analysis.result import plain, total
from analysis.scope import OF_CHARGES, Scope
from ledger.engine import literal
from ledger.errors import LedgerError
from ledger.lake import ALIAS, Lake
from reports.cited import between, condition
from reports.claim import InvoiceTotal

if TYPE_CHECKING:
    from accounts.home import Settings

#: The source of what the ledger itself has of invoices.
DETAILS: Final = "invoice details of the ledger"
_PROVIDER: Final = "coalesce(l.Provider, c.ServiceProviderName)"
_ONE: Final = timedelta(days=1)

Span = tuple[date, date]


class InvoiceFileError(LedgerError):
    """A file of invoices that cannot be read."""


@dataclass(frozen=True, slots=True)
class Invoice:
    """What a provider (as `loads` names it) invoiced for its days `first` to `last`, both included.

    Attributes:
        source: where the amount is from, as the proof prints it.
    """

    provider: str
    first: date
    last: date
    amount: Decimal
    currency: str
    source: str


def read_invoices(path: Path) -> tuple[Invoice, ...]:
    """Invoices out of a CSV file with the columns provider, first_day, last_day, amount and currency.

    Raises:
        InvoiceFileError: a column or value is missing or is none.
    """
    wanted = {"provider", "first_day", "last_day", "amount", "currency"}
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        absent = wanted - set(reader.fieldnames or ())
        if absent:
            raise InvoiceFileError(f"{path} has no column {', '.join(sorted(absent))}; an invoice needs them all.")
        return tuple(_read(path, number, row) for number, row in enumerate(reader, start=1))


def _read(path: Path, number: int, row: Mapping[str, str]) -> Invoice:
    try:
        return Invoice(
            row["provider"].strip(),
            date.fromisoformat(row["first_day"].strip()),
            date.fromisoformat(row["last_day"].strip()),
            Decimal(row["amount"].strip()),
            row["currency"].strip(),
            path.name,
        )
    except (ValueError, InvalidOperation, AttributeError) as error:
        raise InvoiceFileError(f"{path}, row {number}: days are written 2026-01-31 and amounts 1234.56.") from error


def known(lake: Lake, settings: Settings, workspace: str, given: Sequence[Invoice]) -> tuple[Invoice, ...]:
    """Every invoice there is: those that were given, then totals kept by period, then the ledger's invoice details.

    A later source speaks only of days of a provider on which no earlier one does.
    """
    found = list(given)
    for source in (_totals(lake, settings, workspace), _details(lake)):
        spoken = [(i.provider, i.currency, i.first, i.last) for i in found]
        found += [
            new
            for new in source
            if not any(
                (provider, currency) == (new.provider, new.currency) and first <= new.last and new.first <= last
                for provider, currency, first, last in spoken
            )
        ]
    return tuple(found)


def _totals(lake: Lake, settings: Settings, workspace: str) -> Iterator[Invoice]:
    """Totals of connections, an invoice before what the provider says another way; only of periods that are closed.

    A provider's total is that of all its connections with charges on these days; where one of them has none there is
    no total.
    """
    from accounts import totals  # noqa: PLC0415 - the database of accounts, which only a claim needs
    from accounts.connections import listed  # noqa: PLC0415

    kept = defaultdict[tuple[Span, str], dict[str, tuple[Decimal, str]]](dict)
    for connection in listed(settings, workspace):
        rows = totals.listed(settings, connection)
        for row in sorted(rows, key=lambda row: row.origin == totals.INVOICE):
            if row.origin == totals.INVOICE or (row.closed and not row.is_provisional):
                by = "invoice entered" if row.origin == totals.INVOICE else row.origin
                span = row.first, row.before - _ONE
                kept[span, row.currency][connection.source] = row.amount, f"{by} for {connection.source}"
    if not kept:
        return
    charged = _charged(lake)
    for (span, currency), by_connection in sorted(kept.items()):
        for provider, connections in charged.items():
            due = {name for name, (first, last) in connections.items() if first <= span[1] and span[0] <= last}
            if due and due <= by_connection.keys():
                parts = [by_connection[name] for name in sorted(due)]
                source = " and ".join(said for _, said in parts)
                yield Invoice(provider, *span, total(amount for amount, _ in parts), currency, source)


def _charged(lake: Lake) -> dict[str, dict[str, Span]]:
    """By provider, the sources of its charges with their first and last day."""
    rows = lake.records(
        f"SELECT {_PROVIDER} AS provider, c.x_Connection AS connection, min(ChargeDate) AS first, "
        f"max(ChargeDate) AS last FROM daily_spend AS c JOIN loads AS l ON l.LoadId = c.x_LoadId GROUP BY ALL"
    )
    found = defaultdict[str, dict[str, Span]](dict)
    for row in rows:
        found[row["provider"]][row["connection"]] = row["first"], row["last"]
    return found


def _details(lake: Lake) -> Iterator[Invoice]:
    """The ledger's invoice details by provider and billing period, where every invoice of it is issued.

    An issuer of a provider's charges that has no invoice of the period, or one that issues for others as well, makes
    the total unknown.
    """
    rows = lake.records(
        "SELECT InvoiceIssuerName AS issuer, BillingPeriodStart::DATE AS first, BillingPeriodEnd::DATE AS before, "
        "BillingCurrency AS currency, bool_or(InvoiceIssueStatus = 'Open') AS is_open, "
        "sum(BilledCost) FILTER (InvoiceIssueStatus = 'Issued') AS amount FROM invoice_details GROUP BY ALL"
    )
    if not rows:
        return
    issued = defaultdict[tuple[Span, str], dict[str, Decimal | None]](dict)
    for row in rows:
        amount = None if row["is_open"] else row["amount"]
        issued[(row["first"], row["before"] - _ONE), row["currency"]][row["issuer"]] = amount
    issuers, others = _issuers(lake)
    for (span, currency), by_issuer in sorted(issued.items()):
        for provider, names in issuers.items():
            amounts = [by_issuer.get(name) for name in names]
            found = [amount for amount in amounts if amount is not None]
            if len(found) == len(amounts) and not names & others:
                yield Invoice(provider, *span, total(found), currency, DETAILS)


def _issuers(lake: Lake) -> tuple[dict[str, set[str]], set[str]]:
    """By provider, who issues its invoices; and those who issue for several."""
    rows = lake.records(
        f"SELECT DISTINCT {_PROVIDER} AS provider, c.InvoiceIssuerName AS issuer "
        "FROM charges AS c JOIN loads AS l ON l.LoadId = c.x_LoadId"
    )
    found, providers = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
    for row in rows:
        found[row["provider"]].add(row["issuer"])
        providers[row["issuer"]].add(row["provider"])
    return found, {issuer for issuer, names in providers.items() if len(names) > 1}


def beside_ledger(
    lake: Lake, scope: Scope, invoices: Sequence[Invoice], currency: str, snapshot: int
) -> tuple[InvoiceTotal, ...]:
    """Invoices beside the ledger, for the spans that all providers of the scope have invoices of.

    An invoice is about the whole bill of the provider that issued it (Bedrock is on the bill of AWS, whoever made the
    model), so that is what it is compared with, not the scope alone.
    """
    if not invoices:
        return ()
    providers = _providers(lake, scope, snapshot)
    spans = defaultdict[Span, dict[str, list[Invoice]]](dict)
    for invoice in invoices:
        if invoice.provider in providers and invoice.currency == currency:
            spans[invoice.first, invoice.last].setdefault(invoice.provider, []).append(invoice)
    complete = {
        span: [i for of in by.values() for i in of] for span, by in sorted(spans.items()) if set(by) == providers
    }
    billed = _billed(lake, providers, list(complete), currency, snapshot)
    return tuple(
        InvoiceTotal(
            *span, billed[span], total(i.amount for i in found), " and ".join(dict.fromkeys(i.source for i in found))
        )
        for span, found in complete.items()
    )


def ledger_now(lake: Lake, scope: Scope, spans: Sequence[Span], currency: str, snapshot: int) -> dict[Span, Decimal]:
    """BilledCost of the bills that the scope's charges are on, by span."""
    return _billed(lake, _providers(lake, scope, snapshot), spans, currency, snapshot)


def _providers(lake: Lake, scope: Scope, snapshot: int) -> set[str]:
    at = f"AT (VERSION => {snapshot})"
    table = "charges" if scope.needs_charges else "daily_spend"
    rows = lake.records(
        f"SELECT DISTINCT {_PROVIDER} AS provider FROM {ALIAS}.main.{table} AS c {at} "
        f"JOIN {ALIAS}.main.loads AS l {at} ON l.LoadId = c.x_LoadId WHERE {condition(scope, OF_CHARGES)}"
    )
    return {row["provider"] for row in rows}


def _billed(
    lake: Lake, providers: Iterable[str], spans: Sequence[Span], currency: str, snapshot: int
) -> dict[Span, Decimal]:
    """BilledCost of providers' bills: by billing period where a span is whole months, else by day."""
    if not spans:
        return {}
    at = f"AT (VERSION => {snapshot})"
    names = ", ".join(literal(name) for name in sorted(providers))
    issued = f"{_PROVIDER} IN ({names}) AND BillingCurrency = {literal(currency)}"
    sums = ", ".join(
        f"coalesce(sum(BilledCost) FILTER ({between(_invoiced_by(span), [span])}), 0)::DECIMAL(38,18)" for span in spans
    )
    row = lake.cursor().execute(
        f"SELECT {sums} FROM {ALIAS}.main.daily_spend AS c {at} "
        f"JOIN {ALIAS}.main.loads AS l {at} ON l.LoadId = c.x_LoadId WHERE {issued}"
    )
    amounts: Sequence[Any] = row.fetchone() or ()
    return {span: Decimal(plain(amount) or "0") for span, amount in zip(spans, amounts, strict=True)}


def _invoiced_by(span: Span) -> str:
    whole = span[0].day == 1 and (span[1] + _ONE).day == 1
    return "BillingPeriodStart::DATE" if whole else "ChargeDate"
