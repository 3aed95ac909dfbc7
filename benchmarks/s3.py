"""A month of CUR 2.0 fetched from S3 by its manifest and loaded, against loading the same files from disk.

The bucket is moto's server in a process of its own on this machine. Peer: our own file import; the ratio is its CPU
seconds over ours, so 0.5 means that fetching costs as much again as loading.

    python benchmarks/s3.py --rows 2000000 --json
"""

from __future__ import annotations

import argparse
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import bills
from benchmarks.measure import Measured, measured

_BUCKET: Final = "costs"
_EXPORT: Final = f"s3://{_BUCKET}/billing/spendproof"
_MONTH: Final = date(2026, 10, 1)
_A_FILE: Final = 500_000
_KEYS: Final = {"access_key_id": "x", "secret_access_key": "y"}


def load_files(home: str, folder: str) -> int:
    """Import the files from disk into an empty lake."""
    from connectors.importing import import_files  # noqa: PLC0415 - in the measured process only
    from ledger.lake import Address, Lake  # noqa: PLC0415

    with Lake(Address(Path(home))) as lake:
        (loaded,) = import_files(lake, [folder])
        return loaded.rows_loaded


def fetch_and_load(home: str, folder: str, url: str) -> int:
    """Fetch the month by its manifest, keep its files, and import them into an empty lake."""
    from connectors.aws.live import AwsSource  # noqa: PLC0415
    from connectors.live import Access, Window  # noqa: PLC0415

    now = datetime(2026, 11, 20, tzinfo=UTC)
    access = Access({"export": _EXPORT, "regions": "none"} | _KEYS, now=lambda: now)
    source = AwsSource(access, endpoints={"*": url})
    kept = Path(folder)
    kept.mkdir()
    (stream,) = source.streams(Window(_MONTH, date(2026, 11, 1)))
    for page in source.pull(stream, None):
        shutil.move(str(page.body), kept / page.name)
    return load_files(home, folder)


def main() -> None:
    """Run both sides in turn, print what each took, and end with one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=None, help="where files and lakes go; a temporary one")
    parser.add_argument("--json", action="store_true", help="print only the JSON line")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        server = subprocess.Popen(
            [str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1", "-p", str(port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            root, rows = Path(folder), arguments.rows
            size = deliver(new(root / "month"), url, rows)
            result = compare("s3", root, partial(fetch_and_load, url=url), rows, arguments.runs, quiet=arguments.json)
        finally:
            server.terminate()
            server.wait()
    print(json.dumps(result | {"megabytes_fetched": round(size / 1e6)}))


def new(folder: Path) -> Path:
    """A folder that is made."""
    folder.mkdir()
    return folder


def compare(
    name: str, folder: Path, fetch: Callable[[str, str], int], rows: int, runs: int, *, quiet: bool
) -> dict[str, Any]:
    """Load the files of `folder/month` from disk, and fetched from the cloud, in turn, `runs` times each."""
    source = folder / "month"
    disk, cloud = list[Measured](), list[Measured]()
    for _ in range(runs):
        for place in ("lake", "kept"):
            shutil.rmtree(folder / place, ignore_errors=True)
        disk.append(measured(load_files, str(folder / "lake"), str(source)))
        shutil.rmtree(folder / "lake")
        cloud.append(measured(fetch, str(folder / "lake"), str(folder / "kept")))
        if disk[-1].value != rows or cloud[-1].value != rows:
            raise AssertionError
        if not quiet:
            print(
                f"disk {disk[-1].seconds:.2f} s, {disk[-1].cpu:.2f} s of CPU; "
                f"{name} {cloud[-1].seconds:.2f} s, {cloud[-1].cpu:.2f} s of CPU"
            )
    return {
        "benchmark": name,
        "rows": rows,
        "disk_seconds": round(median(d.seconds for d in disk), 3),
        f"{name}_seconds": round(median(c.seconds for c in cloud), 3),
        f"{name}_cpu_seconds": round(median(c.cpu for c in cloud), 3),
        f"{name}_megabytes": round(max(c.megabytes for c in cloud)),
        "ratio_file_import": round(median(d.cpu / c.cpu for d, c in zip(disk, cloud, strict=True)), 3),
        "ratio_file_import_wall": round(median(d.seconds / c.seconds for d, c in zip(disk, cloud, strict=True)), 3),
    }


def deliver(folder: Path, url: str, rows: int) -> int:
    """Write the month as files of half a million lines, and deliver them as AWS does; their bytes."""
    import boto3  # noqa: PLC0415
    from botocore.exceptions import EndpointConnectionError  # noqa: PLC0415

    client = boto3.client(
        "s3",
        endpoint_url=url,
        aws_access_key_id="x",
        aws_secret_access_key="y",  # noqa: S106 - moto takes any
        region_name="us-east-1",
    )
    for _ in range(60):
        try:
            client.create_bucket(Bucket=_BUCKET)
            break
        except EndpointConnectionError:
            time.sleep(0.5)
    period = f"BILLING_PERIOD={_MONTH:%Y-%m}"
    names, size = list[str](), 0
    for at, first in enumerate(range(0, rows, _A_FILE)):
        file = bills.write(folder / f"part-{at:05}.parquet", "cur2", min(_A_FILE, rows - first), first=first)
        key = f"billing/spendproof/data/{period}/{file.name}"
        client.upload_file(str(file), _BUCKET, key)
        names.append(f"s3://{_BUCKET}/{key}")
        size += file.stat().st_size
    manifest = json.dumps({"dataFiles": names})
    key = f"billing/spendproof/metadata/{period}/spendproof-Manifest.json"
    client.put_object(Bucket=_BUCKET, Key=key, Body=manifest.encode())
    shutil.rmtree(folder / "spill", ignore_errors=True)
    return size


if __name__ == "__main__":
    main()
