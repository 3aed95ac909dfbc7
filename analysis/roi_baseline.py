"""The AI spend of a month that a ledger carries: its last complete months, and how far they may be projected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

from analysis.period import first_of_month
from analysis.result import quotient, total
from analysis.roi import HORIZONS, Range

#: Complete months that a baseline is taken over, where there are so many.
MONTHS: Final = 3
#: Months of projection for each complete month of data.
REACH: Final = 12


@dataclass(frozen=True, slots=True)
class Baseline:
    """The AI spend of a month.

    Attributes:
        spend: the lowest, mean and highest of the months.
        currency: ISO 4217 code.
        months: the first day of each month that it is taken over.
        horizons: months ahead that so much data carries.
        notes: what has to be said about it, each a sentence.
    """

    spend: Range
    currency: str
    months: tuple[date, ...]
    horizons: tuple[int, ...]
    notes: tuple[str, ...]


def baseline(rows: Sequence[Mapping[str, Any]], currency: str | None = None) -> Baseline:
    """The baseline of the months of `analysis.fees_spend.ai_months`.

    Args:
        rows: AI spend by month, currency and source.
        currency: which one, where there are several.

    Raises:
        ValueError: there is no AI spend, no complete month, a month is missing among the last ones, or there are
            several currencies and none is named.
    """
    codes = sorted({row["currency"] for row in rows})
    if not codes:
        raise ValueError("No AI charges are loaded: without them there is no baseline. Load a bill, or type the spend.")
    if currency is None and len(codes) > 1:
        raise ValueError(f"The AI charges are in {' and '.join(codes)}, which are never summed; choose one.")
    code = currency or codes[0]
    found = [row for row in rows if row["currency"] == code]
    months = sorted({row["month"] for row in found})
    complete = [month for month in months if _complete(found, month)]
    if not complete:
        days = (max(row["last"] for row in found) - min(row["first"] for row in found)).days + 1 if found else 0
        raise ValueError(
            f"The AI charges in {code} cover {days} days and no complete month, which cannot stand for one. Load at "
            "least one whole month, or type the spend."
        )
    used = complete[-MONTHS:]
    _refuse_gaps(used)
    sums = {month: total(row["amount"] for row in found if row["month"] == month and row["amount"]) for month in used}
    mean = quotient(total(sums.values()), Decimal(len(used)))
    source = f"the ledger's AI spend of {_names(used)}: lowest, mean and highest month"
    reach = max(n for n in HORIZONS if n <= max(HORIZONS[0], min(len(complete), 3) * REACH))
    return Baseline(
        Range(min(sums.values()), mean, max(sums.values()), source),
        code,
        tuple(used),
        tuple(n for n in HORIZONS if n <= reach),
        tuple(_notes(found, used, reach)),
    )


def _complete(rows: Sequence[Mapping[str, Any]], month: date) -> bool:
    """Whether a month has charges from its first day to its last."""
    days = [row for row in rows if row["month"] == month]
    last = first_of_month(month + timedelta(days=32)) - timedelta(days=1)
    return min(row["first"] for row in days) == month and max(row["last"] for row in days) == last


def _refuse_gaps(months: Sequence[date]) -> None:
    for before, after in pairwise(months):
        expected = first_of_month(before + timedelta(days=32))
        if after != expected:
            raise ValueError(
                f"{expected:%B %Y} is missing or incomplete between {before:%B %Y} and {after:%B %Y}, so these months "
                "are no unbroken baseline. Load the missing bill, or type the spend."
            )


def _notes(rows: Sequence[Mapping[str, Any]], used: Sequence[date], reach: int) -> list[str]:
    notes = list[str]()
    sources = [{row["connection"] for row in rows if row["month"] == month} for month in used]
    for name in sorted(set[str]().union(*sources)):
        absent = [month for month, there in zip(used, sources, strict=True) if name not in there]
        if absent:
            notes.append(f"{name} billed no AI in {_names(absent)}: a gap, or no use.")
    if len(used) == 1:
        notes.append("One complete month only: the spend has no range of its own.")
    if reach < HORIZONS[-1]:
        notes.append(f"{len(used)} complete months of data carry {reach} months ahead, {REACH} for each.")
    return notes


def _names(months: Sequence[date]) -> str:
    return ", ".join(f"{month:%B %Y}" for month in months)
