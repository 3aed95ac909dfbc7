"""Forecasts as the command line prints them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from analysis.result import ZERO, Metric, total
from ledger.errors import UnsupportedQueryError
from ui.console import print_json, print_table, say_out

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analysis.forecast import Figure, Forecast, ForecastTable
    from analysis.forecast_run import Tested
    from analysis.forecast_series import Refused
    from analysis.runway import Runway
    from ledger.lake import Lake

_METRICS = (Metric.EFFECTIVE, Metric.BILLED)


@dataclass(frozen=True, slots=True)
class Amount:
    """Credits or a budget as a person typed them; `since` is the day on whose morning they were left."""

    text: str
    since: date | None
    currency: str | None


def print_forecast(lake: Lake, by: str | None, days: int, metric: str, amount: Amount | None, *, as_json: bool) -> None:
    """What will be spent and, with an amount, until when that lasts.

    Raises:
        UnsupportedQueryError: there is no such metric.
        ValueError: as `analysis.forecast.forecast` and `left`.
    """
    from analysis.forecast import forecast  # noqa: PLC0415 - loads the statistics

    table = forecast(lake.table("daily_spend"), by=by, metric=_metric(metric), horizon=days)
    lasting = None if amount is None else left(lake.table("daily_spend"), table, amount)
    if as_json:
        print_json({**table.record(), "runway": None if lasting is None else lasting.record()})
        return
    names = [row.name or "(not stated)" if not row.whole else "everything" for row in table.rows]
    rows = [
        (
            name,
            _money(row.before),
            _money(row.total.amount),
            _money(row.total.low),
            _money(row.total.high),
            row.currency,
        )
        for name, row in zip(names, table.rows, strict=True)
    ]
    first = table.rows[0].total
    say_out(
        f"Forecast of {table.metric} cost from {first.first} to {first.last}, {table.horizon} days. No measurement."
    )
    print_table(
        (by or "", f"{table.horizon} days before", "forecast", "low", "high", "currency"), rows, right=range(1, 5)
    )
    _say_band(first)
    _print_backtest(table.backtest, table.horizon)
    _say_notes(table)
    if lasting is not None:
        say_out(runway_words(lasting))


def print_tokens(lake: Lake, days: int, metric: str, *, as_json: bool) -> None:
    """What a million tokens of each model will cost."""
    from analysis.forecast_unit import unit_forecast  # noqa: PLC0415 - loads the statistics

    found = unit_forecast(lake.table("daily_token_costs"), metric=_metric(metric), horizon=days)
    if as_json:
        print_json(found.record())
        return
    rows = [
        (
            row.model or "(not stated)",
            row.before,
            row.figure.amount,
            row.figure.low,
            row.figure.high,
            row.currency,
        )
        for row in found.rows
    ]
    say_out(f"Forecast {found.metric} cost per million tokens over {days} days after {found.last}. No measurement.")
    print_table(("model", f"{days} days before", "forecast", "low", "high", "currency"), rows, right=range(1, 5))
    if found.rows:
        _say_band(found.rows[0].figure)
    _print_backtest(found.backtest, days)
    _say_refused(found.refused)


def left(daily: ir.Table, table: ForecastTable, amount: Amount) -> Runway:
    """Until when an amount lasts, after what was spent of it up to the last known day.

    Args:
        daily: the rollup `daily_spend` that the forecast is made from.
        table: the forecast.
        amount: what was left of what, and when.

    Raises:
        ValueError: the amount is no number, its currency is not clear, its day lies after the last known one, or
            nothing is left.
    """
    from analysis.runway import runway  # noqa: PLC0415
    from analysis.spend import spend_table  # noqa: PLC0415

    try:
        given = Decimal(amount.text)
    except InvalidOperation as error:
        raise ValueError(f"{amount.text!r} is no amount; write it like 50000 or 50000.50.") from error
    if not given.is_finite():
        raise ValueError(f"{amount.text!r} is no amount; write it like 50000 or 50000.50.")
    row = whole_of(table, amount.currency)
    since = amount.since or table.last + timedelta(days=1)
    if since > table.last + timedelta(days=1):
        raise ValueError(f"The ledger is known up to {table.last}; give the amount of a day up to the one after it.")
    if since < row.history[0]:
        raise ValueError(f"The ledger begins on {row.history[0]}; give the amount of a day from then on.")
    spent = ZERO
    if since <= table.last:
        end = table.last + timedelta(days=1)
        rows = spend_table(daily, (), start=since, end=end, metric=table.metric).rows
        spent = total(found.cost(table.metric) or ZERO for found in rows if found.currency == row.currency)
    return runway(row, given - spent)


def whole_of(table: ForecastTable, currency: str | None) -> Forecast:
    """The forecast of everything in a currency.

    Raises:
        ValueError: there is none in it, or no currency is named and there are several.
    """
    wholes = {row.currency: row for row in table.rows if row.whole}
    if currency is None and len(wholes) == 1:
        return next(iter(wholes.values()))
    if currency is None and wholes:
        raise ValueError(f"There is spend in {', '.join(wholes)}; say whose amount it is with --currency.")
    found = wholes.get(currency or "")
    if found is None:
        why = next((r.reason for r in table.refused if r.whole and r.currency == (currency or r.currency)), None)
        raise ValueError(f"The spend in {currency or 'any currency'} is not forecast: {why or 'there is none'}.")
    return found


def runway_words(found: Runway) -> str:
    """Until when an amount lasts, in one sentence."""
    amount = f"{_money(found.amount)} {found.currency}"
    beyond = f"after {found.until}, the last day that was forecast"
    if found.expected is None and found.earliest is None:
        return f"Forecast: {amount} is used up {beyond}."
    expected = f"is used up on {found.expected}" if found.expected else f"is used up {beyond}"
    if not found.banded:
        return f"Forecast: {amount} {expected}; no past window tells how sure that is."
    latest = f"and {found.latest}" if found.latest else f"and some day {beyond}"
    sure = f"{found.promised:.0%} band" if found.promised is not None else "range of too few past windows"
    return f"Forecast: {amount} {expected}: between {found.earliest} {latest} ({sure})."


def _print_backtest(lines: Sequence[Tested], days: int) -> None:
    if not lines:
        say_out(f"No backtest: the data has no past window of {days} days after another one.")
        return
    say_out("Backtest of this procedure, on past windows that it knew nothing of:")
    rows = [
        (
            line.days,
            line.windows,
            "no band" if line.coverage is None else f"{line.coverage:.0%} of {line.banded}",
            f"{line.error:.1%}",
            f"{line.bias:+.1%}",
            None if line.skill is None else f"{line.skill:+.0%}",
        )
        for line in lines
    ]
    headings = ("days", "windows", "within the band", "median error", "median bias", "better than repeating last week")
    print_table(headings, rows, right=range(6))


def _say_band(figure: Figure) -> None:
    from analysis.forecast import band_words  # noqa: PLC0415

    say_out(f"Low and high: {band_words(figure)}.")


def _say_notes(table: ForecastTable) -> None:
    for note in table.notes:
        say_out(f"Note: {note}")
    for row in table.rows:
        for note in row.notes:
            say_out(f"{'everything' if row.whole else row.name or '(not stated)'} in {row.currency}: {note}")
    _say_refused(table.refused)


def _say_refused(refused: Sequence[Refused]) -> None:
    for item in refused:
        name = "everything" if item.whole else item.name or "(not stated)"
        say_out(f"Not forecast: {name} in {item.currency}: {item.reason}")


def _metric(name: str) -> Metric:
    for metric in _METRICS:
        if metric == name:
            return metric
    raise UnsupportedQueryError(f"There is no metric {name!r} of a forecast; there are {', '.join(_METRICS)}.")


def _money(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:,.2f}"
