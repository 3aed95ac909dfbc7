"""An ROI estimate and a revenue projection as the command line prints them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path

from analysis.projection import Projection
from analysis.roi import LABEL
from billing.claims import Claim
from reports import numbers
from reports.roi import Estimate, assumptions, headline, pdf, sentences, whole
from ui.console import print_json, print_table, say, say_out


def print_roi(estimate: Estimate, out: Path | None, made: datetime, *, as_json: bool) -> None:
    """An estimate: three sentences, the table of low, expected and high, and every assumption.

    As JSON: `label`, `evidence`, `sample`, `currency`, `basis`, `plan`, `plan_version`, `plan_digest`, `horizon`,
    `halved`, `sentences` (`text`, or null and what is `missing`), `monthly_ai_spend` and `monthly_saving` (`low`,
    `expected`, `high`, `source`), `outcomes` (by months, for each case `saving`, `fee`, `implementation`, `running`,
    `net`, `roi_percent`, `npv`, `irr`, `breakeven_days`, `payback`, `effective_rate`, `baseline`), `without_a_saving`,
    `assumptions` (`name`, `value`, `source`) and `notes`.
    """
    if out is not None:
        out.write_bytes(pdf(estimate, made))
        say(f"One page in {out}.")
    if as_json:
        print_json(estimate.record())
        return
    say_out(f"{LABEL}{'. Synthetic sample data' if estimate.sample else ''}.")
    for said in sentences(estimate):
        say_out(said.text or f"Not said: {said.missing}")
    say_out(f"\nOver {estimate.horizon} months, amounts in {estimate.roi.case.currency}:")
    rows = [tuple(row.values()) for row in headline(estimate)]
    print_table(("", "Low", "Expected", "High"), rows, right=(1, 2, 3))
    lost = whole(estimate.roi.without.net, estimate.roi.case.currency)
    say_out(f"Without any saving the net of {estimate.roi.without.months} months is {lost}.")
    say_out("\nIt rests on:")
    for each in assumptions(estimate):
        say_out(f"  {each.name}: {each.value} ({each.source})")
    for note in estimate.notes:
        say_out(note)


def print_projection(found: Projection, *, as_json: bool) -> None:
    """A projection: `currency`, `mrr`, `arr`, `collected_low`, `collected_high` and `months`."""
    if as_json:
        print_json(found.record())
        return
    code = found.currency
    for month in found.months:
        counts = ", ".join(f"{name} {count:,.1f}" for name, count in month.customers.items())
        say_out(f"Month {month.month}: {numbers.money(month.mrr, code)} a month ({counts})")
    say_out(
        f"MRR {numbers.money(found.mrr, code)}, ARR {numbers.money(found.arr, code)} at the end (12 times the MRR)."
    )
    low, high = numbers.money(found.collected_low, code), numbers.money(found.collected_high, code)
    say_out(f"Collected over {len(found.months)} months: {low} to {high}. A projection, not revenue.")


def print_claims(claims: list[Claim], *, as_json: bool) -> None:
    """Published projections: each `claim`, `model`, `stated`, `computed`, `verdict` and `reason`."""
    if as_json:
        print_json([claim.record() for claim in claims])
        return
    for claim in claims:
        say_out(f"{claim.model}: {claim.name}")
        computed = ", ".join(f"{name} {_short(value)}" for name, value in claim.computed.items())
        say_out(f"  stated {claim.stated}; computed {computed}")
        say_out(f"  {claim.verdict}: {claim.reason}")


def _short(value: Decimal) -> str:
    return f"{value.normalize():,f}"
