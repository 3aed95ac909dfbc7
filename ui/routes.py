"""What the server answers beside the pages: health, sign-in, and what happens at its start."""

from __future__ import annotations

import gc
import html
import logging
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from anyio import to_thread
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from accounts.signin import SESSION_HOURS, Attempts, Protection, issue, verify
from ledger.errors import LedgerError
from ui import fonts, roi_link, running, share_routes, unsubscribe
from ui.gate import COOKIE, SIGN_IN, SIGN_OUT, Gate
from ui.pages import ENTRIES

MAIN: Final = Path(__file__).with_name("main.py")
_PAGE: Final = Path(__file__).with_name("static") / "sign_in.html"
_log: Final = logging.getLogger(__name__)
_attempts: Final = Attempts()


async def healthz(_: Request) -> Response:
    """Says `ok` as long as the server answers."""
    return PlainTextResponse("ok")


async def first_page(request: Request) -> Response:
    """The first page by its own name: Streamlit knows it at the root alone."""
    return RedirectResponse(f"/?{request.url.query}" if request.url.query else "/", 307)


async def sign_in_form(_: Request) -> Response:
    """The form that asks for the workspace's password."""
    if running.current().protection is not Protection.PASSWORD:
        return RedirectResponse("/", 303)
    return _form()


async def sign_in(request: Request) -> Response:
    """Open a session where the password is right."""
    served, now = running.current(), time.time()
    if served.protection is not Protection.PASSWORD:
        return RedirectResponse("/", 303)
    origin = request.headers.get("origin")
    if origin and urlsplit(origin).netloc != request.headers.get("host"):
        return _form("This sign-in came from another site and was refused. Open the address of this app itself.", 403)
    address = request.client.host if request.client else ""
    if wait := _attempts.wait(address, now):
        return _form(f"Too many wrong passwords. Try again in {-(-wait // 60)} minutes.", 429)
    form = await request.form(max_files=0, max_fields=4)
    # scrypt takes a tenth of a second, which other people's requests need not wait for.
    if not await to_thread.run_sync(verify, served.settings, served.workspace, str(form.get("password", ""))):
        _attempts.failed(address, now)
        return _form("That is not the password of this workspace.", 401)
    response = RedirectResponse("/", 303)
    response.set_cookie(
        COOKIE,
        issue(served.settings, served.workspace, int(now)),
        max_age=SESSION_HOURS * 3600,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return response


async def sign_out(_: Request) -> Response:
    """End the session of this browser."""
    response = RedirectResponse(SIGN_IN, 303)
    response.delete_cookie(COOKIE)
    return response


async def font(request: Request) -> Response:
    """A file of the font family; nothing else of its folder."""
    path = fonts.FOLDER / request.path_params["name"]
    if path.name not in fonts.SERVED or not path.is_file():
        return PlainTextResponse("There is no such font.", 404)
    return FileResponse(path, media_type="font/woff2", headers={"Cache-Control": "public, max-age=604800"})


@asynccontextmanager
async def warm_up(_: Any) -> AsyncGenerator[None]:  # noqa: ANN401 - Streamlit passes its App
    """Load what the first page needs before anybody waits for it."""
    await to_thread.run_sync(_warm)
    running.current().ready()
    yield


def _warm() -> None:
    from ui import data, pages  # noqa: PLC0415 - the heavy imports are what is warmed

    pages.warm()
    try:
        data.warm(running.current())
    except LedgerError:
        # The pages themselves say what is wrong with the lake, to a person who can read it.
        _log.exception("the lake could not be opened at the start")
    # Streamlit collects garbage after every run of a page. What is loaded by now stays for as long as the process
    # does; to look through it each time took a tenth of a second.
    gc.collect()
    gc.freeze()


def _form(message: str = "", status: int = 200) -> Response:
    note = f'<p role="alert">{html.escape(message)}</p>' if message else ""
    body = _PAGE.read_text().replace("{note}", note).replace("{workspace}", html.escape(running.current().workspace))
    return HTMLResponse(
        body, status, {"Cache-Control": "no-store", "Content-Security-Policy": "frame-ancestors 'none'"}
    )


#: Which of these need no session stands in `ui.gate`: `PUBLIC` and `PUBLIC_LINK`.
ROUTES: Final = (
    Route("/healthz", healthz),
    Route("/fonts/{name}", font),
    Route(f"/{ENTRIES[0].path}", first_page),
    Route(SIGN_IN, sign_in_form, methods=["GET"]),
    Route(SIGN_IN, sign_in, methods=["POST"]),
    Route(SIGN_OUT, sign_out),
    *share_routes.ROUTES,
    *unsubscribe.ROUTES,
    *roi_link.ROUTES,
)
MIDDLEWARE: Final = (Middleware(Gate),)
