"""What the days of a baseline can carry, and which drivers they may be held against."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import ibis
import pytest

from analysis.baseline import Series, series, sufficiency
from analysis.constant_prices import CostDay
from analysis.drivers import driver_days, refuse_mediator
from analysis.period import Period
from analysis.result import fetch
from analysis.scope import Scope, parse

if TYPE_CHECKING:
    from tests.engines import Engine

pytest_plugins = ("tests.engines",)
pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

FIRST = date(2026, 1, 1)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    from tests.engines import Engine  # noqa: PLC0415 - after it was registered

    return Engine("duckdb", ibis.duckdb.from_connection(duckdb.connect()), tmp_path_factory.mktemp("baseline"))


def of_days(count: int, *, without: tuple[int, ...] = (), tokens: str = "1000", cost: str = "10") -> Series:
    days = [FIRST + timedelta(days=n) for n in range(count)]
    costs = [
        CostDay(d, Decimal(cost), Decimal(cost), Decimal(cost), Decimal(tokens))
        for n, d in enumerate(days)
        if n not in without
    ]
    return series(FIRST, days[-1], costs, dict.fromkeys(days, Decimal(5)))


def names(found: Series) -> tuple[list[str], list[str]]:
    judged = sufficiency(found)
    return [f.name for f in judged.warnings], [f.name for f in judged.disqualifications]


def test_a_year_without_gaps_is_neither_warned_of_nor_refused() -> None:
    assert names(of_days(365)) == ([], [])


@pytest.mark.parametrize(("days", "refused"), [(83, ["too_short"]), (84, [])])
def test_eighty_four_days_are_the_least(days: int, refused: list[str]) -> None:
    assert names(of_days(days))[1] == refused


def test_a_tenth_of_the_days_may_be_missing() -> None:
    assert names(of_days(500, without=tuple(range(50)))) == (["some_days_missing"], [])
    assert names(of_days(500, without=tuple(range(51)))) == ([], ["days_missing"])


def test_days_without_tokens_or_cost_are_told() -> None:
    assert names(of_days(365, tokens="0"))[0] == ["tokens_unknown"]
    assert names(of_days(365, cost="-1"))[0] == ["days_without_cost"]


def test_nothing_measurable_is_said_first() -> None:
    nothing = series(FIRST, FIRST + timedelta(days=99), [], {})
    assert names(nothing) == ([], ["nothing"])
    assert len(nothing.missing) == 100


def test_a_day_needs_both_cost_and_driver_and_knows_its_unit_costs() -> None:
    second = FIRST + timedelta(days=1)
    costs = [CostDay(d, Decimal(12), Decimal(15), Decimal(6), Decimal(4000)) for d in (FIRST, second)]
    found = series(FIRST, FIRST + timedelta(days=2), costs, {FIRST: Decimal(8), FIRST + timedelta(days=2): Decimal(1)})
    (day,) = found.days
    assert (day.cost, day.as_billed, day.driver) == (12, 15, 8)
    assert (day.price_per_token, day.tokens_per_driver) == (Decimal("0.0015"), 500)
    assert found.missing == (second, FIRST + timedelta(days=2))
    assert found.frame()["cost"].tolist() == [Decimal(12)]


def test_days_left_out_are_neither_measured_nor_missing() -> None:
    costs = [CostDay(FIRST, Decimal(1), Decimal(1), Decimal(0), Decimal(0))]
    found = series(FIRST, FIRST + timedelta(days=1), costs, {FIRST: Decimal(1)}, left_out=[FIRST])
    assert (found.days, found.left_out, found.missing) == ((), (FIRST,), (FIRST + timedelta(days=1),))


# Drivers


@pytest.mark.parametrize("name", ["tokens", "input_tokens", "cache_hit_rate", "model share", "Cost per user", "mix"])
def test_what_a_change_works_through_is_no_driver(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the driver"):
        refuse_mediator(name)


def test_a_driver_counted_in_tokens_is_refused_by_its_unit() -> None:
    with pytest.raises(ValueError, match="cannot be the driver"):
        refuse_mediator("volume", "million tokens")


def own(day: date, value: str, name: str = "users", **more: Any) -> dict[str, Any]:
    return {
        "DriverDate": day,
        "DriverName": name,
        "DriverValue": Decimal(value),
        "DriverUnit": "users",
        "x_Connection": "file",
        "x_LoadId": "l1",
    } | more


def used(day: date, requests: int | None, **more: Any) -> dict[str, Any]:
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return {
        "UsagePeriodStart": start,
        "UsagePeriodEnd": start,
        "Grain": "day",
        "UsageKind": "completions",
        "ServiceProviderName": "OpenAI",
        "ModelId": "gpt-5.5",
        "Requests": requests,
        "x_Connection": "openai",
        "x_LoadId": "l1",
    } | more


TWO = Period(FIRST, FIRST + timedelta(days=2))
SECOND = FIRST + timedelta(days=1)


def test_a_driver_of_ones_own_is_taken_by_day_without_its_zeros(engine: Engine) -> None:
    drivers = engine.table("drivers", [own(FIRST, "7"), own(SECOND, "0"), own(date(2027, 1, 1), "9")])
    found = driver_days(drivers, engine.table("usage", []), Scope(), "users", TWO)
    assert (found.values, found.unit, found.source) == ({FIRST: 7}, "users", "drivers")


def test_two_values_of_one_day_are_refused(engine: Engine) -> None:
    drivers = engine.table("drivers", [own(FIRST, "7"), own(FIRST, "8", x_Connection="other")])
    with pytest.raises(ValueError, match="two values on 2026-01-01"):
        driver_days(drivers, engine.table("usage", []), Scope(), "users", TWO)


def test_requests_are_those_of_reports_in_scope(engine: Engine) -> None:
    rows = [
        used(FIRST, 100),
        used(FIRST, 50, ModelId="gpt-4.1-mini"),
        used(FIRST, 1, Grain="request"),
        used(SECOND, 9, ServiceProviderName="Anthropic"),
    ]
    usage = engine.table("usage", rows)
    scope = parse("provider=OpenAI,model=gpt-5.5")
    found = driver_days(engine.table("drivers", []), usage, scope, "requests", TWO)
    assert (found.values, found.source) == ({FIRST: 100}, "usage")
    assert "inside the scope" in found.warnings[0]


def test_a_log_of_requests_is_no_count(engine: Engine) -> None:
    usage = engine.table("usage", [used(FIRST, 1, Grain="request")])
    with pytest.raises(ValueError, match="may be a sample"):
        driver_days(engine.table("drivers", []), usage, Scope(), "requests", TWO)


def test_an_unknown_driver_is_named_beside_those_there_are(engine: Engine) -> None:
    drivers = engine.table("drivers", [own(FIRST, "7")])
    with pytest.raises(ValueError, match="no driver 'documents' in this period; there are users, requests"):
        driver_days(drivers, engine.table("usage", []), Scope(), "documents", TWO)


def test_requests_cannot_be_counted_by_service(engine: Engine) -> None:
    with pytest.raises(ValueError, match="does not say to which service"):
        driver_days(engine.table("drivers", []), engine.table("usage", []), parse("service=Bedrock"), "requests", TWO)


# Scopes


def test_a_scope_is_written_in_one_order() -> None:
    scope = parse(" provider = OpenAI , model=b|a|a,tag:team=x ")
    assert scope.text() == "model=a|b,provider=OpenAI,tag:team=x"
    assert parse(scope.text()) == scope
    assert scope.needs_charges
    assert not parse("model=a,project=p").needs_charges


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("planet=earth", "no dimension 'planet'"),
        ("model", "does not say which model"),
        ("model=|", "does not say which model"),
        ("model=a,model=b", "names model twice"),
        ("tag:=x", "no dimension 'tag:'"),
    ],
)
def test_what_is_no_scope_is_said(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse(text)


def test_a_project_is_found_by_id_and_by_name(engine: Engine) -> None:
    row = {"ChargeDate": FIRST, "x_Connection": "c", "x_LoadId": "l", "Charges": 1}
    rows = [
        row | {"SubAccountId": "1", "SubAccountName": "search"},
        row | {"SubAccountId": "search", "SubAccountName": None},
        row | {"SubAccountId": "2", "SubAccountName": None},
    ]
    table = engine.table("daily_spend", rows)
    assert [row["SubAccountId"] for row in fetch(parse("project=search").charges(table))] == ["1", "search"]
    assert [row["SubAccountId"] for row in fetch(parse("project=2").charges(table))] == ["2"]
