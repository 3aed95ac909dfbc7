"""What every report has to say of the ledger it stands on: what failed, what is missing, what may still change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Final

from analysis.quality import SourceQuality, quality
from analysis.result import fetch
from analysis.spend import spend_table
from reports import numbers
from reports.report import Report, Section
from reports.view import ReportError, View

if TYPE_CHECKING:
    from accounts.home import Settings
    from ledger.lake import Lake

#: Days at the end of a period without any charge of a source before it is called stale.
STALE_DAYS: Final = 3


@dataclass(frozen=True, slots=True)
class FailedSource:
    """A source whose newest pull failed: what it is called, since when its data is as it was, why, and in which run."""

    name: str
    since: datetime | None
    reason: str
    run: str = ""

    @property
    def sentence(self) -> str:
        """What is told before any figure."""
        age = f"its figures are as of {numbers.day(self.since.date())}" if self.since else "it has no figures yet"
        return f"Source {self.name} failed, {age}: {self.reason}"


@dataclass(frozen=True, slots=True)
class LedgerState:
    """The ledger behind a report.

    Attributes:
        snapshot: its number; every figure of the report is read from it.
        currencies: codes, the one with the most charges first.
        first, last: days with charges.
        newest_period: first day of the newest billing period, which may still be restated.
        synthetic: whether any load is sample data.
        sources: quality of every source.
        failed: sources whose newest pull failed.
    """

    snapshot: int
    currencies: tuple[str, ...]
    first: date
    last: date
    newest_period: date
    synthetic: bool
    sources: tuple[SourceQuality, ...]
    failed: tuple[FailedSource, ...]

    def currency(self, asked: str | None) -> str:
        """The currency asked for, or the one with the most charges.

        Raises:
            ReportError: there are no charges in it.
        """
        if asked is not None and asked not in self.currencies:
            held = ", ".join(self.currencies)
            raise ReportError(f"The ledger has no charges in {asked}; it has {held}. Choose one of them.")
        return asked or self.currencies[0]

    def alarms(self, first: date, last: date) -> tuple[str, ...]:
        """Sentences that stand before the figures of these days."""
        return (
            *(source.sentence for source in self.failed),
            *_stale(self.sources, last),
            *_gaps(self.sources, first, last),
        )

    def notes(self, last: date) -> tuple[str, ...]:
        """What else bears on the figures up to `last`."""
        if last < self.newest_period:
            return ()
        since = numbers.day(self.newest_period)
        return (f"Provisional from {since} on: the newest billing period may still be restated.",)

    def other_currencies(self, currency: str) -> tuple[str, ...]:
        """That charges in other currencies are not in the figures, where there are any."""
        others = ", ".join(code for code in self.currencies if code != currency)
        return (f"Charges in {others} are not in these figures: currencies are never added.",) if others else ()


@dataclass(frozen=True, slots=True)
class Basis:
    """What a report is made from: a workspace's ledger in one state, and what else is on record of it."""

    lake: Lake
    settings: Settings
    workspace: str
    state: LedgerState

    def report(self, name: str, title: str, view: View, made: datetime, sections: Sequence[Section]) -> Report:
        """The report of these sections, with what has to be said of the ledger before them."""
        first, last = view.bounds(made.date())
        currency, state = self.state.currency(view.currency), self.state
        scope = (f"Only {view.narrowed}.",) if view.narrowed else ()
        return Report(
            name=name,
            title=title,
            workspace=self.workspace,
            first=first,
            last=last,
            currency=currency,
            snapshot=state.snapshot,
            made=made,
            synthetic=state.synthetic,
            alarms=state.alarms(first, last),
            notes=(*scope, *state.other_currencies(currency), *state.notes(last)),
            sections=tuple(sections),
        )


def ledger_state(lake: Lake, failed: Sequence[FailedSource] = (), *, snapshot: int | None = None) -> LedgerState:
    """The state of a lake at its newest snapshot, or at the one given.

    Raises:
        ReportError: the ledger holds no charges.
    """
    number = lake.snapshot() if snapshot is None else snapshot
    with lake.reading("loads", "findings", "daily_spend", snapshot=number) as (loads, findings, daily):
        totals = sorted(spend_table(daily, ()).rows, key=lambda row: (-row.charges, row.currency))
        if not totals:
            raise ReportError(
                "The ledger holds no charges, so there is nothing to report. Load a bill (spendproof import FILE) or "
                "connect an account (spendproof connect PROVIDER)."
            )
        day, period = daily["ChargeDate"], daily["BillingPeriodStart"]
        edges = fetch(daily.aggregate(a=day.min(), b=day.max(), c=period.max()))[0]
        samples = {row["Synthetic"] for row in fetch(loads.select("Synthetic").distinct())}
        sources = quality(loads, findings, daily)
    return LedgerState(
        snapshot=number,
        currencies=tuple(row.currency for row in totals),
        first=edges["a"],
        last=edges["b"],
        newest_period=edges["c"].date(),
        synthetic=True in samples,
        sources=sources,
        failed=tuple(failed),
    )


def _stale(sources: Sequence[SourceQuality], last: date) -> list[str]:
    late = [
        (source, (last - source.coverage.days[-1]).days)
        for source in sources
        if source.coverage.days and (last - source.coverage.days[-1]).days > STALE_DAYS
    ]
    return [
        f"Source {source.connection} has nothing after {numbers.day(source.coverage.days[-1])}: the last "
        f"{days:,} days are without it, which is not the same as no spend."
        for source, days in late
    ]


def _gaps(sources: Sequence[SourceQuality], first: date, last: date) -> list[str]:
    sentences = list[str]()
    for source in sources:
        missing = [day for day in source.coverage.missing_days if first <= day <= last]
        if missing:
            edges = numbers.days(missing[0], missing[-1])
            sentences.append(
                f"Source {source.connection} lacks {numbers.some(len(missing), 'day')} of this period ({edges}); "
                "their spend is not in the figures."
            )
    return sentences
