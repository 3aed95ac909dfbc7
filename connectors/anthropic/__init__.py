from typing import Final

from connectors.anthropic.cost import COST, COST_REPORT
from connectors.anthropic.usage import USAGE, USAGE_REPORT
from connectors.format import Format

FORMATS: Final[tuple[Format, ...]] = (COST, COST_REPORT, USAGE, USAGE_REPORT)
