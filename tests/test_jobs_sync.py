"""Syncs that are killed, refused, or run side by side; what must hold whoever the provider is."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from accounts import connections, sync_runs, totals
from accounts.errors import ConnectionsError
from accounts.home import lake_address
from accounts.locks import connection_lock, raw_folder
from accounts.sync_runs import RunState
from connectors.errors import BudgetError
from connectors.live import Access, Source, Stream, Total, Window
from jobs import coverage, reconciling
from ledger.lake import Lake
from ledger.remove import remove_source
from tests.live_contract import Desk
from tests.test_connectors_openai_live import NOW, OpenAICase

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def case() -> Iterator[OpenAICase]:
    made = OpenAICase()
    with made.api:
        yield made


@pytest.fixture
def desk(case: OpenAICase, tmp_path: Path) -> Desk:
    return Desk(case, tmp_path)


def spent(desk: Desk) -> dict[str, Decimal]:
    return desk.ledger()[0]


def test_a_sync_that_is_killed_by_the_system_goes_on_where_it_was(case: OpenAICase, desk: Desk) -> None:
    key = desk.settings.master_key
    assert key is not None
    environment = {
        "PATH": "",
        "PYTHONPATH": str(ROOT),
        "SPENDPROOF_HOME": str(desk.settings.home),
        "SPENDPROOF_MASTER_KEY": key.get_secret_value(),
        "OPENAI_BASE_URL": f"{case.api.url}/v1",
    }
    case.server.now = datetime.now(UTC)
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "cli.py"), "sync", "account"], env=environment, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 120
    while len(case.api.requests) < 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    asked = len(case.api.requests)
    assert asked >= 4
    done = subprocess.run(
        [sys.executable, str(ROOT / "cli.py"), "sync", "account"], env=environment, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    runs = sync_runs.history(desk.settings, desk.connection)
    assert [run.state for run in runs] == [RunState.DONE, RunState.KILLED]
    again = [r for r in case.api.requests[asked:] if r in case.api.requests[:asked]]
    assert len(again) <= 1
    assert spent(desk) == case.truth()


def test_one_sync_of_a_connection_at_a_time(desk: Desk) -> None:
    with (
        connection_lock(desk.settings, desk.connection),
        pytest.raises(ConnectionsError, match="A sync of account is running already"),
    ):
        desk.sync()
    assert desk.sync().state == RunState.DONE


def test_a_source_taken_out_of_the_ledger_is_fetched_from_the_beginning(case: OpenAICase, desk: Desk) -> None:
    case.provider = replace(case.provider, setup=replace(case.provider.setup, overlap_days=0))
    desk.sync()
    with Lake(lake_address(desk.settings, "default")) as lake:
        remove_source(lake, "live:account")
    assert spent(desk) == {}
    desk.sync()
    assert spent(desk) == case.truth()


def test_settled_days_are_not_asked_for_again(case: OpenAICase, desk: Desk) -> None:
    case.provider = replace(case.provider, setup=replace(case.provider.setup, overlap_days=2))
    desk.sync()
    asked = len(case.api.requests)
    desk.sync()
    starts = [int(r.query["start_time"][0]) for r in case.api.requests[asked:] if "group_by[]" in r.query]
    assert date(1970, 1, 1) + timedelta(seconds=min(starts)) == NOW.date() - timedelta(days=2)


def test_much_less_money_is_refused_where_the_provider_does_not_confirm_it(case: OpenAICase, desk: Desk) -> None:
    desk.sync()
    before = spent(desk)
    case.restate("0")
    run = desk.sync()
    assert run.state == RunState.FAILED
    assert "costs" in run.message
    assert spent(desk) == before
    assert desk.sync(force=True).state == RunState.DONE
    assert spent(desk) == {}


def test_pages_are_kept_compressed_under_their_load_with_the_digests_of_its_record(desk: Desk) -> None:
    run = desk.sync()
    raw = raw_folder(desk.settings, desk.connection)
    assert {path.parent.name for path in raw.rglob("*.gz")} == set(run.loads)
    with Lake(lake_address(desk.settings, "default")) as lake:
        loads = [row for row in lake.records("FROM loads") if row["StreamName"] == "costs"]
        notes = lake.records("SELECT * FROM findings WHERE Sentence LIKE '%is a copy of%'")
    assert len(loads) == 2
    for load in loads:
        kept = (raw / "costs").rglob(f"{load['LoadId']}/*.gz")
        cited = {source["name"]: source["sha256"] for source in json.loads(load["Sources"])}
        assert {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in kept} == cited
    assert notes == []
    assert not list((raw / ".landing").rglob("*.gz"))


class Named:
    """A source that names its deliveries, each time anew, and has no totals of its own."""

    def __init__(self, source: Source, version: str) -> None:
        self._source, self._version = source, version
        self.diagnose, self.pull = source.diagnose, source.pull

    def streams(self, window: Window) -> list[Stream]:
        """Costs alone."""
        return [replace(s, version=self._version) for s in self._source.streams(window) if s.name == "costs"]

    def totals(self, window: Window) -> list[Total]:
        """None, as of Google Cloud."""
        del window
        return []


@pytest.fixture
def delivered(case: OpenAICase) -> OpenAICase:
    """A case whose costs come as named deliveries."""
    provider, count = case.provider, iter(range(9))
    case.provider = replace(provider, open=lambda access: Named(provider.open(access), str(next(count))))
    return case


def test_a_named_delivery_that_restates_downwards_is_followed_and_said(delivered: OpenAICase, desk: Desk) -> None:
    desk.sync()
    delivered.restate("0.5")
    run = desk.sync()
    assert run.state == RunState.DONE
    assert "restated downwards by the provider: 2026-11, account org-loopback, 5 days and " in run.message
    assert spent(desk) == delivered.truth()
    assert desk.sync().message == ""


def test_a_named_delivery_that_lacks_days_is_refused_until_it_is_whole(delivered: OpenAICase, desk: Desk) -> None:
    desk.sync()
    whole = spent(desk)
    day = NOW.date() - timedelta(days=2)
    lines = delivered.api.costs.pop(day)
    run = desk.sync()
    assert run.state == RunState.FAILED
    assert "the ledger holds 5 days" in run.message
    assert "this load only 4 days" in run.message
    assert spent(desk) == whole
    delivered.api.costs[day] = lines
    assert desk.sync().state == RunState.DONE
    assert spent(desk) == whole


def test_a_month_that_the_provider_restates_no_more_is_refused(delivered: OpenAICase, desk: Desk) -> None:
    provider = delivered.provider
    delivered.provider = replace(provider, setup=replace(provider.setup, overlap_days=10))
    desk.sync()
    whole = spent(desk)
    delivered.restate("0.5")
    run = desk.sync()
    assert run.state == RunState.FAILED
    assert "2026-11-04 to 2026-11-15" in run.message
    assert desk.sync(force=True).state == RunState.DONE
    assert whole != spent(desk) == delivered.truth()


class Wrong:
    """A source whose own totals say a hundred more."""

    def __init__(self, source: Source, *, closed: bool | None) -> None:
        self._source, self._closed = source, closed
        self.diagnose, self.streams, self.pull = source.diagnose, source.streams, source.pull

    def totals(self, window: Window) -> list[Total]:
        """Too much."""
        return [replace(t, amount=t.amount + 100, closed=self._closed) for t in self._source.totals(window)]


@pytest.mark.parametrize("closed", [True, False, None])
def test_a_total_that_differs_is_fetched_once_more_and_then_said(
    case: OpenAICase, desk: Desk, *, closed: bool | None
) -> None:
    provider = case.provider
    case.provider = replace(provider, open=lambda access: Wrong(provider.open(access), closed=closed))
    run = desk.sync()
    assert run.state == RunState.DONE
    assert "the ledger holds" in run.message
    assert "a difference of -100.00 USD" in run.message
    assert ("the period is still open" in run.message) == (closed is False)
    assert any("It is fetched once more" in sentence for sentence in desk.said)
    (kept,) = totals.listed(desk.settings, desk.connection)
    assert kept.difference == -100


class Undelivered:
    """A source whose charges are still to come; it counts how often it is asked for totals."""

    def __init__(self, source: Source, asked: list[Window], *, closed: bool) -> None:
        self._source, self._asked, self._closed = source, asked, closed
        self.diagnose, self.pull = source.diagnose, source.pull

    def streams(self, window: Window) -> list[Stream]:
        """Usage alone."""
        return [s for s in self._source.streams(window) if s.name != "costs"]

    def totals(self, window: Window) -> list[Total]:
        """The provider's first number."""
        self._asked.append(window)
        return [Total(window, Decimal("310.5"), "USD", "Cost Explorer", self._closed)]


