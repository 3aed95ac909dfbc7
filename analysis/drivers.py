"""What cost is measured against: something the business did that the change itself does not touch.

Token counts, shares of models and hit rates of caches are what an optimisation works through (mediators). Holding them
constant would take the very saving out that is to be measured, so they are refused.
"""

# Ibis types `table["x"]` as an abstract column, without the operations of its kind.
# pyright: reportAttributeAccessIssue=false, reportOperatorIssue=false, reportArgumentType=false
# pyright: reportCallIssue=false, reportReturnType=false
from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from analysis.period import Period
from analysis.result import ZERO, fetch

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from analysis.scope import Scope

#: The driver that is counted out of the providers' reports of usage.
REQUESTS: Final = "requests"
_INSIDE: Final = (
    "Requests are counted inside the scope: had the change moved requests out of it, or avoided them, the saving would "
    "look smaller than it is; a driver of the business is better."
)
_MEDIATORS: Final = re.compile(r"token|cache|hit[ _-]?rate|share|ratio|percent|mix|\bcost\b|spend|price", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class DriverDays:
    """A driver on each day that it is known and not zero.

    Attributes:
        name: as asked for.
        unit: what one of it is; None where the source does not say.
        source: `drivers` or `usage`.
        values: by day, in units.
        warnings: what the reader has to know, as sentences.
    """

    name: str
    unit: str | None
    source: str
    values: Mapping[date, Decimal]
    warnings: tuple[str, ...] = ()


def refuse_mediator(name: str, unit: str | None = None) -> None:
    """Let a driver pass that the change does not work through.

    Raises:
        ValueError: it counts tokens, or is a share, a rate or a cost.
    """
    if _MEDIATORS.search(name) or (unit is not None and _MEDIATORS.search(unit)):
        raise ValueError(
            f"{name} cannot be the driver: an optimisation works through tokens, caches and shares of models, so "
            "holding them constant hides what it saves. Take requests, users, documents or sessions."
        )


def names(drivers: ir.Table) -> list[str]:
    """The drivers that the customer has handed in."""
    return sorted(row["DriverName"] for row in fetch(drivers.select("DriverName").distinct()))


def driver_days(drivers: ir.Table, usage: ir.Table, scope: Scope, name: str, period: Period) -> DriverDays:
    """A driver by day: the customer's own of that name, or `requests` counted out of the scope's usage.

    Args:
        drivers: `ledger.tables.DRIVERS`.
        usage: `ledger.tables.USAGE`, of every scope.
        scope: what requests are counted of.
        name: of the driver.
        period: the days.

    Raises:
        ValueError: the driver is refused (a mediator), is not known, or has two values on one day.
    """
    refuse_mediator(name)
    own = period.within(drivers.filter(drivers["DriverName"] == name), "DriverDate")
    rows = fetch(own.select("DriverDate", "DriverValue", "DriverUnit"))
    if rows:
        units = sorted({row["DriverUnit"] for row in rows if row["DriverUnit"]})
        refuse_mediator(name, " ".join(units))
        values = dict[date, Decimal]()
        for row in rows:
            if row["DriverDate"] in values:
                raise ValueError(
                    f"{name} has two values on {row['DriverDate']}; take one of its sources out of the ledger "
                    "(spendproof loads --remove-source SOURCE)."
                )
            values[row["DriverDate"]] = row["DriverValue"]
        return DriverDays(name, " and ".join(units) or None, "drivers", _positive(values))
    if name != REQUESTS:
        known = ", ".join((*names(drivers), REQUESTS))
        raise ValueError(f"There is no driver {name!r} in this period; there are {known}. Import more as a CSV file.")
    return _requests(usage, scope, period)


def _requests(usage: ir.Table, scope: Scope, period: Period) -> DriverDays:
    """Requests of the providers' reports; a log of single requests may be a sample and is no count."""
    within = scope.usage(usage)
    reports = within.filter(within["Grain"] != "request", within["Requests"].notnull())
    days = period.within(reports.mutate(on=reports["UsagePeriodStart"].date()), "on")
    rows = fetch(days.group_by("on").aggregate(requests=days["Requests"].sum(), sources=days["x_Connection"].nunique()))
    if not rows:
        raise ValueError(
            "No report of usage counts requests for this scope and period (a log of single requests may be a sample). "
            "Import a driver of your own: a CSV file with date, name, value, unit."
        )
    warnings = [_INSIDE]
    if any(row["sources"] > 1 for row in rows):
        warnings.append("Requests come from several sources, which may count some of them twice.")
    values = {row["on"]: Decimal(row["requests"]) for row in rows}
    return DriverDays(REQUESTS, "requests", "usage", _positive(values), tuple(warnings))


def _positive(values: Mapping[date, Decimal]) -> dict[date, Decimal]:
    return {day: values[day] for day in sorted(values) if values[day] > ZERO}
