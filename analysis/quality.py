"""How far the figures of each source can be trusted: one score, and the findings behind it.

The score is what is left of 100 after four deductions, each a share between 0 and 1:

    score = 100 x (1 - missing) x (1 - rejected) x (1 - errors) x (1 - warnings / 4)

- missing: days without any charge, of all days between the first and the last that have one; the days of a month
  that is missing as a whole count as well.
- rejected: rows that could not be taken, of all rows that came in.
- errors, warnings: share of the billed cost that findings of this severity are about, of the worst currency; the
  shares of several findings are added, up to 1. A finding without money, or in a load that billed nothing,
  counts by its rows. Notes deduct nothing.

It never rises when anything gets worse. It is rounded down to one decimal, and only a source of which nothing but
notes was found has 100. A warning weighs a quarter of an error: the figure may be wrong rather than is.
Only loads that still hold a period count: what was replaced is no longer in the ledger.
"""

# Ibis types `table["x"]` as an abstract column, without the operations of its kind.
# pyright: reportAttributeAccessIssue=false, reportArgumentType=false
from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_DOWN, Decimal
from typing import TYPE_CHECKING, Any, Final

from analysis.period import Period, days_between, first_of_month
from analysis.result import ZERO, fetch, plain, quotient, total

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    import ibis.expr.types as ir

ONE: Final = Decimal(1)
#: What a warning weighs beside an error.
WARNING_WEIGHT: Final = Decimal("0.25")
_STEP: Final = Decimal("0.1")
_ORDER: Final = {"error": 0, "warning": 1, "note": 2}


@dataclass(frozen=True, slots=True)
class Load:
    """What a score needs of a load; `billed` is BilledCost of its rows by currency."""

    id: str
    connection: str
    table: str
    loaded_at: datetime
    periods: tuple[str, ...]
    rows_in: int
    rows_loaded: int
    rows_rejected: int
    billed: Mapping[str, Decimal]
    synthetic: bool


@dataclass(frozen=True, slots=True)
class SeenFinding:
    """A finding of a load that is still in the ledger; `billed` is BilledCost of its rows by currency."""

    load: str
    check: str
    severity: str
    rows: int
    billed: Mapping[str, Decimal]
    sentence: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """The days (UTC) of one source that have a charge, in order."""

    days: tuple[date, ...]

    @property
    def missing_days(self) -> tuple[date, ...]:
        """Days without a charge between the first and the last with one, those of missing months included."""
        if not self.days:
            return ()
        held = set(self.days)
        return tuple(day for day in days_between(self.days[0], self.days[-1]) if day not in held)

    @property
    def missing_months(self) -> tuple[date, ...]:
        """First days of the months between the first and the last that have no charge at all."""
        held = {first_of_month(day) for day in self.days}
        return tuple(sorted({first_of_month(day) for day in self.missing_days} - held))

    @property
    def missing_share(self) -> Decimal:
        """Missing days of all days between the first and the last, 0 to 1."""
        missing = len(self.missing_days)
        return quotient(Decimal(missing), Decimal(missing + len(self.days))) if missing else ZERO


@dataclass(frozen=True, slots=True)
class SourceQuality:
    """Quality of one source (connection).

    Attributes:
        connection: the source.
        score: 0 to 100, or None as `reason` says.
        reason: why there is no score.
        coverage: the days that have a charge.
        rows_in: rows that came in with the loads that are still in the ledger.
        rows_rejected: how many of them could not be taken.
        shares: share of billed cost by (severity, currency); currency "" is the share of rows, for findings without
            money.
        findings: what the checks saw, errors first.
        loads: the loads that are still in the ledger.
        synthetic: whether any of them is sample data.
    """

    connection: str
    score: Decimal | None
    reason: str | None
    coverage: Coverage
    rows_in: int
    rows_rejected: int
    shares: Mapping[tuple[str, str], Decimal]
    findings: tuple[SeenFinding, ...]
    loads: tuple[str, ...]
    synthetic: bool

    def record(self) -> dict[str, Any]:
        """The source as JSON carries it."""
        return {
            "connection": self.connection,
            "score": plain(self.score),
            "reason": self.reason,
            "first_day": self.coverage.days[0].isoformat() if self.coverage.days else None,
            "last_day": self.coverage.days[-1].isoformat() if self.coverage.days else None,
            "missing_days": [day.isoformat() for day in self.coverage.missing_days],
            "missing_months": [f"{month:%Y-%m}" for month in self.coverage.missing_months],
            "rows_in": self.rows_in,
            "rows_rejected": self.rows_rejected,
            "shares": [
                {"severity": severity, "currency": currency or None, "share": plain(share)}
                for (severity, currency), share in self.shares.items()
            ],
            "findings": [
                {
                    "check": f.check,
                    "severity": f.severity,
                    "rows": f.rows,
                    "billed": {currency: plain(amount) for currency, amount in f.billed.items()},
                    "sentence": f.sentence,
                }
                for f in self.findings
            ],
            "synthetic": self.synthetic,
        }


