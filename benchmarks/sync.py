"""A year of one OpenAI organization, synced from a loopback server: own CPU seconds and peak memory.

    python benchmarks/sync.py --rows 219000 --json

`--rows` is the number of usage results in the year: 365 days x 20 models x 30 projects make 219,000; each has five
cost lines, so 1,095,000 beside them. The server runs in a process of its own; only the syncing process is measured.
The last line is JSON: `cpu_seconds` and `megabytes` of the backfill, `ratio_cpu` and `ratio_memory` over what is
allowed (60 CPU seconds, 500 MB; below 1 is within), and `again_cpu_seconds` of the sync after it.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from openai import OpenAI
from pydantic import SecretStr

from accounts import connections, credentials
from accounts.errors import ConnectionsError
from accounts.home import Settings
from accounts.vault import new_key
from benchmarks.measure import measured
from connectors.live import Access
from connectors.openai.live import SETUP, OpenAISource
from connectors.sources import Provider
from jobs.sync import Tools, sync
from tests.loopback.openai import KEY, OpenAILoopback

NOW: Final = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAYS, MODELS, KINDS = 365, 20, 5
CPU_ALLOWED, MEMORY_ALLOWED = 60, 500
LINES: Final = ("input", "cached input", "cache writes", "output", "output, long context")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=219_000, help="usage results in the year")
    parser.add_argument("--json", action="store_true", help="print the JSON line alone")
    options = parser.parse_args()
    projects = max(1, options.rows // (DAYS * MODELS))
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    server = context.Process(target=serve, args=(sender, projects), daemon=True)
    server.start()
    url = receiver.recv()
    with tempfile.TemporaryDirectory() as home:
        first = measured(backfill, home, url)
        again = measured(backfill, home, url)
    server.terminate()
    if not options.json:
        print(f"{first.value}: {first.cpu:.1f} CPU s, {first.seconds:.1f} s, {first.megabytes:.0f} MB")
    result = {
        "usage_results": DAYS * MODELS * projects,
        "cost_lines": DAYS * MODELS * projects * KINDS,
        "rows": first.value["rows"],
        "state": first.value["state"],
        "cpu_seconds": round(first.cpu, 1),
        "seconds": round(first.seconds, 1),
        "megabytes": round(first.megabytes),
        "again_cpu_seconds": round(again.cpu, 1),
        "ratio_cpu": round(first.cpu / CPU_ALLOWED, 2),
        "ratio_memory": round(first.megabytes / MEMORY_ALLOWED, 2),
    }
    print(json.dumps(result))


def backfill(home: str, url: str) -> dict[str, Any]:
    """One sync of the year."""
    key = Path(home) / "key"
    if not key.exists():
        key.write_text(new_key())
    settings = Settings(home=Path(home), master_key=SecretStr(key.read_text()))
    connection = connections.new("default", "openai", "openai")
    credentials.seal(settings, connection, SETUP.fields, {"admin_key": KEY})
    try:
        connections.add(settings, connection)
    except ConnectionsError:
        connection = connections.named(settings, "default", "openai")

    def open_source(access: Access) -> OpenAISource:
        client = OpenAI(admin_api_key=access.values["admin_key"], base_url=f"{url}/v1", max_retries=0)
        return OpenAISource(client, access)

    provider = Provider("openai", SETUP, open_source)
    run = sync(settings, "default", "openai", tools=Tools(find=lambda _: provider, now=lambda: NOW))
    return {"state": str(run.state), "rows": run.rows, "message": run.message, "calls": run.calls}


def serve(sender: Any, projects: int) -> None:  # noqa: ANN401 - a pipe's end
    """The organization."""
    api = OpenAILoopback(NOW)
    first = NOW.date() - timedelta(days=DAYS - 1)
    for at in range(DAYS):
        day = first + timedelta(days=at)
        api.costs[day] = costs(day, projects)
        api.usage[day] = usage(projects)
    with api:
        sender.send(api.url)
        multiprocessing.Event().wait()


def costs(day: date, projects: int) -> list[dict[str, Any]]:
    """The cost lines of a day: every project, model and kind."""
    return [
        {
            "line_item": f"gpt-5.{model}, {kind}",
            "project_id": f"proj_{project:04}",
            "api_key_id": None,
            "value": f"0.{model:02}{project:03}{day.day:02}{at}1234567",
        }
        for project in range(projects)
        for model in range(MODELS)
        for at, kind in enumerate(LINES)
    ]


def usage(projects: int) -> list[dict[str, Any]]:
    """The usage results of a day: every project and model, all token kinds in one result."""
    return [
        {
            "object": "organization.usage.completions.result",
            "input_tokens": 120_000 + model,
            "input_cached_tokens": 20_000,
            "input_cache_write_tokens": 1_000,
            "output_tokens": 9_000,
            "input_audio_tokens": 0,
            "output_audio_tokens": 0,
            "num_model_requests": 300,
            "project_id": f"proj_{project:04}",
            "api_key_id": None,
            "user_id": None,
            "model": f"gpt-5.{model}",
            "batch": False,
            "service_tier": "default",
        }
        for project in range(projects)
        for model in range(MODELS)
    ]


if __name__ == "__main__":
    main()
