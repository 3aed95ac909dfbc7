"""Taking a source out of the ledger again, as one transaction; its loads stay on record."""

from __future__ import annotations

from typing import Final

from ledger import token_usage
from ledger.engine import literal
from ledger.errors import NothingHeldError
from ledger.lake import ALIAS, Lake
from ledger.tables import TABLES

#: Every table whose rows belong to a source.
_OWNED: Final = tuple(
    name
    for name, columns in TABLES.items()
    if name != "daily_token_costs" and any(c.name == "x_Connection" for c in columns)
)


def remove_source(lake: Lake, connection: str) -> list[str]:
    """Remove every row of one source; returns the loads whose rows those were.

    Raises:
        NothingHeldError: the ledger has no rows of this source.
    """
    with lake.lock(), lake.transaction() as cursor:
        loads = set[str]()
        days = " UNION ".join(
            f"SELECT {day}::DATE FROM {table} WHERE x_Connection = {literal(connection)}"
            for table, day in (("daily_tokens", "ChargeDate"), ("usage", "UsagePeriodStart"))
        )
        cursor.execute(f"CREATE OR REPLACE TEMP TABLE touched AS {days}")
        for table in _OWNED:
            rows = cursor.execute(
                f"SELECT DISTINCT x_LoadId FROM {table} WHERE x_Connection = ?", [connection]
            ).fetchall()
            if rows:
                loads |= {load for (load,) in rows}
                cursor.execute(f"DELETE FROM {table} WHERE x_Connection = ?", [connection])
        if not loads:
            known = cursor.execute("SELECT DISTINCT Connection FROM loads ORDER BY 1").fetchall()
            names = ", ".join(name for (name,) in known) or "none"
            raise NothingHeldError(f"The ledger holds nothing of a source {connection!r}; its sources are: {names}.")
        token_usage.refresh(cursor, "FROM temp.touched")
        cursor.execute("UPDATE sentinel SET Loads = Loads + 1")
        cursor.execute(f"CALL {ALIAS}.set_commit_message('spendproof', 'remove a source')")
    return sorted(loads)
