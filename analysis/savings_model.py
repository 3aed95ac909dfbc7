"""E2w: what the reporting days would have cost, from the unit cost of the baseline days, and how sure that is.

Unit cost u = cost / driver is regressed on [1, mean driver / driver, weekday], where the second column carries the
fixed cost, by feasible generalised least squares with AR(1) errors (Prais and Winsten 1954; Cochrane and Orcutt 1949
for the iteration). The estimated autocorrelation is raised by its small-sample bias (Kendall 1954, with the number of
regressors). The half width of the interval is the widest of three: AR(1) by day, AR(1) by week, placebo windows.

Days are day numbers, so a gap of k days counts as rho ** k. Everything here is float; money becomes decimal in
`analysis.savings_result`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

Array = NDArray[np.float64]
DayNumbers = NDArray[np.int64]

WEEK: Final = 7
#: Rounds of Prais-Winsten.
ROUNDS: Final = 4
#: An autocorrelation above this is not told from a random walk.
RHO_MAX: Final = 0.95
#: Residuals below this share of the largest value are none.
EXACT: Final = 1e-10
#: Degrees of freedom of the placebo windows' t quantile: about ten windows, most of them overlapping.
PLACEBO_DOF: Final = 9
#: Two-sided confidence at which a saving is told from nothing, whatever confidence its interval is shown at.
DECISIVE: Final = 0.95
#: Fewest degrees of freedom of the daily and the weekly t quantile.
DOF_DAILY, DOF_WEEKLY = 1.0, 4.0
#: The weekly variance is never inflated more than tenfold for the estimated mean.
LEAST_LEFT: Final = 0.1


@dataclass(frozen=True, slots=True)
class Series:
    """Days in order: day numbers, cost at constant prices, driver; the driver of a fitted day is positive."""

    day: DayNumbers
    cost: Array
    driver: Array

    def __len__(self) -> int:
        return len(self.day)

    def part(self, first: int, last: int | None = None) -> Series:
        """The days from index `first` up to, and without, `last`."""
        cut = slice(first, last)
        return Series(self.day[cut], self.cost[cut], self.driver[cut])

    @property
    def weighted_regressors(self) -> Array:
        """Driver times regressors, so that a day without use has its fixed cost: [driver, 1, driver by weekday]."""
        columns = np.zeros((len(self), 1 + WEEK))
        columns[:, 0] = self.driver
        columns[:, 1] = 1.0
        weekday = (self.day + 3) % WEEK  # day 0 is Thursday, 1970-01-01
        for nth in range(1, WEEK):
            columns[:, 1 + nth] = np.where(weekday == nth, self.driver, 0.0)
        return columns


@dataclass(frozen=True, slots=True)
class Fit:
    """A regression of unit cost with AR(1) errors.

    `beta` per regressor (p,), `inverse` is (X*'X*)^-1 (p, p), `variance` that of an innovation, `rho` the corrected
    autocorrelation, `residual` unit cost minus fitted (n,).
    """

    beta: Array
    inverse: Array
    variance: float
    rho: float
    residual: Array

    @property
    def marginal_variance(self) -> float:
        """Variance of a day's unit cost around its expectation, s2 / (1 - rho^2)."""
        return self.variance / (1 - self.rho**2)


@dataclass(frozen=True, slots=True)
class Placebo:
    """A window inside the baseline: its first day's number, and what it would have been credited, as a share."""

    first_day: int
    credited: float


@dataclass(frozen=True, slots=True)
class StandardError:
    """A standard error, and the degrees of freedom that it is known with."""

    size: float
    dof: float

    def half_width(self, confidence: float) -> float:
        """Half width of the interval of this two-sided confidence."""
        return float(stdtrit(self.dof, (1 + confidence) / 2)) * self.size if self.size else 0.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """The counterfactual of the reporting days and the half widths of its interval, in money.

    `daily`, `weekly` and `placebo` are at the confidence asked for, `decisive` is the widest of them at `DECISIVE`.
    `expected` and `band` are by reporting day (m,), `fitted` and `fitted_band` by baseline day (n,); a band is the half
    width of one day's interval, and bands do not add up.
    """

    fit: Fit
    counterfactual: float
    daily: float
    weekly: float
    placebo: float
    decisive: float
    placebos: tuple[Placebo, ...]
    fitted: Array
    fitted_band: Array
    expected: Array
    band: Array

    @property
    def half_width(self) -> float:
        """The widest of the three."""
        return max(self.daily, self.weekly, self.placebo)


def regressors(series: Series, mean_driver: float) -> Array:
    """[1, mean driver / driver, weekdays 2 to 7] of days with use; a driver that never moves has no second column."""
    columns = series.weighted_regressors / series.driver[:, None]
    columns[:, 1] *= mean_driver
    if np.ptp(columns[:, 1]) < 1e-9:  # noqa: PLR2004 - the same to nine digits: fixed and variable cost are one
        columns[:, 1] = 0.0
    return columns


def autocorrelation(residual: Array, gap: DayNumbers, regressors_: int) -> float:
    """Lag-1 autocorrelation of residuals, raised by its small-sample bias, within 0 to 0.95.

    Args:
        residual: in order of time (n,).
        gap: days from each to the next (n - 1,); only neighbouring days count.
        regressors_: number of columns that were fitted, p.
    """
    near = gap == 1
    before, after = residual[:-1][near], residual[1:][near]
    size = float(before @ before)
    raw = float(before @ after) / size if size > 0 else 0.0
    bias = (1 + 3 * raw + (regressors_ - 1) * (1 + raw) / 2) / len(residual)
    return float(np.clip(raw + bias, 0.0, RHO_MAX))


def fit_unit_cost(unit_cost: Array, columns: Array, day: DayNumbers) -> Fit:
    """Regress unit cost (n,) on columns (n, p) by Prais-Winsten, four rounds; columns of zeros have no effect."""
    gap = np.diff(day)
    used = int(np.count_nonzero(np.any(columns != 0, axis=0)))
    beta = _least_squares(columns, unit_cost)
    rho, x, u = 0.0, columns, unit_cost
    for _ in range(ROUNDS):
        rho = autocorrelation(_residual(unit_cost, columns, beta), gap, used)
        # Nothing comes before the first day, which is as good as a gap without end.
        decay = np.concatenate([[0.0], rho**gap])
        scale = np.sqrt((1 - rho**2) / (1 - decay**2))
        x, u = _whitened(columns, scale, decay), _whitened(unit_cost[:, None], scale, decay)[:, 0]
        beta = _least_squares(x, u)
    left = u - x @ beta
    variance = float(left @ left) / max(len(u) - used, 1)
    return Fit(
        beta,
        np.asarray(np.linalg.pinv(x.T @ x, hermitian=True), dtype=np.float64),
        variance,
        rho,
        unit_cost - columns @ beta,
    )


def estimate(baseline: Series, reporting: Series, confidence: float) -> Estimate:
    """The counterfactual cost of the reporting days with its half widths at a two-sided confidence."""
    mean_driver = float(baseline.driver.mean())
    columns = regressors(baseline, mean_driver)
    fit = fit_unit_cost(baseline.cost / baseline.driver, columns, baseline.day)
    weights = _weights(reporting, mean_driver)
    expected = weights @ fit.beta
    counterfactual = float(expected.sum())
    placebos = placebo_windows(baseline, len(reporting))
    spread = float(np.sqrt(np.mean([window.credited**2 for window in placebos])))
    errors = (
        _daily_error(fit, weights.sum(axis=0), reporting),
        _weekly_error(fit.residual, reporting),
        StandardError(spread * abs(counterfactual) if spread else 0.0, PLACEBO_DOF),
    )
    daily, weekly, placebo = (error.half_width(confidence) for error in errors)
    single = StandardError(1.0, _effective_dof(fit)).half_width(confidence)
    return Estimate(
        fit=fit,
        counterfactual=counterfactual,
        daily=daily,
        weekly=weekly,
        placebo=placebo,
        decisive=max(error.half_width(DECISIVE) for error in errors),
        placebos=placebos,
        fitted=(columns @ fit.beta) * baseline.driver,
        fitted_band=single * baseline.driver * np.sqrt(fit.marginal_variance),
        expected=expected,
        band=single * _single_day_sd(fit, weights, reporting.driver),
    )


def placebo_windows(baseline: Series, reporting_days: int) -> tuple[Placebo, ...]:
    """What do-nothing windows inside the baseline would have been credited, the earliest first.

    The last window ends with the baseline; the others begin 7, 14, ... days earlier, back to half of the baseline or
    three windows; a baseline of 21 days has one at least. Each is as long as the reporting period, or a third of the
    baseline where that is shorter, so the factor sqrt(window / reporting days) of the method is never above 1.
    """
    n = len(baseline)
    length = min(reporting_days, n // 3)
    earliest = max(n // 2, n - 3 * length, 2 * WEEK)
    mean_driver = float(baseline.driver.mean())
    result: list[Placebo] = []
    columns = regressors(baseline, mean_driver)
    unit_cost = baseline.cost / baseline.driver
    weights = _weights(baseline, mean_driver)
    for start in range(n - length, earliest - 1, -WEEK):
        beta = fit_unit_cost(unit_cost[:start], columns[:start], baseline.day[:start]).beta
        window = slice(start, start + length)
        expected = float((weights[window] @ beta).sum())
        result.append(Placebo(int(baseline.day[start]), _credited(expected, float(baseline.cost[window].sum()))))
    return tuple(reversed(result))


def _whitened(columns: Array, scale: Array, decay: Array) -> Array:
    """Rows less the part of the row before that carries over, all with the variance of an innovation."""
    result = scale[:, None] * columns
    result[1:] -= (scale * decay)[1:, None] * columns[:-1]
    return result


def _residual(values: Array, columns: Array, beta: Array) -> Array:
    left = values - columns @ beta
    # What is left of an exact relation is the last digit of floats, and its autocorrelation means nothing.
    return left if np.max(np.abs(left)) > EXACT * np.max(np.abs(values)) else np.zeros_like(left)


def _least_squares(columns: Array, values: Array) -> Array:
    return np.asarray(np.linalg.lstsq(columns, values)[0], dtype=np.float64)


def _credited(expected: float, actual: float) -> float:
    if expected == 0:
        return 0.0 if actual == 0 else np.inf
    return 1 - actual / expected


def _weights(series: Series, mean_driver: float) -> Array:
    weights = series.weighted_regressors
    weights[:, 1] *= mean_driver
    return weights


def _daily_error(fit: Fit, sums: Array, reporting: Series) -> StandardError:
    """V_d = s2 a'Aa + g0 q'Tq, T_ij = rho^|i-j|."""
    apart = np.abs(reporting.day[:, None] - reporting.day[None, :])
    together = float(reporting.driver @ (fit.rho**apart) @ reporting.driver)
    variance = fit.variance * float(sums @ fit.inverse @ sums) + fit.marginal_variance * together
    return StandardError(float(np.sqrt(variance)), _effective_dof(fit))


def _effective_dof(fit: Fit) -> float:
    return max(len(fit.residual) * (1 - fit.rho) / (1 + fit.rho) - 2, DOF_DAILY)


def _weekly_error(residual: Array, reporting: Series) -> StandardError:
    """V_w = (7 qR)^2 g_w sum_ij w_i w_j r^|i-j| + (m qR)^2 g_w (1+r)/(1-r)/k, of weekly means of the residuals."""
    k, m = len(residual) // WEEK, len(reporting)
    means = residual[len(residual) - k * WEEK :].reshape(k, WEEK).mean(axis=1)
    r = autocorrelation(means, np.ones(k - 1, dtype=np.int64), 1)
    inflation = (1 + r) / (1 - r) / k
    g = float(means @ means) / k / max(1 - inflation, LEAST_LEFT)
    weeks = np.ones(-(-m // WEEK))
    weeks[-1] = (m - 1) % WEEK / WEEK + 1 / WEEK
    apart = np.abs(np.arange(len(weeks))[:, None] - np.arange(len(weeks))[None, :])
    mean_driver = float(reporting.driver.mean())
    variance = (WEEK * mean_driver) ** 2 * g * float(weeks @ (r**apart) @ weeks)
    variance += (m * mean_driver) ** 2 * g * inflation
    return StandardError(float(np.sqrt(variance)), max(k * (1 - r) / (1 + r) - 1, DOF_WEEKLY))


def _single_day_sd(fit: Fit, weights: Array, driver: Array) -> Array:
    of_line = fit.variance * np.einsum("ij,jk,ik->i", weights, fit.inverse, weights)
    return np.sqrt(np.maximum(of_line, 0.0) + fit.marginal_variance * driver**2)
