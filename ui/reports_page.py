"""Reports: make one now, let them go out by themselves, and see what became of each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import streamlit as st

from accounts import views
from accounts.home import Settings
from jobs import schedules
from jobs.cadence import Timed, cadence
from jobs.happened import failed_sources
from jobs.planning import send_again
from jobs.reporting import send_due
from jobs.schedules import Delivery, DeliveryState, Schedule, Wanted
from ledger.errors import LedgerError
from reports import numbers
from reports.catalog import ON_RECORD, OVER_LEDGER, TITLES, check, make
from reports.ledger_state import Basis, ledger_state
from reports.records import ProofRecord, Store
from reports.render import FORMATS, render
from reports.report import Report
from reports.scenario import token_of
from reports.view import Span, View
from ui import controls, data, running
from ui.frame import View as Page
from ui.frame import page
from ui.tables import show

DAYS: Final = {
    "Last month": Span.LAST_MONTH,
    "This month": Span.THIS_MONTH,
    "Last 7 days": Span.LAST_7,
    "Last 30 days": Span.LAST_30,
    "Last 90 days": Span.LAST_90,
    "Last 12 months": Span.LAST_YEAR,
}
EVERY: Final = {
    "Every day": "daily {time}",
    "Every Monday": "weekly mon {time}",
    "First day of the month": "monthly 1 {time}",
    "Last day of the month": "monthly last {time}",
    "When there is a new proof": "on proof",
    "When a source fails": "on failure",
    "When a month's spend is above a limit": "on spend above {limit} {currency}",
}
_FILES: Final = {"PDF": "pdf", "Excel": "xlsx", "HTML": "html", "CSV": "csv", "JSON": "json"}
_SCENARIO: Final = "On the ROI page: keep the figures, make a link, and paste it here."
_WORDS: Final = {
    DeliveryState.WAITING: "Waiting",
    DeliveryState.SENDING: "Being sent",
    DeliveryState.SENT: "Sent",
    DeliveryState.FAILED: "Failed",
    DeliveryState.STOPPED: "Stopped",
}
_ADDRESSES: Final = (
    "A mail address, `slack+https://…`, `teams+https://…`, `webhook+https://…#whsec_…`, `s3://bucket/folder`, "
    "`az://account/container`, `gs://bucket/folder`, `sftp://user@host/folder` or the whole path of a folder. "
    "Several: one on each line."
)


def draw(view: Page) -> None:
    """The page below its title."""
    _told()
    _now(view)
    found = schedules.listed(running.current().settings, view.workspace)
    _listed(view, found)
    _new(view)
    _history(view, found)


def _told() -> None:
    """What the last action did, once."""
    if said := st.session_state.pop("reports-said", None):
        st.toast(said, duration="long")


def _now(view: Page) -> None:
    st.header("Make one now", anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        title = controls.choice("Report", list(TITLES.values()), "report")
        key = next(key for key, name in TITLES.items() if name == title)
        asked = _asked(view, key)
        file = controls.choice("File", list(_FILES), "report-file")
    if asked is None:
        return
    format_, now = _FILES[file], datetime.now(UTC)
    try:
        check(running.current().settings, view.workspace, key, asked, now)
    except LedgerError as error:
        st.error(str(error))
        return
    days = f", {numbers.days(*asked.bounds(now.date()))}" if key in OVER_LEDGER and asked.saved is None else ""
    st.download_button(
        f"Download {title}{days}",
        lambda: render(_report(view, key, asked), format_),
        f"{key}-{view.workspace}.{FORMATS[format_].ending}",
        FORMATS[format_].media,
        on_click="ignore",
        type="primary",
        key="report-download",
    )


def _asked(view: Page, report: str) -> View | None:
    """What the report is over or of, as the person chooses it; None while there is nothing to choose."""
    settings = running.current().settings
    if report == "roi":
        # Whoever has the link can open the scenario: it stands in no address.
        link = st.text_input("Link to a saved scenario", key="report-scenario", help=_SCENARIO)
        return View(of=token_of(link)) if link.strip() else None
    if report == "proof":
        held = {f"{p.question} ({p.state}, {p.created_at[:10]}, {p.id[:6]})": p.id for p in _proofs(view)}
        if not held:
            st.caption("There is no proof yet.")
            return None
        return View(of=held[controls.choice("Proof", list(held), "report-proof")])
    over = {**{name: View(days) for name, days in DAYS.items()}, **_saved(settings, view.workspace)}
    return over[controls.choice("Days", list(over), "report-days")]


def _saved(settings: Settings, workspace: str) -> dict[str, View]:
    """Saved views by what the page calls them."""
    return {f"Saved view: {one.name}": View(saved=one.name) for one in views.listed(settings, workspace)}


def _proofs(view: Page) -> list[ProofRecord]:
    return [p for p in Store(running.current().settings, view.workspace).proofs() if p.document is not None]


def _report(view: Page, key: str, asked: View) -> Report:
    """The report from the snapshot that the page shows.

    Raises:
        ReportError: there is nothing that it could be about, or not any more.
    """
    lake, settings = data.lake_of(view.workspace), running.current().settings

    def basis() -> Basis:
        state = ledger_state(lake, failed_sources(settings, view.workspace), snapshot=view.snapshot)
        return Basis(lake, settings, view.workspace, state)

    return make(settings, view.workspace, key, asked, datetime.now(UTC), basis)


def _listed(view: Page, found: Sequence[Schedule]) -> None:
    st.header("Sent by themselves", anchor=False)
    if not found:
        st.caption("No report goes out yet. Make a schedule below; it is sent as long as `spendproof worker` runs.")
        return
    settings, now = running.current().settings, datetime.now(UTC)
    rows = [
        {
            "Schedule": schedule.name,
            "Report": _title(schedule.report),
            "When": _when(schedule, now),
            "To": ", ".join(schedule.shown),
            "Files": ", ".join(schedule.formats),
            "Last delivery": _last(schedules.history(settings, view.workspace, schedule=schedule.id, most=1)),
        }
        for schedule in found
    ]
    show(
        rows,
        {},
        alt="Schedules of reports: when each is due, where it goes and how its last delivery ended",
        key="reports-schedules",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox("Schedule", [schedule.name for schedule in found], key="reports-chosen")
        st.button("Send now", on_click=_send, args=(view.workspace, name), key="reports-send")
        st.button("Remove", on_click=_remove, args=(view.workspace, name), key="reports-remove")


def _new(view: Page) -> None:
    settings = running.current().settings
    with st.expander("New schedule", expanded=False), st.form("reports-new", border=False):
        name = st.text_input("Name", placeholder="Monday for the CFO", max_chars=64)
        report = st.selectbox("Report", list(TITLES), format_func=_title)
        over = {**{name: View(days) for name, days in DAYS.items()}, **_saved(settings, view.workspace)}
        days = st.selectbox("Days", list(over), help="Of the Value and the Spend report.")
        link = st.text_input("Link to a saved scenario, for an ROI case", help=_SCENARIO)
        every = st.selectbox("When", list(EVERY))
        with st.container(horizontal=True):
            at = st.time_input("At", value="07:00", help="Local time of the recipient; daylight saving is followed.")
            zone = st.text_input("Time zone", value=st.context.timezone or "UTC")
            limit = st.text_input("Limit of a month's spend", value="", placeholder="5000")
        files = st.multiselect("Files", list(_FILES), default=["PDF"])
        to = st.text_area("To", placeholder="cfo@example.com", help=_ADDRESSES)
        if not st.form_submit_button("Make schedule", type="primary"):
            return
    cadence_ = EVERY[every].format(
        time=f"{at:%H:%M}" if at else "07:00", limit=limit.strip() or "0", currency=view.coverage.currencies[0]
    )
    formats = [_FILES[file] for file in files]
    of = token_of(link) if report == "roi" and link.strip() else None
    asked = View(of=of) if report in ON_RECORD else over[days]
    wanted = Wanted(name, report, asked, cadence_, zone.strip(), formats, to.split())
    try:
        schedules.add(settings, view.workspace, wanted, datetime.now(UTC))
    except LedgerError as error:
        st.error(str(error))
        return
    st.session_state["reports-said"] = f"Schedule {name} is kept."
    st.rerun()


def _send(workspace: str, name: str) -> None:
    """Send one schedule's report at once and say what became of it."""
    settings = running.current().settings
    try:
        send_again(settings, schedules.named(settings, workspace, name), datetime.now(UTC))
        done = send_due(settings)
    except LedgerError as error:
        st.session_state["reports-said"] = str(error)
        return
    st.session_state["reports-said"] = " ".join(done.errors) or f"{name} was sent."


