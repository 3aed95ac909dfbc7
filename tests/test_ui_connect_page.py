"""The Connections page without a browser: an empty workspace, every state of a sync, the form, and secrets."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from pydantic import SecretStr
from streamlit.testing.v1 import AppTest

from accounts import connections, credentials, sync_runs
from accounts.connections import Connection
from accounts.errors import ConnectionsError
from accounts.home import Settings
from accounts.locks import connection_lock
from accounts.signin import Protection
from accounts.sync_runs import RunState
from accounts.vault import new_key
from connectors import sources
from tests.loopback.openai import KEY, OpenAILoopback, organization
from ui import connect_actions, connect_sync, running
from ui.connect_words import Stand

NOW = datetime.now(UTC)
WRONG = "sk-admin-wrong-0123456789"


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    settings = Settings(home=tmp_path / "home", master_key=SecretStr(new_key()))
    running.configure(running.Running(settings, "shop", Protection.NONE))
    st.cache_resource.clear()
    yield settings
    st.cache_resource.clear()


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAILoopback]:
    # Not the moment at which this module was read: in a long run the clocks would no longer agree.
    with organization(datetime.now(UTC), 5) as made:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{made.url}/v1")
        yield made


def connected(settings: Settings, name: str = "openai") -> Connection:
    connection = connections.new("shop", name, "openai")
    credentials.seal(settings, connection, sources.provider("openai").setup.fields, {"admin_key": KEY})
    connections.add(settings, connection)
    return connections.named(settings, "shop", name)


def ran(settings: Settings, connection: Connection, state: RunState, **values: Any) -> None:
    run = sync_runs.begin(settings, connection, NOW - timedelta(hours=3))
    run.state = state
    for name, value in values.items():
        setattr(run, name, value)
    sync_runs.save(settings, run)


def page() -> None:
    from ui.connect_page import PAGE  # noqa: PLC0415 - the function is a script of its own

    PAGE()


def show() -> Any:
    app = AppTest.from_function(page, default_timeout=60).run()
    assert not app.exception
    return app


def words(app: Any) -> str:
    return " ".join(element.value for kind in (app.markdown, app.caption, app.error, app.warning) for element in kind)


def test_an_empty_workspace_can_connect_and_gets_no_lake_by_looking(settings: Settings) -> None:
    app = show()
    assert [header.value for header in app.header] == ["Connect an account"]
    assert not app.error
    assert not (settings.home / "workspaces" / "shop" / "lake").exists()


def test_a_source_that_failed_says_since_when_and_why_and_is_no_zero(settings: Settings) -> None:
    ended = NOW - timedelta(hours=2)
    ran(settings, connected(settings), RunState.FAILED, ended_at=ended, message="costs: OpenAI refused the key.")
    app = show()
    (error,) = app.error
    assert "failed 2 hours ago" in error.value
    assert "OpenAI refused the key" in error.value
    assert "No charge has arrived from it" in words(app)
    assert "No sync has finished yet" in words(app)
    assert "$0" not in words(app).replace("\\", "")


def test_a_sync_that_runs_elsewhere_shows_how_far_it_is(settings: Settings) -> None:
    connection = connected(settings)
    ran(settings, connection, RunState.RUNNING, steps=13, steps_done=4, doing="fetching costs", pages=7)
    with connection_lock(settings, connection):
        assert connect_sync.standing(settings, connection).stand is Stand.RUNNING
        app = show()
    assert [button.disabled for button in app.button if button.label == "Sync now"] == [True]


def test_a_sync_whose_process_died_is_not_shown_as_running(settings: Settings) -> None:
    ran(settings, connected(settings), RunState.RUNNING, steps=13, steps_done=4)
    app = show()
    assert "was interrupted" in app.warning[0].value
    assert [button.disabled for button in app.button if button.label == "Sync now"] == [False]


def test_several_connections_stand_side_by_side_each_with_its_own_state(settings: Settings) -> None:
    ran(settings, connected(settings, "one"), RunState.DONE, ended_at=NOW)
    ran(settings, connected(settings, "two"), RunState.FAILED, ended_at=NOW, message="No answer.")
    connected(settings, "three")
    app = show()
    assert [sub.value for sub in app.subheader] == ["one", "three", "two"]
    assert words(app).count("Synced every 6 hours") == 3
    assert len(app.error) == 1


def test_a_sync_that_cannot_begin_says_so(settings: Settings) -> None:
    connection = connected(settings)
    connections.remove(settings, "shop", "openai")
    connect_sync.start(settings, connection)
    until = time.monotonic() + 60
    while (how := connect_sync.standing(settings, connection)).stand is Stand.STARTING and time.monotonic() < until:
        time.sleep(0.2)
    assert how.stand is Stand.FAILED
    assert "has no connection 'openai'" in how.trouble


def choose(app: Any) -> Any:
    app.button_group[0].set_value("OpenAI").run()
    assert not app.exception
    return app


def entered(app: Any, **values: str) -> Any:
    for label, value in values.items():
        next(i for i in app.text_input if i.label.startswith(label.replace("_", " "))).set_value(value)
    next(b for b in app.button if b.label == "Test and connect").click().run()
    assert not app.exception
    return app


def test_a_key_that_fails_is_not_kept_and_leaves_no_trace(settings: Settings, api: OpenAILoopback) -> None:
    app = entered(choose(show()), Admin_key=WRONG)
    assert "OpenAI does not know this key" in words(app)
    assert "**What to do:**" in words(app)
    assert connections.listed(settings, "shop") == []
    pending = app.session_state["connect-pending"]
    assert WRONG not in repr(app.session_state) + repr(vars(pending.connection))
    assert WRONG not in repr([i.value for i in app.text_input])
    assert WRONG not in str([request.query for request in api.requests])


def test_what_was_mended_at_the_provider_passes_without_entering_it_again(
    settings: Settings, api: OpenAILoopback
) -> None:
    app = entered(choose(show()), Admin_key=WRONG)
    api.key = WRONG
    next(b for b in app.button if b.label == "Test again").click().run()
    assert not app.exception
    (connection,) = connections.listed(settings, "shop")
    assert connection.name == "openai"
    assert WRONG.encode() not in (connection.sealed or b"")
    assert "connect-pending" not in app.session_state
    # Started by the page, the sync goes on by itself.
    until = time.monotonic() + 90
    while not (runs := sync_runs.history(settings, connection)) and time.monotonic() < until:
        time.sleep(0.2)
    assert runs
    while connect_sync.standing(settings, connection).busy and time.monotonic() < until:
        time.sleep(0.2)
    assert connect_sync.standing(settings, connection).stand is Stand.DONE
    app.run()
    assert "billed" in words(app)
    assert "may still restate them" in words(app)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"Admin_key": ""}, "Still missing"),
        ({"Admin_key": KEY, "Name": "Not A Name"}, "cannot be the name of a connection"),
        ({"Admin_key": KEY, "Name": "taken"}, "There is a connection taken already"),
    ],
)
def test_wrong_input_is_answered_with_a_sentence(settings: Settings, values: dict[str, str], says: str) -> None:
    connected(settings, "taken")
    app = entered(choose(show()), **values)
    assert says in " ".join(error.value for error in app.error).replace("\\", "")
    assert [c.name for c in connections.listed(settings, "shop")] == ["taken"]


def test_a_connection_is_removed_unless_a_sync_of_it_runs(settings: Settings) -> None:
    connection = connected(settings)
    with connection_lock(settings, connection), pytest.raises(ConnectionsError, match="running already"):
        connect_actions.forget(connection, with_rows=False)
    app = show()
    next(b for b in app.button if b.label == "Remove openai").click().run()
    assert not app.exception
    assert connections.listed(settings, "shop") == []


@pytest.mark.usefixtures("settings")
def test_an_external_id_is_proposed_and_stays_the_same() -> None:
    app = show()
    app.button_group[0].set_value("Amazon Web Services").run()
    assert not app.exception
    (first,) = [i.value for i in app.text_input if i.label.startswith("External id")]
    next(i for i in app.text_input if i.label.startswith("Account of")).set_value("111122223333").run()
    (again,) = [i.value for i in app.text_input if i.label.startswith("External id")]
    assert first.startswith("spendproof-")
    assert first == again
    (command,) = [code.value for code in app.code if "cloudformation deploy" in code.value]
    assert f"VendorAccountId=111122223333 ExternalId={first}" in command
    assert app.query_params["aws-id"] == first


def test_a_new_secret_takes_the_place_of_the_old_one_only_when_it_passes(
    settings: Settings, api: OpenAILoopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = connected(settings).sealed
    monkeypatch.setenv("NEW_KEY", KEY)
    app = show()
    for value, kept in ((WRONG, True), ("env:NEW_KEY", False)):
        next(i for i in app.text_input if i.label == "Admin key").set_value(value)
        next(b for b in app.button if b.label == "Test and replace").click().run()
        assert not app.exception
        assert ("keeps the values it had" in words(app)) is kept
        assert (connections.named(settings, "shop", "openai").sealed == before) is kept
    assert connections.named(settings, "shop", "openai").settings == {"admin_key": "env:NEW_KEY"}
    assert [i.value for i in app.text_input if i.label == "Admin key"] == [""]
    assert len(api.requests) >= 2


def test_an_invoice_is_refused_while_there_is_nothing_to_compare_it_with(settings: Settings) -> None:
    connected(settings)
    app = show()
    next(i for i in app.text_input if i.label == "Total").set_value("12.50")
    next(b for b in app.button if b.label == "Compare").click().run()
    assert "Nothing is in the ledger yet" in app.error[0].value
    assert not (settings.home / "workspaces" / "shop" / "lake").exists()
