"""Tokens from `usage` for charges whose bill states money but no quantity.

The bill is the truth of money, usage is the truth of tokens. They meet at the finest grain that both state:
provider, UTC day, model, version, direction and cache action always; service tier and account where both do.
Whatever only one side states (context window, cache lifetime, modality, ...) is summed over, on both sides, so
that the whole cost of a key stands over the whole tokens of the same key, and each token is counted once.
"""

# Ibis types `table["x"]` as an abstract column, without the operations of its kind.
# pyright: reportAttributeAccessIssue=false, reportOperatorIssue=false, reportArgumentType=false
# pyright: reportCallIssue=false, reportReturnType=false
from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

import ibis

from ledger.engine import give_back
from ledger.focus import INSTANT, JSON, TEXT
from ledger.lake import ALIAS
from ledger.tables import COUNT, MEASURES, TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    import duckdb
    import ibis.expr.types as ir

#: Ibis's names of column types that it does not call as DuckDB does.
_IBIS_TYPES: Final = {TEXT: "string", COUNT: "int64", INSTANT: "timestamp('UTC')", JSON: "json"}

#: Where a row's tokens are from: values of `TokensFrom`, which is NULL where the tokens are unknown.
FROM_BILL: Final = "bill"
FROM_USAGE: Final = "usage"

#: Why a charge has no tokens: values of `TokensReason` beside those that the mapping gives in `x_Unmapped`.
NO_QUANTITY: Final = "the bill states no token quantity"
PROVISIONED: Final = "provisioned throughput is billed by time, not by the token"
NO_USAGE: Final = (
    "the bill states no token quantity, and usage has no tokens for this provider, day, model and token type"
)
TIER_NOT_BILLED: Final = "the bill names a service tier for other charges of this model and day, but not for this one"
TIER_NOT_USED: Final = "usage names a service tier for only a part of this model's tokens of the day"
BILLED_ALREADY: Final = "the bill states tokens for other charges of this model, day and token type"
SEVERAL_CURRENCIES: Final = (
    "this model, day and token type is billed in several currencies, which tokens cannot tell apart"
)
SEVERAL_SOURCES: Final = "usage holds this model, day and token type from several sources or at several grains"

_SCOPE: Final = ("ChargeDate", "ServiceProviderName", "x_ModelId")
_KEY: Final = (*_SCOPE, "k_Version", "k_Kind", "k_Tier", "k_Account")
_MEASURES: Final = tuple(column.name for column in MEASURES)
_TOKENS: Final = "decimal(38, 6)"
#: Rows of `daily_tokens` that are brought together with usage at a time.
_PIECE: Final = 12_500
#: A tier or account that is summed over.
_ANY: Final = "*"

#: Token kinds of usage, disjoint, and the columns that add up to each.
KINDS: Final = {
    "Input Uncached": ("InputUncachedTokens",),
    "Input Read": ("CacheReadTokens",),
    "Input Write": (
        "CacheWriteTokens",
        "CacheWrite5mTokens",
        "CacheWrite30mTokens",
        "CacheWrite1hTokens",
        "CacheWrite12hTokens",
    ),
    "Output": ("OutputTokens",),
}


def refresh(cursor: duckdb.DuckDBPyConnection, touched: str, *, most: int = _PIECE) -> None:
    """Bring `daily_token_costs` up to date for the days that the query `touched` gives, in the caller's transaction.

    Days stand alone, so a large month is taken in pieces of days, of at most `most` rows unless a day has more: the
    smallest and largest text of every column of every group is held in memory, beyond the engine's own limit.
    """
    cursor.execute(f"DELETE FROM daily_token_costs WHERE ChargeDate IN ({touched})")
    days = cursor.execute(
        "SELECT ChargeDate, count(*), count(*) - count(Tokens) FROM daily_tokens "
        f"WHERE ChargeDate IN ({touched}) GROUP BY 1 ORDER BY 1"
    ).fetchall()
    names = ", ".join(f'"{c.name}"' for c in TABLES["daily_token_costs"])
    for piece in _pieces(days, most):
        give_back(cursor)
        dates = ", ".join(f"DATE '{day}'" for day, _, _ in piece)
        # The files that hold other days only are left out by their statistics.
        first, last = piece[0][0], piece[-1][0]
        bound = f"BETWEEN TIMESTAMPTZ '{first} 00:00:00Z' AND TIMESTAMPTZ '{last} 23:59:59.999999Z'"
        resolved = _resolved_sql(asks_usage=any(unknown for _, _, unknown in piece))
        cursor.execute(
            f"INSERT INTO daily_token_costs WITH daily_tokens AS (SELECT * FROM {ALIAS}.main.daily_tokens "
            f"WHERE ChargeDate BETWEEN DATE '{first}' AND DATE '{last}' AND ChargeDate IN ({dates})), "
            f"usage AS (SELECT * FROM {ALIAS}.main.usage WHERE UsagePeriodStart {bound} "
            f"AND UsagePeriodStart::DATE IN ({dates})) SELECT {names} FROM ({resolved})"
        )


