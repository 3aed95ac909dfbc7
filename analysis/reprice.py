"""What the same usage would have cost: any usage, under any plan, at the prices of a book.

Exact throughout: prices are whole pico-dollars (1e-12 of the currency unit) for a token, tokens are whole, shares are
decimals of at most twelve digits in all, so that every cost is a product of whole numbers, summed in 128 bits in the
engine. Nothing is rounded. A split keeps every token: what a lever moves and what it leaves are one whole.

The usage is priced twice, as it was and as planned, and only tokens that have a price on both sides enter a saving.
What has no price is listed with its tokens and the reason; it never counts as nothing.
"""

# Ibis types `table["x"]` as an abstract column, without the operations of its kind; pyarrow carries no types.
# pyright: reportAttributeAccessIssue=false, reportOperatorIssue=false, reportArgumentType=false
# pyright: reportCallIssue=false, reportReturnType=false, reportUnknownParameterType=false
from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

import ibis
import pyarrow as pa

from analysis.charges import Charge, charges_of
from analysis.metered import Metered
from analysis.metering import PRICED_BY, meter, within
from analysis.period import Period
from analysis.plan import AS_USED, Plan, PlanError
from analysis.price_list import PriceList, Rate
from analysis.repriced import Cost, Finding, KindCost, Repriced, RepriceRow
from analysis.result import ZERO, order, total

if TYPE_CHECKING:
    import ibis.expr.types as ir

KIND: Final = "token-kind"
REQUEST: Final = "request"
#: Products of the engine's whole numbers, without rounding.
_EXACT: Final = Context(prec=160, traps=[Inexact, InvalidOperation])
_WHOLE: Final = "decimal(38, 0)"
_ARROW_WHOLE: Final = pa.decimal128(38, 0)


def reprice(
    usage: ir.Table,
    prices: pa.Table,
    plan: Plan = AS_USED,
    *,
    digest: str,
    by: Sequence[str] = (),
    start: date | None = None,
    end: date | None = None,
) -> Repriced:
    """Price usage under one plan.

    Args:
        usage: `ledger.tables.USAGE`, at any grain; columns that are not there are taken for NULL.
        prices: the price book (`ledger.price_book.schema.PRICES`).
        plan: what is done to the usage, and the prices it is done at.
        digest: SHA-256 of the price book, which the result carries.
        by: `provider`, `model`, `version`, `tier`, `region`, `project`, `key`, `user`, `connection`, `tag:KEY`,
            `token-kind`, `day`, `month`.
        start: first day (UTC), or None for the first there is.
        end: the day after its last one, or None for the last there is.

    Raises:
        PlanError: the plan routes to a model that the book does not have.
        ValueError: a dimension is not known.
    """
    return reprice_each(usage, prices, [plan], digest=digest, by=by, start=start, end=end)[0]


def reprice_each(
    usage: ir.Table,
    prices: pa.Table,
    plans: Sequence[Plan],
    *,
    digest: str,
    by: Sequence[str] = (),
    start: date | None = None,
    end: date | None = None,
) -> list[Repriced]:
    """Price usage under each plan; the usage is read once. Arguments, results and errors are those of `reprice`."""
    names = tuple(dict.fromkeys(by))
    lists = {known_at: PriceList(prices, known_at) for known_at in dict.fromkeys(plan.known_at for plan in plans)}
    for plan in plans:
        _check(plan, lists[plan.known_at])
    steps = sorted({step for known in lists.values() for step in known.steps})
    grain = max((known.grain for known in lists.values()), key="Dhms".index, default="D")
    asked = tuple(dict.fromkeys(name for plan in plans for name in plan.asks))
    metered = meter(within(usage, start, end), names, asked, steps=steps, grain=grain)
    return [_priced(metered, lists[plan.known_at], plan, names, Period(start, end), digest) for plan in plans]


