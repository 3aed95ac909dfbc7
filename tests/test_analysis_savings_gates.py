from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.savings import AvoidedCost, Intervention, InvoiceCheck, OtherChange, Quality, Status
from tests.savings_days import FIRST, days, full_evidence, history, measured, steady

Frames = tuple[pd.DataFrame, pd.DataFrame]


def alternating(share: float, each: int = 1) -> Callable[[np.ndarray], np.ndarray]:
    """Unit cost that is up and down by a share, so many days each: it misses without ever drifting."""
    return lambda day: 0.01 * (1 + share * np.where((day // each) % 2 == 0, 1.0, -1.0))


def bumped(n: int, last: int, share: float) -> Callable[[np.ndarray], np.ndarray]:
    """Unit cost that is higher on the last days of a baseline of n."""
    return lambda day: steady(day) * np.where((day >= n - last) & (day < n), 1 + share, 1.0)


def falling(yearly: float) -> Callable[[np.ndarray], np.ndarray]:
    """Unit cost that falls by a share a year."""
    return lambda day: steady(day) * np.exp(np.log1p(-yearly) * day / 365)


def waves(share: float, period: int) -> Callable[[np.ndarray], np.ndarray]:
    """Unit cost in slow waves: each day is like the one before."""
    return lambda day: 0.01 * (1 + share * np.sin(2 * np.pi * day / period))


def out_of_range() -> Frames:
    before, after = history()
    return before, after.assign(driver=after["driver"] * 3, cost=after["cost"] * 3)


def drifting_mix() -> Frames:
    """The price of a token falls and tokens rise, so that unit cost hides both."""
    before, after = history()
    drift = np.exp(-0.1 * np.arange(len(before)) / 365)
    return before.assign(price_per_token=before["price_per_token"] * drift), after


TRIPPED: dict[str, Callable[[], Frames]] = {
    "G1": lambda: history(83, 28),
    "G2": lambda: history(420, 120, unit_cost=alternating(0.25)),
    "G3": out_of_range,
    "G4": drifting_mix,
    "G5": lambda: history(180, 60, unit_cost=falling(0.08)),
    "G6": lambda: history(365, 28, unit_cost=bumped(365, 28, 0.055)),
    "G7": lambda: history(120, 30, unit_cost=waves(0.003, 60)),
    "G8": lambda: history(84, 28, saved=0.4, unit_cost=alternating(0.1, 7)),
}


def failed(result: AvoidedCost) -> list[str]:
    return [gate.name for gate in result.gates if gate.status is not Status.PASSED]


def test_quiet_days_with_full_evidence_pass_every_gate() -> None:
    result = measured(history())
    assert failed(result) == []
    assert (result.statistically_sound, result.verified, result.refusals) == (True, True, ())
    assert [gate.name for gate in result.gates] == [f"G{nth}" for nth in range(11)]


@pytest.mark.parametrize("name", sorted(TRIPPED))
def test_each_gate_of_the_frames_is_tripped_alone(name: str) -> None:
    result = measured(TRIPPED[name]())
    assert failed(result) == [name]
    assert not result.statistically_sound
    assert not result.verified
    assert result.billable is None
    assert result.refusals == (result.gate(name).sentence,)


def test_g1_counts_missing_and_declared_days_alike() -> None:
    before, after = history()
    gaps = before.drop(index=range(10, 23)).reset_index(drop=True)
    assert failed(measured((gaps, after))) == ["G1"]
    blackout = frozenset(before["date"].iloc[10:23])
    dark = measured((before, after), blackout=blackout)
    assert failed(dark) == ["G1"]
    assert set(dark.excluded) == blackout
    assert failed(measured((before, after), blackout=frozenset(before["date"].iloc[10:22]))) == []


def test_g1_wants_the_reporting_period_shorter_than_the_baseline() -> None:
    assert failed(measured(history(100, 101))) == ["G1"]


def test_g1_wants_every_weekday_of_the_reporting_period_seen() -> None:
    before, after = history(180, 60)
    weekend = np.array([day.weekday() == 6 for day in before["date"]])
    idle = before.assign(driver=before["driver"].where(~weekend, 0), cost=before["cost"].where(~weekend, 0.0))
    result = measured((idle, after))
    assert result.gate("G1").status is Status.FAILED
    assert "weekdays" in result.gate("G1").sentence


def test_g4_without_tokens_is_not_assessed_and_bars_verification_but_not_soundness() -> None:
    before, after = history()
    bare = before.drop(columns=["price_per_token", "tokens_per_driver"])
    result = measured((bare, after))
    assert result.gate("G4").status is Status.NOT_ASSESSED
    assert (result.statistically_sound, result.verified) == (True, False)
    assert result.refusals == (result.gate("G4").sentence,)


def test_g4_sees_tokens_per_driver_as_well() -> None:
    before, after = history(180, 60)
    drift = np.exp(-0.15 * np.arange(len(before)) / 365)
    result = measured((before.assign(tokens_per_driver=before["tokens_per_driver"] * drift), after))
    assert failed(result) == ["G4"]
    assert "tokens per unit" in result.gate("G4").sentence


def invoice(ledger: str, invoiced: str) -> tuple[InvoiceCheck, ...]:
    return (InvoiceCheck(FIRST, FIRST + timedelta(days=400), Decimal(ledger), Decimal(invoiced)),)


BILLING: dict[str, tuple[dict[str, Any], Status]] = {
    "a day is not final": ({"unsettled": frozenset({FIRST})}, Status.FAILED),
    "finality is not known": ({"unsettled": None}, Status.NOT_ASSESSED),
    "no invoice": ({"invoices": ()}, Status.NOT_ASSESSED),
    "an invoice of other days": (
        {"invoices": (InvoiceCheck(FIRST, FIRST, Decimal(5), Decimal(5)),)},
        Status.NOT_ASSESSED,
    ),
    "more than half a percent apart": ({"invoices": invoice("10000.00", "10050.26")}, Status.FAILED),
    "more than one unit apart": ({"invoices": invoice("10.00", "11.01")}, Status.FAILED),
    "no price book": ({"price_book": None}, Status.NOT_ASSESSED),
    "converted without a rate": ({"billed_currencies": ("USD", "EUR")}, Status.FAILED),
}


@pytest.mark.parametrize("case", sorted(BILLING))
def test_g0_is_tripped_alone(case: str) -> None:
    changed, status = BILLING[case]
    result = measured(history(), **changed)
    assert failed(result) == ["G0"]
    assert result.gate("G0").status is status
    assert result.statistically_sound
    assert not result.verified


@pytest.mark.parametrize(
    ("ledger", "invoiced"), [("10000.00", "10050.25"), ("10.00", "11.00"), ("11.00", "10.00"), ("0", "0")]
)
def test_g0_reconciles_within_half_a_percent_or_one_unit(ledger: str, invoiced: str) -> None:
    assert measured(history(), invoices=invoice(ledger, invoiced)).verified


def test_g0_takes_a_dated_rate() -> None:
    assert measured(history(), billed_currencies=("USD", "EUR"), exchange_rates="ECB 2025-06-30").verified


REPORTING = FIRST + timedelta(days=120)
CACHING = Intervention(REPORTING, "caching", changes_answers=False)

ISOLATION: dict[str, tuple[dict[str, Any], Status]] = {
    "no intervention": ({"interventions": ()}, Status.NOT_ASSESSED),
    "two in the periods": (
        {"interventions": (CACHING, Intervention(REPORTING + timedelta(days=9), "routing", changes_answers=False))},
        Status.FAILED,
    ),
    "inside the baseline": (
        {"interventions": (Intervention(FIRST + timedelta(days=60), "caching", changes_answers=False),)},
        Status.FAILED,
    ),
    "no list of other changes": ({"other_changes": None}, Status.NOT_ASSESSED),
    "a list that nobody signed": ({"signed_by": None}, Status.NOT_ASSESSED),
    "another change": ({"other_changes": (OtherChange(FIRST + timedelta(days=70), "new product"),)}, Status.FAILED),
}


@pytest.mark.parametrize("case", sorted(ISOLATION))
def test_g9_is_tripped_alone(case: str) -> None:
    changed, status = ISOLATION[case]
    result = measured(history(), **changed)
    # Without an intervention there is none whose answers could be judged either.
    assert failed(result) == (["G9", "G10"] if case == "no intervention" else ["G9"])
    assert result.gate("G9").status is status
    assert not result.verified


def test_g9_lets_pass_what_is_outside_the_periods_or_kept_out() -> None:
    before = OtherChange(FIRST - timedelta(days=1), "a migration")
    priced = OtherChange(FIRST + timedelta(days=70), "vendor price", kept_out="restated at constant prices")
    assert measured(history(), other_changes=(before, priced)).verified


def quality(low: str) -> Quality:
    return Quality("pass rate", low=Decimal(low), margin=Decimal("0.02"), source="eval.csv")


ROUTED = {"interventions": (Intervention(REPORTING, "routing", changes_answers=True),)}


def test_g10_fails_where_a_loss_is_not_ruled_out() -> None:
    result = measured(history(), **ROUTED, quality=quality("-0.021"))
    assert failed(result) == ["G10"]
    assert not result.verified


def test_g10_passes_within_the_margin() -> None:
    assert failed(measured(history(), **ROUTED, quality=quality("-0.02"))) == []


def test_g10_without_evidence_says_so_and_leaves_the_money_verified() -> None:
    result = measured(history(), **ROUTED)
    assert failed(result) == ["G10"]
    assert result.gate("G10").sentence == "Quality not assessed."
    assert (result.verified, result.refusals) == (True, ())


def test_quality_is_judged_where_it_was_measured_even_if_the_answers_should_not_change() -> None:
    assert failed(measured(history(), quality=quality("-0.5"))) == ["G10"]


def test_gates_do_not_look_at_the_outcome() -> None:
    one, other = (measured(history(saved=saved)) for saved in (0.2, -0.3))
    assert [gate.status for gate in one.gates] == [gate.status for gate in other.gates]
    assert [gate.evidence for gate in one.gates] == [gate.evidence for gate in other.gates]


def test_evidence_numbers_are_exact_and_plain() -> None:
    record = measured(history()).record()
    assert record["gates"][1]["evidence"] == {
        "baseline_days": 120,
        "reporting_days": 30,
        "baseline_missing": "0",
        "reporting_missing": "0",
    }
    assert {type(value) for gate in record["gates"] for value in gate["evidence"].values()} <= {int, str}


def test_days_far_beyond_the_range_are_counted() -> None:
    before, after = history(120, 30)
    apart = after.assign(driver=after["driver"].where(np.arange(30) >= 3, 1.0))
    assert measured((before, apart)).gate("G3").status is Status.PASSED
    apart = after.assign(driver=after["driver"].where(np.arange(30) >= 4, 1.0))
    assert measured((before, apart)).gate("G3").status is Status.FAILED


def test_a_driver_that_never_moves_has_a_range_of_one_point() -> None:
    before, after = (frame.assign(driver=3_000.3, cost=30 * (1 + 0.01 * np.sin(frame.index))) for frame in history())
    assert measured((before, after)).gate("G3").status is Status.PASSED
    assert measured((before, after.assign(driver=3_001.0))).gate("G3").status is Status.FAILED


def test_evidence_of_a_period_in_another_year_does_not_count() -> None:
    evidence = full_evidence(days(120), days(30, start=120))
    assert evidence.invoices[0].last == date(2025, 6, 4)
