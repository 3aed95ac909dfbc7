"""How long an amount lasts: credits or a budget against a forecast, as a day and the days it may be instead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from math import ceil
from typing import Any

from analysis.forecast import EVIDENCE, Figure, Forecast
from analysis.result import ZERO, plain


@dataclass(frozen=True, slots=True)
class Runway:
    """The day on which an amount is used up.

    Attributes:
        amount: what is left on the evening of the last known day, in `currency`.
        expected: the day by the forecast; None where it lasts longer than was forecast.
        earliest, latest: the same at the upper and the lower end of the band; None likewise.
        until: the last day that was forecast.
        promised: nominal coverage of the band; None where it is a range of too few windows, or there is none.
        banded: whether there is a band at all.
    """

    amount: Decimal
    currency: str
    expected: date | None
    earliest: date | None
    latest: date | None
    until: date
    promised: float | None
    banded: bool

    def record(self) -> dict[str, Any]:
        """The runway as JSON carries it."""
        return {
            "evidence": EVIDENCE,
            "left": plain(self.amount),
            "currency": self.currency,
            "used_up_on": _day(self.expected),
            "earliest": _day(self.earliest),
            "latest": _day(self.latest),
            "forecast_until": self.until.isoformat(),
            "promised": self.promised,
        }


def runway(forecast: Forecast, amount: Decimal) -> Runway:
    """The day on which the cumulated forecast reaches an amount.

    The sum up to a day exceeds the amount exactly when the amount is used up by then, so that the ends of the bands of
    the sums are ends of the band of the day. Between two weeks the sums are taken as straight.

    Args:
        forecast: of spend in the amount's currency.
        amount: what is left on the evening of the last known day.

    Raises:
        ValueError: nothing is left.
    """
    if amount <= ZERO:
        raise ValueError(f"Nothing is left of it on {forecast.history[1]}: it is used up.")
    banded = forecast.total.low is not None
    return Runway(
        amount=amount,
        currency=forecast.currency,
        expected=_reached(forecast, amount, lambda figure: figure.amount),
        earliest=_reached(forecast, amount, lambda figure: figure.high),
        latest=_reached(forecast, amount, lambda figure: figure.low),
        until=forecast.total.last,
        promised=forecast.total.promised,
        banded=banded,
    )


def _reached(forecast: Forecast, amount: Decimal, at: Callable[[Figure], Decimal | None]) -> date | None:
    before, day = ZERO, forecast.history[1]
    for figure in forecast.sums:
        # The ends of bands of longer sums may be lower by chance; what was reached stays reached.
        value = max(at(figure) or ZERO, before)
        if value >= amount:
            days = (figure.last - day).days
            share = (amount - before) / (value - before) if value > before else Decimal(1)
            return day + timedelta(days=max(1, min(days, ceil(share * days))))
        before, day = value, figure.last
    return None


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
