"""Usage times the price book against the bill, charge by charge of a day; the bill stays the truth.

What is compared is one row of the token rollup: the charges of one day, seller, model, token kind, tier, region and
account. Its tokens are the bill's own or, where the bill states none, those of usage; its price is the book's of that
day. The verdict falls on these rows, so that it is the same however they are grouped afterwards, and

    billed = explained + unexplained + unpriced + without tokens

holds to the last digit in every group and currency. Nothing is priced at zero or at a neighbour's price.
"""

# Ibis types `table["x"]` as an abstract column, without the operations of its kind.
# pyright: reportAttributeAccessIssue=false, reportOperatorIssue=false, reportArgumentType=false
# pyright: reportCallIssue=false, reportReturnType=false
from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import ibis
import pyarrow as pa
import pyarrow.compute as pc

from analysis.bill_prices import Stretch, notes, stretches
from analysis.period import CALENDAR, Period
from analysis.price_list import PriceList
from analysis.reconciled import OF_BOOK, PER_CHARGE, ReconcileRow, Reconciliation, Remainder, Spread
from analysis.result import ZERO, arrow, fetch, known_total, order, quotient, total
from analysis.unit_cost import DIMENSIONS as COLUMNS
from analysis.unit_cost import TOKEN_TYPE, token_type
from ledger.token_usage import FROM_USAGE

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: Dimensions and their columns; `token-type`, `day` and `month` are computed.
DIMENSIONS: Final[Mapping[str, str]] = {**COLUMNS, "tokens-from": "TokensFrom"}

#: What decides about the price of a row, and its column; the tier is the bill's or that of `_with_tiers`.
PROFILE: Final[Mapping[str, str]] = {
    "provider": "ServiceProviderName",
    "model": "x_ModelId",
    "version": "x_ModelVersion",
    "tier": "r_Tier",
    "region": "x_ServingRegion",
    "context": "x_ContextWindow",
    "direction": "x_TokenDirection",
    "action": "x_TokenCacheAction",
    "ttl": "x_CacheTtl",
    "modality": "x_Modality",
    "currency": "BillingCurrency",
}
#: Tokens have six fraction digits and prices twelve: DuckDB's product of the two has eighteen and is exact, or fails.
_PRICE: Final = pa.decimal128(38, 12)
_MONEY: Final = "decimal(38, 18)"
#: What came of the comparison, beside the kinds of `Remainder`.
COMPARED: Final = "compared"
_SUMS: Final = (
    "billed",
    "book_cost",
    "book_highest",
    "effects",
    "unexplained",
    "tokens",
    "tokens_from_usage",
    "charges",
)
_PICO: Final = 12


def reconcile(
    costs: ir.Table,
    usage: ir.Table,
    prices: pa.Table,
    *,
    digest: str,
    by: Sequence[str] = (),
    start: date | None = None,
    end: date | None = None,
) -> Reconciliation:
    """Compare what the bill says of tokens with what the price book says of them.

    Args:
        costs: `ledger.tables.DAILY_TOKEN_COSTS`, the token rollup with the tokens of usage resolved.
        usage: `ledger.tables.USAGE`; asked for the service tier where a bill names none.
        prices: the price book (`ledger.price_book.schema.PRICES`), of each price the row that is known.
        digest: SHA-256 of the price book, which the result carries.
        by: `DIMENSIONS`, `token-type`, `day`, `month`; none for one row in each currency.
        start: first day (UTC), or None for the first there is.
        end: the day after its last one, or None for the last there is.

    Raises:
        ValueError: a dimension is not known.
    """
    names, period = tuple(dict.fromkeys(by)), Period(start, end)
    rows = period.within(costs)
    _check(names)
    priced_rows, priced_days, tiers = with_prices(rows, usage, PriceList(prices), period)
    parts = _sums(priced_rows, priced_days, names)
    return Reconciliation(
        by=names,
        period=period,
        book_digest=digest,
        rows=_rows(parts, names),
        totals=_rows(parts, ()),
        notes=notes(priced_days, tiers),
    )


