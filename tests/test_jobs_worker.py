"""The worker: what is due, and that one failure does not stop the rest."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from accounts import connections, sync_runs
from accounts.home import Settings
from accounts.locks import is_running
from accounts.sync_runs import RunState
from jobs.sync import Tools
from jobs.worker import Say, due, run
from ledger.errors import LedgerError
from tests.live_contract import Desk
from tests.test_connectors_openai_live import OpenAICase

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def case() -> Iterator[OpenAICase]:
    made = OpenAICase()
    with made.api:
        yield made


@pytest.fixture
def desk(case: OpenAICase, tmp_path: Path) -> Desk:
    return Desk(case, tmp_path)


def ended(desk: Desk, state: RunState, ago: timedelta) -> None:
    """One run on record that began so long ago."""
    record = sync_runs.begin(desk.settings, desk.connection, NOW - ago)
    record.state = state
    sync_runs.save(desk.settings, record)


def is_due(desk: Desk) -> bool:
    return [c.name for c in due(desk.settings, NOW)] == ["account"]


def test_a_connection_is_due_when_its_interval_has_passed(desk: Desk) -> None:
    assert is_due(desk)
    ended(desk, RunState.DONE, timedelta(minutes=359))
    assert not is_due(desk)
    connections.change(desk.settings, "default", "account", {"every_minutes": 300})
    assert is_due(desk)
    connections.change(desk.settings, "default", "account", {"every_minutes": 0})
    assert not is_due(desk)


def test_failures_are_tried_again_in_pauses_that_double(desk: Desk) -> None:
    ended(desk, RunState.DONE, timedelta(hours=9))
    ended(desk, RunState.FAILED, timedelta(minutes=45))
    assert is_due(desk)
    ended(desk, RunState.FAILED, timedelta(minutes=29))
    assert not is_due(desk)
    ended(desk, RunState.FAILED, timedelta(minutes=1))
    assert not is_due(desk)


def test_a_sync_that_died_is_gone_on_with_at_once(desk: Desk) -> None:
    sync_runs.begin(desk.settings, desk.connection, NOW)
    assert is_due(desk)
    assert not is_running(desk.settings, desk.connection)


def test_the_worker_syncs_what_is_due_and_survives_what_fails(case: OpenAICase, desk: Desk) -> None:
    def broken(_: Settings, __: Say) -> None:
        raise LedgerError("The mail server is away.")

    said = list[str]()
    tools = Tools(find=lambda _: case.provider, now=lambda: NOW, sleep=lambda _: None)
    run(desk.settings, once=True, say=said.append, tools=tools, duties=(broken,))
    assert desk.ledger()[0] == case.truth()
    assert "The mail server is away." in said
    assert any("account in default: done." in sentence for sentence in said)
