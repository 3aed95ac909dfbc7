"""Whether the figures of a document follow from each other: what anyone can check with a pencil.

A signature says that nobody changed a document since; this says that its issuer could add.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from analysis.result import ZERO, plain, quotient, total
from reports.proof.canonical import Difference, DocumentError

#: Half of the last printed digit on either side of a sum of figures that were rounded one by one.
_CENT: Final = Decimal("0.01")
_SHARE: Final = Decimal("0.000002")


def wrong_figure(document: Mapping[str, Any]) -> tuple[Difference, str] | None:
    """The first figure that does not follow from the others, and the rule it breaks; None where all add up.

    Raises:
        DocumentError: a figure that the rules need is missing or is no number.
    """
    try:
        for check in (_days, _figures, _shares, _levels, _fee, _state):
            for path, found, due, rule in check(document):
                if found != due:
                    return Difference(f"/document{path}", _shown(found), _shown(due)), rule
    except (KeyError, TypeError, ValueError, InvalidOperation, IndexError, AttributeError) as error:
        raise DocumentError(f"The document lacks a figure that every proof has: {error!r}.") from error
    return None


Finding = tuple[str, object, object, str]


def _days(document: Mapping[str, Any]) -> Iterator[Finding]:
    days: Mapping[str, Sequence[Any]] = document["days"]
    dates = days["date"]
    for name, column in days.items():
        yield f"/days/{name}", len(column), len(dates), "Every column of the days has as many values as there are days."
    for i in range(1, len(dates)):
        yield f"/days/date/{i}", dates[i] > dates[i - 1], True, "The days run forward."
    claim = document["claim"]
    for part in ("baseline", "reporting"):
        out = set(claim[part]["left_out"])
        measured = sum(p == part and day not in out for p, day in zip(days["part"], dates, strict=False))
        yield f"/claim/{part}/days", claim[part]["days"], measured, "A period has as many days as are measured in it."


def _figures(document: Mapping[str, Any]) -> Iterator[Finding]:
    figures, days = document["claim"]["figures"], document["days"]
    point, low, high = (_number(figures[name]) for name in ("point", "low", "high"))
    counterfactual, actual = _number(figures["counterfactual"]), _number(figures["actual"])
    # A day without a driver or taken out has no expectation and is part of neither sum.
    of_model = [text is not None for text in days["expected"]]
    modelled = any(of_model)
    rows = [i for i, part in enumerate(days["part"]) if part == "reporting" and (of_model[i] or not modelled)]
    if actual is not None and modelled:
        spent = total(Decimal(days["cost"][i]) for i in rows)
        yield from _near("actual", actual, spent, "The actual cost is the sum of the reporting days.")
    if counterfactual is None or actual is None or point is None or low is None or high is None:
        yield "/claim/figures/point", point, None, "Without a counterfactual there is no saving."
        return
    expected = total(Decimal(days["expected"][i]) for i in rows)
    # Each expected day is rounded to a cent by itself, so that the sum may be off by half a cent for each.
    slack = _CENT * max(len(rows), 1) / 2 + _CENT
    rule = "The counterfactual is the sum of what was expected of the reporting days."
    yield from _near("counterfactual", counterfactual, expected, rule, slack)
    yield from _near("point", point, counterfactual - actual, "The saving is counterfactual less actual.", ZERO)
    yield "/claim/figures/low", low <= point, True, "The interval's lower end is not above the saving."
    yield "/claim/figures/high", high >= point, True, "The interval's upper end is not below the saving."
    if counterfactual > ZERO:
        for name, amount in (("share", point), ("share_low", low), ("share_high", high)):
            due = quotient(amount, counterfactual)
            rule = "A share is its figure over the counterfactual."
            yield from _near(name, _number(figures[name]), due, rule, _slack(amount, counterfactual))


def _shares(document: Mapping[str, Any]) -> Iterator[Finding]:
    claim = document["claim"]
    for way in ("sequential", "shapley") if claim["shares"] else ():
        parts = total(Decimal(share[way]) for share in claim["shares"])
        due = Decimal(claim["figures"]["point"])
        yield f"/claim/shares/0/{way}", parts, due, "The parts of several changes add up to the saving."


def _levels(document: Mapping[str, Any]) -> Iterator[Finding]:
    reached: Decimal | None = None
    steps = ZERO
    for i, part in enumerate(document["bridge"]):
        amount = Decimal(part["amount"])
        if part["kind"] == "step":
            steps += amount
        else:
            due = amount if reached is None else reached + steps
            yield f"/bridge/{i}/amount", amount, due, "The bridge's steps lead from one level to the next."
            reached, steps = amount, ZERO


def _fee(document: Mapping[str, Any]) -> Iterator[Finding]:
    claim = document["claim"]
    if not claim["fee"]:
        return
    fee, low = total(Decimal(line["amount"]) for line in claim["fee"]), _number(claim["figures"]["low"])
    path = "/claim/fee/0/amount"
    yield path, claim["proof_class"], "prospective", "No fee rests on a retrospective proof."
    yield path, low is not None and fee <= max(low, ZERO), True, "The fee is not above the interval's lower end."


def _state(document: Mapping[str, Any]) -> Iterator[Finding]:
    claim = document["claim"]
    yield "/claim/state", claim["state"], document["state"], "Document and claim are in one state."
    if document["state"] != "verified":
        return
    low = _number(claim["figures"]["low"])
    yield "/state", low is not None and low > ZERO, True, "A verified saving has an interval above zero."
    yield "/claim/refusals", claim["refusals"], [], "Nothing is refused in a verified proof."
    for i, gate in enumerate(claim["gates"]):
        yield f"/claim/gates/{i}/state", gate["state"] == "failed", False, "A verified proof has failed no gate."


def _near(
    name: str, found: Decimal | None, due: Decimal, rule: str, slack: Decimal = _CENT
) -> Iterator[tuple[str, object, object, str]]:
    near = found is not None and abs(found - due) <= slack
    yield f"/claim/figures/{name}", found, found if near else due, rule


def _slack(amount: Decimal, whole: Decimal) -> Decimal:
    """How far a share may be off, where its figure and its whole were rounded to a cent before."""
    return _SHARE + (1 + abs(quotient(amount, whole))) * _CENT / whole


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _shown(value: object) -> str:
    return str(plain(value)) if isinstance(value, Decimal) else str(value)
