"""The two pictures of a proof as SVG: from baseline to actual, and day by day. Drawn from the document alone.

Written by hand rather than by a charting library, so that the same document gives the same bytes on every release.
A palette says how a mark gets its colour: on a screen by a class that light and dark style, on paper by its value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from html import escape
from typing import Any, Final

from reports.numbers import money

WIDTH: Final = 700
_LABEL: Final = 190
_AMOUNT: Final = 100
_ROW: Final = 27
_BAR: Final = 16
_PLOT: Final = 200
_LEFT: Final = 62
_TICKS: Final = (1, 2, 2.5, 5, 10)

Palette = Mapping[str, str]
#: On paper.
INK: Final[Palette] = {
    "text": 'fill="#1c2430"',
    "muted": 'fill="#5b6675"',
    "level": 'fill="#44546a"',
    "less": 'fill="#1a7f5a"',
    "more": 'fill="#b4570e"',
    "band": 'fill="#c9dcf3"',
    "rule": 'stroke="#c5ccd6"',
    "line": 'fill="none" stroke="#2f6fb5" stroke-width="1.4"',
    "whisker": 'stroke="#1c2430" stroke-width="1.3"',
    "dot": 'fill="#1c2430"',
}
#: On a screen, by the style sheet.
SCREEN: Final[Palette] = {name: f'class="c-{name}"' for name in INK}


def bridge(document: Mapping[str, Any], palette: Palette) -> str:
    """Horizontal bars from the baseline's cost to what was paid; empty where the document has no bridge."""
    parts: Sequence[Mapping[str, str]] = document["bridge"]
    if not parts:
        return ""
    currency, figures = document["claim"]["currency"], document["claim"]["figures"]
    spans, reached = list[tuple[float, float]](), 0.0
    for part in parts:
        amount = float(part["amount"])
        start = 0.0 if part["kind"] == "level" else reached
        reached = start + amount
        spans.append((start, reached))
    # Wide intervals have to find room, too.
    whisker = [float(figures["actual"]) + float(figures[end]) for end in ("low", "high") if figures[end] is not None]
    low = min(0.0, *(min(span) for span in spans), *whisker)
    high = max(*(max(span) for span in spans), *whisker)
    scale = (WIDTH - _LABEL - _AMOUNT) / (((high - low) or 1) * 1.02)

    def x(value: float) -> float:
        return _LABEL + (value - low) * scale

    marks = list[str]()
    for i, (part, (start, end)) in enumerate(zip(parts, spans, strict=True)):
        top = i * _ROW + (_ROW - _BAR) / 2
        kind = "level" if part["kind"] == "level" else "less" if end < start else "more"
        left, width = min(x(start), x(end)), max(abs(x(end) - x(start)), 1.0)
        sign = "+" if part["kind"] == "step" and end > start else ""
        shown = escape(f"{sign}{money(Decimal(part['amount']), currency)}")
        base = top + _BAR - 4
        marks += [
            f'<text x="0" y="{base:.1f}" font-size="11.5" {palette["text"]}>{escape(part["label"])}</text>',
            f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{_BAR}" rx="2" {palette[kind]}/>',
            f'<text x="{WIDTH}" y="{base:.1f}" font-size="11.5" text-anchor="end" {palette["text"]}>{shown}</text>',
        ]
        if part["label"] in {"Saving", "Cost added", "Difference, not verified"}:
            marks.append(_whisker(figures, x, top + _BAR / 2, palette))
    return _svg(len(parts) * _ROW, marks)


