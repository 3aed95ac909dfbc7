"""The thread through a proof: measure before, change, measure after, prove, hand over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from json import dumps
from typing import TYPE_CHECKING, Any, Final

from analysis.result import ZERO, plain
from analysis.savings import METHOD
from analysis.savings_planning import HORIZON_DAYS
from analysis.scope import Scope, parse
from ledger.price_book import book
from reports import baselines, cited
from reports.baselines import Captured
from reports.claim import Attempt, Claim, FrozenBaseline, Intervention, ProofClass, Repriced, State
from reports.invoices import known
from reports.measuring import Given, Standing, measure
from reports.numbers import money
from reports.proof.issue import issue, loaded
from reports.proof.keys import signer
from reports.question import Question, QuestionError, intervention_of, is_prospective, may_meet, periods, touching
from reports.records import BaselineRecord, ProofRecord, Store, digest_of, from_moment, moment, new_id
from reports.shares import DAYS, Shared, Shares

if TYPE_CHECKING:
    from accounts.home import Settings
    from analysis.plan import Plan
    from analysis.repriced import Repriced as Priced
    from ledger.lake import Lake

#: What stands beside every T1 figure.
NOT_YET: Final = "re-priced, not yet verified: no bill has shown it"

Span = tuple[date | None, date | None]


@dataclass(frozen=True, slots=True)
class Run:
    """A plan of levers on the usage of a scope: tier T1, an estimate.

    Attributes:
        priced: in full.
        results: one for each currency; empty where no tokens have a price on both sides.
    """

    priced: Priced
    results: tuple[Repriced, ...]

    def record(self) -> dict[str, Any]:
        """As JSON carries it."""
        return {
            "tier": "T1",
            "verified": False,
            "note": NOT_YET,
            "results": [
                {"what": r.what, "used": plain(r.used), "planned": plain(r.planned), "difference": plain(r.difference)}
                for r in self.results
            ],
            "repriced": self.priced.record(),
        }


@dataclass(frozen=True, slots=True)
class OptimizationProof:
    """One workspace's proofs.

    Attributes:
        lake: its ledger.
        settings: of the installation.
        workspace: its name.
        signs: whether baselines and proofs are signed by the workspace's key; proofs without are drafts.
    """

    lake: Lake
    settings: Settings
    workspace: str
    signs: bool = True

    @property
    def store(self) -> Store:
        """The workspace's records."""
        return Store(self.settings, self.workspace)

    def capture_baseline_metrics(
        self,
        scope: Scope,
        driver: str,
        now: datetime,
        *,
        span: Span = (None, None),
        name: str = "",
        reporting_days: int = HORIZON_DAYS,
    ) -> Captured:
        """Freeze what the scope costs for each unit of the driver, before anything is changed.

        Args:
            scope: which charges.
            driver: `requests`, or a driver of the customer's own.
            now: moment of the capture.
            span: first and last day; without them the last year that the ledger has.
            name: for people.
            reporting_days: length of the period that the smallest saving is told for.

        Raises:
            ValueError: no charges, several currencies, or a driver that is refused or unknown.
        """
        first, last = self._bounds(scope)
        last = span[1] or last
        first = span[0] or max(first, last - timedelta(days=364))
        if last < first:
            raise QuestionError(f"The baseline ends on {last}, before it begins on {first}.")
        return baselines.capture(
            self.lake,
            self.store,
            scope,
            driver,
            (first, last),
            name=name or scope.text() or "the whole bill",
            signer=signer(self.settings, self.workspace, now) if self.signs else None,
            now=now,
            reporting_days=reporting_days,
        )

    def run_optimization(self, plan: Plan, scope: Scope, span: tuple[date, date]) -> Run:
        """What a plan of levers would make of the scope's usage: T1, shown as re-priced and not as saved.

        Args:
            plan: the levers.
            scope: which usage.
            span: first and last day of the usage.

        Raises:
            PlanError: the plan routes to a model without a price.
            ValueError: the scope names a service, which usage does not know.
        """
        from analysis.reprice import reprice  # noqa: PLC0415 - Ibis and Arrow, which only a run needs

        prices = book.load(lake=self.lake)
        usage = scope.usage(self.lake.table("usage"))
        end = span[1] + timedelta(days=1)
        found = reprice(usage, prices.table, plan, digest=prices.digest, start=span[0], end=end)
        return Run(found, tuple(_results(found)))

    def calculate_improvements(
        self,
        change: Intervention,
        given: Given,
        now: datetime,
        *,
        scope: Scope,
        driver: str,
        baseline: Span = (None, None),
        reporting: Span = (None, None),
        frozen: BaselineRecord | None = None,
        plan: Plan | None = None,
    ) -> Claim:
        """Measure what a change avoided, as a claim; a retrospective one counts as an attempt.

        Args:
            change: the intervention in question.
            given: what people say beside the ledger; invoices that are known besides are added to it.
            now: moment of the measurement.
            scope: which charges; that of the frozen baseline where there is one.
            driver: likewise.
            baseline: first and last day, None for what is not chosen; those of the frozen baseline where there is one.
            reporting: first and last day, None for what is not chosen.
            frozen: a baseline that was frozen; the claim is prospective where that was before the change.
            plan: levers that are re-priced on the baseline's usage, T1 beside the measurement.

        Raises:
            ValueError: a period that is empty, several currencies, a driver that is refused or unknown, or a frozen
                baseline that is not what was frozen.
        """
        basis = None if frozen is None else self._basis(frozen)
        if frozen is not None:
            scope, driver, baseline = parse(frozen.scope), frozen.driver, (frozen.first_day, frozen.last_day)
        registered = [intervention_of(row) for row in self.store.interventions()]
        others = tuple(part for part in touching(scope, registered) if not _same(part, change))
        spans = periods(change, others, self._bounds(scope), baseline=baseline, reporting=reporting)
        question = Question(scope, driver, change, *spans, others)
        given = replace(given, invoices=known(self.lake, self.settings, self.workspace, given.invoices))
        if plan is not None:
            given = replace(given, repriced=self.run_optimization(plan, scope, question.baseline).results)
        same_method = frozen is None or baselines.method_of(frozen) == METHOD
        prospective = basis is not None and is_prospective(basis.captured, change) and same_method
        kind = ProofClass.PROSPECTIVE if prospective else ProofClass.RETROSPECTIVE
        claim = measure(self.lake, self.workspace, question, given, Standing(kind, basis), now)
        if basis is not None and basis.restated:
            claim = replace(claim, warnings=(_RESTATED, *claim.warnings))
        if not same_method:
            claim = replace(claim, warnings=(_OTHER_METHOD, *claim.warnings))
        return claim if prospective else replace(claim, attempts=self._attempts(claim, question, now))

    def generate_proof_report(
        self, claim: Claim, now: datetime, *, supersedes: ProofRecord | None = None, proof: str | None = None
    ) -> ProofRecord:
        """Keep a claim as a proof, with its signed document.

        Args:
            claim: what it states.
            now: moment of the signature.
            supersedes: the proof that it replaces, which becomes superseded.
            proof: its id, where something in the claim names it already.
        """
        proof = proof or new_id()
        written = None
        if self.signs:
            before = None if supersedes is None else _document_digest(supersedes)
            reason = None if before is None else _SUPERSEDES
            key = signer(self.settings, self.workspace, now)
            made = issue(claim, key, proof, now, supersedes=before, reason=reason)
            written = made.content.decode()
        figures = claim.figures
        record = ProofRecord(
            id=proof,
            workspace=self.workspace,
            question=claim.question,
            state=claim.state.value if written is not None else State.DRAFT.value,
            reason=claim.refusals[0] if claim.refusals else "",
            proof_class=claim.proof_class.value,
            tier=claim.tier.value,
            currency=claim.currency,
            point=plain(figures.point),
            low=plain(figures.low),
            high=plain(figures.high),
            claim=dumps(claim.record(), ensure_ascii=False),
            document=written,
            cited=[load.load_id for load in claim.loads],
            row_digest=claim.row_digest,
            superseded_by=None,
            created_at=moment(now),
        )
        kept = self.store.add_proof(record)
        if supersedes is not None:
            self.store.set_state(supersedes.id, State.SUPERSEDED, _SUPERSEDES, superseded_by=proof)
        return kept

    def create_shareable_link(
        self, proof: ProofRecord, now: datetime, *, days: int = DAYS, password: str | None = None, names: bool = False
    ) -> Shared:
        """A link to a redacted, signed copy of a proof, for people without an account; its token is shown once.

        Args:
            proof: the kept one.
            now: moment of the copy's signature.
            days: after which the link ends.
            password: that is asked for besides; None for none.
            names: whether names are taken out as well.

        Raises:
            QuestionError: the proof is a draft, which nobody signed.
            ShareError: the days are out of range.
        """
        if proof.document is None:
            raise QuestionError(f"Proof {proof.id} is a draft that nobody signed; sign it before it is shared.")
        kept = loaded(proof.document.encode())
        return Shares(self.settings, self.workspace).create(kept, now, days=days, password=password, names=names)

    def _bounds(self, scope: Scope) -> tuple[date, date]:
        found = cited.bounds(self.lake, scope, self.lake.snapshot())
        if found is None:
            about = f"with {scope.text()}" if scope.filters else "at all"
            raise QuestionError(
                f"The ledger has no charge {about}. See what there is: spendproof spend --by provider,model,account"
            )
        return found

    def _basis(self, record: BaselineRecord) -> FrozenBaseline:
        wrong = baselines.check(record)
        if wrong is not None:
            raise QuestionError(f"Baseline {record.id} cannot be used: {wrong}. Capture it again.")
        return baselines.frozen(self.lake, record)

    def _attempts(self, claim: Claim, question: Question, now: datetime) -> tuple[Attempt, ...]:
        """Every attempt there was on charges that may be the same, this one included."""
        ends = [money(end, claim.currency) for end in (claim.figures.low, claim.figures.high) if end is not None]
        chosen, scope, interval = digest_of(question.chosen), question.scope, " to ".join(ends)
        outcome = f"{claim.state}, {interval}" if interval else str(claim.state)
        self.store.count_attempt(chosen, scope.text(), question.text, outcome, now)
        return tuple(
            Attempt(from_moment(row.first_at), row.asked, row.outcome, row.times)
            for row in self.store.attempts()
            if may_meet(scope.filters, parse(row.scope).filters)
        )


_RESTATED: Final = (
    "The bill of the baseline was restated since it was frozen; the figures are as known now, the frozen digest is as "
    "known then."
)
_OTHER_METHOD: Final = (
    "The baseline was frozen under another version of the method, so that the method was not fixed before the change."
)
_SUPERSEDES: Final = "The bill that it cites was restated; this proof measures it as known now."


def _document_digest(record: ProofRecord) -> str | None:
    """SHA-256 of the signed document in canonical form; None of a draft."""
    return None if record.document is None else loaded(record.document.encode()).digest


def _same(one: Intervention, other: Intervention) -> bool:
    return (one.first_day, one.kind, one.note) == (other.first_day, other.kind, other.note)


def _results(found: Priced) -> Sequence[Repriced]:
    results = list[Repriced]()
    for row in found.rows:
        if row.both_used is None or row.both_planned is None:
            continue
        unpriced = sum((finding.tokens for finding in found.unpriced), ZERO)
        note = f"{NOT_YET}; {unpriced:,.0f} tokens have no price and are left out" if unpriced else NOT_YET
        used, planned = row.both_used.amount, row.both_planned.amount
        results.append(Repriced(f"{found.plan.name} ({row.currency})", used, planned, used - planned, note))
    return results
