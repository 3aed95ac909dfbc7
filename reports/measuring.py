"""From the ledger and a question to a claim: the days at constant prices, measured, with everything that they cite."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from analysis.baseline import DayRow, Series, Sufficiency, series, sufficiency
from analysis.constant_prices import CostDays, daily_costs
from analysis.drivers import DriverDays, driver_days
from analysis.guard_rails import GuardRail
from analysis.period import Period
from analysis.result import plain, quotient
from ledger.lake import Lake
from ledger.price_book import book
from reports import cited
from reports.claim import (
    ROUNDING,
    Attempt,
    Claim,
    Day,
    Days,
    Driver,
    EvidenceGiven,
    FeeLine,
    Figures,
    FrozenBaseline,
    Gate,
    Intervention,
    InvoiceTotal,
    LeftOut,
    Method,
    PriceChange,
    Projection,
    ProofClass,
    Repriced,
    State,
    Tier,
)
from reports.invoices import Invoice, beside_ledger
from reports.question import LEVERS, Question
from reports.splitting import shares_of, split_of

if TYPE_CHECKING:
    from analysis.savings import AvoidedCost, Evidence
    from analysis.savings_evidence import Quality
    from reports.charging import FeeOf

#: ISO 4217 of what has none: a scope without charges, whose claim is refused.
NO_CURRENCY: Final = "XXX"
_ONE: Final = timedelta(days=1)
_YEAR: Final = Decimal(365)
_AT_CONSTANT_PRICES: Final = "costs are restated to constant prices"
SUMMARY: Final = (
    "The cost of one unit of the driver before the change, by weekday and at constant prices, is taken to what the "
    "business did after it: that is the cost without the change. What was billed is taken off. The interval is the "
    "widest of three: chance by day, chance by week, and what the method finds where nothing was done. A saving is "
    "verified only where the interval of 95% confidence lies above zero as well."
)
CONSTANT_PRICES: Final = (
    "List prices of the reporting period: where a vendor changed a price in either period, cost is restated to the "
    "mean of it over the reporting days. Credits, taxes, refunds, purchases and commitments are left out."
)


@dataclass(frozen=True, slots=True)
class Given:
    """What people say about a claim beside the ledger.

    Attributes:
        signed_by: who vouches that the registered changes are all there were; None where nobody does.
        invoices: of the providers.
        guard_rails: quality and performance as measured.
        repriced: T1 figures that stand beside the measurement.
        confidence: two-sided.
        fee_of: makes the fee's lines of a verified lower bound and the tier of its evidence.
    """

    signed_by: str | None = None
    invoices: Sequence[Invoice] = ()
    guard_rails: Callable[[cited.Tables, Question], tuple[GuardRail, ...]] | None = None
    repriced: tuple[Repriced, ...] = ()
    confidence: Decimal = Decimal("0.90")
    fee_of: FeeOf | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a claim came about: its class, the baseline that was frozen, and the attempts there were."""

    proof_class: ProofClass
    frozen: FrozenBaseline | None = None
    attempts: tuple[Attempt, ...] = ()


@dataclass(frozen=True, slots=True)
class Gathered:
    """The days of both periods, and the tables that they are from."""

    tables: cited.Tables
    costs: CostDays
    driver: DriverDays
    baseline: Series
    reporting: Series
    book_digest: str
    invoices: tuple[InvoiceTotal, ...] = field(default=())

    @property
    def sufficiency(self) -> Sufficiency:
        """What the baseline can carry."""
        return sufficiency(self.baseline, (*self.costs.warnings, *self.driver.warnings))


def gather(lake: Lake, question: Question, *, snapshot: int | None = None) -> Gathered:
    """Read both periods of a question, as the ledger is now or was at a snapshot.

    Raises:
        ValueError: several currencies, or a driver that is refused or unknown.
    """
    at = lake.snapshot() if snapshot is None else snapshot
    tables = cited.tables(lake, question.scope, at)
    before, after = (Period(first, last + _ONE) for first, last in (question.baseline, question.reporting))
    prices = book.load(lake=lake).layer("list")
    costs = daily_costs(tables.spend, tables.token_costs, tables.usage, prices.table, before, after)
    whole = Period(before.start, after.end)
    driver = driver_days(tables.drivers, tables.usage, question.scope, question.driver, whole)
    one, two = (
        series(first, last, costs.days, driver.values) for first, last in (question.baseline, question.reporting)
    )
    return Gathered(tables, costs, driver, one, two, prices.digest)


