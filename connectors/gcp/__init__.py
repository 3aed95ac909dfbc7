"""Google Cloud: the Cloud Billing exports to BigQuery, in their own columns and in FOCUS."""

from __future__ import annotations

from typing import Final

from connectors.format import Format
from connectors.gcp.billing_export import DETAILED, STANDARD
from connectors.gcp.focus import FOCUS

FORMATS: Final[tuple[Format, ...]] = (DETAILED, STANDARD, FOCUS)
