"""A hundred thousand fees, customers times months: whole columns at once, beside the one price with its lines.

    python benchmarks/fees.py --rows 100000 --json

Early (the lesser of $99 and 2 %), Enterprise (graduated) and a referred Early, each over `--rows` spends; both must
agree to the last digit.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measure import measured

#: CPU seconds that so many fees may take, imports included.
_LIMIT = 3.0
_COUNT = 100_000


def spends(rows: int) -> list[Decimal]:
    """AI spends between 0 and $1M with six digits, the same in every run."""
    draw = random.Random(1)  # noqa: S311 - amounts of a benchmark
    return [Decimal(draw.randrange(10**12)).scaleb(-6) for _ in range(rows)]


def columns(rows: int) -> list[Decimal]:
    """The fees of every plan, set at a time; returns their sums."""
    from analysis.fees_table import Metered, prices  # noqa: PLC0415

    metered = Metered({"ai_spend": spends(rows), "period": [n % 12 + 1 for n in range(rows)]}, "USD")
    return [sum(prices(expression, metered), Decimal(0)) for expression in _plans()]


def singly(rows: int) -> list[Decimal]:
    """The same one by one, with lines; returns their sums."""
    from analysis.fees import Money, price  # noqa: PLC0415

    given = [{"ai_spend": Money(s, "USD"), "period": n % 12 + 1} for n, s in enumerate(spends(rows))]
    return [sum((price(expression, metrics).amount for metrics in given), Decimal(0)) for expression in _plans()]


def _plans() -> list[object]:
    from datetime import date  # noqa: PLC0415

    from billing.catalog import coupon, plan  # noqa: PLC0415

    day = date(2026, 11, 1)
    early = plan("early", day)
    return [each.priced() for each in (early, plan("enterprise", day), coupon("referred").on(early))]


def main() -> None:
    """Run both and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=_COUNT, help="fees of each of three plans")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    given = parser.parse_args()
    at_once, one_by_one = measured(columns, given.rows), measured(singly, given.rows)
    if at_once.value != one_by_one.value:
        sys.exit("the two ways disagree")
    plans = len(at_once.value)
    for name, result in (("columns", at_once), ("one by one, with lines", one_by_one)):
        print(f"{plans} x {given.rows} fees, {name}: {result.cpu:.2f} s CPU, {result.megabytes:.0f} MB")
    share = at_once.cpu / plans / (_LIMIT * given.rows / _COUNT)
    if given.json:
        print(json.dumps({"cpu_seconds": round(at_once.cpu / plans, 3), "of_limit": round(share, 3)}))


if __name__ == "__main__":
    main()
