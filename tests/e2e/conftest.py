"""A real server over a small ledger, and a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from accounts import views
from accounts.home import Settings, lake_address
from accounts.signin import set_password
from connectors.importing import import_files
from ledger.lake import Lake
from sample_data import files
from tests.e2e.driver import FLAGS, PASSWORD, SAMPLE, Server, server_of, write_bill
from tests.samples import LOADED, NOW
from ui import tour
from ui.demo_proofs import CHANGES, prove_samples


@pytest.fixture(scope="package")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Workspaces: `filled` with a bill, `empty` with nothing, `locked` behind a password."""
    folder = tmp_path_factory.mktemp("home")
    settings = Settings(home=folder / "home")
    with Lake(lake_address(settings, "filled")) as lake:
        import_files(lake, [str(write_bill(folder / "bill.csv"))], synthetic=True)
    set_password(settings, "locked", PASSWORD)
    return settings


@pytest.fixture(scope="package")
def filled(settings: Settings) -> Iterator[Server]:
    with server_of(settings, "filled") as server:
        yield server


@pytest.fixture(scope="package")
def empty(settings: Settings) -> Iterator[Server]:
    with server_of(settings, "empty") as server:
        yield server


@pytest.fixture(scope="package")
def locked(settings: Settings) -> Iterator[Server]:
    with server_of(settings, "locked") as server:
        yield server


@pytest.fixture(scope="package")
def sample(settings: Settings) -> Iterator[Server]:
    """The sample customer's OpenAI bill with one proof; whoever looks has been through the tour."""
    chosen = [str(path) for path in files() if path.parent.name in {"openai", "usage"}]
    with Lake(lake_address(settings, SAMPLE)) as lake:
        import_files(lake, chosen, synthetic=True, now=LOADED)
        prove_samples(lake, settings, SAMPLE, NOW, CHANGES[1:])
    views.mark(settings, SAMPLE, "", [tour.MARK], NOW)
    with server_of(settings, SAMPLE) as server:
        yield server


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    found = next((p for p in ("/usr/bin/chromium", "/usr/bin/chromium-browser") if Path(p).exists()), None)
    if found is None:
        pytest.fail("no Chromium is installed; run tests/setup.sh")
    browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
    yield browser
    browser.close()
