"""Passwords: hashing by scrypt, and the file of one workspace that holds the hash."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from accounts.errors import SignInError

#: scrypt's cost, block size and parallelism as RFC 7914 names them: 32 MiB and about a tenth of a second.
COST: Final = 2**15
BLOCK: Final = 8
PARALLEL: Final = 1
MIN_LENGTH: Final = 12

_MEMORY: Final = 64 * 2**20
_SALT_BYTES: Final = 16
_KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class PasswordHash:
    """A password as it is stored; all bytes in hexadecimal.

    Attributes:
        salt: random, of this hash alone.
        digest: scrypt of the password.
        cost: scrypt's N.
        block: scrypt's r.
        parallel: scrypt's p.
        session_key: random; signs the sessions that this password opened, so that a new password ends them.
    """

    salt: str
    digest: str
    cost: int
    block: int
    parallel: int
    session_key: str


def hashed(password: str) -> PasswordHash:
    """Hash a password with a salt and session key of its own.

    Raises:
        SignInError: the password is shorter than `MIN_LENGTH` characters.
    """
    if len(password) < MIN_LENGTH:
        raise SignInError(f"The password must have at least {MIN_LENGTH} characters; choose a longer one.")
    salt = secrets.token_bytes(_SALT_BYTES)
    digest = _scrypt(password, salt, COST, BLOCK, PARALLEL)
    return PasswordHash(salt.hex(), digest.hex(), COST, BLOCK, PARALLEL, secrets.token_hex(_KEY_BYTES))


def matches(password: str, stored: PasswordHash) -> bool:
    """Whether this is the password, compared in constant time."""
    found = _scrypt(password, bytes.fromhex(stored.salt), stored.cost, stored.block, stored.parallel)
    return hmac.compare_digest(found, bytes.fromhex(stored.digest))


def write(file: Path, stored: PasswordHash) -> None:
    """Keep a hash where its owner alone may read it (mode 0600), replacing the file in one step."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
        json.dump(asdict(stored), handle)
    partial.replace(file)


def read(file: Path) -> PasswordHash | None:
    """The hash that a file holds; None where there is no file.

    Raises:
        SignInError: the file holds something else, or others may read it.
    """
    try:
        text, mode = file.read_text(), file.stat().st_mode
    except FileNotFoundError:
        return None
    if mode & 0o077:
        raise SignInError(f"Others may read the password file {file}; make it private: chmod 600 {file}")
    try:
        return PasswordHash(**json.loads(text))
    except (ValueError, TypeError) as error:
        raise SignInError(f"The password file {file} is damaged; delete it and set the password again.") from error


def _scrypt(password: str, salt: bytes, cost: int, block: int, parallel: int) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=cost, r=block, p=parallel, maxmem=_MEMORY, dklen=_KEY_BYTES)
