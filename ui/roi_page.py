"""ROI: what a saving would be worth to a prospect after everything it costs; a calculator for a meeting."""

from __future__ import annotations

import logging
import secrets
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Final

import streamlit as st

from analysis.finance import months_after
from analysis.plan import AS_USED, Plan, PlanError
from analysis.roi import LABEL, Range
from billing.compare import cliffs, offered
from connectors.errors import ConnectorError
from ledger.errors import LedgerError
from reports import numbers
from reports import roi_figures as pictures
from reports.roi import Estimate, assumptions, headline, pdf, sentences, whole
from reports.roi_case import Spend, repriced_saving
from reports.scenario import RANGE, SHARES, TOKENS
from ui import cards, carry, data, roi_figures, roi_inputs, roi_saved, whatif_data, whatif_levers
from ui.cards import Told
from ui.frame import SYNTHETIC, View
from ui.markup import plain
from ui.roi_inputs import LEDGER, Chosen
from ui.tables import show_text
from ui.whatif_data import Offer

_log: Final = logging.getLogger(__name__)
TITLE: Final = "ROI"
_FIGURES: Final = ("roi", "the-figures")
_TOLD: Final = {
    "Net saving": Told("Saving less fee, running cost and implementation.", *_FIGURES),
    "ROI": Told("Net saving over all that it costs.", *_FIGURES),
    "NPV": Told("Every month's net, discounted to the first day.", *_FIGURES),
    "Payback": Told("Days until what was saved covers what was paid, for good; not discounted.", *_FIGURES),
}


def page() -> None:
    """The page as `st.Page` takes it; it needs no ledger, since a prospect has none."""
    carry.arrive(TITLE)
    st.title(TITLE, anchor=False)
    st.caption("What would it be worth, after everything it costs?")
    st.caption(f":orange-badge[{LABEL}] Low, expected and high; every assumption with its source at the end.")
    _guarded()
    carry.keep()


@st.fragment
def _guarded() -> None:
    try:
        roi_saved.arrive()
        _draw()
    except (LedgerError, ConnectorError, ValueError) as error:
        st.info(plain(str(error)))
    except Exception as error:
        if type(error).__module__.startswith("streamlit.runtime.scriptrunner"):
            raise
        reference = secrets.token_hex(4)
        # The kind alone: a message could carry a prospect's figures into the log.
        _log.error("the ROI page failed, %s, reference %s", type(error).__name__, reference)
        st.error(
            f"This page could not be made. Reload it; if it happens again, look for {reference} in the server's log."
        )


def _draw() -> None:
    head = st.container()
    left, right = st.columns([5, 7], gap="large")
    with left:
        chosen, repriced = _chosen()
    if chosen is None:
        return
    estimate = chosen.estimate()
    with head:
        _said(estimate)
        _cards(estimate)
    with right:
        _charts(estimate)
    _table(estimate)
    _levers(estimate)
    _plans(estimate)
    _rests_on(estimate)
    _download(estimate)
    roi_saved.offer(chosen.spend, repriced, lambda: pdf(estimate, datetime.now(UTC)))


def _chosen() -> tuple[Chosen | None, Range | None]:
    """What was set, and the saving where it was re-priced."""
    spent = roi_inputs.spend(roi_inputs.workspace())
    if spent is None:
        return None, None
    ways = [SHARES, RANGE]
    tokens = st.session_state.get("roi-source") == LEDGER or roi_saved.saving() is not None
    way = st.segmented_control(
        "Saving from", [*ways, TOKENS] if tokens else ways, default=SHARES, key="roi-way", required=True
    )
    shares, saving, lacks = None, None, tuple[str, ...]()
    if way == SHARES:
        shares = roi_inputs.shares()
    elif way == RANGE:
        saving = roi_inputs.own_range()
    elif st.session_state.get("roi-source") == LEDGER:
        saving, lacks = _of_tokens(spent)
    else:
        saving = roi_saved.saving()
    terms = roi_inputs.terms(spent.horizons)
    if shares is None and saving is None:
        return None, None
    spent = replace(spent, notes=(*spent.notes, *lacks))
    return Chosen(spent, shares, saving, terms), saving if way == TOKENS else None


