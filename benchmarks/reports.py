"""A Value report of a large ledger in every format, and a crowd of due schedules, against rendering page by page.

Peer: the same tables as an HTML page by pandas (`DataFrame.to_html`) straight over the charges, which is what a script
without rollups would do. The ratio is its time over ours, all five formats included.

    python benchmarks/reports.py --rows 10000000 --json
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import bills
from benchmarks.measure import measured

_NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
_DAYS = "2026-10-01..2026-10-31"


def settings_in(home: str) -> Any:  # noqa: ANN401 - accounts.home.Settings, imported late
    """Settings with a master key of their own."""
    from pydantic import SecretStr  # noqa: PLC0415

    from accounts.home import Settings  # noqa: PLC0415

    return Settings(home=Path(home), master_key=SecretStr("A" * 43 + "="))


def prepare(home: str, rows: int, schedules: int) -> None:
    """A ledger of one month, and schedules that are due."""
    from accounts.home import lake_address  # noqa: PLC0415
    from connectors.importing import import_files  # noqa: PLC0415
    from jobs import schedules as kept  # noqa: PLC0415
    from jobs.planning import send_again  # noqa: PLC0415
    from ledger.lake import Lake  # noqa: PLC0415
    from reports.view import View  # noqa: PLC0415

    settings = settings_in(home)
    bill = bills.write(Path(home) / "bill.parquet", "decimal", rows)
    with Lake(lake_address(settings, "bench")) as lake:
        import_files(lake, [str(bill)])
    bill.unlink()
    for number in range(schedules):
        to = [str(Path(home) / "out" / f"{number:04}")]
        wanted = kept.Wanted(f"s{number:04}", "value", View(_DAYS), "daily 07:00", "UTC", ["pdf"], to)
        send_again(settings, kept.add(settings, "bench", wanted, _NOW), _NOW)


def reported(home: str) -> dict[str, int]:
    """One Value report in every format, in a process of its own."""
    from jobs.reporting import Reporter  # noqa: PLC0415
    from reports.render import FORMATS, render  # noqa: PLC0415
    from reports.view import View  # noqa: PLC0415

    with Reporter(settings_in(home)) as reporter:
        report = reporter.report("bench", "value", View(_DAYS), _NOW)
    return {format_: len(render(report, format_)) for format_ in FORMATS}


def drained(home: str) -> int:
    """Send everything that is due."""
    from jobs.reporting import send_due  # noqa: PLC0415

    return send_due(settings_in(home), clock=lambda: _NOW).sent


def by_hand(home: str) -> int:
    """The peer: the figures as one HTML page, over the charges themselves."""
    from accounts.home import lake_address  # noqa: PLC0415
    from ledger.lake import Lake  # noqa: PLC0415

    with Lake(lake_address(settings_in(home), "bench")) as lake:
        pages = [
            lake.cursor()
            .execute(f"SELECT {name}, sum(BilledCost)::VARCHAR AS cost FROM charges GROUP BY 1 ORDER BY 2 DESC")
            .df()
            .to_html()
            for name in ("ServiceName", "ServiceProviderName", "x_ModelId", "SubAccountName")
        ]
    return len("".join(pages))


def main() -> None:
    """Run each side in a process of its own and end with one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--schedules", type=int, default=1_000)
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--json", action="store_true", help="print only the JSON line")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as home:
        prepare(home, arguments.rows, arguments.schedules)
        report, hand, drain = measured(reported, home), measured(by_hand, home), measured(drained, home)
    print(
        json.dumps(
            {
                "benchmark": "reports",
                "rows": arguments.rows,
                "report_seconds": round(report.seconds, 2),
                "report_cpu_seconds": round(report.cpu, 2),
                "report_megabytes": round(report.megabytes),
                "schedules": arguments.schedules,
                "drain_seconds": round(drain.seconds, 1),
                "drain_cpu_seconds": round(drain.cpu, 1),
                "ratio_by_hand": round(hand.seconds / report.seconds, 2),
            }
        )
    )


if __name__ == "__main__":
    main()
