"""When schedules are due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.cadence import CadenceError, OnEvent, Timed, cadence

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Santiago")


def timed(text: str, zone: str = "UTC") -> Timed:
    found = cadence(text, zone)
    assert isinstance(found, Timed)
    return found


def local(text: str, zone: str, after: str, until: str) -> list[str]:
    found = timed(text, zone)
    moments = found.between(datetime.fromisoformat(after), datetime.fromisoformat(until))
    return [f"{moment.astimezone(found.zone):%m-%d %H:%M}" for moment in moments]


def test_a_time_that_spring_leaves_out_comes_right_after_the_gap() -> None:
    days = local("daily 02:30", "Europe/Berlin", "2026-03-28T00:00:00Z", "2026-03-30T12:00:00Z")
    assert days == ["03-28 02:30", "03-29 03:00", "03-30 02:30"]


def test_a_time_that_autumn_has_twice_comes_once() -> None:
    days = local("daily 02:30", "Europe/Berlin", "2026-10-24T00:00:00Z", "2026-10-26T12:00:00Z")
    assert days == ["10-24 02:30", "10-25 02:30", "10-26 02:30"]


def test_weekly_is_the_weekday_of_the_recipient() -> None:
    assert local("weekly mon 00:30", "Asia/Kolkata", "2026-11-01T00:00:00Z", "2026-11-17T00:00:00Z") == [
        "11-02 00:30",
        "11-09 00:30",
        "11-16 00:30",
    ]


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("monthly 1 07:00", ["01-01 07:00", "02-01 07:00", "03-01 07:00"]),
        ("monthly 31 07:00", ["01-31 07:00", "02-28 07:00", "03-31 07:00"]),
        ("monthly last 07:00", ["01-31 07:00", "02-28 07:00", "03-31 07:00"]),
    ],
)
def test_a_month_without_the_day_has_its_last_one(text: str, days: list[str]) -> None:
    assert local(text, "UTC", "2025-12-31T12:00:00Z", "2026-03-31T12:00:00Z") == days


@given(
    st.sampled_from(ZONES),
    st.times(),
    st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1)),  # noqa: DTZ001 - made aware below
    st.integers(1, 400),
)
def test_every_local_day_has_exactly_one_moment_however_the_span_is_cut(
    zone: str, at: object, start: datetime, days: int
) -> None:
    found = timed(f"daily {at:%H:%M}", zone)
    begin = start.replace(tzinfo=UTC)
    end, middle = begin + timedelta(days=days), begin + timedelta(days=days / 3)
    whole = found.between(begin, end)
    assert found.between(begin, middle) + found.between(middle, end) == whole
    dates = [moment.astimezone(found.zone).date() for moment in whole]
    assert dates == [dates[0] + timedelta(days=n) for n in range(len(dates))] if dates else days <= 2
    assert found.after(end) > end


def test_events_are_read_with_their_limit() -> None:
    assert cadence("on spend above 5000.50 USD", "UTC") == OnEvent("spend", Decimal("5000.50"), "USD")
    assert cadence("On Failure", "UTC") == OnEvent("failure")


@pytest.mark.parametrize(
    ("text", "zone", "said"),
    [
        ("hourly", "UTC", "is no cadence"),
        ("daily 24:00", "UTC", "is no cadence"),
        ("weekly funday 07:00", "UTC", "is no cadence"),
        ("monthly 32 07:00", "UTC", "is no cadence"),
        ("daily 07:00", "Mars/Base", "is no time zone"),
        ("daily 07:00", "../etc/passwd", "is no time zone"),
        ("on spend above lots USD", "UTC", "is no limit"),
        ("on spend above -5 USD", "UTC", "is no limit"),
    ],
)
def test_what_means_nothing_is_refused_in_words(text: str, zone: str, said: str) -> None:
    with pytest.raises(CadenceError, match=said):
        cadence(text, zone)
