"""What the owner has to be told wherever they look: failed sources, limits passed, reports that did not go out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

import streamlit as st

from reports import numbers
from ui import data, pages, person, running
from ui.markup import plain

#: Kinds of alerts.
SOURCE: Final = "source"
LIMIT: Final = "limit"
DELIVERY: Final = "delivery"
#: Seconds for which a page may show what was known before.
_FRESH: Final = 15
_DELIVERIES: Final = 100
_PAGES: Final = {SOURCE: "connections", LIMIT: "spend", DELIVERY: "reports"}


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that stands: `key` is its own, so that the same thing is read once and a new one is new."""

    kind: str
    key: str
    sentence: str


@st.cache_resource(ttl=_FRESH, max_entries=50, show_spinner=False)
def standing(workspace: str, snapshot: int) -> tuple[Alert, ...]:
    """Every alert of a workspace that stands now."""
    return (*_sources(workspace), *_limits(workspace, snapshot), *_deliveries(workspace))


def _sources(workspace: str) -> Iterator[Alert]:
    """Connections whose newest sync failed, each as reports say it too."""
    from jobs.happened import failed_sources  # noqa: PLC0415 - the database's half second is for those who look

    for source in failed_sources(running.current().settings, workspace):
        yield Alert(SOURCE, f"sync:{source.run}", source.sentence)


def _limits(workspace: str, snapshot: int) -> Iterator[Alert]:
    """Limits of spend that some schedule waits for and that this month's billed cost is above."""
    from jobs.happened import events  # noqa: PLC0415

    if not snapshot:
        return
    happened = events(running.current().settings, workspace, datetime.now(UTC), data.lake_of)
    for event in happened:
        if event.kind == "spend":
            _, month, limit = event.key.split(":")
            amount, currency = limit.split()
            shown = numbers.money(Decimal(amount), currency)
            name = f"{date.fromisoformat(f'{month}-01'):%B %Y}"
            yield Alert(LIMIT, event.key, f"Billed cost of {name} is above the limit of {shown}.")


def _deliveries(workspace: str) -> Iterator[Alert]:
    """Reports whose newest delivery to an address failed."""
    from jobs import schedules  # noqa: PLC0415

    settings = running.current().settings
    held = {schedule.id: schedule for schedule in schedules.listed(settings, workspace)}
    seen = set[tuple[str, int]]()
    for one in schedules.history(settings, workspace, most=_DELIVERIES) if held else ():
        schedule = held.get(one.schedule_id)
        if schedule is None or (one.schedule_id, one.place) in seen:
            continue
        seen.add((one.schedule_id, one.place))
        if one.state == schedules.DeliveryState.FAILED:
            to = schedule.shown[one.place]
            yield Alert(DELIVERY, f"delivery:{one.id}", f"Report {schedule.name} did not reach {to}: {one.message}")


def button(workspace: str) -> None:
    """The way to what stands, with how much of it this person has not read; nothing where nothing stands."""
    snapshot = data.newest_snapshot(workspace) if data.exists(workspace) else 0
    found = standing(workspace, snapshot)
    if not found:
        return
    new = sum(alert.key not in person.marks() for alert in found)
    label = f"Alerts ({new} new)" if new else "Alerts"
    if st.button(label, key="open-alerts", help="Failed sources, limits that were passed, reports that did not go out"):
        _dialog(found)


@st.dialog("Alerts")
def _dialog(found: tuple[Alert, ...]) -> None:
    for alert in found:
        fresh = "" if alert.key in person.marks() else ":orange-badge[New] "
        st.markdown(fresh + plain(alert.sentence))
        path = _PAGES[alert.kind]
        if pages.has(path):
            st.page_link(pages.link(path), label=f"Go to {pages.title(path)}")
    person.mark(alert.key for alert in found)
