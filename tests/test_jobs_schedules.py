"""Schedules: planned once, sent once, tried again, stopped; and killed in between."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest

from accounts.home import Settings
from jobs import schedules
from jobs.channels import channels
from jobs.dispatch import PAUSES, Dispatcher
from jobs.planning import Event, plan, send_again
from jobs.reporting import send_due
from jobs.schedules import DeliveryState, ScheduleError
from ledger.errors import LedgerError
from reports.report import Report
from reports.view import View
from tests.reporting import NOW, Clock, Remembered, load_bill, settings_in, small_report, wanted

ROOT = Path(__file__).resolve().parents[1]


def make(workspace: str, name: str, view: View, moment: datetime) -> Report:  # noqa: ARG001
    return small_report(workspace=workspace)


def dispatcher(settings: Settings, clock: Clock, way: Remembered) -> Dispatcher:
    return Dispatcher(settings, make, {"mail": way, "folder": way}, clock)


def states(settings: Settings) -> list[str]:
    return [d.state for d in schedules.history(settings, "acme")]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path)


def test_an_occasion_is_planned_once_however_often_it_is_planned(settings: Settings) -> None:
    clock = Clock()
    schedules.add(settings, "acme", wanted(destinations=["a@example.com", "b@example.com"]), clock())
    assert plan(settings, clock.forward(hours=1), {}) == 0
    assert plan(settings, clock.forward(days=1), {}) == 2
    assert plan(settings, clock(), {}) == 0
    assert plan(settings, clock.forward(seconds=1), {}) == 0


def test_what_was_missed_while_no_worker_ran_is_made_up_for(settings: Settings) -> None:
    clock, way = Clock(), Remembered()
    schedules.add(settings, "acme", wanted(), clock())
    clock.forward(days=3)
    assert plan(settings, clock(), {}) == 3
    assert dispatcher(settings, clock, way).drain().sent == 3
    days = [d.about.date().isoformat() for d in schedules.history(settings, "acme")]
    assert days == ["2026-11-24", "2026-11-23", "2026-11-22"]


def test_a_clock_that_is_set_back_sends_nothing_twice(settings: Settings) -> None:
    clock, way = Clock(), Remembered()
    schedules.add(settings, "acme", wanted(), clock())
    plan(settings, clock.forward(days=1), {})
    plan(settings, clock.forward(hours=-20), {})
    plan(settings, clock.forward(hours=20), {})
    assert dispatcher(settings, clock, way).drain().sent == 1
    assert len(way.sent) == 1


def test_a_refused_delivery_is_tried_again_with_growing_pauses_and_then_has_failed(settings: Settings) -> None:
    clock, way = Clock(), Remembered(refusals=100)
    schedule = schedules.add(settings, "acme", wanted(), clock())
    send_again(settings, schedule, clock())
    worker = dispatcher(settings, clock, way)
    for pause in PAUSES:
        assert worker.drain().again == 1
        clock.forward(minutes=pause, seconds=-1)
        assert worker.drain().again == 0
        clock.forward(seconds=2)
    assert worker.drain().failed == 1
    (delivery,) = schedules.history(settings, "acme")
    assert (delivery.state, delivery.attempts, delivery.message) == ("failed", 6, "the receiver is tired")


def test_a_final_refusal_is_not_tried_again(settings: Settings) -> None:
    clock, way = Clock(), Remembered(refusals=1, final=True)
    send_again(settings, schedules.add(settings, "acme", wanted(), clock()), clock())
    assert dispatcher(settings, clock, way).drain().failed == 1
    assert states(settings) == [DeliveryState.FAILED]


def test_a_claim_of_a_dead_worker_is_taken_over_after_its_lease_and_not_before(settings: Settings) -> None:
    clock, way = Clock(), Remembered()
    send_again(settings, schedules.add(settings, "acme", wanted(), clock()), clock())
    dead = dispatcher(settings, clock, way)
    assert dead._claim() is not None
    alive = dispatcher(settings, clock, way)
    assert alive.drain().sent == 0
    clock.forward(minutes=11)
    assert alive.drain().sent == 1
    assert states(settings) == [DeliveryState.SENT]


def test_an_event_is_reported_once_and_only_to_who_waits_for_it(settings: Settings) -> None:
    schedules.add(settings, "acme", wanted("proofs", cadence="on proof"), NOW)
    schedules.add(settings, "acme", wanted("limit", cadence="on spend above 5000 USD"), NOW)
    happened = [Event("proof", "proof:1", NOW), Event("spend", "spend:2026-11:700 USD", NOW)]
    assert plan(settings, NOW, {"acme": happened, "other": [Event("proof", "proof:2", NOW)]}) == 1
    assert plan(settings, NOW, {"acme": happened}) == 0
    assert [d.occasion for d in schedules.history(settings, "acme")] == ["proof:1"]


def test_the_spend_of_a_month_above_a_limit_is_told_once(settings: Settings, tmp_path: Path) -> None:
    load_bill(settings, tmp_path)
    clock, way = Clock(datetime(2026, 10, 31, 20, tzinfo=UTC)), Remembered()
    schedules.add(settings, "acme", wanted("above", cadence="on spend above 600 USD"), clock())
    schedules.add(settings, "acme", wanted("not above", cadence="on spend above 620 USD"), clock())
    assert send_due(settings, ways={"mail": way}, clock=clock).sent == 1
    assert send_due(settings, ways={"mail": way}, clock=clock).sent == 0


def test_a_removed_schedule_sends_nothing_more(settings: Settings) -> None:
    clock, way = Clock(), Remembered()
    send_again(settings, schedules.add(settings, "acme", wanted(), clock()), clock())
    schedules.remove(settings, "acme", "monday")
    assert dispatcher(settings, clock, way).drain().sent == 0
    assert states(settings) == [DeliveryState.STOPPED]


def test_two_workspaces_see_their_own_schedules_only(settings: Settings) -> None:
    schedules.add(settings, "acme", wanted(), NOW)
    schedules.add(settings, "other", wanted(), NOW)
    assert len(schedules.listed(settings, "acme")) == 1
    with pytest.raises(ScheduleError, match="there is none yet"):
        schedules.named(settings, "third", "monday")


def test_addresses_are_sealed_and_shown_without_their_secrets(settings: Settings) -> None:
    web = "webhook+https://example.com/hook/secret-path#whsec_c2VjcmV0"
    schedule = schedules.add(settings, "acme", wanted(destinations=[web]), NOW)
    assert schedule.shown == ["webhook:example.com/…"]
    assert b"secret-path" not in (settings.home / "accounts.db").read_bytes()
    (found,) = schedules.destinations(settings, schedule)
    assert found.secret == web.partition("#")[2]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": " "}, "needs a name"),
        ({"destinations": []}, "at least one address"),
        ({"destinations": ["cfo"]}, "is no destination"),
        ({"destinations": ["webhook+http://example.com#whsec_eA=="]}, "must begin with https"),
        ({"destinations": ["webhook+https://example.com"]}, "needs the secret"),
        ({"destinations": ["s3:///folder"]}, "names no bucket"),
        ({"formats": ["docx"]}, "no format 'docx'"),
        ({"cadence": "sometimes"}, "is no cadence"),
        ({"view": View("2026-10-31..2026-10-01")}, "run backwards"),
        ({"view": View("yesterday")}, "names no days"),
    ],
)
def test_what_cannot_be_kept_is_refused_in_words(settings: Settings, changes: dict[str, object], said: str) -> None:
    with pytest.raises(LedgerError, match=said):
        schedules.add(settings, "acme", wanted(**changes), NOW)
    assert schedules.listed(settings, "acme") == []


def test_the_name_of_a_schedule_is_taken_once(settings: Settings) -> None:
    schedules.add(settings, "acme", wanted(), NOW)
    with pytest.raises(ScheduleError, match="is a schedule 'monday' already"):
        schedules.add(settings, "acme", wanted(), NOW)


def test_workers_side_by_side_send_each_delivery_once(settings: Settings) -> None:
    clock, way = Clock(), Remembered()
    for number in range(20):
        send_again(settings, schedules.add(settings, "acme", wanted(f"s{number}"), clock()), clock())
    threads = [Thread(target=dispatcher(settings, clock, way).drain) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(way.sent) == len(set(way.sent)) == 20
    assert states(settings) == [DeliveryState.SENT] * 20


def test_a_killed_worker_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    out = tmp_path / "out"
    for number in range(30):
        to = str(out / f"{number}")
        schedule = schedules.add(settings, "acme", wanted(f"s{number}", destinations=[to]), NOW)
        send_again(settings, schedule, NOW)
    code = (
        "import sys; from pathlib import Path; from datetime import UTC, datetime; from accounts.home import Settings\n"
        "from jobs.channels import channels; from jobs.dispatch import Dispatcher\n"
        "from tests.reporting import small_report\n"
        "s = Settings(home=Path(sys.argv[1])); m = lambda w, n, v, t: small_report(workspace=w)\n"
        "print('ready', flush=True); Dispatcher(s, m, channels(s), lambda: datetime.now(UTC)).drain()"
    )
    key = settings.master_key
    environment = {**os.environ, "SPENDPROOF_MASTER_KEY": key.get_secret_value() if key else ""}
    running = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, env=environment, stdout=subprocess.PIPE
    )
    assert running.stdout is not None
    running.stdout.readline()
    while not out.exists() or len(list(out.iterdir())) < 3:
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.wait()
    running.stdout.close()
    before = sorted(out.glob("*/*.csv"))
    later = Clock(datetime.now(UTC))
    later.forward(minutes=11)
    Dispatcher(settings, make, channels(settings), later).drain()
    files = sorted(out.glob("*/*.csv"))
    assert set(before) <= set(files)
    assert len(files) == 30
    assert len(list(out.glob("*/.*"))) <= 1, "at most the file that the kill cut short"
    assert {d.state for d in schedules.history(settings, "acme")} == {DeliveryState.SENT}
