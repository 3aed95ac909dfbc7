"""What the business did, day by day: a table of one's own (docs/driver-file.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from connectors.format import Column, Format, Kind, Replace
from connectors.rows import ledger_rows

if TYPE_CHECKING:
    import ibis.expr.types as ir


def _to_ledger(table: ir.Table) -> ir.Table:
    return ledger_rows(
        table,
        DriverDate=table["date"].date(),
        DriverName=table["name"].strip(),
        DriverValue=table["value"],
        DriverUnit=table["unit"].strip(),
    )


DRIVERS: Final = Format(
    name="driver-file",
    title="Business driver file",
    provider="",
    table="drivers",
    signature=frozenset({"date", "name", "value"}),
    columns=(
        Column("date", Kind.INSTANT, required=True),
        Column("name", required=True),
        Column("value", Kind.DECIMAL, required=True),
        Column("unit"),
    ),
    to_ledger=_to_ledger,
    replaces=Replace.ALL,
)
"""Columns `date`, `name`, `value` and, where wanted, `unit`."""
