"""The secrets of a connection: references wherever possible, otherwise sealed for this connection alone.

A reference says where the secret lies (`env:NAME`, `file:/path`) and is resolved when a sync needs it. What is no
reference is sealed by the vault; the values of one connection cannot be read as another's.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from accounts import sealed
from accounts.connections import Connection
from accounts.errors import ConnectionsError, VaultError
from accounts.home import Settings
from accounts.vault import open_vault
from connectors.live import Field

_REFERENCES: Final = ("env:", "file:")
#: Shorter ones would blot out words of a sentence.
_SHORTEST: Final = 6


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a connection is opened with; secrets do not show in its representation.

    Attributes:
        values: by field name, references resolved.
        secrets: the values that must not be shown.
    """

    values: Mapping[str, str] = field(repr=False)
    secrets: Sequence[str] = field(repr=False)

    def redacted(self, text: str) -> str:
        """`text` without any of the secrets, for a log or a sentence."""
        for secret in sorted(self.secrets, key=len, reverse=True):
            if len(secret) >= _SHORTEST:
                text = text.replace(secret, "[secret]")
        return text


def is_reference(value: str) -> bool:
    """Whether a value says where a secret lies instead of being one."""
    return value.startswith(_REFERENCES)


def seal(settings: Settings, connection: Connection, fields: Iterable[Field], values: Mapping[str, str]) -> None:
    """Put what was entered into a connection: plain values and references as they are, secrets sealed.

    Raises:
        ConnectionsError: a value is missing, is of no known field, or has not the shape that its field asks for.
        VaultError: the master key cannot be used.
    """
    known = {f.name: f for f in fields}
    entered = {name: value.strip() for name, value in values.items() if value.strip()}
    if unknown := sorted(entered.keys() - known):
        raise ConnectionsError(f"There is no field {', '.join(unknown)}; there are: {', '.join(known)}.")
    if missing := [f.label for f in known.values() if f.required and f.name not in entered]:
        raise ConnectionsError(f"Still missing: {', '.join(missing)}.")
    secrets = {name: v for name, v in entered.items() if known[name].secret and not is_reference(v)}
    for name, value in entered.items():
        shape = known[name]
        if shape.pattern and not is_reference(value) and not re.fullmatch(shape.pattern, value):
            shown = "It" if shape.secret else repr(value)
            raise ConnectionsError(f"{shape.label}: {shown} does not look like one. {shape.help}")
    connection.settings = {name: value for name, value in entered.items() if name not in secrets}
    plain = json.dumps(secrets).encode()
    connection.sealed = (
        open_vault(settings).encrypt(plain, sealed.purpose("connections", _row(connection))) if secrets else None
    )


def unseal(settings: Settings, connection: Connection, fields: Iterable[Field]) -> Credentials:
    """What a connection is opened with, references resolved now.

    Raises:
        ConnectionsError: a reference leads to nothing.
        VaultError: the secrets were sealed under another master key.
    """
    stored: dict[str, str] = {}
    if connection.sealed is not None:
        stored = _stored(settings, connection)
    values = stored | {name: _resolved(connection, name, value) for name, value in connection.settings.items()}
    secret = {f.name for f in fields if f.secret}
    return Credentials(values, [value for name, value in values.items() if name in secret])


def shown(connection: Connection, fields: Iterable[Field]) -> dict[str, str]:
    """What may be shown of a connection's fields: a sealed secret only as the word that it is set."""
    hidden = {f.name: "set" for f in fields if f.secret and f.name not in connection.settings}
    return (hidden if connection.sealed is not None else {}) | connection.settings


def _stored(settings: Settings, connection: Connection) -> dict[str, str]:
    try:
        return json.loads(sealed.read(open_vault(settings), "connections", _row(connection)))
    except VaultError as error:
        raise VaultError(
            f"The secret of connection {connection.name} cannot be read. {error} To enter it: spendproof connections "
            f"rotate {connection.name} --workspace {connection.workspace}"
        ) from error


def _row(connection: Connection) -> dict[str, object]:
    return {"id": connection.id, "sealed": connection.sealed}


def _resolved(connection: Connection, name: str, value: str) -> str:
    if value.startswith("env:"):
        variable = value.removeprefix("env:")
        if not (found := os.environ.get(variable, "").strip()):
            raise ConnectionsError(
                f"Connection {connection.name} takes its {name} from the environment variable {variable}, which is not "
                "set here. Set it for this process, the worker's service included."
            )
        return found
    if value.startswith("file:"):
        path = Path(value.removeprefix("file:")).expanduser()
        try:
            return path.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no text"
            raise ConnectionsError(
                f"Connection {connection.name} takes its {name} from {path}, which cannot be read: {reason}."
            ) from error
    return value
