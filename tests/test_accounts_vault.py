"""Secrets at rest."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from accounts.errors import VaultError
from accounts.home import Settings
from accounts.vault import new_key, open_vault


def test_a_secret_comes_back_and_is_not_in_what_is_stored(tmp_path: Path) -> None:
    vault = open_vault(Settings(home=tmp_path), tmp_path / "master.key")
    sealed = vault.encrypt(b"sk-admin-123", "connection 7")
    assert b"sk-admin" not in sealed
    assert vault.decrypt(sealed, "connection 7") == b"sk-admin-123"
    assert vault.encrypt(b"sk-admin-123", "connection 7") != sealed


@pytest.mark.parametrize("purpose", ["connection 8", ""])
def test_a_secret_is_read_for_its_own_purpose_only(tmp_path: Path, purpose: str) -> None:
    vault = open_vault(Settings(home=tmp_path), tmp_path / "master.key")
    with pytest.raises(VaultError, match="cannot be read"):
        vault.decrypt(vault.encrypt(b"x", "connection 7"), purpose)


def test_another_key_reads_nothing_and_is_named(tmp_path: Path) -> None:
    sealed = open_vault(Settings(home=tmp_path, master_key=SecretStr(new_key()))).encrypt(b"x", "p")
    with pytest.raises(VaultError, match="SPENDPROOF_MASTER_KEY"):
        open_vault(Settings(home=tmp_path, master_key=SecretStr(new_key()))).decrypt(sealed, "p")


@pytest.mark.parametrize("key", ["", "short", "ü" * 44, "A" * 42])
def test_a_key_of_the_wrong_shape_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(VaultError, match="32 bytes"):
        open_vault(Settings(home=tmp_path, master_key=SecretStr(key)))


def test_processes_that_start_together_share_one_key_that_others_cannot_read(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path;"
        "from accounts.home import Settings; from accounts.vault import open_vault;"
        "open_vault(Settings(), Path(sys.argv[1])); print(Path(sys.argv[1]).read_text())"
    )
    path = tmp_path / "config" / "master.key"
    root = Path(__file__).resolve().parents[1]
    started = [
        subprocess.Popen([sys.executable, "-c", code, str(path)], cwd=root, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    assert len({process.communicate()[0] for process in started}) == 1
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["master.key"]


def test_the_key_shows_in_no_representation(tmp_path: Path) -> None:
    key = new_key()
    vault = open_vault(Settings(home=tmp_path, master_key=SecretStr(key)))
    assert "_key" not in repr(vault)
    assert key not in repr(vault)
