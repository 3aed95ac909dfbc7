"""What may still be restated, in the same words on every page."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Final

from reports import numbers
from ui import controls
from ui.data import Coverage
from ui.markup import Marked

#: Before what may still be restated.
BADGE: Final = Marked(":orange-badge[Provisional]")


def words(coverage: Coverage, last: date) -> list[str]:
    """That days up to `last` may still be restated, as parts of `markup.joined`; empty where none may."""
    start = controls.provisional_from(coverage, datetime.now(UTC).date())
    if start is None or start > last:
        return []
    return [BADGE, f"from {numbers.day(start)} on: the newest billing period may still be restated."]
