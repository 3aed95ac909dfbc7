"""The plans there are: versioned data with validity dates, each with the golden fees that hold it in place.

A version that has been used never changes: another price is another version. `Plan.digest` says which price it was.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from analysis.fees import Metrics, Money, VerifiedSaving
from analysis.fees_nodes import Discount, Expression, FeeError, Rounding, metrics_of, most
from analysis.result import plain
from billing.expressions import decimal, node

#: Metrics that are amounts of money, and the one that is a verified saving; all others are counts.
MONEY: Final = frozenset({"ai_spend", "credit_balance"})
SAVING: Final = "verified_saving"
PERIODS: Final = ("month", "year", "once")
#: What a plan of a file states besides its price.
_FACTS: Final = ("id", "title", "version", "valid_from", "valid_to", "period", "source", "note", "limits", "golden")
_KEYS: Final = frozenset((*_FACTS, "price", "currency", "rounding", "unpriced"))


@dataclass(frozen=True, slots=True)
class Limit:
    """What a plan allows: at most `most` (None is no limit) of `metric`, in a span of time, for each of something."""

    metric: str
    most: Decimal | None
    per: str = ""
    of: str = ""

    def __str__(self) -> str:
        size = "unlimited" if self.most is None else f"at most {self.most:,f}"
        each = f" for each {self.of}" if self.of else ""
        return f"{size} {self.metric}{f' in {self.per}' if self.per else ''}{each}"


@dataclass(frozen=True, slots=True)
class Golden:
    """Metrics, as text, and the fee that they must come to for ever."""

    metrics: Mapping[str, str]
    amount: str


@dataclass(frozen=True, slots=True)
class Plan:
    """One version of a plan.

    Attributes:
        id: its name, unique together with `version`.
        title: its name for people.
        price_list: the list that it belongs to.
        version: counted up with every change of price.
        valid_from: first day.
        valid_to: the day after the last one; None where none is set.
        period: what one fee covers: month, year or once.
        expression: the price; None where the list states none, and `unpriced` says why.
        source: where the price comes from.
        note: what a reader must know about it.
    """

    id: str
    title: str
    price_list: str
    version: str
    valid_from: date
    valid_to: date | None
    period: str
    expression: Expression | None
    unpriced: str
    source: str
    note: str
    limits: tuple[Limit, ...]
    golden: tuple[Golden, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of what decides about a fee: plan, version, period and price."""
        text = repr((self.id, self.version, self.period, self.expression))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def never_more(self) -> Decimal | None:
        """The amount that a fee never exceeds; None where the price has no bound."""
        return None if self.expression is None else most(self.expression.node)

    @property
    def metrics(self) -> tuple[str, ...]:
        """What the price needs to be given."""
        return () if self.expression is None else metrics_of(self.expression.node)

    def priced(self) -> Expression:
        """The price.

        Raises:
            FeeError: the list states none.
        """
        if self.expression is None:
            raise FeeError(f"The plan {self.id} has no price: {self.unpriced}")
        return self.expression

    def record(self) -> dict[str, Any]:
        """The plan as JSON carries it."""
        return {
            "plan": self.id,
            "title": self.title,
            "price_list": self.price_list,
            "plan_version": self.version,
            "plan_digest": self.digest,
            "valid_from": self.valid_from.isoformat(),
            "valid_to": None if self.valid_to is None else self.valid_to.isoformat(),
            "period": self.period,
            "currency": None if self.expression is None else self.expression.currency,
            "rounding": None if self.expression is None else str(self.expression.rounding),
            "never_more_than": plain(self.never_more),
            "metrics": list(self.metrics),
            "unpriced": self.unpriced or None,
            "limits": [str(limit) for limit in self.limits],
            "note": self.note,
            "source": self.source,
        }


@dataclass(frozen=True, slots=True)
class Coupon:
    """Something off a plan in its first `periods`; None is for ever."""

    id: str
    title: str
    rate: Decimal
    periods: int | None
    source: str

    def on(self, plan: Plan) -> Plan:
        """The plan with the coupon."""
        price = plan.priced()
        discounted = Discount(price.node, self.rate, periods=self.periods, name=self.title)
        return replace(plan, version=f"{plan.version}+{self.id}", expression=replace(price, node=discounted), golden=())


@cache
def plans() -> tuple[Plan, ...]:
    """Every version of every plan that is shipped, by list, plan and first day."""
    found = [plan for name, text in _texts() if name != "coupons" for plan in parse(text, name)]
    return tuple(sorted(found, key=lambda plan: (plan.price_list, plan.id, plan.valid_from)))


@cache
def coupons() -> tuple[Coupon, ...]:
    """Every coupon that is shipped."""
    table = tomllib.loads(dict(_texts())["coupons"])
    return tuple(
        Coupon(row["id"], row["title"], decimal(row["rate"], row["id"]), row.get("periods"), row["source"])
        for row in table["coupon"]
    )


