"""A saving over several changes, split by the days on which each of them joined; or the reason why it is not."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.attribution import Attribution
from analysis.split import BASIS, Change, Split, SplitDay, split

BASELINE = (date(2026, 1, 1), date(2026, 6, 30))
REPORTING = (date(2026, 7, 1), date(2026, 9, 28))
ROUTING = Change("routing", date(2026, 7, 1), None)
CACHING = Change("caching", date(2026, 8, 10), None)
OLD = Change("old", date(2025, 3, 1), None)


def days(*spans: tuple[int, str], expected: str = "100") -> list[SplitDay]:
    """Spans of days, each with what is left of an expected cost."""
    found = list[SplitDay]()
    for length, left in spans:
        for _ in range(length):
            day = REPORTING[0] + timedelta(days=len(found))
            found.append(SplitDay(day, Decimal(expected) * Decimal(left), Decimal(expected)))
    return found


def saved(found: list[SplitDay]) -> Decimal:
    return sum((day.expected - day.cost for day in found), Decimal()).quantize(Decimal("0.01"))


def parts(found: Split) -> Attribution:
    assert found.attribution is not None
    return found.attribution


def test_by_hand() -> None:
    """Routing halves 40 days of 100; caching then leaves 80 % of what it finds, over 50 days.

    By date routing has 40 x 50 + 50 x 50 and caching 50 x 10. By itself caching would avoid 50 x 20; the mean of both
    orders gives it (500 + 1000) / 2.
    """
    measured = days((40, "0.5"), (50, "0.4"))
    found = split([CACHING, ROUTING], BASELINE, REPORTING, measured, saved(measured))
    assert found.changes == (ROUTING, CACHING)
    assert found.sentences == BASIS
    shared = parts(found)
    assert shared.total == Decimal(5000)
    assert shared.sequential == {"0": Decimal("4500.00"), "1": Decimal("500.00")}
    assert shared.shapley == {"0": Decimal("4250.00"), "1": Decimal("750.00")}
    assert shared.alone == {"0": Decimal("4500.00"), "1": Decimal("1000.00")}
    assert sum(shared.alone.values()) != shared.total


def test_a_change_that_adds_cost_has_a_negative_part() -> None:
    measured = days((40, "0.5"), (50, "0.6"))
    shared = parts(split([ROUTING, CACHING], BASELINE, REPORTING, measured, saved(measured)))
    assert shared.sequential == {"0": Decimal("4500.00"), "1": Decimal("-500.00")}


def test_one_change_has_the_whole_and_what_lasts_through_both_periods_takes_no_part() -> None:
    measured = days((90, "0.5"))
    later = Change("later", REPORTING[1] + timedelta(days=1), None)
    gone = Change("tried and ended", date(2026, 6, 30), None)
    over = Change("over before", date(2025, 1, 1), date(2025, 2, 1))
    assert split([ROUTING, OLD, later, over], BASELINE, REPORTING, measured, saved(measured)) == Split((), None, ())
    assert split([gone], BASELINE, REPORTING, measured, saved(measured)).changes == ()
    between = Change("between", date(2026, 7, 2), date(2026, 7, 5))
    after = (date(2026, 7, 10), REPORTING[1])
    assert split([ROUTING, between], BASELINE, after, measured[9:], saved(measured[9:])).changes == ()


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (Change("same day", ROUTING.first_day, None), '"routing" (2026-07-01) has 0 measured days of its own'),
        (Change("soon after", date(2026, 7, 20), None), "has 19 measured days of its own before the next one"),
        (Change("at the end", date(2026, 9, 20), None), "9 measured days of its own before the period's end"),
        (Change("before", date(2026, 5, 1), None), '"before" (2026-05-01) stood in the baseline already'),
        (Change("short", date(2026, 8, 10), date(2026, 9, 20)), '"short" (2026-08-10) ended before the reporting'),
        (Change("switched off", date(2025, 1, 1), date(2026, 8, 1)), "ended before the reporting"),
    ],
)
def test_what_cannot_be_told_apart_says_why(other: Change, said: str) -> None:
    measured = days((90, "0.5"))
    found = split([ROUTING, other], BASELINE, REPORTING, measured, saved(measured))
    assert found.attribution is None
    assert len(found.changes) == 2
    assert said in found.sentences[0]
    assert found.sentences[0].startswith("Not split: ")


def test_nothing_measured_and_no_cost_are_not_split() -> None:
    both = [ROUTING, CACHING]
    assert "nothing could be measured" in split(both, BASELINE, REPORTING, [], None).sentences[0]
    free = days((40, "0.5"), (50, "0"))
    assert "there was no cost" in split(both, BASELINE, REPORTING, free, saved(free)).sentences[0]


def test_rounding_does_not_decide_about_the_parts() -> None:
    """Plus 100 and minus 100 leave a cent of rounding, which is no total to scale parts to."""
    level = days((40, "0.9"), (50, "1.08"))
    found = split([ROUTING, CACHING], BASELINE, REPORTING, level, Decimal("0.05"))
    assert found.attribution is None
    assert "rounding would decide" in found.sentences[0]


def test_more_than_twelve_are_not_split() -> None:
    many = [Change(f"c{nth}", REPORTING[0] + timedelta(days=nth), None) for nth in range(13)]
    found = split(many, BASELINE, REPORTING, days((90, "0.5")), Decimal(4500))
    assert "at most 12 changes" in found.sentences[0]


LEFT = st.decimals("0.2", "1.5", places=3).map(str)


@settings(max_examples=60, deadline=None)
@given(st.tuples(LEFT, LEFT, LEFT), st.decimals("0.001", 10**6, places=3))
def test_parts_add_up_exactly_or_there_are_none(left: tuple[str, str, str], expected: Decimal) -> None:
    changes = [Change(f"c{nth}", REPORTING[0] + timedelta(days=30 * nth), None) for nth in range(3)]
    measured = days(*((30, share) for share in left), expected=str(expected))
    total = saved(measured)
    found = split(changes, BASELINE, REPORTING, measured, total)
    if found.attribution is None:
        assert found.sentences[0].startswith("Not split: ")
    else:
        assert sum(found.attribution.sequential.values()) == total
        assert sum(found.attribution.shapley.values()) == total
