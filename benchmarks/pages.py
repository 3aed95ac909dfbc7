"""What a page costs: CPU of one run in the server's process, and how long fifty people wait who all look at once.

A real server over `--rows` charges, asked through real websockets by clients that read every answer. Peer: Streamlit's
own demo page of four metrics, two charts and a table, measured once at 4.8 s (p50) for fifty at once.

    python benchmarks/pages.py --rows 1000000 --json
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import bills  # noqa: E402

_SERVE = (
    "import sys; from pathlib import Path; from accounts.home import Settings; from ui.server import serve; "
    "serve(Settings(home=Path(sys.argv[1])), 'default', port=int(sys.argv[2]))"
)
PAGES = (
    "",
    "proofs",
    "spend",
    "unit-cost",
    "change",
    "what-if",
    "roi",
    "forecast",
    "connections",
    "reports",
    "reconciliation",
    "loads",
    "method",
)


def filled(home: Path, rows: int) -> None:
    """A workspace `default` with a synthetic bill of so many charges."""
    from accounts.home import Settings, lake_address  # noqa: PLC0415
    from connectors.importing import import_files  # noqa: PLC0415
    from ledger.lake import Lake  # noqa: PLC0415

    source = bills.write(home / "bill.parquet", "decimal", rows)
    with Lake(lake_address(Settings(home=home), "default")) as lake:
        import_files(lake, [str(source)], synthetic=True)


class Visitor:
    """One person's browser, as far as the server can tell: a websocket that asks for a page and reads the answer."""

    def __init__(self, port: int) -> None:
        from websockets.sync.client import connect  # noqa: PLC0415 - with Streamlit's server

        self._socket = connect(f"ws://127.0.0.1:{port}/_stcore/stream", max_size=None, open_timeout=120)

    def ask(self, page: str) -> float:
        """Seconds until the page is wholly sent."""
        from streamlit.proto.Alert_pb2 import Alert  # noqa: PLC0415
        from streamlit.proto.BackMsg_pb2 import BackMsg  # noqa: PLC0415
        from streamlit.proto.ForwardMsg_pb2 import ForwardMsg  # noqa: PLC0415

        message = BackMsg()
        message.rerun_script.page_name = page
        message.rerun_script.query_string = ""
        start = time.perf_counter()
        self._socket.send(message.SerializeToString())
        while True:
            answer = ForwardMsg()
            answer.ParseFromString(self._socket.recv(timeout=120))
            if answer.delta.new_element.alert.format == Alert.ERROR:
                raise RuntimeError(f"The page {page!r} failed: {answer.delta.new_element.alert.body}")
            if answer.WhichOneof("type") == "script_finished":
                return time.perf_counter() - start

    def leave(self) -> None:
        """Close the window."""
        self._socket.close()


def cpu_of(process: int) -> float:
    """Seconds of CPU that a process has used, all its threads together."""
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measured(port: int, process: int, runs: int, people: int) -> dict[str, Any]:
    """Milliseconds of CPU by page, the first view, and the wait of many at once."""
    first = Visitor(port)
    cold = first.ask("")
    spent = dict[str, float]()
    for page in PAGES:
        first.ask(page)
        before = cpu_of(process)
        for _ in range(runs):
            first.ask(page)
        spent[page or "value"] = (cpu_of(process) - before) / runs * 1000
    first.leave()
    visitors = [Visitor(port) for _ in range(people)]
    waits = list[float]()
    threads = [
        threading.Thread(target=lambda v=v, n=n: waits.append(v.ask(PAGES[n % len(PAGES)])))
        for n, v in enumerate(visitors)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for visitor in visitors:
        visitor.leave()
    waits.sort()
    return {
        "cold_seconds": round(cold, 2),
        "cpu_milliseconds": {name: round(value, 1) for name, value in spent.items()},
        "p50_seconds": round(median(waits), 2),
        "p95_seconds": round(waits[int(len(waits) * 0.95) - 1], 2),
    }


def main() -> None:
    """Serve, ask, and end with one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--json", action="store_true", help="print only the JSON line")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        filled(Path(folder), arguments.rows)
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", _SERVE, folder, str(port)]
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
        try:
            _wait(port)
            found = measured(port, server.pid, arguments.runs, arguments.people)
        finally:
            server.terminate()
            server.wait(timeout=30)
    if not arguments.json:
        for name, spent in found["cpu_milliseconds"].items():
            print(f"{name:16s} {spent:6.1f} ms of CPU a run")
    worst = max(found["cpu_milliseconds"].values())
    ratios = {"ratio_cpu_to_25_ms": round(worst / 25, 2), "ratio_p50_to_1500_ms": round(found["p50_seconds"] / 1.5, 2)}
    print(json.dumps({"benchmark": "pages", "rows": arguments.rows, "people": arguments.people, **found, **ratios}))


def _wait(port: int) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError("The server did not answer.")


if __name__ == "__main__":
    main()
