"""The columns that every flattened API page has: the period of a result as the API writes it."""

from __future__ import annotations

from typing import Final

START: Final = "bucket.start_time"
END: Final = "bucket.end_time"
