"""OpenAI's costs and usage, fetched live from a loopback organization."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI

from accounts.sync_runs import RunState
from connectors.errors import SourceError, StaleResumeError
from connectors.live import Access, Stream, Window
from connectors.openai.live import KINDS, SETUP, OpenAISource
from connectors.openai.refusals import refuse_other_keys
from connectors.sources import Provider
from tests.live_contract import Case, Desk, LiveContract, pulled
from tests.loopback.openai import KEY, error, organization
from tests.loopback.server import Fault

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAYS = 16


class OpenAICase(Case):
    """An organization with costs on each of its last days."""

    # The second kind of usage is one that it does not have.
    fault_at = 3

    def __init__(self) -> None:
        self.now = NOW
        self.server = self.api = organization(NOW, DAYS + 1)
        self.secret = KEY
        self.values = {"admin_key": KEY}
        self.provider = Provider("openai", replace(SETUP, history_days=DAYS), self._open)

    def _open(self, access: Access) -> OpenAISource:
        client = OpenAI(
            admin_api_key=access.values["admin_key"], base_url=f"{self.api.url}/v1", max_retries=0, timeout=10
        )
        return OpenAISource(client, access)

    def truth(self) -> dict[str, Decimal]:
        total = sum((Decimal(line["value"]) for lines in self.api.costs.values() for line in lines), Decimal(0))
        return {"USD": total} if total else {}

    def restate(self, factor: str) -> None:
        for lines in self.api.costs.values():
            for line in lines:
                line["value"] = f"{Decimal(line['value']) * Decimal(factor):f}"

    def lose_key(self) -> None:
        self.api.key = "sk-admin-another"

    def find_key(self) -> None:
        self.api.key = KEY


@pytest.fixture
def case() -> Iterator[OpenAICase]:
    made = OpenAICase()
    with made.api:
        yield made


class TestOpenAI(LiveContract):
    """OpenAI keeps the contract."""


def window(days: int) -> Window:
    return Window(NOW.date() - timedelta(days=days), NOW.date())


def doubled(buckets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [buckets[0], *buckets]


@pytest.mark.parametrize("wrong", [doubled, lambda buckets: buckets[1:], lambda buckets: buckets[:-1]])
def test_a_page_with_days_too_many_or_too_few_is_refused(case: OpenAICase, wrong: Any) -> None:
    case.api.tamper = wrong
    with pytest.raises(StaleResumeError, match="pages of costs"):
        pulled(case.source(), Stream("costs", window(10)))


def test_a_page_that_is_wrong_once_is_fetched_anew_in_the_same_sync(case: OpenAICase, desk_home: Desk) -> None:
    left = [1]

    def once(buckets: list[dict[str, Any]]) -> list[dict[str, Any]]:
        left[0] -= 1
        return buckets[:-1] if left[0] == 0 else buckets

    case.api.tamper = once
    assert desk_home.sync().message == ""
    assert desk_home.ledger()[0] == case.truth()


@pytest.fixture
def desk_home(case: OpenAICase, tmp_path: Any) -> Desk:
    return Desk(case, tmp_path)


def test_costs_come_by_halves_of_a_month_and_usage_whole(case: OpenAICase) -> None:
    month = Window(date(2026, 10, 1), date(2026, 11, 1))
    assert [(s.name, s.window) for s in case.source().streams(month)] == [
        ("usage", month),
        ("costs", Window(date(2026, 10, 16), date(2026, 11, 1))),
        ("costs", Window(date(2026, 10, 1), date(2026, 10, 16))),
    ]
    one_day = Window(date(2026, 10, 16), date(2026, 10, 17))
    assert [s.window for s in case.source().streams(one_day)] == [one_day, one_day]


def test_a_lapsed_page_token_begins_the_stream_anew(case: OpenAICase, desk_home: Desk) -> None:
    # After the kinds of usage and the newest days of costs, the second page of the days before.
    lapsed = len(KINDS) + 3
    case.api.faults.append(Fault(lapsed, lapsed, status=400, body=error(400, "Invalid page token.").body))
    assert desk_home.sync().message == ""
    assert "page" in case.api.requests[lapsed - 1].query
    assert desk_home.ledger()[0] == case.truth()


def test_a_kind_of_usage_that_the_organization_lacks_is_no_failure(case: OpenAICase) -> None:
    names = [page.name for page in pulled(case.source(), Stream("usage", window(5)))]
    assert "decisions-0001.json" in names


def test_two_organizations_stand_side_by_side_and_one_is_not_taken_twice(
    case: OpenAICase, desk_home: Desk, tmp_path: Path
) -> None:
    other = OpenAICase()
    other.api.named = {"openai-organization": "org-other"}
    with other.api:
        beside = Desk(other, tmp_path, desk_home)
        assert [desk_home.sync().message, beside.sync().message] == ["", ""]
        assert desk_home.accounts() == {"org-loopback", "org-other"}
        assert desk_home.ledger()[0] == {"USD": 2 * case.truth()["USD"]}
        assert beside.sync().message == ""
        assert desk_home.ledger()[0] == {"USD": 2 * case.truth()["USD"]}


@pytest.mark.parametrize("named", [{"openai-organization": "org-loopback"}, {}], ids=["same", "unnamed"])
def test_an_organization_that_may_be_there_already_is_refused(
    desk_home: Desk, tmp_path: Path, named: dict[str, str]
) -> None:
    desk_home.sync()
    before = desk_home.ledger()[0]
    other = OpenAICase()
    other.api.named = named
    with other.api:
        run = Desk(other, tmp_path, desk_home).sync()
    assert run.state == RunState.FAILED
    assert "would count them twice" in run.message
    assert desk_home.ledger()[0] == before


def test_amounts_keep_every_digit(case: OpenAICase, desk_home: Desk) -> None:
    case.api.costs = {
        NOW.date() - timedelta(days=1): [{"line_item": "gpt-5.5, input", "value": "0.123456789012345678"}]
    }
    desk_home.sync()
    assert desk_home.ledger()[0] == {"USD": Decimal("0.123456789012345678")}


@pytest.mark.parametrize(
    ("status", "message", "code", "says"),
    [
        (401, "Incorrect API key provided: sk-adm****", "invalid_api_key", "does not know this key"),
        (401, "Your API key has expired.", "expired_api_key", "has expired"),
        (401, "This key has been revoked.", None, "was revoked"),
        (401, "You didn't provide an API key.", None, "without a key"),
        (401, "You must be a member of an organization to use the API", None, "no longer a member"),
        (401, "OpenAI-Organization header should match organization for API key", "mismatched_organization", "another"),
        (401, "Your IP is not authorized", "ip_not_authorized", "this machine's address"),
        (401, "The account associated with this key has been deactivated.", "account_deactivated", "deactivated"),
        (403, "You have insufficient permissions. Missing scopes: api.usage.read", None, "may not read usage"),
        (403, "Country, region, or territory not supported", None, "the country"),
        (403, "Forbidden", None, "refuses this key"),
        (404, "Invalid URL (GET /organization/costs)", None, "no such address"),
        (400, "start_time is too far in the past", None, "the days that were asked for"),
        (400, "Unsupported group_by combination", None, "the grouping"),
        (407, "Proxy Authentication Required", None, "proxy"),
        (418, "I'm a teapot", None, "refused with status 418: invalid_request_error I'm a teapot"),
    ],
)
def test_a_refusal_is_told_for_people(case: OpenAICase, status: int, message: str, code: str | None, says: str) -> None:
    case.api.fail(1, times=9, status=status, body=error(status, message, code).body)
    failed = next(d for d in case.source().diagnose() if d.passed is False)
    assert says in failed.message
    assert failed.fix


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("sk-proj-abc", "key of a project"),
        ("sk-svcacct-abc", "service account"),
        ("sk-ant-admin01-abc", "Anthropic"),
        ("sess-abc", "session token"),
        ("sk-admin-a b", "space"),
        ('"sk-admin-a"', "quotation mark"),
    ],
)
def test_what_cannot_be_an_admin_key_is_refused_before_it_is_sent(key: str, says: str) -> None:
    with pytest.raises(SourceError, match=says):
        refuse_other_keys(key)


def test_an_organization_without_costs_connects_and_says_so(case: OpenAICase) -> None:
    case.api.costs.clear()
    found = case.source().diagnose()
    assert all(d.passed for d in found)
    assert any("no cost in the last 30 days" in d.message and "another organization" in d.fix for d in found)


def test_a_page_of_a_captive_portal_is_told(case: OpenAICase) -> None:
    case.api.fail(1, times=9, status=200, body=b"<html>Sign in to the network</html>")
    failed = next(d for d in case.source().diagnose() if d.passed is False)
    assert "web page instead of data" in failed.message


def test_a_host_that_does_not_exist_and_a_port_that_refuses_are_told() -> None:
    for address, says in (("http://openai.invalid/v1", "cannot be resolved"), ("http://127.0.0.1:9/v1", "refuses")):
        client = OpenAI(admin_api_key=KEY, base_url=address, max_retries=0)
        source = OpenAISource(client, Access({"admin_key": KEY}, sleep=lambda _: None))
        failed = next(d for d in source.diagnose() if d.passed is False)
        assert says in failed.message
