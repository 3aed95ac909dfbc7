"""One sync of one connection: fetch what is not settled, load it window by window, and compare totals.

The newest month comes first, so that the first number is there within minutes and the history fills up behind it.
Whatever stops a sync - a kill, a refusal, a budget - the next one goes on after the last page that was kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from dataclasses import replace as with_
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from accounts import connections, credentials, sync_runs
from accounts.home import lake_address
from accounts.locks import connection_lock, raw_folder
from accounts.sync_runs import RunState, SyncRun
from connectors.errors import BudgetError, ConnectorError, StaleResumeError
from connectors.importing import import_files
from connectors.live import Access, Meter, Source, Stream, Window
from connectors.sources import Provider, provider
from jobs import coverage, landing, reconciling
from ledger.errors import LedgerError, SmallerLoadError, WriterBusyError
from ledger.lake import Lake
from ledger.replace import Loaded
from ledger.staging import Fetched

if TYPE_CHECKING:
    from accounts.connections import Connection
    from accounts.home import Settings

#: Times that a window is fetched from its beginning where its pages do not fit together.
_TRIES: Final = 2
#: Bytes of pages that one thread loads at once.
_SMALL: Final = 8 << 20

Say = Callable[[str], None]


def _utc() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Tools:
    """What a sync needs of the world; tests hand in their own.

    Attributes:
        find: the provider of a name.
        now: the present moment, UTC.
        sleep: waits; None for real waiting.
        say: takes sentences of progress.
    """

    find: Callable[[str], Provider] = provider
    now: Callable[[], datetime] = _utc
    sleep: Callable[[float], None] | None = None
    say: Say = lambda _: None


@dataclass(slots=True)
class _Sync:
    """The state of one sync, which holds the connection's lock."""

    settings: Settings
    connection: Connection
    run: SyncRun
    lake: Lake
    source: Source
    meter: Meter
    overlap_days: int
    raw: Path
    tools: Tools
    force: bool
    #: What went wrong, and with which streams or totals.
    problems: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    #: What a person should know although the sync is done.
    notes: list[str] = field(default_factory=list[str])
    failed: set[str] = field(default_factory=set[str])
    #: Windows whose charges this sync loaded, and the streams that brought them.
    touched: set[Window] = field(default_factory=set[Window])
    charging: set[str] = field(default_factory=set[str])
    #: Whether the provider has refused a total; it is not asked for another one.
    refused: bool = False

    def problem(self, what: str, reason: str) -> None:
        """Note what went wrong; one reason that stops several streams is told once."""
        self.problems.setdefault(reason, []).append(what)
        self.tools.say(f"{self.connection.name}: {what}: {reason}")

    @property
    def sentence(self) -> str:
        """All problems in words."""
        return " ".join(f"{', '.join(names)}: {reason}" for reason, names in self.problems.items())

    def report(self, doing: str) -> None:
        """Record how far the sync is."""
        self.run.doing = doing
        self.run.calls, self.run.paid = self.meter.calls, self.meter.paid
        sync_runs.save(self.settings, self.run)


def sync(settings: Settings, workspace: str, name: str, *, force: bool = False, tools: Tools | None = None) -> SyncRun:
    """Sync a connection now; what went wrong at the provider stands in the run.

    Args:
        settings: where everything is.
        workspace: whose connection it is.
        name: the connection's name.
        force: replace even what is larger than what was fetched.
        tools: what it needs of the world.

    Raises:
        ConnectionsError: there is no such connection, or a sync of it is running.
        VaultError: its secrets cannot be read.
    """
    used = tools or Tools()
    connection = connections.named(settings, workspace, name)
    with connection_lock(settings, connection):
        run = sync_runs.begin(settings, connection, used.now())
        hidden, notes = credentials.Credentials({}, ()), list[str]()
        meter = Meter(connection.paid_limit)
        try:
            known = used.find(connection.provider)
            hidden = credentials.unseal(settings, connection, known.setup.fields)
            used = with_(used, say=_quietly(used.say, hidden))
            access = _access(hidden, meter, used)
            with Lake(lake_address(settings, workspace)) as lake:
                state = _Sync(
                    settings,
                    connection,
                    run,
                    lake,
                    known.open(access),
                    meter,
                    known.setup.overlap_days,
                    raw_folder(settings, connection),
                    used,
                    force,
                )
                _follow(state, known.setup.history_days)
            problems, notes = state.sentence, state.notes
        except (ConnectorError, LedgerError) as error:
            problems = str(error)
        except Exception as error:  # noqa: BLE001 - an SDK may raise anything, and a run must not stay open
            problems = f"Unexpected: {type(error).__name__}: {' '.join(str(error).split())[:300]}."
        run.state = RunState.FAILED if problems else RunState.DONE
        run.message = hidden.redacted(" ".join(filter(None, (problems, *notes))))
        run.calls, run.paid = meter.calls, meter.paid
        run.doing, run.ended_at = "", used.now()
        sync_runs.save(settings, run)
    return run


