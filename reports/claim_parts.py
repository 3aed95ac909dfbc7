"""The parts of a claim: plain frozen values. Their figures, units and rounding are those of `reports.claim`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from analysis.scope import Filter


@dataclass(frozen=True, slots=True)
class Driver:
    """What the business did, and cost is measured against.

    Attributes:
        name: of the driver in the ledger's `drivers` table, or `requests` out of usage.
        unit: what one of it is (`request`, `user`, `document`); None where the source does not say.
        source: `drivers` (the customer's own file) or `usage` (the providers' reports).
    """

    name: str
    unit: str | None
    source: str


@dataclass(frozen=True, slots=True)
class Intervention:
    """A dated change. `kind` is a lever (`routing`, `caching`, ...) or what happened besides (`vendor price`, ...).

    Attributes:
        first_day, last_day: days (UTC) that it concerns; `last_day` is None while it lasts.
        scope: what it was made to; empty is everything.
        note: what was done, in words.
        who: who registered it; None where that is not known.
        recorded: when it was registered (UTC); None for what the product found itself.
    """

    first_day: date
    last_day: date | None
    kind: str
    note: str
    scope: tuple[Filter, ...] = ()
    who: str | None = None
    recorded: datetime | None = None


@dataclass(frozen=True, slots=True)
class Days:
    """A period of whole days (UTC), both ends included.

    Attributes:
        days: days of it that are measured.
        missing: days without cost or driver; they are not measured.
        left_out: days taken out of the measurement (black-out days of interventions).
    """

    first_day: date
    last_day: date
    days: int
    missing: tuple[date, ...] = ()
    left_out: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True)
class FrozenBaseline:
    """The baseline that the claim stands on, as it was signed before the change; None on a retrospective claim.

    Attributes:
        id: of the record in the workspace.
        digest: SHA-256 (hex) of its canonical JSON, which the customer was handed.
        captured: when it was frozen (UTC).
        signature: compact JWS over the digest; None where no signing key was set up then.
        row_digest: SHA-256 of the ledger's rows of the baseline period, then.
        restated: whether those rows are others now.
        timestamp: RFC 3161 token, base64; None where no authority was asked.
    """

    id: str
    digest: str
    captured: datetime
    signature: str | None
    row_digest: str
    restated: bool
    timestamp: str | None = None


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of a load, by name, size in bytes and SHA-256 (hex)."""

    name: str
    bytes: int | None
    sha256: str | None


@dataclass(frozen=True, slots=True)
class CitedLoad:
    """A load of the ledger that the figures rest on.

    Attributes:
        load_id: in the ledger's `loads`.
        connection, format, table: the source, the format it was recognised as, and the table it went to.
        loaded: when (UTC).
        first_moment, last_moment: of its rows; None where a load has none.
        rows: that it put into the ledger.
        rejected: rows that could not be taken.
        synthetic: whether it is sample data.
        files: what was read.
    """

    load_id: str
    connection: str
    format: str
    table: str
    loaded: datetime
    first_moment: datetime | None
    last_moment: datetime | None
    rows: int
    rejected: int
    synthetic: bool
    files: tuple[SourceFile, ...]


@dataclass(frozen=True, slots=True)
class Method:
    """How the saving was measured.

    Attributes:
        name: of the estimator, as `measure` names it.
        version: of its definition; a change of any formula changes it.
        confidence: of the interval, two-sided, as a share (0.9).
        rounding: `ROUNDING`.
        summary: at most three sentences for a reader without statistics.
    """

    name: str
    version: str
    confidence: Decimal
    rounding: str
    summary: str


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition that a claim must meet.

    Attributes:
        id: G0 to G10.
        title: in a few words.
        state: `passed`, `failed` or `not assessed`.
        sentence: what was found, with its limit.
        numbers: name and value of what it was judged by, as text.
    """

    id: str
    title: str
    state: str
    sentence: str
    numbers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class InvoiceTotal:
    """What a provider invoiced from `first_day` to `last_day`, beside the ledger's BilledCost of the same (money).

    `source` says where the invoiced amount is from.
    """

    first_day: date
    last_day: date
    ledger: Decimal
    invoiced: Decimal
    source: str


@dataclass(frozen=True, slots=True)
class EvidenceGiven:
    """What the gates took from outside the days (`analysis.savings_evidence.Evidence`).

    Attributes:
        unsettled: days that a provider may still restate; None where that is not known.
        invoices: beside the ledger.
        signed_by: who vouches that no other change than the registered ones was made; None where nobody does.
        quality: measure, one-sided lower bound of its change, margin and source; None where it was not measured.
        blackout: days left out of both periods.
    """

    unsettled: tuple[date, ...] | None
    invoices: tuple[InvoiceTotal, ...]
    signed_by: str | None
    quality: tuple[str, Decimal, Decimal, str] | None
    blackout: tuple[date, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured over the reporting period; None throughout where nothing could be measured.

    Attributes:
        point, low, high: avoided cost (money at constant prices) and its interval; negative is a cost added.
        counterfactual: what the reporting period would have cost without the change (money at constant prices).
        actual: what it cost (money at constant prices); `counterfactual - actual = point`.
        actual_as_billed: the same charges at the prices of their days.
        share, share_low, share_high: point and interval as shares of `counterfactual` (0.2 is 20 %).
        drift_to_nothing: yearly fall of unit cost, undeclared, that alone would bring `low` to zero (share).
        minimum_detectable: share of cost that this baseline would detect (one-sided 2.5 %, power 80 %).
    """

    point: Decimal | None
    low: Decimal | None
    high: Decimal | None
    counterfactual: Decimal | None
    actual: Decimal | None
    actual_as_billed: Decimal | None
    share: Decimal | None
    share_low: Decimal | None
    share_high: Decimal | None
    drift_to_nothing: Decimal | None
    minimum_detectable: Decimal | None


