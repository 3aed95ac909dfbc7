"""One format and one file layout, as the SQL that turns source rows into ledger rows.

Three layers, each a select over the one before: `source` is the file as it stands, `typed` holds every
declared column as its kind, the result holds ledger columns. A row with a value that is not of its column's
kind, or without a required one, is bad: it travels on with `x_State = 'bad'` and the ledger keeps it out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Final, TypeAlias

import ibis
import ibis.expr.types as ir

from connectors import constant, rows, values
from connectors.format import Column, Format, Kind

#: Mappings that a process keeps as expressions and SQL: making one takes longer than loading a small page.
_SHAPES: Final = 32
#: Columns with one text, or nothing (None), in every row.
Constants: TypeAlias = Mapping[str, str | None]
_IBIS: Final = {
    Kind.TEXT: "string",
    Kind.DECIMAL: "decimal(38, 18)",
    Kind.COUNT: "int64",
    Kind.INSTANT: "timestamp('UTC')",
    Kind.EPOCH: "timestamp('UTC')",
    Kind.JSON: "json",
}


@dataclass(frozen=True, slots=True)
class Field:
    """A declared column bound to a file: the SQL of its source, or None where the file has none."""

    column: Column
    reference: str | None
    type: str
    width: str = values.WIDE
    #: The file's own column, where the value is that of a whole column.
    source: str | None = None

    @property
    def name(self) -> str:
        """The column's name in the typed layer, quoted."""
        return values.quoted(self.column.name)

    @property
    def value(self) -> str:
        """SQL of the typed value."""
        if self.reference is None:
            return values.null_of(self.column)
        return values.typed(self.reference, self.type, self.column, self.width)

    @property
    def cast(self) -> str | None:
        """SQL of the cast that `value` contains several times, which is worth a column of its own (`cast_name`)."""
        if self.reference is None or self.column.kind is not Kind.DECIMAL or self.type not in {"VARCHAR", "DOUBLE"}:
            return None
        return values.first_cast(self.reference, self.type, self.width)

    @property
    def cast_name(self) -> str:
        """Name of the column that holds the result of `cast`."""
        return values.quoted(f"{self.column.name}=")

    @property
    def value_by_cast(self) -> str:
        """SQL of the typed value where `cast` stands in its column."""
        return self.value if self.cast is None else self.value.replace(self.cast, self.cast_name)

    @property
    def flag(self) -> str:
        """Name of the column that says whether the file has something in this place."""
        return values.quoted(f"{self.column.name}?")

    @property
    def written(self) -> str:
        """Name of the column that holds the value as the file writes it."""
        return values.quoted(f"{self.column.name}!")

    @property
    def place(self) -> str:
        """What the file calls this column."""
        if self.reference is None:
            return self.column.places[0]
        return self.reference.removeprefix("source.").replace('"', "")

    @property
    def reason(self) -> str:
        """SQL of a sentence that says why the value cannot be taken and what to do."""
        if self.reference is None:
            return values.literal("the file has no such column, and a row means nothing without it")
        empty = values.literal("is empty, and a row means nothing without it")
        complaint = values.complaint(self.written, self.column.kind)
        return f"CASE WHEN coalesce({self.written}, '') = '' THEN {empty} ELSE {complaint} END"

    @property
    def given(self) -> str:
        """SQL of `flag`."""
        if self.type == "VARCHAR":
            return f"coalesce({self.reference} <> '', false) AS {self.flag}"
        return f"{self.reference} IS NOT NULL AS {self.flag}"

    @property
    def bad(self) -> str | None:
        """SQL that is true where this value cannot be taken; None where it always can."""
        if self.column.required:
            return f"{self.name} IS NULL"
        return f"({self.flag} AND {self.name} IS NULL)" if self.may_fail else None

    @property
    def may_fail(self) -> bool:
        """Whether a value that the file has may turn out not to be of the declared kind."""
        kind, type_ = self.column.kind, self.type
        return not (
            self.reference is None
            or kind is Kind.TEXT
            or (kind is Kind.JSON and type_ != "VARCHAR")
            or (kind is Kind.INSTANT and type_ == "TIMESTAMP WITH TIME ZONE")
            or (kind is Kind.DECIMAL and type_.startswith("DECIMAL"))
            or (kind is Kind.COUNT and type_ == "BIGINT")
        )


def bind(column: Column, layout: dict[str, str]) -> Field:
    """Find the place of `column` in a file whose columns and types are `layout`."""
    lowered = {name.lower(): name for name in layout}
    for place in column.places:
        if (name := lowered.get(place.lower())) is not None:
            return Field(column, f"source.{values.quoted(name)}", layout[name], source=name)
        if place.endswith("*"):
            prefix = place[:-1].lower()
            if gathered := {name[len(prefix) :]: name for name in layout if name.lower().startswith(prefix)}:
                return Field(column, values.gathered(gathered, layout), "JSON")
            continue
        if place.endswith("]"):
            whole, _, key = place[:-1].partition("[")
            if (name := lowered.get(whole.lower())) is not None:
                return Field(column, values.keyed(f"source.{values.quoted(name)}", layout[name], key), "VARCHAR")
            continue
        head, *path = place.split(".")
        root = lowered.get(head.lower())
        if root is None or not path:
            continue
        reference, type_ = f"source.{values.quoted(root)}", layout[root]
        for step in path:
            type_ = values.struct_fields(type_).get(step, "")
            reference = f"{reference}.{values.quoted(step)}"
        if type_:
            return Field(column, reference, type_)
    return Field(column, None, "NULL")


