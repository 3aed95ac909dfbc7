"""The days of the sample, and noise that is the same on every machine."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

Series = NDArray[np.float64]

START: Final = date(2025, 10, 1)
END: Final = date(2026, 11, 1)
DAYS: Final = tuple(START + timedelta(days=n) for n in range((END - START).days))
MONTHS: Final = tuple(dict.fromkeys(day.strftime("%Y-%m") for day in DAYS))

#: Days of less work, as a share of an ordinary one.
_QUIET: Final = (
    (date(2025, 11, 27), date(2025, 11, 28), 0.85),
    (date(2025, 12, 24), date(2026, 1, 1), 0.70),
    (date(2026, 7, 3), date(2026, 7, 3), 0.88),
)


def first_of_next(day: date) -> date:
    """First day of the month after that of `day`."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def month_days(month: str) -> tuple[date, ...]:
    """The days of a month written `YYYY-MM`."""
    return tuple(day for day in DAYS if day.strftime("%Y-%m") == month)


def normals(seed: int, name: str, count: int = len(DAYS)) -> Series:
    """`count` draws that are normal to a good approximation (mean 0, variance 1), for one named quantity.

    Each is the sum of twelve uniform 24-bit integers, so that only exact operations are used: the same seed
    gives the same bits on every processor and with every version of numpy.
    """
    entropy = [seed, *name.encode()]
    raw = np.random.PCG64(np.random.SeedSequence(entropy)).random_raw(count * 12) >> np.uint64(40)
    sums = raw.reshape(count, 12).sum(axis=1).astype(np.float64)
    return sums / 2.0**24 - 6.0


def remembering(draws: Series, memory: float) -> Series:
    """First-order autoregression over `draws`, with the variance kept at that of `draws`."""
    fresh = (1.0 - memory * memory) ** 0.5
    result = draws.copy()
    for at in range(1, len(draws)):
        result[at] = memory * result[at - 1] + fresh * draws[at]
    return result


def growth(daily: float) -> Series:
    """1 on the first day, and `daily` times the day before on each other."""
    factors = np.full(len(DAYS), daily)
    factors[0] = 1.0
    return np.multiply.accumulate(factors)


def week(saturday: float, sunday: float) -> Series:
    """The weekly and holiday pattern: 1 on a working day."""
    shape = (1.0, 1.03, 1.04, 1.02, 0.97, saturday, sunday)
    pattern = np.array([shape[day.weekday()] for day in DAYS])
    for first, last, share in _QUIET:
        pattern[(first - START).days : (last - START).days + 1] *= share
    return pattern
