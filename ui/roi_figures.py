"""The ROI page's table of plans side by side, as plain values."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.fees import Metrics, Money, VerifiedSaving
from analysis.result import ZERO, total
from analysis.roi import CASES, Case
from billing.catalog import Plan
from billing.compare import Compared, compare
from reports import numbers
from reports.roi import whole
from ui.fee_answers import finer


def side_by_side(case: Case, plans: Sequence[Plan]) -> tuple[list[dict[str, str | None]], list[Compared]]:
    """Each plan's fee and net of a month in full effect, and its fee where nothing is saved.

    Returns:
        The table's rows, and the comparison at the spend without any saving.
    """
    runs = {which: _compared(case, plans, which) for which in CASES}
    alone = compare(plans, {"ai_spend": Money(case.baseline.expected, case.currency)}, case.baseline.expected)
    rows = list[dict[str, str | None]]()
    for number, each in enumerate(alone):
        low, expected, high = (runs[which][number] for which in CASES)
        rows.append(
            {
                "Plan": _titled(each.plan, case.currency),
                "Fee a month": _fee(expected),
                "Net a month": _net(case, low, high),
                "Net without a saving": each.reason or numbers.money(each.net_without_saving, case.currency),
            }
        )
    return rows, alone


def _compared(case: Case, plans: Sequence[Plan], which: str) -> list[Compared]:
    saved = case.claimed.of(which)
    left = total((case.baseline.of(which), -saved))
    metrics: Metrics = {
        "ai_spend": Money(left, case.currency),
        "verified_saving": VerifiedSaving(Money(saved, case.currency), "T1", "assumed, not verified"),
    }
    return compare(plans, metrics, left)


def _titled(plan: Plan, currency: str) -> str:
    bound = plan.never_more
    return f"{plan.title}, {'no cap' if bound is None else f'never more than {whole(bound, currency)}'}"


def _fee(row: Compared) -> str | None:
    """The fee, and which share of the spend it is."""
    if row.fee is None:
        return None
    amount = numbers.money(row.fee.amount, row.fee.currency)
    return f"{amount}, {finer(row.of_spend)} of the spend" if row.of_spend is not None else amount


def _net(case: Case, low: Compared, high: Compared) -> str | None:
    if low.fee is None or high.fee is None:
        return None
    ends = (total((case.claimed.low, -low.fee.amount)), total((case.claimed.high, -high.fee.amount)))
    texts = [whole(end + ZERO, case.currency) for end in sorted(ends)]
    return texts[0] if texts[0] == texts[1] else " to ".join(texts)
