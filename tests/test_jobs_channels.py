"""Ways to send, each against a server that speaks its protocol."""

from __future__ import annotations

import base64
import email
import email.policy
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import paramiko
import pytest
from aiosmtpd.controller import Controller
from pydantic import SecretStr

from jobs.channels import mail, storage, web
from jobs.destinations import Destination, destination
from jobs.dispatch import File, Parcel, SendError
from reports.report import Chart, Report, Section
from tests.postgres import free_port
from tests.reporting import NOW, settings_in, small_report

ROOT = Path(__file__).resolve().parents[1]
BARS = {
    "data": {"values": [{"a": "x", "b": 1}]},
    "mark": "bar",
    "encoding": {"x": {"field": "a"}, "y": {"field": "b", "type": "quantitative"}},
}


def parcel(report: Report | None = None) -> Parcel:
    file = File("spend.csv", "text/csv; charset=utf-8", b"a,b\n1,2\n")
    return Parcel("0123abcd", "acme", "monday", "s1", report or small_report(), (file,), NOW)


class Inbox:
    """A mail server that keeps what arrives and refuses one address."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self,
        server: Any,  # noqa: ARG002
        session: Any,  # noqa: ARG002
        envelope: Any,
        address: str,
        options: Any,  # noqa: ARG002
    ) -> str:
        if address.startswith("nobody"):
            return "550 no such mailbox"
        if address.startswith("later"):
            return "451 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: ARG002, N802
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))  # type: ignore[arg-type]
        return "250 OK"


@pytest.fixture
def inbox() -> Generator[tuple[Inbox, int]]:
    handler, port = Inbox(), free_port()
    controller = Controller(handler, "127.0.0.1", port)
    controller.start()
    yield handler, port
    controller.stop()


def mailer(tmp_path: Path, port: int, **more: Any) -> mail.Mail:
    smtp = SecretStr(f"smtp://127.0.0.1:{port}")
    return mail.Mail(settings_in(tmp_path, smtp=smtp, mail_from="reports@spendproof.example", **more))


def test_a_mail_has_text_page_pictures_files_and_an_end(tmp_path: Path, inbox: tuple[Inbox, int]) -> None:
    held, port = inbox
    drawn = Section("Trend", charts=(Chart("Spend by day", "Spend by day: 1.", BARS),))
    report = small_report(alarms=("Source aws failed.",), sections=(*small_report().sections, drawn))
    way = mailer(tmp_path, port, public_url="https://app.example/")
    way(parcel(report), Destination("mail", "cfo@example.com"))
    (got,) = held.mails
    assert got["Subject"] == "ATTENTION, Spend report, acme, 1 Oct to 31 Oct 2026"
    assert got["Message-ID"] == "<0123abcd@spendproof.example>"
    plain, page = got.get_body(("plain",)), got.get_body(("html",))
    assert plain is not None
    assert page is not None
    assert plain.get_content().startswith("ATTENTION: Source aws failed.")
    for body in (plain.get_content(), page.get_content()):
        assert "$1,234.00" in body
        assert "https://app.example/unsubscribe/" in body
    (picture,) = [part for part in got.walk() if part.get_content_type() == "image/png"]
    assert f'src="cid:{picture["Content-ID"].strip("<>")}"' in page.get_content()
    assert picture.get_content().startswith(b"\x89PNG")
    assert [a.get_filename() for a in got.iter_attachments()] == ["spend.csv"]
    assert got["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_whoever_ends_the_mails_gets_no_more(tmp_path: Path, inbox: tuple[Inbox, int]) -> None:
    held, port = inbox
    way = mailer(tmp_path, port, public_url="https://app.example")
    way(parcel(), Destination("mail", "cfo@example.com"))
    token = held.mails[0]["List-Unsubscribe"].strip("<>").rpartition("/")[2]
    assert token.encode() not in (tmp_path / "accounts.db").read_bytes()
    assert mail.stop(way.settings, "guess", NOW) is None
    assert mail.stop(way.settings, token, NOW) == "cfo@example.com"
    with pytest.raises(SendError, match="does not want it") as refused:
        way(parcel(), Destination("mail", "cfo@example.com"))
    assert refused.value.final
    way(parcel(), Destination("mail", "cto@example.com"))
    assert [m["To"] for m in held.mails] == ["cfo@example.com", "cto@example.com"]


@pytest.mark.parametrize(("address", "final"), [("nobody@example.com", True), ("later@example.com", False)])
def test_a_refused_address_is_named(tmp_path: Path, inbox: tuple[Inbox, int], address: str, final: bool) -> None:
    with pytest.raises(SendError, match=address) as refused:
        mailer(tmp_path, inbox[1])(parcel(), Destination("mail", address))
    assert refused.value.final is final


def test_no_mail_server_says_how_to_set_one(tmp_path: Path) -> None:
    with pytest.raises(SendError, match="SPENDPROOF_SMTP"):
        mail.Mail(settings_in(tmp_path))(parcel(), Destination("mail", "cfo@example.com"))
    with pytest.raises(SendError, match="could not be reached"):
        mailer(tmp_path, free_port())(parcel(), Destination("mail", "cfo@example.com"))


@dataclass
class Hook:
    """A web server that keeps requests and answers what a test says."""

    url: str
    answers: list[int] = field(default_factory=list)
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def hook() -> Generator[Hook]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            held.requests.append(({k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(held.answers.pop(0) if held.answers else 200)
            self.end_headers()
            self.wfile.write(b"said so")

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    held = Hook(f"http://127.0.0.1:{server.server_port}/hook")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield held
    server.shutdown()
    server.server_close()


def test_a_webhook_is_signed_as_the_standard_asks(hook: Hook) -> None:
    secret = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()
    to = destination(f"webhook+{hook.url}#{secret}")
    web.webhook(parcel(), to)
    web.webhook(parcel(), to)
    (headers, body), (again, _) = hook.requests
    assert headers["webhook-id"] == again["webhook-id"] == "0123abcd"
    stamp = headers["webhook-timestamp"]
    assert headers["webhook-signature"] == web.signature(secret, "0123abcd", stamp, body)
    assert json.loads(body)["data"]["sections"][0]["figures"][0]["value"] == 1234


def test_the_signature_is_the_one_of_the_standards_own_example() -> None:
    # https://github.com/standard-webhooks/standard-webhooks, the test vector of its reference libraries.
    found = web.signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "1614265330",
        b'{"test": 2432232314}',
    )
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("kind", ["slack", "teams"])
def test_a_chat_shows_what_went_wrong_before_the_figures(hook: Hook, kind: str) -> None:
    report = small_report(alarms=("Source aws failed.",), synthetic=True)
    {"slack": web.slack, "teams": web.teams}[kind](parcel(report), destination(f"{kind}+{hook.url}"))
    body = json.loads(hook.requests[0][1])
    if kind == "slack":
        lines = body["text"].split("\n")
    else:
        lines = [block["text"] for block in body["attachments"][0]["content"]["body"]]
    assert lines[1:4] == [
        "Attention: Source aws failed.",
        "Synthetic sample data: these are nobody's bills.",
        "Billed cost: $1,234.00 (+3.2%)",
    ]
    assert "List cost: — (unknown)" in lines


@pytest.mark.parametrize(("answer", "final"), [(500, False), (429, False), (404, True), (410, True)])
def test_an_answer_says_whether_trying_again_helps(hook: Hook, answer: int, final: bool) -> None:
    hook.answers = [answer]
    with pytest.raises(SendError, match=f"answered {answer}: said so") as refused:
        web.slack(parcel(), destination(f"slack+{hook.url}"))
    assert refused.value.final is final


def test_an_address_that_does_not_answer_is_not_shown() -> None:
    with pytest.raises(SendError, match="did not answer") as refused:
        web.slack(parcel(), Destination("slack", f"http://127.0.0.1:{free_port()}/T0/secret"))
    assert "secret" not in str(refused.value)


def test_a_folder_holds_whole_files_and_the_same_again(tmp_path: Path) -> None:
    to = destination(str(tmp_path / "out" / "reports"))
    storage.folder(parcel(), to)
    storage.folder(parcel(), to)
    assert [(p.name, p.read_bytes()) for p in (tmp_path / "out" / "reports").iterdir()] == [
        ("spend.csv", b"a,b\n1,2\n")
    ]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SendError, match="cannot be written"):
        storage.folder(parcel(), Destination("folder", str(tmp_path / "file" / "inside")))


def run_elsewhere(code: str, environment: dict[str, str], *arguments: str) -> str:
    """Send from a process of its own, whose environment holds the credentials; its last line."""
    lead = (
        "import sys, warnings; warnings.simplefilter('ignore')\n"
        "from jobs.channels import storage\n"
        "from jobs.destinations import destination\n"
        "from jobs.dispatch import SendError\n"
        "from tests.test_jobs_channels import parcel\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", lead + code, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


_SEND = "print(getattr(storage, sys.argv[1])(parcel(), destination(sys.argv[2])))"
_REFUSED = f"try:\n    {_SEND}\nexcept SendError as error:\n    print('refused:', error)"


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def test_files_reach_s3(tmp_path: Path) -> None:
    import boto3  # noqa: PLC0415 - heavy

    port = free_port()
    binary = Path(sys.executable).with_name("moto_server")
    server = subprocess.Popen([binary, "-H", "127.0.0.1", "-p", str(port)], stderr=subprocess.DEVNULL, cwd=tmp_path)
    try:
        wait_for(port)
        keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "AWS_DEFAULT_REGION": "us-east-1"}
        environment = {**keys, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
        client = boto3.client(
            "s3",
            "us-east-1",
            endpoint_url=environment["AWS_ENDPOINT_URL"],
            aws_access_key_id="x",
            aws_secret_access_key="y",  # noqa: S106 - of a server in this test
        )
        client.create_bucket(Bucket="reports")
        assert run_elsewhere(_SEND, environment, "s3", "s3://reports/weekly") == "1 files in s3://reports/weekly/"
        assert client.get_object(Bucket="reports", Key="weekly/spend.csv")["Body"].read() == b"a,b\n1,2\n"
        said = run_elsewhere(_REFUSED, environment, "s3", "s3://absent/weekly")
        assert said.startswith("refused: S3 refused to write to absent: NoSuchBucket")
    finally:
        server.terminate()
        server.wait()


class Server(paramiko.ServerInterface):
    """Lets one user in by password."""

    def check_auth_password(self, username: str, password: str) -> int:
        ok = (username, password) == ("ops", "right")
        return paramiko.AUTH_SUCCESSFUL if ok else paramiko.AUTH_FAILED

    def get_allowed_auths(self, username: str) -> str:  # noqa: ARG002
        return "password"

    def check_channel_request(self, kind: str, chanid: int) -> int:  # noqa: ARG002
        return paramiko.OPEN_SUCCEEDED


class Files(paramiko.SFTPServerInterface):
    """Writes into one folder."""

    root = Path()

    def open(self, path: str, flags: int, attr: Any) -> Any:  # noqa: ARG002
        handle = paramiko.SFTPHandle(flags)
        handle.writefile = (self.root / path.lstrip("/")).open("wb")  # type: ignore[attr-defined]
        return handle

    def posix_rename(self, oldpath: str, newpath: str) -> int:
        (self.root / oldpath.lstrip("/")).replace(self.root / newpath.lstrip("/"))
        return paramiko.SFTP_OK


@pytest.fixture
def sftp_server(tmp_path: Path) -> Generator[tuple[int, Path, paramiko.PKey]]:
    key = paramiko.RSAKey.generate(2048)
    listener = socket.create_server(("127.0.0.1", 0))
    Files.root = tmp_path / "remote"
    Files.root.mkdir()

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            transport = paramiko.Transport(connection)
            transport.add_server_key(key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, Files)
            transport.start_server(server=Server())

    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()[1], Files.root, key
    listener.close()


def test_files_reach_an_sftp_server_that_is_known(tmp_path: Path, sftp_server: tuple[int, Path, paramiko.PKey]) -> None:
    port, remote, key = sftp_server
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    to = f"sftp://ops:right@127.0.0.1:{port}/"
    unknown = run_elsewhere(_REFUSED, {"HOME": str(home)}, "sftp", to)
    assert "not found in known_hosts" in unknown
    known = f"[127.0.0.1]:{port} {key.get_name()} {key.get_base64()}\n"
    (home / ".ssh" / "known_hosts").write_text(known)
    said = run_elsewhere(_SEND, {"HOME": str(home)}, "sftp", to)
    assert said == "1 files in sftp://127.0.0.1/"
    assert [p.name for p in remote.iterdir()] == ["spend.csv"]
    wrong = run_elsewhere(_REFUSED, {"HOME": str(home)}, "sftp", to.replace("right", "wrong"))
    assert wrong.startswith("refused: The SFTP server 127.0.0.1 refused")
    assert "wrong" not in wrong
