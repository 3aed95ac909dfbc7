"""What happens while somebody looks: a bill is restated; and what they take with them: links, tables, pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from accounts.home import Settings, lake_address
from connectors.importing import import_files
from ledger.lake import Lake
from tests.e2e.driver import Server, look, server_of, write_bill


@pytest.fixture
def restated(tmp_path: Path) -> Iterator[tuple[Server, Path]]:
    """A workspace with a bill, and the same bill restated: Compute of every day is dearer by a dollar."""
    settings, bill = Settings(home=tmp_path / "home"), write_bill(tmp_path / "bill.csv")
    load(settings, bill)
    bill.write_text(bill.read_text().replace("10.25,10.25,10.25", "11.25,11.25,11.25"))
    with server_of(settings, "restated") as server:
        yield server, bill


def load(settings: Settings, bill: Path) -> None:
    with Lake(lake_address(settings, "restated")) as lake:
        import_files(lake, [str(bill)])


def choose(page: Page, what: str, option: str) -> None:
    page.get_by_role("combobox", name=what).click()
    page.get_by_role("option", name=option, exact=True).click()


def test_an_open_session_follows_a_restated_bill_and_a_later_visit_says_what_changed(
    browser: Browser, restated: tuple[Server, Path]
) -> None:
    server, bill = restated
    view = look(browser, server.url)
    view.open("/")
    expect(view.page.get_by_text("Since your last visit")).to_have_count(0)
    view.open("/spend")
    assert view.metrics()["Billed cost"] == "$1,212.50"
    load(server.settings, bill)
    # The same session, at the next choice: every figure is of the newest snapshot, and none is left of the old.
    choose(view.page, "Group by", "Provider")
    expect(view.page.get_by_test_id("stMetricValue").first).to_have_text("$1,272.50")
    view.settled()
    assert "$1,212.50" not in view.page.inner_text("[data-testid=stMain]")
    view.page.context.close()
    later = look(browser, server.url)
    later.open("/")
    since = later.page.get_by_text("Since your last visit")
    expect(since).to_contain_text("+$60.00 of billed cost, 1 new load")
    later.page.context.close()


def test_a_link_a_table_and_a_chart_are_taken_along(browser: Browser, filled: Server) -> None:
    view = look(browser, filled.url)
    page = view.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    view.open("/spend?period=Newest+month&scope=Service:+Compute")
    page.get_by_role("button", name="Link and views").click()
    page.get_by_role("dialog").get_by_test_id("stCode").hover()
    page.get_by_role("dialog").get_by_role("button", name="Copy to clipboard").click()
    link = str(page.evaluate("navigator.clipboard.readText()"))
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Copy", exact=True).click()
    page.get_by_role("dialog").get_by_test_id("stCode").hover()
    page.get_by_role("dialog").get_by_role("button", name="Copy to clipboard").click()
    table = str(page.evaluate("navigator.clipboard.readText()"))
    page.keyboard.press("Escape")
    names, row = (line.split("\t") for line in table.splitlines())
    copied = dict(zip(names, row, strict=True))
    assert (copied["data"], copied["service"], copied["billed_cost"]) == ("Synthetic sample data", "Compute", "307.5")
    for kind, begins in (("PNG", b"\x89PNG"), ("SVG", b"<svg")):
        with page.expect_download() as waiting:
            page.get_by_role("button", name=kind, exact=True).click()
        assert waiting.value.suggested_filename == f"synthetic-sample-spend-chart-filled.{kind.lower()}"
        assert waiting.value.path().read_bytes().startswith(begins)
    page.context.close()
    other = look(browser, "")
    other.open(link)
    assert other.metrics()["Billed cost"] == "$307.50"
    other.page.context.close()


def test_a_forecast_is_of_the_scope_that_travelled(browser: Browser, sample: Server) -> None:
    view = look(browser, sample.url)
    page = view.page
    view.open("/spend?scope=Model:+gpt-5.5")
    page.get_by_role("link", name="Forecast", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Forecast")
    expect(page.get_by_text("Only model gpt-5.5.")).to_be_visible(timeout=60_000)
    view.settled()
    scoped = view.metrics()
    assert "to" in scoped["90% band"]
    page.get_by_role("button", name="Clear all").or_(page.get_by_label("Clear all")).first.click()
    expect(page.get_by_text("Only model gpt-5.5.")).to_have_count(0)
    view.settled()
    assert view.metrics()["Forecast of 90 days"] != scoped["Forecast of 90 days"]
    page.get_by_label("Credits or budget, USD").fill("20000")
    page.keyboard.press("Enter")
    expect(page.get_by_text("is used up on")).to_be_visible(timeout=30_000)
    page.context.close()
