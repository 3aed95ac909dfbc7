"""What every live source promises, as one suite of tests.

A module makes a `Case` for its provider and subclasses `LiveContract`; the case's server checks requests as strictly as
the provider does. After every fault the ledger must equal the provider's truth after the next sync, with nothing twice.
"""

from __future__ import annotations

import atexit
import re
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import SecretStr

from accounts import connections, credentials, sync_runs
from accounts.connections import Connection
from accounts.home import Settings, lake_address
from accounts.sync_runs import RunState, SyncRun
from accounts.vault import new_key
from connectors.live import Access, Page, Source, Stream, Window
from connectors.sources import Provider
from jobs.sync import Tools, sync
from ledger.lake import Lake
from tests.loopback.server import Loopback


class Killed(BaseException):
    """Stands for the death of the process: nothing may catch it."""


class Case(ABC):
    """A provider on the loopback, with an account whose charges are known."""

    server: Loopback
    now: datetime
    #: What is entered to connect; the secret is `secret`.
    values: dict[str, str]
    secret: str
    #: Headers by which this provider asks for a wait of 7 seconds.
    throttle: ClassVar[dict[str, str]] = {"Retry-After": "7"}
    #: A request of the streams, from 1, that the provider answers with data.
    fault_at: ClassVar[int] = 2
    #: Whether pages are whole or cut off at HTTP level only.
    provider: Provider

    @abstractmethod
    def truth(self) -> dict[str, Decimal]:
        """What the account was charged, by currency, on all days that a sync covers."""

    @abstractmethod
    def restate(self, factor: str) -> None:
        """Multiply what the account was charged on the days that may still be restated."""

    @abstractmethod
    def lose_key(self) -> None:
        """Let the provider refuse the secret from now on."""

    @abstractmethod
    def find_key(self) -> None:
        """Let it take the secret again."""

    def source(self, waits: list[float] | None = None) -> Source:
        """The source, opened as a sync opens it."""
        slept = [] if waits is None else waits
        return self.provider.open(Access(self.values, sleep=slept.append, now=lambda: self.now))

    @property
    def window(self) -> Window:
        """The days that a first sync covers."""
        today = self.now.date()
        return Window(today - timedelta(days=self.provider.setup.history_days), today + timedelta(days=1))


