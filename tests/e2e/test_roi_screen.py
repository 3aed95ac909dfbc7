"""The ROI calculator in a real browser: a prospect's numbers, a link that carries them, one page of PDF, a phone."""

from __future__ import annotations

import io
import time
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from pypdf import PdfReader

from tests.e2e.driver import Server, View, look

SPEND = "83417"


def _fill(view: View, label: str, value: str) -> None:
    field = view.page.get_by_role("spinbutton", name=label)
    field.fill(value)
    field.press("Enter")
    view.settled("stSlider")


def _slide(view: View, label: str, steps: int) -> None:
    handle = view.page.get_by_role("slider", name=label)
    handle.focus()
    for _ in range(steps):
        handle.press("ArrowRight")
    view.settled("stMetric")


def _says(view: View, text: str) -> None:
    """Wait until a heading says this: the page goes on computing while a slider is still being pushed."""
    expect(view.page.get_by_role("heading").filter(has_text=text)).to_be_visible(timeout=60_000)


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)])
def test_a_prospects_case_without_a_ledger(
    browser: Browser, empty: Server, tmp_path: Path, width: int, dark: bool
) -> None:
    view = look(browser, empty.url, width=width, dark=dark)
    try:
        view.open("/roi", until="stNumberInput")
        _fill(view, "AI spend a month", SPEND)
        _slide(view, "Spend that can wait a day", 50)
        # 20 to 50 % of half of $83,417.
        _says(view, "Based on the numbers you gave, this will save you $8,342 to $20,854 a month.")
        assert "without cap" in view.page.content() or "has no cap" in view.page.content()
        expect(view.page.get_by_test_id("stVegaLiteChart").first).to_have_attribute("aria-label", _any_bridge())
        view.page.get_by_text("Halve our claim").click()
        _says(view, "$4,171 to $10,427 a month")
        assert SPEND not in view.page.url
        assert [url for url in view.requests if SPEND in url] == []
        link = _link(view)
        assert SPEND not in link
        _pdf(view, tmp_path)
        assert [url for url in view.requests if not url.startswith((empty.url, "data:", "blob:"))] == []
        assert not [complaint for complaint in view.complaints if "404" not in complaint]
        assert not view.page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    finally:
        view.page.context.close()
    _opened_elsewhere(browser, empty, link)
    log = (empty.settings.home / "empty.log").read_text()
    assert not [figure for figure in (SPEND, "83,417", "4,171", "20,854") if figure in log]


def _any_bridge() -> object:
    import re  # noqa: PLC0415

    return re.compile(r"Estimate \(T4\).*Baseline \$83,417; Saving")


def _link(view: View) -> str:
    view.page.get_by_text("Keep these figures for 90 days").click()
    button = view.page.get_by_role("button", name="Make a link")
    expect(button).to_be_enabled()
    button.click()
    code = view.page.get_by_test_id("stCode")
    code.first.wait_for(timeout=30_000)
    return code.first.inner_text().strip()


def _pdf(view: View, folder: Path) -> None:
    with view.page.expect_download() as found:
        view.page.get_by_role("button", name="Download one page (PDF)").click()
    file = folder / "roi.pdf"
    found.value.save_as(file)
    reader = PdfReader(file)
    assert len(reader.pages) == 1
    assert "$4,171 to $10,427 a month" in " ".join(reader.pages[0].extract_text().split())


def _opened_elsewhere(browser: Browser, server: Server, link: str) -> None:
    token = link.rpartition("=")[2]
    with urllib.request.urlopen(f"{server.url}/case/{token}") as answer:  # noqa: S310 - a loopback address
        assert "noindex" in answer.headers["x-robots-tag"]
        text = " ".join(PdfReader(io.BytesIO(answer.read())).pages[0].extract_text().split())
    assert "$4,171 to $10,427 a month" in text
    other = look(browser, server.url)
    try:
        other.open(link.removeprefix(server.url))
        _says(other, "$4,171 to $10,427 a month")
        other.open("/roi?scenario=nothing", until="stAlert")
        assert "opens no scenario" in other.page.get_by_test_id("stAlert").first.inner_text()
    finally:
        other.page.context.close()


def test_a_bill_is_read_and_thrown_away(browser: Browser, empty: Server, tmp_path: Path) -> None:
    from tests.ledgers import line, write_bill  # noqa: PLC0415

    rows = [line("100", f"2026-{m:02}-{d:02}") for m, last in ((8, 31), (9, 30), (10, 31)) for d in range(1, last + 1)]
    bill = write_bill(
        tmp_path / "prospect.csv", [r.replace("charge,Compute", "charge,AI and Machine Learning") for r in rows]
    )
    view = look(browser, empty.url)
    try:
        view.open("/roi", until="stNumberInput")
        view.page.get_by_role("radio", name="A bill").click()
        view.page.locator("input[type=file]").set_input_files(str(bill))
        view.page.get_by_role("slider").first.wait_for(timeout=60_000)
        _slide(view, "Spend that can wait a day", 50)
        _says(view, "Based on your usage, this will save you $300 to $775")
        time.sleep(0.5)
        kept = b"".join(p.read_bytes() for p in empty.settings.home.rglob("*") if p.is_file() and "prospect" in p.name)
        assert kept == b""
        assert not (empty.settings.home / "workspaces" / "empty" / "lake").exists()
    finally:
        view.page.context.close()


def test_a_ledger_without_ai_says_what_is_missing(browser: Browser, filled: Server) -> None:
    view = look(browser, filled.url)
    try:
        view.open("/roi", until="stSlider")
        card = view.page.get_by_test_id("stMetric").filter(has_text="Net saving, 12 months")
        expect(card.get_by_test_id("stMetricValue")).to_contain_text("\u2212$", timeout=60_000)
        _slide(view, "Spend that can wait a day", 40)
        _says(view, "Based on your usage")
    finally:
        view.page.context.close()
