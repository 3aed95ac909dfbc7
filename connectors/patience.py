"""Waiting for a provider that is busy or stumbles: how long, how often, and when to give up.

A wait that the provider names in a header is kept to the second; without one the waits double from one second on. A
provider that asks for more than `LONGEST` is not waited for: the sync ends with a sentence and goes on next time.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, TypeVar

from connectors.errors import SourceError
from connectors.live import Access

T = TypeVar("T")

#: Times that a call is made before it counts as failed.
ATTEMPTS: Final = 7
#: Longest wait in seconds that is kept.
LONGEST: Final = 300.0

_DURATION: Final = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?(?:(\d+)ms)?")
_UNITS: Final = (86_400.0, 3_600.0, 60.0, 1.0, 0.001)


@dataclass(frozen=True, slots=True)
class Pause:
    """Why a call is worth another try: `seconds` is the provider's own word, None where it named none."""

    reason: str
    seconds: float | None = None


def persist(
    call: Callable[[], T], judge: Callable[[Exception], Pause | None], access: Access, attempts: int = ATTEMPTS
) -> T:
    """The result of `call`, made again after each failure that `judge` finds worth another try.

    Args:
        call: makes one request.
        judge: the pause after an error; None where trying again cannot help, and the error is passed on.
        access: sleeps.
        attempts: times that it is made before it counts as failed.

    Raises:
        SourceError: the provider failed `attempts` times, or asks for more patience than `LONGEST`.
    """
    for attempt in range(attempts):
        try:
            return call()
        except Exception as error:
            pause = judge(error)
            if pause is None:
                raise
            seconds = 2.0**attempt if pause.seconds is None else max(pause.seconds, 0.0)
            if seconds > LONGEST:
                raise SourceError(
                    f"{pause.reason}, and asks to wait {seconds:,.0f} seconds. What was fetched is kept; sync again "
                    "after that."
                ) from error
            if attempt == attempts - 1:
                raise SourceError(
                    f"{pause.reason}, {attempts} times in a row. What was fetched is kept; sync again later."
                ) from error
            access.sleep(seconds)
    raise AssertionError


def asked_wait(headers: Mapping[str, str], now: datetime, *names: str) -> float | None:
    """Seconds that a provider asks to wait, by `retry-after-ms`, `retry-after` or the headers called `names`.

    A value is seconds (`12`), a duration (`1m30s`, `250ms`), an HTTP date or an RFC 3339 moment; None where no header
    says anything that can be read. Of `names` the longest counts, since each limits something else.
    """
    found = {key.lower(): value.strip() for key, value in headers.items()}
    if (milliseconds := _seconds(found.get("retry-after-ms", ""), now)) is not None:
        return milliseconds / 1000
    if (after := _seconds(found.get("retry-after", ""), now)) is not None:
        return after
    waits = [wait for name in names if (wait := _seconds(found.get(name.lower(), ""), now)) is not None]
    return max(waits, default=None)


def _seconds(text: str, now: datetime) -> float | None:
    with suppress(ValueError):
        return seconds if math.isfinite(seconds := float(text)) else None
    if text and (match := _DURATION.fullmatch(text)):
        return sum(float(part) * unit for part, unit in zip(match.groups(), _UNITS, strict=True) if part)
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        with suppress(ValueError):
            moment = parse(text)
            return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now).total_seconds()
    return None