@pytest.mark.parametrize(("closed", "times"), [(True, 1), (False, 2)])
def test_a_month_without_charges_has_the_provider_s_total_as_provisional(
    case: OpenAICase, desk: Desk, *, closed: bool, times: int
) -> None:
    provider, asked = case.provider, list[Window]()
    case.provider = replace(provider, open=lambda access: Undelivered(provider.open(access), asked, closed=closed))
    for now in (NOW, NOW, NOW + timedelta(hours=20), NOW + timedelta(hours=30)):
        case.now = now
        assert desk.sync().state == RunState.DONE
    (kept,) = totals.listed(desk.settings, desk.connection)
    assert (kept.amount, kept.ledger, kept.is_provisional) == (Decimal("310.5"), None, True)
    assert len(asked) == times
    assert spent(desk) == {}
    case.provider = provider
    desk.sync()
    held = totals.listed(desk.settings, desk.connection)
    assert [t.difference for t in held if not t.is_provisional] == [0]


def test_a_limit_that_forbids_a_provisional_total_does_not_fail_the_sync(case: OpenAICase, desk: Desk) -> None:
    provider, asked = case.provider, list[Window]()

    class Paid(Undelivered):
        def totals(self, window: Window) -> list[Total]:
            """Too dear."""
            raise BudgetError(f"Asking for {window.first} costs more than the limit.")

    case.provider = replace(provider, open=lambda access: Paid(provider.open(access), asked, closed=False))
    run = desk.sync()
    assert run.state == RunState.DONE
    assert run.message == "Asking for 2026-11-04 costs more than the limit."


