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
