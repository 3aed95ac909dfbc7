"""A proof on a real ledger, from the question to every file of it and back to the ledger's pinned snapshot."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import ROUND_DOWN, Decimal
from pathlib import Path

import pytest
from openpyxl import load_workbook

from analysis.scope import Scope, parse
from connectors.importing import import_files
from ledger.lake import Lake
from reports.charging import fee_of, plan_for
from reports.claim import Claim, ProofClass, State
from reports.known_now import known_now
from reports.measuring import Given
from reports.optimization import OptimizationProof
from reports.proof.issue import Proof, loaded, rendered
from reports.proof.reproduction import reproduce
from reports.proof.verification import verify
from reports.question import intervention_of
from reports.records import BaselineRecord, ProofRecord, new_id
from reports.stale import judged
from sample_data import files
from tests.ledgers import open_lake
from tests.samples import NOW, WORKSPACE, invoices, sample, settings

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

SCOPE = "provider=OpenAI,project=proj_synthetic_assistant"
GIVEN = Given(signed_by="Test", invoices=invoices())
SPLIT = "Several changes, one saving"


@pytest.fixture(scope="module")
def proof(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OptimizationProof]:
    home = tmp_path_factory.mktemp("ledger")
    for lake in sample(home, "openai"):
        yield OptimizationProof(lake, settings(home), WORKSPACE)


@pytest.fixture(scope="module")
def claim(proof: OptimizationProof) -> Claim:
    """Two levers, fifty days apart, in one reporting period."""
    first, _ = (
        proof.store.add_intervention(day, None, scope="provider=OpenAI", kind=kind, note=note, who=None, now=NOW)
        for day, kind, note in (
            (date(2026, 5, 12), "routing", "Easy requests to the smaller model"),
            (date(2026, 7, 1), "caching", "Prompts are cached"),
        )
    )
    return proof.calculate_improvements(
        intervention_of(first),
        GIVEN,
        NOW,
        scope=parse(SCOPE),
        driver="assistant_requests",
        reporting=(None, date(2026, 8, 9)),
    )


@pytest.fixture(scope="module")
def kept(proof: OptimizationProof, claim: Claim) -> Proof:
    return loaded((proof.generate_proof_report(claim, NOW).document or "").encode())


@pytest.fixture(scope="module")
def prospective(proof: OptimizationProof) -> BaselineRecord:
    """A baseline frozen on the day before the change."""
    found = proof.capture_baseline_metrics(
        parse(SCOPE), "assistant_requests", datetime(2026, 5, 11, 12, tzinfo=UTC), span=(None, date(2026, 5, 11))
    )
    assert found.record is not None
    return found.record


@pytest.fixture(scope="module")
def charged(proof: OptimizationProof, claim: Claim, prospective: BaselineRecord) -> tuple[Claim, ProofRecord]:
    """A prospective proof under the plan that takes a share of verified savings, up to the second lever."""
    key = new_id()
    given = replace(GIVEN, fee_of=fee_of(plan_for("savings-share", NOW.date()), key))
    found = proof.calculate_improvements(
        claim.intervention, given, NOW, scope=Scope(), driver="requests", frozen=prospective
    )
    return found, proof.generate_proof_report(found, NOW, proof=key)


def test_a_saving_over_two_changes_is_split_to_the_cent(claim: Claim) -> None:
    """The sample changed nothing on 1 July: that change's part is small beside the other's."""
    routing, caching = claim.shares
    assert (routing.note, caching.note) == ("Easy requests to the smaller model", "Prompts are cached")
    assert (routing.first_day, caching.first_day) == (date(2026, 5, 12), date(2026, 7, 1))
    for way in ("sequential", "shapley"):
        assert getattr(routing, way) + getattr(caching, way) == claim.figures.point
    assert abs(caching.shapley) < routing.shapley / 20
    assert len(claim.split) == 3
    # Two levers in one period are no proof of either, so the split is one of what was measured.
    assert claim.state is State.NOT_VERIFIED


def test_changes_that_began_together_say_why_there_is_no_split(proof: OptimizationProof, claim: Claim) -> None:
    together = proof.calculate_improvements(
        claim.intervention,
        GIVEN,
        NOW,
        scope=parse(SCOPE),
        driver="assistant_requests",
        reporting=(date(2026, 7, 1), date(2026, 8, 9)),
    )
    assert together.shares == ()
    assert together.split[0].startswith('Not split: "Easy requests to the smaller model" (2026-05-12) has 0 measured')


def test_every_rendering_shows_the_split(claim: Claim, kept: Proof) -> None:
    part = claim.shares[0]
    page = rendered(kept, "html").decode()
    assert SPLIT in page
    for amount in (part.sequential, part.shapley):
        assert f"${amount:,.2f}" in page
    assert "The interval is that of the total; a part has none of its own." in page
    assert rendered(kept, "pdf").startswith(b"%PDF")
    lines = list(csv.DictReader(io.StringIO(rendered(kept, "csv").decode())))
    shares = [line for line in lines if line["section"] == "share" and line["value"]]
    by_way = {
        way: sum(Decimal(line["value"]) for line in shares if line["note"] == way) for way in ("sequential", "shapley")
    }
    assert by_way == {"sequential": claim.figures.point, "shapley": claim.figures.point}
    assert {line["day"] for line in shares} == {"2026-05-12", "2026-07-01"}
    book = load_workbook(io.BytesIO(rendered(kept, "xlsx")))
    cells = list(book["Proof"].iter_rows(values_only=True))
    at = next(n for n, row in enumerate(cells) if row[0] == SPLIT)
    assert cells[at + 1][:3] == (part.note, float(part.sequential), float(part.shapley))
    assert cells[at + 3][:3] == ("Together", f"=SUM(B{at + 2}:B{at + 3})", f"=SUM(C{at + 2}:C{at + 3})")
    assert SPLIT in book.sheetnames


def test_a_prospective_verified_proof_carries_the_fee_from_its_lower_bound(
    charged: tuple[Claim, ProofRecord], tmp_path: Path
) -> None:
    found, record = charged
    assert (found.state, found.proof_class) == (State.VERIFIED, ProofClass.PROSPECTIVE)
    assert found.figures.low is not None
    fifth = (found.figures.low / 5).quantize(Decimal("0.01"), ROUND_DOWN)
    assert sum(line.amount for line in found.fee) == fifth > 0
    assert found.fee[0].text.startswith("Share of verified savings, version 1: 20 % of the lower bound")
    assert f"(T3, proof {record.id})" in found.fee[0].text
    file = tmp_path / "proof.json"
    file.write_text(record.document or "")
    assert verify(file).valid
    page = rendered(loaded(file.read_bytes()), "html").decode()
    assert f"Fee: ${fifth:,.2f}, from the lower bound of the interval only." in page


def test_a_retrospective_proof_never_carries_a_fee(proof: OptimizationProof, claim: Claim) -> None:
    given = replace(GIVEN, fee_of=fee_of(plan_for("savings-share", NOW.date()), "p"))
    found = proof.calculate_improvements(
        claim.intervention, given, NOW, scope=parse(SCOPE), driver="assistant_requests"
    )
    assert (found.proof_class, found.fee) == (ProofClass.RETROSPECTIVE, ())


def test_a_restated_bill_is_shown_as_known_then_and_as_known_now(
    proof: OptimizationProof, charged: tuple[Claim, ProofRecord], kept: Proof, tmp_path: Path
) -> None:
    """Every page of costs names 40 US dollars more; the proof stands on what was known, beside what is known now."""
    signed, record = charged
    before = known_now(proof.lake, record, signed.snapshot)
    assert (before.then, before.now, before.reason) == (True, True, "")
    assert all(figure.difference == 0 for figure in before.figures)
    _restate(proof.lake, tmp_path, Decimal(40))
    at = proof.lake.snapshot()
    assert judged(proof.lake, record, at) is not None
    now = known_now(proof.lake, record, at)
    figures = {figure.name: figure for figure in now.figures}
    assert figures["point"].then == signed.figures.point
    assert figures["counterfactual"].now != signed.figures.counterfactual
    actual = figures["actual"]
    assert actual.now is not None
    assert actual.difference == actual.now - (signed.figures.actual or 0) > 1000
    # The invoices are those of then, and the ledger is not: no such saving is verified any more.
    assert now.now is False
    assert any("the invoice" in sentence for sentence in now.refusals)
    assert now.record()["label"] == "Recomputed, not signed"
    file = tmp_path / "proof.json"
    file.write_bytes(kept.content)
    again = reproduce(file, proof.lake)
    assert (again.same, again.sources[1]) == (True, f"ledger at snapshot {kept.document['claim']['snapshot']}")


def test_a_claim_that_cannot_be_measured_any_more_says_why(charged: tuple[Claim, ProofRecord], tmp_path: Path) -> None:
    with open_lake(tmp_path) as lake:
        found = known_now(lake, charged[1], lake.snapshot())
    assert (found.now, [figure.now for figure in found.figures]) == (None, [None] * 5)
    assert found.reason == "The ledger has no charge of its scope any more."


def test_a_claim_of_another_method_is_not_measured_by_this_one(
    proof: OptimizationProof, charged: tuple[Claim, ProofRecord]
) -> None:
    claim_, record = charged
    older = replace(claim_, method=replace(claim_.method, version="E1-1")).record()
    found = known_now(proof.lake, ProofRecord(id=record.id, claim=json.dumps(older)), proof.lake.snapshot())
    assert found.reason.startswith("The proof was measured by method E1-1, and this release measures by")


def test_the_ledger_gives_the_proof_again(proof: OptimizationProof, kept: Proof, tmp_path: Path) -> None:
    file = tmp_path / "proof.json"
    file.write_bytes(kept.content)
    assert verify(file).valid
    found = reproduce(file, proof.lake)
    assert found.differences == ()
    assert found.same
    assert found.sources == ("days in the proof", f"ledger at snapshot {kept.document['claim']['snapshot']}")
    paths = {figure.path for figure in found.compared}
    assert paths > {"/document/claim/row_digest", "/document/claim/shares/1/shapley", "/document/days/cost/300"}


def test_a_ledger_without_the_cited_rows_does_not_give_the_proof_again(kept: Proof, tmp_path: Path) -> None:
    """Another ledger has another snapshot of this number, or none."""
    file = tmp_path / "proof.json"
    file.write_bytes(kept.content)
    with open_lake(tmp_path) as lake:
        missing = reproduce(file, lake)
        assert missing.sources == ("days in the proof",)
        assert missing.notes[0].startswith("The ledger could not be read at snapshot")
        while lake.snapshot() < kept.document["claim"]["snapshot"]:
            lake.cursor().execute("UPDATE sentinel SET Loads = Loads + 1")
        other = reproduce(file, lake)
    assert [figure.path for figure in other.differences] == ["/document/claim/row_digest"]


def _restate(lake: Lake, folder: Path, more: Decimal) -> None:
    """The provider's costs again, with `more` US dollars on each amount of one page."""
    costs = [path for path in files() if path.parent.name == "openai" and "cost" in path.name]
    copies = [folder / path.name for path in costs]
    for path, copy in zip(costs, copies, strict=True):
        copy.write_text(path.read_text())
    pages = json.loads(copies[1].read_text())
    for bucket in pages["data"]:
        for result in bucket["results"]:
            result["amount"]["value"] = str(Decimal(str(result["amount"]["value"])) + more)
    copies[1].write_text(json.dumps(pages))
    import_files(lake, [str(copy) for copy in copies], synthetic=True, now=NOW)
