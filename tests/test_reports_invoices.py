"""Invoices beside the ledger: from a file, from kept totals, from the ledger itself, in this order and named."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from accounts import connections, totals
from accounts.home import Settings, lake_address
from accounts.totals import INVOICE, ProviderTotal
from analysis.scope import Scope
from connectors.importing import import_files
from ledger import focus
from ledger.lake import Lake
from reports.claim import InvoiceTotal
from reports.invoices import DETAILS, Invoice, InvoiceFileError, beside_ledger, known, read_invoices
from tests.ledgers import line, month_after, write_bill

NAME = "books"
JUNE, JULY = (date(2026, 6, 1), date(2026, 6, 30)), (date(2026, 7, 1), date(2026, 7, 31))
CHECKED = datetime(2026, 8, 10, tzinfo=UTC)
FILED = Invoice("Acme", *JUNE, Decimal("30.10"), "USD", "portal.csv")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


@pytest.fixture
def lake(settings: Settings, tmp_path: Path) -> Iterator[Lake]:
    """Acme billed 30 in June and 40 in July."""
    with Lake(lake_address(settings, NAME)) as opened:
        days = [("10", "2026-06-03"), ("20", "2026-06-20"), ("40", "2026-07-05")]
        bill = write_bill(tmp_path / "bill.csv", [line(cost, day) for cost, day in days])
        import_files(opened, [str(bill)])
        yield opened


def keep(
    settings: Settings, lake: Lake, amount: str, *, origin: str, closed: bool | None, span: tuple[date, date]
) -> None:
    """A total of the one source that the ledger has charges of."""
    (row,) = lake.records("SELECT DISTINCT x_Connection AS source FROM daily_spend")
    found = {c.name: c for c in connections.listed(settings, NAME)}
    connection = found.get("acme") or connections.new(NAME, "acme", "openai")
    if not found:
        connections.add(settings, connection)
    lake.cursor().execute(
        "UPDATE daily_spend SET x_Connection = ? WHERE x_Connection = ?", ["live:acme", row["source"]]
    )
    total = ProviderTotal(
        first=span[0],
        before=span[1] + timedelta(days=1),
        currency="USD",
        origin=origin,
        amount=Decimal(amount),
        ledger=Decimal(1),
        closed=closed,
        checked_at=CHECKED,
    )
    totals.keep(settings, connection, [total])


def details(lake: Lake, folder: Path, *rows: tuple[str, str, str]) -> None:
    """Invoice details of Acme: month, amount and status."""
    names = [column.name for column in focus.INVOICE_DETAIL]
    lines = [",".join(names)]
    for nth, (month, amount, status) in enumerate(rows):
        first = date.fromisoformat(f"{month}-01")
        values = {
            "BilledCost": amount,
            "BillingAccountId": "acct-1",
            "BillingCurrency": "USD",
            "BillingPeriodStart": f"{first}T00:00:00Z",
            "BillingPeriodEnd": f"{month_after(first)}T00:00:00Z",
            "ChargeCategory": "Usage",
            "InvoiceDetailCreated": "2026-08-01T00:00:00Z",
            "InvoiceDetailLastUpdated": "2026-08-01T00:00:00Z",
            "InvoiceDetailId": f"d-{nth}",
            "InvoiceId": f"i-{nth}",
            "InvoiceIssueStatus": status,
            "InvoiceIssuerName": "Acme",
            "PaymentTerms": "30 days",
        }
        lines.append(",".join(values.get(name, "") for name in names))
    file = folder / "invoices.csv"
    file.write_text("\n".join(lines))
    import_files(lake, [str(file)])


def beside(lake: Lake, found: tuple[Invoice, ...]) -> tuple[InvoiceTotal, ...]:
    return beside_ledger(lake, Scope(), found, "USD", lake.snapshot())


def test_without_any_source_there_is_none(settings: Settings, lake: Lake) -> None:
    assert known(lake, settings, NAME, ()) == ()
    assert beside(lake, ()) == ()


def test_each_source_speaks_of_the_days_that_no_earlier_one_has(settings: Settings, lake: Lake, tmp_path: Path) -> None:
    """The file has June; Cost Explorer both; the details all three months."""
    for span, amount in ((JUNE, "30.20"), (JULY, "40.20")):
        keep(settings, lake, amount, origin="Cost Explorer", closed=True, span=span)
    details(lake, tmp_path, ("2026-06", "30.30", "Issued"), ("2026-07", "40.30", "Issued"), ("2026-05", "5", "Issued"))
    found = known(lake, settings, NAME, [FILED])
    assert [(i.first, i.amount, i.source) for i in found] == [
        (JUNE[0], Decimal("30.10"), "portal.csv"),
        (JULY[0], Decimal("40.20"), "Cost Explorer for live:acme"),
        (date(2026, 5, 1), Decimal(5), DETAILS),
    ]
    held = {total.first_day: total for total in beside(lake, found)}
    assert held[JUNE[0]] == InvoiceTotal(*JUNE, Decimal(30), Decimal("30.10"), "portal.csv")
    assert (held[JULY[0]].ledger, held[JULY[0]].source) == (Decimal(40), "Cost Explorer for live:acme")


def test_an_invoice_that_was_entered_goes_before_what_the_provider_says_another_way(
    settings: Settings, lake: Lake
) -> None:
    keep(settings, lake, "30.20", origin="Cost Explorer", closed=True, span=JUNE)
    keep(settings, lake, "30.00", origin=INVOICE, closed=True, span=JUNE)
    (found,) = known(lake, settings, NAME, ())
    assert (found.amount, found.source) == (Decimal("30.00"), "invoice entered for live:acme")


@pytest.mark.parametrize("closed", [False, None])
def test_a_period_that_is_not_closed_has_no_total(settings: Settings, lake: Lake, closed: bool | None) -> None:
    keep(settings, lake, "30.20", origin="Cost Explorer", closed=closed, span=JUNE)
    assert known(lake, settings, NAME, ()) == ()


def test_a_provider_with_a_source_that_has_no_total_has_none(settings: Settings, lake: Lake, tmp_path: Path) -> None:
    keep(settings, lake, "30.20", origin="Cost Explorer", closed=True, span=JUNE)
    other = write_bill(tmp_path / "other.csv", [line("7", "2026-06-09", account="acct-2")])
    import_files(lake, [str(other)], source="second")
    assert known(lake, settings, NAME, ()) == ()


def test_details_that_are_open_or_voided_are_no_invoice(settings: Settings, lake: Lake, tmp_path: Path) -> None:
    details(
        lake,
        tmp_path,
        ("2026-06", "30", "Issued"),
        ("2026-06", "999", "Voided"),
        ("2026-07", "39", "Issued"),
        ("2026-07", "1", "Open"),
    )
    (found,) = known(lake, settings, NAME, ())
    assert (found.first, found.amount) == (JUNE[0], Decimal(30))


def test_a_file_that_is_none_says_why(tmp_path: Path) -> None:
    file = tmp_path / "invoices.csv"
    file.write_text("provider,first_day,last_day,amount,currency\nAcme,2026-06-01,2026-06-30,30.10,USD\n")
    assert read_invoices(file) == (Invoice("Acme", *JUNE, Decimal("30.10"), "USD", "invoices.csv"),)
    file.write_text("provider,first_day\n")
    with pytest.raises(InvoiceFileError, match="no column amount, currency, last_day"):
        read_invoices(file)
    file.write_text("provider,first_day,last_day,amount,currency\nAcme,June,2026-06-30,30,USD\n")
    with pytest.raises(InvoiceFileError, match="row 1: days are written 2026-01-31"):
        read_invoices(file)
