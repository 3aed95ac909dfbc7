"""What a scope cost on each day, at constant prices: without what vendors, credits, taxes and commitments did to it.

Each charge of use counts at what it would cost without commitments and credits (`ledger.tables.EFFECTS`), so that it
makes no difference whether BilledCost or EffectiveCost is looked at. Where the price book says that a vendor changed
the price p of a kind of token, its cost is multiplied by r / p(day): r is the mean of the list price over the days of
the reporting period, or the last known one where it is not sold then. Both periods so stand at the
reporting period's own prices. The customer's own terms are no vendor's price change; they stay.
"""

# Ibis types `table["x"]` as an abstract column, without the operations of its kind.
# pyright: reportAttributeAccessIssue=false, reportOperatorIssue=false, reportArgumentType=false
# pyright: reportCallIssue=false, reportReturnType=false
from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import ibis

from analysis.bill_prices import Stretch, stretches
from analysis.period import Period
from analysis.price_list import PriceList
from analysis.reconcile import PROFILE, with_prices
from analysis.result import ZERO, fetch, quotient, total

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

#: Costs of days are rounded to this before they are measured, half to even.
STEP: Final = Decimal("1e-6")
#: From this on, a price of the bill that moves without the price book is told.
MOVED: Final = Decimal("0.01")
_WIDE: Final = Context(prec=80, rounding=ROUND_HALF_EVEN)
_PICO_TO_MILLION: Final = Decimal("1e-6")

#: Why charges of a category are left out, by FOCUS ChargeCategory.
WHY_OUT: Final[Mapping[str, str]] = {
    "Purchase": "a purchase (a commitment or a one-off fee) is no use, and buying one saves nothing by itself",
    "Tax": "taxes follow the bill and are no use",
    "Credit": "a credit is a payment, not a saving",
    "Adjustment": "adjustments and refunds concern other days and other reasons",
}


@dataclass(frozen=True, slots=True)
class CostDay:
    """One day of a scope; money in the currency of the whole.

    Attributes:
        cost: at constant prices.
        as_billed: the same charges at the prices of the day.
        token_cost: the part of `cost` whose tokens are known.
        tokens: single tokens of that part.
    """

    date: date
    cost: Decimal
    as_billed: Decimal
    token_cost: Decimal
    tokens: Decimal


@dataclass(frozen=True, slots=True)
class Excluded:
    """BilledCost in scope that no saving may come from, in both periods."""

    what: str
    why: str
    baseline: Decimal
    reporting: Decimal
    charges: int | None


@dataclass(frozen=True, slots=True)
class ListPriceChange:
    """A list price that changed from `day` on: money for one million tokens."""

    provider: str
    model: str
    kind: str
    day: date
    before: Decimal
    after: Decimal


@dataclass(frozen=True, slots=True)
class CostDays:
    """Both periods of a scope by day.

    Attributes:
        currency: ISO 4217 code of all money; None where there is no charge.
        days: days that have charges of use, in order.
        excluded: what was left out, with its BilledCost.
        price_changes: vendors' price changes that were taken out.
        warnings: what the reader has to know, as sentences.
    """

    currency: str | None
    days: tuple[CostDay, ...]
    excluded: tuple[Excluded, ...]
    price_changes: tuple[ListPriceChange, ...]
    warnings: tuple[str, ...]


def daily_costs(
    spend: ir.Table, token_costs: ir.Table, usage: ir.Table, prices: pa.Table, baseline: Period, reporting: Period
) -> CostDays:
    """The cost of both periods by day, at constant prices.

    Args:
        spend: `ledger.tables.DAILY_SPEND`, of the scope.
        token_costs: `ledger.tables.DAILY_TOKEN_COSTS`, of the scope.
        usage: `ledger.tables.USAGE`; asked for the service tier where a bill names none.
        prices: list prices (`ledger.price_book.schema.PRICES`).
        baseline: a bounded period.
        reporting: a bounded period that begins after it.

    Raises:
        ValueError: the scope is billed in several currencies.
    """
    found = fetch(_spend_sums(_either(spend, baseline, reporting)))
    currency = _one_currency(row["currency"] for row in found)
    book = _Book(prices, baseline, reporting)
    token_rows, _, _ = with_prices(
        _either(token_costs, baseline, reporting), usage, book.prices, Period(baseline.start, reporting.end)
    )
    profiles = fetch(_profile_sums(token_rows, reporting))
    rated = [(row, book.rates(row)) for row in profiles]
    changed = [rates for _, rates in rated if rates.changes]
    cells = fetch(_token_days(token_rows, {(rates.provider, rates.model) for rates in changed})) if changed else []
    tokens = {row["on"]: row for row in fetch(_day_tokens(token_rows))}
    return CostDays(
        currency=currency,
        days=_days(found, tokens, _restated(cells, changed)),
        excluded=_excluded(found, baseline),
        price_changes=tuple(change for rates in changed for change in rates.changes),
        warnings=(*_without_contracted(found), *_warnings(rated)),
    )


# The engine's sums


