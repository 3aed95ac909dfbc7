"""Reports to web addresses: Slack, Teams, and any other by the Standard Webhooks signature."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any, Final

from jobs.dispatch import Parcel, SendError
from reports.report import Report, record

if TYPE_CHECKING:
    from jobs.destinations import Destination

_TIMEOUT: Final = 30.0
_MOST_FIGURES: Final = 8
#: Answers after which trying again cannot help: the address is wrong, gone or not allowed.
_FINAL: Final = frozenset({400, 401, 403, 404, 405, 410})


def slack(parcel: Parcel, to: Destination) -> str:
    """Post the figures to a Slack incoming webhook.

    Raises:
        SendError: Slack refused or did not answer.
    """
    return _post(to.address, json.dumps({"text": "\n".join(_lines(parcel.report, "*"))}).encode(), {})


def teams(parcel: Parcel, to: Destination) -> str:
    """Post the figures to a Teams workflow webhook as an Adaptive Card.

    Raises:
        SendError: Teams refused or did not answer.
    """
    title, *lines = _lines(parcel.report, "**")
    blocks: list[dict[str, Any]] = [{"type": "TextBlock", "text": title, "size": "medium", "wrap": True}]
    blocks += [{"type": "TextBlock", "text": line, "wrap": True, "spacing": "small"} for line in lines]
    card = {"type": "AdaptiveCard", "version": "1.4", "body": blocks}
    kind = "application/vnd.microsoft.card.adaptive"
    body = {"type": "message", "attachments": [{"contentType": kind, "content": card}]}
    return _post(to.address, json.dumps(body).encode(), {})


def webhook(parcel: Parcel, to: Destination) -> str:
    """Post the whole report as JSON, signed as standardwebhooks.com describes.

    `webhook-id` is the same at every try of one delivery, so that a receiver can tell a repetition.

    Raises:
        SendError: the receiver refused or did not answer, or the secret cannot sign.
    """
    event = {"type": "report.made", "timestamp": parcel.at.isoformat(), "data": record(parcel.report)}
    body = json.dumps(event, ensure_ascii=False).encode()
    stamp = str(int(parcel.at.timestamp()))
    headers = {
        "webhook-id": parcel.id,
        "webhook-timestamp": stamp,
        "webhook-signature": signature(to.secret or "", parcel.id, stamp, body),
    }
    return _post(to.address, body, headers)


def signature(secret: str, id_: str, timestamp: str, body: bytes) -> str:
    """HMAC-SHA256 of id, timestamp and body under a `whsec_` secret, as the header carries it.

    Raises:
        SendError: the secret is not base64.
    """
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error as error:
        raise SendError("The webhook's secret is not base64 after whsec_; enter it again.", final=True) from error
    signed = hmac.new(key, f"{id_}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(signed).decode()}"


def _lines(report: Report, strong: str) -> list[str]:
    """The report in a few lines: what went wrong first, then its first figures."""
    lines = [f"{strong}{report.title}, {report.workspace}, {report.period}{strong}"]
    lines += [f"Attention: {sentence}" for sentence in report.alarms]
    if report.synthetic:
        lines.append("Synthetic sample data: these are nobody's bills.")
    figures = [figure for section in report.sections for figure in section.figures]
    for figure in figures[:_MOST_FIGURES]:
        note = f" ({figure.note})" if figure.note else ""
        lines.append(f"{figure.label}: {report.written(figure.value, figure.kind, figure.of)}{note}")
    return [*lines, *report.notes]


def _post(address: str, body: bytes, headers: dict[str, str]) -> str:
    import httpx  # noqa: PLC0415 - only these channels need it

    try:
        answer = httpx.post(
            address,
            content=body,
            headers={"content-type": "application/json", **headers},
            timeout=_TIMEOUT,
            follow_redirects=False,
        )
    except httpx.HTTPError as error:
        raise SendError(f"The address did not answer ({type(error).__name__}).") from error
    if answer.is_success:
        return f"answered {answer.status_code}"
    said = " ".join(answer.text.split())[:200]
    raise SendError(f"The receiver answered {answer.status_code}: {said}", final=answer.status_code in _FINAL)
