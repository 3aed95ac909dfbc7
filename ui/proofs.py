"""Baselines, interventions and proofs as the command line prints them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from reports.baselines import Captured, summary
from reports.claim import Claim, Figures
from reports.known_now import LABEL, KnownNow
from reports.numbers import money, percent
from reports.portfolio import Together
from reports.proof.appendices import split_table
from reports.proof.statement import statement
from reports.proof.texts import decimal
from reports.records import BaselineRecord, InterventionRecord, ProofRecord
from reports.stale import Stale
from ui.console import print_json, print_table, say_out

#: What a person can do about a gate that was not assessed.
_NEXT: Final = {
    "G0": "give the invoices of both periods: --invoices FILE.csv (provider, first_day, last_day, amount, currency), "
    "or enter the totals of a connection: spendproof connections invoice NAME MONTH AMOUNT.",
    "G9": "register what else happened (spendproof intervention add), and let somebody vouch for it: --signed-by NAME.",
    "G10": "give evaluations of the answers: --evaluations FILE.csv (date, cases, passed, model).",
}


def print_captured(found: Captured, *, as_json: bool) -> None:
    """A baseline as captured: as JSON `frozen` (or null), `warnings`, `disqualifications`, `minimum_detectable`."""
    detectable = found.detectable
    if as_json:
        print_json(
            {
                "frozen": None if found.record is None else summary(found.record),
                "warnings": [finding.record() for finding in found.sufficiency.warnings],
                "disqualifications": [finding.record() for finding in found.sufficiency.disqualifications],
                "minimum_detectable": None if detectable.fraction is None else str(detectable.fraction),
                "minimum_detectable_sentence": detectable.sentence,
            }
        )
        return
    if found.record is None:
        say_out("Not frozen: this baseline cannot carry a claim.")
    else:
        about = summary(found.record)
        say_out(f"Baseline {about['id']} frozen: {about['name']}, {about['first_day']} to {about['last_day']}.")
        say_out(f"  {about['days']} days against {about['driver']}; method {about['method']}")
        say_out(f"  digest {about['digest']}" + ("" if about["signed"] else " (not signed)"))
        say_out("  Hand the digest to whoever has to believe the proof, before anything is changed.")
        if about["synthetic"]:
            say_out("  It rests on synthetic sample data.")
    say_out(f"  {detectable.sentence}")
    for finding in found.sufficiency.disqualifications:
        say_out(f"  refused: {finding.sentence}")
    for finding in found.sufficiency.warnings:
        say_out(f"  note: {finding.sentence}")


def print_baselines(rows: Sequence[BaselineRecord], *, as_json: bool) -> None:
    """Frozen baselines: as JSON a list of their summaries."""
    found = [summary(row) for row in rows]
    if as_json:
        print_json(found)
        return
    if not found:
        say_out("No baseline is frozen. Freeze one: spendproof baseline capture --scope ... --driver ...")
        return
    names = ("id", "name", "first_day", "last_day", "driver", "days", "captured")
    print_table((*names, "digest"), [(*(row[n] for n in names), row["digest"][:12]) for row in found], right=(5,))


def print_baseline(row: BaselineRecord, *, as_json: bool) -> None:
    """One frozen baseline: as JSON its summary, the frozen `document` and the `signature`."""
    about = summary(row)
    if as_json:
        print_json({**about, "document": json.loads(row.document), "signature": row.signature})
        return
    for name, value in about.items():
        if name != "warnings":
            say_out(f"{name}: {value}")
    for warning in about["warnings"]:
        say_out(f"note: {warning['sentence']}")


def print_interventions(rows: Sequence[InterventionRecord], *, as_json: bool, one: bool = False) -> None:
    """Interventions: as JSON a list of `id`, `first_day`, `last_day`, `kind`, `note`, `scope`, `who`, `recorded`."""
    found = [
        {
            "id": row.id,
            "first_day": row.first_day.isoformat(),
            "last_day": None if row.last_day is None else row.last_day.isoformat(),
            "kind": row.kind,
            "note": row.note,
            "scope": row.scope,
            "who": row.who,
            "recorded": row.recorded_at,
        }
        for row in rows
    ]
    if as_json:
        print_json(found[0] if one else found)
        return
    if not found:
        say_out("No change is registered: spendproof intervention add DAY --kind routing --note TEXT")
        return
    names = ("id", "first_day", "last_day", "kind", "note", "scope", "who")
    print_table(names, [tuple(row[name] or None for name in names) for row in found])


def print_claim(claim: Claim, record: ProofRecord, files: Sequence[str], *, as_json: bool) -> None:
    """A claim that was just made: as JSON `id`, `state`, `files`, `statement` and the `claim`."""
    words = statement(claim)
    if as_json:
        about = {"id": record.id, "state": record.state, "files": list(files)}
        print_json({**about, "statement": words, "claim": claim.record()})
        return
    say_out(claim.question)
    if claim.synthetic:
        say_out("SAMPLE: synthetic data, no company's bill.")
    for sentence in words.values():
        say_out(f"  {sentence}")
    if claim.figures.point is not None and claim.state.value == "not verified":
        say_out(f"  What was measured, and is not claimed: {_interval(claim.figures, claim.currency)}")
    for gate in claim.gates:
        say_out(f"{gate.id} {gate.state} ({gate.title}): {gate.sentence}")
    for kind, sentences in (
        ("refused", claim.refusals),
        ("note", claim.warnings),
        ("guard rail", [rail.sentence for rail in claim.guard_rails]),
        ("several changes", split_sentences(claim.record())),
        ("T1", [f"{r.what}: {money(r.difference, claim.currency)}; {r.note}" for r in claim.repriced]),
        ("T4", [_projected(claim, i) for i in range(len(claim.projections))]),
        ("left out", [_left_out(claim, i) for i in range(len(claim.left_out))]),
    ):
        for sentence in sentences:
            say_out(f"{kind}: {sentence}")
    for gate in claim.gates:
        if gate.state == "not assessed" and gate.id in _NEXT:
            say_out(f"next: {_NEXT[gate.id]}")
    say_out(f"Proof {record.id}: {record.state}" + (f", in {', '.join(files)}" if files else ""))


def print_proofs(rows: Sequence[ProofRecord], stale: Sequence[Stale], *, as_json: bool) -> None:
    """Proofs: as JSON a list of what `proofs show` has without the claim, and `restated` (a sentence, or null)."""
    restated = {found.proof.id: found.sentence for found in stale}
    if as_json:
        print_json([{**_about(row), "restated": restated.get(row.id)} for row in rows])
        return
    if not rows:
        say_out("There is no proof yet: spendproof prove --on DAY --scope ... --driver ...")
        return
    headings = ("id", "made", "state", "class", "tier", "saving", "low", "high", "currency", "question")
    cells = [
        (r.id, r.created_at[:10], r.state, r.proof_class, r.tier, *_figures(r), r.currency, r.question) for r in rows
    ]
    print_table(headings, cells, right=(5, 6, 7))
    for sentence in restated.values():
        say_out(f"RESTATED: {sentence}")


def print_proof(row: ProofRecord, restated: Stale | None, now: KnownNow | None, *, as_json: bool) -> None:
    """One proof: as JSON `id`, `question`, `state`, `reason`, `class`, `tier`, figures, `signed`, and the `claim`.

    Where its bill was restated, `restated` is a sentence and `known_now` the claim on today's ledger; else both are
    null.
    """
    claim: dict[str, Any] = json.loads(row.claim)
    if as_json:
        found = None if now is None else now.record()
        print_json({**_about(row), "restated": restated and restated.sentence, "known_now": found, "claim": claim})
        return
    for name, value in _about(row).items():
        if value not in (None, ""):
            say_out(f"{name}: {value}")
    for gate in claim["gates"]:
        say_out(f"{gate['id']} {gate['state']} ({gate['title']}): {gate['sentence']}")
    for sentence in claim["refusals"]:
        say_out(f"refused: {sentence}")
    for sentence in split_sentences(claim):
        say_out(f"several changes: {sentence}")
    if restated is not None and now is not None:
        say_out(f"RESTATED: {restated.sentence}")
        _print_now(now)


def _print_now(now: KnownNow) -> None:
    say_out(f"{LABEL}: the same question on today's ledger.")
    if now.reason:
        say_out(f"It cannot be measured now: {now.reason}")
        return
    heads = ("figure", "as known then", "as known now", "difference")
    print_table(heads, now.rows(), right=(1, 2, 3))
    states = [("verified" if state else "not verified") for state in (now.then, now.now)]
    say_out(f"Then {states[0]}; now it would be {states[1]}.")
    for sentence in now.refusals:
        say_out(f"refused now: {sentence}")


def print_total(found: Together, *, as_json: bool) -> None:
    """Proofs together: as JSON `proofs`, `currency`, `point`, `low`, `high`, `refusals` and `limits`."""
    if as_json:
        print_json(found.record())
        return
    for proof in found.proofs:
        point, low, high = (money(decimal(figure), proof.currency) for figure in (proof.point, proof.low, proof.high))
        say_out(f"{proof.id}  {point} ({low} to {high})  {proof.question}")
    whole, unit = found.total, found.currency
    if whole.point is not None:
        say_out(f"Together {money(whole.point, unit)}, interval {money(whole.low, unit)} to {money(whole.high, unit)}.")
    for sentence in (*whole.refusals, *whole.limits):
        say_out(f"  {sentence}")


def split_sentences(claim: Mapping[str, Any]) -> list[str]:
    """A claim's saving (as JSON carries it) split over several changes, or why it is not; empty for one change."""
    table = split_table(claim)
    parts = [
        f"{note}, from {day}: {by_date} by date, {mean} by Shapley's value"
        for note, day, by_date, mean, _ in table["rows"][:-1]
    ]
    return [*parts, *table["sentences"]]


