"""Plans side by side at one AI spend: what each costs, as a share of the spend, and where the step between two is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from analysis.fees import Fee, Metrics, price
from analysis.fees_nodes import FeeError
from analysis.result import ZERO, plain, quotient, share
from billing.catalog import Plan, plans

LIST: Final = "spendproof"
_CLIFF: Final = 2


@dataclass(frozen=True, slots=True)
class Compared:
    """One plan at one AI spend.

    Attributes:
        plan: the plan.
        fee: what it costs in a month; None where it cannot be said, and `reason` says why.
        of_spend: the fee as a share of the AI spend; None without a fee or spend.
        reason: why there is no fee.
    """

    plan: Plan
    fee: Fee | None
    of_spend: Decimal | None
    reason: str = ""

    @property
    def net_without_saving(self) -> Decimal | None:
        """What is left in a month without a verified saving: the fee, as a loss."""
        return None if self.fee is None else -self.fee.amount + ZERO

    def record(self) -> dict[str, Any]:
        """The plan as JSON carries it."""
        return {
            "plan": self.plan.id,
            "plan_version": self.plan.version,
            "title": self.plan.title,
            "amount": None if self.fee is None else f"{self.fee.amount:f}",
            "currency": None if self.fee is None else self.fee.currency,
            "share_of_ai_spend": plain(self.of_spend),
            "never_more_than": plain(self.plan.never_more),
            "net_without_verified_saving": plain(self.net_without_saving),
            "reason": self.reason or None,
        }


def offered(day: date, price_list: str = LIST) -> list[Plan]:
    """The monthly plans of a list that are valid on a day, the lower bound first and those without one last.

    Raises:
        FeeError: there is no such list.
    """
    if price_list not in (known := dict.fromkeys(p.price_list for p in plans())):
        raise FeeError(f"There is no price list {price_list!r}; there are {', '.join(known)}.")
    found = [
        p
        for p in plans()
        if p.price_list == price_list
        and p.period == "month"
        and p.valid_from <= day
        and (p.valid_to is None or day < p.valid_to)
    ]
    return sorted(found, key=lambda p: (p.never_more is None, p.never_more or ZERO, p.id))


def compare(among: Sequence[Plan], metrics: Metrics, ai_spend: Decimal) -> list[Compared]:
    """What each plan costs at the same metrics; a plan that needs another metric says so."""
    found = list[Compared]()
    for each in among:
        try:
            fee = price(each.priced(), metrics)
            found.append(Compared(each, fee, share(fee.amount, ai_spend)))
        except FeeError as error:
            found.append(Compared(each, None, None, str(error)))
    return found


def cliffs(rows: Sequence[Compared]) -> list[str]:
    """Sentences about the step from a plan with a cap to one without, where the second costs at least twice as much."""
    capped = [r for r in rows if r.fee and r.fee.amount and r.plan.never_more is not None and _of_spend(r.plan)]
    loose = [r for r in rows if r.fee and r.plan.never_more is None]
    if not capped:
        return []
    top = max(capped, key=lambda r: r.fee.amount if r.fee else ZERO)
    said = list[str]()
    for row in loose:
        if row.fee is None or top.fee is None or row.fee.amount < top.fee.amount * _CLIFF:
            continue
        times = quotient(row.fee.amount, top.fee.amount).quantize(Decimal("0.1"))
        said.append(
            f"{row.plan.title} has no cap: {row.fee.amount:,f} {row.fee.currency} ({_percent(row.of_spend)} of the "
            f"spend) where {top.plan.title} stays at {top.fee.amount:,f} ({_percent(top.of_spend)}): {times:f} times "
            "as much."
        )
    return said


def _of_spend(plan: Plan) -> bool:
    return "ai_spend" in plan.metrics


def _percent(part: Decimal | None) -> str:
    return "-" if part is None else f"{(part * 100).quantize(Decimal('0.01')):f} %"
