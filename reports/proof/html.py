"""A proof as one HTML file: nothing is asked of any network, no script runs, and the signed document is inside.

The file holds the bare envelope (signature and keys): the page itself is the copy for readers.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from reports.proof import charts
from reports.proof.envelope import bare
from reports.proof.page import page
from reports.proof.renderer import FONTS, fingerprint

if TYPE_CHECKING:
    from jinja2 import Template

_TEMPLATE: Final = Path(__file__).with_name("templates") / "proof.html"
#: Where a server that shares the page puts a line with the files, and after which it is taken out again for a check.
TOOLBAR_AT: Final = "<main>\n"
_TOOLBAR: Final = (
    '<nav class="meta">This proof as a file: <a href="?file=pdf">PDF</a> · '
    '<a href="?file=json">signed document (JSON)</a></nav>\n'
)
_INSIDE: Final = re.compile(r'<script type="application/json" id="proof">(.*?)</script>', re.DOTALL)
_GENERATOR: Final = re.compile(r'<meta name="generator" content="([^"]*)">')


def renderer() -> str:
    """Name and version of what makes the page; the same name makes the same bytes."""
    return f"spendproof-html-{fingerprint(_TEMPLATE)}"


def html(envelope: Mapping[str, Any], document: Mapping[str, Any]) -> bytes:
    """The page of a proof.

    Args:
        envelope: the proof file; its signature and keys go into the page.
        document: what it holds.
    """
    from markupsafe import Markup  # noqa: PLC0415 - comes with jinja2, which only this format needs

    # A less-than sign could end the script element; JSON has another spelling for it.
    inside = json.dumps(bare(dict(envelope)), sort_keys=True).replace("<", "\\u003c")
    text = _template().render(
        page=page(document),
        renderer=renderer(),
        regular=_font("Inter-Regular"),
        semibold=_font("Inter-SemiBold"),
        # Both pictures escape what they write.
        bridge=Markup(charts.bridge(document, charts.SCREEN)),  # noqa: S704
        days=Markup(charts.days(document, charts.SCREEN)),  # noqa: S704
        proof=Markup(inside),  # noqa: S704
    )
    return text.encode()


def toolbar() -> str:
    """The line that a server puts into a shared page: the same for every proof, so that nothing can hide in it."""
    return _TOOLBAR


def without_toolbar(text: str) -> str:
    """The page as it was before a server put that line into it."""
    return text.replace(TOOLBAR_AT + _TOOLBAR, TOOLBAR_AT, 1)


def enclosed(text: str) -> tuple[str, str] | None:
    """The proof inside a page, and the renderer that the page names; None where there is no proof."""
    found, named = _INSIDE.findall(text), _GENERATOR.search(text)
    return (found[0], named[1] if named else "") if len(found) == 1 else None


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined  # noqa: PLC0415

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(_TEMPLATE.read_text())


@cache
def _font(name: str) -> str:
    return base64.b64encode((FONTS / f"{name}.woff2").read_bytes()).decode()
