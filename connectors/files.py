"""The files of a load as things on disk: their digests, whether they are whole, whether they stay as they are."""

from __future__ import annotations

import hashlib
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from connectors.errors import UnreadableFileError
from ledger.staging import SourceFile

_CHUNK: Final = 1 << 22
_GZIP: Final = b"\x1f\x8b"
_WITH_GZIP_HEADER: Final = 16 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What tells that a file is still the one that was opened."""

    path: Path
    size: int
    modified: int
    inode: int

    @classmethod
    def of(cls, path: Path) -> Fingerprint:
        """Take it now.

        Raises:
            UnreadableFileError: the file has gone.
        """
        try:
            stat = path.stat()
        except FileNotFoundError as error:
            raise UnreadableFileError(f"{path.name} has gone since it was listed; run the import again.") from error
        return cls(path, stat.st_size, stat.st_mtime_ns, stat.st_ino)

    def still_holds(self) -> None:
        """Refuse a file that is no longer the one that was opened.

        Raises:
            UnreadableFileError: it was changed, replaced or removed.
        """
        if not self.path.exists() or Fingerprint.of(self.path) != self:
            raise UnreadableFileError(
                f"{self.path.name} changed while it was read; nothing was loaded. Import it again when it is complete."
            )


def shown(paths: Sequence[Path]) -> dict[Path, str]:
    """What each file is called before a person: its name, or its whole path where two have the same name."""
    times = Counter(path.name for path in paths)
    return {path: path.name if times[path.name] == 1 else str(path) for path in paths}


def digests(paths: Sequence[Path]) -> tuple[SourceFile, ...]:
    """Name, size and sha256 of every file, in order.

    Raises:
        UnreadableFileError: a compressed file ends too early; the engine reads such a file without complaint.
    """
    names = shown(paths)
    return tuple(_digest(path, names[path]) for path in paths)


def _digest(path: Path, name: str) -> SourceFile:
    digest, size, packed = hashlib.sha256(), 0, None
    with path.open("rb") as file:
        while block := file.read(_CHUNK):
            if size == 0 and block.startswith(_GZIP):
                packed = _Packed(name)
            digest.update(block)
            size += len(block)
            if packed is not None:
                packed.take(block)
    if packed is not None:
        packed.close()
    return SourceFile(name, size, digest.hexdigest())


class _Packed:
    """A gzip file in passing: whether its checksums hold and it has its end."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._member = zlib.decompressobj(_WITH_GZIP_HEADER)

    def take(self, block: bytes) -> None:
        """One more block of the compressed file."""
        try:
            while block:
                if self._member.eof:
                    # Several members may follow each other, and zeros may fill up the last block.
                    block = block.lstrip(b"\0")
                    if not block:
                        return
                    self._member = zlib.decompressobj(_WITH_GZIP_HEADER)
                waiting = block
                while waiting and not self._member.eof:
                    self._member.decompress(waiting, _CHUNK)
                    waiting = self._member.unconsumed_tail
                block = self._member.unused_data
        except zlib.error as error:
            raise UnreadableFileError(self._sentence()) from error

    def close(self) -> None:
        """The file is over."""
        if not self._member.eof:
            raise UnreadableFileError(self._sentence())

    def _sentence(self) -> str:
        return f"{self._name} is a truncated or damaged gzip file; nothing was loaded. Download it again."