def _access(found: credentials.Credentials, meter: Meter, tools: Tools) -> Access:
    if tools.sleep is None:
        return Access(found.values, meter, now=tools.now)
    return Access(found.values, meter, tools.sleep, tools.now)


def _quietly(say: Say, hidden: credentials.Credentials) -> Say:
    return lambda sentence: say(hidden.redacted(sentence))


def _follow(state: _Sync, history_days: int) -> None:
    """Every stream of every month that is not settled, newest first; a stream that fails does not stop the others."""
    landing.sweep(state.raw, state.tools.now())
    today = state.tools.now().date()
    oldest = today - timedelta(days=history_days)
    loads = coverage.loaded(state.lake, state.connection.source)
    since = sync_runs.killed_since(state.settings, state.connection, state.tools.now() - landing.KEPT_FOR)
    done = set[tuple[str, Window]]()
    steps = list(coverage.months(oldest, today + timedelta(days=1)))
    state.run.steps = len(steps)
    for month in steps:
        state.report(f"looking at {month.first:%B %Y}")
        for offered in state.source.streams(month):
            needed = coverage.missing(offered, loads, state.overlap_days, since)
            if needed is None or (offered.name, offered.window) in done or offered.name in state.failed:
                continue
            stream = _narrowed(state.source, offered, needed)
            done.update({(offered.name, offered.window), (stream.name, stream.window)})
            _guarded(state, stream)
        _compare(state, month, today)
        state.run.steps_done += 1


def _narrowed(source: Source, offered: Stream, needed: Window) -> Stream:
    """The same stream for the days needed; a source may answer with a wider one, such as a billing month."""
    if needed == offered.window:
        return offered
    return next((s for s in source.streams(needed) if s.name == offered.name), offered)


def _guarded(state: _Sync, stream: Stream) -> None:
    try:
        _fetch_and_load(state, stream)
    except (ConnectorError, LedgerError) as error:
        state.failed.add(stream.name)
        state.problem(f"{stream.name} of {_shown(stream.window)}", str(error))


def _fetch_and_load(state: _Sync, stream: Stream) -> None:
    place = landing.Landing(state.raw, stream)
    for attempt in range(_TRIES):
        try:
            complete = _fetch(state, stream, place)
            break
        except StaleResumeError:
            place.discard()
            if attempt == _TRIES - 1:
                raise
    else:
        raise AssertionError
    if not complete:
        return
    state.report(f"loading {stream.name}, {_shown(stream.window)}")
    try:
        results = _load(state, stream, place)
    except WriterBusyError:
        raise
    except (ConnectorError, LedgerError):
        # Pages that cannot be loaded must not be met again; the next sync fetches them anew.
        place.discard()
        raise
    place.settle(results[0].load_id)
    rows = sum(result.rows_loaded for result in results)
    state.tools.say(f"{state.connection.name}: {stream.name} of {_shown(stream.window)}: {rows:,} rows")
    state.run.rows += rows
    state.run.loads = [*state.run.loads, *(result.load_id for result in results)]
    if any(result.table == "charges" for result in results):
        state.touched.add(stream.window)
        state.charging.add(stream.name)


