"""The tables that Google exports billing data to, told by their names, and what is asked of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from connectors.errors import SourceError

_NAME: Final = re.compile(r"([a-z][a-z0-9:.-]{4,61}[a-z0-9])\.(\w{1,1024})\.([\w-]{1,1024})")
#: By the beginning of a table's name: the format of its rows, and what a person calls it.
_KINDS: Final = {
    "gcp_billing_export_resource_v1_": ("gcp-billing-detailed", "detailed usage cost export"),
    "gcp_billing_export_v1_": ("gcp-billing-standard", "standard usage cost export"),
    "gcp_billing_export_focus_": ("gcp-focus", "FOCUS export"),
}
#: Rows reach the table after they happened, never before; a day for the time zones.
_EARLIER: Final = timedelta(days=1)

Query = tuple[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Table:
    """One export table: `project.dataset.table`, the format of its rows, its title, and its billing account."""

    name: str
    project: str
    format: str
    title: str
    account: str

    @classmethod
    def of(cls, name: str) -> Table:
        """Read a table's name.

        Raises:
            SourceError: it is not that of a billing export.
        """
        found = _NAME.fullmatch(name.strip().strip("`"))
        for beginning, (format_, title) in _KINDS.items():
            if found is not None and found.group(3).startswith(beginning):
                account = found.group(3).removeprefix(beginning).replace("_", "-")
                return cls(found.group(), found.group(1), format_, title, account)
        raise SourceError(
            f"{name} is not the name of a billing export table.",
            "Write project.dataset.table; its name begins with gcp_billing_export_v1_, gcp_billing_export_resource_v1_ "
            "or gcp_billing_export_focus_.",
        )

    def months(self, first: date) -> Query:
        """The latest export time of each invoice month from `first` on, as `month` (`202611`) and `newest`."""
        if self.format == "gcp-focus":
            sql = (
                "SELECT FORMAT_TIMESTAMP('%Y%m', BillingPeriodStart) AS month, MAX(x_ExportTime) AS newest "
                f"FROM `{self.name}` WHERE BillingPeriodStart >= @since GROUP BY month"
            )
            return sql, {"since": _moment(first)}
        sql = (
            f"SELECT invoice.month AS month, MAX(export_time) AS newest FROM `{self.name}` "
            "WHERE _PARTITIONTIME >= @since AND invoice.month >= @first GROUP BY month"
        )
        return sql, {"since": _moment(first) - _EARLIER, "first": f"{first:%Y%m}"}

    def rows(self, month: date) -> Query:
        """All rows of an invoice month."""
        if self.format == "gcp-focus":
            # The period begins at midnight in Los Angeles, which is hours after that in UTC.
            sql = f"SELECT * FROM `{self.name}` WHERE BillingPeriodStart >= @since AND BillingPeriodStart < @before"
            following = (month + timedelta(days=32)).replace(day=1)
            return sql, {"since": _moment(month), "before": _moment(following)}
        sql = f"SELECT * FROM `{self.name}` WHERE _PARTITIONTIME >= @since AND invoice.month = @month"
        return sql, {"since": _moment(month) - _EARLIER, "month": f"{month:%Y%m}"}


def _moment(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