def places(layout: dict[str, str]) -> set[str]:
    """Every place that a signature may name: columns, and dotted paths into struct columns, in lower case."""
    found: set[str] = set()
    waiting = list(layout.items())
    while waiting:
        name, type_ = waiting.pop()
        found.add(name.lower())
        waiting += [(f"{name}.{inner}", t) for inner, t in values.struct_fields(type_).items()]
    return found


def widths_sql(format_: Format, layout: dict[str, str], relation: str) -> tuple[list[str], str]:
    """Which decimal columns are texts or doubles, and a query of the narrow type that holds each (NULL: none does)."""
    fields = [f for c in format_.columns if c.kind is Kind.DECIMAL and (f := bind(c, layout)).reference is not None]
    fields = [f for f in fields if f.type in {"VARCHAR", "DOUBLE"}]
    narrow = values.NARROW if any(f.type == "DOUBLE" for f in fields) else values.NARROW[:1]
    picks = list[str]()
    for f in fields:
        number = f"try_cast({f.reference} AS DOUBLE) IS NULL"
        cases = " ".join(
            f"WHEN bool_and({number} OR coalesce({values.fits(str(f.reference), f.type, n)}, false)) THEN '{n}'"
            for n in narrow
        )
        picks.append(f"CASE {cases} END")
    return [f.column.name for f in fields], f"SELECT {', '.join(picks)} FROM ({relation}) AS source"


def typed_sql(format_: Format, layout: dict[str, str], widths: Mapping[str, str] = MappingProxyType({})) -> str:
    """`SELECT` over `source`: every declared column by its name and kind, and `x_Bad`."""
    fields = [replace(bind(c, layout), width=widths.get(c.name, values.WIDE)) for c in format_.columns]
    # Before the file's own columns: of two columns of one name the first is meant.
    casts = "".join(f"{f.cast} AS {f.cast_name}, " for f in fields if f.cast is not None)
    inner = ", ".join([f"{f.value_by_cast} AS {f.name}" for f in fields] + [f.given for f in fields if f.may_fail])
    bad = " OR ".join(c for f in fields if (c := f.bad) is not None) or "false"
    names = ", ".join(f.name for f in fields)
    source = f"(SELECT {casts}* FROM source) AS source"
    return f"SELECT {names}, ({bad}) AS x_Bad FROM (SELECT {inner} FROM {source}) AS t"


def details_sql(format_: Format, layout: dict[str, str], relation: str) -> tuple[list[str], str] | None:
    """The ledger columns that keys of `Format.details` fill, and a query of whether any row may have each key."""
    if format_.details is None:
        return None
    source, keys = format_.details
    field = next(f for c in format_.columns if c.name == source and (f := bind(c, layout)))
    if field.reference is None:
        return None
    named = ", ".join(
        f"coalesce(bool_or(contains({field.reference}::VARCHAR, '{key}')), false)" for key in keys.values()
    )
    return list(keys), f"SELECT {named} FROM ({relation}) AS source"


def settled(format_: Format, layout: dict[str, str], constants: Constants = MappingProxyType({})) -> Constants:
    """The ledger columns whose one value is known before a row is read: a text, or None for NULL.

    `constants` are source columns with one text, or nothing (None), in every row.
    """
    node = _expression(_shape(format_)).op()
    known = {c.name: only.value for c in format_.columns if (only := _known(bind(c, layout), constants))}
    names = node.schema.keys() - {rows.STATE, rows.BILLED_IN}
    return {name: only.value for name in sorted(names) if (only := constant.of(node, name, known))}


def _known(field: Field, constants: Constants) -> constant.Only | None:
    """The one value of a declared column; None where it may have several."""
    if field.reference is None:
        return constant.Only(None)
    if field.source not in constants or not (field.column.kind is Kind.TEXT or constants[field.source] is None):
        return None
    return constant.Only(constants[field.source] or None)


