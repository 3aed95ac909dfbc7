"""Forecasts of many made-up series: speed, what the 90 % band covers, and skill beside repeating the last week.

    python benchmarks/forecast.py --rows 1000 --json

Each row is one series of two years by day (seeded, synthetic): weekday and month-end effects, growth that breaks, level
shifts, spikes, and one in ten with days without spend. All but the last 90 days are forecast from, the last 90 are held
out. CPU seconds are those of the forecast of the days to come with its whole backtest. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from datetime import date
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

#: CPU seconds that 1,000 series with their backtest may take.
_LIMIT = 15.0
START = date(2024, 11, 20)


def made_up(count: int, days: int = 730, seed: int = 1) -> np.ndarray:
    """Series by day."""
    rng = np.random.default_rng(seed)
    when = np.arange(days)
    calendar = [date.fromordinal(START.toordinal() + n) for n in range(days)]
    weekday = np.array([d.weekday() for d in calendar])
    first = np.array([d.day == 1 for d in calendar])
    late = np.array([d.day >= 28 for d in calendar])
    found = np.zeros((count, days))
    for row in range(count):
        level = np.full(days, np.log(rng.lognormal(5, 1.5)))
        breaks = np.sort(rng.integers(0, days, rng.integers(0, 4)))
        for start, end in zip([0, *breaks], [*breaks, days], strict=True):
            growth = rng.normal(0.0006, 0.0012)
            level[start:] += growth * np.minimum(when[start:] - start, end - start)
        for _ in range(rng.poisson(1.2)):
            level[rng.integers(0, days) :] += rng.normal(0, 0.25)
        week = rng.normal(0, 0.1, 7)
        week[5:] -= rng.uniform(0, 0.7)
        noise = np.zeros(days)
        shocks, keep = rng.normal(0, rng.uniform(0.03, 0.12), days), rng.uniform(0, 0.7)
        for day in range(1, days):
            noise[day] = keep * noise[day - 1] + shocks[day]
        series = np.exp(level + week[weekday] + noise)
        series *= 1 + first * max(rng.normal(0.1, 0.3), 0) + late * max(rng.normal(0, 0.1), 0)
        series *= np.where(rng.random(days) < 0.006, rng.uniform(1.5, 6, days), 1)
        if rng.random() < 0.1:
            series *= rng.random(days) > rng.uniform(0.1, 0.5)
        found[row] = series
    return found


def main() -> None:
    """Measure and print."""
    from analysis.forecast_run import run  # noqa: PLC0415

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    given = parser.parse_args()
    spend = made_up(given.rows, seed=given.seed)
    start = time.process_time()
    found = run(spend, START, 90)
    cpu = time.process_time() - start
    print(f"{given.rows:,} series of two years, 90 days and their backtest: {cpu:.2f} s of processor")
    for line in found.backtest:
        print(
            f"{line.days} days: {line.windows} held-out windows, {line.coverage:.1%} in the 90 % band, median error "
            f"{line.error:.1%}, skill beside the last week {line.skill:.1%}"
        )
    if given.json:
        last = found.backtest[-1]
        figures = {
            "rows": given.rows,
            "cpu_seconds": round(cpu, 2),
            "series_per_second": round(given.rows / cpu),
            "ratio_limit": round(_LIMIT * given.rows / 1_000 / cpu, 2),
            "coverage_90": round(last.coverage, 4),
            "held_out": last.windows,
            "median_error_90": round(last.error, 4),
            "skill_90": round(last.skill, 4),
        }
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
