"""The sample customer's changes, from their dates to kept proofs: the truth inside, the ineffective one refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from analysis.plan import parse_plan
from analysis.scope import Scope, parse
from connectors.importing import import_files
from ledger.lake import Lake
from reports.claim import Claim, Intervention, ProofClass, State, Tier
from reports.guarding import Evaluations, rails, read_evaluations
from reports.measuring import Given
from reports.optimization import OptimizationProof
from reports.question import QuestionError
from reports.stale import stale_proofs
from sample_data import files
from tests.samples import NOW, WORKSPACE, invoices, sample, saved, settings

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

CONFIDENCE = Decimal("0.90")
ROUTING = Intervention(date(2026, 5, 12), None, "routing", "Easy requests to gpt-4.1-mini")
ASSISTANT = parse("provider=OpenAI,project=proj_synthetic_assistant")
VOUCHED = Given(signed_by="Test", invoices=invoices())


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("proofs")


@pytest.fixture(scope="module")
def lake(home: Path) -> Iterator[Lake]:
    yield from sample(home, "openai", "anthropic", "gcp", "azure")


@pytest.fixture
def proof(lake: Lake, tmp_path: Path) -> OptimizationProof:
    """The sample's ledger with records of its own for each test."""
    return OptimizationProof(lake, settings(tmp_path), WORKSPACE, signs=False)


def improvements(
    proof: OptimizationProof, change: Intervention, scope: Scope, driver: str, given: Given = VOUCHED
) -> Claim:
    return proof.calculate_improvements(change, given, NOW, scope=scope, driver=driver)


@pytest.mark.parametrize(
    ("day", "kind", "scope", "driver", "change", "truth"),
    [
        (
            date(2026, 2, 10),
            "caching",
            "provider=Anthropic,project=wrkspc_synthetic_search",
            "search_requests",
            "search-prompt-caching",
            ("Anthropic", ("claude-sonnet-4-6",), "search"),
        ),
        (
            date(2026, 5, 12),
            "routing",
            "provider=OpenAI,project=proj_synthetic_assistant",
            "assistant_requests",
            "assistant-model-routing",
            ("OpenAI", ("gpt-5.5", "gpt-4.1-mini"), "assistant"),
        ),
        (
            date(2026, 7, 14),
            "batch",
            "provider=Microsoft,model=gpt-4.1",
            "docs_requests",
            "docs-batch",
            ("Microsoft", ("gpt-4.1",), "docs"),
        ),
    ],
)
def test_a_true_saving_lies_inside_its_interval_and_is_verified(
    proof: OptimizationProof,
    day: date,
    kind: str,
    scope: str,
    driver: str,
    change: str,
    truth: tuple[str, tuple[str, ...], str],
) -> None:
    claim = improvements(proof, Intervention(day, None, kind, change), parse(scope), driver)
    figures = claim.figures
    assert figures.low is not None
    assert figures.high is not None
    assert claim.reporting.days == 90
    true = saved(change, *truth, claim.reporting.first_day, claim.reporting.last_day)
    assert true > 1000
    assert figures.low <= true <= figures.high
    assert (claim.state, claim.tier, claim.refusals) == (State.VERIFIED, Tier.BASELINE, ())
    assert claim.synthetic


def test_a_change_without_effect_is_refused(proof: OptimizationProof) -> None:
    trimming = Intervention(date(2026, 4, 14), None, "trimming", "Prompt trimming")
    scope = parse("provider=Google Cloud,model=gemini-2.5-pro")
    claim = improvements(proof, trimming, scope, "docs_requests")
    assert claim.state is State.NOT_VERIFIED
    assert "so nothing may have been avoided" in claim.refusals[0]
    assert claim.figures.low is not None
    assert claim.figures.high is not None
    assert claim.figures.low < 0 < claim.figures.high
    # The promotion's credits of the first months are no cost that was saved later.
    assert [(part.what, part.reporting) for part in claim.left_out] == [("Credits on use", 0)]


def test_a_vendors_price_cut_is_no_saving(proof: OptimizationProof) -> None:
    cut = Intervention(date(2026, 7, 30), None, "tier", "What we did on the day the vendor cut its price")
    claim = improvements(proof, cut, parse("provider=OpenAI,model=gpt-5.6-luna"), "search_requests")
    assert claim.state is State.NOT_VERIFIED
    assert claim.figures.share is not None
    assert abs(claim.figures.share) < Decimal("0.01")
    assert {change.day for change in claim.price_changes} == {date(2026, 7, 30)}
    assert all(change.after * 5 == change.before for change in claim.price_changes)


