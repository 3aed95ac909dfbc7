from __future__ import annotations

from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from analysis.savings import measure_avoided_cost
from analysis.savings_planning import ClaimHorizon, detectable_saving
from tests import savings_worlds as worlds
from tests.savings_days import days
from tests.savings_worlds import World


def test_the_formula_by_hand() -> None:
    """1.2 x (1.960 + 0.842) x CV x sqrt((1 + rho) / (1 - rho)) x sqrt(1/m + 1/n)."""
    found = detectable_saving(days(140), 30)
    assert found.fraction is not None
    assert found.spread is not None
    assert found.rho is not None
    rho = float(found.rho)
    by_hand = 1.2 * 2.8016 * float(found.spread) * ((1 + rho) / (1 - rho) * (1 / 30 + 1 / 140)) ** 0.5
    assert float(found.fraction) == pytest.approx(by_hand, rel=1e-3)
    assert found.per_day == pytest.approx(found.fraction * Decimal(str(days(140)["cost"].mean())), abs=Decimal("0.001"))
    assert found.spread == pytest.approx(Decimal("0.03"), abs=Decimal("0.005"))


@pytest.mark.parametrize(("world", "n", "m"), [(worlds.NULL, 180, 60), (worlds.NULL, 90, 30)])
def test_a_saving_of_that_size_shows_itself_in_about_four_of_five_cases(world: World, n: int, m: int) -> None:
    """The one-sided test that the formula is about: a difference of 1.96 simulated standard errors."""
    drawn = [worlds.draw(world, seed, n, m) for seed in range(100)]
    least = float(np.median([float(detectable_saving(draw.baseline, m).fraction or 0) for draw in drawn]))
    errors = [float(measure_avoided_cost(draw.baseline, draw.reporting).fraction or 0) for draw in drawn]
    assert 0.7 < np.mean(np.array(errors) + least > 1.96 * np.std(errors)) <= 1.0
    assert 0.01 < least < 0.10


def test_more_days_detect_less() -> None:
    few, more = (detectable_saving(days(n), m).fraction for n, m in ((84, 28), (360, 90)))
    assert few is not None
    assert more is not None
    assert more < few


def test_what_is_not_known_yet_is_a_gap_with_its_reason() -> None:
    found = detectable_saving(days(20), 30)
    assert (found.fraction, found.per_day, found.spread, found.rho) == (None, None, None, None)
    assert "not known yet" in found.sentence
    assert "20 days" in found.sentence
    assert detectable_saving(days(90).assign(cost=0.0), 30).fraction is None


def test_the_sentence_says_what_is_still_missing() -> None:
    assert "44 more baseline days and at least 28 reporting days" in detectable_saving(days(40), 20).sentence
    assert "at most 40 reporting days" in detectable_saving(days(40), 50).sentence
    assert "A claim also needs" not in detectable_saving(days(84), 28).sentence
    assert "four of five cases" in detectable_saving(days(84), 28).sentence


def test_a_reporting_period_has_days() -> None:
    with pytest.raises(ValueError, match="at least one day"):
        detectable_saving(days(90), 0)


def test_a_claim_ends_with_its_horizon() -> None:
    horizon = ClaimHorizon(date(2026, 1, 1))
    assert horizon.last == date(2026, 3, 31)
    assert [horizon.covers(day) for day in (date(2025, 12, 31), date(2026, 1, 1), date(2026, 3, 31))] == [
        False,
        True,
        True,
    ]
    assert not horizon.covers(date(2026, 4, 1))
    assert "90 days, 2026-01-01 to 2026-03-31" in horizon.sentence
    assert ClaimHorizon(date(2026, 1, 1), 1).last == date(2026, 1, 1)
    with pytest.raises(ValueError, match="at least one day"):
        ClaimHorizon(date(2026, 1, 1), 0)
