"""Connections and their secrets: references first, the rest sealed, nothing shown."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import SecretStr

from accounts import connections, credentials
from accounts.connections import Connection
from accounts.errors import ConnectionsError, VaultError
from accounts.home import Settings
from accounts.vault import new_key
from connectors.live import Field

FIELDS = (
    Field("role", "Role", "The role's ARN.", pattern=r"arn:.+"),
    Field("key", "Key", "The key.", secret=True, pattern=r"sk-[a-z0-9-]+"),
    Field("region", "Region", "Where.", required=False),
)
VALUES = {"role": "arn:aws:iam::1:role/x", "key": "sk-very-secret-1"}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, master_key=SecretStr(new_key()))


def kept(settings: Settings, values: dict[str, str], name: str = "prod") -> Connection:
    connection = connections.new("default", name, "aws")
    credentials.seal(settings, connection, FIELDS, values)
    connections.add(settings, connection)
    return connections.named(settings, "default", name)


def test_a_secret_is_sealed_and_comes_back(settings: Settings) -> None:
    connection = kept(settings, VALUES)
    assert connection.settings == {"role": "arn:aws:iam::1:role/x"}
    found = credentials.unseal(settings, connection, FIELDS)
    assert found.values == VALUES
    assert "secret" not in repr(found)
    assert b"sk-very" not in (settings.home / "accounts.db").read_bytes()
    assert credentials.shown(connection, FIELDS) == {"role": "arn:aws:iam::1:role/x", "key": "set"}


def test_a_secret_of_one_connection_cannot_be_read_as_anothers(settings: Settings) -> None:
    first, second = kept(settings, VALUES), kept(settings, VALUES, "other")
    second.sealed = first.sealed
    with pytest.raises(VaultError, match="cannot be read"):
        credentials.unseal(settings, second, FIELDS)


def test_references_stay_references_and_are_read_when_needed(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("sk-from-a-file\n")
    connection = kept(settings, VALUES | {"key": f"file:{path}"})
    assert connection.sealed is None
    assert credentials.unseal(settings, connection, FIELDS).values["key"] == "sk-from-a-file"
    path.unlink()
    with pytest.raises(ConnectionsError, match="which cannot be read"):
        credentials.unseal(settings, connection, FIELDS)
    other = kept(settings, VALUES | {"key": "env:SPENDPROOF_TEST_KEY"}, "env")
    with pytest.raises(ConnectionsError, match="SPENDPROOF_TEST_KEY, which is not set"):
        credentials.unseal(settings, other, FIELDS)
    present = kept(settings, VALUES | {"key": "env:PATH"}, "present")
    assert credentials.unseal(settings, present, FIELDS).secrets == [os.environ["PATH"].strip()]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"role": "arn:x"}, "Still missing: Key"),
        (VALUES | {"kee": "x"}, "no field kee"),
        (VALUES | {"role": "role/x"}, "'role/x' does not look like one"),
        (VALUES | {"key": "hunter2!"}, "It does not look like one"),
    ],
)
def test_what_is_wrong_is_said_without_the_secret(settings: Settings, values: dict[str, str], says: str) -> None:
    with pytest.raises(ConnectionsError, match=says) as caught:
        credentials.seal(settings, connections.new("default", "prod", "aws"), FIELDS, values)
    assert "hunter2" not in str(caught.value)


def test_secrets_are_blotted_out_of_sentences() -> None:
    found = credentials.Credentials({}, ["sk-very-secret-1", "ab"])
    assert found.redacted("Key sk-very-secret-1 is bad, about") == "Key [secret] is bad, about"


def test_connections_belong_to_a_workspace_and_have_names_of_their_own(settings: Settings) -> None:
    kept(settings, VALUES)
    with pytest.raises(ConnectionsError, match="connection prod already"):
        kept(settings, VALUES)
    assert connections.listed(settings, "other") == []
    with pytest.raises(ConnectionsError, match="has no connection 'x'; there are: prod"):
        connections.named(settings, "default", "x")
    with pytest.raises(ConnectionsError, match="cannot be the name"):
        connections.new("default", "No Spaces", "aws")


def test_amounts_and_moments_come_back_exactly(settings: Settings) -> None:
    made = kept(settings, VALUES)
    connections.change(settings, "default", "prod", {"paid_limit": Decimal("0.10")})
    found = connections.named(settings, "default", "prod")
    assert (found.paid_limit, found.created_at) == (Decimal("0.10"), made.created_at)
    assert found.created_at.tzinfo is not None


def test_a_removed_connection_is_gone_with_its_secret(settings: Settings) -> None:
    kept(settings, VALUES)
    connections.remove(settings, "default", "prod")
    assert connections.listed(settings, "default") == []
