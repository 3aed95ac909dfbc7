"""Time stamps by an authority on this machine: OpenSSL's own, over HTTP."""

from __future__ import annotations

import base64
import json
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from cryptography.x509 import load_pem_x509_certificates

from reports.proof.envelope import text
from reports.proof.issue import IssuerSettings
from reports.proof.timestamp import TimestampError, check_stamp, stamp
from reports.proof.verification import of_envelope, verify
from tests.proofs import proof, settings

CONFIG = """
[tsa]
default_tsa = one
[one]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
ess_cert_id_alg = sha256
[ext]
extendedKeyUsage = critical, timeStamping
keyUsage = critical, digitalSignature
[root]
basicConstraints = critical, CA:TRUE
"""


def openssl(*words: str) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Address of the authority, and its root certificate."""
    folder = tmp_path_factory.mktemp("tsa")
    (folder / "serial").write_text("01\n")
    (folder / "c.cnf").write_text(CONFIG.format(folder=folder))
    key = ("-newkey", "rsa:2048", "-nodes", "-days", "30")
    openssl("req", "-x509", *key, "-keyout", f"{folder}/root.key", "-out", f"{folder}/root.pem", "-subj", "/CN=Root")
    openssl("req", *key[:3], "-keyout", f"{folder}/tsa.key", "-out", f"{folder}/tsa.csr", "-subj", "/CN=Test TSA")
    openssl(
        "x509", "-req", "-in", f"{folder}/tsa.csr", "-CA", f"{folder}/root.pem", "-CAkey", f"{folder}/root.key",
        "-CAcreateserial", "-out", f"{folder}/tsa.pem", "-days", "30", "-extfile", f"{folder}/c.cnf",
        "-extensions", "ext",
    )  # fmt: skip

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            (folder / "q").write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
            openssl("ts", "-reply", "-config", f"{folder}/c.cnf", "-queryfile", f"{folder}/q", "-out", f"{folder}/r")
            body = b"no" if self.path == "/broken" else (folder / "r").read_bytes()
            self.send_response(500 if self.path == "/down" else 200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", folder / "root.pem"
    server.shutdown()
    server.server_close()


def test_a_proof_is_stamped_and_the_stamp_is_checked(authority: tuple[str, Path], tmp_path: Path) -> None:
    address, root = authority
    made = proof(settings(tmp_path), issuer=IssuerSettings(tsa=address))
    (tmp_path / "p.json").write_bytes(made.content)
    found = verify(tmp_path / "p.json")
    assert found.valid
    assert "CN=Test TSA" in found.notes[0]
    assert "its authority was not checked" in found.notes[0]
    trusted = verify(tmp_path / "p.json", roots=load_pem_x509_certificates(root.read_bytes()))
    assert trusted.valid
    assert "checked with certificates that you trust" in trusted.notes[0]


def test_a_stamp_of_something_else_or_changed_does_not_hold(authority: tuple[str, Path], tmp_path: Path) -> None:
    address, root = authority
    made = proof(settings(tmp_path), issuer=IssuerSettings(tsa=address))
    envelope = json.loads(made.content)
    raw = bytearray(base64.b64decode(envelope["timestamp"]["token"]))
    raw[-40] ^= 1
    roots = load_pem_x509_certificates(root.read_bytes())
    with httpx.Client() as client:
        other = stamp(b"something else", address, client)
    changed = {"token": base64.b64encode(raw).decode()}
    for wrong in (other, changed, {"token": "AAAA"}, {"token": "é"}, {}, [], {**other, "more": 1}):
        found = of_envelope("json", text(envelope | {"timestamp": wrong}), roots)
        assert found.wrong is not None
        assert found.wrong.path == "/timestamp"


def test_an_authority_that_is_not_trusted_is_named(authority: tuple[str, Path], tmp_path: Path) -> None:
    address, _ = authority
    key = ("-newkey", "rsa:2048", "-nodes", "-days", "30")
    openssl("req", "-x509", *key, "-keyout", f"{tmp_path}/k", "-out", f"{tmp_path}/r.pem", "-subj", "/CN=Stranger")
    with httpx.Client() as client:
        found = stamp(b"message", address, client)
    roots = load_pem_x509_certificates((tmp_path / "r.pem").read_bytes())
    assert check_stamp(found, b"message", roots)[1].startswith("The time stamp does not hold")


@pytest.mark.parametrize("path", ["/down", "/broken"])
def test_an_authority_that_fails_is_a_sentence(authority: tuple[str, Path], path: str) -> None:
    with httpx.Client() as client, pytest.raises(TimestampError, match="SPENDPROOF_TSA"):
        stamp(b"message", authority[0] + path, client)
