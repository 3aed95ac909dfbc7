"""Signed digests of files that cannot carry a proof in themselves (XLSX, CSV): `FILE.sig.json` beside the file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from reports.proof.canonical import Difference, digest
from reports.proof.envelope import Opened, opened, signed
from reports.proof.jws import Kind

if TYPE_CHECKING:
    from reports.proof.keys import Signer

#: What the name of a signature adds to its file's.
SUFFIX: Final = ".sig.json"


def detached(name: str, content: bytes, document: Mapping[str, Any], signer: Signer) -> dict[str, Any]:
    """The envelope that says which bytes a file of this proof has."""
    about = {
        "format": "spendproof-file",
        "version": 1,
        "issuer": document["issuer"],
        "signed_at": document["signed_at"],
        "file": name,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "proof": {"id": document["id"], "digest": digest(dict(document)), "state": document["state"]},
    }
    return signed(about, signer, Kind.FILE)


def check_detached(content: bytes, signature: bytes) -> tuple[Opened, Difference | None]:
    """What a signature says, and whether the file is the one that it is about.

    Raises:
        DocumentError: the signature is no envelope.
    """
    found = opened(signature, Kind.FILE)
    due, has = found.document.get("sha256"), hashlib.sha256(content).hexdigest()
    return found, found.wrong or (Difference("/document/sha256", has, str(due)) if due != has else None)