def plan(name: str, day: date, known: Sequence[Plan] | None = None) -> Plan:
    """The version of a plan that is valid on a day.

    Raises:
        FeeError: there is no such plan, or none of its versions is valid then.
    """
    among = plans() if known is None else known
    versions = [each for each in among if each.id == name]
    if not versions:
        raise FeeError(f"There is no plan {name!r}; there are {', '.join(dict.fromkeys(p.id for p in among))}.")
    for each in versions:
        if each.valid_from <= day and (each.valid_to is None or day < each.valid_to):
            return each
    spans = "; ".join(f"version {v.version} from {v.valid_from} up to {v.valid_to or 'now'}" for v in versions)
    raise FeeError(f"No version of the plan {name} is valid on {day}: {spans}. Choose another day with --at.")


def coupon(name: str) -> Coupon:
    """The coupon with this name.

    Raises:
        FeeError: there is none.
    """
    for each in coupons():
        if each.id == name:
            return each
    raise FeeError(f"There is no coupon {name!r}; there are {', '.join(c.id for c in coupons())}.")


def contract(path: Path) -> tuple[Plan, ...]:
    """The plan versions of a contract: a TOML file like those of `billing/plans`, whose prices override the list's.

    Raises:
        FeeError: the file is no TOML, or a price in it is not understood.
    """
    try:
        return parse(path.read_text(encoding="utf-8"), f"contract {path.stem}")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FeeError(f"{path.name} is no contract in TOML: {error}.") from error


def parse(text: str, name: str) -> tuple[Plan, ...]:
    """The plans of one list in TOML.

    Raises:
        FeeError: a plan misses something, states something unknown, or overlaps another version of itself.
    """
    table = tomllib.loads(text)
    rows = table.get("plan", [])
    if not rows:
        raise FeeError(f"{name} holds no [[plan]].")
    found = tuple(_plan(row, str(table.get("list", name))) for row in rows)
    for each in found:
        for other in found:
            if each is not other and each.id == other.id and _overlap(each, other):
                raise FeeError(
                    f"Two versions of the plan {each.id} are valid on {max(each.valid_from, other.valid_from)}."
                )
    return found


def metrics(given: Mapping[str, str], currency: str, *, proof: str = "", evidence: str = "") -> Metrics:
    """Metrics that were typed, as a price takes them; money is in `currency`.

    Raises:
        FeeError: one of them is no number, or a verified saving comes without its proof.
    """
    found = dict[str, Decimal | int | Money | VerifiedSaving]()
    for name, text in given.items():
        number = decimal(text, name)
        if name == SAVING:
            found[name] = VerifiedSaving(Money(number, currency), evidence, proof)
        else:
            found[name] = Money(number, currency) if name in MONEY else number
    return found


def _texts() -> list[tuple[str, str]]:
    folder = files("billing") / "plans"
    return [(f.name.removesuffix(".toml"), f.read_text("utf-8")) for f in folder.iterdir() if f.name.endswith(".toml")]


def _plan(row: Mapping[str, Any], price_list: str) -> Plan:
    where = f"plan {row.get('id', '?')}"
    if unknown := sorted(set(row) - _KEYS):
        raise FeeError(f"{where} does not know {', '.join(unknown)}.")
    if missing := sorted({"id", "title", "version", "valid_from", "source"} - set(row)):
        raise FeeError(f"{where} needs {', '.join(missing)}.")
    if ("price" in row) == ("unpriced" in row):
        raise FeeError(f"{where} needs either a price or, under unpriced, the reason why there is none.")
    if row.get("period", "month") not in PERIODS:
        raise FeeError(f"{where}: a period is {', '.join(PERIODS)}, not {row['period']!r}.")
    return Plan(
        id=str(row["id"]),
        title=str(row["title"]),
        price_list=price_list,
        version=str(row["version"]),
        valid_from=_day(row["valid_from"], where),
        valid_to=_day(row["valid_to"], where) if "valid_to" in row else None,
        period=str(row.get("period", "month")),
        expression=_expression(row, where) if "price" in row else None,
        unpriced=str(row.get("unpriced", "")),
        source=str(row["source"]),
        note=" ".join(str(row.get("note", "")).split()),
        limits=tuple(_limit(limit, where) for limit in row.get("limits", ())),
        golden=tuple(_golden(each) for each in row.get("golden", ())),
    )


def _expression(row: Mapping[str, Any], where: str) -> Expression:
    try:
        rounding = Rounding(row.get("rounding", Rounding.HALF_UP))
    except ValueError as error:
        raise FeeError(f"{where}: rounding is {' or '.join(Rounding)}, not {row['rounding']!r}.") from error
    return Expression(node(row["price"], f"{where}, price"), str(row.get("currency", "USD")), rounding)


def _limit(row: Mapping[str, Any], where: str) -> Limit:
    most_ = None if row.get("most") == "unlimited" else decimal(row.get("most"), f"{where}, limits")
    return Limit(str(row["metric"]), most_, str(row.get("per", "")), str(row.get("of", "")))


def _golden(row: Mapping[str, Any]) -> Golden:
    return Golden({name: str(value) for name, value in row.items() if name != "amount"}, str(row["amount"]))


def _day(value: object, where: str) -> date:
    if not isinstance(value, date):
        raise FeeError(f"{where}: {value!r} is no day; write 2026-01-31 without quotation marks.")
    return value


def _overlap(one: Plan, other: Plan) -> bool:
    return (one.valid_to is None or other.valid_from < one.valid_to) and (
        other.valid_to is None or one.valid_from < other.valid_to
    )