def _about(row: ProofRecord) -> dict[str, Any]:
    return {
        "id": row.id,
        "question": row.question,
        "state": row.state,
        "reason": row.reason,
        "class": row.proof_class,
        "tier": row.tier,
        "point": row.point,
        "low": row.low,
        "high": row.high,
        "currency": row.currency,
        "signed": row.document is not None,
        "superseded_by": row.superseded_by,
        "row_digest": row.row_digest,
        "created": row.created_at,
    }


def _figures(row: ProofRecord) -> tuple[str | None, ...]:
    """Figures of a saving; of what is not verified none is shown as one."""
    claimed = row.state != "not verified"
    return (row.point, row.low, row.high) if claimed else (None, None, None)


def _interval(figures: Figures, currency: str) -> str:
    low, high = money(figures.low, currency), money(figures.high, currency)
    return f"{money(figures.point, currency)}, interval {low} to {high}, {percent(figures.share)} of the cost without."


def _projected(claim: Claim, at: int) -> str:
    part = claim.projections[at]
    low, high = money(part.low, claim.currency), money(part.high, claim.currency)
    return f"{part.what}: {money(part.amount, claim.currency)} ({low} to {high}), a projection. {part.basis}"


def _left_out(claim: Claim, at: int) -> str:
    part = claim.left_out[at]
    before, after = money(part.baseline, claim.currency), money(part.reporting, claim.currency)
    return f"{part.what}, {before} before and {after} after: {part.why}."
