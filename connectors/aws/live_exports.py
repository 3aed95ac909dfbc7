"""Data Exports in S3: which exports there are, what their manifests name, and the files of one billing period.

The manifest of a period is written after its files, so that it alone says what a whole delivery is (AWS, "Understanding
export delivery"). An export in overwrite mode replaces its files before its manifest: files that are newer than the
manifest mean that a delivery is under way.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import unquote

from connectors.aws.live_session import Patient
from connectors.errors import SourceError, StaleResumeError
from connectors.live import Access, Page

_ADDRESS: Final = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(?:(.+)/)?([^/]+)/?")
_MANIFEST: Final = re.compile(r"BILLING_PERIOD=(\d{4})-(\d{2})/(?:.+/)?[^/]*Manifest\.json$")
_FROM: Final = re.compile(r"\bFROM\s+\"?(\w+)", re.IGNORECASE)
#: Tables of Data Exports that hold charges.
TABLES: Final = ("COST_AND_USAGE_REPORT", "FOCUS_1_2_AWS", "FOCUS_1_0_AWS")
#: A delivery that is older than this has ended, in whatever order its files were copied.
_SETTLED: Final = timedelta(hours=1)
_NAMED: Final = 3
_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Place:
    """Where an export is delivered: bucket, prefix (without slashes around it, may be empty) and its name."""

    bucket: str
    prefix: str
    name: str

    @classmethod
    def of(cls, address: str) -> Place:
        """Read `s3://bucket/prefix/export-name`.

        Raises:
            SourceError: it is no such address.
        """
        found = _ADDRESS.fullmatch(address.strip())
        if found is None:
            raise SourceError(f"{address} is no address of an export.", "Write s3://bucket/prefix/export-name.")
        return cls(found.group(1), (found.group(2) or "").strip("/"), found.group(3))

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.root}"

    @property
    def root(self) -> str:
        """Beginning of the keys of all its objects."""
        return f"{self.prefix}/{self.name}" if self.prefix else self.name


@dataclass(frozen=True, slots=True)
class _Object:
    """What the bucket lists of a file: its version, when it was written, and its size in bytes."""

    version: str
    written: datetime
    size: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """The newest delivery of one billing period.

    Attributes:
        period: first day of the billing period.
        key: the manifest.
        version: changes when the period is delivered anew.
        written: when the manifest was.
    """

    period: date
    key: str
    version: str
    written: datetime


def discover(client: Patient) -> tuple[list[tuple[Place, str]], dict[Place, str]]:
    """The account's exports of charges, each with its table, and why those that are not healthy are not."""
    found, ill = list[tuple[Place, str]](), dict[Place, str]()
    for answer in client.paged("list_exports", "NextToken", "NextToken"):
        for reference in answer["Exports"]:
            export = client.get_export(ExportArn=reference["ExportArn"])["Export"]
            table = _FROM.search(export["DataQuery"]["QueryStatement"])
            if table is None or table.group(1).upper() not in TABLES:
                continue
            target = export["DestinationConfigurations"]["S3Destination"]
            place = Place(target["S3Bucket"], target["S3Prefix"].strip("/"), export["Name"])
            found.append((place, table.group(1).upper()))
            status = reference["ExportStatus"]
            if status.get("StatusCode") == "UNHEALTHY":
                ill[place] = status.get("StatusReason", "no reason given")
    return found, ill


def deliveries(client: Patient, place: Place) -> list[Delivery]:
    """The newest delivery of every billing period, in order; empty where none has been delivered."""
    best: dict[date, tuple[tuple[int, datetime], Delivery]] = {}
    for item in _listed(client, place.bucket, f"{place.root}/metadata/"):
        found = _MANIFEST.search(item["Key"])
        if found is None:
            continue
        period = date(int(found.group(1)), int(found.group(2)), 1)
        delivery = Delivery(period, item["Key"], item["ETag"].strip('"'), item["LastModified"])
        # Exports that keep older deliveries leave a manifest for each execution, below the current one.
        rank = (-item["Key"].count("/"), item["LastModified"])
        if period not in best or rank > best[period][0]:
            best[period] = (rank, delivery)
    return [best[period][1] for period in sorted(best)]


def undelivered(place: Place, delivered: Sequence[Delivery]) -> SourceError:
    """Why there is no delivery of the days that were asked for."""
    if delivered:
        return SourceError(
            f"{place} was last delivered for {delivered[-1].period:%Y-%m}; what the ledger holds stays.",
            "AWS no longer delivers it, or its files were moved: look at the export's state in Data Exports.",
        )
    return SourceError(
        f"{place} holds no delivery yet (no manifest below metadata/BILLING_PERIOD=).",
        "A new export is delivered within 24 hours; if it is older, compare bucket, prefix and name with the export in "
        "Data Exports.",
    )


