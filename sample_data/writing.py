"""Files whose bytes depend on their content alone."""

# pyright: reportUnknownParameterType=false
# Why: pyarrow carries no types.

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

LABEL: Final = "SYNTHETIC sample data of a fictional company; no figure is a real bill's"


def parquet(path: Path, rows: list[dict[str, Any]], schema: pa.Schema) -> None:
    """Snappy Parquet in one row group; absent keys are NULL; the label travels in the file's metadata."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unknown = {name for row in rows for name in row} - set(schema.names)
    if unknown:
        raise KeyError(f"not in the schema: {sorted(unknown)}")
    doubles = [field.name for field in schema if pa.types.is_float64(field.type)]
    rows = [row | {name: float(row[name]) for name in doubles if row.get(name) is not None} for row in rows]
    table = pa.Table.from_pylist(rows, schema=schema.with_metadata({"synthetic": LABEL}))
    pq.write_table(table, path, compression="snappy", version="2.6", row_group_size=max(len(rows), 1))


def page(path: Path, body: dict[str, Any]) -> None:
    """One page of an API's answer, as it came."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(body, separators=(",", ":")) + "\n", encoding="utf-8", newline="\n")


def ndjson(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """One JSON object a line, compressed, without the clock in the header."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows)
    path.write_bytes(gzip.compress(lines.encode(), compresslevel=9, mtime=0))


def lines(path: Path, rows: Iterable[str]) -> None:
    """A text file of `rows`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8", newline="\n")


def digest(path: Path) -> str:
    """SHA-256 of what a file says, leaving out the versions of the libraries that packed it."""
    if path.suffix == ".parquet":
        table = pq.ParquetFile(path).read()
        content = f"{table.schema}{table.to_pylist()}".encode()
    elif path.suffix == ".gz":
        content = gzip.decompress(path.read_bytes())
    else:
        content = path.read_bytes()
    return hashlib.sha256(content).hexdigest()
