"""What the repository promises of itself."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.ledgers import line, write_bill, write_parquet

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("ledger", "connectors", "analysis", "accounts", "billing", "reports", "jobs", "sample_data", "ui")


def tracked() -> list[Path]:
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return [ROOT / name for name in names.split("\0") if name and (ROOT / name).is_file()]


def text_of(path: Path) -> str:
    try:
        return path.read_text()
    except UnicodeDecodeError:
        return ""


def test_no_tracked_file_names_a_package_registry() -> None:
    hosts = "|".join(
        re.escape(".".join(parts))
        for parts in (("pypi", "org"), ("files", "pythonhosted", "org"), ("registry", "npmjs", "org"))
    )
    assert [p.name for p in tracked() if re.search(hosts, text_of(p))] == []


def test_the_lock_has_hashes_and_no_address() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock
    pinned = re.findall(r"^[a-z0-9][^\n]*==", lock, re.MULTILINE)
    assert len(pinned) > 50
    assert lock.count("--hash=sha256:") >= len(pinned)


def test_modules_stay_small() -> None:
    sizes = {p.relative_to(ROOT): len(text_of(p).splitlines()) for p in tracked() if p.suffix == ".py"}
    assert {p: n for p, n in sizes.items() if n > 400 and p.parts[0] != "tests"} == {}


def test_no_other_distribution_provides_our_names() -> None:
    found = packages_distributions()
    assert {
        name: found.get(name) for name in (*ROOMS, "app", "cli") if set(found.get(name) or ()) - {"spendproof"}
    } == {}


def test_app_holds_the_literal_that_the_server_looks_for() -> None:
    tree = ast.parse((ROOT / "app.py").read_text())
    (assignment,) = [node for node in tree.body if isinstance(node, ast.Assign)]
    assert ast.unparse(assignment).startswith("app = st.App(")


@pytest.mark.parametrize(
    "module",
    ["pandas", "ibis", "duckdb", "streamlit", "pyarrow", "sqlalchemy", "boto3", "scipy", "typst", "cryptography"],
)
def test_the_command_line_starts_without(module: str) -> None:
    code = f"import sys, cli; sys.exit('{module}' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_bill_is_loaded_without_pandas_and_arrow(tmp_path: Path, kind: str) -> None:
    """Together they take longer to import than a small bill takes to load."""
    bill = write_bill(tmp_path / "bill.csv", [line("1", "2026-10-01"), line("x", "2026-10-02")])
    if kind == "parquet":
        bill = write_parquet(tmp_path / "bill.parquet", f"SELECT * FROM read_csv('{bill}', all_varchar = true)")
    code = (
        "import sys; from pathlib import Path; from ledger.lake import Address, Lake\n"
        "from connectors.importing import import_files\n"
        f"with Lake(Address(Path({str(tmp_path / 'lake')!r}))) as lake: (load,) = import_files(lake, [{str(bill)!r}])\n"
        "assert (load.rows_loaded, load.rows_rejected) == (1, 1)\n"
        "print({'pandas', 'pyarrow', 'numpy'} & sys.modules.keys() or 'neither')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("neither\n", "")
