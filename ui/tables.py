"""Tables: exact decimals in, formatted by the browser, a dash where there is no figure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import streamlit as st

from reports import numbers
from ui.markup import plain

_ROW: Final = 34
#: Pixels; the browser measures a column without the signs of its figures.
_SIGNED_WIDTH: Final = 142
_HEADER: Final = 36
_MOST_ROWS: Final = 20


def money_column(note: str | None = None) -> Any:  # noqa: ANN401 - Streamlit's own untyped description
    """Money with two digits; the currency stands in the title."""
    return st.column_config.NumberColumn(format="%,.2f", help=note)


def difference_column(note: str | None = None) -> Any:  # noqa: ANN401
    """An amount of money that was added or taken away, with its sign."""
    return st.column_config.NumberColumn(format="%+,.2f", help=note, width=_SIGNED_WIDTH)


def price_column(note: str | None = None) -> Any:  # noqa: ANN401
    """A price of a unit, with four digits."""
    return st.column_config.NumberColumn(format="%,.4f", help=note)


def count_column(note: str | None = None) -> Any:  # noqa: ANN401
    """A whole number with thousands apart."""
    return st.column_config.NumberColumn(format="%,d", help=note)


def percent_column(*, signed: bool = False) -> Any:  # noqa: ANN401
    """Percentage points (`numbers.points`) with one digit."""
    return st.column_config.NumberColumn(format="%+.1f%%" if signed else "%.1f%%")


def day_column(note: str | None = None) -> Any:  # noqa: ANN401
    """A day, the month by its name."""
    return st.column_config.DateColumn(format="D MMM YYYY", help=note)


def show_text(records: Sequence[Mapping[str, str | None]], *, alt: str) -> None:
    """A table of sentences, which wrap."""
    import pandas as pd  # noqa: PLC0415

    safe = [
        {name: numbers.NONE if value is None else plain(value) for name, value in record.items()} for record in records
    ]
    st.table(pd.DataFrame(safe), border="horizontal", hide_index=True, alt=alt)


def show(
    records: Sequence[Mapping[str, Any]],
    columns: Mapping[str, Any],
    *,
    alt: str,
    key: str,
    on_select: Callable[[], None] | None = None,
) -> None:
    """A table of the records in their order.

    With `on_select` one row can be chosen; `chosen_row` says which, within the call.
    """
    import pyarrow as pa  # noqa: PLC0415 - half a second that only a table needs

    names = list(dict.fromkeys(name for record in records for name in record))
    table = pa.table({name: [record.get(name) for record in records] for name in names})
    st.dataframe(
        table,
        hide_index=True,
        column_config={name: columns[name] for name in names if name in columns},
        placeholder=numbers.NONE,
        row_height=_ROW,
        height=_ROW * min(len(records), _MOST_ROWS) + _HEADER,
        key=key,
        alt=alt,
        on_select=on_select or "ignore",
        selection_mode="single-row",
    )


def chosen_row(key: str) -> int | None:
    """Place of the row that a person chose in the table with this key; None where there is none."""
    state = st.session_state.get(key)
    rows = [] if state is None else state["selection"]["rows"]
    return rows[0] if rows else None
