import json
import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from reports import figures
from reports.figures import Axis, Mark

MAY = date(2026, 5, 1)
CONFIG = tomllib.loads((Path(__file__).resolve().parents[1] / "ui" / "config.toml").read_text())


def mark(day: int, name: str, amount: str | None) -> Mark:
    return Mark(date(2026, 5, day), name, None if amount is None else Decimal(amount), f"${amount}")


def luminance(colour: str) -> float:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_colour_stands_out_from_the_page_by_three_to_one(theme: str) -> None:
    page = CONFIG["theme"][theme]["backgroundColor"]
    assert [c for c in (*figures.PALETTE, figures.OTHER_COLOUR) if contrast(c, page) < 3] == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", ["textColor", "linkColor"])
def test_text_stands_out_from_every_surface(theme: str, name: str) -> None:
    section = CONFIG["theme"][theme]
    surfaces = [section["backgroundColor"], section["secondaryBackgroundColor"], section["sidebar"]["backgroundColor"]]
    assert all(contrast(section[name], surface) >= 4.5 for surface in surfaces)


def test_a_group_keeps_its_colour_whatever_else_is_shown() -> None:
    ranking = [f"service {n}" for n in range(14)]
    alone = figures.colours(["service 3"], ranking)
    together = figures.colours(["service 0", "service 3", "service 7"], ranking)
    assert alone["service 3"] == together["service 3"] == figures.PALETTE[3]


def test_no_two_groups_of_a_view_share_a_colour() -> None:
    ranking = [f"service {n}" for n in range(14)]
    shown = figures.colours(["service 12", "service 0", "service 13", "not ranked"], ranking)
    assert len(set(shown.values())) == 4
    assert shown["service 0"] == figures.PALETTE[0]


def test_what_is_not_among_the_largest_is_summed_into_other_exactly() -> None:
    marks = [mark(1, "a", "1"), mark(1, "b", "0.000000000000000001"), mark(1, "c", "2"), mark(2, "b", "5")]
    gathered = figures.gathered(marks, {"a"}, "other (2 more)", "USD")
    assert gathered == [
        mark(1, "a", "1"),
        Mark(MAY, "other (2 more)", Decimal("2.000000000000000001"), "$2.00"),
        Mark(date(2026, 5, 2), "other (2 more)", Decimal(5), "$5.00"),
    ]


def test_bars_leave_out_what_has_no_figure_and_keep_the_order_of_the_palette() -> None:
    spec = figures.stacked(
        [mark(1, "b", "2.5"), mark(1, "a", None), mark(3, "a", "-1")],
        {"a": "#000000", "b": "#111111"},
        Axis("USD", False, MAY),
    )
    assert [(v["when"], v["name"], v["rank"], v["amount"]) for v in spec["data"]["values"]] == [
        ("2026-05-01", "b", 1, 2.5),
        ("2026-05-03", "a", 0, -1.0),
    ]
    assert spec["layer"][-1]["encoding"]["color"]["scale"] == {"domain": ["a", "b"], "range": ["#000000", "#111111"]}


def test_tooltips_show_the_exact_text_and_not_the_drawn_number() -> None:
    spec = figures.stacked(
        [Mark(MAY, "a", Decimal("0.1234567890123"), "$0.12")], {"a": "#000000"}, Axis("USD", False, MAY)
    )
    fields = {t["field"] for t in spec["layer"][-1]["encoding"]["tooltip"]}
    assert fields == {"when", "name", "shown"}
    assert spec["data"]["values"][0]["shown"] == "$0.12"


def test_days_are_drawn_in_utc_wherever_the_browser_is() -> None:
    spec = figures.lines([mark(1, "a", "1")], {"a": "#000000"}, Axis("USD", False, MAY))
    assert spec["layer"][-1]["encoding"]["x"]["timeUnit"].startswith("utc")
    assert spec["layer"][-1]["encoding"]["x"]["scale"] == {"type": "utc"}


def test_a_line_breaks_on_days_without_a_figure() -> None:
    marks = figures.with_gaps([mark(1, "a", "1"), mark(3, "a", "2")], MAY, date(2026, 5, 3), monthly=False)
    assert [(m.when.day, m.amount) for m in marks] == [(1, Decimal(1)), (2, None), (3, Decimal(2))]
    spec = figures.lines(marks, {"a": "#000000"}, Axis("USD", False, MAY))
    assert [v["amount"] for v in spec["data"]["values"]] == [1.0, None, 2.0]
    assert spec["layer"][-1]["mark"]["invalid"].startswith("break-paths")


def test_a_line_by_month_breaks_on_months() -> None:
    marks = figures.with_gaps([mark(1, "a", "1")], MAY, date(2026, 7, 31), monthly=True)
    assert [m.when for m in marks] == [MAY, date(2026, 6, 1), date(2026, 7, 1)]


def test_what_may_be_restated_is_marked_and_named() -> None:
    spec = figures.stacked(
        [mark(1, "a", "1")], {"a": "#000000"}, Axis("USD", False, date(2026, 5, 31), date(2026, 5, 10))
    )
    band = spec["layer"][0]["data"]["values"]
    assert band == [{"from": "2026-05-10", "to": "2026-06-01", "text": "provisional"}]


def test_nothing_is_marked_where_all_is_final() -> None:
    spec = figures.stacked(
        [mark(1, "a", "1")], {"a": "#000000"}, Axis("USD", False, date(2026, 5, 31), date(2026, 6, 1))
    )
    assert "provisional" not in json.dumps(spec)


def test_a_picture_of_a_sample_says_so_wherever_it_goes() -> None:
    axis = Axis("USD", False, MAY, None, "Told.", "Synthetic sample data")
    spec = figures.stacked([mark(1, "a", "1")], {"a": "#000000"}, axis)
    assert spec["title"]["text"] == "Synthetic sample data"
    assert spec["description"] == "Told."
    assert "title" not in figures.stacked([mark(1, "a", "1")], {"a": "#000000"}, Axis("USD", False, MAY))


def test_a_chart_is_told_in_words() -> None:
    told = figures.words("Billed cost by day", [("a", "$2.00"), ("b", "$1.00")], MAY, date(2026, 5, 31))
    assert told == "Billed cost by day, 1 May to 31 May 2026. a $2.00; b $1.00."
