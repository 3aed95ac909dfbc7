"""What the page on changes asks of the ledger: cached, by workspace and snapshot as every loader (`ui.data`)."""

from __future__ import annotations

from typing import Final

import streamlit as st

from analysis.change import ChangeTable, change
from analysis.period import Period
from analysis.result import Metric
from analysis.where import Where, within
from ui.data import lake_of

_ENTRIES: Final = 100


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
    found = _changes(workspace, snapshot, by, before, after, metric, where)
    if isinstance(found, str):
        raise ValueError(found)  # noqa: TRY004 - the answer of `change`, kept as its sentence
    return found


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def _changes(
    workspace: str,
    snapshot: int,
    by: tuple[str, ...],
    before: Period,
    after: Period,
    metric: Metric,
    where: Where,
) -> ChangeTable | str:
    """The changes, or why there are none to tell: a refusal took as many queries as an answer."""
    names = ("daily_spend", "daily_tokens", "daily_token_costs")
    with lake_of(workspace).reading(*names, snapshot=snapshot) as tables:
        narrowed = [within(table, where) for table in tables]
        try:
            return change(*narrowed, before=before, after=after, by=by, metric=metric)
        except ValueError as error:
            return str(error)
