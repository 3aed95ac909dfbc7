"""Records of a workspace: added once, never rewritten, each workspace by itself."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from accounts.home import Settings
from analysis.scope import parse
from reports.claim import Intervention, State
from reports.question import QuestionError, may_meet, periods
from reports.records import BaselineRecord, ProofRecord, RecordError, Store, digest_of, moment, new_id

NOW = datetime(2026, 11, 21, 12, 30, 1, 5, tzinfo=UTC)
LATER = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(Settings(home=tmp_path), "one")


def baseline(store: Store, content: str, captured: datetime = NOW) -> BaselineRecord:
    return BaselineRecord(
        id=new_id(),
        workspace=store.workspace,
        name="",
        scope="",
        driver="requests",
        first_day=date(2026, 1, 1),
        last_day=date(2026, 6, 1),
        document="{}",
        content=digest_of(content),
        digest=digest_of(content + moment(captured)),
        captured_at=moment(captured),
    )


def proof(store: Store, state: State = State.VERIFIED) -> ProofRecord:
    return ProofRecord(
        id=new_id(),
        workspace=store.workspace,
        question="?",
        state=state,
        reason="",
        proof_class="retrospective",
        tier="T3",
        currency="USD",
        claim="{}",
        cited=["l1", "l2"],
        row_digest="0" * 64,
        created_at=moment(NOW),
    )


def test_the_same_baseline_is_kept_once_and_the_first_moment_counts(store: Store) -> None:
    first = store.add_baseline(baseline(store, "a"))
    again = store.add_baseline(baseline(store, "a", LATER))
    assert (again.id, again.captured_at) == (first.id, "2026-11-21T12:30:01Z")
    store.add_baseline(baseline(store, "b", LATER))
    assert [row.captured_at for row in store.baselines()] == ["2026-11-22T00:00:00Z", "2026-11-21T12:30:01Z"]
    assert store.baseline(first.digest[:10]).id == first.id


def test_a_key_must_name_one(store: Store) -> None:
    store.add_baseline(baseline(store, "a"))
    store.add_baseline(baseline(store, "b"))
    with pytest.raises(RecordError, match="There is no baseline 'zz'; see spendproof baseline list"):
        store.baseline("zz")
    with pytest.raises(RecordError, match="There is no baseline ''"):
        store.baseline("")


def intervention(store: Store, note: str = "routing", **more: date | None) -> str:
    last = more.get("last")
    row = store.add_intervention(date(2026, 5, 1), last, scope="", kind="routing", note=note, who="me", now=NOW)
    return row.id


def test_the_same_words_are_one_intervention(store: Store) -> None:
    first = intervention(store)
    assert intervention(store) == first
    assert intervention(store, last=date(2026, 5, 2)) != first
    assert intervention(store, "another") != first
    assert len(store.interventions()) == 3


def test_attempts_count_up_with_their_newest_outcome(store: Store) -> None:
    store.count_attempt("q1", "model=a", "first?", "not verified", NOW)
    store.count_attempt("q2", "", "second?", "not verified", LATER)
    store.count_attempt("q1", "model=a", "first?", "verified, 1 to 2 USD", LATER)
    found = [(row.question, row.times, row.outcome, row.first_at) for row in store.attempts()]
    assert found == [
        ("q1", 2, "verified, 1 to 2 USD", "2026-11-21T12:30:01Z"),
        ("q2", 1, "not verified", "2026-11-22T00:00:00Z"),
    ]


def test_a_proof_ends_once(store: Store) -> None:
    kept = store.add_proof(proof(store))
    store.set_state(kept.id, State.REVOKED, "withdrawn by the customer")
    assert (store.proof(kept.id).state, store.proof(kept.id).reason) == ("revoked", "withdrawn by the customer")
    with pytest.raises(RecordError, match="was revoked before; that is final"):
        store.set_state(kept.id, State.VERIFIED, "")
    assert store.proof(kept.id).cited == ["l1", "l2"]


def test_a_workspace_sees_and_changes_its_own_records_alone(store: Store) -> None:
    kept = store.add_proof(proof(store))
    baseline_id = store.add_baseline(baseline(store, "a")).id
    intervention(store)
    store.count_attempt("q", "", "?", "verified", NOW)
    other = Store(store.settings, "two")
    assert (other.proofs(), other.baselines(), other.interventions(), other.attempts()) == ([], [], [], [])
    for forbidden in (
        lambda: other.proof(kept.id),
        lambda: other.baseline(baseline_id),
        lambda: other.set_state(kept.id, State.REVOKED, ""),
        lambda: other.set_document(kept.id, "{}"),
    ):
        with pytest.raises(RecordError, match="There is no"):
            forbidden()
    assert store.proof(kept.id).state == "verified"


# The periods of a question

LEDGER = (date(2025, 1, 1), date(2026, 12, 31))
CHANGE = Intervention(date(2026, 6, 1), None, "routing", "it")


def lever(day: date, kind: str = "caching") -> Intervention:
    return Intervention(day, None, kind, "another")


def test_periods_are_a_year_before_and_ninety_days_after() -> None:
    assert periods(CHANGE, (), LEDGER) == (
        (date(2025, 6, 1), date(2026, 5, 31)),
        (date(2026, 6, 1), date(2026, 8, 29)),
    )


def test_the_reporting_period_is_no_longer_than_the_baseline() -> None:
    found = periods(CHANGE, (), (date(2026, 5, 1), LEDGER[1]))
    assert found == ((date(2026, 5, 1), date(2026, 5, 31)), (date(2026, 6, 1), date(2026, 7, 1)))


def test_levers_before_and_after_bound_the_periods_and_what_is_no_lever_does_not() -> None:
    others = (lever(date(2026, 1, 1)), lever(date(2026, 7, 1)), lever(date(2026, 3, 1), "holiday"))
    assert periods(CHANGE, others, LEDGER) == (
        (date(2026, 1, 2), date(2026, 5, 31)),
        (date(2026, 6, 1), date(2026, 6, 30)),
    )


def test_a_lever_that_leaves_too_few_days_stays_inside_and_is_refused_later() -> None:
    others = (lever(date(2026, 5, 1)), lever(date(2026, 6, 10)))
    assert periods(CHANGE, others, LEDGER) == periods(CHANGE, (), LEDGER)


def test_periods_that_overlap_are_refused() -> None:
    with pytest.raises(QuestionError, match=r"ends on 2026-06-01, but the reporting period begins on 2026-06-01"):
        periods(CHANGE, (), LEDGER, baseline=(None, date(2026, 6, 1)))


def test_scopes_meet_unless_a_condition_rules_it_out() -> None:
    one = parse("provider=OpenAI,model=a|b").filters
    assert may_meet(one, ())
    assert may_meet(one, parse("model=b|c").filters)
    assert may_meet(one, parse("tag:team=x").filters)
    assert not may_meet(one, parse("provider=Anthropic").filters)
