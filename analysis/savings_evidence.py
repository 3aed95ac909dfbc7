"""What two frames of days cannot say of a saving: the bill's finality, other changes, quality; and the gates on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from analysis.savings_result import Gate, Status
from analysis.written import money

#: A ledger reconciles to an invoice within half a percent, or one unit of the currency.
RECONCILED_SHARE: Final = Decimal("0.005")
RECONCILED_AMOUNT: Final = Decimal(1)
#: Days named in a sentence before the rest is counted.
NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class InvoiceCheck:
    """One invoice of the scope's bill beside the ledger's total of the same charges; `last` is included."""

    first: date
    last: date
    ledger: Decimal
    invoiced: Decimal

    @property
    def difference(self) -> Decimal:
        """Ledger minus invoice."""
        return self.ledger - self.invoiced

    @property
    def reconciles(self) -> bool:
        """Within 0.5 % of the invoice, or one unit of the currency."""
        return abs(self.difference) <= max(RECONCILED_SHARE * abs(self.invoiced), RECONCILED_AMOUNT)


@dataclass(frozen=True, slots=True)
class Intervention:
    """A change that is meant to save, and its day; `changes_answers` for routing, compression and the like."""

    day: date
    name: str
    changes_answers: bool


@dataclass(frozen=True, slots=True)
class OtherChange:
    """Anything else that moved the scope's cost; `kept_out` says how its effect is not in the figures, if it is not."""

    day: date
    what: str
    kept_out: str | None = None


