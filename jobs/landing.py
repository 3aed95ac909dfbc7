"""Pages on their way into the ledger: a folder for each window of a stream, and a journal that survives a kill.

    raw/CONNECTION/.landing/STREAM/FIRST_BEFORE/     pages being fetched, `.journal` says after which to go on
    raw/CONNECTION/STREAM/FIRST_BEFORE/LOAD/         pages as they were loaded, for replay

A page is written beside its place, flushed and renamed; then the journal likewise. So a process that dies between the
two fetches that one page again, and no more. Text is kept compressed; the digests in the ledger are of the files kept.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from connectors.errors import SourceError, StaleResumeError
from connectors.live import Page, Stream

#: Pages older than this are not gone on from: the provider has restated in between, and tokens lapse.
KEPT_FOR: Final = timedelta(hours=24)

_NAME: Final = re.compile(r"[A-Za-z0-9_][\w.@+=-]{0,199}")
_TEXT: Final = (".json", ".ndjson", ".jsonl", ".csv")
_JOURNAL: Final = ".journal"
#: Manifests are read by name and stay as they are.
_MANIFEST: Final = "manifest"
_LEVEL: Final = 1


@dataclass(frozen=True, slots=True)
class Journal:
    """How far a window is fetched.

    Attributes:
        began: when its first page was fetched, ISO 8601.
        version: of the stream when it began.
        resume: token to go on from; None before the first page and after the last.
        pages: pages kept so far.
        complete: whether the last page is kept.
        account: whose pages they are, where only the answers' headers say it.
    """

    began: str
    version: str
    resume: str | None = None
    pages: int = 0
    complete: bool = False
    account: str = ""


@dataclass(frozen=True, slots=True)
class Landing:
    """The folder of one window of one stream; its owner holds the connection's lock."""

    raw: Path
    stream: Stream

    @property
    def folder(self) -> Path:
        """Where pages land."""
        return self.raw / ".landing" / self.stream.name / self._window

    @property
    def _window(self) -> str:
        return f"{self.stream.window.first}_{self.stream.window.end}"

    @property
    def size(self) -> int:
        """Bytes of the pages that landed."""
        return sum(file.stat().st_size for file in self.folder.iterdir())

    def journal(self, now: datetime) -> Journal:
        """Where to go on; a fresh one where nothing usable is there, whose remains are removed."""
        try:
            found = Journal(**json.loads((self.folder / _JOURNAL).read_text()))
            fresh = now - datetime.fromisoformat(found.began) <= KEPT_FOR and found.version == self.stream.version
        except (OSError, ValueError, TypeError):
            fresh = False
        else:
            if fresh:
                return found
        self.discard()
        return Journal(now.isoformat(), self.stream.version)

    def keep(self, page: Page, journal: Journal) -> Journal:
        """Take one page; returns the journal after it.

        Raises:
            SourceError: its name cannot be that of a file.
            StaleResumeError: it is of another account than the pages before.
        """
        if not _NAME.fullmatch(page.name):
            raise SourceError(f"The source calls a page {page.name!r}, which cannot be the name of a file.")
        self.folder.mkdir(parents=True, exist_ok=True)
        _write(self.folder / _kept_as(page.name), page.body, packed=_is_packed(page.name))
        if page.account and journal.account and page.account != journal.account:
            raise StaleResumeError(
                f"The pages are of two accounts, {journal.account} and {page.account}.",
                "Nothing of them was loaded; sync again, and the days are fetched anew.",
            )
        account = page.account or journal.account
        after = Journal(journal.began, journal.version, page.resume, journal.pages + 1, page.resume is None, account)
        _write(self.folder / _JOURNAL, json.dumps(asdict(after)).encode(), packed=False)
        return after

    def settle(self, load: str) -> Path:
        """Move the pages to where they are kept for replay, under the load that took them."""
        kept = self.raw / self.stream.name / self._window / load
        if kept.exists():
            self.discard()
            return kept
        (self.folder / _JOURNAL).unlink(missing_ok=True)
        kept.parent.mkdir(parents=True, exist_ok=True)
        return self.folder.rename(kept)

    def discard(self) -> None:
        """Forget what landed."""
        shutil.rmtree(self.folder, ignore_errors=True)


def sweep(raw: Path, now: datetime) -> None:
    """Remove what landed too long ago to be gone on from."""
    for journal in list((raw / ".landing").rglob(_JOURNAL)):
        if now.timestamp() - journal.stat().st_mtime > KEPT_FOR.total_seconds():
            shutil.rmtree(journal.parent, ignore_errors=True)


def _is_packed(name: str) -> bool:
    return name.lower().endswith(_TEXT) and _MANIFEST not in name.lower()


def _kept_as(name: str) -> str:
    return f"{name}.gz" if _is_packed(name) else name


def _write(place: Path, body: bytes | Path, *, packed: bool) -> None:
    """Write a file so that it is there whole or not at all."""
    partial = place.with_name(f".{place.name}.partial")
    if isinstance(body, Path) and not packed:
        shutil.move(body, partial)
    else:
        with partial.open("wb") as file:
            if packed:
                # Without a time in its header the same page gives the same bytes.
                with gzip.GzipFile("", "wb", _LEVEL, file, mtime=0) as archive:
                    if isinstance(body, Path):
                        with body.open("rb") as source:
                            shutil.copyfileobj(source, archive)
                    else:
                        archive.write(body)
            elif isinstance(body, bytes):
                file.write(body)
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.replace(place)
    if isinstance(body, Path):
        body.unlink(missing_ok=True)
