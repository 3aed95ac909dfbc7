"""A Value report of a large ledger in every format, and a crowd of due schedules, against rendering page by page.

Peer: the same tables as an HTML page by pandas (`DataFrame.to_html`) straight over the charges, which is what a script
without rollups would do. The ratio is its time over ours, all five formats included. The schedules ask for twenty
different reports in turn; they are drained by one worker, and again by two of which one is killed half way.

    python benchmarks/reports.py --rows 10000000 --json
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import bills
from benchmarks.measure import measured

_NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
_DAYS = "2026-10-01..2026-10-31"
_KINDS = ("value", "spend")


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
        view = View(f"2026-10-{number % 10 + 1:02}..2026-10-31")
        wanted = kept.Wanted(f"s{number:04}", _KINDS[number // 10 % 2], view, "daily 07:00", "UTC", ["pdf"], to)
        send_again(settings, kept.add(settings, "bench", wanted, _NOW), _NOW)


def again(home: str) -> None:
    """Every schedule is due once more."""
    from jobs import schedules as kept  # noqa: PLC0415
    from jobs.planning import send_again  # noqa: PLC0415

    settings = settings_in(home)
    for schedule in kept.listed(settings, "bench"):
        send_again(settings, schedule, _NOW + timedelta(minutes=1))


def reported(home: str) -> dict[str, int]:
    """One Value report in every format, in a process of its own."""
    from jobs.reporting import Reporter  # noqa: PLC0415
    from reports.render import FORMATS, render  # noqa: PLC0415
    from reports.view import View  # noqa: PLC0415

    with Reporter(settings_in(home)) as reporter:
        report = reporter.report("bench", "value", View(_DAYS), _NOW)
    return {format_: len(render(report, format_)) for format_ in FORMATS}


def drained(home: str, log: str, minutes: int = 0) -> int:
    """Send everything that is due, seen from some minutes later; every sending leaves a line in `log`."""
    from jobs.channels.storage import folder  # noqa: PLC0415
    from jobs.reporting import send_due  # noqa: PLC0415

    def way(parcel: Any, to: Any) -> str:  # noqa: ANN401 - jobs.dispatch.Parcel, jobs.destinations.Destination
        said = folder(parcel, to)
        with Path(log).open("a") as lines:
            lines.write(f"{parcel.id}\n")
        return said

    now = _NOW + timedelta(minutes=minutes)
    done = send_due(settings_in(home), ways={"folder": way}, clock=lambda: now)
    if done.errors:
        raise RuntimeError(f"{len(done.errors)} deliveries failed, the first: {done.errors[0]}")
    return done.sent


def killed(home: str, log: str, deliveries: int) -> float:
    """Seconds that two workers take of which one is killed half way; a third takes up what the dead one held."""
    context, start = multiprocessing.get_context("spawn"), time.perf_counter()
    workers = [context.Process(target=drained, args=(home, log, 1)) for _ in range(2)]
    for worker in workers:
        worker.start()
    while _lines(log) < deliveries // 2 and workers[0].is_alive():
        time.sleep(0.1)
    workers[0].kill()
    for worker in workers:
        worker.join()
    drained(home, log, 12)
    return time.perf_counter() - start


def _lines(log: str) -> int:
    return Path(log).read_text().count("\n") if Path(log).exists() else 0


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
        # In a process of its own: Linux hands the peak of memory of a parent on to its children.
        measured(prepare, home, arguments.rows, arguments.schedules)
        report, hand = measured(reported, home), measured(by_hand, home)
        one, two = str(Path(home) / "one.log"), str(Path(home) / "two.log")
        drain = measured(drained, home, one)
        measured(again, home)
        seconds = killed(home, two, arguments.schedules)
        ids = Path(two).read_text().split()
        received = len(list(Path(home).glob("out/*/*")))
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
                "two_workers_one_killed_seconds": round(seconds, 1),
                "lost": arguments.schedules - len(set(ids)),
                "doubled_at_receiver": received - arguments.schedules,
                "repeated_under_one_id": len(ids) - len(set(ids)),
                "ratio_by_hand": round(hand.seconds / report.seconds, 2),
            }
        )
    )


if __name__ == "__main__":
    main()
