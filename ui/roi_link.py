"""The one page of a saved ROI case as PDF, for whoever has its link: outside the app's pages, without an account.

The page was made when the link was, and is sealed under a key that the token alone gives; nothing is computed here.
"""

from __future__ import annotations

import base64
from typing import Final

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from accounts import scenarios
from accounts.scenarios import ScenarioError
from ui import running

#: Address of the page; the token follows.
CASE: Final = "/case/"
#: Key of the scenario that holds the page, base64.
PAGE: Final = "pdf"
_HEADERS: Final = {
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}


async def case(request: Request) -> Response:
    """The PDF; a sentence where the link opens nothing."""
    served = running.current()
    try:
        kept = await to_thread.run_sync(scenarios.load, served.settings, served.workspace, request.path_params["token"])
        page = base64.b64decode(kept[PAGE])
    except (ScenarioError, KeyError) as error:
        said = str(error) if isinstance(error, ScenarioError) else "This scenario has no page; make its link again."
        return PlainTextResponse(said, 404, _HEADERS)
    shown = {"Content-Disposition": 'inline; filename="roi-case.pdf"'}
    return Response(page, 200, {**_HEADERS, **shown}, "application/pdf")


ROUTES: Final = (Route(f"{CASE}{{token}}", case, methods=["GET"]),)