def _fetch(state: _Sync, stream: Stream, place: landing.Landing) -> bool:
    """Bring the pages of a window to disk; whether there were any."""
    journal = place.journal(state.tools.now())
    if journal.complete:
        return True
    for page in state.source.pull(stream, journal.resume):
        journal = place.keep(page, journal)
        state.run.pages += 1
        state.report(f"fetching {stream.name}, {_shown(stream.window)}, page {journal.pages}")
    return journal.complete


def _load(state: _Sync, stream: Stream, place: landing.Landing) -> list[Loaded]:
    account = place.journal(state.tools.now()).account
    fetched = Fetched(stream.name, stream.version, stream.window.first, stream.window.end, account)
    # Two threads take a third more CPU time than one for a load that either finishes in a second.
    state.lake.cursor().execute("SET threads = 1" if place.size < _SMALL else "RESET threads")

    def into(lake: Lake, *, force: bool) -> list[Loaded]:
        return import_files(
            lake,
            [str(place.folder)],
            source=state.connection.name,
            format_name=stream.format,
            fetched=fetched,
            force=force,
            now=state.tools.now(),
        )

    try:
        return into(state.lake, force=state.force)
    except SmallerLoadError as smaller:
        # The provider may have restated downwards. Its own total says whether these pages are all there is.
        if not (
            _is_restated(state, stream, smaller)
            or reconciling.is_confirmed(state.source, stream.window, state.lake, into)
        ):
            raise
        loads = into(state.lake, force=True)
        if smaller.difference:
            name = f"{stream.name} of {_shown(stream.window)}"
            state.notes.append(f"{name} was restated downwards by the provider: {smaller.difference}.")
        return loads


def _is_restated(state: _Sync, stream: Stream, smaller: SmallerLoadError) -> bool:
    """Whether a smaller load is what the provider means, while it may still restate the days.

    A delivery that the provider names is whole when its pull ends (its manifest's files, its query's rows), so that
    less money is a correction. Fewer days are not: a bill that is cut off has them too.
    """
    age = (state.tools.now().date() - stream.window.first).days
    return bool(stream.version) and not smaller.fewer_days and age <= state.overlap_days


def _compare(state: _Sync, month: Window, today: date) -> None:
    """Ask for the provider's totals of a month that this sync changed, or whose charges no load has brought yet.

    The day of today is left out: it changes between the two questions.
    """
    window = Window(month.first, min(month.end, today))
    if state.refused or window.first >= window.end:
        return
    now = state.tools.now()
    try:
        if any(w.first < window.end and window.first < w.end for w in state.touched):
            _agree(state, window)
        elif reconciling.is_awaited(state.settings, state.connection, state.lake, window, now):
            _ask_beforehand(state, window, now)
    except ConnectorError as error:
        state.refused = True
        state.problem(f"total of {window.first:%B %Y}", str(error))


def _ask_beforehand(state: _Sync, window: Window, now: datetime) -> None:
    """Keep the provider's total of days whose charges are still to come; a limit of paid calls may forbid it."""
    try:
        for total in reconciling.keep_provisional(state.settings, state.connection, state.source, window, now):
            state.tools.say(
                f"{state.connection.name}: {_shown(window)}: {total.origin} {total.amount:,.2f} {total.currency}, "
                "provisional"
            )
    except BudgetError as error:
        state.refused = True
        state.notes.append(str(error))


def _agree(state: _Sync, window: Window) -> None:
    """Hold the ledger against the provider's totals; fetch the charges once more if they differ."""
    ask = partial(reconciling.compare, state.settings, state.connection, state.lake, state.source, window)
    differing = ask(state.tools.now())
    # Where the provider names its deliveries, what it delivered is what there is.
    unnamed = [s for s in state.source.streams(window) if not s.version and s.name in state.charging]
    if differing and unnamed:
        state.tools.say(f"{state.connection.name}: {differing[0].sentence} It is fetched once more.")
        for stream in unnamed:
            _guarded(state, stream)
        differing = ask(state.tools.now())
    state.notes += [d.sentence for d in differing]


def _shown(window: Window) -> str:
    return f"{window.first} to {window.end - timedelta(days=1)}"