def covered_days(daily_spend: ir.Table, *, start: date | None = None, end: date | None = None) -> ir.Table:
    """Days that hold a charge: `x_Connection`, `ChargeDate` and the load (`x_LoadId`) that brought it, each once."""
    rows = Period(start, end).within(daily_spend)
    return rows.select("x_Connection", "ChargeDate", "x_LoadId").distinct()


def quality(
    loads: ir.Table, findings: ir.Table, daily_spend: ir.Table, *, start: date | None = None, end: date | None = None
) -> tuple[SourceQuality, ...]:
    """The quality of every source, in the order of their names.

    A period limits which days are looked at for gaps; findings belong to whole loads and are not cut.

    Args:
        loads: `ledger.tables.LOADS`.
        findings: `ledger.tables.FINDINGS`.
        daily_spend: the rollup (`ledger.tables.DAILY_SPEND`).
        start: first day (UTC), or None for the first there is.
        end: the day after the last one, or None for the last there is.
    """
    days = fetch(covered_days(daily_spend, start=start, end=end))
    whole = start is None and end is None
    holding = {row["x_LoadId"] for row in (days if whole else fetch(daily_spend.select("x_LoadId").distinct()))}
    kept = current_loads([_load(row) for row in fetch(_load_columns(loads))], holding)
    seen = [_finding(row) for row in fetch(_finding_columns(findings))]
    names = sorted({load.connection for load in kept} | {row["x_Connection"] for row in days})
    return tuple(
        score(
            name,
            [load for load in kept if load.connection == name],
            seen,
            Coverage(tuple(sorted({row["ChargeDate"] for row in days if row["x_Connection"] == name}))),
        )
        for name in names
    )


def current_loads(loads: Iterable[Load], holding: set[str]) -> list[Load]:
    """The loads still in the ledger: the latest of any period of a source and table, and those that hold rows.

    Args:
        loads: every load of the workspace.
        holding: ids of loads of which the ledger holds rows; one source may have several accounts for one period.
    """
    ordered = sorted(loads, key=lambda load: (load.loaded_at, load.id))
    latest = {(load.connection, load.table, unit): load.id for load in ordered for unit in _units(load.periods)}
    current = set(latest.values()) | holding
    return [load for load in ordered if load.id in current]


def score(connection: str, loads: Sequence[Load], findings: Iterable[SeenFinding], coverage: Coverage) -> SourceQuality:
    """The score of one source from the loads that are still in the ledger; findings of other loads are left out."""
    ids = {load.id for load in loads}
    seen = sorted((f for f in findings if f.load in ids), key=lambda f: (_ORDER.get(f.severity, 3), f.check, f.load))
    rows_in, rejected = sum(load.rows_in for load in loads), sum(load.rows_rejected for load in loads)
    shares = {key: share for level in ("error", "warning", "note") for key, share in _shares(level, seen, loads)}
    factors = (
        ONE - coverage.missing_share,
        ONE - _capped(Decimal(rejected), Decimal(rows_in)),
        ONE - _worst(shares, "error"),
        ONE - _worst(shares, "warning") * WARNING_WEIGHT,
    )
    result = Decimal(100)
    for factor in factors:
        result *= factor
    if coverage.missing_days or rejected or any(f.severity != "note" for f in seen):
        # A share below the twelfth digit is 0, and yet something was found.
        result = min(result, Decimal(100) - _STEP)
    reason = None if coverage.days or rows_in else "the ledger holds nothing from this source in the period"
    return SourceQuality(
        connection=connection,
        score=None if reason else result.quantize(_STEP, ROUND_DOWN),
        reason=reason,
        coverage=coverage,
        rows_in=rows_in,
        rows_rejected=rejected,
        shares=shares,
        findings=tuple(seen),
        loads=tuple(load.id for load in loads),
        synthetic=any(load.synthetic for load in loads),
    )


