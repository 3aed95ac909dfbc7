"""What the page on changes asks of the ledger: cached, by workspace and snapshot as every loader (`ui.data`)."""

from __future__ import annotations

from typing import Final

import streamlit as st

from analysis.change import ChangeTable, change
from analysis.period import Period
from analysis.result import Metric
from ui.data import lake_of
from ui.where import Where, within

_ENTRIES: Final = 100


@st.cache_data(max_entries=_ENTRIES, show_spinner=False)
def changes(
    workspace: str,
    snapshot: int,
    by: tuple[str, ...],
    before: Period,
    after: Period,
    metric: Metric,
    where: Where = (),
) -> ChangeTable:
    """`analysis.change.change` over the daily rollups.

    Raises:
        ValueError: as there; the ledger has charges in one of the periods only.
    """
    tables = lake_of(workspace).tables("daily_spend", "daily_tokens", "daily_token_costs", snapshot=snapshot)
    return change(*(within(table, where) for table in tables), before=before, after=after, by=by, metric=metric)
