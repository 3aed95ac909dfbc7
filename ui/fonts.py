"""The one font family of screens and pictures; it is shipped, so that nothing is fetched from elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

FAMILY: Final = "Inter"
#: What a browser is given of it (ui/static/style.css).
SERVED: Final = ("Inter-Regular.woff2", "Inter-SemiBold.woff2")
#: The family as files that a renderer reads; shared with the reports.
FOLDER: Final = Path(__file__).resolve().parents[1] / "reports" / "fonts"


@cache
def register(take: Callable[[str], object]) -> None:
    """Hand the family to a renderer, once."""
    if FOLDER.is_dir():
        take(str(FOLDER))
