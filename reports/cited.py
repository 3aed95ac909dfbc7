"""What a claim cites of the ledger: the rows of its scope and their digest, loads and finality."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from analysis.finality import final_from
from analysis.reconcile import PROFILE
from analysis.scope import OF_CHARGES, OF_USAGE, Scope
from analysis.spend import TAG
from ledger.engine import literal
from ledger.lake import ALIAS, Lake
from ledger.rollups import rolled_sql, spend_sql, tokens_sql
from reports.claim import CitedLoad, SourceFile

if TYPE_CHECKING:
    import ibis.expr.types as ir

_NO_STATE: Final = "NULL::VARCHAR AS x_State"
#: The dimensions whose sums make the cited rows; load ids are none, so that the same bill loaded again is the same.
_SPEND: Final = (
    "ServiceProviderName",
    "ServiceName",
    "SubAccountId",
    "x_ModelId",
    "ChargeCategory",
    "BillingCurrency",
)
_TOKENS: Final = (*(column for column in PROFILE.values() if column != "r_Tier"), "x_ServiceTier")


@dataclass(frozen=True, slots=True)
class Tables:
    """The ledger's tables of one scope at one snapshot; `drivers` is whole."""

    spend: ir.Table
    token_costs: ir.Table
    usage: ir.Table
    drivers: ir.Table
    snapshot: int


@dataclass(frozen=True, slots=True)
class Settled:
    """How final the cited days are: days that may be restated, and the months (first day) that they lie in."""

    unsettled: tuple[date, ...]

    @property
    def periods(self) -> tuple[date, ...]:
        """Months with a day that may be restated."""
        return tuple(sorted({day.replace(day=1) for day in self.unsettled}))


def tables(lake: Lake, scope: Scope, snapshot: int) -> Tables:
    """The tables of a scope; on dimensions that are not rolled up, rolled up here out of the charges (the slow way)."""
    if not scope.needs_charges:
        names = ("daily_spend", "daily_token_costs", "usage", "drivers")
        spend, costs, usage, drivers = lake.tables(*names, snapshot=snapshot)
        return Tables(scope.charges(spend), scope.charges(costs), usage, drivers, snapshot)
    (drivers,) = lake.tables("drivers", snapshot=snapshot)
    spend, costs, usage = _rolled(lake, scope, snapshot)
    return Tables(spend, costs, usage, drivers, snapshot)


def _rolled(lake: Lake, scope: Scope, snapshot: int) -> tuple[ir.Table, ...]:
    """Rollups of the charges in scope; their tokens are those of the bill alone."""
    import ibis  # noqa: PLC0415 - half a second that only a claim needs

    from ledger.tables import CHARGES  # noqa: PLC0415
    from ledger.token_usage import with_origin  # noqa: PLC0415

    cursor = lake.cursor()
    where = condition(scope, OF_CHARGES)
    staged = f"(SELECT *, {_NO_STATE} FROM {ALIAS}.main.charges AT (VERSION => {snapshot}) WHERE {where})"
    present = [column.name for column in CHARGES]
    cursor.execute(f"CREATE TEMP TABLE scoped_spend AS {spend_sql(f'({rolled_sql(staged, present)})')}")
    cursor.execute(f"CREATE TEMP TABLE scoped_tokens AS {tokens_sql(staged, present)}")
    cursor.execute(f"CREATE TEMP VIEW scoped_usage AS FROM {ALIAS}.main.usage AT (VERSION => {snapshot})")
    backend = ibis.duckdb.from_connection(cursor)
    found = [backend.table(name, database=("temp", "main")) for name in ("scoped_spend", "scoped_tokens")]
    return found[0], with_origin(found[1]), backend.table("scoped_usage", database=("temp", "main"))


def condition(scope: Scope, columns: Mapping[str, Sequence[str]]) -> str:
    """A scope as an SQL condition."""
    parts = list[str]()
    for part in scope.filters:
        values = ", ".join(literal(value) for value in part.values)
        if part.dimension.startswith(TAG):
            path = literal(f'$."{part.dimension.removeprefix(TAG)}"')
            parts.append(f"json_extract_string(Tags, {path}) IN ({values})")
        else:
            either = " OR ".join(f"{name} IN ({values})" for name in columns[part.dimension])
            parts.append(f"({either})")
    return " AND ".join(parts) or "true"


def row_query(scope: Scope, driver: str, source: str, spans: Iterable[tuple[date, date]], snapshot: int) -> str:
    """SQL that gives the cited rows as one text each, in order: cost and tokens by day, and the driver's days.

    Args:
        scope: the charges.
        driver: its name.
        source: `drivers` or `usage`.
        spans: first and last days of the periods.
        snapshot: of the ledger.
    """
    at = f"AT (VERSION => {snapshot})"
    days = list(spans)
    if scope.needs_charges:
        charge_days = between("ChargePeriodStart::DATE", days)
        spend = _lines("charges", at, condition(scope, OF_CHARGES), charge_days, _SPEND, "ChargePeriodStart::DATE")
        sources = [spend]
    else:
        where, dated = condition(scope, OF_CHARGES), between("ChargeDate", days)
        spend = _lines("daily_spend", at, where, dated, _SPEND, "ChargeDate", "CommitmentBilled", "CreditBilled")
        sources = [spend, _lines("daily_token_costs", at, where, dated, _TOKENS, "ChargeDate", "Tokens")]
    if source == "drivers":
        sources.append(
            "SELECT concat_ws('|', 'driver', DriverDate, DriverName, DriverValue) AS line "
            f"FROM {ALIAS}.main.drivers {at} WHERE DriverName = {literal(driver)} AND {between('DriverDate', days)}"
        )
    else:
        used = condition(scope, OF_USAGE)
        sources.append(
            "SELECT concat_ws('|', 'requests', UsagePeriodStart::DATE, sum(Requests)) AS line "
            f"FROM {ALIAS}.main.usage {at} WHERE Grain <> 'request' AND {used} "
            f"AND {between('UsagePeriodStart::DATE', days)} GROUP BY UsagePeriodStart::DATE"
        )
    return f"SELECT line FROM ({' UNION ALL '.join(sources)}) ORDER BY line"


