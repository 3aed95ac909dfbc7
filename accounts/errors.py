"""What can go wrong around accounts, as sentences for the person who has to mend it."""

from __future__ import annotations

from ledger.errors import LedgerError


class SignInError(LedgerError):
    """Sign-in is missing, wrongly set up, or was refused; the message says which, and what to do."""


class VaultError(LedgerError):
    """A secret that cannot be sealed or read."""


class ConnectionsError(LedgerError):
    """A connection that is not there, cannot be named so, lacks a value, or is being synced already."""


class WorkspaceError(LedgerError):
    """A workspace that is not there, is in use or exists already, or a backup that cannot be made or restored."""
