"""The charges as a FOCUS file of any version, for whoever asks for one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from ledger.engine import literal
from ledger.errors import UnsupportedQueryError
from ledger.focus import JSON, TEXT, VERSIONS, Column, cost_and_usage
from ledger.lake import ALIAS, Lake

#: Our token identity under FOCUS 1.5's keys, which SkuPriceDetails may carry from 1.1 on.
SKU_DETAILS: Final = {
    "ModelDeveloper": "x_ModelDeveloper",
    "ModelFamily": "x_ModelFamily",
    "ModelId": "x_ModelId",
    "ModelVersion": "x_ModelVersion",
    "TokenDirection": "x_TokenDirection",
    "TokenCacheAction": "x_TokenCacheAction",
    "x_CacheTtl": "x_CacheTtl",
    "x_Modality": "x_Modality",
    "x_ServiceTier": "x_ServiceTier",
    "x_ContextWindow": "x_ContextWindow",
    "x_ServingRegion": "x_ServingRegion",
}
FORMATS: Final = ("parquet", "csv")

#: A spreadsheet takes a cell that begins so for a formula.
_FORMULA: Final = r"^[=+\-@\t\r]"


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export wrote."""

    path: Path
    version: str
    format: str
    rows: int
    snapshot: int
    notes: tuple[str, ...]

    def record(self) -> dict[str, Any]:
        """The export as JSON."""
        return {
            "path": str(self.path),
            "focus_version": self.version,
            "format": self.format,
            "rows": self.rows,
            "snapshot": self.snapshot,
            "notes": list(self.notes),
        }


def export_charges(
    lake: Lake,
    out: Path,
    version: str,
    format_: str,
    *,
    start: date | None = None,
    end: date | None = None,
    snapshot: int | None = None,
) -> Exported:
    """Write the charges of a period (half-open, by the UTC day of ChargePeriodStart) as FOCUS `version`.

    Amounts keep every digit. A text cell of a CSV file that begins a formula is escaped with an apostrophe.

    Raises:
        UnsupportedQueryError: the version or format is unknown, or there is no folder to write to.
    """
    if version not in VERSIONS:
        raise UnsupportedQueryError(f"FOCUS {version} cannot be written; versions are {', '.join(VERSIONS)}.")
    if format_ not in FORMATS:
        raise UnsupportedQueryError(f"{format_} is no format of an export; formats are {', '.join(FORMATS)}.")
    if not out.parent.is_dir():
        raise UnsupportedQueryError(f"There is no folder {out.parent} to write {out.name} to; make it first.")
    at = snapshot if snapshot is not None else lake.snapshot()
    columns = cost_and_usage(version)
    selected = ", ".join(f"{_value(c, version, csv=format_ == 'csv')} AS {c.name}" for c in columns)
    where = " AND ".join(_bounds(start, end)) or "true"
    source = f"{ALIAS}.main.charges AT (VERSION => {at})"
    options = "FORMAT parquet" if format_ == "parquet" else "FORMAT csv, HEADER"
    part = out.with_name(out.name + ".part")
    with lake.cursor() as cursor:
        result = cursor.execute(
            f"COPY (SELECT {selected} FROM {source} WHERE {where}) TO {literal(part)} ({options})"
        ).fetchone()
        missing = cursor.execute(f"SELECT count(*) FROM {source} WHERE ({where}) AND ListCost IS NULL").fetchone()
        synthetic = cursor.execute("SELECT coalesce(bool_or(Synthetic), false) FROM loads").fetchone()
    part.replace(out)
    notes = list[str]()
    if missing and missing[0]:
        notes.append(f"{missing[0]:,} charges have no ListCost because their bill states none; the cells are empty.")
    if synthetic and synthetic[0]:
        notes.append("The ledger holds synthetic sample data.")
    return Exported(out, version, format_, int(result[0]) if result else 0, at, tuple(notes))


def _value(column: Column, version: str, *, csv: bool) -> str:
    source = {"ProviderName": "ServiceProviderName", "PublisherName": "ServiceProviderName"}.get(column.name)
    value = source or column.name
    if column.name == "SkuPriceDetails":
        value = _details()
    if column.type == JSON:
        value = f"({value})::VARCHAR"
    if csv and column.type in {TEXT, JSON}:
        return f"CASE WHEN regexp_matches({value}, '{_FORMULA}') THEN '''' || {value} ELSE {value} END"
    if csv and column.type.startswith("TIMESTAMP"):
        return f"strftime({value}, '%Y-%m-%dT%H:%M:%SZ')"
    if version < "1.3" and column.name == "ServiceCategory":
        return f"coalesce({value}, 'Other')"
    return value


def _details() -> str:
    """The bill's own SkuPriceDetails with our token identity added under FOCUS 1.5's keys."""
    pairs = ", ".join(f"'{key}', {column}" for key, column in SKU_DETAILS.items())
    identity = f"json_merge_patch('{{}}'::JSON, json_object({pairs}))"
    known = " OR ".join(f"{column} IS NOT NULL" for column in SKU_DETAILS.values())
    return (
        f"CASE WHEN {known} THEN json_merge_patch(coalesce(SkuPriceDetails, '{{}}'::JSON), {identity}) "
        "ELSE SkuPriceDetails END"
    )


def _bounds(start: date | None, end: date | None) -> list[str]:
    bounds = [f"ChargePeriodStart >= TIMESTAMPTZ '{start} 00:00:00Z'"] if start else []
    return bounds + ([f"ChargePeriodStart < TIMESTAMPTZ '{end} 00:00:00Z'"] if end else [])
