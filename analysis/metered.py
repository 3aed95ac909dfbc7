"""Usage as pricing takes it: profiles, and how many tokens of each kind they have at each moment."""

# pyarrow carries no types.
# pyright: reportUnknownParameterType=false, reportAttributeAccessIssue=false
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from analysis.result import plain

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_WHOLE: Final = pa.decimal128(38, 0)


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
        return (instant - _EPOCH) // timedelta(seconds=self.unit)


def gathered(cells: pa.Table, names: Sequence[str], labels: Sequence[str]) -> tuple[tuple[Profile, ...], pa.Table]:
    """Profiles, and one row for each of them, moment, label and kind that has tokens."""
    keys = [*(f"f_{name}" for name in names), "above", "up_to", "odd"]
    codes = _codes([cells[name] for name in keys], cells.num_rows)
    numbers = pc.dictionary_encode(codes)
    first = pc.index_in(numbers.dictionary, codes)
    profiles = tuple(_profile(row, names) for row in cells.select(keys).take(first).to_pylist())
    numbered = cells.append_column("profile", numbers.indices)
    kinds = [name.removeprefix("k_") for name in cells.column_names if name.startswith("k_")]
    parts = [_of_kind(numbered, kind, labels) for kind in kinds]
    return profiles, pa.concat_tables([*parts, _schema(labels).empty_table()]).combine_chunks()


def _codes(columns: Sequence[pa.ChunkedArray], rows: int) -> pa.Array:
    """A number for each row, equal where all columns are; NULL is a value like any other."""
    codes = pa.array([0] * rows, pa.int64())
    for column in columns:
        values = pc.dictionary_encode(column.combine_chunks(), null_encoding="encode")
        # Renumbered after each column, so that the product of all of them never grows past 64 bits.
        mixed = pc.add(pc.multiply(codes, max(len(values.dictionary), 1)), values.indices.cast(pa.int64()))
        codes = pc.dictionary_encode(mixed).indices.cast(pa.int64())
    return codes


def _schema(labels: Iterable[str]) -> pa.Schema:
    columns = [("profile", pa.int32()), ("kind", pa.string()), ("moment", pa.int64())]
    return pa.schema([*columns, *((name, pa.string()) for name in labels), ("tokens", _WHOLE)])


def _of_kind(cells: pa.Table, kind: str, labels: Sequence[str]) -> pa.Table:
    tokens = cells[f"k_{kind}"].cast(_WHOLE)
    some = pc.not_equal(tokens, pa.scalar(0, _WHOLE))
    rows = cells.filter(some)
    arrays = [rows["profile"], pa.array([kind] * rows.num_rows, pa.string()), rows["moment"].cast(pa.int64())]
    arrays += [rows[f"l_{name}"].cast(pa.string()) for name in labels]
    return pa.Table.from_arrays([*arrays, tokens.filter(some)], schema=_schema(labels))


def _profile(row: Mapping[str, Any], names: Sequence[str]) -> Profile:
    return Profile(
        fields={name: row[f"f_{name}"] or None for name in names},
        above=row["above"],
        up_to=row["up_to"],
        contradictory=bool(row["odd"]),
    )
