from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.savings import AvoidedCost, Evidence, Tier, measure_avoided_cost
from analysis.savings_limits import DRIFT_VERIFIED, drift_sentence
from analysis.savings_model import Series, estimate
from analysis.written import money
from tests import savings_worlds
from tests.savings_days import FIRST, days, full_evidence, history, measured

Frames = tuple[pd.DataFrame, pd.DataFrame]


def figures(result: AvoidedCost) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    values = (result.point, result.low, result.high, result.counterfactual)
    assert all(value is not None for value in values)
    return values  # type: ignore[return-value]


def test_a_cost_that_follows_its_driver_exactly_gives_the_exact_saving() -> None:
    """2 a day, 0.01 a request and a quarter less on weekends; 20 % avoided, to the cent."""
    before, after = days(140), days(35, start=140)
    exact = [
        frame.assign(cost=2 + frame["driver"] * np.where([day.weekday() < 5 for day in frame["date"]], 0.01, 0.0075))
        for frame in (before, after)
    ]
    whole = float(exact[1]["cost"].sum())
    result = measured((exact[0], exact[1].assign(cost=exact[1]["cost"] * 0.8)))
    point, low, high, counterfactual = figures(result)
    assert counterfactual == pytest.approx(Decimal(whole), abs=Decimal("0.01"))
    assert point == pytest.approx(Decimal(whole) / 5, abs=Decimal("0.01"))
    assert high - low < Decimal("0.1")
    assert result.fraction == pytest.approx(Decimal("0.2"), abs=Decimal("1e-5"))
    assert result.fraction == (point / counterfactual).quantize(Decimal("1e-6"))
    assert result.verified


def test_the_result_adds_up_in_decimals() -> None:
    result = measured(history())
    point, low, high, counterfactual = figures(result)
    assert point == counterfactual - result.actual
    assert point - low == high - point == max(result.half_widths.values())
    assert result.actual == pytest.approx(
        sum(day.actual for day in result.days if day.reporting), abs=Decimal("0.005") * 30
    )
    assert (result.tier, result.confidence, result.currency) == (Tier.BASELINE_MODEL, Decimal("0.9"), "USD")
    assert result.billable == low


def test_decimal_costs_are_summed_exactly() -> None:
    before, after = history()
    after = after.assign(cost=[Decimal("33.333333333333333333")] * 30)
    assert measure_avoided_cost(before, after).actual == Decimal("1000.00")


def test_without_evidence_nothing_is_verified() -> None:
    result = measure_avoided_cost(*history())
    assert result.statistically_sound
    assert (result.verified, result.billable, result.currency) == (False, None, None)
    assert {gate.name for gate in result.gates if gate.status == "not assessed"} == {"G0", "G9", "G10"}
    assert len(result.refusals) == 2


@pytest.mark.parametrize(("saved", "said"), [(0.0, "so nothing may have been avoided"), (-0.2, "cost more than it")])
def test_a_zero_and_a_negative_result_are_shown_as_such(saved: float, said: str) -> None:
    result = measured(history(saved=saved))
    point, low, high, _ = figures(result)
    assert low < point < high
    true = Decimal(str(saved)) * result.actual / (1 - Decimal(str(saved)))
    assert low <= true <= high
    assert result.statistically_sound
    assert not result.verified
    assert len(result.refusals) == 1
    assert said in result.refusals[0]
    assert f"{money(low, 'USD')} to {money(high, 'USD')}" in result.refusals[0]
    if saved < 0:
        assert high < 0
        assert result.fraction == pytest.approx(Decimal("-0.2"), abs=Decimal("0.03"))
        assert result.drift_to_nothing is None


def test_too_few_days_for_a_model_are_a_refusal_and_not_an_error() -> None:
    for n, m in ((20, 30), (0, 30), (100, 0), (0, 0)):
        before, after = days(n), days(m, start=200)
        result = measure_avoided_cost(before, after)
        assert (result.point, result.low, result.counterfactual, result.fraction) == (None, None, None, None)
        assert not result.statistically_sound
        assert "Too few days" in result.gate("G1").sentence
        assert result.days == ()
    assert measure_avoided_cost(days(20), days(30, start=200)).actual > 0


def test_a_baseline_that_cost_nothing_is_a_refusal() -> None:
    before, after = history()
    result = measured((before.assign(cost=0.0), after.assign(cost=0.0)))
    assert (result.point, result.low, result.high, result.fraction) == (0, 0, 0, None)
    assert not result.verified
    assert "nothing to avoid" in result.refusals[-1]


