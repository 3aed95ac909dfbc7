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
        taken = (result for case, result in zip(value.cases, value.results, strict=True) if not _never(case, known))
        return _shared(_value(result, known) for result in (*taken, value.default))
    if isinstance(value, ops.Alias):
        return _value(value.arg, known)
    if isinstance(value, (ops.Cast, ops.TryCast, ops.JSONGetItem, ops.UnwrapJSONString)):
        return Only(None) if _value(value.arg, known) == Only(None) else None
    return None


def _never(
    condition: Any,  # noqa: ANN401 - an Ibis node of any kind
    known: Mapping[str, str | None],
) -> bool:
    """Whether a condition holds in no row; one that cannot be told may hold."""
    if isinstance(condition, ops.Field):
        relation: Any = condition.rel
        while not isinstance(relation, ops.Project) and hasattr(relation, "parent"):
            relation = relation.parent
        return isinstance(relation, ops.Project) and _never(relation.values[condition.name], known)
    if isinstance(condition, ops.Literal):
        return not condition.value
    if isinstance(condition, ops.NotNull):
        return _value(condition.arg, known) == Only(None)
    if isinstance(condition, ops.Equals):
        left, right = _value(condition.left, known), _value(condition.right, known)
        return left == Only(None) or right == Only(None) or (left is not None and right is not None and left != right)
    if isinstance(condition, ops.And):
        return _never(condition.left, known) or _never(condition.right, known)
    if isinstance(condition, ops.Or):
        return _never(condition.left, known) and _never(condition.right, known)
    return isinstance(condition, ops.Coalesce) and all(_never(arg, known) for arg in condition.arg)


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
