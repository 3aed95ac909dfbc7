"""Waiting for a provider: by its own word, else doubling, and when to give up."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from connectors.errors import BudgetError, SourceError
from connectors.live import Access, Meter
from connectors.patience import ATTEMPTS, LONGEST, Pause, asked_wait, persist

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"Retry-After": "Sun, 01 Nov 2026 12:00:30 GMT"}, 30),
        ({"x-reset": "1m30s"}, 90),
        ({"x-reset": "250ms"}, 0.25),
        ({"x-reset": "2026-11-01T12:02:00Z"}, 120),
        ({"x-reset": "2s", "x-other": "40"}, 40),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({}, None),
    ],
)
def test_the_wait_that_headers_ask_for(headers: dict[str, str], seconds: float | None) -> None:
    assert asked_wait(headers, NOW, "x-reset", "x-other") == seconds


def failing(times: int, waits: list[float], pause: Pause | None) -> str:
    left = [times]

    def call() -> str:
        if left[0]:
            left[0] -= 1
            raise OSError("reset")
        return "page"

    return persist(call, lambda _: pause, Access({}, sleep=waits.append))


def test_waits_double_where_the_provider_names_none() -> None:
    waits: list[float] = []
    assert failing(3, waits, Pause("It was busy")) == "page"
    assert waits == [1, 2, 4]


def test_the_providers_own_wait_is_kept() -> None:
    waits: list[float] = []
    assert failing(2, waits, Pause("It was busy", 11.5)) == "page"
    assert waits == [11.5, 11.5]


def test_it_gives_up_after_the_last_attempt() -> None:
    waits: list[float] = []
    with pytest.raises(SourceError, match="It was busy, 7 times in a row"):
        failing(ATTEMPTS, waits, Pause("It was busy", 0))
    assert len(waits) == ATTEMPTS - 1


def test_a_wait_that_is_too_long_ends_the_sync_at_once() -> None:
    waits: list[float] = []
    with pytest.raises(SourceError, match="asks to wait 301 seconds"):
        failing(1, waits, Pause("It was busy", LONGEST + 1))
    assert waits == []


def test_what_no_patience_mends_is_passed_on() -> None:
    with pytest.raises(OSError, match="reset"):
        failing(1, [], None)


def test_paid_calls_stop_before_the_limit_is_passed() -> None:
    meter = Meter(Decimal("0.02"))
    meter.count("Cost Explorer", Decimal("0.01"))
    meter.count("S3")
    meter.count("Cost Explorer", Decimal("0.01"))
    with pytest.raises(BudgetError, match=r"costs \$0.01 a request, and this sync has used \$0.02 of its limit"):
        meter.count("Cost Explorer", Decimal("0.01"))
    assert (meter.calls, meter.paid_calls, meter.paid) == (3, 2, Decimal("0.02"))
