"""What a salesperson sets on the ROI page. Nothing of it stands in the address: a prospect's figures are theirs."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import streamlit as st

from analysis.result import ZERO
from analysis.roi import HORIZONS, Range
from analysis.roi_levers import LEVERS
from billing import catalog
from billing.compare import offered
from reports import roi_case, scenario
from reports.roi_case import Spend, Terms
from ui import data, roi_saved, running

if TYPE_CHECKING:
    from reports.roi import Estimate

CURRENCY: Final = "USD"
TYPED: Final = "Your numbers"
BILL: Final = "A bill"
LEDGER: Final = "The ledger"
SAVED: Final = "The link"
_HUNDRED: Final = Decimal(100)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What was set: a spend, a saving (a range, or levers and their shares), and the terms."""

    spend: Spend
    shares: Mapping[str, Decimal] | None
    saving: Range | None
    terms: Terms

    def estimate(self) -> Estimate:
        """The estimate of it.

        Raises:
            ValueError: as `reports.roi_case`.
        """
        if self.saving is not None:
            return roi_case.of_saving(self.spend, self.saving, self.terms)
        return roi_case.of_levers(self.spend, self.shares or {}, self.terms)


def spend(workspace: str) -> Spend | None:
    """The AI spend of a month; None while there is none, having said what to give.

    Raises:
        ValueError: the bill or the ledger carries none.
        ConnectorError: the bill cannot be read.
    """
    sources = [TYPED, BILL]
    if data.exists(workspace) and data.coverage(workspace, data.newest_snapshot(workspace)).currencies:
        sources.append(LEDGER)
    if roi_saved.KEPT in st.session_state:
        sources.insert(0, SAVED)
    elif LEDGER in sources:
        sources = [LEDGER, TYPED, BILL]
    chosen = st.segmented_control("AI spend from", sources, default=sources[0], key="roi-source", required=True)
    if chosen == SAVED:
        return roi_saved.spend()
    if chosen == BILL:
        return _of_bill()
    if chosen == LEDGER:
        return _of_ledger(workspace, data.newest_snapshot(workspace))
    left, right = st.columns(2)
    low = _amount(left, "AI spend a month", "roi-spend", step=1000.0)
    high = _amount(right, "up to (optional)", "roi-spend-high", step=1000.0)
    if low is None:
        st.info("Type the prospect's AI spend of a month, or drop their bill.")
        return None
    return roi_case.typed_spend(low, high, CURRENCY)


def _of_bill() -> Spend | None:
    files = st.file_uploader(
        "Bill files", accept_multiple_files=True, key="roi-bill", help="Any format that spendproof import reads."
    )
    st.caption("Read into a ledger that is thrown away at once. Nothing of it is kept.")
    if not files:
        return None
    ids = tuple(file.file_id for file in files)
    known = st.session_state.get("roi-bill-spend")
    if known is None or known[0] != ids:
        with st.spinner("Reading the bill"), tempfile.TemporaryDirectory(prefix="spendproof-roi-") as folder:
            paths = [Path(folder) / Path(file.name).name for file in files]
            for path, file in zip(paths, files, strict=True):
                path.write_bytes(file.getvalue())
            known = ids, roi_case.spend_of_files([str(path) for path in paths], None)
        st.session_state["roi-bill-spend"] = known
    return known[1]


@st.cache_data(max_entries=20, show_spinner=False)
def _of_ledger(workspace: str, snapshot: int) -> Spend:  # noqa: ARG001 - a new load is a new snapshot
    return roi_case.spend_of_lake(data.lake_of(workspace))


def shares() -> dict[str, Decimal]:
    """A share of the spend for each lever, as the sliders stand."""
    found = dict[str, Decimal]()
    for lever in LEVERS:
        low, high = (int(part * _HUNDRED) for part in (lever.saves.low, lever.saves.high))
        value = st.slider(
            f"{lever.what}: saves {low} to {high}% of it",
            0,
            100,
            0,
            format="%d%%",
            key=f"roi-{lever.id}",
            help=f"Source: {lever.saves.source}. {lever.risk}",
        )
        found[lever.id] = Decimal(int(value)) / _HUNDRED
    st.caption("Pulled in this order, each on what the ones before have left; what they save is never added up.")
    return found


def own_range() -> Range | None:
    """A saving of a month from low to high, as it was typed; None while one of them is missing."""
    left, right = st.columns(2)
    low = _amount(left, "Saving a month, low", "roi-low", step=100.0)
    high = _amount(right, "high", "roi-high", step=100.0)
    if low is None or high is None:
        st.info("A saving never stands without its range: type both.")
        return None
    return roi_case.between(low, high, "your own range; expected is the middle")


def terms(horizons: tuple[int, ...]) -> Terms:
    """Plan, cost, ramp, rate and horizon."""
    today = datetime.now(UTC).date()
    plans = {p.title: p for p in offered(today)}
    left, right = st.columns(2)
    title = left.selectbox("Plan", list(plans), index=list(plans).index("Early"), key="roi-plan")
    with right:
        months = st.segmented_control(
            "Horizon, months", horizons, default=horizons[0], key="roi-horizon", required=True
        )
    halved = st.toggle("Halve our claim", key="roi-halve", help="Counts half of every gain; a loss stays whole.")
    with st.expander("Cost, ramp and discount rate"):
        low = _amount(st, "Implementation, once", "roi-cost", step=1000.0)
        high = _amount(st, "Implementation, at most (optional)", "roi-cost-high", step=1000.0)
        run = _amount(st, "Running cost a month beside the fee", "roi-running", step=100.0)
        ramp = st.slider("Months until it is in full effect", 0, HORIZONS[0], 3, key="roi-ramp")
        rate = st.slider("Discount rate a year", 0, 30, 10, format="%d%%", key="roi-rate")
        start = st.date_input("Start", today, format="YYYY-MM-DD", key="roi-start")
    least = low or ZERO
    return Terms(
        plan=catalog.plan(plans[title].id, today),
        implementation=roi_case.between(least, high or least, "yours to set"),
        running=run or ZERO,
        ramp=int(ramp),
        rate=Decimal(int(rate)) / _HUNDRED,
        start=start,
        horizon=int(months or horizons[0]),
        halved=bool(halved),
    )


def _amount(where: Any, label: str, key: str, *, step: float) -> Decimal | None:  # noqa: ANN401 - Streamlit's container
    """An amount as it was typed, to the cent; None where nothing is."""
    value = where.number_input(
        f"{label}, {CURRENCY}", min_value=0.0, max_value=1e12, value=None, step=step, format="%0.2f", key=key
    )
    return scenario.amount(value)


def workspace() -> str:
    """The workspace that is shown."""
    return running.current().workspace
