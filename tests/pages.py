"""Pages of the PDFs of reports, as pictures and text, and the kept ones that they are held against.

    python -m tests.pages

writes the kept ones anew, after somebody looked at the new pages.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pypdf
from PIL import Image

from accounts.home import Settings
from jobs.reporting import Reporter
from reports.render import render
from reports.view import View
from tests.kept import keep_proof, keep_scenario
from tests.reporting import NOW, load_bill, settings_in

KEPT = Path(__file__).parent / "data" / "pages"
#: Pages that are kept of each; what follows in a proof are its appendices.
PAGES = {"spend": 2, "value": 2, "proof": 1, "roi": 1}
#: Dots an inch: enough to see where everything stands, too few to tell one release of a font renderer from another.
_DOTS = 24
#: What is different in every run: digests, keys and signatures.
_RANDOM = re.compile(r"[A-Za-z0-9_-]{16,}")


def made(folder: Path) -> dict[str, bytes]:
    """The PDF of every report over the tests' small ledger, as it is on one day."""
    settings = settings_in(folder / "home")
    load_bill(settings, folder)
    keep_proof(settings, "verified")
    views = {
        "spend": View("2026-10-01..2026-10-31"),
        "value": View("2026-10-01..2026-10-31"),
        "proof": View(),
        "roi": View(of=keep_scenario(settings)),
    }
    return {name: _pdf(settings, name, views[name]) for name in PAGES}


def _pdf(settings: Settings, name: str, view: View) -> bytes:
    with Reporter(settings) as reporter:
        return render(reporter.report("acme", name, view, NOW), "pdf")


def texts(pdf: bytes, most: int) -> list[str]:
    """The words of the first pages, without what is random."""
    pages = pypdf.PdfReader(io.BytesIO(pdf)).pages[:most]
    return [_RANDOM.sub("...", " ".join(page.extract_text().split())) for page in pages]


def picture(pdf: bytes, most: int) -> Image.Image:
    """The first pages beside each other, small and in shades of grey, as poppler draws them."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "report.pdf"
        file.write_bytes(pdf)
        drawing = ["pdftoppm", "-gray", "-png", "-r", str(_DOTS), "-l", str(most), str(file), f"{folder}/page"]
        subprocess.run(drawing, check=True)
        pages = [Image.open(page).convert("L") for page in sorted(Path(folder).glob("page*.png"))]
    whole = Image.new("L", (sum(page.width for page in pages), max(page.height for page in pages)), 255)
    left = 0
    for page in pages:
        whole.paste(page, (left, 0))
        left += page.width
    return whole


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean difference of the darkness of two pictures of one size, 0 to 255, each square of four dots as one."""
    squares = [np.asarray(image.reduce(4), dtype=float) for image in (one, other)]
    return float(np.abs(squares[0] - squares[1]).max())


def main() -> None:
    """Write the kept pages anew."""
    KEPT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, pdf in made(Path(folder)).items():
            (KEPT / f"{name}.txt").write_text("\n".join(texts(pdf, PAGES[name])) + "\n")
            picture(pdf, PAGES[name]).save(KEPT / f"{name}.png", optimize=True)
    sys.stdout.write(f"{KEPT} is written; look at it before it is committed.\n")


if __name__ == "__main__":
    main()
