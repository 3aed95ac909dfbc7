"""The steps of connecting a provider, with what is known put in the place of `{field}`.

Templates hold braces of JSON, so that a field is replaced as plain text and everything else stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from connectors.live import Setup

_ADDRESS: Final = re.compile(r"\]\((https?://[^)\s]*)\)")


def filled(step: str, setup: Setup, values: Mapping[str, str]) -> str:
    """A step with the values of its fields; secrets never are filled in, and what is not known stays `{field}`."""
    known = _known(setup, values)
    quoted = {name: quote(value, safe="") for name, value in known.items()}
    return _replaced(_ADDRESS.sub(lambda found: f"]({_replaced(found.group(1), quoted)})", step), known)


def to_fill(setup: Setup, values: Mapping[str, str]) -> list[str]:
    """The fields that the steps still name without a value, in the order of the form."""
    known, text = _known(setup, values), "".join(setup.steps)
    return [f.name for f in setup.fields if f"{{{f.name}}}" in text and f.name not in known]


def _known(setup: Setup, values: Mapping[str, str]) -> dict[str, str]:
    plain = {f.name for f in setup.fields if not f.secret}
    return {name: value for name, value in values.items() if value and name in plain}


def _replaced(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text
