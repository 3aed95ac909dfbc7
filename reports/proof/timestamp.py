"""Time stamps (RFC 3161): a third party's word that a signature existed at a moment.

The stamp is over the compact JWS, and so over the document. Optional: `SPENDPROOF_TSA` names the authority.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ledger.errors import LedgerError
from reports.proof.canonical import Json

if TYPE_CHECKING:
    import httpx
    from cryptography.x509 import Certificate


class TimestampError(LedgerError):
    """An authority that gave no stamp, or one that is not over what was sent."""


def stamp(message: bytes, authority: str, client: httpx.Client) -> dict[str, Any]:
    """A stamp over `message` as an envelope carries it.

    Raises:
        TimestampError: the authority cannot be reached, refuses, or stamps something else.
    """
    import httpx  # noqa: PLC0415 - only where an authority is configured
    from rfc3161_client import TimestampRequestBuilder, decode_timestamp_response  # noqa: PLC0415

    request = TimestampRequestBuilder().data(message).nonce(nonce=True).cert_request(cert_request=True).build()
    try:
        answer = client.post(
            authority, content=request.as_bytes(), headers={"Content-Type": "application/timestamp-query"}
        )
        answer.raise_for_status()
        response = decode_timestamp_response(answer.content)
    except (httpx.HTTPError, ValueError) as error:
        raise TimestampError(
            f"The time-stamping authority {authority} gave no stamp ({error}). Try again later, or unset "
            "SPENDPROOF_TSA to sign without one."
        ) from error
    found: dict[str, Any] = {"token": base64.b64encode(answer.content).decode()}
    _, reason = check_stamp(found, message, ())
    if reason or response.tst_info.nonce != request.nonce:
        raise TimestampError(f"The stamp of {authority} is not over what was sent. {reason}")
    return found


def check_stamp(found: Json, message: bytes, roots: Sequence[Certificate]) -> tuple[str, str]:
    """Whether a stamp is over `message`.

    Args:
        found: the stamp out of an envelope.
        message: the compact JWS.
        roots: certificates that are trusted; without any, the authority's signature is not checked, which is said.

    Returns:
        What it says, and what is wrong with it; one of the two is empty.
    """
    from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response  # noqa: PLC0415

    if not isinstance(found, dict) or set(found) != {"token"}:
        return "", "The time stamp is none."
    try:
        raw = base64.b64decode(str(found["token"]), validate=True)
        if base64.b64encode(raw).decode() != found["token"]:
            return "", "The time stamp is not written in the one form of base64."
        response = decode_timestamp_response(raw)
        stamped = response.tst_info.message_imprint.message
        brought = _brought(response.signed_data.certificates)
        if roots:
            builder = VerifierBuilder()
            for root in roots:
                builder = builder.add_root_certificate(root)
            for certificate in brought:
                if certificate not in roots:
                    builder = builder.add_intermediate_certificate(certificate)
            builder.build().verify_message(response, message)
    except (ValueError, binascii.Error, VerificationError) as error:
        return "", f"The time stamp does not hold: {error}"
    if stamped not in {hashlib.sha256(message).digest(), hashlib.sha512(message).digest()}:
        return "", "The time stamp is over something else."
    at = f"{response.tst_info.gen_time:%Y-%m-%d %H:%M:%S} UTC"
    names = " / ".join(sorted(certificate.subject.rfc4514_string() for certificate in brought)) or "an authority"
    trust = "checked with certificates that you trust" if roots else "its authority was not checked (--tsa-roots)"
    return f"Time stamp of {at} by {names}: {trust}.", ""


def _brought(certificates: set[bytes]) -> list[Certificate]:
    from cryptography.x509 import load_der_x509_certificate  # noqa: PLC0415

    return [load_der_x509_certificate(found) for found in certificates]
