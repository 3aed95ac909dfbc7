"""Workspaces as a whole: backed up and restored to the last digit, renamed, deleted, and killed on the way."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import MetaData

from accounts import connections, credentials, journal, passwords, rows, sealed, signin, workspaces
from accounts.backup import Backup, backup
from accounts.connections import Connection
from accounts.database import opened, sessions
from accounts.errors import ConnectionsError, VaultError, WorkspaceError
from accounts.home import Settings, lake_address, workspace_folder
from accounts.locks import connection_lock
from accounts.restoring import restore
from accounts.totals import ProviderTotal, keep
from accounts.vault import new_key, open_vault
from accounts.views import save
from connectors.importing import import_files
from connectors.live import Field
from ledger.errors import LakeUnavailableError, LedgerError, WriterBusyError
from ledger.lake import Lake
from tests.ledgers import line, totals, write_bill
from tests.postgres import server

ROOT = Path(__file__).resolve().parents[1]
KEY = new_key()
NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
FIELDS = (Field("key", "Key", "The key.", secret=True),)
CHARGES = (3, Decimal("6.5"), 3, Decimal("6.5"))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", master_key=SecretStr(KEY))


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with workspace acme: charges, a sealed secret, fetched pages, a total, a view, a password."""
    folder = tmp_path_factory.mktemp("acme")
    settings = Settings(home=folder / "home", master_key=SecretStr(KEY))
    load(settings, folder)
    connection = connections.new("acme", "openai", "openai")
    credentials.seal(settings, connection, FIELDS, {"key": "sk-secret-1"})
    connections.add(settings, connection)
    raw = workspace_folder(settings, "acme") / "raw" / "openai"
    for place, text in (("costs/2026-10/1/page.json.gz", "page"), (".landing/costs/page.json.gz", "half")):
        (raw / place).parent.mkdir(parents=True)
        (raw / place).write_text(text)
    total = ProviderTotal(
        first=date(2026, 10, 1),
        before=date(2026, 11, 1),
        currency="USD",
        origin="invoice",
        amount=Decimal("6.50"),
        checked_at=NOW,
    )
    keep(settings, connection, [total])
    save(settings, "acme", "October", "/spend", "from=2026-10-01")
    signin.set_password(settings, "acme", "correct horse battery")
    return settings.home


@pytest.fixture
def acme(settings: Settings, made_once: Path) -> Connection:
    """A copy of that home; gives the workspace's connection."""
    shutil.copytree(made_once, settings.home)
    return connections.named(settings, "acme", "openai")


def load(settings: Settings, folder: Path) -> None:
    bill = write_bill(folder / "bill.csv", [line(cost, "2026-10-01") for cost in ("1.5", "2", "3")])
    with Lake(lake_address(settings, "acme")) as lake:
        import_files(lake, [str(bill)])


def charges(settings: Settings, workspace: str) -> tuple[int, Decimal, int, Decimal]:
    with Lake(lake_address(settings, workspace)) as lake:
        return totals(lake)


def backed_up(settings: Settings, tmp_path: Path) -> Backup:
    return backup(settings, "acme", tmp_path / "acme.zip", NOW, patience=0)


def names(settings: Settings) -> list[str]:
    return [one.name for one in workspaces.listed(settings)]


def secret(settings: Settings, workspace: str) -> str:
    connection = connections.named(settings, workspace, "openai")
    return credentials.unseal(settings, connection, FIELDS).values["key"]


def whole(settings: Settings, workspace: str) -> None:
    """All that the fixture put into acme is in the workspace."""
    assert charges(settings, workspace) == CHARGES
    assert secret(settings, workspace) == "sk-secret-1"
    assert passwords.read(signin.password_file(settings, workspace)) is not None
    page = workspace_folder(settings, workspace) / "raw/openai/costs/2026-10/1/page.json.gz"
    assert page.read_text() == "page"
    found = {one.name: dict(one.accounts) for one in workspaces.listed(settings)}
    assert found[workspace] == {"connections": 1, "provider_totals": 1, "saved_views": 1}


def test_every_table_of_accounts_belongs_to_workspaces(settings: Settings) -> None:
    with sessions(settings)() as session:
        metadata = MetaData()
        metadata.reflect(session.connection())
    assert [t.name for t in metadata.sorted_tables if "workspace" not in t.c] == ["alembic_version"]


