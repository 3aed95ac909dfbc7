"""Charts on a page: drawn by the browser, handed out as pictures, and clicked to see what a mark is made of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import partial
from typing import Any, Final

import streamlit as st

from reports.figures import PICKED, Spec
from ui import fonts
from ui.frame import View

#: Pixels of a picture; twice as many dots.
_WIDTH: Final = 960
_SCALE: Final = 2


def show(view: View, spec: Spec, told: str, key: str, *, picks: bool = False) -> tuple[date, str] | None:
    """A chart as wide as its place, with its pictures to download.

    Args:
        view: what the page reads; names the files.
        spec: of `reports.figures`.
        told: what it shows, for whoever cannot see it.
        key: of the chart on its page.
        picks: whether a mark can be chosen.

    Returns:
        Day and group of the mark that the person chose, if any.
    """
    # The accessible name goes beside the specification: in it, Streamlit would log a warning at every run.
    drawn = {name: part for name, part in spec.items() if name not in {"description", "data"}}
    table = _table(spec["data"]["values"])
    if picks:
        state: Any = st.vega_lite_chart(
            table, drawn, width="stretch", alt=told, key=key, on_select="rerun", selection_mode=PICKED
        )
    else:
        state = None
        st.vega_lite_chart(table, drawn, width="stretch", alt=told, key=key)
    with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        for kind, media in (("PNG", "image/png"), ("SVG", "image/svg+xml")):
            st.download_button(
                kind,
                partial(picture, spec, kind),
                f"{'synthetic-sample-' if view.coverage.synthetic else ''}{key}-{view.workspace}.{kind.lower()}",
                media,
                key=f"{key}-{kind}",
                on_click="ignore",
                type="tertiary",
                help=f"Download this chart as {kind}",
            )
    return chosen(state)


def _table(values: Sequence[dict[str, Any]]) -> Any:  # noqa: ANN401 - Arrow's table, which has no types
    """Rows as Arrow, which Streamlit sends as they are; rows in a specification would take their way through pandas."""
    import pyarrow as pa  # noqa: PLC0415 - warmed at the start

    return pa.Table.from_pylist(list(values))


def chosen(state: Any) -> tuple[date, str] | None:  # noqa: ANN401 - Streamlit's selection
    """Day and group of the chosen mark in Streamlit's state of a chart."""
    marks: Sequence[dict[str, Any]] = state["selection"].get(PICKED) or () if state else ()
    for mark in marks:
        when, name = mark.get("when"), mark.get("name")
        if when is not None and isinstance(name, str):
            moment = datetime.fromtimestamp(when / 1000, UTC).date() if isinstance(when, int | float) else when
            return (moment if isinstance(moment, date) else date.fromisoformat(str(moment)[:10])), name
    return None


def picture(spec: Spec, kind: str) -> bytes:
    """A chart as PNG or SVG on white, drawn without a browser and without a network."""
    import vl_convert  # noqa: PLC0415 - 80 MB that only a download needs

    fonts.register(vl_convert.register_font_directory)
    whole = {**spec, "width": _WIDTH, "background": "#ffffff"}
    whole["config"] = {**spec.get("config", {}), "font": fonts.FAMILY}
    if kind == "SVG":
        return str(vl_convert.vegalite_to_svg(whole)).encode()
    return bytes(vl_convert.vegalite_to_png(whole, scale=_SCALE))
