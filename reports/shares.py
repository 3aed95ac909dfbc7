"""Links to a proof for people without an account: random, stored as a hash, ending, revocable, and logged.

What a link shows is fixed when it is made: a redacted copy of the proof, signed as a document of its own, and its page.
"""

from __future__ import annotations

import gzip
import hashlib
import hmac
import ipaddress
import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import LargeBinary, String, Text, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from accounts import passwords
from accounts.database import Base, sessions
from ledger.errors import LedgerError
from reports.proof.chain import moment
from reports.proof.issue import IssuerSettings, Proof, rendered, sealed
from reports.proof.keys import signer
from reports.proof.redaction import redacted

if TYPE_CHECKING:
    from accounts.home import Settings

#: Below the server's address: `/proof/TOKEN`.
PATH: Final = "/proof/"
DAYS: Final = 30
MOST_DAYS: Final = 366
#: Seconds for which a password that was given is remembered by the browser.
REMEMBERED: Final = 3600
_TOKEN_BYTES: Final = 32
_AGENT: Final = 200


class ShareError(LedgerError):
    """There is no such link, or it cannot be made so."""


class ShareLink(Base):
    """A link; `token` is the SHA-256 (hex) of the token, `password` the JSON of its hash, `page` is compressed."""

    __tablename__ = "share_links"
    __table_args__ = (UniqueConstraint("token"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    workspace: Mapped[str] = mapped_column(String(63), index=True)
    proof: Mapped[str] = mapped_column(String(32), index=True)
    digest: Mapped[str] = mapped_column(String(64))
    token: Mapped[str] = mapped_column(String(64))
    password: Mapped[str | None] = mapped_column(Text)
    hidden: Mapped[str] = mapped_column(Text)
    document: Mapped[bytes] = mapped_column(LargeBinary)
    page: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[str] = mapped_column(String(32))
    expires_at: Mapped[str] = mapped_column(String(32))
    revoked_at: Mapped[str | None] = mapped_column(String(32))


class ShareView(Base):
    """One look at a link: when, from which network (/24 or /48, never the whole address), and what was answered."""

    __tablename__ = "share_views"

    id: Mapped[int] = mapped_column(primary_key=True)
    workspace: Mapped[str] = mapped_column(String(63))
    share: Mapped[str] = mapped_column(String(32), index=True)
    at: Mapped[str] = mapped_column(String(32))
    network: Mapped[str] = mapped_column(String(64))
    agent: Mapped[str] = mapped_column(String(_AGENT))
    answer: Mapped[str] = mapped_column(String(16))


@dataclass(frozen=True, slots=True)
class Shared:
    """A link that was just made; the token is nowhere else."""

    link: ShareLink
    token: str

    @property
    def path(self) -> str:
        """Of the link, below the server's address."""
        return f"{PATH}{self.token}"


@dataclass(frozen=True, slots=True)
class Shares:
    """The links of one workspace."""

    settings: Settings
    workspace: str

    def create(
        self,
        proof: Proof,
        now: datetime,
        *,
        days: int = DAYS,
        password: str | None = None,
        names: bool = False,
        issuer: IssuerSettings | None = None,
    ) -> Shared:
        """Make a link to a redacted copy of a proof.

        Args:
            proof: the full one.
            now: moment of the signature on the copy.
            days: after which the link ends, 1 to 366.
            password: that is asked for besides; None for none.
            names: whether names of the workspace and of people are taken out as well.
            issuer: by default what the environment says.

        Raises:
            ShareError: the days are out of range.
            SignInError: the password is too short.
        """
        if not 1 <= days <= MOST_DAYS:
            raise ShareError(f"A link lasts 1 to {MOST_DAYS} days; {days} is not among them.")
        hashed = json.dumps(asdict(passwords.hashed(password))) if password is not None else None
        about = issuer or IssuerSettings()
        copy = redacted(proof.document, names=names, signed_at=moment(now))
        signed = sealed(copy, signer(self.settings, self.workspace, now), about)
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        link = ShareLink(
            id=secrets.token_hex(8),
            workspace=self.workspace,
            proof=proof.document["id"],
            digest=signed.digest,
            token=_hash(token),
            password=hashed,
            hidden=", ".join(copy["redaction"]["hidden"]),
            document=signed.content,
            page=gzip.compress(rendered(signed, "html"), mtime=0),
            created_at=moment(now),
            expires_at=moment(now + timedelta(days=days)),
            revoked_at=None,
        )
        with self._sessions() as session:
            session.add(link)
            session.commit()
        return Shared(link, token)

    def find(self, token: str) -> ShareLink | None:
        """The link of a token, ended or not; None where there never was one."""
        with self._sessions() as session:
            # The digest is looked up, so that the time it takes says nothing of the token.
            query = select(ShareLink).where(ShareLink.token == _hash(token), ShareLink.workspace == self.workspace)
            return session.scalars(query).one_or_none()

    def links(self) -> list[ShareLink]:
        """All links, the newest first."""
        with self._sessions() as session:
            query = select(ShareLink).where(ShareLink.workspace == self.workspace)
            return list(session.scalars(query.order_by(ShareLink.created_at.desc(), ShareLink.id)))

    def revoke(self, key: str, now: datetime) -> ShareLink:
        """End a link by its id or the beginning of it; one that was revoked stays as it is.

        Raises:
            ShareError: none or several begin so.
        """
        found = [link for link in self.links() if key and link.id.startswith(key)]
        if len(found) != 1:
            which = f"{len(found)} links begin" if found else "No link begins"
            raise ShareError(f"{which} with {key!r}; see spendproof share list.")
        with self._sessions() as session:
            link = session.merge(found[0])
            link.revoked_at = link.revoked_at or moment(now)
            session.commit()
            return link

    def log(self, link: ShareLink, now: datetime, address: str, agent: str, answer: str) -> None:
        """Remember a look at a link."""
        with self._sessions() as session:
            session.add(
                ShareView(
                    workspace=self.workspace,
                    share=link.id,
                    at=moment(now),
                    network=network(address),
                    agent="".join(c for c in agent if c.isprintable())[:_AGENT],
                    answer=answer,
                )
            )
            session.commit()

    def views(self, links: Sequence[ShareLink]) -> dict[str, list[ShareView]]:
        """What was looked at, by link, the newest first."""
        found: dict[str, list[ShareView]] = {link.id: [] for link in links}
        with self._sessions() as session:
            query = select(ShareView).where(ShareView.workspace == self.workspace, ShareView.share.in_(found))
            for view in session.scalars(query.order_by(ShareView.id.desc())):
                found[view.share].append(view)
        return found

    def _sessions(self) -> Session:
        return sessions(self.settings)()


def ended(link: ShareLink, now: datetime) -> str | None:
    """Why a link shows nothing any more, as a sentence; None while it does."""
    if link.revoked_at is not None:
        return f"This link was withdrawn on {link.revoked_at[:10]}."
    return f"This link ended on {link.expires_at[:10]}." if link.expires_at <= moment(now) else None


def opens(link: ShareLink, password: str) -> bool:
    """Whether this is the link's password."""
    return link.password is not None and passwords.matches(password, _stored(link.password))


def pass_for(link: ShareLink, until: int) -> str:
    """What the browser of somebody who gave the password keeps, until a moment (seconds since 1970)."""
    return f"{until}.{_seal(link, until)}"


def passes(link: ShareLink, kept: str, now: int) -> bool:
    """Whether a browser keeps a pass for this link that has not ended."""
    until, _, seal = kept.partition(".")
    if not until.isdigit() or len(until) > len(str(now)) + 1 or int(until) < now:
        return False
    return hmac.compare_digest(seal.encode(), _seal(link, int(until)).encode())


def network(address: str) -> str:
    """The network of an address: enough to tell one company from another, too little to tell a person."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    return str(ipaddress.ip_network(f"{found}/{24 if found.version == 4 else 48}", strict=False))  # noqa: PLR2004


def _seal(link: ShareLink, until: int) -> str:
    key = bytes.fromhex(_stored(link.password or "{}").session_key)
    return hmac.new(key, f"{link.id}.{until}".encode(), hashlib.sha256).hexdigest()


def _stored(text: str) -> passwords.PasswordHash:
    return passwords.PasswordHash(**json.loads(text))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
