"""Every figure says how it is computed, and what it points at is there."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from ui import cards, method

UI = Path(method.__file__).parent
ROOT = UI.parent
LINK = re.compile(r"\(/method\?about=([a-z]+)(?:#([a-z0-9-]+))?\)")


def anchors(about: str) -> set[str]:
    return {section.anchor for section in method.texts()[about]}


def leads_somewhere(text: str) -> bool:
    return all(about in method.texts() and (not part or part in anchors(about)) for about, part in LINK.findall(text))


def told() -> list[tuple[str, Any]]:
    """Every `Told` that a page's source makes, with the page."""
    found = list[tuple[str, Any]]()
    for path in sorted(UI.glob("*.py")):
        calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        names = vars(importlib.import_module(f"ui.{path.stem}")) if "Told(" in path.read_text() else {}
        found += [
            (path.name, eval(compile(ast.Expression(call), path.name, "eval"), dict(names)))  # noqa: S307 - our source
            for call in calls
            if isinstance(call.func, ast.Name) and call.func.id == "Told"
        ]
    return found


def test_every_help_of_a_figure_leads_to_a_section_that_is_there() -> None:
    made = told()
    assert {name for name, _ in made} >= {"spend.py", "unit_cost.py", "value_page.py", "roi_page.py", "quality.py"}
    for name, one in made:
        (link,) = LINK.findall(one.help)
        assert leads_somewhere(one.help), f"{name}: {link}"
    assert not leads_somewhere(cards.Told("x", "spend", "no-such-section").help)


def test_no_page_draws_a_figure_in_another_way() -> None:
    drawn = re.compile(r"(?<!controls)\.metric\(")
    assert [path.name for path in UI.glob("*.py") if drawn.search(path.read_text())] == ["cards.py"]


@pytest.mark.parametrize("about", sorted(method.texts()))
def test_links_between_the_texts_stay_in_the_app_and_lead_somewhere(about: str) -> None:
    for section in method.texts()[about]:
        assert leads_somewhere(section.body)
        assert re.findall(r"\]\((?!/method\?about=)", section.body) == []
        assert re.search(r"(?<!\\)\$", re.sub(r"`[^`]*`", "", section.body)) is None


def test_a_text_is_what_the_file_says() -> None:
    names = {path.stem for path in (ROOT / "docs" / "method").glob("*.md")}
    assert set(method.texts()) == names >= {"spend", "savings", "quality", "fees"}
    first, *_ = method.texts()["baseline"]
    assert first.title == "Baseline: what a saving is measured against"
    assert "[how a saving is measured](/method?about=savings)" in first.body
    assert method.anchor_of("What `verify` checks") == "what-verify-checks"


def page() -> None:
    from ui.method_page import PAGE  # noqa: PLC0415 - the function is a script of its own

    PAGE()


def test_the_page_shows_the_text_that_is_asked_for() -> None:
    app = AppTest.from_function(page, default_timeout=60)
    app.query_params["about"] = "savings"
    app.run()
    assert not app.exception
    assert [header.value for header in app.header] == ["How a saving is measured"]
    assert "The gates" in [header.value for header in app.subheader]
    app.selectbox[0].set_value("fees").run()
    assert [header.value for header in app.header] == ["How a fee is computed"]
    app.selectbox[0].set_value("savings").run()
    assert [header.proto.anchor for header in app.subheader if header.value == "The gates"] == ["the-gates"]


def test_wheel_and_source_archive_hold_the_texts(tmp_path: Path) -> None:
    build = "import sys; from hatchling import build; build.build_wheel(sys.argv[1]); build.build_sdist(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, str(tmp_path)], cwd=ROOT, check=True, capture_output=True)
    text = (ROOT / "docs" / "method" / "savings.md").read_bytes()
    (wheel,), (archive,) = tmp_path.glob("*.whl"), tmp_path.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as held:
        assert held.read("docs/method/savings.md") == text
    with tarfile.open(archive) as held:
        (name,) = [name for name in held.getnames() if name.endswith("/docs/method/savings.md")]
        packed = held.extractfile(name)
        assert packed is not None
        assert packed.read() == text
