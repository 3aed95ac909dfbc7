"""A price in TOML, read into the closed set of `analysis.fees_nodes`; whatever is not understood is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from analysis.fees_nodes import (
    Annual,
    Cap,
    Credit,
    Discount,
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
)
from analysis.result import ZERO

#: Kinds of a price and what each takes; a name with `?` may be left out.
KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "flat": ("amount", "name?"),
    "per_unit": ("metric", "amount", "name?", "maximum?"),
    "overage": ("metric", "amount", "included", "name?"),
    "add_on": ("metric", "amount", "name", "maximum?"),
    "seats": ("metric", "amount", "minimum?", "maximum?"),
    "percent": ("metric", "rate", "free?"),
    "graduated": ("metric", "tiers"),
    "volume": ("metric", "tiers"),
    "package": ("metric", "size", "amount"),
    "savings_share": ("metric", "rate", "deductible?"),
    "annual": ("amount", "discount", "months?"),
    "lesser_of": ("of",),
    "greater_of": ("of",),
    "sum": ("of",),
    "cap": ("of", "amount"),
    "floor": ("of", "amount"),
    "minimum_commitment": ("of", "amount"),
    "discount": ("of", "rate?", "amount?", "periods?", "name?"),
    "credit": ("of", "metric"),
}


def node(table: Any, where: str) -> Node:  # noqa: ANN401 - whatever the file holds
    """The price that a table states.

    Args:
        table: of the file; its `kind` says which price it is, amounts and rates are decimals as text.
        where: place in the file, for messages.

    Raises:
        FeeError: the kind is unknown, a figure is missing, superfluous or no decimal in quotation marks.
    """
    if not isinstance(table, Mapping) or table.get("kind") not in KINDS:
        kind = table.get("kind") if isinstance(table, Mapping) else table
        raise FeeError(f"{where}: {kind!r} is no kind of price; known are {', '.join(KINDS)}.")
    kind = str(table["kind"])
    names = {name.rstrip("?") for name in KINDS[kind]}
    if unknown := sorted(set(table) - names - {"kind"}):
        raise FeeError(f"{where}: {kind} does not know {', '.join(unknown)}; it takes {', '.join(sorted(names))}.")
    if missing := [name for name in KINDS[kind] if not name.endswith("?") and name not in table]:
        raise FeeError(f"{where}: {kind} needs {', '.join(missing)}.")
    return _inner(kind, table, where) if "of" in names else _leaf(kind, table, where)


def _leaf(kind: str, table: Mapping[str, Any], where: str) -> Node:
    metric, name = str(table.get("metric", "")), str(table.get("name", ""))

    def figure(key: str) -> Decimal:
        return decimal(table.get(key, "0"), f"{where}.{key}")

    maximum = figure("maximum") if "maximum" in table else None
    match kind:
        case "flat":
            return Flat(figure("amount"), name) if name else Flat(figure("amount"))
        case "per_unit" | "overage" | "add_on":
            return PerUnit(metric, figure("amount"), figure("included"), maximum, name)
        case "seats":
            return Seats(metric, figure("amount"), figure("minimum"), maximum)
        case "percent":
            return Percent(metric, figure("rate"), figure("free"))
        case "graduated":
            return Graduated(metric, _tiers(table["tiers"], where))
        case "volume":
            return Volume(metric, _tiers(table["tiers"], where))
        case "package":
            return Package(metric, figure("size"), figure("amount"))
        case "savings_share":
            return SavingsShare(metric, figure("rate"), figure("deductible"))
        case _:
            months = figure("months") if "months" in table else Decimal(12)
            return Annual(figure("amount"), figure("discount"), months)


def _inner(kind: str, table: Mapping[str, Any], where: str) -> Node:
    if kind in {"lesser_of", "greater_of", "sum"}:
        if not isinstance(table["of"], Sequence) or isinstance(table["of"], str):
            raise FeeError(f"{where}: {kind} takes a list of prices.")
        several = tuple(node(each, f"{where}.of[{n}]") for n, each in enumerate(table["of"]))
        return {"lesser_of": LesserOf, "greater_of": GreaterOf, "sum": Sum}[kind](several)
    of = node(table["of"], f"{where}.of")
    amount = decimal(table["amount"], f"{where}.amount") if "amount" in table else None
    match kind:
        case "cap":
            return Cap(of, amount or ZERO)
        case "floor":
            return Floor(of, amount or ZERO)
        case "minimum_commitment":
            return MinimumCommitment(of, amount or ZERO)
        case "discount":
            rate = decimal(table["rate"], f"{where}.rate") if "rate" in table else None
            periods = table.get("periods")
            if periods is not None and not isinstance(periods, int):
                raise FeeError(f"{where}: periods is a whole number.")
            return Discount(of, rate, amount, periods, str(table.get("name", "Discount")))
        case _:
            return Credit(of, str(table["metric"]))


def _tiers(rows: Any, where: str) -> tuple[Tier, ...]:  # noqa: ANN401 - whatever the file holds
    if not isinstance(rows, list) or not all(
        isinstance(row, Mapping) and set(row) <= {"up_to", "rate"} for row in rows
    ):
        raise FeeError(f"{where}: tiers are tables of up_to and rate; the last has no up_to.")
    return tuple(
        Tier(
            decimal(row["up_to"], f"{where}.up_to") if "up_to" in row else None,
            decimal(row.get("rate"), f"{where}.rate"),
        )
        for row in rows
    )


def decimal(value: Any, where: str) -> Decimal:  # noqa: ANN401 - whatever the file holds
    """A decimal that stands as text, or a whole number; a binary fraction is refused, since it has lost its digits.

    Raises:
        FeeError: it is neither.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if not isinstance(value, str):
        raise FeeError(f'{where}: write the number in quotation marks ("{value}"), so that no digit is lost.')
    try:
        return Decimal(value)
    except InvalidOperation as error:
        raise FeeError(f"{where}: {value!r} is no decimal number.") from error
