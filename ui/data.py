"""What the pages ask of the ledger: cached loaders over the rollups.

Their answers are frozen and handed out as they are, to everybody: a copy for each run would cost more than the query.
Streamlit's cache is one for all people and workspaces of a process, so every loader takes the workspace and the
number of the snapshot it reads, in that order; a new load is a new snapshot and thereby a new figure.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import streamlit as st

from accounts.home import lake_address
from analysis.quality import SourceQuality
from analysis.quality import quality as sources
from analysis.result import Metric, fetch
from analysis.spend import SpendTable, spend_table
from analysis.unit_cost import UnitCostTable, unit_cost
from analysis.where import Where, within
from analysis.where import names as where_names
from ledger.lake import Lake
from ui import running

#: Results that are kept; the oldest goes first.
_ENTRIES: Final = 200
#: Rejected rows that a page lists.
MOST_REJECTS: Final = 500


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the charges of a workspace cover.

    Attributes:
        currencies: codes, the one with the most charges first.
        first: first day with a charge.
        last: last day with a charge.
        newest_period: first day of the newest billing period.
        synthetic: whether any load that still has rows is sample data.
        real: whether any of them is not.
    """

    currencies: tuple[str, ...] = ()
    first: date | None = None
    last: date | None = None
    newest_period: date | None = None
    synthetic: bool = False
    real: bool = False


@dataclass(frozen=True, slots=True)
class Lineage:
    """Loads and the rows they rejected: rows by column name, the newest load first."""

    loads: tuple[dict[str, Any], ...] = ()
    rejects: tuple[dict[str, Any], ...] = ()
    rejected: int = field(default=0)


def exists(workspace: str) -> bool:
    """Whether the workspace has a lake; looking must not make one."""
    address = lake_address(running.current().settings, workspace)
    return address.postgres is not None or address.catalog.exists()


def newest_snapshot(workspace: str) -> int:
    """The snapshot that a page run reads throughout.

    Raises:
        LakeUnavailableError: the catalog cannot be opened.
    """
    catalog = lake_address(running.current().settings, workspace)
    state = None if catalog.postgres is not None else _state(catalog.catalog)
    known = _newest.get(workspace)
    if state is not None and known is not None and known[:2] == (catalog.catalog, state):
        return known[2]
    asked = time.time_ns()
    newest = lake_of(workspace).snapshot()
    # A file that was written just now may be written again within the same tick of its clock.
    if state is not None and asked - max(state[0], state[2]) > _SETTLED:
        _newest[workspace] = (catalog.catalog, state, newest)
    return newest


#: Catalog, its state and the newest snapshot by workspace: a commit changes the files, and looking at them is a
#: thousandth of the cost of asking.
_newest: Final = dict[str, tuple[Path, tuple[int, int, int, int], int]]()
_SETTLED: Final = 100_000_000


def _state(catalog: Path) -> tuple[int, int, int, int]:
    """When the catalog and its write-ahead log were written (nanoseconds), and how large each is."""
    file, log = catalog.stat(), Path(f"{catalog}-wal")
    try:
        written = log.stat()
    except FileNotFoundError:
        return file.st_mtime_ns, file.st_size, 0, 0
    return file.st_mtime_ns, file.st_size, written.st_mtime_ns, written.st_size