def _of_tokens(spent: Spend) -> tuple[Range | None, tuple[str, ...]]:
    """The ledger's own tokens, re-priced under levers: the most exact of the three ways."""
    workspace = roi_inputs.workspace()
    snapshot = data.newest_snapshot(workspace)
    view = View(workspace, snapshot, data.coverage(workspace, snapshot))
    days = spent.months[0], months_after(spent.months[-1], 1)
    (base,) = whatif_data.repriced(workspace, snapshot, (AS_USED,), ("provider", "model"), *days)
    models = [
        Offer(str(row.dimensions["provider"]), str(row.dimensions["model"]))
        for row in base.rows
        if row.dimensions["model"]
    ]
    if not models:
        st.info("No token usage with a price is loaded for these months; take the levers, or load usage.")
        return None, ()
    levers = whatif_levers.levers(view, list(dict.fromkeys(models)))
    if not levers:
        st.info("Set a lever to re-price the tokens.")
        return None, ()
    plan = Plan("roi", levers=tuple(found.lever for found in levers))
    try:
        (result,) = whatif_data.repriced(workspace, snapshot, (plan,), ("month",), *days)
    except PlanError as error:
        for sentence in error.sentences:
            st.info(sentence)
        return None, ()
    return repriced_saving(result, spent)


def _said(estimate: Estimate) -> None:
    if estimate.sample:
        st.warning(f"**{SYNTHETIC}.** The company and every figure are made up.")
    if not estimate.roi.case.claimed.high:
        st.info("Set a lever: without a saving there is only the fee.")
        return
    for said in sentences(estimate):
        if said.text is not None:
            st.markdown(f"#### {plain(said.text)}")
        else:
            st.caption(f"Not said: {plain(said.missing)}")


def _cards(estimate: Estimate) -> None:
    code = estimate.roi.case.currency
    low, expected, high = estimate.outcomes
    days = numbers.NONE if expected.breakeven is None else numbers.some(expected.breakeven, "day")
    shown = [
        (
            f"Net saving, {estimate.horizon} months",
            whole(expected.net, code),
            _span(whole(low.net, code), whole(high.net, code)),
        ),
        ("ROI", numbers.percent(expected.roi), _span(numbers.percent(low.roi), numbers.percent(high.roi))),
        ("NPV", whole(expected.npv, code), _span(whole(low.npv, code), whole(high.npv, code))),
        ("Payback", days, _span(_day(high.payback), _day(low.payback))),
    ]
    with st.grid(4, min_column_width=170):
        for label, figure, beside in shown:
            cards.show(label, figure, _TOLD[label.split(",")[0]], beside)


def _span(low: str, high: str) -> str:
    return low if low == high else f"{low} to {high}"


def _day(day: date | None) -> str:
    return "not in this time" if day is None else numbers.day(day)


def _charts(estimate: Estimate) -> None:
    st.caption("A month in full effect, expected case")
    spec, told = pictures.bridge(estimate)
    st.vega_lite_chart(spec=spec, width="stretch", alt=told, key="roi-bridge")
    st.caption("What has come in, less what has gone out")
    spec, told = pictures.cash_flow(estimate)
    st.vega_lite_chart(spec=spec, width="stretch", alt=told, key="roi-cash")


def _table(estimate: Estimate) -> None:
    st.header(f"Over {estimate.horizon} months", anchor=False)
    rows = [
        {"": row["name"], "Low": row["low"], "Expected": row["expected"], "High": row["high"]}
        for row in headline(estimate)
    ]
    show_text(rows, alt=f"Low, expected and high over {estimate.horizon} months")


def _levers(estimate: Estimate) -> None:
    if not estimate.levers:
        return
    st.header("What each lever does", anchor=False)
    rows = [
        {"Lever": p.name, "In this order": numbers.percent(p.in_order), "In any order": numbers.percent(p.any_order)}
        for p in estimate.levers
    ]
    show_text(rows, alt="What each lever saves of the spend, expected")
    st.caption("Share of the spend, expected: after the levers before it, and as the mean over all orders.")


def _plans(estimate: Estimate) -> None:
    st.header("Plans side by side", anchor=False)
    rows, alone = roi_figures.side_by_side(estimate.roi.case, offered(datetime.now(UTC).date()))
    show_text(rows, alt="What each plan costs and leaves in a month in full effect")
    for sentence in cliffs(alone):
        st.warning(plain(sentence))
    st.caption("A fee without a verified saving is a loss; a share of verified savings then costs nothing.")


def _rests_on(estimate: Estimate) -> None:
    with st.expander("What it rests on", expanded=False):
        show_text(
            [{"Assumption": a.name, "Value": a.value, "Source": a.source} for a in assumptions(estimate)],
            alt="Every assumption with its source",
        )
        for note in estimate.notes:
            st.caption(plain(note))


def _download(estimate: Estimate) -> None:
    st.download_button(
        "Download one page (PDF)",
        lambda: pdf(estimate, datetime.now(UTC)),
        f"{'synthetic-sample-' if estimate.sample else ''}roi-estimate.pdf",
        "application/pdf",
        key="roi-pdf",
        on_click="ignore",
    )


PAGE: Final = page
