"""What the commands of workspaces do and print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

from accounts import workspaces
from accounts.backup import backup
from accounts.errors import WorkspaceError
from accounts.restoring import restore
from accounts.sealed import Lost
from accounts.vault import open_vault
from ui.console import print_json, print_table, say, say_out

if TYPE_CHECKING:
    from accounts.home import Settings

#: Tables of accounts that a person knows by a word, in the order of a sentence.
_WORDS: Final = {
    "connections": "connection",
    "schedules": "schedule",
    "baselines": "baseline",
    "interventions": "intervention",
    "proofs": "proof",
    "share_links": "link",
    "signing_keys": "signing key",
    "scenarios": "scenario",
    "saved_views": "view",
}
_RESTART: Final = "An app or a worker that runs keeps to what it opened; start it again."


def print_list(settings: Settings, *, as_json: bool) -> None:
    """Every workspace, its size and what belongs to it."""
    known = workspaces.listed(settings)
    if as_json:
        print_json([_record(one) for one in known])
        return
    if not known:
        say_out(f"There is no workspace yet in {settings.home}. Load a bill: spendproof import FILE...")
        return
    shown = ("connections", "schedules", "proofs", "share_links")
    rows = [(one.name, _size(one.size), *(one.accounts.get(table, 0) for table in shown)) for one in known]
    print_table(("workspace", "size", *(f"{_WORDS[table]}s" for table in shown)), rows, right=(1, 2, 3, 4, 5))


def back_up(settings: Settings, workspace: str, file: Path, *, as_json: bool) -> None:
    """Write a backup and say what is in it, and what is not."""
    made = backup(settings, workspace, file.expanduser(), datetime.now(UTC), say=say)
    source = open_vault(settings).source if made.secrets else None
    if as_json:
        about = asdict(made.manifest)
        del about["members"]
        sizes = {"file": str(made.file), "bytes": made.size, "files": len(made.manifest.members)}
        print_json({**sizes, **about, "sealed_secrets": made.secrets, "master_key": source})
        return
    held = made.manifest
    say_out(f"{made.file}: {_size(made.size)}, {len(held.members):,} files, snapshot {held.snapshot}.")
    _print_held(held.rows, held.billed, held.accounts)
    if source:
        say_out(
            f"  It holds {_many(made.secrets, 'sealed secret')}, and not the master key, which is in {source}: keep it "
            "at another place. Without that key all else comes back, and each secret has to be entered again."
        )


def bring_back(settings: Settings, file: Path, name: str | None, *, ledger_only: bool, as_json: bool) -> None:
    """Restore a backup and say what came back, and what has to be entered again."""
    done = restore(settings, file.expanduser(), name, ledger_only=ledger_only, say=say)
    billed = {currency: f"{amount:f}" for currency, amount in done.counted.billed.items()}
    if as_json:
        about = {"workspace": done.workspace, "from": done.manifest.workspace, "made_at": done.manifest.made_at}
        counted = {"snapshot": done.counted.snapshot, "rows": done.counted.rows, "billed": billed}
        print_json({**about, **counted, "accounts": dict(done.accounts), "lost": [asdict(one) for one in done.lost]})
        return
    say_out(f"Workspace {done.workspace} is as {done.manifest.workspace} was at {done.manifest.made_at}.")
    _print_held(done.counted.rows, billed, done.accounts)
    say_out("  Rows and billed totals are those that the backup names.")
    _print_lost(done.lost)
    if due := [f"{_WORDS[table]}s" for table in ("connections", "schedules") if done.accounts.get(table)]:
        say_out(
            f"  Its {' and '.join(due)} are followed from here on (spendproof worker). Where the original still runs, "
            "stop it there, or remove them here."
        )


def move(settings: Settings, workspace: str, to: str, *, as_json: bool) -> None:
    """Rename a workspace."""
    moved = workspaces.move(settings, workspace, to)
    if as_json:
        print_json({"from": workspace, **_record(moved)})
        return
    say_out(f"Workspace {workspace} is called {to} now. People sign in to it once more. {_RESTART}")
    if workspace == settings.workspace:
        say(f"Commands still mean {workspace} where no workspace is named; set SPENDPROOF_WORKSPACE={to}.")


def describe(settings: Settings, workspace: str, *, as_json: bool) -> None:
    """Say what would be deleted."""
    known = workspaces.named(settings, workspace)
    if not as_json:
        say(f"Workspace {workspace}: {', '.join(filter(None, (_size(known.size), _words(known.accounts))))}.")


def delete(settings: Settings, workspace: str, typed: str, *, as_json: bool) -> None:
    """Delete a workspace whose name was typed once more."""
    if typed.strip() != workspace:
        raise WorkspaceError(f"{typed.strip()!r} is not the name of the workspace, so {workspace} was not deleted.")
    was = workspaces.delete(settings, workspace)
    if as_json:
        print_json({"deleted": True, **_record(was)})
    else:
        links = "; links to its proofs show nothing any more" if was.accounts.get("share_links") else ""
        say_out(f"Workspace {workspace} is deleted{links}. {_RESTART}")


def _record(one: workspaces.Known) -> dict[str, object]:
    return {"workspace": one.name, "folder": str(one.folder), "bytes": one.size, "accounts": dict(one.accounts)}


def _print_held(rows: Mapping[str, int], billed: Mapping[str, str], accounts: Mapping[str, int]) -> None:
    sums = "; ".join(f"{Decimal(amount).normalize():,f} {currency}" for currency, amount in billed.items())
    charges = f"{_many(rows['charges'], 'charge')} ({sums or 'nothing'} billed)"
    say_out(f"  {charges}, {_many(rows['usage'], 'row')} of usage, {_many(rows['loads'], 'load')}")
    if words := _words(accounts):
        say_out(f"  {words}")


def _print_lost(lost: Sequence[Lost]) -> None:
    if not lost:
        return
    say_out(
        f"  The master key here does not open {_many(len(lost), 'secret')} of it. Restore the key that sealed them "
        "(SPENDPROOF_MASTER_KEY), or enter each again:"
    )
    for one in lost:
        say_out(f"    {one.kind} {one.name}: {one.again}")


def _words(accounts: Mapping[str, int]) -> str:
    return ", ".join(_many(accounts[table], word) for table, word in _WORDS.items() if accounts.get(table))


def _many(count: int, word: str) -> str:
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def _size(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"  # noqa: PLR2004