def test_nothing_is_verified_without_invoices_or_without_a_signature(proof: OptimizationProof) -> None:
    claim = improvements(proof, ROUTING, ASSISTANT, "assistant_requests", Given())
    states = {gate.id: gate.state for gate in claim.gates}
    assert (claim.state, states["G0"], states["G9"]) == (State.NOT_VERIFIED, "not assessed", "not assessed")
    assert claim.projections == ()


def test_an_invoice_that_is_not_what_the_ledger_says_refuses(proof: OptimizationProof) -> None:
    wrong = tuple(
        replace(invoice, amount=invoice.amount * 2) if str(invoice.first) == "2026-06-01" else invoice
        for invoice in invoices()
    )
    claim = improvements(proof, ROUTING, ASSISTANT, "assistant_requests", replace(VOUCHED, invoices=wrong))
    assert {gate.id: gate.state for gate in claim.gates}["G0"] == "failed"
    assert claim.state is State.NOT_VERIFIED


def test_another_lever_of_the_same_scope_refuses_and_one_elsewhere_does_not(proof: OptimizationProof) -> None:
    store = proof.store
    store.add_intervention(
        date(2026, 6, 10), None, scope="provider=Anthropic", kind="caching", note="elsewhere", who=None, now=NOW
    )
    assert improvements(proof, ROUTING, ASSISTANT, "assistant_requests").state is State.VERIFIED
    store.add_intervention(
        date(2026, 5, 20), None, scope="provider=OpenAI", kind="compression", note="shorter prompts", who=None, now=NOW
    )
    claim = improvements(proof, ROUTING, ASSISTANT, "assistant_requests")
    assert {gate.id: gate.state for gate in claim.gates}["G9"] == "failed"
    assert [change.note for change in claim.other_changes] == ["shorter prompts"]


def test_a_later_lever_ends_the_reporting_period_where_enough_days_are_left(proof: OptimizationProof) -> None:
    proof.store.add_intervention(
        date(2026, 7, 1), None, scope="provider=OpenAI", kind="caching", note="later", who=None, now=NOW
    )
    claim = improvements(proof, ROUTING, ASSISTANT, "assistant_requests")
    assert (claim.reporting.last_day, claim.reporting.days, claim.state) == (date(2026, 6, 30), 50, State.VERIFIED)


def test_a_black_out_is_measured_in_neither_period(proof: OptimizationProof) -> None:
    proof.store.add_intervention(
        date(2026, 5, 10), date(2026, 5, 13), scope="", kind="blackout", note="moving", who=None, now=NOW
    )
    claim = improvements(proof, ROUTING, ASSISTANT, "assistant_requests")
    assert claim.reporting.left_out == (date(2026, 5, 12), date(2026, 5, 13))
    assert claim.reporting.days == 88
    assert claim.evidence.blackout[0] == date(2026, 5, 10)
    assert claim.state is State.VERIFIED


# Classes and attempts


def test_every_attempt_is_counted_and_printed(proof: OptimizationProof) -> None:
    first = improvements(proof, ROUTING, ASSISTANT, "assistant_requests")
    assert [attempt.times for attempt in first.attempts] == [1]
    proof.calculate_improvements(
        ROUTING, VOUCHED, NOW, scope=ASSISTANT, driver="active_users", reporting=(None, date(2026, 7, 1))
    )
    improvements(proof, ROUTING, parse("provider=Anthropic"), "search_requests")
    again = improvements(proof, ROUTING, ASSISTANT, "assistant_requests")
    assert {attempt.times: attempt.outcome[:13] for attempt in again.attempts} == {
        2: "verified, $12",
        1: "verified, $6,",
    }
    assert again.proof_class is ProofClass.RETROSPECTIVE
    assert again.fee == ()


def captured(proof: OptimizationProof, now: datetime) -> str:
    found = proof.capture_baseline_metrics(
        ASSISTANT, "assistant_requests", now, span=(date(2025, 10, 1), date(2026, 5, 11)), name="assistant"
    )
    assert found.record is not None
    assert found.detectable.fraction is not None
    assert Decimal("0.005") < found.detectable.fraction < Decimal("0.02")
    return found.record.id


def test_a_baseline_frozen_before_the_change_makes_the_claim_prospective(proof: OptimizationProof) -> None:
    before = proof.store.baseline(captured(proof, datetime(2026, 5, 11, 23, 59, tzinfo=UTC)))
    claim = proof.calculate_improvements(ROUTING, VOUCHED, NOW, scope=Scope(), driver="requests", frozen=before)
    assert (claim.proof_class, claim.attempts, claim.state) == (ProofClass.PROSPECTIVE, (), State.VERIFIED)
    assert claim.frozen is not None
    assert (claim.frozen.digest, claim.frozen.restated) == (before.digest, False)
    assert (claim.scope, claim.driver.name) == (ASSISTANT.filters, "assistant_requests")
    assert proof.store.attempts() == []


