"""Usage gathered in the engine into what pricing needs: sums of tokens for each profile, moment and label.

A price is linear in tokens, so rows that share everything a price depends on may be summed before they are priced. What
a price depends on and what a plan's levers ask for make a `Profile`; there are few of them however many rows there are,
and plans are worked out on profiles alone.
"""

# Ibis types `table["x"]` as an abstract column, without the operations of its kind; pyarrow carries no types.
# pyright: reportAttributeAccessIssue=false, reportOperatorIssue=false, reportArgumentType=false
# pyright: reportCallIssue=false, reportReturnType=false, reportUnknownParameterType=false
from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

import ibis
import ibis.expr.types as ir
import pyarrow.compute as pc

from analysis.metered import Counted, Metered, gathered
from analysis.plan import FIELDS, TAG
from analysis.price_list import SOME_STEP
from analysis.result import fetch
from analysis.spend import tag

if TYPE_CHECKING:
    import pyarrow as pa

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
_WHOLE: Final = "decimal(38, 0)"


@ibis.udf.scalar.builtin(signature=((ibis.expr.datatypes.Timestamp(timezone="UTC"),), "int64"))
def epoch_us(moment: object) -> int:
    """Microseconds since 1970 (DuckDB); ten times as fast there as any way through dates."""
    raise NotImplementedError


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
    labels = tuple(n for n in dict.fromkeys(by) if n not in {*PRICED_BY, "day", "month", "token-kind"})
    stated = set(usage.columns)
    rows = _completed(usage)
    unit = _UNIT_SECONDS[grain]
    found = _overview(rows, stated)
    logs = bool(found["logs"])
    if logs and found["reports"]:
        rows, logs = _without_covered_logs(rows), False
    present = [name for name in _COUNTS if found.get(name)]
    cells = _arrow(_cells(rows, names, labels, present, steps, unit, logs=logs))
    profiles, facts = gathered(cells, names, labels)
    span = pc.min_max(facts["moment"]).as_py()
    return Metered(
        profiles,
        facts,
        labels,
        unit,
        first=span["min"] or 0,
        last=span["max"] or 0,
        incomplete=int(pc.sum(cells["incomplete"]).as_py() or 0),
        others=_others(rows) if found["others"] else (),
        backend=usage.get_backend(),
    )


def _arrow(cells: ir.Table) -> pa.Table:
    backend: Any = cells.get_backend()
    if backend.name == "pyspark":
        # Ibis's own way from Spark leads through pandas.
        return backend.raw_sql(backend.compile(cells)).toArrow()
    return backend.to_pyarrow(cells)


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


def _without_covered_logs(usage: ir.Table) -> ir.Table:
    """Usage without the single requests of a provider and day that a report covers: they tell of the same tokens."""
    day = usage["UsagePeriodStart"].date()
    log: Any = usage["Grain"] == "request"
    reports = usage.filter(~log).select(p_Day=day, p_Provider="ServiceProviderName").distinct()
    beside = [day == reports["p_Day"], usage["ServiceProviderName"] == reports["p_Provider"]]
    return usage.filter(~log).union(usage.filter(log).anti_join(reports, beside))


def _overview(rows: ir.Table, stated: set[str]) -> dict[str, Any]:
    """Which counts any row has, whether rows are single requests or reports, and whether any is counted otherwise."""
    log: Any = rows["Grain"] == "request"
    counts = {name: rows[name].max().fill_null(0) for name in _COUNTS if name in stated}
    (found,) = fetch(rows.aggregate(logs=log.any(), reports=(~log).any(), others=rows["OtherQuantity"].max(), **counts))
    return found


def _others(rows: ir.Table) -> tuple[Counted, ...]:
    quantity = rows["OtherQuantity"].sum()
    keys = {"provider": _field(rows, "provider"), "model": _field(rows, "model"), "unit": rows["OtherUnit"]}
    found = fetch(rows.filter(rows["OtherQuantity"] != 0).group_by(**keys).aggregate(quantity=quantity))
    counted = (Counted(row["provider"], row["model"], row["unit"] or "", row["quantity"]) for row in found)
    return tuple(sorted(counted, key=lambda c: (c.provider, str(c.model), c.unit)))


def _cells(
    rows: ir.Table,
    names: Sequence[str],
    labels: Sequence[str],
    present: Sequence[str],
    steps: Sequence[int],
    unit: int,
    *,
    logs: bool,
) -> ir.Table:
    """One row for each profile, moment and combination of labels, with the sum of each kind as `k_`kind."""
    context = _context(rows, [n for n in INPUT if n in present], steps, logs=logs)
    keys = {f"f_{name}": _field(rows, name) for name in names} | {f"l_{name}": _field(rows, name) for name in labels}
    keys |= {**context, "odd": _odd(rows, present), "moment": _moment(rows, unit)}
    # The engine's time goes into the keys of each row; what is the same in all rows is none.
    constant = {name: value for name, value in keys.items() if isinstance(value, ir.Scalar)}
    sums = rows.group_by(**{name: value for name, value in keys.items() if name not in constant}).aggregate(
        incomplete=_incomplete(rows).sum(), **{name: rows[name].sum().cast(_WHOLE).fill_null(0) for name in present}
    )
    kinds = {
        f"k_{kind}": _difference(sums, [n for n in adds if n in present], [n for n in takes if n in present])
        for kind, (adds, takes) in KINDS.items()
        if any(n in present for n in adds)
    }
    above = {} if "above" in keys else {"above": sums["up_to"]}
    kept = [name for name in keys if name not in constant]
    return sums.select(*kept, "incomplete", **constant, **above, **kinds)


def _incomplete(rows: ir.Table) -> ir.BooleanValue:
    """Whether a row lacks a count that it should have."""
    counted = rows["OtherQuantity"].isnull() & ~rows["UsageKind"].isin(_INPUT_ONLY).fill_null(False)
    return counted & (rows["InputUncachedTokens"].isnull() | rows["OutputTokens"].isnull())


def _difference(sums: ir.Table, adds: Sequence[str], takes: Sequence[str]) -> ir.Value:
    result = sums[adds[0]]
    for name in takes:
        result = result - sums[name]
    return result.cast(_WHOLE)


def _context(rows: ir.Table, inputs: Sequence[str], steps: Sequence[int], *, logs: bool) -> dict[str, ir.Value]:
    """The context step that each row's requests are surely above, and the one that they may be above.

    A request is above the steps that its whole input is above. A row of many requests says by its context window on
    which side they are; where it does not, none of them can be above a step that all of them together are not.
    `above` is left out where it is `up_to` in every row.
    """
    if not steps or not inputs:
        return {"above": _step(0), "up_to": _step(0)}
    whole: Any = sum((_count(rows, name) for name in inputs[1:]), _count(rows, inputs[0]))
    below = zip(steps, (0, *steps), strict=False)
    reached = ibis.cases(*((whole <= step, _step(under)) for step, under in below), else_=_step(steps[-1]))
    single: Any = rows["Requests"].cast("int64").fill_null(1) <= 1
    request = single if logs else (rows["Grain"] == "request") & single
    window = rows["ContextWindow"]
    up_to = ibis.cases(
        (request, reached), (window == "Short", _step(0)), (window == "Long", _step(steps[-1])), else_=reached
    )
    above = ibis.cases((request, reached), (window == "Long", _step(SOME_STEP)), else_=_step(0))
    return {"above": above, "up_to": up_to}


def _step(tokens: int) -> ir.Scalar:
    return ibis.literal(tokens, "int64")


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
