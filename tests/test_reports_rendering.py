"""Renderings: made from the document alone, the same bytes every time, and held against what is inside them."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from pypdf import PdfReader

from reports.claim import Filter, Intervention
from reports.proof import html, pdf
from reports.proof.canonical import DocumentError
from reports.proof.issue import NoProofError, Proof, files, loaded, rendered
from reports.proof.keys import signer
from reports.proof.renderer import writable
from reports.proof.verification import verify
from tests.claims import CHANGE, SIGNED, claim
from tests.proofs import proof, settings

HOSTILE = "=HYPERLINK(\"http://x.example\")<script>alert(1)</script></script><!-- 漢字 \x07 & 'q'"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Proof:
    return proof(settings(tmp_path_factory.mktemp("proof")))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Proof:
    change = Intervention(CHANGE, None, "routing", HOSTILE, (), HOSTILE, SIGNED)
    bad = replace(claim(), intervention=change, question=HOSTILE, scope=(Filter("project", (HOSTILE,)),))
    return proof(settings(tmp_path_factory.mktemp("hostile")), bad)


def written(folder: Path, name: str, content: bytes) -> Path:
    file = folder / name
    file.write_bytes(content)
    return file


@pytest.mark.parametrize("format_", ["html", "pdf", "xlsx", "csv", "json"])
def test_the_same_proof_gives_the_same_bytes(made: Proof, format_: str) -> None:
    assert rendered(made, format_) == rendered(loaded(made.content), format_)


def test_there_are_no_other_formats(made: Proof) -> None:
    with pytest.raises(NoProofError, match="docx"):
        rendered(made, "docx")


@pytest.mark.parametrize("format_", ["html", "pdf"])
def test_page_and_pdf_hold_the_proof_and_show_it(made: Proof, tmp_path: Path, format_: str) -> None:
    found = verify(written(tmp_path, f"proof.{format_}", rendered(made, format_)))
    assert found.valid
    assert found.rendering == "matches"
    assert found.document == made.document
    assert found.summary == "Document valid as signed, rendering as signed, revocation not checked."


def test_a_page_that_shows_another_figure_is_not_valid(made: Proof, tmp_path: Path) -> None:
    page = rendered(made, "html").replace(b"$11,459.21", b"$91,459.21", 1)
    found = verify(written(tmp_path, "p.html", page))
    assert not found.valid
    assert found.rendering == "differs"
    assert found.wrong is not None
    assert found.wrong.path.startswith("/rendering/line ")
    assert "$91,459.21" in found.wrong.found
    assert "$11,459.21" in found.wrong.signed


def test_a_page_whose_proof_was_changed_names_the_signature(made: Proof, tmp_path: Path) -> None:
    page = rendered(made, "html").replace(b'"signature": "ey', b'"signature": "eY', 1)
    found = verify(written(tmp_path, "p.html", page))
    assert found.wrong is not None
    assert found.wrong.path == "/signature"


def test_a_page_or_pdf_of_another_release_is_valid_with_its_rendering_unchecked(made: Proof, tmp_path: Path) -> None:
    page = rendered(made, "html").replace(html.renderer().encode(), b"spendproof-html-000000000000")
    found = verify(written(tmp_path, "p.html", page))
    assert found.valid
    assert found.rendering == "not checked"
    assert "rendering not checked" in found.summary


def test_a_pdf_to_which_something_was_added_is_not_valid(made: Proof, tmp_path: Path) -> None:
    found = verify(written(tmp_path, "p.pdf", rendered(made, "pdf") + b"\n% more\n"))
    assert not found.valid
    assert found.rendering == "differs"


def test_a_pdf_without_a_proof_is_refused(tmp_path: Path) -> None:
    from pypdf import PdfWriter  # noqa: PLC0415

    writer, out = PdfWriter(), io.BytesIO()
    writer.add_blank_page(100, 100)
    writer.write(out)
    for content in (out.getvalue(), b"%PDF-1.7 nonsense", b"<!doctype html><p>nothing</p>"):
        with pytest.raises(DocumentError):
            verify(written(tmp_path, "x", content))


@pytest.mark.parametrize("format_", ["xlsx", "csv"])
def test_workbook_and_table_are_checked_by_the_signature_beside_them(tmp_path: Path, format_: str) -> None:
    home = settings(tmp_path / "home")
    found = files(proof(home), signer(home, "acme", SIGNED), [format_], "proof")
    for name, content in found.items():
        written(tmp_path, name, content)
    file = tmp_path / f"proof.{format_}"
    assert verify(file).valid
    file.write_bytes(file.read_bytes() + b" ")
    changed = verify(file)
    assert changed.wrong is not None
    assert changed.wrong.path == "/document/sha256"
    (tmp_path / f"proof.{format_}.sig.json").unlink()
    with pytest.raises(DocumentError, match="signature"):
        verify(file)


def test_the_pdf_is_archivable_accessible_and_one_page_before_the_appendices(made: Proof) -> None:
    content = rendered(made, "pdf")
    reader = PdfReader(io.BytesIO(content))
    metadata = reader.trailer["/Root"]["/Metadata"].get_object().get_data().decode()
    assert re.search(r"<pdfaid:part>3</pdfaid:part>", metadata)
    assert re.search(r"<pdfaid:conformance>A</pdfaid:conformance>", metadata)
    assert re.search(r"<pdfuaid:part>1</pdfuaid:part>", metadata)
    assert bytes(reader.attachments[pdf.ATTACHMENT][0]) == made.content
    first, second = (reader.pages[i].extract_text() for i in range(2))
    assert "VERIFIED" in first
    assert "$11,459.21" in first
    assert "Synthetic sample data" in first
    assert "How to check this without trusting us" in first
    assert second.startswith("Appendices")


def test_a_refused_claim_shows_no_saving_on_its_first_page(tmp_path: Path) -> None:
    refused = proof(settings(tmp_path), claim(0.0))
    first = PdfReader(io.BytesIO(rendered(refused, "pdf"))).pages[0].extract_text()
    assert "NOT VERIFIED" in first
    assert "no figure is claimed" in first
    assert "Proof of saving" not in first
    assert "Proof of saving" not in rendered(refused, "html").decode()


def test_a_page_asks_nothing_of_any_network_and_runs_nothing(made: Proof) -> None:
    text = rendered(made, "html").decode()
    assert len(text) <= 200_000
    shown = re.sub(
        r'<script type="application/json".*?</script>|data:font/woff2;base64,[^)]*', "", text, flags=re.DOTALL
    )
    assert not re.search(r"(https?:)?//\w", shown.replace("http://www.w3.org/2000/svg", ""))
    assert re.findall(r"<script[^>]*>", text) == ['<script type="application/json" id="proof">']
    assert "noindex" in text


def test_texts_of_a_bill_are_only_ever_texts(hostile: Proof, tmp_path: Path) -> None:
    page = rendered(hostile, "html").decode()
    assert "<script>alert" not in page
    assert verify(written(tmp_path, "p.html", page.encode())).valid
    assert verify(written(tmp_path, "p.pdf", rendered(hostile, "pdf"))).valid
    book = openpyxl.load_workbook(io.BytesIO(rendered(hostile, "xlsx")))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if "HYPERLINK" in str(cell.value)]
    assert cells
    assert all(cell.data_type == "s" and not str(cell.value).startswith("=") for cell in cells)
    rows = csv.reader(io.StringIO(rendered(hostile, "csv").decode()))
    assert not [cell for row in rows for cell in row if cell[:1] in {"=", "@", "\t"}]


def test_what_the_font_lacks_is_marked() -> None:
    assert writable({"a": ["漢 € é\x07", 1]}) == {"a": ["◊ € é ", 1]}


def test_the_figures_of_the_workbook_are_formulas_over_its_days(made: Proof) -> None:
    content = rendered(made, "xlsx")
    formulas = openpyxl.load_workbook(io.BytesIO(content))["Proof"]
    values = openpyxl.load_workbook(io.BytesIO(content), data_only=True)["Proof"]
    lines = {row[0].value: row for row in formulas.iter_rows() if row[0].value}
    assert str(lines["Without the change"][1].value).startswith("=SUMIFS(Days!F2:F242")
    row = lines["Saving"][0].row
    assert formulas.cell(row, 2).value == f"=B{row - 2}-B{row - 1}"
    assert values.cell(row, 2).value == pytest.approx(11459.21)
    days = openpyxl.load_workbook(io.BytesIO(content))["Days"]
    spent = sum(r[2].value for r in days.iter_rows(min_row=2) if r[1].value == "reporting")  # type: ignore[misc]
    assert spent == pytest.approx(44786.29, abs=0.005)


def test_the_table_has_every_figure_exactly(made: Proof) -> None:
    rows = list(csv.DictReader(io.StringIO(rendered(made, "csv").decode())))
    figures = {row["item"]: row["value"] for row in rows if row["section"] == "figure"}
    assert figures["point"] == "11459.21"
    cost = [Decimal(row["value"]) for row in rows if row["section"] == "reporting" and row["item"] == "cost"]
    assert sum(cost).quantize(Decimal("0.01")) == Decimal("44786.29")
    assert {row["data"] for row in rows} == {"Synthetic sample data: this is no company's bill."}


def test_a_document_without_days_or_fee_is_rendered_too(tmp_path: Path) -> None:
    figures = replace(claim().figures, **dict.fromkeys(("point", "low", "high", "counterfactual", "share"), None))
    bare = replace(
        claim(0.0), figures=figures, days=(), loads=(), guard_rails=(), gates=(), projections=(), repriced=(), scope=(),
    )  # fmt: skip
    empty = proof(settings(tmp_path), bare)
    for format_ in ("html", "pdf", "xlsx", "csv"):
        assert rendered(empty, format_)
    assert "Quality and performance were not assessed." in rendered(empty, "html").decode()
    assert json.loads(empty.content)["document"]["bridge"] == []
