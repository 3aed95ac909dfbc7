"""What the same usage would have cost under a plan, as the command line prints it."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.period import label
from analysis.plan import AS_USED, Plan, parse_plan
from analysis.repriced import Cost, Finding, Repriced, RepriceRow
from analysis.result import MILLION, total
from ledger.lake import Lake
from ui.console import print_json, print_table, say, say_out

if TYPE_CHECKING:
    import duckdb
    import ibis.expr.types as ir

#: Columns by which a file is known to be in the ledger's own usage columns.
_LEDGER: frozenset[str] = frozenset({"UsagePeriodStart", "Grain", "ServiceProviderName", "ModelId"})


def read_plan(path: Path | None) -> Plan:
    """The plan in a TOML file; without one, the usage as it was.

    Raises:
        PlanError: the file states none, or anything in it is not understood.
        ValueError: the file is no text.
    """
    if path is None:
        return AS_USED
    try:
        return parse_plan(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no text in UTF-8; a plan is a TOML file.") from error


def print_repriced(
    lake: Lake,
    plan_file: Path | None,
    by: Sequence[str],
    period: tuple[date | None, date | None],
    *,
    as_json: bool,
) -> None:
    """Re-price the usage of a lake with the workspace's own price book.

    As JSON: `plan`, `prices_at`, `known_at`, `book_digest`, `from`, `to` (first and last day), `tokens`, `requests`,
    `rows` (the dimensions, `currency`, `tokens`, `cost`, `cost_highest`, `cost_as_used`, `cost_as_used_highest`,
    `compared_tokens`, `compared_cost`, `compared_cost_as_used`, `saving`, `saving_at_highest`), `kinds` (`kind`,
    `currency`, `tokens`, `cost`, `cost_highest`), `unpriced`, `unstated`, `priced_as`, `disputed` (each `side`,
    `provider`, `model`, `what`, `kinds`, `tokens`, `requests`, `currency`, `cost`, `other_cost`), `levers` (`action`,
    `tokens`), `not_in_tokens` (`provider`, `model`, `unit`, `quantity`) and `rows_without_counts`. Amounts are decimal
    strings, null where there is none.
    """
    plan = read_plan(plan_file)
    _print(_repriced(lake.table("usage"), plan, by, period, lake), as_json=as_json)


def print_repriced_file(
    file: Path,
    plan_file: Path | None,
    by: Sequence[str],
    period: tuple[date | None, date | None],
    *,
    as_json: bool,
) -> None:
    """Re-price a usage file without a ledger, with the list prices of the shipped book; JSON as `print_repriced`."""
    plan = read_plan(plan_file)
    with _usage_of(file) as usage:
        _print(_repriced(usage, plan, by, period, None), as_json=as_json)


def _repriced(
    usage: ir.Table, plan: Plan, by: Sequence[str], period: tuple[date | None, date | None], lake: Lake | None
) -> Repriced:
    from analysis.reprice import reprice  # noqa: PLC0415 - the engine's half second is for those who re-price
    from ledger.price_book import book  # noqa: PLC0415

    known = book.load(plan.known_at, lake=lake)
    for gap in known.gaps:
        say(gap)
    return reprice(usage, known.table, plan, digest=known.digest, by=by, start=period[0], end=period[1])


@contextmanager
def _usage_of(file: Path) -> Generator[ir.Table]:
    """A usage file in the ledger's columns, on an engine of its own.

    Raises:
        ConnectorError: the file cannot be read, or is in no known format of usage.
    """
    import ibis  # noqa: PLC0415 - half a second that only a query needs

    from ledger import engine  # noqa: PLC0415

    connection = engine.connect()
    try:
        _stage(connection, file)
        yield ibis.duckdb.from_connection(connection).table("usage")
    finally:
        connection.close()


def _stage(connection: duckdb.DuckDBPyConnection, file: Path) -> None:
    from connectors import reading  # noqa: PLC0415
    from connectors.errors import UnknownFormatError  # noqa: PLC0415
    from connectors.mapping import mapped_sql  # noqa: PLC0415
    from connectors.registry import format_of, knows  # noqa: PLC0415
    from connectors.rows import BAD, STATE  # noqa: PLC0415

    (path,) = reading.expand([str(file)]) if file.is_file() else (file,)
    part = reading.open_part(connection, path, knows)
    if set(part.layout) >= _LEDGER:
        connection.execute(f"CREATE TEMP VIEW usage AS {part.relation}")
        return
    format_ = format_of(path.name, part.layout, None)
    if format_.table != "usage":
        raise UnknownFormatError(f"{path.name} is in the format {format_.title}, which has no token usage to price.")
    connection.execute(f"CREATE TEMP TABLE mapped AS {mapped_sql(format_, part.layout, part.relation)}")
    (bad,) = connection.execute(f"SELECT count(*) FROM mapped WHERE {STATE} = '{BAD}'").fetchone() or (0,)
    if bad:
        say(f"{_rows_of(bad)} of {path.name} could not be read, and no figure has them; `spendproof import` says why.")
    connection.execute(f"CREATE TEMP VIEW usage AS SELECT * FROM mapped WHERE {STATE} IS DISTINCT FROM '{BAD}'")


def _print(result: Repriced, *, as_json: bool) -> None:
    if as_json:
        print_json(result.record())
        return
    if not result.tokens and not result.requests and not result.others:
        say_out("There is no usage in this period. Load some: spendproof import FILE... (docs/usage-file.md)")
        return
    say_out(
        f"Plan: {result.plan.name}. Usage from {result.first} to {result.last}, price book {result.book_digest[:12]}."
    )
    rows = [_cells(row, result.by) for row in result.rows]
    if result.by:
        rows += _totals(result)
    headings = (*result.by, "as used", "planned", "saving", "tokens (million)", "currency")
    count = len(result.by)
    print_table(headings, rows, right=tuple(range(count, count + 4)))
    _print_levers(result)
    for sentence in _remarks(result):
        say_out(sentence)


def _cells(row: RepriceRow, by: Sequence[str]) -> tuple[str | None, ...]:
    labels = [label(name, row.dimensions.get(name)) or "(not stated)" for name in by]
    return (*labels, *_figures(row.used, row.planned, row.saving), row.currency)


def _figures(used: Cost | None, planned: Cost | None, saving: Decimal | None) -> tuple[str | None, ...]:
    tokens = planned or used
    millions = None if tokens is None else f"{tokens.tokens / 1_000_000:,.1f}"
    return _money(used and used.amount), _money(planned and planned.amount), _money(saving), millions


def _totals(result: Repriced) -> list[tuple[str | None, ...]]:
    rows = list[tuple[str | None, ...]]()
    for currency in sorted({row.currency for row in result.rows}):
        of = [row for row in result.rows if row.currency == currency]
        savings = [row.saving for row in of if row.saving is not None]
        figures = _figures(
            _sum([row.used for row in of]), _sum([row.planned for row in of]), total(savings) if savings else None
        )
        rows.append(("total", *[""] * (len(result.by) - 1), *figures, currency))
    return rows


def _sum(costs: Sequence[Cost | None]) -> Cost | None:
    known = [cost for cost in costs if cost is not None]
    if not known:
        return None
    return Cost(
        total(cost.tokens for cost in known),
        total(cost.amount for cost in known),
        total(cost.highest for cost in known),
    )


def _print_levers(result: Repriced) -> None:
    for number, (lever, tokens) in enumerate(zip(result.plan.levers, result.pulled, strict=True), start=1):
        if tokens:
            say_out(f"Lever {number} ({lever.action}) was pulled on {_tokens(tokens)}.")
        else:
            say_out(f"Lever {number} ({lever.action}) found no usage; check its filter.")


def _remarks(result: Repriced) -> list[str]:
    """What must be said beside the figures, a sentence each; that of the usage as it was only where it differs."""
    remarks = list[str]()
    for heading, findings in (
        ("Without a price", result.unpriced),
        ("Not stated by the usage", result.unstated),
        ("At the price of another token kind", result.priced_as),
        ("Price disputed", result.disputed),
    ):
        planned = {(f.provider, f.model, f.what) for f in findings if f.side == "planned"}
        for finding in findings:
            if finding.side == "planned" or (finding.provider, finding.model, finding.what) not in planned:
                remarks.append(f"{heading}: {_told(finding)}")
    remarks += [
        f"In no figure: {c.quantity:,f} {c.unit} of {c.model or 'no named model'} at {c.provider}, not being tokens."
        for c in result.others
    ]
    if result.incomplete:
        remarks.append(
            f"{_rows_of(result.incomplete)} of usage without input or output tokens: those are in no figure."
        )
    if any(row.used and row.planned and row.saving is not None for row in result.rows) and result.unpriced:
        remarks.append("The saving is that of the tokens which have a price on both sides, and of no others.")
    return remarks


def _told(finding: Finding) -> str:
    amount = _tokens(finding.tokens)
    if finding.requests:
        amount += f", {finding.requests:,.0f} requests"
    side = "" if finding.side == "planned" else " as used"
    sentence = f"{finding.provider} {finding.model or '(no model)'}{side}, {amount}: {finding.what}"
    if finding.cost is not None and finding.other_cost is not None:
        sentence += f"; {_money(finding.cost)} {finding.currency} here, {_money(finding.other_cost)} otherwise"
    return sentence + "."


def _rows_of(count: int) -> str:
    return f"{count:,} row" if count == 1 else f"{count:,} rows"


def _tokens(count: Decimal) -> str:
    return f"{count / MILLION:,.1f} million tokens" if count >= MILLION else f"{count:,.0f} tokens"


def _money(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:,.2f}"
