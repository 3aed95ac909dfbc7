"""Days and months that a load skips: a billing period that is half there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import date
from typing import Final

import duckdb

from ledger.checks import Finding

#: Sentences about one load; an organization may have thousands of accounts.
_MOST: Final = 20
#: Proleptic ordinal of the day from which day numbers count.
EPOCH: Final = date(1970, 1, 1).toordinal()


def missing_days(cursor: duckdb.DuckDBPyConnection, covered: Collection[int] = ()) -> list[Finding]:
    """Days without usage inside a billing period, and months without a billing period, of each account of a load.

    Only what lies between the first and the last that the load holds can be told to be missing.

    Args:
        cursor: where `temp.rolled` holds the load by day.
        covered: days since 1970-01-01 which the source says it covers, so that nothing of them is missing.
    """
    sentences = [*_days(cursor, frozenset(covered)), *_months(cursor)]
    if len(sentences) > _MOST:
        sentences[_MOST:] = [f"Days or months are missing in {len(sentences) - _MOST} more periods."]
    return [Finding("Period.days", "warning", 0, sentence) for sentence in sentences]


def _days(cursor: duckdb.DuckDBPyConnection, covered: frozenset[int]) -> Iterator[str]:
    rows = cursor.execute(
        "WITH used AS (SELECT DISTINCT BillingAccountId AS account, BillingPeriodStart AS period, DayNumber AS day "
        "FROM temp.rolled WHERE x_State IS NULL AND ChargeCategory = 'Usage' AND DayNumber "
        "BETWEEN epoch(BillingPeriodStart) // 86400 AND epoch(BillingPeriodStart + INTERVAL 1 MONTH) // 86400 - 1) "
        "SELECT account, strftime(period, '%Y-%m') AS month, min(day), max(day), list(day) FROM used "
        "GROUP BY account, period HAVING max(day) - min(day) >= count(*) ORDER BY ALL"
    ).fetchall()
    for account, month, first, last, held in rows:
        if gaps := sorted(set(range(first, last)) - set(held) - covered):
            skipped = ", ".join(spans(map(_date, gaps)))
            yield (
                f"Account {account}, billing period {month}: no usage on {skipped}, although "
                f"the load reaches from {_date(first)} to {_date(last)}; a part of the bill may be missing."
            )


def _months(cursor: duckdb.DuckDBPyConnection) -> Iterator[str]:
    rows = cursor.execute(
        "SELECT BillingAccountId, list(DISTINCT year(BillingPeriodStart) * 12 + month(BillingPeriodStart) - 1) "
        "FROM temp.rolled WHERE x_State IS NULL AND BillingPeriodStart IS NOT NULL GROUP BY 1 ORDER BY 1"
    ).fetchall()
    for account, held in rows:
        first, last = min(held), max(held)
        if gaps := sorted(set(range(first, last)) - set(held)):
            yield (
                f"Account {account}: no billing period {', '.join(map(_month, gaps))} between {_month(first)} and "
                f"{_month(last)}; a part of the bill may be missing."
            )


def spans(days: Iterable[date]) -> list[str]:
    """Days in order as spans of days that follow each other: `2026-10-01..2026-10-31`, a single day alone."""
    found: list[tuple[date, date]] = []
    for day in days:
        if found and day.toordinal() == found[-1][1].toordinal() + 1:
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return [f"{a}..{b}" if a != b else f"{a}" for a, b in found]


def _date(day: int) -> date:
    return date.fromordinal(EPOCH + day)


def _month(number: int) -> str:
    return f"{number // 12}-{number % 12 + 1:02}"
