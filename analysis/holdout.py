"""What a change avoided, against a randomised holdout that was left as it was (tier T2).

On day t, n_t treated units cost c_t each and the held-out ones h_t each: avoided is sum n_t (h_t - c_t), with variance
sum n_t^2 (s_h^2 / held-out + s_c^2 / n_t). Both arms see the same day, so growth, drift and vendor prices cancel. A
unit is what was drawn: a request, or a user where users were drawn, since requests of one user are alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from analysis.result import ZERO, total
from analysis.savings_result import SHARE, Gate, Number, Status, Tier, as_share, quantum, rounded
from analysis.written import money

if TYPE_CHECKING:
    import pandas as pd

COLUMNS: Final = (
    "date",
    "treated_units",
    "treated_cost",
    "treated_squares",
    "holdout_units",
    "holdout_cost",
    "holdout_squares",
)
#: Fewest units of an arm on a day whose spread is believed.
LEAST_UNITS: Final = 30
#: Shares of an arm less likely than this are no chance (sample ratio mismatch).
MISMATCH_P: Final = 0.001
LIMIT: Final = (
    "The holdout stands for the treated units only if the draw was random, stayed fixed, and the held-out units did "
    "not profit from the change."
)


@dataclass(frozen=True, slots=True)
class HoldoutResult:
    """The avoided cost of the treated units.

    Attributes:
        point, low, high: avoided cost; negative where the change cost money; None where it cannot be said.
        counterfactual, actual: cost of the treated units at the holdout's unit cost, and as it was.
        fraction: point as a share of the counterfactual.
        units, held_out: of both arms over all days.
        gates: H1 (enough units every day), H2 (arms as large as drawn), H3 (precision).
        sound: every gate passed; `credited` besides that the lower bound is above zero.
        refusals: why not, as sentences.
    """

    tier: Tier
    confidence: Decimal
    actual: Decimal
    counterfactual: Decimal | None
    point: Decimal | None
    low: Decimal | None
    high: Decimal | None
    fraction: Decimal | None
    units: int
    held_out: int
    gates: tuple[Gate, ...]
    sound: bool
    refusals: tuple[str, ...]
    limits: tuple[str, ...] = (LIMIT,)

    @property
    def credited(self) -> Decimal | None:
        """The lower bound where it is sound and above zero, else nothing."""
        return self.low if self.sound and self.low is not None and self.low > ZERO else None


@dataclass(frozen=True, slots=True)
class _Arms:
    """Units, exact cost and sum of squared unit costs by day, treated and held out."""

    units: NDArray[np.float64]
    cost: NDArray[np.float64]
    squares: NDArray[np.float64]

    @property
    def mean(self) -> NDArray[np.float64]:
        return self.cost / self.units

    @property
    def variance(self) -> NDArray[np.float64]:
        """Of a unit's cost, with n - 1 below."""
        return np.maximum(self.squares - self.cost**2 / self.units, 0.0) / (self.units - 1)


def holdout_units(coefficient_of_variation: float, detectable: float, *, confidence: float = 0.90) -> int:
    """Held-out units needed for an interval of plus or minus `detectable`: (z CV / d)^2.

    Args:
        coefficient_of_variation: standard deviation of a unit's cost over its mean.
        detectable: half width, as a share of the mean cost of a unit.
        confidence: two-sided; its quantile is taken to three decimals (1.645).

    Raises:
        ValueError: an argument is not above zero, or the confidence is not between 0.5 and 1.
    """
    if coefficient_of_variation <= 0 or detectable <= 0:
        raise ValueError("The coefficient of variation and the share to detect must be above zero.")
    return round((_quantile(confidence) * coefficient_of_variation / detectable) ** 2)


def measure_holdout(frame: pd.DataFrame, *, drawn: float, confidence: float = 0.90) -> HoldoutResult:
    """The avoided cost of the treated units, from days of both arms.

    Args:
        frame: a row a day; units, cost (at constant prices) and sum of squared unit costs of the treated and of the
            held-out units (`COLUMNS`).
        drawn: share of units that the draw held out, such as 0.05.
        confidence: two-sided, of the interval.

    Raises:
        ValueError: a column is missing, a value is unknown or negative where it cannot be, a day comes twice or out
            of order, or a share is not between 0 and 1.
    """
    treated, held, actual = _read(frame, drawn)
    enough = (treated.units >= LEAST_UNITS) & (held.units >= LEAST_UNITS)
    all_units, all_held = int(treated.units.sum()), int(held.units.sum())
    first = _units_gate(enough)
    second = _ratio_gate(all_units, all_held, drawn)
    z = _quantile(confidence)
    if not len(frame) or not bool(enough.all()):
        third = Gate("H3", "precision", Status.NOT_ASSESSED, {}, "Not assessed: there are days without enough units.")
        unit = quantum(float(actual))
        return _result((first, second, third), (all_units, all_held), confidence, rounded(actual, unit), None)
    counterfactual = float(treated.units @ held.mean)
    variance = float(treated.units**2 @ (held.variance / held.units + treated.variance / treated.units))
    half = z * float(np.sqrt(variance))
    unit = quantum(counterfactual)
    whole, spent, width = rounded(counterfactual, unit), rounded(actual, unit), rounded(half, unit)
    return _result(
        (first, second, _precision_gate(half, counterfactual)), (all_units, all_held), confidence, spent, (whole, width)
    )


