"""Shared proofs, outside the app's pages: for people without an account, and for nobody who does not have the link.

Nothing here asks for a session: `ui.gate` lets these paths through. A page is stored when its link is made and is sent
as it is; what is read on the way are two rows of the accounts' database.
"""

from __future__ import annotations

import gzip
import html
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from accounts.signin import Attempts
from reports.proof.html import TOOLBAR_AT, toolbar
from reports.proof.issue import LIST_PATH, loaded, rendered
from reports.shares import PATH, REMEMBERED, ShareLink, Shares, ended, opens, pass_for, passes
from reports.standing import Fate, fate, revocations
from ui import running

_NOTICE: Final = Path(__file__).with_name("static") / "shared_notice.html"
_COOKIE: Final = "spendproof_shared"
_HEADERS: Final = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; font-src data:; img-src data:; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_FILES: Final = {"pdf": "application/pdf", "json": "application/json"}
_LIST_SECONDS: Final = 300


@dataclass(slots=True)
class Limiter:
    """So many requests of one address within so many seconds; what it forgets on a restart it allows again."""

    most: int
    seconds: float
    seen: dict[str, deque[float]] = field(default_factory=dict[str, deque[float]])

    def full(self, address: str, now: float, *, count: bool = True) -> bool:
        """Whether this address has had its share; counts the request where it has not."""
        if len(self.seen) > 10_000:  # noqa: PLR2004 - addresses; those that went quiet are forgotten
            self.seen = {a: times for a, times in self.seen.items() if times and now - times[-1] < self.seconds}
        times = self.seen.setdefault(address, deque())
        while times and now - times[0] >= self.seconds:
            times.popleft()
        if len(times) >= self.most:
            return True
        if count:
            times.append(now)
        return False


_requests: Final = Limiter(120, 60)
_strangers: Final = Limiter(20, 600)
_lists: Final = dict[str, tuple[float, bytes]]()
#: Wrong passwords, by link: who guesses at one must not lock the others.
_wrong: Final = dict[str, Attempts]()


async def shared(request: Request) -> Response:
    """A shared proof: its page, or with `?file=pdf` or `?file=json` the file."""
    address, now = request.client.host if request.client else "", time.time()
    # Both limits are asked before the database is.
    if _requests.full(address, now) or _strangers.full(address, now, count=False):
        return _notice("Too many requests", "<p>Wait a minute, then open the link again.</p>", 429)
    form = await request.form(max_files=0, max_fields=2) if request.method == "POST" else None
    password = None if form is None else str(form.get("password", ""))
    return await to_thread.run_sync(_answered, request, address, password)


async def revoked(_: Request) -> Response:
    """The signed list of proofs that no longer stand."""
    return Response(
        await to_thread.run_sync(_list), media_type="application/json", headers={"Cache-Control": "no-cache"}
    )


def _answered(request: Request, address: str, password: str | None) -> Response:
    served, now = running.current(), datetime.now(UTC)
    shares = Shares(served.settings, served.workspace)
    link = shares.find(request.path_params["token"])
    if link is None:
        _strangers.full(address, time.time())
        return _notice("No such proof", "<p>Check the link, or ask who sent it for a new one.</p>", 404)
    answer, response = _for(request, link, address, password, now)
    shares.log(link, now, address, request.headers.get("user-agent", ""), answer)
    return response


def _for(request: Request, link: ShareLink, address: str, password: str | None, now: datetime) -> tuple[str, Response]:
    """What the log says, and the answer."""
    if (over := ended(link, now)) is not None:
        return "ended", _notice("This link has ended", f"<p>{over} Ask who sent it for a new one.</p>", 410)
    seconds = int(now.timestamp())
    if link.password is not None and not passes(link, request.cookies.get(_COOKIE, ""), seconds):
        return _locked(request, link, address, password, seconds)
    if (end := fate(running.current().settings, link)) is not None and "signed" not in request.query_params:
        return "superseded", _ended_proof(end)
    if kind := request.query_params.get("file"):
        return f"file {kind}"[:16], _file(link, kind)
    return "page", _page(request, link)


def _locked(
    request: Request, link: ShareLink, address: str, password: str | None, seconds: int
) -> tuple[str, Response]:
    origin = request.headers.get("origin")
    if password is None or (origin and origin != "null" and urlsplit(origin).netloc != request.headers.get("host")):
        return "asked", _ask()
    attempts = _wrong.setdefault(link.id, Attempts())
    if wait := attempts.wait(address, time.time()):
        return "waits", _ask(f"Too many wrong passwords. Try again in {-(-wait // 60)} minutes.", 429)
    if not opens(link, password):
        attempts.failed(address, time.time())
        return "wrong password", _ask("That is not the password of this link.", 401)
    response = Response(status_code=303, headers={**_HEADERS, "Location": request.url.path})
    response.set_cookie(
        _COOKIE,
        pass_for(link, seconds + REMEMBERED),
        max_age=REMEMBERED,
        path=request.url.path,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return "opened", response


def _page(request: Request, link: ShareLink) -> Response:
    # The stored page is as it was signed; `verify` knows the line with the files that is put in here.
    text = gzip.decompress(link.page).decode().replace(TOOLBAR_AT, TOOLBAR_AT + toolbar(), 1)
    body = text.encode()
    headers = {**_HEADERS, "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        body, headers = gzip.compress(body, 1), headers | {"Content-Encoding": "gzip"}
    return HTMLResponse(body, headers=headers)


def _file(link: ShareLink, kind: str) -> Response:
    if kind not in _FILES:
        return _notice("No such file", "<p>A shared proof is there as pdf and as json.</p>", 404)
    content = rendered(loaded(link.document), kind)
    name = f'attachment; filename="proof-{link.proof}.{kind}"'
    return Response(content, media_type=_FILES[kind], headers={**_HEADERS, "Content-Disposition": name})


def _ended_proof(end: Fate) -> Response:
    replaced = f"<p>It was replaced by proof {html.escape(end.superseded_by)}.</p>" if end.superseded_by else ""
    body = f'<p>{html.escape(end.reason)}</p>{replaced}<a class="button" href="?signed=1">Show it as it was signed</a>'
    return _notice(f"This proof was {end.state.value}", body, 200)


def _ask(message: str = "", status: int = 200) -> Response:
    note = f'<p role="alert">{html.escape(message)}</p>' if message else ""
    body = (
        f'{note}<form method="post"><label for="password">Password of this link</label>'
        '<input id="password" name="password" type="password" autocomplete="current-password" required autofocus>'
        "<button>Open the proof</button></form>"
    )
    return _notice("A proof for you", body, status)


def _notice(title: str, body: str, status: int) -> Response:
    text = _NOTICE.read_text().replace("{title}", html.escape(title)).replace("{body}", body)
    return HTMLResponse(text, status, _HEADERS)


def _list() -> bytes:
    """Signed at most every five minutes: whoever asks more often gets the same one."""
    served, now = running.current(), time.time()
    made, content = _lists.get(served.workspace, (0.0, b""))
    if now - made > _LIST_SECONDS:
        made, content = now, revocations(served.settings, served.workspace, datetime.now(UTC))
        _lists[served.workspace] = made, content
    return content


ROUTES: Final = (
    Route(f"{PATH}{{token}}", shared, methods=["GET", "POST"]),
    Route(LIST_PATH, revoked, methods=["GET"]),
)
