"""The Reports page in a real browser: a file to download, and a schedule from the form to the delivered file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.accessibility import barriers
from tests.e2e.driver import Server, View, look


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)])
def test_a_report_is_made_now_and_by_schedule(
    browser: Browser, filled: Server, tmp_path: Path, width: int, dark: bool
) -> None:
    view = look(browser, filled.url, width=width, dark=dark)
    try:
        _download(view, tmp_path)
        _schedule(view, tmp_path / "out", f"To the archive {width}")
        assert barriers(view.page) == []
        assert not [complaint for complaint in view.complaints if "404" not in complaint]
        assert [url for url in view.requests if not url.startswith((filled.url, "data:", "blob:"))] == []
        assert not view.page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    finally:
        view.page.context.close()


def _download(view: View, folder: Path) -> None:
    view.open("/reports?report=Spend+report&report-days=Last+12+months&report-file=JSON", until="stDownloadButton")
    with view.page.expect_download() as waiting:
        view.page.get_by_test_id("stDownloadButton").get_by_role("button").click()
    file = folder / "report.json"
    waiting.value.save_as(file)
    report = json.loads(file.read_text())
    # 60 days of 20.00 and one charge of 12.50; the day that is missing and the row that was refused are in neither.
    assert report["sections"][0]["figures"][0]["value"] == "1212.5"
    assert report["synthetic"] is True


def _schedule(view: View, out: Path, name: str) -> None:
    page = view.page
    page.get_by_text("New schedule").click()
    page.get_by_role("textbox", name="Name").fill(name)
    page.get_by_role("textbox", name="To", exact=True).fill("nowhere")
    page.get_by_role("button", name="Make schedule").click()
    expect(page.get_by_role("alert").filter(has_text="'nowhere' is no destination")).to_be_visible(timeout=60_000)
    page.get_by_role("textbox", name="To", exact=True).fill(str(out))
    page.get_by_role("button", name="Make schedule").click()
    _said(page, f"Schedule {name} is kept.")
    page.get_by_role("combobox", name="Schedule", exact=True).click()
    page.get_by_role("option", name=name).click()
    page.get_by_role("button", name="Send now").click()
    _said(page, f"{name} was sent.")
    assert [file.suffix for file in out.iterdir()] == [".pdf"]
    page.get_by_role("button", name="Remove").click()
    _said(page, "has ended")


def _said(page: Page, text: str) -> None:
    expect(page.get_by_test_id("stToast").filter(has_text=text)).to_be_visible(timeout=60_000)
