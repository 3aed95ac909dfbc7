from typing import Final

from connectors.format import Format
from connectors.tables.drivers import DRIVERS
from connectors.tables.usage import USAGE

FORMATS: Final[tuple[Format, ...]] = (USAGE, DRIVERS)