MONTH = Window(date(2026, 1, 1), date(2026, 2, 1))


@pytest.mark.parametrize(
    ("versions", "offered", "missing"),
    [
        ([], "a", MONTH),
        (["a"], "a", None),
        (["a"], "b", MONTH),
        (["a", "b"], "b", None),
        (["b", "a"], "b", MONTH),
        (["a"], "", None),
    ],
)
def test_a_month_delivered_anew_is_fetched_however_long_ago_it_was(
    versions: list[str], offered: str, missing: Window | None
) -> None:
    made = datetime(2026, 6, 1, tzinfo=UTC)
    loads = [coverage.Covering("charges", v, MONTH, made + timedelta(days=at)) for at, v in enumerate(versions)]
    assert coverage.missing(Stream("charges", MONTH, version=offered), loads, overlap_days=45) == missing


def test_an_invoice_is_held_against_the_ledger(case: OpenAICase, desk: Desk) -> None:
    desk.sync()
    window = Window(NOW.date() - timedelta(days=3), NOW.date())
    with Lake(lake_address(desk.settings, "default")) as lake:
        held = reconciling.ledger_totals(lake, "live:account", window)["USD"]
        kept = reconciling.enter_invoice(
            desk.settings, desk.connection, lake, window, held + Decimal("0.03"), "USD", case.now
        )
        unknown = reconciling.enter_invoice(desk.settings, desk.connection, lake, window, Decimal(1), "EUR", case.now)
    assert (kept.difference, kept.closed) == (Decimal("-0.03"), True)
    assert unknown.difference is None


def test_a_secret_that_is_no_longer_there_fails_the_run_with_a_sentence(desk: Desk) -> None:
    values = {"settings": {"admin_key": "env:SPENDPROOF_TEST_NOT_SET"}, "sealed": None}
    connections.change(desk.settings, "default", "account", values)
    run = desk.sync()
    assert run.state == RunState.FAILED
    assert "SPENDPROOF_TEST_NOT_SET, which is not set here" in run.message


def test_an_error_nobody_expected_ends_the_run_without_the_secret(case: OpenAICase, desk: Desk) -> None:
    def broken(access: Access) -> Source:
        raise RuntimeError(f"cannot use {access.values['admin_key']}")

    case.provider = replace(case.provider, open=broken)
    run = desk.sync()
    assert run.state == RunState.FAILED
    assert run.message == "Unexpected: RuntimeError: cannot use [secret]."


def test_a_stream_that_fails_does_not_stop_the_others(case: OpenAICase, desk: Desk) -> None:
    provider = case.provider

    class NoUsage:
        """A key that may read costs only."""

        def __init__(self, source: Source) -> None:
            self.source = source
            self.diagnose, self.totals, self.pull = source.diagnose, source.totals, source.pull

        def streams(self, window: Window) -> list[Stream]:
            """The usage first, under a name whose pages the format cannot read."""
            usage, *costs = self.source.streams(window)
            return [replace(usage, format="openai-costs"), *costs]

    case.provider = replace(provider, open=lambda access: NoUsage(provider.open(access)))
    run = desk.sync()
    assert run.state == RunState.FAILED
    assert run.message.startswith("usage of")
    assert spent(desk) == case.truth()
