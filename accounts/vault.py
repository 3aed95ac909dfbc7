"""Secrets at rest: AES-256-GCM under one master key, bound to what each secret is for.

The master key is looked for in `SPENDPROOF_MASTER_KEY`, then in the system keyring, then in a file of the operator's
own configuration folder, which is made (mode 600) where none of the three exists. The file lies outside of
`SPENDPROOF_HOME`, so that a copy of the ledger is not also a copy of the key. `source` says which one is used.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import platformdirs

from accounts.errors import VaultError

if TYPE_CHECKING:
    from accounts.home import Settings

_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_SERVICE: Final = "spendproof"
_USER: Final = "master-key"


@dataclass(frozen=True, slots=True)
class Vault:
    """Encrypts and decrypts under one master key.

    Attributes:
        source: where the key came from, in words for `doctor`.
    """

    source: str
    _key: bytes = field(repr=False)

    def encrypt(self, plain: bytes, purpose: str) -> bytes:
        """Nonce and ciphertext of `plain`; only `decrypt` with the same `purpose` reads it again."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - slow to import

        nonce = os.urandom(_NONCE_BYTES)
        return nonce + AESGCM(self._key).encrypt(nonce, plain, purpose.encode())

    def decrypt(self, sealed: bytes, purpose: str) -> bytes:
        """What `encrypt` sealed for this purpose.

        Raises:
            VaultError: another key sealed it, it was sealed for something else, or it was changed.
        """
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

        try:
            return AESGCM(self._key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], purpose.encode())
        except InvalidTag as error:
            raise VaultError(
                f"The stored secret ({purpose}) cannot be read with the master key from {self.source}: it was sealed "
                "under another key, or it was changed. Restore the key it was sealed under, or enter the secret again."
            ) from error


def open_vault(settings: Settings, key_file: Path | None = None) -> Vault:
    """The vault of this installation, making its key file where there is no key yet.

    Args:
        settings: `settings.master_key` is used before anything else.
        key_file: the file of last resort; by default in the operator's configuration folder.

    Raises:
        VaultError: the key that is set is not 32 bytes in base64.
    """
    if settings.master_key is not None:
        where = "SPENDPROOF_MASTER_KEY"
        return Vault(where, _decoded(settings.master_key.get_secret_value(), where))
    if (kept := _from_keyring()) is not None:
        return Vault("the system keyring", _decoded(kept, "the system keyring"))
    path = key_file or Path(platformdirs.user_config_dir("spendproof")) / "master.key"
    return Vault(f"the file {path}", _decoded(_from_file(path), f"the file {path}"))


def new_key() -> str:
    """A master key as `SPENDPROOF_MASTER_KEY` takes it."""
    return base64.urlsafe_b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def _from_keyring() -> str | None:
    import keyring  # noqa: PLC0415
    from keyring.errors import KeyringError  # noqa: PLC0415

    try:
        return keyring.get_password(_SERVICE, _USER)
    except KeyringError:
        # No keyring runs here (a server without a desktop session), which is no error.
        return None


def _from_file(path: Path) -> str:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(new_key())
        try:
            # A hard link fails where another process was first, so both use the one key.
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text()


def _decoded(text: str, where: str) -> bytes:
    try:
        key = base64.b64decode(text.strip().encode(), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        key = b""
    if len(key) != _KEY_BYTES:
        raise VaultError(
            f"The master key in {where} is not 32 bytes in base64. Set the key that the secrets were sealed under; "
            "without it they cannot be read, and each connection's secret has to be entered again."
        )
    return key
