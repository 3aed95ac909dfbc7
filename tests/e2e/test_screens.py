"""The screens in a real browser, held against the ledger and against figures worked out by hand."""

from __future__ import annotations

import csv
import io
import urllib.request
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from accounts.home import lake_address
from analysis.spend import spend_table
from analysis.unit_cost import unit_cost
from ledger.lake import Lake
from reports import numbers
from tests.e2e.driver import PASSWORD, Server, View, look

PAGES = ("Spend", "Value", "Unit cost", "Loads and data quality")


@pytest.fixture
def view(browser: Browser, filled: Server) -> Iterator[View]:
    view = look(browser, filled.url)
    yield view
    view.page.context.close()


def go(view: View, page: str) -> None:
    view.page.get_by_role("link", name=page, exact=True).click()
    expect(view.page.get_by_role("heading", level=1)).to_have_text(page)
    view.settled()


def test_spend_shows_what_the_ledger_holds(view: View, filled: Server) -> None:
    view.open("/spend")
    with Lake(lake_address(filled.settings, "filled")) as lake:
        (total,) = spend_table(lake.table("daily_spend"), ()).rows
    # 60 days of 10.25 + 0.75 + 3 + 6, and one charge of 12.50.
    assert total.billed_cost == Decimal("1212.50")
    assert view.metrics() == {"Billed cost": "$1,212.50", "Effective cost": "$1,212.50", "List cost": "—"}
    assert "unknown for $45.00" in view.page.get_by_test_id("stMetric").nth(2).inner_text()


def test_spend_of_one_month_is_compared_with_the_month_before(view: View, filled: Server) -> None:
    view.open("/spend?period=Newest+month")
    with Lake(lake_address(filled.settings, "filled")) as lake:
        table = lake.table("daily_spend")
        (may,) = spend_table(table, (), start=date(2026, 5, 1), end=date(2026, 6, 1)).rows
        (april,) = spend_table(table, (), start=date(2026, 4, 1), end=date(2026, 5, 1)).rows
    assert (may.billed_cost, april.billed_cost) == (Decimal("612.50"), Decimal("600.00"))
    card = view.page.get_by_test_id("stMetric").first.inner_text()
    assert "$612.50" in card
    assert "+2.1%" in card
    assert "from $600.00" in card


def test_unit_cost_shows_what_the_ledger_holds(view: View, filled: Server) -> None:
    view.open("/spend")
    go(view, "Unit cost")
    with Lake(lake_address(filled.settings, "filled")) as lake:
        (blend,) = unit_cost(lake.table("daily_tokens"), ()).rows
    # 60 days of 1,000,000 tokens for 3.00 and 400,000 for 6.00: 540 for 84 million.
    assert blend.cost_per_million == Decimal("6.428571428571")
    assert view.metrics() == {
        "Cost per 1M tokens": "$6.42857",
        "Tokens": "84.0M",
        "Cost of these tokens": "$540.00",
        "Cost without token quantity": "$12.50",
    }
    assert numbers.unit_price(blend.cost_per_million, "USD") == "$6.42857"
    reasons = view.page.get_by_role("table").filter(has_text="dark-model")
    expect(reasons).to_contain_text("the bill states no token quantity")
    expect(reasons).to_contain_text("$12.50")


def test_a_day_without_charges_is_named_and_a_row_that_was_refused_is_listed(view: View) -> None:
    view.open("/loads")
    metrics = view.metrics()
    assert metrics["Rows rejected"] == "1"
    assert metrics["Loads"] == "1"
    expect(view.page.get_by_text("no charges on 20 May 2026")).to_be_visible()
    expect(view.page.get_by_role("heading", name="Rejected rows")).to_be_visible()
    with view.page.expect_download() as download:
        view.page.get_by_role("button", name="Download CSV").nth(1).click()
    (row,) = csv.DictReader(io.StringIO(download.value.path().read_text()))
    assert (row["File"], row["Column"], row["Value"], row["Reason"]) == (
        "bill.csv",
        "BilledCost",
        "twelve",
        "is not a number",
    )
    assert row["Row"] == "242"


def test_the_exported_figures_are_the_exact_ones_and_call_themselves_a_sample(view: View) -> None:
    view.open("/spend")
    with view.page.expect_download() as download:
        view.page.get_by_role("button", name="Download CSV").click()
    assert download.value.suggested_filename == "synthetic-sample-spend-filled-2026-04-01-2026-05-31.csv"
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text())))
    assert {row["data"] for row in rows} == {"Synthetic sample data"}
    assert {row["service"]: row["billed_cost"] for row in rows}["Compute"] == "615"


def test_every_page_says_that_the_data_is_a_sample(view: View) -> None:
    view.open("/spend")
    for page in PAGES:
        go(view, page)
        expect(view.page.get_by_role("alert").first).to_contain_text("Synthetic sample data")