@pytest.mark.usefixtures("acme")
def test_a_backup_restored_elsewhere_is_the_same_workspace(settings: Settings, tmp_path: Path) -> None:
    made = backed_up(settings, tmp_path)
    assert made.file.stat().st_mode & 0o777 == 0o600
    assert (made.manifest.billed, made.manifest.rows["charges"], made.secrets) == (
        {"USD": "6.500000000000000000"},
        3,
        1,
    )
    members = zipfile.ZipFile(made.file).namelist()
    assert not [name for name in members if "staging" in name or "landing" in name or name.endswith((".lock", "-wal"))]
    assert b"sk-secret" not in made.file.read_bytes()
    elsewhere = Settings(home=tmp_path / "elsewhere", master_key=settings.master_key)
    done = restore(elsewhere, made.file)
    assert (done.workspace, done.lost, done.counted.billed) == ("acme", (), {"USD": Decimal("6.5")})
    whole(elsewhere, "acme")
    with Lake(lake_address(elsewhere, "acme")) as lake:
        more = write_bill(tmp_path / "more.csv", [line("5", "2026-11-01")])
        import_files(lake, [str(more)], source="more")
        assert totals(lake)[:2] == (4, Decimal("11.5"))
    whole(settings, "acme")


@pytest.mark.usefixtures("acme")
def test_a_deleted_workspace_is_gone_and_comes_back_under_another_name(settings: Settings, tmp_path: Path) -> None:
    made = backed_up(settings, tmp_path)
    save(settings, "other", "Kept", "/spend", "")
    workspaces.delete(settings, "acme")
    assert names(settings) == ["other"]
    assert not (settings.home / "workspaces" / "acme").exists()
    assert not [p for p in (settings.home / "workspaces").rglob("*") if p.suffix in {".parquet", ".sqlite", ".gz"}]
    assert restore(settings, made.file, "again").workspace == "again"
    whole(settings, "again")


@pytest.mark.usefixtures("acme")
def test_without_the_master_key_everything_but_the_secrets_comes_back(settings: Settings, tmp_path: Path) -> None:
    made = backed_up(settings, tmp_path)
    elsewhere = Settings(home=tmp_path / "elsewhere", master_key=SecretStr(new_key()))
    (lost,) = restore(elsewhere, made.file, "b").lost
    assert (lost.kind, lost.name) == ("connection", "openai")
    assert lost.again == "spendproof connections rotate openai --workspace b"
    assert charges(elsewhere, "b") == CHARGES
    with pytest.raises(VaultError, match="spendproof connections rotate openai --workspace b"):
        secret(elsewhere, "b")


@pytest.mark.usefixtures("acme")
def test_a_copy_beside_its_original_takes_the_ledger_alone(settings: Settings, tmp_path: Path) -> None:
    made = backed_up(settings, tmp_path)
    with pytest.raises(WorkspaceError, match="There is a workspace acme already"):
        restore(settings, made.file)
    with pytest.raises(WorkspaceError, match="--ledger-only"):
        restore(settings, made.file, "copy")
    assert names(settings) == ["acme"]
    assert restore(settings, made.file, "copy", ledger_only=True).accounts == {}
    assert charges(settings, "copy") == CHARGES
    whole(settings, "acme")


def test_rows_of_an_older_version_are_carried_through_the_migrations() -> None:
    proof = {
        "id": "a1",
        "workspace": "old",
        "question": "q",
        "asked": "a",
        "outcome": "refused",
        "times": 2,
        "first_at": "2026-11-01T00:00:00Z",
    }
    found = rows.carried({"attempts": [proof]}, "old", "0003")
    assert found["attempts"] == [proof | {"scope": ""}]
    assert found["connections"] == []
    with pytest.raises(WorkspaceError, match="newer"):
        rows.carried({}, "old", "9999")


def rewritten(file: Path, change: Callable[[dict[str, bytes]], object]) -> Path:
    """A backup with other members."""
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    made = file.with_name("changed.zip")
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return made


def manifest(content: dict[str, bytes], /, **values: Any) -> None:
    content["manifest.json"] = json.dumps(json.loads(content["manifest.json"]) | values).encode()


def flip(members: dict[str, bytes]) -> None:
    name = next(name for name in members if name.endswith(".parquet"))
    members[name] = members[name][:-20] + bytes([members[name][-20] ^ 1]) + members[name][-19:]


