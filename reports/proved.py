"""What a stored proof says, as sections of a report: its saving with the interval, how it was measured, or why not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from analysis.result import total
from reports import numbers
from reports.claim import ProofClass, State
from reports.claimed import per_million
from reports.proof import charts
from reports.proof.issue import loaded
from reports.records import ProofRecord
from reports.report import Chart, Figure, Kind, Section

#: States in which a saving is shown as one, the strongest first.
STANDING: Final = (State.VERIFIED, State.PROVISIONAL)


def stands(record: ProofRecord) -> bool:
    """Whether its saving may be shown as one."""
    return record.state in STANDING and record.point is not None


def saving(record: ProofRecord) -> Section:
    """The figures of a proof that stands."""
    claim: dict[str, Any] = json.loads(record.claim)
    unit, figures = record.currency, claim["figures"]
    low, high, point = (decimal(text) for text in (record.low, record.high, record.point))
    level = numbers.percent(Decimal(claim["method"]["confidence"])).replace(".0%", "%")
    interval = f"{level} interval: {numbers.money(low, unit)} to {numbers.money(high, unit)}"
    before, after = (per_million(claim["days"], part) for part in ("baseline", "reporting"))
    moved = numbers.change(after, before)
    shown = f"from {numbers.unit_price(before, unit)}, {numbers.percent(moved, sign=True)}" if moved is not None else ""
    fee = [Decimal(line["amount"]) for line in claim["fee"]]
    name = "Verified saving" if record.state == State.VERIFIED else "Saving, provisional"
    why = "from the lower bound alone" if fee else _why_no_fee(record)
    found = (
        Figure(name, point, Kind.MONEY, interval, unit),
        Figure("Share of cost", decimal(figures["share"]), Kind.SHARE, "of what the same work would have cost"),
        Figure("Cost per 1M tokens", after, Kind.UNIT_PRICE, shown or "tokens are not known on every day", unit),
        Figure("Fee", total(fee) if fee else None, Kind.MONEY, why, unit),
    )
    return Section(name, (_about(record), *claim["warnings"], *_rails(claim)), found)


def refused(record: ProofRecord) -> Section:
    """What was asked and why no saving is claimed; the costs that were measured stand without a difference."""
    claim: dict[str, Any] = json.loads(record.claim)
    unit, figures = record.currency, claim["figures"]
    found = (
        Figure("Saving", None, Kind.MONEY, f"{record.state}: no figure is claimed", unit),
        Figure("Actual cost", decimal(figures["actual"]), Kind.MONEY, "at constant prices", unit),
        Figure("Paid", decimal(figures["actual_as_billed"]), Kind.MONEY, "as billed, in scope", unit),
    )
    said = (_about(record), *([record.reason] if record.reason else []), *claim["refusals"], *claim["warnings"])
    return Section("No saving is claimed", tuple(dict.fromkeys(said)), found)


def pictures(record: ProofRecord) -> Section:
    """From the baseline to what was paid, and day by day; none where the proof is not signed yet."""
    document = None if record.document is None else loaded(record.document.encode()).document
    drawn = list[Chart]()
    if document is not None:
        bridge, days = charts.bridge(document, charts.INK), charts.days(document, charts.INK)
        drawn += [Chart("From the baseline to what was paid", _words(document), drawn=bridge)] if bridge else []
        told = "Each day's cost as a dot; the line is what it would have been without the change, with its band."
        drawn += [Chart("Day by day", told, drawn=days)] if days else []
    return Section("How it was measured", charts=tuple(drawn))


def decimal(text: str | None) -> Decimal | None:
    """An amount as records keep it."""
    return None if text is None else Decimal(text)


def _about(record: ProofRecord) -> str:
    made = f"made on {record.created_at[:10]}"
    question = record.question if record.question.endswith((".", "?", "!")) else f"{record.question}."
    sample = "Synthetic sample data. " if json.loads(record.claim)["synthetic"] else ""
    return f"{sample}{question} A {record.proof_class} proof of tier {record.tier}, {made}."


def _why_no_fee(record: ProofRecord) -> str:
    if record.proof_class == ProofClass.RETROSPECTIVE:
        return "a retrospective proof carries no fee"
    return "the proof states no fee"


def _rails(claim: Mapping[str, Any]) -> list[str]:
    rails = [rail["sentence"] for rail in claim["guard_rails"] if rail["state"] != "not assessed"]
    return rails or ["Quality and performance were not assessed."]


def _words(document: Mapping[str, Any]) -> str:
    unit = document["claim"]["currency"]
    parts = [f"{part['label']} {numbers.money(Decimal(part['amount']), unit)}" for part in document["bridge"]]
    return f"Bars: {'; '.join(parts)}."
