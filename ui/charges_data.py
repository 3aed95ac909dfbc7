"""What the page of charges asks of the ledger: cached, by workspace and snapshot as every loader (`ui.data`).

It reads the charges themselves, the slower way: files of other periods are skipped by their statistics.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

import streamlit as st

from analysis.where import COLUMNS, Where
from ledger.engine import literal
from ui.data import lake_of

#: Charges that the page lists, those of the largest amount first.
MOST: Final = 200
_ENTRIES: Final = 60


@dataclass(frozen=True, slots=True)
class Asked:
    """Which charges: those of one currency from `first` to `last`, both included, that `where` and `tags` cover."""

    first: date | None
    last: date | None
    currency: str
    where: Where
    tags: tuple[tuple[str, str], ...] = ()
    load: str | None = None


@dataclass(frozen=True, slots=True)
class Sum:
    """What charges add up to; an amount is None where it is unknown for any of them."""

    charges: int
    billed: Decimal
    effective: Decimal | None
    listed: Decimal | None


@dataclass(frozen=True, slots=True)
class Charges:
    """Charges, what all of them add up to, and the loads that they came from.

    Attributes:
        whole: of all charges that were asked for, listed or not.
        rows: the largest of them, by column name; columns that none of them fills are left out.
        loads: load id, number of charges and billed cost, the largest first.
    """

    whole: Sum
    rows: tuple[dict[str, Any], ...]
    loads: tuple[tuple[str, int, Decimal], ...]


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def charges(workspace: str, snapshot: int, asked: Asked) -> Charges:
    """The charges that a figure is made of."""
    lake = lake_of(workspace)
    source = f"charges AT (VERSION => {snapshot}) WHERE {_condition(asked)}"
    found = lake.records(
        "SELECT x_LoadId, count(*) AS Charges, sum(BilledCost) AS Billed, sum(EffectiveCost) AS Effective, "
        "sum(ListCost) AS Listed, count(EffectiveCost) AS WithEffective, count(ListCost) AS WithList "
        f"FROM {source} GROUP BY x_LoadId"
    )
    rows = lake.records(
        f"SELECT * FROM {source} ORDER BY abs(BilledCost) DESC, ChargePeriodStart, x_LoadId, BilledCost LIMIT {MOST}"
    )
    filled = [name for name in (rows[0] if rows else ()) if any(row[name] is not None for row in rows)]
    loads = sorted(
        ((row["x_LoadId"], row["Charges"], row["Billed"]) for row in found), key=lambda load: (-abs(load[2]), load[0])
    )
    return Charges(_whole(found), tuple({name: row[name] for name in filled} for row in rows), tuple(loads))


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def tags(workspace: str, snapshot: int) -> tuple[tuple[str, str], ...]:
    """Every tag of the bill, key and value, in their order; at most as many as the page can offer."""
    found = lake_of(workspace).records(
        f"SELECT DISTINCT Tags::VARCHAR AS Tags FROM charges AT (VERSION => {snapshot}) WHERE Tags IS NOT NULL "
        f"LIMIT {_TAG_SETS}"
    )
    pairs = {(key, str(value)) for row in found for key, value in json.loads(row["Tags"]).items() if value is not None}
    return tuple(sorted(pairs)[:_MOST_TAGS])


#: Different sets of tags that are looked at, and tags that are offered.
_TAG_SETS: Final = 20_000
_MOST_TAGS: Final = 2_000


def _whole(found: Sequence[dict[str, Any]]) -> Sum:
    from analysis.result import total  # noqa: PLC0415 - it brings the engine's half second

    count = sum(row["Charges"] for row in found)
    known = {name: sum(row[name] for row in found) == count for name in ("WithEffective", "WithList")}
    return Sum(
        count,
        total(row["Billed"] for row in found),
        total(row["Effective"] for row in found) if known["WithEffective"] and found else None,
        total(row["Listed"] for row in found) if known["WithList"] and found else None,
    )


def _condition(asked: Asked) -> str:
    said = [f"BillingCurrency = {literal(asked.currency)}"]
    if asked.first is not None:
        said.append(f"ChargePeriodStart >= TIMESTAMPTZ '{asked.first} 00:00:00+00'")
    if asked.last is not None:
        said.append(f"ChargePeriodStart < TIMESTAMPTZ '{asked.last} 00:00:00+00' + INTERVAL 1 DAY")
    for dimension, values in asked.where:
        column = COLUMNS[dimension][0]
        named = ", ".join(literal(value) for value in values if value is not None)
        either = [f"{column} IN ({named})"] if named else []
        either += [f"{column} IS NULL"] if None in values else []
        said.append(f"({' OR '.join(either)})")
    for key, value in asked.tags:
        said.append(f"json_extract_string(Tags, {literal(_path(key))}) = {literal(value)}")
    if asked.load is not None:
        said.append(f"x_LoadId = {literal(asked.load)}")
    return " AND ".join(said)


def _path(key: str) -> str:
    """The JSON path of a tag key, quoted: `user:team` would be read as a path of two."""
    if '"' in key or "\\" in key:
        raise ValueError(f"A tag key with a quotation mark or backslash cannot be looked up: {key!r}.")
    return f'$."{key}"'
