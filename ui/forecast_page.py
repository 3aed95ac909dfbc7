"""Forecast: what will be spent, how sure that is, and how right the same procedure was in the past."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import streamlit as st

from analysis.forecast import HORIZON, Figure, Forecast, ForecastTable, band_words
from analysis.forecast_run import Tested
from analysis.forecast_series import Refused
from analysis.result import Metric
from analysis.where import UNNAMED, Where
from reports import numbers
from ui import cards, charts, controls, exports, forecast_data, provisional, scope
from ui.cards import Told
from ui.forecast_answers import Amount, left, runway_words
from ui.forecast_figures import banded
from ui.frame import SYNTHETIC, View, page
from ui.markup import Marked, joined, plain
from ui.tables import money_column, price_column, show, show_text

LABEL: Final = Marked(":blue-badge[Forecast] (evidence T4): neither a measurement nor a saving.")
DAYS: Final = (HORIZON, 30, 60, 180)
SPLITS: Final = {"Service": "service", "Model": "model", "Provider": "provider", "Project": "account"}
METRICS: Final = {"Effective": Metric.EFFECTIVE, "Billed": Metric.BILLED}
EVERYTHING: Final = "Everything"
_METRIC_HELP: Final = "Effective cost spreads the fees of commitments over their use, which is what can be continued."
_HOW: Final = Told(
    "The forecast of each day, summed; which method a series takes is decided by past windows.", "forecast", "how"
)
_BAND: Final = Told(
    "Where 90% of the sums of past windows lay beside their forecast; of fewer than 20 their range.",
    "forecast",
    "the-band",
)
_BEFORE: Final = Told(
    "What was spent in as many days up to the newest that every provider has.", "forecast", "what-it-is-made-from"
)
_BACKTEST: Final = Told(
    "The same procedure on past windows that it knew nothing of.", "forecast", "the-backtest-beside-it"
)


def draw(view: View) -> None:
    """The page below its title."""
    with scope.row():
        where = scope.chosen(view)
        days = int(controls.choice("Days ahead", [f"{n} days" for n in DAYS], "forecast-days").split()[0])
        split = controls.choice("Split by", list(SPLITS), "forecast-by")
        metric = METRICS[
            st.selectbox("Cost", list(METRICS), key="forecast-cost", bind="query-params", help=_METRIC_HELP)
            or "Effective"
        ]
        currency = controls.currency(view.coverage)
        deeper = st.container()
    try:
        table = forecast_data.forecasts(view.workspace, view.snapshot, SPLITS[split], metric, days, where)
    except ValueError as error:
        st.info(str(error))
        return
    rows = [row for row in table.rows if row.currency == currency]
    refused = [item for item in table.refused if item.currency == currency]
    if not rows:
        st.info(f"Nothing in {currency} can be forecast. {_why(refused)}")
        return
    shown = _looked_into(rows, split, deeper)
    _cards(table, shown)
    _said(view, table, shown, where)
    _chart(view, shown)
    _backtest(table.backtest, table.horizon)
    _table(view, table, rows, split)
    _refused(refused)
    _tokens(view, metric, days, currency, where)
    _runway(view, table, rows, where)


def name_of(row: Forecast | Refused) -> str:
    """What a row is about, as text."""
    return EVERYTHING if row.whole else row.name or UNNAMED


def _words(row: Forecast) -> str:
    return EVERYTHING.lower() if row.whole else name_of(row)


def _why(refused: Sequence[Refused]) -> str:
    return next((f"{name_of(item)}: {item.reason}." for item in refused), "")


def _looked_into(rows: Sequence[Forecast], split: str, place: Any) -> Forecast:  # noqa: ANN401 - a container
    names = {name_of(row): row for row in rows}
    with place:
        picked = st.selectbox(f"Show one {split.lower()}", list(names), key="forecast-of", bind="query-params")
    return names.get(picked or "", rows[0])


def _cards(table: ForecastTable, row: Forecast) -> None:
    unit, total = row.currency, row.total
    moved = None if row.before is None else numbers.change(total.amount, row.before)
    last = table.backtest[-1] if table.backtest else None
    held, tested = "not tested", "no past window of this length after another one"
    if last is not None and last.coverage is None:
        held = f"half within {last.error:.1%}"
        tested = f"of {numbers.some(last.windows, 'past window')}, too few for a share in the band"
    elif last is not None:
        held, tested = f"{last.coverage:.0%} of {last.banded}", "past windows lay in their band; 90% were promised"
    shown = (
        (
            f"Forecast of {table.horizon} days",
            numbers.money(total.amount, unit),
            numbers.days(total.first, total.last),
            _HOW,
        ),
        (
            _band_name(total),
            f"{numbers.money(total.low, unit)} to {numbers.money(total.high, unit)}",
            "of the whole sum",
            _BAND,
        ),
        (
            "As many days before",
            numbers.money(row.before, unit),
            "days without a figure are among them"
            if moved is None
            else f"forecast {numbers.percent(moved, sign=True)}",
            _BEFORE,
        ),
        ("Backtest", held, tested, _BACKTEST),
    )
    with st.grid(2, min_column_width=260):
        for label, figure, note, told in shown:
            cards.show(label, figure, told, note)


def _band_name(figure: Figure) -> str:
    return "90% band" if figure.promised is not None else "Range of past windows"


def _said(view: View, table: ForecastTable, row: Forecast, where: Where) -> None:
    said = [
        LABEL,
        f"{table.metric.capitalize()} cost of {_words(row)} in {row.currency}, known to {numbers.day(table.last)};",
        f"{band_words(row.total)}; method: {row.method}.",
        *([f"Only {scope.in_words(where)}."] if where else []),
        *row.notes,
        *table.notes,
    ]
    start = controls.provisional_from(view.coverage, datetime.now(UTC).date())
    if start is not None and start <= table.last:
        said += [provisional.BADGE, f"It is also from days that may still be restated, from {numbers.day(start)} on."]
    st.caption(joined(said))


def _chart(view: View, row: Forecast) -> None:
    st.header(f"{name_of(row)} by week", anchor=False)
    unit = row.currency
    told = (
        f"Weekly cost of {_words(row)} and its forecast to {numbers.day(row.total.last)}: "
        f"{numbers.money(row.total.amount, unit)} in all, between {numbers.money(row.total.low, unit)} and "
        f"{numbers.money(row.total.high, unit)}."
    )
    spec = banded(row, f"Cost of a week, {unit}", told, SYNTHETIC if view.coverage.synthetic else "")
    charts.show(view, spec, told, "forecast-chart")
    st.caption("The shaded band is that of each week by itself; the bands of weeks do not add up to that of the sum.")


def _backtest(lines: Sequence[Tested], days: int) -> None:
    st.header("How right it was before", anchor=False)
    if not lines:
        st.markdown(
            f"Not tested: the data has no past window of {days} days after another one of that length. "
            "Choose fewer days, or come back with more data."
        )
        return
    st.caption(
        "The same procedure on past windows that it knew nothing of, everything of the table below together: the share "
        "in the 90% band, what half of them missed by at most, which way they leaned, and how large the errors were "
        "beside those of repeating the last week. Windows overlap, so that there are fewer independent ones."
    )
    show_text([told(line) for line in lines], alt="Backtest of the forecast")


def told(line: Tested) -> dict[str, str]:
    """One line of the backtest in plain words."""
    leaning = "too high" if line.bias > 0 else "too low"
    if line.skill is None:
        skill = "it made none"
    else:
        skill = f"{abs(line.skill):.0%} {'smaller' if line.skill >= 0 else 'larger'}"
    return {
        "Days": f"{line.days}",
        "Windows": f"{line.windows}",
        "In band": "no band" if line.coverage is None else f"{line.coverage:.0%} of {line.banded}",
        "Half within": f"{line.error:.1%}",
        "Leaning": f"{abs(line.bias):.1%} {leaning}",
        "Errors": skill,
    }


def _table(view: View, table: ForecastTable, rows: Sequence[Forecast], split: str) -> None:
    unit = rows[0].currency
    left_, right = st.columns([2, 1], vertical_alignment="bottom")
    left_.header(f"By {split.lower()}", anchor=False)
    with right, st.container(horizontal=True, horizontal_alignment="right"):
        exports.button(view, "forecast", lambda: [_flat(row, figure) for row in rows for figure in row.sums])
    records = [
        {
            split: name_of(row),
            f"Before, {unit}": row.before,
            f"Forecast, {unit}": row.total.amount,
            f"Low, {unit}": row.total.low,
            f"High, {unit}": row.total.high,
            "Method": row.method,
        }
        for row in rows
    ]
    columns = {
        f"Before, {unit}": money_column(f"The {table.horizon} days to {table.last}"),
        **{f"{name}, {unit}": money_column("Forecast (T4)") for name in ("Forecast", "Low", "High")},
    }
    show(records, columns, alt=f"Forecast by {split.lower()}", key=f"forecast-table-{split}")


def _flat(row: Forecast, figure: Figure) -> dict[str, Any]:
    return {
        "evidence": "T4 forecast",
        "name": name_of(row),
        "currency": row.currency,
        "method": row.method,
        **figure.record(),
    }


def _refused(refused: Sequence[Refused]) -> None:
    if refused:
        with st.expander(f"Not forecast ({len(refused)})", expanded=True):
            show_text([{"What": name_of(item), "Why": item.reason} for item in refused], alt="What is not forecast")


def _tokens(view: View, metric: Metric, days: int, currency: str, where: Where) -> None:
    st.header("Cost per million tokens", anchor=False)
    try:
        found = forecast_data.of_tokens(view.workspace, view.snapshot, metric, days, where)
    except ValueError as error:
        st.info(str(error))
        return
    rows = [row for row in found.rows if row.currency == currency]
    if rows:
        unit = currency
        records = [
            {
                "Model": row.model or UNNAMED,
                f"Before, {unit}": row.before,
                f"Forecast, {unit}": row.figure.amount,
                f"Low, {unit}": row.figure.low,
                f"High, {unit}": row.figure.high,
            }
            for row in rows
        ]
        columns = {name: price_column() for name in records[0] if name != "Model"}
        show(records, columns, alt="Forecast cost per million tokens", key="forecast-tokens")
        tested = found.backtest[-1] if found.backtest else None
        past = "It is not tested: too few past windows."
        if tested is not None and tested.coverage is not None:
            past = f"In the past {tested.coverage:.0%} of {tested.banded} windows lay in their band."
        st.caption(
            f"{LABEL} {metric.capitalize()} cost over tokens in the {days} days to come; {band_words(rows[0].figure)}. "
            f"{past} A price that is announced and not yet charged is not in it."
        )
    _refused([item for item in found.refused if item.currency == currency])


def _runway(view: View, table: ForecastTable, rows: Sequence[Forecast], where: Where) -> None:
    st.header("Until when an amount lasts", anchor=False)
    whole = next((row for row in rows if row.whole), None)
    if whole is None:
        st.info("The spend as a whole is not forecast, so that this cannot be told.")
        return
    latest = table.last + timedelta(days=1)
    with scope.row():
        text = st.text_input(f"Credits or budget, {whole.currency}", key="forecast-amount", placeholder="50000")
        since = st.date_input(
            "Left on the morning of", latest, min_value=whole.history[0], max_value=latest, format="YYYY-MM-DD"
        )
    if not text.strip():
        st.caption("Type what was left on that morning; what was spent since is taken off it.")
        return
    amount = Amount(text.strip().replace(",", ""), since, whole.currency)
    try:
        found = left(forecast_data.daily(view.workspace, view.snapshot, where), table, amount)
    except ValueError as error:
        st.info(str(error))
        return
    st.markdown(plain(runway_words(found)))


PAGE: Final = page("Forecast", "What will be spent, and how sure that is.", draw)
