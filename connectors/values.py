"""From what a file holds to exact typed values, as DuckDB SQL.

Every expression here turns a bad value into NULL and never raises, so that the caller can tell the row.
Why the casts look as they do: a DOUBLE cast straight to DECIMAL(38,18) is wrong in its 16th digit, and a
text cast to DECIMAL(38,x) costs some thirty times one to DECIMAL(18,x).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from connectors.format import Column, Kind
from ledger.engine import literal

WIDE: Final = "DECIMAL(38,18)"
#: Types of eight bytes in which most money and quantities fit: written, read and compared in half the time. One digit
#: less than eight bytes hold, so that a sum of two fits as well.
NARROW: Final = ("DECIMAL(17,9)", "DECIMAL(17,12)")
#: The type of a 0 or NULL that stands beside amounts: what they are brought together in stays as narrow as they are.
LITERAL: Final = "DECIMAL(1,0)"
#: A type of sixteen bytes for what fills eight.
_ROOMY: Final = "DECIMAL(19,{})"
#: Quantities of a thousand and more, in a type of eight bytes: the way through text costs twenty times as much.
_LARGE: Final = "DECIMAL(18,6)"
#: What the engine's error says when a value does not fit the narrow type that a sample of the file suggested.
TOO_NARROW: Final = "a value needs a wider decimal than the sample of its file"
#: Seconds to the end of the year 9999: the engine raises on moments far beyond it.
_LAST_SECOND: Final = 253_402_300_799
_FLOATS = {"DOUBLE", "FLOAT"}
_ZONELESS = {"TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "DATE"}
_WHOLE = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "HUGEINT"}
_NATIVE = {
    Kind.TEXT: "VARCHAR",
    Kind.DECIMAL: WIDE,
    Kind.COUNT: "BIGINT",
    Kind.INSTANT: "TIMESTAMP WITH TIME ZONE",
    Kind.EPOCH: "TIMESTAMP WITH TIME ZONE",
    Kind.JSON: "JSON",
}


def null_of(column: Column) -> str:
    """NULL with the type that the mapping expects of `column`, or a decimal that widens no other."""
    if column.kind is Kind.DECIMAL:
        return f"NULL::{LITERAL}"
    if column.kind is Kind.RECORDS:
        fields = ", ".join(f"{quoted(name)} {_NATIVE[kind]}" for name, kind in column.fields.items())
        return f"NULL::STRUCT({fields})[]"
    return f"NULL::{_NATIVE[column.kind]}"


def typed(reference: str, type_: str, column: Column, width: str = WIDE) -> str:
    """The value of `reference` (of DuckDB type `type_`) as `column.kind`; NULL where it is not one.

    `width` is the decimal type of texts and doubles; a narrow one raises `TOO_NARROW` rather than lose a digit.
    """
    match column.kind:
        case Kind.TEXT:
            return text(reference, type_)
        case Kind.DECIMAL:
            return decimal(reference, type_, width)
        case Kind.COUNT:
            return count(reference, type_)
        case Kind.INSTANT:
            return instant(reference, type_, column.pattern)
        case Kind.EPOCH:
            seconds = f"try_cast({reference} AS BIGINT)"
            return f"to_timestamp(CASE WHEN {seconds} BETWEEN 0 AND {_LAST_SECOND} THEN {seconds} END)"
        case Kind.JSON:
            return json(reference, type_)
        case Kind.RECORDS:
            return records(reference, type_, column.fields)


def text(reference: str, type_: str) -> str:
    """Text as it stands; an empty text is NULL."""
    return f"nullif({reference}, '')" if type_ == "VARCHAR" else f"{reference}::VARCHAR"


def decimal(reference: str, type_: str, width: str = WIDE) -> str:
    """An exact decimal.

    A decimal of at most 18 fraction digits keeps its own type. A double becomes the shortest decimal that reads
    back as it: a decimal of at most fifteen significant digits and a double determine each other, so the fast cast
    is exact for it; any other goes by way of its text. What a double says beyond the eighteenth fraction digit is
    rounded: its file holds no exact amount. A text is never rounded.
    """
    if type_.startswith("DECIMAL"):
        if scale_of(type_) > scale_of(WIDE):
            return _exact_text(f"{reference}::VARCHAR")
        return f"{reference}::{_ROOMY.format(scale_of(type_))}" if _is_full(type_) else reference
    if type_ in _WHOLE:
        return f"{reference}::DECIMAL(38,0)"
    if type_ in _FLOATS:
        x = reference if type_ == "DOUBLE" else f"{reference}::VARCHAR::DOUBLE"
        quick = first_cast(x, type_, width)
        return _fast_or_exact(fits(x, "DOUBLE", _fast(width)), quick, _exact_double(x), width)
    if type_ == "VARCHAR":
        quick = first_cast(reference, type_, width)
        return _fast_or_exact(fits(reference, type_, NARROW[0]), quick, _exact_text(reference), width)
    return f"try_cast({reference}::VARCHAR AS {WIDE})"


def first_cast(reference: str, type_: str, width: str) -> str:
    """The cast that `decimal` tries first on a text or double; it stands in its expression several times."""
    return f"try_cast({reference} AS {NARROW[0] if type_ == 'VARCHAR' else _fast(width)})"


def fits(x: str, type_: str, narrow: str) -> str:
    """SQL that is true where the text or double `x` is exactly a `narrow` decimal of at most fifteen digits."""
    if type_ == "VARCHAR":
        return (
            f"length({x}) <= 16 AND try_cast({x} AS {narrow})::DOUBLE = try_cast({x} AS DOUBLE) "
            f"AND NOT contains({x}, '_')"
        )
    bound = 10 ** (15 - scale_of(narrow))
    # The engine computes both sides of AND: a plain cast would raise on a large double that the left side refuses.
    return f"abs({x}) < {bound} AND try_cast({x} AS {narrow})::DOUBLE = {x}"


def _is_full(type_: str) -> bool:
    """Whether a sum of two may leave the eight bytes of this type: it has so many fraction digits that ten may."""
    return type_.startswith("DECIMAL(18,") and scale_of(type_) > scale_of(NARROW[0])


def scale_of(type_: str) -> int:
    """Fraction digits of a DuckDB decimal type."""
    return int(type_[8:-1].split(",")[1])


def _fast(width: str) -> str:
    return NARROW[1] if width == WIDE else width


def _fast_or_exact(fast: str, quick: str, exact: str, width: str) -> str:
    if width == WIDE:
        return f"CASE WHEN {fast} THEN {quick}::{WIDE} ELSE {exact} END"
    refuse = f"error('{TOO_NARROW}')::{width}"
    return f"CASE WHEN {fast} THEN {quick} WHEN {exact} IS NOT NULL THEN {refuse} END"


def _exact_double(x: str) -> str:
    """A double to DECIMAL(38,18): its shortest text, rounded at the eighteenth fraction digit."""
    text = f"{x}::VARCHAR"
    whole = f"try_cast(try_cast({text} AS HUGEINT) AS {WIDE})"
    plain = f"NOT contains({text}, 'e') AND length(split_part({text}, '.', 2)) <= 18"
    return (
        f"CASE WHEN {fits(x, 'DOUBLE', _LARGE)} THEN try_cast({x} AS {_LARGE})::{WIDE} "
        # The engine would read the text 5e-20 as 1e-18.
        f"WHEN abs({x}) < 1e-19 THEN 0 WHEN {x} = trunc({x}) THEN {whole} "
        f"WHEN {plain} THEN {_by_digits(text)} ELSE try_cast({text} AS {WIDE}) END"
    )


def _exact_text(x: str) -> str:
    """A text to DECIMAL(38,18), NULL where a digit would be lost (more than 18 fraction digits) or is none."""
    text = f"trim({x})"
    plain = f"regexp_full_match({text}, '[+-]?([0-9]+[.]?[0-9]{{0,18}}|[.][0-9]{{1,18}})0*')"
    exponent = f"regexp_full_match({text}, '[+-]?[0-9]+([.][0-9]*)?[eE][+-]?[0-9]+')"
    fraction = f"length(regexp_extract({text}, '[.]([0-9]+)[eE]', 1))"
    power = f"coalesce(try_cast(regexp_extract({text}, '[eE]([+-]?[0-9]+)', 1) AS INTEGER), 0)"
    read = f"WHEN {exponent} AND {fraction} - {power} <= 18 THEN try_cast({x} AS {WIDE})"
    return f"CASE WHEN {plain} THEN {_by_digits(text)} {read} END"


def _by_digits(text: str) -> str:
    """A plain number of at most 18 fraction digits to DECIMAL(38,18), twenty times as fast as the cast of its text.

    The digits are read as one whole number of units of 1e-18.
    """
    digits = f"split_part({text}, '.', 1) || rpad(split_part({text}, '.', 2), 18, '0')"
    return f"try_cast(try_cast({digits} AS HUGEINT) AS DECIMAL(38,0)) * 0.000000000000000001::DECIMAL(18,18)"


def count(reference: str, type_: str) -> str:
    """A whole number; a fraction is not one."""
    if type_ in _WHOLE:
        return f"try_cast({reference} AS BIGINT)"
    written = reference if type_ == "VARCHAR" else f"{reference}::VARCHAR"
    whole = f"regexp_full_match(trim({written}), '[+-]?[0-9]+([.]0*)?')"
    return f"CASE WHEN {whole} THEN try_cast(try_cast({written} AS DECIMAL(38,0)) AS BIGINT) END"


def instant(reference: str, type_: str, pattern: str | None = None) -> str:
    """A moment in UTC; a date or time without zone is taken as UTC.

    The engine reads `5/1/25` as a day of the year 5; a bill has none, so such a text is no moment.
    """
    if type_ in _ZONELESS:
        # The cast asks the calendar for the zone of every row, at thirty times the cost.
        return f"make_timestamptz(epoch_us({reference}))"
    if type_ != "VARCHAR":
        return f"try_cast({reference} AS TIMESTAMP WITH TIME ZONE)"
    # Google's exports write the zone's name, which takes the engine fifteen times as long to read as an offset.
    offset = f"CASE WHEN suffix({reference}, ' UTC') THEN left({reference}, -4) || '+00' ELSE {reference} END"
    moment = f"try_cast({offset} AS TIMESTAMP WITH TIME ZONE)"
    iso = f"CASE WHEN {moment} >= TIMESTAMPTZ '1990-01-01 00:00:00Z' THEN {moment} END"
    if pattern is None:
        return iso
    return f"coalesce({iso}, try_strptime({reference}, '{pattern}')::TIMESTAMP WITH TIME ZONE)"


def json(reference: str, type_: str) -> str:
    """A JSON text; maps, structs and lists are written as JSON."""
    if type_ == "JSON":
        return reference
    if type_ == "VARCHAR":
        return f"try_cast({reference} AS JSON)"
    return f"to_json({reference})"


def keyed(reference: str, type_: str, key: str) -> str:
    """The text under one key of a map, or of a text that holds a JSON object."""
    if type_.startswith("MAP("):
        return f"{reference}[{literal(key)}]::VARCHAR"
    document = f"to_json({reference})" if type_.startswith("STRUCT(") else f"{reference}::VARCHAR"
    return f"CASE WHEN json_valid({document}) THEN json_extract_string({document}, {literal(key)}) END"


def gathered(names: Mapping[str, str], layout: Mapping[str, str]) -> str:
    """One JSON object of several source columns, `names` being key to column; empty values are left out."""
    pairs = ", ".join(
        f"{literal(key)}, {text(f'source.{quoted(name)}', layout[name])}" for key, name in sorted(names.items())
    )
    return f"json_merge_patch('{{}}', json_object({pairs}))"


def records(reference: str, type_: str, fields: Mapping[str, Kind]) -> str:
    """A list of records with exactly the declared fields, each typed; NULL where a value in it cannot be taken."""
    if type_ in {"VARCHAR", "JSON"}:
        raw = "{" + ", ".join(f'"{name}": "VARCHAR"' for name in fields) + "}"
        source, types = f"from_json({json(reference, type_)}, '[{raw}]')", dict.fromkeys(fields, "VARCHAR")
    else:
        source, types = reference, struct_fields(type_.removesuffix("[]"))
    items = ", ".join(
        f"{quoted(name)}: "
        + (
            typed(f"r.{quoted(name)}", types[name], Column(name, kind))
            if name in types
            else null_of(Column(name, kind))
        )
        for name, kind in fields.items()
    )
    items = f"list_transform({source}, lambda r: {{{items}}})"
    exact = [name for name, kind in fields.items() if kind is not Kind.TEXT and types.get(name) == "VARCHAR"]
    if not exact:
        return items
    taken = {name: typed(f"r.{quoted(name)}", "VARCHAR", Column(name, fields[name])) for name in exact}
    lost = " OR ".join(f"(r.{quoted(name)} IS NOT NULL AND {value} IS NULL)" for name, value in taken.items())
    return f"CASE WHEN coalesce(len(list_filter({source}, lambda r: {lost})), 0) = 0 THEN {items} END"


def complaint(written: str, kind: Kind) -> str:
    """SQL of what is wrong with the text `written`, which is no value of `kind`."""
    if kind in {Kind.DECIMAL, Kind.COUNT}:
        separators = "has a thousands separator or a decimal comma; export plain numbers such as 1234.50"
        digits = "has more than 18 decimal places, which would be lost"
        plain = "is not a number" if kind is Kind.DECIMAL else "is not a whole number"
        return (
            f"CASE WHEN contains({written}, ',') THEN {literal(separators)} "
            f"WHEN try_cast({written} AS DOUBLE) IS NOT NULL AND regexp_matches({written}, '[.][0-9]{{19}}|[eE]-') "
            f"THEN {literal(digits)} ELSE {literal(plain)} END"
        )
    if kind in {Kind.INSTANT, Kind.EPOCH}:
        return literal("is not a date or time such as 2026-10-31 or 2026-10-31T00:00:00Z")
    if kind in {Kind.JSON, Kind.RECORDS}:
        return literal("is not valid JSON")
    return literal("cannot be read")


def struct_fields(type_: str) -> dict[str, str]:
    """The fields of a DuckDB STRUCT type as DESCRIBE prints it: name to type; empty for any other type."""
    if not type_.startswith("STRUCT(") or not type_.endswith(")"):
        return {}
    fields: dict[str, str] = {}
    depth, quote, start, inner = 0, False, 0, type_[7:-1]
    for at, char in enumerate(inner + ","):
        if char == '"':
            quote = not quote
        elif not quote and char in "([":
            depth += 1
        elif not quote and char in ")]":
            depth -= 1
        elif char == "," and depth == 0 and not quote:
            part = inner[start:at].strip()
            name, _, rest = part.partition('" ') if part.startswith('"') else part.partition(" ")
            fields[name.lstrip('"')] = rest
            start = at + 1
    return fields


def quoted(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
