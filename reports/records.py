"""What a workspace has fixed and found: frozen baselines, interventions, attempts and proofs, in accounts' database.

Rows are added and never rewritten; only a proof's state, what superseded it and why may change. What is added twice in
the same words is there once. Moments are text in ISO 8601 with a Z, money is decimal text.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final, TypeVar

from sqlalchemy import JSON, Date, String, Text, UniqueConstraint, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from accounts.database import Base, sessions
from ledger.errors import LedgerError
from reports.claim import State

if TYPE_CHECKING:
    from sqlalchemy.orm import Session, sessionmaker

    from accounts.home import Settings

Row = TypeVar("Row")

#: States from which a proof never returns.
ENDED: Final = (State.SUPERSEDED, State.REVOKED)


class RecordError(LedgerError):
    """There is no such record, or it may not be changed so."""


class BaselineRecord(Base):
    """A frozen baseline: `document` is its canonical JSON, `digest` the SHA-256 (hex) of that text.

    `content` is the digest of the document without the moment of capture, so that the same baseline is frozen once.
    """

    __tablename__ = "baselines"
    __table_args__ = (UniqueConstraint("workspace", "content"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    workspace: Mapped[str] = mapped_column(String(63), index=True)
    name: Mapped[str] = mapped_column(Text)
    scope: Mapped[str] = mapped_column(Text)
    driver: Mapped[str] = mapped_column(Text)
    first_day: Mapped[date] = mapped_column(Date)
    last_day: Mapped[date] = mapped_column(Date)
    document: Mapped[str] = mapped_column(Text)
    content: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))
    signature: Mapped[str | None] = mapped_column(Text)
    timestamp: Mapped[str | None] = mapped_column(Text)
    captured_at: Mapped[str] = mapped_column(String(32))


class InterventionRecord(Base):
    """A dated change, made by us, by the customer or by a vendor; `last_day` is NULL while it lasts."""

    __tablename__ = "interventions"
    __table_args__ = (UniqueConstraint("workspace", "content"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    workspace: Mapped[str] = mapped_column(String(63), index=True)
    first_day: Mapped[date] = mapped_column(Date)
    last_day: Mapped[date | None] = mapped_column(Date)
    scope: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(String(64))
    note: Mapped[str] = mapped_column(Text)
    who: Mapped[str | None] = mapped_column(Text)
    content: Mapped[str] = mapped_column(String(64))
    recorded_at: Mapped[str] = mapped_column(String(32))


class AttemptRecord(Base):
    """An attempt at a retrospective claim; `question` is the digest of everything that was chosen for it."""

    __tablename__ = "attempts"
    __table_args__ = (UniqueConstraint("workspace", "question"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    workspace: Mapped[str] = mapped_column(String(63), index=True)
    question: Mapped[str] = mapped_column(String(64))
    scope: Mapped[str] = mapped_column(Text)
    asked: Mapped[str] = mapped_column(Text)
    outcome: Mapped[str] = mapped_column(Text)
    times: Mapped[int] = mapped_column()
    first_at: Mapped[str] = mapped_column(String(32))


class ProofRecord(Base):
    """A proof: `claim` is what it states (JSON of `Claim.record`), `document` the signed text where there is one.

    `cited` holds the load ids, `row_digest` the digest of the rows: what a restated bill is found by.
    """

    __tablename__ = "proofs"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    workspace: Mapped[str] = mapped_column(String(63), index=True)
    question: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(Text)
    proof_class: Mapped[str] = mapped_column(String(16))
    tier: Mapped[str] = mapped_column(String(2))
    currency: Mapped[str] = mapped_column(String(3))
    point: Mapped[str | None] = mapped_column(String(64))
    low: Mapped[str | None] = mapped_column(String(64))
    high: Mapped[str | None] = mapped_column(String(64))
    claim: Mapped[str] = mapped_column(Text)
    document: Mapped[str | None] = mapped_column(Text)
    cited: Mapped[list[str]] = mapped_column(JSON)
    row_digest: Mapped[str] = mapped_column(String(64))
    superseded_by: Mapped[str | None] = mapped_column(String(32))
    created_at: Mapped[str] = mapped_column(String(32), index=True)


@dataclass(frozen=True, slots=True)
class Store:
    """The records of one workspace."""

    settings: Settings
    workspace: str

    def add_baseline(self, record: BaselineRecord) -> BaselineRecord:
        """Freeze a baseline; the one of the same content, where there is one already."""
        same = select(BaselineRecord).where(
            BaselineRecord.workspace == self.workspace, BaselineRecord.content == record.content
        )
        with self._sessions() as session:
            if (found := session.scalars(same).first()) is not None:
                return found
            session.add(record)
            return record if _committed(session) else session.scalars(same).one()

    def baselines(self) -> list[BaselineRecord]:
        """All frozen baselines, the newest first."""
        with self._sessions() as session:
            query = select(BaselineRecord).where(BaselineRecord.workspace == self.workspace)
            return list(session.scalars(query.order_by(BaselineRecord.captured_at.desc(), BaselineRecord.id)))

    def baseline(self, key: str) -> BaselineRecord:
        """A frozen baseline by its id, or the beginning of its id or digest.

        Raises:
            RecordError: none or several begin so.
        """
        found = [row for row in self.baselines() if row.id.startswith(key) or row.digest.startswith(key)]
        return _only(found, key, "baseline", "spendproof baseline list")

    def add_intervention(
        self,
        first_day: date,
        last_day: date | None,
        *,
        scope: str,
        kind: str,
        note: str,
        who: str | None,
        now: datetime,
    ) -> InterventionRecord:
        """Register an intervention; the one in the same words, where there is one already."""
        content = digest_of("\n".join((str(first_day), str(last_day), scope, kind, note)))
        same = select(InterventionRecord).where(
            InterventionRecord.workspace == self.workspace, InterventionRecord.content == content
        )
        with self._sessions() as session:
            if (found := session.scalars(same).first()) is not None:
                return found
            record = InterventionRecord(
                id=new_id(),
                workspace=self.workspace,
                first_day=first_day,
                last_day=last_day,
                scope=scope,
                kind=kind,
                note=note,
                who=who,
                content=content,
                recorded_at=moment(now),
            )
            session.add(record)
            return record if _committed(session) else session.scalars(same).one()

    def interventions(self) -> list[InterventionRecord]:
        """All interventions, by date."""
        with self._sessions() as session:
            query = select(InterventionRecord).where(InterventionRecord.workspace == self.workspace)
            return list(session.scalars(query.order_by(InterventionRecord.first_day, InterventionRecord.id)))

    def intervention(self, key: str) -> InterventionRecord:
        """An intervention by its id or the beginning of it.

        Raises:
            RecordError: none or several begin so.
        """
        found = [row for row in self.interventions() if row.id.startswith(key)]
        return _only(found, key, "intervention", "spendproof intervention list")

    def count_attempt(self, question: str, scope: str, asked: str, outcome: str, now: datetime) -> AttemptRecord:
        """Count an attempt; asking exactly the same again counts on the same line, with its newest outcome."""
        same = select(AttemptRecord).where(
            AttemptRecord.workspace == self.workspace, AttemptRecord.question == question
        )
        with self._sessions() as session:
            found = session.scalars(same.with_for_update()).first()
            if found is None:
                session.add(
                    AttemptRecord(
                        id=new_id(),
                        workspace=self.workspace,
                        question=question,
                        scope=scope,
                        asked=asked,
                        outcome=outcome,
                        times=1,
                        first_at=moment(now),
                    )
                )
                if _committed(session):
                    return session.scalars(same).one()
                found = session.scalars(same.with_for_update()).one()
            found.times = found.times + 1
            found.outcome = outcome
            session.commit()
            return found

    def attempts(self) -> list[AttemptRecord]:
        """All attempts, the first one first."""
        with self._sessions() as session:
            query = select(AttemptRecord).where(AttemptRecord.workspace == self.workspace)
            return list(session.scalars(query.order_by(AttemptRecord.first_at, AttemptRecord.question)))

    def add_proof(self, record: ProofRecord) -> ProofRecord:
        """Keep a proof."""
        with self._sessions() as session:
            session.add(record)
            session.commit()
        return record

    def proofs(self) -> list[ProofRecord]:
        """All proofs, the newest first."""
        with self._sessions() as session:
            query = select(ProofRecord).where(ProofRecord.workspace == self.workspace)
            return list(session.scalars(query.order_by(ProofRecord.created_at.desc(), ProofRecord.id)))

    def proof(self, key: str) -> ProofRecord:
        """A proof by its id or the beginning of it.

        Raises:
            RecordError: none or several begin so.
        """
        found = [row for row in self.proofs() if row.id.startswith(key)]
        return _only(found, key, "proof", "spendproof proofs list")

    def set_document(self, proof: str, document: str) -> None:
        """Put the signed text beside the claim that it was made from."""
        with self._sessions() as session:
            row = session.get(ProofRecord, proof)
            if row is None or row.workspace != self.workspace:
                raise RecordError(f"There is no proof {proof} in workspace {self.workspace}.")
            row.document = document
            session.commit()

    def set_state(self, proof: str, state: State, reason: str, superseded_by: str | None = None) -> ProofRecord:
        """Move a proof to another state.

        Raises:
            RecordError: there is no such proof, or it was superseded or revoked before.
        """
        with self._sessions() as session:
            row = session.get(ProofRecord, proof)
            if row is None or row.workspace != self.workspace:
                raise RecordError(f"There is no proof {proof} in workspace {self.workspace}.")
            if row.state in ENDED and row.state != state:
                raise RecordError(f"Proof {proof} was {row.state} before; that is final.")
            row.state, row.reason, row.superseded_by = state, reason, superseded_by
            session.commit()
            return row

    def _sessions(self) -> Session:
        factory: sessionmaker[Session] = sessions(self.settings)
        return factory()


def new_id() -> str:
    """An id that says nothing."""
    return secrets.token_hex(8)


def digest_of(text: str) -> str:
    """SHA-256 of a text, hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def moment(at: datetime) -> str:
    """A moment as records carry it: UTC, whole seconds, with a Z."""
    return at.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def from_moment(text: str) -> datetime:
    """The moment that a record carries."""
    return datetime.fromisoformat(text)


def _committed(session: Session) -> bool:
    """Whether the row went in; not where another process was first."""
    try:
        session.commit()
    except IntegrityError:
        session.rollback()
        return False
    return True


def _only(found: Sequence[Row], key: str, what: str, where: str) -> Row:
    if len(found) == 1:
        return found[0]
    if not found or not key:
        raise RecordError(f"There is no {what} {key!r}; see {where}.")
    raise RecordError(f"{len(found)} {what}s begin with {key!r}; write more of it ({where}).")
