"""The database of accounts and its migrations."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

import accounts
import jobs
import reports
from accounts.database import Base, revisions, sessions, upgrade
from accounts.home import Settings
from tests.postgres import server

ROOT = Path(__file__).resolve().parents[1]
MIGRATIONS = Path(accounts.__file__ or "").with_name("migrations")


def models() -> None:
    for package in (accounts, reports, jobs):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations" not in module.name:
                importlib.import_module(module.name)


def differences(settings: Settings) -> list[object]:
    models()
    with sessions(settings)() as session:
        return list(compare_metadata(MigrationContext.configure(session.connection()), Base.metadata))


def test_migrations_make_what_the_models_say(tmp_path: Path) -> None:
    assert differences(Settings(home=tmp_path)) == []


def test_migrations_make_the_same_on_postgresql(tmp_path: Path) -> None:
    with server(tmp_path / "pg") as address:
        parts = dict(part.split("=") for part in address.split())
        url = f"postgresql://{parts['user']}@{parts['host']}:{parts['port']}/{parts['dbname']}"
        assert differences(Settings(home=tmp_path, database=url)) == []


def test_migrations_are_one_line() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    scripts = ScriptDirectory.from_config(config)
    assert len(scripts.get_heads()) <= 1
    # The newest one is told by its file's name where Alembic is not asked.
    assert all(Path(script.path).name.startswith(f"{script.revision}_") for script in scripts.walk_revisions())


def test_a_database_of_an_earlier_version_is_brought_to_the_newest(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'accounts.db'}")
    with engine.begin() as connection:
        upgrade(connection, "0008")
    engine.dispose()
    assert differences(Settings(home=tmp_path)) == []
    with sessions(Settings(home=tmp_path))() as session:
        found = session.scalars(text("SELECT version_num FROM alembic_version")).all()
    assert found == [revisions()[0]]


def test_a_database_that_is_the_newest_is_opened_without_alembic(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path;"
        "from accounts.home import Settings; from accounts.database import sessions;"
        "sessions(Settings(home=Path(sys.argv[1])))().connection();"
        "sys.exit('alembic' in sys.modules)"
    )
    found = [
        subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, check=False).returncode for _ in range(2)
    ]
    assert found == [1, 0]


def test_two_processes_may_open_a_new_database_at_once(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path;"
        "from accounts.home import Settings; from accounts.database import sessions;"
        "sessions(Settings(home=Path(sys.argv[1])))().connection()"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    assert [(process.wait(60), process.communicate()[1]) for process in running] == [(0, b"")] * 4


def test_the_file_is_read_while_it_is_written(tmp_path: Path) -> None:
    factory = sessions(Settings(home=tmp_path))
    with factory() as writer, factory() as reader:
        writer.connection().exec_driver_sql("CREATE TABLE probe (n INTEGER)")
        writer.commit()
        writer.connection().exec_driver_sql("INSERT INTO probe VALUES (1)")
        assert reader.connection().exec_driver_sql("SELECT count(*) FROM probe").scalar() == 0
