from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from scipy.signal import lfilter

from analysis.comparison import ComparedCost, compare_with_control
from analysis.savings import Tier
from tests.savings_days import FIRST, days

Frames = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]
N, M = 180, 60


def pair(
    seed: int, *, saved: float = 0.2, drift: float = -0.3, own: float | None = None, slow: float = 0.0
) -> tuple[Frames, float]:
    """A treated workload and a control with a common yearly drift; `own` is the control's where it has another.

    `slow` is the size of a noise of each that stays for weeks (autocorrelation .97).
    """
    random = np.random.default_rng(seed)
    day = np.arange(N + M)
    frames: list[pd.DataFrame] = []
    for yearly in (drift, drift if own is None else own):
        driver = np.round(5_000 * np.exp(0.1 * random.standard_normal(N + M)) * np.where(day % 7 < 5, 1, 0.7))
        noise = lfilter([0.03], [1, -0.5], random.standard_normal(N + M))
        noise += slow * lfilter([np.sqrt(1 - 0.97**2)], [1, -0.97], random.standard_normal(N + M + 400))[400:]
        cost = 0.01 * driver * np.exp(np.log1p(yearly) * day / 365 + noise)
        dates = [FIRST + timedelta(days=int(nth)) for nth in day]
        frames.append(pd.DataFrame({"date": dates, "cost": cost, "driver": driver}))
    treated, control = frames
    truth = float(treated["cost"].iloc[N:].sum()) * saved
    after = treated.iloc[N:].assign(cost=treated["cost"].iloc[N:] * (1 - saved))
    return (treated.iloc[:N], after, control.iloc[:N], control.iloc[N:]), truth


def covered(result: ComparedCost, truth: float) -> bool:
    assert result.low is not None
    assert result.high is not None
    return float(result.low) <= truth <= float(result.high)


def test_a_shared_drift_cancels() -> None:
    """Unit cost falls by 30 % a year in both: the interval covers, with no bias, where one series alone cannot."""
    found = [(compare_with_control(*frames), truth) for frames, truth in (pair(seed) for seed in range(100))]
    assert 0.86 <= np.mean([covered(*one) for one in found]) <= 0.98
    bias = np.mean([(float(r.point or 0) - t) / float(r.counterfactual or 1) for r, t in found])
    assert abs(bias) < 0.004
    assert np.mean([result.sound for result, _ in found]) > 0.8


def claimed(result: ComparedCost) -> bool:
    return result.sound and result.low is not None and result.low > 0


def test_no_effect_is_claimed_in_at_most_5_percent() -> None:
    assert np.mean([claimed(compare_with_control(*pair(seed, saved=0.0)[0])) for seed in range(100)]) <= 0.05


def test_noise_that_stays_for_weeks_widens_the_interval() -> None:
    """By day alone it would cover about 57 %. 7 % of 400 such histories are claimed; 100 may show a few more."""
    found = [compare_with_control(*pair(seed, saved=0.0, slow=0.02)[0]) for seed in range(100)]
    assert np.mean([covered(result, 0.0) for result in found]) >= 0.82
    assert np.mean([claimed(result) for result in found]) <= 0.10


def test_a_workload_without_any_order_has_no_interval() -> None:
    before, after = days(100), days(30, start=100)
    wild = before.assign(cost=np.exp(40 * np.random.default_rng(1).standard_normal(100)))
    result = compare_with_control(wild, after, before, after)
    assert (result.point, result.low, result.sound) == (None, None, False)
    assert "The interval has no bounds." in result.refusals


def test_a_control_that_does_not_share_the_drift_is_refused() -> None:
    found = [compare_with_control(*pair(seed, saved=0.0, own=0.0)[0]) for seed in range(50)]
    assert np.mean([result.gates[1].status == "failed" for result in found]) == 1.0
    assert "drifted apart" in found[0].refusals[0]


def test_by_hand_without_noise() -> None:
    """The control's unit cost doubles; the treated one's rises by 60 %: 20 % avoided."""
    before, after = days(84), days(28, start=84)
    exact = [frame.assign(cost=frame["driver"] * rate) for frame, rate in ((before, 0.01), (after, 0.016))]
    other = [frame.assign(cost=frame["driver"] * rate) for frame, rate in ((before, 0.03), (after, 0.06))]
    result = compare_with_control(exact[0], exact[1], other[0], other[1])
    whole = Decimal(str(round(float(after["driver"].sum()) * 0.02, 2)))
    assert result.counterfactual == pytest.approx(whole, abs=Decimal("0.01"))
    assert result.point == result.counterfactual - result.actual
    assert result.fraction == Decimal("0.2")
    assert result.tier is Tier.BASELINE_MODEL
    assert (result.sound, result.refusals) == (True, ())


def test_too_few_common_days_are_a_refusal() -> None:
    treated, after, control, other = pair(1)[0]
    short = compare_with_control(treated.iloc[-83:], after, control, other)
    assert (short.sound, short.gates[0].status) == (False, "failed")
    assert short.point is not None
    nothing = compare_with_control(treated.iloc[:90], after, control.iloc[90:], other)
    assert (nothing.point, nothing.sound, nothing.fraction) == (None, False, None)
    assert "0 days in common" in nothing.refusals[0]


def test_only_common_days_are_counted() -> None:
    treated, after, control, other = pair(1)[0]
    result = compare_with_control(treated, after, control, other.iloc[:50])
    assert result.actual == pytest.approx(Decimal(str(float(after["cost"].iloc[:50].sum()))), abs=Decimal("0.01"))


def test_mixed_currencies_are_an_error() -> None:
    treated, after, control, other = pair(1)[0]
    with pytest.raises(ValueError, match="mixes EUR, USD"):
        compare_with_control(treated.assign(currency="USD"), after, control.assign(currency="EUR"), other)


def test_a_cost_that_rose_is_negative() -> None:
    result = compare_with_control(*pair(3, saved=-0.25)[0])
    assert result.high is not None
    assert result.high < 0
    assert "nothing may have been avoided" in result.refusals[-1]


def test_confidence_widens() -> None:
    frames = pair(1)[0]
    narrow, wide = (compare_with_control(*frames, confidence=c) for c in (0.8, 0.99))
    assert narrow.point == wide.point
    assert narrow.low is not None
    assert wide.low is not None
    assert narrow.low > wide.low
