"""Fixtures that several test modules share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from connectors.format import Format
from connectors.mapping import mapped_sql

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"

Mapped = Callable[[Format, str], list[dict[str, Any]]]


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    """An engine in memory, in UTC."""
    connection = duckdb.connect(config={"autoinstall_known_extensions": False})
    connection.execute("SET TimeZone = 'UTC'")
    return connection


@pytest.fixture
def mapped(con: duckdb.DuckDBPyConnection) -> Mapped:
    """Map the rows of an SQL relation (`SELECT ...`, `read_csv(...)`) with a format: a list of ledger rows."""

    def run(format_: Format, relation: str) -> list[dict[str, Any]]:
        body = relation if relation.lower().startswith("select") else f"FROM {relation}"
        con.execute(f"CREATE OR REPLACE TEMP VIEW source_rows AS {body}")
        layout = {row[0]: row[1] for row in con.execute("DESCRIBE source_rows").fetchall()}
        result = con.execute(mapped_sql(format_, layout, "FROM source_rows"))
        names = [column[0] for column in result.description or []]
        rows = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
        # The bill's own amount is left out where BilledCost is that amount as it stands.
        return [
            row | {"x_BilledIn": row.get("x_BilledIn", row["BilledCost"])} if "BilledCost" in row else row
            for row in rows
        ]

    return run


@pytest.fixture
def shared() -> Path:
    """The folder of official and real sample files; tests that need it skip where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"the folder of official sample files is absent: {SHARED}")
    return SHARED
