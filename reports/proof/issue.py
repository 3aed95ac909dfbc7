"""From a claim to a signed proof and its files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, cast

from pydantic_settings import BaseSettings, SettingsConfigDict

from ledger.errors import LedgerError
from reports.proof import keys
from reports.proof.canonical import digest, parse
from reports.proof.detached import SUFFIX, detached
from reports.proof.document import Identity, document
from reports.proof.envelope import signed, text
from reports.proof.jws import Kind

if TYPE_CHECKING:
    from reports.claim import Claim

#: What a proof is written as; the workbook and the table are signed beside.
FORMATS: Final = ("json", "html", "pdf", "xlsx", "csv")
#: Where a server publishes the issuer's list, below its public address.
LIST_PATH: Final = "/revocations.json"


class IssuerSettings(BaseSettings):
    """What an operator sets about the issuer.

    Attributes:
        issuer: `SPENDPROOF_ISSUER`, what the issuer calls itself on its proofs.
        public_url: `SPENDPROOF_PUBLIC_URL`, where the server is reached from outside: links and the list of
            revocations are below it.
        tsa: `SPENDPROOF_TSA`, address of an RFC 3161 time-stamping authority; without it nothing is stamped.
    """

    model_config = SettingsConfigDict(env_prefix="SPENDPROOF_")

    issuer: str | None = None
    public_url: str | None = None
    tsa: str | None = None

    @property
    def list_address(self) -> str | None:
        """Where the list of revocations is published; None where there is no public address."""
        return f"{self.public_url.rstrip('/')}{LIST_PATH}" if self.public_url else None


@dataclass(frozen=True, slots=True)
class Proof:
    """A signed proof.

    Attributes:
        content: the proof file.
        document: what it holds.
        digest: SHA-256 (hex) of the document's canonical form.
    """

    content: bytes
    document: dict[str, Any]
    digest: str


class NoProofError(LedgerError):
    """A format that no proof is written in."""


def issue(
    claim: Claim,
    signer: keys.Signer,
    proof_id: str,
    now: datetime,
    *,
    supersedes: str | None = None,
    reason: str | None = None,
    issuer: IssuerSettings | None = None,
) -> Proof:
    """Sign a claim; a time-stamping authority stamps the signature where one is configured.

    Args:
        claim: what is stated.
        signer: of the claim's workspace.
        proof_id: its id in the workspace.
        now: moment of the signature.
        supersedes: digest of the proof that it replaces.
        reason: why.
        issuer: by default what the environment says.

    Raises:
        TimestampError: the time-stamping authority gives no stamp.
    """
    about = issuer or IssuerSettings()
    identity = Identity(proof_id, signer.issuer, about.issuer, now, about.list_address, supersedes, reason)
    return sealed(document(claim, identity), signer, about)


def sealed(made: dict[str, Any], signer: keys.Signer, about: IssuerSettings) -> Proof:
    """A document, signed and, where an authority is configured, stamped."""
    envelope = signed(made, signer, Kind.PROOF)
    if about.tsa:
        import httpx  # noqa: PLC0415 - only where an authority is configured

        from reports.proof.timestamp import stamp  # noqa: PLC0415

        with httpx.Client(timeout=20) as client:
            envelope["timestamp"] = stamp(envelope["signature"].encode(), about.tsa, client)
    return Proof(text(envelope), made, digest(made))


def loaded(content: bytes) -> Proof:
    """A proof out of its file, unchecked."""
    envelope = cast("dict[str, Any]", parse(content))
    return Proof(content, envelope["document"], digest(envelope["document"]))


def rendered(proof: Proof, format_: str) -> bytes:
    """The proof in one format; the same proof gives the same bytes.

    Raises:
        NoProofError: there is no such format.
    """
    from reports.proof import html, pdf, table, workbook  # noqa: PLC0415 - each brings a library of its own

    if format_ not in FORMATS:
        raise NoProofError(f"A proof is not written as {format_!r}; it is as {', '.join(FORMATS)}.")
    match format_:
        case "html":
            return html.html(cast("dict[str, Any]", parse(proof.content)), proof.document)
        case "pdf":
            return pdf.pdf(proof.content, proof.document)
        case "xlsx":
            return workbook.xlsx(proof.document)
        case "csv":
            return table.csv_text(proof.document)
        case _:
            return proof.content


def files(proof: Proof, signer: keys.Signer, formats: Sequence[str], stem: str) -> dict[str, bytes]:
    """The proof in several formats by file name, `STEM.pdf`; workbook and table with their signatures beside them."""
    found = dict[str, bytes]()
    for format_ in formats:
        name = f"{stem}.{format_}"
        found[name] = rendered(proof, format_)
        if format_ in {"xlsx", "csv"}:
            found[name + SUFFIX] = text(detached(name, found[name], proof.document, signer))
    return found