def _pieces(days: list[tuple[date, int, int]], most: int) -> Iterator[list[tuple[date, int, int]]]:
    """Days (each with its number of rows) in runs of at most `most` rows, or of one day."""
    piece: list[tuple[date, int, int]] = []
    held = 0
    for day in days:
        if piece and held + day[1] > most:
            yield piece
            piece, held = [], 0
        piece.append(day)
        held += day[1]
    if piece:
        yield piece


@cache
def _resolved_sql(*, asks_usage: bool) -> str:
    """The rollup with its tokens' origin; usage is asked only where a bill leaves tokens open."""
    bill, usage = (ibis.table(_schema(name), name=name) for name in ("daily_tokens", "usage"))
    return str(ibis.to_sql(with_usage(bill, usage) if asks_usage else with_origin(bill), dialect="duckdb"))


def _schema(table: str) -> dict[str, str]:
    return {c.name: _IBIS_TYPES.get(c.type, c.type.lower()) for c in TABLES[table]}


def with_origin(daily_tokens: ir.Table) -> ir.Table:
    """`daily_tokens` with `TokensFrom` ('bill' or NULL) and `TokensReason` (NULL where the tokens are known)."""
    known = daily_tokens["Tokens"].notnull()
    why = daily_tokens["x_Unmapped"].coalesce(
        ibis.ifelse(_is(daily_tokens["x_ServiceTier"], "provisioned"), PROVISIONED, NO_QUANTITY)
    )
    return daily_tokens.mutate(
        TokensFrom=ibis.ifelse(known, FROM_BILL, ibis.null("string")),
        TokensReason=ibis.ifelse(known, ibis.null("string"), why),
    )


def with_usage(daily_tokens: ir.Table, usage: ir.Table) -> ir.Table:
    """`daily_tokens` with tokens from `usage` where the bill has cost but no tokens.

    - A charge is a candidate where the bill names model and direction, states no tokens, and it is not
      provisioned throughput. Usage on provisioned throughput is left out too: other charges pay for it.
    - Where the bill states tokens for any charge of a key, usage adds none to that key.
    - Service tier: where the bill names none for a model and day, or usage names none, tiers are summed over on both
      sides. Otherwise tiers must be equal: a charge without one stays without tokens, and so does the whole model
      and day where usage names the tier of a part only.
    - Account: equal where both sides name it on every row of a model and day, else summed over.
    - Requests of a log count only where no report by minute, hour or day covers their provider and day.
    - Tokens that usage holds from several connections or grains may be the same tokens twice: none is taken.

    Args:
        daily_tokens: the rollup (`ledger.tables.DAILY_TOKENS`).
        usage: `ledger.tables.USAGE`, of any grain up to a day.

    Returns:
        The columns of `daily_tokens`, `TokensFrom` and `TokensReason`. Rows that got their tokens from usage are one
        for each key; a dimension outside the key is kept where all of its charges agree on it, and else NULL. All
        other rows are as they were. Sums of cost and charges never change.
    """
    bill, used = _bill(with_origin(daily_tokens)), _used(usage)
    modes = _modes(bill, used)
    asked = _keyed(bill, modes)
    verdicts = _verdicts(asked, _offered(used, modes))
    judged = asked.left_join(verdicts, [asked[name] == verdicts[f"v_{name}"] for name in _KEY])
    filled = judged["k_Candidate"] & judged["v_Tokens"].notnull()
    columns = [*daily_tokens.columns, "TokensFrom", "TokensReason"]
    kept = judged.filter(~filled).mutate(
        TokensReason=ibis.ifelse(
            judged["k_Candidate"], judged["v_Reason"].coalesce(ibis.literal(NO_USAGE)), judged["TokensReason"]
        )
    )
    merged = _merged(judged.filter(filled), daily_tokens)
    return ibis.union(kept.select(columns), merged.select(columns))


