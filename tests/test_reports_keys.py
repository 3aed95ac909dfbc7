"""Signing keys: sealed, endorsed one by the other, rotated, and bound to what they sign."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from accounts.database import sessions
from accounts.errors import VaultError
from accounts.home import Settings
from accounts.vault import new_key
from reports.proof import jws, keys
from reports.proof.canonical import canonical, parse
from reports.proof.chain import follow
from reports.proof.jws import Kind, SignatureError

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, master_key=new_key())  # type: ignore[arg-type]


def test_the_same_key_signs_until_it_is_rotated(settings: Settings) -> None:
    first = keys.signer(settings, "acme", NOW)
    assert keys.signer(settings, "acme", NOW + timedelta(days=9)).chain == first.chain
    later = keys.rotate(settings, "acme", NOW + timedelta(days=10))
    assert later.issuer == first.issuer
    assert later.key.thumbprint() != first.key.thumbprint()
    found = follow(later.chain, first.issuer)
    assert [(record.number, record.valid_from) for record in found] == [
        (1, "2026-11-21T09:30:00Z"),
        (2, "2026-12-01T09:30:00Z"),
    ]
    assert jws.check(later.sign(b"x", Kind.PROOF), Kind.PROOF, jws.public_key(found[1].x)) == b"x"
    dates = [(k["valid_from"], k["valid_to"]) for k in keys.published(settings, "acme")]
    assert dates == [("2026-11-21T09:30:00Z", "2026-12-01T09:30:00Z"), ("2026-12-01T09:30:00Z", None)]


def test_workspaces_have_keys_of_their_own(settings: Settings) -> None:
    a, b = keys.signer(settings, "a", NOW), keys.signer(settings, "b", NOW)
    assert a.issuer != b.issuer
    assert keys.issuers(settings) == {a.issuer: "a", b.issuer: "b"}


def test_the_private_key_lies_sealed(settings: Settings) -> None:
    signer = keys.signer(settings, "acme", NOW)
    private = str(signer.key.as_dict(private=True)["d"]).encode()
    with sessions(settings)() as session:
        session.connection().exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    assert all(private not in file.read_bytes() for file in settings.home.iterdir())
    with pytest.raises(VaultError):
        keys.signer(Settings(home=settings.home, master_key=new_key()), "acme", NOW)  # type: ignore[arg-type]


def test_processes_that_start_at_once_have_one_key(settings: Settings) -> None:
    assert settings.master_key is not None
    code = (
        "import sys; from pathlib import Path; from datetime import datetime, UTC;"
        "from accounts.home import Settings; from reports.proof.keys import signer;"
        "print(signer(Settings(home=Path(sys.argv[1])), 'acme', datetime(2026, 11, 21, tzinfo=UTC)).issuer)"
    )
    root = Path(__file__).resolve().parents[1]
    env = {"SPENDPROOF_MASTER_KEY": settings.master_key.get_secret_value(), "PATH": ""}
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(settings.home)], cwd=root, env=env, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    printed = [process.communicate(timeout=60)[0] for process in running]
    assert len(set(printed)) == 1
    assert printed[0].strip() in keys.issuers(settings)


def test_a_chain_with_a_foreign_or_missing_or_changed_link_is_refused(settings: Settings) -> None:
    keys.signer(settings, "acme", NOW)
    signer = keys.rotate(settings, "acme", NOW)
    stranger = keys.signer(settings, "mallory", NOW)
    record = parse(jws.opened(signer.chain[1])[1])
    forged = stranger.sign(canonical(record), Kind.KEY)
    wrong = [
        (),
        (signer.chain[1],),
        (signer.chain[0], forged),
        (signer.chain[0], stranger.chain[0]),
        (signer.chain[0], signer.chain[0]),
        (signer.chain[0], signer.chain[1][:-3] + "abc"),
        (stranger.chain[0],),
        ("nonsense",),
    ]
    for chain in wrong:
        with pytest.raises(SignatureError):
            follow(chain, signer.issuer)


def test_a_signature_is_of_one_kind_and_has_one_spelling(settings: Settings) -> None:
    signer = keys.signer(settings, "acme", NOW)
    token = signer.sign(b'{"a":"1"}', Kind.PROOF)
    assert jws.opened(token)[0] == {"alg": "EdDSA", "kid": signer.issuer, "typ": "spendproof-proof+json"}
    with pytest.raises(SignatureError, match="signed as"):
        jws.check(token, Kind.REVOCATIONS, signer.key)
    with pytest.raises(SignatureError, match="another key"):
        jws.check(token, Kind.PROOF, keys.signer(settings, "other", NOW).key)
    # Every other letter at every place, the last one included, whose lowest bits carry nothing.
    for i in range(token.rindex(".") + 1, len(token)):
        for letter in "AQgw" if i == len(token) - 1 else "AB":
            changed = token[:i] + letter + token[i + 1 :]
            if changed != token:
                with pytest.raises(SignatureError):
                    jws.check(changed, Kind.PROOF, signer.key)


@pytest.mark.parametrize("header", [{"alg": "none"}, {"alg": "HS256"}, {"alg": "EdDSA", "crit": ["x"]}])
def test_no_header_talks_the_check_out_of_its_algorithm(settings: Settings, header: dict[str, object]) -> None:
    signer = keys.signer(settings, "acme", NOW)
    head = jws.encoded(canonical({**header, "kid": signer.issuer, "typ": Kind.PROOF.value}))
    with pytest.raises(SignatureError):
        jws.check(f"{head}.{jws.encoded(b'x')}.{jws.encoded(b'y' * 64)}", Kind.PROOF, signer.key)


@pytest.mark.parametrize("text", ["", "a.b", "a.b.c", "....", "é.é.é", "e30.e30.", "W10.e30.AA"])
def test_what_is_no_signature_is_refused_as_a_sentence(settings: Settings, text: str) -> None:
    with pytest.raises(SignatureError):
        jws.check(text, Kind.PROOF, keys.signer(settings, "acme", NOW).key)
