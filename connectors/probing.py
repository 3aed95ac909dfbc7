"""A connection test as a row of steps, and what the network itself says when a provider cannot be reached."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final

from connectors.errors import SourceError
from connectors.live import Diagnosis

#: A clock that is further off than this cuts days at the wrong place and lets signatures expire.
_SKEW_SECONDS: Final = 300


@dataclass(frozen=True, slots=True)
class Found:
    """What a step that passed found, and what a person may want to do about it."""

    message: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One way in which a provider refuses: how it is recognised, and what it means to a person.

    Attributes:
        statuses: HTTP statuses; empty for any.
        pattern: regular expression searched in the provider's code and message; empty for any.
        says: what happened.
        fix: what to do.
    """

    statuses: tuple[int, ...]
    pattern: str
    says: str
    fix: str

    def error(self, status: int, text: str) -> SourceError | None:
        """The error for a person if this is the refusal."""
        if self.statuses and status not in self.statuses:
            return None
        if self.pattern and not re.search(self.pattern, text, re.IGNORECASE):
            return None
        return SourceError(self.says.format(status=status), self.fix)


def explained(refusals: Sequence[Refusal], provider: str, status: int, text: str) -> SourceError:
    """The first refusal that fits, else the provider's own words."""
    for refusal in refusals:
        if (error := refusal.error(status, text)) is not None:
            return error
    words = " ".join(text.split())[:200] or "no reason"
    return SourceError(f"{provider} refused with status {status}: {words}.", "Test the connection again later.")


def probe(steps: Sequence[tuple[str, Callable[[], Found]]]) -> list[Diagnosis]:
    """Try the steps in order; those after the first that fails are not tried."""
    found = list[Diagnosis]()
    for title, step in steps:
        if any(d.passed is False for d in found):
            found.append(Diagnosis(title, None, "Not tried, as a step before it failed."))
            continue
        try:
            result = step()
        except SourceError as error:
            found.append(Diagnosis(title, passed=False, message=error.says, fix=error.fix))
        else:
            found.append(Diagnosis(title, passed=True, message=result.message, fix=result.fix))
    return found


def clock(provider: str, headers: Mapping[str, str], now: datetime) -> Found:
    """Compare this machine's clock with the provider's.

    Raises:
        SourceError: they differ by more than five minutes.
    """
    stated = next((value for key, value in headers.items() if key.lower() == "date"), "")
    try:
        difference = (now - parsedate_to_datetime(stated)).total_seconds()
    except (ValueError, TypeError):
        return Found(f"{provider} did not state its time, so the clocks could not be compared.")
    if abs(difference) > _SKEW_SECONDS:
        way = "ahead of" if difference > 0 else "behind"
        raise SourceError(
            f"This machine's clock is {abs(difference) / 60:,.0f} minutes {way} that of {provider}.",
            "Set the clock (timedatectl set-ntp true); days would be cut at the wrong hour.",
        )
    return Found(f"This machine's clock agrees with that of {provider}.")


def network(provider: str, host: str, error: BaseException) -> SourceError:
    """Why a host could not be reached, by what lies beneath the SDK's error."""
    for cause in _causes(error):
        text = str(cause).lower()
        if isinstance(cause, socket.gaierror) or "name or service not known" in text or "name resolution" in text:
            return SourceError(
                f"The name {host} of {provider} cannot be resolved.", "Check this machine's network and DNS settings."
            )
        if isinstance(cause, ssl.SSLError) or "certificate" in text:
            return SourceError(
                f"The certificate of {host} is not trusted here.",
                "Something between here and the provider opens the traffic (a company proxy): install its root "
                "certificate, or name it in SSL_CERT_FILE.",
            )
        if "407" in text or "proxy" in text:
            return SourceError(
                f"The proxy on the way to {host} refuses.", "Check HTTPS_PROXY and the proxy's user and password."
            )
        if isinstance(cause, ConnectionRefusedError) or "refused" in text:
            return SourceError(
                f"{host} refuses the connection.", "Check the firewall, and any address set in the environment."
            )
        if isinstance(cause, TimeoutError) or "timed out" in text or "timeout" in type(cause).__name__.lower():
            return SourceError(
                f"{host} did not answer in time.", "Check that the firewall lets HTTPS out; try again later."
            )
    return SourceError(f"The connection to {host} broke.", "Try again; if it stays so, check the network.")


def _causes(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__
