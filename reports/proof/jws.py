"""Signatures: JWS (RFC 7515) with EdDSA over Ed25519 (RFC 8037), each bound to the kind of thing that is signed.

The kind stands in the protected header (`typ`), so that a signed list can never pass for a signed proof.
"""

from __future__ import annotations

import base64
import binascii
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from ledger.errors import LedgerError

if TYPE_CHECKING:
    from joserfc.jwk import OKPKey
    from joserfc.jws import JWSRegistry

_ALGORITHM: Final = "EdDSA"
_SIGNATURE_BYTES: Final = 64


class Kind(StrEnum):
    """What is signed; the value is the `typ` of the protected header."""

    PROOF = "spendproof-proof+json"
    BASELINE = "spendproof-baseline+json"
    KEY = "spendproof-key+json"
    REVOCATIONS = "spendproof-revocations+json"
    FILE = "spendproof-file+json"


class SignatureError(LedgerError):
    """A signature that does not hold; the message says in what way.

    Attributes:
        path: JSON pointer of the wrong place in an envelope.
    """

    def __init__(self, message: str, path: str = "/signature") -> None:
        super().__init__(message)
        self.path = path


def new_key() -> OKPKey:
    """A fresh Ed25519 key pair."""
    from joserfc.jwk import OKPKey  # noqa: PLC0415 - slow to import

    return OKPKey.generate_key("Ed25519", auto_kid=False)


def public_key(x: str) -> OKPKey:
    """The verifying key whose 32 bytes `x` is in base64url (RFC 8037).

    Raises:
        SignatureError: it is none.
    """
    from joserfc.errors import JoseError  # noqa: PLC0415
    from joserfc.jwk import OKPKey  # noqa: PLC0415

    try:
        return OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": x})
    except (JoseError, ValueError, TypeError) as error:
        raise SignatureError("The verifying key is not an Ed25519 key.") from error


def sign(payload: bytes, kind: Kind, key: OKPKey) -> str:
    """A compact JWS that carries its payload; the header names the key by its thumbprint (RFC 7638)."""
    from joserfc.jws import serialize_compact  # noqa: PLC0415

    header: dict[str, Any] = {"alg": _ALGORITHM, "kid": key.thumbprint(), "typ": kind.value}
    return serialize_compact(header, payload, key, registry=_registry())


def check(token: str, kind: Kind, key: OKPKey) -> bytes:
    """The payload of a compact JWS.

    Raises:
        SignatureError: it is no such token, of another kind, by another key, or was changed.
    """
    from joserfc.errors import JoseError  # noqa: PLC0415
    from joserfc.jws import deserialize_compact  # noqa: PLC0415

    header, _ = opened(token)
    if header.get("typ") != kind.value:
        raise SignatureError(f"It is signed as {header.get('typ')!r}, where {kind.value!r} is needed.")
    if header.get("kid") != key.thumbprint():
        raise SignatureError("It is signed by another key than the one it is checked with.")
    signature = token.rpartition(".")[2]
    # Four bits of the last letter carry nothing; changed ones would pass unseen.
    if signature != encoded(decoded(signature)):
        raise SignatureError("The signature is not written in the one form that base64url has for it.")
    try:
        return deserialize_compact(token, key, registry=_registry()).payload
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise SignatureError("The signature does not belong to what is signed: one of the two was changed.") from error


def opened(token: str) -> tuple[dict[str, Any], bytes]:
    """Header and payload of a compact JWS, unchecked.

    Raises:
        SignatureError: the text is no compact JWS.
    """
    import json  # noqa: PLC0415

    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, payload, signature
        raise SignatureError("The signature is no compact JWS of three parts.")
    try:
        header = json.loads(decoded(parts[0]))
    except (ValueError, RecursionError) as error:
        raise SignatureError("The header of the signature cannot be read.") from error
    if not isinstance(header, dict):
        raise SignatureError("The header of the signature is no JSON object.")
    return header, decoded(parts[1])


def encoded(data: bytes) -> str:
    """Base64url without padding (RFC 7515)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """The bytes of base64url without padding.

    Raises:
        SignatureError: it is no base64url.
    """
    try:
        return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise SignatureError("A part of the signature is no base64url.") from error


@cache
def _registry() -> JWSRegistry:
    from joserfc.jwa import EdDSAAlgorithm, JWSAlgModel  # noqa: PLC0415
    from joserfc.jws import JWSRegistry as Registry  # noqa: PLC0415

    class OnlyEdDSA(Registry):
        """Knows this one algorithm, so that no header can ask for another."""

        max_payload_length = 16 * 2**20

        def get_alg(self, name: str) -> JWSAlgModel:
            if name != _ALGORITHM:
                raise SignatureError(f"The signature says it is made by {name!r}; only {_ALGORITHM} is taken.")
            return EdDSAAlgorithm()

    return OnlyEdDSA(algorithms=[_ALGORITHM])
