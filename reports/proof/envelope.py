"""A proof file: the document for readers, the signature that carries the same document, and the issuer's keys.

    {"document": {...}, "signature": "<compact JWS>", "keys": ["<compact JWS>", ...], "timestamp": {...}}

The signature's payload is the document in canonical form. So any JOSE library checks a proof without knowing RFC 8785,
and a changed document can be held against what was signed, figure by figure.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from reports.proof import jws
from reports.proof.canonical import Difference, DocumentError, Json, canonical, first_difference, parse
from reports.proof.chain import KeyRecord, follow
from reports.proof.jws import Kind, SignatureError

if TYPE_CHECKING:
    from reports.proof.keys import Signer

_PARTS: Final = ("document", "signature", "keys", "timestamp")


@dataclass(frozen=True, slots=True)
class Opened:
    """What an envelope holds after its check.

    Attributes:
        document: as it was signed, or, where that cannot be told, as it is shown.
        key: the key that signed; None where that cannot be told.
        wrong: the first wrong place in the file; None where all is as signed.
        reason: what is wrong there, as a sentence.
        signature: the compact JWS, which a time stamp is about.
        timestamp: of a time-stamping authority, unchecked.
    """

    document: dict[str, Any]
    key: KeyRecord | None
    wrong: Difference | None
    reason: str
    signature: str
    timestamp: Json


def signed(document: dict[str, Any], signer: Signer, kind: Kind) -> dict[str, Any]:
    """The envelope of a document."""
    return {"document": document, "signature": signer.sign(canonical(document), kind), "keys": list(signer.chain)}


def text(envelope: dict[str, Any]) -> bytes:
    """An envelope as it is written to a file."""
    return (json.dumps(envelope, indent=1, ensure_ascii=False) + "\n").encode()


def bare(envelope: dict[str, Any]) -> dict[str, Any]:
    """The envelope without the copy for readers, for where space is short; it is checked in the same way."""
    return {name: part for name, part in envelope.items() if name != "document"}


def opened(content: bytes, kind: Kind) -> Opened:
    """Check that a file says what was signed, and name the first place where it does not.

    Args:
        content: of the file.
        kind: of document that it has to be.

    Raises:
        DocumentError: it is no envelope at all.
    """
    envelope = parse(content)
    if not isinstance(envelope, dict) or not all(name in envelope for name in ("signature", "keys")):
        raise DocumentError("The file is no signed document of SpendProof.")
    token, chain, shown, stamp = (envelope.get(name) for name in ("signature", "keys", "document", "timestamp"))
    try:
        carried, key = _checked(token, chain, kind)
    except (SignatureError, DocumentError) as error:
        path = error.path if isinstance(error, SignatureError) else "/signature"
        document = shown if isinstance(shown, dict) else {}
        if _holds_for(document, token, chain, kind):
            path, error = "/signature", SignatureError("The copy of the document inside the signature was changed.")
        return Opened(document, None, Difference(path, "", ""), str(error), "", stamp)
    wrong = first_difference(shown, carried, "/document") if "document" in envelope else None
    unknown = next((name for name in envelope if name not in _PARTS), None)
    if wrong is None and unknown is not None:
        wrong = Difference(f"/{unknown}", "a part that no proof has", "(nothing)")
    return Opened(carried, key, wrong, "It is not what was signed." if wrong else "", cast("str", token), stamp)


def _checked(token: Json, chain: Json, kind: Kind) -> tuple[dict[str, Any], KeyRecord]:
    """The document that a signature carries, and the key that signed it."""
    if not isinstance(token, str):
        raise SignatureError("The signature is no text.")
    if not isinstance(chain, list) or not all(isinstance(link, str) for link in chain):
        raise SignatureError("The keys are no list of texts.", "/keys")
    payload = jws.opened(token)[1]
    document = parse(payload)
    issuer = document.get("issuer") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(issuer, dict):
        raise SignatureError("What is signed is no document that names its issuer.")
    key = follow(cast("list[str]", chain), str(issuer.get("id")))[-1]
    jws.check(token, kind, jws.public_key(key.x))
    if canonical(document) != payload:
        raise SignatureError("What is signed is not in canonical form, so that it has no digest.")
    return document, key


def _holds_for(document: dict[str, Any], token: Json, chain: Json, kind: Kind) -> bool:
    """Whether the signature is one over the document that is shown, whatever copy it carries."""
    parts = token.split(".") if isinstance(token, str) else []
    if not document or len(parts) != 3:  # noqa: PLR2004 - header, payload, signature
        return False
    try:
        _checked(f"{parts[0]}.{jws.encoded(canonical(document))}.{parts[2]}", chain, kind)
    except (SignatureError, DocumentError):
        return False
    return True
