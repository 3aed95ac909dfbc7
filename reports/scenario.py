"""From a saved ROI scenario back to its estimate, as the ROI page would show it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from analysis.result import ZERO
from analysis.roi import Range
from analysis.roi_levers import LEVERS
from billing import catalog
from billing.compare import offered
from reports import roi_case
from reports.roi_case import Spend, Terms
from reports.view import ReportError

if TYPE_CHECKING:
    from reports.roi import Estimate

#: Where the saving of a scenario comes from.
SHARES: Final = "Levers"
RANGE: Final = "Your own range"
TOKENS: Final = "Its tokens"
_HUNDRED: Final = Decimal(100)
_CENT: Final = Decimal("0.01")


def token_of(link: str) -> str:
    """The token in a link to a saved scenario (`.../roi?scenario=TOKEN`, `.../case/TOKEN`), or the token itself."""
    return link.strip().rpartition("scenario=")[2].rpartition("/")[2]


def estimate(kept: Mapping[str, Any], today: date) -> Estimate:
    """The estimate of a saved scenario (`accounts.scenarios.load`).

    Args:
        kept: what was saved.
        today: day whose price list its plan is taken from.

    Raises:
        ReportError: it was saved without a saving, or its plan is not offered any more.
        ValueError: a term makes no sense (`reports.roi_case`).
    """
    chosen: Mapping[str, Any] = kept["set"]
    spent = kept["spend"]
    spend = Spend(
        range_of(spent),
        spent["currency"],
        spent["basis"],
        tuple(spent["horizons"]),
        tuple(spent["notes"]),
        spent["sample"],
    )
    terms = _terms(chosen, today)
    if chosen["roi-way"] == SHARES:
        shares = {lever.id: Decimal(int(chosen.get(f"roi-{lever.id}", 0))) / _HUNDRED for lever in LEVERS}
        return roi_case.of_levers(spend, shares, terms)
    return roi_case.of_saving(spend, _saving(kept, chosen), terms)


def range_of(kept: Mapping[str, Any]) -> Range:
    """A range as a scenario keeps it."""
    return Range(Decimal(kept["low"]), Decimal(kept["expected"]), Decimal(kept["high"]), kept["source"])


def amount(value: object) -> Decimal | None:
    """An amount as a person typed it into a page, to the cent; None where nothing was."""
    return None if value is None else Decimal(repr(float(str(value)))).quantize(_CENT)


def _saving(kept: Mapping[str, Any], chosen: Mapping[str, Any]) -> Range:
    if chosen["roi-way"] == TOKENS and kept["saving"] is not None:
        return range_of(kept["saving"])
    low, high = amount(chosen.get("roi-low")), amount(chosen.get("roi-high"))
    if low is None or high is None:
        raise ReportError("The saved scenario has no saving; open its link, set one, and make a new link.")
    return roi_case.between(low, high, "your own range; expected is the middle")


def _terms(chosen: Mapping[str, Any], today: date) -> Terms:
    plans = {plan.title: plan.id for plan in offered(today)}
    title = chosen["roi-plan"]
    if title not in plans:
        raise ReportError(f"The plan {title} of the saved scenario is not offered any more; make a new link.")
    least = amount(chosen.get("roi-cost")) or ZERO
    return Terms(
        plan=catalog.plan(plans[title], today),
        implementation=roi_case.between(least, amount(chosen.get("roi-cost-high")) or least, roi_case.YOURS),
        running=amount(chosen.get("roi-running")) or ZERO,
        ramp=int(chosen["roi-ramp"]),
        rate=Decimal(int(chosen["roi-rate"])) / _HUNDRED,
        start=date.fromisoformat(chosen["roi-start"]),
        horizon=int(chosen["roi-horizon"]),
        halved=bool(chosen["roi-halve"]),
    )
