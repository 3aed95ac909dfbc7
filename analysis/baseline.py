"""The baseline: what a scope cost for each unit of its driver, frozen before a change is judged against it.

Whether the days can carry a claim is told beforehand: `warnings` and `disqualifications` as values (the smallest saving
that they could show is `analysis.savings_planning.detectable_saving`). A disqualified baseline verifies nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from analysis.result import ZERO, plain, quotient
from analysis.savings_gates import LEAST_BASELINE

if TYPE_CHECKING:
    import pandas as pd

    from analysis.constant_prices import CostDay

#: Share of days that may be missing (CalTRACK 2.2.1.2).
MOST_MISSING: Final = Decimal("0.10")
#: Days after which a season has been seen.
YEAR: Final = 365


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about the data that weakens or forbids a claim.

    Attributes:
        name: a stable identifier.
        sentence: for a person, with the next step where there is one.
        data: the figures behind it, as text.
    """

    name: str
    sentence: str
    data: Mapping[str, str]

    def record(self) -> dict[str, Any]:
        """As JSON carries it."""
        return {"name": self.name, "sentence": self.sentence, "data": dict(self.data)}


@dataclass(frozen=True, slots=True)
class DayRow:
    """One day that can be measured.

    Attributes:
        date: UTC.
        cost: at constant prices (money).
        as_billed: at the prices of the day (money).
        driver: in units, above zero.
        price_per_token: cost of one token; None where the tokens of the day are not known.
        tokens_per_driver: tokens for one unit of the driver; None where they are not known.
    """

    date: date
    cost: Decimal
    as_billed: Decimal
    driver: Decimal
    price_per_token: Decimal | None
    tokens_per_driver: Decimal | None


@dataclass(frozen=True, slots=True)
class Series:
    """The days of one period that can be measured, and those that cannot.

    Attributes:
        first: first day of the period.
        last: its last day.
        days: those with cost and driver, in order.
        missing: those without.
        left_out: black-out days, taken out on purpose.
    """

    first: date
    last: date
    days: tuple[DayRow, ...]
    missing: tuple[date, ...]
    left_out: tuple[date, ...]

    @property
    def length(self) -> int:
        """Days of the period, without those left out."""
        return (self.last - self.first).days + 1 - len(self.left_out)

    def frame(self) -> pd.DataFrame:
        """`date, cost, driver, price_per_token, tokens_per_driver`, exact; None where tokens are not known."""
        import pandas as pd  # noqa: PLC0415 - only what is measured needs it

        columns = {
            name: [getattr(day, name) for day in self.days]
            for name in ("date", "cost", "driver", "price_per_token", "tokens_per_driver")
        }
        return pd.DataFrame(columns, dtype=object)


def series(
    first: date,
    last: date,
    costs: Iterable[CostDay],
    driver: Mapping[date, Decimal],
    *,
    left_out: Iterable[date] = (),
) -> Series:
    """The days from `first` to `last` (both included) that have cost and driver.

    Args:
        first: first day.
        last: last day.
        costs: days at constant prices; others than these are missing, since no charge is not the same as none owed.
        driver: by day, above zero.
        left_out: days that are not to be measured.
    """
    out = {day for day in left_out if first <= day <= last}
    known = {day.date: day for day in costs}
    wanted = [day for n in range((last - first).days + 1) if (day := first + timedelta(days=n)) not in out]
    rows = [_row(known[day], driver[day]) for day in wanted if day in known and day in driver]
    have = {row.date for row in rows}
    return Series(first, last, tuple(rows), tuple(day for day in wanted if day not in have), tuple(sorted(out)))


def _row(day: CostDay, driver: Decimal) -> DayRow:
    known = day.tokens > ZERO
    return DayRow(
        date=day.date,
        cost=day.cost,
        as_billed=day.as_billed,
        driver=driver,
        price_per_token=quotient(day.token_cost, day.tokens) if known else None,
        tokens_per_driver=quotient(day.tokens, driver) if known else None,
    )


@dataclass(frozen=True, slots=True)
class Sufficiency:
    """Whether days can carry a claim; a claim needs `disqualifications` to be empty."""

    warnings: tuple[Finding, ...]
    disqualifications: tuple[Finding, ...]


def sufficiency(baseline: Series, warnings: Iterable[str] = ()) -> Sufficiency:
    """Judge the days of a baseline.

    Args:
        baseline: the days.
        warnings: sentences about costs and driver, which become warnings.
    """
    found = [Finding("data", sentence, {}) for sentence in dict.fromkeys(warnings)]
    count, length = len(baseline.days), baseline.length
    bad = list[Finding]()
    if not count:
        bad.append(Finding("nothing", "No day of the period has both a cost and a driver.", {}))
        return Sufficiency(tuple(found), tuple(bad))
    if count < LEAST_BASELINE:
        sentence = f"The baseline has {count} measurable days and needs at least {LEAST_BASELINE}; begin it earlier."
        bad.append(Finding("too_short", sentence, {"days": str(count), "least": str(LEAST_BASELINE)}))
    elif count < YEAR:
        sentence = (
            f"The baseline has {count} days; a season of the year that it has not seen cannot be told from a saving."
        )
        found.append(Finding("no_full_year", sentence, {"days": str(count)}))
    lost = quotient(Decimal(len(baseline.missing)), Decimal(max(length, 1)))
    if lost > MOST_MISSING:
        sentence = (
            f"{len(baseline.missing)} of {length} days lack a cost or a driver ({lost:.0%}; at most {MOST_MISSING:.0%} "
            "may): load the missing bills or drivers."
        )
        bad.append(Finding("days_missing", sentence, {"missing": str(len(baseline.missing)), "days": str(length)}))
    elif baseline.missing:
        sentence = f"{len(baseline.missing)} of {length} days lack a cost or a driver and are not measured."
        found.append(Finding("some_days_missing", sentence, {"missing": str(len(baseline.missing))}))
    if any(day.cost <= ZERO for day in baseline.days):
        sentence = "Some days cost nothing or less; what is measured is cost for each unit of the driver."
        found.append(Finding("days_without_cost", sentence, {}))
    if any(day.price_per_token is None for day in baseline.days):
        sentence = "Not every day knows its tokens, so that a drift towards other models cannot be told from a saving."
        found.append(Finding("tokens_unknown", sentence, {}))
    return Sufficiency(tuple(found), tuple(bad))


def series_record(days: Iterable[DayRow]) -> list[dict[str, str | None]]:
    """Days as JSON carries them: ISO dates and decimal strings."""
    return [
        {
            "date": day.date.isoformat(),
            "cost": plain(day.cost),
            "as_billed": plain(day.as_billed),
            "driver": plain(day.driver),
            "price_per_token": plain(day.price_per_token),
            "tokens_per_driver": plain(day.tokens_per_driver),
        }
        for day in days
    ]
