"""A proof as PDF by typst: PDF/A-3a and PDF/UA-1, the same bytes for the same proof file, which is attached.

PDF/A-3 and not PDF/A-2, since PDF/A-2 (ISO 19005-2, 6.8) allows no attachment that is not itself PDF/A.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from reports.proof import charts
from reports.proof.page import page
from reports.proof.renderer import FONTS, fingerprint, writable

if TYPE_CHECKING:
    import typst

ATTACHMENT: Final = "proof.json"
_TEMPLATE: Final = Path(__file__).with_name("templates") / "proof.typ"
_lock: Final = threading.Lock()


def renderer() -> str:
    """Name and version of what makes the PDF; the same name makes the same bytes."""
    return f"spendproof-pdf-{fingerprint(_TEMPLATE)}-typst-{version('typst')}"


def pdf(proof: bytes, document: Mapping[str, Any]) -> bytes:
    """The PDF of a proof file.

    Args:
        proof: the file, which is attached as it is.
        document: what it holds.
    """
    signed_at = datetime.fromisoformat(document["signed_at"])
    shown = {
        **page(document),
        "bridge_svg": charts.bridge(document, charts.INK),
        "days_svg": charts.days(document, charts.INK),
        "renderer": renderer(),
        "date": [signed_at.year, signed_at.month, signed_at.day],
    }
    inputs = {"page": json.dumps(writable(shown)), "proof": proof.decode()}
    # One compiler keeps its fonts and its parsed template; it serves one caller at a time.
    with _lock:
        made = _compiler().compile(
            format="pdf", sys_inputs=inputs, pdf_standards=["a-3a", "ua-1"], timestamp=int(signed_at.timestamp())
        )
    if not isinstance(made, bytes):
        raise TypeError("typst gave no PDF.")
    return made


@cache
def _compiler() -> typst.Compiler:
    import typst  # noqa: PLC0415 - only this format needs it

    return typst.Compiler(
        input=str(_TEMPLATE), root=str(_TEMPLATE.parent), font_paths=[str(FONTS)], ignore_system_fonts=True
    )
