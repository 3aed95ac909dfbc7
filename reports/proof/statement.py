"""What a proof says in words: sentences made once, from the claim, and signed with it."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from analysis.result import ZERO, plain, quotient, total
from reports.claim import Claim, Figures, ProofClass, State, Tier
from reports.numbers import day, days, money, percent, some

TIERS: Final = {
    Tier.REPRICED: "metered quantities at other prices",
    Tier.HOLDOUT: "a random part of the requests kept without the change",
    Tier.BASELINE: "a model of the period before the change",
    Tier.PROJECTION: "a projection, which is no saving",
}
#: Names of the sentences, in the order in which they are read.
STATEMENT: Final = ("headline", "interval", "evidence", "class", "quality", "fee")
SYNTHETIC: Final = "Synthetic sample data: this is no company's bill."
NOT_ASSESSED: Final = "Quality and performance were not assessed."


def statement(claim: Claim) -> dict[str, str]:
    """The sentences of the first page: headline, interval, evidence, class, quality and fee."""
    return {
        "headline": headline(claim),
        "interval": interval(claim),
        "evidence": evidence(claim),
        "class": standing(claim),
        "quality": quality(claim),
        "fee": fee(claim),
    }


def headline(claim: Claim) -> str:
    """The claim in one sentence; a saving only where it is verified or provisional, and never without its interval."""
    period = days(claim.reporting.first_day, claim.reporting.last_day)
    if claim.state is State.NOT_VERIFIED:
        reason = claim.refusals[0] if claim.refusals else "the gates do not carry a saving."
        return f"Not verified, {period}: {reason}"
    lead = "" if claim.state is State.VERIFIED else f"{claim.state.value.capitalize()}: "
    figures = claim.figures
    if figures.point is None or figures.low is None or figures.high is None:
        return f"{lead}nothing could be measured, {period}."
    verb = "saved" if figures.point > ZERO else "added"
    share = f" ({percent(abs(figures.share))} of what the same work would have cost)" if figures.share else ""
    sentence = f"the change {verb} {money(abs(figures.point), claim.currency)}{share}, {period}."
    return f"{lead}{sentence}" if lead else sentence[0].upper() + sentence[1:]


def interval(claim: Claim) -> str:
    """The interval in words; that there is none where nothing was measured."""
    figures, confidence = claim.figures, percent_whole(claim.method.confidence)
    if figures.point is None or figures.low is None or figures.high is None:
        return "No interval: nothing could be measured."
    low, high = money(figures.low, claim.currency), money(figures.high, claim.currency)
    if claim.state is State.NOT_VERIFIED:
        return f"The {confidence} interval of what was measured, {low} to {high}, proves nothing by itself."
    return f"{confidence} interval: {low} to {high}."


def evidence(claim: Claim) -> str:
    """The tier, and how many gates were passed."""
    passed = sum(gate.state == "passed" for gate in claim.gates)
    failed = sum(gate.state == "failed" for gate in claim.gates)
    open_ = len(claim.gates) - passed - failed
    parts = [f"{passed} of {len(claim.gates)} gates passed"]
    parts += [f"{failed} failed"] if failed else []
    parts += [f"{open_} not assessed"] if open_ else []
    return f"Tier {claim.tier.value}, {TIERS[claim.tier]}; {', '.join(parts)}."


def standing(claim: Claim) -> str:
    """Whether the question was fixed before the change."""
    if claim.proof_class is ProofClass.RETROSPECTIVE:
        tries = sum(attempt.times for attempt in claim.attempts)
        made = f"{some(tries, 'attempt')} {'was' if tries == 1 else 'were'} made, all of them listed here"
        return f"Retrospective: date, scope or driver were chosen after the change; {made}; no fee rests on it."
    frozen = claim.frozen
    since = f"frozen on {day(frozen.captured.date())}" if frozen else "fixed beforehand"
    changed = day(claim.intervention.first_day)
    return f"Prospective: baseline, scope, driver and method were {since}; the change is of {changed}."


def quality(claim: Claim) -> str:
    """The guard rails in one sentence; their own sentences stand in the appendix."""
    if all(rail.state == "not assessed" for rail in claim.guard_rails):
        return NOT_ASSESSED
    found = dict[str, list[str]]()
    for rail in claim.guard_rails:
        found.setdefault(rail.state, []).append(rail.measure.replace("_", " "))
    states = "; ".join(f"{state}: {', '.join(measures)}" for state, measures in found.items())
    return f"Quality and performance: {states}."


def fee(claim: Claim) -> str:
    """The fee in one sentence."""
    if claim.fee:
        amount = money(total(line.amount for line in claim.fee), claim.currency)
        return f"Fee: {amount}, from the lower bound of the interval only."
    return "No fee is stated on this proof."


def bridge(claim: Claim) -> list[dict[str, str]]:
    """From what the baseline period cost to what was paid, in steps that add up to the cent.

    Each part has a label, an amount (money as text) and a kind: `level` (a sum reached) or `step` (added to the level
    before it). Empty where nothing was measured. The baseline period's cost is scaled to the reporting period's days.
    """
    figures = claim.figures
    if figures.counterfactual is None or figures.actual is None or figures.actual_as_billed is None:
        return []
    measured = [d for d in claim.days if d.expected is not None]
    before = [d.cost for d in measured if d.part == "baseline"]
    after = sum(d.part == "reporting" for d in measured)
    if not before or not after:
        return []
    start = cents(quotient(total(before) * after, Decimal(len(before))))
    parts = [
        ("level", f"Baseline period, scaled to {some(after, 'day')}", start),
        ("step", "More work" if figures.counterfactual >= start else "Less work", figures.counterfactual - start),
        ("level", "Without the change", figures.counterfactual),
        ("step", _effect(claim, figures), figures.actual - figures.counterfactual),
        ("level", "Actual, at constant prices", figures.actual),
    ]
    if cents(figures.actual_as_billed) != cents(figures.actual):
        parts += [
            ("step", "Vendor price changes", figures.actual_as_billed - figures.actual),
            ("level", "Actual, as billed", figures.actual_as_billed),
        ]
    if claim.fee:
        charged = total(line.amount for line in claim.fee)
        parts += [("step", "Fee", charged), ("level", "All in", parts[-1][2] + charged)]
    return [{"kind": kind, "label": label, "amount": plain(amount) or "0"} for kind, label, amount in parts]


def cents(amount: Decimal) -> Decimal:
    """Money by the rounding rule of claims: two digits, half to even."""
    return amount.quantize(Decimal("0.01"))


def percent_whole(share: Decimal) -> str:
    """A confidence as people say it: `90%`."""
    return f"{(share * 100).normalize():f}%"


def _effect(claim: Claim, figures: Figures) -> str:
    if claim.state is State.NOT_VERIFIED:
        return "Difference, not verified"
    return "Saving" if figures.point is not None and figures.point > ZERO else "Cost added"
