"""How figures are written on screens: as in reports, so that the two never differ (see `reports.numbers`)."""

from __future__ import annotations

from reports.numbers import (
    NONE,
    change,
    compact,
    count,
    day,
    days,
    money,
    percent,
    points,
    some,
    tokens,
    unit_price,
)

__all__ = [
    "NONE",
    "change",
    "compact",
    "count",
    "day",
    "days",
    "money",
    "percent",
    "points",
    "some",
    "tokens",
    "unit_price",
]
