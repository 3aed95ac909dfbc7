"""A document measured again from the days and the evidence that it holds: nobody's ledger is needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from analysis.result import plain
from reports.claim_parts import Day
from reports.claimed import interventions_in, spans_in
from reports.proof.canonical import DocumentError
from reports.proof.document import daily
from reports.question import BLACKOUT, LEVERS
from reports.splitting import shares_of, split_of

if TYPE_CHECKING:
    import pandas as pd

    from analysis.savings import AvoidedCost, Evidence

#: A figure of the document and the one of the result that it has to be.
_FIGURES: Final = {
    "point": "point",
    "low": "low",
    "high": "high",
    "counterfactual": "counterfactual",
    "actual": "actual",
    "share": "fraction",
    "share_low": "fraction_low",
    "share_high": "fraction_high",
    "drift_to_nothing": "drift_to_nothing",
}
_COLUMNS: Final = ("date", "cost", "driver", "price_per_token", "tokens_per_driver")

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Compared:
    """A figure of the document beside the one that was found again; JSON pointer, both as text."""

    path: str
    signed: str | None
    found: str | None

    @property
    def same(self) -> bool:
        """Whether they are one."""
        return self.signed == self.found


def remeasured(document: Record) -> list[Compared]:
    """Every figure, gate and expected day of a document, beside what the same days give now.

    Raises:
        DocumentError: it is of a method that this release does not have.
    """
    from analysis.savings import METHOD, measure_avoided_cost  # noqa: PLC0415 - scipy

    claim: Record = document["claim"]
    if claim["method"]["version"] != METHOD:
        raise DocumentError(
            f"The proof was measured by method {claim['method']['version']}; this release measures by {METHOD}. "
            "Install the release that the proof is from."
        )
    rows, confidence = daily(document), float(claim["method"]["confidence"])
    frames = [_frame([row for row in rows if row["part"] == part]) for part in ("baseline", "reporting")]
    result = measure_avoided_cost(frames[0], frames[1], evidence=evidence_of(claim), confidence=confidence)
    return list(_compared(document, result))


def _compared(document: Record, result: AvoidedCost) -> Iterator[Compared]:
    claim = document["claim"]
    for name, attribute in _FIGURES.items():
        path = f"/document/claim/figures/{name}"
        yield Compared(path, claim["figures"][name], plain(getattr(result, attribute)))
    for i, gate in enumerate(claim["gates"]):
        yield Compared(f"/document/claim/gates/{i}/state", gate["state"], str(result.gate(gate["id"]).status))
    state = claim["state"]
    # A provisional proof waits for final bills; it is as little verified as one that was refused.
    yield Compared("/document/state", str(state == "verified"), str(result.verified))
    expected = {day.date.isoformat(): plain(day.expected) for day in result.days}
    for i, (day, text) in enumerate(zip(document["days"]["date"], document["days"]["expected"], strict=True)):
        yield Compared(f"/document/days/expected/{i}", text, expected.get(day))
    # Documents of before the split have no word of it.
    if "split" in claim:
        yield from _split(document)


def _split(document: Record) -> Iterator[Compared]:
    """The parts of several changes, from the signed days."""
    claim = document["claim"]
    days = [
        Day(
            date.fromisoformat(row["date"]),
            row["part"],
            Decimal(row["cost"]),
            Decimal(row["as_billed"]),
            Decimal(row["driver"]),
            expected=_decimal(row["expected"]),
        )
        for row in daily(document)
    ]
    found = split_of(interventions_in(claim), *spans_in(claim), days, _decimal(claim["figures"]["point"]))
    shares = shares_of(found)
    yield Compared("/document/claim/split", "\n".join(claim["split"]), "\n".join(found.sentences))
    for i in range(max(len(shares), len(claim["shares"]))):
        for way in ("sequential", "shapley", "alone"):
            signed = claim["shares"][i][way] if i < len(claim["shares"]) else None
            now = plain(getattr(shares[i], way)) if i < len(shares) else None
            yield Compared(f"/document/claim/shares/{i}/{way}", signed, now)


def _frame(rows: Sequence[Record]) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415

    values = {
        name: [date.fromisoformat(r[name]) if name == "date" else _decimal(r[name]) for r in rows] for name in _COLUMNS
    }
    return pd.DataFrame(values, dtype=object)


def evidence_of(claim: Record) -> Evidence:
    """What the gates took from outside the days, as the claim (JSON) has it."""
    from analysis.savings import Evidence, Intervention, InvoiceCheck, OtherChange, Quality  # noqa: PLC0415

    given, change = claim["evidence"], claim["intervention"]
    out = frozenset(date.fromisoformat(day) for day in given["blackout"])
    levers = [change, *(other for other in claim["other_changes"] if other["kind"] in LEVERS)]
    others = [
        OtherChange(date.fromisoformat(price["day"]), "list price", "costs are restated to constant prices")
        for price in claim["price_changes"]
    ]
    others += [
        OtherChange(date.fromisoformat(other["first_day"]), other["note"], _kept_out(other, out))
        for other in claim["other_changes"]
        if other["kind"] not in LEVERS
    ]
    quality = given["quality"]
    return Evidence(
        currency=claim["currency"],
        unsettled=None if given["unsettled"] is None else frozenset(map(date.fromisoformat, given["unsettled"])),
        invoices=tuple(
            InvoiceCheck(
                date.fromisoformat(i["first_day"]),
                date.fromisoformat(i["last_day"]),
                Decimal(i["ledger"]),
                Decimal(i["invoiced"]),
            )
            for i in given["invoices"]
        ),
        price_book=claim["price_book_digest"],
        interventions=tuple(
            Intervention(date.fromisoformat(part["first_day"]), part["note"], LEVERS.get(part["kind"], True))
            for part in levers
        ),
        other_changes=tuple(others) if given["signed_by"] else None,
        signed_by=given["signed_by"],
        quality=None if quality is None else Quality(quality[0], Decimal(quality[1]), Decimal(quality[2]), quality[3]),
        blackout=out,
    )


def _kept_out(other: Record, out: frozenset[date]) -> str | None:
    """Why what happened besides is not in the figures; None where it may be."""
    if other["kind"] == "vendor-price":
        return "costs are restated to constant prices"
    first = date.fromisoformat(other["first_day"])
    last = date.fromisoformat(other["last_day"] or other["first_day"])
    days = {date.fromordinal(n) for n in range(first.toordinal(), last.toordinal() + 1)}
    return "its days are measured in neither period" if other["kind"] == BLACKOUT or days <= out else None


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
