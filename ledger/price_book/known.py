"""The rows of a book as they were known at one moment, and their digest, worked out in the engine."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import pyarrow as pa

from ledger import engine
from ledger.price_book.rows import ARROW_SCHEMA
from ledger.price_book.schema import PRICES

#: What a row is a price of, and from when; a later row of the same key corrects the earlier one.
KEY: Final = (
    "Layer",
    "Seller",
    "ModelId",
    "ModelVersion",
    "TokenKind",
    "ServiceTier",
    "ServingRegion",
    "ContextAbove",
    "ValidFrom",
)


def as_known(table: pa.Table, at: datetime | None = None) -> pa.Table:
    """Of every key the newest row known at `at` (now, where None), in order of the keys.

    What was withdrawn (it ends where it begins) is left out.
    """
    key = ", ".join(f'"{name}"' for name in KEY)
    query = f"""
        SELECT * EXCLUDE (rank_) FROM (
            SELECT *, row_number() OVER (PARTITION BY {key} ORDER BY "KnownFrom" DESC) AS rank_
            FROM rows_ WHERE $at IS NULL OR "KnownFrom" <= $at
        ) WHERE rank_ = 1 AND ("ValidTo" IS NULL OR "ValidTo" > "ValidFrom") ORDER BY {key}
    """
    connection = engine.connect()
    try:
        connection.register("rows_", table)
        return connection.execute(query, {"at": at}).to_arrow_table().cast(ARROW_SCHEMA)
    finally:
        connection.close()


def digest(table: pa.Table) -> str:
    """SHA-256 (hexadecimal) over the rows, whatever their order.

    A row is the JSON array of its columns in the order of the schema, moments as microseconds since 1970; the rows are
    sorted as text and joined by line feeds, all in UTF-8.
    """
    text = {"BIGINT": '"{}"::VARCHAR', "BOOLEAN": '"{}"::VARCHAR', "VARCHAR": 'to_json("{}")::VARCHAR'}
    moment = 'epoch_us("{}")::VARCHAR'
    values = ", ',', ".join(f"coalesce({text.get(c.type, moment).format(c.name)}, 'null')" for c in PRICES)
    query = "SELECT sha256(coalesce(string_agg(row_, chr(10) ORDER BY row_), '')) FROM ("
    query += f"SELECT concat('[', {values}, ']') AS row_ FROM rows_)"
    connection = engine.connect()
    try:
        connection.register("rows_", table)
        found = connection.execute(query).fetchone()
    finally:
        connection.close()
    return str(found[0]) if found else ""
