"""What a Parquet file says of its columns at its end, read without reading a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import duckdb

from ledger.engine import literal

#: Statistics of longer texts may be cut short.
_LONG: Final = 100


@dataclass(frozen=True, slots=True)
class Footer:
    """Statistics of a file's top-level columns.

    Attributes:
        nulls: NULLs by column; a column without statistics is absent.
        constants: the one value of a column that has no other, as text; None for a column of NULLs only. It follows
            from the bounds: what lies between two equal ones is equal to them.
    """

    nulls: Mapping[str, int] = field(default_factory=dict[str, int])
    constants: Mapping[str, str | None] = field(default_factory=dict[str, str | None])

    @classmethod
    def of(cls, cursor: duckdb.DuckDBPyConnection, file: Path | str) -> Footer:
        """Read the statistics of one file; that costs nothing beside reading a column."""
        rows = cursor.execute(
            "SELECT path_in_schema, sum(stats_null_count)::BIGINT, sum(num_values)::BIGINT, "
            # Bounds of floating-point columns leave NaN out.
            "CASE WHEN count(stats_min_value) = count(*) AND min(stats_min_value) = max(stats_max_value) "
            "AND NOT bool_or(type IN ('FLOAT', 'DOUBLE')) "
            f"THEN min(stats_min_value) END FROM parquet_metadata({literal(file)}) "
            "GROUP BY 1 HAVING count(*) = count(stats_null_count)"
        ).fetchall()
        constants: dict[str, str | None] = {}
        for name, nulls, count, only in rows:
            if nulls == count:
                constants[name] = None
            elif nulls == 0 and only is not None and len(only) < _LONG and "\0" not in only:
                constants[name] = only
        return cls({name: nulls for name, nulls, _, _ in rows}, constants)
