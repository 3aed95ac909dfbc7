"""The reports there are, by name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Final

from reports.ledger_state import LedgerState
from reports.report import Report
from reports.spend_report import spend_report
from reports.view import ReportError, View

if TYPE_CHECKING:
    from ledger.lake import Lake

Builder = Callable[["Lake", str, View, LedgerState, datetime], Report]

REPORTS: Final[dict[str, Builder]] = {"spend": spend_report}


def builder(name: str) -> Builder:
    """The function that makes a report.

    Raises:
        ReportError: there is no such report.
    """
    if name not in REPORTS:
        raise ReportError(f"There is no report {name!r}; there are {', '.join(REPORTS)}.")
    return REPORTS[name]
