"""Where a report is sent: how each kind of address is written, checked, and shown without its secret."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from ledger.errors import LedgerError

_MAIL: Final = re.compile(r"[^@\s,;:/<>\"']+@([^@\s,;:/<>\"']+\.[^@\s,;:/<>\"']+|localhost)")
#: Kinds by the scheme of the address; a mail address has none.
_SCHEMES: Final[Mapping[str, str]] = {
    "mailto": "mail",
    "slack": "slack",
    "teams": "teams",
    "webhook": "webhook",
    "s3": "s3",
    "az": "azure",
    "gs": "gcs",
    "sftp": "sftp",
    "file": "folder",
}
_WEB: Final = frozenset({"slack", "teams", "webhook"})
#: Where plain HTTP may go: to this machine alone.
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


class DestinationError(LedgerError):
    """An address that nothing can be sent to."""


@dataclass(frozen=True, slots=True)
class Destination:
    """One address.

    Attributes:
        kind: mail, slack, teams, webhook, s3, azure, gcs, sftp or folder.
        address: mail address, web address, or the whole address of a place for files.
        secret: what signs a webhook, or None.
    """

    kind: str
    address: str
    secret: str | None = None

    @property
    def shown(self) -> str:
        """The address for a person, without what would let somebody else send there."""
        if self.kind in _WEB:
            return f"{self.kind}:{urlsplit(self.address).hostname}/…"
        if self.kind == "sftp":
            parts = urlsplit(self.address)
            return f"sftp://{parts.hostname}{parts.path}"
        return self.address


def destination(text: str) -> Destination:
    """Read an address.

    Written `ops@example.com`, `slack+https://…`, `teams+https://…`, `webhook+https://…#whsec_…`, `s3://bucket/folder`,
    `az://account/container/folder`, `gs://bucket/folder`, `sftp://user@host/folder`, or a folder's path.

    Raises:
        DestinationError: it is none of these, or would send over an open connection.
    """
    text = text.strip()
    if _MAIL.fullmatch(text.removeprefix("mailto:")):
        return Destination("mail", text.removeprefix("mailto:"))
    scheme = text.partition(":")[0]
    lead, plus, rest = text.partition("+")
    if plus and lead in _WEB:
        return _web(lead, rest)
    kind = _SCHEMES.get(scheme)
    if kind in {"s3", "azure", "gcs", "sftp"}:
        if not urlsplit(text).hostname:
            raise DestinationError(f"The address {text} names no bucket, account or host.")
        return Destination(kind, text)
    path = Path(text.removeprefix("file://")).expanduser()
    if path.is_absolute():
        return Destination("folder", str(path))
    raise DestinationError(
        f"{text!r} is no destination. Write a mail address, slack+https://…, teams+https://…, webhook+https://…, "
        "s3://bucket/folder, az://account/container/folder, gs://bucket/folder, sftp://user@host/folder, or the whole "
        "path of a folder."
    )


def _web(kind: str, text: str) -> Destination:
    address, _, secret = text.partition("#")
    parts = urlsplit(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise DestinationError(f"The {kind} address must begin with https://, so that nobody reads it on the way.")
    if kind == "webhook" and not secret.startswith("whsec_"):
        raise DestinationError(
            "A webhook needs the secret that signs it, after a #: webhook+https://example.com/hook#whsec_…"
        )
    return Destination(kind, address, secret or None)
