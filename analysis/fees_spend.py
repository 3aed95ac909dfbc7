"""AI spend of a month as a fee is taken on it: one definition, which every such fee prints.

The bill is the truth of money, so the cost column is FOCUS BilledCost: never unknown, and checkable on the invoice.
"""

# Ibis types `table["x"]` as an abstract column, without the operations of its kind.
# pyright: reportAttributeAccessIssue=false, reportOperatorIssue=false, reportArgumentType=false
# pyright: reportCallIssue=false, reportReturnType=false
from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import ibis

from analysis.fees_definition import AI, DEFINITION, SETTLING
from analysis.period import Period, first_of_month
from analysis.result import fetch, plain, summed, total

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: Charge categories that are no spend on AI.
_LEFT_OUT: Final = ("Tax",)


@dataclass(frozen=True, slots=True)
class AiSpend:
    """AI spend of one calendar month, in one currency.

    Attributes:
        month: its first day.
        amount: by `DEFINITION`; below zero where credits exceed the charges.
        currency: ISO 4217 code.
        charges: how many charges it sums.
        tax: tax on them that it leaves out.
        open: why the month is not closed, each a sentence; empty where it is.
    """

    month: date
    amount: Decimal
    currency: str
    charges: int
    tax: Decimal
    open: tuple[str, ...]

    @property
    def closed(self) -> bool:
        """Whether a fee on it is final."""
        return not self.open

    def record(self) -> dict[str, Any]:
        """The spend as JSON carries it."""
        return {
            "month": f"{self.month:%Y-%m}",
            "amount": plain(self.amount),
            "currency": self.currency,
            "charges": self.charges,
            "tax_left_out": plain(self.tax),
            "closed": self.closed,
            "open": list(self.open),
            "definition": DEFINITION,
        }


def month_after(month: date) -> date:
    """First day of the month after that of `month`."""
    return first_of_month(first_of_month(month) + timedelta(days=32))


def is_ai(daily: ir.Table) -> ir.BooleanValue:
    """Which rows of `daily_spend` are AI spend by `DEFINITION`, tax included."""
    return (daily["ServiceCategory"] == ibis.literal(AI)).fill_null(False) | daily["x_ModelId"].notnull()


def ai_months(daily: ir.Table, *, start: date | None = None, end: date | None = None) -> list[dict[str, Any]]:
    """AI spend by month, currency and connection, from the rollup `daily_spend`.

    Returns:
        Rows of `month`, `currency`, `connection`, `amount`, `tax` (None where there is none), `charges`, `first` and
        `last` (day with a charge).
    """
    ai = Period(start, end).within(daily.filter(is_ai(daily)))
    spent = ai.mutate(
        Spent=ai["ChargeCategory"].isin(_LEFT_OUT).fill_null(False).ifelse(_nothing(), ai["BilledCost"]),
        Tax=ai["ChargeCategory"].isin(_LEFT_OUT).fill_null(False).ifelse(ai["BilledCost"], _nothing()),
    )
    groups = {
        "month": spent["ChargeDate"].truncate("M"),
        "currency": spent["BillingCurrency"],
        "connection": spent["x_Connection"],
    }
    return fetch(
        spent.group_by(**groups).aggregate(
            amount=summed(spent, "Spent"),
            tax=summed(spent, "Tax"),
            charges=summed(spent, "Charges"),
            first=spent["ChargeDate"].min(),
            last=spent["ChargeDate"].max(),
        )
    )


def _nothing() -> ir.Value:
    return ibis.null("decimal(38, 18)")


def ai_spend(daily: ir.Table, month: date, *, today: date) -> AiSpend:
    """AI spend of a month, and whether it is closed.

    Args:
        daily: the rollup `daily_spend`.
        month: any day of the month.
        today: the day (UTC) on which the fee is made.

    Raises:
        ValueError: the ledger holds no AI charges of the month, or holds them in several currencies.
    """
    first = first_of_month(month)
    end, before = month_after(first), first_of_month(first - timedelta(days=1))
    found = ai_months(daily, start=before, end=end)
    rows = [row for row in found if row["month"] == first]
    if not rows:
        raise ValueError(
            f"The ledger holds no AI charges of {first:%B %Y}, which is a gap and not a spend of zero. Load that "
            "month's bill, or give the spend with --ai-spend."
        )
    currencies = sorted({row["currency"] for row in rows})
    if len(currencies) > 1:
        raise ValueError(
            f"The AI charges of {first:%B %Y} are in {' and '.join(currencies)}, which are never summed. Convert them "
            "by a dated, named rate, or price each with --ai-spend and --currency."
        )
    return AiSpend(
        first,
        total(row["amount"] for row in rows if row["amount"] is not None),
        currencies[0],
        sum(row["charges"] for row in rows),
        total(row["tax"] for row in rows if row["tax"] is not None),
        _open(found, first, end, today, _newest(daily)),
    )


def _newest(daily: ir.Table) -> dict[str, date]:
    """The last day on which each source billed anything."""
    newest = daily.group_by(connection=daily["x_Connection"]).aggregate(last=daily["ChargeDate"].max())
    return {row["connection"]: row["last"] for row in fetch(newest)}


def _open(found: list[dict[str, Any]], first: date, end: date, today: date, newest: dict[str, date]) -> tuple[str, ...]:
    final = end + timedelta(days=SETTLING)
    reasons = [f"{first:%B %Y} can still be restated until {final}."] if today < final else []
    for source in sorted({row["connection"] for row in found}):
        if not any(row["connection"] == source and row["month"] == first for row in found):
            reasons.append(f"{source} billed AI in the month before and none in {first:%B %Y}.")
        if newest[source] < end - timedelta(days=1):
            reasons.append(f"{source} has billed nothing after {newest[source]}.")
    return tuple(reasons)