def _result(
    gates: tuple[Gate, ...],
    units: tuple[int, int],
    confidence: float,
    actual: Decimal,
    found: tuple[Decimal, Decimal] | None,
) -> HoldoutResult:
    whole, width = found if found is not None else (None, None)
    point = whole - actual if whole is not None else None
    low = point - width if point is not None and width is not None else None
    high = point + width if point is not None and width is not None else None
    refusals = [gate.sentence for gate in gates if gate.status is Status.FAILED]
    if low is not None and high is not None and low <= ZERO:
        refusals.append(
            f"The interval reaches from {money(low, None)} to {money(high, None)}, so nothing may have been avoided."
        )
    return HoldoutResult(
        tier=Tier.HOLDOUT,
        confidence=Decimal(str(confidence)),
        actual=actual,
        counterfactual=whole,
        point=point,
        low=low,
        high=high,
        fraction=rounded(float(point) / float(whole), SHARE) if point is not None and whole else None,
        units=units[0],
        held_out=units[1],
        gates=gates,
        sound=all(gate.status is Status.PASSED for gate in gates),
        refusals=tuple(refusals),
    )


def _read(frame: pd.DataFrame, drawn: float) -> tuple[_Arms, _Arms, Decimal]:
    absent = [column for column in COLUMNS if column not in frame.columns]
    if absent:
        raise ValueError(f"The frame has no column {', '.join(absent)}; it needs {', '.join(COLUMNS)}.")
    if not 0 < drawn < 1:
        raise ValueError(f"The drawn share lies between 0 and 1; this one is {drawn}.")
    days = frame["date"].tolist()
    if any(later <= earlier for earlier, later in pairwise(days)):
        raise ValueError("The frame has a day twice or out of order; sort it by date, one row a day.")
    values = {column: np.array([float(v) for v in frame[column].tolist()], dtype=np.float64) for column in COLUMNS[1:]}
    for column, numbers in values.items():
        if not np.all(np.isfinite(numbers)) or (np.any(numbers < 0) and not column.endswith("cost")):
            raise ValueError(f"The frame has a {column} that is unknown or negative.")
    treated, held = (
        _Arms(*(values[f"{arm}_{what}"] for what in ("units", "cost", "squares"))) for arm in ("treated", "holdout")
    )
    spent = total(v if isinstance(v, Decimal) else Decimal(str(v)) for v in frame["treated_cost"].tolist())
    return treated, held, spent


def _units_gate(enough: NDArray[np.bool_]) -> Gate:
    lacking = int((~enough).sum())
    numbers: dict[str, Number] = {"days": len(enough), "days_short": lacking, "least_units": LEAST_UNITS}
    if len(enough) and not lacking:
        return Gate("H1", "enough units", Status.PASSED, numbers, f"Every day has {LEAST_UNITS} units in both arms.")
    said = f"{lacking} of {len(enough)} days have fewer than {LEAST_UNITS} units in an arm; hold out more or pool days."
    return Gate("H1", "enough units", Status.FAILED, numbers, said if len(enough) else "There are no days.")


def _ratio_gate(treated: int, held: int, drawn: float) -> Gate:
    """Sample ratio mismatch: a two-sided normal test of the held-out share."""
    count = treated + held
    if not count:
        return Gate("H2", "arms as drawn", Status.NOT_ASSESSED, {}, "There are no units.")
    z = (held - drawn * count) / float(np.sqrt(drawn * (1 - drawn) * count))
    p = 2 * NormalDist().cdf(-abs(z))
    share = held / count
    numbers: dict[str, Number] = {"share": as_share(share), "drawn": as_share(drawn), "p": as_share(p)}
    stated = f"{share:.2%} of the units were held out, drawn were {drawn:.2%}"
    if p >= MISMATCH_P:
        return Gate("H2", "arms as drawn", Status.PASSED, numbers, f"{stated}.")
    return Gate("H2", "arms as drawn", Status.FAILED, numbers, f"{stated}: the arms are not what was drawn by chance.")


def _precision_gate(half: float, counterfactual: float) -> Gate:
    share = half / counterfactual if counterfactual > 0 else float("inf")
    most = 0.075
    numbers: dict[str, Number] = {"half_width": as_share(share), "most": as_share(most)}
    stated = f"The interval reaches {share:.1%} of the counterfactual to either side"
    if share <= most:
        return Gate("H3", "precision", Status.PASSED, numbers, f"{stated}.")
    return Gate("H3", "precision", Status.FAILED, numbers, f"{stated}, allowed are {most:.1%}; hold out more units.")


def _quantile(confidence: float) -> float:
    if not 0.5 <= confidence < 1:  # noqa: PLR2004 - half is no interval at all
        raise ValueError(f"A confidence lies between 0.5 and 1; this one is {confidence}.")
    return round(NormalDist().inv_cdf((1 + confidence) / 2), 3)
