"""From a change's date to a signed proof, and by its link into a browser that knows nothing of the app."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from accounts.home import Settings, lake_address
from connectors.importing import import_files
from ledger.lake import Lake
from sample_data import INVOICES, files
from tests.e2e.accessibility import barriers
from tests.e2e.driver import Server, View, look, server_of
from tests.samples import LOADED

DAY = "2026-05-12"


@pytest.fixture(scope="module")
def sampled(settings: Settings) -> Iterator[Server]:
    """A workspace with the sample's OpenAI bill, its usage and drivers."""
    chosen = [str(path) for path in files() if path.parent.name in {"openai", "usage"}]
    with Lake(lake_address(settings, "sampled")) as lake:
        import_files(lake, chosen, synthetic=True, now=LOADED)
    with server_of(settings, "sampled") as server:
        yield server


def test_a_change_becomes_a_signed_proof_that_a_stranger_can_open(
    browser: Browser, sampled: Server, tmp_path: Path
) -> None:
    view = look(browser, sampled.url, height=2400)
    page = view.page
    try:
        view.open("/proofs", until="stExpander")
        _describe(view)
        page.get_by_role("button", name="Measure and sign").click()
        expect(page.get_by_text("Verified", exact=True)).to_be_visible(timeout=120_000)
        headline = page.get_by_role("heading", name="The change saved").inner_text()
        with page.expect_download() as waiting:
            page.get_by_role("button", name="JSON", exact=True).click()
        waiting.value.save_as(tmp_path / "proof.json")
        signed = json.loads((tmp_path / "proof.json").read_text())
        assert signed["document"]["statement"]["headline"] == headline
        assert signed["document"]["claim"]["synthetic"] is True
        assert barriers(page) == []
        link = _shared(view)
        assert [url for url in view.requests if not url.startswith((sampled.url, "data:", "blob:"))] == []
    finally:
        page.context.close()
    _opened(browser, sampled.url + link, headline)


def _describe(view: View) -> None:
    """Fill the form in; each answer is computed before the next one is given."""
    page = view.page
    page.get_by_role("combobox", name="Which part of the spend").fill("OpenAI")
    page.get_by_role("option", name="Provider: OpenAI").click()
    page.keyboard.press("Escape")
    view.settled("stExpander")
    page.get_by_role("combobox", name="Measured against").click()
    page.get_by_role("option", name="assistant_requests").click()
    view.settled("stExpander")
    page.get_by_test_id("stDateInputField").get_by_role("spinbutton").first.click()
    page.keyboard.type(DAY.replace("-", ""), delay=30)
    page.keyboard.press("Tab")
    view.settled("stExpander")
    page.get_by_role("combobox", name="Kind").click()
    page.get_by_role("option", name="routing").click()
    view.settled("stExpander")
    for name, text in (("What was done", "Easy requests to the smaller model"), ("Who vouches", "Operations")):
        box = page.get_by_role("textbox", name=name)
        box.fill(text)
        box.press("Enter")
        view.settled("stExpander")
    page.get_by_test_id("stFileUploader").first.locator("input").set_input_files(INVOICES)
    expect(page.get_by_role("button", name=f"Remove {INVOICES.name}")).to_be_visible(timeout=30_000)
    view.settled("stExpander")


def _shared(view: View) -> str:
    page = view.page
    view.settled("stExpander")
    page.get_by_text("Share a link").click()
    view.settled("stExpander")
    page.get_by_role("button", name="Make link").click()
    shown = page.get_by_test_id("stCode").get_by_text("/proof/").first
    expect(shown).to_be_visible(timeout=60_000)
    return "/proof/" + shown.inner_text().split("/proof/")[1].split()[0]


def _opened(browser: Browser, url: str, headline: str) -> None:
    context = browser.new_context()
    try:
        page = context.new_page()
        answer = page.goto(url)
        assert answer is not None
        assert answer.status == 200
        assert "noindex" in answer.headers["x-robots-tag"]
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert headline in page.inner_text("body")
        assert "proj_synthetic" not in page.content()
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            broken = Axe().run(page).response["violations"]
            assert [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in broken] == []
    finally:
        context.close()
