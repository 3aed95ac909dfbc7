"""Signing keys of a workspace: made when first needed, sealed at rest, rotated, and published with their dates.

Each key is endorsed: its record (key, number, first day) is signed by the key before it, the first one by itself. The
thumbprint of the first key is the issuer's identity, which a customer notes once; every later key follows from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import LargeBinary, String, Text, UniqueConstraint, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts.database import Base, sessions
from accounts.errors import VaultError
from accounts.sealed import purpose, read
from accounts.vault import open_vault
from ledger.errors import LedgerError
from reports.proof import jws
from reports.proof.canonical import canonical, parse
from reports.proof.chain import moment, record_of
from reports.proof.jws import Kind

if TYPE_CHECKING:
    from pathlib import Path

    from joserfc.jwk import OKPKey

    from accounts.home import Settings

_FIRST: Final = 1


class SigningKey(Base):
    """A row for each key; the newest one signs."""

    __tablename__ = "signing_keys"
    __table_args__ = (UniqueConstraint("kid"),)

    workspace: Mapped[str] = mapped_column(String(63), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    kid: Mapped[str] = mapped_column(String(64))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    endorsement: Mapped[str] = mapped_column(Text)
    valid_from: Mapped[str] = mapped_column(String(32))
    valid_to: Mapped[str | None] = mapped_column(String(32))


class KeysError(LedgerError):
    """The keys of a workspace cannot be changed so."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs.

    Attributes:
        issuer: thumbprint of the first key.
        chain: the endorsements of all keys up to the one that signs, the first key's first.
    """

    issuer: str
    chain: tuple[str, ...]
    key: OKPKey = field(repr=False)

    def sign(self, payload: bytes, kind: Kind) -> str:
        """A compact JWS over `payload`."""
        return jws.sign(payload, kind, self.key)


def signer(settings: Settings, workspace: str, now: datetime, key_file: Path | None = None) -> Signer:
    """The workspace's signer, with a first key made at `now` where there is none.

    Raises:
        VaultError: the stored key cannot be unsealed.
    """
    vault = open_vault(settings, key_file)
    with sessions(settings)() as session:
        rows = _rows(session, workspace)
        if not rows:
            rows = _added(session, workspace, rows, now, settings, key_file)
    newest = rows[-1]
    private = parse(read(vault, "signing_keys", _row(newest)))
    return Signer(rows[0].kid, tuple(row.endorsement for row in rows), _imported(private))


def rotate(settings: Settings, workspace: str, now: datetime, key_file: Path | None = None) -> Signer:
    """Let a fresh key sign from `now` on; the one before ends, and what it signed stays valid."""
    before = signer(settings, workspace, now, key_file)
    with sessions(settings)() as session:
        _added(session, workspace, _rows(session, workspace), now, settings, key_file, before)
    return signer(settings, workspace, now, key_file)


def renew(settings: Settings, workspace: str, now: datetime, key_file: Path | None = None) -> Signer:
    """Begin a new line of keys, and so a new issuer, because the key that signs cannot be opened any more.

    Proofs that the old keys signed stay valid for who knows their issuer; what stands no longer among them can no
    longer be published.

    Raises:
        KeysError: the key can be opened, so that `rotate` is the way.
    """
    with sessions(settings)() as session:
        rows = _rows(session, workspace)
        try:
            if rows:
                read(open_vault(settings, key_file), "signing_keys", _row(rows[-1]))
            raise KeysError(
                f"The signing key of workspace {workspace} is not lost; spendproof issuer rotate lets a fresh one sign."
            )
        except VaultError:
            for row in rows:
                session.delete(row)
            session.flush()
            _added(session, workspace, [], now, settings, key_file)
    return signer(settings, workspace, now, key_file)


def published(settings: Settings, workspace: str) -> list[dict[str, Any]]:
    """The workspace's verifying keys as JWK with their dates and endorsements, the first one first."""
    with sessions(settings)() as session:
        rows = _rows(session, workspace)
    return [
        {
            "kid": row.kid,
            "kty": "OKP",
            "crv": "Ed25519",
            "x": record_of(row.endorsement).x,
            "valid_from": row.valid_from,
            "valid_to": row.valid_to,
            "endorsement": row.endorsement,
        }
        for row in rows
    ]


def issuers(settings: Settings) -> dict[str, str]:
    """The issuers of this installation: workspace by thumbprint of its first key."""
    with sessions(settings)() as session:
        rows = session.scalars(select(SigningKey).where(SigningKey.number == _FIRST)).all()
    return {row.kid: row.workspace for row in rows}


def _rows(session: Session, workspace: str) -> list[SigningKey]:
    query = select(SigningKey).where(SigningKey.workspace == workspace).order_by(SigningKey.number)
    return list(session.scalars(query))


def _added(
    session: Session,
    workspace: str,
    rows: Sequence[SigningKey],
    now: datetime,
    settings: Settings,
    key_file: Path | None,
    before: Signer | None = None,
) -> list[SigningKey]:
    """All keys with one more; where another process was first, its key counts."""
    key, number, since = jws.new_key(), len(rows) + 1, moment(now)
    kid, x = key.thumbprint(), str(key.as_dict(private=False)["x"])
    issuer = before.issuer if before else kid
    record = {"kid": kid, "x": x, "issuer": issuer, "number": number, "valid_from": since}
    endorsement = jws.sign(canonical(record), Kind.KEY, before.key if before else key)
    private = canonical(dict(key.as_dict(private=True)))
    sealed = open_vault(settings, key_file).encrypt(private, purpose("signing_keys", {"kid": kid}))
    if rows:
        rows[-1].valid_to = since
    session.add(
        SigningKey(
            workspace=workspace, number=number, kid=kid, sealed=sealed, endorsement=endorsement, valid_from=since
        )
    )
    try:
        session.commit()
    except IntegrityError:
        session.rollback()
    return _rows(session, workspace)


def _row(key: SigningKey) -> dict[str, object]:
    return {"kid": key.kid, "number": key.number, "workspace": key.workspace, "sealed": key.sealed}


def _imported(private: object) -> OKPKey:
    from joserfc.jwk import OKPKey  # noqa: PLC0415 - slow to import

    return OKPKey.import_key(cast("dict[str, Any]", private))
