"""What the renderers share: the font, the fingerprint of what draws, and texts that the font can write."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any, Final

#: The one font family of documents.
FONTS: Final = Path(__file__).resolve().parents[1] / "fonts"
_HERE: Final = Path(__file__).parent
#: Everything that has a say in what stands where.
_SOURCES: Final = (
    *(
        _HERE / f"{name}.py"
        for name in ("appendices", "charts", "html", "page", "pdf", "renderer", "statement", "texts")
    ),
    _HERE.parent / "numbers.py",
    _HERE.parents[1] / "analysis" / "written.py",
)
#: The characters that the font has (its Latin, Greek and Cyrillic, punctuation, currencies, arrows and signs).
_HAS: Final = (
    (0x20, 0x7E), (0xA0, 0xAC), (0xAE, 0x148), (0x14A, 0x1C3), (0x1C5, 0x24F), (0x259, 0x259), (0x2B0, 0x2FF),
    (0x374, 0x376), (0x37A, 0x37F), (0x384, 0x38A), (0x38C, 0x38C), (0x38E, 0x3A1), (0x3A3, 0x3D7), (0x3DC, 0x3DD),
    (0x3F0, 0x3F6), (0x3F9, 0x3FA), (0x3FC, 0x479), (0x480, 0x49D), (0x4A0, 0x4FF), (0x1E00, 0x1E9B),
    (0x1E9D, 0x1EFF), (0x2002, 0x200B), (0x2010, 0x2027), (0x202F, 0x2055), (0x20A0, 0x20AF), (0x20B1, 0x20B5),
    (0x20B8, 0x20BA), (0x20BC, 0x20C0), (0x2116, 0x2117), (0x2122, 0x2122), (0x2126, 0x2126), (0x2190, 0x2199),
    (0x2202, 0x2202), (0x2205, 0x2206), (0x2211, 0x2212), (0x221A, 0x221A), (0x221E, 0x221E), (0x2248, 0x2248),
    (0x2260, 0x2260), (0x2264, 0x2265), (0x25CA, 0x25CB), (0x25CF, 0x25CF),
)  # fmt: skip
#: Stands for a character that the font lacks; an archivable PDF may hold no character without a glyph.
_MISSING: Final = "\u25ca"


@cache
def fingerprint(template: Path) -> str:
    """Twelve hexadecimal digits of everything that makes a rendering."""
    found = hashlib.sha256(template.read_bytes())
    for file in (*_SOURCES, *sorted(FONTS.iterdir())):
        found.update(file.read_bytes())
    return found.hexdigest()[:12]


def writable(value: Any) -> Any:  # noqa: ANN401 - any value of JSON
    """The same with a lozenge for every character that the font lacks; control characters become spaces."""
    if isinstance(value, str):
        return "".join(c if _has(ord(c)) else " " if c.isspace() or not c.isprintable() else _MISSING for c in value)
    if isinstance(value, dict):
        return {name: writable(item) for name, item in value.items()}
    return [writable(item) for item in value] if isinstance(value, list) else value


@cache
def _has(code: int) -> bool:
    return any(first <= code <= last for first, last in _HAS)
