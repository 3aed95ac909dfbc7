"""The page of proofs on the sample's ledger: a split, a restated bill as known then and now, the plan of a fee."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from accounts.signin import Protection
from analysis.scope import parse
from connectors.importing import import_files
from reports.measuring import Given
from reports.optimization import OptimizationProof
from reports.question import intervention_of
from sample_data import files
from tests.samples import NOW, WORKSPACE, invoices, sample, settings
from ui import proofs_page, running

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

SCOPE = parse("provider=OpenAI,project=proj_synthetic_assistant")
DRIVER = "assistant_requests"


@pytest.fixture(scope="module")
def proof(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OptimizationProof]:
    """A proof over two changes and a frozen baseline."""
    home = tmp_path_factory.mktemp("page")
    before = list(running._set)
    for lake in sample(home, "openai"):
        found = OptimizationProof(lake, settings(home), WORKSPACE)
        first, _ = (
            found.store.add_intervention(day, None, scope="provider=OpenAI", kind=kind, note=note, who=None, now=NOW)
            for day, kind, note in (
                (date(2026, 5, 12), "routing", "Easy requests to the smaller model"),
                (date(2026, 7, 1), "caching", "Prompts are cached"),
            )
        )
        span, captured = (None, date(2026, 5, 11)), datetime(2026, 5, 11, 12, tzinfo=UTC)
        found.capture_baseline_metrics(SCOPE, DRIVER, captured, span=span, name="Assistant")
        given, reporting = Given(signed_by="Test", invoices=invoices()), (None, date(2026, 8, 9))
        claim = found.calculate_improvements(
            intervention_of(first), given, NOW, scope=SCOPE, driver=DRIVER, reporting=reporting
        )
        found.generate_proof_report(claim, NOW)
        running.configure(running.Running(found.settings, WORKSPACE, Protection.NONE))
        st.cache_data.clear()
        st.cache_resource.clear()
        yield found
    running._set[:] = before
    st.cache_data.clear()
    st.cache_resource.clear()


def shown() -> AppTest:
    found = AppTest.from_function(_page, default_timeout=60).run()
    assert not found.exception
    return found


def _page() -> None:
    from ui.proofs_page import PAGE  # noqa: PLC0415 - the app's function is run by its text

    PAGE()


def words(found: AppTest) -> str:
    return "\n".join(part.value for kind in (found.markdown, found.caption, found.header) for part in kind)


@pytest.mark.usefixtures("proof")
def test_a_split_stands_below_the_pictures_and_adds_up() -> None:
    said = words(shown())
    assert "Several changes, one saving" in said
    assert "| :small[Together] |" in said
    assert "Shapley's value is the mean over all orders" in said


@pytest.mark.usefixtures("proof")
def test_a_fee_is_offered_on_a_frozen_baseline_alone() -> None:
    found = shown()
    assert "proof-fee" not in [box.key for box in found.selectbox]
    chosen = found.selectbox(key="proof-baseline")
    chosen.select_index(1).run()
    assert not found.exception
    offered = found.selectbox(key="proof-fee").options
    assert offered[0] == "No fee"
    assert any(option.startswith("Share of verified savings") for option in offered)


def test_a_restated_bill_shows_what_is_known_now_beside_what_was_signed(
    proof: OptimizationProof, tmp_path: Path
) -> None:
    (page,) = (path for path in files() if path.name == "synthetic_costs_page_02.json")
    others = [path for path in files() if path.name.startswith("synthetic_costs_page") and path != page]
    pages = json.loads(page.read_text())
    for bucket in pages["data"]:
        for result in bucket["results"]:
            result["amount"]["value"] = str(Decimal(str(result["amount"]["value"])) + 40)
    assert proofs_page.RESTATED not in [part.value for part in shown().warning]
    changed = tmp_path / page.name
    changed.write_text(json.dumps(pages))
    import_files(proof.lake, [str(changed), *map(str, others)], synthetic=True, now=NOW)
    found = shown()
    assert proofs_page.RESTATED in [part.value for part in found.warning]
    said = words(found)
    assert "As known then, as known now" in said
    assert "Recomputed, not signed" in said
    assert "Then not verified; now it would be not verified." in said
    assert "| :small[Actual cost] |" in said
