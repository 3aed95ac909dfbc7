"""The fee that a proof carries: a plan's price of the verified saving's lower bound, and of nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.fees import Fee, Money, VerifiedSaving, minor_unit, price
from analysis.fees_nodes import FeeError
from billing import catalog
from reports.claim_parts import FeeLine
from reports.numbers import money

if TYPE_CHECKING:
    from billing.catalog import Plan

#: From the lower bound of a verified saving and the tier of its evidence to the lines of the fee.
FeeOf = Callable[[Money, str], tuple[FeeLine, ...]]


def chargeable(day: date) -> Sequence[Plan]:
    """The plans that are valid on a day and priced by a verified saving alone."""
    valid = (p for p in catalog.plans() if p.valid_from <= day and (p.valid_to is None or day < p.valid_to))
    return [plan for plan in valid if plan.metrics == (catalog.SAVING,)]


def plan_for(name: str, day: date, contract: Path | None = None) -> Plan:
    """The version of a plan that is valid on a day, of the price lists or of a contract, where it prices a saving.

    Raises:
        FeeError: there is no such plan, it has no price, or it is priced by something else than a verified saving.
    """
    found = catalog.plan(name, day, None if contract is None else catalog.contract(contract))
    found.priced()
    if found.metrics != (catalog.SAVING,):
        by = " and ".join(name.replace("_", " ") for name in found.metrics) or "nothing that is measured"
        offered = ", ".join(plan.id for plan in chargeable(day))
        raise FeeError(
            f"The plan {found.id} is priced by {by}, and the fee on a proof is taken from the verified saving alone; "
            f"plans that are: {offered}. What {found.id} costs says spendproof fee --plan {found.id}."
        )
    return found


def fee_of(plan: Plan, proof: str) -> FeeOf:
    """What a plan takes of a verified saving.

    The price is applied once to the whole reporting period, so that a bound of a month holds for all of it.

    Args:
        plan: priced by a verified saving (`plan_for`).
        proof: id of the proof that the fee will stand on.
    """

    def lines(low: Money, tier: str) -> tuple[FeeLine, ...]:
        found = price(plan.priced(), {catalog.SAVING: VerifiedSaving(low, tier, proof)})
        if found.amount > low.amount:
            fee, least = money(found.amount, found.currency), money(low.amount, low.currency)
            raise FeeError(
                f"The plan {plan.id} comes to {fee}, more than the {least} that is verified; choose another."
            )
        first, *others = _settled([FeeLine(line.text, line.amount) for line in found.lines if line.counted], found)
        return FeeLine(f"{plan.title}, version {plan.version}: {first.text}", first.amount), *others

    return lines


def _settled(lines: list[FeeLine], found: Fee) -> list[FeeLine]:
    """The lines with what rounding took in the line that it was taken from: no one is billed a part of a cent."""
    *before, last = lines
    if not before or abs(last.amount) >= minor_unit(found.currency):
        return lines
    rounded = f"{before[-1].text}, {last.text[0].lower()}{last.text[1:]}"
    return [*before[:-1], FeeLine(rounded, before[-1].amount + last.amount)]