def measure(lake: Lake, workspace: str, question: Question, given: Given, standing: Standing, now: datetime) -> Claim:
    """The claim that answers a question; one that the data cannot carry comes back with its refusals.

    Args:
        lake: the ledger.
        workspace: its name.
        question: what is asked.
        given: what people say beside the ledger.
        standing: how the claim came about.
        now: moment of the measurement.

    Raises:
        ValueError: several currencies, or a driver that is refused or unknown.
    """
    from analysis.savings import METHOD, measure_avoided_cost  # noqa: PLC0415 - scipy, which only a claim needs
    from analysis.savings_planning import detectable_saving  # noqa: PLC0415

    found = gather(lake, question)
    spans = (question.baseline, question.reporting)
    at, currency = found.tables.snapshot, found.costs.currency or NO_CURRENCY
    query = cited.row_query(question.scope, found.driver.name, found.driver.source, spans, at)
    loads = cited.loads(lake, question.scope, found.driver.name, found.driver.source, spans, at)
    settled = cited.settled(lake, question.scope, spans, at)
    invoices = beside_ledger(lake, question.scope, given.invoices, currency, at)
    rails = given.guard_rails(found.tables, question) if given.guard_rails else ()
    evidence = _evidence(question, given, found, settled, invoices, rails, currency)
    frames = found.baseline.frame(), found.reporting.frame()
    result = measure_avoided_cost(*frames, evidence=evidence, confidence=float(given.confidence))
    reporting_days = max(found.reporting.length, 1)
    detectable = detectable_saving(frames[0], reporting_days).fraction if found.baseline.days else None
    state = _state(result, settled)
    days = _days(found, result)
    shared = split_of((question.change, *_within(question)), *spans, days, result.point)
    return Claim(
        question=question.text,
        proof_class=standing.proof_class,
        tier=Tier(result.tier.value),
        state=state,
        workspace=workspace,
        synthetic=any(load.synthetic for load in loads),
        currency=currency,
        created=now.astimezone(UTC).replace(microsecond=0),
        scope=question.scope.filters,
        driver=Driver(found.driver.name, found.driver.unit, found.driver.source),
        intervention=question.change,
        baseline=_period(found.baseline, question),
        reporting=_period(found.reporting, question),
        frozen=standing.frozen,
        loads=loads,
        snapshot=at,
        row_digest=cited.digest_rows(lake, query),
        row_query=query,
        price_book_digest=found.book_digest,
        constant_prices=CONSTANT_PRICES,
        method=Method("constant-price intensity regression", METHOD, given.confidence, ROUNDING, SUMMARY),
        gates=tuple(_gate(gate) for gate in result.gates),
        figures=_figures(result, found.reporting, detectable),
        evidence=_given(settled, invoices, given, evidence.quality, question),
        limits=result.limits,
        days=days,
        left_out=tuple(
            LeftOut(part.what, part.why, part.baseline, part.reporting, part.charges) for part in found.costs.excluded
        ),
        price_changes=tuple(
            PriceChange(part.provider, part.model, part.kind, part.day, part.before, part.after)
            for part in found.costs.price_changes
        ),
        other_changes=_within(question),
        guard_rails=rails,
        attempts=standing.attempts,
        refusals=_refusals(result),
        warnings=tuple(f.sentence for f in (*found.sufficiency.disqualifications, *found.sufficiency.warnings)),
        provisional_periods=settled.periods,
        repriced=given.repriced,
        projections=_projections(result, found.reporting, state),
        shares=shares_of(shared),
        split=shared.sentences,
        fee=_fee(result, state, standing, given, currency),
    )


def _evidence(
    question: Question,
    given: Given,
    found: Gathered,
    settled: cited.Settled,
    invoices: Sequence[InvoiceTotal],
    rails: Sequence[GuardRail],
    currency: str,
) -> Evidence:
    from analysis.savings_evidence import Evidence, InvoiceCheck, OtherChange  # noqa: PLC0415
    from analysis.savings_evidence import Intervention as Dated  # noqa: PLC0415

    within = _within(question)
    levers = [part for part in (question.change, *within) if part is question.change or part.kind in LEVERS]
    prices = {(part.day, f"{part.provider} {part.model}") for part in found.costs.price_changes}
    others = [
        OtherChange(day, f"list price of {what}", "costs are restated to constant prices")
        for day, what in sorted(prices)
    ]
    others += [
        OtherChange(part.first_day, part.note, _kept_out(part, question)) for part in within if part.kind not in LEVERS
    ]
    return Evidence(
        currency=currency,
        unsettled=frozenset(settled.unsettled),
        invoices=tuple(InvoiceCheck(i.first_day, i.last_day, i.ledger, i.invoiced) for i in invoices),
        price_book=found.book_digest,
        interventions=tuple(Dated(part.first_day, part.note, LEVERS.get(part.kind, True)) for part in levers),
        other_changes=tuple(others) if given.signed_by else None,
        signed_by=given.signed_by,
        quality=_quality(rails),
        blackout=question.blackout,
    )


def _kept_out(part: Intervention, question: Question) -> str | None:
    """Why what happened besides is not in the figures; None where it may be."""
    if part.kind == "vendor-price":
        return _AT_CONSTANT_PRICES
    last = part.last_day or part.first_day
    days = {part.first_day + n * _ONE for n in range((last - part.first_day).days + 1)}
    return "its days are measured in neither period" if days <= question.blackout else None


