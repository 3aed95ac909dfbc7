"""From a figure to the charges it is made of: the address of the page that lists them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import streamlit as st

from analysis.where import COLUMNS, Where
from ui import pages
from ui.controls import Span

#: Where the charges are listed: address and title.
CHARGES: Final = "charges"
PAGE: Final = "Charges"
#: What that page is asked beside dimensions.
CURRENCY: Final = "billed-in"


def address(
    span: Span, currency: str, where: Where = (), exactly: Mapping[str, object] | None = None
) -> dict[str, list[str]]:
    """What the page of charges is asked, as its address holds it.

    Args:
        span: days, both included.
        currency: the one currency.
        where: scope; values of one dimension are alternatives.
        exactly: one value for each further dimension, which replaces the scope's; None where the bill states none.
    """
    asked = {"from": [f"{span.first}"], "to": [f"{span.last}"], CURRENCY: [currency]}
    asked |= {dimension: [value or "" for value in values] for dimension, values in where}
    return asked | {name: ["" if value is None else str(value)] for name, value in (exactly or {}).items()}


def link(label: str, asked: Mapping[str, Any]) -> None:
    """A link to the charges, where this installation lists them."""
    if pages.has(CHARGES):
        st.page_link(pages.link(CHARGES), label=label, query_params=dict(asked))


def forget() -> None:
    """Take what the page of charges was asked out of the address."""
    for name in ("from", "to", "load", CURRENCY, *COLUMNS):
        if name in st.query_params:
            del st.query_params[name]
