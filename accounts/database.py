"""The database of accounts: what belongs to people and connections rather than to a bill.

SQLite beside the workspaces by default, PostgreSQL where `SPENDPROOF_DATABASE` names it. Every row belongs to a
workspace by name. Tables change by Alembic migrations in `accounts/migrations`, which run when a process first opens
the database; two processes that open it at once wait for each other.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import MetaData, create_engine, event, inspect, text
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

from accounts.home import settle
from ledger.lock import file_lock

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy.engine import Connection

    from accounts.home import Settings

_MIGRATIONS: Final = Path(__file__).with_name("migrations")
#: Number of the PostgreSQL advisory lock under which migrations run.
_MIGRATION_LOCK: Final = 5_307_211


class Base(DeclarativeBase):
    """What every table of accounts descends from; constraints have predictable names so that migrations find them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def sessions(settings: Settings) -> sessionmaker[Session]:
    """A factory of sessions over the migrated database; the same one for the same address within a process."""
    settle(settings)
    return opened(settings)


def opened(settings: Settings) -> sessionmaker[Session]:
    """`sessions` without asking whether a change of a workspace is to be finished."""
    return _sessions(_address(settings))


def revisions() -> list[str]:
    """The migrations that this version knows, the newest first."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - only a backup needs it

    return [script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()]


@cache
def _sessions(address: URL) -> sessionmaker[Session]:
    engine = _engine(address)
    _migrate(engine)
    return sessionmaker(engine, expire_on_commit=False)


def _address(settings: Settings) -> URL:
    if settings.database:
        url = make_url(settings.database)
        return url.set(drivername="postgresql+psycopg") if url.drivername == "postgresql" else url
    settings.home.mkdir(parents=True, exist_ok=True)
    return URL.create("sqlite", database=str(settings.home.resolve() / "accounts.db"))


def _engine(address: URL) -> Engine:
    engine = create_engine(address)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _: object) -> None:  # noqa: ANN401 - the driver's own connection
    cursor = connection.cursor()
    # Readers and one writer at once; a writer that meets another waits instead of failing.
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA busy_timeout=30000")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _migrate(engine: Engine) -> None:
    if _is_newest(engine):
        return
    if engine.dialect.name == "sqlite":
        with file_lock(Path(f"{engine.url.database}.lock")), engine.begin() as connection:
            upgrade(connection)
        return
    with engine.begin() as connection:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
        upgrade(connection)


def _is_newest(engine: Engine) -> bool:
    """Whether the tables are at the newest revision, told without Alembic, which takes a quarter of a second."""
    if engine.dialect.name == "sqlite" and not Path(str(engine.url.database)).exists():
        return False
    newest = max(file.name[:4] for file in (_MIGRATIONS / "versions").glob("[0-9]*.py"))
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return False
        return list(connection.scalars(text("SELECT version_num FROM alembic_version"))) == [newest]


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Bring the tables behind a connection to a revision, by every migration on the way."""
    from alembic import command  # noqa: PLC0415 - only the process that opens the database needs it

    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _config() -> Config:
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config
