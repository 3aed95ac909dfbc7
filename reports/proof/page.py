"""What every rendering of a proof shows, written already: the first page that a CFO reads, then the appendices.

Made from the document alone, so that whoever has the document can make the rendering again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from reports.numbers import percent, some
from reports.proof.appendices import appendices
from reports.proof.canonical import digest
from reports.proof.statement import SYNTHETIC, percent_whole
from reports.proof.texts import day_text, decimal, moment_text, money_text

_BAD: Final = frozenset({"not verified", "revoked", "superseded"})
_NOTHING_REFUSED: Final = "Nothing was refused: every gate that applies was passed."

Record = Mapping[str, Any]


def page(document: Record) -> dict[str, Any]:
    """Everything that is shown, as text: the first page by name, the appendices as titled tables and sentences."""
    claim: Record = document["claim"]
    return {
        "id": document["id"],
        "title": "Proof of saving" if document["state"] == "verified" else "Measurement of a change",
        "state": document["state"],
        "tone": "good" if document["state"] == "verified" else "bad" if document["state"] in _BAD else "open",
        "workspace": claim["workspace"],
        "issuer": document["issuer"]["name"] or "an issuer without a name",
        "signed": moment_text(document["signed_at"]),
        "digest": digest(dict(document)),
        "key": document["issuer"]["id"],
        "synthetic": SYNTHETIC if claim["synthetic"] else "",
        "redacted": _redacted(document),
        "question": claim["question"],
        **document["statement"],
        "cards": _cards(document),
        "bridge_alt": _bridge_alt(document),
        "bridge_steps": _bridge_steps(document),
        "method": claim["method"]["summary"],
        "refused": list(claim["refusals"]) or [_NOTHING_REFUSED],
        "fee_lines": [[line["text"], money_text(line["amount"], claim)] for line in claim["fee"]],
        "sources": _sources(claim),
        "verify": _verify(document),
        "days_alt": _days_alt(document),
        "warnings": list(claim["warnings"]),
        "limits": list(claim["limits"]),
        "appendices": [part for part in appendices(document) if part["rows"] or part["sentences"]],
    }


def _cards(document: Record) -> list[list[str]]:
    claim, figures = document["claim"], document["claim"]["figures"]
    confidence = percent_whole(Decimal(claim["method"]["confidence"]))
    if document["state"] == "not verified" or figures["point"] is None:
        return [
            ["Saving", "not verified", "no figure is claimed"],
            ["Actual cost", money_text(figures["actual"], claim), "at constant prices"],
            ["Paid", money_text(figures["actual_as_billed"], claim), "as billed, in scope"],
        ]
    point = Decimal(figures["point"])
    low, high = (money_text(figures[name], claim) for name in ("low", "high"))
    name = "Saving" if point > 0 else "Cost added"
    shown = money_text(f"{abs(point):f}", claim)
    return [
        ["Without the change", money_text(figures["counterfactual"], claim), "modelled, same work"],
        ["Actual cost", money_text(figures["actual"], claim), "at constant prices"],
        [name, shown, f"{confidence} interval {low} to {high}"],
        ["Share", percent(decimal(figures["share"])), "of the cost without the change"],
    ]


def _bridge_steps(document: Record) -> list[list[str]]:
    claim = document["claim"]
    return [[part["label"], money_text(part["amount"], claim)] for part in document["bridge"]]


def _bridge_alt(document: Record) -> str:
    parts = [f"{label}: {amount}" for label, amount in _bridge_steps(document)]
    return f"Bars from the baseline to what was paid. {'; '.join(parts)}."


def _days_alt(document: Record) -> str:
    columns = document["days"]
    modelled = sum(text is not None for text in columns["expected"])
    if not modelled:
        return ""
    return (
        f"Cost of each of {modelled} days as dots, beside what the baseline model expects as a line with the interval "
        f"of single days. The change is of {day_text(document['claim']['intervention']['first_day'])}. The figures of "
        "every day are in the proof file."
    )


def _sources(claim: Record) -> str:
    loads: Sequence[Record] = claim["loads"]
    rows, files = sum(load["rows"] for load in loads), sum(len(load["files"]) for load in loads)
    rejected = sum(load["rejected"] for load in loads)
    could_not = f"; {some(rejected, 'row')} could not be taken" if rejected else ""
    return f"{some(len(loads), 'load')}, {some(files, 'file')}, {some(rows, 'row')} of the ledger{could_not}."


def _verify(document: Record) -> list[str]:
    key, address = document["issuer"]["id"], document["list_address"]
    steps = [
        "spendproof verify FILE checks signature and sums offline; a changed figure or word is named.",
        f"The issuer's key has the thumbprint {key}: compare it once with what the issuer told you another way.",
        "spendproof reproduce FILE measures again from the days in this proof and compares every figure.",
    ]
    steps.append(
        f"What was superseded or revoked since is published at {address}; spendproof verify --online reads it."
        if address
        else "Whether it was superseded or revoked since, the issuer's list says: spendproof verify --list LIST FILE."
    )
    return steps


def _redacted(document: Record) -> str:
    found = document["redaction"]
    if found is None:
        return ""
    hidden = " and ".join(found["hidden"])
    return f"A copy for sharing: {hidden} are hidden. The full document has the digest {found['of']}."