def _check(plan: Plan, prices: PriceList) -> None:
    targets = [(n, lever.to) for n, lever in enumerate(plan.levers, start=1) if lever.to is not None]
    wrong = [
        f"Lever {n} routes to a model without a price: {prices.unknown(to.provider, to.model)}."
        for n, to in targets
        if not prices.has(to.provider, to.model)
    ]
    if wrong:
        raise PlanError(wrong)


def _priced(
    metered: Metered, prices: PriceList, plan: Plan, by: tuple[str, ...], period: Period, digest: str
) -> Repriced:
    charges = charges_of(metered, prices, plan)
    joined = _joined(metered, charges)
    # Whatever engine gathered the usage, the few sums that are left are priced in DuckDB.
    backend: Any = metered.backend if metered.backend.name == "duckdb" else ibis.duckdb.connect()
    sums: list[dict[str, Any]] = backend.to_pyarrow(_sums(joined, metered, by)).to_pylist()
    counts: pa.Table = backend.to_pyarrow(
        joined.group_by("charge").aggregate(tokens=joined["tokens"].sum().cast(_WHOLE))
    )
    digits = plan.digits
    counted = {row["charge"]: _scaled(row["tokens"], digits) for row in counts.to_pylist()}
    seen = [(charge, counted[n]) for n, charge in enumerate(charges) if n in counted]
    any_usage = metered.facts.num_rows > 0
    return Repriced(
        plan=plan,
        book_digest=digest,
        by=by,
        period=period,
        first=metered.at(metered.first).date() if any_usage else None,
        last=metered.at(metered.last).date() if any_usage else None,
        rows=_rows(sums, by, digits),
        kinds=_kind_costs(seen),
        tokens=total(tokens for charge, tokens in seen if charge.branch.kind != REQUEST),
        requests=total(tokens for charge, tokens in seen if charge.branch.kind == REQUEST),
        unpriced=_findings(seen, _unpriced),
        unstated=_findings(seen, _unstated),
        priced_as=_findings(seen, _priced_as),
        disputed=_findings(seen, _disputed),
        pulled=tuple(
            total(t for charge, t in seen if n in charge.branch.levers and charge.branch.kind != REQUEST)
            for n in range(len(plan.levers))
        ),
        others=metered.others,
        incomplete=metered.incomplete,
    )


def _joined(metered: Metered, charges: Sequence[Charge]) -> ir.Table:
    """One row for each fact and charge that meet, with `tokens` in the plan's fraction of a token."""
    columns: dict[str, list[Any]] = defaultdict(list)
    for number, charge in enumerate(charges):
        columns["charge"].append(number)
        columns["c_profile"].append(charge.branch.profile)
        columns["c_kind"].append(charge.branch.metered)
        columns["start"].append(charge.start)
        columns["end"].append(charge.end)
        columns["factor"].append(Decimal(charge.branch.factor))
        columns["kind"].append(charge.branch.kind)
        for name in PRICED_BY:
            columns[f"p_{name}"].append(charge.branch.fields[name])
        for side, rate in (("used", charge.used), ("planned", charge.planned)):
            columns[f"{side}_currency"].append(rate.currency)
            columns[f"{side}_pico"].append(None if rate.pico is None else Decimal(rate.pico))
            columns[f"{side}_highest"].append(None if rate.pico is None else Decimal(rate.highest))
    table = pa.table({name: pa.array(columns[name], kind) for name, kind in _CHARGE.items()})
    facts = ibis.memtable(metered.facts.rename_columns(_renamed(metered.facts)))
    bill = ibis.memtable(table)
    met = facts.inner_join(
        bill,
        [
            facts["profile"] == bill["c_profile"],
            facts["f_kind"] == bill["c_kind"],
            facts["moment"] >= bill["start"],
            facts["moment"] < bill["end"],
        ],
    )
    return met.mutate(tokens=(met["counted"] * met["factor"]).cast(_WHOLE))


def _renamed(facts: pa.Table) -> list[str]:
    return [{"kind": "f_kind", "tokens": "counted"}.get(name, name) for name in facts.column_names]


