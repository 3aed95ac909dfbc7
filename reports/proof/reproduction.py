"""Measuring a proof again: from its own days, from a bundle, and from the ledger at the pinned snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.result import plain
from ledger.errors import LedgerError
from reports.claimed import scope_in, spans_in
from reports.proof import bundle
from reports.proof.canonical import DocumentError
from reports.proof.remeasure import Compared, remeasured
from reports.proof.verification import Verification, verify

if TYPE_CHECKING:
    from ledger.lake import Lake

_SNAPSHOT = "ledger at snapshot"


@dataclass(frozen=True, slots=True)
class Reproduction:
    """What came of it.

    Attributes:
        verification: of the file; where it is not valid nothing was measured.
        sources: what was measured from, in words.
        compared: every figure that was found again.
        notes: what could not be done, and why.
    """

    verification: Verification
    sources: tuple[str, ...]
    compared: tuple[Compared, ...]
    notes: tuple[str, ...]

    @property
    def differences(self) -> tuple[Compared, ...]:
        """The figures that came out otherwise."""
        return tuple(figure for figure in self.compared if not figure.same)

    @property
    def same(self) -> bool:
        """Whether the proof is valid and every figure came out as signed."""
        return self.verification.valid and bool(self.compared) and not self.differences

    def record(self) -> dict[str, Any]:
        """As JSON carries it."""
        return {
            "reproduced": self.same,
            "valid": self.verification.valid,
            "verification": self.verification.summary,
            "id": self.verification.document.get("id"),
            "sources": list(self.sources),
            "compared": len(self.compared),
            "differences": [
                {"path": figure.path, "signed": figure.signed, "found": figure.found} for figure in self.differences
            ],
            "figures": {
                figure.path.rpartition("/")[2]: {"signed": figure.signed, "found": figure.found}
                for figure in self.compared
                if figure.path.startswith("/document/claim/figures/")
            },
            "notes": list(self.notes),
        }


def reproduce(path: Path, lake: Lake | None = None, why_not: str = "") -> Reproduction:
    """Measure a proof again.

    Args:
        path: a proof (JSON, HTML, PDF) or a bundle.
        lake: the ledger that it cites; None to measure from the file alone.
        why_not: why there is no ledger, as a sentence for the notes.

    Raises:
        DocumentError: the file is no proof, or of a method that this release does not have.
    """
    found = verify(path)
    document = dict(found.document)
    if found.wrong is not None:
        return Reproduction(found, (), (), ())
    if "days" not in document:
        raise DocumentError(f"{path.name} holds no days to measure from; reproduce the proof itself or its bundle.")
    sources, notes = ["days in the proof"], [why_not] if why_not else []
    compared = remeasured(document)
    if found.kind == "zip":
        parts = bundle.compared(path.read_bytes(), document)
        compared += parts
        sources.append("bundle")
    if document["redaction"] is not None:
        notes.append("This is a copy with names or ids taken out; the ledger can be asked for the full proof only.")
    elif lake is not None:
        import duckdb  # noqa: PLC0415 - the engine, which only the ledger needs

        try:
            compared += from_ledger(lake, document)
            sources.append(f"{_SNAPSHOT} {document['claim']['snapshot']}")
        except (LedgerError, duckdb.Error) as error:
            reason = " ".join(str(error).split())
            notes.append(f"The ledger could not be read at snapshot {document['claim']['snapshot']}: {reason}")
    return Reproduction(found, tuple(sources), tuple(compared), tuple(notes))


def from_ledger(lake: Lake, document: dict[str, Any]) -> list[Compared]:
    """The cited rows' digest and every day of the proof, read from the ledger at the pinned snapshot."""
    from analysis.baseline import series  # noqa: PLC0415 - the engine, which only the ledger needs
    from analysis.constant_prices import daily_costs  # noqa: PLC0415
    from analysis.drivers import driver_days  # noqa: PLC0415
    from analysis.period import Period  # noqa: PLC0415
    from ledger.price_book import book  # noqa: PLC0415
    from reports import cited  # noqa: PLC0415

    claim = document["claim"]
    scope, spans, at = scope_in(claim), spans_in(claim), claim["snapshot"]
    rows = cited.digest_rows(lake, cited_query(document))
    found = [Compared("/document/claim/row_digest", claim["row_digest"], rows)]
    if not found[0].same:
        return found
    tables = cited.tables(lake, scope, at)
    before, after = (Period(first, date.fromordinal(last.toordinal() + 1)) for first, last in spans)
    prices = book.load(lake=lake).layer("list")
    costs = daily_costs(tables.spend, tables.token_costs, tables.usage, prices.table, before, after)
    whole = Period(before.start, after.end)
    driver = driver_days(tables.drivers, tables.usage, scope, claim["driver"]["name"], whole)
    parts = (series(first, last, costs.days, driver.values) for first, last in spans)
    days = {row.date.isoformat(): row for part in parts for row in part.days}
    for i, day in enumerate(document["days"]["date"]):
        for name in ("cost", "as_billed", "driver", "price_per_token", "tokens_per_driver"):
            value = None if day not in days else plain(getattr(days[day], name))
            found.append(Compared(f"/document/days/{name}/{i}", document["days"][name][i], value))
    return found


def cited_query(document: dict[str, Any]) -> str:
    """The query of the cited rows, written anew: no statement out of a file is ever run."""
    from reports import cited  # noqa: PLC0415

    claim = document["claim"]
    driver, at = claim["driver"], int(claim["snapshot"])
    return cited.row_query(scope_in(claim), driver["name"], driver["source"], spans_in(claim), at)
