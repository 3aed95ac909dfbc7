"""What part of the spend a page is about: as in reports, so that the two never differ (see `analysis.where`)."""

from __future__ import annotations

from analysis.where import COLUMNS, DIMENSIONS, UNNAMED, NotInTableError, Where, gathered, names, option, within

__all__ = ["COLUMNS", "DIMENSIONS", "UNNAMED", "NotInTableError", "Where", "gathered", "names", "option", "within"]
