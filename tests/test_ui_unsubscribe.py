"""The link that ends the mails of a report."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from starlette.applications import Starlette

from accounts.database import sessions
from accounts.home import Settings
from accounts.signin import Protection
from jobs.channels.mail import UNSUBSCRIBE, hashed
from jobs.schedules import Stopped
from tests.reporting import settings_in
from ui import running, unsubscribe
from ui.gate import PUBLIC_LINK
from ui.running import Running

TOKEN = "a-token_of-a-mail"  # noqa: S105 - made up


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    found = settings_in(tmp_path)
    with sessions(found).begin() as session:
        row = Stopped(
            id=uuid4().hex, workspace="acme", schedule_id="s1", address="<b>cfo@example.com", token_hash=hashed(TOKEN)
        )
        session.add(row)
    return found


def asked(settings: Settings, method: str, token: str) -> httpx.Response:
    running.configure(Running(settings, "acme", Protection.NONE))

    async def request() -> httpx.Response:
        app = Starlette(routes=list(unsubscribe.ROUTES))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://app") as client:
            return await client.request(method, f"{UNSUBSCRIBE}{token}")

    return asyncio.run(request())


def stopped(settings: Settings) -> list[bool]:
    with sessions(settings)() as session:
        return [row.stopped_at is not None for row in session.query(Stopped)]


def test_looking_at_the_link_ends_nothing(settings: Settings) -> None:
    assert asked(settings, "GET", TOKEN).status_code == 200
    assert stopped(settings) == [False]


def test_the_button_ends_the_mails_and_names_the_address_as_text(settings: Settings) -> None:
    answer = asked(settings, "POST", TOKEN)
    assert answer.status_code == 200
    assert "&lt;b&gt;cfo@example.com gets no more mails" in answer.text
    assert stopped(settings) == [True]
    assert asked(settings, "POST", TOKEN).status_code == 200


def test_another_token_ends_nothing(settings: Settings) -> None:
    assert asked(settings, "POST", "guess").status_code == 404
    assert stopped(settings) == [False]


def test_the_link_needs_no_session_and_opens_nothing_else() -> None:
    assert PUBLIC_LINK.fullmatch(f"{UNSUBSCRIBE}{TOKEN}")
    assert not PUBLIC_LINK.fullmatch(f"{UNSUBSCRIBE}{TOKEN}/spend")