@dataclass(frozen=True, slots=True)
class Day:
    """One measured day; all of them let a third party measure again.

    Attributes:
        date: UTC.
        part: `baseline` or `reporting`.
        cost: of the scope at constant prices, without credits, taxes, refunds and commitments (money).
        as_billed: the same charges at the prices of the day (money).
        driver: how many of the driver's unit.
        price_per_token: cost of one token (money at constant prices); None where tokens are not known.
        tokens_per_driver: tokens for one unit of the driver; None where tokens are not known.
        expected: what the model says of the day (money); on reporting days the counterfactual. None without a model.
        expected_low, expected_high: interval of this single day (money); days err together, so they do not add up.
    """

    date: date
    part: str
    cost: Decimal
    as_billed: Decimal
    driver: Decimal
    price_per_token: Decimal | None = None
    tokens_per_driver: Decimal | None = None
    expected: Decimal | None = None
    expected_low: Decimal | None = None
    expected_high: Decimal | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Cost inside the scope that no saving may come from: credits, taxes, refunds, purchases and commitments.

    Attributes:
        what: the kind of charge.
        why: it is left out.
        baseline, reporting: BilledCost of each period (money).
        charges: how many; None where they are parts of other charges.
    """

    what: str
    why: str
    baseline: Decimal
    reporting: Decimal
    charges: int | None = None


@dataclass(frozen=True, slots=True)
class PriceChange:
    """A vendor's price that changed within the two periods, and was taken out.

    Attributes:
        provider, model, kind: of tokens whose price it is.
        day: from which it holds.
        before, after: money for one million tokens.
    """

    provider: str
    model: str
    kind: str
    day: date
    before: Decimal
    after: Decimal


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at a retrospective claim over this workspace; all of them are printed.

    Attributes:
        at: when it was made first (UTC).
        question: asked.
        outcome: `verified` or `not verified`, with the saving where there was one.
        times: how often exactly this was asked.
    """

    at: datetime
    question: str
    outcome: str
    times: int = 1


@dataclass(frozen=True, slots=True)
class Repriced:
    """T1: the metered usage at other prices or under levers; an estimate until the bill shows it.

    Attributes:
        what: plan or lever.
        used, planned: money for the same tokens as they were, and as planned.
        difference: `used - planned`.
        verified: never true; T1 stands beside a measurement, not in it.
        note: what has no price and is left out, in words.
    """

    what: str
    used: Decimal
    planned: Decimal
    difference: Decimal
    note: str


@dataclass(frozen=True, slots=True)
class Projection:
    """T4: what would follow if everything stayed; never called a saving.

    Attributes:
        what: `a year at the same rate`.
        amount, low, high: money.
        basis: how it was made, in words.
    """

    what: str
    amount: Decimal
    low: Decimal
    high: Decimal
    basis: str


@dataclass(frozen=True, slots=True)
class FeeLine:
    """One line of the fee, which is taken from the verified lower bound only: text and money."""

    text: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Share:
    """An intervention's part of the measured total; parts add up to it exactly.

    Attributes:
        note: of the intervention.
        first_day: on which it joined (UTC).
        sequential, shapley: money by the order of dates, and by Shapley's value.
        alone: what it would avoid by itself (money); these overlap and are never added.
    """

    note: str
    first_day: date
    sequential: Decimal
    shapley: Decimal
    alone: Decimal
