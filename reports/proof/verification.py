"""Whether a proof file says what was signed: offline, within a second, and naming the first wrong place.

What can be checked without anybody's help is the signature, the issuer's line of keys, the sums, and, where the
renderer's version is the same, that page or PDF show the document. Whether the proof was revoked since needs a list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from reports.proof.arithmetic import wrong_figure
from reports.proof.canonical import Difference, DocumentError, digest, parse
from reports.proof.detached import SUFFIX, check_detached
from reports.proof.document import FORMAT, VERSION
from reports.proof.envelope import Opened, opened
from reports.proof.jws import Kind
from reports.proof.rendering import Rendering, of_html, of_pdf

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

UNCHECKED: Final = "not checked"
#: Larger files are none of ours, and reading them would only take memory.
_MOST_BYTES: Final = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found.

    Attributes:
        kind: `json`, `html`, `pdf`, `zip`, `xlsx` or `csv`.
        document: as signed; empty where there is none to trust.
        wrong: the first wrong place; None where the file is as it was signed.
        reason: what is wrong there, or which rule a figure breaks.
        rendering: `matches`, `differs` or `not checked`; None for files that show nothing.
        issuer: `as given`, `this installation` or `not checked`.
        revocation: `not checked`, `not listed`, `superseded` or `revoked`.
        key: thumbprint of the key that signed; None where that cannot be told.
        notes: what the reader has to know besides.
    """

    kind: str
    document: Mapping[str, Any]
    wrong: Difference | None = None
    reason: str = ""
    rendering: str | None = None
    issuer: str = UNCHECKED
    revocation: str = UNCHECKED
    key: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def valid(self) -> bool:
        """Whether the file is as it was signed and, as far as was looked, still stands."""
        return self.wrong is None and self.revocation in {UNCHECKED, "not listed"}

    @property
    def summary(self) -> str:
        """The result in one sentence."""
        if self.wrong is not None:
            where = self.wrong.path or "the file"
            differs = f" It says {self.wrong.found}; signed was {self.wrong.signed}." if self.wrong.signed else ""
            return f"Not valid: {where}. {self.reason}{differs}"
        if not self.valid:
            return f"Signed as it stands, but {self.revocation} since. {self.reason}"
        since = "revocation not checked" if self.revocation == UNCHECKED else "not superseded or revoked"
        shown = {"matches": ", rendering as signed", UNCHECKED: ", rendering not checked"}.get(self.rendering or "", "")
        return f"Document valid as signed{shown}, {since}."

    def record(self) -> dict[str, Any]:
        """The result as JSON carries it."""
        document = self.document
        return {
            "valid": self.valid,
            "summary": self.summary,
            "kind": self.kind,
            "first_wrong_path": self.wrong.path if self.wrong else None,
            "found": self.wrong.found if self.wrong else None,
            "signed": self.wrong.signed if self.wrong else None,
            "reason": self.reason or None,
            "id": document.get("id"),
            "state": document.get("state"),
            "digest": digest(dict(document)) if document else None,
            "issuer": _text(document.get("issuer"), "id"),
            "issuer_checked": self.issuer,
            "key": self.key,
            "signed_at": document.get("signed_at"),
            "rendering": self.rendering,
            "revocation": self.revocation,
            "notes": list(self.notes),
        }


def verify(path: Path, signature: Path | None = None, roots: Sequence[Certificate] = ()) -> Verification:
    """Check a proof in any of its forms.

    Args:
        path: the file.
        signature: of an XLSX or CSV file; by default the one beside it.
        roots: certificates of time-stamping authorities that are trusted.

    Raises:
        DocumentError: the file is no proof at all, or it has no signature.
    """
    if path.stat().st_size > _MOST_BYTES:
        raise DocumentError(f"{path.name} has more than {_MOST_BYTES // 2**20} MiB; no proof is so large.")
    content = path.read_bytes()
    try:
        return _verified(path, content, signature, roots)
    except RecursionError as error:
        raise DocumentError(f"{path.name} is nested too deeply for a proof.") from error
    except DocumentError as error:
        raise DocumentError(f"{path.name} is no proof that can be checked: {error}") from error


