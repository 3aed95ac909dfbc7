"""What can go wrong before a row reaches the ledger, as sentences for the person who has to mend it.

ConnectorError
├── UnreadableFileError     the file is missing, empty, damaged or changed while it was read
├── UnknownFormatError      its columns are those of no format known
├── SourceNameError         the name given to a source is none
├── MissingColumnError      a column without which the format means nothing is absent
└── SourceError             a provider refused or failed
    ├── BudgetError         paid calls would cost more than the connection's limit
    └── StaleResumeError    the pages fetched so far cannot be gone on from
"""

from __future__ import annotations


class ConnectorError(Exception):
    """Base of every error of a connector: what happened, to which file, what to do next."""


class UnreadableFileError(ConnectorError):
    """A file is missing, empty, damaged, or changed while it was read."""


class UnknownFormatError(ConnectorError):
    """The columns of a file are those of no format that is known."""


class SourceNameError(ConnectorError):
    """The name given to a source cannot be one."""


class MissingColumnError(ConnectorError):
    """A file lacks a column without which its format means nothing."""


class SourceError(ConnectorError):
    """A provider refused or failed.

    Attributes:
        says: what happened, as a sentence.
        fix: what to do about it; empty where `says` holds it already.
        status: HTTP status of the refusal; None where there was none.
    """

    status: int | None = None

    def __init__(self, says: str, fix: str = "") -> None:
        super().__init__(f"{says} {fix}".strip())
        self.says = says
        self.fix = fix


class BudgetError(SourceError):
    """A paid call would exceed the limit of the connection; it was not made."""


class StaleResumeError(SourceError):
    """What was fetched of a stream cannot be gone on from: its pages do not fit together, or its token has lapsed.

    The stream has to be fetched from its beginning.
    """
