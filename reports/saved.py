"""What a saved view of the screens is over: the same days, part of the spend and comparison as its page shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from accounts import views
from analysis.where import Where, gathered, names
from reports import span
from reports.span import Span
from reports.view import ReportError, View

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from accounts.home import Settings
    from accounts.views import SavedView
    from reports.ledger_state import Basis


def named(settings: Settings, workspace: str, name: str) -> SavedView:
    """The saved view of a name.

    Raises:
        ReportError: there is none.
    """
    held = views.listed(settings, workspace)
    for view in held:
        if view.name == " ".join(name.split()):
            return view
    names = ", ".join(repr(view.name) for view in held)
    raise ReportError(
        f"Workspace {workspace} has no saved view {name!r}; "
        f"{f'there are {names}' if names else 'save one on a page first (Link and views)'}."
    )


def resolved(basis: Basis, view: View) -> View:
    """The view with what its saved view says of days, scope, comparison and currency; itself where it names none.

    Raises:
        ReportError: the saved view is gone, or names something that the ledger does not have any more.
    """
    if view.saved is None:
        return view
    said = parse_qs(named(basis.settings, basis.workspace, view.saved).query)
    state = basis.state
    days = _days(said, state.first, state.last)
    daily = basis.lake.tables("daily_spend", snapshot=state.snapshot)[0]
    return replace(
        view,
        days=f"{days.first}..{days.last}",
        currency=said.get("currency", [view.currency])[0],
        where=_where(said.get("scope", []), daily, view.saved),
        against=_against(said, days, state.first),
    )


def _days(said: Mapping[str, Sequence[str]], first: date, last: date) -> Span:
    name = said.get("period", [span.THREE])[0]
    if name == span.CHOSEN and (days := _dates(said.get("days", []))):
        return days
    return span.preset(name if name in span.RANGES and name != span.CHOSEN else span.THREE, first, last)


def _against(said: Mapping[str, Sequence[str]], days: Span, first: date) -> Span:
    name, before = said.get("against", [span.BEFORE])[0], days.before
    if name == span.YEAR:
        return days.year_before
    if name != span.CHOSEN:
        return before
    return _dates(said.get("against-days", [])) or Span(max(first, before.first), max(first, before.last))


def _dates(texts: Sequence[str]) -> Span | None:
    """The days that an address names; None where it names none."""
    try:
        days = [date.fromisoformat(text) for text in texts]
    except ValueError:
        return None
    return Span(days[0], days[-1]) if days else None


def _where(chosen: Sequence[str], daily: ir.Table, name: str) -> Where:
    if not chosen:
        return ()
    known = names(daily)
    if gone := [text for text in chosen if text not in known]:
        raise ReportError(
            f"The saved view {name!r} is about {', '.join(gone)}, which the ledger does not have any more. Leaving it "
            "out would show other figures: save the view anew."
        )
    return gathered(known[text] for text in chosen)