def _lines(table: str, at: str, where: str, dated: str, keys: Sequence[str], day: str, *more: str) -> str:
    sums = ("BilledCost", "EffectiveCost", *more)
    texts = [day, *(f"coalesce({key}, '')" for key in keys), *(f"coalesce(sum({name})::VARCHAR, '')" for name in sums)]
    grouped = ", ".join((day, *keys))
    return (
        f"SELECT concat_ws('|', {literal(table)}, {', '.join(texts)}) AS line FROM {ALIAS}.main.{table} {at} "
        f"WHERE {where} AND {dated} GROUP BY {grouped}"
    )


def between(column: str, spans: Sequence[tuple[date, date]]) -> str:
    """SQL condition: a day lies in one of the spans, both ends included."""
    either = " OR ".join(f"{column} BETWEEN DATE {literal(first)} AND DATE {literal(last)}" for first, last in spans)
    return f"({either})"


def digest_rows(lake: Lake, query: str) -> str:
    """SHA-256 (hex) of the texts that `row_query`'s SQL gives, one on each line."""
    rows = lake.records(f"SELECT sha256(coalesce(string_agg(line, chr(10) ORDER BY line), '')) AS d FROM ({query})")
    return str(rows[0]["d"])


def loads(
    lake: Lake, scope: Scope, driver: str, source: str, spans: Sequence[tuple[date, date]], snapshot: int
) -> tuple[CitedLoad, ...]:
    """The loads that the rows of a claim came from, by id."""
    at = f"AT (VERSION => {snapshot})"
    table, day = ("charges", "ChargePeriodStart::DATE") if scope.needs_charges else ("daily_spend", "ChargeDate")
    charged = f"{condition(scope, OF_CHARGES)} AND {between(day, spans)}"
    parts = [f"SELECT x_LoadId FROM {ALIAS}.main.{table} {at} WHERE {charged}"]
    if source == "drivers":
        parts.append(
            f"SELECT x_LoadId FROM {ALIAS}.main.drivers {at} WHERE DriverName = {literal(driver)} "
            f"AND {between('DriverDate', spans)}"
        )
    else:
        parts.append(
            f"SELECT x_LoadId FROM {ALIAS}.main.usage {at} WHERE {condition(scope, OF_USAGE)} "
            f"AND {between('UsagePeriodStart::DATE', spans)}"
        )
    rows = lake.records(
        f"SELECT * FROM {ALIAS}.main.loads {at} WHERE LoadId IN ({' UNION '.join(parts)}) ORDER BY LoadId"
    )
    return tuple(_load(row) for row in rows)


def _load(row: Mapping[str, Any]) -> CitedLoad:
    files: list[dict[str, Any]] = json.loads(row["Sources"])
    return CitedLoad(
        load_id=row["LoadId"],
        connection=row["Connection"],
        format=row["Format"],
        table=row["TableName"],
        loaded=row["LoadedAt"],
        first_moment=row["FirstMoment"],
        last_moment=row["LastMoment"],
        rows=row["RowsLoaded"],
        rejected=row["RowsRejected"],
        synthetic=row["Synthetic"],
        files=tuple(SourceFile(file.get("name") or "", file.get("bytes"), file.get("sha256")) for file in files),
    )


def settled(lake: Lake, scope: Scope, spans: Sequence[tuple[date, date]], snapshot: int) -> Settled:
    """Days of a claim that their provider may still have restated after they were loaded."""
    at = f"AT (VERSION => {snapshot})"
    table, day = ("charges", "ChargePeriodStart::DATE") if scope.needs_charges else ("daily_spend", "ChargeDate")
    rows = lake.records(
        f"SELECT coalesce(l.Provider, c.ServiceProviderName) AS provider, c.{day} AS on_day, min(l.LoadedAt) AS loaded "
        f"FROM {ALIAS}.main.{table} AS c {at} JOIN {ALIAS}.main.loads AS l {at} ON l.LoadId = c.x_LoadId "
        f"WHERE {condition(scope, OF_CHARGES)} AND {between(day, spans)} GROUP BY ALL"
    )
    open_days = {row["on_day"] for row in rows if row["loaded"].date() < final_from(row["provider"], row["on_day"])}
    return Settled(tuple(sorted(open_days)))


def bounds(lake: Lake, scope: Scope, snapshot: int) -> tuple[date, date] | None:
    """First and last day with a charge of the scope; None where there is none."""
    at = f"AT (VERSION => {snapshot})"
    table, day = ("charges", "ChargePeriodStart::DATE") if scope.needs_charges else ("daily_spend", "ChargeDate")
    rows = lake.records(
        f"SELECT min({day}) AS first, max({day}) AS last FROM {ALIAS}.main.{table} {at} "
        f"WHERE {condition(scope, OF_CHARGES)}"
    )
    first, last = rows[0]["first"], rows[0]["last"]
    return None if first is None else (first, last)
