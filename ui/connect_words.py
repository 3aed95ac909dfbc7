"""What the Connections page says: how a connection stands, what a step tells to do, and how a total compares."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from accounts.totals import ProviderTotal
from connectors.live import Setup
from jobs.reconciling import CENT
from reports import numbers
from ui.filling import filled

if TYPE_CHECKING:
    from accounts.sync_runs import SyncRun

_FENCE: Final = re.compile(r"```(\w*)\n(.*?)\n```", re.DOTALL)
_LINK: Final = re.compile(r"\[([^\]]+)\]\((https?://[^)\s]*)\)")
_MINUTE: Final = 60
_HOUR: Final = 3600
_HOURS_SHOWN: Final = 48
#: What a step holds that only somebody at a terminal does.
_COMMAND: Final = "spendproof connect "


class Stand(StrEnum):
    """How a connection stands, as its badge says it."""

    NEVER = "Not synced yet"
    STARTING = "Starting"
    RUNNING = "Syncing"
    DONE = "Synced"
    FAILED = "Failed"
    STOPPED = "Interrupted"


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a step.

    Attributes:
        text: Markdown, or what is to be copied where it is code.
        language: of the code; None where it is none.
    """

    text: str
    language: str | None = None


def age(since: timedelta) -> str:
    """How long ago something was: `less than a minute`, `12 minutes`, `7 hours`, `3 days`."""
    seconds = since.total_seconds()
    if seconds < _MINUTE:
        return "less than a minute"
    if seconds < _HOUR:
        return numbers.some(int(seconds // _MINUTE), "minute")
    hours = int(seconds // _HOUR)
    return numbers.some(hours, "hour") if hours < _HOURS_SHOWN else numbers.some(hours // 24, "day")


def moment(at: datetime) -> str:
    """A moment as `21 Nov 2026, 14:05 UTC`."""
    return f"{numbers.day(at)}, {at:%H:%M} UTC"


def as_of(done: datetime | None, now: datetime, *, brought: bool) -> str:
    """The age of what is shown of a connection; no finished sync, or one that brought nothing, is not old data."""
    if done is None:
        return "No sync has finished yet."
    return f"{'Data as of' if brought else 'Last finished sync:'} {moment(done)}, {age(now - done)} ago."


def progress(run: SyncRun) -> tuple[float, str]:
    """How far a sync is: the share of months that it has looked at, and in words what it does."""
    done = f"{run.steps_done} of {run.steps} months" if run.steps else "beginning"
    doing = f"{run.doing[:1].upper()}{run.doing[1:]}" if run.doing else "At work"
    return (run.steps_done / run.steps if run.steps else 0.0), f"{doing} ({done}; {counts(run)})"


def counts(run: SyncRun) -> str:
    """What a sync has fetched, and what its calls cost."""
    paid = f", {numbers.money(run.paid, 'USD')} charged by the provider" if run.paid else ""
    return (
        f"{numbers.some(run.pages, 'page')}, {numbers.some(run.rows, 'row')}, {numbers.some(run.calls, 'call')}{paid}"
    )


def parts(step: str, setup: Setup, values: Mapping[str, str]) -> list[Part]:
    """A step in pieces, `{field}` of what was entered filled in; secrets never are.

    A field that is still empty, or has not the shape that it asks for, stays as `{field}`, and a link that needs it is
    no link yet.
    """
    shaped = {f.name: v for f in setup.fields if (v := values.get(f.name)) and re.fullmatch(f.pattern or r"\S+", v)}
    labels = {f.name: f.label for f in setup.fields if f.name not in shaped}
    return [
        part if part.language is not None else Part(_LINK.sub(lambda found: _link(found, labels), part.text))
        for part in _split(filled(step, setup, shaped))
    ]


def by_command(step: str) -> bool:
    """Whether a step is only for somebody who connects by the command line."""
    return _COMMAND in step


def total_rows(totals: Sequence[tuple[str, ProviderTotal]]) -> list[dict[str, object]]:
    """Totals of connections as rows of a table; amounts exact, the ledger's missing where it holds nothing."""
    return [
        {
            "Connection": name,
            "Days": numbers.days(total.first, total.before - timedelta(days=1)),
            "Provider": total.amount,
            "Ledger": total.ledger,
            "Difference": total.difference,
            "Currency": total.currency,
            "Result": verdict(total),
            "Period": {True: "Closed", False: "Open", None: "Not stated"}[total.closed],
            "Stated by": total.origin,
            "Compared (UTC)": f"{total.checked_at:%Y-%m-%d %H:%M}",
        }
        for name, total in totals
    ]


def beforehand(totals: Sequence[ProviderTotal]) -> str:
    """The provider's own figure of the newest days whose charges are still to come; empty where there are none."""
    known = [total for total in totals if total.is_provisional]
    newest = max((total.before for total in known), default=None)
    return " ".join(
        f"Provisional: {total.origin} says {numbers.money(total.amount, total.currency)} of "
        f"{numbers.days(total.first, total.before - timedelta(days=1))}. Its charges are still to come, and nothing of "
        "this figure is in the ledger."
        for total in known
        if total.before == newest
    )


def verdict(total: ProviderTotal) -> str:
    """Whether the two figures agree to the cent, or why they cannot be compared."""
    if total.difference is None:
        return "Provisional, charges still to come" if total.is_provisional else "Nothing in the ledger"
    if abs(total.difference) < CENT:
        return "Same to the cent"
    return "Differs; the period is open" if total.closed is False else "Differs"


def _split(step: str) -> Iterator[Part]:
    at = 0
    for fence in _FENCE.finditer(step):
        if text := step[at : fence.start()].strip():
            yield Part(text)
        yield Part(fence.group(2), fence.group(1))
        at = fence.end()
    if text := step[at:].strip():
        yield Part(text)


def _link(found: re.Match[str], labels: Mapping[str, str]) -> str:
    """A link as it is, or its words and what it still needs."""
    missing = [label for name, label in labels.items() if f"{{{name}}}" in found.group(2)]
    return f"{found.group(1)} (it needs: {', '.join(missing)})" if missing else found.group(0)
