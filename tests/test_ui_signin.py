"""Sign-in: passwords, sessions, and the gate in front of every request."""

import ast
import asyncio
import stat
import time
from pathlib import Path
from typing import Any

import pytest

from accounts import passwords
from accounts.errors import SignInError
from accounts.home import Settings
from accounts.signin import (
    TRIES,
    WINDOW,
    Attempts,
    Protection,
    is_loopback,
    is_valid,
    issue,
    may_enter,
    password_file,
    protection,
    set_password,
    verify,
)
from ui import routes, running
from ui.gate import PUBLIC, Gate
from ui.running import Running

SECRET = "correct horse battery"  # noqa: S105 - of a workspace that lives as long as a test
NOW = 1_790_000_000


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cost of one hash is for an attacker to pay, not for these tests."""
    monkeypatch.setattr(passwords, "COST", 2**4)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def test_a_password_opens_its_own_workspace_only(settings: Settings) -> None:
    set_password(settings, "one", SECRET)
    set_password(settings, "two", "another long password")
    assert verify(settings, "one", SECRET)
    assert not verify(settings, "two", SECRET)
    assert not verify(settings, "one", SECRET + " ")
    assert not verify(settings, "three", SECRET)


def test_the_file_is_private_and_holds_no_password(settings: Settings) -> None:
    set_password(settings, "one", SECRET)
    file = password_file(settings, "one")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert SECRET not in file.read_text()
    assert [f.name for f in file.parent.iterdir()] == ["password.json"]


def test_the_same_password_is_hashed_with_another_salt_each_time() -> None:
    one, two = passwords.hashed(SECRET), passwords.hashed(SECRET)
    assert one.salt != two.salt
    assert one.digest != two.digest
    assert one.session_key != two.session_key


def test_a_file_that_others_may_read_is_refused(settings: Settings) -> None:
    set_password(settings, "one", SECRET)
    password_file(settings, "one").chmod(0o644)
    with pytest.raises(SignInError, match="chmod 600"):
        verify(settings, "one", SECRET)


def test_a_short_password_is_refused(settings: Settings) -> None:
    with pytest.raises(SignInError, match="at least 12 characters"):
        set_password(settings, "one", "short")
    assert not password_file(settings, "one").exists()


def test_a_session_belongs_to_one_workspace_one_password_and_half_a_day(settings: Settings) -> None:
    set_password(settings, "one", SECRET)
    set_password(settings, "two", SECRET)
    session = issue(settings, "one", NOW)
    assert is_valid(settings, "one", session, NOW + 12 * 3600 - 1)
    assert not is_valid(settings, "one", session, NOW + 12 * 3600)
    assert not is_valid(settings, "two", session, NOW)
    assert not is_valid(settings, "one", session.replace(str(NOW), str(NOW + 1)), NOW + 1)
    assert not is_valid(settings, "one", session.replace("one", "two"), NOW)
    assert not is_valid(settings, "one", "", NOW)
    assert not is_valid(settings, "one", "é.1.ü", NOW)
    set_password(settings, "one", SECRET)
    assert not is_valid(settings, "one", session, NOW)


def test_wrong_passwords_are_limited_by_address_and_forgotten_in_time() -> None:
    attempts = Attempts()
    for second in range(TRIES):
        assert attempts.wait("10.0.0.1", second) == 0
        attempts.failed("10.0.0.1", second)
    assert attempts.wait("10.0.0.1", TRIES) > 0
    assert attempts.wait("10.0.0.2", TRIES) == 0
    assert attempts.wait("10.0.0.1", WINDOW + 1) == 0


def test_many_addresses_together_are_limited_too() -> None:
    attempts = Attempts()
    for number in range(50):
        attempts.failed(f"10.0.1.{number}", 0)
    assert attempts.wait("10.0.2.1", 1) > 0


@pytest.mark.parametrize("host", ["127.0.0.1", "127.3.2.1", "::1", "[::1]", "localhost"])
def test_loopback_needs_no_sign_in(settings: Settings, host: str) -> None:
    assert is_loopback(host)
    assert protection(settings, "one", host, oidc=False) is Protection.NONE


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "bills.example.com", ""])  # noqa: S104
def test_any_other_address_needs_sign_in(settings: Settings, host: str) -> None:
    with pytest.raises(SignInError, match="spendproof set-password"):
        protection(settings, "one", host, oidc=False)
    assert protection(settings, "one", host, oidc=True) is Protection.OIDC
    set_password(settings, "one", SECRET)
    assert protection(settings, "one", host, oidc=False) is Protection.PASSWORD
    assert protection(settings, "one", "127.0.0.1", oidc=False) is Protection.PASSWORD


def test_only_verified_addresses_on_the_list_may_enter() -> None:
    people = ("Ada@example.com",)
    assert may_enter({"email": "ada@example.com", "email_verified": True}, people)
    assert not may_enter({"email": "ada@example.com", "email_verified": False}, people)
    assert not may_enter({"email": "ada@example.com"}, people)
    assert not may_enter({"email": "eve@example.com", "email_verified": True}, people)
    assert not may_enter({"email_verified": True}, ("",))


async def _passes(scope: Any, receive: Any, send: Any) -> None:
    del scope, receive
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"the app"})


def ask(
    path: str, *, host: str = "127.0.0.1:8501", server: str = "127.0.0.1", cookie: str = "", kind: str = "http"
) -> Any:
    """Send one request through the gate: status and headers, or the close code of a refused socket."""
    sent: list[dict[str, Any]] = []
    headers = [(b"host", host.encode()), (b"cookie", cookie.encode())]
    scope = {
        "type": kind,
        "method": "GET",
        "path": path,
        "headers": headers,
        "server": (server, 8501),
        "query_string": b"",
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(Gate(_passes)(scope, receive, send))
    return sent[0].get("status") or sent[0].get("code")


def serve(settings: Settings, way: Protection) -> None:
    running.configure(Running(settings, "one", way))


@pytest.mark.parametrize(
    "path", ["/", "/unit-cost", "/_stcore/health", "/media/x.csv", "/static/index.js", "/healthz/"]
)
def test_a_password_guards_every_path_but_the_public_ones(settings: Settings, path: str) -> None:
    set_password(settings, "one", SECRET)
    serve(settings, Protection.PASSWORD)
    session = f"spendproof_session={issue(settings, 'one', int(time.time()))}"
    assert ask(path) == 303
    assert ask(path, cookie="spendproof_session=one.1.abc") == 303
    assert ask(path, cookie=session) == 200


def test_the_socket_is_guarded_like_the_pages(settings: Settings) -> None:
    set_password(settings, "one", SECRET)
    serve(settings, Protection.PASSWORD)
    assert ask("/_stcore/stream", kind="websocket") == 1008


def test_public_is_what_it_says_and_no_more(settings: Settings) -> None:
    set_password(settings, "one", SECRET)
    serve(settings, Protection.PASSWORD)
    assert frozenset({"/healthz", "/sign-in", "/sign-out", "/revocations.json"}) == PUBLIC
    assert {ask(path) for path in PUBLIC} == {200}
    links = {"/proof/{token}", "/case/{token}", "/unsubscribe/{token}"}
    assert {route.path for route in routes.ROUTES} - PUBLIC == {"/fonts/{name}", "/value", *links}
    assert ask("/proof/a_Token-1") == ask("/unsubscribe/a_Token-1") == 200
    guarded = (
        "/proof/",
        "/proof/a/b",
        "/proof/a/_stcore/stream",
        "/proof/a%2Fb",
        "/unsubscribe/",
        "/proofs",
        "/value",
        "/fonts/x",
    )
    assert {ask(path) for path in guarded} == {303}
    assert ask("/proof/a", kind="websocket") == 1008


@pytest.mark.parametrize(
    ("host", "server", "status"),
    [
        ("127.0.0.1:8501", "127.0.0.1", 200),
        ("localhost:8501", "127.0.0.1", 200),
        ("[::1]:8501", "::1", 200),
        ("evil.example.com", "127.0.0.1", 403),
        ("192.168.1.4:8501", "192.168.1.4", 403),
        ("localhost:8501", "192.168.1.4", 403),
    ],
)
def test_without_sign_in_only_this_machine_is_answered(settings: Settings, host: str, server: str, status: int) -> None:
    serve(settings, Protection.NONE)
    assert ask("/", host=host, server=server) == status


def test_the_app_file_holds_the_literal_call_that_streamlit_looks_for() -> None:
    tree = ast.parse((Path(__file__).parents[1] / "app.py").read_text())
    calls = [
        node
        for node in tree.body
        if isinstance(node, ast.Assign)
        and ast.unparse(node.targets[0]) == "app"
        and ast.unparse(node.value).startswith("st.App(")
    ]
    assert len(calls) == 1