# What decides about prices


def with_prices(
    rows: ir.Table, usage: ir.Table, book: PriceList, period: Period
) -> tuple[ir.Table, list[Stretch], list[dict[str, Any]]]:
    """Rows of the token rollup, and what the book says of them.

    Args:
        rows: `ledger.tables.DAILY_TOKEN_COSTS` of the period.
        usage: `ledger.tables.USAGE`; asked for the service tier where a bill names none.
        book: the prices.
        period: the days.

    Returns:
        The rows with `r_Tier`, their service tier; each profile's rate, or the reason for none, by stretches of days;
        and the day, seller, model and tier of what only usage names the tier of.
    """
    profiles = _profiles(rows)
    tiers = _tiers(usage, period, profiles)
    profiles += _named(profiles, tiers)
    return _with_tiers(rows, tiers), [stretch for profile in profiles for stretch in stretches(book, profile)], tiers


def _profiles(rows: ir.Table) -> list[Mapping[str, Any]]:
    """Every combination of what decides about prices that has tokens, with its first and last day."""
    known = rows.filter(rows["Tokens"].notnull())
    keys = {name: known["x_ServiceTier" if name == "tier" else column] for name, column in PROFILE.items()}
    found = fetch(known.group_by(**keys).aggregate(first=known["ChargeDate"].min(), last=known["ChargeDate"].max()))
    return list[Mapping[str, Any]](
        sorted(found, key=lambda profile: tuple(str(profile[name] or "") for name in PROFILE))
    )


