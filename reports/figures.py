"""Charts: pure functions from figures to Vega-Lite specifications, and the words that stand for them.

Positions are drawn from rounded binary numbers, which is all a browser has; every figure that can be read (tooltips,
texts) is written from the exact one by `reports.numbers`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

from analysis.result import ZERO, total
from reports import numbers

Spec = dict[str, Any]

#: The selection of a mark by a click, where a chart lets one be chosen.
PICKED: Final = "picked"

#: At least 3:1 against the page in light and in dark, no red beside green.
PALETTE: Final = (
    "#2f7f9f",
    "#c77a24",
    "#7d6bb5",
    "#5f8f3e",
    "#c4606c",
    "#33918f",
    "#a8803f",
    "#5b76c4",
    "#b0608f",
    "#9c6b4e",
)
OTHER_COLOUR: Final = "#858f96"
#: Groups that are drawn under their own name; the rest is one `other`.
TOP: Final = 10
_QUIET: Final = "#7f8a92"
_NOTE: Final = {"anchor": "end", "orient": "bottom", "fontSize": 11, "fontWeight": 400, "color": _QUIET, "offset": 8}
_BAND: Final = "rgba(127, 138, 146, 0.14)"
_PICK: Final = {"name": PICKED, "select": {"type": "point", "fields": ["when", "name"], "toggle": False}}
#: Of the plot alone; the legend below it is as high as the width makes it.
_HEIGHT: Final = 260


@dataclass(frozen=True, slots=True)
class Mark:
    """One amount of one group at one day or month; None where there is no figure.

    Attributes:
        when: the day, or the first day of the month.
        name: the group.
        amount: the figure.
        shown: the figure as text.
    """

    when: date
    name: str
    amount: Decimal | None
    shown: str


@dataclass(frozen=True, slots=True)
class Axis:
    """What a chart's axes carry.

    Attributes:
        title: of the vertical axis, with its unit.
        monthly: whether a mark stands for a month rather than a day.
        last: last day that the chart shows.
        provisional_from: first day that may still be restated, if it is in sight.
        words: what the chart shows, for whoever cannot see it.
        note: what must stand on the chart wherever its picture goes, such as that it shows a sample.
    """

    title: str
    monthly: bool
    last: date
    provisional_from: date | None = None
    words: str = ""
    note: str = ""


def colours(names: Sequence[str], ranking: Sequence[str]) -> dict[str, str]:
    """A colour for each of up to ten names, the same in every view: by place in the ranking of the whole ledger.

    Names beyond the first ten of the ranking take the colours that the view leaves free.
    """
    place = {name: n for n, name in enumerate(ranking)}
    fixed = {name: PALETTE[place[name]] for name in names if place.get(name, TOP) < TOP}
    free = iter([colour for colour in PALETTE if colour not in fixed.values()])
    return {name: fixed[name] if name in fixed else next(free) for name in names}


def gathered(marks: Iterable[Mark], kept: Collection[str], other: str, currency: str) -> list[Mark]:
    """The marks of the groups in `kept`, and for each moment one of all others together."""
    own, rest = list[Mark](), dict[date, list[Decimal]]()
    for mark in marks:
        if mark.name in kept:
            own.append(mark)
        elif mark.amount is not None:
            rest.setdefault(mark.when, []).append(mark.amount)
    sums = {when: total(amounts) for when, amounts in rest.items()}
    return own + [Mark(when, other, amount, numbers.money(amount, currency)) for when, amount in sums.items()]


def stacked(marks: Sequence[Mark], palette: Mapping[str, str], axis: Axis) -> Spec:
    """Stacked bars, one for each day or month, the groups in the order of `palette` from the bottom up.

    Bars and not areas: a day without charges stays a gap, and credits reach below zero.
    """
    rank = {name: n for n, name in enumerate(palette)}
    values = [_value(mark, rank) for mark in marks if mark.amount is not None]
    layer = {
        "params": [_PICK],
        "mark": {"type": "bar", "width": {"band": 0.92 if not axis.monthly else 0.8}, "cursor": "pointer"},
        "encoding": {
            "x": _time(axis),
            "y": {"field": "amount", "type": "quantitative", "stack": True, **_scale(axis.title)},
            "color": _colour(palette),
            "order": {"field": "rank", "type": "quantitative"},
            "tooltip": _tooltip(axis),
        },
    }
    return _chart([*_band(axis), layer], values, axis)


def lines(marks: Sequence[Mark], palette: Mapping[str, str], axis: Axis) -> Spec:
    """One line for each group; it breaks where there is no figure."""
    rank = {name: n for n, name in enumerate(palette)}
    points = {"filled": True, "size": 28} if axis.monthly else {"filled": True, "size": 9}
    layer = {
        "mark": {"type": "line", "strokeWidth": 1.8, "invalid": "break-paths-show-domains", "point": points},
        "encoding": {
            "x": _time(axis),
            "y": {"field": "amount", "type": "quantitative", **_scale(axis.title)},
            "color": _colour(palette),
            "tooltip": _tooltip(axis),
        },
    }
    return _chart([*_band(axis), layer], [_value(mark, rank) for mark in marks], axis)


def with_gaps(marks: Sequence[Mark], first: date, last: date, *, monthly: bool) -> list[Mark]:
    """The marks, and one without figure for each moment that a group has none, so that its line breaks there."""
    present = {(mark.name, mark.when) for mark in marks}
    names = list(dict.fromkeys(mark.name for mark in marks))
    absent = [
        Mark(when, name, None, numbers.NONE)
        for when in moments(first, last, monthly=monthly)
        for name in names
        if (name, when) not in present
    ]
    return sorted([*marks, *absent], key=lambda mark: (mark.name, mark.when))


def moments(first: date, last: date, *, monthly: bool) -> list[date]:
    """Every day, or the first day of every month, from `first` to `last`."""
    every = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return list(dict.fromkeys(d.replace(day=1) for d in every)) if monthly else every


def words(what: str, totals: Sequence[tuple[str, str]], first: date, last: date) -> str:
    """What a chart shows, for whoever cannot see it: the figures of its largest groups."""
    named = "; ".join(f"{name} {figure}" for name, figure in totals[:5])
    return f"{what}, {numbers.days(first, last)}. {named}." if named else f"{what}, {numbers.days(first, last)}."


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a bridge: an amount that stands by itself, or what is added to those before it.

    Attributes:
        name: what the line is called.
        amount: the whole, or the addition.
        shown: the amount as text, an addition with its sign.
        whole: whether it stands by itself.
        meaning: a sentence about it, for whoever points at it.
    """

    name: str
    amount: Decimal
    shown: str
    whole: bool = False
    meaning: str = ""