def _quality(rails: Sequence[GuardRail]) -> Quality | None:
    from analysis.savings_evidence import Quality  # noqa: PLC0415

    rail = next((rail for rail in rails if rail.measure == "pass_rate"), None)
    if rail is None or rail.low is None or rail.margin is None:
        return None
    return Quality("Share of evaluations passed", rail.low, rail.margin, f"{rail.count_after:,} cases after the change")


def _within(question: Question) -> tuple[Intervention, ...]:
    """Other registered changes that concern days of either period."""
    first, last = question.baseline[0], question.reporting[1]
    return tuple(part for part in question.others if part.first_day <= last and (part.last_day or last) >= first)


def _refusals(result: AvoidedCost) -> tuple[str, ...]:
    """Why it is not verified, what was measured first: that nothing was saved weighs more than a missing invoice."""
    nothing = result.low is not None and not result.shown
    return (*result.refusals[-1:], *result.refusals[:-1]) if nothing else result.refusals


def _state(result: AvoidedCost, settled: cited.Settled) -> State:
    if result.verified:
        return State.VERIFIED
    failed = {gate.name for gate in result.gates if gate.status.value == "failed"}
    waits = settled.unsettled and failed <= {"G0"} and result.shown
    return State.PROVISIONAL if waits else State.NOT_VERIFIED


def _period(part: Series, question: Question) -> Days:
    out = tuple(sorted(day for day in question.blackout if part.first <= day <= part.last))
    measured = sum(day.date not in question.blackout for day in part.days)
    missing = tuple(day for day in part.missing if day not in question.blackout)
    return Days(part.first, part.last, measured, missing, out)


def _gate(gate: object) -> Gate:
    from analysis.savings_result import Gate as Judged  # noqa: PLC0415

    if not isinstance(gate, Judged):
        raise TypeError(f"{gate!r} is no gate.")
    numbers = tuple((name, _number(value)) for name, value in gate.evidence.items())
    return Gate(gate.name, gate.title, gate.status.value, gate.sentence, numbers)


def _number(value: Decimal | int | str) -> str:
    return plain(value) or "" if isinstance(value, Decimal) else str(value)


def _figures(result: AvoidedCost, reporting: Series, detectable: Decimal | None) -> Figures:
    measured = {day.date for day in result.days if day.reporting}
    billed = [day.as_billed for day in reporting.days if not measured or day.date in measured]
    return Figures(
        point=result.point,
        low=result.low,
        high=result.high,
        counterfactual=result.counterfactual,
        actual=result.actual,
        actual_as_billed=sum(billed, Decimal()) if billed else None,
        share=result.fraction,
        share_low=result.fraction_low,
        share_high=result.fraction_high,
        drift_to_nothing=result.drift_to_nothing,
        minimum_detectable=detectable,
    )


def _given(
    settled: cited.Settled,
    invoices: tuple[InvoiceTotal, ...],
    given: Given,
    quality: Quality | None,
    question: Question,
) -> EvidenceGiven:
    stated = None if quality is None else (quality.measure, quality.low, quality.margin, quality.source)
    return EvidenceGiven(settled.unsettled, invoices, given.signed_by, stated, tuple(sorted(question.blackout)))


def _days(found: Gathered, result: AvoidedCost) -> tuple[Day, ...]:
    expected = {day.date: day for day in result.days}

    def stated(row: DayRow, part: str) -> Day:
        model = expected.get(row.date)
        band = (None, None, None) if model is None else (model.expected, model.low, model.high)
        return Day(
            row.date, part, row.cost, row.as_billed, row.driver, row.price_per_token, row.tokens_per_driver, *band
        )

    parts = (("baseline", found.baseline.days), ("reporting", found.reporting.days))
    return tuple(stated(row, part) for part, rows in parts for row in rows)


def _projections(result: AvoidedCost, reporting: Series, state: State) -> tuple[Projection, ...]:
    """A year at the same rate; only of what is verified, and never called a saving."""
    if state is not State.VERIFIED or result.point is None or result.low is None or result.high is None:
        return ()
    days = Decimal(reporting.length)
    point, low, high = (
        quotient(amount * _YEAR, days).quantize(Decimal("0.01")) for amount in (result.point, result.low, result.high)
    )
    basis = f"The measured {reporting.length} days, taken to 365 as if the business and all prices stayed as they were."
    return (Projection("a year at the same rate", point, low, high, basis),)


def _fee(result: AvoidedCost, state: State, standing: Standing, given: Given, currency: str) -> tuple[FeeLine, ...]:
    from analysis.fees import Money  # noqa: PLC0415 - only a fee needs it

    prospective = standing.proof_class is ProofClass.PROSPECTIVE
    if given.fee_of is None or result.low is None or state is not State.VERIFIED or not prospective:
        return ()
    return given.fee_of(Money(result.low, currency), result.tier.value)
