"""The Query API of Cost Management: what Azure itself says that some days cost. It is free, and closely limited.

Its figure is never a charge of the ledger. It is the provisional first number until an export is delivered, and the
total that the ledger is held against from then on. `ActualCost` is what is billed, purchases included.
"""

# The type checker's root is connectors/, where it takes the SDK's package `azure` for this one.
# pyright: reportMissingImports=false

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from connectors.azure.live_session import CLIENT_TYPE
from connectors.errors import SourceError
from connectors.live import Total, Window

if TYPE_CHECKING:
    from connectors.azure.live_session import Clients

ORIGIN: Final = "Cost Management Query API"
#: Longest period that one query may sum.
_LONGEST: Final = timedelta(days=365)
#: Day of the next month until which Azure may still change a month that has ended.
_CLOSES: Final = 5


def total(clients: Clients, scope: str, window: Window, today: date) -> tuple[list[Total], Mapping[str, str]]:
    """What the days of `window` up to today cost, by currency, and the headers of the last answer.

    Azure answers days without any charge with no row at all, which is not a total of zero: the list is then empty.

    Raises:
        SourceError: Azure refused, or its answer states no cost.
    """
    end = min(window.end, today + timedelta(days=1))
    sums: dict[str, Decimal] = {}
    headers: Mapping[str, str] = {}
    for piece in _pieces(Window(window.first, end)):
        for rows, told in _answers(clients, scope, piece):
            headers = told
            for amount, currency in rows:
                sums[currency] = sums.get(currency, Decimal(0)) + amount
    closed = closes(window.end - timedelta(days=1)) <= today
    return [Total(window, sums[currency], currency, ORIGIN, closed) for currency in sorted(sums)], headers


def closes(day: date) -> date:
    """From when on Azure no longer changes the month of a day: the sixth of the next one."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=_CLOSES + 1)


def _pieces(window: Window) -> Iterator[Window]:
    first = window.first
    while first < window.end:
        end = min(first + _LONGEST, window.end)
        yield Window(first, end)
        first = end


def _answers(
    clients: Clients, scope: str, window: Window
) -> Iterator[tuple[list[tuple[Decimal, str]], Mapping[str, str]]]:
    """The rows of every page, and its headers."""
    from azure.core.rest import HttpRequest  # noqa: PLC0415 - only a connection to Azure needs it

    asked, links = _query(window), set[str]()
    client = clients.costs()

    def first() -> tuple[str, Mapping[str, str]]:
        # The SDK would read amounts as doubles; the answer is taken as it came.
        found = client.query.usage(scope, asked, headers=CLIENT_TYPE, cls=lambda answer, *_: answer.http_response)
        return (found.text(), found.headers) if found.status_code == 200 else ("{}", found.headers)  # noqa: PLR2004

    body, headers = clients.ask("cost query", first, scope)
    while True:
        found = _properties(body)
        yield _rows(found), headers
        link = found.get("nextLink")
        if not link:
            return
        if link in links:
            raise SourceError("Azure hands out one page of a query again and again.", "Sync again later.")
        links.add(link)

        def following(link: str = link) -> tuple[str, Mapping[str, str]]:
            answer = client.send_request(HttpRequest("POST", link, json=asked, headers=CLIENT_TYPE))
            answer.raise_for_status()
            answer.json()
            return answer.text(), answer.headers

        body, headers = clients.ask("cost query", following, scope)


def _query(window: Window) -> dict[str, Any]:
    """The sum of a period by currency: daily answers are cut at 31 days without a word."""
    last = datetime.combine(window.end - timedelta(days=1), time(23, 59, 59), UTC)
    return {
        "type": "ActualCost",
        "timeframe": "Custom",
        "timePeriod": {
            "from": datetime.combine(window.first, time(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "to": last.strftime("%Y-%m-%dT%H:%M:%SZ"),
        },
        "dataset": {"granularity": "None", "aggregation": {"Cost": {"name": "Cost", "function": "Sum"}}},
    }


def _properties(body: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(body, parse_float=Decimal, parse_int=Decimal)
    return document.get("properties") or {}


def _rows(properties: Mapping[str, Any]) -> list[tuple[Decimal, str]]:
    """Amount and currency of each row, by the names of the columns."""
    rows = properties.get("rows") or []
    if not rows:
        return []
    places = {str(column["name"]).lower(): at for at, column in enumerate(properties.get("columns") or [])}
    if "cost" not in places or "currency" not in places:
        raise SourceError(
            f"The Query API states {', '.join(places) or 'nothing'} instead of a cost and its currency.",
            "Sync again later.",
        )
    return [(Decimal(row[places["cost"]]), str(row[places["currency"]])) for row in rows]
