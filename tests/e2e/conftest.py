"""A real server over a small ledger, and a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from accounts.home import Settings, lake_address
from accounts.signin import set_password
from connectors.importing import import_files
from ledger.lake import Lake
from tests.e2e.driver import FLAGS, PASSWORD, Server, server_of, write_bill


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
