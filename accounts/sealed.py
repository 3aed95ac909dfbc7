"""What the master key opens: each secret is sealed for one purpose, and without the key each is entered anew.

The purposes of every room stand here together, so that one look tells which secrets a key opens and which are lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from accounts.errors import VaultError
from accounts.vault import open_vault

if TYPE_CHECKING:
    from accounts.home import Settings
    from accounts.vault import Vault

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Kind:
    """How the sealed column of a table is bound to its row, what it is called, and how to enter it again."""

    purposes: tuple[str, ...]
    word: str
    named: str
    again: str


#: By table. A signing key is bound to its thumbprint, so that its workspace may get another name; those made before
#: that was so are bound to the name.
_KINDS: Final = {
    "connections": _Kind(
        ("connection {id}",), "connection", "name", "spendproof connections rotate {name} --workspace {workspace}"
    ),
    "schedules": _Kind(
        ("schedule {id}",),
        "schedule",
        "name",
        "spendproof schedule remove {name} --workspace {workspace}, then add it again with its addresses",
    ),
    "signing_keys": _Kind(
        ("signing key {kid}", "signing key {number} of workspace {workspace}"),
        "signing key",
        "number",
        "spendproof issuer renew --workspace {workspace}, and tell customers the new thumbprint",
    ),
}
TABLES: Final = tuple(_KINDS)


@dataclass(frozen=True, slots=True)
class Lost:
    """A secret that the master key at hand does not open.

    Attributes:
        kind: `connection`, `schedule` or `signing key`.
        name: of the connection or schedule, or number of the key.
        again: how to enter it again.
    """

    kind: str
    name: str
    again: str


def purpose(table: str, row: Row) -> str:
    """What a secret of this row is sealed for."""
    return _KINDS[table].purposes[0].format_map(row)


def read(vault: Vault, table: str, row: Row) -> bytes:
    """The secret of a row of `connections`, `schedules` or `signing_keys`.

    Raises:
        VaultError: it was sealed under another key, or changed.
    """
    first, *others = (text.format_map(row) for text in _KINDS[table].purposes)
    for other in others:
        try:
            return vault.decrypt(row["sealed"], other)
        except VaultError:
            continue
    return vault.decrypt(row["sealed"], first)


def renewed(vault: Vault, table: str, row: Row) -> bytes | None:
    """The secret of a row sealed as it would be today; None where it is so already, or the key does not open it."""
    if row["sealed"] is None or not _opens(vault, table, row):
        return None
    today = purpose(table, row)
    try:
        vault.decrypt(row["sealed"], today)
    except VaultError:
        return vault.encrypt(read(vault, table, row), today)
    return None


def lost(settings: Settings, rows: Mapping[str, Sequence[Row]]) -> list[Lost]:
    """The secrets among rows (by table) that the master key at hand does not open; all, where it cannot be used.

    Of signing keys the newest alone is needed: it signs. Where nothing is sealed the key is not looked for.
    """
    kept = [(table, row) for table, row in _sealed(rows) if row["sealed"] is not None]
    try:
        vault = open_vault(settings) if kept else None
    except VaultError:
        vault = None
    return [_lost(table, row) for table, row in kept if vault is None or not _opens(vault, table, row)]


def _sealed(rows: Mapping[str, Sequence[Row]]) -> Iterator[tuple[str, Row]]:
    for table in TABLES:
        held = rows.get(table, ())
        yield from ((table, row) for row in (_newest(held) if table == "signing_keys" else held))


def _newest(rows: Sequence[Row]) -> Sequence[Row]:
    return [max(rows, key=lambda row: row["number"])] if rows else []


def _opens(vault: Vault, table: str, row: Row) -> bool:
    try:
        read(vault, table, row)
    except VaultError:
        return False
    return True


def _lost(table: str, row: Row) -> Lost:
    kind = _KINDS[table]
    return Lost(kind.word, str(row[kind.named]), kind.again.format_map(row))
