"""API pages saved as JSON files, as one flat table of text: what the usage and cost APIs of model vendors answer.

A page is an object with a list `data`. Its entries are time buckets with `results` (OpenAI; Anthropic's Admin
API) or the results themselves, each with its own period (Anthropic analytics). Numbers keep the digits in which
they were written: they travel as text, because a JSON number read as a double loses every digit after the 17th. That is
also why the engine's own JSON reader is not used: it reads fractions as doubles, whatever type is asked for.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from datetime import UTC, datetime, timedelta
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from connectors.buckets import END, START

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

#: A period that a file covers: start (inclusive) and end (exclusive), in UTC.
Window = tuple[datetime, datetime]

#: Key of the table's schema metadata: b"true" where the last page says that more pages follow.
HAS_MORE: Final = b"has_more"

_SCALAR = rb'(?:"(?:[^"\\]|\\.)*"|true|false|null|[-+.0-9eE]+)'
_HEAD = re.compile(
    rb'\A(?:\xef\xbb\xbf)?\s*(?:\[\s*)?\{\s*(?:"(?:[^"\\]|\\.)*"\s*:\s*' + _SCALAR + rb'\s*,\s*)*"data"\s*:\s*\['
)
_DECODER: Final = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)
_FOLLOWING = re.compile(r"\S")
_PERIODS: Final = (("start_time", "end_time"), ("starting_at", "ending_at"))
#: Groupings whose rows overlap (a person in two groups is counted in both), so that their sum exceeds the total.
_OVERLAPPING: Final = frozenset({"rbac_group_id", "group.rbac_group_id"})
_DAY: Final = timedelta(days=1)
#: A whole number that a BIGINT surely holds.
_WHOLE: Final = "^-?[0-9]{1,18}$"
#: Results turned into columns at a time: bounds what is held twice.
_BATCH: Final = 100_000


class _Bucket(NamedTuple):
    """One period and what happened in it; `place` says where it stands, for a person."""

    place: str
    start: str
    end: str
    results: list[dict[str, Any]]


def is_pages(head: bytes) -> bool:
    """Whether a file that begins with `head` holds API pages: one, a JSON array of them, or one after the other.

    `head` must reach to the list `data`; 4 KiB do.
    """
    return _HEAD.match(head) is not None


def flatten(path: Path, counts: Collection[str] = ()) -> tuple[pa.Table, list[Window]]:
    """One row for each result of a file of API pages, every column text, and the periods that the file covers.

    Of `counts`, by dotted name, those that hold nothing but whole numbers are BIGINT: the engine reads a count out of a
    text thirty times as slowly.

    Nested objects become dotted columns (`amount.value`), `START` and `END` hold the period of the result. The
    windows are those of all buckets, the empty ones too, in order and adjacent ones as one: a covered period
    without a row is one without spend. The schema metadata say under `HAS_MORE` whether the last page announces
    another one. A file may be compressed with gzip.

    Raises:
        ValueError: the file is not complete JSON, is no API page, has a period that is none or is longer than a
            day, or is grouped so that its rows overlap.
    """
    more = b"false"
    buckets: list[_Bucket] = []
    for number, page in enumerate(_pages(path), start=1):
        buckets += _buckets(path, number, page)
        more = b"true" if page.get("has_more") is True else b"false"
    windows = _joined(sorted({_window(path, bucket) for bucket in buckets}))
    table = _counted(_table(path, buckets), counts)
    for name in _OVERLAPPING.intersection(table.column_names):
        if table[name].null_count < table.num_rows:
            raise ValueError(
                f"{path.name} is grouped by {name.rpartition('.')[2]}: a person in two groups is counted in both, so"
                " the rows add up to more than was spent. Pull it again without that grouping."
            )
    return table.replace_schema_metadata({HAS_MORE: more}), windows


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
        return (gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path.name} is not text in UTF-8 (byte {error.start + 1}). Save the API's answer as it came."
        ) from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"{path.name} is a truncated or damaged gzip file; download it again.") from error


def _pages(path: Path) -> Iterator[dict[str, Any]]:
    text = _text(path)
    at, count = 0, 0
    while following := _FOLLOWING.search(text, at):
        try:
            document, at = _DECODER.raw_decode(text, following.start())
        except json.JSONDecodeError as error:
            raise ValueError(
                f"{path.name} is not complete JSON: {error.msg} at line {error.lineno}, column {error.colno}. It may"
                " have been cut off; pull the page again and save the whole answer."
            ) from error
        for page in document if isinstance(document, list) else (document,):
            count += 1
            yield _checked(path, count, page)
    if not count:
        raise ValueError(f"{path.name} holds no API page. Pull the page again and save the whole answer.")


def _checked(path: Path, number: int, page: object) -> dict[str, Any]:
    if isinstance(page, dict) and isinstance(page.get("data"), list):
        return page
    error = page.get("error") if isinstance(page, dict) else None
    said = f" It holds the API's error instead: {json.dumps(error)}." if error else ""
    raise ValueError(
        f"{path.name}, page {number}, has no list 'data', so it is no usage or cost page.{said}"
        " Save the answer of a usage or cost API as it came."
    )


def _buckets(path: Path, number: int, page: dict[str, Any]) -> Iterator[_Bucket]:
    for position, entry in enumerate(page["data"], start=1):
        place = f"page {number}, entry {position} of 'data'"
        keys = next((p for p in _PERIODS if isinstance(entry, dict) and all(entry.get(k) for k in p)), None)
        results = None if keys is None else entry.get("results", [_without(entry, keys)])
        if keys is None or not isinstance(results, list) or not all(isinstance(r, dict) for r in results):
            raise ValueError(
                f"{path.name}, {place}, has no period or no list of results, so it is no usage or cost page."
                " Save the answer of a usage or cost API as it came."
            )
        yield _Bucket(place, str(entry[keys[0]]), str(entry[keys[1]]), results)


def _without(entry: dict[str, Any], keys: tuple[str, str]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key not in keys}


def _window(path: Path, bucket: _Bucket) -> Window:
    try:
        start, end = _moment(bucket.start), _moment(bucket.end)
    except (ValueError, OverflowError, OSError):
        raise ValueError(
            f"{path.name}, {bucket.place}, has a period that is none: {bucket.start!r} to {bucket.end!r}."
            " Pull the page again and save the whole answer."
        ) from None
    if not start < end <= start + _DAY:
        raise ValueError(
            f"{path.name}, {bucket.place}, runs from {start.isoformat()} to {end.isoformat()}: a row must cover a day"
            " at most to be dated. Pull it again with buckets of one day (bucket_width or time_bucket_width 1d)."
        )
    return start, end


def _joined(windows: list[Window]) -> list[Window]:
    """Adjacent and overlapping windows as one: twenty-four hours are a day."""
    joined: list[Window] = []
    for start, end in windows:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _moment(written: str) -> datetime:
    if written.isdigit():
        return datetime.fromtimestamp(int(written), UTC)
    moment = datetime.fromisoformat(written)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def _table(path: Path, buckets: list[_Bucket]) -> pa.Table:
    """All results as text columns; the union of the columns where results differ in their fields."""
    empty = pa.table({START: pa.array([], pa.string()), END: pa.array([], pa.string())})
    batches, waiting, rows = [empty], list[_Bucket](), 0
    for bucket in buckets:
        waiting.append(bucket)
        rows += len(bucket.results)
        if rows >= _BATCH:
            batches.append(_batch(path, waiting))
            waiting, rows = [], 0
    batches.append(_batch(path, waiting))
    return pa.concat_tables(batches, promote_options="default")


def _counted(table: pa.Table, counts: Collection[str]) -> pa.Table:
    for at, name in enumerate(table.column_names):
        # Arrow would read 0x10 as sixteen.
        if name in counts and pc.all(pc.match_substring_regex(table[name], _WHOLE)).as_py() is not False:
            table = table.set_column(at, name, table[name].cast(pa.int64()))
    return table


def _batch(path: Path, buckets: list[_Bucket]) -> pa.Table:
    results = [result for bucket in buckets for result in bucket.results]
    starts = [start for bucket in buckets for start in repeat(bucket.start, len(bucket.results))]
    ends = [end for bucket in buckets for end in repeat(bucket.end, len(bucket.results))]
    columns: dict[str, pa.Array] = {START: pa.array(starts, pa.string()), END: pa.array(ends, pa.string())}
    try:
        columns |= _columns("", pa.array(results, pa.struct([]) if not results else None))
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise ValueError(
            f"{path.name} has a field that is an object in one result and a plain value in another ({error})."
            " Pull the page again and save the whole answer."
        ) from error
    return pa.table(columns)


def _columns(prefix: str, array: pa.Array) -> dict[str, pa.Array]:
    """The leaves of a struct array as text arrays, by dotted name."""
    if pa.types.is_struct(array.type):
        found: dict[str, pa.Array] = {}
        for field, child in zip(array.type, array.flatten(), strict=True):
            found |= _columns(f"{prefix}.{field.name}" if prefix else field.name, child)
        return found
    if pa.types.is_list(array.type):
        return {prefix: pa.array([None if v is None else json.dumps(v) for v in array.to_pylist()], pa.string())}
    return {prefix: array.cast(pa.string())}
