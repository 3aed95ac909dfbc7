"""The providers that can be connected, by the name that `spendproof connect` takes; SDKs load when one is opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Final

from connectors.errors import SourceNameError
from connectors.live import Access, Setup, Source

#: By provider, the module with `SETUP` and the one with `open_source(access)`.
_MODULES: Final = {
    "anthropic": ("connectors.anthropic.live", "connectors.anthropic.live"),
    "aws": ("connectors.aws.setup", "connectors.aws.live"),
    "azure": ("connectors.azure.setup", "connectors.azure.live"),
    "gcp": ("connectors.gcp.setup", "connectors.gcp.live"),
    "openai": ("connectors.openai.live", "connectors.openai.live"),
}


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider that can be connected.

    Attributes:
        name: as `spendproof connect` takes it.
        setup: what a person does and enters.
        open: a source for what was entered.
    """

    name: str
    setup: Setup
    open: Callable[[Access], Source]


def providers() -> list[str]:
    """The names of all providers that can be connected."""
    return list(_MODULES)


def provider(name: str) -> Provider:
    """The provider called `name`.

    Raises:
        SourceNameError: there is none; the sentence lists those there are.
    """
    if name not in _MODULES:
        raise SourceNameError(f"There is no provider {name!r} to connect; there are: {', '.join(_MODULES)}.")
    setup, live = (import_module(module) for module in _MODULES[name])
    return Provider(name, setup.SETUP, live.open_source)
