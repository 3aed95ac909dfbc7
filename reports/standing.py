"""What of a workspace's proofs no longer stands, as the issuer publishes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import select

from accounts.database import sessions
from reports.claim import State
from reports.proof.issue import IssuerSettings, loaded
from reports.proof.revocation import Ended, published
from reports.records import ENDED, ProofRecord, Store
from reports.shares import ShareLink, Shares

if TYPE_CHECKING:
    from accounts.home import Settings


@dataclass(frozen=True, slots=True)
class Fate:
    """How a proof ended: its state, why, and the id of the proof that replaced it."""

    state: State
    reason: str
    superseded_by: str | None


def fate(settings: Settings, link: ShareLink) -> Fate | None:
    """How the proof behind a link ended; None while it stands."""
    query = select(ProofRecord.state, ProofRecord.reason, ProofRecord.superseded_by).where(
        ProofRecord.workspace == link.workspace, ProofRecord.id == link.proof
    )
    with sessions(settings)() as session:
        row = session.execute(query).one_or_none()
    return None if row is None or row.state not in ENDED else Fate(State(row.state), row.reason, row.superseded_by)


def revocations(settings: Settings, workspace: str, now: datetime, issuer: IssuerSettings | None = None) -> bytes:
    """The signed list of the workspace's proofs that were superseded or revoked, and of their copies for sharing."""
    about = issuer or IssuerSettings()
    return published(settings, workspace, _ended(settings, workspace), about.issuer, now)


def _ended(settings: Settings, workspace: str) -> Iterator[Ended]:
    copies = Shares(settings, workspace).links()
    for record in Store(settings, workspace).proofs():
        if record.state not in ENDED or record.document is None:
            continue
        digests = [loaded(record.document.encode()).digest, *(c.digest for c in copies if c.proof == record.id)]
        for digest in digests:
            yield Ended(digest, record.id, State(record.state), record.reason, record.superseded_by)
