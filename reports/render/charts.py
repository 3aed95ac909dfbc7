"""Charts of reports as pictures: drawn by Vega-Lite without a browser and without a network, in the report's font."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

#: The one font family of screens and reports, as files.
FONTS: Final = Path(__file__).resolve().parents[1] / "fonts"
FAMILY: Final = "Inter"


def svg(specification: dict[str, Any], width: int) -> str:
    """A chart as SVG, `width` pixels wide, on no ground."""
    import vl_convert  # noqa: PLC0415 - 80 MB that only a picture needs

    _register()
    return str(vl_convert.vegalite_to_svg(_dressed(specification, width)))


def png(specification: dict[str, Any], width: int) -> bytes:
    """A chart as PNG on white with twice as many dots, for mail programs that draw no SVG."""
    import vl_convert  # noqa: PLC0415

    _register()
    return bytes(vl_convert.vegalite_to_png({**_dressed(specification, width), "background": "#ffffff"}, scale=2))


def _dressed(specification: dict[str, Any], width: int) -> dict[str, Any]:
    config = {**specification.get("config", {}), "font": FAMILY}
    return {**specification, "width": width, "background": None, "config": config}


@cache
def _register() -> None:
    import vl_convert  # noqa: PLC0415

    vl_convert.register_font_directory(str(FONTS))
