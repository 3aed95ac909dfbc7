"""Saved ROI scenarios behind a random token, so that a prospect's figures stand in no address and no log.

The database keeps a hash of the token and the scenario sealed under a key that only the token gives: whoever holds the
database, and not the link, reads nothing. A scenario ends after `DAYS`.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from sqlalchemy import LargeBinary, String, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from accounts.columns import Moment
from accounts.database import Base, sessions
from ledger.errors import LedgerError

if TYPE_CHECKING:
    from accounts.home import Settings

#: How long a saved scenario can be opened.
DAYS: Final = 90
_TOKEN_BYTES: Final = 32
_NONCE_BYTES: Final = 12


class ScenarioError(LedgerError):
    """A saved scenario that cannot be opened."""


class Scenario(Base):
    """One saved scenario.

    Attributes:
        token_hash: SHA-256 of the token; the token itself is nowhere.
        sealed: nonce and ciphertext of the scenario.
        expires_at: from when on it is gone.
    """

    __tablename__ = "scenarios"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    workspace: Mapped[str] = mapped_column(String(64), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)


def save(settings: Settings, workspace: str, scenario: dict[str, Any], now: datetime | None = None) -> str:
    """Keep a scenario (JSON values) and return the token that opens it; scenarios that have ended are removed."""
    moment = now or datetime.now(UTC)
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    row = Scenario(
        id=uuid4().hex,
        workspace=workspace,
        token_hash=_hash(token),
        sealed=_sealed(token, json.dumps(scenario).encode()),
        created_at=moment,
        expires_at=moment + timedelta(days=DAYS),
    )
    with sessions(settings).begin() as session:
        session.execute(delete(Scenario).where(Scenario.expires_at <= moment))
        session.add(row)
    return token


def load(settings: Settings, workspace: str, token: str, now: datetime | None = None) -> dict[str, Any]:
    """The scenario that a token opens.

    Raises:
        ScenarioError: there is none in this workspace, or it has ended.
    """
    moment = now or datetime.now(UTC)
    with sessions(settings)() as session:
        found = session.scalar(
            select(Scenario).where(
                Scenario.token_hash == _hash(token), Scenario.workspace == workspace, Scenario.expires_at > moment
            )
        )
    if found is None:
        raise ScenarioError(
            f"This link opens no scenario: it was removed, has ended after {DAYS} days, or was copied in part."
        )
    return json.loads(_opened(token, found.sealed))


def remove(settings: Settings, workspace: str, token: str) -> None:
    """Forget a scenario; removing it again changes nothing."""
    with sessions(settings).begin() as session:
        session.execute(delete(Scenario).where(Scenario.token_hash == _hash(token), Scenario.workspace == workspace))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _key(token: str) -> bytes:
    # Another digest than the one the database holds, so that this one gives nothing away.
    return hashlib.sha256(b"spendproof scenario\0" + token.encode()).digest()


def _sealed(token: str, plain: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - slow to import

    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(_key(token)).encrypt(nonce, plain, None)


def _opened(token: str, sealed: bytes) -> bytes:
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    try:
        return AESGCM(_key(token)).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None)
    except InvalidTag as error:
        raise ScenarioError("The saved scenario was changed in the database and is not shown.") from error
