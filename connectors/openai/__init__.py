from typing import Final

from connectors.format import Format
from connectors.openai.costs import COSTS
from connectors.openai.usage import USAGE

FORMATS: Final[tuple[Format, ...]] = (COSTS, USAGE)