def abroad(members: dict[str, bytes]) -> None:
    """A catalog that names a file of another folder as charges, with digests that fit."""
    name = "workspace/lake/catalog.sqlite"
    with closing(sqlite3.connect(":memory:")) as catalog:
        catalog.deserialize(members[name][:18] + b"\x01\x01" + members[name][20:])
        catalog.execute("UPDATE ducklake_data_file SET path = '/etc/bill.parquet', path_is_relative = 0")
        catalog.commit()
        members[name] = catalog.serialize()
    listed = json.loads(members["manifest.json"])["members"]
    changed = [len(members[name]), hashlib.sha256(members[name]).hexdigest()]
    manifest(members, members=listed | {name: changed})


def climb(members: dict[str, bytes]) -> None:
    members["workspace/../../../climbed"] = b"x"
    listed = json.loads(members["manifest.json"])["members"]
    digest = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    manifest(members, members=listed | {"workspace/../../../climbed": [1, digest]})


@pytest.mark.usefixtures("acme")
def test_a_changed_backup_restores_nothing(settings: Settings, tmp_path: Path) -> None:
    whole_file = backed_up(settings, tmp_path).file
    elsewhere = Settings(home=tmp_path / "elsewhere", master_key=settings.master_key)
    changes: list[tuple[Callable[[dict[str, bytes]], object], str]] = [
        (flip, "SHA-256 differs"),
        (climb, "was changed"),
        (abroad, "leads out of its ledger (/etc/bill.parquet)"),
        (lambda m: m.update({"manifest.json": b"[]"}), "no manifest.json"),
        (lambda m: m.update({"workspace/extra": b"x"}), "exactly the files"),
        (lambda m: m.pop("accounts.json"), "exactly the files"),
        (lambda m: m.pop("manifest.json"), "no manifest.json"),
        (lambda m: m.update({"manifest.json": b"{"}), "cannot be read"),
        (lambda m: manifest(m, format="another"), "no backup"),
        (lambda m: manifest(m, version=2), "newer version"),
        (lambda m: manifest(m, ledger=99), "newer version"),
        (lambda m: manifest(m, database="9999"), "newer"),
        (lambda m: manifest(m, billed={"USD": "7"}), "its manifest says"),
        (lambda m: manifest(m, accounts={}), "not as many"),
        (lambda m: manifest(m, workspace="../up"), "cannot be the name"),
    ]
    for change, sentence in changes:
        with pytest.raises(LedgerError, match=re.escape(sentence)):
            restore(elsewhere, rewritten(whole_file, change))
        assert names(elsewhere) == []
        assert [p.name for p in (elsewhere.home / "workspaces" / ".changing").iterdir()] == ["lock"]
    assert not list(tmp_path.rglob("climbed"))


@pytest.mark.usefixtures("acme")
def test_what_is_no_whole_zip_is_refused(settings: Settings, tmp_path: Path) -> None:
    made = backed_up(settings, tmp_path)
    short = tmp_path / "short.zip"
    short.write_bytes(made.file.read_bytes()[:-1000])
    for file, sentence in ((short, "not a whole backup"), (tmp_path / "none.zip", "There is no file")):
        with pytest.raises(WorkspaceError, match=sentence):
            restore(settings, file, "b")


@pytest.mark.usefixtures("acme")
def test_a_backup_overwrites_nothing_and_stays_out_of_the_workspaces(settings: Settings, tmp_path: Path) -> None:
    backed_up(settings, tmp_path)
    for file, sentence in (
        (tmp_path / "acme.zip", "exists already"),
        (tmp_path / "no" / "acme.zip", "There is no folder"),
        (settings.home / "workspaces" / "acme" / "acme.zip", "among the workspaces"),
    ):
        with pytest.raises(WorkspaceError, match=sentence):
            backup(settings, "acme", file, NOW, patience=0)
    with pytest.raises(WorkspaceError, match="there are: acme"):
        backup(settings, "amce", tmp_path / "b.zip", NOW)
    assert [p.name for p in tmp_path.iterdir() if "partial" in p.name] == []


def test_a_sync_or_a_load_that_runs_is_not_disturbed(settings: Settings, acme: Connection, tmp_path: Path) -> None:
    changes: list[Callable[[], object]] = [
        lambda: workspaces.move(settings, "acme", "b"),
        lambda: workspaces.delete(settings, "acme"),
        lambda: backed_up(settings, tmp_path),
    ]
    for change in changes:
        with connection_lock(settings, acme), pytest.raises(ConnectionsError, match="running already"):
            change()
        with Lake(lake_address(settings, "acme")) as lake, lake.lock(), pytest.raises(WriterBusyError):
            change()
    whole(settings, "acme")


