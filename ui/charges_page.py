"""Charges: what a figure is made of, each charge as the ledger holds it, and the load and file that it came from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import streamlit as st

from analysis.result import Metric, plain
from analysis.where import COLUMNS, UNNAMED, Where, gathered
from reports import numbers
from ui import cards, charges_data, data, drill, exports, markup
from ui.cards import Told
from ui.charges_data import Asked, Charges, Sum
from ui.controls import Span
from ui.frame import View, page
from ui.quality import source_name, title_of
from ui.spend import TOLD
from ui.tables import chosen_row, count_column, day_column, money_column, show, show_text

_TABLE: Final = "charges-table"
_TITLES: Final = {
    "provider": "Provider",
    "service": "Service",
    "account": "Project",
    "model": "Model",
    "region": "Region",
    "charge-category": "Charge category",
}
_TOLD: Final = {
    "Charges": Told("Rows of the bill as they were loaded.", "quality", "loads-and-rows"),
    "Billed cost": TOLD[Metric.BILLED],
    "Effective cost": TOLD[Metric.EFFECTIVE],
    "List cost": TOLD[Metric.LIST],
}


def draw(view: View) -> None:
    """The page below its title."""
    asked = question(view)
    if asked is None:
        st.info("This address names no day as YYYY-MM-DD where it should. Come here by a figure of another page.")
        return
    asked = _tagged(view, asked)
    found = charges_data.charges(view.workspace, view.snapshot, asked)
    st.caption(markup.plain(_about(asked)))
    if not found.rows:
        st.info("No charge of the ledger is like this. A later load may have replaced what the figure was made of.")
        return
    _cards(found.whole, asked.currency)
    _loads(view, found, asked.currency)
    _table(view, asked, found)


def question(view: View) -> Asked | None:
    """Which charges the address asks for; None where a day in it is none."""
    said = st.query_params
    try:
        first, last = (date.fromisoformat(said[name]) if name in said else None for name in ("from", "to"))
    except ValueError:
        return None
    pairs = [(name, value or None) for name in COLUMNS for value in said.get_all(name)]
    where: Where = gathered(pairs)
    currency = said.get(drill.CURRENCY, view.coverage.currencies[0])
    return Asked(first, last, currency, where, load=said.get("load"))


def _tagged(view: View, asked: Asked) -> Asked:
    """The question with the tags that the person chose; they go the slower way, over the charges themselves."""
    known = {f"{key}: {value}": (key, value) for key, value in charges_data.tags(view.workspace, view.snapshot)}
    if not known:
        return asked
    picked = st.multiselect(
        "Tags",
        list(known),
        key="tag",
        bind="query-params",
        placeholder="Any",
        select_all=False,
        help="Every chosen tag must be on a charge.",
    )
    return Asked(
        asked.first, asked.last, asked.currency, asked.where, tuple(known[name] for name in picked), asked.load
    )


def _about(asked: Asked) -> str:
    said = [f"Charges in {asked.currency}"]
    if asked.first and asked.last:
        said.append(f"from {Span(asked.first, asked.last)}")
    said += [f"{_TITLES[name]}: {' or '.join(value or UNNAMED for value in values)}" for name, values in asked.where]
    said += [f"load {asked.load}"] if asked.load else []
    return ", ".join(said) + "."


def _cards(whole: Sum, currency: str) -> None:
    shown = (
        ("Charges", numbers.count(whole.charges)),
        ("Billed cost", numbers.money(whole.billed, currency)),
        ("Effective cost", whole.effective if whole.effective is None else numbers.money(whole.effective, currency)),
        ("List cost", whole.listed if whole.listed is None else numbers.money(whole.listed, currency)),
    )
    with st.grid(4, min_column_width=150):
        for label, figure in shown:
            cards.show(label, figure, _TOLD[label])


def _loads(view: View, found: Charges, currency: str) -> None:
    known = {load["LoadId"]: load for load in data.lineage(view.workspace, view.snapshot).loads}
    st.header("Where they came from", anchor=False)
    records = [
        {
            "Load": name,
            "Source": source_name(known[name]["Connection"]),
            "Format": title_of(known[name]["Format"]),
            "Loaded at (UTC)": f"{known[name]['LoadedAt']:%Y-%m-%d %H:%M}",
            "Charges": charges,
            f"Billed, {currency}": billed,
        }
        for name, charges, billed in found.loads
        if name in known
    ]
    columns = {"Charges": count_column(), f"Billed, {currency}": money_column()}
    show(records, columns, alt="Loads that these charges came from", key="charges-loads")


def _table(view: View, asked: Asked, found: Charges) -> None:
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    listed = len(found.rows)
    more = "" if listed == found.whole.charges else f", the {listed} largest of {numbers.count(found.whole.charges)}"
    left.header(f"Charges{more}", anchor=False)
    with right, st.container(horizontal=True, horizontal_alignment="right"):
        span = Span(asked.first, asked.last) if asked.first and asked.last else None
        exports.button(view, "charges", lambda: [_flat(row) for row in found.rows], span)
    columns: dict[str, Any] = {
        "Day": day_column(),
        "Quantity": st.column_config.NumberColumn(format="localized"),
        f"Billed, {asked.currency}": st.column_config.NumberColumn(format="%,.6f"),
        f"Effective, {asked.currency}": st.column_config.NumberColumn(format="%,.6f"),
    }
    rows = [_record(row, asked.currency) for row in found.rows]
    show(rows, columns, alt="Charges, the largest first", key=_TABLE, on_select=lambda: None)
    place = chosen_row(_TABLE)
    if place is not None and place < listed:
        _one(view, found.rows[place])
    else:
        st.caption("Choose a line to see every column of that charge, with its load, file and digest.")


def _record(row: Mapping[str, Any], currency: str) -> dict[str, Any]:
    return {
        "Day": row["ChargePeriodStart"].date(),
        "Service": row.get("ServiceName"),
        "Model": row.get("x_ModelId"),
        "What": row.get("ChargeDescription") or row.get("SkuMeter") or row.get("ChargeCategory"),
        f"Billed, {currency}": row["BilledCost"],
        f"Effective, {currency}": row.get("EffectiveCost"),
        "Quantity": row.get("ConsumedQuantity"),
        "Unit": row.get("ConsumedUnit"),
        "Load": row["x_LoadId"],
    }


def _one(view: View, row: Mapping[str, Any]) -> None:
    """Every column of one charge that says something, and the lineage of its load."""
    st.header("This charge", anchor=False)
    show_text(
        [{"Column": name, "Value": text(value)} for name, value in row.items() if value is not None],
        alt="Every column of the chosen charge",
    )
    loads = data.lineage(view.workspace, view.snapshot).loads
    load = next((load for load in loads if load["LoadId"] == row["x_LoadId"]), None)
    if load is None:
        st.caption("Its load is no longer on record.")
        return
    st.header("Its load", anchor=False)
    st.caption(
        f"Load {load['LoadId']} of {title_of(load['Format'])}, {load['LoadedAt']:%Y-%m-%d %H:%M} UTC: "
        f"{numbers.count(load['RowsIn'])} rows in, {numbers.count(load['RowsLoaded'])} loaded, "
        f"{numbers.count(load['RowsRejected'])} rejected."
    )
    files = [
        {"File": source["name"], "Bytes": numbers.count(source.get("bytes")), "sha256": source["sha256"]}
        for source in load["Sources"]
    ]
    show_text(files, alt="Files of the load with their digests")


def text(value: object) -> str:
    """A value of a charge as text: decimals in full, moments in UTC."""
    if isinstance(value, Decimal):
        return plain(value) or numbers.NONE
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S} UTC"
    return str(value)


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: text(value) if value is not None else None for name, value in row.items()}


PAGE: Final = page(drill.PAGE, "What a figure is made of, down to the file that each charge came from.", draw)
