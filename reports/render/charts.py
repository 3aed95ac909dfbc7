"""Charts of reports as pictures: drawn by Vega-Lite without a browser and without a network, in the report's font."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any, Final

from reports.figures import LEGEND_COLUMNS
from reports.report import Chart

#: The one font family of screens and reports, as files.
FONTS: Final = Path(__file__).resolve().parents[1] / "fonts"
FAMILY: Final = "Inter"
#: Pixels of an axis with its title, and of a name in a legend.
_AXIS: Final = 80
_LEGEND: Final = 270
_NAMES: Final = re.compile(r' (?:aria-[a-z]+|role)="[^"]*"')


def svg(chart: Chart, width: int) -> str:
    """A chart as SVG, `width` pixels wide, on no ground."""
    if chart.drawn:
        return chart.drawn
    import vl_convert  # noqa: PLC0415 - 80 MB that only a picture needs

    _register()
    drawn = str(vl_convert.vegalite_to_svg(_dressed(chart.specification, width)))
    # The picture is named as a whole by `chart.alt`; a name for every bar would be most of its size.
    return _NAMES.sub("", drawn)


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
    whole = {**specification, "width": width, "background": None, "config": config}
    # The renderer asks for the columns twice, before and after it knows how wide the axis is, and cuts off what the
    # first answer has no room for.
    columns = max(1, (width - _AXIS) // _LEGEND)
    return json.loads(json.dumps(whole).replace(json.dumps({"expr": LEGEND_COLUMNS}), str(columns)))


@cache
def _register() -> None:
    import vl_convert  # noqa: PLC0415

    vl_convert.register_font_directory(str(FONTS))
