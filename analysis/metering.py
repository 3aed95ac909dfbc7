"""Usage gathered into what pricing needs: sums of tokens for each profile, moment and label.

A price is linear in tokens, so rows that share everything a price depends on may be summed before they are priced. What
a price depends on and what a plan's levers ask for make a `Profile`; there are few of them however many rows there are,
and plans are worked out on profiles alone.
"""

# Ibis types `table["x"]` as an abstract column, without the operations of its kind; pyarrow carries no types.
# pyright: reportAttributeAccessIssue=false, reportOperatorIssue=false, reportArgumentType=false
# pyright: reportCallIssue=false, reportReturnType=false, reportUnknownParameterType=false
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import ibis
import pyarrow as pa
import pyarrow.compute as pc

from analysis.plan import FIELDS, TAG
from analysis.price_list import SOME_STEP
from analysis.result import fetch, plain
from analysis.spend import tag

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: Fields of usage and their columns; `tag:KEY` is one more for every tag key.
COLUMNS: Final[Mapping[str, str]] = {
    "provider": "ServiceProviderName",
    "model": "ModelId",
    "version": "ModelVersion",
    "tier": "ServiceTier",
    "region": "ServingRegion",
    "project": "SubAccountId",
    "key": "ApiKeyId",
    "user": "UserId",
    "connection": "x_Connection",
}
#: What a price depends on; a plan may change these. All other fields are labels, which stay with the tokens.
PRICED_BY: Final = ("provider", "model", "version", "tier", "region")

#: Each token kind as the columns that it adds up and those that are taken off, being kinds of their own.
KINDS: Final[Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "input": (("InputUncachedTokens",), ("InputAudioTokens", "InputImageTokens")),
    "cache_read": (("CacheReadTokens",), ("CacheReadAudioTokens",)),
    "cache_write": (("CacheWriteTokens",), ()),
    "cache_write_5m": (("CacheWrite5mTokens",), ()),
    "cache_write_30m": (("CacheWrite30mTokens",), ()),
    "cache_write_1h": (("CacheWrite1hTokens",), ()),
    "cache_write_12h": (("CacheWrite12hTokens",), ()),
    "output": (("OutputTokens",), ("ReasoningTokens", "OutputAudioTokens", "OutputImageTokens")),
    "reasoning": (("ReasoningTokens",), ()),
    "input_audio": (("InputAudioTokens",), ()),
    "cache_read_audio": (("CacheReadAudioTokens",), ()),
    "output_audio": (("OutputAudioTokens",), ()),
    "input_image": (("InputImageTokens",), ()),
    "output_image": (("OutputImageTokens",), ()),
    "request": (("Requests",), ()),
}
#: The whole input of a request, which context steps are measured by.
INPUT: Final = (
    "InputUncachedTokens",
    "CacheReadTokens",
    "CacheWriteTokens",
    "CacheWrite5mTokens",
    "CacheWrite30mTokens",
    "CacheWrite1hTokens",
    "CacheWrite12hTokens",
)
_COUNTS: Final = tuple(dict.fromkeys(name for adds, takes in KINDS.values() for name in (*adds, *takes)))
#: Kinds of usage that have no output tokens.
_INPUT_ONLY: Final = ("embeddings", "moderations")
_UNIT_SECONDS: Final = {"D": 86_400, "h": 3_600, "m": 60, "s": 1}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_WHOLE: Final = "decimal(38, 0)"

CONTRADICTORY: Final = "parts of a token count (reasoning, audio, image) are more than the whole"


@ibis.udf.scalar.builtin(signature=((ibis.expr.datatypes.Timestamp(timezone="UTC"),), "int64"))
def epoch_us(moment: object) -> int:
    """Microseconds since 1970 (DuckDB); ten times as fast there as any way through dates."""
    raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Profile:
    """What some usage has in common.

    Attributes:
        fields: value by field (`PRICED_BY` and what was asked for); None where the usage does not say.
        above: the largest context step that each whole input is above; `SOME_STEP` for a long one of unknown size.
        up_to: the largest step that it may be above.
        contradictory: whether its token counts contradict each other.
    """

    fields: Mapping[str, str | None]
    above: int
    up_to: int
    contradictory: bool


