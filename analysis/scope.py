"""Which charges and which usage a question is about: conditions on dimensions that both have."""

# Ibis types `table["x"]` as an abstract column, without the operations of its kind.
# pyright: reportAttributeAccessIssue=false, reportOperatorIssue=false, reportArgumentType=false
# pyright: reportCallIssue=false, reportReturnType=false
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from analysis.spend import TAG, tag

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: Dimensions of a scope and their columns in charges and rollups; a project may be named by its id or its name.
OF_CHARGES: Final[Mapping[str, tuple[str, ...]]] = {
    "provider": ("ServiceProviderName",),
    "service": ("ServiceName",),
    "model": ("x_ModelId",),
    "project": ("SubAccountId", "SubAccountName"),
    "key": ("x_ApiKeyId",),
}
#: The same in usage, which knows no services.
OF_USAGE: Final[Mapping[str, tuple[str, ...]]] = {
    "provider": ("ServiceProviderName",),
    "model": ("ModelId",),
    "project": ("SubAccountId", "SubAccountName"),
    "key": ("ApiKeyId",),
}
#: What the daily rollups hold; any other dimension leads over the charges themselves.
ROLLED: Final = ("provider", "service", "model", "project")


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition of the scope: the dimension has one of the values. Conditions hold together.

    Attributes:
        dimension: provider, service, model, project, key or `tag:KEY`.
        values: the values that are in, at least one.
    """

    dimension: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """Conditions that hold together; none is everything."""

    filters: tuple[Filter, ...] = ()

    @property
    def needs_charges(self) -> bool:
        """Whether a condition is on a dimension that the daily rollups do not hold."""
        return any(part.dimension not in ROLLED for part in self.filters)

    def charges(self, table: ir.Table) -> ir.Table:
        """The rows of `charges` or of a rollup that are in scope."""
        return self._within(table, OF_CHARGES)

    def usage(self, table: ir.Table) -> ir.Table:
        """The rows of `usage` that are in scope.

        Raises:
            ValueError: the scope names a service, which usage does not know.
        """
        if any(part.dimension == "service" for part in self.filters):
            raise ValueError(
                "Usage does not say to which service it belongs, so requests cannot be counted for a scope by service; "
                "name providers, models or projects, or take a driver of your own."
            )
        return self._within(table, OF_USAGE)

    def text(self) -> str:
        """The scope as it is written on the command line; empty for everything."""
        return ",".join(f"{part.dimension}={'|'.join(part.values)}" for part in self.filters)

    def _within(self, table: ir.Table, columns: Mapping[str, tuple[str, ...]]) -> ir.Table:
        for part in self.filters:
            table = table.filter(_holds(table, part, columns))
        return table


def parse(text: str) -> Scope:
    """A scope as written: `provider=OpenAI,model=gpt-5.5|gpt-4.1-mini,tag:team=search`; conditions in one order.

    Raises:
        ValueError: a dimension is not known, is named twice, or has no value.
    """
    found = dict[str, tuple[str, ...]]()
    for part in (part.strip() for part in text.split(",") if part.strip()):
        name, sign, values = part.partition("=")
        name = name.strip()
        chosen = tuple(sorted({value.strip() for value in values.split("|") if value.strip()}))
        known = name in OF_CHARGES or (name.startswith(TAG) and name != TAG)
        if not known:
            raise ValueError(f"A scope has no dimension {name!r}; there are {', '.join(OF_CHARGES)} and {TAG}KEY.")
        if not sign or not chosen:
            raise ValueError(f"The scope does not say which {name}: write {name}=VALUE or {name}=ONE|OTHER.")
        if name in found:
            raise ValueError(f"The scope names {name} twice; write {name}=ONE|OTHER.")
        found[name] = chosen
    return Scope(tuple(Filter(name, found[name]) for name in sorted(found)))


def of(filters: Sequence[Filter]) -> Scope:
    """The scope of these conditions, in the order of their names."""
    return Scope(tuple(sorted(filters, key=lambda part: part.dimension)))


def _holds(table: ir.Table, part: Filter, columns: Mapping[str, tuple[str, ...]]) -> ir.BooleanValue:
    values = list(part.values)
    if part.dimension.startswith(TAG):
        tags: Any = table["Tags"]
        if tags.type().is_string():
            tags = tags.cast("json")
        return tag(tags, part.dimension.removeprefix(TAG)).isin(values)
    first, *others = columns[part.dimension]
    held: Any = table[first].isin(values).fill_null(False)
    for name in others:
        held = held | table[name].isin(values).fill_null(False)
    return held
