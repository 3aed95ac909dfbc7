"""From what a person gives to an estimate: typed numbers, a bill that is not kept, or the ledger."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

from analysis.finance import CENT
from analysis.result import ZERO, quotient, total
from analysis.roi import HORIZONS, Case, Range, roi
from analysis.roi_levers import assumptions, parts, saved_share
from billing.catalog import Plan
from reports import numbers
from reports.roi import TYPED, USAGE, Estimate

if TYPE_CHECKING:
    from analysis.repriced import Repriced
    from analysis.roi_baseline import Baseline
    from ledger.lake import Lake

_TWO: Final = Decimal(2)
YOURS: Final = "yours to set"


@dataclass(frozen=True, slots=True)
class Spend:
    """AI spend of a month, where it comes from, and how far it may be projected."""

    range: Range
    currency: str
    basis: str
    horizons: tuple[int, ...] = HORIZONS
    notes: tuple[str, ...] = ()
    sample: bool = False
    months: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True)
class Terms:
    """What a person sets besides spend and saving."""

    plan: Plan
    implementation: Range
    running: Decimal
    ramp: int
    rate: Decimal
    start: date
    horizon: int
    halved: bool = False


def typed_spend(low: Decimal, high: Decimal | None, currency: str) -> Spend:
    """A spend that was typed: one figure, or from one to another."""
    source = "the prospect's own number" if high is None else "the prospect's own numbers; expected is the middle"
    return Spend(between(low, high or low, source), currency, TYPED)


def between(low: Decimal, high: Decimal, source: str, expected: Decimal | None = None) -> Range:
    """A range whose expected figure is its middle where none is given."""
    middle = quotient(total((low, high)), _TWO) if expected is None else expected
    return Range(low, middle, high, source)


def spend_of_lake(lake: Lake, currency: str | None = None) -> Spend:
    """The AI spend that a ledger carries.

    Raises:
        ValueError: it carries none (`analysis.roi_baseline.baseline`).
    """
    from analysis.fees_spend import ai_months  # noqa: PLC0415
    from analysis.roi_baseline import baseline  # noqa: PLC0415

    found: Baseline = baseline(ai_months(lake.table("daily_spend")), currency)
    sample = bool(lake.records("SELECT 1 FROM loads WHERE Synthetic LIMIT 1"))
    return Spend(found.spend, found.currency, USAGE, found.horizons, found.notes, sample, found.months)


def spend_of_files(files: Sequence[str], currency: str | None = None) -> Spend:
    """The AI spend of bills, read into a ledger that is thrown away at once; nothing of them is kept.

    Raises:
        ConnectorError: a file cannot be read or is in no known format.
        ValueError: the bills carry no AI spend of a month.
    """
    from connectors.importing import import_files  # noqa: PLC0415
    from ledger.lake import Address, Lake  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="spendproof-roi-") as folder, Lake(Address(Path(folder) / "lake")) as lake:
        import_files(lake, files)
        return spend_of_lake(lake, currency)


def of_levers(spend: Spend, shares: Mapping[str, Decimal], terms: Terms) -> Estimate:
    """An estimate from levers, each pulled on a share of the spend.

    Raises:
        ValueError: a share, a term or the horizon makes no sense.
    """
    share = saved_share(shares)
    low, expected, high = (
        (share.of(case) * spend.range.of(case)).quantize(CENT) for case in ("low", "expected", "high")
    )
    estimate = of_saving(spend, Range(low, expected, high, share.source), terms)
    return replace(estimate, more=tuple(assumptions(shares)), levers=parts(shares))


def of_saving(spend: Spend, saving: Range, terms: Terms) -> Estimate:
    """An estimate from a saving of a month.

    Raises:
        ValueError: a term makes no sense, or the data does not carry the horizon.
    """
    if terms.horizon not in HORIZONS:
        raise ValueError(f"A horizon is {', '.join(str(n) for n in HORIZONS)} months, not {terms.horizon}.")
    if terms.plan.period != "month":
        raise ValueError(
            f"The plan {terms.plan.id} is priced by the {terms.plan.period}; choose one priced by the month."
        )
    case = Case(
        spend.currency,
        spend.range,
        saving,
        terms.plan.priced(),
        terms.plan.id,
        terms.implementation,
        terms.running,
        terms.ramp,
        terms.rate,
        terms.start,
        terms.halved,
    )
    result = roi(case, spend.horizons)
    result.over(terms.horizon)
    return Estimate(result, terms.plan, terms.horizon, spend.basis, notes=spend.notes, sample=spend.sample)


def repriced_saving(results: Repriced, spend: Spend) -> tuple[Range, tuple[str, ...]]:
    """The saving of a month as re-pricing finds it (lowest, mean and highest of the spend's months), and what it lacks.

    Args:
        results: usage re-priced by month.
        spend: the ledger's spend.

    Raises:
        ValueError: a month of the spend has no usage with a price on both sides.
    """
    sums = dict[date, Decimal]()
    for row in results.rows:
        month = row.dimensions["month"]
        if row.currency == spend.currency and row.saving is not None and isinstance(month, date):
            sums[month] = total((sums.get(month, ZERO), row.saving))
    absent = [month for month in spend.months if month not in sums]
    if absent:
        named = ", ".join(f"{month:%B %Y}" for month in absent)
        raise ValueError(f"No usage of {named} has a price on both sides, so nothing can be re-priced.")
    used = [sums[month] for month in spend.months]
    mean = quotient(total(used), Decimal(len(used)))
    source = f"metered usage of {len(used)} months re-priced at the price book ({results.book_digest[:12]}), by month"
    unpriced = sum((found.tokens for found in results.unpriced), ZERO)
    lacks = f"{numbers.tokens(unpriced)} tokens have no price on one side or the other and save nothing here."
    return Range(min(used), mean, max(used), source), ((lacks,) if unpriced else ())
