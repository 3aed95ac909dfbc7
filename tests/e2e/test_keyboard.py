"""Without a mouse: from an empty workspace to the first chart, on to the charges of a figure, and the shortcuts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from accounts.home import Settings
from tests.e2e.driver import Server, View, look, server_of
from ui import pages, tour

_FOCUSED = (
    "() => { const e = document.activeElement; "
    "return (e.getAttribute('aria-label') || e.innerText || e.value || '').trim(); }"
)


@pytest.fixture
def untouched(tmp_path: Path) -> Iterator[Server]:
    with server_of(Settings(home=tmp_path / "home"), "untouched") as server:
        yield server


def tab_to(page: Page, name: str, most: int = 80) -> None:
    """Press Tab until what is called so has the focus."""
    seen = list[str]()
    for _ in range(most):
        page.keyboard.press("Tab")
        seen.append(str(page.evaluate(_FOCUSED)))
        if seen[-1] == name or (name.endswith("…") and seen[-1].startswith(name[:-1])):
            return
    pytest.fail(f"{name} is out of reach: {seen}")


def follow(view: View, name: str, heading: str) -> None:
    """Go to a link by Tab and follow it by Enter."""
    tab_to(view.page, name)
    view.page.keyboard.press("Enter")
    expect(view.page.get_by_role("heading", level=1)).to_have_text(heading)
    view.settled()


def test_from_nothing_to_a_chart_and_to_the_charges_of_a_figure(browser: Browser, untouched: Server) -> None:
    view = look(browser, untouched.url)
    page = view.page
    view.open("/", until="stFileUploader")
    tab_to(page, "Try with sample data")
    page.keyboard.press("Enter")
    expect(page.get_by_text("no row was refused")).to_be_visible(timeout=120_000)
    view.settled()
    # The tour is offered, and refused.
    tab_to(page, "Not now")
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Not now")).to_have_count(0)
    page.reload()
    view.settled()
    follow(view, "Spend", "Spend")
    expect(page.locator("[data-testid=stVegaLiteChart] svg.marks").first).to_be_visible()
    billed = view.metrics()["Billed cost"]
    follow(view, "All charges, …", "Charges")
    assert view.metrics()["Billed cost"] == billed
    expect(page.get_by_role("heading", name="Where they came from")).to_be_visible()
    page.context.close()


def test_the_shortcuts_open_what_they_say_and_escape_closes_it(browser: Browser, filled: Server) -> None:
    view = look(browser, filled.url)
    page = view.page
    view.open("/spend")
    for keys, title in (("Control+k", "Search"), ("Control+Shift+L", "Link and views")):
        page.keyboard.press(keys)
        expect(page.get_by_role("dialog")).to_contain_text(title)
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("Control+k")
    box = page.get_by_role("dialog").get_by_role("combobox")
    box.focus()
    page.keyboard.type("Compute")
    page.keyboard.press("Enter")
    link = page.get_by_role("dialog").get_by_role("link", name="Spend of Service: Compute")
    expect(link).to_be_visible()
    link.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    view.settled()
    expect(page.get_by_text("$615.00").first).to_be_visible()
    page.context.close()


def test_the_tour_is_walked_from_page_to_page_and_offered_no_more(browser: Browser, filled: Server) -> None:
    view = look(browser, filled.url)
    page = view.page
    view.open("/spend")
    tab_to(page, "Tour")
    page.keyboard.press("Enter")
    for number, step in enumerate(tour.STEPS, 1):
        expect(page.get_by_text(f"{step.title} ({number} of {len(tour.STEPS)})")).to_be_visible(timeout=60_000)
        title = next(entry.title for entry in pages.ENTRIES if entry.path == step.path)
        expect(page.get_by_role("heading", level=1)).to_have_text(title)
        view.settled("stCaptionContainer")
        tab_to(page, "Next" if number < len(tour.STEPS) else "End the tour")
        page.keyboard.press("Enter")
    expect(page.get_by_text("End the tour")).to_have_count(0)
    view.open("/")
    expect(page.get_by_role("button", name="Take the tour")).to_have_count(0)
    page.context.close()
