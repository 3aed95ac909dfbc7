"""From the date of a change to a signed proof: what was changed, when, against which driver."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import streamlit as st

from analysis.drivers import REQUESTS
from analysis.scope import Filter, Scope, of
from billing.catalog import Plan
from ledger.errors import LedgerError
from reports.charging import chargeable, fee_of
from reports.guarding import Evaluations, rails, read_evaluations
from reports.invoices import read_invoices
from reports.measuring import Given
from reports.optimization import OptimizationProof
from reports.question import KINDS, intervention_of
from reports.records import BaselineRecord, InterventionRecord, new_id
from ui import data
from ui.frame import View

#: Of the interval, two-sided.
CONFIDENCE: Final = Decimal("0.90")
_NEW: Final = "A change that is not registered yet"
_NO_BASELINE: Final = "The days before the change (retrospective)"


@dataclass(frozen=True, slots=True)
class Uploads:
    """What a person gives beside the ledger: a name, files as the browser sent them, and the plan of the fee."""

    who: str | None
    invoices: Any
    evaluations: Any
    plan: Plan | None = None

    def given(self, proof: str) -> Given:
        """The same as the measurement takes it, for the proof with this id.

        Raises:
            LedgerError: a file is not what it should be.
        """
        with tempfile.TemporaryDirectory() as folder:
            invoices = _kept(folder, self.invoices)
            evaluations = _kept(folder, self.evaluations)
            read = read_evaluations(evaluations, {}, None) if evaluations else Evaluations()
            return Given(
                signed_by=self.who,
                invoices=read_invoices(invoices) if invoices else (),
                guard_rails=rails(read, CONFIDENCE),
                confidence=CONFIDENCE,
                fee_of=None if self.plan is None else fee_of(self.plan, proof),
            )


def _kept(folder: str, upload: Any) -> Path | None:  # noqa: ANN401 - Streamlit's uploaded file
    if upload is None:
        return None
    path = Path(folder) / Path(upload.name).name
    path.write_bytes(upload.getvalue())
    return path


def draw(view: View, proof: OptimizationProof, *, expanded: bool) -> None:
    """The form, and what it leads to."""
    with st.expander("Prove a change", expanded=expanded):
        registered = {row.id: row for row in proof.store.interventions()}
        labels = {"": _NEW} | {key: f"{row.first_day}, {row.kind}: {row.note}" for key, row in registered.items()}
        change = st.selectbox("Change", list(labels), format_func=labels.__getitem__, key="proof-change")
        chosen = registered.get(change or "")
        scope = _scope(view, chosen)
        driver = st.selectbox(
            "Measured against",
            _drivers(view),
            key="proof-driver",
            help="Something your business did that the change itself does not touch: requests, users, documents. "
            "Tokens and shares of models are refused, since the change works through them.",
        )
        frozen = _baseline(proof)
        fee_plan = _fee_plan() if frozen is not None else None
        day, kind, note = _described(view, chosen)
        who = st.text_input(
            "Who vouches that nothing else was changed",
            key="proof-who",
            help="Without a name the proof says that nobody does, and is not verified.",
        )
        invoices = st.file_uploader(
            "What the providers invoiced (CSV)",
            "csv",
            key="proof-invoices",
            help="Columns provider, first_day, last_day, amount, currency. Totals that are kept for connections and "
            "invoices in the ledger are known without a file, which goes before them. Without invoices of both periods "
            "nobody can say that the ledger is the bill, and the proof is not verified.",
        )
        evaluations = st.file_uploader(
            "Evaluations of the answers (CSV), where there are any",
            "csv",
            key="proof-evaluations",
            help="Columns date, cases, passed and, where there is one, model. Without them the proof says that quality "
            "was not assessed.",
        )
        if st.button("Measure and sign", type="primary", key="proof-measure"):
            with st.spinner("Measuring the days before and after"):
                given = Uploads(who.strip() or None, invoices, evaluations, fee_plan)
                _prove(proof, chosen or (day, kind, note, scope), scope, driver or REQUESTS, frozen, given)


def _scope(view: View, chosen: InterventionRecord | None) -> Scope:
    if chosen is not None:
        return Scope(intervention_of(chosen).scope)
    known = data.names(view.workspace, view.snapshot)
    picked = st.multiselect(
        "Which part of the spend", list(known), key="proof-scope", help="Nothing chosen is the whole bill."
    )
    values = dict[str, list[str]]()
    for label in picked:
        dimension, value = known[label]
        if value is not None:
            values.setdefault("project" if dimension == "account" else dimension, []).append(value)
    return of([Filter(name, tuple(sorted(found))) for name, found in values.items()])


def _described(view: View, chosen: InterventionRecord | None) -> tuple[str, str, str]:
    if chosen is not None:
        return "", "", ""
    with st.container(horizontal=True):
        day = st.date_input(
            "First day with the change",
            None,
            min_value=view.coverage.first,
            max_value=view.coverage.last,
            format="YYYY-MM-DD",
            key="proof-day",
        )
        kind = st.selectbox("Kind", KINDS, key="proof-kind")
    note = st.text_input("What was done", key="proof-note", placeholder="Easy requests go to the smaller model")
    return ("" if day is None else day.isoformat()), kind or KINDS[0], note.strip()


def _drivers(view: View) -> Sequence[str]:
    return (*drivers(view.workspace, view.snapshot), REQUESTS)


@st.cache_data(max_entries=50, show_spinner=False)
def drivers(workspace: str, snapshot: int) -> tuple[str, ...]:
    """Names of the drivers that the workspace has files of, the longest record first."""
    rows = data.lake_of(workspace).records(
        f"SELECT DriverName, count(*) AS days FROM drivers AT (VERSION => {snapshot}) GROUP BY 1 ORDER BY 2 DESC, 1"
    )
    return tuple(str(row["DriverName"]) for row in rows)


def _baseline(proof: OptimizationProof) -> BaselineRecord | None:
    rows = {row.id: row for row in proof.store.baselines()}
    if not rows:
        return None
    labels = {"": _NO_BASELINE} | {key: f"{row.name}, frozen {row.captured_at[:10]}" for key, row in rows.items()}
    key = st.selectbox("Baseline", list(labels), format_func=labels.__getitem__, key="proof-baseline")
    return rows.get(key or "")


def _fee_plan() -> Plan | None:
    """The plan whose fee the proof is to carry; None for no fee."""
    plans = {plan.id: plan for plan in chargeable(datetime.now(UTC).date())}
    key = st.selectbox(
        "Fee on the verified saving",
        ["", *plans],
        format_func=lambda name: f"{plans[name].title}: {plans[name].source}" if name else "No fee",
        key="proof-fee",
        help="Taken from the lower bound of a prospective, verified saving, and of nothing else. A retrospective proof "
        "never carries a fee.",
    )
    return plans.get(key or "")


def _prove(
    proof: OptimizationProof,
    change: InterventionRecord | tuple[str, str, str, Scope],
    scope: Scope,
    driver: str,
    frozen: BaselineRecord | None,
    uploads: Uploads,
) -> None:
    moment = datetime.now(UTC)
    try:
        if isinstance(change, tuple):
            day, kind, note, about = change
            if not day or not note:
                st.error("Say on which day the change began, and what was done.")
                return
            change = proof.store.add_intervention(
                datetime.fromisoformat(day).date(),
                None,
                scope=about.text(),
                kind=kind,
                note=note,
                who=uploads.who,
                now=moment,
            )
        key = new_id()
        claim = proof.calculate_improvements(
            intervention_of(change),
            uploads.given(key),
            moment,
            scope=scope,
            driver=driver,
            frozen=frozen,
        )
        st.session_state["proof-made"] = proof.generate_proof_report(claim, moment, proof=key).id
    except (LedgerError, ValueError) as error:
        st.error(str(error))
        return
    st.rerun()
