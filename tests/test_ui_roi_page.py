"""The ROI page, run without a browser: what it shows of an empty workspace, a ledger, and data that carries nothing."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from accounts.home import Settings, lake_address
from accounts.signin import Protection
from connectors.importing import import_files
from ledger.lake import Lake
from tests.ledgers import line, write_bill
from ui import running


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    settings = Settings(home=tmp_path / "home")
    running.configure(running.Running(settings, "default", Protection.NONE))
    st.cache_data.clear()
    st.cache_resource.clear()
    yield settings
    st.cache_data.clear()
    st.cache_resource.clear()


def load(settings: Settings, folder: Path, *months: int, currency: str = "USD") -> None:
    rows = [
        line("100", f"2026-{m:02}-{d:02}", currency=currency, account=currency) for m in months for d in range(1, 31)
    ]
    bill = write_bill(
        folder / f"{currency}.csv", [r.replace("charge,Compute", "charge,AI and Machine Learning") for r in rows]
    )
    with Lake(lake_address(settings, "default")) as lake:
        import_files(lake, [str(bill)], source=currency)


def draw() -> None:
    from ui.roi_page import PAGE  # noqa: PLC0415 - the function is a script of its own

    PAGE()


def page() -> Any:
    app = AppTest.from_function(draw, default_timeout=60)
    app.run()
    assert not app.exception
    assert [error.value for error in app.error] == []
    return app


def words(app: Any) -> str:
    return " ".join(part.value for part in (*app.caption, *app.info, *app.markdown, *app.warning))


@pytest.mark.usefixtures("settings")
def test_without_a_ledger_it_asks_for_the_prospects_numbers() -> None:
    app = page()
    assert "Type the prospect's AI spend" in app.info[0].value
    assert not app.metric
    app.number_input("roi-spend").set_value(4000.0).run()
    assert "Set a lever" in app.info[0].value
    cards = {metric.label: metric.value for metric in app.metric}
    # 2 % of $4,000 for twelve months, and nothing saved.
    assert cards["Net saving, 12 months"] == "\u2212$960"


@pytest.mark.usefixtures("settings")
def test_a_range_and_its_cost_by_hand() -> None:
    app = page()
    app.number_input("roi-spend").set_value(10_000.0).run()
    app.segmented_control("roi-way").set_value("Your own range").run()
    assert "never stands without its range" in words(app)
    app.number_input("roi-low").set_value(1000.0)
    app.number_input("roi-high").set_value(3000.0)
    app.number_input("roi-cost").set_value(5000.0)
    app.slider("roi-ramp").set_value(0).run()
    assert "this will save you \\$1,000 to \\$3,000 a month" in words(app)
    cards = {metric.label: (metric.value, metric.delta) for metric in app.metric}
    # 12 x (2000 - 99) - 5000, between 12 x (1000 - 99) - 5000 and 12 x (3000 - 99) - 5000.
    assert cards["Net saving, 12 months"] == ("$17,812", "$5,812 to $29,812")
    app.number_input("roi-high").set_value(300_000.0).run()
    assert "cannot be more than the spend" in words(app)


def test_months_of_the_ledger_are_the_baseline(settings: Settings, tmp_path: Path) -> None:
    load(settings, tmp_path, 9, 11)
    app = page()
    assert "October 2026 is missing or incomplete" in words(app)
    app.segmented_control("roi-source").set_value("Your numbers").run()
    assert "Type the prospect's AI spend" in words(app)


def test_few_months_offer_a_short_horizon(settings: Settings, tmp_path: Path) -> None:
    load(settings, tmp_path, 9)
    app = page()
    assert app.segmented_control("roi-horizon").options == ["12"]
    app.slider("roi-batch").set_value(50).run()
    # 20 to 50 % of half of $3,000.
    assert "Based on your usage, this will save you \\$300 to \\$750 a month" in words(app)


def test_two_currencies_are_never_summed(settings: Settings, tmp_path: Path) -> None:
    load(settings, tmp_path, 9)
    load(settings, tmp_path, 9, currency="EUR")
    assert "never summed" in words(page())


def test_plans_side_by_side_show_the_cliff() -> None:
    from analysis.roi import Case, Range  # noqa: PLC0415
    from billing.catalog import plan  # noqa: PLC0415
    from billing.compare import cliffs, offered  # noqa: PLC0415
    from tests.test_analysis_roi import START, span  # noqa: PLC0415
    from ui.roi_figures import side_by_side  # noqa: PLC0415

    saving = Range(Decimal(0), Decimal(20_000), Decimal(50_000), "test")
    early = plan("early", START)
    case = Case("USD", span("200000"), saving, early.priced(), "early", span("0"), Decimal(0), 0, Decimal(0), START)
    rows, alone = side_by_side(case, offered(START))
    by_plan = {row["Plan"]: row for row in rows}
    assert by_plan["Early, never more than $99"]["Net a month"] == "\u2212$99 to $49,901"
    assert by_plan["Enterprise, no cap"]["Fee a month"] == "$27,000.00, 15.00% of the spend"
    assert by_plan["Enterprise, no cap"]["Net without a saving"] == "\u2212$30,000.00"
    assert by_plan["Share of verified savings, never more than $5,000"]["Net without a saving"] == "$0.00"
    assert "60.1 times as much" in cliffs(alone)[0]
