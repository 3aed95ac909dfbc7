"""Saved scenarios: only the token opens one, and the database tells nothing without it."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from accounts import scenarios
from accounts.database import sessions
from accounts.home import Settings
from accounts.scenarios import DAYS, Scenario, ScenarioError, load, remove, save

NOW = datetime(2026, 11, 21, tzinfo=UTC)
WHAT = {"ai_spend": "83417.29", "plan": "early"}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def test_only_its_token_opens_a_scenario(settings: Settings) -> None:
    token = save(settings, "acme", WHAT, NOW)
    assert load(settings, "acme", token, NOW) == WHAT
    for workspace, other in (("other", token), ("acme", token[:-1]), ("acme", ""), ("acme", save(settings, "b", WHAT))):
        with pytest.raises(ScenarioError, match="opens no scenario"):
            load(settings, workspace, other, NOW)


def test_the_files_tell_nothing_without_the_token(
    settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        token = save(settings, "acme", WHAT, NOW)
        load(settings, "acme", token, NOW)
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"83417" not in kept
    assert token.encode() not in kept
    assert "83417" not in caplog.text
    assert token not in caplog.text


def test_a_scenario_ends_and_is_removed(settings: Settings) -> None:
    token = save(settings, "acme", WHAT, NOW)
    later = NOW + timedelta(days=DAYS)
    assert load(settings, "acme", token, later - timedelta(seconds=1)) == WHAT
    with pytest.raises(ScenarioError):
        load(settings, "acme", token, later)
    save(settings, "acme", WHAT, later)
    with sessions(settings)() as session:
        assert session.query(Scenario).count() == 1


def test_a_scenario_is_forgotten_once_and_for_all(settings: Settings) -> None:
    token = save(settings, "acme", WHAT, NOW)
    remove(settings, "other", token)
    assert load(settings, "acme", token, NOW) == WHAT
    remove(settings, "acme", token)
    remove(settings, "acme", token)
    with pytest.raises(ScenarioError):
        load(settings, "acme", token, NOW)


def test_a_changed_row_is_not_shown(settings: Settings) -> None:
    token = save(settings, "acme", WHAT, NOW)
    with sessions(settings).begin() as session:
        (row,) = session.query(Scenario).all()
        row.sealed = row.sealed[:-1] + bytes([row.sealed[-1] ^ 1])
    with pytest.raises(ScenarioError, match="was changed"):
        scenarios.load(settings, "acme", token, NOW)