@st.cache_resource(max_entries=16, show_spinner=False)
def lake_of(workspace: str) -> Lake:
    """The lake of a workspace, open for as long as the process runs; loaders alone ask for it."""
    return Lake(lake_address(running.current().settings, workspace))


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def spend(
    workspace: str,
    snapshot: int,
    by: tuple[str, ...],
    start: date | None,
    end: date | None,
    metric: Metric,
    where: Where = (),
) -> SpendTable:
    """`analysis.spend.spend_table` over the daily rollup."""
    table = within(lake_of(workspace).table("daily_spend", snapshot=snapshot), where)
    return spend_table(table, by, start=start, end=end, metric=metric)


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def cost_of_tokens(
    workspace: str,
    snapshot: int,
    by: tuple[str, ...],
    start: date | None,
    end: date | None,
    metric: Metric,
    where: Where = (),
) -> UnitCostTable:
    """`analysis.unit_cost.unit_cost`, with tokens from usage where the bill has none."""
    table = within(lake_of(workspace).table("daily_token_costs", snapshot=snapshot), where)
    return unit_cost(table, by, start=start, end=end, metric=metric)


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def names(workspace: str, snapshot: int) -> dict[str, tuple[str, str | None]]:
    """Every provider, service, project and model of the bill, the largest cost of each kind first.

    By the words that people search for; the value is dimension and value as a scope has them.
    """
    return where_names(lake_of(workspace).table("daily_spend", snapshot=snapshot))


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def quality(workspace: str, snapshot: int) -> tuple[SourceQuality, ...]:
    """`analysis.quality.quality` of every source."""
    with lake_of(workspace).reading("loads", "findings", "daily_spend", snapshot=snapshot) as tables:
        return sources(*tables)


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def held(workspace: str, snapshot: int) -> frozenset[str]:
    """Loads that still have rows in the ledger; those of a source that was taken out stay on record without any."""
    with lake_of(workspace).reading("daily_spend", "usage", "drivers", snapshot=snapshot) as tables:
        return frozenset(row["x_LoadId"] for table in tables for row in fetch(table.select("x_LoadId").distinct()))


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def coverage(workspace: str, snapshot: int) -> Coverage:
    """Days and currencies of a workspace's charges; everything empty where it holds none."""
    loads, daily = lake_of(workspace).tables("loads", "daily_spend", snapshot=snapshot)
    there = held(workspace, snapshot)
    samples = {row["Synthetic"] for row in fetch(loads.select("LoadId", "Synthetic")) if row["LoadId"] in there}
    totals = sorted(spend_table(daily, ()).rows, key=lambda row: (-row.charges, row.currency))
    newest, first, last = fetch(
        daily.aggregate(a=daily["BillingPeriodStart"].max(), b=daily["ChargeDate"].min(), c=daily["ChargeDate"].max())
    )[0].values()
    return Coverage(
        currencies=tuple(row.currency for row in totals),
        first=first,
        last=last,
        newest_period=None if newest is None else newest.date(),
        synthetic=True in samples,
        real=False in samples,
    )


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def lineage(workspace: str, snapshot: int) -> Lineage:
    """Every load of a workspace with its rejects, the newest load first."""
    loads, rejects = lake_of(workspace).tables("loads", "rejects", snapshot=snapshot)
    rows = fetch(loads)
    rows.sort(key=lambda row: (row["LoadedAt"], row["LoadId"]), reverse=True)
    place = {row["LoadId"]: n for n, row in enumerate(rows)}

    def newest_first(row: dict[str, Any]) -> int:
        return place.get(row["LoadId"], len(place))

    return Lineage(
        loads=tuple(_parsed(row, "Sources", "Periods", "BilledIn", "BilledLoaded", "Replaced") for row in rows),
        rejects=tuple(sorted(fetch(rejects.limit(MOST_REJECTS)), key=newest_first)),
        rejected=int(rejects.count().to_pyarrow().as_py()),
    )


def warm(served: running.Running) -> None:
    """Open the lake and ask what every page asks, so that the first view waits for none of it."""
    if not exists(served.workspace):
        return
    snapshot = newest_snapshot(served.workspace)
    if coverage(served.workspace, snapshot).currencies:
        spend(served.workspace, snapshot, ("service",), None, None, Metric.BILLED)
        cost_of_tokens(served.workspace, snapshot, ("model",), None, None, Metric.BILLED)
        names(served.workspace, snapshot)
    quality(served.workspace, snapshot)
    lineage(served.workspace, snapshot)


def amounts(billed: dict[str, str] | None) -> dict[str, Decimal]:
    """Money by currency as the ledger keeps it in JSON."""
    return {code: Decimal(text) for code, text in (billed or {}).items()}


def _parsed(row: dict[str, Any], *columns: str) -> dict[str, Any]:
    return row | {name: json.loads(row[name]) if isinstance(row[name], str) else row[name] for name in columns}
