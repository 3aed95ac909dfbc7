"""Starting the app from the command line: which address, which workspace, who may look."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import socket
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from accounts.errors import SignInError
from accounts.home import Settings
from accounts.signin import Protection, protection
from ledger.errors import LedgerError
from ui import running

CONFIG: Final = Path(__file__).with_name("config.toml")
HOST: Final = "127.0.0.1"
PORT: Final = 8501


class ServerError(LedgerError):
    """The app cannot listen where it was told to; the message says why and what to do."""


def serve(
    settings: Settings, workspace: str, host: str = HOST, port: int = PORT, *, ready: Callable[[str], None] = print
) -> None:
    """Serve one workspace's screens until interrupted.

    Args:
        settings: where the workspaces are.
        workspace: the workspace to show; one without data shows how to load some.
        host: address to listen on. Any but a loopback address needs sign-in.
        port: TCP port to listen on.
        ready: takes the app's address once it answers; printed by default.

    Raises:
        SignInError: others could reach the address, and there is no sign-in.
        LedgerError: the name is not one a workspace may have.
        ServerError: the address is not this machine's, or the port is taken.
    """
    people = running.oidc_people()
    way = protection(settings, workspace, host, oidc=bool(people))
    if way is Protection.OIDC and importlib.util.find_spec("authlib") is None:
        raise SignInError("Sign-in by an identity provider needs the package Authlib; install streamlit[auth].")
    _refuse_taken(host, port)
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    running.configure(running.Running(settings, workspace, way, people, lambda: ready(url)))
    # Streamlit reads its settings when imported and warns when they are set, as they are here, later.
    logging.getLogger("streamlit.config").setLevel(logging.ERROR)
    # By name: the layers forbid this room to import the module above it, which holds the only App of the process.
    app = importlib.import_module("app").app
    app.run(config={**_options(tomllib.loads(CONFIG.read_text())), "server.address": host, "server.port": port})


def _options(section: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Streamlit's options under their dotted names."""
    return dict(_flat(section, prefix))


def _flat(section: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in section.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _refuse_taken(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = error.strerror or str(error)
            raise ServerError(
                f"The app cannot listen on {host} port {port}: {reason}. Choose another with --port or --host."
            ) from error
