"""Charts of the Value page: a measured saving day by day, with what was expected, its interval and what was changed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from reports import numbers
from reports.figures import OTHER_COLOUR, PALETTE, Spec
from ui.value_data import Proven, Step

_ACTUAL: Final = PALETTE[0]
_EXPECTED: Final = PALETTE[1]
_SERIES: Final = ("Actual", "Expected without the change")


def trend(proof: Proven, currency: str, note: str) -> Spec:
    """Cost by day: actual as a line, expected as a dashed one within its interval, interventions as upright rules."""
    values = [_value(step, currency) for step in proof.days]
    x = {
        "field": "when",
        "type": "temporal",
        "timeUnit": "utcyearmonthdate",
        "scale": {"type": "utc"},
        "axis": {"title": None, "format": "%-d %b", "grid": False, "labelOverlap": True},
    }
    y = {
        "type": "quantitative",
        "axis": {"title": f"Cost at constant prices, {currency} per day", "labelExpr": "format(datum.value, '~s')"},
        "scale": {"zero": True},
    }
    colour = {
        "type": "nominal",
        "scale": {"domain": list(_SERIES), "range": [_ACTUAL, _EXPECTED]},
        "legend": {"title": None, "orient": "bottom", "symbolType": "stroke", "labelLimit": 290},
    }
    tooltip = [
        {"field": "when", "type": "temporal", "title": "Day", "timeUnit": "utcyearmonthdate", "format": "%-d %B %Y"},
        {"field": "shown", "title": "Actual"},
        {"field": "shownExpected", "title": "Expected without the change"},
    ]
    layers: list[dict[str, Any]] = [
        *_provisional(proof, x),
        {
            "mark": {"type": "area", "opacity": 0.18, "color": _EXPECTED},
            "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}, "detail": _PART},
        },
        {
            "transform": [{"filter": "isValid(datum.expected)"}],
            "mark": {"type": "line", "strokeDash": [5, 3], "strokeWidth": 1.6},
            "encoding": {
                "x": x,
                "y": {**y, "field": "expected"},
                "color": {**colour, "datum": _SERIES[1]},
                "detail": _PART,
            },
        },
        {
            "mark": {"type": "line", "strokeWidth": 1.9, "point": {"filled": True, "size": 12}},
            "encoding": {
                "x": x,
                "y": {**y, "field": "cost"},
                "color": {**colour, "datum": _SERIES[0]},
                "detail": _PART,
                "tooltip": tooltip,
            },
        },
        *_marks(proof, x),
    ]
    return {
        "height": 260,
        **(
            {
                "title": {
                    "text": note,
                    "anchor": "end",
                    "orient": "bottom",
                    "fontSize": 11,
                    "fontWeight": 400,
                    "color": _QUIET,
                }
            }
            if note
            else {}
        ),
        "autosize": {"type": "fit-x", "contains": "padding"},
        "padding": {"top": 22, "bottom": 4, "left": 4, "right": 8},
        "data": {"values": values},
        "layer": layers,
        "config": {
            "view": {"stroke": None},
            "axis": {"labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": 400},
        },
    }


_QUIET: Final = OTHER_COLOUR
#: No line leads over the days between the two periods, which nobody measured.
_PART: Final = {"field": "part", "type": "nominal"}


def _value(step: Step, currency: str) -> dict[str, Any]:
    return {
        "when": step.day.isoformat(),
        "part": "reporting" if step.reporting else "baseline",
        "cost": round(float(step.cost), 6),
        "expected": None if step.expected is None else round(float(step.expected), 6),
        "low": None if step.low is None else round(float(step.low), 6),
        "high": None if step.high is None else round(float(step.high), 6),
        "shown": numbers.money(step.cost, currency),
        "shownExpected": numbers.money(step.expected, currency),
    }


def _marks(proof: Proven, x: Spec) -> list[Spec]:
    data = {"values": [{"when": day.isoformat(), "text": _short(words), "full": words} for day, words in proof.marks]}
    # Towards the side that has more room, so that the name never reaches over the edge of a phone.
    late = sum(not step.reporting for step in proof.days) * 2 > len(proof.days)
    return [
        {
            "data": data,
            "mark": {"type": "rule", "strokeWidth": 1.2, "color": _QUIET, "strokeDash": [2, 2]},
            "encoding": {"x": x, "tooltip": [{"field": "full", "title": "Changed"}]},
        },
        {
            # The change in question has its name; those beside it stand so close that names would lie on each other.
            "data": {"values": data["values"][:1]},
            "mark": {
                "type": "text",
                "align": "right" if late else "left",
                "baseline": "bottom",
                "dx": -3 if late else 3,
                "dy": -4,
                "fontSize": 11,
                "color": _QUIET,
            },
            "encoding": {"x": x, "y": {"value": 0}, "text": {"field": "text"}},
        },
    ]


def _short(words: str) -> str:
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1].rstrip()}…"


_LONGEST: Final = 32


def _provisional(proof: Proven, x: Spec) -> list[Spec]:
    """A pale band behind the days that a provider may still restate."""
    if proof.provisional_from is None or not proof.days:
        return []
    last = proof.days[-1].day
    first = max(proof.provisional_from, proof.days[0].day)
    if first > last:
        return []
    data = {"values": [{"when": first.isoformat(), "to": (last + timedelta(days=1)).isoformat()}]}
    return [
        {
            "data": data,
            "mark": {"type": "rect", "color": "rgba(127, 138, 146, 0.14)"},
            "encoding": {"x": x, "x2": {"field": "to", "timeUnit": "utcyearmonthdate"}},
        }
    ]
