"""Anthropic's cost and usage, fetched live from a loopback organization."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from anthropic import Anthropic

from connectors.anthropic.live import SETUP, AnthropicSource
from connectors.anthropic.refusals import refuse_other_keys
from connectors.errors import SourceError, StaleResumeError
from connectors.live import Access, Stream, Window
from connectors.sources import Provider
from tests.live_contract import Case, Desk, LiveContract, pulled
from tests.loopback.anthropic import KEY, error, organization

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAYS = 16


class AnthropicCase(Case):
    """An organization with costs on each of its last days."""

    def __init__(self) -> None:
        self.now = NOW
        self.server = self.api = organization(NOW, DAYS + 1)
        self.secret = KEY
        self.values = {"admin_key": KEY}
        self.provider = Provider("anthropic", replace(SETUP, history_days=DAYS), self._open)

    def _open(self, access: Access) -> AnthropicSource:
        client = Anthropic(api_key=access.values["admin_key"], base_url=self.api.url, max_retries=0, timeout=10)
        return AnthropicSource(client, access)

    def truth(self) -> dict[str, Decimal]:
        cents = sum((Decimal(c) for day in self.api.cents.values() for c in day.values()), Decimal(0))
        return {"USD": cents.scaleb(-2)} if cents else {}

    def restate(self, factor: str) -> None:
        for day in self.api.cents.values():
            for kind, cents in day.items():
                day[kind] = f"{Decimal(cents) * Decimal(factor):f}"

    def lose_key(self) -> None:
        self.api.key = "sk-ant-admin01-another"

    def find_key(self) -> None:
        self.api.key = KEY


@pytest.fixture
def case() -> Iterator[AnthropicCase]:
    made = AnthropicCase()
    with made.api:
        yield made


class TestAnthropic(LiveContract):
    """Anthropic keeps the contract."""


def test_a_page_that_comes_twice_is_refused(case: AnthropicCase) -> None:
    window = Window(NOW.date() - timedelta(days=10), NOW.date())
    kept = list[list[dict[str, object]]]()

    def repeated(rows: list[dict[str, object]]) -> list[dict[str, object]]:
        kept.append(rows)
        return kept[0]

    case.api.tamper = repeated
    with pytest.raises(StaleResumeError, match="came twice"):
        pulled(case.source(), Stream("cost", window))


def test_nothing_is_asked_for_before_the_first_day_that_is_shown(case: AnthropicCase) -> None:
    assert case.source().streams(Window(date(2025, 12, 1), date(2026, 1, 1))) == []
    (_, cost) = case.source().streams(Window(date(2025, 12, 20), date(2026, 1, 5)))
    assert cost.window.first == date(2026, 1, 1)


def test_a_total_is_closed_thirty_days_after_its_end(case: AnthropicCase) -> None:
    today = NOW.date()
    (old,) = case.source().totals(Window(today - timedelta(days=40), today))
    assert old.closed is False
    case.api.cents[today - timedelta(days=45)] = {"output_tokens": "100"}
    (past,) = case.source().totals(Window(today - timedelta(days=50), today - timedelta(days=30)))
    assert (past.amount, past.closed) == (Decimal(1), True)


@pytest.mark.parametrize(
    ("status", "kind", "message", "says"),
    [
        (401, "authentication_error", "invalid x-api-key", "does not know this key"),
        (401, "authentication_error", "x-api-key header is required", "without a key"),
        (401, "authentication_error", "API key has expired", "has expired"),
        (401, "authentication_error", "API key was revoked", "no longer active"),
        (403, "permission_error", "Missing scope read:analytics", "may not read"),
        (403, "permission_error", "This organization has been disabled.", "disabled this organization"),
        (403, "permission_error", "IP address is not on the allowlist", "this machine's address"),
        (403, "permission_error", "Access from your region is not supported", "the country"),
        (403, "permission_error", "Forbidden", "refuses this key"),
        (402, "billing_error", "Payment required", "payment"),
        (404, "not_found_error", "Not found", "no usage and cost API"),
        (400, "invalid_request_error", "starting_at: out of range", "the days that were asked for"),
        (400, "invalid_request_error", "group_by: unknown", "the grouping"),
        (
            400,
            "invalid_request_error",
            "Unexpected value for the anthropic-beta header",
            "no longer takes this version",
        ),
        (418, "teapot_error", "short and stout", "refused with status 418: teapot_error short and stout"),
    ],
)
def test_a_refusal_is_told_for_people(case: AnthropicCase, status: int, kind: str, message: str, says: str) -> None:
    case.api.fail(1, times=9, status=status, body=error(status, kind, message).body)
    failed = next(d for d in case.source().diagnose() if d.passed is False)
    assert says in failed.message
    assert failed.fix


@pytest.mark.parametrize(
    ("key", "says"),
    [("sk-ant-oat01-a", "login token"), ("sk-admin-a", "OpenAI"), ("sk-ant-admin01-a\nb", "space")],
)
def test_what_cannot_be_a_key_is_refused_before_it_is_sent(key: str, says: str) -> None:
    with pytest.raises(SourceError, match=says):
        refuse_other_keys(key)


def test_an_organization_without_cost_connects_and_says_so(case: AnthropicCase) -> None:
    case.api.cents.clear()
    found = case.source().diagnose()
    assert all(d.passed for d in found)
    assert any("no cost in the last 30 days" in d.message for d in found)


def test_its_charges_are_of_the_organization_that_the_answers_name(case: AnthropicCase, tmp_path: Path) -> None:
    desk = Desk(case, tmp_path)
    assert desk.sync().message == ""
    assert desk.accounts() == {"org-loopback"}
