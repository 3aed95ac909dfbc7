"""Why it changed, What-if and the drill-down of Unit cost in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from accounts.home import Settings, lake_address
from connectors.importing import import_files
from ledger.lake import Lake
from tests.e2e.driver import Server, View, look, server_of, write_bill

USAGE = "time,grain,provider,model,input_tokens,output_tokens,tier,region,context,requests\n"


@pytest.fixture(scope="module")
def used(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A workspace with the bill, and 30 days of usage at $10 a day."""
    folder = tmp_path_factory.mktemp("used")
    usage = folder / "usage.csv"
    days = [
        f"2026-04-{n:02}T00:00:00Z,day,OpenAI,gpt-4.1,1000000,1000000,standard,Global,short,9\n" for n in range(1, 31)
    ]
    usage.write_text(USAGE + "".join(days))
    files: list[Path] = [write_bill(folder / "bill.csv"), usage]
    with Lake(lake_address(settings, "used")) as lake:
        for file in files:
            import_files(lake, [str(file)], synthetic=True)
    with server_of(settings, "used") as server:
        yield server


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)])
def test_changes_estimates_and_one_model(browser: Browser, used: Server, width: int, dark: bool) -> None:
    view = look(browser, used.url, width=width, dark=dark)
    try:
        _changes(view)
        _estimate(view)
        _one_model(view)
        assert not [complaint for complaint in view.complaints if "404" not in complaint]
        assert [url for url in view.requests if not url.startswith((used.url, "data:", "blob:"))] == []
        assert not view.page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    finally:
        view.page.context.close()


def _changes(view: View) -> None:
    view.open("/change?period=Newest+month&change-by=Model")
    # 30 days of 20.00, and in May one charge of 12.50 more.
    assert view.metrics() == {"Billed cost before": "$600.00", "Billed cost": "$612.50", "Difference": "+$12.50"}
    chart = view.page.get_by_test_id("stVegaLiteChart")
    expect(chart).to_have_attribute("aria-label", _ending_with("After $612.50."))
    expect(view.page.locator("[data-testid=stVegaLiteChart] svg.marks").first).to_contain_text("Without quantity")
    # A choice is in the address, and a fresh visit to it shows the same.
    view.page.get_by_role("combobox", name="Look into one model").click()
    view.page.get_by_role("option", name="gpt-x", exact=True).click()
    expect(view.page.get_by_role("heading", name="gpt-x by provider")).to_be_visible()
    assert "change-of=gpt-x" in view.page.url
    view.open(view.page.url.removeprefix(view.url))
    assert view.metrics()["Billed cost"] == "$270.00"


def _estimate(view: View) -> None:
    view.open("/what-if?route-to=gpt-4.1-mini+at+OpenAI&route-share=50")
    shown = view.metrics()
    assert (shown["As used, re-priced"], shown["Under the plan"]) == ("$300.00", "$180.00")
    assert shown["Difference"] == "\u2212$120.00"
    expect(view.page.get_by_text("Re-priced estimate (T1), not a measured saving").first).to_be_visible()
    expect(view.page.locator("[data-testid=stVegaLiteChart] svg.marks").first).to_contain_text("Route")


def _one_model(view: View) -> None:
    view.open("/unit-cost?tokens-of=gpt-x")
    expect(view.page.get_by_role("heading", name="gpt-x by token type")).to_be_visible()
    # 3.00 for a million in, and 6.00 for 400,000 out.
    chart = view.page.get_by_test_id("stVegaLiteChart").nth(1)
    expect(chart).to_have_attribute("aria-label", _ending_with("Output $15.00; Input, Uncached $3.00."))


def _ending_with(text: str) -> re.Pattern[str]:
    return re.compile(re.escape(text) + "$")