@pytest.mark.usefixtures("acme")
def test_a_lake_that_is_open_writes_nothing_to_a_workspace_that_was_moved(settings: Settings) -> None:
    with Lake(lake_address(settings, "acme")) as lake:
        workspaces.move(settings, "acme", "b")
        with pytest.raises(LakeUnavailableError, match="moved or deleted"), lake.lock():
            pass
        Lake(lake_address(settings, "acme")).close()
        with pytest.raises(LakeUnavailableError, match="Another lake"), lake.lock():
            pass
    whole(settings, "b")


@pytest.mark.usefixtures("acme")
def test_pages_behind_a_link_are_in_the_backup_and_not_deleted_through_it(settings: Settings, tmp_path: Path) -> None:
    raw = workspace_folder(settings, "acme") / "raw"
    raw.rename(tmp_path / "large-disk")
    raw.symlink_to(tmp_path / "large-disk")
    assert "workspace/raw/openai/costs/2026-10/1/page.json.gz" in backed_up(settings, tmp_path).manifest.members
    with pytest.raises(WorkspaceError, match="is a link to"):
        workspaces.delete(settings, "acme")
    whole(settings, "acme")


@pytest.mark.usefixtures("acme")
def test_a_signing_key_that_was_bound_to_the_name_goes_along(settings: Settings) -> None:
    old = open_vault(settings).encrypt(b"private", "signing key 1 of workspace acme")
    key = {
        "workspace": "acme",
        "number": 1,
        "kid": "k",
        "sealed": base64.b64encode(old).decode(),
        "endorsement": "e",
        "valid_from": "2026-11-21T00:00:00Z",
        "valid_to": None,
    }
    with sessions(settings).begin() as session:
        held = rows.packed(rows.held(session.connection(), "acme"))
        rows.keep(session.connection(), "acme", {**held, "signing_keys": [key]})
    workspaces.move(settings, "acme", "b")
    with sessions(settings)() as session:
        (found,) = rows.held(session.connection(), "b", ["signing_keys"])["signing_keys"]
    assert sealed.read(open_vault(settings), "signing_keys", found) == b"private"
    assert open_vault(settings).decrypt(found["sealed"], "signing key k") == b"private"


@pytest.mark.usefixtures("acme")
def test_a_name_is_free_and_of_its_shape(settings: Settings) -> None:
    save(settings, "taken", "View", "/spend", "")
    for to, sentence in (("taken", "already"), ("acme", "already"), ("A b", "cannot be the name")):
        with pytest.raises(LedgerError, match=sentence):
            workspaces.move(settings, "acme", to)
    with pytest.raises(WorkspaceError, match="there are: acme, taken"):
        workspaces.move(settings, "nobody", "b")
    whole(settings, "acme")


def interrupted(settings: Settings, action: str, to: str = "") -> Path:
    """What a process that died while it changed acme leaves in any case; gives the folder of its change."""
    place = settings.home / "workspaces" / ".changing"
    (place / "left").mkdir(parents=True)
    change = {"action": action, "workspace": "acme", "to": to, "id": "" if to else "left"}
    (place / "journal.json").write_text(json.dumps(change))
    return place / "left"


@pytest.mark.usefixtures("acme")
def test_a_move_that_died_after_any_step_is_finished_by_whoever_looks_next(settings: Settings) -> None:
    folder = settings.home / "workspaces"
    for steps in (0, 1, 2):
        interrupted(settings, "move", "b")
        if steps > 0:
            (folder / "acme").rename(folder / "b")
        if steps > 1:
            with opened(settings).begin() as session:
                rows.rename(session.connection(), "acme", "b")
        assert connections.listed(settings, "acme") == []
        whole(settings, "b")
        assert names(settings) == ["b"]
        assert not (folder / ".changing" / "journal.json").exists()
        workspaces.move(settings, "b", "acme")
        assert [p.name for p in (folder / ".changing").iterdir()] == ["lock"]


