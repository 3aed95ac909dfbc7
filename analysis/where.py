"""What part of the spend a page or report is about: some providers, services, projects or models, or all of it."""

# Ibis types `table["x"]` as an abstract column, without the operations of its kind.
# pyright: reportAttributeAccessIssue=false, reportOperatorIssue=false, reportArgumentType=false
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from analysis.spend import spend_table

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: Values by dimension, as a cached loader takes them: those of one dimension are alternatives, dimensions narrow.
Where = tuple[tuple[str, tuple[str | None, ...]], ...]

#: Dimensions by the name that people read, which also stands in the address.
DIMENSIONS: Final[Mapping[str, str]] = {
    "Provider": "provider",
    "Service": "service",
    "Project": "account",
    "Model": "model",
}
#: Columns of a dimension: in the rollups and charges, and in the usage.
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "provider": ("ServiceProviderName",),
    "service": ("ServiceName",),
    "account": ("SubAccountId",),
    "model": ("x_ModelId", "ModelId"),
    "region": ("RegionId",),
    "charge-category": ("ChargeCategory",),
}
#: Names of one kind that a scope offers.
MOST_NAMES: Final = 500
#: What stands for a value that the bill does not state.
UNNAMED: Final = "(not stated)"


class NotInTableError(ValueError):
    """A scope names a dimension that these figures do not have."""


def gathered(pairs: Iterable[tuple[str, str | None]]) -> Where:
    """Pairs of dimension and value as a scope, the same whatever their order."""
    found = dict[str, set[str | None]]()
    for dimension, value in pairs:
        found.setdefault(dimension, set()).add(value)
    return tuple(
        (dimension, tuple(sorted(values, key=lambda value: (value is None, value or ""))))
        for dimension, values in sorted(found.items())
    )


def within(table: ir.Table, where: Where) -> ir.Table:
    """The rows of a ledger table that a scope covers.

    Raises:
        NotInTableError: the table lacks a dimension of the scope; leaving it out would show another figure.
    """
    for dimension, values in where:
        column = next((name for name in COLUMNS[dimension] if name in table.columns), None)
        if column is None:
            named = next(name for name, known in DIMENSIONS.items() if known == dimension).lower()
            raise NotInTableError(f"Usage states no {named}; take the {named} out of the scope to see these figures.")
        known = [value for value in values if value is not None]
        chosen = table[column].isin(known)
        table = table.filter(chosen | table[column].isnull() if None in values else chosen)
    return table


def option(dimension: str, value: str | None, name: str | None = None) -> str:
    """A value of a dimension as the scope lists it: `Model: gpt-5.5`, `Project: search (4711)`."""
    kind = next(title for title, known in DIMENSIONS.items() if known == dimension)
    shown = UNNAMED if value is None else value if name is None or name == value else f"{name} ({value})"
    return f"{kind}: {shown}"


def name_of(dimensions: Mapping[str, object], by: Sequence[str]) -> str:
    """A group of a table as people read it; an account by its name, then its number."""
    values = [str(dimensions[name]) for name in reversed(by) if dimensions[name] is not None]
    return values[0] if len(values) == 1 else f"{values[0]} ({values[1]})" if values else UNNAMED


def names(daily: ir.Table) -> dict[str, tuple[str, str | None]]:
    """Every provider, service, project and model of `daily_spend`, the largest cost of each kind first.

    By the words that people search for; the value is dimension and value as a scope has them.
    """
    found = dict[str, tuple[str, str | None]]()
    for dimension in DIMENSIONS.values():
        by = (dimension, "account-name") if dimension == "account" else (dimension,)
        for row in spend_table(daily, by).rows[:MOST_NAMES]:
            value, name = row.dimensions[dimension], row.dimensions.get("account-name")
            text = None if value is None else str(value)
            found.setdefault(option(dimension, text, None if name is None else str(name)), (dimension, text))
    return found