@dataclass(frozen=True, slots=True)
class Counted:
    """Usage that is counted in something other than tokens (images, seconds, searches), which has no price here."""

    provider: str
    model: str | None
    unit: str
    quantity: Decimal

    def record(self) -> dict[str, Any]:
        """As JSON carries it."""
        return {
            "provider": self.provider,
            "model": self.model,
            "unit": self.unit,
            "quantity": plain(self.quantity),
        }


@dataclass(frozen=True, slots=True)
class Metered:
    """Usage, ready to be priced under any number of plans.

    Attributes:
        profiles: what usage has in common; `facts` count on them by their place.
        facts: `profile`, `kind`, `moment` (units since 1970) and one column for each label; `tokens` (decimal(38, 0),
            never 0), which are requests where the kind is `request`.
        labels: fields that are columns of `facts`.
        unit: seconds of a moment.
        first, last: the first and last moment.
        incomplete: rows that do not state their input or output tokens; what they may have used is not in here.
        others: what is counted in something other than tokens.
        backend: the Ibis backend that the usage is on.
    """

    profiles: tuple[Profile, ...]
    facts: pa.Table
    labels: tuple[str, ...]
    unit: int
    first: int
    last: int
    incomplete: int
    others: tuple[Counted, ...]
    backend: Any

    def at(self, moment: int) -> datetime:
        """The instant at which a moment begins."""
        return _EPOCH + timedelta(seconds=moment * self.unit)

    def moment(self, instant: datetime) -> int:
        """The moment that an instant lies in."""
        return _at(instant, self.unit)


def meter(
    usage: ir.Table,
    by: Sequence[str],
    asked: Sequence[str],
    *,
    steps: Sequence[int],
    grain: str,
) -> Metered:
    """Sum usage by what prices depend on, by labels and by time, in the engine.

    Args:
        usage: `ledger.tables.USAGE`; columns that are not there are taken for NULL.
        by: fields and `day` or `month` that the result is to be told by.
        asked: fields that levers ask for; they become part of the profiles.
        steps: context steps of the prices, ascending.
        grain: D, h, m or s: prices begin and end at its bounds.

    Raises:
        ValueError: a field is not known.
    """
    names = tuple(dict.fromkeys((*PRICED_BY, *asked)))
    labels = tuple(n for n in dict.fromkeys(by) if n not in names and n not in {"day", "month", "token-kind"})
    usage = _completed(usage)
    rows = _without_covered_logs(usage) if _mixed(usage) else usage
    unit = _UNIT_SECONDS[grain]
    found = _overview(rows)
    present = [name for name in _COUNTS if found[name]]
    backend: Any = usage.get_backend()
    cells: pa.Table = backend.to_pyarrow(_cells(rows, names, labels, present, steps, unit))
    profiles, facts = _facts(cells, names, labels)
    return Metered(
        profiles,
        facts,
        labels,
        unit,
        first=_at(found["first"], unit),
        last=_at(found["last"], unit),
        incomplete=int(pc.sum(cells["incomplete"]).as_py() or 0),
        others=_others(rows) if found["others"] else (),
        backend=backend,
    )


def _at(instant: datetime | None, unit: int) -> int:
    return 0 if instant is None else (instant - _EPOCH) // timedelta(seconds=unit)


def within(usage: ir.Table, start: date | None, end: date | None) -> ir.Table:
    """Usage that begins on the days (UTC) from `start` up to, and without, `end`."""
    moment = usage["UsagePeriodStart"]
    if start is not None:
        usage = usage.filter(moment >= ibis.literal(_midnight(start)))
    if end is not None:
        usage = usage.filter(moment < ibis.literal(_midnight(end)))
    return usage


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _completed(usage: ir.Table) -> ir.Table:
    """The usage with every column that is looked at; those that it has not are NULL."""
    texts = (*COLUMNS.values(), "Grain", "ContextWindow", "UsageKind", "OtherUnit", "Tags")
    wanted = dict.fromkeys(texts, "string") | dict.fromkeys(_COUNTS, "int64") | {"OtherQuantity": "decimal(38, 18)"}
    missing = {name: ibis.null(kind) for name, kind in wanted.items() if name not in usage.columns}
    return usage.mutate(**missing) if missing else usage


