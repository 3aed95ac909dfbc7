"""The scope: what it narrows, what it refuses, and how it is read from an address."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from openpyxl import load_workbook

from accounts.home import Settings, lake_address
from accounts.signin import Protection
from analysis import where
from analysis.result import Metric
from connectors.importing import import_files
from ledger.lake import Lake
from tests.drawn import drawn
from tests.e2e.driver import write_bill
from ui import charges_data, data, drill, exports, running
from ui.charges_data import Asked
from ui.controls import Span


@pytest.fixture
def snapshot(tmp_path: Path) -> Iterator[int]:
    settings = Settings(home=tmp_path / "home")
    running.configure(running.Running(settings, "default", Protection.NONE))
    st.cache_data.clear()
    st.cache_resource.clear()
    with Lake(lake_address(settings, "default")) as lake:
        import_files(lake, [str(write_bill(tmp_path / "bill.csv"))])
    yield data.newest_snapshot("default")
    st.cache_data.clear()
    st.cache_resource.clear()


def billed(snapshot: int, *pairs: tuple[str, str | None]) -> Decimal:
    rows = data.spend("default", snapshot, (), None, None, Metric.BILLED, where.gathered(pairs)).rows
    return rows[0].billed_cost if rows else Decimal(0)


def test_values_of_one_dimension_are_alternatives_and_dimensions_narrow(snapshot: int) -> None:
    # 60 days of 10.25 (Compute), 9 (gpt-x), and 12.50 once (dark-model).
    assert billed(snapshot, ("service", "Compute")) == Decimal("615.00")
    assert billed(snapshot, ("model", "gpt-x"), ("model", "dark-model")) == Decimal("552.50")
    assert billed(snapshot, ("service", "Compute"), ("model", "gpt-x")) == 0
    # What no model is named for, is a value of its own.
    assert billed(snapshot, ("model", None)) == Decimal("660.00")
    assert billed(snapshot, ("model", None), ("model", "gpt-x")) == Decimal("1200.00")


def test_the_order_of_choices_makes_no_other_scope() -> None:
    one = where.gathered([("model", "b"), ("service", "s"), ("model", "a")])
    assert one == where.gathered([("service", "s"), ("model", "a"), ("model", "b")])
    assert one == (("model", ("a", "b")), ("service", ("s",)))


def test_figures_without_the_dimension_are_refused_rather_than_shown_for_everything(snapshot: int) -> None:
    usage = data.lake_of("default").table("usage", snapshot=snapshot)
    with pytest.raises(where.NotInTableError, match="Usage states no service; take the service out"):
        where.within(usage, (("service", ("Compute",)),))


def test_everything_of_the_bill_can_be_searched_for(snapshot: int) -> None:
    names = data.names("default", snapshot)
    assert names["Model: gpt-x"] == ("model", "gpt-x")
    assert names["Service: Compute"] == ("service", "Compute")
    assert names["Model: (not stated)"] == ("model", None)
    assert where.option("account", "4711", "search") == "Project: search (4711)"


def draw() -> None:
    from ui.spend import PAGE  # noqa: PLC0415 - the function is a script of its own

    PAGE()


def page(**address: Any) -> Any:
    return drawn(draw, **address)


@pytest.mark.usefixtures("snapshot")
def test_the_address_holds_scope_and_comparison() -> None:
    app = page(period="Newest month", scope=["Service: Compute", "Service: nobody sells this"])
    assert {m.label: m.value for m in app.metric}["Billed cost"] == "$307.50"
    app = page(period="Newest month", against="Same days a year before")
    assert "nothing to compare with" in " ".join(c.value for c in app.caption)


def asked(**exactly: str | None) -> Asked:
    return Asked(date(2026, 5, 1), date(2026, 5, 31), "USD", where.gathered(exactly.items()))


def test_the_charges_of_a_figure_add_up_to_it_and_name_their_load(snapshot: int) -> None:
    found = charges_data.charges("default", snapshot, asked(model="gpt-x"))
    assert (found.whole.charges, found.whole.billed) == (60, Decimal("270.00"))
    ((load, count, amount),) = found.loads
    assert (count, amount) == (60, Decimal("270.00"))
    (kept,) = data.lineage("default", snapshot).loads
    assert load == kept["LoadId"]
    assert len(kept["Sources"][0]["sha256"]) == 64
    assert [row["BilledCost"] for row in found.rows[:2]] == [6, 6]


def test_a_list_cost_that_is_unknown_for_one_charge_is_no_sum(snapshot: int) -> None:
    assert charges_data.charges("default", snapshot, asked(service="Compute")).whole.listed == Decimal("307.50")
    assert charges_data.charges("default", snapshot, asked()).whole.listed is None


def test_a_quotation_mark_in_an_address_finds_nothing_and_breaks_nothing(snapshot: int) -> None:
    assert charges_data.charges("default", snapshot, asked(service="x' OR '1'='1")).whole.charges == 0


def test_a_figure_leads_to_its_charges_with_the_scope_of_the_page() -> None:
    scope = where.gathered([("provider", "Acme"), ("service", "Compute"), ("service", None)])
    assert drill.address(Span(date(2026, 5, 1), date(2026, 5, 2)), "USD", scope, {"service": "Models"}) == {
        "from": ["2026-05-01"],
        "to": ["2026-05-02"],
        "billed-in": ["USD"],
        "provider": ["Acme"],
        "service": ["Models"],
    }


def test_a_sheet_holds_amounts_as_numbers_and_accounts_and_formulas_as_text() -> None:
    records = [{"service": "=1+1", "account": "111122223333", "billed": "12.50", "charges": 3, "list": None}]
    book = load_workbook(io.BytesIO(exports.workbook(records, {"workspace": "acme", "snapshot": "7"})))
    rows = [tuple(cell.value for cell in row) for row in book["Figures"].iter_rows()]
    assert rows == [("service", "account", "billed", "charges", "list"), ("=1+1", "111122223333", 12.5, 3, None)]
    assert book["Figures"]["A2"].data_type == "s"
    assert [tuple(cell.value for cell in row) for row in book["About"].iter_rows()] == [
        ("workspace", "acme"),
        ("snapshot", "7"),
    ]


def test_a_text_that_begins_with_a_sign_is_no_formula_and_an_amount_below_zero_stays_one() -> None:
    records = [{"service": "-2+3", "billed": "-1234567890123.25", "unit": "+1", "note": "=1", "list": None}]
    assert exports.csv_text(records, {"workspace": "acme"}).splitlines()[1] == "acme,'-2+3,-1234567890123.25,'+1,'=1,"
