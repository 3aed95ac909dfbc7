"""Texts of a document as people read them: money, days and moments out of JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from reports.numbers import day, days, money


def decimal(text: str | None) -> Decimal | None:
    """The exact number of a text; None for none."""
    return None if text is None else Decimal(text)


def money_text(text: str | None, claim: Mapping[str, Any]) -> str:
    """Money of a claim, in its currency."""
    return money(decimal(text), claim["currency"])


def day_text(text: str) -> str:
    """A day: `28 Aug 2026`."""
    return day(date.fromisoformat(text))


def span_text(first: str, last: str) -> str:
    """A span of days: `1 Sep to 31 Oct 2026`."""
    return days(date.fromisoformat(first), date.fromisoformat(last))


def moment_text(text: str) -> str:
    """A moment: `21 Nov 2026, 09:30 UTC`."""
    at = datetime.fromisoformat(text)
    return f"{day(at.date())}, {at:%H:%M} UTC"