def read(client: Patient, place: Place, delivery: Delivery) -> tuple[list[str], str]:
    """The keys that the manifest of a delivery names, in its order, and the manifest's version.

    Raises:
        SourceError: it is no manifest, or breaks off again and again.
    """

    def get() -> tuple[bytes, str]:
        answer = client.once.get_object(Bucket=place.bucket, Key=delivery.key)
        return answer["Body"].read(), answer["ETag"].strip('"')

    body, version = client.persist(get)
    try:
        files = [str(name) for name in json.loads(body)["dataFiles"]]
    except (ValueError, KeyError, TypeError) as error:
        raise SourceError(
            f"s3://{place.bucket}/{delivery.key} is no manifest of a data export: it lists no dataFiles.",
            "Have AWS deliver the export anew.",
        ) from error
    return [_key(name) for name in files], version


def pages(client: Patient, place: Place, delivery: Delivery, resume: str | None, access: Access) -> Iterator[Page]:
    """The files of a delivery, each downloaded; a page is the receiver's to move before it asks for the next.

    Raises:
        SourceError: the manifest names files that are not there, or a delivery is under way.
        StaleResumeError: the period was delivered anew since `resume` was given, or while it was read.
    """
    keys, version = read(client, place, delivery)
    begun, done = _resumed(resume)
    if begun is not None and begun != version:
        raise StaleResumeError(_anew(delivery))
    before = _present(client, place, keys)
    _refuse_incomplete(place, delivery, keys, before)
    _refuse_half_delivered(delivery, before, access.now())
    names = _names(keys)
    with TemporaryDirectory(prefix="spendproof-") as folder:
        for at, key in enumerate(keys):
            if at < done:
                continue
            target = Path(folder) / f"{at}"
            client.persist(partial(_download, client, place.bucket, key, before[key].size, target))
            last = at == len(keys) - 1
            if last and (read(client, place, delivery)[1] != version or _present(client, place, keys) != before):
                raise StaleResumeError(_anew(delivery))
            yield Page(names[at], target, None if last else f"{version}:{at + 1}")


def _download(client: Patient, bucket: str, key: str, size: int, target: Path) -> None:
    """Write an object to a file; a shorter one than the bucket lists was cut off on its way."""
    with target.open("wb") as file:
        shutil.copyfileobj(client.once.get_object(Bucket=bucket, Key=key)["Body"], file, _CHUNK)
    if target.stat().st_size != size:
        raise CutOffError


class CutOffError(Exception):
    """A download that ended early without an error of its own."""


def _resumed(resume: str | None) -> tuple[str | None, int]:
    version, _, done = (resume or "").rpartition(":")
    return (version, int(done)) if version else (None, 0)


def _anew(delivery: Delivery) -> str:
    return f"AWS delivered {delivery.period:%Y-%m} anew while it was read; it is fetched again from its beginning."


def _listed(client: Patient, bucket: str, prefix: str) -> Iterator[Mapping[str, Any]]:
    asked = {"Bucket": bucket, "Prefix": prefix}
    for answer in client.paged("list_objects_v2", "ContinuationToken", "NextContinuationToken", **asked):
        yield from answer.get("Contents", [])


def _present(client: Patient, place: Place, keys: list[str]) -> dict[str, _Object]:
    """Those of `keys` that are there."""
    if not keys:
        return {}
    beginning = os.path.commonpath([key.rpartition("/")[0] for key in keys])
    wanted, listed = set(keys), _listed(client, place.bucket, beginning)
    return {
        item["Key"]: _Object(item["ETag"], item["LastModified"], item["Size"])
        for item in listed
        if item["Key"] in wanted
    }


def _refuse_incomplete(place: Place, delivery: Delivery, keys: list[str], present: Mapping[str, object]) -> None:
    missing = [key for key in keys if key not in present]
    if not keys:
        raise SourceError(
            f"The manifest of {delivery.period:%Y-%m} names no file at all; nothing was loaded.",
            "Wait for the next delivery, which comes within a day.",
        )
    if missing:
        shown = ", ".join(missing[:_NAMED]) + (f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else "")
        raise SourceError(
            f"The manifest of {delivery.period:%Y-%m} names {len(keys)} files, and {len(missing)} of them are not in "
            f"the bucket {place.bucket}: {shown}. Nothing of this period was loaded.",
            "A lifecycle rule or a copy may have lost them: wait for the next delivery, or have AWS deliver it anew.",
        )


def _refuse_half_delivered(delivery: Delivery, present: Mapping[str, _Object], now: datetime) -> None:
    newest = max(found.written for found in present.values())
    if newest > delivery.written and now - newest < _SETTLED:
        raise SourceError(
            f"AWS is delivering {delivery.period:%Y-%m} right now: its files are newer than its manifest "
            f"({newest.astimezone(UTC):%H:%M} UTC). Nothing of this period was loaded.",
            "Sync again in a few minutes.",
        )


def _key(name: str) -> str:
    """The key of a file that a manifest names by its address or its key.

    The bucket is left out: an export that was copied elsewhere still names the bucket that it was delivered to.
    """
    found = re.match(r"s3a?://[^/]+/(.+)", name)
    return unquote(found.group(1) if found else name).lstrip("/")


def _names(keys: list[str]) -> list[str]:
    """A file name for each key: its own, numbered so that two folders cannot bring the same one."""
    return [f"{at:05}-{key.rpartition('/')[2]}" for at, key in enumerate(keys)]
