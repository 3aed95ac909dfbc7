"""The what-if page, run without a browser: estimates worked out by hand, and what stands beside them."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import streamlit as st

from accounts.home import Settings, lake_address
from accounts.signin import Protection
from connectors.importing import import_files
from ledger.lake import Lake
from tests.drawn import drawn
from tests.e2e.driver import write_bill
from ui import running, whatif_page

HEADER = "time,grain,provider,model,input_tokens,output_tokens,tier,region,context,requests\n"


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    settings = Settings(home=tmp_path / "home")
    running.configure(running.Running(settings, "default", Protection.NONE))
    st.cache_data.clear()
    st.cache_resource.clear()
    with Lake(lake_address(settings, "default")) as lake:
        import_files(lake, [str(write_bill(tmp_path / "bill.csv"))])
    yield settings
    st.cache_data.clear()
    st.cache_resource.clear()


def used(settings: Settings, folder: Path, *rows: str) -> None:
    file = folder / "usage.csv"
    file.write_text(HEADER + "".join(f"{row}\n" for row in rows))
    with Lake(lake_address(settings, "default")) as lake:
        import_files(lake, [str(file)])


def day(number: int, model: str = "gpt-4.1", tokens: str = "1000000,1000000", month: int = 4) -> str:
    return f"2026-{month:02}-{number:02}T00:00:00Z,day,OpenAI,{model},{tokens},standard,Global,short,100"


def draw() -> None:
    from ui.whatif_page import PAGE  # noqa: PLC0415 - the function is a script of its own

    PAGE()


def page(**address: str) -> Any:
    app = drawn(draw, **address)
    assert [error.value for error in app.error] == []
    return app


def cards(app: Any) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def words(app: Any) -> str:
    return " ".join(part.value for part in (*app.caption, *app.info, *app.markdown))


@pytest.mark.usefixtures("settings")
def test_without_usage_it_says_what_to_load() -> None:
    app = page()
    assert "No token usage is loaded" in app.info[0].value
    assert not app.metric


def test_a_route_is_priced_by_hand(settings: Settings, tmp_path: Path) -> None:
    # 30 days of 1M in at $2 and 1M out at $8 = $300; half at $0.40 and $1.60 = $150 + $30.
    used(settings, tmp_path, *(day(n) for n in range(1, 31)))
    app = page(route_to="gpt-4.1-mini at OpenAI", route_share="50")
    assert cards(app) == {
        "As used, re-priced": "$300.00",
        "Under the plan": "$180.00",
        "Difference": "\u2212$120.00",
        # 180 times 365 / 30.
        "Under the plan, a year": "$2,190.00",
        "Not compared": "$0.00",
        "Disputed": "$0.00",
    }
    rows = app.dataframe[0].value.to_dict("records")
    assert {(r["Model"], r["As used, USD"], r["Under the plan, USD"], r["Difference, USD"]) for r in rows} == {
        ("gpt-4.1 at OpenAI", Decimal(150), Decimal(150), Decimal(0)),
        ("gpt-4.1-mini at OpenAI", Decimal(150), Decimal(30), Decimal(-120)),
    }


def test_it_is_called_an_estimate_and_never_money_saved(settings: Settings, tmp_path: Path) -> None:
    used(settings, tmp_path, *(day(n) for n in range(1, 31)))
    app = page(route_to="gpt-4.1-mini at OpenAI")
    assert "Re-priced estimate (T1), not a measured saving" in words(app)
    assert "saved" not in words(app).lower()
    assert not any("sav" in label.lower() for label in cards(app))
    assert "prices as known on" in words(app)


def test_too_few_days_are_no_year(settings: Settings, tmp_path: Path) -> None:
    used(settings, tmp_path, day(1), day(2))
    app = page()
    assert cards(app)["As used, re-priced"] == "$20.00"
    assert cards(app)["As used, a year"] == "\u2014"
    assert [m.delta for m in app.metric if m.label == "As used, a year"] == ["fewer than 28 days are no year"]


def test_a_tier_without_a_price_on_a_day_is_not_compared(settings: Settings, tmp_path: Path) -> None:
    # The book knows no price of this model's batch tier before October 2026; $10 a day.
    used(settings, tmp_path, day(1), day(2))
    app = page(batch_share="50")
    assert cards(app)["Not compared"] == "$10.00"
    assert cards(app)["As used, re-priced"] == "$10.00"
    assert cards(app)["Difference"] == "$0.00"
    assert "Not told by lever" in words(app)


def test_a_model_without_a_price_stands_beside(settings: Settings, tmp_path: Path) -> None:
    used(settings, tmp_path, day(1), day(1, "not-a-model", "5000,5000"))
    app = page()
    assert cards(app)["As used, re-priced"] == "$10.00"
    (models,) = [t.value["Model"].tolist() for t in app.table if "Why there is none" in t.value]
    assert {model.replace("\\", "") for model in models} == {"not-a-model at OpenAI"}


def test_without_a_lever_it_says_what_to_do(settings: Settings, tmp_path: Path) -> None:
    used(settings, tmp_path, day(1))
    assert "No lever is set yet" in words(page())


def test_a_cache_of_more_than_all_is_refused(settings: Settings, tmp_path: Path) -> None:
    used(settings, tmp_path, day(1))
    app = page(cache_reads="80", cache_writes="30")
    assert "more than all of the input" in words(app)
    assert not app.metric


@pytest.mark.parametrize(("days", "year"), [(27, None), (28, Decimal(365)), (365, Decimal(28))])
def test_a_year_is_the_days_times_365(days: int, year: Decimal | None) -> None:
    assert whatif_page.yearly(Decimal(28), days) == year
