"""Links to proofs: over a real server, without an account, and for nobody without the link."""

from __future__ import annotations

import gzip
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import Message
from pathlib import Path
from typing import NamedTuple

import pytest

from accounts.database import sessions
from accounts.home import Settings
from accounts.signin import set_password
from accounts.vault import new_key
from reports import shares
from reports.claim import CitedLoad, Filter, Intervention, SourceFile, State
from reports.proof.issue import Proof
from reports.proof.keys import signer
from reports.proof.redaction import redacted
from reports.proof.revocation import hold_against
from reports.proof.verification import verify
from reports.records import ProofRecord, Store
from reports.shares import ShareError, Shares, network
from tests.claims import CHANGE, SIGNED, claim
from tests.e2e.driver import PASSWORD, Server, server_of
from tests.proofs import ISSUER, proof

NOW = datetime.now(UTC)
SECRETS = ("key_A1b2C3d4", "support-assistant", "openai-prod-4471", "load-0001", "costs-2026-03", "123456789012")


class Answer(NamedTuple):
    status: int
    headers: Message
    body: bytes


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


OPENER = urllib.request.build_opener(_NoRedirect)


def ask(url: str, *, data: dict[str, str] | None = None, **headers: str) -> Answer:
    body = None if data is None else urllib.parse.urlencode(data).encode()
    request = urllib.request.Request(url, body, {n.replace("_", "-"): v for n, v in headers.items()})  # noqa: S310
    try:
        with OPENER.open(request, timeout=30) as answer:
            return Answer(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.headers, error.read())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that asks everybody else for a password."""
    home, key = tmp_path_factory.mktemp("shared"), new_key()
    settings = Settings(home=home, master_key=key)  # type: ignore[arg-type]
    # Where the server looks for the master key.
    (home / "config" / "spendproof").mkdir(parents=True)
    (home / "config" / "spendproof" / "master.key").write_text(key)
    set_password(settings, "acme", PASSWORD)
    with server_of(settings, "acme") as running:
        yield running


@pytest.fixture(scope="module")
def full(server: Server) -> Proof:
    change = replace(claim().intervention, note="Route tickets of account 123456789012 to the small model")
    return proof(server.settings, replace(claim(), intervention=change), id_="feedc0de")


@pytest.fixture
def links(server: Server) -> Shares:
    return Shares(server.settings, "acme")


def test_who_has_the_link_sees_the_proof(server: Server, links: Shares, full: Proof, tmp_path: Path) -> None:
    made = links.create(full, NOW, issuer=ISSUER)
    found = ask(server.url + made.path)
    assert found.status == 200
    assert b"$11,459.21" in found.body
    assert len(found.body) <= 200_000
    assert ask(server.url + "/").status == 303
    assert ask(f"{server.url}/proof/{'x' * 43}").status == 404
    # A page saved from the browser is checked like the file, the server's line with the files included.
    (tmp_path / "saved.html").write_bytes(found.body)
    checked = verify(tmp_path / "saved.html")
    assert checked.valid
    assert checked.rendering == "matches"
    packed = ask(server.url + made.path, Accept_Encoding="gzip")
    assert gzip.decompress(packed.body) == found.body
    assert len(packed.body) < 100_000


def test_the_link_leaks_nowhere(server: Server, links: Shares, full: Proof) -> None:
    made = links.create(full, NOW, issuer=ISSUER)
    found = ask(server.url + made.path)
    assert found.headers["Referrer-Policy"] == "no-referrer"
    assert found.headers["X-Robots-Tag"] == "noindex, nofollow, noarchive"
    assert found.headers["Cache-Control"] == "private, no-store"
    policy = found.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "frame-ancestors 'none'" in policy
    with sessions(server.settings)() as session:
        session.connection().exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    token = made.token.encode()
    assert not [file for file in server.settings.home.rglob("*") if file.is_file() and token in file.read_bytes()]
    assert len(made.token) >= 43


def test_nothing_of_the_app_is_reached_through_the_path_of_links(server: Server) -> None:
    for path in ("/proof/", "/proof/x/_stcore/stream", "/proof/x/y", "/proof/%2e%2e", "/proof/..%2f", "/proof"):
        assert ask(server.url + path).status in {303, 404}, path
        assert b"streamlit" not in ask(server.url + path).body.lower(), path


def test_the_copy_hides_ids_is_signed_by_itself_and_cites_the_full_document(
    server: Server, links: Shares, full: Proof, tmp_path: Path
) -> None:
    made = links.create(full, NOW, issuer=ISSUER)
    answer = ask(f"{server.url}{made.path}?file=json")
    page = ask(server.url + made.path).body.decode()
    assert [secret for secret in SECRETS if secret in answer.body.decode() + page] == []
    (tmp_path / "p.json").write_bytes(answer.body)
    checked = verify(tmp_path / "p.json")
    assert checked.valid
    document = checked.document
    assert document["redaction"] == {"of": full.digest, "hidden": ["account ids"]}
    assert document["claim"]["figures"] == full.document["claim"]["figures"]
    assert document["claim"]["scope"][1]["values"] == ["key 1"]
    assert document["claim"]["workspace"] == "acme"
    assert "A copy for sharing: account ids are hidden." in page
    (tmp_path / "p.pdf").write_bytes(ask(f"{server.url}{made.path}?file=pdf").body)
    assert verify(tmp_path / "p.pdf").rendering == "matches"


def test_names_are_hidden_by_choice(full: Proof) -> None:
    copy = redacted(full.document, names=True, signed_at="2026-11-21T10:00:00Z")
    text = json.dumps(copy)
    assert [name for name in ("acme", "J. Park", "R. Okafor") if name in text] == []
    assert copy["redaction"]["hidden"] == ["account ids", "names"]


def test_only_whole_words_are_replaced() -> None:
    file = SourceFile("b.csv", 1, "a" * 64)
    made = replace(
        claim(),
        scope=(Filter("project", ("prod",)),),
        loads=(CitedLoad("a", "prod-eu", "f", "t", SIGNED, None, None, 1, 0, False, (file,)),),
        intervention=Intervention(CHANGE, None, "routing", "production of prod and prod-eu", (), None, None),
    )
    from reports.proof.document import Identity, document  # noqa: PLC0415

    copy = redacted(document(made, Identity("i", "k", None, SIGNED)), names=False, signed_at="2026-11-21T10:00:00Z")
    assert copy["claim"]["intervention"]["note"] == "production of project 1 and source 1"
    assert copy["claim"]["loads"][0]["files"][0]["sha256"] == "a" * 64


def test_a_link_ends_and_can_be_withdrawn(server: Server, links: Shares, full: Proof) -> None:
    over = links.create(full, NOW - timedelta(days=3), days=2, issuer=ISSUER)
    gone = links.create(full, NOW, issuer=ISSUER)
    assert ask(server.url + gone.path).status == 200
    first = links.revoke(gone.link.id[:6], NOW)
    assert links.revoke(gone.link.id, NOW + timedelta(days=1)).revoked_at == first.revoked_at
    for made in (over, gone):
        found = ask(server.url + made.path)
        assert found.status == 410
        assert b"$" not in found.body
        assert ask(f"{server.url}{made.path}?file=json").status == 410
    with pytest.raises(ShareError, match="No link begins"):
        links.revoke("zzz", NOW)
    for days in (0, 367):
        with pytest.raises(ShareError):
            links.create(full, NOW, days=days, issuer=ISSUER)


def test_a_password_is_asked_for_remembered_and_not_to_be_guessed(server: Server, links: Shares, full: Proof) -> None:
    made = links.create(full, NOW, password=PASSWORD, issuer=ISSUER)
    url = server.url + made.path
    asked = ask(url)
    assert asked.status == 200
    assert b"$11,459.21" not in asked.body
    assert b'type="password"' in asked.body
    assert ask(f"{url}?file=json").body.count(b"spendproof-proof") == 0
    right = ask(url, data={"password": PASSWORD})
    assert right.status == 303
    cookie = right.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert f"Path={made.path}" in cookie
    assert "SameSite=strict" in cookie
    kept = cookie.partition(";")[0]
    assert b"$11,459.21" in ask(url, Cookie=kept).body
    assert ask(f"{url}?file=json", Cookie=kept).body.count(b"spendproof-proof") == 1
    for wrong in (kept.replace("=", "=9", 1), kept[:-1] + ("0" if kept[-1] != "0" else "1"), "spendproof_shared=."):
        assert b"$11,459.21" not in ask(url, Cookie=wrong).body
    other = links.create(full, NOW, password=PASSWORD, issuer=ISSUER)
    assert b"$11,459.21" not in ask(server.url + other.path, Cookie=kept).body
    assert ask(url, data={"password": PASSWORD}, Origin="https://evil.example").status == 200
    assert [ask(url, data={"password": "wrong"}).status for _ in range(6)] == [401] * 5 + [429]
    assert ask(url, data={"password": PASSWORD}).status == 429
    assert ask(server.url + other.path, data={"password": PASSWORD}).status == 303


def test_who_looked_is_logged_without_the_whole_address(server: Server, links: Shares, full: Proof) -> None:
    made = links.create(full, NOW, issuer=ISSUER)
    ask(server.url + made.path, User_Agent="Browser/1.0 \x1b[31m")
    ask(f"{server.url}{made.path}?file=pdf")
    ask(f"{server.url}{made.path}?file=exe")
    found = links.views([made.link])[made.link.id]
    assert [view.answer for view in found] == ["file exe", "file pdf", "page"]
    assert found[-1].agent.startswith("Browser/1.0")
    assert "\x1b" not in found[-1].agent
    assert {view.network for view in found} == {"127.0.0.0/24"}
    assert network("2001:db8:1:2::3") == "2001:db8:1::/48"
    assert network("nonsense") == "unknown"


def test_a_proof_that_no_longer_stands_says_so_first(server: Server, links: Shares, tmp_path: Path) -> None:
    made = proof(server.settings, id_="0ldc0de0")
    store = Store(server.settings, "acme")
    store.add_proof(_record(made))
    shared = links.create(made, NOW, issuer=ISSUER)
    (tmp_path / "copy.json").write_bytes(ask(f"{server.url}{shared.path}?file=json").body)
    (tmp_path / "full.json").write_bytes(made.content)
    store.set_state("0ldc0de0", State.REVOKED, "The driver <b>counted</b> test traffic.")
    found = ask(server.url + shared.path)
    assert b"This proof was revoked" in found.body
    assert b"&lt;b&gt;counted" in found.body
    assert b"$11,459.21" not in found.body
    assert b"$11,459.21" in ask(f"{server.url}{shared.path}?signed=1").body
    listed = ask(f"{server.url}/revocations.json").body
    for name in ("copy.json", "full.json"):
        checked = hold_against(verify(tmp_path / name), listed)
        assert not checked.valid
        assert checked.revocation == "revoked"
        assert "test traffic" in checked.summary


def test_whoever_guesses_links_has_to_wait(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    with server_of(settings, "guessed") as running:
        answers = [ask(f"{running.url}/proof/{n:043}").status for n in range(22)]
    assert answers == [404] * 20 + [429] * 2


def test_links_of_one_workspace_are_not_served_by_another(server: Server, full: Proof) -> None:
    elsewhere = Shares(server.settings, "other").create(full, NOW, issuer=ISSUER)
    assert ask(server.url + elsewhere.path).status == 404
    assert Shares(server.settings, "acme").find(elsewhere.token) is None


def test_a_pass_ends_and_belongs_to_one_link(links: Shares, full: Proof) -> None:
    link = links.create(full, NOW, password=PASSWORD, issuer=ISSUER).link
    kept = shares.pass_for(link, 1_000)
    assert shares.passes(link, kept, 1_000)
    assert not shares.passes(link, kept, 1_001)
    assert not shares.passes(link, re.sub(r"^1000", "9000", kept), 1_000)
    assert not shares.passes(link, "", 1_000)


def _record(made: Proof) -> ProofRecord:
    figures = made.document["claim"]["figures"]
    return ProofRecord(
        id=made.document["id"],
        workspace="acme",
        question=made.document["claim"]["question"],
        state="verified",
        reason="",
        proof_class="prospective",
        tier="T3",
        currency="USD",
        point=figures["point"],
        low=figures["low"],
        high=figures["high"],
        claim=json.dumps(made.document["claim"]),
        document=made.content.decode(),
        cited=[],
        row_digest="ef" * 32,
        superseded_by=None,
        created_at="2026-11-21T09:30:00Z",
    )


def test_the_key_of_links_is_the_workspaces_own(server: Server, full: Proof) -> None:
    assert full.document["issuer"]["id"] == signer(server.settings, "acme", NOW).issuer
