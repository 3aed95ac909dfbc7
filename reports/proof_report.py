"""A proof as a report that goes out by itself: its own signed document in every format, and a summary for messages."""

from __future__ import annotations

import json
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from reports import proved
from reports.claim import State
from reports.proof.detached import SUFFIX, detached
from reports.proof.envelope import text
from reports.proof.issue import FORMATS, Proof, loaded, rendered
from reports.proof.keys import signer
from reports.records import ENDED, ProofRecord, Store
from reports.report import Report
from reports.view import ReportError, View

if TYPE_CHECKING:
    from accounts.home import Settings

#: Formats that cannot hold their signature.
SIGNED_BESIDE: Final = frozenset({"xlsx", "csv"})
#: Letters of a proof's id in the name of a file.
_SHORT: Final = 8


def proof_report(settings: Settings, workspace: str, view: View, made: datetime) -> Report:
    """The report of the proof that the view is of, or of the newest one.

    Raises:
        ReportError: there is no proof yet, or it is not signed yet.
        RecordError: none or several proofs begin as the view says.
    """
    record = _record(Store(settings, workspace), view.of)
    if record.document is None:
        raise ReportError(f"Proof {record.id} is not signed yet; it is written once it is.")
    proof, claim = loaded(record.document.encode()), json.loads(record.claim)
    stands = proved.stands(record)
    sections = (proved.saving(record) if stands else proved.refused(record), proved.pictures(record))
    return Report(
        name="proof",
        title="Proof of saving" if record.state == State.VERIFIED else "Measurement of a change",
        workspace=workspace,
        first=date.fromisoformat(claim["baseline"]["first_day"]),
        last=date.fromisoformat(claim["reporting"]["last_day"]),
        currency=record.currency,
        snapshot=claim["snapshot"],
        made=made,
        synthetic=claim["synthetic"],
        alarms=_alarms(record),
        notes=_notes(record, claim),
        sections=tuple(section for section in sections if section.figures or section.charts),
        of=record.id[:_SHORT],
        own={format_: partial(rendered, proof, format_) for format_ in FORMATS},
        beside=partial(_signature, settings, workspace, proof, made),
    )


def _signature(
    settings: Settings,
    workspace: str,
    proof: Proof,
    made: datetime,
    format_: str,
    name: str,
    content: bytes,
) -> dict[str, bytes]:
    """The signature of a workbook or table, which hold none inside."""
    if format_ not in SIGNED_BESIDE:
        return {}
    return {name + SUFFIX: text(detached(name, content, proof.document, signer(settings, workspace, made)))}


def _record(store: Store, key: str | None) -> ProofRecord:
    if key is not None:
        return store.proof(key)
    held = store.proofs()
    if not held:
        raise ReportError(
            f"Workspace {store.workspace} has no proof yet. Measure a change first (spendproof prove --help)."
        )
    return held[0]


def _alarms(record: ProofRecord) -> tuple[str, ...]:
    if record.state not in ENDED:
        return ()
    after = f" by {record.superseded_by}" if record.superseded_by else ""
    return (f"This proof was {record.state}{after}: {record.reason or 'no reason is on record'}",)


def _notes(record: ProofRecord, claim: dict[str, Any]) -> tuple[str, ...]:
    state = f"State: {record.state}. Anyone can check the signature of its files: spendproof verify FILE."
    months = ", ".join(f"{date.fromisoformat(month):%B %Y}" for month in claim["provisional_periods"])
    return (state, f"A provider may still restate {months}.") if months else (state,)
