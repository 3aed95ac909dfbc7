"""What the page on forecasts asks of the ledger: cached, by workspace and snapshot as every loader (`ui.data`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

import streamlit as st

from analysis.forecast import ForecastTable, forecast
from analysis.forecast_unit import UnitForecasts, unit_forecast
from analysis.result import Metric
from analysis.where import Where, within
from ui.data import lake_of

if TYPE_CHECKING:
    import ibis.expr.types as ir

_ENTRIES: Final = 50
_T = TypeVar("_T")


def daily(workspace: str, snapshot: int, where: Where) -> ir.Table:
    """The daily rollup of a scope."""
    return within(lake_of(workspace).table("daily_spend", snapshot=snapshot), where)


def forecasts(workspace: str, snapshot: int, by: str, metric: Metric, horizon: int, where: Where = ()) -> ForecastTable:
    """`analysis.forecast.forecast` over the part of the daily rollup that a scope covers.

    Raises:
        ValueError: as there.
    """
    return _or_raised(_forecasts(workspace, snapshot, by, metric, horizon, where))


def of_tokens(workspace: str, snapshot: int, metric: Metric, horizon: int, where: Where = ()) -> UnitForecasts:
    """`analysis.forecast_unit.unit_forecast` over the part of the token rollup that a scope covers.

    Raises:
        ValueError: as there.
    """
    return _or_raised(_of_tokens(workspace, snapshot, metric, horizon, where))


# A refusal is kept as the answer that it is; raised, it would be worked out anew at every run.
@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def _forecasts(
    workspace: str, snapshot: int, by: str, metric: Metric, horizon: int, where: Where
) -> ForecastTable | ValueError:
    try:
        return forecast(daily(workspace, snapshot, where), by=by, metric=metric, horizon=horizon)
    except ValueError as error:
        return error.with_traceback(None)


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def _of_tokens(workspace: str, snapshot: int, metric: Metric, horizon: int, where: Where) -> UnitForecasts | ValueError:
    costs = within(lake_of(workspace).table("daily_token_costs", snapshot=snapshot), where)
    try:
        return unit_forecast(costs, metric=metric, horizon=horizon)
    except ValueError as error:
        return error.with_traceback(None)


def _or_raised(found: _T | ValueError) -> _T:
    if isinstance(found, ValueError):
        raise ValueError(str(found))  # noqa: TRY004 - a refusal of what was asked
    return found
