"""Cost Explorer: what AWS itself says that some days cost. Each request costs the customer $0.01.

Its figure is never a charge of the ledger. It is the provisional first number until an export is delivered, and the
total that the ledger is held against from then on. `UnblendedCost` over all record types, taxes, credits, refunds and
discounts included, is what the account is billed.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from connectors.errors import SourceError
from connectors.live import Total, Window

if TYPE_CHECKING:
    from connectors.aws.live_session import Patient

ORIGIN: Final = "Cost Explorer"
_METRIC: Final = "UnblendedCost"
#: Months that Cost Explorer keeps besides the present one.
_KEPT: Final = 13


def total(client: Patient, window: Window, today: date) -> list[Total]:
    """What the days of `window` up to today cost, by currency; empty where Cost Explorer does not keep all of them.

    Raises:
        SourceError: AWS leaves a day out, or states one twice.
    """
    end = min(window.end, today + timedelta(days=1))
    if window.first < months_back(month_of(today), _KEPT) or window.first >= end:
        return []
    asked = {
        "TimePeriod": {"Start": window.first.isoformat(), "End": end.isoformat()},
        "Granularity": "DAILY",
        "Metrics": [_METRIC],
    }
    results = list[dict[str, Any]]()
    for answer in client.paged("get_cost_and_usage", "NextPageToken", "NextPageToken", **asked):
        results += answer.get("ResultsByTime", [])
    days = sorted(result["TimePeriod"]["Start"] for result in results)
    if days != [(window.first + timedelta(days=n)).isoformat() for n in range((end - window.first).days)]:
        raise SourceError(
            f"Cost Explorer does not state each day from {window.first} to {end - timedelta(days=1)} once, so that its "
            "total cannot be told.",
            "Sync again later.",
        )
    sums: dict[str, Decimal] = {}
    for result in results:
        stated = result["Total"][_METRIC]
        sums[stated["Unit"]] = sums.get(stated["Unit"], Decimal(0)) + Decimal(stated["Amount"])
    closed = not any(result.get("Estimated", True) for result in results)
    return [Total(window, amount, currency, ORIGIN, closed) for currency, amount in sorted(sums.items())]


def month_of(day: date) -> date:
    """First day of its month."""
    return day.replace(day=1)


def next_month(first: date) -> date:
    """First day of the month after."""
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)


def months_back(first: date, count: int) -> date:
    """First day of the month so many months before."""
    months = first.year * 12 + first.month - 1 - count
    return date(months // 12, months % 12 + 1, 1)
