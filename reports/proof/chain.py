"""Verifying keys as an issuer's proofs carry them: each endorsed by the one before, the first one by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from reports.proof import jws
from reports.proof.canonical import DocumentError, parse
from reports.proof.jws import Kind, SignatureError

_TYPES: Final = {"kid": str, "x": str, "issuer": str, "number": int, "valid_from": str}


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A verifying key as its endorsement states it.

    Attributes:
        kid: RFC 7638 thumbprint.
        x: the 32 bytes of the key in base64url.
        issuer: thumbprint of the issuer's first key.
        number: 1 for the first key, one more at each rotation.
        valid_from: from when it signs (ISO 8601, UTC).
    """

    kid: str
    x: str
    issuer: str
    number: int
    valid_from: str


def follow(chain: Sequence[str], issuer: str) -> list[KeyRecord]:
    """The keys of a chain of endorsements that begins with the issuer's first key.

    Raises:
        SignatureError: a link is missing, changed or signed by another key; its path is `/keys/` and the link's number.
    """
    found = list[KeyRecord]()
    for i, endorsement in enumerate(chain):
        try:
            record = record_of(endorsement)
            endorser = found[-1] if found else record
            jws.check(endorsement, Kind.KEY, jws.public_key(endorser.x))
            _fitting(record, found, issuer)
        except SignatureError as error:
            raise SignatureError(f"Key {i + 1} of the issuer does not hold: {error}", f"/keys/{i}") from error
        found.append(record)
    if not found:
        raise SignatureError("The document names no key of its issuer.", "/keys")
    return found


def moment(now: datetime) -> str:
    """A moment as documents carry it: UTC, whole seconds, with a Z."""
    return now.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def _fitting(record: KeyRecord, before: Sequence[KeyRecord], issuer: str) -> None:
    if record.kid != jws.public_key(record.x).thumbprint():
        raise SignatureError("its thumbprint is another key's.")
    if record.number != len(before) + 1 or record.issuer != issuer or (not before and record.kid != issuer):
        raise SignatureError("it does not continue the line of the issuer's keys.")
    if before and record.valid_from < before[-1].valid_from:
        raise SignatureError("it begins before the key that it follows.")


def record_of(endorsement: str) -> KeyRecord:
    """What an endorsement says, unchecked.

    Raises:
        SignatureError: it cannot be read.
    """
    try:
        value = parse(jws.opened(endorsement)[1])
    except DocumentError as error:
        raise SignatureError("An endorsement of a key cannot be read.") from error
    if not isinstance(value, dict) or {name: type(item) for name, item in value.items()} != _TYPES:
        raise SignatureError("An endorsement of a key cannot be read.")
    return KeyRecord(**value)
