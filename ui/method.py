"""How figures are computed, as docs/method says it: its pages, their sections, and links to them from any figure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from ui.markup import without_formulas

#: Beside this room in a checkout, in a source archive and where the package is installed.
FOLDER: Final = Path(__file__).resolve().parents[1] / "docs" / "method"
#: Address of the page, and the parameter that names which text it shows.
PATH: Final = "method"
ABOUT: Final = "about"
_HEADING: Final = re.compile(r"^(#{1,2}) (.+)$")
_LINK: Final = re.compile(r"\[([^\]]+)\]\(([^)#]*)(#[^)]*)?\)")
_CODE: Final = re.compile(r"(`[^`]*`)")


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a text under one heading.

    Attributes:
        title: the heading.
        anchor: its part of an address, after the `#`.
        body: Markdown as Streamlit shows it.
    """

    title: str
    anchor: str
    body: str


@cache
def texts() -> dict[str, tuple[Section, ...]]:
    """Every text by its name, as its sections; the first of them has the text's own title."""
    return {path.stem: _sections(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.md"))}


def address(about: str, section: str = "") -> str:
    """Where the app shows a text, or one section of it."""
    return f"/{PATH}?{ABOUT}={about}" + (f"#{section}" if section else "")


def explained(sentence: str, about: str, section: str = "") -> str:
    """Help of a figure: a sentence, and the link to the section that says how it is computed."""
    return f"{sentence} [How it is computed]({address(about, section)})"


def anchor_of(title: str) -> str:
    """The anchor of a heading, as it is written in links between the texts: `cost-of-a-day`."""
    return re.sub(r"[^a-z0-9 -]", "", title.lower()).strip().replace(" ", "-")


def _sections(text: str) -> tuple[Section, ...]:
    found = list[Section]()
    title, lines = "", list[str]()
    for line in [*text.splitlines(), "# "]:
        heading = _HEADING.match(line)
        if heading or line == "# ":
            if title:
                found.append(Section(title, anchor_of(title), _shown("\n".join(lines).strip())))
            title, lines = heading[2] if heading else "", []
        else:
            lines.append(line)
    return tuple(found)


def _shown(text: str) -> str:
    """Markdown of a file as the app's: links between texts stay in the app, and a dollar sign opens no formula."""
    linked = _LINK.sub(_link, text)
    return "".join(part if part.startswith("`") else without_formulas(part) for part in _CODE.split(linked))


def _link(found: re.Match[str]) -> str:
    name = found[2].removesuffix(".md")
    if found[2].endswith(".md") and (FOLDER / found[2]).is_file():
        return f"[{found[1]}]({address(name, (found[3] or '#')[1:])})"
    # What the app does not show, such as a file's format, is named and not linked.
    return found[1]