def mapped_sql(
    format_: Format,
    layout: dict[str, str],
    relation: str,
    widths: Mapping[str, str] = MappingProxyType({}),
    constants: Constants = MappingProxyType({}),
    without: Collection[str] = (),
) -> str:
    """Ledger rows, `x_State` and `x_BilledIn` of an SQL relation of this `layout`.

    Pure: nothing is executed here. The layers are not materialised: ten million rows stream through them.
    `widths` are narrower decimal types by column, as a sample of the file suggests them (`widths_sql`); `constants`
    are source columns with one text, or nothing, in every row; `without` are ledger columns to leave out. Columns of
    NULLs only are left out too, since one of ten million costs as much as one of text, and so is `x_BilledIn` where
    the bill's own amount is BilledCost itself.
    """
    expression = _expression(_shape(format_))
    node = expression.op()
    left_out = {*without, *(name for name, value in settled(format_, layout, constants).items() if value is None)}
    billed = constant.origin(node, "BilledCost") if "BilledCost" in expression.columns else None
    if format_.billed is None or (billed is not None and billed == constant.origin(node, rows.BILLED_IN)):
        left_out.add(rows.BILLED_IN)
    names = [name for name in expression.columns if name not in left_out]
    fixed = ", ".join(f"{_constant(v, layout[n])} AS {values.quoted(n)}" for n, v in constants.items())
    source = f"SELECT * REPLACE ({fixed}) FROM ({relation})" if fixed else relation
    rows_sql = _rows_sql(_shape(format_), tuple(names))
    return (
        f"WITH source AS NOT MATERIALIZED ({source}), "
        f"typed AS NOT MATERIALIZED ({typed_sql(format_, layout, widths)}) SELECT * FROM ({rows_sql}) AS mapped"
    )


def _constant(value: str | None, type_: str) -> str:
    return f"NULL::{type_}" if value is None else values.literal(value)


def _staged_sql(expression: ir.Table) -> str:
    """SQL in which each stage of a mapping is a projection of its own.

    Fused, a column that a later stage reads ten times is written out and computed ten times, stage upon stage:
    the SQL of one mapping grew to 12 MB. A stage that both arms of a union read is named in a WITH, which DuckDB
    would write to memory whole: a million rows of a bill took 1.5 GB. A 0 or NULL is money to Ibis and would make
    money of sixteen bytes of all that it stands beside.
    """
    fused = ibis.options.sql.fuse_selects
    ibis.options.sql.fuse_selects = False
    try:
        sql = ibis.to_sql(expression, dialect="duckdb")
    finally:
        ibis.options.sql.fuse_selects = fused
    sql = re.sub(r'("t\d+") AS \(', r"\1 AS NOT MATERIALIZED (", sql)
    return re.sub(r"CAST\((0|NULL) AS DECIMAL\(38, 18\)\)", rf"CAST(\1 AS {values.LITERAL})", sql)


def rejected_sql(format_: Format, layout: dict[str, str], relation: str) -> str:
    """Every bad row of a relation that numbers its rows (`x_File`, `x_Row`): file, row, column, value, reason."""
    fields = [f for column in format_.columns if (f := bind(column, layout)).bad is not None]
    inner = [f"{f.value} AS {f.name}" for f in fields] + [f.given for f in fields if f.may_fail]
    inner += [f"{f.reference}::VARCHAR AS {f.written}" for f in fields if f.reference is not None]
    columns = " ".join(f"WHEN {f.bad} THEN {values.literal(f.place)}" for f in fields)
    written = " ".join(f"WHEN {f.bad} THEN {f.written if f.reference else 'NULL'}" for f in fields)
    reasons = " ".join(f"WHEN {f.bad} THEN {f.reason}" for f in fields)
    bad = " OR ".join(f.bad or "false" for f in fields) or "false"
    return (
        f"WITH source AS ({relation}) SELECT x_File, x_Row, CASE {columns} END, left(CASE {written} END, 200), "
        f"CASE {reasons} END FROM (SELECT x_File, x_Row, {', '.join(inner)} FROM source) AS t WHERE {bad} "
        "ORDER BY x_File, x_Row"
    )


def ledger_expression(format_: Format) -> ir.Table:
    """The format's mapping as one Ibis expression over an unbound table `typed`."""
    return _expression(_shape(format_))


@dataclass(frozen=True, slots=True)
class _Shape:
    """All of a format that its expression depends on; a sync loads many windows of the same one."""

    columns: tuple[tuple[str, str], ...]
    to_ledger: Callable[[ir.Table], ir.Table]
    billed: Callable[[ir.Table], ir.Value] | None
    dropped: Callable[[ir.Table], ir.BooleanValue] | None


def _shape(format_: Format) -> _Shape:
    columns = tuple((c.name, ibis_type(c)) for c in format_.columns)
    return _Shape(columns, format_.to_ledger, format_.billed, format_.dropped)


@lru_cache(_SHAPES)
def _expression(shape: _Shape) -> ir.Table:
    table = ibis.table(dict(shape.columns) | {"x_Bad": "boolean"}, name="typed")
    states: list[tuple[ir.Value, str]] = [(table["x_Bad"], rows.BAD)]
    if shape.dropped is not None:
        states.append((shape.dropped(table), rows.DROPPED))
    billed = shape.billed(table) if shape.billed else ibis.null("decimal(38, 18)")
    return shape.to_ledger(table.mutate(**{rows.STATE: ibis.cases(*states), rows.BILLED_IN: billed}))


@lru_cache(_SHAPES)
def _rows_sql(shape: _Shape, names: tuple[str, ...]) -> str:
    return _staged_sql(_expression(shape).select(*names))


def ibis_type(column: Column) -> str:
    """The Ibis type under which a mapping sees `column`."""
    if column.kind is Kind.RECORDS:
        inner = ", ".join(f"{name}: {_IBIS[kind]}" for name, kind in column.fields.items())
        return f"array<struct<{inner}>>"
    return _IBIS[column.kind]
