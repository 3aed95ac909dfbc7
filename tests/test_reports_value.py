"""The Value report: nothing verified, and the sample customer's proof."""

from __future__ import annotations

import io
from pathlib import Path

import pypdf
import pytest

from accounts.home import lake_address
from analysis.scope import parse
from ledger.lake import Lake
from reports.ledger_state import Basis, ledger_state
from reports.numbers import money
from reports.records import Store
from reports.render import render
from reports.value_report import value_report
from reports.view import ReportError, View
from tests.reporting import NOW, load_bill, settings_in
from tests.samples import NOW as PROVEN
from tests.samples import WORKSPACE, sample
from tests.samples import settings as sample_settings
from ui.demo_proofs import prove_samples

MAY = View("2026-05-01..2026-07-31")


def test_without_a_proof_it_says_so_and_shows_no_saving(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    load_bill(settings, tmp_path)
    with Lake(lake_address(settings, "acme")) as lake:
        basis = Basis(lake, settings, "acme", ledger_state(lake))
        report = value_report(basis, View("2026-10-01..2026-10-31"), NOW)
        with pytest.raises(ReportError, match="provider, service, model or project only"):
            value_report(basis, View("2026-10-01..2026-10-31", parse("tag:team=search")), NOW)
    spend, saving = report.sections
    assert [(f.value, f.note) for f in spend.figures] == [
        (None, "no AI charge in these days"),
        (None, "no tokens in these days"),
    ]
    assert saving.figures == ()
    assert "Nothing is verified yet" in saving.sentences[0]


def test_a_verified_saving_stands_with_its_interval_and_a_refused_one_is_no_figure(tmp_path: Path) -> None:
    settings = sample_settings(tmp_path)
    for lake in sample(tmp_path, "openai", "gcp"):
        prove_samples(lake, settings, WORKSPACE, PROVEN)
        report = value_report(Basis(lake, settings, WORKSPACE, ledger_state(lake)), MAY, PROVEN)
        verified = next(p for p in Store(settings, WORKSPACE).proofs() if p.state == "verified")
        refused = next(p for p in Store(settings, WORKSPACE).proofs() if p.state == "not verified")
    _, saving, measured, proofs = report.sections
    figure = saving.figures[0]
    assert (figure.label, str(figure.value)) == ("Verified saving", verified.point)
    assert figure.note.startswith("90% interval: $")
    rows = {row[1]: row for row in proofs.tables[0].rows}
    assert rows["verified"][2] == money(figure.value, "USD")  # type: ignore[arg-type]
    assert rows["not verified"][2:4] == ("—", "—")
    assert rows["not verified"][4] == refused.reason
    assert [chart.title for chart in measured.charts] == ["From the baseline to what was paid", "Day by day"]
    page = render(report, "html").decode()
    assert page.count("<svg") == 2
    text = "".join(p.extract_text() for p in pypdf.PdfReader(io.BytesIO(render(report, "pdf"))).pages)
    for shown in (figure.note, "Synthetic sample data", money(figure.value, "USD")):  # type: ignore[arg-type]
        assert shown in " ".join(text.split())
    assert render(report, "pdf") == render(report, "pdf")