def test_a_baseline_frozen_on_the_day_of_the_change_does_not(proof: OptimizationProof) -> None:
    late = proof.store.baseline(captured(proof, datetime(2026, 5, 12, 0, 0, tzinfo=UTC)))
    claim = proof.calculate_improvements(ROUTING, VOUCHED, NOW, scope=Scope(), driver="requests", frozen=late)
    assert claim.proof_class is ProofClass.RETROSPECTIVE
    assert len(claim.attempts) == 1


def test_the_same_baseline_is_frozen_once(proof: OptimizationProof) -> None:
    first = captured(proof, datetime(2026, 5, 1, tzinfo=UTC))
    assert captured(proof, datetime(2026, 5, 2, tzinfo=UTC)) == first
    assert proof.store.baseline(first).captured_at == "2026-05-01T00:00:00Z"


def test_a_baseline_that_was_tampered_with_is_refused(proof: OptimizationProof) -> None:
    record = proof.store.baseline(captured(proof, datetime(2026, 5, 1, tzinfo=UTC)))
    record.document = record.document.replace('"cost":"3', '"cost":"4', 1)
    with pytest.raises(QuestionError, match="not what its digest was made of"):
        proof.calculate_improvements(ROUTING, VOUCHED, NOW, scope=Scope(), driver="requests", frozen=record)


def test_a_baseline_of_two_months_is_not_frozen(proof: OptimizationProof) -> None:
    found = proof.capture_baseline_metrics(
        ASSISTANT, "assistant_requests", NOW, span=(date(2026, 3, 1), date(2026, 4, 30))
    )
    assert found.record is None
    assert [finding.name for finding in found.sufficiency.disqualifications] == ["too_short"]
    assert proof.store.baselines() == []


# T1 beside it, guard rails, keeping


def test_a_plan_is_repriced_and_never_called_saved(proof: OptimizationProof) -> None:
    plan = parse_plan(
        """
        name = "routing"
        [[lever]]
        action = "route"
        share = 0.32
        to = { provider = "OpenAI", model = "gpt-4.1-mini" }
        where = { model = "gpt-5.5" }
        """
    )
    run = proof.run_optimization(plan, ASSISTANT, (date(2026, 3, 1), date(2026, 3, 31)))
    (result,) = run.results
    assert result.used - result.planned == result.difference > 0
    assert "not yet verified" in result.note
    assert run.record()["verified"] is False
    claim = proof.calculate_improvements(ROUTING, VOUCHED, NOW, scope=ASSISTANT, driver="assistant_requests", plan=plan)
    assert claim.repriced[0].what == "routing (USD)"
    assert claim.figures.point is not None
    assert claim.figures.point < Decimal(13_200)


def test_quality_is_judged_as_the_requests_moved(proof: OptimizationProof) -> None:
    path = next(path for path in files() if path.parent.name == "usage").with_name("synthetic_evaluations.csv")
    read = read_evaluations(path, {"product": "assistant"})
    scope = parse("provider=OpenAI,model=gpt-5.5|gpt-4.1-mini")
    given = replace(VOUCHED, guard_rails=rails(read, CONFIDENCE))
    claim = improvements(proof, ROUTING, scope, "assistant_requests", given)
    states = {rail.measure: rail.state for rail in claim.guard_rails}
    assert states == {
        "latency_ms": "not worse",
        "error_rate": "not shown",
        "tokens_per_second": "not worse",
        "pass_rate": "not worse",
    }
    assert {gate.id: gate.state for gate in claim.gates}["G10"] == "passed"
    strict = replace(VOUCHED, guard_rails=rails(replace(read, margin=Decimal("0.001")), CONFIDENCE))
    assert improvements(proof, ROUTING, scope, "assistant_requests", strict).state is State.NOT_VERIFIED


def test_quality_without_evaluations_is_not_assessed(proof: OptimizationProof) -> None:
    given = replace(VOUCHED, guard_rails=rails(Evaluations(), CONFIDENCE))
    claim = improvements(proof, ROUTING, ASSISTANT, "assistant_requests", given)
    assert {gate.id: gate.state for gate in claim.gates}["G10"] == "not assessed"
    assert {rail.state for rail in claim.guard_rails} == {"not assessed"}


