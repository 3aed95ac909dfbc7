"""Azure bills: cost details exports and reports, and Azure's own FOCUS export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from connectors.azure import cost_details, focus

if TYPE_CHECKING:
    from connectors.format import Format

FORMATS: Final[tuple[Format, ...]] = (focus.FORMAT, *cost_details.FORMATS)
