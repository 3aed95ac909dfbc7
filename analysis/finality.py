"""From when on a day of a bill is final: providers deliver late and restate."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

#: Days after which a provider no longer revises a day; for all others a month is final on `CLOSES` of the next.
REVISED: Final = {"Anthropic": 30, "OpenAI": 35}
#: AWS, Microsoft and Google Cloud restate the month before until the middle of the next.
CLOSES: Final = 15


def final_from(provider: str, day: date) -> date:
    """The first day on which what was loaded of `day` counts as final.

    Args:
        provider: FOCUS ServiceProviderName.
        day: of the charges (UTC).
    """
    if provider in REVISED:
        return day + timedelta(days=REVISED[provider])
    return (day.replace(day=1) + timedelta(days=31)).replace(day=CLOSES)
