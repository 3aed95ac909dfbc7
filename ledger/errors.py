"""Everything that can go wrong in the ledger, as sentences for the person who has to mend it.

LedgerError
├── LakeUnavailableError    the catalog cannot be opened or created
├── WriterBusyError         another load holds the lake's writer lock
├── UnsupportedQueryError   a question that the ledger cannot answer as asked
└── LoadError               a load was refused; the ledger is as before
    ├── UnbalancedLoadError     the rows or the money that came in are not those that would go out
    ├── SmallerLoadError        it would replace more days or money than it brings
    └── OverlappingLoadError    the same bill is in the ledger from another source already
"""

from __future__ import annotations


class LedgerError(Exception):
    """Base of every error that carries a sentence for a person: what happened, where, what to do next."""


class LakeUnavailableError(LedgerError):
    """The catalog of a lake cannot be opened or created."""


class WriterBusyError(LedgerError):
    """Another load holds the lake's writer lock for longer than one is willing to wait."""


class UnsupportedQueryError(LedgerError):
    """A question that the ledger cannot answer as it was asked."""


class LoadError(LedgerError):
    """A load was refused as a whole; the ledger is as it was before."""


class UnbalancedLoadError(LoadError):
    """Rows or money that came in would not all go out."""


class SmallerLoadError(LoadError):
    """A load holds fewer days or clearly less money than what it would replace.

    Attributes:
        difference: what was there and what would be, in words; empty where nothing says it.
        fewer_days: whether days are missing; else it is money alone.
    """

    def __init__(self, message: str, *, difference: str = "", fewer_days: bool = True) -> None:
        super().__init__(message)
        self.difference = difference
        self.fewer_days = fewer_days


class OverlappingLoadError(LoadError):
    """The same account and period is in the ledger from another source already."""


class NothingHeldError(LedgerError):
    """The ledger has no rows of a source that was to be removed."""
