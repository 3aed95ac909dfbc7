"""All rows of one workspace in the database of accounts, whatever tables other rooms keep there.

The tables are read from the database itself: every one with a column `workspace` belongs to workspaces. As JSON, bytes
are base64 and days ISO 8601; everything else JSON has itself.
"""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import MetaData, create_engine, func, select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.types import JSON, Date, Integer, LargeBinary

from accounts import sealed
from accounts.database import revisions, upgrade
from accounts.errors import WorkspaceError

if TYPE_CHECKING:
    from sqlalchemy import Column, Connection, Table

    from accounts.vault import Vault

#: By table, rows by column.
Rows = Mapping[str, list[dict[str, Any]]]


def revision(connection: Connection) -> str:
    """The migration that the database stands at."""
    return str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one())


def counts(connection: Connection) -> dict[str, dict[str, int]]:
    """Rows by workspace and table; tables without any are left out."""
    found = dict[str, dict[str, int]]()
    for table in _tables(connection):
        query = select(table.c.workspace, func.count()).group_by(table.c.workspace)
        for workspace, count in connection.execute(query):
            found.setdefault(str(workspace), {})[table.name] = count
    return found


def held(connection: Connection, workspace: str, only: Iterable[str] | None = None) -> Rows:
    """The rows of a workspace as the database has them, `only` of some tables."""
    tables = [table for table in _tables(connection) if only is None or table.name in only]
    return {
        table.name: [
            dict(row)
            for row in connection.execute(
                select(table).where(table.c.workspace == workspace).order_by(*table.primary_key.columns)
            ).mappings()
        ]
        for table in tables
    }


def packed(rows: Rows) -> Rows:
    """The same rows as JSON takes them."""
    return {name: [{key: _packed(value) for key, value in row.items()} for row in held] for name, held in rows.items()}


def keep(connection: Connection, workspace: str, rows: Rows) -> None:
    """Put packed rows in place of all those of a workspace; the caller commits.

    Raises:
        WorkspaceError: a row does not fit, or another workspace holds it.
    """
    tables = {table.name: table for table in _tables(connection)}
    if unknown := sorted(rows.keys() - tables.keys()):
        raise WorkspaceError(f"The database of accounts has no table {unknown[0]!r}, which the backup has rows of.")
    remove(connection, workspace)
    for name, table in tables.items():
        # A number that the database gives itself is nobody's name.
        own = {column.name for column in table.primary_key if isinstance(column.type, Integer)}
        dropped = own if len(table.primary_key) == 1 else set[str]()
        made = [_made(table, row, dropped) | {"workspace": workspace} for row in rows.get(name, [])]
        try:
            if made:
                connection.execute(table.insert(), made)
        except IntegrityError as error:
            raise WorkspaceError(
                f"Another workspace here, such as the one that the backup was made of, holds some of its "
                f"{name.replace('_', ' ')}, which cannot belong to two. Delete that workspace first, or restore the "
                "ledger alone (--ledger-only)."
            ) from error
        except SQLAlchemyError as error:
            raise WorkspaceError(f"Its rows of {name} do not fit into this database; they were changed.") from error


def seal_anew(connection: Connection, workspace: str, vault: Vault) -> None:
    """Bind secrets that were bound to the workspace's name to what stays when it changes. The caller commits."""
    for table in _tables(connection):
        if table.name not in sealed.TABLES:
            continue
        for row in held(connection, workspace, [table.name])[table.name]:
            if (fresh := sealed.renewed(vault, table.name, row)) is not None:
                this = [column == row[column.name] for column in table.primary_key]
                connection.execute(table.update().where(*this).values(sealed=fresh))


def rename(connection: Connection, workspace: str, to: str) -> None:
    """Give all rows of a workspace to another name; once done, nothing changes. The caller commits."""
    for table in _tables(connection):
        connection.execute(table.update().where(table.c.workspace == workspace).values(workspace=to))


def remove(connection: Connection, workspace: str) -> None:
    """Remove all rows of a workspace; the caller commits."""
    for table in reversed(_tables(connection)):
        connection.execute(table.delete().where(table.c.workspace == workspace))


def carried(rows: Rows, workspace: str, since: str) -> Rows:
    """Packed rows of an older version as they are after every migration since, in a database made for that alone.

    Raises:
        WorkspaceError: this version does not know the migration `since`, or a row does not fit.
    """
    newest, *_ = known = revisions()
    if since not in known:
        raise WorkspaceError(
            f"The backup was made by a version whose database ({since}) is newer than this one's ({newest}). Update "
            "SpendProof, then restore it."
        )
    if since == newest:
        return rows
    with tempfile.TemporaryDirectory() as folder:
        engine = create_engine(f"sqlite:///{Path(folder) / 'old.db'}")
        try:
            with engine.begin() as connection:
                upgrade(connection, since)
            with engine.begin() as connection:
                keep(connection, workspace, rows)
            with engine.begin() as connection:
                upgrade(connection)
            with engine.begin() as connection:
                return packed(held(connection, workspace))
        finally:
            engine.dispose()


def _tables(connection: Connection) -> list[Table]:
    metadata = MetaData()
    metadata.reflect(connection)
    for kind in (column.type for table in metadata.tables.values() for column in table.c):
        if isinstance(kind, JSON):
            kind.none_as_null = True
    return [table for table in metadata.sorted_tables if "workspace" in table.c]


def _packed(value: Any) -> Any:  # noqa: ANN401 - whatever a column holds
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.isoformat() if isinstance(value, date) else value


def _made(table: Table, row: Mapping[str, Any], dropped: set[str]) -> dict[str, Any]:
    try:
        return {name: _unpacked(table.c[name], value) for name, value in row.items() if name not in dropped}
    except (KeyError, TypeError, ValueError) as error:
        raise WorkspaceError(f"A row of {table.name} is not as this version keeps it ({error}).") from error


def _unpacked(column: Column[Any], value: Any) -> Any:  # noqa: ANN401
    if value is None:
        return None
    if isinstance(column.type, LargeBinary):
        return base64.b64decode(value, validate=True)
    return date.fromisoformat(value) if isinstance(column.type, Date) else value
