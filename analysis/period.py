"""Days, months and half-open periods of them; days are days in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import ibis.expr.types as ir


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` up to, and without, `end`; None is no bound.

    Raises:
        ValueError: the end is not after the start.
    """

    start: date | None = None
    end: date | None = None

    def __post_init__(self) -> None:
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise ValueError(f"A period must end after it begins; this one is from {self.start} up to {self.end}.")

    def within(self, table: ir.Table, column: str = "ChargeDate") -> ir.Table:
        """The rows whose day lies in the period."""
        import ibis  # noqa: PLC0415 - half a second, which whoever only needs exact sums does without

        day = cast("ir.DateColumn", table[column])
        bounds = [day >= ibis.literal(self.start)] if self.start is not None else []
        bounds += [day < ibis.literal(self.end)] if self.end is not None else []
        return table.filter(*bounds) if bounds else table


#: Dimensions of time that every fact table has, each from its day.
CALENDAR: Final[Mapping[str, Callable[[ir.DateValue], ir.DateValue]]] = {
    "day": lambda day: day,
    "month": lambda day: day.truncate("M"),
}


def label(dimension: str, value: object) -> str | None:
    """A dimension's value as text for JSON: `2026-01-31` for a day, `2026-01` for a month."""
    if isinstance(value, date):
        return f"{value:%Y-%m}" if dimension == "month" else value.isoformat()
    return None if value is None else str(value)


def first_of_month(day: date) -> date:
    """First day of the month of `day`."""
    return day.replace(day=1)


def days_between(first: date, last: date) -> list[date]:
    """Every day from `first` to `last`, both included."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]
