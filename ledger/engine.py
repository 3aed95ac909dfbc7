"""DuckDB as every part of the product uses it: in UTC, offline, within a bound of memory."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Final

import duckdb

from ledger.errors import LakeUnavailableError

#: A load of fifty million rows stays under 2 GB of process memory with this bound on the engine.
MEMORY_LIMIT: Final = "1GB"

_EXTENSION_FILE: Final = "extensions/v{version}/{name}.duckdb_extension"


def connect(*, spill: Path | None = None, memory_limit: str = MEMORY_LIMIT) -> duckdb.DuckDBPyConnection:
    """An engine in memory that fetches nothing from outside; larger intermediate results go to `spill`."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "memory_limit": memory_limit,
        "preserve_insertion_order": False,
    }
    if spill is not None:
        config["temp_directory"] = str(spill)
    connection = duckdb.connect(config=config)
    connection.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
    return connection


def give_back(cursor: duckdb.DuckDBPyConnection) -> None:
    """Return the memory that the engine has freed to the system.

    It keeps what it frees, up to 200 MB after a load of 100,000 rows, and gives it back when its limit is set.
    """
    cursor.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")


def literal(value: object) -> str:
    """An SQL string literal; for a load also in place of a parameter, with which DuckDB imports pandas (0.2 s)."""
    return "'" + str(value).replace("'", "''") + "'"


def load_extension(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Load an extension from its installed package; nothing is downloaded.

    Raises:
        LakeUnavailableError: the package is not installed for this version of DuckDB.
    """
    spec = importlib.util.find_spec(f"duckdb_extension_{name}")
    file = _EXTENSION_FILE.format(version=duckdb.__version__, name=name)
    path = Path(spec.origin).parent / file if spec is not None and spec.origin else None
    if path is None or not path.exists():
        package = f"duckdb-extension-{name.replace('_', '-')}=={duckdb.__version__}"
        raise LakeUnavailableError(f"DuckDB's extension {name} is not installed; install the package {package}.")
    connection.execute(f"LOAD {literal(path)}")
