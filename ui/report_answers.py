"""What the commands about reports print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.scope import parse
from jobs import schedules as kept
from jobs.cadence import Timed, cadence
from jobs.planning import send_again
from jobs.reporting import Reporter, send_due
from jobs.schedules import Delivery, DeliveryState, Schedule, Wanted
from reports.catalog import ON_RECORD, known
from reports.render import file_name, render
from reports.render import known as known_format
from reports.report import Report
from reports.scenario import token_of
from reports.view import ReportError, Span, View
from ui import console

if TYPE_CHECKING:
    from accounts.home import Settings


@dataclass(frozen=True, slots=True)
class Said:
    """What a person wrote about a report: days, scope and currency, or a saved view, or one thing on record."""

    days: str | None
    scope: str
    currency: str | None
    saved: str | None
    proof: str | None
    scenario: str | None


def asked(name: str, said: Said) -> View:
    """The view that a person wrote.

    Raises:
        ReportError: two things were said that exclude each other, or one that the report has no use for.
    """
    if said.saved is not None and (said.days or said.scope or said.currency):
        raise ReportError("A saved view says days, scope and currency itself; leave out --days, --scope, --currency.")
    for option, value, report in (("--proof", said.proof, "proof"), ("--scenario", said.scenario, "roi")):
        if value is not None and name != report:
            raise ReportError(f"{option} is for the report {report}; this one is {name}.")
    over = (said.saved, said.days, said.scope or None, said.currency)
    if known(name) in ON_RECORD and any(value is not None for value in over):
        raise ReportError(f"A report of kind {name} has days and scope of its own; leave the others out.")
    of = said.proof or (token_of(said.scenario) if said.scenario else None)
    return View(said.days or Span.LAST_MONTH, parse(said.scope), said.currency, said.saved, of)


def write(
    settings: Settings, workspace: str, name: str, view: View, format_: str, out: Path | None, *, as_json: bool
) -> None:
    """Make a report and write it to a file."""
    known_format(format_)
    with Reporter(settings) as reporter:
        report = reporter.report(workspace, name, view, datetime.now(UTC))
    path = _path(report, format_, out)
    content = render(report, format_)
    path.write_bytes(content)
    for beside, body in (report.beside(format_, path.name, content) if report.beside else {}).items():
        path.with_name(beside).write_bytes(body)
    if as_json:
        console.print_json({"report": report.name, "path": str(path), **_facts(report)})
        return
    console.say_out(f"{report.title}, {report.period}, in {path}.")
    for sentence in (*report.alarms, *report.notes):
        console.say_out(f"  {sentence}")


def add(
    settings: Settings,
    workspace: str,
    name: str,
    report: str,
    view: View,
    every: str,
    zone: str,
    formats: str,
    to: Sequence[str],
    as_json: bool,
) -> None:
    """Keep a schedule and say when it is due first."""
    chosen = [part for part in (part.strip() for part in formats.split(",")) if part]
    now = datetime.now(UTC)
    schedule = kept.add(settings, workspace, Wanted(name, report, view, every, zone, chosen, to), now)
    if as_json:
        console.print_json(_schedule(schedule, now, None))
    else:
        console.say_out(f"{schedule.name}: {_due(schedule, now)}, to {', '.join(schedule.shown)}.")


def print_schedules(settings: Settings, workspace: str, now: datetime, *, as_json: bool) -> None:
    """Every schedule of a workspace with its last delivery."""
    found = kept.listed(settings, workspace)
    last = {s.id: next(iter(kept.history(settings, workspace, schedule=s.id, most=1)), None) for s in found}
    if as_json:
        console.print_json([_schedule(s, now, last[s.id]) for s in found])
        return
    if not found:
        console.say_out(f"Workspace {workspace} sends no reports yet. Begin: spendproof schedule add --help")
    for schedule in found:
        delivery = last[schedule.id]
        ended = f"; last: {delivery.state}{_reason(delivery)}" if delivery else "; nothing sent yet"
        console.say_out(f"{schedule.name}: {schedule.report} report, {_due(schedule, now)}{ended}")
        console.say_out(f"  to {', '.join(schedule.shown)} as {', '.join(schedule.formats)}")


def run(settings: Settings, workspace: str, name: str | None, *, as_json: bool) -> bool:
    """Send one schedule's report now, or everything that is due; whether all of it went."""
    if name is not None:
        send_again(settings, kept.named(settings, workspace, name), datetime.now(UTC))
    done = send_due(settings)
    if as_json:
        console.print_json(
            {"sent": done.sent, "to_try_again": done.again, "failed": done.failed, "errors": done.errors}
        )
    else:
        for error in done.errors:
            console.fail(error)
        again = f", {done.again} to be tried again" if done.again else ""
        console.say_out(f"{done.sent} sent{again}{f', {done.failed} failed' if done.failed else ''}.")
    return not done.errors


def print_history(settings: Settings, workspace: str, name: str | None, *, as_json: bool) -> None:
    """Deliveries, the newest first."""
    held = {s.id: s for s in kept.listed(settings, workspace)}
    of = kept.named(settings, workspace, name).id if name is not None else None
    found = kept.history(settings, workspace, schedule=of)
    if as_json:
        console.print_json([_delivery(d, held.get(d.schedule_id)) for d in found])
        return
    if not found:
        console.say_out("Nothing was due yet.")
    for d in found:
        schedule = held.get(d.schedule_id)
        what = f"{schedule.name} to {schedule.shown[d.place]}" if schedule else "a removed schedule"
        console.say_out(f"{d.about:%Y-%m-%d %H:%M} UTC  {d.state:8s}  {what}{_reason(d)}")


def _path(report: Report, format_: str, out: Path | None) -> Path:
    name = file_name(report, format_)
    if out is None:
        return Path(name)
    return out / name if out.is_dir() else out


def _facts(report: Report) -> dict[str, Any]:
    return {
        "of": report.of or None,
        "workspace": report.workspace,
        "first_day": report.first.isoformat(),
        "last_day": report.last.isoformat(),
        "currency": report.currency,
        "snapshot": report.snapshot,
        "digest": report.digest,
        "synthetic": report.synthetic,
        "alarms": list(report.alarms),
        "notes": list(report.notes),
    }


def _due(schedule: Schedule, now: datetime) -> str:
    when = cadence(schedule.cadence, schedule.zone)
    if not isinstance(when, Timed):
        return schedule.cadence
    return f"{schedule.cadence} {schedule.zone}, next {when.after(now).astimezone(when.zone):%Y-%m-%d %H:%M}"


def _schedule(schedule: Schedule, now: datetime, last: Delivery | None) -> dict[str, Any]:
    when = cadence(schedule.cadence, schedule.zone)
    return {
        "name": schedule.name,
        "report": schedule.report,
        "view": schedule.view,
        "every": schedule.cadence,
        "zone": schedule.zone,
        "next": when.after(now).isoformat() if isinstance(when, Timed) else None,
        "to": schedule.shown,
        "formats": schedule.formats,
        "last": None if last is None else _delivery(last, schedule),
    }


def _delivery(delivery: Delivery, schedule: Schedule | None) -> dict[str, Any]:
    return {
        "schedule": schedule.name if schedule else None,
        "occasion": delivery.occasion,
        "about": delivery.about.isoformat(),
        "to": schedule.shown[delivery.place] if schedule else None,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "sent_at": delivery.sent_at.isoformat() if delivery.sent_at else None,
        "message": delivery.message,
    }


def _reason(delivery: Delivery) -> str:
    return f" ({delivery.message})" if delivery.message and delivery.state != DeliveryState.SENT else ""