def test_a_cost_that_begins_out_of_nothing_has_no_interval() -> None:
    """Free until day 100: the placebo windows expect nothing and find cost, so no bound can be put."""
    before, after = history()
    result = measured((before.assign(cost=before["cost"].where(np.arange(120) >= 100, 0.0)), after))
    assert (result.low, result.high, result.fraction_low) == (None, None, None)
    assert result.point is not None
    assert not result.statistically_sound
    assert "no bounds" in result.refusals[-1]


COSTS = st.one_of(st.just(0.0), st.floats(-1e9, 1e9), st.floats(0, 1))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(COSTS, st.integers(0, 10**9)), max_size=60),
    st.lists(st.tuples(COSTS, st.integers(0, 10**9)), max_size=20),
)
def test_any_days_of_the_right_shape_give_a_result(
    first: list[tuple[float, int]], second: list[tuple[float, int]]
) -> None:
    frames = [
        pd.DataFrame(
            {
                "date": [FIRST + timedelta(days=start + nth) for nth in range(len(rows))],
                "cost": [cost for cost, _ in rows],
                "driver": [driver for _, driver in rows],
            }
        )
        for start, rows in ((0, first), (60, second))
    ]
    result = measure_avoided_cost(*frames)
    assert not result.verified
    assert len(result.gates) == 11
    amounts = [result.actual, result.point, result.low, result.high, *result.half_widths.values()]
    assert all(amount.is_finite() for amount in amounts if amount is not None)
    assert result.refusals


def test_the_chart_has_every_measured_day_with_a_band() -> None:
    before, after = history()
    result = measured((before, after))
    assert [day.date for day in result.days] == [*before["date"], *after["date"]]
    assert sum(day.reporting for day in result.days) == len(after)
    assert all(day.low < day.expected < day.high for day in result.days)
    inside = sum(day.low <= day.actual <= day.high for day in result.days if not day.reporting)
    assert 0.8 * len(before) < inside <= len(before)
    assert sum(day.expected for day in result.days if day.reporting) == pytest.approx(
        result.counterfactual, abs=Decimal("0.2")
    )


def test_days_without_use_carry_no_unit_cost_but_are_known() -> None:
    before, after = history(180, 60)
    weekend = [day.weekday() == 6 for day in before["date"]]
    resting = [day.weekday() == 6 for day in after["date"]]
    before = before.assign(driver=before["driver"].mask(weekend, 0), cost=before["cost"].mask(weekend, 0.0))
    after = after.assign(driver=after["driver"].mask(resting, 0), cost=after["cost"].mask(resting, 0.0))
    result = measured((before, after))
    assert result.gate("G1").status == "passed"
    assert result.gate("G1").evidence["baseline_missing"] == 0
    assert set(result.excluded) == set(before["date"][weekend])
    assert result.verified


def test_a_gap_in_the_days_is_a_gap_in_time() -> None:
    """Two halves a year apart: the neighbours across the gap say nothing of the day-to-day correlation."""
    before, _ = history()
    late = [day + timedelta(days=365 if nth >= 60 else 0) for nth, day in enumerate(before["date"])]
    apart = before.assign(date=late)
    result = measure_avoided_cost(apart, days(30, start=500))
    assert result.gate("G1").status == "failed"
    assert result.point is not None


def test_the_interval_takes_the_confidence_asked_for() -> None:
    narrow, wide = (measure_avoided_cost(*history(), confidence=c) for c in (0.8, 0.95))
    assert figures(narrow)[0] == figures(wide)[0]
    assert figures(narrow)[1] > figures(wide)[1]
    for wrong in (0.4, 1.0, -1.0):
        with pytest.raises(ValueError, match="between 0"):
            measure_avoided_cost(*history(), confidence=wrong)


def with_cell(frame: pd.DataFrame, column: str, value: Any) -> pd.DataFrame:
    return frame.assign(**{column: [value, *frame[column].tolist()[1:]]})


