"""The proofs that the demo shows, held against what the sample's generator knows."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from reports.invoices import read_invoices
from reports.records import Store
from sample_data import INVOICES
from tests.samples import NOW, WORKSPACE, invoices, sample, saved, settings
from ui.demo_proofs import CHANGES, prove_samples


def test_the_demo_proves_what_is_true_and_only_once(tmp_path: Path) -> None:
    for lake in sample(tmp_path, "openai", "gcp"):
        found = settings(tmp_path)
        assert prove_samples(lake, found, WORKSPACE, NOW) == len(CHANGES) == 2
        assert prove_samples(lake, found, WORKSPACE, NOW) == 0
        proofs = Store(found, WORKSPACE).proofs()
        routed, trimmed = sorted(proofs, key=lambda proof: "routing" not in proof.claim)
        assert (routed.state, trimmed.state) == ("verified", "not verified")
        true = saved(
            "assistant-model-routing",
            "OpenAI",
            ("gpt-5.5", "gpt-4.1-mini"),
            "assistant",
            CHANGES[1].day,
            CHANGES[1].day.replace(month=8, day=9),
        )
        assert Decimal(routed.low or 0) <= true <= Decimal(routed.high or 0)
        assert "nothing may have been avoided" in trimmed.reason


def test_the_invoices_of_the_sample_are_its_bills_in_cents() -> None:
    written = {(i.provider, i.first): i.amount for i in read_invoices(INVOICES)}
    true = {(i.provider, i.first): i.amount for i in invoices()}
    assert written.keys() == true.keys()
    assert all(abs(written[key] - true[key]) <= Decimal("0.005") for key in true)
