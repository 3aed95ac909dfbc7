"""AWS bills: Cost and Usage Report (2.0 and legacy) and the FOCUS exports; token metrics of Amazon Bedrock."""

from __future__ import annotations

from typing import Final

from connectors.aws import cur, focus, metrics
from connectors.format import Format

FORMATS: Final[tuple[Format, ...]] = (cur.CUR_2, cur.CUR_LEGACY, focus.FORMAT, metrics.FORMAT)

__all__ = ["FORMATS"]
