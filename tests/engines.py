"""One test body, two engines: DuckDB in memory and Sail through Spark Connect.

Tables are written as Parquet and read by both, since Sail takes no Arrow decimals with NULL from a client.
"""

from __future__ import annotations

import sys
import warnings
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ledger.tables import TABLES, Column

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_ARROW = {
    "VARCHAR": pa.string(),
    "JSON": pa.string(),
    "DATE": pa.date32(),
    "BIGINT": pa.int64(),
    "BOOLEAN": pa.bool_(),
    "TIMESTAMP WITH TIME ZONE": pa.timestamp("us", tz="UTC"),
    "DECIMAL(38,18)": pa.decimal128(38, 18),
    "DECIMAL(38,6)": pa.decimal128(38, 6),
    "DECIMAL(18,3)": pa.decimal128(18, 3),
}


@dataclass
class Engine:
    """An Ibis backend that makes ledger tables from Python rows."""

    name: str
    backend: Any
    folder: Path
    numbers: Iterator[int] = field(default_factory=count)

    def table(self, table: str, rows: Sequence[dict[str, Any]]) -> ir.Table:
        """A ledger table with these rows; columns a row does not name are NULL."""
        columns = TABLES[table]
        unknown = {name for row in rows for name in row} - {c.name for c in columns}
        assert not unknown, f"{table} has no {unknown}"
        name = f"{table}_{next(self.numbers)}"
        path = self.folder / f"{name}.parquet"
        arrays = [pa.array([row.get(c.name) for row in rows], _ARROW[c.type]) for c in columns]
        pq.write_table(pa.Table.from_arrays(arrays, [c.name for c in columns]), path)
        if self.name == "duckdb":
            casts = ", ".join(_cast(c) for c in columns)
            self.backend.raw_sql(f"CREATE TABLE {name} AS SELECT {casts} FROM '{path}'")
            return self.backend.table(name)
        return self.backend.read_parquet(str(path), table_name=name)


def _cast(column: Column) -> str:
    return f"{column.name}::{column.type} AS {column.name}"


@pytest.fixture(scope="session")
def duckdb_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """DuckDB in memory, in UTC."""
    connection = duckdb.connect(config={"autoinstall_known_extensions": False})
    connection.execute("SET TimeZone = 'UTC'")
    yield Engine("duckdb", ibis.duckdb.from_connection(connection), tmp_path_factory.mktemp("duckdb"))
    connection.close()


@pytest.fixture(scope="session")
def sail_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Sail, a Spark Connect server in this process; no Java. It is not Apache Spark."""
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
        main = sys.modules["__main__"]
        if not hasattr(main, "__file__"):
            # A worker of pytest-xdist has no main file, and PySpark would take that for a run of its own doctests.
            patch.setattr(main, "__file__", __file__, raising=False)
        from pysail.spark import SparkConnectServer  # noqa: PLC0415 - only this engine needs it
        from pyspark.sql import SparkSession  # noqa: PLC0415

        server = SparkConnectServer("127.0.0.1", 0)
        server.start(background=True)
        _, port = server.listening_address
        session = SparkSession.builder.remote(f"sc://localhost:{port}").getOrCreate()
        backend = ibis.pyspark.connect(session)
    yield Engine("sail", backend, tmp_path_factory.mktemp("sail"))
    session.stop()
    server.stop()


@pytest.fixture(scope="session", params=["duckdb", "sail"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine in turn."""
    return request.getfixturevalue(f"{request.param}_engine")
