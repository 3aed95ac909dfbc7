"""The baseline model on histories whose truth is known: coverage, false claims, power, and the CPU that it takes.

    python benchmarks/savings.py --replications 1000 --json

Each world of `tests/savings_worlds.py` is drawn so many times, at three lengths of baseline and reporting period. For
each: bias and coverage of the 90 % interval, how often a saving would be claimed (every gate of the frames passed, the
90 % and the 95 % interval above zero), and how often the lower bound of a claim lies above the truth. Beside ours, on
the same histories, what vendors do: cost per token before and after, with the standard error of days as if
independent.

The last line is JSON. Its ratios: how many times more often the before-and-after comparison claims a saving where
there is none (`ratio_false_claims`), and the share of the 20 ms that one estimate with placebo windows may take
(`ratio_of_20_ms`, CPU). It gates nothing; the same claims with fewer runs are tests.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import pandas as pd

from analysis.savings import AvoidedCost, measure_avoided_cost
from tests import savings_worlds as worlds
from tests.savings_worlds import Draw, World

LENGTHS = ((90, 30), (180, 60), (365, 90))
WORLDS: dict[str, World] = {
    "null": worlds.NULL,
    "routing": worlds.ROUTING,
    "compression": worlds.COMPRESSION,
    "organic": worlds.ORGANIC,
    "price cut": worlds.PRICE_CUT,
    "growth": worlds.GROWTH,
    "jump": worlds.JUMP,
    "random walk": worlds.RANDOM_WALK,
    "cache": worlds.CACHE,
    "middle": worlds.MIDDLE,
    "small": worlds.SMALL,
    "slow": worlds.SLOW,
    "heavy tails": worlds.HEAVY,
    "drift -10 %": worlds.DRIFT,
}
#: Worlds without a saving, in which a claim is false.
NOTHING = ("null", "organic", "price cut", "growth", "random walk", "drift -10 %")


@dataclass(frozen=True)
class Found:
    """What became of one world at one length, in percent; `milliseconds` is CPU of one estimate."""

    bias: float
    covered: float
    width: float
    sound: float
    claimed: float
    above_truth: float
    naive: float
    milliseconds: float


def found(world: World, n: int, m: int, replications: int) -> Found:
    """Measure every history of a world."""
    drawn = [worlds.draw(world, seed, n, m) for seed in range(replications)]
    start = time.process_time()
    results = [measure_avoided_cost(draw.baseline, draw.reporting) for draw in drawn]
    took = (time.process_time() - start) / replications
    pairs = list(zip(drawn, results, strict=True))
    claims = [(draw, result) for draw, result in pairs if claimed(result)]
    return Found(
        bias=_percent((float(r.point or 0) - d.truth) / d.counterfactual for d, r in pairs),
        covered=_percent(float(r.low or 0) <= d.truth <= float(r.high or 0) for d, r in pairs),
        width=_percent(float((r.fraction_high or 0) - (r.fraction_low or 0)) for _, r in pairs),
        sound=_percent(r.statistically_sound for r in results),
        claimed=_percent(claimed(r) for r in results),
        above_truth=_percent(float(r.low or 0) > d.truth for d, r in claims) if claims else 0.0,
        naive=_percent(before_and_after(d) > 0 for d in drawn),
        milliseconds=took * 1000,
    )


def claimed(result: AvoidedCost) -> bool:
    """Whether evidence would make it a verified saving."""
    return result.statistically_sound and result.shown


def before_and_after(draw: Draw) -> float:
    """Lower 90 % bound of the fall of cost per token as billed, days taken as independent."""
    before, after = _per_token(draw.paid_baseline), _per_token(draw.reporting)
    error = np.sqrt(before.var(ddof=1) / len(before) + after.var(ddof=1) / len(after))
    return float(before.mean() - after.mean() - 1.645 * error)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replications", type=int, default=100)
    parser.add_argument("--rows", type=int, default=0, help="takes no rows; accepted like the other benchmarks")
    parser.add_argument("--world", choices=sorted(WORLDS), help="one world only")
    parser.add_argument("--json", action="store_true", help="print the JSON line alone")
    asked = parser.parse_args()
    say: Callable[[str], None] = (lambda _: None) if asked.json else print
    say(f"{'days':>8} {'world':12} {'bias':>6} {'cover':>6} {'width':>6} {'sound':>6} {'claim':>6} {'>truth':>6} ms")
    table: dict[str, Found] = {}
    for n, m in LENGTHS:
        for name in [asked.world] if asked.world else WORLDS:
            one = table[f"{name} {n}/{m}"] = found(WORLDS[name], n, m, asked.replications)
            say(
                f"{n:>4}/{m:<3} {name:12} {one.bias:6.2f} {one.covered:6.1f} {one.width:6.1f} {one.sound:6.1f} "
                f"{one.claimed:6.1f} {one.above_truth:6.1f} {one.milliseconds:.1f}"
            )
    false = {key: one for key, one in table.items() if key.rsplit(" ", 1)[0] in NOTHING}
    ours, theirs = (_mean(getattr(one, what) for one in false.values()) for what in ("claimed", "naive"))
    print(
        json.dumps(
            {
                "replications": asked.replications,
                "false_claims_percent": {key: round(one.claimed, 1) for key, one in false.items()},
                "coverage_percent": {key: round(one.covered, 1) for key, one in table.items()},
                "before_and_after_false_claims_percent": round(theirs, 1),
                "ratio_false_claims": round(theirs / ours, 1) if ours else None,
                "ratio_of_20_ms": round(max(one.milliseconds for one in table.values()) / 20, 2),
            }
        )
    )


def _per_token(frame: pd.DataFrame) -> pd.Series:
    return frame["cost"] / (frame["driver"] * frame["tokens_per_driver"])


def _percent(shares: Iterable[float]) -> float:
    return 100 * _mean(shares)


def _mean(values: Iterable[float]) -> float:
    numbers = [float(value) for value in values]
    return float(np.mean(numbers)) if numbers else 0.0


if __name__ == "__main__":
    main()
