"""The chart of a forecast: weeks that were, weeks to come, and the band of each."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from analysis.forecast import Forecast
from reports import numbers
from reports.figures import PALETTE, Spec

PAST: Final = "Cost so far"
AHEAD: Final = "Forecast"
_QUIET: Final = "#7f8a92"
_NOTE: Final = {"anchor": "end", "orient": "bottom", "fontSize": 11, "fontWeight": 400, "color": _QUIET, "offset": 2}
_HEIGHT: Final = 280
_TIME: Final = {"type": "temporal", "scale": {"type": "utc"}}


def banded(row: Forecast, title: str, told: str, note: str = "") -> Spec:
    """Weekly cost and its forecast as lines, with the band of each week; the last, shorter week is left out.

    Args:
        row: the series.
        title: of the vertical axis, with its unit.
        told: what the chart shows, for whoever cannot see it.
        note: what must stand on the chart wherever its picture goes.
    """
    whole = [week for week in row.weeks if (week.last - week.first).days == 6]  # noqa: PLR2004 - seven days
    past = [_value(first, PAST, cost, row.currency) for first, cost in row.past]
    ahead = [
        _value(week.first, AHEAD, week.amount, row.currency)
        | {"low": _drawn(week.low), "high": _drawn(week.high), "band": _words(week.low, week.high, row.currency)}
        for week in whole
    ]
    x = {
        "field": "when",
        **_TIME,
        "axis": {
            "title": None,
            "format": "%-d %b",
            "grid": False,
            "labelOverlap": True,
            "labelSeparation": 14,
            "labelFlush": False,
        },
    }
    y = {
        "type": "quantitative",
        "scale": {"zero": True},
        "axis": {
            "title": title,
            "labelExpr": "format(datum.value, '~s')",
            "tickCount": 5,
            "domain": False,
            "titlePadding": 10,
        },
    }
    day = {"field": "when", "type": "temporal", "timeUnit": "utcyearmonthdate", "title": "Week from"}
    tips = [
        day | {"format": "%-d %B %Y"},
        {"field": "name", "title": "What"},
        {"field": "shown", "title": title},
        {"field": "band", "title": "Band of this week"},
    ]
    colour = {
        "field": "name",
        "type": "nominal",
        "scale": {"domain": [PAST, AHEAD], "range": list(PALETTE[:2])},
        "legend": {"title": None, "orient": "bottom", "symbolType": "stroke", "labelLimit": 290},
    }
    dash = {"condition": {"test": f"datum.name == '{AHEAD}'", "value": [5, 4]}, "value": [1, 0]}
    edge = {"values": [{"when": (row.history[1] + timedelta(days=1)).isoformat(), "text": "forecast from here"}]}
    layers: list[Spec] = [
        {
            # Of its own data: beside rows without a band, Streamlit loses it.
            "data": {"values": [value for value in ahead if value["low"] is not None]},
            "mark": {"type": "area", "color": PALETTE[1], "opacity": 0.2},
            "encoding": {"x": x, "y": {"field": "low", **y}, "y2": {"field": "high"}, "tooltip": tips},
        },
        {
            "mark": {
                "type": "line",
                "strokeWidth": 2,
                "invalid": "break-paths-show-domains",
                "point": {"filled": True, "size": 22},
            },
            "encoding": {
                "x": x,
                "y": {"field": "amount", **y},
                "color": colour,
                "strokeDash": dash,
                "tooltip": tips,
            },
        },
        {
            "data": edge,
            "mark": {"type": "rule", "color": _QUIET, "strokeDash": [2, 3]},
            "encoding": {"x": {"field": "when", **_TIME}},
        },
        {
            "data": edge,
            "mark": {"type": "text", "align": "left", "baseline": "bottom", "dx": 4, "dy": -4, "color": _QUIET},
            "encoding": {"x": {"field": "when", **_TIME}, "y": {"value": 0}, "text": {"field": "text"}},
        },
    ]
    return {
        "description": told,
        "height": _HEIGHT,
        **({"title": {"text": note, **_NOTE}} if note else {}),
        "autosize": {"type": "fit-x", "contains": "padding"},
        "padding": {"top": 18, "bottom": 4, "left": 4, "right": 8},
        "data": {"values": [*past, *ahead]},
        "layer": layers,
    }


def _value(when: date, name: str, amount: Decimal | None, currency: str) -> dict[str, Any]:
    return {
        "when": when.isoformat(),
        "name": name,
        "amount": _drawn(amount),
        "shown": numbers.money(amount, currency),
        "band": numbers.NONE,
    }


def _drawn(amount: Decimal | None) -> float | None:
    return None if amount is None else round(float(amount), 2)


def _words(low: Decimal | None, high: Decimal | None, currency: str) -> str:
    if low is None or high is None:
        return numbers.NONE
    return f"{numbers.money(low, currency)} to {numbers.money(high, currency)}"
