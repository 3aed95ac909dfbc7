"""Whether a page or a PDF shows the document inside it: made again by the same renderer, byte for byte."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from typing import Any, Final

from reports.proof import html, pdf
from reports.proof.canonical import Difference, DocumentError, Json

#: From the document and its envelope to `matches` or `not checked`, and the first place where the file differs.
Rendering = Callable[[Mapping[str, Any], Json], tuple[str, Difference | None]]

_UNCHECKED: Final = "not checked"
_MATCHES: Final = "matches"
_PATH: Final = "/rendering"


def of_html(content: bytes) -> tuple[bytes, Rendering]:
    """The proof inside a page, and what compares the page with it.

    Raises:
        DocumentError: the page holds no proof, or several.
    """
    try:
        text = html.without_toolbar(content.decode())
    except UnicodeDecodeError as error:
        raise DocumentError("the page is not UTF-8.") from error
    inside = html.enclosed(text)
    if inside is None:
        raise DocumentError("the page does not hold exactly one proof.")
    proof, renderer = inside

    def compare(document: Mapping[str, Any], envelope: Json) -> tuple[str, Difference | None]:
        if renderer != html.renderer() or not isinstance(envelope, dict):
            return _UNCHECKED, None
        due = html.html(envelope, document).decode()
        return _MATCHES, None if due == text else _first(text.splitlines(), due.splitlines(), "line")

    return proof.encode(), compare


def of_pdf(content: bytes) -> tuple[bytes, Rendering]:
    """The proof attached to a PDF, and what compares the PDF with it.

    Raises:
        DocumentError: it cannot be read, or has not exactly one proof attached.
    """
    from pypdf import PdfReader  # noqa: PLC0415 - only this format needs it
    from pypdf.errors import PyPdfError  # noqa: PLC0415

    try:
        reader = PdfReader(io.BytesIO(content))
        attached = reader.attachments.get(pdf.ATTACHMENT, [])
        keywords = str((reader.metadata or {}).get("/Keywords", ""))
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise DocumentError("the PDF is damaged.") from error
    if len(attached) != 1:
        raise DocumentError(f"the PDF does not have exactly one {pdf.ATTACHMENT} attached.")
    proof = bytes(attached[0])

    def compare(document: Mapping[str, Any], _: Json) -> tuple[str, Difference | None]:
        if keywords != pdf.renderer():
            return _UNCHECKED, None
        due = pdf.pdf(proof, document)
        return _MATCHES, None if due == content else _first(_lines(content), _lines(due), "line of text")

    return proof, compare


def _lines(content: bytes) -> list[str]:
    from pypdf import PdfReader  # noqa: PLC0415

    reader = PdfReader(io.BytesIO(content))
    return [line for page in reader.pages for line in page.extract_text().splitlines()]


def _first(found: Sequence[str], due: Sequence[str], what: str) -> Difference:
    for i, (a, b) in enumerate(zip_longest(found, due, fillvalue=""), 1):
        if a != b:
            at = next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
            cut = slice(max(at - 40, 0), at + 80)
            return Difference(f"{_PATH}/{what} {i}", repr(a[cut]), repr(b[cut]))
    return Difference(_PATH, "other bytes", "the same text")
