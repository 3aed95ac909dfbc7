"""A PostgreSQL server for the tests, started here and stopped with them."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

_BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name)) or [
    Path(found).parent for found in [shutil.which("postgres")] if found
]


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def server(folder: Path) -> Generator[str]:
    """A server with its data in `folder`; gives the connection string of an empty database."""
    if not _BINARIES:
        raise RuntimeError("PostgreSQL is not installed; tests/setup.sh installs it.")
    binaries, data, port = _BINARIES[-1], folder / "data", free_port()
    folder.mkdir(parents=True, exist_ok=True)
    # The server refuses to run as root; the system's own account for it is used then.
    user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    if os.geteuid() == 0:
        shutil.chown(folder, user)
        for parent in folder.parents:
            if parent.stat().st_uid == 0 and not parent.stat().st_mode & 0o001:
                parent.chmod(parent.stat().st_mode | 0o011)
    as_user = {"user": user} if os.geteuid() == 0 else {}
    subprocess.run(
        [binaries / "initdb", "-D", data, "-U", "spendproof", "--auth=trust", "--no-sync", "-E", "UTF8"],
        check=True,
        capture_output=True,
        cwd=folder,
        **as_user,
    )
    options = ["-c", "fsync=off", "-c", f"unix_socket_directories={folder}", "-c", "listen_addresses=127.0.0.1"]
    process = subprocess.Popen(
        [binaries / "postgres", "-D", data, "-p", str(port), *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        **as_user,
    )
    try:
        _wait(port)
        yield f"host=127.0.0.1 port={port} user=spendproof dbname=postgres"
    finally:
        process.send_signal(signal.SIGINT)  # the fast way: it does not wait for pooled connections
        process.wait(timeout=20)


def _wait(port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
