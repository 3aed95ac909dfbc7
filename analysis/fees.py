"""What a price comes to: one function, exact decimals, and the lines that explain the amount.

Nothing is rounded on the way. The sum is rounded once, at the end, by the rule that the expression names, to the minor
unit of its currency; what that changes stands in a line of its own, so that the counted lines always add up to the fee.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, Context, Decimal, Inexact, InvalidOperation, localcontext
from functools import cache
from typing import Any, Final

from analysis import written
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
    Rounding,
    SavingsShare,
    Seats,
    Sum,
    Tier,
    Volume,
    at_least_zero,
    currency_code,
)
from analysis.result import ZERO, plain, total

#: Exact or refused: no product or sum of a fee may lose a digit.
EXACT: Final = Context(prec=160, traps=[Inexact, InvalidOperation])
_MODES: Final = {Rounding.HALF_UP: ROUND_HALF_UP, Rounding.DOWN: ROUND_DOWN}
_HUNDRED: Final = Decimal(100)
#: Kinds of evidence on which a share of a saving may be charged: re-priced, randomised, modelled with gates.
BILLABLE: Final = ("T1", "T2", "T3")


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in an ISO 4217 currency."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        currency_code(self.currency)


@dataclass(frozen=True, slots=True)
class VerifiedSaving:
    """A saving that a proof holds up.

    Attributes:
        lower: lower bound of its interval; the only figure of it that is ever charged on. May be negative.
        evidence: tier of evidence: T1, T2 or T3. T4 (a projection) is no saving and is refused.
        proof: identity of the signed proof.
    """

    lower: Money
    evidence: str
    proof: str

    def __post_init__(self) -> None:
        if self.evidence not in BILLABLE:
            raise FeeError(
                f"Evidence {self.evidence!r} carries no fee; a share of a saving is charged on T1, T2 or T3 alone."
            )
        if not self.proof:
            raise FeeError("A fee on a saving names the signed proof of it; this one names none.")


Metrics = Mapping[str, Decimal | int | Money | VerifiedSaving]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a fee.

    Attributes:
        text: what it is.
        amount: exact, in the currency of the fee.
        counted: whether it is part of the fee; a line that is not shows what was not charged.
    """

    text: str
    amount: Decimal
    counted: bool = True

    def record(self) -> dict[str, Any]:
        """The line as JSON carries it."""
        return {"text": self.text, "amount": plain(self.amount), "counted": self.counted}


@dataclass(frozen=True, slots=True)
class Fee:
    """An amount with the minor unit's digits, its currency, and the lines whose counted ones add up to it."""

    amount: Decimal
    currency: str
    lines: tuple[Line, ...]

    def record(self) -> dict[str, Any]:
        """The fee as JSON carries it; the amount keeps the digits of the currency (`80.00`)."""
        return {
            "amount": f"{self.amount:f}",
            "currency": self.currency,
            "lines": [line.record() for line in self.lines],
        }


def price(expression: Expression, metrics: Metrics) -> Fee:
    """What a price comes to for the metrics of one period.

    Args:
        expression: the price.
        metrics: by name: `Money`, a `VerifiedSaving`, or a count. `period` is the number of the period since the
            subscription began, the first being 1.

    Raises:
        FeeError: a metric is missing, negative, of another currency, or above what the plan allows.
    """
    with exactly():
        lines = _lines(expression.node, metrics, expression.currency)
        exact = _sum(lines)
    amount = rounded(exact, expression)
    if amount != exact:
        rest = total((amount, -exact))
        text = f"Rounded {expression.rounding} to {minor_unit(expression.currency):f} {expression.currency}"
        lines = [*lines, Line(text, rest)]
    return Fee(amount, expression.currency, tuple(lines))


@contextmanager
def exactly() -> Generator[None]:
    """Arithmetic that loses no digit.

    Raises:
        FeeError: some figure has so many digits that one would be lost.
    """
    try:
        with localcontext(EXACT):
            yield
    except Inexact as error:
        raise FeeError("A figure has more digits than a fee can be exact about; give it with fewer.") from error


def true_up(charged: Fee, final: Fee) -> Fee:
    """What remains to be charged (or, below zero, credited) once a provisional fee has become final.

    Raises:
        FeeError: the two are in different currencies.
    """
    if charged.currency != final.currency:
        raise FeeError(f"A fee in {charged.currency} cannot be trued up to one in {final.currency}.")
    lines = (Line("Final fee", final.amount), Line("Less what was charged provisionally", -charged.amount))
    return Fee(final.amount - charged.amount, final.currency, lines)


def rounded(exact: Decimal, expression: Expression) -> Decimal:
    """An exact amount under the expression's rounding rule, in the minor unit of its currency."""
    return exact.quantize(minor_unit(expression.currency), _MODES[expression.rounding], _WIDE)