def _mixed(usage: ir.Table) -> bool:
    """Whether single requests stand beside reports, which may tell of the same tokens."""
    log = usage["Grain"] == "request"
    (found,) = fetch(usage.aggregate(some=log.any(), all=log.all()))
    return bool(found["some"]) and not found["all"]


def _without_covered_logs(usage: ir.Table) -> ir.Table:
    """Usage without the single requests of a provider and day that a report covers: they tell of the same tokens."""
    day = usage["UsagePeriodStart"].date()
    log: Any = usage["Grain"] == "request"
    reports = usage.filter(~log).select(p_Day=day, p_Provider="ServiceProviderName").distinct()
    beside = [day == reports["p_Day"], usage["ServiceProviderName"] == reports["p_Provider"]]
    return usage.filter(~log).union(usage.filter(log).anti_join(reports, beside))


def _overview(rows: ir.Table) -> dict[str, Any]:
    """First and last instant, which counts any row has, and whether any is counted in something else."""
    start, other = rows["UsagePeriodStart"], rows["OtherQuantity"]
    present = {name: rows[name].max().fill_null(0) for name in _COUNTS}
    (found,) = fetch(rows.aggregate(first=start.min(), last=start.max(), others=other.max(), **present))
    return found


def _others(rows: ir.Table) -> tuple[Counted, ...]:
    quantity = rows["OtherQuantity"].sum()
    keys = {"provider": _field(rows, "provider"), "model": _field(rows, "model"), "unit": rows["OtherUnit"]}
    found = fetch(rows.filter(rows["OtherQuantity"] != 0).group_by(**keys).aggregate(quantity=quantity))
    counted = (Counted(row["provider"], row["model"], row["unit"] or "", row["quantity"]) for row in found)
    return tuple(sorted(counted, key=lambda c: (c.provider, str(c.model), c.unit)))


def _cells(
    rows: ir.Table, names: Sequence[str], labels: Sequence[str], present: Sequence[str], steps: Sequence[int],
    unit: int,
) -> ir.Table:  # fmt: skip
    """One row for each profile, moment and combination of labels, with the sum of each kind."""
    above, up_to = _context(rows, [n for n in INPUT if n in present], steps)
    keys = {f"f_{name}": _field(rows, name) for name in names} | {f"l_{name}": _field(rows, name) for name in labels}
    keys |= {"above": above, "up_to": up_to, "odd": _odd(rows, present)}
    keys["moment"] = _moment(rows, unit)
    sums = rows.group_by(**keys).aggregate(
        incomplete=_incomplete(rows).sum(), **{name: rows[name].sum().cast(_WHOLE).fill_null(0) for name in present}
    )
    kinds = {
        kind: _difference(sums, [n for n in adds if n in present], [n for n in takes if n in present])
        for kind, (adds, takes) in KINDS.items()
        if any(n in present for n in adds)
    }
    return sums.select(*keys, "incomplete", **kinds)


def _incomplete(rows: ir.Table) -> ir.BooleanValue:
    """Whether a row lacks a count that it should have."""
    counted = rows["OtherQuantity"].isnull() & ~rows["UsageKind"].isin(_INPUT_ONLY).fill_null(False)
    return counted & (rows["InputUncachedTokens"].isnull() | rows["OutputTokens"].isnull())


def _difference(sums: ir.Table, adds: Sequence[str], takes: Sequence[str]) -> ir.Value:
    result = sums[adds[0]]
    for name in takes:
        result = result - sums[name]
    return result.cast(_WHOLE)


def _context(rows: ir.Table, inputs: Sequence[str], steps: Sequence[int]) -> tuple[ir.Value, ir.Value]:
    """The context step that each row's requests are surely above, and the one that they may be above.

    A request is above the steps that its whole input is above. A row of many requests says by its context window on
    which side they are; where it does not, none of them can be above a step that all of them together are not.
    """
    nothing = ibis.literal(0, "int64")
    if not steps:
        return nothing, nothing
    whole = nothing
    for name in inputs:
        whole = whole + _count(rows, name)
    reached = ibis.cases(*((whole > step, ibis.literal(step, "int64")) for step in reversed(steps)), else_=nothing)
    request = (rows["Grain"] == "request") & (rows["Requests"].cast("int64").fill_null(1) <= 1)
    window = rows["ContextWindow"]
    top = ibis.literal(steps[-1], "int64")
    above = ibis.cases((request, reached), (window == "Long", ibis.literal(SOME_STEP, "int64")), else_=nothing)
    up_to = ibis.cases((request, reached), (window == "Short", nothing), (window == "Long", top), else_=reached)
    return above, up_to


