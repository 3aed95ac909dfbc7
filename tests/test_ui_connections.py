"""The commands of connections, run as a person runs them, against a loopback organization."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from accounts.vault import new_key
from tests.loopback.openai import KEY, OpenAILoopback, organization

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def api() -> Iterator[OpenAILoopback]:
    with organization(datetime.now(UTC), 10) as made:
        yield made


class Shell:
    """A home of its own, and the command in it."""

    def __init__(self, home: Path, url: str) -> None:
        self.environment = {
            "PATH": "",
            "SPENDPROOF_HOME": str(home),
            "SPENDPROOF_MASTER_KEY": new_key(),
            "OPENAI_BASE_URL": f"{url}/v1",
            "K": KEY,
        }

    def run(self, *words: str, given: str = "") -> tuple[int, str, str]:
        """Exit status, standard output, standard error."""
        done = subprocess.run(
            [sys.executable, str(ROOT / "cli.py"), *words],
            env=self.environment,
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
def shell(tmp_path: Path, api: OpenAILoopback) -> Shell:
    return Shell(tmp_path, api.url)


def test_a_secret_in_the_command_itself_is_refused(shell: Shell) -> None:
    status, _, said = shell.run("connect", "openai", "--set", f"admin_key={KEY}")
    assert status == 1
    assert "seen by everyone on this machine" in said
    assert KEY not in said


def test_a_connection_that_fails_its_test_is_not_kept(shell: Shell) -> None:
    status, out, _ = shell.run("connect", "openai", "--stdin", "--json", given="admin_key=sk-admin-wrong\n")
    found = json.loads(out)
    assert (status, found["kept"]) == (1, False)
    assert [step["passed"] for step in found["test"]] == [True, False, None, None]
    assert json.loads(shell.run("connections", "--json")[1]) == []


def test_a_connection_that_never_brought_anything_is_removed_with_its_data(shell: Shell) -> None:
    assert shell.run("connect", "openai", "--stdin", given=f"admin_key={KEY}\n")[0] == 0
    status, out, _ = shell.run("connections", "remove", "openai", "--with-data", "--json")
    assert (status, json.loads(out)["loads_removed"]) == (0, [])
    assert json.loads(shell.run("connections", "--json")[1]) == []


def test_from_connecting_to_removing(shell: Shell, api: OpenAILoopback) -> None:
    assert shell.run("connect", "openai", "--stdin", given=f"admin_key={KEY}\n")[0] == 0
    status, out, _ = shell.run("connections", "--json")
    (listed,) = json.loads(out)
    assert (listed["settings"], listed["last_sync"]) == ({"admin_key": "set"}, None)
    status, out, said = shell.run("sync", "--json")
    (run,) = json.loads(out)
    assert (status, run["state"], run["message"]) == (0, "done", "")
    assert KEY not in out + said
    assert shell.run("connections", "test", "openai")[0] == 0
    assert shell.run("connections", "rotate", "openai", "--stdin", given="admin_key=sk-admin-wrong\n")[0] == 1
    assert shell.run("connections", "rotate", "openai", "--set", "admin_key=env:K")[0] == 0
    month = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m}"
    (invoice,) = [json.loads(shell.run("connections", "invoice", "openai", month, "1", "--json")[1])]
    assert invoice["origin"] == "invoice"
    assert "difference" in shell.run("connections")[1]
    assert shell.run("connections", "remove", "openai", "--with-data")[0] == 0
    assert json.loads(shell.run("spend", "--json")[1]) == []
    assert KEY not in str([request.query for request in api.requests])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("connect", "nothing"), "There is no provider 'nothing' to connect; there are: "),
        (("connect", "openai", "--set", "admin_key"), "FIELD=VALUE"),
        (("connect", "openai", "--set", "admin_key=env:NOT_SET"), "NOT_SET, which is not set here"),
        (("connect", "openai", "--stdin"), "Still missing: Admin key"),
        (("connect", "openai", "--set", "admin_key=env:K", "--limit", "much"), "no amount of US dollars"),
        (("sync",), "Nothing is connected yet"),
        (("sync", "prod"), "has no connection 'prod'; there is none yet"),
        (("connections", "remove", "prod"), "has no connection 'prod'"),
    ],
)
def test_wrong_input_ends_with_a_sentence(shell: Shell, words: tuple[str, ...], says: str) -> None:
    status, _, said = shell.run(*words)
    assert status == 1
    assert says in said
    assert "Traceback" not in said


def test_the_steps_show_what_is_known_and_say_what_stays_to_be_filled(shell: Shell) -> None:
    status, out, _ = shell.run("connect", "aws", "--steps", "--set", "vendor_account=123456789012")
    assert status == 0
    assert "VendorAccountId=123456789012 ExternalId={external_id}" in out
    assert '"Fn::Sub": "arn:aws:iam::${VendorAccountId}:root"' in out
    assert "Not filled in yet: {external_id}, {template_url}." in out
    address = "https://b.s3.us-east-1.amazonaws.com/spendproof.json"
    given = ("vendor_account=123456789012", "external_id=a-word-of-16-letters", f"template_url={address}")
    status, out, _ = shell.run("connect", "aws", "--steps", "--json", *(f"--set={pair}" for pair in given))
    (setup,) = json.loads(out)
    assert (status, setup["to_fill"]) == (0, [])
    assert "templateURL=https%3A%2F%2Fb.s3.us-east-1.amazonaws.com%2Fspendproof.json&" in "".join(setup["steps"])


def test_a_field_that_the_provider_does_not_have_is_named(shell: Shell) -> None:
    status, _, said = shell.run("connect", "aws", "--steps", "--set", "acount=1")
    assert status == 1
    assert "has no field acount; it has vendor_account" in said