@dataclass(frozen=True, slots=True)
class Quality:
    """A quality measure, higher is better: one-sided 95 % lower bound of its change, and the margin that is allowed.

    Non-inferior is a lower bound of at least minus the margin; the margin is stated before the change.
    """

    measure: str
    low: Decimal
    margin: Decimal
    source: str

    @property
    def non_inferior(self) -> bool:
        """Whether a loss beyond the margin is ruled out."""
        return self.low >= -self.margin


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known of the bill and the workload beyond the frames.

    Attributes:
        currency: ISO 4217 code of both frames.
        unsettled: days whose charges are estimated or may still be restated; None where that is not known.
        invoices: every invoice of the scope that touches the two periods.
        price_book: digest of the price book that made the prices constant.
        billed_currencies: currencies before conversion, where there were others than `currency`.
        exchange_rates: the dated table of rates by which they were converted.
        interventions: every intervention on the scope, dated.
        other_changes: the customer's list; None where there is none, empty where it says that there were none.
        signed_by: who signed that list.
        quality: the quality measurement; None where there is none, and the claim then says so.
        blackout: days left out of both periods; each counts as missing.
    """

    currency: str
    unsettled: frozenset[date] | None = None
    invoices: tuple[InvoiceCheck, ...] = ()
    price_book: str | None = None
    billed_currencies: tuple[str, ...] = ()
    exchange_rates: str | None = None
    interventions: tuple[Intervention, ...] = ()
    other_changes: tuple[OtherChange, ...] | None = None
    signed_by: str | None = None
    quality: Quality | None = None
    blackout: frozenset[date] = frozenset()


def billing_gate(evidence: Evidence | None, days: tuple[date, ...]) -> Gate:
    """G0: final days, one currency or dated rates, reconciled to the invoice, pinned prices."""
    if evidence is None:
        return _billing(Status.NOT_ASSESSED, "Nothing was given about the bill: final days, invoices, price book.")
    open_days = sorted(set(days) & (evidence.unsettled or frozenset()))
    apart = [check for check in evidence.invoices if not check.reconciles]
    foreign = sorted(set(evidence.billed_currencies) - {evidence.currency})
    if open_days:
        return _billing(
            Status.FAILED, f"The bill of {_named(open_days)} is not final yet; measure again when it is.", evidence
        )
    if foreign and evidence.exchange_rates is None:
        return _billing(
            Status.FAILED, f"Charges in {', '.join(foreign)} were converted without a dated exchange rate.", evidence
        )
    if apart:
        worst = max(apart, key=lambda check: abs(check.difference))
        return _billing(
            Status.FAILED,
            f"The ledger says {money(worst.ledger, evidence.currency)} and the invoice "
            f"{money(worst.invoiced, evidence.currency)} for {worst.first} to {worst.last}; "
            "that is more than 0.5% and more than one unit of the currency apart.",
            evidence,
        )
    without = [day for day in days if not any(check.first <= day <= check.last for check in evidence.invoices)]
    unknown = [
        *(["whether all days are final"] if evidence.unsettled is None else []),
        *([f"the invoice of {_named(without)}"] if without else []),
        *(["the version of the price book"] if not evidence.price_book else []),
    ]
    if unknown:
        return _billing(Status.NOT_ASSESSED, f"Not known: {'; '.join(unknown)}.", evidence)
    return _billing(
        Status.PASSED, "All days are final, the ledger reconciles to the invoices, the price book is pinned.", evidence
    )


def isolation_gate(evidence: Evidence | None, baseline: tuple[date, date], reporting: tuple[date, date]) -> Gate:
    """G9: one dated intervention between the periods, and a signed list of all other changes.

    Args:
        evidence: interventions and other changes.
        baseline: first and last day.
        reporting: first and last day.
    """
    if evidence is None or not evidence.interventions:
        return _isolation(Status.NOT_ASSESSED, "No dated intervention was given, so the change may have any cause.")
    inside = [i for i in evidence.interventions if baseline[0] <= i.day <= reporting[1]]
    between = [i for i in inside if baseline[1] < i.day <= reporting[0]]
    numbers = {"interventions": len(inside), "other_changes": len(evidence.other_changes or ())}
    if len(inside) > 1:
        names = ", ".join(f"{i.name} ({i.day})" for i in inside)
        return _isolation(
            Status.FAILED,
            f"Several interventions fall into the two periods and cannot be told apart: {names}.",
            numbers,
        )
    if not between:
        dates = ", ".join(f"{i.name} ({i.day})" for i in evidence.interventions)
        return _isolation(
            Status.FAILED, f"No intervention lies between the baseline and the reporting period: {dates}.", numbers
        )
    if evidence.other_changes is None or not evidence.signed_by:
        return _isolation(Status.NOT_ASSESSED, "The list of other changes is not signed by the customer.", numbers)
    disturbing = [c for c in evidence.other_changes if baseline[0] <= c.day <= reporting[1] and not c.kept_out]
    if disturbing:
        names = ", ".join(f"{c.what} ({c.day})" for c in disturbing)
        return _isolation(Status.FAILED, f"Other changes fall into the two periods: {names}.", numbers)
    return _isolation(
        Status.PASSED,
        f"{between[0].name} ({between[0].day}) is the only change; signed by {evidence.signed_by}.",
        numbers,
    )


def quality_gate(evidence: Evidence | None) -> Gate:
    """G10: answers as good as before, or the claim says that this was not assessed."""
    title = "quality"
    if evidence is None or not evidence.interventions:
        return Gate("G10", title, Status.NOT_ASSESSED, {}, "Quality not assessed.")
    quality = evidence.quality
    if quality is None and not any(i.changes_answers for i in evidence.interventions):
        return Gate("G10", title, Status.PASSED, {}, "The intervention does not touch the answers.")
    if quality is None:
        return Gate("G10", title, Status.NOT_ASSESSED, {}, "Quality not assessed.")
    numbers = {"lower_bound": quality.low, "margin": quality.margin}
    stated = f"{quality.measure} ({quality.source}) changed by at least {quality.low}, margin {quality.margin}"
    if quality.non_inferior:
        return Gate("G10", title, Status.PASSED, numbers, f"Quality held: {stated}.")
    return Gate("G10", title, Status.FAILED, numbers, f"A loss of quality is not ruled out: {stated}.")


def _billing(status: Status, sentence: str, evidence: Evidence | None = None) -> Gate:
    if evidence is None:
        return Gate("G0", "billing", status, {}, sentence)
    apart = max((abs(check.difference) for check in evidence.invoices), default=None)
    numbers = {"invoices": len(evidence.invoices), "currency": evidence.currency}
    return Gate(
        "G0", "billing", status, numbers if apart is None else numbers | {"largest_difference": apart}, sentence
    )


def _isolation(status: Status, sentence: str, numbers: dict[str, int] | None = None) -> Gate:
    return Gate("G9", "isolation", status, dict(numbers or {}), sentence)


def _named(days: list[date]) -> str:
    shown = ", ".join(day.isoformat() for day in days[:NAMED])
    return shown if len(days) <= NAMED else f"{shown} and {len(days) - NAMED} more days"