def _either(table: ir.Table, baseline: Period, reporting: Period) -> ir.Table:
    day = table["ChargeDate"]
    first, second = (
        (day >= ibis.literal(part.start)) & (day < ibis.literal(part.end)) for part in (baseline, reporting)
    )
    return table.filter(first | second)


def _cost(rows: ir.Table) -> ir.Value:
    """Cost without commitments and credits."""
    effects = rows["CommitmentBilled"].fill_null(0) + rows["CreditBilled"].fill_null(0)
    return (rows["BilledCost"].fill_null(0) - effects).cast("decimal(38, 18)")


def _spend_sums(rows: ir.Table) -> ir.Table:
    return rows.group_by(
        on=rows["ChargeDate"], category=rows["ChargeCategory"], currency=rows["BillingCurrency"]
    ).aggregate(
        cost=_cost(rows).sum(),
        billed=rows["BilledCost"].sum(),
        commitment=rows["CommitmentBilled"].sum(),
        credit=rows["CreditBilled"].sum(),
        charges=rows["Charges"].sum(),
        uncontracted=rows["ChargesWithoutContracted"].sum(),
    )


def _profile_sums(rows: ir.Table, reporting: Period) -> ir.Table:
    known = rows.filter(rows["Tokens"].notnull())
    later = known["ChargeDate"] >= ibis.literal(reporting.start)
    return known.group_by(**{name: known[column] for name, column in PROFILE.items()}).aggregate(
        cost_before=_cost(known).sum(where=~later),
        cost_after=_cost(known).sum(where=later),
        tokens_before=known["Tokens"].sum(where=~later),
        tokens_after=known["Tokens"].sum(where=later),
    )


def _token_days(rows: ir.Table, models: Iterable[tuple[str, str]]) -> ir.Table:
    wanted = sorted(models)
    chosen = rows.filter(
        rows["Tokens"].notnull(),
        rows["ServiceProviderName"].isin([provider for provider, _ in wanted]),
        rows["x_ModelId"].isin([model for _, model in wanted]),
    )
    keys = {name: chosen[column] for name, column in PROFILE.items()}
    return chosen.group_by(on=chosen["ChargeDate"], **keys).aggregate(cost=_cost(chosen).sum())


def _day_tokens(rows: ir.Table) -> ir.Table:
    known = rows.filter(rows["Tokens"].notnull())
    return known.group_by(on=known["ChargeDate"]).aggregate(cost=_cost(known).sum(), tokens=known["Tokens"].sum())


# Prices


@dataclass(frozen=True, slots=True)
class _Rates:
    """What the price book says of one profile over both periods."""

    profile: Mapping[str, Any]
    stretches: tuple[Stretch, ...]
    reference: Fraction | None
    changes: tuple[ListPriceChange, ...]

    @property
    def provider(self) -> str:
        return self.profile["provider"]

    @property
    def model(self) -> str:
        return self.profile["model"]

    def factor(self, day: date) -> Fraction:
        """What cost of a day is multiplied by; 1 where the book has no price of it."""
        held = next((part for part in self.stretches if part.first <= day <= part.last), None)
        pico = None if held is None or held.rate is None else held.rate.pico
        return Fraction(1) if not pico or self.reference is None else self.reference / pico


class _Book:
    """List prices over both periods, and the price that each kind of token is restated to."""

    def __init__(self, prices: pa.Table, baseline: Period, reporting: Period) -> None:
        self.prices = PriceList(prices)
        self._baseline, self._reporting = baseline, reporting

    def rates(self, row: Mapping[str, Any]) -> _Rates:
        first, last = self._baseline.start, self._reporting.end
        if first is None or last is None:
            raise ValueError("Prices are compared between two periods; each needs its first and its last day.")
        profile = {name: row[name] for name in PROFILE} | {"first": first, "last": last - timedelta(days=1)}
        found = tuple(stretches(self.prices, profile))
        known = [part for part in found if part.rate is not None and part.rate.pico is not None]
        reference = self._reference(known)
        return _Rates(profile, found, reference, tuple(_changes(profile, known)))

    def _reference(self, known: Sequence[Stretch]) -> Fraction | None:
        weighed = [(part, self._days_of(part)) for part in known]
        days = sum(count for _, count in weighed)
        if days:
            return Fraction(sum(_pico(part) * count for part, count in weighed), days)
        return Fraction(_pico(known[-1])) if known else None

    def _days_of(self, part: Stretch) -> int:
        """Days of the stretch that lie in the reporting period."""
        start, end = self._reporting.start, self._reporting.end
        if start is None or end is None:
            return 0
        return max(0, (min(part.last, end - timedelta(days=1)) - max(part.first, start)).days + 1)


def _pico(part: Stretch) -> int:
    return 0 if part.rate is None or part.rate.pico is None else part.rate.pico


def _changes(profile: Mapping[str, Any], known: Sequence[Stretch]) -> Iterable[ListPriceChange]:
    kind = " ".join(str(profile[name]).lower() for name in ("direction", "action", "tier") if profile[name])
    for before, after in pairwise(known):
        if _pico(before) != _pico(after):
            old, new = (Decimal(_pico(part)) * _PICO_TO_MILLION for part in (before, after))
            yield ListPriceChange(profile["provider"], profile["model"], kind, after.first, old, new)


