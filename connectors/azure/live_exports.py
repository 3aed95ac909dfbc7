"""Cost Management exports in Blob Storage: which there are, what their manifests name, and the files of one month.

A run of an export writes its files and then `manifest.json`, so that the manifest alone says what a whole delivery is.
The folders between differ by the export's age and mode (`FOLDER/EXPORT/20261101-20261130/[RUN TIME/]RUN ID/`); what a
manifest names is trusted, and of several runs of a month the one submitted last counts.
"""

# The type checker's root is connectors/, where it takes the SDK's package `azure` for this one.
# pyright: reportMissingImports=false

from __future__ import annotations

import json
import re
from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from connectors.azure.live_errors import CutOffError
from connectors.errors import SourceError, StaleResumeError
from connectors.live import Page

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

    from connectors.azure.live_session import Clients

_ADDRESS: Final = re.compile(
    r"(https://[a-z0-9]{3,24}\.blob\.core\.[a-z.]+)/([a-z0-9$][a-z0-9-]{1,62})/((?:[^/?#]+/)*[^/?#]+)/?"
)
_PERIOD: Final = re.compile(r"/(\d{8})-(\d{8})/")
_ACCOUNT: Final = re.compile(r"/storageAccounts/([a-z0-9]{3,24})$", re.IGNORECASE)
#: Types of exports that hold charges.
TYPES: Final = ("FocusCost", "ActualCost", "AmortizedCost", "Usage")
#: Runs of a month whose manifests were written this close together may have overtaken each other.
_OVERTAKEN: Final = timedelta(hours=24)
_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class Place:
    """Where an export is delivered: address of the storage account, container, and the folder that the export is.

    It may be the folder of several exports of one type, such as one of the month to date and one of the month before.
    """

    account: str
    container: str
    root: str

    @classmethod
    def of(cls, address: str) -> Place:
        """Read `https://account.blob.core.windows.net/container/folder/export-name`.

        Raises:
            SourceError: it is no such address.
        """
        found = _ADDRESS.fullmatch(address.strip())
        if found is None:
            raise SourceError(
                f"{address.partition('?')[0]} is no address of an export.",
                "Write https://ACCOUNT.blob.core.windows.net/CONTAINER/FOLDER/EXPORT, without a question mark.",
            )
        return cls(*found.groups())

    def __str__(self) -> str:
        return f"{self.account}/{self.container}/{self.root}"

    @property
    def name(self) -> str:
        """The export's own name."""
        return self.root.rpartition("/")[2]

    def holds(self, other: Place) -> bool:
        """Whether `other` is this place or lies in it."""
        here, there = (self.account, self.container), (other.account, other.container)
        return here == there and f"{other.root}/".startswith(f"{self.root}/")


@dataclass(frozen=True, slots=True)
class Blob:
    """What the container lists of a file: its version, when it was written, and its size in bytes."""

    version: str
    written: datetime
    size: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """The newest delivery of one month.

    Attributes:
        first: first day that it covers.
        last: last day that it covers.
        key: the manifest.
        version: changes when the month is delivered anew.
        written: when the manifest was.
        submitted: when its run was asked for, as the manifest writes it.
        type: of its export, such as `FocusCost`; empty where the manifest states none.
        files: the files that the manifest names, each with its size in bytes where it states one.
        rows: the rows that it states, by file.
    """

    first: date
    last: date
    key: str
    version: str
    written: datetime
    submitted: str
    type: str
    files: Mapping[str, int | None]
    rows: Mapping[str, int]

    @property
    def month(self) -> date:
        """First day of the month that it belongs to."""
        return self.first.replace(day=1)


@dataclass(frozen=True, slots=True)
class Known:
    """An export as Cost Management describes it."""

    place: Place
    type: str


def discover(clients: Clients, scope: str) -> list[Known]:
    """The exports of charges at a scope."""
    found = list[Known]()
    listed = clients.ask("exports list", lambda: clients.costs().exports.list(scope), scope)
    for export in listed.value or []:
        properties = export.properties
        if properties is None or str(_plain(properties.definition.type)) not in TYPES:
            continue
        target = properties.delivery_info.destination
        account = _ACCOUNT.search(target.resource_id or "")
        if account is None:
            continue
        folder = "/".join(part for part in ((target.root_folder_path or "").strip("/"), export.name) if part)
        address = f"https://{account.group(1).lower()}.blob.core.windows.net"
        found.append(Known(Place(address, target.container, folder), str(_plain(properties.definition.type))))
    return found


