"""What an expression tells of its columns before a row is read: which have one value, which are handed on unchanged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import ibis.expr.operations as ops


@dataclass(frozen=True, slots=True)
class Only:
    """The one value that a column has in every row; None is NULL."""

    value: str | None


def origin(relation: Any, name: str) -> str | None:  # noqa: ANN401 - an Ibis node of any kind
    """The source column that a column hands on as it is; None for anything computed or brought together."""
    while isinstance(relation, ops.Project):
        value = relation.values[name]
        if not isinstance(value, ops.Field):
            return None
        relation, name = value.rel, value.name
    return name if isinstance(relation, ops.UnboundTable) else None


def of(
    relation: Any,  # noqa: ANN401 - an Ibis node of any kind
    name: str,
    known: Mapping[str, str | None],
) -> Only | None:
    """The one value of a column; None where it may have several.

    Args:
        relation: the node that has the column.
        name: the column.
        known: columns of the unbound table that have one text, or NULL (None), in every row.
    """
    if isinstance(relation, ops.UnboundTable):
        return Only(known[name]) if name in known else None
    if isinstance(relation, ops.Union):
        return _shared(of(side, name, known) for side in cast("Any", relation).args[:2])
    if isinstance(relation, ops.Project):
        return _value(relation.values[name], known)
    return of(relation.parent, name, known) if hasattr(relation, "parent") else None


def _value(
    value: Any,  # noqa: ANN401 - an Ibis node of any kind
    known: Mapping[str, str | None],
) -> Only | None:
    if isinstance(value, ops.Field):
        return of(value.rel, value.name, known)
    if isinstance(value, ops.Literal):
        return Only(value.value) if value.value is None or value.dtype.is_string() else None
    if isinstance(value, ops.Coalesce):
        return _first(_value(arg, known) for arg in value.arg)
    if isinstance(value, ops.SearchedCase):
        return _shared(_value(result, known) for result in (*value.results, value.default))
    if isinstance(value, ops.Alias):
        return _value(value.arg, known)
    if isinstance(value, (ops.Cast, ops.TryCast, ops.JSONGetItem, ops.UnwrapJSONString)):
        return Only(None) if _value(value.arg, known) == Only(None) else None
    return None


def _first(values: Iterable[Only | None]) -> Only | None:
    """The first that is not NULL; None as soon as one before it may be anything."""
    for value in values:
        if value != Only(None):
            return value
    return Only(None)


def _shared(values: Iterable[Only | None]) -> Only | None:
    """The value of all of them."""
    different = set(values)
    return different.pop() if len(different) == 1 else None
