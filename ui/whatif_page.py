"""What-if: the usage of a period, re-priced under levers that a person sets. An estimate, never a measured saving."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

import streamlit as st

from analysis.plan import AS_USED, Lever, Plan, PlanError
from analysis.repriced import Finding, Repriced, RepriceRow
from analysis.result import ZERO, quotient, total
from analysis.where import Where
from reports import figures, numbers
from ui import cards, charts, controls, exports, scope, whatif_data, whatif_levers
from ui.cards import Told
from ui.change_page import signed
from ui.controls import Span
from ui.frame import SYNTHETIC, View, page
from ui.markup import joined, plain
from ui.tables import count_column, difference_column, money_column, show, show_text
from ui.whatif_data import Offer
from ui.whatif_levers import Set

LABEL: Final = "Re-priced estimate (T1), not a measured saving"
BY: Final = ("provider", "model")
EACH_DAY: Final = "Of each day of the usage"
LAST_DAY: Final = "Of the last day of the period"
#: A year in days; and fewer days than these are not taken for one.
YEAR: Final = 365
FEWEST_DAYS: Final = 28
_CENT: Final = Decimal("0.01")
_COMPARED: Final = ("reprice", "what-is-compared")
_PRICED: Final = ("reprice", "how-it-is-priced")
_TOLD: Final = {
    "As used, re-priced": Told("Tokens times the price book's prices, as they were used.", *_PRICED),
    "Under the plan": Told("The same tokens at the prices of the plan.", *_PRICED),
    "Difference": Told("Under the plan less as used, of the tokens that have a price on both sides.", *_COMPARED),
    "Under the plan, a year": Told("These days times 365 over their number.", "reprice", "a-year"),
    "As used, a year": Told("These days times 365 over their number.", "reprice", "a-year"),
    "Not compared": Told("What the tokens cost as used that have no price under the plan.", *_COMPARED),
    "Disputed": Told("Cost at prices on which the book's sources differ.", "reprice", "what-is-not-certain-of-a-price"),
}


@dataclass(frozen=True, slots=True)
class Compared:
    """One currency of a result: tokens that have a price on both sides, and nothing else.

    Attributes:
        used, planned: their cost as it was used and under the plan.
        difference: `planned` less `used`; below zero where the plan costs less.
        at_highest: the same with usage of unknown context or region at its dearest price on both sides.
        left_used: cost as it was used of tokens that have no price under the plan.
        left_planned: cost under the plan of tokens that have no price as they were used.
    """

    used: Decimal
    planned: Decimal
    at_highest: Decimal
    left_used: Decimal
    left_planned: Decimal

    @property
    def difference(self) -> Decimal:
        """What the plan costs more than the usage as it was."""
        return less(self.planned, self.used)


def less(amount: Decimal, other: Decimal) -> Decimal:
    """`amount` less `other`, exact."""
    return total((amount, other.copy_negate()))


def compared(rows: Sequence[RepriceRow]) -> Compared:
    """The sum of rows of one currency."""
    used = total(row.both_used.amount for row in rows if row.both_used)
    planned = total(row.both_planned.amount for row in rows if row.both_planned)
    highest = total(row.saving_at_highest for row in rows if row.saving_at_highest is not None)
    all_used = total(row.used.amount for row in rows if row.used)
    all_planned = total(row.planned.amount for row in rows if row.planned)
    return Compared(used, planned, highest.copy_negate() + ZERO, less(all_used, used), less(all_planned, planned))


def yearly(amount: Decimal, days: int) -> Decimal | None:
    """An amount of so many days as that of 365; None where these are too few to stand for a year."""
    return None if days < FEWEST_DAYS else quotient(amount * YEAR, Decimal(days))


def draw(view: View) -> None:
    """The page below its title."""
    st.caption(f":orange-badge[{LABEL}] The same tokens at other prices; how good the answers are is not in it.")
    with scope.row():
        span = controls.span(view.coverage)
        where = scope.chosen(view)
        newest = controls.choice("Prices", (EACH_DAY, LAST_DAY), "prices") == LAST_DAY
    prices_at = datetime.combine(span.last, time.min, UTC) if newest else None
    base = _ask(view, (replace(AS_USED, prices_at=prices_at),), span, where)[0]
    if not base.tokens:
        st.info(
            f"No token usage is loaded from {span}. Load usage of a provider's API or a usage file, or choose other "
            "days: spendproof import usage.csv"
        )
        return
    models = _used(base)
    levers = whatif_levers.levers(view, models)
    if levers is None:
        return
    plans = tuple(
        Plan("what-if", prices_at=prices_at, levers=tuple(s.lever for s in levers[:n]))
        for n in range(1, len(levers) + 1)
    )
    try:
        results = (base, *_ask(view, plans, span, where)) if plans else (base,)
    except PlanError as error:
        for sentence in error.sentences:
            st.info(sentence)
        return
    currency = _currency(results[-1])
    if currency is None:
        st.info("None of this usage has a price; what is missing stands below.")
    else:
        _result(view, span, levers, results, currency)
    _beside(results[-1])
    _book(view, results[-1])


def _ask(view: View, plans: tuple[Plan, ...], span: Span, where: Where) -> tuple[Repriced, ...]:
    return whatif_data.repriced(view.workspace, view.snapshot, plans, BY, span.first, span.end, where)


def _used(base: Repriced) -> list[Offer]:
    """The models that were used, the largest cost first, those without a price last."""
    priced = [
        Offer(str(r.dimensions["provider"]), str(r.dimensions["model"])) for r in base.rows if r.dimensions["model"]
    ]
    others = [Offer(f.provider, f.model) for f in base.unpriced if f.model]
    return list(dict.fromkeys((*priced, *others)))


def _currency(result: Repriced) -> str | None:
    """The one currency that the page shows; asked for only where prices are in several."""
    codes = sorted({row.currency for row in result.rows})
    return codes[0] if len(codes) == 1 else controls.choice("Currency", codes, "price-currency") if codes else None


def _result(view: View, span: Span, levers: Sequence[Set], results: Sequence[Repriced], currency: str) -> None:
    result = results[-1]
    planned = bool(levers) or result.plan.prices_at is not None
    rows = [row for row in result.rows if row.currency == currency]
    sums = compared(rows)
    st.header("The period under the plan" if planned else "The period as it was used", anchor=False)
    _cards(result, sums, currency, planned=planned)
    _notes(result, sums, currency, levers)
    if planned:
        _chart(view, levers, results, currency)
    _table(view, span, rows, result, currency)


def _days(result: Repriced) -> int:
    if result.first is None or result.last is None:
        return 0
    return (result.last - result.first).days + 1


def _cards(result: Repriced, sums: Compared, currency: str, *, planned: bool) -> None:
    days = _days(result)
    year = yearly(sums.planned, days), yearly(sums.difference, days)
    too_few = f"fewer than {FEWEST_DAYS} days are no year"
    shown: list[tuple[str, str | None, str]] = [
        ("As used, re-priced", numbers.money(sums.used, currency), f"{days} days of usage")
    ]
    if planned:
        moved = numbers.change(sums.planned, sums.used)
        highest = f"{signed(sums.at_highest, currency)} at the dearest prices"
        same = "the same at the dearest prices"
        shown += [
            ("Under the plan", numbers.money(sums.planned, currency), numbers.percent(moved, sign=True)),
            ("Difference", signed(sums.difference, currency), same if sums.at_highest == sums.difference else highest),
        ]
    each_year = None if year[0] is None else numbers.money(year[0], currency)
    note = f"{signed(year[1], currency)} a year" if planned and year[1] is not None else f"times {YEAR} / {days}"
    shown += [
        ("Under the plan, a year" if planned else "As used, a year", each_year, too_few if each_year is None else note),
        ("Not compared", numbers.money(sums.left_used, currency), "as used, without a price under the plan"),
        ("Disputed", numbers.money(_disputed(result, currency), currency), "sources differ by more than 1%"),
    ]
    with st.grid(3, min_column_width=220):
        for label, figure, note in shown if planned else [*shown[:2], shown[-1]]:
            cards.show(label, figure, _TOLD[label], note)


def _disputed(result: Repriced, currency: str) -> Decimal:
    """Cost under the plan at prices on which the sources of the book differ."""
    found = [f.cost for f in result.disputed if f.side == "planned" and f.currency == currency]
    return total(cost for cost in found if cost is not None)


def _notes(result: Repriced, sums: Compared, currency: str, levers: Sequence[Set]) -> None:
    span = Span(result.first, result.last) if result.first and result.last else None
    said = [f"{LABEL}. Usage from {span}, amounts in {currency}, {_prices(result)}."]
    said.append(f"A year is these days times {YEAR} / {_days(result)}, as if all of it went on like them.")
    if levers or result.plan.prices_at is not None:
        said.append("Only tokens with a price on both sides are compared, and only they are in the year.")
    if sums.left_planned:
        said.append(f"{numbers.money(sums.left_planned, currency)} under the plan had no price as it was used.")
    st.caption(joined(said))
    if not levers:
        st.info("No lever is set yet: choose a model to route to, or move a slider.")
    for found, tokens in zip(levers, result.pulled, strict=True):
        if not tokens:
            st.info(f"The lever {found.name} found no usage to be pulled on.")


def _prices(result: Repriced) -> str:
    if result.plan.prices_at is None:
        return "at the price book's prices of each day"
    return (
        f"the plan at the price book's prices of {numbers.day(result.plan.prices_at.date())}, the use at its own days'"
    )


def _chart(view: View, levers: Sequence[Set], results: Sequence[Repriced], currency: str) -> None:
    """What each lever adds, where all plans on the way compare the same tokens."""
    sums = [compared([row for row in result.rows if row.currency == currency]) for result in results]
    st.header("What each lever does", anchor=False)
    if len({one.used for one in sums}) > 1:
        st.caption("Not told by lever: some tokens have a price under one lever and none under another.")
        return
    wholes = [one.quantize(_CENT) for one in (sums[0].used, *(each.planned for each in sums))]
    names = [("Prices of the last day", "The usage as it was, at the prices of the last day")]
    names += [(found.name, _told(found.lever)) for found in levers]
    lines = [
        figures.Step("As used", wholes[0], numbers.money(wholes[0], currency), whole=True),
        *(
            figures.Step(name, after - before, signed(after - before, currency), meaning=meaning)
            for (name, meaning), (before, after) in zip(names, pairwise(wholes), strict=True)
            if after != before or name != names[0][0]
        ),
        figures.Step("Under the plan", wholes[-1], numbers.money(wholes[-1], currency), whole=True),
    ]
    told = figures.bridge_words(f"{LABEL}: what each lever does", lines)
    note = f"{LABEL}. {SYNTHETIC}" if view.coverage.synthetic else LABEL
    spec = figures.bridge(lines, f"Re-priced cost, {currency}", told, note)
    charts.show(view, spec, told, "what-if-chart")


def _told(lever: Lever) -> str:
    of = " at ".join((*lever.where.get("model", ()), *lever.where.get("provider", ()))) or "all models"
    share = numbers.percent(lever.share)
    if lever.to is not None:
        return f"{share} of the requests of {of} to {lever.to.model} at {lever.to.provider}"
    if lever.action == "cache":
        return f"{share} of the uncached input of {of} read from a cache, {numbers.percent(lever.writes)} written to it"
    return f"{share} of the requests of {of} through the {lever.tier} tier"


def _table(view: View, span: Span, rows: Sequence[RepriceRow], result: Repriced, currency: str) -> None:
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    left.header("By model that would answer", anchor=False)
    with right, st.container(horizontal=True, horizontal_alignment="right"):
        exports.button(view, "what-if", lambda: [_flat(row, result) for row in rows], span)
    columns: dict[str, Any] = {
        "Tokens": count_column("Tokens with a price under the plan"),
        f"As used, {currency}": money_column("Cost as used of the tokens that end here and have a price on both sides"),
        f"Under the plan, {currency}": money_column("Cost under the plan of exactly these tokens"),
        f"Difference, {currency}": difference_column(LABEL),
    }
    show([_record(row, currency) for row in rows], columns, alt=f"Re-priced cost by model, {span}", key="what-if-table")


def _record(row: RepriceRow, currency: str) -> dict[str, Any]:
    return {
        "Model": f"{row.dimensions['model'] or '(not stated)'} at {row.dimensions['provider']}",
        "Tokens": None if row.planned is None else row.planned.tokens.quantize(Decimal(1)),
        f"As used, {currency}": None if row.both_used is None else row.both_used.amount,
        f"Under the plan, {currency}": None if row.both_planned is None else row.both_planned.amount,
        f"Difference, {currency}": None if row.saving is None else row.saving.copy_negate() + ZERO,
    }


def _flat(row: RepriceRow, result: Repriced) -> dict[str, Any]:
    """A row as an export carries it; the difference is planned less used, as on the page."""
    record = row.record()
    difference, highest = record.pop("saving"), record.pop("saving_at_highest")
    about = {"what": LABEL, "book_digest": result.book_digest}
    plan = "; ".join(_told(lever) for lever in result.plan.levers) or "as used"
    return (
        about
        | {"plan": plan}
        | record
        | {"difference": _negated(difference), "difference_at_highest": _negated(highest)}
    )


def _negated(amount: str | None) -> str | None:
    if amount is None or amount == "0":
        return amount
    return amount[1:] if amount.startswith("-") else f"-{amount}"


def _beside(result: Repriced) -> None:
    """What no comparison can hold, or holds with a doubt."""
    st.header("Beside the comparison", anchor=False)
    unpriced = [_line(f, "Why there is none") for f in result.unpriced]
    disputed = [_line(f, "Other source") | _amounts(f, "by the other source") for f in result.disputed]
    unstated = [_line(f, "Not stated") | _amounts(f, "at the dearest") for f in result.unstated]
    other = [_line(f, "Price of") for f in result.priced_as]
    if not (unpriced or disputed or unstated or other or result.others or result.incomplete):
        st.caption("Every token has a price on both sides, and no two sources differ on any of them.")
    for title, lines, opened in (
        ("Tokens without a price", unpriced, True),
        ("Prices on which sources differ by more than 1%", disputed, True),
        ("Usage that does not state what its price depends on", unstated, False),
        ("Tokens at the price of another kind", other, False),
    ):
        if lines:
            with st.expander(f"{title} ({len(lines)})", expanded=opened):
                show_text(lines, alt=title)
    said = [
        f"In no figure: {c.quantity:,f} {c.unit} of {c.model or 'no named model'} at {c.provider}, not being tokens."
        for c in result.others
    ]
    if result.incomplete:
        said.append(f"In no figure: {numbers.some(result.incomplete, 'row')} of usage without input or output tokens.")
    if said:
        st.caption(joined(said))


def _line(finding: Finding, heading: str) -> dict[str, str | None]:
    return {
        "Model": f"{finding.model or '(not stated)'} at {finding.provider}",
        "Side": "Under the plan" if finding.side == "planned" else "As used",
        "Tokens": numbers.tokens(finding.tokens),
        heading: finding.what,
    }


def _amounts(finding: Finding, other: str) -> dict[str, str | None]:
    unit = finding.currency or ""
    return {"Cost here": numbers.money(finding.cost, unit), f"Cost {other}": numbers.money(finding.other_cost, unit)}


def _book(view: View, result: Repriced) -> None:
    known = whatif_data.offers(view.workspace, view.snapshot)
    as_of = "no prices" if known.known_to is None else f"prices as known on {numbers.day(known.known_to.date())}"
    st.caption(f"Price book `{result.book_digest[:12]}`, {as_of}. In full: `spendproof prices show`.")
    for gap in known.gaps:
        st.caption(plain(gap))


PAGE: Final = page("What-if", "What the same usage would have cost, used in another way.", draw)
