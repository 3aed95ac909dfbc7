"""The Connections page in a real browser: from an empty workspace to the first chart, and the secret stays hidden."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from accounts.home import Settings
from tests.e2e.accessibility import barriers
from tests.e2e.driver import Server, look, server_of
from tests.loopback.openai import KEY, OpenAILoopback, organization

DAYS = 40
#: 2 projects x 40 days of 2 lines of 1 to 40 dollars, one of them 0.1234568 more: 2 x (2 x 820 + 40 x 0.1234568).
SPENT = "$3,289.88"


@pytest.fixture
def api() -> Iterator[OpenAILoopback]:
    with organization(datetime.now(UTC), DAYS) as made:
        yield made


@pytest.fixture
def shop(tmp_path: Path, api: OpenAILoopback, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("OPENAI_BASE_URL", f"{api.url}/v1")
    with server_of(Settings(home=tmp_path / "home"), "shop") as server:
        yield server


def test_from_an_empty_workspace_to_the_first_chart(browser: Browser, shop: Server, api: OpenAILoopback) -> None:
    view = look(browser, shop.url)
    page = view.page
    view.open("/connections", "stCaptionContainer")
    page.get_by_role("radio", name="OpenAI").click()
    expect(page.get_by_role("link", name="Admin keys")).to_be_visible()
    _connect(page, "sk-admin-WRONG-0123456789")
    expect(page.get_by_text("so nothing was kept")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("What to do:")).to_be_visible()
    _connect(page, KEY)
    # The first chart is there while the history still fills up.
    expect(page.get_by_role("link", name="See the spend")).to_be_visible(timeout=120_000)
    assert KEY not in _commands() + page.content() + page.url
    page.reload()
    expect(page.get_by_role("heading", name="openai", exact=True)).to_be_visible(timeout=60_000)
    expect(page.get_by_text("Synced", exact=True)).to_be_visible(timeout=240_000)
    expect(page.get_by_text(SPENT)).to_be_visible()
    assert barriers(page) == []
    page.get_by_role("link", name="See the spend").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Spend")
    view.settled()
    assert view.metrics()["Billed cost"] == SPENT
    expect(page.get_by_test_id("stVegaLiteChart").first).to_be_visible()
    _fails_and_is_removed(page, view.url, api)
    assert [url for url in view.requests if not url.startswith((view.url, "data:", "blob:")) or KEY in url] == []
    assert [complaint for complaint in view.complaints if "404" not in complaint] == []
    assert KEY not in (shop.settings.home / "shop.log").read_text()
    page.context.close()


def _fails_and_is_removed(page: Page, url: str, api: OpenAILoopback) -> None:
    """A key that is revoked later: the source fails by its reason and its age, and its figures stay what they were."""
    api.key = "sk-admin-ANOTHER-0123456789"
    page.goto(f"{url}/connections")
    page.get_by_role("button", name="Sync now").click()
    expect(page.get_by_role("alert").filter(has_text="The sync failed")).to_contain_text(
        "OpenAI does not know this key", timeout=120_000
    )
    expect(page.get_by_text(SPENT)).to_be_visible()
    page.get_by_role("button", name="Remove", exact=True).click()
    page.get_by_text("Take its rows out of the ledger too").click()
    page.get_by_role("button", name="Remove openai").click()
    expect(page.get_by_test_id("stToast").filter(has_text="Its rows are gone")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("heading", name="Followed accounts")).to_be_hidden()


@pytest.mark.parametrize(("width", "dark"), [(390, True), (1280, False)])
def test_every_provider_can_be_read_on_a_phone_and_in_the_dark(
    browser: Browser, empty: Server, width: int, dark: bool
) -> None:
    view = look(browser, empty.url, width=width, height=844, dark=dark)
    page = view.page
    view.open("/connections", "stCaptionContainer")
    expect(page.get_by_role("radio").last).to_be_visible(timeout=60_000)
    names = page.get_by_role("radio").all_inner_texts()
    assert {"OpenAI", "Anthropic", "Amazon Web Services", "Google Cloud"} <= set(names)
    for name in names:
        # A machine under load drops the socket now and then, and until it is back nothing can be clicked.
        page.get_by_role("radio", name=name).click(timeout=120_000)
        expect(page.get_by_role("heading", name=f"1. At {name}")).to_be_visible(timeout=60_000)
        view.settled("stForm")
        wide = page.evaluate(
            "[document.documentElement, document.querySelector('[data-testid=stMain]')].map(e => e.scrollWidth)"
        )
        assert max(wide) <= width, name
    assert barriers(page) == []
    assert [url for url in view.requests if not url.startswith((view.url, "data:", "blob:"))] == []
    page.context.close()


def _connect(page: Page, key: str) -> None:
    field = page.get_by_role("textbox", name=re.compile("^Admin key"))
    expect(field).to_have_value("")
    expect(field).to_have_attribute("type", "password")
    field.fill(key)
    page.get_by_role("button", name="Test and connect").click()


def _commands() -> str:
    """The command lines of every process of this machine."""
    found = list[str]()
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(file.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return "\n".join(found)