WRONG: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], str]] = {
    "no driver": (lambda f: f.drop(columns="driver"), "no column driver"),
    "no date": (lambda f: f.drop(columns=["date", "cost"]), "no column date, cost"),
    "nan cost": (lambda f: with_cell(f, "cost", float("nan")), "cost that is missing"),
    "no cost": (lambda f: f.assign(cost=[None, *f["cost"].tolist()[1:]]).astype({"cost": object}), "cost that is"),
    "text": (lambda f: with_cell(f, "driver", "many"), "driver that is no number"),
    "infinite driver": (lambda f: with_cell(f, "driver", float("inf")), "driver that is missing or infinite"),
    "negative driver": (lambda f: with_cell(f, "driver", -1), "negative driver on 2025-01-06"),
    "negative price": (lambda f: with_cell(f, "price_per_token", -1), "negative price_per_token"),
    "text price": (lambda f: with_cell(f, "price_per_token", "x"), "price_per_token that is no number"),
    "twice": (lambda f: f.iloc[[0, 0, 1]], "2025-01-06 twice"),
    "unordered": (lambda f: f.iloc[[1, 0, 2]], "out of order at 2025-01-06"),
    "no day": (lambda f: with_cell(f, "date", pd.NaT), "date that is none"),
    "text day": (lambda f: with_cell(f, "date", "2025-01-06"), "date that is none"),
    "hours": (lambda f: with_cell(f, "date", datetime(2025, 1, 6, 7, 0)), "not a whole day"),  # noqa: DTZ001
    "currencies": (lambda f: f.assign(currency=["EUR"] + ["USD"] * (len(f) - 1)), "mixes EUR, USD"),
    "a currency lacks": (lambda f: f.assign(currency=[None] + ["USD"] * (len(f) - 1)), "without a currency"),
}


@pytest.mark.parametrize("case", sorted(WRONG))
def test_a_wrong_shape_is_an_error_that_says_what(case: str) -> None:
    spoil, said = WRONG[case]
    before, after = history()
    with pytest.raises(ValueError, match=said):
        measure_avoided_cost(spoil(before), after)


def test_currencies_of_frames_and_evidence_must_be_one() -> None:
    before, after = history()
    with pytest.raises(ValueError, match="mixes EUR, USD"):
        measure_avoided_cost(before.assign(currency="EUR"), after.assign(currency="USD"))
    with pytest.raises(ValueError, match="mixes EUR, USD"):
        measure_avoided_cost(before.assign(currency="EUR"), after, evidence=Evidence(currency="USD"))
    assert measure_avoided_cost(before.assign(currency="EUR"), after).currency == "EUR"


def test_periods_must_not_overlap() -> None:
    with pytest.raises(ValueError, match="must not overlap"):
        measure_avoided_cost(days(120), days(30, start=119))


def test_unknown_days_of_the_optional_columns_are_no_error() -> None:
    before, after = history()
    assert measured((with_cell(before, "price_per_token", None), after)).gate("G4").status == "passed"
    mostly = before.assign(price_per_token=before["price_per_token"].mask(np.arange(120) < 13))
    assert measured((mostly, after)).gate("G4").status == "not assessed"


def test_timestamps_and_dates_are_the_same_days() -> None:
    before, after = history()
    stamped = [frame.assign(date=pd.to_datetime(frame["date"])) for frame in (before, after)]
    assert measure_avoided_cost(*stamped).record() == measure_avoided_cost(before, after).record()


def test_the_drift_that_would_undo_the_claim_is_stated() -> None:
    result = measured(history(saved=0.1))
    _, low, _, counterfactual = figures(result)
    # 120 and 30 days: their middles are 75 days apart.
    assert result.drift_to_nothing == pytest.approx(low / counterfactual * 365 / 75, abs=Decimal("1e-4"))
    assert drift_sentence(result.drift_to_nothing) in result.limits
    assert "is more than the 10%" in drift_sentence(Decimal("0.11"))
    assert "is not more than the 10%" in drift_sentence(Decimal("0.10"))
    assert result.withstands_drift
    assert not measured(history(saved=0.03)).withstands_drift
    assert all(f"{rate:.0%} at {n} and {m} days" in result.limits[0] for (n, m), rate in DRIFT_VERIFIED.items())


def test_a_unit_of_the_driver_changes_nothing() -> None:
    """Requests, or thousands of them: the driver's unit cancels, as the unit of prices does."""
    before, after = history()
    thousands = [frame.assign(driver=frame["driver"] / 1_000) for frame in (before, after)]
    one, other = measured((before, after)), measured((thousands[0], thousands[1]))
    assert figures(one) == pytest.approx(figures(other), abs=Decimal("0.01"))


def series(frame: pd.DataFrame, factor: float = 1.0) -> Series:
    day = np.array([day.toordinal() for day in frame["date"]], dtype=np.int64)
    return Series(day, factor * frame["cost"].to_numpy(float), frame["driver"].to_numpy(float))


