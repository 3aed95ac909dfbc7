"""A page of the app drawn without a browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streamlit.testing.v1 import AppTest


def drawn(script: Callable[[], None], **address: Any) -> Any:
    """What a script draws, asked for at an address; `report_days="..."` stands there as `report-days`."""
    app = AppTest.from_function(script, default_timeout=60)
    for name, value in address.items():
        app.query_params[name.replace("_", "-")] = value
    app.run()
    assert not app.exception
    return app
