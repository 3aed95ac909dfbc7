"""Azure bills: cost details exports and reports, Azure's own FOCUS export; token metrics of Azure OpenAI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from connectors.azure import cost_details, focus, metrics

if TYPE_CHECKING:
    from connectors.format import Format

FORMATS: Final[tuple[Format, ...]] = (focus.FORMAT, *cost_details.FORMATS, metrics.FORMAT)
