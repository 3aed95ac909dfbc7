"""What the SDKs of OpenAI and Anthropic have in common: errors, retries, and answers taken as raw bytes.

Both SDKs raise `APIStatusError` with the response, and `APIConnectionError` for everything below HTTP. Answers are
taken as the bytes that came: parsed by the SDK, amounts would become doubles.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Protocol, cast
from urllib.parse import urlsplit

from connectors.errors import SourceError
from connectors.live import Access
from connectors.patience import ATTEMPTS, Pause, asked_wait, persist
from connectors.probing import Refusal, explained, network

#: Statuses after which the same request may succeed; 529 is Anthropic's "overloaded".
_PASSING: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})
_TOO_MANY: Final = 429
#: A test of a connection is watched by a person, who shall not wait for minutes.
TEST_ATTEMPTS: Final = 2


class Response(Protocol):
    """An answer at the level of HTTP."""

    @property
    def content(self) -> bytes:
        """The body."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers."""
        ...


class RawAnswer(Protocol):
    """What both SDKs hand over under `with_raw_response`."""

    @property
    def http_response(self) -> Response:
        """The answer as it came."""
        ...


class IncompleteError(Exception):
    """An answer that is not whole: worth another try."""


def refuse_key(key: str, others: Sequence[tuple[str, str]], fix: str) -> None:
    """Refuse what can be told by its shape alone to be no key that reads an organization's costs.

    Args:
        key: as it was entered.
        others: beginnings of other keys, and what each is.
        fix: how to get the right one.

    Raises:
        SourceError: it is a key for something else, or was copied with something around it.
    """
    for beginning, says in others:
        if key.startswith(beginning):
            raise SourceError(says, fix)
    if not key.isascii() or any(char.isspace() for char in key) or key[:1] in "\"'":
        raise SourceError(
            "The key holds a space, a quotation mark or another character that no key has.",
            "Copy the key alone, without quotes or line breaks.",
        )


@dataclass(frozen=True, slots=True)
class Vendor:
    """One vendor's SDK as the sources use it.

    Attributes:
        name: for sentences.
        address: the API's address, for sentences.
        status_error: the SDK's error for an answer with an error status.
        connection_error: the SDK's error for no answer.
        refusals: what the vendor's refusals mean, most telling first.
        limits: headers that say when a limit is lifted.
    """

    name: str
    address: str
    status_error: type[Exception]
    connection_error: type[Exception]
    refusals: Sequence[Refusal]
    limits: tuple[str, ...]

    def ask(
        self, call: Callable[[], RawAnswer], access: Access, what: str, *, attempts: int = ATTEMPTS
    ) -> tuple[bytes, Mapping[str, str]]:
        """The body and headers of one answer, tried again where that may help.

        Raises:
            SourceError: the vendor refused, or failed for longer than patience lasts.
        """

        def once() -> tuple[bytes, Mapping[str, str]]:
            access.meter.count(what)
            answer = call().http_response
            return whole(answer.content), answer.headers

        try:
            return persist(once, lambda error: self._pause(error, access), access, attempts)
        except (self.status_error, self.connection_error) as error:
            raise self._refused(error) from error
        except SourceError as error:
            # Out of patience: where there was no answer at all, say what the network says.
            if isinstance(error.__cause__, self.connection_error):
                raise network(self.name, self._host, error.__cause__) from error
            raise

    @property
    def _host(self) -> str:
        return urlsplit(self.address).hostname or self.address

    def _pause(self, error: Exception, access: Access) -> Pause | None:
        if isinstance(error, IncompleteError):
            return Pause(f"{self.name} sent an answer that is not whole")
        if isinstance(error, self.connection_error):
            return Pause(f"The connection to {self._host} broke")
        if not isinstance(error, self.status_error):
            return None
        response = cast("Any", error).response
        status = int(response.status_code)
        if status not in _PASSING:
            return None
        wait = asked_wait(response.headers, access.now(), *self.limits)
        if status == _TOO_MANY:
            return Pause(f"{self.name} limits how often it may be asked (429)", wait)
        return Pause(f"{self.name} failed with status {status}", wait)

    def _refused(self, error: Exception) -> SourceError:
        if isinstance(error, self.connection_error):
            return network(self.name, self._host, error)
        response = cast("Any", error).response
        refused = explained(self.refusals, self.name, int(response.status_code), told(response.content))
        refused.status = int(response.status_code)
        return refused


def told(body: bytes) -> str:
    """Type, code and message of an error's body as one line; the beginning of whatever else came."""
    try:
        error = json.loads(body)["error"]
    except (ValueError, KeyError, TypeError):
        return body[:300].decode(errors="replace")
    if isinstance(error, dict):
        parts = cast("dict[str, object]", error)
        return " ".join(str(parts[key]) for key in ("type", "code", "message") if parts.get(key))
    return str(error)


def whole(body: bytes) -> bytes:
    """An answer that begins and ends as a JSON object does.

    Raises:
        IncompleteError: it was cut off.
        SourceError: it is no JSON at all, as a captive portal answers.
    """
    start = body.lstrip()[:1]
    if start == b"<":
        raise SourceError(
            "The answer is a web page instead of data.",
            "Something between here and the provider answers in its place: check the proxy and the address set in the "
            "environment.",
        )
    if start != b"{" or body.rstrip()[-1:] != b"}":
        raise IncompleteError
    return body


def exact(body: bytes) -> dict[str, Any]:
    """A small answer parsed with its decimals kept.

    Raises:
        SourceError: it is not JSON.
    """
    try:
        return json.loads(body, parse_float=Decimal)
    except ValueError as error:
        raise SourceError("The provider's answer cannot be read.", "Try again later.") from error
