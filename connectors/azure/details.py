"""Azure's free-form JSON (AdditionalInfo, x_SkuDetails) as FOCUS SkuPriceDetails."""

from __future__ import annotations

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir


@ibis.udf.scalar.builtin(name="json_keys")
def _keys(document: dt.json) -> dt.Array[dt.string]:  # pyright: ignore[reportReturnType, reportInvalidTypeForm]
    """The keys of a JSON object; none where it is no object."""


def prefixed_keys(details: ir.JSONValue) -> ir.JSONValue:
    """An object with `x_` before each key, as FOCUS asks of keys that it does not define.

    NULL where `details` is no object, is empty, or has a key twice (a map cannot hold it, and the cast would raise).
    """
    keys = _keys(details)
    usable = (keys.length() > 0) & (keys.length() == keys.unique().length())
    entries = ibis.cases((usable, details)).cast("map<string, json>")
    return ibis.map(entries.keys().map(lambda key: ibis.literal("x_") + key), entries.values()).cast("json")
