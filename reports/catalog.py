"""The reports there are, by name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from reports.ledger_state import Basis
from reports.report import Report
from reports.spend_report import spend_report
from reports.value_report import value_report
from reports.view import ReportError, View

Builder = Callable[[Basis, View, datetime], Report]

REPORTS: Final[dict[str, Builder]] = {"value": value_report, "spend": spend_report}


def builder(name: str) -> Builder:
    """The function that makes a report.

    Raises:
        ReportError: there is no such report.
    """
    if name not in REPORTS:
        raise ReportError(f"There is no report {name!r}; there are {', '.join(REPORTS)}.")
    return REPORTS[name]