@cache
def minor_unit(currency: str) -> Decimal:
    """The smallest amount of a currency: 0.01 of USD, 1 of JPY, 0.001 of KWD."""
    from babel.numbers import get_currency_precision  # noqa: PLC0415 - a tenth of a second that only a fee needs

    return Decimal(1).scaleb(-get_currency_precision(currency))


_WIDE: Final = Context(prec=160)


def _sum(lines: Sequence[Line]) -> Decimal:
    return sum((line.amount for line in lines if line.counted), ZERO)


def _lines(node: Node, metrics: Metrics, currency: str) -> list[Line]:
    """The lines of a node; its value is the sum of those that count."""
    match node:
        case Flat():
            return [Line(node.name, node.amount)]
        case Annual():
            whole = node.amount * node.months
            off = f"Paid for {plain(node.months)} months at once: {_percent(node.discount)} off"
            return [
                Line(f"{plain(node.months)} months at {plain(node.amount)} {currency}", whole),
                Line(off, -whole * node.discount),
            ]
        case LesserOf() | GreaterOf():
            return _chosen(node, metrics, currency)
        case Sum():
            return [line for each in node.of for line in _lines(each, metrics, currency)]
        case Cap() | Floor() | MinimumCommitment() | Discount() | Credit():
            return _adjusted(node, metrics, currency)
        case _:
            return _metered(node, metrics, currency)


def _chosen(node: LesserOf | GreaterOf, metrics: Metrics, currency: str) -> list[Line]:
    every = [_lines(each, metrics, currency) for each in node.of]
    sums = [_sum(lines) for lines in every]
    place = sums.index(min(sums) if isinstance(node, LesserOf) else max(sums))
    others = [
        Line(f"Not charged: {_named(lines)}", amount, counted=False)
        for number, (lines, amount) in enumerate(zip(every, sums, strict=True))
        if number != place
    ]
    return [*every[place], *others]


def _named(lines: Sequence[Line]) -> str:
    return "; ".join(line.text for line in lines if line.counted) or "nothing"


def _adjusted(node: Cap | Floor | MinimumCommitment | Discount | Credit, metrics: Metrics, currency: str) -> list[Line]:
    lines = _lines(node.of, metrics, currency)
    amount = _sum(lines)
    match node:
        case Cap():
            over = max(amount - node.amount, ZERO)
            return [*lines, Line(f"Never more than {plain(node.amount)} {currency}", -over)] if over else lines
        case Floor():
            under = max(node.amount - amount, ZERO)
            return [*lines, Line(f"Never less than {plain(node.amount)} {currency}", under)] if under else lines
        case MinimumCommitment():
            under = max(node.amount - amount, ZERO)
            text = f"True-up to the commitment of {plain(node.amount)} {currency}"
            return [*lines, Line(text, under)] if under else lines
        case Discount():
            if node.periods is not None and count(metrics, "period") > node.periods:
                return lines
            off = amount * node.rate if node.rate is not None else min(node.amount or ZERO, amount)
            return [*lines, Line(_discounted(node), -off)]
        case Credit():
            drawn = min(money(metrics, node.metric, currency), amount)
            return [*lines, Line(f"Paid from {_words(node.metric)}", -drawn)] if drawn else lines


def _discounted(node: Discount) -> str:
    size = "" if node.rate is None else f" {_percent(node.rate)}"
    span = {None: "", 1: ", once"}.get(node.periods, f", first {node.periods} periods")
    return f"{node.name}{size}{span}"


def _metered(
    node: PerUnit | Seats | Percent | Graduated | Volume | Package | SavingsShare, metrics: Metrics, currency: str
) -> list[Line]:
    name = _words(node.metric)
    match node:
        case PerUnit():
            used = _within(count(metrics, node.metric), node.maximum, name)
            paid = max(used - node.included, ZERO)
            beyond = f" beyond {plain(node.included)}" if node.included else ""
            text = f"{node.name or name}: {plain(paid)}{beyond} at {plain(node.amount)} {currency}"
            return [Line(text, paid * node.amount)]
        case Seats():
            used = _within(count(metrics, node.metric), node.maximum, name)
            paid = max(used, node.minimum)
            least = f" (at least {plain(node.minimum)})" if paid > used else ""
            return [Line(f"{plain(paid)} {name}{least} at {plain(node.amount)} {currency}", paid * node.amount)]
        case Percent():
            whole = money(metrics, node.metric, currency)
            of = max(whole - node.free, ZERO)
            beyond = f" beyond {plain(node.free)} {currency}" if node.free else ""
            return [Line(f"{_percent(node.rate)} of {name}, {plain(whole)} {currency}{beyond}", of * node.rate)]
        case Graduated():
            return _graduated(node, metrics, currency)
        case Volume():
            used = _quantity(metrics, node.metric, currency)
            tier = next(t for t in node.tiers if t.up_to is None or used <= t.up_to)
            return [Line(f"{plain(used)} of {name} at {_rate(tier, metrics[node.metric], currency)}", used * tier.rate)]
        case Package():
            packs = packages(count(metrics, node.metric), node.size)
            text = f"{plain(packs)} packages of {plain(node.size)} {name} at {plain(node.amount)} {currency}"
            return [Line(text, packs * node.amount)]
        case SavingsShare():
            return _shared(node, metrics, currency)