_CHARGE: Final = {
    "charge": pa.int32(),
    "c_profile": pa.int32(),
    "c_kind": pa.string(),
    "start": pa.int64(),
    "end": pa.int64(),
    "factor": _ARROW_WHOLE,
    "kind": pa.string(),
    **{f"p_{name}": pa.string() for name in PRICED_BY},
    "used_currency": pa.string(),
    "used_pico": _ARROW_WHOLE,
    "used_highest": _ARROW_WHOLE,
    "planned_currency": pa.string(),
    "planned_pico": _ARROW_WHOLE,
    "planned_highest": _ARROW_WHOLE,
}


def _sums(joined: ir.Table, metered: Metered, by: Sequence[str]) -> ir.Table:
    """Tokens and whole pico-dollars by dimensions, kind and the currencies of both sides."""
    keys = {f"d_{name}": _dimension(joined, metered, name) for name in by}
    keys |= {name: joined[name] for name in ("used_currency", "planned_currency")}
    tokens = ibis.ifelse(joined["kind"] == REQUEST, ibis.literal(Decimal(0)).cast(_WHOLE), joined["tokens"])
    both = joined["used_pico"].notnull() & joined["planned_pico"].notnull()
    sums = {"both_tokens": tokens.sum(where=both).cast(_WHOLE)}
    for side in ("used", "planned"):
        priced = joined[f"{side}_pico"].notnull()
        sums[f"{side}_tokens"] = tokens.sum(where=priced).cast(_WHOLE)
        for name in (f"{side}_pico", f"{side}_highest"):
            money = (joined["tokens"] * joined[name]).cast(_WHOLE)
            sums[name] = money.sum().cast(_WHOLE)
            sums[f"both_{name}"] = money.sum(where=both).cast(_WHOLE)
    return joined.group_by(**keys).aggregate(**sums)


def _dimension(joined: ir.Table, metered: Metered, name: str) -> ir.Value:
    if name == KIND:
        return joined["kind"]
    if name in {"day", "month"}:
        return joined["moment"] if metered.unit == _DAY else joined["moment"] * metered.unit // _DAY
    return joined[f"p_{name}"] if name in PRICED_BY else joined[name]


_DAY: Final = 86_400


def _rows(sums: Sequence[dict[str, Any]], by: tuple[str, ...], digits: int) -> tuple[RepriceRow, ...]:
    groups = defaultdict[tuple[Any, ...], list[dict[str, Any]]](list)
    for found in sums:
        dimensions = tuple(_day(name, found[f"d_{name}"]) for name in by)
        for currency in {found["planned_currency"], found["used_currency"]} - {None}:
            groups[(currency, *dimensions)].append(found)
    rows = [_row(key, by, parts, digits) for key, parts in groups.items()]
    return tuple(sorted(rows, key=_place))


def _place(row: RepriceRow) -> tuple[Any, ...]:
    return (*order(row.dimensions, None if row.planned is None else row.planned.amount), row.currency)


def _row(key: tuple[Any, ...], by: tuple[str, ...], parts: Sequence[dict[str, Any]], digits: int) -> RepriceRow:
    currency = key[0]
    planned = [p for p in parts if p["planned_currency"] == currency]
    used = [p for p in parts if p["used_currency"] == currency]
    both = [p for p in planned if p["used_currency"] == currency and p["both_tokens"] is not None]
    return RepriceRow(
        dimensions=dict(zip(by, key[1:], strict=True)),
        currency=currency,
        planned=_cost(planned, "planned_tokens", "planned", digits),
        used=_cost(used, "used_tokens", "used", digits),
        both_planned=_cost(both, "both_tokens", "both_planned", digits),
        both_used=_cost(both, "both_tokens", "both_used", digits),
    )


def _cost(parts: Sequence[dict[str, Any]], tokens: str, side: str, digits: int) -> Cost | None:
    if not parts:
        return None
    return Cost(
        tokens=_scaled(_summed(parts, tokens), digits),
        amount=_scaled(_summed(parts, f"{side}_pico"), digits + 12),
        highest=_scaled(_summed(parts, f"{side}_highest"), digits + 12),
    )


