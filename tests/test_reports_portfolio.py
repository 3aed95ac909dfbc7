"""Verified proofs as one sum with its interval; what errs together or counts twice has none."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

from reports.claim import Driver, Filter
from reports.portfolio import together
from reports.records import ProofRecord
from tests.claims import claim


def record(
    id_: str,
    project: str,
    driver: str,
    point: str = "100.00",
    half: str = "30",
    *,
    source: str = "drivers",
    state: str = "verified",
    currency: str = "USD",
) -> ProofRecord:
    made = replace(claim(), scope=(Filter("project", (project,)),), driver=Driver(driver, None, source))
    middle, width = Decimal(point), Decimal(half)
    return ProofRecord(
        id=id_,
        state=state,
        tier="T3",
        currency=currency,
        point=point,
        low=str(middle - width),
        high=str(middle + width),
        claim=json.dumps(made.record()),
    )


def test_half_widths_add_as_squares_by_hand() -> None:
    """30 and 40 on either side make 50, the sides of a right-angled triangle."""
    found = together([record("a", "one", "tickets"), record("b", "two", "searches", "200.00", "40")])
    assert (found.total.point, found.total.low, found.total.high) == (Decimal(300), Decimal(250), Decimal(350))
    assert found.currency == "USD"
    assert found.record()["proofs"] == ["a", "b"]
    assert "a bias, such as a common drift, does not" in found.record()["limits"][0]


def test_a_sum_that_rests_on_a_restated_bill_says_so() -> None:
    both = [record("a", "one", "tickets"), record("b", "two", "searches")]
    assert len(together(both, {"c"}).total.limits) == 1
    assert together(both, {"b"}).total.limits[1].startswith("Restated since, and here as known then: b.")


def test_only_verified_proofs_are_added() -> None:
    others = [record("b", "two", "searches", state=state) for state in ("not verified", "provisional", "superseded")]
    assert together([record("a", "one", "tickets"), *others]).record()["proofs"] == ["a"]
    nothing = together(others)
    assert nothing.total.point is None
    assert nothing.total.refusals == ("There is no verified proof in force to add.",)


def test_what_errs_together_or_counts_twice_has_no_sum() -> None:
    one = record("a", "one", "tickets")
    for other, said in (
        (record("b", "two", "tickets"), "tickets drives several of them"),
        (record("b", "one", "searches"), "project=one stands in it more than once"),
        (record("b", "two", "searches", currency="EUR"), "EUR and USD have no sum"),
    ):
        found = together([one, other])
        assert (found.total.point, found.currency) == (None, "")
        assert said in " ".join(found.total.refusals)


def test_scopes_that_may_meet_have_no_sum() -> None:
    whole = record("b", "two", "searches")
    claim_ = json.loads(whole.claim)
    claim_["scope"] = [{"dimension": "provider", "values": ["OpenAI"]}]
    whole.claim = json.dumps(claim_)
    found = together([record("a", "one", "tickets"), whole])
    assert (found.total.point, found.total.verified) == (None, False)
    assert found.total.refusals == ("project=one and provider=OpenAI may concern the same charges.",)


def test_requests_out_of_usage_are_those_of_their_own_scope() -> None:
    found = together([record("a", "one", "requests", source="usage"), record("b", "two", "requests", source="usage")])
    assert found.total.point == Decimal(200)
