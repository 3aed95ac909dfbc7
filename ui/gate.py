"""In front of every request: without sign-in only this machine's own addresses, with a password only who has a session.

It stands before Streamlit, so that nothing of a page, its socket or its files is served to anybody else.
"""

from __future__ import annotations

import re
import time
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.websockets import WebSocketClose

from accounts.signin import Protection, is_loopback, is_valid
from ui import running

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

COOKIE: Final = "spendproof_session"
SIGN_IN: Final = "/sign-in"
SIGN_OUT: Final = "/sign-out"
#: Paths that need no session. This and `PUBLIC_LINK` are the whole list.
PUBLIC: Final = frozenset({"/healthz", SIGN_IN, SIGN_OUT, "/revocations.json"})
#: Links to shared proofs and ROI cases, and those that end mails: one part after the first, so that nothing of the app
#: can be reached through them.
PUBLIC_LINK: Final = re.compile(r"/(?:proof|case|unsubscribe)/[A-Za-z0-9_-]{1,128}")

_FOREIGN: Final = (
    "This server shows bills without sign-in, so it answers only at this machine's own address (127.0.0.1 or "
    "localhost). To reach it from elsewhere: spendproof set-password, then spendproof serve --host ADDRESS.\n"
)


class Gate:
    """ASGI middleware that lets a request through or answers it itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI asks."""
        if scope["type"] not in {"http", "websocket"} or _is_public(scope):
            await self._app(scope, receive, send)
            return
        refusal = _refusal(scope)
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocketClose(code=1008)(scope, receive, send)
        else:
            await refusal(scope, receive, send)


def _is_public(scope: Scope) -> bool:
    path = scope["path"]
    return path in PUBLIC or (scope["type"] == "http" and PUBLIC_LINK.fullmatch(path) is not None)


def _refusal(scope: Scope) -> Response | None:
    served, headers = running.current(), Headers(scope=scope)
    if served.protection is Protection.NONE:
        own = scope.get("server") or ("", 0)
        # A name that merely resolves to this machine (DNS rebinding) is a foreign page's way in.
        host = urlsplit(f"//{headers.get('host', '')}").hostname or ""
        return None if is_loopback(own[0]) and is_loopback(host) else PlainTextResponse(_FOREIGN, 403)
    if served.protection is Protection.PASSWORD:
        session = session_of(headers.get("cookie", ""))
        if is_valid(served.settings, served.workspace, session, int(time.time())):
            return None
        return RedirectResponse(SIGN_IN, 303)
    # An identity provider's sign-in is Streamlit's own and happens in ui/main.py, before any page.
    return None


def session_of(cookies: str) -> str:
    """The session that a Cookie header carries, or an empty text."""
    found = SimpleCookie(cookies).get(COOKIE)
    return found.value if found else ""