def packages(used: Decimal, size: Decimal) -> Decimal:
    """Begun packages of `size` that hold `used` units, exact."""
    return used // size + (ONE if used % size else ZERO)


def _graduated(node: Graduated, metrics: Metrics, currency: str) -> list[Line]:
    used, start = _quantity(metrics, node.metric, currency), ZERO
    value, lines = metrics[node.metric], list[Line]()
    for tier in node.tiers:
        end = used if tier.up_to is None else min(used, tier.up_to)
        if end > start or not lines:
            bound = "" if tier.up_to is None else f" up to {plain(tier.up_to)}"
            beyond = f" above {plain(start)}" if start else ""
            text = f"{_words(node.metric)}{beyond}{bound}: {plain(end - start)} at {_rate(tier, value, currency)}"
            lines.append(Line(text, (end - start) * tier.rate))
            start = end
    return lines


def _shared(node: SavingsShare, metrics: Metrics, currency: str) -> list[Line]:
    saving = metrics.get(node.metric)
    if saving is None:
        return [Line("No verified saving in this period", ZERO)]
    if not isinstance(saving, VerifiedSaving):
        raise FeeError(f"{_words(node.metric)} must be a verified saving with its proof, not a plain figure.")
    lower = _in(saving.lower, currency, node.metric)
    of = max(lower - node.deductible, ZERO)
    beyond = f" beyond {written.money(node.deductible, currency)}" if node.deductible else ""
    text = (
        f"{_percent(node.rate)} of the lower bound of the verified saving, {written.money(lower, currency)}{beyond} "
        f"({saving.evidence}, proof {saving.proof})"
    )
    return [Line(text, of * node.rate)]


def _quantity(metrics: Metrics, name: str, currency: str) -> Decimal:
    """A metric that may be money or a count."""
    return money(metrics, name, currency) if isinstance(metrics.get(name), Money) else count(metrics, name)


def money(metrics: Metrics, name: str, currency: str) -> Decimal:
    """A metric of money in `currency`, zero or more.

    Raises:
        FeeError: it is missing, no money, negative or in another currency.
    """
    value = _given(metrics, name)
    if not isinstance(value, Money):
        raise FeeError(f"{_words(name)} is an amount of money; give it with its currency.")
    amount = _in(value, currency, name)
    at_least_zero(amount, _words(name))
    return amount


def count(metrics: Metrics, name: str) -> Decimal:
    """A metric that is a number, zero or more.

    Raises:
        FeeError: it is missing, negative, or money.
    """
    value = _given(metrics, name)
    if isinstance(value, Money | VerifiedSaving):
        raise FeeError(f"{_words(name)} is a number, not an amount of money.")
    number = Decimal(value)
    at_least_zero(number, _words(name))
    return number


def _given(metrics: Metrics, name: str) -> Decimal | int | Money | VerifiedSaving:
    if name not in metrics:
        raise FeeError(f"This price needs {_words(name)}, which is not given.")
    return metrics[name]


def _in(value: Money, currency: str, name: str) -> Decimal:
    if value.currency != currency:
        raise FeeError(
            f"{_words(name)} is in {value.currency} and the price in {currency}; amounts of two currencies are never "
            "mixed. Convert by a dated, named rate first, or choose a price in that currency."
        )
    return value.amount


def _within(used: Decimal, maximum: Decimal | None, name: str) -> Decimal:
    if maximum is not None and used > maximum:
        raise FeeError(f"This plan allows at most {plain(maximum)} {name}, not {plain(used)}; choose a larger plan.")
    return used


def _rate(tier: Tier, value: object, currency: str) -> str:
    return _percent(tier.rate) if isinstance(value, Money) else f"{plain(tier.rate)} {currency}"


def _percent(rate: Decimal) -> str:
    return f"{plain(rate * _HUNDRED)} %"


def _words(metric: str) -> str:
    """A metric's name for people: `ai_spend` is `AI spend`."""
    return metric.replace("_", " ").replace("ai ", "AI ").replace("api ", "API ")
