"""A month of a FOCUS export fetched from Blob Storage by its manifest and loaded, against the same files from disk.

The storage is Azurite behind the tests' own Azure (sign-in, tokens, manifest), in a process of its own on this machine.
Peer: our own file import; the ratio is its CPU seconds over ours, so 0.5 means that fetching costs as much again as
loading.

    python benchmarks/blob.py --rows 1000000 --json
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import shutil
import sys
import tempfile
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import bills
from benchmarks.s3 import compare, load_files, new

_A_FILE: Final = 500_000


def main() -> None:
    """Run both sides in turn, print what each took, and end with one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=None, help="where files and lakes go; a temporary one")
    parser.add_argument("--json", action="store_true", help="print only the JSON line")
    arguments = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        root, rows = Path(folder), arguments.rows
        month = new(root / "month")
        counts = [min(_A_FILE, rows - first) for first in range(0, rows, _A_FILE)]
        for at, count in enumerate(counts):
            bills.write(month / f"part_{at}_0001.parquet", "double", count, first=at * _A_FILE)
        shutil.rmtree(month / "spill", ignore_errors=True)
        server = context.Process(target=serve, args=(there, str(new(root / "azurite")), str(month), counts))
        server.start()
        try:
            url = here.recv()
            fetch = partial(fetch_and_load, url=url)
            result = compare("blob", root, fetch, rows, arguments.runs, quiet=arguments.json)
        finally:
            here.send("done")
            server.join()
        size = sum(file.stat().st_size for file in month.iterdir())
    print(json.dumps(result | {"megabytes_fetched": round(size / 1e6)}))


def serve(pipe: Any, folder: str, month: str, counts: list[int]) -> None:  # noqa: ANN401 - a pipe's end
    """Azure, with the month delivered; until the pipe says that it is over, so that the emulator ends as well."""
    from tests import test_connectors_azure_live as azure  # noqa: PLC0415 - of the serving process alone
    from tests.loopback.azure_front import AzureFront  # noqa: PLC0415
    from tests.loopback.azure_storage import Azurite  # noqa: PLC0415

    with Azurite(Path(folder)) as azurite, AzureFront(azurite, azure.NOW) as front:
        where = f"{azure.ROOT}/20261001-20261031/202611010500/r1"
        blobs = list[dict[str, Any]]()
        with azurite.service() as service:
            service.create_container(azure.BOX)
            box = service.get_container_client(azure.BOX)
            for file, count in zip(sorted(Path(month).iterdir()), counts, strict=True):
                with file.open("rb") as body:
                    box.upload_blob(f"{where}/{file.name}", body)
                blobs.append(
                    {"blobName": f"{where}/{file.name}", "byteCount": file.stat().st_size, "dataRowCount": count}
                )
            run = {
                "runId": "r1",
                "submittedTime": "2026-11-01T05:00:00Z",
                "startDate": "2026-10-01",
                "endDate": "2026-10-31",
            }
            config = {"exportName": "daily", "type": "FocusCost", "dataVersion": "1.2"}
            manifest = {"manifestVersion": "2024-04-01", "exportConfig": config, "runInfo": run, "blobs": blobs}
            box.upload_blob(f"{where}/manifest.json", json.dumps(manifest | {"blobCount": len(blobs)}))
        pipe.send(front.url)
        pipe.recv()


def fetch_and_load(home: str, folder: str, url: str) -> int:
    """Fetch the month by its manifest, keep its files, and import them into an empty lake."""
    from connectors.azure.live import AzureSource  # noqa: PLC0415 - in the measured process only
    from connectors.live import Access, Window  # noqa: PLC0415
    from tests.loopback.azure_front import CLIENT, SCOPE, SECRET, STORE, TENANT, Redirected  # noqa: PLC0415

    export = f"https://{STORE}/exports/costs/daily"
    values = {"scope": SCOPE, "tenant_id": TENANT, "client_id": CLIENT, "client_secret": SECRET, "export": export}
    access = Access(values | {"subscriptions": "none"}, now=lambda: datetime(2026, 11, 20, tzinfo=UTC))
    source = AzureSource(access, Redirected(url))
    kept = new(Path(folder))
    (stream,) = source.streams(Window(date(2026, 10, 1), date(2026, 11, 1)))
    for page in source.pull(stream, None):
        shutil.move(str(page.body), kept / page.name)
    return load_files(home, folder)


if __name__ == "__main__":
    main()
