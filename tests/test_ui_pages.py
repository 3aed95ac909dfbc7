"""Pages run without a browser: what an empty, a broken and a filled workspace show."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from accounts.home import Settings, lake_address
from accounts.signin import Protection
from analysis.result import Metric
from connectors.importing import import_files
from ledger.errors import LakeUnavailableError
from ledger.lake import Lake
from ui import data, frame, running

HEADER = (
    "BilledCost,EffectiveCost,ListCost,BillingCurrency,BillingAccountId,BillingPeriodStart,BillingPeriodEnd,"
    "ChargePeriodStart,ChargePeriodEnd,ChargeCategory,ServiceName,ProviderName\n"
)
PERIOD = "2026-05-01T00:00:00Z,2026-06-01T00:00:00Z"
DAY = "2026-05-04T00:00:00Z,2026-05-05T00:00:00Z"


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    settings = Settings(home=tmp_path / "home")
    running.configure(running.Running(settings, "default", Protection.NONE))
    st.cache_data.clear()
    st.cache_resource.clear()
    yield settings
    st.cache_data.clear()
    st.cache_resource.clear()


def fill(settings: Settings, folder: Path, rows: str, *, synthetic: bool = False) -> None:
    file = folder / "bill.csv"
    file.write_text(HEADER + rows)
    with Lake(lake_address(settings, "default")) as lake:
        import_files(lake, [str(file)], synthetic=synthetic)


def spend() -> None:
    from ui.spend import PAGE  # noqa: PLC0415 - the function is a script of its own

    PAGE()


def show() -> Any:
    app = AppTest.from_function(spend, default_timeout=60).run()
    assert not app.exception
    return app


def test_the_first_page_is_about_value(settings: Settings, tmp_path: Path) -> None:
    fill(settings, tmp_path, f"1,1,1,USD,acct,{PERIOD},{DAY},Usage,Compute,Acme\n")
    app = AppTest.from_file(str(Path(data.__file__).with_name("main.py")), default_timeout=60).run()
    assert not app.exception
    assert [title.value for title in app.title] == ["Value"]


def test_a_workspace_without_a_lake_is_told_how_to_load_a_bill(settings: Settings) -> None:
    app = show()
    assert [code.value for code in app.code] == ["spendproof import bill.csv"]
    assert [button.label for button in app.button] == ["Try with sample data"]
    assert len(app.metric) == 0
    assert not (settings.home / "workspaces").exists()


def test_a_lake_without_charges_is_told_the_same(settings: Settings) -> None:
    Lake(lake_address(settings, "default")).close()
    app = show()
    assert "Try with sample data" in [button.label for button in app.button]
    assert len(app.metric) == 0


def test_what_the_ledger_says_is_shown_as_its_sentence(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    Lake(lake_address(settings, "default")).close()

    def fail(_: str) -> int:
        raise LakeUnavailableError("The catalog cannot be opened. Check that it exists.")

    monkeypatch.setattr(data, "newest_snapshot", fail)
    assert [error.value for error in show().error] == ["The catalog cannot be opened. Check that it exists."]


def test_a_fault_is_a_sentence_with_a_reference_that_the_log_has(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    Lake(lake_address(settings, "default")).close()

    def fail(_: str) -> int:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(data, "newest_snapshot", fail)
    (error,) = show().error
    assert "secret detail" not in error.value
    (record,) = [r for r in caplog.records if r.name == frame.__name__]
    assert str(record.args[0] if record.args else "?") in error.value


def test_sample_data_is_called_that(settings: Settings, tmp_path: Path) -> None:
    fill(settings, tmp_path, f"1.005,1,2,USD,acct,{PERIOD},{DAY},Usage,Compute,Acme\n", synthetic=True)
    assert "Synthetic sample data" in show().warning[0].value


def test_real_data_is_not(settings: Settings, tmp_path: Path) -> None:
    fill(settings, tmp_path, f"1.005,1,2,USD,acct,{PERIOD},{DAY},Usage,Compute,Acme\n")
    app = show()
    assert len(app.warning) == 0
    assert {metric.label: metric.value for metric in app.metric} == {
        "Billed cost": "$1.00",
        "Effective cost": "$1.00",
        "List cost": "$2.00",
    }


def test_an_unknown_list_cost_is_a_dash_with_its_reason_and_never_a_smaller_sum(
    settings: Settings, tmp_path: Path
) -> None:
    known = f"1,1,2,USD,acct,{PERIOD},{DAY},Usage,Compute,Acme\n"
    fill(settings, tmp_path, known + f"5,5,,USD,acct,{PERIOD},{DAY},Usage,Storage,Acme\n")
    app = show()
    (listed,) = [metric for metric in app.metric if metric.label == "List cost"]
    assert listed.value == "—"
    assert listed.delta == "unknown for $5.00"


def test_two_currencies_are_chosen_between_and_never_added(settings: Settings, tmp_path: Path) -> None:
    dollars = f"1,1,1,USD,acct,{PERIOD},{DAY},Usage,Compute,Acme\n"
    fill(settings, tmp_path, dollars * 2 + f"10,10,10,EUR,acct,{PERIOD},{DAY},Usage,Compute,Acme\n")
    app = show()
    assert app.metric[0].value == "$2.00"
    (chosen,) = [box for box in app.selectbox if box.label == "Currency"]
    assert list(chosen.options) == ["USD", "EUR"]
    chosen.set_value("EUR").run()
    assert app.metric[0].value == "€10.00"


def test_the_address_restores_what_was_chosen(settings: Settings, tmp_path: Path) -> None:
    fill(settings, tmp_path, f"1,1,1,USD,acct,{PERIOD},{DAY},Usage,Compute,Acme\n")
    app = AppTest.from_function(spend, default_timeout=60)
    app.query_params["group"] = "Provider"
    app.query_params["cost"] = "Effective"
    app.run()
    assert {box.label: box.value for box in app.selectbox} == {
        "Period": "Last 3 months",
        "Compare with": "Period before",
        "Group by": "Provider",
        "Cost": "Effective",
    }


def test_a_part_of_a_list_cost_never_makes_a_price_per_token(settings: Settings, tmp_path: Path) -> None:
    """A sum of the known list costs over all tokens would look like a discount."""
    header = HEADER.rstrip() + ",ConsumedUnit,ConsumedQuantity,SkuPriceDetails\n"
    details = '"{""ModelId"": ""gpt-x"", ""TokenDirection"": ""Input""}"'
    known = f"2,2,4,USD,acct,{PERIOD},{DAY},Usage,Models,Acme,Tokens,1000000,{details}\n"
    file = tmp_path / "ai.csv"
    file.write_text(header + known + known.replace("2,2,4,", "2,2,,"))
    with Lake(lake_address(settings, "default")) as lake:
        import_files(lake, [str(file)])
    snapshot = data.newest_snapshot("default")
    (row,) = data.cost_of_tokens("default", snapshot, ("model",), None, None, Metric.LIST).rows
    assert row.tokens == 2_000_000
    assert row.cost_per_million is None
    (row,) = data.cost_of_tokens("default", snapshot, ("model",), None, None, Metric.BILLED).rows
    assert row.cost_per_million == 2
