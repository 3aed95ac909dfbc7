"""The pages of reports: drawn by poppler and held against kept ones, in number, words and look."""

from __future__ import annotations

from pathlib import Path

import pypdf
import pytest
from PIL import Image

from tests import pages
from tests.pages import KEPT, PAGES

#: Of 255; another release of poppler or another hinting stays below it, a line that moved does not.
TOLERANCE = 48
ANEW = "look at the new pages, then write them: python -m tests.pages"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return pages.made(tmp_path_factory.mktemp("pages"))


@pytest.mark.parametrize("name", PAGES)
def test_a_report_has_the_pages_and_the_words_that_were_kept(made: dict[str, bytes], name: str) -> None:
    kept = (KEPT / f"{name}.txt").read_text().splitlines()
    assert pages.texts(made[name], PAGES[name]) == kept, ANEW
    if name != "proof":
        assert len(pages.texts(made[name], 99)) == PAGES[name]


@pytest.mark.parametrize("name", PAGES)
def test_a_report_looks_as_it_was_kept(made: dict[str, bytes], name: str) -> None:
    kept, drawn = Image.open(KEPT / f"{name}.png"), pages.picture(made[name], PAGES[name])
    assert drawn.size == kept.size, ANEW
    assert pages.difference(drawn, kept) <= TOLERANCE, ANEW


def test_the_comparison_sees_a_line_that_moved(made: dict[str, bytes]) -> None:
    drawn = pages.picture(made["spend"], 1)
    moved = Image.new("L", drawn.size, 255)
    moved.paste(drawn, (0, 12))
    assert pages.difference(drawn, moved) > TOLERANCE
    assert pages.difference(drawn, drawn) == 0


def test_every_page_is_tagged_and_names_its_language(made: dict[str, bytes], tmp_path: Path) -> None:
    for name, pdf in made.items():
        file = tmp_path / f"{name}.pdf"
        file.write_bytes(pdf)
        root = pypdf.PdfReader(file).trailer["/Root"]
        assert root["/MarkInfo"]["/Marked"], name
        assert str(root["/Lang"]).startswith("en"), name
