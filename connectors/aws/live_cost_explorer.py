"""Cost Explorer: what AWS itself says that a month cost. Each request costs the customer $0.01, so there is one a sync.

Its figure is never a charge of the ledger. It is the provisional first number until an export is delivered, and the
total that the ledger is held against from then on. `UnblendedCost` over all record types, taxes, credits, refunds and
discounts included, is what the account is billed.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from connectors.errors import SourceError
from connectors.live import Total, Window

ORIGIN: Final = "Cost Explorer"
_METRIC: Final = "UnblendedCost"
#: Months that Cost Explorer keeps besides the present one.
_KEPT: Final = 13


def monthly(client: Any, window: Window, today: date) -> list[Total]:  # noqa: ANN401 - a boto3 client
    """A total for each month of `window` and currency, oldest first; a month that is not closed is one to date.

    Months before the 13 that Cost Explorer keeps are left out.

    Raises:
        SourceError: AWS answers without amounts, or hands out one page twice.
    """
    first = max(month_of(window.first), months_back(month_of(today), _KEPT))
    # A period must not end after the beginning of the next month.
    end = min(next_month(month_of(window.end - timedelta(days=1))), next_month(month_of(today)))
    if first >= end:
        return []
    asked: dict[str, Any] = {
        "TimePeriod": {"Start": first.isoformat(), "End": end.isoformat()},
        "Granularity": "MONTHLY",
        "Metrics": [_METRIC],
    }
    found, marks = list[Total](), set[str]()
    while True:
        answer = client.get_cost_and_usage(**asked)
        found += [total for result in answer.get("ResultsByTime", []) if (total := _total(result)) is not None]
        mark = answer.get("NextPageToken")
        if not mark:
            break
        if mark in marks:
            raise SourceError("Cost Explorer hands out the same page again and again.", "Sync again later.")
        marks.add(mark)
        asked["NextPageToken"] = mark
    if len({total.window.first for total in found}) != len(found):
        raise SourceError("Cost Explorer states a month twice, so that its total cannot be told.", "Sync again later.")
    return sorted(found, key=lambda total: total.window.first)


def _total(result: dict[str, Any]) -> Total | None:
    """A month's total; None where AWS states none, which is unknown and not zero."""
    stated = result.get("Total", {}).get(_METRIC)
    if stated is None:
        return None
    period = result["TimePeriod"]
    start = date.fromisoformat(period["Start"])
    window = Window(start, date.fromisoformat(period["End"]))
    return Total(window, Decimal(stated["Amount"]), stated["Unit"], ORIGIN, closed=not result.get("Estimated", True))


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
