"""Connecting an account: what was entered is tested against the provider before it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace as with_
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from accounts import connections, credentials
from accounts.locks import connection_lock
from connectors.errors import SourceError
from connectors.live import Access, Diagnosis, Meter
from jobs.sync import Tools
from ledger.errors import NothingHeldError
from ledger.remove import remove_source

if TYPE_CHECKING:
    from accounts.connections import Connection
    from accounts.home import Settings
    from ledger.lake import Lake


def prepared(
    settings: Settings, workspace: str, provider: str, name: str, values: Mapping[str, str], tools: Tools
) -> Connection:
    """A connection with what was entered, not kept yet.

    Raises:
        SourceNameError: there is no such provider.
        ConnectionsError: its name or a value is none.
    """
    known = tools.find(provider)
    connection = connections.new(workspace, name, provider)
    credentials.seal(settings, connection, known.setup.fields, values)
    return connection


def test(settings: Settings, connection: Connection, tools: Tools) -> list[Diagnosis]:
    """Test a connection step by step; no message holds a secret.

    Raises:
        ConnectionsError: a reference to a secret leads to nothing.
        VaultError: its secrets cannot be read.
    """
    known = tools.find(connection.provider)
    found = credentials.unseal(settings, connection, known.setup.fields)
    access = Access(found.values, Meter(connection.paid_limit), now=tools.now)
    if tools.sleep is not None:
        access = with_(access, sleep=tools.sleep)
    try:
        diagnoses = known.open(access).diagnose()
    except SourceError as error:
        diagnoses = [Diagnosis("What was entered fits together", passed=False, message=error.says, fix=error.fix)]
    return [with_(d, message=found.redacted(d.message), fix=found.redacted(d.fix)) for d in diagnoses]


def is_sound(diagnoses: list[Diagnosis]) -> bool:
    """Whether every step passed."""
    return all(d.passed for d in diagnoses)


def rotated(settings: Settings, connection: Connection, values: Mapping[str, str], tools: Tools) -> Connection:
    """The same connection with other values, not kept yet; what is not given stays as it was.

    Raises:
        ConnectionsError: a value is none.
        VaultError: the values that stay cannot be read; enter all of them.
    """
    fields = tools.find(connection.provider).setup.fields
    kept = dict(connection.settings)
    if any(f.secret and f.name not in values and f.name not in kept for f in fields):
        before = credentials.unseal(settings, connection, fields).values
        kept = {name: value for name, value in before.items() if name not in kept} | kept
    again = connections.Connection(
        id=connection.id, workspace=connection.workspace, name=connection.name, provider=connection.provider
    )
    again.paid_limit = connection.paid_limit
    credentials.seal(settings, again, fields, kept | dict(values))
    return again


def keep_rotated(settings: Settings, connection: Connection, now: datetime) -> None:
    """Keep what `rotated` made."""
    values = {"settings": connection.settings, "sealed": connection.sealed, "rotated_at": now}
    connections.change(settings, connection.workspace, connection.name, values)


def dollars(text: str) -> Decimal:
    """A limit for paid calls, as a person types it.

    Raises:
        ValueError: it is no amount of dollars.
    """
    try:
        amount = Decimal(text.removeprefix("$"))
    except ArithmeticError:
        amount = Decimal(-1)
    if not amount.is_finite() or amount < 0:
        raise ValueError(f"{text!r} is no amount of US dollars; write it like 0.50.")
    return amount


def forget(settings: Settings, connection: Connection, lake: Lake | None = None) -> list[str]:
    """Remove a connection with its secrets and, where its lake is given, what it brought.

    Returns:
        The loads whose rows went.

    Raises:
        ConnectionsError: a sync of it is running.
    """
    loads = list[str]()
    with connection_lock(settings, connection):
        if lake is not None:
            with suppress(NothingHeldError):
                loads = remove_source(lake, connection.source)
        connections.remove(settings, connection.workspace, connection.name)
    return loads
