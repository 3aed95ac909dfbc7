"""Reports of things on record: proofs and ROI cases, in every format, made now and by schedules."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pypdf
import pytest

from accounts.home import Settings
from jobs import schedules
from jobs.dispatch import Dispatcher, Parcel
from jobs.planning import Event, plan
from jobs.reporting import Reporter
from ledger.errors import LedgerError
from reports.proof.issue import rendered
from reports.proof.verification import verify
from reports.render import FORMATS, file_name, files, render
from reports.report import Report
from reports.view import View
from tests.claims import claim
from tests.kept import keep_proof, keep_scenario
from tests.reporting import NOW, Clock, Remembered, settings_in, wanted


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path)


def made(settings: Settings, name: str, **view: Any) -> Report:
    with Reporter(settings) as reporter:
        return reporter.report("acme", name, View(**view), NOW)


@pytest.mark.parametrize("format_", FORMATS)
def test_a_proof_goes_out_as_its_own_signed_document(settings: Settings, format_: str) -> None:
    proof = keep_proof(settings, "verified")
    report = made(settings, "proof")
    assert render(report, format_) == rendered(proof, format_)
    assert file_name(report, format_) == f"synthetic-sample-proof-a1b2c3d4-acme-{report.first}-{report.last}.{format_}"


@pytest.mark.parametrize("format_", FORMATS)
def test_a_delivered_proof_is_verified_by_whoever_gets_it(settings: Settings, tmp_path: Path, format_: str) -> None:
    keep_proof(settings, "verified")
    found = files(made(settings, "proof"), format_)
    for name, content in found.items():
        (tmp_path / name).write_bytes(content)
    assert verify(tmp_path / next(iter(found))).valid
    assert len(found) == (2 if format_ in {"xlsx", "csv"} else 1)


def test_the_summary_of_a_proof_has_its_saving_with_the_interval(settings: Settings) -> None:
    proof = keep_proof(settings, "verified")
    report = made(settings, "proof", of="a1b2")
    figure = report.sections[0].figures[0]
    assert (figure.label, figure.value) == ("Verified saving", Decimal("11459.21"))
    assert figure.note.startswith("90% interval: $")
    assert report.snapshot == proof.document["claim"]["snapshot"]
    assert report.synthetic


def test_a_refused_or_ended_proof_shows_no_saving(settings: Settings) -> None:
    keep_proof(settings, "not verified", claim(0.0), id_="0ff0")
    keep_proof(settings, "revoked", id_="dead")
    for key, said in (("0ff0", "not verified: no figure is claimed"), ("dead", "revoked: no figure is claimed")):
        saving = made(settings, "proof", of=key).sections[0].figures[0]
        assert (saving.label, saving.value, saving.note) == ("Saving", None, said)
    assert made(settings, "proof", of="dead").alarms == ("This proof was revoked: The interval reaches below zero.",)
    assert made(settings, "proof", of="0ff0").alarms == ()


def test_a_roi_case_is_an_estimate_in_every_format(settings: Settings) -> None:
    report = made(settings, "roi", of=keep_scenario(settings))
    assert report.title == "ROI case (estimate)"
    assert report.snapshot is None
    net = report.sections[0].figures[0]
    amounts = {row[0]: row[1:] for row in report.sections[1].tables[0].rows}
    assert amounts["Spend without the change"] == (Decimal("240000.00"),) * 3
    assert net.value == amounts["Net saving"][1]
    assert net.note == f"expected; {' to '.join(report.written(amounts['Net saving'][n], net.kind) for n in (0, 2))}"
    for format_ in ("html", "csv", "json"):
        text = render(report, format_).decode()
        assert "Estimate (T4), not a measured saving" in text
        assert "of the ledger" not in text.replace("Not read from the ledger", "").replace("the ledger's", "")
    pages = pypdf.PdfReader(io.BytesIO(render(report, "pdf"))).pages
    assert len(pages) == 1
    assert "not a measured saving" in pages[0].extract_text()
    sheet = openpyxl.load_workbook(io.BytesIO(render(report, "xlsx")))["Over 12 months"]
    cells = {row[0].value: row[2].value for row in sheet.iter_rows() if row[0].value}
    assert cells["Net saving"] == float(net.value)  # type: ignore[arg-type]
    lines = {tuple(row[2:4]): row[4] for row in csv.reader(io.StringIO(render(report, "csv").decode()))}
    assert Decimal(lines["Net saving", "Expected"]) == net.value


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"roi-way": "Your own range"}, "has no saving"),
        ({"roi-plan": "Gone"}, "plan Gone of the saved scenario is not offered any more"),
    ],
)
def test_a_scenario_that_says_too_little_is_refused(settings: Settings, changes: dict[str, object], said: str) -> None:
    token = keep_scenario(settings, **changes)
    with pytest.raises(LedgerError, match=said):
        made(settings, "roi", of=token)


def test_a_link_opens_its_scenario_whole(settings: Settings) -> None:
    token = keep_scenario(settings)
    links = (token, f"https://app.example.com/roi?scenario={token}", f"https://app.example.com/case/{token}")
    assert len({made(settings, "roi", of=link).digest for link in links}) == 1


@pytest.mark.parametrize(
    ("report", "view", "said"),
    [
        ("novel", View(), "There is no report 'novel'; there are value, spend, proof, roi."),
        ("roi", View(), "is of a saved scenario"),
        ("roi", View(of="nonsense"), "opens no scenario"),
        ("proof", View(of="beef"), "no proof 'beef'"),
        ("spend", View(saved="Mine"), "has no saved view 'Mine'; save one"),
        ("proof", View(saved="Mine"), "takes no saved view"),
    ],
)
def test_what_could_never_be_made_is_not_scheduled(settings: Settings, report: str, view: View, said: str) -> None:
    with pytest.raises(LedgerError, match=said):
        schedules.add(settings, "acme", wanted(report=report, view=view), NOW)


def sent(settings: Settings, now: datetime, *happened: Event) -> list[Parcel]:
    """What one round of a worker sends."""
    parcels, remembered = list[Parcel](), Remembered()

    def way(parcel: Parcel, to: Any) -> str:
        parcels.append(parcel)
        return remembered(parcel, to)

    plan(settings, now, {"acme": happened})
    with Reporter(settings) as reporter:
        done = Dispatcher(settings, reporter.report, {"mail": way}, Clock(now)).drain()
    assert done.errors == []
    return parcels


def test_a_new_proof_sends_itself_whatever_came_after_it(settings: Settings) -> None:
    schedules.add(settings, "acme", wanted(report="proof", cadence="on proof", formats=["pdf"]), NOW)
    first, second = keep_proof(settings, "verified", id_="1111aaaa"), keep_proof(settings, "verified", id_="2222bbbb")
    found = sent(settings, NOW, Event("proof", "proof:1111aaaa", NOW), Event("proof", "proof:2222bbbb", NOW))
    bodies = {parcel.report.of: parcel.files[0].body for parcel in found}
    assert bodies == {"1111aaaa": rendered(first, "pdf"), "2222bbbb": rendered(second, "pdf")}


def test_a_scheduled_scenario_stays_sealed(settings: Settings) -> None:
    token = keep_scenario(settings)
    schedule = schedules.add(settings, "acme", wanted(report="roi", view=View(of=token), formats=["json"]), NOW)
    assert schedule.view["of"] is None
    assert token.encode() not in (settings.home / "accounts.db").read_bytes()
    (parcel,) = sent(settings, datetime(2026, 11, 22, 8, tzinfo=UTC))
    assert json.loads(parcel.files[0].body)["title"] == "ROI case (estimate)"
    (after,) = schedules.history(settings, "acme")
    assert after.state == "sent"
