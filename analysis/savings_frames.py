"""Two frames of days, checked and taken apart: a wrong shape is an error, a short or odd period is not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from analysis.result import total
from analysis.savings_model import Array, DayNumbers, Series

if TYPE_CHECKING:
    import pandas as pd

COLUMNS: Final = ("date", "cost", "driver")
EPOCH: Final = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Days:
    """One period's days in order.

    Attributes:
        series: day numbers, cost and driver of every day that is measured (n,).
        dates: those days as dates.
        costs: the exact cost of each.
        price, tokens: price per token and tokens per driver (n,), nan where unknown; None where the frame has none.
        span: days from the first to the last of the frame, those left out included.
        left_out: blackout days of the frame, and baseline days without use.
        idle: how many of `left_out` are days without use: they are known, only no unit cost can come from them.
        currency: of the frame; None where it does not say.
    """

    series: Series
    dates: tuple[date, ...]
    costs: tuple[Decimal, ...]
    price: Array | None
    tokens: Array | None
    span: int
    left_out: tuple[date, ...]
    idle: int
    currency: str | None

    def __len__(self) -> int:
        return len(self.series)

    @property
    def missing(self) -> int:
        """Days of the span that are neither measured nor idle."""
        return self.span - len(self) - self.idle

    @property
    def actual(self) -> Decimal:
        """Exact sum of the measured costs."""
        return total(self.costs)


def read_days(frame: pd.DataFrame, name: str, blackout: frozenset[date], *, needs_use: bool) -> Days:
    """The days of a frame.

    Args:
        frame: columns date, cost, driver; optionally price_per_token, tokens_per_driver, currency.
        name: of the period, for sentences.
        blackout: days to leave out.
        needs_use: whether a day whose driver is zero is left out.

    Raises:
        ValueError: a column is missing, a value is none, infinite or no number, a day comes twice or out of order, a
            driver is negative, or the currencies are mixed.
    """
    absent = [column for column in COLUMNS if column not in frame.columns]
    if absent:
        raise ValueError(f"The {name} frame has no column {', '.join(absent)}; it needs {', '.join(COLUMNS)}.")
    day = _day_numbers(frame["date"].tolist(), name)
    costs = frame["cost"].tolist()
    cost, driver = (_numbers(frame[column].tolist(), column, name) for column in ("cost", "driver"))
    if np.any(driver < 0):
        raise ValueError(f"The {name} frame has a negative driver on {day_of(int(day[driver < 0][0]))}.")
    dark = np.isin(day, np.array([(d - EPOCH).days for d in blackout], dtype=np.int64))
    idle = ~dark & (driver == 0) if needs_use else np.zeros(len(day), dtype=bool)
    kept = ~dark & ~idle
    return Days(
        series=Series(day[kept], cost[kept], driver[kept]),
        dates=tuple(day_of(number) for number in day[kept].tolist()),
        costs=tuple(_exact(value) for value, keep in zip(costs, kept.tolist(), strict=True) if keep),
        price=_optional(frame, "price_per_token", name, kept),
        tokens=_optional(frame, "tokens_per_driver", name, kept),
        span=int(day[-1] - day[0]) + 1 if len(day) else 0,
        left_out=tuple(day_of(number) for number in day[~kept].tolist()),
        idle=int(idle.sum()),
        currency=one_currency(frame["currency"].tolist() if "currency" in frame.columns else (), name),
    )


def one_currency(values: Iterable[object], name: str) -> str | None:
    """The only currency among values, None of none.

    Raises:
        ValueError: there are several, or one is no text.
    """
    found = set(values)
    if any(not isinstance(value, str) or not value for value in found):
        raise ValueError(f"{name} has a day without a currency.")
    if len(found) > 1:
        raise ValueError(
            f"{name} mixes {', '.join(sorted(map(str, found)))}; convert by a dated rate first, "
            "since amounts of different currencies have no sum."
        )
    return str(found.pop()) if found else None


def day_of(number: int) -> date:
    """The date of a day number."""
    return EPOCH + timedelta(days=number)


def _day_numbers(values: Sequence[Any], name: str) -> DayNumbers:
    result: list[int] = []
    for value in values:
        if not isinstance(value, date) or value != value:  # noqa: PLR0124 - NaT is a date and not itself
            raise ValueError(f"The {name} frame has a date that is none: {value!r}; parse dates first.")
        moment = getattr(value, "hour", 0), getattr(value, "minute", 0), getattr(value, "second", 0)
        if any(moment):
            raise ValueError(f"The {name} frame has {value}, which is not a whole day; sum it to days first.")
        result.append(date(value.year, value.month, value.day).toordinal() - EPOCH.toordinal())
    days = np.array(result, dtype=np.int64)
    steps = np.diff(days)
    if np.any(steps == 0):
        raise ValueError(f"The {name} frame has {day_of(int(days[1:][steps == 0][0]))} twice.")
    if np.any(steps < 0):
        raise ValueError(f"The {name} frame is out of order at {day_of(int(days[1:][steps < 0][0]))}; sort it by date.")
    return days


def _numbers(values: Sequence[Any], column: str, name: str) -> Array:
    try:
        numbers = np.array([float(value) for value in values], dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"The {name} frame has a {column} that is no number.") from None
    if not np.all(np.isfinite(numbers)):
        raise ValueError(
            f"The {name} frame has a {column} that is missing or infinite; leave the day out, an unknown is not zero."
        )
    return numbers


def _optional(frame: pd.DataFrame, column: str, name: str, kept: NDArray[np.bool_]) -> Array | None:
    if column not in frame.columns:
        return None
    unknown = frame[column].isna().tolist()
    try:
        numbers = np.array(
            [float("nan") if absent else float(v) for v, absent in zip(frame[column].tolist(), unknown, strict=True)],
            dtype=np.float64,
        )
    except (TypeError, ValueError):
        raise ValueError(f"The {name} frame has a {column} that is no number.") from None
    if np.any(numbers < 0):
        raise ValueError(f"The {name} frame has a negative {column}.")
    return numbers[kept]


def _exact(value: object) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value))
