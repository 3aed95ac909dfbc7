"""OpenAI's organization costs and usage, fetched with an admin key through the official SDK.

Pages are whole days in UTC. Each page must go on at the day where the one before ended; a page that is left out or
comes twice is thereby told, before anything is loaded. All kinds of usage are one stream, since a load replaces days.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from dataclasses import replace as with_
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from connectors.errors import SourceError, StaleResumeError
from connectors.live import Access, Field, Page, Setup, Stream, Total, Window
from connectors.openai.refusals import REFUSALS, refuse_other_keys
from connectors.organization import Answer, Organization, totalled
from connectors.patience import ATTEMPTS
from connectors.vendor_api import TEST_ATTEMPTS, RawAnswer, Vendor, exact

if TYPE_CHECKING:
    from openai import OpenAI

_BY_MODEL: Final = ("project_id", "api_key_id", "model")
_BY_TIER: Final = (*_BY_MODEL, "batch", "service_tier")
#: Kinds of usage and how each is grouped.
KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "completions": _BY_TIER,
    "decisions": _BY_TIER,
    "embeddings": _BY_MODEL,
    "moderations": _BY_MODEL,
    "images": _BY_MODEL,
    "audio_speeches": _BY_MODEL,
    "audio_transcriptions": _BY_MODEL,
    "vector_stores": ("project_id",),
    "code_interpreter_sessions": ("project_id",),
    "file_search_calls": ("project_id", "api_key_id"),
    "web_search_calls": _BY_MODEL,
}
COST_GROUPS: Final = ("project_id", "line_item", "api_key_id")
#: Days a page of costs: a day of a large organization has thousands of lines.
_COST_DAYS: Final = 7
_USAGE_DAYS: Final = 31
_TOTAL_DAYS: Final = 180
_DAY: Final = 86_400
_NOT_FOUND: Final = 404

# Inside of a text the closing quotation mark would be escaped, so that these match keys alone.
_START = re.compile(rb'"start_time"\s*:\s*(\d+)')
_NEXT = re.compile(rb'"next_page"\s*:\s*(null|"[^"\\]*")')
_MORE = re.compile(rb'"has_more"\s*:\s*(true|false)')

SETUP: Final = Setup(
    title="OpenAI",
    fields=(
        Field(
            "admin_key",
            "Admin key",
            "An organization's admin key (it begins with sk-admin-), or env:NAME or file:PATH of where it lies.",
            secret=True,
        ),
    ),
    steps=(
        (
            "Open [Admin keys](https://platform.openai.com/settings/organization/admin-keys) as an owner of the "
            "organization."
        ),
        "Create a key, name it `spendproof`, and restrict it to **read** access to usage; it needs nothing else.",
        (
            "Keep it in the environment and enter the reference:\n\n"
            "```sh\nexport OPENAI_ADMIN_KEY=...\nspendproof connect openai --set admin_key=env:OPENAI_ADMIN_KEY\n```"
        ),
    ),
    overlap_days=35,
    history_days=365,
    later=(
        "Usage of the last hours may still be on its way; the day of today is provisional.",
        "OpenAI states no second total of its own: type in the invoice's (spendproof connections invoice).",
    ),
)


@dataclass(frozen=True, slots=True)
class _Position:
    """Where a stream goes on: call `at` of its calls, from day `day` (seconds since 1970), with `page` as its token."""

    at: int
    page: str | None
    day: int
    number: int = 1


class OpenAISource(Organization):
    """One organization. `client` sends the admin key; it must not retry by itself."""

    named_by = "openai-organization"
    refuse_key = staticmethod(refuse_other_keys)

    def __init__(self, client: OpenAI, access: Access) -> None:
        from openai import APIConnectionError, APIStatusError  # noqa: PLC0415 - half a second

        limits = ("x-ratelimit-reset-requests", "x-ratelimit-reset-tokens")
        vendor = Vendor("OpenAI", str(client.base_url), APIStatusError, APIConnectionError, REFUSALS, limits)
        super().__init__(vendor, access)
        self._resource = client.admin.organization.usage.with_raw_response

    def streams(self, window: Window) -> list[Stream]:
        """All kinds of usage together, and the costs, whose tokens are there then and are brought in once.

        The costs come by halves of a month: a day of a large organization has thousands of lines, all of which a load
        holds in memory.
        """
        costs = [Stream("costs", half, "openai-costs") for half in _halves(window)]
        return [Stream("usage", window, "openai-usage"), *costs]

    def pull(self, stream: Stream, resume: str | None) -> Iterator[Page]:
        """Pages of up to 7 days (costs) or 31 (usage)."""
        kinds = ["costs"] if stream.name == "costs" else list(KINDS)
        first, end = _seconds(stream.window.first), _seconds(stream.window.end)
        position: _Position | None = _Position(**json.loads(resume)) if resume else _Position(0, None, first)
        while position is not None:
            kind = kinds[position.at]
            body, account = self._kind(kind, stream.window, position.page)
            following = _Position(position.at + 1, None, first) if position.at + 1 < len(kinds) else None
            if body is not None:
                day, token = self._checked(body, kind, position, end)
                if token is not None:
                    following = with_(position, page=token, day=day, number=position.number + 1)
            resume = json.dumps(asdict(following)) if following else None
            name = f"{kind}-{position.number:04}.json"
            yield Page(name, body or _nothing(), resume, account)
            position = following

    def totals(self, window: Window) -> list[Total]:
        """The costs without any grouping: the same API's own sum, which a lost or doubled line would differ from."""
        amounts = list[dict[str, Any]]()
        page: str | None = None
        while True:
            answer = exact(self._ask("costs", window, page, limit=_TOTAL_DAYS)[0])
            amounts += [result["amount"] for bucket in answer["data"] for result in bucket["results"]]
            page = answer.get("next_page")
            if not answer.get("has_more") or page is None:
                return totalled(amounts, window, "OpenAI Costs API, ungrouped", closed=None)

    def _kind(self, kind: str, window: Window, page: str | None) -> tuple[bytes | None, str]:
        """One page and the organization it is of; None where OpenAI has no such kind of usage (yet)."""
        groups = COST_GROUPS if kind == "costs" else KINDS[kind]
        limit = _COST_DAYS if kind == "costs" else _USAGE_DAYS
        try:
            body, headers = self._page(lambda: self._ask(kind, window, page, groups, limit), page)
        except SourceError as error:
            if error.status == _NOT_FOUND and kind not in {"costs", "completions"}:
                return None, ""
            raise
        return body, self._account(headers)

    def _ask(
        self,
        kind: str,
        window: Window,
        page: str | None = None,
        groups: tuple[str, ...] = (),
        limit: int = 1,
        attempts: int = ATTEMPTS,
    ) -> Answer:
        query: dict[str, Any] = {
            "start_time": _seconds(window.first),
            "end_time": _seconds(window.end),
            "bucket_width": "1d",
            "limit": limit,
        }
        query |= {"group_by": list(groups)} if groups else {}
        query |= {"page": page} if page is not None else {}

        def call() -> RawAnswer:
            return getattr(self._resource, kind)(**query)

        return self._vendor.ask(call, self._access, "OpenAI", attempts=attempts)

    def _checked(self, body: bytes, kind: str, position: _Position, end: int) -> tuple[int, str | None]:
        """The day after the last one of a page, and the token of the next page.

        Raises:
            StaleResumeError: days are left out, come twice, or lie outside of what was asked for.
        """
        token = _token(body)
        day = position.day
        for found in (int(start) for start in _START.findall(body)):
            if found != day:
                raise StaleResumeError(
                    f"OpenAI's pages of {kind} go on at {_date(found)} where {_date(day)} was due: a page is missing "
                    "or came twice.",
                    "Nothing of it was loaded; sync again, and the days are fetched anew.",
                )
            day += _DAY
        today = _seconds(self._access.now().date())
        if day > end or (token is None and day < min(end, today)):
            raise StaleResumeError(
                f"OpenAI's pages of {kind} end at {_date(day)} instead of {_date(min(end, today))}.",
                "Nothing of it was loaded; sync again, and the days are fetched anew.",
            )
        return day, token

    def _has_spent(self, window: Window) -> bool:
        days = (window.end - window.first).days
        answer = exact(self._ask("costs", window, limit=days, attempts=TEST_ATTEMPTS)[0])
        return any(bucket["results"] for bucket in answer["data"])

    def _asked_for_usage(self, window: Window) -> Mapping[str, str]:
        return self._ask("completions", window, attempts=TEST_ATTEMPTS)[1]


