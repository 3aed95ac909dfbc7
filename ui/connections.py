"""Connections as the command line takes and prints them."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import typer

from accounts import connections, credentials, sync_runs, totals
from accounts.errors import ConnectionsError
from accounts.home import lake_address
from accounts.locks import is_running
from connectors import sources
from connectors.live import Diagnosis, Setup, Window
from jobs import connecting, reconciling
from jobs import sync as syncing
from jobs.sync import Tools
from ledger.lake import Lake
from ui import filling
from ui.console import print_json, print_table, say, say_out

if TYPE_CHECKING:
    from accounts.connections import Connection
    from accounts.home import Settings
    from accounts.sync_runs import SyncRun

#: Connections that are synced side by side.
_SIDE_BY_SIDE: Final = 4
_MARKS: Final = {True: "ok", False: "FAILED", None: "-"}
_HOUR: Final = 3600
_TWO_DAYS: Final = 48


@dataclass(frozen=True, slots=True)
class Entry:
    """What was typed to connect."""

    provider: str
    name: str
    pairs: Sequence[str]
    stdin: bool
    limit: str
    every: int


def print_steps(
    settings: Settings, workspace: str, provider: str, name: str, pairs: Sequence[str], *, as_json: bool
) -> None:
    """What a person does at a provider, with what is known filled in; or the providers there are."""
    if not provider:
        setups = {known: sources.provider(known).setup for known in sources.providers()}
        if as_json:
            print_json([_setup(known, setup, {}) for known, setup in setups.items()])
            return
        print_table(("provider", "title"), [(known, setup.title) for known, setup in setups.items()])
        say_out("What to do at one of them: spendproof connect PROVIDER --steps")
        return
    setup = sources.provider(provider).setup
    values = _known(settings, workspace, name or provider, setup) | _entered(setup, pairs, stdin=False, asks=False)
    if unknown := values.keys() - {f.name for f in setup.fields}:
        raise ValueError(
            f"{setup.title} has no field {min(unknown)}; it has {', '.join(f.name for f in setup.fields)}."
        )
    if as_json:
        print_json([_setup(provider, setup, values)])
        return
    for number, step in enumerate(setup.steps, start=1):
        say_out(f"{number}. {filling.filled(step, setup, values)}\n")
    if empty := filling.to_fill(setup, values):
        say_out(
            f"Not filled in yet: {', '.join(f'{{{f}}}' for f in empty)}. Give what you know and the steps show it: "
            f"spendproof connect {provider} --steps {' '.join(f'--set {f}=VALUE' for f in empty)}\n"
        )
    say_out("Fields (--set FIELD=VALUE):")
    for field in setup.fields:
        say_out(f"  {field.name}{'' if field.required else ' (optional)'}: {field.label}. {field.help}")
    for sentence in (*setup.later, *([setup.price] if setup.price else [])):
        say_out(sentence)


def _known(settings: Settings, workspace: str, name: str, setup: Setup) -> dict[str, str]:
    """What was entered for the connection of this name, where there is one; no secrets."""
    plain = {f.name for f in setup.fields if not f.secret}
    found = next((c for c in connections.listed(settings, workspace) if c.name == name), None)
    return {k: v for k, v in found.settings.items() if k in plain} if found else {}


def connect(settings: Settings, workspace: str, entry: Entry, *, untested: bool, as_json: bool) -> bool:
    """Test what was entered and keep it; whether it was kept."""
    setup = sources.provider(entry.provider).setup
    tools = Tools(say=say)
    values = _entered(setup, entry.pairs, stdin=entry.stdin, asks=True)
    connection = connecting.prepared(settings, workspace, entry.provider, entry.name, values, tools)
    connection.paid_limit = connecting.dollars(entry.limit) if entry.limit else None
    connection.every_minutes = entry.every
    found = [] if untested else connecting.test(settings, connection, tools)
    sound = connecting.is_sound(found)
    if sound:
        connections.add(settings, connection)
    if as_json:
        print_json({"connection": entry.name, "kept": sound, "test": _steps(found)})
        return sound
    _print_test(found)
    if sound:
        say_out(f"{entry.name} is connected. Fetch its data: spendproof sync {entry.name}")
        for sentence in (*setup.later, *([setup.price] if setup.price else [])):
            say_out(f"  {sentence}")
    else:
        say_out("It was not kept. Mend what failed and connect again, or keep it as it is with --untested.")
    return sound


def print_list(settings: Settings, workspace: str, *, as_json: bool) -> None:
    """Every connection and how it stands."""
    found = connections.listed(settings, workspace)
    now = datetime.now(UTC)
    if as_json:
        print_json([_record(settings, c) for c in found])
        return
    if not found:
        say_out("Nothing is connected. See what can be: spendproof connect")
        return
    rows = [_row(settings, c, now) for c in found]
    print_table(
        ("connection", "provider", "state", "age of data", "rows", "calls", "paid (USD)"), rows, right=(4, 5, 6)
    )
    for connection in found:
        run = _last(settings, connection)
        if run and run.message:
            say_out(f"{connection.name}: {run.message}")
        for total in totals.listed(settings, connection):
            say_out(f"{connection.name}: {_total_sentence(total)}")


def test(settings: Settings, workspace: str, name: str, *, as_json: bool) -> bool:
    """Test a connection; whether every step passed."""
    connection = connections.named(settings, workspace, name)
    found = connecting.test(settings, connection, Tools(say=say))
    if as_json:
        print_json({"connection": name, "sound": connecting.is_sound(found), "test": _steps(found)})
    else:
        _print_test(found)
    return connecting.is_sound(found)


def rotate(
    settings: Settings, workspace: str, name: str, pairs: Sequence[str], *, stdin: bool, untested: bool, as_json: bool
) -> bool:
    """Replace values of a connection once the new ones pass the test."""
    connection, tools = connections.named(settings, workspace, name), Tools(say=say)
    setup = sources.provider(connection.provider).setup
    values = _entered(setup, pairs, stdin=stdin, asks=not pairs, only_secrets=True)
    again = connecting.rotated(settings, connection, values, tools)
    found = [] if untested else connecting.test(settings, again, tools)
    sound = connecting.is_sound(found)
    if sound:
        connecting.keep_rotated(settings, again, datetime.now(UTC))
    if as_json:
        print_json({"connection": name, "rotated": sound, "test": _steps(found)})
        return sound
    _print_test(found)
    say_out(f"{name} uses the new values from now on." if sound else f"{name} keeps the values it had.")
    return sound


def remove(settings: Settings, workspace: str, name: str, *, with_data: bool, as_json: bool) -> None:
    """Forget a connection, and on request what it brought."""
    connection = connections.named(settings, workspace, name)
    with Lake(lake_address(settings, workspace)) if with_data else nullcontext() as lake:
        loads = connecting.forget(settings, connection, lake)
    if as_json:
        print_json({"connection": name, "removed": True, "loads_removed": loads})
    else:
        kept = "Its rows are gone from the ledger." if with_data else "What it brought stays in the ledger."
        say_out(f"{name} and its secrets are forgotten. {kept} Revoke the key at the provider as well.")


def enter_invoice(
    settings: Settings, workspace: str, name: str, month: str, amount: str, currency: str, *, as_json: bool
) -> None:
    """Hold an invoice's total against the ledger."""
    connection = connections.named(settings, workspace, name)
    try:
        first = date.fromisoformat(f"{month}-01")
        stated = Decimal(amount.replace(",", ""))
    except (ValueError, ArithmeticError) as error:
        raise ValueError("Write the month as YYYY-MM and the amount like 12345.67.") from error
    window = Window(first, date(first.year + first.month // 12, first.month % 12 + 1, 1))
    with Lake(lake_address(settings, workspace)) as lake:
        now = datetime.now(UTC)
        total = reconciling.enter_invoice(settings, connection, lake, window, stated, currency.upper(), now)
    if as_json:
        print_json(_total(total))
    else:
        say_out(_total_sentence(total))


def sync(settings: Settings, workspace: str, names: Sequence[str], *, force: bool, as_json: bool) -> bool:
    """Sync connections side by side; whether all of them ended well."""
    chosen = [connections.named(settings, workspace, n).name for n in names] or [
        c.name for c in connections.listed(settings, workspace)
    ]
    if not chosen:
        raise ConnectionsError("Nothing is connected yet. Make a connection: spendproof connect PROVIDER")
    tools = Tools(say=say)

    def one(name: str) -> SyncRun:
        return syncing.sync(settings, workspace, name, force=force, tools=tools)

    with ThreadPoolExecutor(min(_SIDE_BY_SIDE, len(chosen))) as pool:
        runs = dict(zip(chosen, pool.map(one, chosen), strict=True))
    if as_json:
        print_json([{"connection": name, **_run(run)} for name, run in runs.items()])
    else:
        for name, run in runs.items():
            say_out(f"{name}: {run.state}, {run.rows:,} rows in {run.pages:,} pages, {_calls(run)}.")
            if run.message:
                say_out(f"  {run.message}")
    return all(run.state == sync_runs.RunState.DONE for run in runs.values())


def _entered(
    setup: Setup, pairs: Sequence[str], *, stdin: bool, asks: bool, only_secrets: bool = False
) -> dict[str, str]:
    """FIELD=VALUE of options and of standard input; what is missing is asked for at a terminal.

    Raises:
        ValueError: a pair is none, or a secret stands in the command itself, where everyone on the machine sees it.
    """
    values = _pairs(pairs)
    secret = {f.name for f in setup.fields if f.secret}
    for name in secret & values.keys():
        if not credentials.is_reference(values[name]):
            raise ValueError(
                f"A secret in a command is seen by everyone on this machine. Give {name} as env:NAME or file:PATH, "
                "leave it out to be asked for it, or send it by --stdin."
            )
    if stdin:
        values |= _pairs(line for line in sys.stdin.read().splitlines() if line.strip())
    if asks and not stdin and sys.stdin.isatty():
        for field in setup.fields:
            if field.name not in values and (field.secret or not only_secrets):
                say(field.help)
                default = None if field.required else ""
                values[field.name] = typer.prompt(
                    field.label, default=default, hide_input=field.secret, show_default=False, err=True
                )
    return values


def _pairs(pairs: Any) -> dict[str, str]:  # noqa: ANN401 - any iterable of texts
    values: dict[str, str] = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign:
            raise ValueError("Write each value as FIELD=VALUE.")
        values[name.strip()] = value.strip()
    return values


def _print_test(found: Sequence[Diagnosis]) -> None:
    for step in found:
        say_out(f"{_MARKS[step.passed]:>6}  {step.step}: {step.message}")
        if step.fix:
            say_out(f"        {step.fix}")


def _steps(found: Sequence[Diagnosis]) -> list[dict[str, Any]]:
    return [{"step": d.step, "passed": d.passed, "message": d.message, "fix": d.fix} for d in found]


def _setup(name: str, setup: Setup, values: Mapping[str, str]) -> dict[str, Any]:
    fields = [
        {"name": f.name, "label": f.label, "help": f.help, "required": f.required, "secret": f.secret}
        for f in setup.fields
    ]
    return {
        "provider": name,
        "title": setup.title,
        "fields": fields,
        "steps": [filling.filled(step, setup, values) for step in setup.steps],
        "to_fill": filling.to_fill(setup, values),
        "overlap_days": setup.overlap_days,
        "history_days": setup.history_days,
        "later": list(setup.later),
        "price": setup.price,
    }


def _row(settings: Settings, connection: Connection, now: datetime) -> tuple[object, ...]:
    run = _last(settings, connection)
    done = sync_runs.last_done(settings, connection)
    age = "no data yet" if done is None else _age(now - done)
    state = "never synced" if run is None else str(run.state) + (f": {run.doing}" if run.doing else "")
    paid = None if run is None or not run.paid else f"{run.paid:f}"
    return (connection.name, connection.provider, state, age, run and run.rows, run and run.calls, paid)


def _last(settings: Settings, connection: Connection) -> SyncRun | None:
    """The newest run; one whose process died is told as killed."""
    run = sync_runs.last(settings, [connection]).get(connection.id)
    if run and run.state == sync_runs.RunState.RUNNING and not is_running(settings, connection):
        run.state, run.doing = sync_runs.RunState.KILLED, ""
        run.message = "The process ended before the sync did; the next sync goes on where it was."
    return run


def _age(since: Any) -> str:  # noqa: ANN401 - a timedelta
    hours = since.total_seconds() / _HOUR
    return f"{hours:.0f} hours" if hours < _TWO_DAYS else f"{hours / 24:.0f} days"


def _calls(run: SyncRun) -> str:
    return f"{run.calls:,} calls" + (f", ${run.paid:f} of them charged by the provider" if run.paid else "")


def _record(settings: Settings, connection: Connection) -> dict[str, Any]:
    fields = sources.provider(connection.provider).setup.fields
    run = _last(settings, connection)
    done = sync_runs.last_done(settings, connection)
    return {
        "connection": connection.name,
        "provider": connection.provider,
        "source": connection.source,
        "settings": credentials.shown(connection, fields),
        "every_minutes": connection.every_minutes,
        "paid_limit": connection.paid_limit,
        "created_at": connection.created_at.isoformat(),
        "rotated_at": connection.rotated_at and connection.rotated_at.isoformat(),
        "data_as_of": done and done.isoformat(),
        "last_sync": _run(run) if run else None,
        "totals": [_total(t) for t in totals.listed(settings, connection)],
    }


def _run(run: SyncRun) -> dict[str, Any]:
    return {
        "state": str(run.state),
        "message": run.message,
        "doing": run.doing,
        "started_at": run.started_at.isoformat(),
        "ended_at": run.ended_at and run.ended_at.isoformat(),
        "steps": run.steps,
        "steps_done": run.steps_done,
        "pages": run.pages,
        "rows": run.rows,
        "loads": list(run.loads),
        "calls": run.calls,
        "paid_usd": f"{run.paid:f}",
    }


def _total(total: totals.ProviderTotal) -> dict[str, Any]:
    return {
        "from": total.first,
        "before": total.before,
        "origin": total.origin,
        "currency": total.currency,
        "provider": f"{total.amount:f}",
        "ledger": None if total.ledger is None else f"{total.ledger:f}",
        "difference": None if total.difference is None else f"{total.difference:f}",
        "closed": total.closed,
        "provisional": total.is_provisional,
        "checked_at": total.checked_at.isoformat(),
    }


def _total_sentence(total: totals.ProviderTotal) -> str:
    closed = {True: "closed", False: "still open", None: "the provider does not say whether it is closed"}
    start = f"{total.first} up to {total.before} ({closed[total.closed]}): {total.origin} {total.amount:,.2f}"
    if total.is_provisional:
        return f"{start} {total.currency}, provisional: the ledger holds no charges of these days yet."
    if total.ledger is None or total.difference is None:
        return f"{start} {total.currency}; the ledger holds nothing of these days in this currency."
    same = abs(total.difference) < reconciling.CENT
    end = "the same" if same else f"a difference of {total.difference:+,.2f}"
    return f"{start}, ledger {total.ledger:,.2f} {total.currency}: {end}."
