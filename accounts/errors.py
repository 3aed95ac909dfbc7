"""What can go wrong around sign-in, as sentences for the person who has to mend it."""

from __future__ import annotations

from ledger.errors import LedgerError


class SignInError(LedgerError):
    """Sign-in is missing, wrongly set up, or was refused; the message says which, and what to do."""


class VaultError(LedgerError):
    """A secret that cannot be sealed or read."""


class ConnectionsError(LedgerError):
    """A connection that is not there, cannot be named so, lacks a value, or is being synced already."""
