"""A proof as CSV: its figures, then its days, every line saying what it is about; exact decimals, no formatting."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, Final

from reports.claim import Figures
from reports.proof.canonical import digest
from reports.proof.document import daily
from reports.proof.statement import STATEMENT, SYNTHETIC
from reports.render.cells import safe

_HEAD: Final = ("proof", "state", "data", "section", "item", "day", "value", "unit", "note")


def csv_text(document: Mapping[str, Any]) -> bytes:
    """The table of a document; an empty value is a figure that there is not."""
    claim, out = document["claim"], io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_HEAD)
    about = (document["id"], document["state"], SYNTHETIC if claim["synthetic"] else "")
    currency, unit = claim["currency"], claim["driver"]["unit"] or claim["driver"]["name"]

    def line(section: str, item: str, day: str, value: str | None, of: str, note: str = "") -> None:
        # Values are decimal texts by the schema; everything else may have come from a bill.
        writer.writerow((*about, section, safe(item), day, value or "", safe(of), safe(note)))

    line("document", "digest", "", digest(dict(document)), "sha-256")
    # By name and not as they come: a document that was read out of its signature has its names sorted.
    for name in STATEMENT:
        line("statement", name, "", "", "", document["statement"][name])
    for name in (field.name for field in fields(Figures)):
        value = claim["figures"][name]
        share = name.startswith("share") or name in {"drift_to_nothing", "minimum_detectable"}
        line("figure", name, "", value, "share" if share else currency)
    for part in document["bridge"]:
        line("bridge", part["label"], "", part["amount"], currency, part["kind"])
    for gate in claim["gates"]:
        line("gate", f"{gate['id']} {gate['title']}", "", "", gate["state"], gate["sentence"])
    for fee in claim["fee"]:
        line("fee", fee["text"], "", fee["amount"], currency)
    for note, day, value, way in _shares(claim):
        line("share", note, day, value, currency if value else "", way)
    for day in daily(document):
        for name in ("cost", "as_billed", "expected", "expected_low", "expected_high"):
            line(day["part"], name, day["date"], day[name], currency)
        line(day["part"], "driver", day["date"], day["driver"], unit)
    return out.getvalue().encode()


def _shares(claim: Mapping[str, Any]) -> Iterator[tuple[str, str, str | None, str]]:
    """The parts of several changes by what they count, and how they came about: change, day, amount and note."""
    for share in claim["shares"]:
        for way in ("sequential", "shapley", "alone"):
            yield share["note"], share["first_day"], share[way], way
    # Proofs of before the split have no word of it.
    for sentence in claim.get("split", []):
        yield "", "", None, sentence
