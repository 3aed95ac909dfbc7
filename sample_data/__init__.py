"""One fictional customer, Lumenfold, in each provider's own file format. SYNTHETIC: no figure is a real bill's."""

from __future__ import annotations

from pathlib import Path
from typing import Final

#: Where the generated files lie.
FOLDER: Final = Path(__file__).resolve().parent / "files"

#: What each change really saved, and every other true figure about the files (JSON).
TRUTH: Final = FOLDER.parent / "truth.json"

#: March 2026 of the AWS bill as first delivered: incomplete, restated by the file of that month in `files()`.
FIRST_DELIVERY: Final = FOLDER / "aws-first-delivery" / "synthetic-cur2-2026-03.snappy.parquet"

#: What the providers invoiced by month, and evaluations of each product's models; `spendproof prove` takes such files.
INVOICES: Final = FOLDER / "usage" / "synthetic_invoices.csv"
EVALUATIONS: Final = FOLDER / "usage" / "synthetic_evaluations.csv"

#: In the order in which `files` lists them: bills, then usage, then what the business did.
_KINDS: Final = (
    "aws/*.parquet",
    "azure/*.parquet",
    "gcp/*.ndjson.gz",
    "openai/synthetic_costs_*.json",
    "anthropic/synthetic_cost_*.json",
    "openai/synthetic_usage_*.json",
    "anthropic/synthetic_usage_*.json",
    "usage/synthetic_request_log.parquet",
    "usage/synthetic_drivers.csv",
)


def files() -> list[Path]:
    """The bill, usage and driver files that `spendproof demo` imports, in order."""
    return [path for kind in _KINDS for path in sorted(FOLDER.glob(kind))]