def bridge(steps: Sequence[Step], title: str, told: str, note: str = "") -> Spec:
    """Horizontal lines from one amount to another, each addition where the ones before it end.

    The axis begins at zero where the additions can then still be seen; elsewhere it is cut and says so, and amounts
    that stand by themselves are drawn as points, since the length of a bar would be a false one.

    Args:
        steps: the first and the last stand by themselves.
        title: of the horizontal axis, with its unit.
        told: what the chart shows, for whoever cannot see it.
        note: what must stand on the chart wherever its picture goes.
    """
    values, edges = _reaches(steps)
    low, high = min(edges), max(edges)
    cut = bool(edges) and (low > 0 or high < 0) and (high - low) * _CUT_BELOW < max(abs(low), abs(high))
    margin = (high - low) * _MARGIN
    y = {
        "field": "line",
        "type": "nominal",
        "sort": [value["line"] for value in values],
        "axis": {
            "title": None,
            "labelExpr": "split(datum.label, '\\n')",
            "labelLimit": 190,
            "domain": False,
            "ticks": False,
            "labelPadding": 8,
        },
    }
    x = {
        "field": "from",
        "type": "quantitative",
        "scale": {"domain": [low - margin, high + margin], "nice": False} if cut else {"zero": True},
        "axis": {
            "title": [title, "(the axis does not begin at zero)"] if cut else title,
            "labelExpr": "format(datum.value, '~s')",
            "tickCount": {"expr": "max(3, floor(width / 110))"},
            "domain": False,
        },
    }
    fill = {"field": "kind", "type": "nominal", "scale": _KINDS, "legend": None}
    tooltip = [{"field": field, "title": head} for field, head in _BRIDGE_TIP.items()]
    bar = {
        "transform": [{"filter": "datum.kind != 'whole'"}] if cut else [],
        "mark": {"type": "bar", "height": {"band": 0.62}, "cursor": "default", "minBandSize": 2},
        "encoding": {"y": y, "x": x, "x2": {"field": "to"}, "color": fill, "tooltip": tooltip},
    }
    point = {
        "transform": [{"filter": "datum.kind == 'whole'"}],
        "mark": {"type": "point", "shape": "diamond", "filled": True, "size": 150, "opacity": 1},
        "encoding": {"y": y, "x": {**x, "field": "to"}, "color": fill, "tooltip": tooltip},
    }
    link = {
        "transform": [{"filter": "isValid(datum.next)"}],
        "mark": {"type": "rule", "strokeWidth": 1, "color": _QUIET},
        "encoding": {"y": y, "y2": {"field": "next"}, "x": {**x, "field": "to"}},
    }
    spec = _chart([link, bar, *([point] if cut else [])], values, Axis("", False, date.min, None, told, note))
    return spec | {"height": {"step": _BRIDGE_STEP}, "padding": {**spec["padding"], "left": 14}}  # fonts come late


def bridge_words(what: str, steps: Sequence[Step]) -> str:
    """What a bridge shows, for whoever cannot see it: every line in its order."""
    return f"{what}. {'; '.join(f'{step.name} {step.shown}' for step in steps)}."


