"""Anthropic's organization cost and usage, fetched through the official SDK's analytics resources.

Rows come in order of time, one for each day and group. A page that goes back in time came twice; what order alone
cannot tell (a page left out) shows in the total that is asked for without any grouping.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from connectors.anthropic.refusals import REFUSALS, refuse_other_keys
from connectors.errors import StaleResumeError
from connectors.live import Access, Field, Page, Setup, Stream, Total, Window
from connectors.organization import Answer, Organization, totalled
from connectors.patience import ATTEMPTS
from connectors.vendor_api import TEST_ATTEMPTS, RawAnswer, Vendor, exact

if TYPE_CHECKING:
    from anthropic import Anthropic

#: At most five, `cost_type` and `token_type` aside. `speed` is among them since a tier means nothing without it.
GROUPS: Final = ("model", "workspace_id", "service_tier", "context_window", "speed")
COST_GROUPS: Final = (*GROUPS, "cost_type", "token_type")
#: First day that the API shows, and days that one question may span.
EARLIEST: Final = date(2026, 1, 1)
_LONGEST: Final = timedelta(days=31)
#: Anthropic revises a day for up to 30 days.
REVISED_DAYS: Final = 30
_ROWS: Final = 1000

_START = re.compile(rb'"starting_at"\s*:\s*"([^"\\]*)"')

SETUP: Final = Setup(
    title="Anthropic",
    fields=(
        Field(
            "admin_key",
            "Admin API key",
            "An Admin API key (it begins with sk-ant-admin) or an API key with the scope read:analytics, or env:NAME "
            "or file:PATH of where it lies.",
            secret=True,
        ),
    ),
    steps=(
        "Open [Admin keys](https://platform.claude.com/settings/admin-keys) as an admin of the organization.",
        "Create a key, and name it `spendproof`. Where your plan offers keys with scopes, `read:analytics` is enough.",
        (
            "Keep it in the environment and enter the reference:\n\n"
            "```sh\nexport ANTHROPIC_ADMIN_KEY=...\n"
            "spendproof connect anthropic --set admin_key=env:ANTHROPIC_ADMIN_KEY\n```"
        ),
    ),
    overlap_days=REVISED_DAYS,
    history_days=364,
    later=(
        "Anthropic shows usage after up to 24 hours, and revises a day for up to 30 days.",
        "Nothing before 2026-01-01 is shown; Claude through AWS, Azure or Google Cloud is in their bills.",
    ),
)


@dataclass(frozen=True, slots=True)
class _Position:
    """Where a stream goes on: the token of the page, its number, and the period of the last row before it."""

    page: str | None
    number: int
    last: str


class AnthropicSource(Organization):
    """One organization. `client` sends the key; it must not retry by itself."""

    named_by = "anthropic-organization-id"
    refuse_key = staticmethod(refuse_other_keys)

    def __init__(self, client: Anthropic, access: Access) -> None:
        from anthropic import APIConnectionError, APIStatusError  # noqa: PLC0415 - half a second

        limits = ("anthropic-ratelimit-requests-reset", "anthropic-ratelimit-tokens-reset")
        vendor = Vendor("Anthropic", str(client.base_url), APIStatusError, APIConnectionError, REFUSALS, limits)
        super().__init__(vendor, access)
        self._analytics = client.beta.organization.analytics

    def streams(self, window: Window) -> list[Stream]:
        """The usage and the cost (whose tokens are there then), as far back as the API shows them."""
        shown = Window(max(window.first, EARLIEST), window.end)
        if shown.first >= shown.end:
            return []
        return [Stream("usage", shown, "anthropic-usage"), Stream("cost", shown, "anthropic-cost")]

    def pull(self, stream: Stream, resume: str | None) -> Iterator[Page]:
        """Pages of up to 1000 rows, in order of time."""
        groups = COST_GROUPS if stream.name == "cost" else GROUPS
        position: _Position | None = _Position(**json.loads(resume)) if resume else _Position(None, 1, "")
        while position is not None:
            token = position.page
            body, headers = self._page(partial(self._ask, stream.name, stream.window, token, groups), token)
            last = self._checked(body, stream, position)
            token = _token(body)
            following = _Position(token, position.number + 1, last) if token else None
            name = f"{stream.name}-{position.number:04}.json"
            resume = json.dumps(asdict(following)) if following else None
            yield Page(name, body, resume, self._account(headers))
            position = following

    def totals(self, window: Window) -> list[Total]:
        """The cost without any grouping: the API's own sum, which a lost or doubled row would differ from."""
        amounts = list[dict[str, Any]]()
        first = max(window.first, EARLIEST)
        while first < window.end:
            end = min(first + _LONGEST, window.end)
            answer = exact(self._ask("cost", Window(first, end), limit=1)[0])
            amounts += [row["cost"] for row in answer["data"]]
            first = end
        closed = window.end + timedelta(days=REVISED_DAYS) <= self._access.now().date()
        return totalled(amounts, window, "Anthropic cost, ungrouped", closed=closed, places=2)

    def _ask(
        self,
        kind: str,
        window: Window,
        page: str | None = None,
        groups: tuple[str, ...] = (),
        limit: int = _ROWS,
        attempts: int = ATTEMPTS,
    ) -> Answer:
        query: dict[str, Any] = {"starting_at": _moment(window.first), "ending_at": _moment(window.end), "limit": limit}
        if groups:
            query |= {"time_bucket_width": "1d", "group_by": list(groups), "order_by": "time", "order": "asc"}
        query |= {"page": page} if page is not None else {}
        resource = self._analytics.cost if kind == "cost" else self._analytics.usage

        def call() -> RawAnswer:
            return resource.with_raw_response.list(**query)

        return self._vendor.ask(call, self._access, "Anthropic", attempts=attempts)

    def _checked(self, body: bytes, stream: Stream, position: _Position) -> str:
        """The period of a page's last row.

        Raises:
            StaleResumeError: rows go back in time, or lie outside of what was asked for.
        """
        last = position.last
        first, end = _moment(stream.window.first), _moment(stream.window.end)
        for found in (start.decode() for start in _START.findall(body)):
            if found < last or not first <= found < end:
                raise StaleResumeError(
                    f"Anthropic's pages of {stream.name} go on at {found} after {last or first}: a page came twice.",
                    "Nothing of it was loaded; sync again, and the days are fetched anew.",
                )
            last = found
        return last

    def _has_spent(self, window: Window) -> bool:
        answer = exact(self._ask("cost", window, limit=1, attempts=TEST_ATTEMPTS)[0])
        return any(Decimal(row["cost"]["amount"]) for row in answer["data"])

    def _asked_for_usage(self, window: Window) -> Mapping[str, str]:
        return self._ask("usage", window, limit=1, attempts=TEST_ATTEMPTS)[1]


def open_source(access: Access) -> AnthropicSource:
    """The organization whose key was entered."""
    from anthropic import Anthropic  # noqa: PLC0415 - half a second

    return AnthropicSource(Anthropic(api_key=access.values["admin_key"], max_retries=0, timeout=60), access)


def _token(body: bytes) -> str | None:
    answer = exact(body)
    return answer.get("next_page") if answer.get("has_more") else None


def _moment(day: date) -> str:
    return f"{datetime(day.year, day.month, day.day, tzinfo=UTC):%Y-%m-%dT%H:%M:%SZ}"
