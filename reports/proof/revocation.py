"""The issuer's signed list of what no longer stands: proofs superseded or revoked, and the keys with their dates.

Everything in it is known by digest, so that the list tells nobody what a proof says. Copies for sharing are listed
with the proof that they were made from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, cast

from reports.claim import State
from reports.proof.canonical import Difference, DocumentError
from reports.proof.chain import moment
from reports.proof.envelope import opened, signed, text
from reports.proof.jws import Kind
from reports.proof.verification import Verification

if TYPE_CHECKING:
    import httpx

    from accounts.home import Settings

FORMAT: Final = "spendproof-revocations"


@dataclass(frozen=True, slots=True)
class Ended:
    """A document that no longer stands: its digest, the proof's id, how it ended, why, and what replaced it."""

    digest: str
    id: str
    state: State
    reason: str
    superseded_by: str | None = None


def published(settings: Settings, workspace: str, ended: Iterable[Ended], name: str | None, now: datetime) -> bytes:
    """The list of a workspace, signed at `now`, as a file."""
    from reports.proof import keys  # noqa: PLC0415 - the database, which a check does without

    signer = keys.signer(settings, workspace, now)
    document = {
        "format": FORMAT,
        "version": 1,
        "issuer": {"id": signer.issuer, "name": name},
        "signed_at": moment(now),
        "keys": keys.published(settings, workspace),
        "entries": [
            {
                "digest": entry.digest,
                "id": entry.id,
                "state": entry.state.value,
                "reason": entry.reason,
                "superseded_by": entry.superseded_by,
            }
            for entry in sorted(ended, key=lambda entry: (entry.id, entry.digest))
        ],
    }
    return text(signed(document, signer, Kind.REVOCATIONS))


def fetched(address: str, client: httpx.Client) -> bytes:
    """The list at an address.

    Raises:
        DocumentError: it is no https address (or this machine's own), or cannot be read.
    """
    import httpx  # noqa: PLC0415 - only where a list is asked for

    url = httpx.URL(address)
    if url.scheme != "https" and url.host not in {"127.0.0.1", "localhost", "::1"}:
        raise DocumentError(f"The list at {address} is not read: its address is not https.")
    try:
        answer = client.get(url, follow_redirects=False)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise DocumentError(
            f"The list of revocations at {address} could not be read ({error}), so revocation is not checked. Try "
            "again, or check offline without --online."
        ) from error
    return answer.content


def hold_against(found: Verification, content: bytes) -> Verification:
    """The verification with what the issuer's list says of the document.

    Raises:
        DocumentError: the list is none, was changed, or is another issuer's.
    """
    if found.wrong is not None:
        return found
    listed = opened(content, Kind.REVOCATIONS)
    if listed.wrong is not None:
        raise DocumentError(f"The list of revocations is not as it was signed ({listed.wrong.path}). {listed.reason}")
    if listed.document.get("issuer", {}).get("id") != found.document["issuer"]["id"]:
        raise DocumentError("The list of revocations is another issuer's, so it says nothing of this proof.")
    at = str(listed.document["signed_at"])
    digest = found.record()["digest"]
    entries = cast("list[Mapping[str, Any]]", listed.document["entries"])
    # A detached file is listed by the digest of the proof that it shows.
    of_file = found.document.get("proof")
    named = {digest, of_file["digest"]} if isinstance(of_file, dict) else {digest}
    notes = (*found.notes, f"Held against the issuer's list of {at}.")
    for entry in entries:
        if entry["digest"] in named:
            by = f" It was replaced by {entry['superseded_by']}." if entry["superseded_by"] else ""
            return replace(found, revocation=entry["state"], reason=f"{entry['reason']}{by}", notes=notes)
    if wrong := _outlived(found, cast("list[Mapping[str, Any]]", listed.document["keys"])):
        return replace(found, wrong=wrong, reason="The issuer had retired the key by then.", notes=notes)
    return replace(found, revocation="not listed", notes=notes)


def _outlived(found: Verification, published_keys: Iterable[Mapping[str, Any]]) -> Difference | None:
    """Whether the document was signed by a key after its end."""
    signed_at = str(found.document["signed_at"])
    for key in published_keys:
        if key["kid"] == found.key and key["valid_to"] is not None and signed_at > key["valid_to"]:
            return Difference("/document/signed_at", signed_at, f"{key['valid_to']} at the latest")
    return None