def _shares(
    severity: str, findings: Iterable[SeenFinding], loads: Sequence[Load]
) -> list[tuple[tuple[str, str], Decimal]]:
    """Share of billed cost (or of rows, currency "") that findings of one severity are about."""
    chosen = [f for f in findings if f.severity == severity]
    result = list[tuple[tuple[str, str], Decimal]]()
    valued = dict[str, list[Decimal]]()
    unvalued = ZERO
    for finding in chosen:
        known = {c: a for c, a in finding.billed.items() if _billed(loads, c)}
        for currency, amount in known.items():
            valued.setdefault(currency, []).append(abs(amount))
        if not any(known.values()):
            unvalued += finding.rows
    for currency, amounts in sorted(valued.items()):
        result.append(((severity, currency), _capped(total(amounts), _billed(loads, currency))))
    if unvalued:
        loaded = Decimal(sum(load.rows_loaded for load in loads))
        result.append(((severity, ""), _capped(unvalued, loaded)))
    return result


def _billed(loads: Iterable[Load], currency: str) -> Decimal:
    return abs(total(load.billed.get(currency, ZERO) for load in loads))


def _capped(part: Decimal, whole: Decimal) -> Decimal:
    """`part` of `whole`, at most 1; a part of nothing is all of it."""
    if part == ZERO:
        return ZERO
    return min(ONE, quotient(part, whole)) if whole else ONE


def _worst(shares: Mapping[tuple[str, str], Decimal], severity: str) -> Decimal:
    return max((share for (level, _), share in shares.items() if level == severity), default=ZERO)


def _units(periods: Sequence[str]) -> list[str]:
    """What a load replaces as comparable units: each day of a span, each month; a load of everything is one unit."""
    units = list[str]()
    for period in periods:
        first, _, last = period.partition("..")
        if last:
            units += [day.isoformat() for day in days_between(date.fromisoformat(first), date.fromisoformat(last))]
        else:
            units.append(first)
    return units or ["all"]


def _load_columns(loads: ir.Table) -> ir.Table:
    return loads.select(
        "LoadId",
        "Connection",
        "TableName",
        "LoadedAt",
        "RowsIn",
        "RowsLoaded",
        "RowsRejected",
        "Synthetic",
        Periods=loads["Periods"].cast("string"),
        BilledLoaded=loads["BilledLoaded"].cast("string"),
    )


def _finding_columns(findings: ir.Table) -> ir.Table:
    names = ("LoadId", "CheckId", "Severity", "RowCount", "Sentence")
    return findings.select(*names, Billed=findings["Billed"].cast("string"))


def _load(row: Mapping[str, Any]) -> Load:
    return Load(
        id=row["LoadId"],
        connection=row["Connection"],
        table=row["TableName"],
        loaded_at=row["LoadedAt"],
        periods=tuple(json.loads(row["Periods"])),
        rows_in=row["RowsIn"],
        rows_loaded=row["RowsLoaded"],
        rows_rejected=row["RowsRejected"],
        billed=_amounts(row["BilledLoaded"]),
        synthetic=row["Synthetic"],
    )


def _finding(row: Mapping[str, Any]) -> SeenFinding:
    return SeenFinding(
        load=row["LoadId"],
        check=row["CheckId"],
        severity=row["Severity"],
        rows=row["RowCount"],
        billed=_amounts(row["Billed"]),
        sentence=row["Sentence"],
    )


def _amounts(text: str | None) -> dict[str, Decimal]:
    """Decimal strings by currency, as lineage columns keep them."""
    return {currency: Decimal(amount) for currency, amount in json.loads(text or "{}").items() if amount is not None}
