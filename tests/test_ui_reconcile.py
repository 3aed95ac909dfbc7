"""Reconciliation as the command line prints it, and as a page shows it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

from accounts.home import Settings, lake_address
from accounts.signin import Protection
from cli import app
from connectors.importing import import_files
from ledger.lake import Lake
from ui import pages, reconciliation, running
from ui.reconciliation import print_reconciliation

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

HEADER = (
    "BilledCost,EffectiveCost,ListCost,BillingCurrency,BillingAccountId,BillingPeriodStart,BillingPeriodEnd,"
    "ChargePeriodStart,ChargePeriodEnd,ChargeCategory,ServiceName,ProviderName,ConsumedQuantity,ConsumedUnit,"
    "SkuPriceDetails\n"
)
MONTH = "2026-05-01T00:00:00Z,2026-06-01T00:00:00Z"
DAY = "2026-05-04T00:00:00Z,2026-05-05T00:00:00Z"


def charge(cost: str, model: str, tokens: str = "1000000") -> str:
    """A charge of Anthropic for uncached input of standard tier, a million tokens unless told otherwise."""
    details = {
        "ModelId": model,
        "TokenDirection": "Input",
        "TokenCacheAction": "Uncached",
        "x_ServiceTier": "standard",
    }
    quoted = json.dumps(details).replace('"', '""')
    unit = "Tokens" if tokens else ""
    return f'{cost},{cost},,USD,acct,{MONTH},{DAY},Usage,API,Anthropic,{tokens},{unit},"{quoted}"\n'


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A model 10 % below its list price of 1 dollar, one that nobody sells, and one without a quantity."""
    folder = tmp_path_factory.mktemp("reconcile")
    settings = Settings(home=folder / "home")
    bill = folder / "bill.csv"
    bill.write_text(
        HEADER + charge("0.9", "claude-haiku-4-5") + charge("7", "dark-model") + charge("3", "claude-haiku-4-5", "")
    )
    with Lake(lake_address(settings, "default")) as lake:
        import_files(lake, [str(bill)])
    running.configure(running.Running(settings, "default", Protection.NONE))
    st.cache_data.clear()
    st.cache_resource.clear()
    yield settings
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture
def lake(settings: Settings) -> Iterator[Lake]:
    with Lake(lake_address(settings, "default")) as opened:
        yield opened


def test_the_table_and_what_must_be_said_beside_it(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    print_reconciliation(lake, ["model"], None, None, as_json=False)
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]

    assert "claude-haiku-4-5 3.90 1.00 0.9000 0.9000 to 0.9000 1.00 -0.10 0.00 3.00 USD" in lines
    assert "dark-model 7.00 - - - 0.00 0.00 7.00 0.00 USD" in lines
    assert "total 10.90 1.00 0.9000 0.9000 to 0.9000 1.00 -0.10 7.00 3.00 USD" in lines
    assert any(line.startswith("Unpriced: 7.00 USD, 1,000,000 tokens: the price book has no price") for line in lines)
    assert any(line.startswith("Without tokens: 3.00 USD: ") for line in lines)


def test_json_is_documented_and_exact(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    print_reconciliation(lake, ["provider"], None, None, as_json=True)
    record = json.loads(capsys.readouterr().out)
    documented = print_reconciliation.__doc__ or ""

    (row,) = record["rows"]
    assert (row["billed_cost"], row["explained"], row["unexplained"]) == ("10.9", "1", "-0.1")
    keys = {*record, *row, *row["remainders"][0]} - {"provider"}
    assert [key for key in keys if f"`{key}`" not in documented] == []


def test_a_period_without_charges_says_so(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    from datetime import date  # noqa: PLC0415

    print_reconciliation(lake, ["model"], date(2020, 1, 1), date(2020, 2, 1), as_json=False)
    assert capsys.readouterr().out.strip() == reconciliation.EMPTY


def test_the_command(settings: Settings) -> None:
    result = CliRunner().invoke(
        app,
        ["reconcile", "--by", "month", "--from", "2026-05-04", "--to", "2026-05-04", "--json"],
        env={"SPENDPROOF_HOME": str(settings.home)},
    )
    record = json.loads(result.output)

    assert (record["from"], record["before"], record["rows"][0]["month"]) == ("2026-05-04", "2026-05-05", "2026-05")


def test_an_unknown_dimension_is_a_sentence(settings: Settings) -> None:
    result = CliRunner().invoke(app, ["reconcile", "--by", "colour"], env={"SPENDPROOF_HOME": str(settings.home)})

    assert result.exit_code == 1
    assert "cannot be grouped by 'colour'" in result.stderr


def page(settings: Settings) -> Any:
    """The page alone, without the navigation around it."""
    running.configure(running.Running(settings, "default", Protection.NONE))
    script = "from ui import reconcile_page\nreconcile_page.PAGE()\n"
    found = AppTest.from_string(script, default_timeout=60).run()
    assert not found.exception
    assert not found.error
    return found


def test_the_page_shows_the_bill_the_book_and_three_remainders(settings: Settings) -> None:
    shown = page(settings)

    assert {metric.label: metric.value for metric in shown.metric} == {
        "Billed for AI": "$10.90",
        "Price book": "$1.00",
        "Factor": "0.9000",
        "Unexplained": "\u2212$0.10",
        "No price": "$7.00",
        "No tokens": "$3.00",
    }
    assert [header.value for header in shown.header] == ["By provider and model", "What could not be compared"]


def test_a_row_of_the_page_adds_up(settings: Settings) -> None:
    table = page(settings).dataframe[0].value
    by_name = {row["Provider and model"]: row for row in table.to_dict("records")}

    row = by_name["Anthropic · claude-haiku-4-5"]
    parts = [row[f"{name}, USD"] for name in ("Price book", "Difference", "No price", "No tokens")]
    assert sum(parts) == row["Bill, USD"]
    unknown = by_name["Anthropic · dark-model"]
    assert [unknown[name] for name in ("Price book, USD", "Factor", "Unexplained, USD")] == [None, None, None]


def test_the_page_is_in_the_navigation() -> None:
    assert pages.has("reconciliation")