def _tiers(usage: ir.Table, period: Period, profiles: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The one tier that the sellers' own reports of usage name, by day and model for which a bill names none.

    A log of single requests may be a sample, which says nothing about the others.
    """
    open_ = {(profile["provider"], profile["model"]) for profile in profiles if profile["tier"] is None}
    open_ = {(provider, model) for provider, model in open_ if model is not None}
    if not open_:
        return []
    asked = usage.filter(
        usage["Grain"] != "request",
        usage["ServiceProviderName"].isin(sorted({provider for provider, _ in open_})),
        usage["ModelId"].isin(sorted({model for _, model in open_})),
    )
    rows = period.within(
        asked.select(
            on=asked["UsagePeriodStart"].date(),
            provider=asked["ServiceProviderName"],
            model=asked["ModelId"],
            tier=asked["ServiceTier"],
        ),
        "on",
    ).distinct()
    named = defaultdict[tuple[Any, ...], set[str | None]](set)
    for row in fetch(rows):
        named[row["on"], row["provider"], row["model"]].add(row["tier"])
    return [
        {"on": key[0], "provider": key[1], "model": key[2], "tier": next(iter(found))}
        for key, found in sorted(named.items())
        if len(found) == 1 and None not in found and key[1:] in open_
    ]


def _named(profiles: Iterable[Mapping[str, Any]], tiers: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Profiles without a tier, once more with each that usage names for their model."""
    of = defaultdict[tuple[str, str], set[str]](set)
    for row in tiers:
        of[row["provider"], row["model"]].add(row["tier"])
    return [
        {**profile, "tier": tier}
        for profile in profiles
        if profile["tier"] is None
        for tier in sorted(of[profile["provider"], profile["model"]])
    ]


def _with_tiers(rows: ir.Table, tiers: Sequence[Mapping[str, Any]]) -> ir.Table:
    """The rows with `r_Tier`: the bill's tier or, where it names none, that of usage."""
    if not tiers:
        return rows.mutate(r_Tier=rows["x_ServiceTier"])
    kinds = {"on": pa.date32(), "provider": pa.string(), "model": pa.string(), "tier": pa.string()}
    columns = {f"u_{name}": pa.array([row[name] for row in tiers], kind) for name, kind in kinds.items()}
    named = ibis.memtable(pa.table(columns))
    beside = [
        rows["ChargeDate"] == named["u_on"],
        rows["ServiceProviderName"] == named["u_provider"],
        rows["x_ModelId"] == named["u_model"],
    ]
    met = rows.left_join(named, beside)
    return met.mutate(r_Tier=met["x_ServiceTier"].coalesce(met["u_tier"]))


# The comparison, in the engine


def _table(stretches: Sequence[Stretch]) -> ir.Table:
    columns: dict[str, list[Any]] = defaultdict(list)
    for stretch in stretches:
        for name in PROFILE:
            columns[f"p_{name}"].append(stretch.profile[name] or "")
        columns["p_first"].append(stretch.first)
        columns["p_last"].append(stretch.last)
        rate = stretch.rate
        columns["p_Price"].append(None if rate is None else Decimal(rate.pico or 0).scaleb(-_PICO))
        columns["p_Highest"].append(None if rate is None else Decimal(rate.highest).scaleb(-_PICO))
        columns["p_Reason"].append(stretch.reason)
    kinds = {name: pa.string() for name in (*(f"p_{name}" for name in PROFILE), "p_Reason")}
    kinds |= {"p_first": pa.date32(), "p_last": pa.date32(), "p_Price": _PRICE, "p_Highest": _PRICE}
    return ibis.memtable(pa.table({name: pa.array(columns[name], kind) for name, kind in kinds.items()}))


def _sums(rows: ir.Table, stretches: Sequence[Stretch], by: Sequence[str]) -> pa.Table:
    """Sums by dimensions, day, currency and what came of the comparison, after it was made row by row."""
    book = _table(stretches)
    beside: list[Any] = [rows[column].fill_null("") == book[f"p_{name}"] for name, column in PROFILE.items()]
    beside += [rows["ChargeDate"] >= book["p_first"], rows["ChargeDate"] <= book["p_last"]]
    met = rows.left_join(book, beside)
    tokens = met["Tokens"]
    billed = met["BilledCost"].fill_null(0).cast(_MONEY)
    effects = (met["CommitmentBilled"].fill_null(0) + met["CreditBilled"].fill_null(0)).cast(_MONEY)
    book_cost = (tokens * met["p_Price"]).cast(_MONEY)
    beyond = (billed - book_cost - effects).cast(_MONEY)
    compared = met.select(
        **{f"d_{name}": _dimension(met, name) for name in by},
        on=met["ChargeDate"],
        currency=met["BillingCurrency"],
        outcome=ibis.cases((tokens.isnull(), "without_tokens"), (met["p_Price"].isnull(), "unpriced"), else_=COMPARED),
        why=ibis.ifelse(tokens.isnull(), met["TokensReason"], met["p_Reason"]),
        billed=billed,
        book_cost=book_cost,
        book_highest=(tokens * met["p_Highest"]).cast(_MONEY),
        effects=effects,
        unexplained=ibis.ifelse(
            _is_rounding(beyond, book_cost, met["Charges"]), ibis.literal(ZERO).cast(_MONEY), beyond
        ),
        tokens=tokens,
        tokens_from_usage=ibis.ifelse(met["TokensFrom"] == FROM_USAGE, tokens, ibis.null(tokens.type())),
        charges=met["Charges"],
    )
    keys = [*(f"d_{name}" for name in by), "on", "currency", "outcome", "why"]
    return arrow(compared.group_by(keys).aggregate(**{name: compared[name].sum() for name in _SUMS}))


def _is_rounding(beyond: ir.Value, book_cost: ir.Value, charges: ir.Value) -> ir.BooleanValue:
    """Whether a difference is no more than the tolerance (`reconciled.TOLERANCE`)."""
    of_charges = charges.cast("decimal(12, 0)") * ibis.literal(PER_CHARGE, "decimal(12, 3)")
    # Many times the difference against the whole: taking a share of the whole would cost a division of 128 bits.
    times = beyond.abs().cast("decimal(33, 18)") * ibis.literal(1 / OF_BOOK, "decimal(4, 0)")
    return (beyond.abs() <= of_charges) & (times <= book_cost.abs())


def _check(by: Iterable[str]) -> None:
    known = (*DIMENSIONS, TOKEN_TYPE, *CALENDAR)
    for name in by:
        if name not in known:
            told = ", ".join(known)
            raise ValueError(f"A reconciliation cannot be grouped by {name!r}; known dimensions are {told}.")


def _dimension(rows: ir.Table, name: str) -> ir.Value:
    if name in CALENDAR:
        return CALENDAR[name](rows["ChargeDate"])
    if name == TOKEN_TYPE:
        return token_type(rows)
    return rows["r_Tier" if name == "tier" else DIMENSIONS[name]]


# The result


def _rows(parts: pa.Table, by: tuple[str, ...]) -> tuple[ReconcileRow, ...]:
    keys = ["currency", *(f"d_{name}" for name in by)]
    spreads = _spreads(parts.filter(pc.field("outcome") == COMPARED), keys)
    groups = defaultdict[tuple[Any, ...], list[dict[str, Any]]](list)
    for part in _summed(parts, [*keys, "outcome", "why"], _SUMS).to_pylist():
        groups[tuple(part[name] for name in keys)].append(part)
    rows = [_row(dict(zip(by, key[1:], strict=True)), key[0], of, spreads.get(key)) for key, of in groups.items()]
    return tuple(sorted(rows, key=lambda row: (*order(row.dimensions, row.billed), row.currency)))


def _summed(parts: pa.Table, keys: Sequence[str], names: Sequence[str]) -> pa.Table:
    """Exact sums by `keys`; NULL where no row has a value."""
    sums = parts.group_by(keys).aggregate([(name, "sum") for name in names])
    return sums.select([*keys, *(f"{name}_sum" for name in names)]).rename_columns([*keys, *names])


def _row(
    dimensions: dict[str, Any], currency: str, parts: Sequence[dict[str, Any]], spread: Spread | None
) -> ReconcileRow:
    compared = [part for part in parts if part["outcome"] == COMPARED]
    unexplained = _total(compared, "unexplained")
    return ReconcileRow(
        dimensions=dimensions,
        currency=currency,
        billed=_total(parts, "billed"),
        book_cost=known_total(part["book_cost"] for part in compared),
        book_highest=known_total(part["book_highest"] for part in compared),
        effects=_total(compared, "effects"),
        explained=total((_total(compared, "billed"), unexplained.copy_negate())),
        unexplained=unexplained,
        tokens=_total(compared, "tokens"),
        tokens_from_usage=_total(compared, "tokens_from_usage"),
        spread=spread,
        remainders=_remainders([part for part in parts if part["outcome"] != COMPARED]),
        charges=sum(part["charges"] or 0 for part in parts),
    )


def _total(parts: Sequence[dict[str, Any]], name: str) -> Decimal:
    return total(part[name] or ZERO for part in parts)


def _spreads(compared: pa.Table, keys: Sequence[str]) -> dict[tuple[Any, ...], Spread]:
    """The calibration factors of single days, by `keys`."""
    factors = defaultdict[tuple[Any, ...], list[Decimal]](list)
    days = _summed(compared, [*keys, "on"], ("billed", "book_cost"))
    # By column: a year of days as rows, each with its names, takes twice as long.
    *names, billed, book = (days[name].to_pylist() for name in (*keys, "billed", "book_cost"))
    for key, amount, due in zip(zip(*names, strict=True), billed, book, strict=True):
        if (due or ZERO) > ZERO:
            factors[key].append(quotient(amount or ZERO, due))
    return {key: Spread(min(found), max(found), len(found)) for key, found in factors.items()}


def _remainders(parts: Sequence[dict[str, Any]]) -> tuple[Remainder, ...]:
    groups = defaultdict[tuple[str, str], list[dict[str, Any]]](list)
    for part in parts:
        groups[part["outcome"], part["why"] or ""].append(part)
    found = [
        Remainder(
            kind=kind,
            reason=reason,
            cost=_total(of, "billed"),
            tokens=known_total(part["tokens"] for part in of),
            charges=sum(part["charges"] or 0 for part in of),
        )
        for (kind, reason), of in groups.items()
    ]
    return tuple(sorted(found, key=lambda part: (-part.cost, part.kind, part.reason)))
