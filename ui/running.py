"""What this process serves: one workspace, and how it knows who looks at it. Set once, before the app starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from accounts.home import Settings
from accounts.signin import Protection, protection


@dataclass(frozen=True, slots=True)
class Running:
    """The facts of this process that every page needs.

    Attributes:
        settings: where the workspaces are.
        workspace: the one workspace that is shown.
        protection: how people sign in.
        people: addresses that may enter by an identity provider.
        ready: called once, when the server answers.
    """

    settings: Settings
    workspace: str
    protection: Protection
    people: tuple[str, ...] = ()
    ready: Callable[[], None] = lambda: None


_set: list[Running] = []


def configure(running: Running) -> None:
    """Say what this process serves."""
    _set[:] = [running]


def current() -> Running:
    """What this process serves; by the environment where the app was started without `spendproof serve`."""
    if not _set:
        settings, people = Settings(), oidc_people()
        way = protection(settings, settings.workspace, "127.0.0.1", oidc=bool(people))
        configure(Running(settings, settings.workspace, way, people))
    return _set[0]


def oidc_people() -> tuple[str, ...]:
    """Addresses that `[spendproof] people` of Streamlit's secrets lets in; none without an `[auth]` section."""
    import streamlit as st  # noqa: PLC0415 - the sign-in rules alone do not need it
    from streamlit.errors import StreamlitSecretNotFoundError  # noqa: PLC0415

    try:
        if "auth" not in st.secrets:
            return ()
        return tuple(str(person) for person in st.secrets.get("spendproof", {}).get("people", ()))
    except StreamlitSecretNotFoundError:
        return ()
