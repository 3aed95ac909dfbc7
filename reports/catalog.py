"""The reports there are, by name: those over a view of the ledger, and those of one thing on record."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Final

from reports.ledger_state import Basis
from reports.proof_report import proof_report
from reports.report import Report
from reports.roi_report import roi_report
from reports.saved import named, resolved
from reports.spend_report import spend_report
from reports.value_report import value_report
from reports.view import ReportError, View

if TYPE_CHECKING:
    from accounts.home import Settings

#: Over the days and scope of a view, by name.
OVER_LEDGER: Final[dict[str, Callable[[Basis, View, datetime], Report]]] = {
    "value": value_report,
    "spend": spend_report,
}
#: Of the proof or scenario that a view names; no ledger is read.
ON_RECORD: Final[dict[str, Callable[[Settings, str, View, datetime], Report]]] = {
    "proof": proof_report,
    "roi": roi_report,
}
TITLES: Final = {"value": "Value report", "spend": "Spend report", "proof": "Proof", "roi": "ROI case"}


def known(name: str) -> str:
    """The report's name.

    Raises:
        ReportError: there is no such report.
    """
    if name not in TITLES:
        raise ReportError(f"There is no report {name!r}; there are {', '.join(TITLES)}.")
    return name


def make(
    settings: Settings, workspace: str, name: str, view: View, made: datetime, basis: Callable[[], Basis]
) -> Report:
    """One report.

    Args:
        settings: where records are.
        workspace: whose.
        name: which report.
        view: what it is over, or of.
        made: moment that its days are seen from (UTC).
        basis: gives the workspace's ledger; asked only for a report that reads it.

    Raises:
        ReportError: there is no such report, or nothing that it could be about.
    """
    if known(name) in ON_RECORD:
        return ON_RECORD[name](settings, workspace, view, made)
    found = basis()
    return OVER_LEDGER[name](found, resolved(found, view), made)


def check(settings: Settings, workspace: str, name: str, view: View, now: datetime) -> None:
    """Refuse what could never be made, so that nobody schedules it.

    Raises:
        LedgerError: there is no such report, saved view, proof or scenario; the sentence says which.
    """
    view.bounds(now.date())
    if view.saved is not None and known(name) in ON_RECORD:
        raise ReportError(f"A report of kind {name} is of one thing on record and takes no saved view.")
    if view.saved is not None:
        named(settings, workspace, view.saved)
    if known(name) == "roi" or (name == "proof" and view.of is not None):
        ON_RECORD[name](settings, workspace, view, now)