def test_nothing_is_fetched_from_elsewhere_and_the_console_stays_clean(view: View) -> None:
    view.open("/")
    for page in (*PAGES, PAGES[0]):
        go(view, page)
    view.page.wait_for_timeout(500)
    own = urlsplit(view.url).netloc
    foreign = [
        url for url in view.requests if urlsplit(url).scheme not in {"data", "blob"} and urlsplit(url).netloc != own
    ]
    assert foreign == []
    assert view.complaints == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_nothing_reaches_over_the_edge_of_a_phone(browser: Browser, filled: Server, dark: bool) -> None:
    view = look(browser, filled.url, width=390, height=844, dark=dark)
    for path in ("/", "/spend", "/unit-cost", "/loads", "/change", "/charges", "/add-data"):
        view.open(path, "stCaptionContainer")
        wide = view.page.evaluate(
            "[document.documentElement, document.querySelector('[data-testid=stMain]')].map(e => e.scrollWidth)"
        )
        assert max(wide) <= 390, path
    view.page.context.close()


def test_dark_mode_is_dark(browser: Browser, filled: Server) -> None:
    shades = {}
    for dark in (False, True):
        view = look(browser, filled.url, dark=dark)
        view.open("/spend")
        app = view.page.get_by_test_id("stApp")
        shades[dark] = app.evaluate("e => getComputedStyle(e).backgroundColor")
        view.page.context.close()
    assert shades == {False: "rgb(255, 255, 255)", True: "rgb(19, 24, 28)"}


def test_the_keyboard_reaches_every_choice(view: View) -> None:
    view.open("/spend")
    reached = set[str]()
    for _ in range(40):
        view.page.keyboard.press("Tab")
        label = view.page.evaluate(
            "(document.activeElement.getAttribute('aria-label') || document.activeElement.innerText || '').trim()"
        )
        reached.add(str(label).split(".")[-1].strip() or str(label))
    told = " | ".join(reached)
    for name in ("Unit cost", "Period", "Group by", "Cost", "Download CSV"):
        assert name in told, told


def test_a_choice_is_in_the_address_and_the_address_restores_it(view: View) -> None:
    view.open("/spend")
    view.page.get_by_role("combobox", name="Group by").click()
    view.page.get_by_role("option", name="Provider").click()
    expect(view.page.get_by_role("heading", name="By provider")).to_be_visible()
    assert "group=Provider" in view.page.url
    view.page.reload()
    expect(view.page.get_by_role("heading", name="By provider")).to_be_visible()


def test_the_first_page_answers_to_its_own_name(view: View) -> None:
    view.open("/value?scope=Service:+Compute")
    expect(view.page.get_by_role("heading", level=1)).to_have_text("Value")
    assert "scope=Service:+Compute" in view.page.url


def test_a_chart_is_told_in_words(view: View) -> None:
    view.open("/spend")
    chart = view.page.get_by_test_id("stVegaLiteChart")
    expect(chart).to_have_attribute("role", "graphics-document")
    expect(chart).to_have_attribute(
        "aria-label",
        "Billed cost by day and service, 1 Apr to 31 May 2026. Compute $615.00; Models $552.50; "
        "Storage <b>$raw$</b> [x](http://x.example) $45.00.",
    )


def test_an_empty_workspace_is_told_how_to_begin(browser: Browser, empty: Server) -> None:
    view = look(browser, empty.url)
    for path in ("/", "/unit-cost", "/loads"):
        view.open(path, until="stCode")
        expect(view.page.get_by_role("button", name="Try with sample data")).to_be_visible()
        expect(view.page.get_by_text("spendproof import --workspace empty bill.csv")).to_be_visible()
        assert view.page.get_by_test_id("stMetric").count() == 0
    view.page.context.close()


@pytest.mark.parametrize("server", ["filled", "empty", "locked"])
def test_health_answers_ok_without_a_session(server: str, request: pytest.FixtureRequest) -> None:
    url = request.getfixturevalue(server).url
    with urllib.request.urlopen(url + "/healthz", timeout=10) as answer:  # noqa: S310 - a loopback address
        assert (answer.status, answer.read()) == (200, b"ok")


def test_a_password_stands_before_everything(browser: Browser, locked: Server) -> None:
    view = look(browser, locked.url)
    view.page.goto(locked.url + "/unit-cost")
    assert view.page.url == locked.url + "/sign-in"
    view.page.get_by_label("Password").fill("not the password")
    view.page.get_by_role("button", name="Sign in").click()
    expect(view.page.get_by_role("alert")).to_have_text("That is not the password of this workspace.")
    view.page.get_by_label("Password").fill(PASSWORD)
    view.page.keyboard.press("Enter")
    view.settled("stCode")
    view.page.reload()
    view.settled("stCode")
    view.page.get_by_role("link", name="Sign out").click()
    expect(view.page.get_by_label("Password")).to_be_visible()
    view.page.goto(locked.url + "/")
    assert view.page.url == locked.url + "/sign-in"
    view.page.context.close()


def test_a_figure_leads_to_how_it_is_computed(view: View) -> None:
    view.open("/spend")
    # By the keyboard's focus: what is pointed at may still move while the chart below finds its height.
    view.page.get_by_role("button", name="Help for Billed cost").focus()
    link = view.page.get_by_test_id("stTooltipContent").get_by_role("link", name="How it is computed")
    target = link.get_attribute("href")
    assert target == "/method?about=spend#billed-effective-and-list-cost"
    view.open(target, until="stSelectbox")
    expect(view.page.get_by_role("heading", level=2)).to_have_text("Spend and cost per token")
    expect(view.page.locator("#billed-effective-and-list-cost")).to_be_visible()
    other = view.page.get_by_role("link", name="a saving", exact=True)
    assert other.get_attribute("href") == "/method?about=baseline#when-a-day-is-final"