def _odd(rows: ir.Table, present: Sequence[str]) -> ir.BooleanValue:
    """Whether the parts of a count are more than the whole."""
    result: Any = ibis.literal(False)
    for adds, takes in KINDS.values():
        parts = [_count(rows, name) for name in takes if name in present]
        if parts:
            result = result | (sum(parts[1:], parts[0]) > _count(rows, adds[0]))
    return result


def _moment(rows: ir.Table, unit: int) -> ir.IntegerValue:
    """Units since 1970; exact, since microseconds of centuries divided by a unit are told apart by a double."""
    start = rows["UsagePeriodStart"]
    if rows.get_backend().name == "duckdb":
        return epoch_us(start.cast("timestamp('UTC')")) // (unit * 1_000_000)
    return start.epoch_seconds() // unit


def _field(rows: ir.Table, name: str) -> ir.Value:
    if name.startswith(TAG) and name != TAG:
        tags: Any = rows["Tags"]
        if rows.get_backend().name == "duckdb" and tags.type().is_string():
            tags = tags.cast("json")
        return tag(tags, name.removeprefix(TAG)).cast("string")
    if name in COLUMNS:
        return rows[COLUMNS[name]]
    known = ", ".join((*FIELDS, "token-kind", "day", "month"))
    raise ValueError(f"Usage cannot be told by {name!r}; known dimensions are {known} and {TAG}KEY.")


def _count(rows: ir.Table, name: str) -> ir.Value:
    return rows[name].cast("int64").fill_null(0)


def _facts(cells: pa.Table, names: Sequence[str], labels: Sequence[str]) -> tuple[tuple[Profile, ...], pa.Table]:
    """Profiles, and one row for each of them, moment, label and kind that has tokens."""
    keys = [*(f"f_{name}" for name in names), "above", "up_to", "odd"]
    filled = {name: _filled(cells[name]) for name in keys}
    cells = pa.table({name: filled.get(name, cells[name]) for name in cells.column_names})
    distinct = cells.group_by(keys).aggregate([])
    distinct = distinct.append_column("profile", pa.array(range(distinct.num_rows), pa.int32()))
    profiles = tuple(_profile(row, names) for row in distinct.to_pylist())
    joined = cells.join(distinct, keys=keys, join_type="inner")
    parts = [_of_kind(joined, kind, labels) for kind in KINDS if kind in joined.column_names]
    return profiles, pa.concat_tables([*parts, _schema(labels).empty_table()]).combine_chunks()


def _schema(labels: Iterable[str]) -> pa.Schema:
    columns = [("profile", pa.int32()), ("kind", pa.string()), ("moment", pa.int64())]
    return pa.schema([*columns, *((name, pa.string()) for name in labels), ("tokens", pa.decimal128(38, 0))])


def _of_kind(cells: pa.Table, kind: str, labels: Sequence[str]) -> pa.Table:
    rows = cells.filter(pc.not_equal(cells[kind].cast(pa.decimal128(38, 0)), pa.scalar(0, pa.decimal128(38, 0))))
    arrays = [rows["profile"], pa.array([kind] * rows.num_rows, pa.string()), rows["moment"]]
    arrays += [rows[f"l_{name}"].cast(pa.string()) for name in labels]
    return pa.Table.from_arrays([*arrays, rows[kind].cast(pa.decimal128(38, 0))], schema=_schema(labels))


def _filled(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """NULL as "", since a join finds no NULL."""
    if pa.types.is_null(column.type):
        return column.cast(pa.string()).fill_null("")
    return column.fill_null("") if pa.types.is_string(column.type) else column


def _profile(row: Mapping[str, Any], names: Sequence[str]) -> Profile:
    return Profile(
        fields={name: row[f"f_{name}"] or None for name in names},
        above=row["above"],
        up_to=row["up_to"],
        contradictory=bool(row["odd"]),
    )