def days(document: Mapping[str, Any], palette: Palette) -> str:
    """Cost by day as dots, what the model expects as a line with the interval of single days, the change as a rule."""
    columns: Mapping[str, Sequence[Any]] = document["days"]
    rows = [i for i, text in enumerate(columns["expected"]) if text is not None]
    if not rows:
        return ""
    first = date.fromisoformat(columns["date"][rows[0]])
    offsets = [(date.fromisoformat(columns["date"][i]) - first).days for i in rows]
    costs, expected, low, high = (
        [float(columns[name][i] or columns["expected"][i]) for i in rows]
        for name in ("cost", "expected", "expected_low", "expected_high")
    )
    step = _step(max(*costs, *high))
    top = step * (int(max(*costs, *high) / step) + 1)

    def x(offset: float) -> float:
        return _LEFT + offset / max(offsets[-1], 1) * (WIDTH - _LEFT - 6)

    def y(value: float) -> float:
        return _PLOT - max(value, 0) / top * (_PLOT - 8)

    marks = list[str]()
    for n in range(round(top / step) + 1):
        at, label = y(n * step), money(Decimal(str(n * step)), document["claim"]["currency"]).removesuffix(".00")
        where = f'x="{_LEFT - 6}" y="{at + 3.5:.1f}" font-size="10" text-anchor="end"'
        marks += [
            f'<line x1="{_LEFT}" x2="{WIDTH}" y1="{at:.1f}" y2="{at:.1f}" stroke-width="0.6" {palette["rule"]}/>',
            f"<text {where} {palette['muted']}>{escape(label)}</text>",
        ]
    edge = [f"{x(o):.1f},{y(v):.1f}" for o, v in zip(offsets, high, strict=True)]
    edge += [f"{x(o):.1f},{y(v):.1f}" for o, v in zip(reversed(offsets), reversed(low), strict=True)]
    path = " ".join(f"{x(o):.1f},{y(v):.1f}" for o, v in zip(offsets, expected, strict=True))
    marks += [
        f'<polygon points="{" ".join(edge)}" {palette["band"]}/>',
        f'<polyline points="{path}" {palette["line"]}/>',
    ]
    marks += [
        f'<circle cx="{x(o):.1f}" cy="{y(v):.1f}" r="1.5" {palette["dot"]}/>'
        for o, v in zip(offsets, costs, strict=True)
    ]
    changed = (date.fromisoformat(document["claim"]["intervention"]["first_day"]) - first).days
    if 0 <= changed <= offsets[-1]:
        at = x(changed)
        marks += [
            f'<line x1="{at:.1f}" x2="{at:.1f}" y1="4" y2="{_PLOT}" stroke-dasharray="3 3" {palette["whisker"]}/>',
            f'<text x="{at - 4:.1f}" y="12" font-size="10" text-anchor="end" {palette["text"]}>change</text>',
        ]
    marks += [_month(o, first, x(o), palette) for o in range(offsets[-1] + 1) if _begins(first, o)]
    return _svg(_PLOT + 18, marks)


def _whisker(figures: Mapping[str, str | None], x: Any, y: float, palette: Palette) -> str:  # noqa: ANN401 - a scale
    """The interval of the cost without the change, which is that of the saving."""
    actual, low, high = (figures[name] for name in ("actual", "low", "high"))
    if actual is None or low is None or high is None:
        return ""
    a, b = x(float(actual) + float(low)), x(float(actual) + float(high))
    lines = [(a, y, b, y), (a, y - 5, a, y + 5), (b, y - 5, b, y + 5)]
    return "".join(
        f'<line x1="{p:.1f}" y1="{q:.1f}" x2="{r:.1f}" y2="{s:.1f}" {palette["whisker"]}/>' for p, q, r, s in lines
    )


def _step(top: float) -> float:
    """A round step that cuts the axis into about four."""
    unit = 10.0 ** (len(str(int(max(top, 1)))) - 1) / 10
    return next((unit * t * k for k in (1, 10) for t in _TICKS if top / (unit * t * k) <= 5), unit * 100)  # noqa: PLR2004


def _begins(first: date, offset: int) -> bool:
    return date.fromordinal(first.toordinal() + offset).day == 1


def _month(offset: int, first: date, at: float, palette: Palette) -> str:
    day = date.fromordinal(first.toordinal() + offset)
    name = f"{day:%b %Y}" if offset == 0 or day.month == 1 else f"{day:%b}"
    return f'<text x="{at:.1f}" y="{_PLOT + 13}" font-size="10" {palette["muted"]}>{name}</text>'


def _svg(height: float, marks: Sequence[str]) -> str:
    inner = "".join(marks)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" font-family="Inter">{inner}</svg>'
    )
