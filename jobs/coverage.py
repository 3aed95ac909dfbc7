"""What a connection still has to fetch, by the ledger's own record of its loads.

There is no second store that could outrun the lake: a day is settled once a load covered it that was made more than
the source's overlap after the day was over. Every other day is fetched (again).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from connectors.live import Stream, Window
from ledger.lake import Lake


@dataclass(frozen=True, slots=True)
class Covering:
    """One load of a stream: the days it covers, and when it was made."""

    stream: str
    version: str
    window: Window
    made: datetime


def loaded(lake: Lake, source: str) -> list[Covering]:
    """The loads of a live source (`live:NAME`) whose rows are in the ledger; none once the source was removed."""
    rows = lake.records(
        "SELECT StreamName, StreamVersion, CoveredFrom, CoveredBefore, LoadedAt, TableName, RowsLoaded FROM loads "
        "WHERE Connection = ? AND StreamName IS NOT NULL ORDER BY LoadedAt",
        [source],
    )
    held = {table: _holds(lake, table, source) for table in {row["TableName"] for row in rows if row["RowsLoaded"]}}
    return [
        Covering(
            row["StreamName"],
            row["StreamVersion"] or "",
            Window(row["CoveredFrom"], row["CoveredBefore"]),
            row["LoadedAt"],
        )
        for row in rows
        if held.get(row["TableName"], True)
    ]


def _holds(lake: Lake, table: str, source: str) -> bool:
    place = "daily_spend" if table == "charges" else table
    return bool(lake.records(f"SELECT 1 AS held FROM {place} WHERE x_Connection = ? LIMIT 1", [source]))


def months(first: date, end: date) -> Iterator[Window]:
    """The calendar months between two days, newest first, the outer ones cut."""
    month = (end - timedelta(days=1)).replace(day=1)
    while end > first:
        yield Window(max(month, first), end)
        end, month = month, (month - timedelta(days=1)).replace(day=1)


def missing(
    stream: Stream, loads: Sequence[Covering], overlap_days: int, since: datetime | None = None
) -> Window | None:
    """The days of a stream's window that are not settled, as one window; None where there is nothing to fetch.

    Where the provider names its deliveries, the newest load of the same days decides: they are fetched whole unless it
    was of this version, however long ago the days were. Days that were loaded after `since`, when the sync began that
    is now gone on with, need nothing.

    Args:
        stream: what the provider offers.
        loads: the loads of the connection, the oldest first.
        overlap_days: days that the provider may still restate.
        since: when the sync began that is gone on with; None where none was killed.
    """
    own = [c for c in loads if c.stream == stream.name]
    if stream.version:
        newest = next((c.version for c in reversed(own) if c.window == stream.window), None)
        return None if newest == stream.version else stream.window
    settled = set[date]()
    for covering in own:
        last = covering.made.date() - timedelta(days=overlap_days + 1)
        end = covering.window.end if since and covering.made >= since else last + timedelta(days=1)
        settled.update(_days(Window(covering.window.first, min(covering.window.end, end))))
    open_days = [day for day in _days(stream.window) if day not in settled]
    return Window(open_days[0], open_days[-1] + timedelta(days=1)) if open_days else None


def _days(window: Window) -> Iterator[date]:
    for at in range((window.end - window.first).days):
        yield window.first + timedelta(days=at)
