"""What a million tokens of each model will cost: cost over tokens, with the band of the horizon's own quotient.

The forecast is the quotient of the last one, four or twelve weeks, whichever missed least in past windows; the band is
that of `analysis.forecast_bands`. A price that is not seen in the past, such as an announced one, is in neither.
"""

# Ibis types `table["x"]` as an abstract column, without the operations of its kind.
# pyright: reportAttributeAccessIssue=false, reportOperatorIssue=false, reportArgumentType=false
# pyright: reportCallIssue=false, reportReturnType=false
from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analysis.forecast import EVIDENCE, HORIZON, Figure, check_horizon, tested
from analysis.forecast_bands import Past, band, choose
from analysis.forecast_methods import SHORTEST, Floats
from analysis.forecast_run import PROMISED, Tested, backtest
from analysis.forecast_series import Refused
from analysis.result import Metric, fetch, plain

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: Days whose quotient is taken, by the name of the method.
METHODS: Final = {"last week": 7, "last four weeks": 28, "last twelve weeks": 84}
_COSTS: Final = {Metric.BILLED: "BilledCost", Metric.EFFECTIVE: "EffectiveCost"}
_MILLION: Final = 1_000_000.0
#: The named rounding rule: ten-thousandths of the currency unit a million tokens, half to even.
_DIGITS: Final = Decimal("0.0001")
_STEP: Final = 7
NO_TOKENS: Final = "There is no charge with a known number of tokens; a cost per token cannot be forecast."


@dataclass(frozen=True, slots=True)
class UnitForecast:
    """The forecast cost of one million tokens of a model in a currency.

    Attributes:
        currency: ISO 4217 code.
        model: None where the bill does not say.
        method: what the backtest chose.
        before: the quotient of as many days up to the last known one; None where there are no tokens.
        figure: the forecast quotient of the horizon, with its band.
    """

    currency: str
    model: str | None
    method: str
    before: Decimal | None
    figure: Figure

    def record(self) -> dict[str, Any]:
        """The forecast as JSON carries it."""
        return {
            "currency": self.currency,
            "model": self.model,
            "evidence": EVIDENCE,
            "method": self.method,
            "cost_per_million_before": plain(self.before),
            "cost_per_million": self.figure.record(),
        }


@dataclass(frozen=True, slots=True)
class UnitForecasts:
    """The question and its answer; the last known day is `last`."""

    metric: Metric
    horizon: int
    last: date
    rows: tuple[UnitForecast, ...]
    refused: tuple[Refused, ...]
    backtest: tuple[Tested, ...]

    def record(self) -> dict[str, Any]:
        """The answer as JSON carries it."""
        return {
            "metric": str(self.metric),
            "horizon_days": self.horizon,
            "known_until": self.last.isoformat(),
            "evidence": EVIDENCE,
            "rows": [row.record() for row in self.rows],
            "refused": [{"currency": r.currency, "model": r.name, "reason": r.reason} for r in self.refused],
            "backtest": [tested(line) for line in self.backtest],
        }


def unit_forecast(
    token_costs: ir.Table, *, metric: Metric = Metric.EFFECTIVE, horizon: int = HORIZON, last: date | None = None
) -> UnitForecasts:
    """Forecast what a million tokens of each model will cost on average over the days to come.

    Args:
        token_costs: `ledger.tables.DAILY_TOKEN_COSTS`; charges without a known number of tokens are left out.
        metric: effective or billed.
        horizon: days.
        last: the last known day; None for the newest with tokens.

    Raises:
        ValueError: there are no tokens, the metric is list cost, or the horizon is longer than the data supports.
    """
    if metric not in _COSTS:
        raise ValueError("A forecast is of billed or effective cost; list cost counts commitments twice.")
    keys, costs, tokens, start = _matrices(token_costs, metric, last)
    able, refused = _judged(keys, costs, tokens)
    days = costs.shape[1]
    check_horizon(horizon, days - int(np.argmax(tokens > 0, axis=1).min()))
    keys = [key for key, fine in zip(keys, able, strict=True) if fine]
    costs, tokens = costs[able], tokens[able]
    ending = start + timedelta(days=days - 1)
    if not keys:
        return UnitForecasts(metric, horizon, ending, (), tuple(refused), ())
    past = _past(costs, tokens, horizon)
    choice = choose(past, horizon)
    limits = band(past, choice, 0, PROMISED)
    rows = list[UnitForecast]()
    for n, (currency, model) in enumerate(keys):
        name = tuple(METHODS)[choice.ahead[n]]
        amount = float(_quotient(costs[n], tokens[n], days - METHODS[name], days))
        figure = Figure(
            first=ending + timedelta(days=1),
            last=ending + timedelta(days=horizon),
            amount=_rounded(amount),
            low=None if limits is None else _rounded(amount * float(limits.low[n])),
            high=None if limits is None else _rounded(amount * float(limits.high[n])),
            windows=0 if limits is None else limits.windows,
            promised=None if limits is None else limits.promised,
        )
        earlier = float(_quotient(costs[n], tokens[n], max(days - horizon, 0), days))
        rows.append(UnitForecast(currency, model, name, _rounded(earlier), figure))
    lines = backtest(past, horizon, ((0, horizon),), PROMISED)
    return UnitForecasts(metric, horizon, ending, tuple(rows), tuple(refused), lines)


