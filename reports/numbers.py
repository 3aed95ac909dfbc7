"""How figures are written, decided once: money, unit prices, tokens, shares, days. No figure is a dash, not a zero."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final

from analysis.result import quotient
from analysis.written import MINUS, NONE, in_currency, money

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
    "whole",
]

_WIDE: Final = Context(prec=80, rounding=ROUND_HALF_EVEN)
_UNIT_DIGITS: Final = 6
_SCALES: Final = ((Decimal(10) ** 12, "T"), (Decimal(10) ** 9, "B"), (Decimal(10) ** 6, "M"), (Decimal(10) ** 3, "k"))


def whole(amount: Decimal, currency: str) -> str:
    """An estimated amount in whole units, since it is not known to the cent: `$1,235`."""
    return money(_WIDE.quantize(amount, Decimal(1)), currency).removesuffix(".00")


def unit_price(amount: Decimal | None, currency: str) -> str:
    """A price of a unit: two digits, and up to six significant ones where two would not tell: `$0.30`, `$3.07803`."""
    if amount is None:
        return NONE
    digits = max(2, _UNIT_DIGITS - 1 - (amount.adjusted() if amount else 0))
    rounded = _WIDE.quantize(amount, Decimal(1).scaleb(-digits))
    whole, _, fraction = f"{abs(rounded):,.{digits}f}".partition(".")
    return in_currency(rounded, f"{whole}.{fraction.rstrip('0').ljust(2, '0')}", currency)


def tokens(count: Decimal | int | None) -> str:
    """A number of tokens in short: `950`, `1.20M`, `19.8B`."""
    return NONE if count is None else compact(Decimal(count))


def compact(amount: Decimal) -> str:
    """Three significant digits with k, M, B or T from a thousand on."""
    # To three digits first: 999,999 is 1.00M, not 1000k.
    short = Context(prec=3, rounding=ROUND_HALF_EVEN).plus(amount)
    for scale, letter in _SCALES:
        if abs(short) >= scale:
            part = _WIDE.divide(short, scale)
            return f"{MINUS if amount < 0 else ''}{abs(part):.{max(0, 2 - part.adjusted())}f}{letter}"
    return f"{_WIDE.quantize(amount, Decimal(1)):f}".replace("-", MINUS)


def count(number: int | None) -> str:
    """A count in full, with thousands apart: `17,549`."""
    return NONE if number is None else f"{number:,}"


def some(number: int, noun: str) -> str:
    """A number of things: `1 note`, `2 notes`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def percent(share: Decimal | None, *, sign: bool = False) -> str:
    """A share of one as a percentage with one digit: `12.3%`; `+3.2%` with its sign."""
    if share is None:
        return NONE
    value = _WIDE.quantize(share * 100, Decimal("0.1"))
    lead = MINUS if value < 0 else "+" if sign and value > 0 else ""
    return f"{lead}{abs(value):,.1f}%"


def points(share: Decimal | None) -> Decimal | None:
    """A share of one in hundredths, as a column of percentages holds it."""
    return None if share is None else share * 100


def change(now: Decimal | None, before: Decimal | None) -> Decimal | None:
    """Change from `before` to `now` as a share of it; None where either is unknown or `before` is not positive."""
    if now is None or before is None or before <= 0:
        return None
    return quotient(now - before, before)


def day(moment: date) -> str:
    """A day as `1 Oct 2026`, which nobody reads the other way round."""
    return f"{moment.day} {moment:%b %Y}"


def days(first: date, last: date) -> str:
    """A span of days, both included: `1 Aug to 31 Oct 2026`."""
    if first == last:
        return day(first)
    start = f"{first.day} {first:%b}" if first.year == last.year else day(first)
    return f"{start} to {day(last)}"