WORLDS = st.builds(
    lambda seed, growth, rho, fixed: savings_worlds.draw(
        savings_worlds.World(growth=growth, rho=rho, fixed=fixed, cached=0.1), seed, 90, 30
    ),
    st.integers(0, 10_000),
    st.floats(-0.5, 1.0),
    st.floats(0.0, 0.8),
    st.floats(0.0, 0.5),
)


@settings(max_examples=25, deadline=None)
@given(WORLDS, st.floats(1e-3, 1e6))
def test_the_estimate_is_scale_equivariant(drawn: savings_worlds.Draw, factor: float) -> None:
    one = estimate(series(drawn.baseline.assign(date=_dates(90, 0))), series(_after(drawn)), 0.9)
    other = estimate(series(drawn.baseline.assign(date=_dates(90, 0)), factor), series(_after(drawn), factor), 0.9)
    assert other.counterfactual == pytest.approx(factor * one.counterfactual, rel=1e-9)
    assert other.half_width == pytest.approx(factor * one.half_width, rel=1e-6)


@settings(max_examples=25, deadline=None)
@given(WORLDS, st.integers(1, 500))
def test_the_estimate_does_not_depend_on_the_calendar_week_it_starts_in(drawn: savings_worlds.Draw, weeks: int) -> None:
    one = measure_avoided_cost(drawn.baseline, drawn.reporting)
    moved = [
        frame.assign(date=frame["date"] + pd.Timedelta(weeks=weeks)) for frame in (drawn.baseline, drawn.reporting)
    ]
    assert figures(measure_avoided_cost(*moved)) == figures(one)


@settings(max_examples=25, deadline=None)
@given(WORLDS, st.floats(-0.5, 0.5))
def test_what_is_added_to_the_reporting_cost_leaves_the_saving_to_the_cent(
    drawn: savings_worlds.Draw, share: float
) -> None:
    extra = round(share * float(drawn.reporting["cost"].sum()), 2)
    after = drawn.reporting.copy()
    after.loc[3, "cost"] += extra
    one, other = (measure_avoided_cost(drawn.baseline, frame) for frame in (drawn.reporting, after))
    assert figures(one)[0] - figures(other)[0] == pytest.approx(Decimal(str(extra)), abs=Decimal("0.02"))
    assert one.half_widths == other.half_widths


def _dates(count: int, start: int) -> list[date]:
    return [FIRST + timedelta(days=start + nth) for nth in range(count)]


def _after(drawn: savings_worlds.Draw) -> pd.DataFrame:
    return drawn.reporting.assign(date=_dates(30, 90))


def test_evidence_covers_the_days_that_are_measured() -> None:
    frames = history()
    assert measure_avoided_cost(*frames, evidence=full_evidence(*frames)).verified


def test_a_saving_is_verified_only_where_the_95_percent_interval_lies_above_zero_too() -> None:
    """The bound that decides is no matter of the confidence shown, so a narrow interval verifies no more."""
    found = {saved: measured(history(saved=saved)) for saved in np.arange(0.005, 0.03, 0.0005).tolist()}
    between = [one for one in found.values() if (one.low or 0) > 0 and not one.shown]
    assert between
    for one in between:
        _, low, high, _ = figures(one)
        assert one.low_decisive is not None
        assert one.low_decisive <= 0
        assert (one.statistically_sound, one.verified, one.billable) == (True, False, None)
        assert f"reaches from {money(low, 'USD')} to {money(high, 'USD')}, but that of 95%" in one.refusals[0]
        assert f"begins at {money(one.low_decisive, 'USD')}" in one.refusals[0]
    assert [one.verified for one in found.values()] == [one.shown for one in found.values()]
    before, after = history(saved=next(saved for saved, one in found.items() if one is between[0]))
    evidence = full_evidence(before, after)
    for confidence in (0.5, 0.8):
        one = measure_avoided_cost(before, after, evidence=evidence, confidence=confidence)
        assert (one.low_decisive, one.verified) == (between[0].low_decisive, False)
    wide = measure_avoided_cost(before, after, evidence=evidence, confidence=0.95)
    assert wide.low == wide.low_decisive


def test_an_interval_wider_than_the_decisive_one_must_lie_above_zero_itself() -> None:
    found = [
        measure_avoided_cost(*frames, evidence=full_evidence(*frames), confidence=0.999)
        for frames in (history(saved=saved) for saved in np.arange(0.01, 0.06, 0.002).tolist())
    ]
    kept = [one for one in found if (one.low_decisive or 0) > 0 and not one.verified]
    assert kept
    assert all("nothing may have been avoided" in one.refusals[0] for one in kept)
