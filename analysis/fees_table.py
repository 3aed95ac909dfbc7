"""The same prices over whole columns: customers times months at once, equal to `analysis.fees.price` to the last digit.

A column is an object array of exact decimals, and every node of the price is a few operations on whole arrays. Only the
lines that explain a fee are left out; `price` makes them for the one fee that somebody looks at.
"""

# NumPy types an array of objects as an array of anything.
# pyright: reportReturnType=false, reportArgumentType=false, reportCallIssue=false
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from analysis.fees import exactly, packages, rounded
from analysis.fees_nodes import (
    ONE,
    Annual,
    Cap,
    Credit,
    Discount,
    Expression,
    FeeError,
    Flat,
    Floor,
    Graduated,
    GreaterOf,
    LesserOf,
    MinimumCommitment,
    Node,
    Package,
    Percent,
    PerUnit,
    SavingsShare,
    Seats,
    Sum,
    Tier,
    Volume,
    at_least_zero,
    metrics_of,
)
from analysis.result import ZERO

Column = npt.NDArray[np.object_]
_packages: Final = np.frompyfunc(packages, 2, 1)


@dataclass(frozen=True, slots=True)
class Metered:
    """Metrics of many fees: one row for each, one column for each metric, everything of one currency.

    Attributes:
        columns: exact numbers by metric. Of a verified saving its lower bound, or None where there is none.
        currency: ISO 4217 code of the columns that are money.
        rows: how many fees.
    """

    columns: Mapping[str, Sequence[Decimal | int | None]]
    currency: str
    rows: int = field(init=False)

    def __post_init__(self) -> None:
        lengths = {len(column) for column in self.columns.values()}
        if len(lengths) != 1:
            raise FeeError("The columns of metrics are of different length, or there is none.")
        object.__setattr__(self, "rows", lengths.pop())


def prices(expression: Expression, metered: Metered) -> list[Decimal]:
    """The fee of every row, each rounded as `price` rounds it.

    Raises:
        FeeError: a column is missing, holds a negative number or no number, or is in another currency.
    """
    if metered.currency != expression.currency:
        raise FeeError(
            f"The metrics are in {metered.currency} and the price in {expression.currency}; convert them by a dated, "
            "named rate first."
        )
    with exactly():
        columns = {name: _column(metered, name, expression.node) for name in metrics_of(expression.node)}
        exact = np.broadcast_to(_value(expression.node, columns), (metered.rows,))
    return [rounded(amount, expression) for amount in exact.tolist()]


def _column(metered: Metered, name: str, node: Node) -> Column:
    given = metered.columns.get(name)
    saving = name in _savings(node)
    if given is None:
        raise FeeError(f"This price needs {name}, which is not given.")
    numbers = [ZERO if value is None and saving else value for value in given]
    if any(value is None for value in numbers):
        raise FeeError(f"{name} is missing in row {numbers.index(None) + 1}.")
    column = np.array([Decimal(value) for value in numbers if value is not None], dtype=object)
    for number, value in enumerate(column.tolist(), 1):
        at_least_zero(abs(value) if saving else value, f"{name} of row {number}")
    return column


def _savings(node: Node) -> set[str]:
    """The metrics that are verified savings, which may be absent or below zero."""
    match node:
        case SavingsShare():
            return {node.metric}
        case LesserOf() | GreaterOf() | Sum():
            return {name for each in node.of for name in _savings(each)}
        case Cap() | Floor() | MinimumCommitment() | Discount() | Credit():
            return _savings(node.of)
        case _:
            return set()


def _value(node: Node, columns: Mapping[str, Column]) -> Any:  # noqa: ANN401 - one decimal, or a column of them
    match node:
        case Flat():
            return node.amount
        case Annual():
            return node.amount * node.months * (ONE - node.discount)
        case LesserOf() | GreaterOf() | Sum():
            return _combined(node, [_value(each, columns) for each in node.of])
        case Cap():
            return np.minimum(_value(node.of, columns), node.amount)
        case Floor() | MinimumCommitment():
            return np.maximum(_value(node.of, columns), node.amount)
        case Discount():
            return _discounted(node, _value(node.of, columns), columns)
        case Credit():
            due = _value(node.of, columns)
            return due - np.minimum(due, columns[node.metric])
        case _:
            return _metered(node, columns[node.metric])


def _combined(node: LesserOf | GreaterOf | Sum, values: list[Any]) -> Any:  # noqa: ANN401
    result = values[0]
    for value in values[1:]:
        if isinstance(node, Sum):
            result = result + value
        else:
            result = np.minimum(result, value) if isinstance(node, LesserOf) else np.maximum(result, value)
    return result


def _discounted(node: Discount, due: Any, columns: Mapping[str, Column]) -> Any:  # noqa: ANN401
    off = due * node.rate if node.rate is not None else np.minimum(due, node.amount)
    return due - off if node.periods is None else np.where(columns["period"] <= node.periods, due - off, due)


def _metered(node: PerUnit | Seats | Percent | Graduated | Volume | Package | SavingsShare, used: Column) -> Column:
    match node:
        case PerUnit():
            return np.maximum(_within(used, node.maximum, node.metric) - node.included, ZERO) * node.amount
        case Seats():
            return np.maximum(_within(used, node.maximum, node.metric), node.minimum) * node.amount
        case Percent():
            return np.maximum(used - node.free, ZERO) * node.rate
        case Graduated():
            return _graduated(node.tiers, used)
        case Volume():
            rate = np.full(used.shape, node.tiers[-1].rate, dtype=object)
            for tier in reversed(node.tiers[:-1]):
                rate = np.where(used <= tier.up_to, tier.rate, rate)
            return used * rate
        case Package():
            return _packages(used, node.size) * node.amount
        case SavingsShare():
            return np.maximum(used - node.deductible, ZERO) * node.rate


def _graduated(tiers: Sequence[Tier], used: Column) -> Column:
    result, start = np.full(used.shape, ZERO, dtype=object), ZERO
    for tier in tiers:
        end = used if tier.up_to is None else np.minimum(used, tier.up_to)
        result = result + np.maximum(end - start, ZERO) * tier.rate
        start = tier.up_to if tier.up_to is not None else start
    return result


def _within(used: Column, maximum: Decimal | None, metric: str) -> Column:
    if maximum is not None and (used > maximum).any():
        raise FeeError(
            f"This plan allows at most {maximum} {metric}; row {int(np.argmax(used > maximum)) + 1} has more."
        )
    return used
