"""From an expression to exact figures: fetching, and the few quotients that no engine may take.

DuckDB divides decimals as DOUBLE and Spark rounds them in silence, so money is summed in the engine and
divided here, from exact sums.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, cast

from analysis.period import CALENDAR

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

ZERO: Final = Decimal(0)
#: The named rounding rule of quotients: twelve fraction digits, half to even.
QUOTIENT: Final = Decimal("1e-12")
MILLION: Final = Decimal(1_000_000)
#: Wide enough that a sum of DECIMAL(38,18) is exact, and a quotient of two is rounded once only.
_WIDE: Final = Context(prec=160, rounding=ROUND_HALF_EVEN)

Value = str | date | None
#: Values of one row's dimensions, by the name they were asked for.
Dimensions = Mapping[str, Value]


class Metric(StrEnum):
    """Which cost a figure is about: FOCUS BilledCost, EffectiveCost or ListCost."""

    BILLED = "billed"
    EFFECTIVE = "effective"
    LIST = "list"


def arrow(expression: ir.Table) -> pa.Table:
    """The rows of an expression as an Arrow table; nothing passes through floating point."""
    backend: Any = expression.get_backend()
    if backend.name == "pyspark":
        # Ibis's own way from Spark leads through pandas, where a whole number beside a NULL becomes a float.
        return backend.raw_sql(backend.compile(expression)).toArrow()
    return expression.to_pyarrow()


def fetch(expression: ir.Table) -> list[dict[str, Any]]:
    """The rows of an expression, decimals as exact `Decimal`; nothing passes through floating point."""
    return arrow(expression).to_pylist()


def summed(table: ir.Table, column: str) -> ir.NumericScalar:
    """The engine's own sum of a column, in the column's type; NULL where no row has a value."""
    return cast("ir.NumericColumn", table[column]).sum()


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Exact sum; Python's own context would round at 28 digits."""
    result = ZERO
    for amount in amounts:
        result = _WIDE.add(result, amount)
    return result


def known_total(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """Exact sum of the amounts that are known; None where none is."""
    known = [amount for amount in amounts if amount is not None]
    return total(known) if known else None


def quotient(numerator: Decimal, denominator: Decimal) -> Decimal:
    """`numerator / denominator`, rounded to `QUOTIENT`.

    Raises:
        ZeroDivisionError: the denominator is zero (`decimal.DivisionByZero`).
    """
    return _WIDE.quantize(_WIDE.divide(numerator, denominator), QUOTIENT)


def per_million(cost: Decimal, tokens: Decimal) -> Decimal:
    """Cost of one million tokens, in the currency of `cost`; `tokens` are single tokens, not zero."""
    return quotient(_WIDE.multiply(cost, MILLION), tokens)


def share(part: Decimal, whole: Decimal) -> Decimal | None:
    """`part` of `whole` between 0 and 1; None where the two do not make a share (no whole, or mixed signs)."""
    if whole == ZERO:
        return None
    result = quotient(part, whole)
    return result if ZERO <= result <= 1 else None


def plain(amount: Decimal | None) -> str | None:
    """All digits of an amount without exponent or trailing zeros (`4.35`), as JSON carries it."""
    if amount is None:
        return None
    text = format(amount, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in {"-0", ""} else text


def order(dimensions: Dimensions, amount: Decimal | None) -> tuple[Any, ...]:
    """Sort key of a row: through time, the largest amount first, then by name; the unknown comes last."""
    time = tuple(str(dimensions[name]) for name in dimensions if name in CALENDAR)
    names = tuple((value is None, str(value)) for value in dimensions.values())
    return time, amount is None, ZERO if amount is None else -amount, names
