"""JSON lines whose numbers have more digits than a double holds: the engine would read them as doubles."""

from __future__ import annotations

import gzip
import json
import secrets
from decimal import ROUND_HALF_UP, Context, Decimal
from pathlib import Path
from typing import Final

import duckdb

from connectors import reading

#: Any double is written in 17 significant digits.
_DOUBLE_DIGITS: Final = 17
_LONG: Final = rf"[:\[,]\s*-?0*\.?0*[1-9](?:\.?[0-9]){{{_DOUBLE_DIGITS},}}"
_STEP: Final = Decimal(1).scaleb(-18)
_EXACT: Final = Context(prec=400, rounding=ROUND_HALF_UP)


def loses_digits(cursor: duckdb.DuckDBPyConnection, path: Path) -> bool:
    """Whether a fraction in the file has more digits than a double keeps.

    Raises:
        duckdb.Error: the file is not JSON.
    """
    row = cursor.execute(
        "SELECT bool_or(regexp_matches(json::VARCHAR, $long) AND "
        "len(list_filter(regexp_extract_all(json::VARCHAR, $long), lambda n: contains(n, '.'))) > 0) "
        f"FROM read_ndjson_objects({reading.literally(path)}, compression = '{reading.compression(path)}')",
        {"long": _LONG},
    ).fetchone()
    return bool(row and row[0])


def rewritten(path: Path, folder: Path) -> Path:
    """A copy in `folder` whose numbers are texts, so that each keeps its digits."""
    copy = folder / f"{secrets.token_hex(8)}.ndjson"
    packed = reading.compression(path) == "gzip"
    with gzip.open(path, "rb") if packed else path.open("rb") as source, copy.open("w", encoding="utf-8") as target:
        for line in source:
            if line.strip():
                value = json.loads(line.decode("utf-8-sig"), parse_float=_written, parse_int=str)
                target.write(json.dumps(value, ensure_ascii=False) + "\n")
    return copy


def _written(number: str) -> str:
    """What a double says beyond the eighteenth fraction digit is rounded, as in every other file."""
    exact = Decimal(number)
    if len(exact.as_tuple().digits) > _DOUBLE_DIGITS or exact == exact.quantize(_STEP, context=_EXACT):
        return f"{exact:f}"
    return f"{exact.quantize(_STEP, context=_EXACT):f}"