def _matrices(
    table: ir.Table, metric: Metric, last: date | None
) -> tuple[list[tuple[str, str | None]], Floats, Floats, date]:
    """Currency and model, the largest cost first, with cost and tokens by day."""
    known = table.filter(table["Tokens"].notnull(), *([table["ChargeDate"] <= last] if last else []))
    keys = {"currency": known["BillingCurrency"], "model": known["x_ModelId"], "day": known["ChargeDate"]}
    sums = {"cost": known[_COSTS[metric]].sum(), "tokens": known["Tokens"].sum()}
    rows = fetch(known.group_by(**keys).aggregate(**sums))
    if not rows:
        raise ValueError(NO_TOKENS)
    start = min(row["day"] for row in rows)
    days = (max(row["day"] for row in rows) - start).days + 1
    names = sorted({(row["currency"], row["model"]) for row in rows}, key=str)
    place = {name: n for n, name in enumerate(names)}
    costs, tokens = np.zeros((len(names), days)), np.zeros((len(names), days))
    for row in rows:
        at = place[row["currency"], row["model"]], (row["day"] - start).days
        costs[at], tokens[at] = float(row["cost"] or 0), float(row["tokens"] or 0)
    order = sorted(range(len(names)), key=lambda n: (names[n][0], -costs[n].sum()))
    return [names[n] for n in order], costs[order], tokens[order], start


def _judged(
    keys: list[tuple[str, str | None]], costs: Floats, tokens: Floats
) -> tuple[np.ndarray[Any, np.dtype[np.bool_]], list[Refused]]:
    able, refused = np.ones(len(keys), dtype=np.bool_), list[Refused]()
    for n, (currency, model) in enumerate(keys):
        history = tokens.shape[1] - int(np.argmax(tokens[n] > 0))
        reason = None
        if history < SHORTEST:
            reason = f"it has {history} days of tokens, and a forecast needs {SHORTEST} (eight weeks)"
        elif not min(tokens[n, -_STEP:].sum(), costs[n, -_STEP:].sum()) > 0:
            reason = "no tokens were paid for in the last week"
        if reason is not None:
            able[n] = False
            refused.append(Refused(currency, model, whole=False, reason=reason))
    return able, refused


def _quotient(costs: Floats, tokens: Floats, start: int, end: int) -> Floats:
    """Cost of a million tokens over some days; 0 where there are no tokens."""
    cost, count = costs[..., start:end].sum(axis=-1), tokens[..., start:end].sum(axis=-1)
    return np.where((count > 0) & (cost > 0), cost / np.maximum(count, 1e-9) * _MILLION, 0.0)


def _past(costs: Floats, tokens: Floats, horizon: int) -> Past:
    days = costs.shape[1]
    first = np.argmax(tokens > 0, axis=1)
    origins = np.arange(days - horizon, int(first.min()) + SHORTEST - 1, -_STEP, dtype=np.int64)[::-1]
    forecast = np.stack(
        [
            np.stack([_quotient(costs, tokens, max(int(o) - length, 0), int(o)) for o in origins])
            for length in METHODS.values()
        ]
    )
    actual = np.stack([_quotient(costs, tokens, int(o), int(o) + horizon) for o in origins])
    able = (origins[:, None] - first[None, :] >= SHORTEST) & (actual > 0) & (forecast > 0).all(axis=0)
    return Past(origins, forecast[..., None], actual[..., None], able)


def _rounded(amount: float) -> Decimal:
    return Decimal(repr(amount)).quantize(_DIGITS, ROUND_HALF_EVEN)
