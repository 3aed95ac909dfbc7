"""The page on changes, run without a browser: its figures held against sums by hand."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import streamlit as st

from accounts.home import Settings, lake_address
from accounts.signin import Protection
from analysis.bridge import Bridge, Part
from connectors.importing import import_files
from ledger.lake import Lake
from reports import figures
from reports.figures import Step
from tests.drawn import drawn
from tests.e2e.driver import write_bill
from ui import change_page, running


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[Settings]:
    settings = Settings(home=tmp_path / "home")
    running.configure(running.Running(settings, "default", Protection.NONE))
    st.cache_data.clear()
    st.cache_resource.clear()
    with Lake(lake_address(settings, "default")) as lake:
        import_files(lake, [str(write_bill(tmp_path / "bill.csv"))])
    yield settings
    st.cache_data.clear()
    st.cache_resource.clear()


def draw() -> None:
    from ui.change_page import PAGE  # noqa: PLC0415 - the function is a script of its own

    PAGE()


def page(**address: str) -> Any:
    return drawn(draw, **address)


def cards(app: Any) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def table(app: Any) -> list[dict[str, Any]]:
    return app.dataframe[0].value.to_dict("records")


@pytest.mark.usefixtures("filled")
def test_may_compared_with_april() -> None:
    # April: 30 days of 20.00; May: 30 of its 31 days, and 12.50 of a model without tokens.
    app = page(period="Newest month")
    assert cards(app) == {"Billed cost before": "$600.00", "Billed cost": "$612.50", "Difference": "+$12.50"}


@pytest.mark.usefixtures("filled")
def test_every_line_of_the_table_adds_up() -> None:
    rows = table(page(period="Newest month", change_by="Model"))
    names = {"Model", "Before, USD", "After, USD", "Difference, USD"}
    for row in rows:
        parts = [value for name, value in row.items() if name not in names and isinstance(value, Decimal)]
        assert row["Before, USD"] + sum(parts) == row["After, USD"]
        assert row["After, USD"] - row["Before, USD"] == row["Difference, USD"]
    assert rows[-1]["Model"] == "All"
    assert rows[-1]["Difference, USD"] == Decimal("12.50")
    assert sum(row["Difference, USD"] for row in rows[:-1]) == Decimal("12.50")


@pytest.mark.usefixtures("filled")
def test_looking_into_one_model_shows_its_token_types() -> None:
    app = page(period="Newest month", change_by="Model", change_of="gpt-x", change_split="Token type")
    # 3.00 and 6.00 on 30 days of either month.
    assert cards(app)["Billed cost"] == "$270.00"
    assert cards(app)["Difference"] == "$0.00"
    assert {row["Token type"]: row["After, USD"] for row in table(app)} == {
        "Output": Decimal("180.00"),
        "Input, Uncached": Decimal("90.00"),
        "All": Decimal("270.00"),
    }


@pytest.mark.usefixtures("filled")
def test_a_period_without_charges_is_told_and_not_drawn() -> None:
    app = page(period="Newest month", against="Same days a year before")
    assert "no charge from 2025-05-01 to 2025-05-31" in app.info[0].value
    assert not app.metric


@pytest.mark.usefixtures("filled")
def test_cost_without_quantity_stands_beside_with_its_reason() -> None:
    app = page(period="Newest month")
    assert "Cost without quantity" in [header.value for header in app.header]
    reasons = app.table[-1].value["Reason"].tolist()
    assert any("no token quantity" in reason.replace("\\", "") for reason in reasons)


def test_parts_of_nothing_are_left_out_of_the_bridge() -> None:
    bridge = Bridge(Decimal("10.00"), Decimal("7.50"), {Part.RATE: Decimal("-3.00"), Part.NEW: Decimal("0.50")})
    assert [(s.name, s.amount, s.shown) for s in change_page.steps(bridge, "Before", "After", "USD")] == [
        ("Before", Decimal("10.00"), "$10.00"),
        ("Rate", Decimal("-3.00"), "\u2212$3.00"),
        ("New models", Decimal("0.50"), "+$0.50"),
        ("After", Decimal("7.50"), "$7.50"),
    ]


def step(name: str, amount: str, *, whole: bool = False) -> Step:
    return Step(name, Decimal(amount), amount, whole)


def test_each_addition_is_drawn_from_where_the_ones_before_end() -> None:
    steps = [step("a", "10", whole=True), step("b", "5"), step("c", "-7"), step("d", "8", whole=True)]
    values = figures.bridge(steps, "USD", "told")["data"]["values"]
    assert [(v["from"], v["to"], v["kind"]) for v in values] == [
        (0.0, 10.0, "whole"),
        (10.0, 15.0, "more"),
        (15.0, 8.0, "less"),
        (0.0, 8.0, "whole"),
    ]


def test_an_axis_that_is_cut_says_so_and_draws_no_false_length() -> None:
    steps = [step("a", "1000", whole=True), step("b", "5"), step("d", "1005", whole=True)]
    link, bars, points = figures.bridge(steps, "USD", "told")["layer"]
    assert bars["transform"] == [{"filter": "datum.kind != 'whole'"}]
    assert points["mark"]["type"] == "point"
    assert bars["encoding"]["x"]["axis"]["title"] == ["USD", "(the axis does not begin at zero)"]
    assert "to" in link["encoding"]["x"]["field"]


def test_an_axis_from_zero_is_not_cut() -> None:
    steps = [step("a", "10", whole=True), step("b", "-9"), step("d", "1", whole=True)]
    _, bars = figures.bridge(steps, "USD", "told")["layer"]
    assert bars["encoding"]["x"]["axis"]["title"] == "USD"
    assert bars["encoding"]["x"]["scale"] == {"zero": True}


def test_a_bridge_is_told_in_words() -> None:
    steps = [step("Before", "10", whole=True), step("Rate", "-9")]
    assert figures.bridge_words("Why", steps) == "Why. Before 10; Rate -9."
    assert figures.bridge(steps, "USD", "told", "Sample")["description"] == "told"
    assert figures.bridge(steps, "USD", "told", "Sample")["title"]["text"] == "Sample"