def _remove(workspace: str, name: str) -> None:
    schedules.remove(running.current().settings, workspace, name)
    st.session_state["reports-said"] = f"Schedule {name} has ended; its history stays."


def _history(view: Page, found: Sequence[Schedule]) -> None:
    deliveries = schedules.history(running.current().settings, view.workspace, most=100)
    st.header("Deliveries", anchor=False)
    failed = [d for d in deliveries if d.state == DeliveryState.FAILED]
    if failed:
        st.warning(f"{len(failed):,} of the last {len(deliveries):,} deliveries failed; the reasons are below.")
    if not deliveries:
        st.caption("Nothing was due yet.")
        return
    held = {schedule.id: schedule for schedule in found}
    rows = [_row(delivery, held.get(delivery.schedule_id)) for delivery in deliveries]
    told = "Deliveries of reports, the newest first: schedule, address, state and reason"
    show(rows, {}, alt=told, key="reports-deliveries")


def _row(delivery: Delivery, schedule: Schedule | None) -> dict[str, object]:
    return {
        "Due (UTC)": f"{delivery.about:%Y-%m-%d %H:%M}",
        "Schedule": schedule.name if schedule else "(removed)",
        "To": schedule.shown[delivery.place] if schedule else "",
        "State": _WORDS[DeliveryState(delivery.state)],
        "Tries": delivery.attempts,
        "What was said": delivery.message,
    }


def _last(deliveries: Sequence[Delivery]) -> str:
    if not deliveries:
        return "Nothing sent yet"
    (newest,) = deliveries
    return f"{_WORDS[DeliveryState(newest.state)]}, {newest.about:%d %b %H:%M} UTC"


def _when(schedule: Schedule, now: datetime) -> str:
    when = cadence(schedule.cadence, schedule.zone)
    if not isinstance(when, Timed):
        return schedule.cadence.capitalize()
    return f"{schedule.cadence} ({schedule.zone}), next {when.after(now).astimezone(when.zone):%d %b %H:%M}"


def _title(report: str) -> str:
    return TITLES[report]


PAGE: Final = page(
    "Reports",
    "What goes out, to whom, and did it arrive?",
    draw,
)
