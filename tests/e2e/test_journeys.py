"""Whole ways through the screens: from nothing to a chart, from a bar to its charge, for everybody."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from accounts.home import Settings
from tests.e2e.accessibility import barriers
from tests.e2e.driver import Server, look, server_of, write_bill

#: Connections, Reports and Proofs are looked at in their own journeys.
PAGES = (
    "/",
    "/spend",
    "/unit-cost",
    "/change",
    "/charges?service=Compute",
    "/what-if",
    "/roi",
    "/forecast",
    "/add-data",
    "/reconciliation",
    "/loads",
    "/method",
)


@pytest.fixture
def new(settings: Settings, tmp_path: Path) -> Iterator[Server]:
    """A workspace that nobody has used yet."""
    with server_of(settings, f"new-{tmp_path.name[-12:].replace('_', '-').lower().strip('-')}") as server:
        yield server


def test_from_nothing_to_a_chart_and_on_to_the_file_of_a_charge(browser: Browser, new: Server, tmp_path: Path) -> None:
    bill = write_bill(tmp_path / "bill.csv")
    view = look(browser, new.url)
    page = view.page
    view.open("/spend", until="stFileUploader")
    page.set_input_files("input[type=file]", str(bill))
    page.get_by_role("button", name="Load these files").click()
    expect(page.get_by_text("241 rows; 1 row refused")).to_be_visible(timeout=60_000)
    view.settled()
    assert view.metrics()["Billed cost"] == "$1,212.50"
    # What was refused, with its reason, is one click away.
    page.get_by_role("link", name="What was loaded, and what was refused").click()
    expect(page.get_by_role("table", name="Rows that were refused, and why")).to_contain_text("is not a number")
    # From a bar to the charges of its day.
    view.open("/spend")
    page.locator("[data-testid=stVegaLiteChart] svg path[aria-roledescription=bar]").first.click()
    page.get_by_role("link", name="Charges of").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Charges")
    view.settled()
    assert view.metrics()["Charges"] in {"1", "2"}
    expect(page.get_by_role("heading", name="Where they came from")).to_be_visible()
    page.context.close()


def test_choices_travel_and_a_saved_view_brings_them_back(browser: Browser, filled: Server) -> None:
    view = look(browser, filled.url)
    page = view.page
    view.open("/spend?period=Newest+month&scope=Service:+Compute")
    assert view.metrics()["Billed cost"] == "$307.50"
    page.get_by_role("button", name="Link and views").click()
    expect(page.get_by_role("dialog")).to_contain_text("period=Newest+month")
    page.get_by_label("Save it as a view named").fill("Compute in May")
    page.get_by_label("Save it as a view named").press("Tab")
    page.get_by_role("button", name="Save view").click()
    expect(page.get_by_role("link", name="Compute in May")).to_be_visible()
    page.get_by_role("link", name="Value", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Value")
    view.settled()
    assert "period=Newest+month" in page.url
    assert view.metrics()["AI spend"] == "\u2014"
    view.open("/unit-cost")
    page.get_by_role("link", name="Compute in May").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Spend")
    view.settled()
    assert view.metrics()["Billed cost"] == "$307.50"
    page.context.close()


def test_two_people_in_two_workspaces_see_each_their_own(browser: Browser, filled: Server, new: Server) -> None:
    one, other = look(browser, filled.url), look(browser, new.url)
    one.open("/spend")
    other.open("/spend", until="stFileUploader")
    assert one.metrics()["Billed cost"] == "$1,212.50"
    assert other.page.get_by_test_id("stMetric").count() == 0
    for view in (one, other):
        view.page.context.close()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_no_page_breaks_a_serious_rule_of_accessibility_or_asks_another_host(
    browser: Browser, filled: Server, dark: bool
) -> None:
    view = look(browser, filled.url, dark=dark)
    found = list[str]()
    for path in PAGES:
        view.open(path, "stCaptionContainer")
        found += barriers(view.page)
    own = urlsplit(view.url).netloc
    elsewhere = [
        url for url in view.requests if urlsplit(url).scheme not in {"data", "blob"} and urlsplit(url).netloc != own
    ]
    view.page.context.close()
    assert found == []
    assert elsewhere == []