def _verified(path: Path, content: bytes, signature: Path | None, roots: Sequence[Certificate]) -> Verification:
    if content.startswith(b"%PDF"):
        proof, rendering = of_pdf(content)
        return _shown("pdf", proof, rendering, roots)
    if content.startswith(b"PK"):
        inside = _bundled(content)
        return of_envelope("zip", inside, roots) if inside else _detached("xlsx", path, content, signature)
    head = content[:64].lstrip().lower()
    if head.startswith((b"<!doctype html", b"<html")):
        proof, rendering = of_html(content)
        return _shown("html", proof, rendering, roots)
    if head.startswith((b"{", b"[")):
        return of_envelope("json", content, roots)
    return _detached("csv", path, content, signature)


def of_envelope(kind: str, content: bytes, roots: Sequence[Certificate] = ()) -> Verification:
    """Check signature, keys and sums of a proof file's text."""
    found = opened(content, Kind.PROOF)
    if found.wrong is not None:
        return Verification(kind, found.document, found.wrong, found.reason)
    document = found.document
    if document.get("format") != FORMAT or not isinstance(document.get("version"), int):
        raise DocumentError("it is signed, but it is no proof.")
    if document["version"] > VERSION:
        raise DocumentError(f"it is of version {document['version']}; this release reads up to {VERSION}. Update.")
    return _summed(kind, found, roots)


def _summed(kind: str, found: Opened, roots: Sequence[Certificate]) -> Verification:
    from reports.proof.timestamp import check_stamp  # noqa: PLC0415 - few proofs have one

    document, key = found.document, found.key.kid if found.key else None
    if found.key is not None and str(document.get("signed_at")) < found.key.valid_from:
        wrong = Difference("/document/signed_at", str(document.get("signed_at")), f"{found.key.valid_from} or later")
        return Verification(kind, document, wrong, "The key did not sign yet at that time.")
    if wrong_sum := wrong_figure(document):
        return Verification(kind, document, *wrong_sum)
    if found.timestamp is None:
        return Verification(kind, document, key=key)
    note, reason = check_stamp(found.timestamp, found.signature.encode(), roots)
    wrong = Difference("/timestamp", "", "") if reason else None
    return Verification(kind, document, wrong, reason, key=key, notes=(note,) if note else ())


def _shown(kind: str, proof: bytes, rendering: Rendering, roots: Sequence[Certificate]) -> Verification:
    found = of_envelope(kind, proof, roots)
    if found.wrong is not None:
        return replace(found, rendering=UNCHECKED)
    state, difference = rendering(found.document, parse(proof))
    if difference is not None:
        reason = "The document inside is as signed, but what this file shows is not what the renderer makes of it."
        return replace(found, rendering="differs", wrong=difference, reason=reason)
    return replace(found, rendering=state)


def _detached(kind: str, path: Path, content: bytes, signature: Path | None) -> Verification:
    beside = signature or path.with_name(path.name + SUFFIX)
    if not beside.is_file():
        raise DocumentError(
            f"a file of this kind is checked by a signature beside it, and there is no {beside.name}. "
            "Name it with --signature, or check the proof itself (JSON, HTML or PDF)."
        )
    found, wrong = check_detached(content, beside.read_bytes())
    reason = found.reason or ("The file is not the one that was signed." if wrong else "")
    return Verification(kind, found.document, wrong, reason, key=found.key.kid if found.key else None)


def _bundled(content: bytes) -> bytes | None:
    import io  # noqa: PLC0415
    import zipfile  # noqa: PLC0415

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if "proof.json" not in archive.namelist():
                return None
            if archive.getinfo("proof.json").file_size > _MOST_BYTES:
                raise DocumentError("the proof in the bundle is too large.")
            return archive.read("proof.json")
    except zipfile.BadZipFile as error:
        raise DocumentError("it is a damaged archive.") from error


def _text(value: object, name: str) -> str | None:
    return str(value[name]) if isinstance(value, dict) and name in value else None