def _is(column: ir.Value, value: str) -> ir.BooleanValue:
    return (column == value).fill_null(False)


def _bill(rows: ir.Table) -> ir.Table:
    """Bill rows with the parts of their key; `k_Kind` is NULL where usage has no such kind."""
    direction, action = rows["x_TokenDirection"], rows["x_TokenCacheAction"]
    paid_by_time = _is(rows["x_ServiceTier"], "provisioned")
    kind = ibis.cases(
        (paid_by_time, ibis.null("string")),
        (direction == "Output", "Output"),
        ((direction == "Input") & action.isin(["Uncached", "Read", "Write"]), ibis.literal("Input ") + action),
    )
    return rows.mutate(
        k_Version=rows["x_ModelVersion"].fill_null(""),
        k_Kind=kind,
        k_Candidate=rows["Tokens"].isnull() & rows["x_ModelId"].notnull() & direction.notnull() & ~paid_by_time,
    )


def _used(usage: ir.Table) -> ir.Table:
    """Usage in the bill's names, one row for each token kind that it counts."""
    metered = _reported(usage.filter(usage["ModelId"].notnull(), ~_is(usage["ServiceTier"], "provisioned")))
    kinds = [_used_kind(metered, kind, columns) for kind, columns in KINDS.items()]
    rows = ibis.union(*kinds)
    return rows.filter(rows["u_Tokens"] > 0)


def _reported(usage: ir.Table) -> ir.Table:
    """Usage without the requests of a provider and day that a report by minute, hour or day covers as well.

    A log of requests beside such a report tells of the same tokens again, or of a sample of them.
    """
    rows = usage.mutate(r_Day=usage["UsagePeriodStart"].date(), r_IsLog=usage["Grain"] == "request")
    reports = rows.filter(~rows["r_IsLog"]).select(p_Day="r_Day", p_Provider="ServiceProviderName").distinct()
    beside = [rows["r_Day"] == reports["p_Day"], rows["ServiceProviderName"] == reports["p_Provider"]]
    return ibis.union(rows.filter(~rows["r_IsLog"]), rows.filter(rows["r_IsLog"]).anti_join(reports, beside))


def _used_kind(usage: ir.Table, kind: str, columns: tuple[str, ...]) -> ir.Table:
    counts = [usage[name].fill_null(0).cast(_TOKENS) for name in columns]
    tokens = counts[0]
    for count in counts[1:]:
        tokens = tokens + count
    return usage.select(
        ChargeDate=usage["UsagePeriodStart"].date(),
        ServiceProviderName=usage["ServiceProviderName"],
        x_ModelId=usage["ModelId"],
        k_Version=usage["ModelVersion"].fill_null(""),
        k_Kind=ibis.literal(kind),
        x_ServiceTier=usage["ServiceTier"],
        SubAccountId=usage["SubAccountId"],
        u_Grain=usage["Grain"],
        u_Connection=usage["x_Connection"],
        u_Tokens=tokens.cast(_TOKENS),
    )


def _stated(rows: ir.Table, prefix: str) -> ir.Table:
    """For each provider, day and model: whether any row names a tier, all do, and all name an account."""
    tier, account = rows["x_ServiceTier"].notnull(), rows["SubAccountId"].notnull()
    return rows.group_by(**{f"{prefix}_{name}": rows[name] for name in _SCOPE}).aggregate(
        **{
            f"{prefix}_AnyTier": tier.any(),
            f"{prefix}_AllTiers": tier.all(),
            f"{prefix}_AllAccounts": account.all(),
        }
    )


