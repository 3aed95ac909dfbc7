"""The ROI case as a report: a saved scenario in every format, its one page as the PDF. An estimate throughout."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from accounts import scenarios
from analysis.finance import months_after
from analysis.roi import LABEL
from reports import numbers, roi, roi_figures, scenario
from reports.numbers import whole
from reports.report import Chart, Column, Figure, Kind, Report, Section, Table, Value
from reports.roi import Estimate
from reports.view import ReportError, View

if TYPE_CHECKING:
    from accounts.home import Settings

_CASES = ("Low", "Expected", "High")


def roi_report(settings: Settings, workspace: str, view: View, made: datetime) -> Report:
    """The report of the saved scenario that the view is of.

    Raises:
        ReportError: the view names none, or it has no saving any more.
        ScenarioError: the token opens none, or it has ended.
        ValueError: a term of it makes no sense.
    """
    if view.of is None:
        raise ReportError(
            "An ROI case is of a saved scenario: on the ROI page, keep the figures, make a link and name it "
            "(--scenario LINK)."
        )
    kept = scenarios.load(settings, workspace, scenario.token_of(view.of), made)
    found = scenario.estimate(kept, made.date())
    case = found.roi.case
    return Report(
        name="roi",
        title="ROI case (estimate)",
        workspace=workspace,
        first=case.start,
        last=months_after(case.start, found.horizon) - timedelta(days=1),
        currency=case.currency,
        snapshot=None,
        made=made,
        synthetic=found.sample,
        alarms=(),
        notes=(f"{LABEL}. Low pairs the low saving with the high cost.", *found.notes),
        sections=tuple(_sections(found)),
        own={"pdf": partial(roi.pdf, found, made)},
    )


def _sections(estimate: Estimate) -> list[Section]:
    said = [sentence.text or f"Not said: {sentence.missing}" for sentence in roi.sentences(estimate)]
    (bridge, bridge_told), (cash, cash_told) = roi_figures.bridge(estimate), roi_figures.cash_flow(estimate)
    charts = (
        Chart("A month in full effect, expected case", bridge_told, bridge),
        Chart("What has come in, less what has gone out", cash_told, cash),
    )
    without = whole(estimate.roi.without.net, estimate.roi.case.currency)
    lost = f"Without any saving the net of {estimate.roi.without.months} months is {without}."
    return [
        Section("What it is worth", tuple(said), _figures(estimate), charts),
        Section(f"Over {estimate.horizon} months", (lost,), tables=(_amounts(estimate), _rates(estimate))),
        Section("Other horizons", tables=(_horizons(estimate),)),
        Section("What it rests on", tables=(_assumptions(estimate),)),
    ]


def _figures(estimate: Estimate) -> tuple[Figure, ...]:
    """The expected case with its range beside it; a figure never stands without one."""
    low, expected, high = estimate.outcomes
    unit = estimate.roi.case.currency

    def money(label: str, what: str) -> Figure:
        ends = " to ".join(whole(getattr(outcome, what), unit) for outcome in (low, high))
        return Figure(label, getattr(expected, what), Kind.WHOLE, f"expected; {ends}", unit)

    share = f"expected; {numbers.percent(low.roi)} to {numbers.percent(high.roi)}"
    return (
        money(f"Net saving, {estimate.horizon} months", "net"),
        Figure("ROI", expected.roi, Kind.SHARE, share),
        money("NPV", "npv"),
    )


def _columns(kind: Kind) -> tuple[Column, ...]:
    return (Column("", Kind.TEXT), *(Column(case, kind) for case in _CASES))


def _amounts(estimate: Estimate) -> Table:
    rows = {
        "Spend without the change": "baseline",
        "Saving": "saving",
        "Fee": "fee",
        "Implementation": "implementation",
        "Running cost": "running",
        "Net saving": "net",
        "NPV": "npv",
    }
    values = [(name, *(getattr(o, what) for o in estimate.outcomes)) for name, what in rows.items()]
    return Table("Amounts", _columns(Kind.WHOLE), tuple(values))


def _rates(estimate: Estimate) -> Table:
    rows = {"ROI": "roi", "IRR a year": "irr", "Effective savings rate": "effective_rate"}
    values = [(name, *(getattr(o, what) for o in estimate.outcomes)) for name, what in rows.items()]
    return Table("Rates", _columns(Kind.SHARE), tuple(values), note=f"Payback: {_payback(estimate)}.")


def _payback(estimate: Estimate) -> str:
    never = f"not within {estimate.horizon} months"
    days = [numbers.day(o.payback) if o.payback else never for o in estimate.outcomes]
    return ", ".join(f"{day} in the {case.lower()} case" for case, day in zip(_CASES, days, strict=True))


def _horizons(estimate: Estimate) -> Table:
    columns = (
        Column("Months", Kind.COUNT),
        Column("Net saving, low", Kind.WHOLE),
        Column("Net saving, high", Kind.WHOLE),
        Column("ROI, low", Kind.SHARE),
        Column("ROI, high", Kind.SHARE),
        Column("NPV, low", Kind.WHOLE),
        Column("NPV, high", Kind.WHOLE),
    )
    rows = list[tuple[Value, ...]]()
    for months, (low, _, high) in estimate.roi.outcomes.items():
        rows.append((months, low.net, high.net, low.roi, high.roi, low.npv, high.npv))
    return Table("Other horizons", columns, tuple(rows))


def _assumptions(estimate: Estimate) -> Table:
    columns = tuple(Column(name, Kind.TEXT) for name in ("Assumption", "Value", "Source"))
    rows = tuple((each.name, each.value, each.source) for each in roi.assumptions(estimate))
    return Table("What it rests on", columns, rows)