def _summed(parts: Sequence[dict[str, Any]], name: str) -> Decimal:
    if len(parts) == 1:
        return parts[0][name] or ZERO
    return total(part[name] or ZERO for part in parts)


def _kind_costs(seen: Sequence[tuple[Charge, Decimal]]) -> tuple[KindCost, ...]:
    groups = defaultdict[tuple[str, str], list[tuple[Decimal, Rate]]](list)
    for charge, tokens in seen:
        if charge.planned.currency is not None:
            groups[charge.branch.kind, charge.planned.currency].append((tokens, charge.planned))
    return tuple(
        KindCost(
            kind,
            currency,
            Cost(
                tokens=total(tokens for tokens, _ in parts),
                amount=total(_money(tokens, rate.pico or 0) for tokens, rate in parts),
                highest=total(_money(tokens, rate.highest) for tokens, rate in parts),
            ),
        )
        for (kind, currency), parts in sorted(groups.items())
    )


def _scaled(whole: Decimal | None, digits: int) -> Decimal:
    """A whole number of the `digits`-th part of one, exact."""
    return _EXACT.scaleb(whole or ZERO, -digits)


def _day(name: str, value: Any) -> Any:  # noqa: ANN401 - a label, or days since 1970
    if name not in {"day", "month"} or value is None:
        return value
    day = date(1970, 1, 1) + timedelta(days=value)
    return day.replace(day=1) if name == "month" else day


#: What is said about a rate: the sentence, and the other pico-dollars of one token; None where nothing is.
_Said = tuple[str, int | None] | None


def _unpriced(rate: Rate) -> _Said:
    return None if rate.reason is None else (rate.reason, None)


def _unstated(rate: Rate) -> _Said:
    return (" and ".join(rate.unstated), rate.highest) if rate.unstated else None


def _priced_as(rate: Rate) -> _Said:
    return None if rate.priced_as is None else (rate.priced_as, None)


def _disputed(rate: Rate) -> _Said:
    price = rate.price
    return None if price is None or not price.disputed else (str(price.other_source), price.other_pico)


def _findings(seen: Sequence[tuple[Charge, Decimal]], say: Callable[[Rate], _Said]) -> tuple[Finding, ...]:
    """What `say` says about the rates, by side, model and sentence; the most tokens first."""
    groups = defaultdict[tuple[Any, ...], list[tuple[str, Decimal, Rate, int | None]]](list)
    for charge, tokens in seen:
        branch = charge.branch
        for side, rate, used, kind in (
            ("used", charge.used, branch.used, branch.metered),
            ("planned", charge.planned, branch.planned, branch.kind),
        ):
            if (said := say(rate)) is not None:
                key = (side, used.provider, used.model, said[0], rate.currency)
                groups[key].append((kind, tokens, rate, said[1]))
    found = [_finding(key, parts) for key, parts in groups.items()]
    return tuple(sorted(found, key=lambda f: (f.side, -f.tokens, -f.requests, f.provider, str(f.model), f.what)))


def _finding(key: tuple[Any, ...], parts: Sequence[tuple[str, Decimal, Rate, int | None]]) -> Finding:
    side, provider, model, what, currency = key
    others = [_money(tokens, pico) for _, tokens, _, pico in parts if pico is not None]
    return Finding(
        side=side,
        provider=provider,
        model=model,
        what=what,
        kinds=tuple(sorted({kind for kind, *_ in parts if kind != REQUEST})),
        tokens=total(tokens for kind, tokens, *_ in parts if kind != REQUEST),
        requests=total(tokens for kind, tokens, *_ in parts if kind == REQUEST),
        currency=currency,
        cost=None if currency is None else total(_money(tokens, rate.pico or 0) for _, tokens, rate, _ in parts),
        other_cost=total(others) if others and len(others) == len(parts) else None,
    )


def _money(tokens: Decimal, pico: int) -> Decimal:
    """Tokens at a price in pico-dollars, exact."""
    return _EXACT.scaleb(_EXACT.multiply(tokens, Decimal(pico)), -12)
