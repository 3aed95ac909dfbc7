"""What pages look like, held against small pictures of them in `looks/`.

A picture is compared by the mean brightness of its cells of sixteen pixels, so that the edge of a letter decides
nothing, and a part that moved, grew or is gone does. `SPENDPROOF_LOOKS=renew` writes the pictures anew.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from tests.e2e.driver import Server, View, look

LOOKS = Path(__file__).with_name("looks")
#: Pictures are kept at half their size, in few colours.
KEPT, COLOURS = 2, 24
CELL = 16
#: Levels (of 255) from which a cell counts as different, and the share of cells that may.
LEVELS, SHARE = 14, 0.02
#: How often a page that looks otherwise is visited, and looked at.
VISITS, TRIES = 3, 5
PAGES = {"value": "/", "spend": "/spend", "proofs": "/proofs", "connections": "/connections"}
SIZES = {"light": (1280, 1400), "phone": (390, 1400)}
#: What a careless change may do to a page, as a style sheet.
BREAKAGES = {
    "the navigation is gone": "[data-testid=stSidebar] { display: none }",
    "letters grew by a fifth": "html { font-size: 18px !important }",
    "the cards stand below each other": "[data-testid=stLayoutWrapper] > div { display: block !important }",
    "the chart is gone": "[data-testid=stVegaLiteChart] { visibility: hidden }",
    "another family of letters": "* { font-family: monospace !important }",
}


def settled(view: View, path: str) -> Page:
    """The page when everything of it is drawn and stands still."""
    page = view.page
    view.open(path, "stCaptionContainer")
    for chart in page.get_by_test_id("stVegaLiteChart").all():
        chart.locator("svg.marks").wait_for()
    page.evaluate("document.fonts.ready")
    return page


def shot(page: Page) -> bytes:
    """A picture of the page, taken when two of them are the same."""
    last = page.screenshot(animations="disabled", caret="hide")
    for _ in range(20):
        page.wait_for_timeout(250)
        now = page.screenshot(animations="disabled", caret="hide")
        if now == last:
            break
        last = now
    return last


def cells(picture: Image.Image) -> np.ndarray:
    """Mean brightness of each cell, 0 to 255."""
    grey = np.asarray(picture.convert("L"), dtype=float)
    high, wide = (side // CELL for side in grey.shape)
    return grey[: high * CELL, : wide * CELL].reshape(high, CELL, wide, CELL).mean(axis=(1, 3))


def small(taken: bytes) -> Image.Image:
    """A picture as it is kept."""
    whole = Image.open(io.BytesIO(taken)).convert("RGB")
    return whole.resize((whole.width // KEPT, whole.height // KEPT), Image.Resampling.BOX)


def difference(kept: Path, taken: bytes) -> float:
    """Share of cells that differ."""
    with Image.open(kept) as opened:
        before = opened.convert("RGB")
    now = small(taken)
    assert before.size == now.size
    full = tuple(side * KEPT for side in now.size)
    apart = abs(cells(before.resize(full)) - cells(now.resize(full)))
    return float((apart > LEVELS).mean())


def looked(view: View, path: str, kept: Path) -> tuple[float, bytes]:
    """What differs, and the picture; a machine that is busy gets time, and a second visit, before it is told."""
    apart, taken = 1.0, b""
    for _ in range(VISITS):
        page = settled(view, path)
        for _ in range(TRIES):
            taken = shot(page)
            apart = difference(kept, taken)
            if apart <= SHARE:
                return apart, taken
            page.wait_for_timeout(1000)
    return apart, taken


@pytest.fixture(params=sorted(SIZES))
def view(request: pytest.FixtureRequest, browser: Browser, sample: Server) -> Iterator[tuple[str, View]]:
    width, height = SIZES[request.param]
    view = look(browser, sample.url, width=width, height=height)
    yield request.param, view
    view.page.context.close()


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_page_looks_as_it_did(view: tuple[str, View], name: str, tmp_path: Path) -> None:
    size, opened = view
    kept = LOOKS / f"{name}-{size}.png"
    if os.environ.get("SPENDPROOF_LOOKS") == "renew":
        settled(opened, PAGES[name]).wait_for_timeout(2000)
        small(shot(opened.page)).quantize(COLOURS).save(kept, optimize=True)
    apart, taken = looked(opened, PAGES[name], kept)
    (tmp_path / kept.name).write_bytes(taken)
    assert apart <= SHARE, (
        f"{apart:.1%} of the page {name} ({size}) look otherwise than {kept}; it is now {tmp_path / kept.name}. "
        "If that is meant: SPENDPROOF_LOOKS=renew .venv/bin/pytest tests/e2e/test_looks.py"
    )


def test_a_broken_page_is_noticed(browser: Browser, sample: Server) -> None:
    width, height = SIZES["light"]
    view = look(browser, sample.url, width=width, height=height)
    page, kept = view.page, LOOKS / "spend-light.png"
    assert looked(view, PAGES["spend"], kept)[0] <= SHARE
    unnoticed = {}
    for what, style in BREAKAGES.items():
        added = page.add_style_tag(content=style)
        apart = difference(kept, shot(page))
        if apart <= SHARE:
            unnoticed[what] = apart
        added.evaluate("style => style.remove()")
    view.page.context.close()
    assert unnoticed == {}


def test_the_pictures_are_small() -> None:
    files = list(LOOKS.glob("*.png"))
    assert {file.stem for file in files} == {f"{name}-{size}" for name in PAGES for size in SIZES}
    assert sum(file.stat().st_size for file in files) < 600_000
