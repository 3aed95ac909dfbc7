"""The appendices of a proof: everything behind its first page, as titled tables and sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from reports.numbers import NONE, count, percent, some
from reports.proof.canonical import digest
from reports.proof.statement import NOT_ASSESSED
from reports.proof.texts import day_text, decimal, moment_text, money_text, span_text

Record = Mapping[str, Any]

SPLIT: Final = "Several changes, one saving"
_UNCLAIMED: Final = "The total was measured and is not verified, so that no part of it is claimed."


def appendices(document: Record) -> list[dict[str, Any]]:
    """Every appendix: title, column heads, rows, sentences before them, and which columns stand to the right."""
    claim: Record = document["claim"]
    return [
        _table("Question", ("", ""), _question(document)),
        _table("Gates", ("Gate", "Result", "What was found"), _gates(claim)),
        _table("Quality and performance", ("Measure", "Before", "After", "Result"), _rails(claim), _unassessed(claim)),
        _table("What else happened", ("From", "To", "Kind", "What"), _changes(claim)),
        _table("Vendor prices, taken out", ("Day", "Model", "Before, 1M tokens", "After"), _prices(claim), (), (2, 3)),
        _table("Left out of the figures", ("What", "Baseline", "Reporting", "Why"), _left_out(claim), (), (1, 2)),
        *_beside(claim),
        *_sources(claim),
        _table("Identity", ("", ""), _identity(document)),
    ]


def _beside(claim: Record) -> list[dict[str, Any]]:
    repriced = ("Re-priced, not yet verified, and in no other figure of this proof.",) if claim["repriced"] else ()
    projected = ("A projection is no saving.",) if claim["projections"] else ()
    heads = ("What", "Used", "Planned", "Difference")
    return [
        split_table(claim),
        _table("Beside the measurement: re-priced usage (T1)", heads, _repriced(claim), repriced, (1, 2, 3)),
        _table(
            "Beside the measurement: projection (T4)",
            ("What", "Amount", "Interval", "Basis"),
            _projections(claim),
            projected,
            (1,),
        ),
    ]


def split_table(claim: Record) -> dict[str, Any]:
    """The saving split over several changes, with its total; what stands before it says how, or why it is not split."""
    heads = ("Change", "From", "By date", "Shapley's value", "By itself, not added")
    # Proofs of before the split have no word of it.
    sentences = claim.get("split", [])
    unclaimed = claim["shares"] and claim["state"] == "not verified"
    return _table(SPLIT, heads, _split(claim), [*([_UNCLAIMED] if unclaimed else []), *sentences], (2, 3, 4))


def _sources(claim: Record) -> list[dict[str, Any]]:
    invoices, loads = ("Days", "Ledger", "Invoiced", "Source"), ("Source", "Format", "Loaded", "Rows", "Rejected")
    attempts = ("First made", "Question", "Outcome", "Times")
    return [
        _table("Every attempt at this claim", attempts, _attempts(claim), (), (3,)),
        _table("Invoices held against the ledger", invoices, _invoices(claim), (), (1, 2)),
        _table("Loads that the figures rest on", loads, _loads(claim), (), (3, 4)),
        _table("Files", ("File", "Bytes", "SHA-256"), _files(claim), (), (1,)),
    ]


def _table(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    sentences: Sequence[str] = (),
    right: Sequence[int] = (),
) -> dict[str, Any]:
    return {
        "title": title,
        "columns": list(columns),
        "headed": any(columns),
        "rows": [list(row) for row in rows],
        "sentences": list(sentences),
        "right": list(right),
    }


def _question(document: Record) -> list[list[str]]:
    claim = document["claim"]
    scope = "; ".join(f"{part['dimension']}: {', '.join(part['values'])}" for part in claim["scope"])
    driver, change, figures = claim["driver"], claim["intervention"], claim["figures"]
    unit = f" (one {driver['unit']})" if driver["unit"] else ""
    rows = [
        ["Asked", claim["question"]],
        ["Scope", scope or "the whole bill"],
        ["Change", f"{day_text(change['first_day'])}, {change['kind']}: {change['note']}"],
        ["Driver", f"{driver['name']}{unit}, from {driver['source']}"],
        ["Baseline", _period(claim["baseline"])],
        ["Reporting", _period(claim["reporting"])],
        ["Prices", claim["constant_prices"]],
        ["Method", f"{claim['method']['name']}, version {claim['method']['version']}"],
        ["Rounding", claim["method"]["rounding"]],
        ["Smallest saving that would show", percent(decimal(figures["minimum_detectable"]))],
    ]
    if document["state"] == "not verified" and figures["point"] is not None:
        span = f"{money_text(figures['low'], claim)} to {money_text(figures['high'], claim)}"
        rows.append(["Measured, not verified", f"{money_text(figures['point'], claim)}, interval {span}"])
    return rows


def _gates(claim: Record) -> list[list[str]]:
    return [[f"{gate['id']} {gate['title']}", gate["state"], gate["sentence"]] for gate in claim["gates"]]


def _rails(claim: Record) -> list[list[str]]:
    return [[r["measure"], r["before"] or NONE, r["after"] or NONE, r["sentence"]] for r in claim["guard_rails"]]


def _unassessed(claim: Record) -> tuple[str, ...]:
    return () if claim["guard_rails"] else (NOT_ASSESSED,)


def _changes(claim: Record) -> list[list[str]]:
    return [
        [day_text(c["first_day"]), day_text(c["last_day"]) if c["last_day"] else "still", c["kind"], c["note"]]
        for c in claim["other_changes"]
    ]


def _prices(claim: Record) -> list[list[str]]:
    return [
        [
            day_text(p["day"]),
            f"{p['provider']} {p['model']}, {p['kind']}",
            money_text(p["before"], claim),
            money_text(p["after"], claim),
        ]
        for p in claim["price_changes"]
    ]


def _left_out(claim: Record) -> list[list[str]]:
    return [
        [part["what"], money_text(part["baseline"], claim), money_text(part["reporting"], claim), part["why"]]
        for part in claim["left_out"]
    ]


def _invoices(claim: Record) -> list[list[str]]:
    return [
        [
            span_text(i["first_day"], i["last_day"]),
            money_text(i["ledger"], claim),
            money_text(i["invoiced"], claim),
            i["source"],
        ]
        for i in claim["evidence"]["invoices"]
    ]


def _split(claim: Record) -> list[list[str]]:
    if not claim["shares"]:
        return []
    rows = [
        [
            s["note"],
            day_text(s["first_day"]),
            *(money_text(s[way], claim) for way in ("sequential", "shapley", "alone")),
        ]
        for s in claim["shares"]
    ]
    whole = money_text(claim["figures"]["point"], claim)
    return [*rows, ["Together", "", whole, whole, NONE]]


def _repriced(claim: Record) -> list[list[str]]:
    return [
        [
            f"{r['what']} {r['note']}".strip(),
            *(money_text(r[name], claim) for name in ("used", "planned", "difference")),
        ]
        for r in claim["repriced"]
    ]


def _projections(claim: Record) -> list[list[str]]:
    return [
        [
            p["what"],
            money_text(p["amount"], claim),
            f"{money_text(p['low'], claim)} to {money_text(p['high'], claim)}",
            p["basis"],
        ]
        for p in claim["projections"]
    ]


def _attempts(claim: Record) -> list[list[str]]:
    return [[moment_text(a["at"]), a["question"], a["outcome"], count(a["times"])] for a in claim["attempts"]]


def _loads(claim: Record) -> list[list[str]]:
    return [
        [load["connection"], load["format"], moment_text(load["loaded"]), count(load["rows"]), count(load["rejected"])]
        for load in claim["loads"]
    ]


def _files(claim: Record) -> list[list[str]]:
    return [
        [file["name"], count(file["bytes"]) if file["bytes"] is not None else NONE, file["sha256"] or NONE]
        for load in claim["loads"]
        for file in load["files"]
    ]


def _identity(document: Record) -> list[list[str]]:
    claim, frozen = document["claim"], document["claim"]["frozen"]
    rows = [
        ["Document", digest(dict(document))],
        ["Issuer's key", document["issuer"]["id"]],
        ["Ledger rows", claim["row_digest"]],
        ["Ledger snapshot", str(claim["snapshot"])],
        ["Price book", claim["price_book_digest"]],
    ]
    if frozen:
        rows.append(["Frozen baseline", frozen["digest"]])
    if document["supersedes"]:
        rows.append(["Supersedes", f"{document['supersedes']['digest']}: {document['supersedes']['reason'] or ''}"])
    return rows


def _period(part: Record) -> str:
    missing = f", {some(len(part['missing']), 'day')} missing" if part["missing"] else ""
    out = f", {some(len(part['left_out']), 'day')} left out" if part["left_out"] else ""
    return f"{span_text(part['first_day'], part['last_day'])}: {some(part['days'], 'day')}{missing}{out}"