#: The axis is cut where the additions would take less than a third of it.
_CUT_BELOW: Final = 3
_MARGIN: Final = 0.06
_BRIDGE_STEP: Final = 46
_KINDS: Final = {"domain": ["whole", "more", "less"], "range": [OTHER_COLOUR, PALETTE[1], PALETTE[0]]}
_BRIDGE_TIP: Final = {"name": "Part", "shown": "Amount", "meaning": "Meaning"}


def _reaches(steps: Sequence[Step]) -> tuple[list[dict[str, Any]], list[float]]:
    """Where each line begins and ends, and every place that one of them reaches (zero aside)."""
    values, edges, at = list[dict[str, Any]](), list[float](), ZERO
    for step in steps:
        start, at = (ZERO, step.amount) if step.whole else (at, total((at, step.amount)))
        values.append(
            {
                "line": f"{step.name}\n{step.shown}",
                "name": step.name,
                "from": round(float(start), 6),
                "to": round(float(at), 6),
                "kind": "whole" if step.whole else "more" if step.amount > 0 else "less",
                "shown": step.shown,
                "meaning": step.meaning or numbers.NONE,
            }
        )
        edges.append(round(float(at), 6))
    for value, after in pairwise(values):
        value["next"] = after["line"]
    return values, edges


def _value(mark: Mark, rank: Mapping[str, int]) -> dict[str, Any]:
    return {
        "when": mark.when.isoformat(),
        "name": mark.name,
        "rank": rank[mark.name],
        "amount": None if mark.amount is None else round(float(mark.amount), 6),
        "shown": mark.shown,
    }


def _time(axis: Axis) -> Spec:
    return {
        "field": "when",
        "type": "temporal",
        "timeUnit": "utcyearmonth" if axis.monthly else "utcyearmonthdate",
        # UTC: elsewhere west of Greenwich every day would be drawn as the one before.
        "scale": {"type": "utc"},
        "axis": {
            "title": None,
            "format": "%b %Y" if axis.monthly else "%-d %b",
            "grid": False,
            "labelOverlap": True,
            "labelFlush": False,
        },
    }


def _scale(title: str) -> Spec:
    return {
        "axis": {
            "title": title,
            "labelExpr": "format(datum.value, '~s')",
            "tickCount": 5,
            "domain": False,
            "titlePadding": 10,
        }
    }


def _colour(palette: Mapping[str, str]) -> Spec:
    return {
        "field": "name",
        "type": "nominal",
        "scale": {"domain": list(palette), "range": list(palette.values())},
        "sort": None,
        "legend": {
            "title": None,
            "orient": "bottom",
            "columns": {"expr": LEGEND_COLUMNS},
            "labelLimit": 290,
            "symbolType": "square",
        },
    }


#: As many columns as the width has room for, so that no name is cut off on a phone.
LEGEND_COLUMNS: Final = "max(1, floor(width / 270))"


def _tooltip(axis: Axis) -> list[Spec]:
    title = "Month" if axis.monthly else "Day"
    shown = {"field": "when", "type": "temporal", "title": title, "timeUnit": "utcyearmonthdate"}
    return [
        shown | {"format": "%B %Y" if axis.monthly else "%-d %B %Y"},
        {"field": "name", "title": "Group"},
        {"field": "shown", "title": axis.title},
    ]


def _band(axis: Axis) -> list[Spec]:
    """A pale band behind what may still be restated, with its name."""
    start = axis.provisional_from
    if start is None or start > axis.last:
        return []
    end = axis.last + timedelta(days=1)
    data = {"values": [{"from": start.isoformat(), "to": end.isoformat(), "text": "provisional"}]}
    unit = "utcyearmonth" if axis.monthly else "utcyearmonthdate"
    position = {"type": "temporal", "timeUnit": unit, "scale": {"type": "utc"}}
    x = {"field": "from", **position, "bandPosition": 0}
    return [
        {
            "data": data,
            "mark": {"type": "rect", "color": _BAND},
            "encoding": {"x": x, "x2": {"field": "to", "timeUnit": unit, "bandPosition": 0}},
        },
        {
            "data": data,
            "mark": {
                "type": "text",
                "align": "left",
                "baseline": "bottom",
                "dx": 1,
                "dy": -4,
                "color": _QUIET,
                "fontSize": 11,
            },
            "encoding": {"x": x, "y": {"value": 0}, "text": {"field": "text"}},
        },
    ]


def _chart(layers: list[Spec], values: list[dict[str, Any]], axis: Axis) -> Spec:
    return {
        "description": axis.words,
        "height": _HEIGHT,
        **({"title": {"text": axis.note, **_NOTE}} if axis.note else {}),
        "autosize": {"type": "fit-x", "contains": "padding"},
        "padding": {"top": 18, "bottom": 4, "left": 4, "right": 8},
        "data": {"values": values},
        "layer": layers,
        "config": {
            "view": {"stroke": None},
            "axis": {"labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": 400},
        },
    }