@cache
def _blank() -> Path:
    """A home with an empty lake and a migrated database, which each desk copies: making them takes half a second."""
    folder = Path(tempfile.mkdtemp(prefix="spendproof-blank-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    settings = Settings(home=folder)
    connections.listed(settings, "default")
    Lake(lake_address(settings, "default")).close()
    return folder


class Desk:
    """A workspace with one connection to the case's provider."""

    def __init__(self, case: Case, home: Path, beside: Desk | None = None) -> None:
        """`beside`: a desk whose workspace gets one more connection."""
        self.case = case
        if beside is None:
            shutil.copytree(_blank(), home, dirs_exist_ok=True)
        self.settings = beside.settings if beside else Settings(home=home, master_key=SecretStr(new_key()))
        self.name = "another" if beside else "account"
        self.connection: Connection = connections.new("default", self.name, case.provider.name)
        credentials.seal(self.settings, self.connection, case.provider.setup.fields, case.values)
        connections.add(self.settings, self.connection)
        self.waits: list[float] = []
        self.said: list[str] = []
        self.kill_at: int | None = None
        self.pages = self.syncs = 0

    def sync(self, *, force: bool = False) -> SyncRun:
        """One sync, a minute after the one before."""
        self.syncs += 1
        moment = self.case.now + timedelta(minutes=self.syncs)
        provider = replace(self.case.provider, open=lambda access: _Dying(self, self.case.provider.open(access)))
        tools = Tools(find=lambda _: provider, now=lambda: moment, sleep=self.waits.append, say=self.said.append)
        return sync(self.settings, "default", self.name, force=force, tools=tools)

    def accounts(self) -> set[str]:
        """The billing accounts of the charges."""
        with Lake(lake_address(self.settings, "default")) as lake:
            return {row["a"] for row in lake.records("SELECT DISTINCT BillingAccountId AS a FROM charges")}

    def ledger(self) -> tuple[dict[str, Decimal], int, int]:
        """Charges by currency, rows of charges, rows of usage."""
        with Lake(lake_address(self.settings, "default")) as lake:
            money = lake.records("SELECT BillingCurrency AS c, sum(BilledCost) AS s FROM charges GROUP BY 1")
            (charges,) = lake.records("SELECT count(*) AS n FROM charges")
            (usage,) = lake.records("SELECT count(*) AS n FROM usage")
        return {row["c"]: row["s"] for row in money if row["s"]}, charges["n"], usage["n"]


class _Dying:
    """A source whose process dies after so many pages were kept."""

    def __init__(self, desk: Desk, source: Source) -> None:
        self._desk, self._source = desk, source
        self.diagnose, self.streams, self.totals = source.diagnose, source.streams, source.totals

    def pull(self, stream: Stream, resume: str | None) -> Iterator[Page]:
        """The pages, until it dies."""
        for page in self._source.pull(stream, resume):
            yield page
            self._desk.pages += 1
            if self._desk.kill_at is not None and self._desk.pages >= self._desk.kill_at:
                raise Killed


def contents(source: Source, streams: list[Stream]) -> list[tuple[str, bytes]]:
    """Names and bytes of all pages of some streams; a page that is a file is read before the next is asked for."""
    return [
        (page.name, page.body if isinstance(page.body, bytes) else page.body.read_bytes())
        for stream in streams
        for page in source.pull(stream, None)
    ]


def pulled(source: Source, stream: Stream, resume: str | None = None) -> list[Page]:
    """All pages of a stream."""
    return list(source.pull(stream, resume))


class LiveContract:
    """The suite; a subclass gives the fixture `case`."""

    @pytest.fixture
    def desk(self, case: Case, tmp_path: Path) -> Desk:
        """A workspace that is connected to the case's provider."""
        return Desk(case, tmp_path)

    @pytest.fixture
    def streams(self, case: Case) -> Iterator[list[Stream]]:
        """The streams of the case's newest days."""
        window = Window(case.window.end - timedelta(days=20), case.window.end)
        return iter([case.source().streams(window)])

    def test_streams_have_names_that_stay_and_windows_that_hold_what_was_asked(self, case: Case) -> None:
        window = Window(case.window.end - timedelta(days=3), case.window.end)
        first, again = case.source().streams(window), case.source().streams(window)
        assert [s.name for s in first] == [s.name for s in again] != []
        assert all(re.fullmatch(r"[a-z0-9-]+", s.name) for s in first)
        for name in {s.name for s in first}:
            days = sorted((s.window.first, s.window.end) for s in first if s.name == name)
            assert days[0][0] <= window.first
            assert days[-1][1] >= window.end
            assert [end for _, end in days[:-1]] == [start for start, _ in days[1:]]

    def test_a_pull_goes_on_after_any_of_its_pages(self, case: Case, streams: Iterator[list[Stream]]) -> None:
        source = case.source()
        for stream in next(streams):
            pages = pulled(source, stream)
            assert len({page.name for page in pages}) == len(pages)
            assert [page.resume is None for page in pages] == [False] * (len(pages) - 1) + [True]
            for at, page in enumerate(pages[:-1]):
                rest = pulled(case.source(), stream, page.resume)
                assert [(p.name, p.body) for p in rest] == [(p.name, p.body) for p in pages[at + 1 :]]

    def test_the_ledger_equals_the_provider_and_stays_so(self, case: Case, desk: Desk) -> None:
        assert desk.sync().message == ""
        once = desk.ledger()
        assert once[0] == case.truth()
        assert desk.sync().state == RunState.DONE
        assert desk.ledger() == once

    @pytest.mark.parametrize(
        "fault",
        [
            {"status": 429},
            {"status": 500},
            {"status": 503, "body": b"<html>busy</html>"},
            {"reset": True},
            {"sent": 0.5},
            {"sent": 0.5, "stated": False},
        ],
        ids=["429", "500", "503", "reset", "truncated", "cut"],
    )
    def test_a_passing_fault_is_waited_for(
        self, case: Case, streams: Iterator[list[Stream]], fault: dict[str, object]
    ) -> None:
        offered, waits = next(streams), list[float]()
        whole = contents(case.source(), offered)
        case.server.fail(case.fault_at, times=2, **fault)
        assert contents(case.source(waits), offered) == whole
        assert waits == [1, 2]

    def test_a_throttle_that_names_its_wait_is_obeyed_in_a_sync(self, case: Case, desk: Desk) -> None:
        case.server.fail(2, status=429, headers=case.throttle)
        assert desk.sync().message == ""
        assert desk.waits == [7]
        assert desk.ledger()[0] == case.truth()

    def test_a_provider_that_stays_down_fails_the_sync_and_keeps_the_ledger(self, case: Case, desk: Desk) -> None:
        desk.sync()
        before = desk.ledger()
        case.restate("2")
        case.server.fail(1, times=10_000, status=500)
        run = desk.sync()
        assert run.state == RunState.FAILED
        assert "500" in run.message
        assert desk.ledger() == before
        case.server.faults.clear()
        assert desk.sync().message == ""
        money, *rows = desk.ledger()
        assert money == case.truth() != before[0]
        assert rows == list(before[1:])

    def test_a_secret_that_ends_in_mid_sync_is_a_sentence_and_costs_no_page(self, case: Case, desk: Desk) -> None:
        desk.kill_at = 2
        with pytest.raises(Killed):
            desk.sync()
        desk.kill_at = None
        case.lose_key()
        run = desk.sync()
        assert run.state == RunState.FAILED
        assert case.secret not in run.message + "".join(desk.said)
        case.find_key()
        assert desk.sync().message == ""
        assert desk.ledger()[0] == case.truth()

    @pytest.mark.parametrize("at", [1, 4])
    def test_a_kill_repeats_no_page_that_was_kept(self, case: Case, desk: Desk, at: int) -> None:
        desk.kill_at = at
        with pytest.raises(Killed):
            desk.sync()
        asked = len(case.server.requests)
        desk.kill_at = None
        assert desk.sync().message == ""
        assert sync_runs.history(desk.settings, desk.connection)[1].state == RunState.KILLED
        again = [r for r in case.server.requests[asked:] if r in case.server.requests[:asked]]
        assert len(again) <= 1
        assert desk.ledger()[0] == case.truth()

    @pytest.mark.parametrize("factor", ["0.5", "0"])
    def test_a_restated_period_replaces_what_was_there(self, case: Case, desk: Desk, factor: str) -> None:
        """Downwards; a period restated upwards is what the test above fetches after the failure."""
        desk.sync()
        _, *rows = desk.ledger()
        case.restate(factor)
        desk.sync(force=factor == "0")
        assert desk.ledger() == (case.truth(), *rows)

    def test_a_sound_connection_passes_every_step(self, case: Case) -> None:
        found = case.source().diagnose()
        assert [(d.step, d.message) for d in found if d.passed is not True] == []

    def test_a_refused_secret_is_told_with_its_fix(self, case: Case) -> None:
        case.lose_key()
        found = case.source().diagnose()
        (failed,) = [d for d in found if d.passed is False]
        assert failed.message
        assert failed.fix
        assert case.secret not in str(found)
        assert all(d.passed is None for d in found[found.index(failed) + 1 :])

    def test_a_clock_that_is_off_is_told(self, case: Case) -> None:
        case.server.now = case.now + timedelta(minutes=20)
        (failed,) = [d for d in case.source().diagnose() if d.passed is False]
        assert "20 minutes behind" in failed.message

    def test_its_own_totals_are_the_truth(self, case: Case) -> None:
        totals = case.source().totals(case.window)
        assert {t.currency: t.amount for t in totals} in ({}, case.truth())

    def test_no_secret_shows(self, case: Case, desk: Desk) -> None:
        desk.sync()
        access = Access(case.values)
        stored = (desk.settings.home / "accounts.db").read_bytes()
        assert case.secret not in repr(access) + "".join(desk.said)
        assert case.secret.encode() not in stored
        assert not any(case.secret in str(r.query) + r.path for r in case.server.requests)
