"""What an export's manifest says: which files are a whole delivery, and which delivery is the newest.

AWS writes `dataFiles` (Data Exports) or `reportKeys` (legacy reports), Azure `blobs[].blobName`: places in a bucket
or container, looked for beside the local copy of the manifest. A manifest is written after its files, so that it
marks a delivery as whole; exports that keep older deliveries leave a manifest for each.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from connectors.errors import UnreadableFileError

#: A manifest is small; a larger JSON file is no manifest.
_LARGEST: Final = 1 << 20
_PERIOD_FOLDER: Final = re.compile(r"BILLING_PERIOD=[0-9-]+")


@dataclass(frozen=True, slots=True)
class Manifest:
    """One delivery of an export.

    Attributes:
        path: the manifest.
        names: places of its files in the bucket or container.
        export: what tells exports and their periods apart; deliveries of one supersede each other.
        age: what orders the deliveries of one export and period: the greatest is the newest.
    """

    path: Path
    names: tuple[str, ...]
    export: tuple[str, ...]
    age: tuple[str | int, ...]

    def files(self) -> list[Path]:
        """The local copies of its files.

        Raises:
            UnreadableFileError: one of them is not there.
        """
        return [_beside(self.path, name) for name in self.names]


def read_manifest(path: Path) -> Manifest | None:
    """The manifest in `path`; None where it is something else."""
    if path.suffix.lower() != ".json" or path.stat().st_size > _LARGEST:
        return None
    try:
        document = json.loads(path.read_text("utf-8-sig"))
    except (ValueError, OSError):
        return None
    if not isinstance(document, dict):
        return None
    listed = document.get("dataFiles") or document.get("reportKeys") or []
    blobs = document.get("blobs") or []
    if not isinstance(listed, list) or not isinstance(blobs, list):
        return None
    names = [str(name) for name in listed]
    names += [str(blob["blobName"]) for blob in blobs if isinstance(blob, dict) and blob.get("blobName")]
    if not names:
        return None
    return Manifest(path, tuple(unquote(n) for n in names), _export(path, document), _age(path, document, names))


def newest(manifests: Iterable[Manifest]) -> tuple[list[Manifest], list[Manifest]]:
    """The newest delivery of each export and period, and those that it supersedes."""
    best: dict[tuple[str, ...], Manifest] = {}
    older = list[Manifest]()
    for manifest in manifests:
        other = best.get(manifest.export)
        if other is None or manifest.age > other.age:
            best[manifest.export] = manifest
        if other is not None:
            older.append(min(manifest, other, key=lambda m: m.age))
    return list(best.values()), older


def _part(document: dict[str, Any], name: str) -> dict[str, Any]:
    value = document.get(name)
    return value if isinstance(value, dict) else {}


def _export(path: Path, document: dict[str, Any]) -> tuple[str, ...]:
    config = _part(document, "exportConfig")
    names = (config.get("resourceId"), config.get("exportName"), document.get("exportArn"), document.get("reportName"))
    name = next((str(n) for n in names if n), path.name)
    period = document.get("billingPeriod")
    start = _part(document, "runInfo").get("startDate") or (period.get("start") if isinstance(period, dict) else period)
    folder = _PERIOD_FOLDER.search(path.as_posix())
    # Without a period two manifests may be two months: each then stands for itself.
    return name, str(start or (folder.group() if folder else path.parent))


def _age(path: Path, document: dict[str, Any], names: list[str]) -> tuple[str | int, ...]:
    """Azure says when a run was submitted; of AWS manifests the outermost is current, then the latest execution."""
    submitted = str(_part(document, "runInfo").get("submittedTime") or "")
    return submitted, -len(path.parts), max(names)


def _beside(manifest: Path, name: str) -> Path:
    """The local copy of a file that a manifest names by its place in a bucket or container."""
    steps = [step for step in name.split("://", 1)[-1].split("/") if step not in {"", ".", ".."}]
    for level, root in enumerate((manifest.parent, *manifest.parent.parents)):
        # Every Azure delivery has a part_0_0001: farther up a bare name could be another delivery's file.
        for start in range(len(steps) - (1 if level else 0)):
            candidate = root.joinpath(*steps[start:])
            if candidate.is_file():
                return candidate
    raise UnreadableFileError(
        f"{manifest.name} names {steps[-1] if steps else repr(name)}, which is not beside it; the delivery is "
        "incomplete and nothing was loaded. Copy all files of the export, or name the files themselves."
    )