def last_run(clients: Clients, scope: str, name: str) -> tuple[str, str, str]:
    """Status of the export's last run, why it failed, and when it was asked for; all empty without runs."""
    history = clients.ask("export runs", lambda: clients.costs().exports.get_execution_history(scope, name), scope)
    runs = [run.properties for run in history.value or [] if run.properties is not None]
    if not runs:
        return "", "", ""
    newest = max(runs, key=lambda run: str(run.submitted_time or ""))
    error = newest.error
    why = " ".join(str(part) for part in (error.code, error.message) if part) if error else ""
    return str(_plain(newest.status or "")), why, str(newest.submitted_time or "")[:16]


def deliveries(clients: Clients, place: Place) -> list[Delivery]:
    """The newest delivery of every month, in order; empty where none has been delivered.

    Raises:
        SourceError: Azure refused, a manifest is none, or exports of several types lie side by side.
    """
    container = clients.container(place.account, place.container)
    months: dict[date, list[tuple[str, Blob]]] = {}
    for key, blob in _listed(clients, container, place, f"{place.root}/").items():
        period = _PERIOD.search(key)
        if period and key.lower().endswith("/manifest.json"):
            months.setdefault(_day(period.group(1)).replace(day=1), []).append((key, blob))
    best = list[Delivery]()
    for month in sorted(months):
        latest = max(blob.written for _, blob in months[month])
        near = [(key, blob) for key, blob in months[month] if latest - blob.written <= _OVERTAKEN]
        read = [_read(clients, container, place, key, blob) for key, blob in near]
        # A run that begins in mid-month is no delivery of the month, however new it is.
        best.append(max(read, key=lambda d: (d.first.day == 1, d.submitted, d.written)))
    types = sorted({delivery.type for delivery in best})
    if len(types) > 1:
        raise SourceError(
            f"{place} holds exports of several types, which state the same charges in different ways: "
            f"{', '.join(types)}.",
            "Enter the folder of one export, or give those of one type a folder of their own.",
        )
    return best


def undelivered(place: Place, delivered: Sequence[Delivery]) -> SourceError:
    """Why there is no delivery of the days that were asked for."""
    if delivered:
        return SourceError(
            f"{place} was last delivered for {delivered[-1].month:%Y-%m}; what the ledger holds stays.",
            "The export may be inactive, or its schedule ended: look at it in Cost Management > Exports.",
        )
    return SourceError(
        f"{place} holds no delivery yet (no manifest.json below it).",
        "A new export runs within a day: run it now with `az costmanagement export run`, or compare container, folder "
        "and name with the export in Cost Management.",
    )


def pages(clients: Clients, place: Place, delivery: Delivery, resume: str | None) -> Iterator[Page]:
    """The files of a delivery, each downloaded; a page is the receiver's to move before it asks for the next.

    Raises:
        SourceError: the manifest names files that are not there or differ from it, or covers no whole month.
        StaleResumeError: the month was delivered anew since `resume` was given, or while it was read.
    """
    begun, done = _resumed(resume)
    if begun is not None and begun != delivery.version:
        raise StaleResumeError(_anew(delivery))
    _refuse_odd_period(delivery)
    container = clients.container(place.account, place.container)
    present = _present(clients, container, place, delivery)
    _refuse_incomplete(place, delivery, present)
    keys = list(delivery.files)
    with TemporaryDirectory(prefix="spendproof-") as folder:
        for at, key in enumerate(keys):
            if at < done:
                continue
            target, last = Path(folder) / f"{at}", at == len(keys) - 1
            fetch = partial(_download, container, key, present[key], target)
            try:
                clients.ask("blob", fetch, str(place))
            except SourceError as error:
                if type(error.__cause__).__name__ in {"ResourceModifiedError", "ResourceNotFoundError"}:
                    raise StaleResumeError(_anew(delivery)) from error
                raise
            _refuse_short(delivery, key, target)
            yield Page(f"{at:05}-{key.rpartition('/')[2]}", target, None if last else f"{delivery.version}:{at + 1}")


def _download(container: ContainerClient, key: str, listed: Blob, target: Path) -> None:
    """Write a file as it was listed, and no later version of it."""
    from azure.core import MatchConditions  # noqa: PLC0415 - only a connection to Azure needs it

    given = {"etag": listed.version, "match_condition": MatchConditions.IfNotModified}
    with target.open("wb") as file:
        container.download_blob(key, **given).readinto(file)
    if target.stat().st_size != listed.size:
        raise CutOffError


