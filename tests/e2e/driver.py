"""A small bill, a real server over it, and what a browser page asked for and complained of."""

from __future__ import annotations

import csv
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from accounts.home import Settings

ROOT = Path(__file__).parents[2]
PASSWORD = "a long enough password"  # noqa: S105 - of a workspace that lives as long as a test
#: The workspace of the sample customer.
SAMPLE = "sample"
_SERVE = (
    "import sys; from pathlib import Path; from accounts.home import Settings; from ui.server import serve; "
    "serve(Settings(home=Path(sys.argv[1])), sys.argv[2], port=int(sys.argv[3]))"
)
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--font-render-hinting=none"]
#: The day on which the bill has no charges at all.
MISSING = date(2026, 5, 20)


@dataclass(frozen=True)
class Server:
    """A running app."""

    url: str
    settings: Settings


@dataclass
class View:
    """A browser page, with everything that it asked for and complained of."""

    page: Page
    url: str
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str = "/", until: str = "stMetric") -> None:
        """Go to an address of the app and wait until the page is drawn."""
        self.page.goto(self.url + path)
        self.settled(until)

    def settled(self, until: str = "stMetric") -> None:
        """Wait until the script has run and something of the page is there."""
        self.page.get_by_test_id(until).first.wait_for(timeout=60_000)
        self.page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]", timeout=60_000)

    def metrics(self) -> dict[str, str]:
        """The figures on the cards, by label."""
        cards = self.page.get_by_test_id("stMetric").all()
        return {
            card.get_by_test_id("stMetricLabel").inner_text(): card.get_by_test_id("stMetricValue").inner_text()
            for card in cards
        }


def _rows() -> Iterator[dict[str, str]]:
    """Two months of a bill: two services a day, and models with tokens, without tokens, and one that cannot be read."""
    day = date(2026, 4, 1)
    while day < date(2026, 6, 1):
        if day != MISSING:
            yield _row(day, "Compute", "10.25")
            yield _row(day, "Storage <b>$raw$</b> [x](http://x.example)", "0.75", listed="")
            yield _row(day, "Models", "3.00", model="gpt-x", direction="Input", tokens="1000000")
            yield _row(day, "Models", "6.00", model="gpt-x", direction="Output", tokens="400000")
        day += timedelta(days=1)
    yield _row(date(2026, 5, 7), "Models", "12.50", model="dark-model", direction="Input")
    yield _row(date(2026, 5, 8), "Models", "twelve")


def _row(
    day: date,
    service: str,
    cost: str,
    *,
    listed: str | None = None,
    model: str = "",
    direction: str = "",
    tokens: str = "",
) -> dict[str, str]:
    start = day.replace(day=1)
    end = (start + timedelta(days=32)).replace(day=1)
    details = {"ModelId": model, "TokenDirection": direction, "TokenCacheAction": "Uncached"} if model else {}
    return {
        "BilledCost": cost,
        "EffectiveCost": cost,
        "ListCost": cost if listed is None else listed,
        "BillingCurrency": "USD",
        "BillingAccountId": "acct",
        "BillingPeriodStart": f"{start}T00:00:00Z",
        "BillingPeriodEnd": f"{end}T00:00:00Z",
        "ChargePeriodStart": f"{day}T00:00:00Z",
        "ChargePeriodEnd": f"{day + timedelta(days=1)}T00:00:00Z",
        "ChargeCategory": "Usage",
        "ServiceName": service,
        "ProviderName": "Acme",
        "ConsumedQuantity": tokens,
        "ConsumedUnit": "Tokens" if tokens else "",
        "SkuPriceDetails": json.dumps(details) if details else "",
    }


def write_bill(file: Path) -> Path:
    rows = list(_rows())
    with file.open("w", newline="") as handle:
        writer = csv.DictWriter(handle, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return file


@contextmanager
def server_of(settings: Settings, workspace: str) -> Iterator[Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = settings.home / f"{workspace}.log"
    settings.home.mkdir(parents=True, exist_ok=True)
    # From another folder: an installed app has no checkout around it to read settings from.
    with log.open("w") as handle:
        process = subprocess.Popen(
            [sys.executable, "-c", _SERVE, str(settings.home), workspace, str(port)],
            cwd=settings.home,
            # A master key that is made goes into the test's own folder, not into the operator's.
            env={**os.environ, "PYTHONPATH": str(ROOT), "XDG_CONFIG_HOME": str(settings.home / "config")},
            stdout=handle,
            stderr=handle,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(url, process, log)
        yield Server(url, settings)
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    # A machine that has never run the app compiles it first, and answers nothing while it does.
    until = time.monotonic() + 180
    while time.monotonic() < until:
        if process.poll() is not None:
            pytest.fail(f"the server ended: {log.read_text()}")
        try:
            urllib.request.urlopen(url + "/healthz", timeout=5).close()  # noqa: S310 - a loopback address
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"the server did not answer: {log.read_text()}")


def look(browser: Browser, url: str, *, width: int = 1280, height: int = 900, dark: bool = False) -> View:
    """A fresh browser window; its clock is west of Greenwich, where naive days would slip by one."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        locale="en-US",
        timezone_id="America/Los_Angeles",
        reduced_motion="reduce",
    )
    context.set_default_timeout(30_000)
    view = View(context.new_page(), url)
    view.page.on("request", lambda request: view.requests.append(request.url))
    view.page.on("pageerror", lambda error: view.complaints.append(str(error)))
    view.page.on("console", lambda message: view.complaints.append(message.text) if message.type == "error" else None)
    return view
