"""Who may see a workspace's screens: nobody else on a loopback address, otherwise who signs in.

A session is a signed statement "this browser signed in to this workspace at that moment". It belongs to one
workspace, ends after `SESSION_HOURS`, and ends at once when the password changes, which changes the signing key.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from accounts import passwords
from accounts.errors import SignInError
from accounts.home import Settings, workspace_folder

SESSION_HOURS: Final = 12
#: Wrong passwords that one address may try within `WINDOW` seconds, and all addresses together.
TRIES: Final = 5
TRIES_TOGETHER: Final = 50
WINDOW: Final = 15 * 60


class Protection(StrEnum):
    """How a server knows who looks at it."""

    NONE = "none"
    PASSWORD = "password"  # noqa: S105 - the name of a way to sign in
    OIDC = "oidc"


def is_loopback(host: str) -> bool:
    """Whether an address or host name can be reached from this machine alone."""
    name = host.strip("[]").lower()
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def password_file(settings: Settings, workspace: str) -> Path:
    """Where the hash of a workspace's password is kept."""
    return workspace_folder(settings, workspace) / "password.json"


def set_password(settings: Settings, workspace: str, password: str) -> None:
    """Set a workspace's password; sessions that the old one opened end.

    Raises:
        SignInError: the password is too short.
    """
    passwords.write(password_file(settings, workspace), passwords.hashed(password))


def verify(settings: Settings, workspace: str, password: str) -> bool:
    """Whether this is the workspace's password; False where none is set.

    Raises:
        SignInError: the stored password cannot be used.
    """
    stored = passwords.read(password_file(settings, workspace))
    return stored is not None and passwords.matches(password, stored)


def protection(settings: Settings, workspace: str, host: str, *, oidc: bool) -> Protection:
    """How a server on `host` is to be protected; a password that is set is asked for on every address.

    Args:
        settings: where the workspaces are.
        workspace: the workspace that is shown.
        host: address that the server listens on.
        oidc: whether an identity provider and the people who may enter are configured.

    Raises:
        SignInError: others could reach the address, and there is no sign-in.
    """
    if oidc:
        return Protection.OIDC
    if passwords.read(password_file(settings, workspace)) is not None:
        return Protection.PASSWORD
    if is_loopback(host):
        return Protection.NONE
    raise SignInError(
        f"Anyone who reaches {host} could read the bills of workspace {workspace!r}, so the app does not start there "
        f"without sign-in. Set a password (spendproof set-password --workspace {workspace}), configure an identity "
        "provider ([auth] and [spendproof] people in .streamlit/secrets.toml), or use --host 127.0.0.1."
    )


def may_enter(claims: Mapping[str, Any], people: Collection[str]) -> bool:
    """Whether the identity that a provider vouches for is on the list; an unverified address is nobody's."""
    address = str(claims.get("email") or "").lower()
    return bool(address) and claims.get("email_verified") is True and address in {p.lower() for p in people}


def issue(settings: Settings, workspace: str, now: int) -> str:
    """A session of one workspace, from `now` (seconds since 1970) on.

    Raises:
        SignInError: the workspace has no password that could sign it.
    """
    stored = passwords.read(password_file(settings, workspace))
    if stored is None:
        raise SignInError(f"Workspace {workspace!r} has no password.")
    statement = f"{workspace}.{now}"
    return f"{statement}.{_signature(stored, statement)}"


def is_valid(settings: Settings, workspace: str, session: str, now: int) -> bool:
    """Whether `session` was issued for this workspace by its present password and has not ended."""
    stored = passwords.read(password_file(settings, workspace))
    statement, _, signature = session.rpartition(".")
    owner, _, since = statement.rpartition(".")
    if stored is None or not hmac.compare_digest(signature.encode(), _signature(stored, statement).encode()):
        return False
    return owner == workspace and 0 <= now - int(since) < SESSION_HOURS * 3600


def _signature(stored: passwords.PasswordHash, statement: str) -> str:
    return hmac.new(bytes.fromhex(stored.session_key), statement.encode(), hashlib.sha256).hexdigest()


@dataclass(slots=True)
class Attempts:
    """Wrong passwords of the last quarter of an hour, by address; what it forgets on a restart it allows again."""

    failures: dict[str, list[float]] = field(default_factory=dict[str, list[float]])

    def wait(self, address: str, now: float) -> int:
        """Seconds that this address has to wait before it may try again; 0 for none."""
        recent = {a: kept for a, times in self.failures.items() if (kept := [t for t in times if now - t < WINDOW])}
        self.failures = recent
        own, together = recent.get(address, []), sorted(t for times in recent.values() for t in times)
        waits = [own[-TRIES]] if len(own) >= TRIES else []
        waits += [together[-TRIES_TOGETHER]] if len(together) >= TRIES_TOGETHER else []
        return max((int(WINDOW - (now - t)) + 1 for t in waits), default=0)

    def failed(self, address: str, now: float) -> None:
        """Remember a wrong password."""
        self.failures.setdefault(address, []).append(now)
