"""How a mapping hands its rows on: every source row once, plus the rows it declares to add."""

from __future__ import annotations

from typing import Final

import ibis
import ibis.expr.types as ir

#: NULL for a row that was taken, else why it is not an ordinary one (`BAD`, `DROPPED`, `ADDED`).
STATE: Final = "x_State"
#: The row's amount as the bill states it, before any mapping.
BILLED_IN: Final = "x_BilledIn"

BAD: Final = "bad"
DROPPED: Final = "dropped"
ADDED: Final = "added"


def ledger_rows(source: ir.Table, /, **columns: ir.Value) -> ir.Table:
    """One ledger row for each source row; the book-keeping of the load travels along."""
    return source.select(**columns, **{STATE: source[STATE], BILLED_IN: source[BILLED_IN]})


def added_rows(source: ir.Table, where: ir.BooleanValue, /, **columns: ir.Value) -> ir.Table:
    """One more ledger row for each taken source row for which `where` holds; it brings no amount of its own."""
    taken = source.filter(where & source[STATE].isnull())
    return taken.select(
        **columns,
        **{STATE: ibis.literal(ADDED), BILLED_IN: ibis.literal(0).cast("decimal(38, 18)")},
    )
