"""Non-inferiority of quality and performance: what is shown, what is not, and what was never assessed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import ibis
import pytest

from analysis.guard_rails import Evaluation, GuardRail, pass_rate, performance
from analysis.period import Period

if TYPE_CHECKING:
    from tests.engines import Engine

pytest_plugins = ("tests.engines",)
pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

FIRST, CHANGE = date(2026, 1, 1), date(2026, 2, 1)
BEFORE, AFTER = Period(FIRST, CHANGE), Period(CHANGE, date(2026, 3, 1))


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    from tests.engines import Engine  # noqa: PLC0415 - after it was registered

    return Engine("duckdb", ibis.duckdb.from_connection(duckdb.connect()), tmp_path_factory.mktemp("rails"))


def logged(day: date, latency: str, *, errors: int = 0, tokens: int = 100) -> dict[str, Any]:
    start = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return {
        "UsagePeriodStart": start,
        "UsagePeriodEnd": start,
        "Grain": "request",
        "UsageKind": "completions",
        "ServiceProviderName": "OpenAI",
        "LatencyMs": Decimal(latency),
        "OutputTokens": tokens,
        "Errors": errors,
        "Requests": 1,
        "x_Connection": "log",
        "x_LoadId": "l1",
    }


def rails(engine: Engine, before: str, after: str, days: int = 20) -> dict[str, GuardRail]:
    """Two requests a day, 10 ms to either side of the mean."""
    rows = list[dict[str, Any]]()
    for start, latency in ((FIRST, before), (CHANGE, after)):
        for n in range(days):
            swing = Decimal(10 if n % 2 else -10)
            rows += [logged(start + timedelta(days=n), str(Decimal(latency) + swing))] * 2
    found = performance(engine.table("usage", rows), BEFORE, AFTER, 0.9)
    return {rail.measure: rail for rail in found}


def test_a_change_within_the_margin_is_shown_to_be_no_worse(engine: Engine) -> None:
    rail = rails(engine, "1000", "1020")["latency_ms"]
    assert (rail.before, rail.after, rail.state, rail.margin) == (1000, 1020, "not worse", 100)
    # Welch: variance of days 2000/19, se of the difference 3.244428, t(38; 0.95) 1.685954.
    assert (rail.low, rail.high) == (Decimal("14.530041"), Decimal("25.469959"))
    assert (rail.count_before, rail.count_after) == (40, 40)


@pytest.mark.parametrize(("after", "state"), [("1098", "not shown"), ("1200", "worse"), ("900", "not worse")])
def test_the_bad_end_of_the_interval_decides(engine: Engine, after: str, state: str) -> None:
    assert rails(engine, "1000", after)["latency_ms"].state == state


def test_slower_output_is_worse_though_its_number_is_smaller(engine: Engine) -> None:
    rail = rails(engine, "1000", "2000")["tokens_per_second"]
    assert (rail.before, rail.after) == (Decimal("100.010001"), Decimal("50.00125"))
    assert rail.state == "worse"


def test_too_few_days_are_not_assessed(engine: Engine) -> None:
    rail = rails(engine, "1000", "1000", days=13)["latency_ms"]
    assert (rail.state, rail.before, rail.low) == ("not assessed", None, None)
    assert rail.sentence == "Latency: not assessed, since each period needs 14 days with a log of requests."


def test_failed_requests_count_as_errors_and_not_as_fast_answers(engine: Engine) -> None:
    rows = [logged(start + timedelta(days=n), "1000") for start in (FIRST, CHANGE) for n in range(20)]
    rows += [logged(CHANGE + timedelta(days=n), "1", errors=1, tokens=0) for n in range(20)]
    found = {rail.measure: rail for rail in performance(engine.table("usage", rows), BEFORE, AFTER, 0.9)}
    assert (found["error_rate"].before, found["error_rate"].after, found["error_rate"].state) == (
        0,
        Decimal("0.5"),
        "worse",
    )
    assert found["latency_ms"].after == 1000
    assert found["latency_ms"].state == "not worse"


def cases(passed_before: int, passed_after: int, count: int = 1000, model: str | None = None) -> list[Evaluation]:
    return [Evaluation(FIRST, model, count, passed_before), Evaluation(CHANGE, model, count, passed_after)]


def test_pass_rates_by_hand() -> None:
    rail = pass_rate(cases(950, 945), {}, BEFORE, AFTER, 0.9)
    assert (rail.before, rail.after, rail.state) == (Decimal("0.95"), Decimal("0.945"), "not shown")
    # 1.644854 sqrt(.948207 x .051793 / 1004 + .943227 x .056773 / 1004) = 0.016633
    assert (rail.low, rail.high) == (Decimal("-0.021633"), Decimal("0.011633"))


def test_more_cases_show_what_fewer_do_not() -> None:
    assert pass_rate(cases(9500, 9450, 10_000), {}, BEFORE, AFTER, 0.9).state == "not worse"
    assert pass_rate(cases(9500, 9000, 10_000), {}, BEFORE, AFTER, 0.9).state == "worse"


def test_the_margin_is_the_one_stated() -> None:
    assert pass_rate(cases(9500, 9450, 10_000), {}, BEFORE, AFTER, 0.9, Decimal("0.005")).state == "not shown"


def test_models_weigh_as_much_as_their_requests() -> None:
    """Nothing got worse but the share of the weaker model: that is what routing does."""
    evaluations = cases(9500, 9500, 10_000, "strong") + cases(9000, 9000, 10_000, "weak")
    rail = pass_rate(evaluations, {"strong": (90, 50), "weak": (10, 50)}, BEFORE, AFTER, 0.9)
    assert (rail.before, rail.after) == (Decimal("0.945"), Decimal("0.925"))
    assert rail.state == "not shown"


def test_models_without_requests_are_not_assessed() -> None:
    evaluations = cases(950, 950, model="strong") + cases(900, 900, model="weak")
    rail = pass_rate(evaluations, {}, BEFORE, AFTER, 0.9)
    assert rail.state == "not assessed"
    assert "how many requests each had is not known" in rail.sentence


@pytest.mark.parametrize(
    ("evaluations", "why"),
    [(cases(95, 95, 99), "has 99"), ([Evaluation(FIRST, None, 500, 480)], "has 0"), ([], "no evaluation")],
)
def test_too_few_cases_are_not_assessed(evaluations: list[Evaluation], why: str) -> None:
    rail = pass_rate(evaluations, {}, BEFORE, AFTER, 0.9)
    assert rail.state == "not assessed"
    assert why in rail.sentence