def _restated(cells: Sequence[Mapping[str, Any]], changed: Sequence[_Rates]) -> dict[date, Fraction]:
    """What restating adds to the cost of each day."""
    by_profile = {tuple(rates.profile[name] for name in PROFILE): rates for rates in changed}
    added = defaultdict[date, Fraction](Fraction)
    for cell in cells:
        rates = by_profile.get(tuple(cell[name] for name in PROFILE))
        if rates is not None:
            added[cell["on"]] += Fraction(cell["cost"] or ZERO) * (rates.factor(cell["on"]) - 1)
    return added


# The result


def _one_currency(codes: Iterable[str]) -> str | None:
    found = sorted(set(codes))
    if len(found) > 1:
        raise ValueError(
            f"The scope is billed in {' and '.join(found)}; a saving is measured in one currency. "
            "Narrow the scope to one (--scope provider=..., project=...)."
        )
    return found[0] if found else None


def _days(
    found: Sequence[Mapping[str, Any]], tokens: Mapping[date, Mapping[str, Any]], added: Mapping[date, Fraction]
) -> tuple[CostDay, ...]:
    costs = defaultdict[date, Decimal](Decimal)
    for row in found:
        if row["category"] == "Usage":
            costs[row["on"]] = total((costs[row["on"]], row["cost"]))
    return tuple(_day(on, costs[on], tokens.get(on), added.get(on, Fraction())) for on in sorted(costs))


def _day(on: date, cost: Decimal, tokens: Mapping[str, Any] | None, added: Fraction) -> CostDay:
    more = _decimal(added)
    return CostDay(
        date=on,
        cost=rounded(total((cost, more))),
        as_billed=rounded(cost),
        token_cost=ZERO if tokens is None else rounded(total((tokens["cost"], more))),
        tokens=ZERO if tokens is None else tokens["tokens"],
    )


def rounded(amount: Decimal) -> Decimal:
    """An amount to `STEP`, half to even."""
    return _WIDE.quantize(amount, STEP)


def _decimal(value: Fraction) -> Decimal:
    return _WIDE.divide(Decimal(value.numerator), Decimal(value.denominator))


def _excluded(found: Sequence[Mapping[str, Any]], baseline: Period) -> tuple[Excluded, ...]:
    parts = defaultdict[tuple[str, str], list[tuple[bool, Decimal, int | None]]](list)
    for row in found:
        before = baseline.end is not None and row["on"] < baseline.end
        if row["category"] != "Usage":
            what = row["category"]
            why = WHY_OUT.get(what, "only charges of use can be saved on")
            parts[what, why].append((before, row["billed"] or ZERO, row["charges"]))
            continue
        if row["commitment"]:
            parts["Commitments on use", "what a commitment does to the price of use is no saving of use"].append(
                (before, row["commitment"], None)
            )
        if row["credit"]:
            parts["Credits on use", WHY_OUT["Credit"]].append((before, row["credit"], None))
    return tuple(
        Excluded(
            what,
            why,
            total(amount for before, amount, _ in of if before),
            total(amount for before, amount, _ in of if not before),
            None if any(count is None for *_, count in of) else sum(count or 0 for *_, count in of),
        )
        for (what, why), of in sorted(parts.items())
    )


def _without_contracted(found: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    count = sum(row["uncontracted"] or 0 for row in found if row["category"] == "Usage")
    if count:
        yield (
            f"{count:,} charges are covered by a commitment or hold credits, and the bill does not say what they would "
            "cost without: covered ones are left out, credits are left in."
        )


def _warnings(rated: Sequence[tuple[Mapping[str, Any], _Rates]]) -> Iterable[str]:
    reasons = defaultdict[tuple[str, str, str], list[Decimal]](list)
    for row, rates in rated:
        reason = next((part.reason for part in rates.stretches if part.reason is not None), None)
        if reason is None:
            continue
        who = (str(row["provider"]), str(row["model"] or "(no model)"))
        reasons[*who, reason].append(total((row["cost_before"] or ZERO, row["cost_after"] or ZERO)))
        yield from _moved(row, who)
    for (provider, model, reason), costs in sorted(reasons.items()):
        yield (
            f"{provider} {model}: {total(costs):,.2f} of cost stays at the prices of its days, since {reason}; "
            "a price change of the vendor cannot be told from a saving there."
        )


def _moved(row: Mapping[str, Any], who: tuple[str, str]) -> Iterable[str]:
    """Where the bill's own price of a token moved, and the price book cannot say why."""
    if not row["tokens_before"] or not row["tokens_after"] or not row["cost_before"]:
        return
    before, after = (quotient(row[f"cost_{when}"] or ZERO, row[f"tokens_{when}"]) for when in ("before", "after"))
    if before > ZERO and abs(quotient(after, before) - 1) > MOVED:
        what = " ".join(str(row[name]).lower() for name in ("direction", "action", "tier") if row[name])
        yield (
            f"{' '.join(who)}: the bill's price of {what} tokens moved by {quotient(after, before) - 1:+.1%} between "
            "the periods, and the price book does not say whether the vendor did it."
        )