def open_source(access: Access) -> OpenAISource:
    """The organization whose admin key was entered."""
    from openai import OpenAI  # noqa: PLC0415 - half a second

    client = OpenAI(admin_api_key=access.values["admin_key"], api_key="", max_retries=0, timeout=60)
    return OpenAISource(client, access)


def _token(body: bytes) -> str | None:
    """The token of the next page, read without parsing thousands of results where the answer is unambiguous."""
    more, tokens = _MORE.findall(body), _NEXT.findall(body)
    if len(more) == 1 and len(tokens) == 1:
        has_more, token = more[0] == b"true", json.loads(tokens[0])
    else:
        answer = exact(body)
        has_more, token = bool(answer.get("has_more")), answer.get("next_page")
    return token if has_more and token else None


def _halves(window: Window) -> list[Window]:
    """The days of a window, cut before each 1st and 16th, the newest first."""
    inner = [window.first + timedelta(days=at) for at in range(1, (window.end - window.first).days)]
    cuts = [window.first, *(day for day in inner if day.day in {1, 16}), window.end]
    return [Window(first, end) for first, end in zip(reversed(cuts[:-1]), reversed(cuts[1:]), strict=True)]


def _nothing() -> bytes:
    return b'{"object":"page","data":[],"has_more":false,"next_page":null}'


def _seconds(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def _date(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"