def _read(clients: Clients, container: ContainerClient, place: Place, key: str, blob: Blob) -> Delivery:
    body = clients.ask("blob", lambda: container.download_blob(key).readall(), str(place))
    first, last = (_day(part) for part in _PERIOD.search(key).groups())  # type: ignore[union-attr] - it was found by it
    try:
        document: dict[str, Any] = json.loads(body.decode("utf-8-sig"))
        named = [(str(item["blobName"]), item) for item in document["blobs"]]
        submitted = str((document.get("runInfo") or {}).get("submittedTime") or "")
        kind = str((document.get("exportConfig") or {}).get("type") or "")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SourceError(
            f"{place.account}/{place.container}/{key} is no manifest of an export: it lists no blobs.",
            "Run the export again.",
        ) from error
    sizes = {name: _count(item, "byteCount") for name, item in named}
    rows = {name: stated for name, item in named if (stated := _count(item, "dataRowCount")) is not None}
    return Delivery(first, last, key, blob.version.strip('"'), blob.written, submitted, kind, sizes, rows)


def _count(item: Mapping[str, Any], name: str) -> int | None:
    return int(item[name]) if item.get(name) is not None else None


def _listed(clients: Clients, container: ContainerClient, place: Place, lead: str) -> dict[str, Blob]:
    def once() -> dict[str, Blob]:
        found = container.list_blobs(name_starts_with=lead)
        return {blob.name: Blob(str(blob.etag), blob.last_modified, int(blob.size)) for blob in found}

    return clients.ask("blob list", once, f"{place.account}/{place.container}")


def _present(clients: Clients, container: ContainerClient, place: Place, delivery: Delivery) -> dict[str, Blob]:
    """Those files of a delivery that are there."""
    folders = sorted({name.rpartition("/")[0] for name in delivery.files})
    found: dict[str, Blob] = {}
    for folder in folders:
        found |= _listed(clients, container, place, f"{folder}/")
    return {key: blob for key, blob in found.items() if key in delivery.files}


def _refuse_odd_period(delivery: Delivery) -> None:
    days = monthrange(delivery.first.year, delivery.first.month)[1]
    if delivery.first.day != 1 or delivery.last > delivery.first + timedelta(days=days):
        raise SourceError(
            f"The export's newest run covers {delivery.first} to {delivery.last}, which is no month from its first "
            "day; a month can only be replaced whole. Nothing of it was loaded.",
            "Let the export run month to date, and past months one by one.",
        )


def _refuse_incomplete(place: Place, delivery: Delivery, present: Mapping[str, Blob]) -> None:
    if not delivery.files:
        raise SourceError(
            f"The manifest of {delivery.month:%Y-%m} names no file at all; nothing was loaded.",
            "Wait for the next run, which comes within a day.",
        )
    missing = [key for key in delivery.files if key not in present]
    if missing:
        shown = ", ".join(missing[:_NAMED]) + (f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else "")
        raise SourceError(
            f"The manifest of {delivery.month:%Y-%m} names {len(delivery.files)} files, and {len(missing)} of them are "
            f"not in the container {place.container}: {shown}. Nothing of this month was loaded.",
            "A lifecycle rule or a copy may have lost them: run the export of this month again.",
        )
    odd = [key for key, size in delivery.files.items() if size is not None and size != present[key].size]
    if odd:
        raise SourceError(
            f"{odd[0]} holds {present[odd[0]].size:,} bytes, but its manifest states {delivery.files[odd[0]]:,}. "
            "Nothing of this month was loaded.",
            "The run may still be under way, or the file was changed: sync again later, or run the export again.",
        )


def _refuse_short(delivery: Delivery, key: str, file: Path) -> None:
    """Hold the rows of a Parquet file against those that the manifest states."""
    if key not in delivery.rows or not key.lower().endswith(".parquet"):
        return
    import pyarrow.parquet as pq  # noqa: PLC0415 - heavy

    held = pq.read_metadata(file).num_rows
    if held != delivery.rows[key]:
        raise SourceError(
            f"{key} holds {held:,} rows, but its manifest states {delivery.rows[key]:,}. Nothing of this month was "
            "loaded.",
            "Run the export of this month again.",
        )


def _resumed(resume: str | None) -> tuple[str | None, int]:
    version, _, done = (resume or "").rpartition(":")
    return (version, int(done)) if version else (None, 0)


def _anew(delivery: Delivery) -> str:
    return f"Azure delivered {delivery.month:%Y-%m} anew while it was read; it is fetched again from its beginning."


def _day(written: str) -> date:
    return date(int(written[:4]), int(written[4:6]), int(written[6:]))


def _plain(value: object) -> object:
    """The text of an enumeration of the SDK."""
    return getattr(value, "value", value)