def test_a_proof_is_kept_signed_and_superseded_once(lake: Lake, tmp_path: Path) -> None:
    proof = OptimizationProof(lake, settings(tmp_path), WORKSPACE)
    claim = improvements(proof, ROUTING, ASSISTANT, "assistant_requests")
    first = proof.generate_proof_report(claim, NOW)
    assert first.document is not None
    document = json.loads(first.document)["document"]
    assert (document["id"], document["state"], document["claim"]["row_digest"]) == (
        first.id,
        "verified",
        claim.row_digest,
    )
    shared = proof.create_shareable_link(first, NOW, days=7)
    assert (shared.link.proof, shared.link.expires_at, len(shared.token)) == (first.id, "2026-12-28T00:00:00Z", 43)
    second = proof.generate_proof_report(claim, NOW, supersedes=first)
    states = {row.id: (row.state, row.superseded_by) for row in proof.store.proofs()}
    assert states == {first.id: ("superseded", second.id), second.id: ("verified", None)}


def test_an_unsigned_proof_is_a_draft(proof: OptimizationProof) -> None:
    record = proof.generate_proof_report(improvements(proof, ROUTING, ASSISTANT, "assistant_requests"), NOW)
    assert (record.state, record.document) == ("draft", None)
    with pytest.raises(QuestionError, match="a draft that nobody signed"):
        proof.create_shareable_link(record, NOW)


def test_the_scope_may_be_one_that_no_rollup_holds(proof: OptimizationProof) -> None:
    """Tags lead over the charges; the same use, found another way, costs the same."""
    change = Intervention(date(2026, 7, 14), None, "batch", "docs-batch")
    rolled = improvements(proof, change, parse("provider=Microsoft,model=gpt-4.1"), "docs_requests")
    tagged = improvements(proof, change, parse("provider=Microsoft,model=gpt-4.1,tag:product=docs"), "docs_requests")
    assert [(day.date, day.cost) for day in tagged.days] == [(day.date, day.cost) for day in rolled.days]
    assert tagged.figures.point == rolled.figures.point
    assert [load.load_id for load in tagged.loads] == [load.load_id for load in rolled.loads]


def test_a_question_without_days_says_what_to_do(proof: OptimizationProof) -> None:
    early = Intervention(date(2025, 10, 1), None, "routing", "too early")
    with pytest.raises(QuestionError, match="no day before it"):
        improvements(proof, early, ASSISTANT, "assistant_requests")
    late = Intervention(date(2026, 11, 1), None, "routing", "too late")
    with pytest.raises(QuestionError, match="no day to report yet"):
        improvements(proof, late, ASSISTANT, "assistant_requests")
    with pytest.raises(QuestionError, match="no charge with model=nobody"):
        improvements(proof, ROUTING, parse("model=nobody"), "assistant_requests")


# Restated bills


def test_a_restated_bill_flags_the_proofs_that_cite_it_and_no_others(tmp_path: Path) -> None:
    for lake in sample(tmp_path, "openai", "anthropic"):
        proof = OptimizationProof(lake, settings(tmp_path), WORKSPACE, signs=False)
        hit = proof.generate_proof_report(improvements(proof, ROUTING, ASSISTANT, "assistant_requests"), NOW)
        caching = Intervention(date(2026, 2, 10), None, "caching", "caching")
        search = parse("provider=Anthropic,project=wrkspc_synthetic_search")
        proof.generate_proof_report(improvements(proof, caching, search, "search_requests"), NOW)
        costs = [path for path in files() if path.name.startswith("synthetic_costs_page")]
        import_files(lake, [str(path) for path in costs], synthetic=True, now=NOW)
        assert stale_proofs(lake, proof.store) == []
        restated = [tmp_path / path.name for path in costs]
        for path, copy in zip(costs, restated, strict=True):
            copy.write_text(path.read_text())
        pages = json.loads(restated[1].read_text())
        amount = pages["data"][0]["results"][0]["amount"]
        amount["value"] = str(Decimal(str(amount["value"])) + 1)
        restated[1].write_text(json.dumps(pages))
        import_files(lake, [str(path) for path in restated], synthetic=True, now=NOW)
        (stale,) = stale_proofs(lake, proof.store)
        assert stale.proof.id == hit.id
        assert (len(stale.loads[0]), len(stale.loads[1])) == (1, 1)
        assert stale.row_digest != hit.row_digest
        again = improvements(proof, ROUTING, ASSISTANT, "assistant_requests")
        proof.generate_proof_report(again, NOW, supersedes=hit)
        assert stale_proofs(lake, proof.store) == []
