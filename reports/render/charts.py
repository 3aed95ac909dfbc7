"""Charts of reports as pictures: drawn by Vega-Lite without a browser and without a network, in the report's font."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

from reports.report import Chart

#: The one font family of screens and reports, as files.
FONTS: Final = Path(__file__).resolve().parents[1] / "fonts"
FAMILY: Final = "Inter"


def svg(chart: Chart, width: int) -> str:
    """A chart as SVG, `width` pixels wide, on no ground."""
    if chart.drawn:
        return chart.drawn
    import vl_convert  # noqa: PLC0415 - 80 MB that only a picture needs

    _register()
    return str(vl_convert.vegalite_to_svg(_dressed(chart.specification, width)))


def png(chart: Chart, width: int) -> bytes:
    """A chart as PNG on white with twice as many dots, for mail programs that draw no SVG."""
    import vl_convert  # noqa: PLC0415

    _register()
    if chart.drawn:
        white = chart.drawn.replace(">", '><rect width="100%" height="100%" fill="#ffffff"/>', 1)
        return bytes(vl_convert.svg_to_png(white, scale=2))
    return bytes(vl_convert.vegalite_to_png({**_dressed(chart.specification, width), "background": "#ffffff"}, scale=2))


def _dressed(specification: dict[str, Any], width: int) -> dict[str, Any]:
    config = {**specification.get("config", {}), "font": FAMILY}
    return {**specification, "width": width, "background": None, "config": config}


@cache
def _register() -> None:
    import vl_convert  # noqa: PLC0415

    vl_convert.register_font_directory(str(FONTS))
