"""What the page on forecasts asks of the ledger: cached, by workspace and snapshot as every loader (`ui.data`)."""

from __future__ import annotations

from typing import Final

import streamlit as st

from analysis.forecast import ForecastTable, forecast
from analysis.forecast_unit import UnitForecasts, unit_forecast
from analysis.result import Metric
from ui.data import lake_of

_ENTRIES: Final = 50


@st.cache_data(max_entries=_ENTRIES, show_spinner=False)
def forecasts(workspace: str, snapshot: int, by: str, metric: Metric, horizon: int) -> ForecastTable:
    """`analysis.forecast.forecast` over the daily rollup.

    Raises:
        ValueError: as there.
    """
    daily = lake_of(workspace).table("daily_spend", snapshot=snapshot)
    return forecast(daily, by=by, metric=metric, horizon=horizon)


@st.cache_data(max_entries=_ENTRIES, show_spinner=False)
def of_tokens(workspace: str, snapshot: int, metric: Metric, horizon: int) -> UnitForecasts:
    """`analysis.forecast_unit.unit_forecast` over the token rollup.

    Raises:
        ValueError: as there.
    """
    costs = lake_of(workspace).table("daily_token_costs", snapshot=snapshot)
    return unit_forecast(costs, metric=metric, horizon=horizon)