@pytest.mark.usefixtures("acme")
def test_a_deletion_or_restoration_that_died_after_any_step_is_finished(settings: Settings, tmp_path: Path) -> None:
    folder = settings.home / "workspaces"
    shutil.copytree(folder / "acme", tmp_path / "kept")
    with opened(settings)() as session:
        held = rows.packed(rows.held(session.connection(), "acme"))
    for steps in (0, 1, 2):
        left = interrupted(settings, "delete")
        if steps > 0:
            with opened(settings).begin() as session:
                rows.remove(session.connection(), "acme")
        if steps > 1:
            (folder / "acme").rename(left / "workspace")
        assert connections.listed(settings, "acme") == []
        assert names(settings) == []
        assert [p.name for p in (folder / ".changing").iterdir()] == ["lock"]

        left = interrupted(settings, "restore")
        (left / "accounts.json").write_text(json.dumps(held))
        shutil.copytree(tmp_path / "kept", left / "workspace")
        if steps > 0:
            (left / "workspace").rename(folder / "acme")
        if steps > 1:
            with opened(settings).begin() as session:
                rows.keep(session.connection(), "acme", held)
        whole(settings, "acme")
        assert [p.name for p in (folder / ".changing").iterdir()] == ["lock"]


def test_a_journal_of_another_version_is_left_alone(settings: Settings) -> None:
    place = settings.home / "workspaces" / ".changing"
    place.mkdir(parents=True)
    (place / "journal.json").write_text('{"action": "split", "workspace": "acme"}')
    with pytest.raises(WorkspaceError, match="version of SpendProof"):
        journal.finish(settings)
    assert (place / "journal.json").exists()


#: Forks a process for every line of standard input, kills it after that many seconds, and says whether it was in time.
KILLER = """
import os, signal, sys, time
from datetime import UTC, datetime
from pathlib import Path
import accounts.restoring, duckdb, ibis, alembic.command, sqlalchemy.dialects.sqlite
from accounts.home import Settings
from accounts import workspaces
home, file, key = sys.argv[1:]
settings = Settings(home=Path(home), master_key=key)
for line in sys.stdin:
    what, delay = line.split()
    pid = os.fork()
    if pid == 0:
        if what == "move":
            while True:
                workspaces.move(settings, "a", "b"); workspaces.move(settings, "b", "a")
        while True:
            workspaces.delete(settings, "a"); accounts.restoring.restore(settings, Path(file), "a")
    time.sleep(float(delay))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    print("killed", flush=True)
"""


@pytest.mark.usefixtures("acme")
def test_killed_at_any_moment_a_workspace_is_before_or_after(settings: Settings, tmp_path: Path) -> None:
    made = backed_up(settings, tmp_path)
    workspaces.move(settings, "acme", "a")
    moments = random.Random(20261121)  # noqa: S311 - moments, not secrets
    killer = subprocess.Popen(
        [sys.executable, "-c", KILLER, settings.home, made.file, KEY],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert killer.stdin is not None
    assert killer.stdout is not None
    seen = set[str]()
    try:
        for what, may_be in (("move", {"a", "b"}), ("restore", {"a", "none"})) * 6:
            killer.stdin.write(f"{what} {moments.uniform(0.05, 0.4):.3f}\n")
            killer.stdin.flush()
            assert killer.stdout.readline() == "killed\n"
            (there,) = names(settings) or ["none"]
            assert there in may_be
            seen.add(there)
            if there == "none":
                restore(settings, made.file, "a")
                continue
            whole(settings, there)
            if there == "b":
                workspaces.move(settings, "b", "a")
    finally:
        killer.send_signal(signal.SIGKILL)
        killer.communicate()
    assert len(seen) > 1, "no kill came after anything was changed"


def test_a_postgresql_catalog_is_renamed_and_dropped_with_its_workspace(tmp_path: Path) -> None:
    with server(tmp_path / "pg") as address:
        settings = Settings(home=tmp_path / "home", catalog=address, master_key=SecretStr(new_key()))
        load(settings, tmp_path)
        with pytest.raises(WorkspaceError, match="pg_dump"):
            backed_up(settings, tmp_path)
        with pytest.raises(WorkspaceError, match="SPENDPROOF_CATALOG"):
            restore(settings, tmp_path / "acme.zip")
        workspaces.move(settings, "acme", "b-2")
        assert charges(settings, "b-2") == CHARGES
        workspaces.delete(settings, "b-2")
        assert charges(settings, "b-2")[0] == 0
