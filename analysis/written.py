"""How money stands in a sentence: one format for results here and for everything that is written of them later."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final

#: What stands where there is no figure.
NONE: Final = "—"
MINUS: Final = "\u2212"

#: Signs that name one currency only; a bare sign for any other would be a guess (CAD, AUD).
_SIGNS: Final = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹"}
_WIDE: Final = Context(prec=80, rounding=ROUND_HALF_EVEN)
_CENT: Final = Decimal("0.01")


def money(amount: Decimal | None, currency: str | None) -> str:
    """A total with two digits, half to even: `$1,234.56`, `CAD 1,234.56`; `1,234.56` where no currency is named."""
    if amount is None:
        return NONE
    cents = _WIDE.quantize(amount, _CENT)
    return in_currency(cents, f"{abs(cents):,.2f}", currency)


def in_currency(amount: Decimal, digits: str, currency: str | None) -> str:
    """Digits that were written already, with the sign of their amount and of their currency."""
    lead = MINUS if amount < 0 else ""
    sign = _SIGNS.get(currency or "")
    return f"{lead}{sign}{digits}" if sign else f"{lead}{currency} {digits}" if currency else f"{lead}{digits}"
