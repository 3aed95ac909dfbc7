"""Proofs whose bill was restated: the rows that they cite are others in the ledger now."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reports import cited
from reports.claimed import scope_in, spans_in
from reports.records import ENDED, ProofRecord, Store

if TYPE_CHECKING:
    from ledger.lake import Lake


@dataclass(frozen=True, slots=True)
class Stale:
    """A proof that no longer rests on the ledger's rows.

    Attributes:
        proof: as it was made.
        row_digest: SHA-256 of the rows that it would cite now.
        loads: ids of the cited loads that hold none of these rows any more, and of those that came in their place.
        sentence: for a person, with the next step.
    """

    proof: ProofRecord
    row_digest: str
    loads: tuple[tuple[str, ...], tuple[str, ...]]
    sentence: str


def stale_proofs(lake: Lake, store: Store) -> list[Stale]:
    """The proofs of a workspace that are still in force and whose cited rows are others now, the newest first.

    The same bill loaded once more changes no row, and makes no proof stale.
    """
    at = lake.snapshot()
    found = (judged(lake, record, at) for record in store.proofs())
    return [stale for stale in found if stale is not None]


def judged(lake: Lake, record: ProofRecord, at: int) -> Stale | None:
    """What was restated of the rows that one proof cites; None where nothing was, or the proof is no longer in force.

    Args:
        lake: the ledger.
        record: the proof.
        at: snapshot that is taken for now.
    """
    if record.state in ENDED:
        return None
    claim: dict[str, Any] = json.loads(record.claim)
    scope, spans = scope_in(claim), spans_in(claim)
    driver, source = claim["driver"]["name"], claim["driver"]["source"]
    digest = cited.digest_rows(lake, cited.row_query(scope, driver, source, spans, at))
    if digest == record.row_digest:
        return None
    now = {load.load_id for load in cited.loads(lake, scope, driver, source, spans, at)}
    gone, came = tuple(sorted(set(record.cited) - now)), tuple(sorted(now - set(record.cited)))
    sentence = (
        f"Proof {record.id} cites a bill that was restated ({len(gone)} of its loads replaced by {len(came)}); "
        f"measure it again: spendproof prove ... --supersedes {record.id}"
    )
    return Stale(record, digest, (gone, came), sentence)
