"""The link in a mailed report that ends the mails, for people without an account.

Looking at it ends nothing, since mail programs look at links by themselves; the button, or the mail program's own
one-click request (RFC 8058), does.
"""

from __future__ import annotations

import html
from datetime import UTC, datetime
from typing import Final

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from jobs.channels.mail import UNSUBSCRIBE, stop
from ui import running

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}
_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>SpendProof</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 1rem/1.5 sans-serif; max-width: 32rem; margin: 15vh auto 0; padding: 0 1.25rem; }}
button {{ font: inherit; padding: .5rem 1rem; }}
</style>
</head>
<body><h1>SpendProof</h1>{body}</body>
</html>
"""


async def ask(_: Request) -> Response:
    """Asks whether the mails are to end."""
    return _page(
        '<p>Do you want no more mails of this report?</p><form method="post"><button>No more mails</button></form>'
    )


async def end(request: Request) -> Response:
    """Ends them."""
    settings, token = running.current().settings, request.path_params["token"]
    address = await to_thread.run_sync(stop, settings, token, datetime.now(UTC))
    if address is None:
        return _page("<p>This link is not known. It may be incomplete: open it from the mail itself.</p>", 404)
    return _page(f"<p>{html.escape(address)} gets no more mails of this report.</p>")


def _page(body: str, status: int = 200) -> Response:
    return HTMLResponse(_PAGE.format(body=body), status, _HEADERS)


ROUTES: Final = (
    Route(f"{UNSUBSCRIBE}{{token}}", ask, methods=["GET"]),
    Route(f"{UNSUBSCRIBE}{{token}}", end, methods=["POST"]),
)
