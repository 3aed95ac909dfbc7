"""What the what-if page asks of the ledger: cached, by workspace and snapshot as every loader (`ui.data`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import streamlit as st

from analysis.plan import Plan
from analysis.repriced import Repriced
from analysis.where import Where, within
from ledger.price_book import book
from ledger.price_book.book import Book
from ui.data import lake_of

_ENTRIES: Final = 60
#: Token kinds without which a model cannot take over requests.
_NEEDED: Final = frozenset({"input", "output"})


@dataclass(frozen=True, slots=True)
class Offer:
    """A model at one seller."""

    provider: str
    model: str

    def __str__(self) -> str:
        return f"{self.model} at {self.provider}"


@dataclass(frozen=True, slots=True)
class Offers:
    """What the price book offers, and which book it is.

    Attributes:
        models: with a standard price of input and output that still holds; by seller and name.
        known_to: the newest moment at which any of its prices became known; None where it has none.
        gaps: sentences about prices that are withheld.
    """

    models: tuple[Offer, ...]
    known_to: datetime | None
    gaps: tuple[str, ...]


@st.cache_resource(max_entries=4, show_spinner=False)
def _book(workspace: str, snapshot: int) -> Book:  # noqa: ARG001 - new prices are a new snapshot
    """The workspace's price book with everything it knows; one table for all people, never changed."""
    return book.load(lake=lake_of(workspace))


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def offers(workspace: str, snapshot: int) -> Offers:
    """The models that requests can be routed to."""
    import pyarrow.compute as pc  # noqa: PLC0415 - needed by those alone who look at prices

    known = _book(workspace, snapshot)
    standard = known.table.filter((pc.field("ServiceTier") == "standard") & pc.field("ValidTo").is_null())
    kinds = dict[tuple[str, str], set[str]]()
    for row in standard.select(["Seller", "ModelId", "TokenKind"]).to_pylist():
        kinds.setdefault((row["Seller"], row["ModelId"]), set()).add(row["TokenKind"])
    found = sorted(names for names, has in kinds.items() if has >= _NEEDED)
    newest: datetime | None = max(known.table["KnownFrom"].to_pylist(), default=None)
    return Offers(tuple(Offer(*names) for names in found), newest, known.gaps)


@st.cache_resource(max_entries=_ENTRIES, show_spinner=False)
def repriced(
    workspace: str,
    snapshot: int,
    plans: tuple[Plan, ...],
    by: tuple[str, ...],
    start: date | None,
    end: date | None,
    where: Where = (),
) -> tuple[Repriced, ...]:
    """`analysis.reprice.reprice_each` with the workspace's own price book.

    Raises:
        PlanError: as there.
        NotInTableError: the scope names what usage does not state.
    """
    from analysis.reprice import reprice_each  # noqa: PLC0415 - the engine's half second is for those who re-price

    known = _book(workspace, snapshot)
    usage = within(lake_of(workspace).table("usage", snapshot=snapshot), where)
    return tuple(reprice_each(usage, known.table, plans, digest=known.digest, by=by, start=start, end=end))