def _modes(bill: ir.Table, used: ir.Table) -> ir.Table:
    """How the two sides meet for each provider, day and model that both have."""
    billed = _stated(bill.filter(bill["k_Kind"].notnull(), bill["x_ModelId"].notnull()), "b")
    stated = _stated(used, "u")
    both = billed.inner_join(stated, [billed[f"b_{name}"] == stated[f"u_{name}"] for name in _SCOPE])
    by_tier = both["b_AnyTier"] & both["u_AnyTier"]
    return both.select(
        **{f"m_{name}": both[f"b_{name}"] for name in _SCOPE},
        m_ByTier=by_tier,
        m_TierOpen=by_tier & ~both["u_AllTiers"],
        m_ByAccount=both["b_AllAccounts"] & both["u_AllAccounts"],
    )


def _keyed(rows: ir.Table, modes: ir.Table) -> ir.Table:
    """Rows of either side with `k_Tier` and `k_Account`; NULL where the two sides do not meet at all."""
    met = rows.left_join(modes, [rows[name] == modes[f"m_{name}"] for name in _SCOPE])
    return met.mutate(
        k_Tier=ibis.cases((met["m_ByTier"], met["x_ServiceTier"].fill_null("")), (~met["m_ByTier"], _ANY)),
        k_Account=ibis.cases((met["m_ByAccount"], met["SubAccountId"]), (~met["m_ByAccount"], _ANY)),
    )


def _offered(used: ir.Table, modes: ir.Table) -> ir.Table:
    """Tokens that usage has for each key, and whether they come from one source at one grain."""
    rows = _keyed(used, modes)
    grain, connection = rows["u_Grain"], rows["u_Connection"]
    return rows.group_by(**{f"o_{name}": rows[name] for name in _KEY}).aggregate(
        o_Tokens=summed(rows, "u_Tokens").cast(_TOKENS),
        o_Several=(grain.min() != grain.max()) | (connection.min() != connection.max()),
    )


def _verdicts(asked: ir.Table, offered: ir.Table) -> ir.Table:
    """For each key of the bill: the tokens that it gets, or the reason why it gets none."""
    currency = asked["BillingCurrency"]
    keys = asked.group_by(list(_KEY)).aggregate(
        k_Stated=asked["Tokens"].notnull().any(),
        k_Currencies=currency.min() != currency.max(),
        k_TierOpen=asked["m_TierOpen"].any(),
    )
    pairs = keys.left_join(offered, [keys[name] == offered[f"o_{name}"] for name in _KEY])
    reason = ibis.cases(
        (pairs["k_TierOpen"], TIER_NOT_USED),
        (pairs["k_Tier"] == "", TIER_NOT_BILLED),
        (pairs["k_Stated"], BILLED_ALREADY),
        (pairs["o_Tokens"].isnull(), NO_USAGE),
        (pairs["o_Several"], SEVERAL_SOURCES),
        (pairs["k_Currencies"], SEVERAL_CURRENCIES),
    )
    told = pairs.mutate(v_Reason=reason)
    return told.select(
        **{f"v_{name}": told[name] for name in _KEY},
        v_Reason=told["v_Reason"],
        v_Tokens=ibis.ifelse(told["v_Reason"].isnull(), told["o_Tokens"], ibis.null(_TOKENS)),
    )


def _merged(filled: ir.Table, daily_tokens: ir.Table) -> ir.Table:
    """One row for each key: all of its cost, and its tokens once."""
    columns = daily_tokens.schema()
    settled = {*_SCOPE, *_MEASURES, "Tokens", "x_Unmapped"}
    rows = filled.group_by(list(_KEY)).aggregate(
        **{name: _common(filled, name) for name in columns if name not in settled},
        **{name: summed(filled, name).cast(columns[name]) for name in _MEASURES},
        Tokens=filled["v_Tokens"].max(),
    )
    return rows.mutate(
        x_Unmapped=ibis.null("string"),
        TokensFrom=ibis.literal(FROM_USAGE),
        TokensReason=ibis.null("string"),
    )


def _common(rows: ir.Table, name: str) -> ir.Value:
    """The value on which all rows of a group agree, else NULL."""
    column = rows[name]
    agreed = (column.min() == column.max()) & (column.count() == rows.count())
    return ibis.ifelse(agreed, column.min(), ibis.null(column.type()))


def summed(rows: ir.Table, name: str) -> Any:  # noqa: ANN401 - Ibis knows no abstract sum
    """The engine's own sum of a column; NULL where no row has a value."""
    return rows[name].sum()
