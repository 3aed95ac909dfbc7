"""The sample customer drawn anew, seed by seed: how often the truth lies in the interval, and what is verified.

    python benchmarks/seeds.py --seeds 500 --json

Each of the sample's four changes is measured over its first 90 days, as if the evidence of the bill were complete. The
rule of verification was chosen on seeds from 1000 on; those below had no part in that and judge it. A hundred seeds
tell a rate to a few points only, so the least and the most of every hundred stand beside the rate.

The last line is JSON. Its ratios: how many times less often than in 5 of 100 a change without effect was verified
(`ratio_false_verified`), and the least share of true savings that were (`ratio_true_verified`). It gates nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sample_data.company import CHANGES
from tests.savings_seeds import WITHOUT_EFFECT, Seen, seen

#: Of a hundred, how often a change without effect may be verified.
_ALLOWED = 5
_HUNDRED = 100


def figures(found: Sequence[Seen]) -> dict[str, Any]:
    """Shares of one change in percent, and the least and the most of each whole hundred of its seeds."""
    covered, verified = [one.covered for one in found], [one.verified for one in found]
    return {
        "covered_percent": _percent(covered),
        "covered_of_100": _range(covered),
        "verified_percent": _percent(verified),
        "verified_of_100": _range(verified),
        "above_zero_percent": _percent([(one.result.low or 0) > 0 for one in found]),
    }


def main() -> None:
    """Draw, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--seeds", type=int, default=100, help="how many, each change being measured once for every one"
    )
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--rows", type=int, default=0, help="takes no rows; accepted like the other benchmarks")
    parser.add_argument("--json", action="store_true", help="print the JSON line alone")
    asked = parser.parse_args()
    say: Callable[[str], None] = (lambda _: None) if asked.json else print
    start = time.process_time()
    table: dict[str, dict[str, Any]] = {}
    for change in CHANGES:
        table[change.id] = one = figures([seen(change.id, asked.first + nth) for nth in range(asked.seeds)])
        say(f"{change.id:26} {', '.join(f'{name} {value}' for name, value in one.items())}")
    true = [one["verified_percent"] for name, one in table.items() if name != WITHOUT_EFFECT]
    false = table[WITHOUT_EFFECT]["verified_percent"]
    print(
        json.dumps(
            {
                "first_seed": asked.first,
                "seeds": asked.seeds,
                "changes": table,
                "without_effect": WITHOUT_EFFECT,
                "cpu_seconds": round(time.process_time() - start, 1),
                "ratio_false_verified": round(_ALLOWED / false, 1) if false else None,
                "ratio_true_verified": round(min(true) / _HUNDRED, 3),
            }
        )
    )


def _percent(held: Sequence[bool]) -> float:
    return round(100 * sum(held) / len(held), 1)


def _range(held: Sequence[bool]) -> list[int] | None:
    sums = [sum(held[at : at + _HUNDRED]) for at in range(0, len(held) - _HUNDRED + 1, _HUNDRED)]
    return [min(sums), max(sums)] if sums else None


if __name__ == "__main__":
    main()
