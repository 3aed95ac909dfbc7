"""Tables: exact decimals in, formatted by the browser, a dash where there is no figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import streamlit as st

from ui import numbers

_ROW: Final = 35
_MOST_ROWS: Final = 15


def money_column(note: str | None = None) -> Any:  # noqa: ANN401 - Streamlit's own untyped description
    """Money with two digits; the currency stands in the title."""
    return st.column_config.NumberColumn(format="%,.2f", help=note)


def price_column(note: str | None = None) -> Any:  # noqa: ANN401
    """A price of a unit, with four digits."""
    return st.column_config.NumberColumn(format="%,.4f", help=note)


def count_column(note: str | None = None) -> Any:  # noqa: ANN401
    """A whole number with thousands apart."""
    return st.column_config.NumberColumn(format="%,d", help=note)


def percent_column(*, signed: bool = False) -> Any:  # noqa: ANN401
    """Percentage points (`numbers.points`) with one digit."""
    return st.column_config.NumberColumn(format="%+.1f%%" if signed else "%.1f%%")


def show(records: Sequence[Mapping[str, Any]], columns: Mapping[str, Any], *, alt: str, key: str) -> None:
    """A table of the records, one line each, in their order."""
    import pyarrow as pa  # noqa: PLC0415 - half a second that only a table needs

    names = list(dict.fromkeys(name for record in records for name in record))
    table = pa.table({name: [record.get(name) for record in records] for name in names})
    st.dataframe(
        table,
        hide_index=True,
        column_config={name: columns[name] for name in names if name in columns},
        placeholder=numbers.NONE,
        height=_ROW * (min(len(records), _MOST_ROWS) + 1) + 3,
        key=key,
        alt=alt,
    )


