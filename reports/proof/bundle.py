"""A proof bundle: all that a third party needs to measure again, in one archive; the ledger stays where it is.

proof.json    the signed proof
days.csv      its days, as the proof has them
queries.sql   what gave the cited rows, out of which ledger
prices.csv    the list prices that made the costs constant; their digest stands in the proof
rows.txt      on request: the cited rows, one line each; their SHA-256 stands in the proof
README.txt    what to do with it
"""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

from reports.claim import Day
from reports.proof.canonical import DocumentError
from reports.proof.document import daily
from reports.proof.remeasure import Compared

if TYPE_CHECKING:
    import pyarrow as pa

    from ledger.lake import Lake
    from reports.proof.issue import Proof

PROOF, DAYS, QUERIES, PRICES, ROWS = "proof.json", "days.csv", "queries.sql", "prices.csv", "rows.txt"
_README: Final = """A proof of SpendProof, with what it takes to measure it again.

  spendproof verify THIS.zip       is the proof as it was signed, and do its sums hold
  spendproof reproduce THIS.zip    measure again and compare every figure

Neither needs the ledger nor a network. rows.txt, where it is in the archive, holds the cited rows of the ledger.
"""
#: One date for every file in the archive, so that the same proof gives the same bytes.
_WHEN: Final = (1980, 1, 1, 0, 0, 0)
_MOST_BYTES: Final = 512 * 2**20


def bundle(proof: Proof, lake: Lake, *, rows: bool = False) -> bytes:
    """The archive of a proof.

    Args:
        proof: the proof.
        lake: the ledger that it cites.
        rows: whether the cited rows go along.

    Raises:
        DocumentError: the ledger no longer has what the proof cites.
    """
    document = proof.document
    parts = {
        PROOF: proof.content,
        DAYS: days_csv(document),
        QUERIES: f"-- Gave the lines of {ROWS}, in order.\n{document['claim']['row_query']};\n".encode(),
        "README.txt": _README.encode(),
    }
    if (prices := _prices(lake, document)) is not None:
        parts[PRICES] = prices
    if rows:
        parts[ROWS] = _rows(lake, document)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name, _WHEN), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def days_csv(document: dict[str, Any]) -> bytes:
    """The days of a document as CSV."""
    out = io.StringIO()
    # In the order of the fields: a document that was read out of its signature has its names sorted.
    writer = csv.DictWriter(out, [field.name for field in fields(Day)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(daily(document))
    return out.getvalue().encode()


def compared(content: bytes, document: dict[str, Any]) -> list[Compared]:
    """What lies in an archive beside the proof, held against what the proof says of it.

    Raises:
        DocumentError: a part is damaged or too large.
    """
    claim = document["claim"]
    found = list[Compared]()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        if sum(entry.file_size for entry in archive.infolist()) > _MOST_BYTES:
            raise DocumentError("The bundle unpacks to more than a bundle holds.")
        if DAYS in names:
            due, has = (hashlib.sha256(text).hexdigest() for text in (days_csv(document), archive.read(DAYS)))
            found.append(Compared(f"/{DAYS}", due, has))
        if ROWS in names:
            has = hashlib.sha256(archive.read(ROWS)).hexdigest()
            found.append(Compared("/document/claim/row_digest", claim["row_digest"], has))
        if PRICES in names:
            found.append(
                Compared("/document/claim/price_book_digest", claim["price_book_digest"], _digest(archive.read(PRICES)))
            )
    return found


def _prices(lake: Lake, document: dict[str, Any]) -> bytes | None:
    """The list prices as they were when the claim was measured; None where the book cannot be had as it was then."""
    from datetime import datetime  # noqa: PLC0415

    from ledger.price_book import book  # noqa: PLC0415

    made = datetime.fromisoformat(document["claim"]["created"])
    for at in (None, made):
        listed = book.load(lake=lake, at=at).layer("list")
        if listed.digest == document["claim"]["price_book_digest"]:
            return _csv(listed.table)
    return None


def _csv(table: pa.Table) -> bytes:
    import pyarrow.csv as pc  # noqa: PLC0415

    out = io.BytesIO()
    pc.write_csv(table, out)
    return out.getvalue()


def _digest(content: bytes) -> str:
    """The price book's digest of a table that was written as CSV."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.csv as pc  # noqa: PLC0415

    from ledger.price_book.known import digest  # noqa: PLC0415
    from ledger.price_book.rows import ARROW_SCHEMA  # noqa: PLC0415

    options = pc.ConvertOptions(
        column_types=ARROW_SCHEMA, strings_can_be_null=True, quoted_strings_can_be_null=False, null_values=[""]
    )
    try:
        return digest(pc.read_csv(io.BytesIO(content), convert_options=options).cast(ARROW_SCHEMA))
    except pa.ArrowInvalid as error:
        raise DocumentError(f"{PRICES} in the bundle is damaged: {error}") from error


def _rows(lake: Lake, document: dict[str, Any]) -> bytes:
    import duckdb  # noqa: PLC0415 - the engine, which only the ledger needs

    from reports.proof.reproduction import cited_query  # noqa: PLC0415 - which reads bundles itself

    try:
        content = "\n".join(sorted(str(row["line"]) for row in lake.records(cited_query(document)))).encode()
    except duckdb.Error:
        content = b""
    if hashlib.sha256(content).hexdigest() != document["claim"]["row_digest"]:
        raise DocumentError(
            f"The ledger no longer gives the rows that the proof cites (snapshot {document['claim']['snapshot']}), so "
            "they cannot go along. Make the bundle without them."
        )
    return content
